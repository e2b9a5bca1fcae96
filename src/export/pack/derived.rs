//! What a pack holds that is made from its log: views, reports, manifests, keys and policies as the plan has
//! them, pages for people. Whoever verifies a pack makes them again and compares; a difference is told, and
//! the log stands.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, BufReader, Read, Write};

use serde_json::{Value, json};

use super::facts::Facts;
use super::{Pack, PackFault, description, file_name, pages, seals};
use crate::export::bag::{BagFault, BagWriter};
use crate::export::views::{self, View};
use crate::journal::LogFolder;
use crate::machine::run::Run;
use crate::machine::state::Shelf;
use crate::replay::verify::{Evidence, verify};
use crate::report::proof::ProofReport;
use crate::report::{Manner, Report as _};
use crate::seal::Policy;
use crate::signature::AllowedSigners;

/// Which way of deriving made a pack's views, reports, manifests, policies and description. Whoever changes a
/// byte of what is derived from an old log raises it: packs of an older number are then judged by their log
/// alone, unless somebody outside noted down their manifest (`pages` keeps its old texts instead).
pub(super) const EDITION: u32 = 2;

/// Folders whose every file is derived.
const FOLDERS: [&str; 5] = ["exports/", "log/tile/", "manifests/", "policy/", "reports/"];

/// Puts every derived file.
///
/// # Errors
/// When the log cannot be read, or the bag cannot be written.
pub(super) fn put(bag: &mut BagWriter, log: &LogFolder, facts: &Facts) -> Result<(), PackFault> {
    for (view, name) in View::FILES {
        bag.stream(&format!("exports/{name}"), |out| {
            views::write(view, log, out).map_err(PackFault::from)
        })?;
    }
    for (path, text) in texts(log, facts) {
        if bag.digest(&path).is_none() {
            bag.put(&path, text.as_bytes())?;
        }
    }
    Ok(())
}

/// The derived files that fit in memory: they grow with steps and datasets.
fn texts(log: &LogFolder, facts: &Facts) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for ((org, dataset), parts) in &facts.datasets {
        let manifest = json!({ "organisation": org, "dataset": dataset, "parts": parts });
        let text = if org.is_empty() {
            dataset.clone()
        } else {
            format!("{org}.{dataset}")
        };
        let path = format!("manifests/{}", file_name(&text, ".json"));
        texts.insert(path, printed(&manifest));
    }
    let (proof, run) = proof(log, facts);
    texts.extend(policies(&run));
    let mut not: String = String::new();
    for line in &proof.not_proved {
        not.push_str(line);
        not.push('\n');
    }
    texts.insert("reports/replay.json".to_owned(), printed(&proof.json()));
    texts.insert("reports/replay.txt".to_owned(), proof.drawn(Manner::DRAWN));
    texts.insert("reports/not-proven.txt".to_owned(), not);
    texts
}

fn printed(value: &Value) -> String {
    format!("{value:#}\n")
}

/// Keys and policies as the log leaves them, for whoever checks a pack with the tools of others.
fn policies(run: &Run) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    let signers = AllowedSigners::of(&run.outline().holders);
    if !signers.0.is_empty() {
        texts.insert("policy/allowed_signers".to_owned(), signers.write());
    }
    if let Some(key) = run.opened().and_then(|opened| opened.log_key.as_deref()) {
        let policy = Policy {
            logs: key.parse().into_iter().collect(),
            quorum: run.quorum().cloned().unwrap_or_default(),
        };
        texts.insert("policy/log.vkey".to_owned(), format!("{key}\n"));
        texts.insert("policy/tlog-policy".to_owned(), policy.text());
    }
    texts
}

/// What replaying the log comes to, as far as the log alone can say, and the run that it tells of.
fn proof(log: &LogFolder, facts: &Facts) -> (ProofReport, Run) {
    let evidence = Evidence {
        size: Some(facts.size),
        ..Evidence::default()
    };
    let (origin, clock) = (&facts.opened.origin, facts.opened.clock);
    let Ok(lines) = log.lines() else {
        let report = ProofReport::of(origin, clock, Vec::new(), Vec::new());
        return (report, Run::new(Shelf::default()));
    };
    let judged = verify(&mut log.clone(), lines, &evidence);
    (ProofReport::judged(origin, &judged), judged.run)
}

