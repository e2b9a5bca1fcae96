//! Verification of what was copied: counts by class, money to the penny, keyed digests chunk by
//! chunk with the differing rows named, completeness over all targets.

//!
//! In: a deed whose effects stand in a ledger. Out: how many rows differ, and which.
//!
//! Not here: counts against the source (`look`), what a difference means for a run (`steps`).

use super::effect;
use super::ledger::{Deed, prepared};
use super::packed::unpack;
use super::standing::{Reading, Standing, give_room, note_newest};
use crate::orgdb::link::Begin;
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
}

/// Reads back every row that `deed`'s step wrote and holds it against its digest. Where a later step
/// of the same run changed a row, that step's digest counts.
///
/// # Errors
/// When the database refuses.
pub async fn digests(reader: &OrgReader, deed: &Deed) -> Result<Digested, DbFault> {
    let deed = deed.clone();
    let reader = reader.another().await?;
    reader.with(move |link| read_back(link, &deed)).await
}

fn read_back(link: &Link, deed: &Deed) -> Result<Digested, DbTrouble> {
    let mut found = Digested::default();
    if !prepared(link)? {
        return Ok(found);
    }
    give_room(link)?;
    // One moment for all of it, and one lock.
    link.begin(Begin::Read)?;
    note_newest(link, &effect::all_standing(link, deed.run)?)?;
    let effects = effect::standing(link, deed.run, deed.step.as_str(), deed.generation)?;
    let mut reading = Reading::new(link, &deed.key);
    for kept in effects {
        for part in effect::parts(link, kept.id)? {
            let Some(rows) = unpack(&part.head, &part.body)? else {
                continue;
            };
            let held = reading.part(&part.head, &rows)?;
            let (shape, _, rows) = rows;
            for (row, standing) in rows.iter().zip(held.standing) {
                found.rows += 1;
                let class = match standing {
                    Standing::AsWritten => continue,
                    Standing::Edited => "edited",
                    Standing::Gone => "missing",
                };
                found.differing += 1;
                if found.differences.len() < NAMED {
                    found.differences.push(Difference {
                        table: shape.table.clone(),
                        row: row_name(deed, &shape.table, row.key),
                        class,
                    });
                }
            }
        }
    }
    link.commit()?;
    Ok(found)
}

/// Keyed digest of a row's key: names it for those who hold the run key, and for nobody else.
fn row_name(deed: &Deed, table: &str, key: &[u8]) -> String {
    let label = format!("row-name/v1/{table}");
    deed.key.keyed(&label, key).to_string()
}
