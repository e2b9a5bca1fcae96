//! The log as `OpenLineage` 2-0-2 run events, one a line: which copy read and wrote which datasets, which
//! check held them against each other, how each attempt came out.
//!
//! An attempt is an `OpenLineage` run: START, then exactly one of COMPLETE, FAIL and ABORT (its executor
//! was lost). An attempt that is still under way has no end yet. Its id is made from run, step,
//! generation and attempt, so that the same log gives the same ids.
//!
//! The log knows organisations, not hosts: a dataset's namespace is `handover://<organisation>`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Teller, Told};
use crate::machine::event::{About, Check, Entry, Event, StepCommitted};
use crate::plan::digest::Digest;
use crate::plan::map::{Dataset, Origin};
use crate::plan::model::{DataCopy, StepSpec};
use crate::plan::outline::StepId;

const SPEC: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";

/// Facets, by the version whose schema they keep.
const PARENT: &str = "1-2-0/ParentRunFacet.json#/$defs/ParentRunFacet";
const ERROR: &str = "1-0-1/ErrorMessageRunFacet.json#/$defs/ErrorMessageRunFacet";
const ROWS: &str =
    "1-0-2/OutputStatisticsOutputDatasetFacet.json#/$defs/OutputStatisticsOutputDatasetFacet";
const COLUMNS: &str = "1-2-0/ColumnLineageDatasetFacet.json#/$defs/ColumnLineageDatasetFacet";
const CHECKS: &str =
    "1-1-0/DataQualityAssertionsDatasetFacet.json#/$defs/DataQualityAssertionsDatasetFacet";

pub(super) struct Lineage<W: Write> {
    out: W,
    /// Attempts under way, with the checks that they told.
    open: BTreeMap<StepId, (About, Vec<Value>)>,
}

impl<W: Write> Lineage<W> {
    pub(super) fn new(out: W) -> Lineage<W> {
        Lineage {
            out,
            open: BTreeMap::new(),
        }
    }

    fn write(&mut self, tale: &Tale<'_>, about: &About) -> io::Result<()> {
        let Tale { entry, told, .. } = tale;
        let mut facets = facets([
            ("parent", PARENT, tale.parent()),
            (
                "handover_log",
                "",
                json!({ "origin": told.origin, "seq": entry.seq }),
            ),
        ]);
        if let Event::StepFailed(failed) = &entry.event {
            let error = json!({
                "message": failed.code.to_string(),
                "programmingLanguage": "Rust",
            });
            facets.insert("errorMessage".to_owned(), facet(ERROR, error));
        }
        let event = json!({
            "eventTime": entry.at.to_string(),
            "eventType": tale.kind,
            "producer": producer(),
            "schemaURL": SPEC,
            "run": { "runId": run_id(entry.run, about), "facets": facets },
            "job": { "namespace": format!("handover://{}", told.project()), "name": about.step },
            "inputs": tale.inputs,
            "outputs": tale.outputs,
        });
        serde_json::to_writer(&mut self.out, &event)?;
        self.out.write_all(b"\n")
    }
}

/// What one line says.
struct Tale<'a> {
    kind: &'static str,
    entry: &'a Entry,
    told: &'a Told,
    inputs: Vec<Value>,
    outputs: Vec<Value>,
}

impl Tale<'_> {
    fn parent(&self) -> Value {
        let namespace = format!("handover://{}", self.told.project());
        json!({
            "run": { "runId": self.entry.run },
            "job": { "namespace": namespace, "name": self.told.origin },
        })
    }
}

impl<W: Write> Teller for Lineage<W> {
    fn entry(&mut self, entry: &Entry, told: &Told) -> io::Result<()> {
        let Some(about) = &entry.about else {
            return Ok(());
        };
        let step = told.plan(entry).and_then(|plan| plan.step(&about.step));
        let Some(does) = step
            .map(|step| &step.does)
            .filter(|does| moves_or_checks(does))
        else {
            return Ok(());
        };
        let checks = self.open.get_mut(&about.step).map(|(_, checks)| checks);
        let kind = match (&entry.event, checks) {
            (Event::CheckPassed(check), Some(checks)) => {
                checks.push(assertion(check, true));
                return Ok(());
            }
            (Event::CheckFailed(check), Some(checks)) => {
                checks.push(assertion(check, false));
                return Ok(());
            }
            (Event::StepStarted(_), _) => "START",
            (Event::StepCommitted(_), Some(_)) => "COMPLETE",
            (Event::StepFailed(_), Some(_)) => "FAIL",
            // Put aside for a person, or taken back after its executor was lost.
            (Event::HoldBegun(_) | Event::UndoStarted(_), Some(_)) => "ABORT",
            _ => return Ok(()),
        };
        let before = self.open.remove(&about.step);
        let mut tale = Tale {
            kind,
            entry,
            told,
            inputs: inputs(does),
            outputs: Vec::new(),
        };
        if kind == "START" {
            if let Some((lost, _)) = before {
                tale.kind = "ABORT";
                self.write(&tale, &lost)?;
                tale.kind = kind;
            }
            self.open
                .insert(about.step.clone(), (about.clone(), Vec::new()));
            return self.write(&tale, about);
        }
        let Some((about, checks)) = before else {
            return Ok(());
        };
        if let Event::StepCommitted(done) = &entry.event {
            tale.outputs = outputs(does, done);
        }
        if !checks.is_empty() {
            tale.inputs.push(checked(told, &about.step, &checks));
        }
        self.write(&tale, &about)
    }

