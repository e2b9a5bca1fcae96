//! `crosswalk`: each row of ours under the one name by which other rows find it, and no name for two rows
//! unless somebody decided so.
//!
//! In: copies, the targets. Out: one check for each table that other rows find by the crosswalk.
//!
//! Not here: how names and rows are held together (`copy::verify::crosswalk`).

use std::collections::BTreeMap;

use super::compare::Over;
use super::{Copied, Found, holds, mark};
use crate::copy::verify::crosswalk::{Named, Walked, Whose, walked};
use crate::machine::event::Check;
use crate::plan::map::{Dataset, Origin};
use crate::plan::model::Plan;
use crate::steps::{Fault, Finding, data_copy};

/// Tables that have names, by table: what fills them, and whether all of it keeps its names.
fn tables<'a>(copied: &Copied<'a>) -> BTreeMap<&'a str, (Vec<&'a Dataset>, bool)> {
    let mut tables: BTreeMap<&str, (Vec<&Dataset>, bool)> = BTreeMap::new();
    for dataset in data_copy::datasets(copied.copy) {
        let keeps = copied.copy.map.keeps_names(dataset);
        let table = tables.entry(&dataset.into).or_insert((Vec::new(), true));
        table.0.push(dataset);
        table.1 &= keeps;
    }
    let named = |dataset: &&Dataset| copied.copy.map.keeps_names(dataset);
    tables.retain(|_, (datasets, _)| datasets.iter().any(named));
    tables
}

/// How a table's rows are told; none where they are not, or where some of what fills it has no names.
fn named(
    table: &str,
    (datasets, whole): &(Vec<&Dataset>, bool),
    copied: &Copied<'_>,
    plan: &Plan,
) -> Option<Named> {
    let marks = datasets.iter().map(|dataset| mark(copied, dataset, plan));
    let marks: Option<Vec<_>> = marks.collect();
    let marks = marks?;
    let (first, others) = marks.split_first()?;
    let alike = others
        .iter()
        .all(|other| (other.run, other.source) == (first.run, first.source));
    let keys: Option<Vec<&str>> = datasets
        .iter()
        .map(|dataset| holds(dataset, &Origin::SourceKey))
        .collect();
    let key = keys.filter(|keys| keys.windows(2).all(|two| two[0] == two[1]));
    (alike && *whole).then(|| Named {
        table: table.to_owned(),
        mark: (first.run.to_owned(), first.source.map(str::to_owned)),
        source_key: key.and_then(|keys| keys.first().map(|key| (*key).to_owned())),
        datasets: datasets.iter().map(|dataset| (*dataset).clone()).collect(),
    })
}

/// Tables whose names could not be held against their rows.
pub(super) fn untold(copies: &[Copied<'_>], plan: &Plan) -> Vec<Finding> {
    let mut found = BTreeMap::new();
    for copied in copies {
        for (table, of) in tables(copied) {
            if named(table, &of, copied, plan).is_none() {
                let says = format!(
                    "the crosswalk of `{table}` cannot be held against its rows: they do not all say \
                     which run they came in, or some of them have no name"
                );
                let help = "map one column from the run, and where several sources go into one \
                            target, one from the source";
                found.insert(table, Finding::stop("HO535", table, says).help(help));
            }
        }
    }
    found.into_values().collect()
}

impl Over<'_> {
    /// Every table of every copy whose rows others find by the crosswalk.
    pub(super) async fn crosswalk(&self, found: &mut Found) -> Result<(), Fault> {
        let plan = &self.act.look.plan;
        for copied in self.copies {
            let copy = copied.copy;
            let tables = tables(copied);
            let asked = tables
                .iter()
                .filter_map(|(table, of)| named(table, of, copied, plan));
            let whose = Whose {
                run: self.act.deed.run,
                source: copy.source.clone(),
                target: copy.target.clone(),
            };
            let reader = self.act.look.reader(&copy.target)?;
            let work = (asked.collect(), copy.map.decisions.clone());
            for (table, walked) in walked(reader, whose, work).await? {
                let (source, target) = (&copy.source, &copy.target);
                found.rows += walked.differing();
                found.check(Check {
                    rule: format!("crosswalk {table} at {target} from {source}").into(),
                    expected: words(&Walked {
                        nameless: 0,
                        rowless: 0,
                        twofold: 0,
                        undecided: 0,
                        ..walked
                    }),
                    actual: words(&walked),
                });
            }
        }
        Ok(())
    }
}

fn words(walked: &Walked) -> String {
    format!(
        "{} keys: {} rows without a name, {} names without a row, {} rows under two keys; {} merged, {} of \
         them undecided",
        walked.rows,
        walked.nameless,
        walked.rowless,
        walked.twofold,
        walked.merged,
        walked.undecided
    )
}
