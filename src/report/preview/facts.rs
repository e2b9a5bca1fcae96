//! Facts that the one-page preview is made of, gathered once for drawing and for sentences: siblings of
//! one authored step stand on one line, subjects have words, columns are chosen.
//!
//! Not here: how they are drawn (`page`, `sentences`).

use std::collections::{BTreeMap, BTreeSet};

use super::Depth;
use crate::plan::outline::{Subject, Undo};
use crate::preview::Preview;
use crate::preview::model::StepSaid;
use crate::preview::reading::HOMES;
use crate::report::words::{Dates, count, many, some};

/// What maps call the dataset of tenancies.
const TENANCIES: [&str; 3] = ["tenancy", "tenancies", "tenagree"];

/// Money columns that say what is owed, in the order in which they are looked for.
const OWED: [&str; 3] = ["balance", "current_balance", "cur_bal"];

/// An authored step, its siblings taken together.
pub(super) struct Authored<'a> {
    /// Its name in the plan.
    pub(super) name: &'a str,
    /// Its siblings, in the plan's order; never empty.
    pub(super) steps: Vec<&'a StepSaid>,
}

impl Authored<'_> {
    /// What it does, in a few words: `38 contracts`.
    pub(super) fn what(&self) -> String {
        let first = self.steps[0];
        let rows = self.steps.iter().flat_map(|step| step.counts.values());
        let rows: u64 = rows
            .flat_map(|sets| sets.values())
            .map(|counts| counts.copied)
            .sum();
        match first.kind.as_str() {
            "contract-novation" => many(rows, "contract", "contracts"),
            "tenant-notification" => many(rows, "letter", "letters"),
            "staff-transfer" => many(rows, "person", "people"),
            "data-copy" => many(rows, "row", "rows"),
            _ if self.steps.len() == 1 => first.line.clone(),
            _ => format!("{} x{}", first.line, self.steps.len()),
        }
    }

    /// When: `Thu 1 Oct 12:00am`, `by Thu 17 Sep`, or nothing.
    pub(super) fn when(&self, preview: &Preview, dates: &Dates) -> String {
        let of_this =
            |id: &crate::plan::outline::StepId| self.steps.iter().any(|step| step.id == *id);
        let closing = preview
            .points
            .iter()
            .filter(|point| point.closes.iter().any(of_this));
        if let Some(at) = closing.filter_map(|point| point.at).min() {
            return dates.short(at);
        }
        let rows = preview.timetable.iter().filter(|row| of_this(&row.step));
        let rows: Vec<_> = rows.collect();
        let due = rows.iter().filter_map(|row| row.due).max();
        let start = rows.iter().filter_map(|row| row.start).min();
        match (due, start) {
            (Some(due), _) => format!("by {}", dates.day(due)),
            (None, Some(start)) => dates.short(start),
            (None, None) => String::new(),
        }
    }
}

/// Steps taken together by their authored name, those that `wanted` keeps.
pub(super) fn authored<'a>(
    preview: &'a Preview,
    wanted: impl Fn(&StepSaid) -> bool,
) -> Vec<Authored<'a>> {
    let mut all: Vec<Authored<'a>> = Vec::new();
    for step in preview.steps.iter().filter(|step| wanted(step)) {
        match all.iter_mut().find(|authored| *authored.name == *step.name) {
            Some(authored) => authored.steps.push(step),
            None => all.push(Authored {
                name: &step.name,
                steps: vec![step],
            }),
        }
    }
    all
}

/// Steps that nobody can undo.
pub(super) fn final_steps(preview: &Preview) -> Vec<Authored<'_>> {
    authored(preview, |step| step.undo == Undo::Cannot)
}

/// Steps that a person undoes, with the words that say how.
pub(super) fn by_hand(preview: &Preview) -> Vec<(Authored<'_>, &str)> {
    let steps = authored(preview, |step| matches!(step.undo, Undo::ByHand(_)));
    let with_words = steps.into_iter().map(|authored| {
        let words = match &authored.steps[0].undo {
            Undo::ByHand(words) => words.as_str(),
            _ => "",
        };
        (authored, words)
    });
    with_words.collect()
}

/// What a step closes, in words: `live data and staff`.
pub(super) fn closes(preview: &Preview, authored: &Authored<'_>) -> String {
    let ids: BTreeSet<_> = authored.steps.iter().map(|step| &step.id).collect();
    let closed = preview.points.iter();
    let closed = closed.filter(|point| point.closes.iter().any(|id| ids.contains(id)));
    let words: Vec<&str> = closed.map(|point| subject(point.subject)).collect();
    if words.is_empty() {
        return authored.what();
    }
    crate::report::words::listed(&words)
}

/// A subject in words.
pub(super) fn subject(subject: Subject) -> &'static str {
    match subject {
        Subject::Data => "live data",
        Subject::Staff => "staff",
        Subject::Contracts => "contracts",
        Subject::Tenants => "letters",
    }
}

/// A column of the table of what moves.
pub(super) enum Column<'a> {
    /// Rows of a dataset, under this heading.
    Rows(&'a str, &'a str),
    /// Pence of a column of a dataset.
    Pence(&'a str, &'a str, &'a str),
    /// Rows of all datasets.
    AllRows,
}