    fn end(mut self, _: &Told) -> io::Result<()> {
        self.out.flush()
    }
}

fn moves_or_checks(does: &StepSpec) -> bool {
    copy_of(does).is_some() || matches!(does, StepSpec::Verify(_))
}

fn copy_of(does: &StepSpec) -> Option<&DataCopy> {
    match does {
        StepSpec::DataCopy(copy) => Some(copy),
        StepSpec::CatchUp(again) => Some(&again.copy),
        _ => None,
    }
}

/// The source tables of a copy.
fn inputs(does: &StepSpec) -> Vec<Value> {
    let Some(copy) = copy_of(does) else {
        return Vec::new();
    };
    let tables = copy.tables.iter();
    tables.map(|table| dataset(&copy.source, table)).collect()
}

/// What a copy wrote, with its rows and where each column came from.
fn outputs(does: &StepSpec, done: &StepCommitted) -> Vec<Value> {
    let Some(copy) = copy_of(does) else {
        return Vec::new();
    };
    let written = done.outputs.iter().map(|output| {
        let org = output.org.as_deref().unwrap_or(&copy.target);
        let mapped = copy.map.datasets.iter();
        let mapped = mapped.clone().find(|one| one.name == *output.dataset);
        let table = mapped.map_or(&*output.dataset, |one| one.into.as_str());
        let mut value = dataset(org, table);
        let rows = json!({ "rowCount": output.rows });
        value["outputFacets"] = facets([("outputStatistics", ROWS, rows)]).into();
        if let Some(mapped) = mapped {
            let fields = json!({ "fields": columns(copy, mapped) });
            value["facets"] = facets([("columnLineage", COLUMNS, fields)]).into();
        }
        value
    });
    written.collect()
}

/// Source columns of each target column, as the map says.
fn columns(copy: &DataCopy, of: &Dataset) -> Map<String, Value> {
    let namespace = format!("handover://{}", copy.source);
    let mut fields = Map::new();
    for column in &of.columns {
        let from = match &column.from {
            Origin::Column(from) | Origin::Split { column: from, .. } => vec![from],
            Origin::Concat { columns, .. } => columns.iter().collect(),
            _ => Vec::new(),
        };
        let from = from.into_iter().map(
            |from| json!({ "namespace": namespace, "name": from.table, "field": from.column }),
        );
        let from: Vec<Value> = from.collect();
        if !from.is_empty() {
            fields.insert(column.into.clone(), json!({ "inputFields": from }));
        }
    }
    fields
}

/// What a verification held against each other, as one dataset with its assertions.
fn checked(told: &Told, step: &StepId, checks: &[Value]) -> Value {
    let mut value = dataset(told.project(), step.as_str());
    let checks = json!({ "assertions": checks });
    value["inputFacets"] = facets([("dataQualityAssertions", CHECKS, checks)]).into();
    value
}

fn assertion(check: &Check, success: bool) -> Value {
    json!({
        "assertion": check.rule,
        "success": success,
        "expected": check.expected,
        "actual": check.actual,
    })
}

fn dataset(org: &str, name: &str) -> Value {
    json!({ "namespace": format!("handover://{org}"), "name": name })
}

fn facets<const N: usize>(of: [(&str, &str, Value); N]) -> Map<String, Value> {
    of.into_iter()
        .map(|(name, schema, value)| (name.to_owned(), facet(schema, value)))
        .collect()
}

/// A facet says who made it and which schema it keeps; one of our own keeps the base's.
fn facet(schema: &str, mut value: Value) -> Value {
    value["_producer"] = producer().into();
    value["_schemaURL"] = if schema.is_empty() {
        "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunFacet".into()
    } else {
        format!("https://openlineage.io/spec/facets/{schema}").into()
    };
    value
}

fn producer() -> String {
    format!("urn:handover:{}", env!("CARGO_PKG_VERSION"))
}

/// The same for the same attempt, different for every other.
fn run_id(run: Uuid, about: &About) -> Uuid {
    let text = format!(
        "{run} {} {} {}",
        about.step, about.generation, about.attempt
    );
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&Digest::of(text.as_bytes()).0[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}
