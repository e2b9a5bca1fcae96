//! The restricted annex: a bag of its own with what must not stand in the log. Who the codes stand for,
//! what people gave as their reasons, the files they handed in, details of errors by keyed digest. The
//! log holds digests of these files, and `log.closed` that of the annex's list.
//!
//! Not here: who may read it (the organisations decide).

use std::path::{Path, PathBuf};

use super::{PackFault, files};
use crate::export::bag::{Bag, BagWriter};
use crate::journal::LogFolder;
use crate::machine::event::{Event, On};
use crate::machine::line;
use crate::plan::digest::Digest;
use crate::replay::verify::{Finding, Findings};

/// What goes into an annex.
#[derive(Debug, Clone)]
pub struct Annex {
    /// The log's origin.
    pub origin: String,
    /// The run's folder: its parts are taken as they are.
    pub folder: PathBuf,
    /// Folders in it, each with files called by their digests.
    pub parts: Vec<&'static str>,
    /// `people.toml` as it was when the run was closed, where it was there.
    pub people: Option<Vec<u8>>,
}

const README: &str = include_str!("pages/annex.txt");

/// Writes an annex to `root`; the digest of its `manifest-sha256.txt`.
///
/// # Errors
/// When something cannot be read, or the bag cannot be written.
pub fn write(root: &Path, annex: &Annex) -> Result<Digest, PackFault> {
    let mut bag = BagWriter::new(root)?;
    bag.put(
        "README.txt",
        README.replace("{origin}", &annex.origin).as_bytes(),
    )?;
    if let Some(people) = &annex.people {
        bag.put("people.toml", people)?;
    }
    for part in &annex.parts {
        files::copy_all(&mut bag, part, &annex.folder.join(part))?;
    }
    Ok(bag.finish(&info(&annex.origin))?)
}

/// Writes an annex again that was made when its run was closed: the same files, the same digest.
///
/// # Errors
/// As [`write`], and when `kept` is no bag.
pub fn again(root: &Path, kept: &Path, origin: &str) -> Result<Digest, PackFault> {
    let kept = Bag::open(kept)?;
    let mut bag = BagWriter::new(root)?;
    for path in kept.paths() {
        if let Some(from) = kept.place(path) {
            files::copy(&mut bag, path, &from)?;
        }
    }
    Ok(bag.finish(&info(origin))?)
}

/// Holds an annex against its own lists, against the digest that the log's last entry has of them, and
/// against every word and file about a step that entries hold the digest of.
///
/// # Errors
/// When there is no annex, the log cannot be read, or the operating system refuses.
pub fn check(root: &Path, log: &LogFolder) -> Result<Findings, PackFault> {
    let annex = Bag::open(root)?;
    let mut findings = Findings::default();
    for found in annex.check()? {
        let says = format!("the annex, `{}`: {}", found.path, found.says);
        findings.add(Finding::wrong(found.code, None, says));
    }
    let mut vouched = None;
    for bytes in log.lines()?.map_while(Result::ok) {
        let Ok(entry) = line::parse(&bytes) else {
            continue;
        };
        if let Event::LogClosed(closed) = &entry.event {
            vouched = closed.annex;
        }
        for (part, what, digest) in named(&entry.event) {
            let says = format!("{what} that it holds the digest of is not in the annex");
            match annex.digest(&format!("{part}/{digest}")) {
                None => findings.add(Finding::missing("ATTACHMENT", Some(entry.seq), says)),
                Some(here) if here != digest => {
                    let says = format!("{what} in the annex is not what it holds the digest of");
                    findings.add(Finding::wrong("ATTACHMENT", Some(entry.seq), says));
                }
                Some(_) => {}
            }
        }
    }
    let manifest = annex.manifest()?;
    match vouched {
        None => {
            let says = "the log is not closed: nothing in it vouches for the annex as a whole";
            findings.add(Finding::missing("ATTACHMENT", None, says));
        }
        Some(digest) if digest != manifest => {
            let says = "the annex is not the one that the last entry holds the digest of";
            findings.add(Finding::wrong("ATTACHMENT", None, says));
        }
        Some(_) => {}
    }
    Ok(findings)
}

/// What an entry about a step holds the digests of: the annex's part, what it is. Signed words are in the
/// pack, and those about papers in the papers' previews.
fn named(event: &Event) -> Vec<(&'static str, &'static str, Digest)> {
    let (statement, evidence) = match event {
        Event::ApprovalGranted(decision)
        | Event::ApprovalRefused(decision)
        | Event::ApprovalRevoked(decision)
            if matches!(decision.on, On::Gate { .. }) =>
        {
            let said = decision.signed.is_none().then_some(decision.statement);
            (said, decision.evidence)
        }
        Event::HoldAnswered(answer) => (Some(answer.statement), answer.evidence),
        _ => (None, None),
    };
    let statement = statement.map(|digest| ("statements", "what was said", digest));
    let evidence = evidence.map(|digest| ("evidence", "the file handed in", digest));
    statement.into_iter().chain(evidence).collect()
}

fn info(origin: &str) -> Vec<(&'static str, String)> {
    let says = "Restricted: names of people, their reasons and what they handed in";
    vec![
        (
            "Bag-Software-Agent",
            format!("Handover {}", env!("CARGO_PKG_VERSION")),
        ),
        ("External-Description", says.to_owned()),
        (
            "External-Identifier",
            format!("restricted-{}", origin.replace('/', "-")),
        ),
    ]
}
