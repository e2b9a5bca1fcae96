//! `staff-transfer`: employees assigned to this organisation begin at the target with their five
//! continuity fields as they were and end at the source, the day before it takes effect (TUPE 2006,
//! regulation 4). Objectors, the unassigned and those who left stay out, each with a reason: copying
//! an objector would be a breach.
//!
//! In: the staff register and its map. Out: rows in the target's `employee`, last days at the source.
//! Two effects a batch, target first: a person is never without an employer on paper.
//!
//! Not here: from when on it cannot be undone (`plan`, `machine`).

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use jiff::civil::Date;

use super::hand::Hand;
use super::register::{Line, Register, dataset, said};
use super::{Act, Fault, Finding, Forecast, Look, Output, shape, whose};
use crate::copy::counts::Counts;
use crate::copy::ledger::Pen;
use crate::copy::look::Mapped;
use crate::machine::event::{Check, DatasetCount};
use crate::orgdb::{Ident, Value};
use crate::plan::digest::Digest;
use crate::plan::map::{Dataset, Origin};
use crate::plan::model::{Code, StaffTransfer};
use crate::sql;

const INTO: &str = "employee";
const BATCH: usize = 200;

/// What may not change in a transfer: reference, continuous service, contract type, hours, pay.
const CONTINUITY: [&str; 5] = [
    "employee_ref",
    "continuous_service_start",
    "contract_type",
    "hours_week",
    "annual_pay",
];

pub(super) async fn check(look: &Look, step: &StaffTransfer) -> Result<Vec<Finding>, Fault> {
    let dataset = match dataset(&step.map, INTO) {
        Ok(dataset) => dataset,
        Err(finding) => return Ok(vec![finding]),
    };
    let source = look.reader(&step.source)?.catalogue().await?;
    let target = look.reader(&step.target)?.catalogue().await?;
    let mut found = shape::misfits(&step.map, &[dataset], &source, &target);
    found.extend(shape::lacks(&source, &step.list, &step.ends));
    found.extend(bends_continuity(dataset));
    found.extend(forgets_objectors(dataset));
    let split = step.split.as_deref();
    found.extend(whose::misfits(&step.map, split, &source));
    if !found.iter().any(|finding| finding.stops) {
        found.extend(whose::check(look, &step.source, &step.map, split).await?);
    }
    Ok(found)
}

pub(super) async fn preview(look: &Look, step: &StaffTransfer) -> Result<Forecast, Fault> {
    let Ok(dataset) = dataset(&step.map, INTO) else {
        return Ok(Forecast::default());
    };
    let register = register(step, dataset, 1);
    let calls = Calls::make(look, step, &register, &BTreeSet::new()).await?;
    let counts = Counts {
        copied: calls.go.len() as u64,
        rejected: calls.rejected.clone(),
        filtered: calls.stay.clone(),
        ..Counts::default()
    };
    let nobodys = register.nobodys(look).await?;
    let stay: u64 = calls.stay.values().sum();
    Ok(Forecast {
        line: format!("{} people, {stay} stay", counts.copied),
        counts: BTreeMap::from([(
            step.target.clone(),
            BTreeMap::from([(INTO.to_owned(), counts)]),
        )]),
        notes: match nobodys {
            0 => Vec::new(),
            _ => vec![format!(
                "{nobodys} people of `{}` are assigned to nobody",
                step.list
            )],
        },
        ..Forecast::default()
    })
}

pub(super) async fn run(act: &Act, step: &StaffTransfer) -> Result<Output, Fault> {
    let dataset = dataset(&step.map, INTO).map_err(Finding::refusal)?;
    let register = register(step, dataset, act.deed.generation);
    let mut hand = Hand::open(act, &[&step.target, &step.source]).await?;
    let landed = register.landed(&act.look).await?;
    let lines = register.lines(&act.look).await?;
    let day = LastDay::new(act, step, &lines);
    let here: BTreeSet<String> = lines
        .iter()
        .filter(|line| landed.contains(&register.drawn(&act.deed, line)))
        .map(|line| line.name.clone())
        .collect();
    let calls = Calls::of(step, &act.look, &register, lines, &here);

    let left_over: Vec<&Line> = calls.here.iter().filter(|line| !day.is_set(line)).collect();
    for batch in left_over.chunks(BATCH) {
        end(&mut hand, &register, step, batch, &day).await?;
    }
    for batch in calls.go.chunks(BATCH) {
        begin(act, &mut hand, &register, step, batch).await?;
        let lines: Vec<&Line> = batch.iter().collect();
        end(&mut hand, &register, step, &lines, &day).await?;
    }
    let nobodys = register.nobodys(&act.look).await?;
    Ok(done(step, &hand, &calls, nobodys))
}

