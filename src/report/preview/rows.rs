//! The rows depth: per organisation and dataset what would be copied, kept back and left out, with the
//! sums of money; rows nobody owns; codes that maps do not cover.

use super::facts::org;
use crate::copy::counts::Counts;
use crate::preview::Preview;
use crate::report::ink::{Lines, Manner};
use crate::report::table::{Side, Table};
use crate::report::words::{count, many, money};

pub(super) fn rows(preview: &Preview, manner: Manner) -> String {
    let mut lines = Lines::new();
    for (code, datasets) in &preview.reading.orgs {
        lines
            .gap()
            .line(manner.head(&org(preview, code).to_uppercase()));
        let mut table = Table::new(&[
            (Side::Left, 26),
            (Side::Right, 11),
            (Side::Right, 11),
            (Side::Right, 11),
        ]);
        table.row(["  dataset", "copied", "kept back", "left out"]);
        for (name, counts) in datasets {
            let kept_back = counts.rejected.values().sum();
            let left_out = counts.filtered.values().sum();
            table.row([
                format!("  {name}"),
                count(counts.copied),
                count(kept_back),
                count(left_out),
            ]);
        }
        table.lines("").iter().for_each(|line| {
            lines.line(line);
        });
        for (name, counts) in datasets {
            for detail in details(name, counts) {
                lines.wrapped("    ", &detail);
            }
        }
    }
    nobodys(&mut lines, preview, manner);
    lines.line(format!("Reading {}", preview.reading.digest.short()));
    lines.text()
}

/// Money, and why rows stay behind.
pub(super) fn details(name: &str, counts: &Counts) -> Vec<String> {
    let pence = counts.pence.iter();
    let pence = pence.map(|(column, pence)| format!("{name}: {column} {}", money(*pence)));
    let kept = counts
        .rejected
        .iter()
        .map(|(rule, rows)| format!("{name}: {} kept back, {rule}", many(*rows, "row", "rows")));
    let left = counts
        .filtered
        .iter()
        .map(|(reason, rows)| format!("{name}: {} left out, {reason}", many(*rows, "row", "rows")));
    let merged = counts.merged.iter();
    let merged = merged.map(|(policy, rows)| {
        let rows = many(*rows, "row", "rows");
        format!("{name}: {rows} stand as others that were there before, {policy}")
    });
    let mended = counts.mended.iter().map(|(rule, values)| {
        format!(
            "{name}: {} mended, {rule}",
            many(*values, "value", "values")
        )
    });
    pence
        .chain(kept)
        .chain(left)
        .chain(merged)
        .chain(mended)
        .collect()
}

fn nobodys(lines: &mut Lines, preview: &Preview, manner: Manner) {
    if !preview.reading.unrouted.is_empty() {
        lines
            .gap()
            .line(manner.head("ROWS THAT BELONG TO NO TARGET"));
    }
    for (table, reasons) in &preview.reading.unrouted {
        for (reason, rows) in reasons {
            let text = format!("{table}: {}, {reason}", many(*rows, "row", "rows"));
            lines.wrapped("  ", &text);
        }
    }
    if !preview.unmapped.is_empty() {
        lines.gap().line(manner.head("CODES THAT NO LIST COVERS"));
    }
    for used in &preview.unmapped {
        let rows: Vec<String> = used
            .rows
            .iter()
            .map(|(code, rows)| format!("{} {}", org(preview, code), count(*rows)))
            .collect();
        let text = format!(
            "{} [code.{}] `{}`: {}",
            used.map,
            used.list,
            used.code,
            rows.join(", ")
        );
        lines.wrapped("  ", &text);
    }
    lines.gap();
}
