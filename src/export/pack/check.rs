//! A pack held against its own lists and against its log: files, papers, what people signed, ledgers' rows
//! (`ledgers`), what people outside said (`outside`), the schema, and everything derived, made again. A file
//! that the log does not speak of is a stray.
//!
//! In: a pack from a stranger. Out: findings as `replay::verify` has them, and the seals that lie in its
//! witness files.
//!
//! Not here: the lines of the log, its seals and signatures (`replay::verify`), the annex (`annex`).

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};

use jiff::Timestamp;

use super::facts::{self, Facts};
use super::write::EDITION;
use super::{Pack, PackFault, at, derived, papers};
use crate::export::bag::BagFault;
use crate::export::leaks;
use crate::export::views::ViewFault;
use crate::journal::listed;
use crate::plan::digest::Digest;
use crate::replay::verify::{Finding, Findings};
use crate::seal::Seal;
use crate::seal::note::NOTE_BYTES_MAX;

/// Folders of evidence: no version of ours puts anything into them that the log does not speak of.
const EVIDENCE: [&str; 4] = ["log/", "plan/", "approvals/", "effects/"];

/// Strays told one by one; a hostile pack must not fill memory.
const STRAYS_MAX: usize = 100;

/// Lines are looked at so many bytes at a time.
const LINE_BYTES_MAX: u64 = 64 * 1024;

/// A list of digests has a few hundred lines.
pub(super) const LIST_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// What came out.
#[derive(Debug, Default)]
pub struct Checked {
    /// What is wrong or missing.
    pub findings: Findings,
    /// Seals from requests that went to witnesses and from proofs of single entries: larger ones than the
    /// log's own betray a cut.
    pub seals: Vec<Seal>,
    /// What the time-stamps in it tell: how many entries were sealed by when.
    pub stamped: Vec<(u64, Option<Timestamp>)>,
    /// What cannot be told and is no reason to doubt, one sentence each.
    pub not_proved: Vec<String>,
    /// Somebody outside noted down the digest of the pack's list: every file is as it was then.
    noted: bool,
    /// Files that a pack of this log has: whatever else lies in it is a stray.
    pub(super) known: BTreeSet<String>,
}

impl Pack {
    /// Holds everything beside the log against the log and against the pack's lists. `noted` is a digest that
    /// was noted down outside: where it is that of the pack's list, every file is as it was packed.
    ///
    /// # Errors
    /// When the operating system refuses, or a list is beyond every limit.
    pub fn check(&self, noted: Option<Digest>) -> Result<Checked, PackFault> {
        let mut checked = Checked {
            noted: noted.is_some() && self.bag.manifest().ok() == noted,
            ..Checked::default()
        };
        for found in self.bag.check()? {
            let says = format!("`{}`: {}", found.path, found.says);
            checked.wrong(found.code, None, says);
        }
        if self.bag.digest(at::STEPS).is_none() {
            checked.missing("NO_LOG", "the pack lists no step log".to_owned());
            return Ok(checked);
        }
        self.requests(&mut checked)?;
        self.proofs(&mut checked)?;
        self.stamps(&mut checked)?;
        // A log that cannot be read to its end is told of by whoever replays it.
        let Ok(mut facts) = facts::read(&self.log()) else {
            return Ok(checked);
        };
        checked.known.insert(at::STEPS.to_owned());
        self.seals(&mut checked)?;
        self.papers(&facts, &mut checked)?;
        self.signed(&facts, &mut checked);
        self.effects(&mut facts, &mut checked)?;
        self.schema(&facts, &mut checked);
        self.leaks(&mut checked)?;
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

    /// The schema is the one that the log was opened with.
    fn schema(&self, facts: &Facts, checked: &mut Checked) {
        let says = format!(
            "`{}` is not the schema that the log was opened with",
            at::SCHEMA
        );
        self.is_at(checked, "ATTACHMENT", at::SCHEMA, facts.opened.schema, says);
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
            } else if !checked.noted {
                let says = format!("`{path}` is no file of a pack as this version knows them");
                checked.missing("OTHER_VERSION", says);
            }
        }
    }

    /// Nobody's data stand in the log, in what was signed, in ledgers' rows.
    fn leaks(&self, checked: &mut Checked) -> Result<(), PackFault> {
        checked.findings.extend(leaks::of_log(&self.log())?);
        let signed = self
            .below("approvals/")
            .filter(|path| !path.contains(".sig"));
        for path in signed.chain(self.below("effects/")) {
            let Some(place) = self.bag.place(path) else {
                continue;
            };
            let refused = |fault| PackFault::Kept(place.clone(), fault);
            let mut file = BufReader::new(File::open(&place).map_err(refused)?);
            let mut some = Vec::new();
            let mut read = |some: &mut Vec<u8>| {
                some.clear();
                (&mut file).take(LINE_BYTES_MAX).read_until(b'\n', some)
            };
            while read(&mut some).map_err(refused)? > 0 {
                if let Some(what) = leaks::kind(&some) {
                    checked.wrong("PII_LEAK", None, format!("{what} stands in `{path}`"));
                    break;
                }
            }
        }
        Ok(())
    }

    pub(super) fn below<'p>(&'p self, folder: &'p str) -> impl Iterator<Item = &'p str> {
        let paths = self.bag.paths();
        paths.filter(move |path| path.starts_with(folder))
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
            let says = format!(
                "what is derived was made by another version of Handover, and this one makes {} files of it \
                 otherwise",
                drifted.len()
            );
            // Its own word for its version is anybody's word; that of whoever noted its manifest down is not.
            if checked.noted {
                let says = format!("{says}: they are as they were noted down, and prove nothing");
                checked.not_proved.push(says);
            } else {
                let says = format!(
                    "{says}: rely on the log alone (`--noted`: they are as they were packed)"
                );
                checked.missing("OTHER_VERSION", says);
            }
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

    /// Whether what is derived in it was derived as we do, by its own word.
    fn is_ours(&self) -> bool {
        let line = format!("{EDITION}: {}", derived::EDITION);
        self.bag.info().lines().any(|told| told == line)
    }
}

impl Checked {
    pub(super) fn wrong(&mut self, code: &'static str, seq: Option<u64>, says: String) {
        self.findings.add(Finding::wrong(code, seq, says));
    }

    pub(super) fn missing(&mut self, code: &'static str, says: String) {
        self.findings.add(Finding::missing(code, None, says));
    }
}
