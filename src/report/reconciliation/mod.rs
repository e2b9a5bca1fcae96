//! The reconciliation pack: every control total of a run, source against target, with tolerance,
//! verdict and signers; and where a source was split, the proof that its parts add up (`parts`). What a section 151 officer signs on the night, and an auditor reads later.
//!
//! In: what a log tells of totals, the plan. Out: one report, as text (`text`), JSON and CSV (`csv`);
//! the same log gives the same bytes. Its fingerprint is the digest of the CSV, which holds no
//! signature: it is the same before and after signing, and `sha256sum` gives it.
//!
//! Not here: making totals (`steps::verify`), reading them from a log (`replay::totals`).

pub mod csv;
pub mod parts;
mod parts_text;
mod text;
mod words;

use std::collections::BTreeSet;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use self::parts::PartsPack;
use self::words::words;
use super::decisions::Verdict as Said;
use super::{FORMAT, Manner, Report};
use crate::machine::event::{Actor, ClockKind, On};
use crate::machine::run::Run;
use crate::machine::state::{StepState, Verdict as Decision};
use crate::machine::total::{Amount, Figures, Total, Verdict, decimal};
use crate::plan::digest::Digest;
use crate::plan::model::{Plan, Seat, StepSpec, TotalRule, VerifyCheck};
use crate::plan::outline::{Gate, StepId};
use crate::replay::totals::Told;

/// The whole pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReconciliationReport {
    /// [`FORMAT`].
    pub format: u32,
    /// Plan and run.
    pub of: String,
    /// What people call the transfer.
    pub title: String,
    /// Made-up clocks say *rehearsal*.
    #[schemars(with = "String")]
    pub clock: ClockKind,
    /// The time zone for dates.
    pub timezone: String,
    /// Fingerprint of the paper in force.
    #[schemars(with = "String")]
    pub plan: Digest,
    /// SHA-256 of `reconciliation.csv`.
    #[schemars(with = "String")]
    pub fingerprint: Digest,
    /// What it all comes to.
    pub verdict: Whole,
    /// The same in a sentence.
    pub says: String,
    /// One part for each step that makes control totals.
    pub steps: Vec<StepPack>,
    /// One part for each step that proves that the parts of a source add up.
    pub parts: Vec<PartsPack>,
}

/// What a pack comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Whole {
    /// Every total agrees to the row and to the penny.
    Agrees,
    /// Every total agrees or is within what the plan allows.
    WithinTolerance,
    /// Some do not.
    Differs,
    /// Some have not been made, or cannot be read.
    NotComplete,
}

/// What one step told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StepPack {
    /// The step.
    pub step: String,
    /// What people call it.
    pub title: String,
    /// Organisations whose rows it read, by name.
    pub source: String,
    /// Organisations that it held against it.
    pub targets: Vec<String>,
    /// `finished`, `failed` or `not made`.
    pub state: Made,
    /// Its totals, in the order of the log.
    pub totals: Vec<Line>,
    /// Rows that did not go, by reason.
    pub left: Vec<Left>,
    /// Who signs: the first approvals after it.
    pub signers: Vec<Signer>,
}

/// How far a step has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Made {
    /// Its totals were made and let the run go on.
    Finished,
    /// They were made and stopped it.
    Failed,
    /// Not yet, or undone.
    NotMade,
}

/// One total.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Line {
    /// The log's entry that tells it.
    pub entry: u64,
    /// Where rows came from, by code.
    pub source: String,
    /// Where they stand, by code; absent: the source's own rows, shared out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Target table or money column.
    pub of: String,
    /// Only these rows: `kind=rent`, `above zero`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// In people's words.
    pub words: String,
    /// Rows or money.
    pub sort: Sort,
    /// At the source, as mapped.
    pub at_source: String,
    /// At the target; absent where it cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_target: Option<String>,
    /// How many rows a part of money is about, at the source and at the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<(u64, u64)>,
    /// Target less source; absent where it cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<String>,
    /// How far they may be apart.
    pub tolerance: String,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// How it came out.
    pub verdict: Came,
}

/// What a line counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sort {
    /// Rows.
    Rows,
    /// Pounds and pence.
    Money,
}

