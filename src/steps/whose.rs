//! Whether the rules by which a step shares rows out hold of the live ones: every row is taken, by rules of
//! one organisation only.
//!
//! In: a step's map and `split`, its source. Out: findings at the lines of the rules.
//!
//! Not here: looking at the rows (`copy::look::rules`), what the rules say against themselves (`plan`).

use super::{Fault, Finding, Look, shape};
use crate::copy::look::rules::unsettled;
use crate::orgdb::Catalogue;
use crate::plan::map::{Map, Split};
use crate::plan::model::Code;

/// Tables and columns that the rules read and the source does not have; nothing where a column says whose
/// rows are.
pub(super) fn misfits(map: &Map, split: Option<&str>, source: &Catalogue) -> Vec<Finding> {
    let split = split.and_then(|split| map.splits.get(split));
    split.map_or(Vec::new(), |split| shape::judged(map, split, source))
}

/// Rows that the rules do not settle, where [`misfits`] found nothing.
pub(super) async fn check(
    look: &Look,
    source: &Code,
    map: &Map,
    split: Option<&str>,
) -> Result<Vec<Finding>, Fault> {
    let Some(split) = split.and_then(|split| map.splits.get(split)) else {
        return Ok(Vec::new());
    };
    let rows = unsettled(look.reader(source)?, map, split).await?;
    let mut found: Vec<Finding> = rows
        .several
        .iter()
        .map(|(rules, rows)| several(look, (map, split), rules, *rows))
        .collect();
    found.extend((rows.nobodys > 0).then(|| nobodys(split, rows.nobodys)));
    Ok(found)
}

fn several(look: &Look, (map, split): (&Map, &Split), rules: &[usize], rows: u64) -> Finding {
    let owners: Vec<String> = split
        .owners(rules)
        .iter()
        .map(|owner| format!("`{owner}`"))
        .collect();
    let lines: Vec<String> = rules
        .iter()
        .filter_map(|at| line(look, map, split, *at))
        .collect();
    let (owners, lines) = (owners.join(" and "), lines.join(" and "));
    let says = format!(
        "rules of {owners} take the same rows of `{}`, {rows} in all: those at lines {lines}",
        split.table
    );
    let about = format!("{}, lines {lines}", split.table);
    let last = rules.last().and_then(|at| split.rules.get(*at));
    Finding {
        place: last.map(|rule| rule.place.clone()),
        ..Finding::stop("HO548", about, says)
            .help("narrow one of them with a further condition, or mend the rows at the source")
    }
}

/// The line of the map at which a rule begins.
fn line(look: &Look, map: &Map, split: &Split, rule: usize) -> Option<String> {
    let text = look.plan.papers.text(&map.path)?;
    let before = text.get(..split.rules.get(rule)?.place.span.start)?;
    Some((before.matches('\n').count() + 1).to_string())
}

fn nobodys(split: &Split, rows: u64) -> Finding {
    let table = &split.table;
    let says = format!("rows of `{table}` pass no rule of `[[split.{table}]]`: {rows} in all");
    Finding {
        place: Some(split.place.clone()),
        ..Finding::warn("HO547", table, says).help(
            "they stay behind with all that leads to them; add a rule for them, or one that says `otherwise = true`",
        )
    }
}