impl Column<'_> {
    /// Its heading.
    pub(super) fn head(&self) -> &str {
        match self {
            Column::Rows(_, head) | Column::Pence(_, _, head) => head,
            Column::AllRows => "rows",
        }
    }

    /// Its value for one organisation, or for all.
    pub(super) fn value(&self, preview: &Preview, org: Option<&str>) -> String {
        let sets = preview.reading.orgs.iter();
        let sets = sets.filter(|(code, _)| org.is_none_or(|org| org == &***code));
        let counts = sets.flat_map(|(_, sets)| sets);
        match self {
            Column::AllRows => count(counts.map(|(_, counts)| counts.copied).sum()),
            Column::Rows(dataset, _) => {
                let of = counts.filter(|(name, _)| name == dataset);
                count(of.map(|(_, counts)| counts.copied).sum())
            }
            Column::Pence(dataset, column, _) => {
                let of = counts.filter(|(name, _)| name == dataset);
                let pence = of.filter_map(|(_, counts)| counts.pence.get(*column)).sum();
                crate::report::words::money(pence)
            }
        }
    }
}

/// Homes, tenancies and rent owed where the maps have them; all rows otherwise.
pub(super) fn columns(preview: &Preview) -> Vec<Column<'_>> {
    let reading = &preview.reading;
    let homes = reading
        .named(&HOMES)
        .map(|name| Column::Rows(name, "homes"));
    let tenancies = reading
        .named(&TENANCIES)
        .map(|name| Column::Rows(name, "tenancies"));
    let mut columns: Vec<Column<'_>> = homes.into_iter().chain(tenancies).collect();
    if columns.is_empty() {
        columns.push(Column::AllRows);
    }
    columns.extend(owed(preview));
    columns
}

/// The first money column by name, or the first there is.
fn owed(preview: &Preview) -> Option<Column<'_>> {
    let sets = || preview.reading.orgs.values().flatten();
    let named = OWED.iter().find_map(|name| {
        let (dataset, counts) = sets().find(|(_, counts)| counts.pence.contains_key(*name))?;
        let (column, _) = counts.pence.get_key_value(*name)?;
        Some(Column::Pence(dataset, column, "rent owed"))
    });
    named.or_else(|| {
        let (dataset, counts) = sets().find(|(_, counts)| !counts.pence.is_empty())?;
        let (column, _) = counts.pence.first_key_value()?;
        Some(Column::Pence(dataset, column, column))
    })
}

/// Organisations that rows go to, in the plan's order.
pub(super) fn receiving(preview: &Preview) -> impl Iterator<Item = &str> {
    let moves = |code: &&crate::plan::model::Code| preview.reading.orgs.contains_key(*code);
    preview.targets.iter().filter(moves).map(AsRef::as_ref)
}

/// What an organisation is called.
pub(super) fn org<'a>(preview: &'a Preview, code: &'a str) -> &'a str {
    preview.orgs.get(code).map_or(code, String::as_str)
}

/// Rows nobody owns, in one line: in which table (or how many tables), and how many for which reason.
fn nobodys(preview: &Preview, depth: Depth) -> Option<String> {
    let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
    for (reason, rows) in preview.reading.unrouted.values().flatten() {
        *reasons.entry(reason).or_default() += rows;
    }
    let all: u64 = reasons.values().sum();
    let each = reasons
        .iter()
        .map(|(reason, rows)| format!("{reason} {}", count(*rows)));
    let each: Vec<String> = each.collect();
    let (rows, each) = (many(all, "row", "rows"), each.join(", "));
    let deeper = match depth {
        Depth::Rows => "",
        Depth::Brief | Depth::Steps => " (--depth rows)",
    };
    let with_rows = |(_, reasons): &(_, &BTreeMap<_, u64>)| reasons.values().any(|rows| *rows > 0);
    let mut tables = preview.reading.unrouted.iter().filter(with_rows);
    match (tables.next(), tables.count()) {
        (None, _) => None,
        (Some((table, _)), 0) => Some(format!("{rows} of `{table}` belong to no target: {each}")),
        (Some(_), more) => Some(format!(
            "{rows} in {} belong to no target: {each}{deeper}",
            some(more + 1, "table", "tables"),
        )),
    }
}

/// What needs a decision: findings that stop a step, and rows nobody owns.
pub(super) fn open_questions(preview: &Preview, depth: Depth) -> Vec<String> {
    let findings = preview.findings.iter().filter(|finding| finding.stops);
    let mut open: Vec<String> = findings
        .map(|finding| format!("{} ({})", finding.says, finding.code))
        .collect();
    open.extend(nobodys(preview, depth));
    if let Some(homes) = preview.homes.as_ref().filter(|homes| !homes.agrees()) {
        open.push(format!(
            "the plan speaks of {} homes, give or take {}; {} were read",
            count(homes.says),
            count(homes.tolerance),
            homes.found.map_or("none".to_owned(), count)
        ));
    }
    open
}

/// The hours before handover: time and authored name, one each.
pub(super) fn cutover(preview: &Preview, dates: &Dates) -> Vec<(String, String)> {
    let from = preview.handover - jiff::SignedDuration::from_hours(24);
    let mut night: Vec<(String, String)> = Vec::new();
    for row in &preview.timetable {
        let Some(when) = row
            .when()
            .filter(|at| (from..=preview.handover).contains(at))
        else {
            continue;
        };
        let named = preview.steps.iter().find(|step| step.id == row.step);
        let name = named.map_or(row.step.to_string(), |step| step.name.to_string());
        if !night.iter().any(|(_, seen)| *seen == name) {
            night.push((dates.time(when), name));
        }
    }
    night
}

/// How many decisions the gates ask for.
pub(super) fn decisions(preview: &Preview) -> usize {
    let gates = preview.steps.iter().filter(|step| step.kind == "approval");
    gates.map(|step| step.seats.len()).sum()
}

/// How many rows would be written at the organisations.
pub(super) fn rows_to_add(preview: &Preview) -> u64 {
    let sets = preview.reading.orgs.values().flat_map(|sets| sets.values());
    sets.map(|counts| counts.copied).sum()
}