/// How a line came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Came {
    /// To the row and to the penny.
    Agrees,
    /// Within what the plan allows.
    WithinTolerance,
    /// It does not.
    Differs,
}

/// Rows that did not go.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Left {
    /// Where they stay, by code.
    pub source: String,
    /// Which target would have got them; absent: nobody's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The dataset; the source table of rows that are nobody's.
    pub dataset: String,
    /// `rejected`, `filtered`, `nobody's`.
    pub class: String,
    /// Why.
    pub reason: String,
    /// How many.
    pub rows: u64,
}

/// A seat that signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Signer {
    /// The approval step.
    pub gate: String,
    /// The role's title.
    pub role: String,
    /// The organisation's name, where the role is held in several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub org: Option<String>,
    /// What was said.
    pub verdict: Said,
    /// Who said it, by code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// When, by the plan's time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub as_at: Option<Timestamp>,
    /// When, by the wall clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub at: Option<Timestamp>,
    /// The log's entry of the decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<u64>,
}

impl ReconciliationReport {
    /// The pack of a log; none where the plan asks for neither control totals nor a proof of parts.
    #[must_use]
    pub fn of(told: &Told, plan: &Plan) -> Option<ReconciliationReport> {
        let opened = told.run.opened()?;
        let steps: Vec<StepPack> = plan
            .steps
            .iter()
            .filter_map(|step| StepPack::of(told, plan, &step.id))
            .collect();
        let parts: Vec<PartsPack> = plan
            .steps
            .iter()
            .filter_map(|step| PartsPack::of(told, plan, &step.id))
            .collect();
        if steps.is_empty() && parts.is_empty() {
            return None;
        }
        let (verdict, says) = sentence(&steps, &parts, told.unread);
        let mut report = ReconciliationReport {
            format: FORMAT,
            of: opened.origin.clone(),
            title: plan.title.clone(),
            clock: opened.clock,
            timezone: plan.timezone.iana_name().unwrap_or("UTC").to_owned(),
            plan: told.run.paper(),
            fingerprint: Digest::ZERO,
            verdict,
            says,
            steps,
            parts,
        };
        report.fingerprint = Digest::of(csv::csv(&report).as_bytes());
        Some(report)
    }
}

impl StepPack {
    fn of(told: &Told, plan: &Plan, id: &StepId) -> Option<StepPack> {
        let step = plan.step(id)?;
        let StepSpec::Verify(verify) = &step.does else {
            return None;
        };
        let rules = verify.checks.iter().find_map(|check| match check {
            VerifyCheck::ControlTotals { rules } => Some(rules),
            _ => None,
        })?;
        let state = told.run.state(id).map(|step| step.state);
        let found = told.totals.get(id).map_or(&[][..], Vec::as_slice);
        let state = match state {
            _ if found.is_empty() => Made::NotMade,
            Some(StepState::Committed) => Made::Finished,
            _ => Made::Failed,
        };
        let lines = found.iter();
        let lines = lines.flat_map(|(entry, total)| lines_of(*entry, total, rules));
        let name = |code: &str| plan.org_name(code).to_owned();
        Some(StepPack {
            step: id.to_string(),
            title: step.title.clone(),
            source: name(&verify.source),
            targets: verify.targets.iter().map(|code| name(code)).collect(),
            state,
            totals: in_order(lines.collect()),
            left: left(found),
            signers: signers(&told.run, plan, id),
        })
    }
}

/// The same order whether totals agree or not: the log tells those that differ last. The source's own
/// rows, then each target's: headlines first, each total before its parts.
fn in_order(mut lines: Vec<Line>) -> Vec<Line> {
    lines.sort_by_cached_key(|line| {
        let coded = line.part.as_ref().is_some_and(|part| part.contains('='));
        let (target, of, part) = (line.target.clone(), line.of.clone(), line.part.clone());
        (target, words::rank(&line.of), of, coded, part)
    });
    lines
}

