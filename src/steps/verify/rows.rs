//! `keyed digests`: every row that the copies wrote, read back; those that differ narrowed to their
//! columns, and rows that nobody of ours wrote.
//!
//! In: copies and what caught up with them. Out: one check a copy; rows by keyed digest in the restricted
//! detail.
//!
//! Not here: how a row is read back (`copy::verify`), narrowed (`copy::narrow`), found to be extra
//! (`copy::extra`).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::compare::deed;
use super::{Copied, Found};
use crate::copy::ledger::Deed;
use crate::copy::verify::extra::{Extra, Search, extra, marked};
use crate::copy::verify::narrow::{Narrow, Narrowed, narrow};
use crate::copy::verify::{Digested, digests};
use crate::orgdb::Dialect;
use crate::plan::model::{Code, DataCopy, Plan, StepSpec};
use crate::plan::outline::StepId;
use crate::steps::{Act, Fault, catch_up, data_copy};

/// What reading every row back has shown.
#[derive(Default)]
pub(super) struct Rows<'a> {
    /// By step: each copy, then what caught up with it.
    steps: Vec<(&'a StepId, Read)>,
    /// Rows that no ledger knows, by target.
    extra: BTreeMap<&'a Code, Extra>,
}

struct Read {
    digested: Digested,
    /// The rows that differ; why they could not be narrowed.
    narrowed: Result<Vec<Narrowed>, String>,
}

/// Reads back every row of every copy.
pub(super) async fn read_back<'a>(act: &Act, copies: &[Copied<'a>]) -> Result<Rows<'a>, Fault> {
    let mut rows = Rows::default();
    for Copied { id, copy, since } in copies {
        let reader = act.look.reader(&copy.target)?;
        for step in std::iter::once(id).chain(since) {
            let deed = deed(act, step)?;
            let digested = digests(reader, &deed).await?;
            let narrowed = narrowed(act, &deed, copy, &digested).await;
            rows.steps.push((step, Read { digested, narrowed }));
        }
    }
    let differing: u64 = rows
        .steps
        .iter()
        .map(|(_, read)| read.digested.differing)
        .sum();
    for Copied { copy, .. } in copies {
        if rows.extra.contains_key(&copy.target) {
            continue;
        }
        let same = copies.iter().filter(|one| one.copy.target == copy.target);
        let tables = marked(same.flat_map(|one| data_copy::datasets(one.copy)));
        let search = Search {
            all_stand: differing == 0,
            values: false,
        };
        let reader = act.look.reader(&copy.target)?;
        let found = extra(reader, &act.deed, tables, search).await?;
        rows.extra.insert(&copy.target, found);
    }
    Ok(rows)
}

/// A difference stands whether or not its column can be told: a source that cannot be read is no reason
/// to lose it.
async fn narrowed(
    act: &Act,
    deed: &Deed,
    copy: &DataCopy,
    digested: &Digested,
) -> Result<Vec<Narrowed>, String> {
    let none = BTreeMap::new();
    let generations = act.look.run.as_ref().map_or(&none, |run| &run.generations);
    let words = |says: &str| says.to_owned();
    let target = act
        .look
        .reader(&copy.target)
        .map_err(|fault| words(&fault.says))?;
    let source = act
        .look
        .reader(&copy.source)
        .map_err(|fault| words(&fault.says))?;
    let about = narrowing(&act.look.plan, generations, deed, target.dialect());
    let (_, work) = about.ok_or_else(|| words("no copy of the plan wrote them"))?;
    let found = narrow(source, target, work, digested).await;
    found.map_err(|fault| fault.to_string())
}

/// How rows that a step wrote are narrowed, and from which source they came: a copy's, or those of what
/// caught up with it; none for steps of other kinds.
pub(crate) fn narrowing<'p>(
    plan: &'p Plan,
    generations: &BTreeMap<StepId, u32>,
    deed: &Deed,
    target: Dialect,
) -> Option<(&'p Code, Narrow)> {
    let step = plan.steps.iter().find(|step| step.id == deed.step)?;
    let (id, copy) = match &step.does {
        StepSpec::DataCopy(copy) => (&step.id, copy),
        StepSpec::CatchUp(catch_up) => (&catch_up.of, &catch_up.copy),
        _ => return None,
    };
    let generation = |id: &StepId| generations.get(id).copied();
    let since = catch_up::following(plan, id);
    let work = Narrow {
        load: data_copy::work(plan, copy, target),
        copied: Deed {
            step: id.clone(),
            generation: generation(id)?,
            ..deed.clone()
        },
        since: since
            .filter_map(|id| Some((id.clone(), generation(id)?)))
            .collect(),
        values: false,
    };
    Some((&copy.source, work))
}

impl Rows<'_> {
    /// One check for each step, one more for each target with rows that nobody of ours wrote.
    pub(super) fn compare(&self, found: &mut Found) {
        for (id, Read { digested, narrowed }) in &self.steps {
            found.rows += digested.differing;
            match narrowed {
                Ok(rows) => rows.iter().for_each(|row| name(found, id.as_str(), row)),
                Err(why) => {
                    for differs in &digested.differences {
                        let line =
                            format!("{id} {} {} - {}", differs.table, differs.row, differs.class);
                        found.detail.push_str(&line);
                        found.detail.push('\n');
                    }
                    let _ = writeln!(found.detail, "{id}: the columns cannot be told: {why}");
                }
            }
            found.compare(
                format!("keyed digests {id}"),
                format!("0 of {} rows differ", digested.rows),
                format!("{} of {} rows differ", digested.differing, digested.rows),
            );
        }
        for (target, extra) in self.extra.iter().filter(|(_, extra)| extra.rows > 0) {
            found.rows += extra.rows;
            for row in &extra.named {
                name(found, target, row);
            }
            found.compare(
                format!("extra rows at {target}"),
                "0 rows that no ledger knows".to_owned(),
                format!("{} rows that no ledger knows", extra.rows),
            );
        }
    }
}

/// One line for each column that differs.
fn name(found: &mut Found, whose: &str, row: &Narrowed) {
    for (column, class) in row.told() {
        let column = column.map_or("-", |column| &column.name);
        let _ = writeln!(
            found.detail,
            "{whose} {} {} {column} {class}",
            row.table, row.row
        );
    }
}
