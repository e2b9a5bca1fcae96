//! What the ledger says of a dataset's lines: chunk by chunk as the copy saw them, and single lines that
//! catch-ups saw since.
//!
//! Chunks are read when their turn comes. Single lines are held in memory: as many as have changed since
//! the copy.
//!
//! Not here: the source (`compare`).

use foldhash::{HashMap, HashSet};

use super::CatchUp;
use crate::copy::ledger::effect::{self, Head, Part};
use crate::copy::ledger::packed::{HALF, Packed, unpack};
use crate::copy::reading::lines::{self, LineDigest, State};
use crate::copy::tables::position::{Position, Wanted};
use crate::copy::writing::store::Mark;
use crate::orgdb::horizon::Horizon;
use crate::orgdb::{DbTrouble, Link, Sql, Value};
use crate::values;

/// A dataset's lines as they stand in the ledger.
pub(super) struct Ledgered<'c> {
    link: &'c Link,
    chunks: Vec<Lies>,
    finished: bool,
    pub(super) newer: Newer,
}

/// Where a chunk of the copy lies: its effect, its ends at the source.
struct Lies {
    effect: i64,
    behind: Position,
    upto: Position,
}

/// Lines that were looked at after the copy.
#[derive(Default)]
pub(super) struct Newer {
    lines: HashMap<LineDigest, Line>,
    /// Target keys by the digest of the source key.
    by_source: HashMap<u64, Vec<u8>>,
    /// The line of each target key.
    by_target: HashMap<Vec<u8>, LineDigest>,
    /// Target keys of which the copy does not know the newest.
    over: HashSet<Vec<u8>>,
}

/// One line.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) state: State,
    /// Its target key and the digest of its row, where one stands.
    pub(super) row: Option<Row>,
}

/// A row as the ledger knows it: canonical key, half a digest.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) key: Vec<u8>,
    pub(super) half: [u8; HALF],
}

/// A chunk of the copy: its ends, its lines in their order, their rows.
pub(super) struct Chunk {
    pub(super) behind: Position,
    /// None: it is the last, and whatever came since belongs to it.
    pub(super) upto: Option<Position>,
    pub(super) lines: Vec<(LineDigest, State)>,
    effect: i64,
}

/// Where each of a chunk's lines stands, in their order, and what tells their rows from later ones.
pub(super) struct Places {
    pub(super) horizon: Horizon,
    pub(super) of_lines: Vec<u64>,
}

impl Chunk {
    /// What it takes in.
    pub(super) fn wanted(&self) -> Wanted<'_> {
        match &self.upto {
            Some(upto) => Wanted::Between(&self.behind, upto),
            None => Wanted::Behind(&self.behind),
        }
    }
}

/// Effects of a dataset, by number.
const EFFECTS: &str = "SELECT effect FROM handover_effect
  WHERE run = ?1 AND step = ?2 AND generation = ?3 AND undone_at IS NULL
  AND kind IN (?4, ?5, ?6) ORDER BY effect";

