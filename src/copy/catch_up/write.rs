//! Putting a dataset's changes into the target: a chunk's rows, crosswalk, ledger row and undo in one
//! transaction. A row is written over or taken out only where it stands as we left it.
//!
//! In: changes. Out: effects, counts.
//!
//! Not here: what changes (`compare`), taking it back (`undo`).

use std::sync::mpsc::Receiver;

use tokio::sync::mpsc::UnboundedSender;

use super::hands::Hands;
use crate::copy::counts::Counts;
use crate::copy::fault::LoadFault;
use crate::copy::ledger::Effect;
use crate::copy::ledger::effect::{self, Head, Part};
use crate::copy::ledger::packed::{HALF, pack};
use crate::copy::reading::batch::Batch;
use crate::copy::reading::lines;
use crate::copy::tables::triggers;
use crate::copy::value::canon::Values;
use crate::copy::value::tally::Tally;
use crate::copy::writing::chunk::Chunk;
use crate::copy::writing::store::{Work, beyond_limit};
use crate::orgdb::{DbTrouble, Link, ValueRef};

/// Changes of one dataset that become durable together.
pub(super) enum Change {
    /// Rows that come new, and lines that cannot go.
    Insert(Batch),
    /// Rows that change.
    Update(Vec<Changed>),
    /// What rows refer to within their own dataset: the target key, then the references.
    Refer(Batch),
    /// Rows that go.
    Delete(Vec<Going>),
}

/// A row that changes.
pub(super) struct Changed {
    /// Canonical target key.
    pub(super) key: Vec<u8>,
    /// Its line, noted, and whether the ledger knows it already.
    pub(super) line: u64,
    pub(super) known: bool,
    /// The source key, then those under further names.
    pub(super) keys: Vec<u8>,
    /// The row as it should be.
    pub(super) values: Vec<u8>,
    /// Half the digest of the row as it was last judged.
    pub(super) half: [u8; HALF],
}

/// A row that goes.
pub(super) struct Going {
    pub(super) key: Vec<u8>,
    pub(super) half: [u8; HALF],
}

/// The writing side.
pub(super) struct Writing {
    pub(super) work: Work,
    pub(super) ordinal: u64,
    pub(super) tell: UnboundedSender<Effect>,
}

/// What an effect holds.
type Held = (Tally, Vec<Part>);

impl Writing {
    /// Writes changes until the last; how many changed rows the target did not take.
    pub(super) fn all(
        &mut self,
        link: &Link,
        heard: &Receiver<Change>,
    ) -> Result<Result<u64, LoadFault>, DbTrouble> {
        let (mut refused, mut hands) = (0, None);
        for change in heard {
            if hands.is_none() && !matches!(change, Change::Insert(_)) {
                hands = Some(Hands::new(link, self)?);
            }
            let outcome = match (change, &mut hands) {
                (Change::Insert(batch), _) => self.insert(link, batch)?,
                (Change::Update(rows), Some(hands)) => self.update(hands, &rows, &mut refused)?,
                (Change::Refer(batch), Some(hands)) => self.refer(hands, &batch, &mut refused)?,
                (Change::Delete(rows), Some(hands)) => {
                    hands.going.extend(rows);
                    self.delete(hands)?
                }
                (_, None) => Ok(()),
            };
            if let Err(fault) = outcome {
                link.rollback()?;
                return Ok(Err(fault));
            }
        }
        let blocked = hands.map_or(0, |hands| hands.going.len());
        if blocked > 0 {
            return Ok(Err(fault(&self.work, "HO542", blocked)));
        }
        Ok(Ok(refused))
    }