/// Makes everything derived again: paths of files that are not what the log gives, missing or too many.
///
/// # Errors
/// When the log cannot be read.
pub fn drift(pack: &Pack) -> Result<Vec<String>, PackFault> {
    let facts = super::facts::read(&pack.log())?;
    Ok(compared(pack, &facts)?.drifted)
}

/// The description of a pack's files, as its lists have them now.
///
/// # Errors
/// When the log cannot be read.
pub fn described(pack: &Pack) -> Result<String, PackFault> {
    let facts = super::facts::read(&pack.log())?;
    Ok(describe(pack, &facts))
}

fn describe(pack: &Pack, facts: &Facts) -> String {
    let files = pack.bag().paths();
    let files = files.filter_map(|path| Some((path, pack.bag().digest(path)?)));
    description::of(facts, files)
}

/// What is derived, held against what the log gives.
#[derive(Default)]
pub(super) struct Compared {
    /// Paths of everything that a log of this kind gives.
    pub(super) known: BTreeSet<String>,
    /// Paths of what is otherwise, missing or too many.
    pub(super) drifted: Vec<String>,
}

impl Compared {
    fn take(&mut self, path: &str, same: bool) {
        if !same {
            self.drifted.push(path.to_owned());
        }
        self.known.insert(path.to_owned());
    }
}

/// Makes everything derived again and compares.
///
/// # Errors
/// When the log cannot be read.
pub(super) fn compared(pack: &Pack, facts: &Facts) -> Result<Compared, PackFault> {
    let log = pack.log();
    let mut compared = Compared::default();
    for (view, name) in View::FILES {
        let path = format!("exports/{name}");
        let same = same(pack, &path, |out| Ok(views::write(view, &log, out)?))?;
        compared.take(&path, same);
    }
    for (path, text) in texts(&log, facts) {
        let same = same_bytes(pack, &path, text.as_bytes())?;
        compared.take(&path, same);
    }
    let sizes = log.seals().flatten().map(|seal| seal.head.size);
    seals::tiles(&log, sizes.max().unwrap_or(0), &mut |path, bytes| {
        let same = same_bytes(pack, path, bytes)?;
        compared.take(path, same);
        Ok(())
    })?;
    let derived = |path: &&str| FOLDERS.iter().any(|folder| path.starts_with(folder));
    for path in pack.bag().paths().filter(derived) {
        if !compared.known.contains(path) {
            compared.take(path, false);
        }
    }
    let has = |folder: &str| pack.bag().paths().any(|path| path.starts_with(folder));
    for path in pages::PATHS {
        let mut same = false;
        for text in pages::worded(path, facts, &has) {
            same |= same_bytes(pack, path, text.as_bytes())?;
        }
        compared.take(path, same);
    }
    let same = same_bytes(pack, description::PATH, describe(pack, facts).as_bytes())?;
    compared.take(description::PATH, same);
    Ok(compared)
}

fn same_bytes(pack: &Pack, path: &str, bytes: &[u8]) -> Result<bool, PackFault> {
    same(pack, path, |out| {
        let broken = |fault| PackFault::Kept(path.into(), fault);
        out.write_all(bytes).map_err(broken)
    })
}

/// Whether a file of the pack is what `write` writes.
fn same(
    pack: &Pack,
    path: &str,
    write: impl FnOnce(&mut dyn Write) -> Result<(), PackFault>,
) -> Result<bool, PackFault> {
    let Some(place) = pack.bag().place(path) else {
        return Ok(false);
    };
    let refused = |fault| PackFault::Bag(BagFault::Io(place.clone(), fault));
    let file = fs::File::open(&place).map_err(refused)?;
    let mut against = Against {
        file: BufReader::new(file),
        differs: false,
    };
    write(&mut against)?;
    let rest = against.file.read(&mut [0]).map_err(refused)?;
    Ok(!against.differs && rest == 0)
}

/// Takes bytes and holds them against a file's.
struct Against<R> {
    file: R,
    differs: bool,
}

impl<R: Read> Write for Against<R> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut theirs = vec![0; bytes.len()];
        if !self.differs {
            let read = self.file.read_exact(&mut theirs);
            self.differs = read.is_err() || theirs != bytes;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
