//! Values of several sources that meet in a unique key of the one target they go to: each council has a
//! contract `K00001`. Two rows cannot both have it there, so that this is told before anything moves.
//!
//! In: the copies that the author wrote as one step, their map, the target's keys. Out: findings.
//!
//! Not here: keys that we draw ourselves (`copy::draw`: they never meet).

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use super::{Fault, Finding, Look};
use crate::copy::look::{Mapped, mapped_rows};
use crate::copy::route::Route;
use crate::orgdb::Value;
use crate::orgdb::catalogue::Table;
use crate::plan::map::{Becomes, Dataset, Map, MapColumn, Namespace, Origin};
use crate::plan::model::{Code, Plan, Step, StepSpec};

/// What of several sources would meet: said once, with the first of the steps.
pub(super) async fn check(look: &Look) -> Result<Vec<Finding>, Fault> {
    let (Some(merge), true) = (Merge::of(&look.plan, look.step()), look.is_first()) else {
        return Ok(Vec::new());
    };
    let target = look.reader(merge.target)?.catalogue().await?;
    let mut found = Vec::new();
    for dataset in &merge.datasets {
        let Some(table) = target.tables.get(&dataset.into) else {
            continue;
        };
        for key in keys(table) {
            let Some(columns) = may_meet(dataset, key) else {
                continue;
            };
            let values = merge.meeting(look, dataset, &columns).await?;
            found.extend((values > 0).then(|| finding(dataset, &columns, values, merge.target)));
        }
    }
    Ok(found)
}

/// Several sources that go into one target through one map.
struct Merge<'p> {
    sources: Vec<&'p Code>,
    target: &'p Code,
    map: &'p Map,
    datasets: Vec<&'p Dataset>,
    split: Option<&'p str>,
}

impl<'p> Merge<'p> {
    fn of(plan: &'p Plan, step: &'p Step) -> Option<Merge<'p>> {
        let (_, target, map, datasets, split) = writes(step)?;
        let siblings = plan.written_as_one(step).filter_map(writes);
        let into = siblings.filter(|(_, other, ..)| *other == target);
        let mut sources: Vec<&Code> = into.map(|(source, ..)| source).collect();
        sources.sort_unstable();
        sources.dedup();
        (sources.len() > 1).then_some(Merge {
            sources,
            target,
            map,
            datasets,
            split,
        })
    }

    /// How many values of these columns stand at more than one source.
    async fn meeting(
        &self,
        look: &Look,
        dataset: &Dataset,
        columns: &[&MapColumn],
    ) -> Result<u64, Fault> {
        let narrow = Dataset {
            columns: columns.iter().map(|column| (*column).clone()).collect(),
            aliases: Vec::new(),
            ..dataset.clone()
        };
        let hasher = RandomState::new();
        // By a hash of the value: the source it was seen at first, and whether it was counted.
        let mut seen: HashMap<u64, (usize, bool)> = HashMap::new();
        let mut meeting = 0;
        for (at, source) in self.sources.iter().enumerate() {
            let route = Route {
                source: (*source).clone(),
                targets: vec![self.target.clone()],
                split: self.split.map(str::to_owned),
                handover: look.plan.handover,
            };
            let reader = look.reader(source)?;
            let rows = mapped_rows(reader, self.map, &narrow, &route, self.target).await?;
            for (_, mapped) in rows {
                let Mapped::Row(values) = mapped else {
                    continue;
                };
                if values.contains(&Value::Null) {
                    continue;
                }
                let texts: Vec<String> = values.iter().map(super::register::said).collect();
                let (first, counted) = seen.entry(hasher.hash_one(texts)).or_insert((at, false));
                if *first != at && !*counted {
                    *counted = true;
                    meeting += 1;
                }
            }
        }
        Ok(meeting)
    }
}

/// The source, target, map, datasets and split of a step that writes rows through a map.
type Writes<'p> = (
    &'p Code,
    &'p Code,
    &'p Map,
    Vec<&'p Dataset>,
    Option<&'p str>,
);

fn writes(step: &Step) -> Option<Writes<'_>> {
    Some(match &step.does {
        StepSpec::DataCopy(copy) => (
            &copy.source,
            &copy.target,
            &*copy.map,
            super::data_copy::datasets(copy),
            copy.split.as_deref(),
        ),
        StepSpec::StaffTransfer(staff) => (
            &staff.source,
            &staff.target,
            &*staff.map,
            staff.map.datasets.iter().collect(),
            staff.split.as_deref(),
        ),
        StepSpec::ContractNovation(contracts) => (
            &contracts.source,
            &contracts.target,
            &*contracts.map,
            contracts.map.datasets.iter().collect(),
            contracts.split.as_deref(),
        ),
        _ => return None,
    })
}

/// The sets of columns that no two rows of a table may share.
fn keys(table: &Table) -> impl Iterator<Item = &[String]> {
    let unique = table.indexes.values().filter(|(unique, _)| *unique);
    let unique = unique.map(|(_, columns)| columns.as_slice());
    let mut keys: Vec<&[String]> = std::iter::once(table.key.as_slice())
        .chain(unique)
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter().filter(|key| !key.is_empty())
}

/// The map's columns for a key in which sources could meet: all of it is filled, and nothing in it is
/// each source's own.
fn may_meet<'d>(dataset: &'d Dataset, key: &[String]) -> Option<Vec<&'d MapColumn>> {
    // Rows that share this key share the natural key, too: the map says what becomes of them.
    let told = dataset.natural_key.iter().all(|name| key.contains(name));
    if told && !dataset.natural_key.is_empty() {
        return None;
    }
    let column = |name: &String| {
        let mut columns = dataset.columns.iter();
        let drawn = dataset.id.as_deref() == Some(name);
        columns.find(|one| one.into == *name && !drawn && !of_the_source(one))
    };
    key.iter().map(column).collect()
}

fn of_the_source(column: &MapColumn) -> bool {
    matches!(column.from, Origin::SourceOrg)
        || matches!(column.becomes, Becomes::Lookup(_))
        || column.namespace == Namespace::Source
}

fn finding(dataset: &Dataset, columns: &[&MapColumn], values: u64, target: &Code) -> Finding {
    let names: Vec<&str> = columns.iter().map(|column| column.into.as_str()).collect();
    let about = format!("{}.{}", dataset.into, names.join("+"));
    let says = format!(
        "{values} values of `{about}` stand at several sources, and `{target}` takes each once"
    );
    let own = columns
        .iter()
        .find(|column| matches!(column.from, Origin::Column(_)));
    Finding {
        place: own.map(|column| column.place.clone()),
        rows: [(target.clone(), values)].into(),
        ..Finding::stop("HO537", about, says)
            .help("keep them apart with `namespace = true`, or mend them at the sources")
    }
}