fn register<'a>(step: &'a StaffTransfer, dataset: &'a Dataset, draw: u32) -> Register<'a> {
    Register {
        source: &step.source,
        target: &step.target,
        list: &step.list,
        map: &step.map,
        dataset,
        split: step.split.as_deref(),
        changes: &step.ends,
        draw,
    }
}

/// Who goes, who is there already, who stays and why.
struct Calls {
    go: Vec<Line>,
    here: Vec<Line>,
    stay: BTreeMap<String, u64>,
    rejected: BTreeMap<String, u64>,
}

impl Calls {
    async fn make(
        look: &Look,
        step: &StaffTransfer,
        register: &Register<'_>,
        here: &BTreeSet<String>,
    ) -> Result<Calls, Fault> {
        let lines = register.lines(look).await?;
        Ok(Calls::of(step, look, register, lines, here))
    }

    fn of(
        step: &StaffTransfer,
        look: &Look,
        register: &Register<'_>,
        lines: Vec<Line>,
        here: &BTreeSet<String>,
    ) -> Calls {
        let effective = effective(look, step).to_string();
        let mut calls = Calls {
            go: Vec::new(),
            here: Vec::new(),
            stay: BTreeMap::new(),
            rejected: BTreeMap::new(),
        };
        for line in lines {
            if here.contains(&line.name) {
                calls.here.push(line);
                continue;
            }
            match &line.mapped {
                Mapped::Rejected { code, column } => {
                    *calls
                        .rejected
                        .entry(format!("{code} {column}"))
                        .or_default() += 1;
                }
                Mapped::Filtered(reason) => *calls.stay.entry(reason.clone()).or_default() += 1,
                Mapped::Row(row) => match stays(register, row, &effective) {
                    Some(reason) => *calls.stay.entry(reason.to_owned()).or_default() += 1,
                    None => calls.go.push(line),
                },
            }
        }
        calls
    }
}

/// Why somebody stays; `effective` as `YYYY-MM-DD`, whose order as text is the order of days.
fn stays(register: &Register, row: &[Value], effective: &str) -> Option<&'static str> {
    let before = |column: &str| {
        let day = register.value(row, column).map(said);
        day.is_some_and(|day| day.as_str() < effective)
    };
    if before("objected_on") {
        return Some("objected");
    }
    if before("employed_to") {
        return Some("left");
    }
    let maps_assignment = register
        .dataset
        .columns
        .iter()
        .any(|one| one.into == "assigned");
    let assigned = register.value(row, "assigned").map(said);
    if maps_assignment && assigned.as_deref() != Some("1") {
        return Some("unassigned");
    }
    None
}

/// Inserts a batch at the target and reads it back within the same transaction.
async fn begin(
    act: &Act,
    hand: &mut Hand<'_>,
    register: &Register<'_>,
    step: &StaffTransfer,
    batch: &[Line],
) -> Result<(), Fault> {
    let rows: Vec<(String, Vec<Value>)> = batch
        .iter()
        .filter_map(|line| match &line.mapped {
            Mapped::Row(row) => Some((register.drawn(&act.deed, line), row.clone())),
            _ => None,
        })
        .collect();
    let mut pen = hand.pen(&step.target, "insert:employee").await?;
    register.insert(act, &mut pen, rows.clone()).await?;
    compare(register, &mut pen, &rows).await?;
    hand.commit(&step.target, pen).await
}

/// The five continuity fields as they now stand must be those that the source holds.
async fn compare(
    register: &Register<'_>,
    pen: &mut Pen,
    rows: &[(String, Vec<Value>)],
) -> Result<(), Fault> {
    let id = Ident::new(register.dataset.id.as_deref().unwrap_or_default());
    let fields: Vec<Ident> = CONTINUITY.iter().map(|field| Ident::new(field)).collect();
    let query = sql!(
        "SELECT {} FROM {} WHERE {} = ?1",
        fields,
        Ident::new(INTO),
        id
    );
    let mut differing: BTreeMap<&str, u64> = BTreeMap::new();
    for (id, row) in rows {
        let stored = pen.rows(query.clone(), vec![id.as_str().into()]).await?;
        for (at, field) in CONTINUITY.iter().enumerate() {
            let is = stored.first().and_then(|stored| stored.get(at)).map(said);
            if is != register.value(row, field).map(said) {
                *differing.entry(field).or_default() += 1;
            }
        }
    }
    let Some(most) = differing.values().max() else {
        return Ok(());
    };
    let fields: Vec<&str> = differing.keys().copied().collect();
    let says = format!("{most} people would not keep their {}", fields.join(", "));
    Err(Fault::refused("HO517", INTO, *most, says).help(
        "nothing was written for them: look at triggers and types of the target's `employee`",
    ))
}