impl<'c> Ledgered<'c> {
    /// Reads where everything lies, and the single lines.
    pub(super) fn read(
        link: &'c Link,
        work: &CatchUp,
        dataset: &str,
    ) -> Result<Ledgered<'c>, DbTrouble> {
        let mut ledgered = Ledgered {
            link,
            chunks: Vec::new(),
            finished: work
                .finished
                .as_ref()
                .is_none_or(|all| all.rows.contains(dataset)),
            newer: Newer::default(),
        };
        let copied = (&work.copied.step, work.copied.generation);
        let since = work
            .since
            .iter()
            .map(|(step, generation)| (step, *generation));
        let mut effects = Vec::new();
        for (step, generation) in std::iter::once(copied).chain(since) {
            let values = values![
                work.copied.run.to_string(),
                step.as_str(),
                generation,
                format!("insert:{dataset}"),
                format!("update:{dataset}"),
                format!("delete:{dataset}")
            ];
            effects.extend(link.rows(&Sql::new(EFFECTS), &values)?);
        }
        let mut numbers: Vec<i64> = effects.iter().filter_map(|row| row[0].int()).collect();
        numbers.sort_unstable();
        for effect in numbers {
            ledgered.effect(effect)?;
        }
        Ok(ledgered)
    }

    fn effect(&mut self, effect: i64) -> Result<(), DbTrouble> {
        let heads = Sql::new("SELECT head FROM handover_undo WHERE effect = ?1 ORDER BY part");
        for row in self.link.rows(&heads, &values![effect])? {
            let head = row.into_iter().next().map(Value::into_text);
            let head: Head =
                serde_json::from_str(&head.unwrap_or_default()).map_err(|_| DbTrouble::Damaged)?;
            match head {
                Head::Lines {
                    behind: Some(behind),
                } => {
                    let upto = self.upto(effect)?;
                    self.chunks.push(Lies {
                        effect,
                        behind,
                        upto,
                    });
                }
                Head::Lines { behind: None } => self.single(effect)?,
                Head::Delete { .. } => self.deleted(effect)?,
                Head::Insert { .. }
                | Head::Update { .. }
                | Head::Change
                | Head::Aside { .. }
                | Head::Emptying { .. }
                | Head::Places { .. }
                | Head::Position => {}
            }
        }
        Ok(())
    }

    /// Up to where a chunk was read.
    fn upto(&self, effect: i64) -> Result<Position, DbTrouble> {
        let parts = effect::parts_like(self.link, effect, "position")?;
        let part = parts.first().ok_or(DbTrouble::Damaged)?;
        let mark: Mark = serde_json::from_slice(&part.body).map_err(|_| DbTrouble::Damaged)?;
        Ok(mark.position)
    }

    /// Single lines, with the rows of those that stand.
    fn single(&mut self, effect: i64) -> Result<(), DbTrouble> {
        let (mut noted, mut rows) = (Vec::new(), Vec::new());
        for part in effect::parts_like(self.link, effect, "lines")? {
            noted = lines::unpack(&part.body)?;
        }
        for part in effect::parts(self.link, effect)? {
            rows.extend(rows_of(&part)?);
        }
        let mut rows = rows.into_iter();
        for pair in noted.as_chunks::<2>().0 {
            let (digest, state) = lines::read(pair[0]);
            let row = if state.stands {
                Some(rows.next().ok_or(DbTrouble::Damaged)?)
            } else {
                None
            };
            self.newer.note(digest, pair[1], Line { state, row });
        }
        Ok(())
    }

    fn deleted(&mut self, effect: i64) -> Result<(), DbTrouble> {
        for part in effect::parts(self.link, effect)? {
            for row in rows_of(&part)? {
                self.newer.forget(row.key);
            }
        }
        Ok(())
    }

    /// How many chunks the copy made; one where it made none and is finished.
    pub(super) fn chunks(&self) -> usize {
        self.chunks.len().max(usize::from(self.finished))
    }

    /// One of them.
    pub(super) fn chunk(&self, at: usize) -> Result<Chunk, DbTrouble> {
        let Some(lies) = self.chunks.get(at) else {
            return Ok(Chunk {
                behind: Position::start(),
                upto: None,
                lines: Vec::new(),
                effect: 0,
            });
        };
        let mut noted = Vec::new();
        for part in effect::parts_like(self.link, lies.effect, "lines")? {
            noted = lines::unpack(&part.body)?;
        }
        Ok(Chunk {
            behind: lies.behind.clone(),
            upto: self.ends(at).then(|| lies.upto.clone()),
            lines: noted.into_iter().map(lines::read).collect(),
            effect: lies.effect,
        })
    }

    /// Where its lines stand, if the copy noted it and the rows can be told at the look `now`.
    pub(super) fn places(&self, chunk: &Chunk, now: &Horizon) -> Result<Option<Places>, DbTrouble> {
        for part in effect::parts_like(self.link, chunk.effect, "places")? {
            let Head::Places { horizon } = part.head else {
                continue;
            };
            let of_lines = lines::unpack(&part.body)?;
            if horizon.can_be_told(now) && of_lines.len() == chunk.lines.len() {
                return Ok(Some(Places { horizon, of_lines }));
            }
        }
        Ok(None)
    }

    /// Whether a chunk has an end: the last one takes in what came since, unless the copy goes on there.
    fn ends(&self, at: usize) -> bool {
        at + 1 < self.chunks.len() || !self.finished
    }

    /// What holds the rows of a chunk's lines that stand, in their order.
    pub(super) fn rows(&self, chunk: &Chunk) -> Result<Vec<Part>, DbTrouble> {
        effect::parts_like(self.link, chunk.effect, "insert")
    }
}

fn rows_of(part: &Part) -> Result<Vec<Row>, DbTrouble> {
    let Some((_, _, rows)) = unpack(&part.head, &part.body)? else {
        return Ok(Vec::new());
    };
    rows.iter().map(Row::of).collect()
}

impl Row {
    /// As it is packed.
    pub(super) fn of(packed: &Packed<'_>) -> Result<Row, DbTrouble> {
        Ok(Row {
            key: packed.key.to_vec(),
            half: packed.digest.try_into().map_err(|_| DbTrouble::Damaged)?,
        })
    }
}

impl Newer {
    fn note(&mut self, digest: LineDigest, source: u64, line: Line) {
        if let Some(row) = &line.row {
            self.forget(row.key.clone());
            self.by_target.insert(row.key.clone(), digest);
            self.by_source.insert(source, row.key.clone());
        }
        self.lines.insert(digest, line);
    }

    /// The row with this key is not as any earlier line says.
    fn forget(&mut self, key: Vec<u8>) {
        if let Some(line) = self.by_target.remove(&key) {
            self.lines.remove(&line);
        }
        self.over.insert(key);
    }

    /// The line with this digest.
    pub(super) fn line(&self, digest: LineDigest) -> Option<&Line> {
        self.lines.get(&digest)
    }

    /// The key of the row that a source key came to, where a catch-up inserted or changed it.
    pub(super) fn key(&self, source: u64) -> Option<&[u8]> {
        self.by_source.get(&source).map(Vec::as_slice)
    }

    /// Whether the copy's word on rows counts everywhere.
    pub(super) fn is_empty(&self) -> bool {
        self.over.is_empty()
    }

    /// Whether the copy's word on this row counts no more.
    pub(super) fn is_over(&self, key: &[u8]) -> bool {
        self.over.contains(key)
    }

    /// All lines.
    pub(super) fn all(&self) -> impl Iterator<Item = (&LineDigest, &Line)> {
        self.lines.iter()
    }
}
