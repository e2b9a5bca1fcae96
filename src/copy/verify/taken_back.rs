//! Rows that a step wrote and that its undo took back, looked for once more: none of them may stand as it
//! was written.
//!
//! In: a deed whose effects a ledger holds as undone. Out: how many rows were looked for, how many stand.
//! Tables that a later effect of the run wrote to are left out: what stands there is another's work.
//!
//! Not here: rows that were put back and that somebody has changed since, which are theirs.

use std::collections::BTreeSet;

use crate::copy::ledger::effect::{self, Head};
use crate::copy::ledger::packed::{HALF, Packed, Unpacked};
use crate::copy::ledger::{Deed, prepared};
use crate::copy::standing::rereading::{self, Order};
use crate::copy::standing::{Held, Reading, Standing, give_room, note_newest};
use crate::copy::value::tally::RowMac;
use crate::orgdb::link::{Begin, Flow};
use crate::orgdb::{DbFault, DbTrouble, Link, OrgReader, Sql};
use crate::values;

/// What became of rows that were taken back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TakenBack {
    /// Rows that were looked for.
    pub rows: u64,
    /// Those that stand as the step wrote them.
    pub standing: u64,
}

/// Looks for the rows of a deed that was undone.
///
/// # Errors
/// When the database refuses.
pub async fn taken_back(reader: &OrgReader, deed: &Deed) -> Result<TakenBack, DbFault> {
    let deed = deed.clone();
    let reader = reader.another().await?;
    reader.with(move |link| look(link, &deed)).await
}

fn look(link: &Link, deed: &Deed) -> Result<TakenBack, DbTrouble> {
    let mut found = TakenBack::default();
    if !prepared(link)? {
        return Ok(found);
    }
    give_room(link)?;
    link.begin(Begin::Read)?;
    note_newest(link, &effect::all_standing(link, deed.run)?)?;
    let ids = undone(link, deed)?;
    let mut reading = Reading::new(link, &deed.key);
    rereading::each(
        &mut reading,
        None,
        &ids,
        Order::OldestFirst,
        |reading, part, rows, held| {
            let mac = reading.mac(rows.1);
            found.add(&part.head, rows, &held, &mac);
            Ok(Flow::Continue(()))
        },
    )?;
    link.commit()?;
    Ok(found)
}

/// Effects of the deed that were undone, on tables that no effect of the run stands on.
fn undone(link: &Link, deed: &Deed) -> Result<Vec<i64>, DbTrouble> {
    let standing =
        Sql::new("SELECT DISTINCT kind FROM handover_effect WHERE run = ?1 AND undone_at IS NULL");
    let standing = link.rows(&standing, &values![deed.run.to_string()])?;
    let standing: BTreeSet<String> = standing
        .iter()
        .filter_map(|row| Some(written(row[0].text()?).to_owned()))
        .collect();
    let query = Sql::new(
        "SELECT effect, kind FROM handover_effect
         WHERE run = ?1 AND step = ?2 AND generation = ?3 AND undone_at IS NOT NULL ORDER BY effect",
    );
    let values = values![deed.run.to_string(), deed.step.as_str(), deed.generation];
    let rows = link.rows(&query, &values)?;
    let alone = rows.iter().filter(|row| {
        let kind = row[1].text().unwrap_or_default();
        !standing.contains(written(kind))
    });
    Ok(alone.filter_map(|row| row[0].int()).collect())
}

/// What an effect of this kind wrote to.
fn written(kind: &str) -> &str {
    kind.split_once(':').map_or(kind, |(_, table)| table)
}

impl TakenBack {
    fn add(&mut self, how: &Head, (_, _, rows): &Unpacked<'_>, held: &Held, mac: &RowMac) {
        if matches!(how, Head::Delete { .. }) {
            return;
        }
        self.rows += rows.len() as u64;
        let mut answered = held.answered.iter().peekable();
        for (at, (row, standing)) in rows.iter().zip(&held.standing).enumerate() {
            let newer = answered.next_if(|place| **place == at).is_some();
            let stands = *standing == Standing::AsWritten && !newer && !was_so_before(row, mac);
            self.standing += u64::from(stands);
        }
    }
}

/// An update that wrote what was there already leaves nothing to be taken back.
fn was_so_before(row: &Packed<'_>, mac: &RowMac) -> bool {
    !row.before.is_empty() && mac.of(row.before)[..HALF] == *row.digest
}