    /// Makes what `work` writes durable as one effect; nothing where it holds nothing.
    fn effect(
        &mut self,
        link: &Link,
        verb: &str,
        work: impl FnOnce(u64) -> Result<Result<Option<Held>, LoadFault>, DbTrouble>,
    ) -> Result<Result<(), LoadFault>, DbTrouble> {
        let compiled = &self.work.compiled;
        let kind = format!("{verb}:{}", compiled.program.name);
        let ordinal = self.ordinal + 1;
        effect::begin(link, &self.work.deed)?;
        let aside = if self.work.quiet {
            triggers::set_aside(link, &compiled.layout.shape.table)?
        } else {
            Vec::new()
        };
        let id = effect::open(link, &self.work.deed, ordinal, &kind)?.ok_or(DbTrouble::Clash)?;
        let (tally, parts) = match work(ordinal)? {
            Ok(Some(held)) => held,
            Ok(None) => {
                link.rollback()?;
                return Ok(Ok(()));
            }
            Err(fault) => return Ok(Err(fault)),
        };
        triggers::put_back(link, &aside)?;
        effect::close(link, id, &tally, parts)?;
        link.commit()?;
        self.ordinal = ordinal;
        // Nobody may be listening, and what is durable stays durable.
        drop(self.tell.send(Effect {
            ordinal,
            kind,
            rows: tally.rows,
            root: tally.root(),
        }));
        Ok(Ok(()))
    }

    fn insert(
        &mut self,
        link: &Link,
        mut batch: Batch,
    ) -> Result<Result<(), LoadFault>, DbTrouble> {
        let work = self.work.clone();
        self.effect(link, "insert", |ordinal| {
            let mut chunk = Chunk::new(link, &work, &batch, Counts::default());
            chunk.insert(&mut batch, &mut |_| false)?;
            chunk.add(&batch.counts);
            chunk.keep_rejects(&batch, ordinal)?;
            let layout = &work.compiled.layout;
            link.count_on(&layout.shape.table, &layout.bound)?;
            if let Some(fault) = beyond_limit(&work, &chunk.counts) {
                return Ok(Err(fault));
            }
            let head = Head::Insert {
                shape: layout.shape.clone(),
                label: work.compiled.program.name.clone(),
                quiet: work.quiet,
                span: None,
            };
            let body = std::mem::take(&mut chunk.body);
            let parts = vec![Part { head, body }, lines_of(&work, &batch)];
            Ok(Ok(Some((chunk.tally, parts))))
        })
    }

    fn update(
        &mut self,
        hands: &mut Hands<'_>,
        rows: &[Changed],
        refused: &mut u64,
    ) -> Result<Result<(), LoadFault>, DbTrouble> {
        let work = self.work.clone();
        self.effect(hands.link, "update", |_| {
            let before = hands.rows(rows.iter().map(|row| row.key.as_slice()))?;
            let edited = hands.edited(&before, rows.iter().map(|row| (&row.key, &row.half)))?;
            if edited > 0 {
                return Ok(Err(fault(&work, "HO541", edited)));
            }
            let mut merged = Vec::with_capacity(rows.len());
            for row in rows {
                let before = before.get(&row.key).ok_or(DbTrouble::Damaged)?;
                let after = hands.merge(before, &row.values);
                if !(row.known && after == *before) {
                    merged.push((row, before, after));
                }
            }
            let pairs: Vec<(&[u8], &[u8])> = merged
                .iter()
                .map(|(row, _, after)| (row.key.as_slice(), after.as_slice()))
                .collect();
            let columns = hands.set.clone();
            let taken = hands.change(&columns, &pairs)?;
            let (mut tally, mut body, mut noted) = (Tally::default(), Vec::new(), Vec::new());
            for ((row, before, after), taken) in merged.iter().zip(taken) {
                if !taken {
                    *refused += 1;
                    continue;
                }
                let digest = work.compiled.mac.of(after);
                pack(&mut body, &[&row.key, before], &digest);
                tally.add(&digest);
                noted.extend([row.line, source_of(&work, &row.keys)]);
            }
            hands.note_names(
                &work,
                merged.iter().map(|(row, _, after)| (&row.keys, after)),
            )?;
            let parts = vec![
                hands.updated(columns, body),
                Part {
                    head: Head::Lines { behind: None },
                    body: lines::pack(noted),
                },
            ];
            Ok(Ok((tally.rows > 0).then_some((tally, parts))))
        })
    }

