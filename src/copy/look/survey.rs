//! The scans behind `look`: the very programs that a copy runs, with nowhere to write to.
//!
//! In: a source connection, a question. Out: counts, codes, mapped rows.
//!
//! Not here: what is asked (`look`), how rows are judged (`program`).

use std::collections::BTreeMap;

use super::company::Company;
use super::slices::Scales;
use super::{Forecast, Mapped, Question, Shared, UnmappedCode};
use crate::copy::counts::{Counts, count};
use crate::copy::mapping::cell::{Bench, Verdict};
use crate::copy::mapping::crosswalk::Crosswalk;
use crate::copy::mapping::owner::Owner;
use crate::copy::mapping::program::{Fate, Papers, Program};
use crate::copy::mapping::sight::{Line, Parents};
use crate::copy::namesakes::merged;
use crate::copy::tables::position::{Position, Wanted};
use crate::copy::value::canon::Values;
use crate::copy::value::convert::number;
use crate::orgdb::link::{Begin, Flow};
use crate::orgdb::{DbTrouble, Link, Row, Value, ValueRef};
use crate::plan::map::{Becomes, Dataset, MapColumn};
use crate::plan::model::Code;

/// Which targets a pass counts for, by their place in the route; the first share also counts the rows
/// that nobody owns.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share {
    pub(crate) at: usize,
    pub(crate) of: usize,
}

impl Share {
    fn has(self, target: usize) -> bool {
        target % self.of == self.at
    }

    fn counts(self, owner: &Owner) -> bool {
        match owner {
            Owner::Target(target) => self.has(*target),
            // The first share counts, too, how many lines go to more than one.
            Owner::Several(_) => true,
            Owner::Nobody(_) => self.at == 0,
        }
    }
}

/// Counts every row of every dataset that belongs to one of the share's targets.
pub(crate) fn forecast(
    link: &Link,
    question: &Question,
    share: Share,
) -> Result<Forecast, DbTrouble> {
    link.begin(Begin::Read)?;
    counted(link, question, share)
}

/// The same within a look at the source that is open already.
pub(crate) fn counted(
    link: &Link,
    question: &Question,
    share: Share,
) -> Result<Forecast, DbTrouble> {
    let mut bench = Bench::new(Crosswalk::foretold(link.scratch()?)?);
    let mut found = Forecast::default();
    let targets = || question.route.targets.iter().enumerate();
    for (_, target) in targets().filter(|(at, _)| share.has(*at)) {
        found.targets.insert(target.clone(), BTreeMap::new());
    }
    for dataset in question.datasets() {
        let mut surveyor = Surveyor::new(link, question, dataset, share)?;
        let first_look = !found.unrouted.contains_key(&dataset.from);
        let mut unrouted = BTreeMap::new();
        surveyor.rows(&mut bench, &mut unrouted)?;
        surveyor.references(&mut bench)?;
        if first_look {
            found.unrouted.insert(dataset.from.clone(), unrouted);
        }
        for (at, target) in targets().filter(|(at, _)| share.has(*at)) {
            let slices = found.slices.entry(target.clone()).or_default();
            slices.extend(surveyor.scales.of(at));
        }
        surveyor.company.tell(&mut found);
        if surveyor.shared.lines > 0 {
            found.shared.insert(dataset.name.clone(), surveyor.shared);
        }
        for ((_, target), counts) in targets().zip(surveyor.counts) {
            if let Some(of_target) = found.targets.get_mut(target) {
                of_target.insert(dataset.name.clone(), counts);
            }
        }
    }
    found.unrouted.retain(|_, reasons| !reasons.is_empty());
    Ok(found)
}

impl Question {
    pub(crate) fn datasets(&self) -> impl Iterator<Item = &Dataset> {
        let ours = |dataset: &&Dataset| self.tables.contains(&dataset.from);
        self.map.datasets.iter().filter(ours)
    }

    pub(crate) fn compile(&self, link: &Link, dataset: &Dataset) -> Result<Program, DbTrouble> {
        let papers = Papers {
            map: &self.map,
            route: &self.route,
            run: uuid::Uuid::nil(),
            tables: &self.tables,
        };
        Program::compile(link, &papers, dataset)
    }
}

