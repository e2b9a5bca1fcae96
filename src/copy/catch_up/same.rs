//! Which rows of a chunk are the very ones that the copy read, told by the server without sending them: as
//! many of them as there were lines, or else where each of them stands.
//!
//! What the server calls such a row was there when the copy looked, and was read by it; so the lines of those
//! that are still there come in the order in which they were noted, and whatever is missing between them is
//! gone, or has changed and comes among the new ones.
//!
//! In: the source inside one read transaction, where lines stood. Out: which lines are met.
//!
//! Not here: when a server is trusted in this (`orgdb::horizon`), what becomes of the others (`compare`).

use super::known::Known;
use super::ledgered::{Chunk, Newer, Places};
use crate::copy::reading::scan::{Compiled, Stop};
use crate::copy::tables::position::Position;
use crate::orgdb::horizon::Age;
use crate::orgdb::link::Flow;
use crate::orgdb::{Link, Value, ValueRef};

/// So many lines of a chunk are read one by one at most.
const ONE_BY_ONE: usize = 64;

/// A row's place: behind the row of the line before, up to its own.
pub(super) type Place = (Position, Position);

/// Marks the lines whose rows are the very ones; the places of those that are not settled come back. None
/// where one of them stands where none was noted, and nothing is told by this, or where too many are not
/// settled. `scattered` says that rows of the chunk before were gone, and what of this one: they are not
/// counted first.
pub(super) fn mark(
    source: &Link,
    compiled: &Compiled,
    known: &mut Known<'_>,
    (places, newer): (&Places, &Newer),
    scattered: &mut bool,
) -> Result<Option<Vec<Place>>, Stop> {
    let (sight, chunk) = (&compiled.program.sight, known.chunk);
    let mut lines = 0..chunk.lines.len();
    let settled = lines.all(|at| known.is_settled(at, newer));
    if settled && !*scattered && all_are_there(source, compiled, chunk, places)? {
        known.met.fill(true);
        return Ok(Some(Vec::new()));
    }
    let (text, values) = sight.scan_stands(chunk.wanted(), places.horizon.term(Age::Seen));
    let values: Vec<ValueRef<'_>> = values.iter().map(Value::lend).collect();
    let (mut mac, mut stand, mut before) = (compiled.lines.clone(), Vec::new(), Vec::new());
    let (mut next, mut told, mut unsettled) = (0, true, Vec::new());
    source.stream(&text, &values, |row| {
        std::mem::swap(&mut stand, &mut before);
        stand.clear();
        row.push_all(&mut stand);
        let place = mac.of_place(&stand);
        let mut rest = places.of_lines[next..].iter();
        let found = rest
            .position(|one| *one == place)
            .map(|passed| next + passed);
        match found {
            Some(at) if settled || known.is_settled(at, newer) => known.met[at] = true,
            Some(_) if unsettled.len() < ONE_BY_ONE => {
                let behind = if before.is_empty() {
                    chunk.behind.clone()
                } else {
                    sight.position(&before)
                };
                unsettled.push((behind, sight.position(&stand)));
            }
            _ => told = false,
        }
        next = found.map_or(next, |at| at + 1);
        Ok::<Flow, Stop>(if told {
            Flow::Continue(())
        } else {
            Flow::Break(())
        })
    })?;
    *scattered = told && known.met.iter().filter(|met| !**met).count() > unsettled.len();
    Ok(told.then_some(unsettled))
}

/// Whether there are as many of them as there were lines.
fn all_are_there(
    source: &Link,
    compiled: &Compiled,
    chunk: &Chunk,
    places: &Places,
) -> Result<bool, Stop> {
    let term = places.horizon.term(Age::Seen);
    let Some((text, values)) = compiled.program.sight.count(chunk.wanted(), term) else {
        return Ok(false);
    };
    let row = source.row(&text, &values)?;
    Ok(row.is_some_and(|row| row[0].count() == chunk.lines.len() as u64))
}
