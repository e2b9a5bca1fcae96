//! The preview of a rollback as people read it: what is undone, what stays done, what a person must
//! do, which rows changed since, how long it takes, who must sign.
//!
//! JSON is the rollback's preview file itself.
//!
//! Not here: finding that out (`preview::rollback`).

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Report;
use super::ink::{Lines, Manner, Tone, ends};
use super::words::{Dates, listed, many, some, span};
use crate::machine::event::{ClockKind, UndoMode};
use crate::plan::outline::{StepId, Subject};
use crate::preview::RollbackPreview;
use crate::preview::rollback::{StaySaid, UndoSaid, Why};

/// A rollback's preview to be read.
#[derive(Debug, Clone)]
pub struct RollbackReport<'a> {
    /// What was looked at.
    pub preview: &'a RollbackPreview,
    /// The file it was saved to.
    pub saved: Option<&'a str>,
    /// The commands that come next, one a line.
    pub next: &'a [String],
}

impl Serialize for RollbackReport<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.preview.serialize(serializer)
    }
}

impl Report for RollbackReport<'_> {
    fn drawn(&self, manner: Manner) -> String {
        let preview = self.preview;
        let mut lines = Lines::new();
        let banner = match preview.clock {
            ClockKind::Real => "PREVIEW: nothing was changed",
            ClockKind::MadeUp => "REHEARSAL PREVIEW: nothing was changed",
        };
        let first = ends(&format!("ROLLBACK to {}", place(preview)), banner);
        lines.line(first.replace(banner, &manner.head(banner)));
        let dates = Dates::of(&preview.timezone);
        lines.line(format!(
            "{}. Read {}",
            preview.title,
            dates.moment(preview.read_at)
        ));
        for (mark, text) in facts(preview) {
            let lead = format!("  {mark} ");
            match mark {
                '!' => lines.wrapped(
                    &lead,
                    &text.replace("Stays done", &manner.paint(Tone::Bad, "Stays done")),
                ),
                _ => lines.wrapped(&lead, &text),
            };
        }
        lines.wrapped("", &self.closing());
        for (at, next) in self.next.iter().enumerate() {
            lines.wrapped(if at == 0 { "Next: " } else { "      " }, next);
        }
        lines.text()
    }

    fn plain(&self) -> String {
        let preview = self.preview;
        let mut lines = Lines::new();
        lines.line(format!(
            "This is a preview of a rollback to {}: nothing was changed.",
            place(preview)
        ));
        if preview.clock == ClockKind::MadeUp {
            lines.line("This is a rehearsal: the clock is made up, and so are the data.");
        }
        for (mark, text) in facts(preview) {
            let lead = match mark {
                '-' => "Would be undone: ",
                '~' => "By hand: ",
                '?' => "Changed since: ",
                _ => "",
            };
            lines.line(format!("{lead}{text}."));
        }
        lines.line(self.closing());
        for next in self.next {
            lines.line(format!("Next: {next}"));
        }
        lines.text()
    }
}

impl RollbackReport<'_> {
    fn closing(&self) -> String {
        let preview = self.preview;
        let time = match preview.rehearsed_s {
            Some(seconds) => format!("About {} as rehearsed.", span(seconds)),
            None => "How long it takes is not known: no rehearsal undid all of it.".to_owned(),
        };
        let voids = match preview.voids.len() {
            0 => String::new(),
            lapse => format!(
                " {} void.",
                some(lapse, "decision becomes", "decisions become")
            ),
        };
        let saved = self
            .saved
            .map_or(String::new(), |file| format!(", saved to {file}"));
        let rows = preview.undoes.iter().any(|undo| undo.removes > 0);
        let locks = if rows {
            " While it is proved what nobody has touched, nobody else writes to the tables whose rows go, nor \
             to those that refer to them where that lock is to be had: on SQLite to no table of the file, on \
             MariaDB nobody reads them either. Where a server gives no lock in time, each effect holds its own \
             rows instead."
        } else {
            ""
        };
        let needs = match preview.missing() {
            0 => "It has every signature that it needs.".to_owned(),
            missing => format!(
                "It needs {}, by different people.",
                some(missing, "signature", "signatures")
            ),
        };
        format!(
            "{time}{locks}{voids} Fingerprint {}{saved}. {needs}",
            preview.digest().short()
        )
    }
}

fn place(preview: &RollbackPreview) -> String {
    match &preview.made_by {
        Some(step) => format!("checkpoint c{}, after {step}", preview.checkpoint),
        None => format!("checkpoint c{}, before everything", preview.checkpoint),
    }
}

