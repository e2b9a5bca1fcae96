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
use std::sync::Arc;

use crate::copy::ledger::Deed;
use crate::copy::ledger::effect::{self, Head};
use crate::copy::look::Question;
use crate::copy::look::survey::each_line_of;
use crate::copy::mapping::cell::{Bench, Verdict};
use crate::copy::mapping::crosswalk::Crosswalk;
use crate::copy::mapping::owner::Owner;
use crate::copy::mapping::program::Program;
use crate::copy::mapping::sight::Line;
use crate::copy::reading::lines::{self, LineMac};
use crate::copy::route::Route;
use crate::copy::tables::position::{Position, Wanted};
use crate::copy::value::canon::Values;
use crate::copy::value::convert::number;
pub use crate::machine::share::Sum;
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

impl Lines {
    fn take_in(&mut self, other: Lines) {
        self.all = self.all.and(other.all);
        for (target, part) in other.parts {
            self.parts.entry(target).or_default().take_in(part);
        }
        for (reason, part) in other.nobodys {
            self.nobodys.entry(reason).or_default().take_in(part);
        }
        self.again.take_in(other.again);
        add(&mut self.pence, other.pence);
    }
}

impl Part {
    fn take_in(&mut self, other: Part) {
        self.lines = self.lines.and(other.lines);
        add(&mut self.pence, other.pence);
    }
}

fn add(sums: &mut BTreeMap<String, i128>, more: BTreeMap<String, i128>) {
    for (column, pence) in more {
        *sums.entry(column).or_default() += pence;
    }
}

/// The source's lines and whose they are, by dataset, all of one moment. Where the rows of a table have
/// numbers, its halves are read side by side.
///
/// # Errors
/// When the database refuses; `NoSuch` for a table, column or relation that is not there.
pub async fn lines(
    reader: &OrgReader,
    (map, tables): (&Map, &[String]),
    route: &Route,
    deed: &Deed,
) -> Result<BTreeMap<String, Lines>, DbFault> {
    let asked = Arc::new((Question::new(map, tables, route), deed.clone()));
    let readers = reader.side_by_side().await?;
    let side_by_side = readers.len() > 1;
    let halves = [Half::First, Half::Second].map(|half| side_by_side.then_some(half));
    let passes = readers.into_iter().zip(halves).map(|(reader, half)| {
        let asked = Arc::clone(&asked);
        async move { reader.with(move |link| pass(link, &asked, half)).await }
    });
    let mut whole: BTreeMap<String, Lines> = BTreeMap::new();
    for part in futures_util::future::try_join_all(passes).await? {
        for (dataset, lines) in part {
            whole.entry(dataset).or_default().take_in(lines);
        }
    }
    Ok(whole)
}

/// Which rows of each table a pass looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    /// Those up to the middle; all, where nobody knows the middle.
    First,
    /// The others.
    Second,
}

/// One pass over half of each table, or over all of it.
fn pass(
    link: &Link,
    (question, deed): &(Question, Deed),
    half: Option<Half>,
) -> Result<BTreeMap<String, Lines>, DbTrouble> {
    let mut all = BTreeMap::new();
    for dataset in question.datasets() {
        let program = question.compile(link, dataset)?;
        let (start, middle) = (Position::start(), program.sight.middle(link)?);
        let rows = match (half, &middle) {
            (Some(Half::First), Some(middle)) => Wanted::UpTo(middle),
            (Some(Half::Second), Some(middle)) => Wanted::Behind(middle),
            (None | Some(Half::First), _) => Wanted::Behind(&start),
            (Some(Half::Second), None) => continue,
        };
        let mut till = Till::new(question, dataset, &program);
        let mut mac = LineMac::new(&deed.key, &dataset.name);
        let see = |line: Line<'_>, owner: &Owner| till.take_in(line, mac.of(line), owner);
        each_line_of(link, question, (&program, rows), |_| true, see)?;
        all.insert(dataset.name.clone(), till.told());
    }
    Ok(all)
}

