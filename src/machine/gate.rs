//! Gates and decisions: who may decide, what was decided, what a step still waits for before it may
//! start. Roles are judged at the plan's time.
//!
//! Not here: writing decisions down (`apply`), asking for them (`decide`).

use std::collections::BTreeSet;

use super::event::{Actor, On, Waiting};
use super::run::{Run, reached};
use super::state::{Decided, Verdict};
use super::time::Time;
use crate::plan::digest::Digest;
use crate::plan::model::{Code, Seat};
use crate::plan::outline::{Gate, Holder, Outline};

/// Decisions needed, by distinct people, for an act that the paper names no gate for (amending,
/// rolling back): two wherever at least two seats sign the paper, else as many as there are.
pub const EYES: usize = 2;

/// What stands between a step and its start, its dependencies aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Bar {
    /// Nothing; these entries opened the gate.
    Open(Vec<u64>),
    /// A date or a person's word.
    Waits(Waiting),
    /// Decisions of these seats.
    Decisions(Vec<Seat>),
}

/// Why somebody's decision does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotTheirs {
    /// A decision is made by a person.
    #[error("no person made it")]
    NoPerson,
    /// They do not hold the role for that organisation on that day.
    #[error("they do not hold that role for that organisation on that day")]
    NotHeld,
    /// Nobody asked this seat.
    #[error("that seat is not asked")]
    NotAsked,
    /// An author decides nothing in their own plan.
    #[error("they wrote the plan")]
    Author,
    /// One person, one seat.
    #[error("they have decided already, for another seat")]
    SamePerson,
    /// A word where the paper in force has keys: it puts no other paper in force.
    #[error("they gave their word, and the paper in force asks for a key")]
    OnlyWord,
    /// A seat decides once; a refusal must be revoked before a grant.
    #[error("that seat has decided already")]
    Decided,
    /// A key that is not the person's in the paper that is decided by.
    #[error("the key is not the one that the plan has for them")]
    OtherKey,
    /// One key is one pair of eyes, whatever code stands beside it.
    #[error("the same key has decided already, for somebody else")]
    SameKey,
    /// There is no standing decision of that seat to revoke.
    #[error("that seat has decided nothing that could be revoked")]
    NothingToRevoke,
}

impl Run {
    /// What a step waits for at `as_at`, dependencies aside.
    pub(super) fn bar(&self, at: usize, as_at: Time) -> Bar {
        match self.own_bar(at, as_at) {
            Bar::Open(approvals) => match self.unwitnessed(at, as_at) {
                Some(size) => Bar::Waits(Waiting::Seal { size }),
                None => Bar::Open(approvals),
            },
            shut => shut,
        }
    }

    fn own_bar(&self, at: usize, as_at: Time) -> Bar {
        let step = self.step_at(at);
        if let Some(start) = step.start.filter(|start| !reached(*start, as_at)) {
            return Bar::Waits(Waiting::Date {
                until: Time::new(start),
            });
        }
        match &step.gate {
            Gate::None => Bar::Open(Vec::new()),
            Gate::Until(until) if reached(*until, as_at) => Bar::Open(Vec::new()),
            Gate::Until(until) => Bar::Waits(Waiting::Date {
                until: Time::new(*until),
            }),
            Gate::Done(seat) => match self.steps[at].done {
                Some(answer) => Bar::Open(vec![answer]),
                None => Bar::Waits(Waiting::Person { seat: seat.clone() }),
            },
            Gate::Decisions(seats) => {
                let on = On::Gate {
                    step: step.id.clone(),
                };
                self.all_granted(&on, seats)
            }
        }
    }

    fn all_granted(&self, on: &On, seats: &[Seat]) -> Bar {
        let mut granted = Vec::new();
        let mut missing = Vec::new();
        for seat in seats {
            match self.standing(on, seat) {
                Some((seq, decided)) if decided.verdict == Verdict::Granted => granted.push(seq),
                _ => missing.push(seat.clone()),
            }
        }
        granted.sort_unstable();
        if missing.is_empty() {
            Bar::Open(granted)
        } else {
            Bar::Decisions(missing)
        }
    }

