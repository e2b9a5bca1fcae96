//! Who decides: a role becomes one seat per organisation, and on the day of a decision every seat must
//! have a holder, none of them the author, all of them different people.
//!
//! Not here: decisions that were made (`machine`).

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::authored::Authored;
use super::dates::Frame;
use super::fault::Fault;
use super::form::Said;
use super::head::Head;
use super::model::{Code, Each, Person, Seat};
use super::outline::Holder;
use super::people::Somebody;
use super::proof::Proofs;
use super::source::Desk;

/// Most people and seats that are matched before a run.
const PEOPLE_MATCHED_MAX: usize = 1_000;

/// The seats of `role` for a step that stands for `org`, or for all.
pub(super) fn seats(head: &Head, role: &str, org: Option<(Each, &Code)>) -> Vec<Seat> {
    let Some((spec, _)) = head.roles.get(role) else {
        return Vec::new();
    };
    let seat = |org: Option<Code>| Seat {
        role: Arc::from(role),
        org,
    };
    match (spec.each, org) {
        (None, _) => vec![seat(None)],
        (Some(each), Some((of, org))) if each == of => vec![seat(Some(org.clone()))],
        (Some(each), _) => head
            .orgs_of(each)
            .into_iter()
            .map(|org| seat(Some(org)))
            .collect(),
    }
}

/// Whether the person may sit there on that day; `None` is any day.
fn holds(person: &Person, seat: &Seat, day: Option<Date>) -> bool {
    let in_post = day.is_none_or(|day| {
        person.from.is_none_or(|from| from <= day) && person.to.is_none_or(|to| day <= to)
    });
    let there = seat.org.as_ref().is_none_or(|org| *org == person.org);
    in_post && there && person.roles.contains(&seat.role)
}

/// Checks the seats of every decision and task of the plan.
pub(super) fn check(
    desk: &mut Desk,
    head: &Head,
    steps: &[Authored<'_>],
    people: &[Somebody],
    proofs: &Proofs,
) {
    let Some(frame) = &head.frame else { return };
    let bench = Bench {
        head,
        people,
        frame,
    };
    for step in steps {
        let on = step.due.as_ref().or(step.start.as_ref());
        let day = bench.day(on.map_or(frame.handover, |said| said.value));
        let by = step.form.texts("by");
        if step.does() == "approval" {
            bench.decisions(desk, &by, Some(day));
            bench.keys(desk, &by, proofs.at(&step.name), Some(day));
            if step.form.has("by") && by.is_empty() {
                let fault = Fault::error(
                    "HO117",
                    &step.form.place("by"),
                    format!("step `{}` asks nobody", step.name),
                );
                desk.push(fault.help("name at least one role"));
            }
        }
        if let Some(owner) = &step.owner {
            bench.held(desk, owner, &seats(head, &owner.value, None), Some(day));
        }
    }
    bench.decisions(desk, &head.signed_by, None);
    bench.keys(desk, &head.signed_by, &proofs.papers, None);
    if head.sound && head.signed_by.is_empty() && steps.iter().any(Authored::moves) {
        let fault = Fault::error(
            "HO208",
            &head.place,
            "the plan moves something, but nobody signs its preview",
        )
        .label("no `signed-by` here")
        .help("add `signed-by = [\"ROLE\"]`: every role that must sign before a run");
        desk.push(fault);
    }
}

struct Bench<'p> {
    head: &'p Head,
    people: &'p [Somebody],
    frame: &'p Frame,
}

