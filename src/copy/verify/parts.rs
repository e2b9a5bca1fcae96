//! Whether the parts of a split are disjoint and together complete: the lines that each copy looked at, as
//! its ledger noted them, against the source's lines and whose they are.
//!
//! In: a source, a route, the ledgers. Out: by dataset and part how many lines, and the sum of their keyed
//! digests; a line that is in two parts, or in none, or in the wrong one, moves a sum.
//!
//! A line's digest holds where it stands and everything that the map sees of it, its parents included
//! (`reading::lines`). Money is summed beside, over every line whose amount can be read.
//!
//! Not here: what the numbers must come to (`steps::verify`), rows at the target (`digests`).

use std::collections::BTreeMap;

use crate::copy::ledger::Deed;
use crate::copy::ledger::effect::{self, Head};
use crate::copy::look::Question;
use crate::copy::look::survey::each_line;
use crate::copy::mapping::cell::{Bench, Verdict};
use crate::copy::mapping::crosswalk::Crosswalk;
use crate::copy::mapping::program::{Owner, Program};
use crate::copy::mapping::sight::Line;
use crate::copy::reading::lines::{self, LineMac};
use crate::copy::route::Route;
use crate::copy::value::canon::Values;
use crate::copy::value::convert::number;
pub use crate::machine::share::Sum;
use crate::orgdb::link::Begin;
use crate::orgdb::{DbFault, DbTrouble, Link, OrgReader, ValueRef};
use crate::plan::map::{Dataset, Map};
use crate::plan::model::Code;

/// The lines of one dataset's source table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines {
    /// Every line, once.
    pub all: Sum,
    /// By target.
    pub parts: BTreeMap<Code, Part>,
    /// Of nobody, by reason.
    pub nobodys: BTreeMap<String, Part>,
    /// Lines in more than one part, as often as they are there beyond once.
    pub again: Part,
    /// Money of every line, by target column, in pence.
    pub pence: BTreeMap<String, i128>,
}

/// One part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// Its lines.
    pub lines: Sum,
    /// Their money, by target column, in pence.
    pub pence: BTreeMap<String, i128>,
}

impl Part {
    fn add(&mut self, digest: u64, money: &[(&str, i128)]) {
        self.lines.add(digest);
        add(&mut self.pence, money);
    }
}

fn add(sums: &mut BTreeMap<String, i128>, money: &[(&str, i128)]) {
    for (column, pence) in money {
        match sums.get_mut(*column) {
            Some(sum) => *sum += pence,
            None => drop(sums.insert((*column).to_owned(), *pence)),
        }
    }
}

/// The source's lines and whose they are, by dataset, all of one moment.
///
/// # Errors
/// When the database refuses; `NoSuch` for a table, column or relation that is not there.
pub async fn lines(
    reader: &OrgReader,
    (map, tables): (&Map, &[String]),
    route: &Route,
    deed: &Deed,
) -> Result<BTreeMap<String, Lines>, DbFault> {
    let (question, deed) = (Question::new(map, tables, route), deed.clone());
    let reader = reader.another().await?;
    reader
        .with(move |link| {
            link.begin(Begin::Read)?;
            let mut all = BTreeMap::new();
            for dataset in question.datasets() {
                let lines = of_dataset(link, &question, dataset, &deed)?;
                all.insert(dataset.name.clone(), lines);
            }
            Ok(all)
        })
        .await
}

fn of_dataset(
    link: &Link,
    question: &Question,
    dataset: &Dataset,
    deed: &Deed,
) -> Result<Lines, DbTrouble> {
    let program = question.compile(link, dataset)?;
    let money = dataset.money();
    let mut mac = LineMac::new(&deed.key, &dataset.name);
    let mut bench = Bench::new(Crosswalk::None);
    let mut found = Lines::default();
    let targets = &question.route.targets;
    for target in targets {
        found.parts.insert(target.clone(), Part::default());
    }
    each_line(
        link,
        question,
        &program,
        |_| true,
        |line, owner| {
            let digest = mac.of(line);
            let amounts = amounts(&program, &money, line, &mut bench)?;
            found.all.add(digest);
            add(&mut found.pence, &amounts);
            if let Owner::Nobody(reason) = owner {
                let part = found.nobodys.entry(reason.clone()).or_default();
                part.add(digest, &amounts);
            }
            for (times, target) in owner.targets().iter().enumerate() {
                let part = found.parts.entry(targets[*target].clone()).or_default();
                part.add(digest, &amounts);
                if times > 0 {
                    found.again.add(digest, &amounts);
                }
            }
            Ok(())
        },
    )?;
    Ok(found)
}

/// The line's amounts that can be read, whatever becomes of it.
fn amounts<'m>(
    program: &Program,
    money: &'m [String],
    line: Line<'_>,
    bench: &mut Bench<'_>,
) -> Result<Vec<(&'m str, i128)>, DbTrouble> {
    let (mut amounts, mut out) = (Vec::with_capacity(money.len()), Vec::new());
    for (at, cell) in program.cells.iter().enumerate() {
        let Some(name) = money.iter().find(|name| **name == cell.into) else {
            continue;
        };
        out.clear();
        let fine = cell.evaluate(at, line, bench, &mut out)? == Verdict::Fine;
        let value = Values(&out).next().filter(|_| fine);
        if let Some(ValueRef::Text(text)) = value
            && let Some(pence) = number::pence(text)
        {
            amounts.push((name.as_str(), pence.into()));
        }
    }
    bench.mended.clear();
    Ok(amounts)
}

/// The lines of one dataset that a copy looked at, as its ledger noted them; none where single lines were
/// looked at since (a catch-up, a copy that mended what had changed): then the ledger does not say which
/// of the earlier ones are gone.
///
/// # Errors
/// When the database refuses, or the ledger cannot be read.
pub async fn noted(reader: &OrgReader, deed: &Deed, dataset: &str) -> Result<Option<Sum>, DbFault> {
    let (deed, dataset) = (deed.clone(), dataset.to_owned());
    reader
        .with(move |link| {
            let mut sum = Sum::default();
            let kept = effect::standing(link, deed.run, deed.step.as_str(), deed.generation)?;
            let mine = |kind: &str| kind.split_once(':').is_some_and(|(_, of)| of == dataset);
            for one in kept.iter().filter(|one| mine(&one.effect.kind)) {
                for part in effect::parts_like(link, one.id, "lines")? {
                    if part.head == (Head::Lines { behind: None }) {
                        return Ok(None);
                    }
                    for line in lines::unpack(&part.body)? {
                        sum.add(lines::read(line).0);
                    }
                }
            }
            Ok(Some(sum))
        })
        .await
}
