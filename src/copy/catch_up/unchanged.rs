//! Whether what a stopped copy had read of a dataset is still as it was, where its rows cannot be mended one
//! by one: those that may have been taken for others, those without a key, those of which only the engine
//! knows what it stored. The copy goes on only if every line is.
//!
//! In: the source inside one read transaction, the ledger. Out: yes or no.
//!
//! Not here: mending (`compare`).

use std::collections::BTreeSet;

use foldhash::HashMap;

use super::ledgered::{Chunk, Ledgered};
use crate::copy::mapping::cell::Turn;
use crate::copy::reading::lines::LineDigest;
use crate::copy::reading::scan::{self, Compiled, Stop};
use crate::orgdb::Link;
use crate::orgdb::link::Flow;

/// Names under which rows came or went since, in datasets that were held against the source before.
#[derive(Debug, Clone, Default)]
pub(super) struct Moved {
    pub(super) names: BTreeSet<String>,
    /// Rows went, so that even what stands may hang on nothing.
    pub(super) some_went: bool,
}

/// Whether a fresh copy would make the same of every line that was read: each is there, none has come
/// between them, and nothing that they hang on has moved.
pub(super) fn unchanged(
    source: &Link,
    compiled: &Compiled,
    ledgered: &Ledgered<'_>,
    moved: &Moved,
) -> Result<bool, Stop> {
    let mut cells = compiled.program.cells.iter();
    let hangs =
        cells.any(|cell| matches!(&cell.turn, Turn::Lookup(name) if moved.names.contains(name)));
    for at in 0..ledgered.chunks() {
        let chunk = ledgered.chunk(at)?;
        let open = || chunk.lines.iter().any(|(_, state)| state.open);
        if hangs && (moved.some_went || open()) {
            return Ok(false);
        }
        if !same_lines(source, compiled, &chunk)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a chunk's lines are those that are there now, in whatever order they lie.
fn same_lines(source: &Link, compiled: &Compiled, chunk: &Chunk) -> Result<bool, Stop> {
    let mut known: HashMap<LineDigest, u32> = HashMap::default();
    for (digest, _) in &chunk.lines {
        *known.entry(*digest).or_default() += 1;
    }
    let (mut mac, mut met, mut same) = (compiled.lines.clone(), 0, true);
    scan::each(source, compiled, chunk.wanted(), |line| {
        match known.get_mut(&mac.of(line)) {
            Some(left) if *left > 0 => *left -= 1,
            _ => same = false,
        }
        met += 1;
        Ok(if same {
            Flow::Continue(())
        } else {
            Flow::Break(())
        })
    })?;
    Ok(same && met == chunk.lines.len())
}