    /// Seats of the paper in force that have not signed it; none once a paper was amended in, since
    /// the amendment's own decisions were checked then.
    #[must_use]
    pub fn unsigned(&self) -> Vec<Seat> {
        if self.amended.is_some() {
            return Vec::new();
        }
        let on = On::Paper {
            paper: self.paper(),
        };
        match self.all_granted(&on, &self.graph.outline.signed_by) {
            Bar::Decisions(missing) => missing,
            Bar::Open(_) | Bar::Waits(_) => Vec::new(),
        }
    }

    /// The decision of a seat that stands now.
    pub(super) fn standing(&self, on: &On, seat: &Seat) -> Option<(u64, &Decided)> {
        let taken = |(_, decided): &(u64, &Decided)| sits(&decided.actor, seat);
        self.not_void(on).find(taken)
    }

    /// Decisions about `on` that count.
    pub(super) fn not_void(&self, on: &On) -> impl Iterator<Item = (u64, &Decided)> {
        let seqs = self.about.get(on).into_iter().flatten();
        seqs.filter_map(|seq| Some((*seq, self.decided.get(seq)?)))
            .filter(|(_, decided)| !decided.void)
    }

    /// May `actor` decide so about `on`, now? `seats` are those who are asked; empty: any holder.
    pub(super) fn may_decide(
        &self,
        outline: &Outline,
        on: &On,
        seats: &[Seat],
        verdict: Verdict,
        actor: &Actor,
        as_at: Time,
    ) -> Result<(), NotTheirs> {
        let person = holder(outline, actor, as_at)?;
        if outline.author.as_ref() == Some(person) {
            return Err(NotTheirs::Author);
        }
        let seat = seats.iter().find(|seat| sits(actor, seat));
        if seat.is_none() && !seats.is_empty() {
            return Err(NotTheirs::NotAsked);
        }
        let same_seat = |decided: &Decided| match seat {
            Some(seat) => sits(&decided.actor, seat),
            None => code(&decided.actor) == Some(person),
        };
        let stands = self.not_void(on).any(|(_, decided)| same_seat(decided));
        if verdict == Verdict::Refused && self.own_yes(on, actor).is_some() {
            return Ok(());
        }
        if verdict == Verdict::Revoked {
            return if stands {
                Ok(())
            } else {
                Err(NotTheirs::NothingToRevoke)
            };
        }
        if stands {
            return Err(NotTheirs::Decided);
        }
        let elsewhere = |(_, decided): (u64, &Decided)| code(&decided.actor) == Some(person);
        if self.not_void(on).any(elsewhere) {
            return Err(NotTheirs::SamePerson);
        }
        Ok(())
    }

    /// The standing yes of the very same person in the same seat at a gate. A no may be said over it, without
    /// a key too: nothing stands between a person and the brake, a key that was lost least of all.
    pub(super) fn own_yes(&self, on: &On, actor: &Actor) -> Option<u64> {
        let theirs = |(_, decided): &(u64, &Decided)| {
            decided.verdict == Verdict::Granted && same_person(&decided.actor, actor)
        };
        let gate = matches!(on, On::Gate { .. });
        let own = self.not_void(on).find(theirs).filter(|_| gate);
        own.map(|(seq, _)| seq)
    }

    /// Do these entries hold enough grants about `on`, by distinct people? In ascending order.
    pub(super) fn enough(&self, outline: &Outline, on: &On, approvals: &[u64]) -> bool {
        let standing: Vec<u64> = self
            .not_void(on)
            .filter(|(_, decided)| decided.verdict == Verdict::Granted)
            .map(|(seq, _)| seq)
            .collect();
        let ascending = approvals.windows(2).all(|pair| pair[0] < pair[1]);
        let all_stand = approvals.iter().all(|seq| standing.contains(seq));
        // One person decides once about one thing (`SamePerson`): so these are distinct people.
        ascending && all_stand && approvals.len() >= needed(outline)
    }

    /// Entries of the grants about `on` that stand, for `plan.amended` and `rollback.started`.
    #[must_use]
    pub fn grants(&self, on: &On) -> Vec<u64> {
        self.not_void(on)
            .filter(|(_, decided)| decided.verdict == Verdict::Granted)
            .map(|(seq, _)| seq)
            .collect()
    }