/// Gives a batch its last day at the source.
async fn end(
    hand: &mut Hand<'_>,
    register: &Register<'_>,
    step: &StaffTransfer,
    batch: &[&Line],
    day: &LastDay,
) -> Result<(), Fault> {
    let mut pen = hand
        .pen(&step.source, &format!("update:{}", step.list))
        .await?;
    for line in batch {
        register
            .change(&mut pen, line, day.text.as_str().into())
            .await?;
    }
    hand.commit(&step.source, pen).await
}

/// The last day at the source, written as its neighbours write days.
struct LastDay {
    text: String,
    day: String,
}

impl LastDay {
    fn new(act: &Act, step: &StaffTransfer, lines: &[Line]) -> LastDay {
        let effective = effective(&act.look, step);
        let day = effective
            .checked_sub(1.day())
            .unwrap_or(effective)
            .to_string();
        let with_time = lines.iter().any(|line| line.held.ends_with(" 00:00:00"));
        let time = if with_time { " 00:00:00" } else { "" };
        LastDay {
            text: format!("{day}{time}"),
            day,
        }
    }

    fn is_set(&self, line: &Line) -> bool {
        line.held.starts_with(&self.day)
    }
}

/// The first day at the target.
fn effective(look: &Look, step: &StaffTransfer) -> Date {
    step.effective.to_zoned(look.plan.timezone.clone()).date()
}

fn done(step: &StaffTransfer, hand: &Hand<'_>, calls: &Calls, nobodys: u64) -> Output {
    let began = hand.rows(&step.target, "insert:employee");
    let ended = hand.rows(&step.source, &format!("update:{}", step.list));
    let mut outputs = vec![
        DatasetCount {
            rejected: calls.rejected.values().sum(),
            filtered: calls.stay.values().sum(),
            ..count(INTO, &step.target, began, hand.root(&step.target))
        },
        count(&step.list, &step.source, ended, hand.root(&step.source)),
    ];
    for (reason, people) in &calls.stay {
        outputs.push(left_out(&format!("{INTO}/{reason}"), &step.target, *people));
    }
    if nobodys > 0 {
        outputs.push(left_out(
            &format!("{INTO}/assigned to nobody"),
            &step.source,
            nobodys,
        ));
    }
    Output::Done {
        outputs,
        effects: hand.effects(),
        checks: vec![Check {
            rule: "TUPE-AUTO".into(),
            expected: format!("{began} people keep their five continuity fields"),
            actual: format!("{began} people keep their five continuity fields"),
        }],
    }
}

fn count(dataset: &str, org: &Code, rows: u64, root: Digest) -> DatasetCount {
    DatasetCount {
        dataset: dataset.into(),
        org: Some(org.clone()),
        rows,
        rejected: 0,
        filtered: 0,
        merged: 0,
        pence: None,
        root,
    }
}

fn left_out(what: &str, org: &Code, people: u64) -> DatasetCount {
    DatasetCount {
        filtered: people,
        ..count(what, org, 0, Digest::ZERO)
    }
}

/// The five fields must come from the register, each from a column, never from the map itself.
fn bends_continuity(dataset: &Dataset) -> Vec<Finding> {
    let bent = CONTINUITY.iter().filter(|field| {
        let column = dataset.columns.iter().find(|one| &one.into == *field);
        !column.is_some_and(|one| matches!(one.from, Origin::Column(_)) && one.default.is_none())
    });
    let findings = bent.map(|field| {
        let says = format!("`{INTO}.{field}` does not come from a column of the staff register");
        Finding {
            place: Some(dataset.place.clone()),
            ..Finding::stop("HO517", format!("{INTO}.{field}"), says).help(
                "map it from the register, without a default: the contract goes over unchanged",
            )
        }
    });
    findings.collect()
}

fn forgets_objectors(dataset: &Dataset) -> Option<Finding> {
    let mapped = dataset.columns.iter().any(|one| one.into == "objected_on");
    let left_out = dataset
        .leave_out
        .iter()
        .any(|filter| filter.reason.contains("object"));
    if mapped || left_out {
        return None;
    }
    let says = "the map does not say who objected to the transfer".to_owned();
    Some(Finding {
        place: Some(dataset.place.clone()),
        ..Finding::stop("HO522", "employee.objected_on", says)
            .help("map `objected_on`: the record of somebody who objects is never copied")
    })
}