/// Every fact with the mark it stands under.
fn facts(preview: &RollbackPreview) -> Vec<(char, String)> {
    let mut facts = Vec::new();
    for (names, undo) in alike(preview) {
        facts.push(('-', format!("{names}: {undo}")));
    }
    for (stay, words) in preview.by_hand() {
        facts.push((
            '~',
            format!(
                "{}, which a person takes back and attests: {words}",
                stay.step
            ),
        ));
    }
    let stays = preview
        .stays
        .iter()
        .filter(|stay| !matches!(stay.why, Why::ByHand(_)));
    facts.extend(stays.map(|stay| ('!', format!("Stays done: {} ({})", stay.step, why(stay)))));
    let treated = treated(preview.mode);
    let changed = changed_rows(preview).into_iter();
    facts.extend(changed.map(|changed| ('?', format!("{changed}: {treated}"))));
    facts.extend(shut_out(preview).map(|shut| ('=', shut)));
    if !preview.again.is_empty() {
        let again: Vec<&str> = preview.again.iter().map(StepId::as_str).collect();
        facts.push(('=', format!("To be done again: {}", listed(&again))));
    }
    facts
}

/// Rows that somebody changed since the run wrote them: `copy-homes/dover: 1 row of `asset` edited since`.
#[must_use]
pub fn changed_rows(preview: &RollbackPreview) -> Vec<String> {
    let each = |undo: &UndoSaid| {
        let said = undo.changed.iter().map(|changed| {
            let rows = many(changed.rows, "row", "rows");
            format!(
                "{}: {rows} of `{}` {} since",
                undo.step, changed.table, changed.class
            )
        });
        said.collect::<Vec<_>>()
    };
    preview.undoes.iter().flat_map(each).collect()
}

/// Where nobody else writes meanwhile: `Shut to other writers meanwhile, dover: asset and tenancy`.
fn shut_out(preview: &RollbackPreview) -> impl Iterator<Item = String> {
    let mut places: BTreeMap<Option<&str>, BTreeSet<&String>> = BTreeMap::new();
    for undo in preview.undoes.iter().filter(|undo| !undo.shuts.is_empty()) {
        let tables = places.entry(undo.org.as_deref()).or_default();
        tables.extend(&undo.shuts);
    }
    places.into_iter().map(|(org, tables)| {
        let place = org.map_or(String::new(), |org| format!(", {org}"));
        let tables: Vec<String> = tables.iter().map(|table| format!("`{table}`")).collect();
        format!(
            "Shut to other writers meanwhile{place}: {}",
            listed(&tables)
        )
    })
}

/// Siblings whose undo reads the same stand on one line.
fn alike(preview: &RollbackPreview) -> Vec<(String, String)> {
    let mut groups: Vec<(&str, Vec<&UndoSaid>)> = Vec::new();
    for undo in &preview.undoes {
        let name = undo.step.as_str().split('/').next().unwrap_or_default();
        match groups.last_mut() {
            Some((last, group)) if *last == name => group.push(undo),
            _ => groups.push((name, vec![undo])),
        }
    }
    let said = groups.into_iter().map(|(name, group)| {
        let orgs: Vec<&str> = group
            .iter()
            .filter_map(|undo| undo.org.as_deref())
            .collect();
        let names = if orgs.is_empty() {
            name.to_owned()
        } else {
            format!("{name} / {}", orgs.join(", "))
        };
        (names, undone(&group))
    });
    said.collect()
}

fn undone(group: &[&UndoSaid]) -> String {
    let removes: u64 = group.iter().map(|undo| undo.removes).sum();
    let restores: u64 = group.iter().map(|undo| undo.restores).sum();
    let frozen = group.iter().all(|undo| undo.kind == "freeze");
    let mut parts = Vec::new();
    if frozen {
        parts.push("writable again".to_owned());
    }
    if removes > 0 {
        parts.push(format!(
            "remove {} that this run added",
            many(removes, "row", "rows")
        ));
    }
    if restores > 0 {
        parts.push(format!(
            "put back {} as before",
            many(restores, "row", "rows")
        ));
    }
    if parts.is_empty() {
        parts.push("nothing was written".to_owned());
    }
    listed(&parts)
}

fn why(stay: &StaySaid) -> &'static str {
    match &stay.why {
        Why::Cannot => "nobody can take it back",
        Why::ByHand(_) => "by hand only",
        Why::Closed(Subject::Data) => "live data are past their point of no return",
        Why::Closed(Subject::Staff) => "staff are past their point of no return",
        Why::Closed(Subject::Contracts) => "contracts are past their point of no return",
        Why::Closed(Subject::Tenants) => "letters are past their point of no return",
    }
}

fn treated(mode: UndoMode) -> &'static str {
    match mode {
        UndoMode::Refuse => "nothing is undone until a person decides",
        UndoMode::Skip => "kept and reported",
        UndoMode::Force => "taken out too and reported",
    }
}