    /// How many of these grants count towards putting another paper in force.
    pub(super) fn known_here(&self, approvals: &[u64]) -> usize {
        let decided = approvals.iter().filter_map(|seq| self.decided.get(seq));
        let known =
            decided.filter(|decided| self.known(&decided.actor, decided.when.as_at) == Ok(()));
        known.count()
    }

    /// Whether a yes to another paper, given at `as_at`, counts towards putting it in force: by somebody who
    /// signs the paper in force, with the key that they have *there*. Else whoever writes the new paper could
    /// name new people in it, or new keys.
    ///
    /// A word without a key counts where the paper in force asks that role for none, has none for that
    /// person, and has too few keys among those who sign it: the words of some would otherwise undo what the
    /// keys of the others stand for. A rehearsal may do with words.
    ///
    /// # Errors
    /// Why it does not count.
    pub fn known(&self, actor: &Actor, as_at: Time) -> Result<(), NotTheirs> {
        let outline = &self.graph.outline;
        let person = holder(outline, actor, as_at)?;
        if !outline.signed_by.iter().any(|seat| sits(actor, seat)) {
            return Err(NotTheirs::NotAsked);
        }
        let Actor::Person { role, key, .. } = actor else {
            return Err(NotTheirs::NoPerson);
        };
        let theirs = outline.holders.iter().filter(|one| one.person == *person);
        let mut own = theirs.filter_map(|one| one.key.as_ref());
        match key {
            Some(key) if own.any(|own| own.fingerprint() == *key) => Ok(()),
            Some(_) => Err(NotTheirs::OtherKey),
            None if !self.is_real() => Ok(()),
            None if own.next().is_some()
                || outline.signed.contains(role)
                || keyed(outline, as_at) >= needed(outline) =>
            {
                Err(NotTheirs::OnlyWord)
            }
            None => Ok(()),
        }
    }

    pub(super) fn outline_of(&self, paper: &Digest) -> Option<&Outline> {
        self.shelf.get(paper).map(AsRef::as_ref)
    }
}

/// How many people with a key could sign the paper on that day.
fn keyed(outline: &Outline, as_at: Time) -> usize {
    let asked = |one: &&Holder| {
        let fits = |seat: &Seat| {
            seat.role == one.role && seat.org.as_ref().is_none_or(|org| *org == one.org)
        };
        outline.signed_by.iter().any(fits)
    };
    let holders = outline.holders.iter().filter(asked);
    let keyed = holders.filter(|one| one.key.is_some() && one.in_post(as_at.moment()));
    let people: BTreeSet<&Code> = keyed.map(|one| &one.person).collect();
    people.len()
}

/// How many distinct people must agree to an amendment or a rollback.
#[must_use]
pub fn needed(outline: &Outline) -> usize {
    outline.signed_by.len().min(EYES)
}

/// Does the actor decide for this seat?
pub(super) fn sits(actor: &Actor, seat: &Seat) -> bool {
    match actor {
        Actor::Executor => false,
        Actor::Person { role, org, .. } => {
            *role == seat.role && seat.org.as_ref().is_none_or(|asked| asked == org)
        }
    }
}

pub(super) fn code(actor: &Actor) -> Option<&Code> {
    match actor {
        Actor::Executor => None,
        Actor::Person { person, .. } => Some(person),
    }
}

/// Whether both are one person, in one role, for one organisation.
fn same_person(one: &Actor, other: &Actor) -> bool {
    let who = |actor: &Actor| match actor {
        Actor::Executor => None,
        Actor::Person {
            person, role, org, ..
        } => Some((person.clone(), role.clone(), org.clone())),
    };
    who(one).is_some() && who(one) == who(other)
}

/// The person's code, if they hold the role they act in, for that organisation, at that moment.
pub(super) fn holder<'a>(
    outline: &Outline,
    actor: &'a Actor,
    as_at: Time,
) -> Result<&'a Code, NotTheirs> {
    let Actor::Person {
        person, role, org, ..
    } = actor
    else {
        return Err(NotTheirs::NoPerson);
    };
    let mut holders = outline.holders.iter();
    if holders.any(|holder| holder.sits((person, role, org), as_at.moment())) {
        Ok(person)
    } else {
        Err(NotTheirs::NotHeld)
    }
}
