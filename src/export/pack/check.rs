//! A pack held against its own lists and against its log: files, papers, what people signed, ledgers' rows,
//! witnesses' requests, and everything derived, made again.
//!
//! In: a pack from a stranger. Out: findings as `replay::verify` has them, and the seals that lie in its
//! witness files.
//!
//! Not here: the lines of the log, its seals and signatures (`replay::verify`), the annex (`annex`).

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{self, Facts};
use super::{Pack, PackFault, at, derived};
use crate::export::bag::BagFault;
use crate::export::views::ViewFault;
use crate::journal::listed;
use crate::plan::digest::Digest;
use crate::replay::verify::Finding;
use crate::seal::note::NOTE_BYTES_MAX;
use crate::seal::proof::check_consistency;
use crate::seal::tree::Tree;
use crate::seal::{Request, Seal};

/// A list of digests has a few hundred lines.
const LIST_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// What came out.
#[derive(Debug, Default)]
pub struct Checked {
    /// What is wrong or missing.
    pub findings: Vec<Finding>,
    /// Seals from the requests that went to witnesses: larger ones than the log's own betray a cut.
    pub seals: Vec<Seal>,
}

impl Pack {
    /// Holds everything beside the log against the log and against the pack's lists.
    ///
    /// # Errors
    /// When the operating system refuses, or a list is beyond every limit.
    pub fn check(&self) -> Result<Checked, PackFault> {
        let mut checked = Checked::default();
        for found in self.bag.check()? {
            let says = format!("`{}`: {}", found.path, found.says);
            checked.wrong(found.code, None, says);
        }
        if self.bag.digest(at::STEPS).is_none() {
            let says = "the pack lists no step log";
            let missing = Finding::missing("NO_LOG", None, says);
            checked.findings.push(missing);
            return Ok(checked);
        }
        self.requests(&mut checked)?;
        // A log that cannot be read to its end is told of by whoever replays it.
        let Ok(facts) = facts::read(&self.log()) else {
            return Ok(checked);
        };
        self.papers(&facts, &mut checked)?;
        self.signed(&facts, &mut checked);
        self.effects(&facts, &mut checked)?;
        self.derived(&mut checked)?;
        Ok(checked)
    }

    /// Every paper that the log names is there, file by file, and no other in its place.
    fn papers(&self, facts: &Facts, checked: &mut Checked) -> Result<(), PackFault> {
        for (number, fingerprint) in (1..).zip(&facts.papers) {
            let place = format!("plan/{number:02}.sha256");
            let Some(digest) = self.bag.digest(&place) else {
                continue;
            };
            if digest != *fingerprint {
                let says = format!("`{place}` is another paper than the one that entries name");
                checked.wrong("PLAN_DIGEST", None, says);
                continue;
            }
            let manifest = self.bag.read(&place, LIST_BYTES_MAX)?.unwrap_or_default();
            for (digest, path) in listed(&String::from_utf8_lossy(&manifest)) {
                let own = format!("plan/{number:02}/{path}");
                let here = self.bag.digest(&own);
                if here.is_some_and(|here| here != digest) {
                    let says = format!("`{own}` is not the file that people signed");
                    checked.wrong("PLAN_DIGEST", None, says);
                }
            }
        }
        Ok(())
    }

    /// What lies beside an entry as its statement and signature is what the entry speaks of.
    fn signed(&self, facts: &Facts, checked: &mut Checked) {
        for (seq, decision) in &facts.decisions {
            let Some(signed) = decision.signed else {
                continue;
            };
            for (path, digest) in [
                (format!("approvals/{seq}.json"), decision.statement),
                (format!("approvals/{seq}.json.sig"), signed.signature),
            ] {
                if self.bag.digest(&path).is_some_and(|here| here != digest) {
                    let says = format!("`{path}` is not the file that the entry speaks of");
                    checked.wrong("BAD_APPROVAL", Some(*seq), says);
                }
            }
        }
    }

    /// The ledgers' rows are those that the last entry vouches for.
    fn effects(&self, facts: &Facts, checked: &mut Checked) -> Result<(), PackFault> {
        let closed = facts.closed.as_ref();
        let Some(vouched) = closed.and_then(|closed| closed.effects) else {
            return Ok(());
        };
        let Some(digest) = self.bag.digest(at::EFFECTS) else {
            let says = "the ledgers' rows of which the last entry holds the digest are not at hand";
            let missing = Finding::missing("ATTACHMENT", None, says);
            checked.findings.push(missing);
            return Ok(());
        };
        if digest != vouched {
            let says = format!(
                "`{}` is not the list that the last entry vouches for",
                at::EFFECTS
            );
            checked.wrong("EFFECT_MISMATCH", Some(facts.size - 1), says);
        }
        let list = self
            .bag
            .read(at::EFFECTS, LIST_BYTES_MAX)?
            .unwrap_or_default();
        for (digest, name) in listed(&String::from_utf8_lossy(&list)) {
            let path = format!("effects/{name}");
            if self.bag.digest(&path) != Some(digest) {
                let says = format!("`{path}` is not what the ledger held when the run was closed");
                checked.wrong("EFFECT_MISMATCH", None, says);
            }
        }
        Ok(())
    }

    /// The proofs in witnesses' requests hold against the log.
    fn requests(&self, checked: &mut Checked) -> Result<(), PackFault> {
        let mut requests = BTreeMap::new();
        for path in self
            .bag
            .paths()
            .filter(|path| path.starts_with("log/witness/"))
        {
            let bytes = self.bag.read(path, 2 * NOTE_BYTES_MAX as u64);
            match bytes.map(|bytes| bytes.map(|bytes| Request::parse(&bytes))) {
                Ok(Some(Ok(request))) => drop(requests.insert(path.to_owned(), request)),
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

    /// What is derived is what this version makes of the log, where this version made it.
    fn derived(&self, checked: &mut Checked) -> Result<(), PackFault> {
        let drifted = match derived::drift(self) {
            Ok(drifted) => drifted,
            Err(PackFault::View(ViewFault::Line { .. }) | PackFault::Line { .. }) => return Ok(()),
            Err(fault) => return Err(fault),
        };
        if !self.is_ours() && !drifted.is_empty() {
            let says = format!(
                "what is derived was made by another version of Handover, and this one makes {} files of it \
                 otherwise: rely on the log alone",
                drifted.len()
            );
            // Its own word for its version is anybody's word.
            let missing = Finding::missing("OTHER_VERSION", None, says);
            checked.findings.push(missing);
            return Ok(());
        }
        for path in drifted {
            checked.wrong(
                "EXPORT_DRIFT",
                None,
                format!("`{path}` is not what the log gives"),
            );
        }
        Ok(())
    }

    /// Whether this very version wrote the pack, by its own word.
    fn is_ours(&self) -> bool {
        let line = format!("Bag-Software-Agent: Handover {}", env!("CARGO_PKG_VERSION"));
        self.bag.info().lines().any(|told| told == line)
    }
}

impl Checked {
    fn wrong(&mut self, code: &'static str, seq: Option<u64>, says: String) {
        self.findings.push(Finding::wrong(code, seq, says));
    }
}