impl Bench<'_> {
    fn day(&self, at: Timestamp) -> Date {
        at.to_zoned(self.frame.zone.clone()).date()
    }

    fn is_author(&self, person: &Person) -> bool {
        self.head
            .author
            .as_ref()
            .is_some_and(|author| author.value == *person.code)
    }

    /// Every seat has a holder who is not the author, and all of them can be different people.
    fn decisions(&self, desk: &mut Desk, roles: &[Said<String>], day: Option<Date>) {
        let mut asked: Vec<Seat> = Vec::new();
        for role in roles {
            let seats = seats(self.head, &role.value, None);
            if self.held(desk, role, &seats, day) && self.beside_author(desk, role, &seats, day) {
                asked.extend(seats);
                asked.sort();
                asked.dedup();
            }
        }
        if let (Some(role), Some(twice)) = (roles.last(), self.too_few(&asked, day)) {
            let says = format!("one person would have to decide twice: `{}`", twice.role);
            let place = roles
                .iter()
                .find(|said| said.value == *twice.role)
                .unwrap_or(role);
            let fault = Fault::error("HO203", &place.place, says)
                .label("each decision is made by a different person")
                .help("give one of the roles to somebody else in `people.toml`");
            desk.push(fault);
        }
    }

    fn held(
        &self,
        desk: &mut Desk,
        role: &Said<String>,
        seats: &[Seat],
        day: Option<Date>,
    ) -> bool {
        if self.people.is_empty() {
            return false;
        }
        let empty: Vec<&Seat> = seats
            .iter()
            .filter(|seat| !self.people.iter().any(|one| holds(&one.person, seat, day)))
            .collect();
        if empty.is_empty() {
            return true;
        }
        let on = day
            .map(|day| format!(" on {}", day.strftime("%-d %B %Y")))
            .unwrap_or_default();
        let fault = Fault::error(
            "HO201",
            &role.place,
            format!("nobody holds the role `{}`{on}", role.value),
        )
        .label(of_orgs(&empty).map_or_else(
            || "no holder".to_owned(),
            |orgs| format!("no holder at {orgs}"),
        ))
        .help("give somebody the role in `people.toml`, with `from` and `to` that cover the day");
        desk.push(fault);
        false
    }

    fn beside_author(
        &self,
        desk: &mut Desk,
        role: &Said<String>,
        seats: &[Seat],
        day: Option<Date>,
    ) -> bool {
        let others = |seat: &Seat| {
            self.people
                .iter()
                .any(|one| !self.is_author(&one.person) && holds(&one.person, seat, day))
        };
        let Some(only) = seats.iter().find(|seat| !others(seat)) else {
            return true;
        };
        let author = self
            .head
            .author
            .as_ref()
            .map_or("", |author| author.value.as_str());
        let fault = Fault::error(
            "HO202",
            &role.place,
            format!(
                "only the author, `{author}`, holds the role `{}`",
                only.role
            ),
        )
        .label("an author never approves their own plan")
        .help("give the role to somebody else in `people.toml`, or name another author");
        desk.push(fault);
        false
    }

    /// Whoever must sign somewhere has a key to sign with.
    fn keys(&self, desk: &mut Desk, roles: &[Said<String>], signed: &[Code], day: Option<Date>) {
        let signing = |role: &&Said<String>| signed.iter().any(|code| **code == *role.value);
        for role in roles.iter().filter(signing) {
            let seats = seats(self.head, &role.value, None);
            let decides = |seat: &&Seat, needs_key: bool| {
                self.people.iter().any(|one| {
                    let can = !needs_key || one.keyed;
                    can && !self.is_author(&one.person) && holds(&one.person, seat, day)
                })
            };
            // A seat without any holder was told already.
            let mute = |seat: &&Seat| decides(seat, false) && !decides(seat, true);
            let mute: Vec<&Seat> = seats.iter().filter(mute).collect();
            if mute.is_empty() {
                continue;
            }
            let says = format!("nobody who holds the role `{}` can sign", role.value);
            let fault = Fault::error("HO211", &role.place, says)
                .label(of_orgs(&mute).map_or_else(
                    || "no holder has a `key`".to_owned(),
                    |orgs| format!("no holder has a `key` at {orgs}"),
                ))
                .help("give each holder their `key` in `people.toml`, or say `decision = \"recorded\"` if their word is enough")
                .note("decisions that open the way to what cannot be undone are signed unless the plan says otherwise");
            desk.push(fault);
        }
    }

    /// A seat for which nobody is left when every other seat has its own person (a matching of seats
    /// and people by augmenting paths).
    fn too_few(&self, asked: &[Seat], day: Option<Date>) -> Option<Seat> {
        // Far beyond any real plan the run's own check of distinct people has to do.
        if self.people.len() > PEOPLE_MATCHED_MAX || asked.len() > PEOPLE_MATCHED_MAX {
            return None;
        }
        let mut taken: BTreeMap<usize, usize> = BTreeMap::new();
        for seat in 0..asked.len() {
            let mut tried = vec![false; self.people.len()];
            if !self.place(asked, day, seat, &mut taken, &mut tried) {
                return Some(asked[seat].clone());
            }
        }
        None
    }

    fn place(
        &self,
        asked: &[Seat],
        day: Option<Date>,
        seat: usize,
        taken: &mut BTreeMap<usize, usize>,
        tried: &mut [bool],
    ) -> bool {
        for (at, one) in self.people.iter().enumerate() {
            if tried[at] || self.is_author(&one.person) || !holds(&one.person, &asked[seat], day) {
                continue;
            }
            tried[at] = true;
            let free = match taken.get(&at).copied() {
                None => true,
                Some(other) => self.place(asked, day, other, taken, tried),
            };
            if free {
                taken.insert(at, seat);
                return true;
            }
        }
        false
    }
}

fn of_orgs(seats: &[&Seat]) -> Option<String> {
    let orgs: Vec<&str> = seats
        .iter()
        .filter_map(|seat| seat.org.as_deref())
        .collect();
    (!orgs.is_empty()).then(|| orgs.join(", "))
}

/// Who may decide when, for the machine: London days as moments, the end exclusive.
pub(super) fn holders(people: &[Somebody], zone: &TimeZone) -> Vec<Holder> {
    let begin = |day: Date| crate::calendar::start_of(day, zone);
    let mut holders = Vec::new();
    for Somebody { person, .. } in people {
        for role in &person.roles {
            holders.push(Holder {
                person: person.code.clone(),
                role: role.clone(),
                org: person.org.clone(),
                from: person.from.and_then(begin),
                to: person.to.and_then(|day| begin(day.tomorrow().ok()?)),
                key: person.key.clone(),
            });
        }
    }
    holders
}
