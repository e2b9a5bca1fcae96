//! Whether a source still is what was copied and caught up with: every line is read again, and only its
//! short digest is held against those that the ledger keeps. Reads only.
//!
//! In: a copy's deed and what caught up with it. Out: how many lines are others, by dataset.
//!
//! Not here: what a line that changed becomes (`compare`), what a difference means (`run::against_live`).

use std::collections::BTreeMap;

use foldhash::{HashMap, HashSet};

use super::CatchUp;
use super::known::Known;
use super::ledgered::{Chunk, Ledgered};
use crate::copy::fault::LoadFault;
use crate::copy::load;
use crate::copy::reading::lines::{LineDigest, LineMac};
use crate::copy::reading::scan::{self, Compiled, Stop};
use crate::orgdb::link::{Begin, Flow};
use crate::orgdb::{Link, OrgReader};

/// How a dataset's lines stand at the source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drifted {
    /// Lines that were read.
    pub lines: u64,
    /// Lines that nobody copied or caught up with as they are: new ones, and changed ones.
    pub strange: u64,
    /// Lines that were copied and are not there as they were: changed ones, and those that went.
    pub gone: u64,
}

impl Drifted {
    /// Whether every line is as it was copied.
    #[must_use]
    pub fn stands(&self) -> bool {
        self.strange == 0 && self.gone == 0
    }

    fn add(&mut self, other: Drifted) {
        self.lines += other.lines;
        self.strange += other.strange;
        self.gone += other.gone;
    }
}

/// Holds the source's lines against what the ledger keeps of them, by the table they were read from; all of
/// one dataset as of one moment.
///
/// # Errors
/// When a database refuses.
pub async fn drift(
    source: &OrgReader,
    target: &OrgReader,
    work: CatchUp,
) -> Result<BTreeMap<String, Drifted>, LoadFault> {
    let beside = target.beside();
    let source = source.another().await?;
    let found = source.with(move |link| {
        link.begin(Begin::Read)?;
        let target = beside()?;
        let mut found = BTreeMap::new();
        for at in work.load.datasets() {
            let compiled = load::compile(link, &target, &work.load, &work.copied, at)?;
            match dataset(link, &target, &work, &compiled) {
                Ok(drifted) => {
                    let table = &work.load.map.datasets[at].from;
                    let all: &mut Drifted = found.entry(table.clone()).or_default();
                    all.add(drifted);
                }
                Err(Stop::Db(trouble)) => return Err(trouble),
                Err(Stop::Data(fault)) => return Ok(Err(fault)),
            }
        }
        link.commit()?;
        Ok(Ok(found))
    });
    found.await?
}

fn dataset(
    source: &Link,
    target: &Link,
    work: &CatchUp,
    compiled: &Compiled,
) -> Result<Drifted, Stop> {
    let ledgered = Ledgered::read(target, work, &compiled.program.name)?;
    let mut drifting = Drifting {
        ledgered: &ledgered,
        digests: compiled.lines.clone(),
        newer: HashSet::default(),
        found: Drifted::default(),
    };
    for at in 0..ledgered.chunks() {
        drifting.chunk(source, compiled, &ledgered.chunk(at)?)?;
    }
    let newer = ledgered.newer.all();
    let unseen =
        newer.filter(|(digest, line)| line.row.is_some() && !drifting.newer.contains(digest));
    drifting.found.gone += unseen.count() as u64;
    Ok(drifting.found)
}

struct Drifting<'c> {
    ledgered: &'c Ledgered<'c>,
    digests: LineMac,
    /// Single lines that were met.
    newer: HashSet<LineDigest>,
    found: Drifted,
}

impl Drifting<'_> {
    fn chunk(&mut self, source: &Link, compiled: &Compiled, chunk: &Chunk) -> Result<(), Stop> {
        let (mut known, rows);
        known = Known::of(chunk);
        if !self.ledgered.newer.is_empty() {
            rows = self.ledgered.rows(chunk)?;
            known.with_rows(&rows)?;
        }
        let mut strange: HashMap<LineDigest, u64> = HashMap::default();
        scan::each(source, compiled, chunk.wanted(), |line| {
            self.found.lines += 1;
            let digest = self.digests.of(line);
            if self.ledgered.newer.line(digest).is_some() {
                self.newer.insert(digest);
            } else if let Some(at) = known.find(digest) {
                known.met[at] = true;
                // A catch-up saw it become another line: it has gone back since.
                self.found.strange += u64::from(self.is_over(&known, at));
            } else {
                *strange.entry(digest).or_default() += 1;
            }
            Ok(Flow::Continue(()))
        })?;
        self.unmet(&known, strange);
        Ok(())
    }

    /// Lines that were not met in their place may stand elsewhere in the chunk.
    fn unmet(&mut self, known: &Known<'_>, mut strange: HashMap<LineDigest, u64>) {
        for (at, (digest, state)) in known.chunk.lines.iter().enumerate() {
            if known.met[at] {
                continue;
            }
            match strange.get_mut(digest).filter(|left| **left > 0) {
                Some(left) => *left -= 1,
                None if state.stands && !self.is_over(known, at) => self.found.gone += 1,
                None => {}
            }
        }
        self.found.strange += strange.values().sum::<u64>();
    }

    /// Whether a later step of ours knows better than the copy what became of a line's row.
    fn is_over(&self, known: &Known<'_>, at: usize) -> bool {
        let row = known.row(at).filter(|_| known.chunk.lines[at].1.stands);
        row.is_some_and(|row| self.ledgered.newer.is_over(row.key))
    }
}