/// Goes through a dataset's table, a line at a time; lines of owners that are not wanted are passed over.
pub(crate) fn each_line(
    link: &Link,
    question: &Question,
    program: &Program,
    wanted: impl Fn(&Owner) -> bool,
    see: impl FnMut(Line<'_>, &Owner) -> Result<(), DbTrouble>,
) -> Result<(), DbTrouble> {
    let all = Wanted::Behind(&Position::start());
    each_line_of(link, question, (program, all), wanted, see)
}

/// The same for those rows that stand where they are asked for.
pub(crate) fn each_line_of(
    link: &Link,
    question: &Question,
    (program, rows): (&Program, Wanted<'_>),
    wanted: impl Fn(&Owner) -> bool,
    see: impl FnMut(Line<'_>, &Owner) -> Result<(), DbTrouble>,
) -> Result<(), DbTrouble> {
    each_line_worth(link, question, (program, rows), |_| true, wanted, see)
}

/// The same, but rows that are not worth a look are passed over before anybody asks whose they are.
fn each_line_worth(
    link: &Link,
    question: &Question,
    (program, rows): (&Program, Wanted<'_>),
    worth: impl Fn(Row<'_>) -> bool,
    wanted: impl Fn(&Owner) -> bool,
    mut see: impl FnMut(Line<'_>, &Owner) -> Result<(), DbTrouble>,
) -> Result<(), DbTrouble> {
    let sight = &program.sight;
    let mut parents = sight.open(link, &question.map.relations)?;
    let (text, values) = sight.scan(rows);
    let values: Vec<ValueRef<'_>> = values.iter().map(Value::lend).collect();
    let owner_ways = program.owner_ways();
    link.stream(&text, &values, |row| {
        if !worth(row) {
            return Ok(Flow::Continue(()));
        }
        parents.go_first(row, owner_ways)?;
        let owner = program.owner(sight.line(row, &parents));
        if !wanted(&owner) {
            return Ok(Flow::Continue(()));
        }
        let owner = owner.into_owned();
        let held = row.hold();
        let row = row.or_held(&held);
        parents.go_on(row, owner_ways)?;
        see(sight.line(row, &parents), &owner)?;
        Ok(Flow::Continue(()))
    })
}

/// Counts one dataset.
struct Surveyor<'q> {
    link: &'q Link,
    question: &'q Question,
    share: Share,
    program: Program,
    /// Money columns, by their place among the cells.
    money: Vec<(usize, String)>,
    counts: Vec<Counts>,
    scales: Scales,
    company: Company<'q>,
    shared: Shared,
}

impl<'q> Surveyor<'q> {
    fn new(
        link: &'q Link,
        question: &'q Question,
        dataset: &Dataset,
        share: Share,
    ) -> Result<Surveyor<'q>, DbTrouble> {
        let program = question.compile(link, dataset)?;
        let place = |name: String| {
            let at = program.cells.iter().position(|cell| cell.into == name)?;
            Some((at, name))
        };
        Ok(Surveyor {
            link,
            question,
            share,
            money: dataset.money().into_iter().filter_map(place).collect(),
            counts: vec![Counts::default(); question.route.targets.len()],
            scales: Scales::new(question, dataset, &program),
            company: Company::new(question, dataset, &program),
            shared: Shared::default(),
            program,
        })
    }

    fn rows(
        &mut self,
        bench: &mut Bench<'_>,
        unrouted: &mut BTreeMap<String, u64>,
    ) -> Result<(), DbTrouble> {
        let Surveyor {
            link,
            question,
            share,
            program,
            money,
            counts,
            scales,
            company,
            shared,
        } = self;
        let mut out = Vec::new();
        let wanted = |owner: &Owner| share.counts(owner);
        each_line(link, question, program, wanted, |line, owner| {
            if let Owner::Nobody(reason) = owner {
                count(unrouted, reason);
            }
            if let (Owner::Several(targets), 0) = (owner, share.at) {
                shared.lines += 1;
                shared.again += targets.len() as u64 - 1;
            }
            for target in owner.targets().iter().copied() {
                let counts = counts.get_mut(target).filter(|_| share.has(target));
                let Some(counts) = counts else { continue };
                out.clear();
                bench.mended.clear();
                if bench.target != target || bench.target_code.is_empty() {
                    bench.target_code = question.route.targets[target].to_string();
                }
                bench.target = target;
                match program.judge(line, bench, &mut out)? {
                    Fate::Filtered(reason) => count(&mut counts.filtered, reason),
                    Fate::Rejected { code, column } => reject(counts, code, column),
                    Fate::Unmapped { column } => reject(counts, "HO511", column),
                    Fate::Goes => {
                        let due = due(program, money, line, bench, &out, counts)?;
                        let Some(pence) = due else { continue };
                        let code = &question.route.targets[target];
                        if company.meet(code, &bench.key, &out, counts) {
                            goes(program, pence, bench, counts);
                            scales.weigh(target, &out);
                        } else {
                            let name = merged(&program.name);
                            bench.crosswalk.note(&name, target, &bench.key)?;
                        }
                    }
                }
            }
            Ok(())
        })
    }

    /// References into the own dataset that will find nothing.
    fn references(&mut self, bench: &mut Bench<'_>) -> Result<(), DbTrouble> {
        let Surveyor {
            link,
            question,
            share,
            program,
            counts,
            ..
        } = self;
        if program.later.is_empty() {
            return Ok(());
        }
        let mut out = Vec::new();
        let wanted = |owner: &Owner| share.counts(owner);
        each_line(link, question, program, wanted, |line, owner| {
            if program.filtered(line).is_some() || program.read_key(line, bench).is_some() {
                return Ok(());
            }
            for target in owner.targets().iter().copied() {
                let counts = counts.get_mut(target).filter(|_| share.has(target));
                let Some(counts) = counts else { continue };
                bench.target = target;
                let mut known =
                    |name: &str| bench.crosswalk.find(name, target, &bench.key, &mut out);
                // What stands for a row is not the row's to change.
                let goes = known(&program.name)? && !known(&merged(&program.name))?;
                for (at, later) in program.later.iter().enumerate().filter(|_| goes) {
                    bench.mended.clear();
                    let verdict = later.cell.evaluate(at, line, bench, &mut out)?;
                    if verdict != Verdict::Fine || !bench.mended.is_empty() {
                        count(&mut counts.mended, &format!("HO505 {}", later.into));
                    }
                }
                out.clear();
            }
            Ok(())
        })
    }
}

fn reject(counts: &mut Counts, code: &str, column: &str) {
    count(&mut counts.rejected, &format!("{code} {column}"));
}

/// The row's pence, column by column, where it could go: none where its key went before, or no sum can
/// take its money.
fn due<'m>(
    program: &Program,
    money: &'m [(usize, String)],
    line: Line<'_>,
    bench: &mut Bench<'_>,
    out: &[u8],
    counts: &mut Counts,
) -> Result<Option<Vec<(&'m String, i64)>>, DbTrouble> {
    let mut pence = Vec::with_capacity(money.len());
    for (at, name) in money {
        let value = match Values(out).nth(*at) {
            Some(ValueRef::Text(text)) => number::pence(text),
            _ => Some(0),
        };
        if let Some(value) = value {
            pence.push((name, value));
        } else {
            reject(counts, "HO504", name);
            return Ok(None);
        }
    }
    if !bench
        .crosswalk
        .note(&program.name, bench.target, &bench.key)?
    {
        reject(counts, "HO506", program.twice());
        return Ok(None);
    }
    let mut named = Vec::new();
    for alias in &program.aliases {
        if alias.key(line, &mut named) {
            bench.crosswalk.note(&alias.name, bench.target, &named)?;
        }
    }
    Ok(Some(pence))
}

/// The row goes.
fn goes(program: &Program, pence: Vec<(&String, i64)>, bench: &Bench<'_>, counts: &mut Counts) {
    counts.copied += 1;
    for (name, value) in pence {
        match counts.pence.get_mut(name) {
            Some(sum) => *sum += i128::from(value),
            None => drop(counts.pence.insert(name.clone(), value.into())),
        }
    }
    for (at, mend) in &bench.mended {
        let column = program.cells.get(*at).map_or("", |cell| &cell.into);
        count(&mut counts.mended, &format!("{} {column}", mend.word()));
    }
}

/// Live codes that their lists do not cover.
pub(crate) fn unmapped_codes(
    link: &Link,
    question: &Question,
) -> Result<Vec<UnmappedCode>, DbTrouble> {
    link.begin(Begin::Read)?;
    let mut found = Vec::new();
    for dataset in question.datasets() {
        let coded = only_codes(dataset);
        if coded.columns.is_empty() {
            continue;
        }
        let program = question.compile(link, &coded)?;
        let mut rows: BTreeMap<(usize, String), BTreeMap<Code, u64>> = BTreeMap::new();
        let worth = |row: Row<'_>| may_be_uncovered(&program, row);
        let all = (&program, Wanted::Behind(&Position::start()));
        each_line_worth(link, question, all, worth, owned, |line, owner| {
            if program.filtered(line).is_some() {
                return Ok(());
            }
            for (place, cell) in program.cells.iter().enumerate() {
                let Some(code) = cell.uncovered(line) else {
                    continue;
                };
                let by_target = rows.entry((place, code)).or_default();
                for target in owner.targets() {
                    let target = question.route.targets[*target].clone();
                    *by_target.entry(target).or_default() += 1;
                }
            }
            Ok(())
        })?;
        found.extend(rows.into_iter().map(|((place, code), rows)| UnmappedCode {
            dataset: dataset.name.clone(),
            column: coded.columns[place].into.clone(),
            list: match &coded.columns[place].becomes {
                Becomes::Code(list) => list.clone(),
                _ => String::new(),
            },
            code,
            rows,
        }));
    }
    Ok(found)
}

/// Nearly every row's codes are covered: where they all stand in the row itself, that is seen at once.
fn may_be_uncovered(program: &Program, row: Row<'_>) -> bool {
    let parents = Parents::none();
    let line = program.sight.line(row, &parents);
    let mut cells = program.cells.iter();
    cells.any(|cell| cell.looks_beyond_the_row() || cell.uncovered(line).is_some())
}

fn owned(owner: &Owner) -> bool {
    !owner.targets().is_empty()
}

/// The dataset with its coded columns alone: no other column needs to be read for them.
fn only_codes(dataset: &Dataset) -> Dataset {
    let coded = |column: &&MapColumn| matches!(column.becomes, Becomes::Code(_));
    Dataset {
        columns: dataset.columns.iter().filter(coded).cloned().collect(),
        aliases: Vec::new(),
        ..dataset.clone()
    }
}

/// The mapped rows of a small dataset, in the order of the source key.
pub(crate) fn mapped_rows(
    link: &Link,
    question: &Question,
    dataset: &Dataset,
    target: &Code,
) -> Result<Vec<(Vec<String>, Mapped)>, DbTrouble> {
    let program = question.compile(link, dataset)?;
    let place = question
        .route
        .targets
        .iter()
        .position(|code| code == target);
    let mut bench = Bench::new(Crosswalk::None);
    let (mut out, mut found) = (Vec::new(), Vec::new());
    bench.target_code = target.to_string();
    let wanted = |owner: &Owner| place.is_some_and(|place| owner.targets().contains(&place));
    each_line(link, question, &program, wanted, |line, _| {
        out.clear();
        let mapped = match program.judge(line, &mut bench, &mut out)? {
            Fate::Goes => Mapped::Row(Values(&out).map(Value::of).collect()),
            Fate::Filtered(reason) => Mapped::Filtered(reason.to_owned()),
            Fate::Rejected { code, column } => rejected(code, column),
            Fate::Unmapped { column } => rejected("HO511", column),
        };
        found.push((program.key_parts(line), mapped));
        Ok(())
    })?;
    // Stable: rows with one key stay in the order of the source, and the first of them goes.
    found.sort_by(|left, right| left.0.cmp(&right.0));
    let mut before: Option<Vec<String>> = None;
    for (key, mapped) in &mut found {
        if matches!(mapped, Mapped::Row(_)) {
            if before.as_ref() == Some(key) {
                *mapped = rejected("HO506", program.twice());
            }
            before = Some(key.clone());
        }
    }
    Ok(found)
}

fn rejected(code: &'static str, column: &str) -> Mapped {
    Mapped::Rejected {
        code,
        column: column.to_owned(),
    }
}
