//! Verification of what was copied: counts by class, money to the penny, keyed digests chunk by
//! chunk with the differing rows named, completeness over all targets.
//!
//! In: a deed whose effects stand in a ledger. Out: how many rows differ, and which.
//!
//! Not here: counts against the source (`look`), what a difference means for a run (`steps`).

pub mod crosswalk;
pub mod extra;
pub mod narrow;
pub mod parts;
pub mod taken_back;

use crate::copy::ledger::effect;
use crate::copy::ledger::packed::Unpacked;
use crate::copy::ledger::{Deed, prepared};
use crate::copy::standing::rereading::{self, Order};
use crate::copy::standing::{Held, Reading, Standing, give_room, note_newest, one_moment};
use crate::copy::tables::shape::Shape;
use crate::orgdb::link::Flow;
use crate::orgdb::{DbFault, DbTrouble, Link, OrgReader};

/// How many differing rows are named.
const NAMED: usize = 1000;

/// A row that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The table.
    pub table: String,
    /// Keyed digest of the row's key: names it without showing it.
    pub row: String,
    /// `edited` or `missing`.
    pub class: &'static str,
}

/// What looking at every ledgered row of a step found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Digested {
    /// Rows looked at.
    pub rows: u64,
    /// Rows that differ, the first thousand.
    pub differences: Vec<Difference>,
    /// How many differ in all.
    pub differing: u64,
    /// What only this room may know of those that are named, in the same order.
    pub(super) known: Vec<Known>,
}

/// A differing row as this room knows it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) shape: Shape,
    pub(super) key: Vec<u8>,
    /// Half a digest of the row as the newest effect of ours left it, and what that is keyed for.
    pub(super) label: String,
    pub(super) digest: Vec<u8>,
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A key may be a person's number.
        f.debug_struct("Known").finish_non_exhaustive()
    }
}

/// Reads back every row that `deed`'s step wrote and holds it against its digest. Where a later step
/// of the same run changed a row, that step's digest counts.
///
/// # Errors
/// When the database refuses.
pub async fn digests(reader: &OrgReader, deed: &Deed) -> Result<Digested, DbFault> {
    let deed = deed.clone();
    let (reader, beside) = (reader.another().await?, reader.beside());
    let work = move |link: &Link| read_back(link, beside, &deed);
    reader.with(work).await
}

fn read_back(
    link: &Link,
    beside: impl Fn() -> Result<Link, DbTrouble>,
    deed: &Deed,
) -> Result<Digested, DbTrouble> {
    let mut found = Digested::default();
    if !prepared(link)? {
        return Ok(found);
    }
    give_room(link)?;
    let other = one_moment(link, beside)?;
    note_newest(link, &effect::all_standing(link, deed.run)?)?;
    let effects = effect::standing(link, deed.run, deed.step.as_str(), deed.generation)?;
    let ids: Vec<i64> = effects.iter().map(|kept| kept.id).collect();
    let mut reading = Reading::new(link, &deed.key);
    rereading::each(
        &mut reading,
        other,
        &ids,
        Order::OldestFirst,
        |reading, _, rows, held| {
            found.add(deed, rows, &held);
            found.note(reading, rows, &held)?;
            Ok(Flow::Continue(()))
        },
    )?;
    link.commit()?;
    Ok(found)
}

impl Digested {
    fn add(&mut self, deed: &Deed, (shape, _, rows): &Unpacked<'_>, held: &Held) {
        self.rows += rows.len() as u64;
        for (row, standing) in rows.iter().zip(&held.standing) {
            let class = match standing {
                Standing::AsWritten => continue,
                Standing::Edited => "edited",
                Standing::Gone => "missing",
            };
            self.differing += 1;
            if self.differences.len() < NAMED {
                self.differences.push(Difference {
                    table: shape.table.clone(),
                    row: row_name(deed, &shape.table, row.key),
                    class,
                });
            }
        }
    }

    /// Notes what is known of the rows that were named.
    fn note(
        &mut self,
        reading: &Reading<'_>,
        (shape, label, rows): &Unpacked<'_>,
        held: &Held,
    ) -> Result<(), DbTrouble> {
        let rows = rows.iter().zip(&held.standing);
        for (row, _) in rows.filter(|(_, standing)| **standing != Standing::AsWritten) {
            if self.known.len() >= NAMED {
                break;
            }
            let newest = reading.newest(shape, row.key)?;
            let (label, digest) =
                newest.unwrap_or_else(|| ((*label).to_owned(), row.digest.to_vec()));
            self.known.push(Known {
                shape: (*shape).clone(),
                key: row.key.to_vec(),
                label,
                digest,
            });
        }
        Ok(())
    }
}

/// Keyed digest of a row's key: names it for those who hold the run key, and for nobody else.
fn row_name(deed: &Deed, table: &str, key: &[u8]) -> String {
    let label = format!("row-name/v1/{table}");
    deed.key.keyed(&label, key).to_string()
}
