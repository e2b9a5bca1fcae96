//! `switch`: the managing organisation changes, effective at handover. The history of management
//! stays: the row of the one that managed is ended, the row of the one that manages now begins, and
//! the asset says who it is. The landlord never changes, which is held against the rows before and
//! after, inside the same transaction.
//!
//! In: who managed, who manages now and whose database says so, from when. Out: one effect a
//! database, in its ledger like any other; the plan's word for undo is `cannot`.
//!
//! Not here: who may say that it is time (the gates before it).

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::hand::Hand;
use super::{Act, Fault, Finding, Forecast, Look, Output, shape};
use crate::copy::counts::Counts;
use crate::copy::ledger::Pen;
use crate::machine::event::{Check, DatasetCount};
use crate::orgdb::{Ident, Sql, Value};
use crate::plan::model::{Code, Switch};

const ASSET: &str = "asset";
const HISTORY: &str = "asset_management";

const MANAGED: &str = "SELECT count(*) FROM asset WHERE manager_org_id = ?1";
const ASSETS: &str = "SELECT asset_id FROM asset WHERE manager_org_id = ?1 ORDER BY asset_id";
const LANDLORDS: &str =
    "SELECT asset_id, landlord_org_id, owner_org_id FROM asset ORDER BY asset_id";
const KNOWN: &str = "SELECT 1 FROM organisation WHERE org_id = ?1";

pub(super) async fn check(look: &Look, step: &Switch) -> Result<Vec<Finding>, Fault> {
    let mut found = Vec::new();
    for org in &step.to {
        let reader = look.reader(org)?;
        let catalogue = reader.catalogue().await?;
        for (table, column) in [
            (ASSET, "manager_org_id"),
            (ASSET, "landlord_org_id"),
            (HISTORY, "valid_to"),
            ("organisation", "org_id"),
        ] {
            found.extend(shape::lacks(&catalogue, table, column));
        }
        if !found.is_empty() {
            continue;
        }
        let rows = reader.rows(Sql::new(KNOWN), vec![text(org)]).await?;
        if rows.is_empty() {
            let says = format!("`{org}` does not stand in its own table `organisation`");
            found.push(Finding::stop("HO533", "organisation", says).help("add its row there"));
        }
    }
    Ok(found)
}

pub(super) async fn preview(look: &Look, step: &Switch) -> Result<Forecast, Fault> {
    let mut counts = BTreeMap::new();
    let mut assets = 0;
    for org in &step.to {
        let mut here = 0;
        for from in step.from.iter().filter(|from| *from != org) {
            let rows = look
                .reader(org)?
                .rows(Sql::new(MANAGED), vec![text(from)])
                .await?;
            let managed = rows.first().and_then(|row| row[0].int()).unwrap_or(0);
            here += u64::try_from(managed).unwrap_or(0);
        }
        let count = Counts {
            copied: here,
            ..Counts::default()
        };
        counts.insert(org.clone(), BTreeMap::from([(ASSET.to_owned(), count)]));
        assets += here;
    }
    Ok(Forecast {
        line: format!("{assets} homes and other assets change their manager"),
        counts,
        notes: vec![
            "counted on what stands there now: copies that come first add to it".to_owned(),
        ],
        ..Forecast::default()
    })
}

pub(super) async fn run(act: &Act, step: &Switch) -> Result<Output, Fault> {
    let orgs: Vec<&Code> = step.to.iter().collect();
    let mut hand = Hand::open(act, &orgs).await?;
    let from_day = step
        .effective
        .to_zoned(act.look.plan.timezone.clone())
        .date();
    for (at, org) in step.to.iter().enumerate() {
        let Some(mut pen) = hand.pen_at(org, at as u64 + 1, "switch:asset").await? else {
            continue;
        };
        hand_over(act, &mut pen, step, org, from_day).await?;
        hand.commit(org, pen).await?;
    }
    let outputs = step.to.iter().map(|org| DatasetCount {
        dataset: ASSET.into(),
        org: Some(org.clone()),
        rows: hand.rows(org, "switch:asset"),
        rejected: 0,
        filtered: 0,
        merged: 0,
        pence: None,
        root: hand.root(org),
    });
    let checks = step.to.iter().map(|org| Check {
        rule: format!("landlord:{org}").into(),
        expected: "0 landlords changed".to_owned(),
        actual: "0 landlords changed".to_owned(),
    });
    Ok(Output::Done {
        outputs: outputs.collect(),
        effects: hand.effects(),
        checks: checks.collect(),
    })
}

/// Everything in one database, in one transaction.
async fn hand_over(
    act: &Act,
    pen: &mut Pen,
    step: &Switch,
    to: &Code,
    from_day: Date,
) -> Result<(), Fault> {
    let before = pen.rows(Sql::new(LANDLORDS), Vec::new()).await?;
    for from in step.from.iter().filter(|from| *from != to) {
        let assets = pen.rows(Sql::new(ASSETS), vec![text(from)]).await?;
        end_history(pen, from, from_day).await?;
        begin_history(act, pen, assets, to, from_day).await?;
        let manager = Ident::new("manager_org_id");
        let was = [(manager.clone(), text(from))];
        let becomes = [(manager, text(to))];
        pen.update(&Ident::new(ASSET), &was, &becomes).await?;
    }
    let after = pen.rows(Sql::new(LANDLORDS), Vec::new()).await?;
    if before == after {
        return Ok(());
    }
    let changed = before
        .iter()
        .zip(&after)
        .filter(|(was, is)| was != is)
        .count();
    let says = format!("{changed} assets of `{to}` would change their landlord or owner");
    Err(Fault::refused("HO532", ASSET, changed as u64, says)
        .help("nothing was written there: look at the triggers of `asset`"))
}

/// The open rows of the one that managed end on the day.
async fn end_history(pen: &mut Pen, from: &Code, day: Date) -> Result<(), Fault> {
    let open = [
        (Ident::new("org_id"), text(from)),
        (Ident::new("valid_to"), Value::Null),
    ];
    let set = [(Ident::new("valid_to"), Value::from(day.to_string()))];
    pen.update(&Ident::new(HISTORY), &open, &set).await?;
    Ok(())
}

/// A row begins for each asset that the one who manages now takes over.
async fn begin_history(
    act: &Act,
    pen: &mut Pen,
    assets: Vec<Vec<Value>>,
    to: &Code,
    day: Date,
) -> Result<(), Fault> {
    let columns = ["asset_id", "org_id", "valid_from", "loaded_run_id"].map(Ident::new);
    let rows = assets.into_iter().filter_map(|row| {
        let asset = row.into_iter().next()?;
        let run = act.deed.run.to_string();
        Some(vec![asset, text(to), day.to_string().into(), run.into()])
    });
    pen.insert(&Ident::new(HISTORY), &columns, rows.collect())
        .await?;
    Ok(())
}

fn text(code: &Code) -> Value {
    Value::from(&**code)
}