/// What everything comes to: the worst of it, in a sentence.
fn sentence(steps: &[StepPack], parts: &[PartsPack], unread: u64) -> (Whole, String) {
    let lines = || steps.iter().flat_map(|step| &step.totals);
    let tables = || parts.iter().flat_map(|pack| &pack.tables);
    let count = |came: Came| {
        lines().filter(|line| line.verdict == came).count()
            + tables().filter(|table| table.verdict == came).count()
    };
    let all = all_of(lines().count(), tables().count());
    let missing = steps.iter().filter(|step| step.state == Made::NotMade);
    let unproved = parts.iter().filter(|pack| pack.state == Made::NotMade);
    let missing = missing.map(|step| step.step.as_str());
    let missing: Vec<&str> = missing
        .chain(unproved.map(|pack| pack.step.as_str()))
        .collect();
    match (count(Came::Differs), count(Came::WithinTolerance)) {
        (0, _) if unread > 0 => (
            Whole::NotComplete,
            format!(
                "{unread} entries cannot be read as what they say they are: this pack is not whole."
            ),
        ),
        (0, _) if !missing.is_empty() => (
            Whole::NotComplete,
            format!(
                "Not complete: no totals yet of {}.",
                super::words::listed(&missing)
            ),
        ),
        (0, 0) => (
            Whole::Agrees,
            format!("Everything agrees: {all}, to the row and to the penny."),
        ),
        (0, within) => (
            Whole::WithinTolerance,
            format!("{within} of {all} differ within what the plan allows; the others agree."),
        ),
        (differ, _) => (
            Whole::Differs,
            format!("{differ} of {all} DIFFER: do not sign before it is known why."),
        ),
    }
}

/// How much there is to agree.
fn all_of(totals: usize, tables: usize) -> String {
    let totals =
        (totals > 0).then(|| super::words::some(totals, "control total", "control totals"));
    let parted = "tables of parts";
    let tables = (tables > 0).then(|| super::words::some(tables, "table of parts", parted));
    super::words::listed(&totals.into_iter().chain(tables).collect::<Vec<_>>())
}

/// The lines of one total: the number itself, and money above and below zero where it has both.
fn lines_of(entry: u64, total: &Total, rules: &[TotalRule]) -> Vec<Line> {
    let blank = Line {
        entry,
        source: total.source.to_string(),
        target: total.target.as_ref().map(ToString::to_string),
        of: total.of.clone(),
        part: total.part.clone(),
        words: words(total),
        sort: Sort::Rows,
        at_source: String::new(),
        at_target: None,
        on: None,
        difference: None,
        tolerance: "0".to_owned(),
        because: None,
        verdict: match total.verdict() {
            Verdict::Agrees => Came::Agrees,
            Verdict::Within => Came::WithinTolerance,
            Verdict::Differs => Came::Differs,
        },
    };
    match &total.figures {
        Figures::Rows { due, stands, .. } => vec![Line {
            at_source: due.to_string(),
            at_target: Some(stands.to_string()),
            difference: Some((i128::from(*stands) - i128::from(*due)).to_string()),
            ..blank
        }],
        Figures::Money {
            due,
            stands,
            tolerance,
        } => {
            let of = |rule: &&TotalRule| rule.of() == total.of && rule.tolerance == *tolerance;
            let because = rules
                .iter()
                .filter(of)
                .find_map(|rule| rule.because.clone());
            let line = Line {
                sort: Sort::Money,
                tolerance: decimal(*tolerance),
                because: because.filter(|_| *tolerance > 0),
                ..blank
            };
            money_lines(&line, total, due, stands.as_ref())
        }
    }
}

fn money_lines(line: &Line, total: &Total, due: &Amount, stands: Option<&Amount>) -> Vec<Line> {
    let side = |part: Option<&str>, of: fn(&Amount) -> (i128, u64)| {
        let (due, stands) = (of(due), stands.map(of));
        let difference = stands.map(|stands| stands.0 - due.0);
        Line {
            part: part.map_or(line.part.clone(), |part| Some(part.to_owned())),
            words: match part {
                Some(part) => words::side(total, part),
                None => line.words.clone(),
            },
            at_source: decimal(due.0),
            at_target: stands.map(|stands| decimal(stands.0)),
            on: part.and(stands).map(|stands| (due.1, stands.1)),
            difference: difference.map(decimal),
            // A part that agrees is not called different because its sibling is.
            verdict: match part.and(stands) {
                Some(stands) if stands == due => Came::Agrees,
                _ => line.verdict,
            },
            ..line.clone()
        }
    };
    let whole = side(None, |amount| (amount.net(), 0));
    let mixed = |amount: &Amount| amount.plus_rows > 0 && amount.minus_rows > 0;
    if total.part.is_some() || !(mixed(due) || stands.is_some_and(mixed)) {
        return vec![whole];
    }
    vec![
        whole,
        side(Some("above zero"), |amount| (amount.plus, amount.plus_rows)),
        side(Some("below zero"), |amount| {
            (amount.minus, amount.minus_rows)
        }),
    ]
}

