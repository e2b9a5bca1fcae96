//! What a pack holds that is made from its log: views, reports, manifests. Whoever verifies a pack makes
//! them again and compares; a difference is told, and the log stands.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufReader, Read, Write};

use serde_json::{Value, json};

use super::facts::Facts;
use super::{Pack, PackFault, file_name, seals};
use crate::export::bag::{BagFault, BagWriter};
use crate::export::views::{self, View};
use crate::journal::LogFolder;
use crate::replay::verify::{Evidence, verify};
use crate::report::proof::ProofReport;
use crate::report::{Manner, Report as _};

/// Folders whose every file is derived.
const FOLDERS: [&str; 4] = ["exports/", "log/tile/", "manifests/", "reports/"];

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
        bag.put(&path, text.as_bytes())?;
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
    let proof = proof(log, facts);
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

/// What replaying the log comes to, as far as the log alone can say.
fn proof(log: &LogFolder, facts: &Facts) -> ProofReport {
    let evidence = Evidence {
        size: Some(facts.size),
        ..Evidence::default()
    };
    let mut papers = log.clone();
    match log.lines() {
        Ok(lines) => {
            ProofReport::judged(&facts.opened.origin, &verify(&mut papers, lines, &evidence))
        }
        Err(_) => ProofReport::of(
            &facts.opened.origin,
            facts.opened.clock,
            Vec::new(),
            Vec::new(),
        ),
    }
}

/// Makes everything derived again: paths of files that are not what the log gives, missing or too many.
///
/// # Errors
/// When the log cannot be read.
pub fn drift(pack: &Pack) -> Result<Vec<String>, PackFault> {
    let log = pack.log();
    let facts = super::facts::read(&log)?;
    let mut drifted = Vec::new();
    let mut known = Vec::new();
    for (view, name) in View::FILES {
        let path = format!("exports/{name}");
        if !same(pack, &path, |out| Ok(views::write(view, &log, out)?))? {
            drifted.push(path.clone());
        }
        known.push(path);
    }
    for (path, text) in texts(&log, &facts) {
        let written = |out: &mut dyn Write| {
            let broken = |fault| PackFault::Kept(path.clone().into(), fault);
            out.write_all(text.as_bytes()).map_err(broken)
        };
        if !same(pack, &path, written)? {
            drifted.push(path.clone());
        }
        known.push(path);
    }
    let sizes = log.seals().flatten().map(|seal| seal.head.size);
    seals::tiles(&log, sizes.max().unwrap_or(0), &mut |path, bytes| {
        let written = |out: &mut dyn Write| {
            let broken = |fault| PackFault::Kept(path.into(), fault);
            out.write_all(bytes).map_err(broken)
        };
        if !same(pack, path, written)? {
            drifted.push(path.to_owned());
        }
        known.push(path.to_owned());
        Ok(())
    })?;
    let derived = |path: &&str| FOLDERS.iter().any(|folder| path.starts_with(folder));
    let strange = pack.bag().paths().filter(derived);
    let strange = strange.filter(|path| !known.iter().any(|known| known == path));
    drifted.extend(strange.map(ToOwned::to_owned));
    Ok(drifted)
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
