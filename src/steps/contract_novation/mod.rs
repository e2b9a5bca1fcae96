//! `contract-novation`: the register of contracts walked one by one, each by its route. A novation is
//! a new deed of three: only once outgoing buyer, incoming buyer and supplier have signed is the
//! contract written at the target and its buyer changed at the source. What lacks a signature holds
//! the step; what is complete goes ahead.
//!
//! In: the register and its map, signature dates of the register and of evidence files. Out: rows in
//! the target's `contract`, buyers changed at the source.
//!
//! Not here: whether a route is the right one (the lawyers), evidence's form (`signatures`).

mod signatures;
mod walk;

use std::collections::BTreeMap;

use self::signatures::Signed;
use self::walk::{Call, Walk};
use super::hand::Hand;
use super::register::{Line, Register, dataset};
use super::{Act, Fault, Finding, Forecast, Look, Output, shape, undoing, whose};
use crate::copy::counts::Counts;
use crate::machine::event::{DatasetCount, UndoCommitted, UndoMode, Waiting};
use crate::plan::digest::Digest;
use crate::plan::map::{Dataset, Origin};
use crate::plan::model::{Code, ContractNovation, Each, Seat};
use crate::plan::outline::Undo;

const INTO: &str = "contract";

pub(super) async fn check(look: &Look, step: &ContractNovation) -> Result<Vec<Finding>, Fault> {
    let dataset = match dataset(&step.map, INTO) {
        Ok(dataset) => dataset,
        Err(finding) => return Ok(vec![finding]),
    };
    let source = look.reader(&step.source)?.catalogue().await?;
    let target = look.reader(&step.target)?.catalogue().await?;
    let mut found = shape::misfits(&step.map, &[dataset], &source, &target);
    found.extend(shape::lacks(&source, &step.list, &step.buyer));
    found.extend(unsaid(dataset));
    let split = step.split.as_deref();
    found.extend(whose::misfits(&step.map, split, &source));
    if look.step().owner.is_none() {
        let says = "nobody is named who brings the signatures".to_owned();
        found.push(Finding::stop("HO519", "owner", says).help("give the step an `owner`"));
    }
    if found.iter().any(|finding| finding.stops) {
        return Ok(found);
    }
    found.extend(whose::check(look, &step.source, &step.map, split).await?);
    let walk = Walk::read(look, step, dataset).await?;
    let lost = walk.count(|call| matches!(call, Call::NoRoute));
    if lost > 0 {
        let says = format!("{lost} contracts have no route that we know");
        found.push(Finding {
            rows: BTreeMap::from([(step.target.clone(), lost)]),
            ..Finding::stop("HO518", format!("{INTO}.route"), says)
                .help("give each a route: novate, assign, re-let, terminate, expire, trust or own")
        });
    }
    found.extend(walk.strangers);
    Ok(found)
}

pub(super) async fn preview(look: &Look, step: &ContractNovation) -> Result<Forecast, Fault> {
    let Ok(dataset) = dataset(&step.map, INTO) else {
        return Ok(Forecast::default());
    };
    let walk = Walk::read(look, step, dataset).await?;
    let unsigned = walk.count(|call| matches!(call, Call::Unsigned));
    let goes = walk.count(|call| matches!(call, Call::Go(..)));
    let counts = Counts {
        copied: goes + unsigned,
        rejected: walk.rejected(),
        filtered: walk.stays(),
        ..Counts::default()
    };
    let mut notes = walk.notes();
    if unsigned > 0 {
        notes.push(format!("{unsigned} contracts wait for signatures"));
    }
    Ok(Forecast {
        line: format!("{} contracts", counts.copied),
        counts: BTreeMap::from([(
            step.target.clone(),
            BTreeMap::from([(INTO.to_owned(), counts)]),
        )]),
        notes,
        ..Forecast::default()
    })
}

pub(super) async fn run(act: &Act, step: &ContractNovation) -> Result<Output, Fault> {
    let dataset = dataset(&step.map, INTO).map_err(Finding::refusal)?;
    let register = register_of(step, dataset);
    let mut walk = Walk::read(&act.look, step, dataset).await?;
    let landed = register.landed(&act.look).await?;
    let here = |line: &Line| landed.contains(&register.drawn(&act.deed, line));
    let mut hand = Hand::open(act, &[&step.target, &step.source]).await?;
    for (line, call) in &walk.lines {
        if !here(line) {
            let Call::Go(_, row) = call else {
                continue;
            };
            let id = register.drawn(&act.deed, line);
            let mut pen = hand.pen(&step.target, "insert:contract").await?;
            register
                .insert(act, &mut pen, vec![(id, row.clone())])
                .await?;
            hand.commit(&step.target, pen).await?;
        }
        let buyer = buyer(step);
        if line.held != buyer {
            let mut pen = hand
                .pen(&step.source, &format!("update:{}", step.list))
                .await?;
            register.change(&mut pen, line, buyer.into()).await?;
            hand.commit(&step.source, pen).await?;
        }
    }
    walk.lines.retain(|(line, _)| !here(line));
    match walk.count(|call| matches!(call, Call::Unsigned)) {
        0 => Ok(done(step, &hand, &walk)),
        missing => Ok(Output::Held(Waiting::Evidence {
            seat: seat(&act.look, step),
            what: "signatures".into(),
            missing,
        })),
    }
}

