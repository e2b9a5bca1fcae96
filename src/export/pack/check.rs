//! A pack held against its own lists and against its log: files, papers, what people signed, ledgers' rows,
//! witnesses' requests, the schema, and everything derived, made again. A file that the log does not speak of
//! is a stray.
//!
//! In: a pack from a stranger. Out: findings as `replay::verify` has them, and the seals that lie in its
//! witness files.
//!
//! Not here: the lines of the log, its seals and signatures (`replay::verify`), the annex (`annex`).

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{self, Facts};
use super::{Pack, PackFault, at, derived, papers};
use crate::export::bag::BagFault;
use crate::export::views::ViewFault;
use crate::journal::listed;
use crate::plan::digest::Digest;
use crate::replay::verify::Finding;
use crate::seal::note::NOTE_BYTES_MAX;
use crate::seal::proof::check_consistency;
use crate::seal::tree::Tree;
use crate::seal::{Request, Seal};

/// Folders of evidence: no version of ours puts anything into them that the log does not speak of.
const EVIDENCE: [&str; 4] = ["log/", "plan/", "approvals/", "effects/"];

/// Strays told one by one; a hostile pack must not fill memory.
const STRAYS_MAX: usize = 100;

/// A list of digests has a few hundred lines.
const LIST_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// What came out.
#[derive(Debug, Default)]
pub struct Checked {
    /// What is wrong or missing.
    pub findings: Vec<Finding>,
    /// Seals from the requests that went to witnesses: larger ones than the log's own betray a cut.
    pub seals: Vec<Seal>,
    /// Files that a pack of this log has: whatever else lies in it is a stray.
    known: BTreeSet<String>,
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
            checked.missing("NO_LOG", "the pack lists no step log".to_owned());
            return Ok(checked);
        }
        self.requests(&mut checked)?;
        // A log that cannot be read to its end is told of by whoever replays it.
        let Ok(facts) = facts::read(&self.log()) else {
            return Ok(checked);
        };
        checked.known.insert(at::STEPS.to_owned());
        self.seals(&mut checked)?;
        self.papers(&facts, &mut checked)?;
        self.signed(&facts, &mut checked);
        self.effects(&facts, &mut checked)?;
        self.schema(&facts, &mut checked);
        self.stamps(&mut checked);
        if self.derived(&facts, &mut checked)? {
            self.strays(&mut checked);
        }
        Ok(checked)
    }

    /// Each seal stands under the number of entries that it covers, and the newest one stands first.
    fn seals(&self, checked: &mut Checked) -> Result<(), PackFault> {
        let mut newest = None;
        for path in self.below("log/checkpoints/") {
            let bytes = match self.bag.read(path, NOTE_BYTES_MAX as u64) {
                Err(fault @ BagFault::Io(..)) => return Err(fault.into()),
                bytes => bytes.ok().flatten(),
            };
            let seal = bytes.and_then(|bytes| Seal::parse(&bytes).ok());
            // One that is none is told of by whoever judges seals, too.
            let size = seal.map(|seal| seal.head.size);
            if size.is_some_and(|size| path == format!("log/checkpoints/{size:012}")) {
                checked.known.insert(path.to_owned());
                newest = size.max(newest);
            }
        }
        checked.known.insert(at::SEAL.to_owned());
        let newest = newest.map(|size| format!("log/checkpoints/{size:012}"));
        let newest = newest.and_then(|path| self.bag.digest(&path));
        if self.bag.digest(at::SEAL) != newest {
            let says = format!("`{}` is not the newest of the seals", at::SEAL);
            checked.wrong("BAD_SEAL", None, says);
        }
        Ok(())
    }

    /// Every paper that the log names is there, file by file, each in its own place.
    fn papers(&self, facts: &Facts, checked: &mut Checked) -> Result<(), PackFault> {
        for (number, fingerprint) in (1..).zip(&facts.papers) {
            let place = format!("plan/{number:02}.sha256");
            let says = format!("`{place}` is another paper than the one that entries name");
            if !self.is_at(checked, "PLAN_DIGEST", &place, *fingerprint, says) {
                continue;
            }
            let manifest = self.bag.read(&place, LIST_BYTES_MAX)?.unwrap_or_default();
            for (digest, path) in listed(&String::from_utf8_lossy(&manifest)) {
                let place = papers::place(number, path, digest);
                let says = format!("`{place}` is not the file that people signed");
                self.is_at(checked, "PLAN_DIGEST", &place, digest, says);
            }
        }
        Ok(())
    }

    /// Whether a file that belongs here is here and has this digest; `says` is what it is otherwise.
    fn is_at(
        &self,
        checked: &mut Checked,
        code: &'static str,
        place: &str,
        digest: Digest,
        says: String,
    ) -> bool {
        checked.known.insert(place.to_owned());
        let here = self.bag.digest(place);
        match here {
            None => checked.missing(code, format!("`{place}` is not at hand")),
            Some(here) if here != digest => checked.wrong(code, None, says),
            Some(_) => {}
        }
        here == Some(digest)
    }

    /// What lies beside an entry as its statement and signature is what the entry speaks of. What is not
    /// there is missed by whoever judges signatures.
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
                checked.known.insert(path);
            }
        }
    }

    /// The ledgers' rows are those that the last entry vouches for; others are strays.
    fn effects(&self, facts: &Facts, checked: &mut Checked) -> Result<(), PackFault> {
        let closed = facts.closed.as_ref();
        let Some(vouched) = closed.and_then(|closed| closed.effects) else {
            return Ok(());
        };
        let Some(digest) = self.bag.digest(at::EFFECTS) else {
            let says = "the ledgers' rows of which the last entry holds the digest are not at hand";
            checked.missing("ATTACHMENT", says.to_owned());
            return Ok(());
        };
        checked.known.insert(at::EFFECTS.to_owned());
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
            checked.known.insert(path);
        }
        Ok(())
    }

    /// The schema is the one that the log was opened with.
    fn schema(&self, facts: &Facts, checked: &mut Checked) {
        let says = format!(
            "`{}` is not the schema that the log was opened with",
            at::SCHEMA
        );
        self.is_at(checked, "ATTACHMENT", at::SCHEMA, facts.opened.schema, says);
    }

    /// A time-stamp is called after its seal's entries and its own digest.
    fn stamps(&self, checked: &mut Checked) {
        for path in self.below("anchors/") {
            let digest = self.bag.digest(path).unwrap_or(Digest::ZERO).to_string();
            let name = path.strip_prefix("anchors/").unwrap_or_default();
            let ending = format!(".{}.tsr", &digest[..8]);
            let entries = name.strip_suffix(&ending).unwrap_or_default();
            let seal = format!("log/checkpoints/{entries}");
            if !entries.is_empty() && self.bag.digest(&seal).is_some() {
                checked.known.insert(path.to_owned());
            }
        }
    }

    /// Nothing else lies in the pack: what nothing vouches for is read by people all the same.
    fn strays(&self, checked: &mut Checked) {
        let (known, ours) = (std::mem::take(&mut checked.known), self.is_ours());
        let strays = self.bag.paths().filter(|path| !known.contains(*path));
        for path in strays.take(STRAYS_MAX) {
            let evidence = EVIDENCE.iter().any(|folder| path.starts_with(folder));
            if ours || evidence {
                let says = format!("`{path}`: nothing in the log speaks of it");
                checked.wrong("PATH", None, says);
            } else {
                let says = format!("`{path}` is no file of a pack as this version knows them");
                checked.missing("OTHER_VERSION", says);
            }
        }
    }

    fn below<'p>(&'p self, folder: &'p str) -> impl Iterator<Item = &'p str> {
        let paths = self.bag.paths();
        paths.filter(move |path| path.starts_with(folder))
    }

    /// The proofs in witnesses' requests hold against the log.
    fn requests(&self, checked: &mut Checked) -> Result<(), PackFault> {
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

    /// What is derived is what this version makes of the log, where this version made it; false where
    /// nothing can be derived from the log.
    fn derived(&self, facts: &Facts, checked: &mut Checked) -> Result<bool, PackFault> {
        let compared = match derived::compared(self, facts) {
            Ok(compared) => compared,
            Err(PackFault::View(ViewFault::Line { .. }) | PackFault::Line { .. }) => {
                return Ok(false);
            }
            Err(fault) => return Err(fault),
        };
        checked.known.extend(compared.known);
        let drifted = compared.drifted;
        if !self.is_ours() && !drifted.is_empty() {
            // Its own word for its version is anybody's word.
            let says = format!(
                "what is derived was made by another version of Handover, and this one makes {} files of it \
                 otherwise: rely on the log alone",
                drifted.len()
            );
            checked.missing("OTHER_VERSION", says);
            return Ok(true);
        }
        for path in drifted {
            checked.wrong(
                "EXPORT_DRIFT",
                None,
                format!("`{path}` is not what the log gives"),
            );
        }
        Ok(true)
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

    fn missing(&mut self, code: &'static str, says: String) {
        self.findings.push(Finding::missing(code, None, says));
    }
}
