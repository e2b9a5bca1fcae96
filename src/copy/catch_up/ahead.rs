//! A server's chunks told ahead: while what is new of one chunk is read and judged, another connection at the
//! same moment tells which rows of the next are the very ones that the copy read.
//!
//! In: chunks, another connection. Out: which lines of each were met.
//!
//! Not here: how a server tells it (`same`), what becomes of the others (`compare`).

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::compare::Comparing;
use super::known::Known;
use super::ledgered::{Chunk, Places};
use super::same::{self, Place};
use crate::copy::reading::scan::{Compiled, Stop};
use crate::orgdb::{DbTrouble, Link};

/// What a server told of a chunk.
pub(super) struct Told {
    pub(super) places: Arc<Places>,
    pub(super) met: Vec<bool>,
    /// Rows that are read by themselves; none where nothing could be told.
    pub(super) unsettled: Option<Vec<Place>>,
}

/// A chunk, and where its lines stood.
type Asked = (Arc<Chunk>, Arc<Places>);

/// Fewer chunks than this are not worth a second connection.
const WORTH_IT: usize = 4;

/// Whether a dataset's chunks may be told so.
pub(super) fn is_worth_it(source: &Link, compiled: &Compiled, chunks: usize) -> bool {
    source.sqlite().is_none() && chunks >= WORTH_IT && compiled.horizon.is_some()
}

/// Compares every chunk; `other` is another connection to the same server at the same moment.
pub(super) fn each(
    source: &Link,
    other: &mut Link,
    comparing: &mut Comparing<'_>,
) -> Result<(), Stop> {
    let (compiled, newer) = (comparing.compiled, &comparing.ledgered.newer);
    thread::scope(|scope| {
        let (ask, asked) = sync_channel::<Asked>(1);
        let (tell, told) = sync_channel(1);
        scope.spawn(move || {
            let mut scattered = false;
            for (chunk, places) in asked {
                let mut known = Known::of(&chunk);
                let about = (&*places, newer);
                let unsettled = same::mark(other, compiled, &mut known, about, &mut scattered);
                let met = known.met;
                let told = unsettled.map(|unsettled| Told {
                    places,
                    met,
                    unsettled,
                });
                // Nobody listens only when the other side has failed, and it says why.
                if tell.send(told).is_err() {
                    return;
                }
            }
        });
        let chunks = comparing.ledgered.chunks();
        let mut next = asked_for(comparing, 0, &ask)?;
        for at in 0..chunks {
            let (chunk, is_asked) = next;
            let told = is_asked.then(|| heard(&told)).transpose()?;
            next = if at + 1 < chunks {
                asked_for(comparing, at + 1, &ask)?
            } else {
                (Arc::clone(&chunk), false)
            };
            match told {
                Some(told) => comparing.told(source, &chunk, told)?,
                None => comparing.chunk(source, &chunk, None)?,
            }
        }
        Ok(())
    })
}

/// A chunk, and whether the other side was asked about it.
fn asked_for(
    comparing: &Comparing<'_>,
    at: usize,
    ask: &SyncSender<Asked>,
) -> Result<(Arc<Chunk>, bool), Stop> {
    let chunk = Arc::new(comparing.ledgered.chunk(at)?);
    let places = comparing.places(&chunk)?;
    let is_asked = places.is_some();
    if let Some(places) = places {
        let asked = ask.send((Arc::clone(&chunk), Arc::new(places)));
        asked.map_err(|_| DbTrouble::Other(0))?;
    }
    Ok((chunk, is_asked))
}

fn heard(told: &Receiver<Result<Told, Stop>>) -> Result<Told, Stop> {
    told.recv().map_err(|_| DbTrouble::Other(0))?
}