/// Adds lines and their amounts up.
struct Till<'q> {
    targets: &'q [Code],
    program: &'q Program,
    /// Columns of money: their cells, their names.
    money: Vec<(usize, &'q str)>,
    bench: Bench<'q>,
    /// Of the line in hand.
    amounts: Vec<Option<i64>>,
    out: Vec<u8>,
    all: Drawer,
    /// By target.
    parts: Vec<Drawer>,
    nobodys: BTreeMap<String, Drawer>,
    again: Drawer,
}

/// Lines, and the sum of each column of money.
#[derive(Clone)]
struct Drawer {
    lines: Sum,
    pence: Vec<Option<i128>>,
}

impl Drawer {
    fn empty(columns: usize) -> Drawer {
        Drawer {
            lines: Sum::default(),
            pence: vec![None; columns],
        }
    }

    #[inline]
    fn add(&mut self, digest: u64, amounts: &[Option<i64>]) {
        self.lines.add(digest);
        for (sum, amount) in self.pence.iter_mut().zip(amounts) {
            if let Some(amount) = amount {
                *sum = Some(sum.unwrap_or(0) + i128::from(*amount));
            }
        }
    }

    fn told(self, money: &[(usize, &str)]) -> Part {
        let named = money.iter().zip(self.pence);
        let named = named.filter_map(|((_, name), pence)| Some(((*name).to_owned(), pence?)));
        Part {
            lines: self.lines,
            pence: named.collect(),
        }
    }
}

impl<'q> Till<'q> {
    fn new(question: &'q Question, dataset: &Dataset, program: &'q Program) -> Till<'q> {
        let is_money = dataset.money();
        let cells = program.cells.iter().enumerate();
        let money = cells.filter(|(_, cell)| is_money.contains(&cell.into));
        let money: Vec<(usize, &str)> = money.map(|(at, cell)| (at, &*cell.into)).collect();
        let (targets, empty) = (&question.route.targets, Drawer::empty(money.len()));
        Till {
            targets,
            program,
            bench: Bench::new(Crosswalk::None),
            amounts: Vec::with_capacity(money.len()),
            out: Vec::new(),
            parts: vec![empty.clone(); targets.len()],
            nobodys: BTreeMap::new(),
            again: empty.clone(),
            all: empty,
            money,
        }
    }

    fn take_in(&mut self, line: Line<'_>, digest: u64, owner: &Owner) -> Result<(), DbTrouble> {
        self.read_amounts(line)?;
        self.all.add(digest, &self.amounts);
        if let Owner::Nobody(reason) = owner {
            if !self.nobodys.contains_key(reason) {
                let empty = Drawer::empty(self.money.len());
                self.nobodys.insert(reason.clone(), empty);
            }
            if let Some(nobodys) = self.nobodys.get_mut(reason) {
                nobodys.add(digest, &self.amounts);
            }
        }
        for (times, target) in owner.targets().iter().enumerate() {
            self.parts[*target].add(digest, &self.amounts);
            if times > 0 {
                self.again.add(digest, &self.amounts);
            }
        }
        Ok(())
    }

    /// The line's amounts, as far as they can be read, whatever becomes of it.
    fn read_amounts(&mut self, line: Line<'_>) -> Result<(), DbTrouble> {
        self.amounts.clear();
        for (at, _) in &self.money {
            self.out.clear();
            let cell = &self.program.cells[*at];
            let verdict = cell.evaluate(*at, line, &mut self.bench, &mut self.out)?;
            let value = Values(&self.out).next();
            self.amounts.push(match value {
                Some(ValueRef::Text(text)) if verdict == Verdict::Fine => number::pence(text),
                _ => None,
            });
        }
        self.bench.mended.clear();
        Ok(())
    }

    fn told(self) -> Lines {
        let money = &self.money;
        let all = self.all.told(money);
        let parts = self.targets.iter().cloned();
        let parts = parts.zip(self.parts.into_iter().map(|part| part.told(money)));
        let nobodys = self.nobodys.into_iter();
        Lines {
            all: all.lines,
            pence: all.pence,
            parts: parts.collect(),
            nobodys: nobodys
                .map(|(reason, part)| (reason, part.told(money)))
                .collect(),
            again: self.again.told(money),
        }
    }
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
