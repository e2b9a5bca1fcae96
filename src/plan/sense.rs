//! Do the dates of a plan make sense together, and with the handover?
//!
//! In: authored steps with absolute dates. Out: faults. Not here: what a date says (`dates`).

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::authored::Authored;
use super::dates::Frame;
use super::fault::Fault;
use super::form::Said;
use super::keys::a_step;
use super::source::Desk;
use crate::calendar;

/// Kinds that must be over when the handover comes.
const BEFORE_HANDOVER: [&str; 5] = [
    "data-copy",
    "freeze",
    "tenant-notification",
    "staff-transfer",
    "contract-novation",
];

/// Kinds by whose due date a person has to act.
const BY_PEOPLE: [&str; 4] = [
    "approval",
    "task",
    "contract-novation",
    "tenant-notification",
];

/// How long before the handover the cut-over may take: three days.
const CUT_OVER_S: i64 = 3 * 24 * 60 * 60;

/// Checks every date of the plan.
pub(super) fn check(desk: &mut Desk, frame: &Frame, steps: &[Authored<'_>]) {
    let by_name: BTreeMap<&str, &Authored<'_>> = steps
        .iter()
        .map(|step| (step.name.as_str(), step))
        .collect();
    let sense = Sense { frame, by_name };
    let limits = sense.limits(steps);
    let earliest = Sense::earliest(steps);
    for step in steps {
        if let Some((limit, why)) = limits.get(step.name.as_str()) {
            sense.not_after(desk, step, *limit, why);
        }
        sense.start_before_due(desk, step);
        sense.due_after_what_it_waits_for(desk, step, &earliest);
        sense.working_day(desk, step);
    }
}

struct Sense<'s> {
    frame: &'s Frame,
    by_name: BTreeMap<&'s str, &'s Authored<'s>>,
}

impl<'s> Sense<'s> {
    /// A moment as people say it, in the plan's zone.
    fn words(&self, at: Timestamp) -> String {
        let local = at.to_zoned(self.frame.zone.clone());
        local.strftime("%a %-d %b %Y, %H:%M").to_string()
    }

