//! Spans in which a run drove and its log was not sealed: where a day went by without a seal, entries may
//! have been kept back and written anew. A run that rests is silent in all honesty.
//!
//! In: the sizes that were sealed, the entries' times as they go by. Out: spans.
//!
//! Not here: making seals in time (`run::session`), whether seals hold (`check`).

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

/// A run seals at least once a day while it drives; an hour is left for the machine.
pub const SILENCE_MAX: SignedDuration = SignedDuration::from_hours(25);

/// What an entry says of who drives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drive {
    /// `lease.acquired`: somebody drives from here on.
    Begins,
    /// `lease.released`: nobody does any more.
    Ends,
    /// Any other entry.
    GoesOn,
}

/// A span without a seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silence {
    /// Since the newest seal before it, or since the run was claimed.
    pub from: Timestamp,
    /// Until this entry was written.
    pub to: Timestamp,
    /// That entry.
    pub seq: u64,
}

/// Looks for silence as entries go by.
#[derive(Debug, Clone)]
pub struct Silences {
    sealed: BTreeSet<u64>,
    /// Since when a seal is due; none while nobody drives.
    since: Option<Timestamp>,
    found: Vec<Silence>,
}

impl Silences {
    /// `sealed` are the sizes of seals that hold.
    #[must_use]
    pub fn new(sealed: impl IntoIterator<Item = u64>) -> Silences {
        Silences {
            sealed: sealed.into_iter().collect(),
            since: None,
            found: Vec::new(),
        }
    }

    /// Takes the next entry: its position, its wall clock, and what it says of who drives.
    pub fn entry(&mut self, seq: u64, at: Timestamp, drive: Drive) {
        if drive == Drive::Begins {
            self.since = Some(at);
        } else if let Some(from) = self.since
            && at.duration_since(from) > SILENCE_MAX
        {
            self.found.push(Silence { from, to: at, seq });
            // Told once; the next span begins here.
            self.since = Some(at);
        }
        if self.since.is_some() && self.sealed.contains(&(seq + 1)) {
            self.since = Some(at);
        }
        if drive == Drive::Ends {
            self.since = None;
        }
    }

    /// Every span, oldest first.
    #[must_use]
    pub fn finish(self) -> Vec<Silence> {
        self.found
    }
}