/// Rows that did not go, each reason once: rows that are nobody's stand with every dataset of their
/// table.
fn left(found: &[(u64, Total)]) -> Vec<Left> {
    let mut left = BTreeSet::new();
    for (_, total) in found {
        let Figures::Rows { fates, .. } = &total.figures else {
            continue;
        };
        left.extend(fates.iter().filter_map(|fate| {
            Some(Left {
                source: total.source.to_string(),
                target: total.target.as_ref().map(ToString::to_string),
                dataset: fate.dataset.clone(),
                class: fate.class.word().to_owned(),
                reason: fate.reason.clone()?,
                rows: fate.rows,
            })
        }));
    }
    left.into_iter().collect()
}

/// Every seat of the first approvals after a step: of those that are nearest to it.
fn signers(run: &Run, plan: &Plan, step: &StepId) -> Vec<Signer> {
    let mut edge = BTreeSet::from([step]);
    let mut seen = edge.clone();
    loop {
        let steps = plan.outline.steps.iter();
        let next = steps.filter(|one| one.after.iter().any(|id| edge.contains(id)));
        let next: Vec<_> = next.filter(|one| !seen.contains(&one.id)).collect();
        let gates = next.iter().filter_map(|one| match &one.gate {
            Gate::Decisions(seats) => Some((&one.id, seats)),
            _ => None,
        });
        let seats = gates.flat_map(|(gate, seats)| seats.iter().map(move |seat| (gate, seat)));
        let signers: Vec<Signer> = seats
            .map(|(gate, seat)| signer(run, plan, gate, seat))
            .collect();
        if next.is_empty() || !signers.is_empty() {
            return signers;
        }
        edge = next.iter().map(|one| &one.id).collect();
        seen.extend(&edge);
    }
}

fn signer(run: &Run, plan: &Plan, gate: &StepId, seat: &Seat) -> Signer {
    let on = On::Gate { step: gate.clone() };
    let theirs = |actor: &Actor| match actor {
        Actor::Person {
            person, role, org, ..
        } => {
            let same = *role == seat.role && seat.org.as_ref().is_none_or(|asked| asked == org);
            same.then(|| person.to_string())
        }
        Actor::Executor => None,
    };
    let standing = run
        .decisions()
        .filter(|(_, made)| made.on == on && !made.void);
    let said = standing
        .filter_map(|(entry, made)| Some((entry, made, theirs(&made.actor)?)))
        .last();
    let title = plan.roles.get(&seat.role).map(|role| role.title.clone());
    let signer = Signer {
        gate: gate.to_string(),
        role: title.unwrap_or_else(|| seat.role.to_string()),
        org: seat.org.as_ref().map(|org| plan.org_name(org).to_owned()),
        verdict: Said::Asked,
        person: None,
        as_at: None,
        at: None,
        entry: None,
    };
    match said {
        None => signer,
        Some((entry, made, person)) => Signer {
            verdict: match made.verdict {
                Decision::Granted => Said::Approved,
                Decision::Refused => Said::Refused,
                Decision::Revoked => Said::Void,
            },
            person: Some(person),
            as_at: Some(made.when.as_at.moment()),
            at: Some(made.when.at.moment()),
            entry: Some(entry),
            ..signer
        },
    }
}

impl Report for ReconciliationReport {
    fn drawn(&self, manner: Manner) -> String {
        text::drawn(self, manner)
    }

    fn plain(&self) -> String {
        text::plain(self)
    }
}