    /// The moment by which a step must be over, where there is one, and why.
    fn limits(&self, steps: &'s [Authored<'s>]) -> BTreeMap<&'s str, (Timestamp, String)> {
        let mut limits: BTreeMap<&str, (Timestamp, String)> = BTreeMap::new();
        for step in steps
            .iter()
            .filter(|step| BEFORE_HANDOVER.contains(&step.does()))
        {
            let why = format!("{} must be over at the handover", a_step(step.does()));
            limits.insert(&step.name, (self.frame.handover, why));
        }
        for switch in steps.iter().filter(|step| step.does() == "switch") {
            let at = switch
                .moment
                .as_ref()
                .map_or(self.frame.handover, |said| said.value);
            for name in self.before(switch) {
                let why = format!("`{}` comes after it and takes effect then", switch.name);
                limits.entry(name).or_insert((at, why));
            }
        }
        limits
    }

    /// Names of everything that `step` comes after, near and far.
    fn before(&self, step: &'s Authored<'s>) -> BTreeSet<&'s str> {
        let mut found = BTreeSet::new();
        let mut left = vec![step];
        while let Some(step) = left.pop() {
            for said in &step.after {
                let Some(before) = self.by_name.get(said.value.as_str()) else {
                    continue;
                };
                if found.insert(before.name.as_str()) {
                    left.push(before);
                }
            }
        }
        found
    }

    fn not_after(&self, desk: &mut Desk, step: &Authored<'_>, limit: Timestamp, why: &str) {
        let until = (step.does() == "wait").then_some(("until", &step.moment));
        let dates = [("start", &step.start), ("due", &step.due)]
            .into_iter()
            .chain(until);
        for (key, said) in dates {
            let Some(said) = said.as_ref().filter(|said| said.value > limit) else {
                continue;
            };
            let says = format!("`{}` has a date after the handover", step.name);
            let fault = Fault::error("HO124", &said.place, says)
                .label(format!("`{key}` is {}", self.words(said.value)))
                .help(format!("bring it to {} or before", self.words(limit)))
                .note(why);
            desk.push(fault);
        }
    }

    fn start_before_due(&self, desk: &mut Desk, step: &Authored<'_>) {
        let until = step.moment.as_ref().filter(|_| step.does() == "wait");
        let begins = step.start.iter().chain(until).map(|said| said.value).max();
        if let (Some(begins), Some(due)) = (begins, &step.due)
            && begins > due.value
        {
            let fault = Fault::error(
                "HO125",
                &due.place,
                format!("`{}` is due before it may start", step.name),
            )
            .label(format!(
                "due {}, not before {}",
                self.words(due.value),
                self.words(begins)
            ))
            .help("move one of the two dates");
            desk.push(fault);
        }
    }

    /// The first moment at which each step can be done, as far as dates tell.
    fn earliest(steps: &'s [Authored<'s>]) -> BTreeMap<&'s str, (Timestamp, &'s str)> {
        let mut earliest: BTreeMap<&str, (Timestamp, &str)> = BTreeMap::new();
        for step in in_order(steps) {
            let own = [
                step.start.as_ref(),
                step.moment.as_ref().filter(|_| step.does() == "wait"),
            ];
            let own = own
                .into_iter()
                .flatten()
                .map(|said| (said.value, step.name.as_str()));
            let before = step
                .after
                .iter()
                .filter_map(|said| earliest.get(said.value.as_str()).copied());
            if let Some(first) = own.chain(before).max() {
                earliest.insert(&step.name, first);
            }
        }
        earliest
    }

    fn due_after_what_it_waits_for(
        &self,
        desk: &mut Desk,
        step: &Authored<'_>,
        earliest: &BTreeMap<&str, (Timestamp, &str)>,
    ) {
        let Some(due) = &step.due else { return };
        for said in &step.after {
            let Some(before) = self.by_name.get(said.value.as_str()) else {
                continue;
            };
            let later = before
                .due
                .as_ref()
                .map(|due| (due.value, format!("`{}` is due", before.name)));
            let starts = earliest
                .get(before.name.as_str())
                .map(|(at, name)| (*at, format!("`{name}` cannot be done before")));
            let Some((at, what)) = later
                .into_iter()
                .chain(starts)
                .find(|(at, _)| *at > due.value)
            else {
                continue;
            };
            let fault = Fault::error(
                "HO126",
                &due.place,
                format!("`{}` is due before a step that it comes after", step.name),
            )
            .label(format!(
                "due {}, but {what} {}",
                self.words(due.value),
                self.words(at)
            ))
            .help("move one of the two dates, or take the edge out");
            desk.push(fault);
            return;
        }
    }

    fn working_day(&self, desk: &mut Desk, step: &Authored<'_>) {
        let Some(due) = step
            .due
            .as_ref()
            .filter(|_| BY_PEOPLE.contains(&step.does()))
        else {
            return;
        };
        // People are at work on the night or weekend of the cut-over itself.
        let before_s = self.frame.handover.as_second() - due.value.as_second();
        if (0..=CUT_OVER_S).contains(&before_s) {
            return;
        }
        let day = due.value.to_zoned(self.frame.zone.clone()).date();
        let off = match calendar::bank_holidays::name(day) {
            Some(name) => name.to_owned(),
            None if calendar::is_weekend(day) => format!("a {}", day.strftime("%A")),
            None => return,
        };
        let before = calendar::add_working_days(day, -1);
        let fault = Fault::warning(
            "HO134",
            &due.place,
            format!("`{}` is due on {off}", step.name),
        )
        .label(format!(
            "{} is not a working day",
            day.strftime("%-d %B %Y")
        ))
        .maybe_help(
            before.map(|day| format!("the working day before is {}", day.strftime("%A %-d %B %Y"))),
        );
        desk.push(fault);
    }
}

/// Steps in an order in which each comes after what it waits for; those on a circle are left out.
fn in_order<'s>(steps: &'s [Authored<'s>]) -> Vec<&'s Authored<'s>> {
    let position: BTreeMap<&str, usize> = steps
        .iter()
        .enumerate()
        .map(|(at, step)| (step.name.as_str(), at))
        .collect();
    let before: Vec<BTreeSet<usize>> = steps
        .iter()
        .map(|step| {
            step.after
                .iter()
                .filter_map(|said| position.get(said.value.as_str()).copied())
                .collect()
        })
        .collect();
    let mut waits: Vec<usize> = before.iter().map(BTreeSet::len).collect();
    let mut leads: Vec<Vec<usize>> = vec![Vec::new(); steps.len()];
    for (at, before) in before.iter().enumerate() {
        for &other in before {
            leads[other].push(at);
        }
    }
    let mut ready: Vec<usize> = (0..steps.len()).filter(|&at| waits[at] == 0).collect();
    let mut sorted = Vec::with_capacity(steps.len());
    while let Some(at) = ready.pop() {
        sorted.push(&steps[at]);
        for &next in &leads[at] {
            waits[next] -= 1;
            if waits[next] == 0 {
                ready.push(next);
            }
        }
    }
    sorted
}

/// Where a moment of the plan is said, or the handover.
pub(super) fn or_handover(said: Option<&Said<Timestamp>>, frame: &Frame) -> Timestamp {
    said.map_or(frame.handover, |said| said.value)
}