    /// Sets references into the own dataset, where they are not as they should be.
    fn refer(
        &mut self,
        hands: &mut Hands<'_>,
        batch: &Batch,
        refused: &mut u64,
    ) -> Result<Result<(), LoadFault>, DbTrouble> {
        let work = self.work.clone();
        self.effect(hands.link, "refer", |_| {
            let mut wanted = Vec::new();
            let mut start = 0;
            for row in &batch.rows {
                let values = &batch.values[start..row.values];
                start = row.values;
                let mut rest = Values(values);
                rest.next();
                let key = values[..values.len() - rest.0.len()].to_vec();
                wanted.push((key, rest.0.to_vec()));
            }
            let before = hands.rows(wanted.iter().map(|(key, _)| key.as_slice()))?;
            let mut changes = Vec::new();
            for (key, references) in &wanted {
                let Some(before) = before.get(key) else {
                    continue;
                };
                let after = hands.refer(before, references);
                if after != *before {
                    changes.push((key, before, after));
                }
            }
            let pairs: Vec<(&[u8], &[u8])> = changes
                .iter()
                .map(|(key, _, after)| (key.as_slice(), after.as_slice()))
                .collect();
            let columns = hands.later.clone();
            let taken = hands.change(&columns, &pairs)?;
            let (mut tally, mut body) = (Tally::default(), Vec::new());
            for ((key, before, after), taken) in changes.iter().zip(taken) {
                if !taken {
                    *refused += 1;
                    continue;
                }
                let digest = work.compiled.mac.of(after);
                pack(&mut body, &[key, before], &digest);
                tally.add(&digest);
            }
            let part = hands.updated(columns, body);
            Ok(Ok((tally.rows > 0).then(|| (tally, vec![part]))))
        })
    }

    /// Takes out what waits to go; rows on which something still hangs go on waiting.
    fn delete(&mut self, hands: &mut Hands<'_>) -> Result<Result<(), LoadFault>, DbTrouble> {
        let work = self.work.clone();
        let mut waiting = std::mem::take(&mut hands.going);
        let outcome = self.effect(hands.link, "delete", |_| {
            let before = hands.rows(waiting.iter().map(|row| row.key.as_slice()))?;
            let edited = hands.edited(&before, waiting.iter().map(|row| (&row.key, &row.half)))?;
            if edited > 0 {
                return Ok(Err(fault(&work, "HO541", edited)));
            }
            let (mut tally, mut body, mut targets) = (Tally::default(), Vec::new(), Vec::new());
            loop {
                let keys: Vec<&[u8]> = waiting.iter().map(|row| row.key.as_slice()).collect();
                let gone = hands.take_out(&keys)?;
                let mut left = Vec::new();
                for (row, gone) in std::mem::take(&mut waiting).into_iter().zip(&gone) {
                    if !gone {
                        left.push(row);
                        continue;
                    }
                    let image = before.get(&row.key).ok_or(DbTrouble::Damaged)?;
                    let digest = work.compiled.mac.of(image);
                    pack(&mut body, &[&row.key, image], &digest);
                    tally.add(&digest);
                    targets.extend(hands.target_of(image));
                }
                waiting = left;
                if waiting.is_empty() || !gone.contains(&true) {
                    break;
                }
            }
            hands.forget_keys(&work, &targets)?;
            let part = Part {
                head: hands.deleted(&work),
                body,
            };
            Ok(Ok((tally.rows > 0).then(|| (tally, vec![part]))))
        })?;
        hands.going = waiting;
        Ok(outcome)
    }
}

fn fault(work: &Work, code: &'static str, rows: usize) -> LoadFault {
    LoadFault::Data {
        code,
        dataset: work.compiled.program.name.clone(),
        column: work.compiled.layout.shape.table.clone(),
        rows: rows as u64,
    }
}

/// The lines of a batch, each with the digest of its source key.
fn lines_of(work: &Work, batch: &Batch) -> Part {
    let mut sources = vec![0; batch.lines.len()];
    for (row, lies) in batch.rows.iter().zip(batch.lies()) {
        if let Some(source) = sources.get_mut(row.line) {
            *source = source_of(work, &batch.keys[lies.keys]);
        }
    }
    let pairs = batch.lines.iter().zip(sources);
    Part {
        head: Head::Lines { behind: None },
        body: lines::pack(pairs.flat_map(|(line, source)| [*line, source])),
    }
}

fn source_of(work: &Work, keys: &[u8]) -> u64 {
    match Values(keys).next() {
        Some(ValueRef::Text(text)) => work.compiled.lines.clone().of_key(text),
        _ => 0,
    }
}