/// Automatic while nothing was changed; once a deed is signed only a new deed takes it back.
pub(super) async fn undo(
    act: &Act,
    step: &ContractNovation,
    mode: UndoMode,
) -> Result<UndoCommitted, Fault> {
    let hand = Hand::open(act, &[&step.target, &step.source]).await?;
    let signed = hand.rows(&step.target, "insert:contract");
    if hand.effects() == 0 {
        return Ok(undoing::nothing(mode));
    }
    let remedy = match &act.look.step().undo {
        Undo::ByHand(remedy) => remedy.clone(),
        _ => "a new deed with each supplier".to_owned(),
    };
    let says = format!("{signed} contracts have gone over: only a person takes that back");
    Err(Fault::refused("HO528", INTO, signed, says).help(format!("by hand: {remedy}")))
}

fn register_of<'a>(step: &'a ContractNovation, dataset: &'a Dataset) -> Register<'a> {
    Register {
        source: &step.source,
        target: &step.target,
        list: &step.list,
        map: &step.map,
        dataset,
        split: step.split.as_deref(),
        changes: &step.buyer,
        draw: 1,
    }
}

/// How the source's register writes the new buyer: by its own code for the organisation, where the
/// map has one.
fn buyer(step: &ContractNovation) -> String {
    let mut owners = step.map.owners.iter();
    let own = owners.find(|(_, org)| **org == step.target);
    own.map_or_else(|| step.target.to_string(), |(code, _)| code.clone())
}

/// Who brings the signatures: the step's owner, of this target (or source) where each of them has one.
fn seat(look: &Look, step: &ContractNovation) -> Seat {
    let role: Code = look.step().owner.clone().unwrap_or_else(|| "owner".into());
    let each = look.plan.roles.get(&role).and_then(|role| role.each);
    let org = each.map(|each| match each {
        Each::Source => step.source.clone(),
        Each::Target => step.target.clone(),
    });
    Seat { role, org }
}

/// Evidence about contracts that are not this step's: a slip of the pen that would otherwise pass for
/// a signature that never comes.
fn strangers(step: &ContractNovation, strange: u64) -> Option<Finding> {
    if strange == 0 {
        return None;
    }
    let says = format!(
        "evidence names {strange} contracts that the register does not have for `{}`",
        step.target
    );
    Some(Finding::stop("HO530", "evidence", says).help("hand in a file with the right references"))
}

/// The map must say how contracts go, which signatures stand and who buys from now on.
fn unsaid(dataset: &Dataset) -> Vec<Finding> {
    let needed = ["route", "buyer_org_id"].iter().chain(&Signed::COLUMNS);
    let unsaid = needed.filter(|column| !dataset.columns.iter().any(|one| one.into == **column));
    let mut found: Vec<Finding> = unsaid
        .map(|column| {
            let says = format!("the map does not say what becomes `{INTO}.{column}`");
            Finding {
                place: Some(dataset.place.clone()),
                ..Finding::stop("HO522", format!("{INTO}.{column}"), says)
                    .help("name it in the map")
            }
        })
        .collect();
    let buyer = dataset
        .columns
        .iter()
        .find(|one| one.into == "buyer_org_id");
    if buyer.is_some_and(|one| one.from != Origin::TargetOrg) {
        let says = format!("`{INTO}.buyer_org_id` must be the organisation that takes over");
        found.push(
            Finding::stop("HO522", format!("{INTO}.buyer_org_id"), says)
                .help("map it from the target organisation"),
        );
    }
    found
}

fn done(step: &ContractNovation, hand: &Hand<'_>, walk: &Walk) -> Output {
    let stays = walk.stays();
    let over = hand.rows(&step.target, "insert:contract");
    let changed = hand.rows(&step.source, &format!("update:{}", step.list));
    let mut outputs = vec![
        DatasetCount {
            rejected: walk.rejected().values().sum(),
            filtered: stays.values().sum(),
            ..count(INTO, &step.target, over, hand.root(&step.target))
        },
        count(&step.list, &step.source, changed, hand.root(&step.source)),
    ];
    outputs.extend(stays.iter().map(|(why, contracts)| DatasetCount {
        filtered: *contracts,
        ..count(&format!("{INTO}/{why}"), &step.target, 0, Digest::ZERO)
    }));
    Output::Done {
        outputs,
        effects: hand.effects(),
        checks: Vec::new(),
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
