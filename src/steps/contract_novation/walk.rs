//! The register, walked: what becomes of each contract now, by its route and its signatures.
//!
//! In: the register's lines, signature dates of the register and of evidence. Out: a call for each.
//!
//! Not here: carrying the calls out (`mod`), evidence's form (`signatures`).

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use jiff::civil::Date;

use super::register_of;
use super::signatures::{self, Signed};
use super::strangers;
use crate::copy::look::Mapped;
use crate::orgdb::Value;
use crate::plan::map::Dataset;
use crate::plan::model::ContractNovation;
use crate::steps::register::{Line, Register, said};
use crate::steps::{Fault, Finding, Look};

/// What a contract's route does with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    Novate,
    Assign,
    ReLet,
    Terminate,
    Expire,
    Trust,
    Own,
}

impl Route {
    fn name(self) -> &'static str {
        match self {
            Route::Novate => "novate",
            Route::Assign => "assign",
            Route::ReLet => "re-let",
            Route::Terminate => "terminate",
            Route::Expire => "expire",
            Route::Trust => "trust",
            Route::Own => "own",
        }
    }
}

impl FromStr for Route {
    type Err = ();

    fn from_str(text: &str) -> Result<Route, ()> {
        let all = [
            Route::Novate,
            Route::Assign,
            Route::ReLet,
            Route::Terminate,
            Route::Expire,
            Route::Trust,
            Route::Own,
        ];
        all.into_iter().find(|route| route.name() == text).ok_or(())
    }
}

/// What becomes of a contract now.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Call {
    /// It goes over, as this row.
    Go(Route, Vec<Value>),
    /// It will, once all have signed.
    Unsigned,
    /// It stays: by its route, or left out by the map.
    Stay(String),
    /// It cannot go, by rule code and column.
    Rejected(String),
    /// Nobody has said what becomes of it.
    NoRoute,
}

/// The register, walked.
pub(super) struct Walk {
    pub(super) lines: Vec<(Line, Call)>,
    pub(super) strangers: Option<Finding>,
}

impl Walk {
    pub(super) async fn read(
        look: &Look,
        step: &ContractNovation,
        dataset: &Dataset,
    ) -> Result<Walk, Fault> {
        let register = register_of(step, dataset);
        let evidence = match &look.run {
            Some(run) => signatures::evidence(run)?,
            None => BTreeMap::new(),
        };
        let today = look.as_at.to_zoned(look.plan.timezone.clone()).date();
        let lines = register.lines(look).await?;
        let known: BTreeSet<&str> = lines.iter().map(|line| line.name.as_str()).collect();
        let strange = evidence
            .keys()
            .filter(|name| !known.contains(name.as_str()));
        let strangers = strangers(step, strange.count() as u64);
        let lines = lines.into_iter().map(|line| {
            let signed = evidence.get(&line.name).copied().unwrap_or_default();
            let call = call(&register, &line, signed, today);
            (line, call)
        });
        Ok(Walk {
            lines: lines.collect(),
            strangers,
        })
    }

    pub(super) fn count(&self, is: impl Fn(&Call) -> bool) -> u64 {
        self.lines.iter().filter(|(_, call)| is(call)).count() as u64
    }

    /// Contracts that stay, by why.
    pub(super) fn stays(&self) -> BTreeMap<String, u64> {
        let mut stays = BTreeMap::new();
        for (_, call) in &self.lines {
            if let Call::Stay(why) = call {
                *stays.entry(why.clone()).or_default() += 1;
            }
        }
        stays
    }

    pub(super) fn rejected(&self) -> BTreeMap<String, u64> {
        let mut rejected = BTreeMap::new();
        for (_, call) in &self.lines {
            if let Call::Rejected(why) = call {
                *rejected.entry(why.clone()).or_default() += 1;
            }
        }
        rejected
    }

    /// What people should know of routes that are less than they seem.
    pub(super) fn notes(&self) -> Vec<String> {
        let assigned = self.count(|call| matches!(call, Call::Go(Route::Assign, _)));
        let on_trust = self.stays().get(Route::Trust.name()).copied().unwrap_or(0);
        let mut notes = Vec::new();
        if assigned > 0 {
            notes.push(format!(
                "{assigned} contracts are assigned: their benefits go over, their duties do not"
            ));
        }
        if on_trust > 0 {
            notes.push(format!(
                "{on_trust} contracts are held on trust: their buyer stays"
            ));
        }
        notes
    }
}

fn call(register: &Register, line: &Line, evidence: Signed, today: Date) -> Call {
    let row = match &line.mapped {
        Mapped::Row(row) => row,
        Mapped::Filtered(why) => return Call::Stay(why.clone()),
        Mapped::Rejected { column, .. } if column == "route" => return Call::NoRoute,
        Mapped::Rejected { code, column } => return Call::Rejected(format!("{code} {column}")),
    };
    let route = register.value(row, "route").map(said).unwrap_or_default();
    match route.parse() {
        Err(()) => Call::NoRoute,
        Ok(Route::Novate) => {
            let signed = in_register(register, row).or_later(evidence);
            match signed.complete(today) {
                Some(last) => Call::Go(Route::Novate, deed(register, row, signed, last)),
                None => Call::Unsigned,
            }
        }
        Ok(Route::Assign) => Call::Go(Route::Assign, row.clone()),
        Ok(stays) => Call::Stay(stays.name().to_owned()),
    }
}

/// Dates that the register itself has.
fn in_register(register: &Register, row: &[Value]) -> Signed {
    Signed(Signed::COLUMNS.map(|column| {
        let text = register.value(row, column).map(said)?;
        signatures::day(&text)
    }))
}

/// The row with its three dates and the day of the last of them.
fn deed(register: &Register, row: &[Value], signed: Signed, last: Date) -> Vec<Value> {
    let mut row = row.to_vec();
    for (column, date) in Signed::COLUMNS.iter().zip(signed.0) {
        register.put(&mut row, column, date.map(|date| date.to_string()).into());
    }
    if register.value(&row, "novated_on").is_none() {
        register.put(&mut row, "novated_on", last.to_string().into());
    }
    row
}
