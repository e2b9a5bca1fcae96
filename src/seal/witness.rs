//! What a witness remembers and when it signs: the newest head that it signed of each log it knows.
//! It signs a head that goes on from that one, and no other, ever (C2SP tlog-witness `add-checkpoint`,
//! by file drop).
//!
//! In: a ledger, a request. Out: a ledger to make durable *before* the cosignature is handed out.
//!
//! Not here: the file that keeps the ledger, and its lock (`run::witnessing`).

use super::base64;
use super::head::{Head, NoHead};
use super::proof::{NoProof, check_consistency};
use super::request::Request;
use crate::plan::digest::Digest;
use crate::plan::vkey::{KeyKind, Vkey};

/// How far behind its own last word a witness's clock may be: a clock that was set right, no more.
const BEHIND_MAX: u64 = 600;

/// The newest head that a witness signed of each log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ledger(Vec<Seen>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    key: Vkey,
    size: u64,
    root: Digest,
    /// When it signed last, in seconds since 1970; 0 where nobody wrote it down.
    time: u64,
}

/// A head that a witness may sign, and the time to sign it with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// What is signed.
    pub head: Head,
    /// Seconds since 1970: never before the time with which the witness signed last.
    pub time: u64,
}

/// Why a witness does not sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A log of which it was given no key.
    #[error("`{0}` is a log that this witness does not know")]
    UnknownLog(String),
    /// It knows that log under another key.
    #[error("this witness knows `{0}` by another key")]
    OtherKey(String),
    /// The seal is not that log's.
    #[error("the seal is not the log's: {0}")]
    Seal(#[from] NoHead),
    /// The request goes on from another head than the one signed last: ask for a new request.
    #[error("the request goes on from {asked} entries, but this witness signed {known} last")]
    Elsewhere {
        /// What the request says.
        asked: u64,
        /// What it should say.
        known: u64,
    },
    /// The head is smaller than one that was signed.
    #[error(
        "the log had {known} entries when this witness last signed, and now says {now}: it was cut"
    )]
    RolledBack {
        /// What was signed.
        known: u64,
        /// What is asked for.
        now: u64,
    },
    /// Its word would stand before its earlier one.
    #[error(
        "the clock of this machine is behind the time at which this witness last signed, by {0} seconds"
    )]
    Clock(u64),
    /// The same log with another past: both seals together prove it.
    #[error("the log's past is not the one that this witness signed: {0}")]
    Fork(#[from] NoProof),
}

/// Why bytes are no ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {0} of the witness's own record is not one that it wrote")]
pub struct NoLedger(pub usize);

impl Ledger {
    /// Makes a log known by its verifier key, as its committee's minute has it.
    ///
    /// # Errors
    /// When it is no log's key, or that log is known by another.
    pub fn know(&mut self, key: Vkey) -> Result<(), Refusal> {
        match self.0.iter().find(|seen| seen.key.name() == key.name()) {
            Some(seen) if seen.key == key => return Ok(()),
            Some(_) => return Err(Refusal::OtherKey(key.name().to_owned())),
            None if key.kind() != KeyKind::Log => return Err(NoHead::Unsigned.into()),
            None => {}
        }
        self.0.push(Seen {
            key,
            size: 0,
            root: Digest::of(b""),
            time: 0,
        });
        Ok(())
    }

    /// What it signed last of a log: size and root; nothing is size 0.
    #[must_use]
    pub fn newest(&self, origin: &str) -> Option<(u64, Digest)> {
        let seen = self.0.iter().find(|seen| seen.key.name() == origin)?;
        Some((seen.size, seen.root))
    }

    /// Judges a request at `now` (seconds since 1970): what may be signed, and this ledger with it.
    ///
    /// # Errors
    /// See [`Refusal`]; the ledger is then as it was.
    pub fn judge(&mut self, request: &Request, now: u64) -> Result<Judged, Refusal> {
        let head = &request.seal.head;
        let mut known = self.0.iter_mut();
        let seen = known
            .find(|seen| seen.key.name() == head.origin)
            .ok_or_else(|| Refusal::UnknownLog(head.origin.clone()))?;
        request.seal.by_log(&seen.key)?;
        if head.size < seen.size {
            return Err(Refusal::RolledBack {
                known: seen.size,
                now: head.size,
            });
        }
        // The very head that was signed before may be signed again, whatever proof comes with it.
        let same = (head.size, head.root) == (seen.size, seen.root) && seen.size > 0;
        if !same {
            if head.size == seen.size {
                return Err(NoProof::Root.into());
            }
            if request.old != seen.size {
                return Err(Refusal::Elsewhere {
                    asked: request.old,
                    known: seen.size,
                });
            }
            check_consistency(seen.size, &seen.root, head.size, &head.root, &request.proof)?;
        }
        let time = now.max(seen.time);
        if time - now > BEHIND_MAX {
            return Err(Refusal::Clock(time - now));
        }
        (seen.size, seen.root, seen.time) = (head.size, head.root, time);
        Ok(Judged {
            head: head.clone(),
            time,
        })
    }

    /// Its file: a line a log, `<verifier key> <size> <root> <time>`; one that never signed a log since it
    /// wrote times down has none there.
    #[must_use]
    pub fn text(&self) -> String {
        let line = |seen: &Seen| {
            let root = base64::encode(&seen.root.0);
            let time = match seen.time {
                0 => String::new(),
                time => format!(" {time}"),
            };
            format!("{} {} {root}{time}\n", seen.key, seen.size)
        };
        self.0.iter().map(line).collect()
    }

    /// The ledger in a file.
    ///
    /// # Errors
    /// When it is not one that [`Ledger::text`] gave.
    pub fn parse(text: &str) -> Result<Ledger, NoLedger> {
        let seen = |line: &str| {
            let mut parts = line.split(' ');
            let key: Vkey = parts.next()?.parse().ok()?;
            let size = base64::number(parts.next()?)?;
            let root = base64::hash(parts.next()?)?;
            let time = parts.next().map_or(Some(0), base64::number)?;
            let sound = parts.next().is_none() && key.kind() == KeyKind::Log;
            sound.then_some(Seen {
                key,
                size,
                root,
                time,
            })
        };
        let lines = text.lines().enumerate();
        let seen = lines.map(|(at, line)| seen(line).ok_or(NoLedger(at + 1)));
        Ok(Ledger(seen.collect::<Result<_, _>>()?))
    }
}
