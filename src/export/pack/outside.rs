//! What people outside said of a pack's log, where it lies in the pack: requests to witnesses, proofs of single
//! entries, time-stamps.
//!
//! Not here: seals and cosignatures (`replay::verify`).

use std::collections::{BTreeMap, BTreeSet};

use super::check::Checked;
use super::{Pack, PackFault};
use crate::export::bag::BagFault;
use crate::export::stamp::{self, STAMP_BYTES_MAX, Stamp};
use crate::plan::digest::Digest;
use crate::seal::note::NOTE_BYTES_MAX;
use crate::seal::proof::check_consistency;
use crate::seal::tree::Tree;
use crate::seal::{Request, Seal, TlogProof};

impl Pack {
    /// The proofs in witnesses' requests hold against the log.
    pub(super) fn requests(&self, checked: &mut Checked) -> Result<(), PackFault> {
        let mut requests = BTreeMap::new();
        for path in self.below("log/witness/") {
            let bytes = self.bag.read(path, 2 * NOTE_BYTES_MAX as u64);
            match bytes.map(|bytes| bytes.map(|bytes| Request::parse(&bytes))) {
                Ok(Some(Ok(request))) => {
                    let own = format!("log/witness/{:012}.add-checkpoint", request.seal.head.size);
                    if path == own {
                        checked.known.insert(own);
                    }
                    requests.insert(path.to_owned(), request);
                }
                Err(fault @ BagFault::Io(..)) => return Err(fault.into()),
                _ => checked.wrong("BAD_PROOF", None, format!("`{path}` is no request")),
            }
        }
        let wanted = requests.values().map(|request| request.old);
        let roots = self.roots(&wanted.collect())?;
        for (path, request) in requests {
            let head = &request.seal.head;
            let holds = roots.get(&request.old).is_some_and(|old| {
                check_consistency(request.old, old, head.size, &head.root, &request.proof).is_ok()
            });
            if !holds {
                let says =
                    format!("`{path}` does not prove that its seal goes on from the one before");
                checked.wrong("BAD_PROOF", None, says);
            }
            checked.seals.push(request.seal);
        }
        Ok(())
    }

    /// The roots of the log at these sizes, as far as it is so long.
    fn roots(&self, sizes: &BTreeSet<u64>) -> Result<BTreeMap<u64, Digest>, PackFault> {
        let mut roots = BTreeMap::from([(0, Tree::default().root())]);
        if sizes.iter().any(|size| *size > 0) {
            let lines = self.log().lines()?.map_while(Result::ok);
            roots.extend(crate::replay::approvals::roots(lines, sizes));
        }
        Ok(roots)
    }

    /// Proofs of single entries that lie in it hold for the entries of its log.
    pub(super) fn proofs(&self, checked: &mut Checked) -> Result<(), PackFault> {
        let mut proofs = BTreeMap::new();
        for path in self.below("log/proofs/") {
            match self.bag.read(path, 2 * NOTE_BYTES_MAX as u64) {
                Err(fault @ BagFault::Io(..)) => return Err(fault.into()),
                bytes => {
                    let bytes = bytes.ok().flatten().unwrap_or_default();
                    proofs.insert(path.to_owned(), TlogProof::parse(&bytes).ok());
                }
            }
        }
        if proofs.is_empty() {
            return Ok(());
        }
        let places = proofs.values().flatten().map(|proof| proof.index);
        let places: BTreeSet<u64> = places.collect();
        let lines = (0..).zip(self.log().lines()?.map_while(Result::ok));
        let lines: BTreeMap<u64, Vec<u8>> = lines.filter(|(seq, _)| places.contains(seq)).collect();
        for (path, proof) in proofs {
            let line = proof.as_ref().and_then(|proof| lines.get(&proof.index));
            let both = proof.as_ref().zip(line);
            if both.is_some_and(|(proof, line)| proof.includes(line).is_ok()) {
                checked.known.insert(path);
            } else {
                let says = format!("`{path}` does not prove an entry of this log");
                checked.wrong("BAD_PROOF", None, says);
            }
            checked.seals.extend(proof.map(|proof| proof.seal));
        }
        Ok(())
    }

    /// A time-stamp is over a seal of this log, and called after its seal's entries and its own digest.
    pub(super) fn stamps(&self, checked: &mut Checked) -> Result<(), PackFault> {
        let mut stamps = Vec::new();
        for path in self.below("anchors/") {
            let digest = self.bag.digest(path).unwrap_or(Digest::ZERO).to_string();
            let name = path.strip_prefix("anchors/").unwrap_or_default();
            let Some(entries) = name.strip_suffix(&format!(".{}.tsr", &digest[..8])) else {
                continue;
            };
            let bytes = match self.bag.read(path, STAMP_BYTES_MAX) {
                Err(fault @ BagFault::Io(..)) => return Err(fault.into()),
                bytes => bytes.ok().flatten().unwrap_or_default(),
            };
            stamps.push(Stamp {
                name: path.to_owned(),
                bytes,
                named: entries.parse().ok(),
            });
        }
        if stamps.is_empty() {
            return Ok(());
        }
        let log = self.log();
        let mut seals: Vec<Seal> = log.seals().flatten().collect();
        seals.extend(checked.seals.iter().cloned());
        let held = stamp::check(&stamps, &seals, &log);
        checked.known.extend(held.known);
        checked.findings.extend(held.findings);
        checked.stamped = held.told;
        Ok(())
    }
}
