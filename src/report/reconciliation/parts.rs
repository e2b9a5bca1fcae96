//! The printed proof that the parts of a source are disjoint where they should be, and together complete:
//! by table, what the source has, what each part has, what stays behind and why, what is nobody's.
//!
//! In: the facts of a log (`machine::share`), the plan, which says what fills which table. Out: one
//! [`PartsPack`] a step. Several datasets may fill one table: their rows are told together, as its money is.
//!
//! Not here: how it is drawn (`parts_text`), lines of the CSV (`csv`).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Came, Made, words};
use crate::machine::share::{Figures, Share, Sum, Which};
use crate::machine::state::StepState;
use crate::machine::total::decimal;
use crate::plan::model::{Code, Plan, StepSpec, Verify, VerifyCheck};
use crate::plan::outline::StepId;
use crate::replay::totals::Told;
use crate::report::words::many;

/// The proof that one step made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PartsPack {
    /// The step.
    pub step: String,
    /// What people call it.
    pub title: String,
    /// The organisation whose rows are shared out, by name.
    pub source: String,
    /// How far the step has got.
    pub state: Made,
    /// Whether everything adds up; absent while nothing is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Came>,
    /// The same in a sentence.
    pub says: String,
    /// Its tables, headlines first.
    pub tables: Vec<PartsTable>,
}

/// One target table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PartsTable {
    /// Its name.
    pub table: String,
    /// In people's words.
    pub words: String,
    /// The worst of its lines.
    pub verdict: Came,
    /// The source, each part, what stays behind, nobody's, all together: in this order.
    pub lines: Vec<PartsLine>,
}

/// Rows and money that belong to one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PartsLine {
    /// Which place.
    pub place: Place,
    /// The source, by code.
    pub source: String,
    /// The target, by code, where the place is one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// In people's words.
    pub words: String,
    /// Why rows are there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Rows, as they are due; absent where only money is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Rows as they were found; absent where nothing was held against them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<u64>,
    /// Money, by column.
    pub money: Vec<PartsMoney>,
    /// How both sides came out, rows by digest; absent where there is one side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Came>,
}

/// Money of one column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PartsMoney {
    /// The target column.
    pub column: String,
    /// In pounds, as it is due.
    pub amount: String,
    /// As it was found; absent where nothing was held against it or it cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
}

/// Where rows of a source belong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// All of them.
    Source,
    /// As often as rows are in several parts beyond once.
    Shared,
    /// One target's.
    Part,
    /// One target's, that did not go.
    Behind,
    /// Some of these: one reason.
    BehindBecause,
    /// None's.
    Nobodys,
    /// Some of these: one reason.
    NobodysBecause,
    /// All parts and nobody's, added up.
    Together,
}

/// Where a line stands: by place within a target, the source first, everything together last.
type Spot = (u8, Option<Code>, Place, Option<String>);

/// What has been told of a spot.
#[derive(Default)]
struct Sums {
    rows: Option<u64>,
    found: Option<u64>,
    money: BTreeMap<String, (i128, Option<i128>)>,
    agrees: Option<bool>,
}

impl Sums {
    fn rows(&mut self, rows: u64) {
        self.rows = Some(self.rows.unwrap_or(0).wrapping_add(rows));
    }

    fn held(&mut self, due: u64, found: u64, agrees: bool) {
        self.rows(due);
        self.found = Some(self.found.unwrap_or(0).wrapping_add(found));
        self.agree(agrees);
    }

    fn agree(&mut self, agrees: bool) {
        self.agrees = Some(self.agrees.unwrap_or(true) && agrees);
    }
}

/// Everything that is told of one table of one source.
type Spots = BTreeMap<Spot, Sums>;

impl PartsPack {
    /// The proof of a step; none where it makes none.
    pub(super) fn of(told: &Told, plan: &Plan, id: &StepId) -> Option<PartsPack> {
        let step = plan.step(id)?;
        let StepSpec::Verify(verify) = &step.does else {
            return None;
        };
        if !verify.checks.contains(&VerifyCheck::PartsAddUp) {
            return None;
        }
        let facts = told.shares.get(id).map_or(&[][..], Vec::as_slice);
        let state = match told.run.state(id).map(|step| step.state) {
            _ if facts.is_empty() => Made::NotMade,
            Some(StepState::Committed) => Made::Finished,
            _ => Made::Failed,
        };
        let facts = facts.iter().map(|(_, share)| share);
        let filled = filled(plan, verify);
        let tables = tables(facts, &filled, plan);
        let source = plan.org_name(&verify.source).to_owned();
        let verdict = tables.iter().map(|table| table.verdict).max();
        Some(PartsPack {
            step: id.to_string(),
            title: step.title.clone(),
            says: sentence(&source, verdict, &tables),
            source,
            state,
            verdict,
            tables,
        })
    }
}

/// Which table each dataset fills.
fn filled<'p>(plan: &'p Plan, verify: &Verify) -> BTreeMap<&'p str, &'p str> {
    let copies = plan.steps.iter().filter_map(|step| match &step.does {
        StepSpec::DataCopy(copy) if verify.copies.contains(&step.id) => Some(copy),
        _ => None,
    });
    let datasets = copies.flat_map(|copy| &copy.map.datasets);
    datasets
        .map(|dataset| (dataset.name.as_str(), dataset.into.as_str()))
        .collect()
}

fn tables<'s>(
    facts: impl Iterator<Item = &'s Share>,
    filled: &BTreeMap<&str, &str>,
    plan: &Plan,
) -> Vec<PartsTable> {
    let mut told: BTreeMap<(usize, String, Code), Spots> = BTreeMap::new();
    for share in facts {
        let (table, column) = match (filled.get(share.of.as_str()), share.of.split_once('.')) {
            (None, Some((table, column))) => (table, Some(column)),
            (table, _) => (table.copied().unwrap_or(&share.of), None),
        };
        let at = (words::rank(table), table.to_owned(), share.source.clone());
        take(told.entry(at).or_default(), share, column);
    }
    told.into_iter()
        .map(|((_, table, source), spots)| {
            let spots = spots.into_iter();
            let lines: Vec<PartsLine> = spots
                .map(|(spot, sums)| line(&source, spot, sums, plan))
                .collect();
            let verdicts = lines.iter().filter_map(|line| line.verdict);
            PartsTable {
                words: words::of_table(&table),
                verdict: verdicts.max().unwrap_or(Came::Agrees),
                table,
                lines,
            }
        })
        .collect()
}

/// Takes one fact in.
fn take(spots: &mut Spots, share: &Share, column: Option<&str>) {
    let (place, target) = match &share.which {
        Which::Part(target) => (Place::Part, Some(target)),
        Which::Behind(target) => (Place::Behind, Some(target)),
        Which::Nobodys => (Place::Nobodys, None),
        Which::Shared => (Place::Shared, None),
        Which::Whole => (Place::Together, None),
    };
    let at = spots.entry(spot(place, target, None)).or_default();
    match &share.figures {
        Figures::Lines(due, found) => at.held(due.lines, found.lines, share.agrees()),
        Figures::Counted(due, found) => at.held(*due, *found, share.agrees()),
        Figures::Rows(rows) => at.rows(*rows),
        Figures::Left(reasons) => {
            at.rows(0);
            for (rows, ..) in reasons {
                at.rows(*rows);
            }
            for (rows, class, why) in reasons {
                let why = format!("{}, {why}", class.word());
                let why = spot(Place::BehindBecause, target, Some(why));
                spots.entry(why).or_default().rows(*rows);
            }
        }
        Figures::For(rows, why) => {
            at.rows(*rows);
            let why = spot(Place::NobodysBecause, target, Some(why.clone()));
            spots.entry(why).or_default().rows(*rows);
        }
        Figures::Money(due, found) => {
            let sides = matches!(share.which, Which::Part(_) | Which::Whole);
            if sides {
                at.agree(share.agrees());
            }
            let found = found.filter(|_| sides);
            let column = column.unwrap_or_default().to_owned();
            at.money.insert(column, (*due, found));
        }
    }
    source(spots, share, column);
}

/// The source's own: everything that is due together, less what is counted more than once; the log may
/// tell the one before the other.
fn source(spots: &mut Spots, share: &Share, column: Option<&str>) {
    let less = match share.which {
        Which::Whole => false,
        Which::Shared => true,
        _ => return,
    };
    let at = spots.entry(spot(Place::Source, None, None)).or_default();
    match &share.figures {
        Figures::Money(pence, _) => {
            let column = column.unwrap_or_default().to_owned();
            let sum = &mut at.money.entry(column).or_default().0;
            let pence = if less { pence.saturating_neg() } else { *pence };
            *sum = sum.saturating_add(pence);
        }
        Figures::Lines(Sum { lines, .. }, _)
        | Figures::Counted(lines, _)
        | Figures::Rows(lines) => {
            at.rows(if less { lines.wrapping_neg() } else { *lines });
        }
        Figures::Left(_) | Figures::For(..) => {}
    }
}

fn spot(place: Place, target: Option<&Code>, why: Option<String>) -> Spot {
    let group = match place {
        Place::Source => 0,
        Place::Shared => 1,
        Place::Part | Place::Behind | Place::BehindBecause => 2,
        Place::Nobodys | Place::NobodysBecause => 3,
        Place::Together => 4,
    };
    (group, target.cloned(), place, why)
}

fn line(source: &Code, (_, target, place, reason): Spot, sums: Sums, plan: &Plan) -> PartsLine {
    let name = |code: &Code| plan.org_name(code).to_owned();
    let words = match (place, &target) {
        (Place::Source, _) => name(source),
        (Place::Part, Some(target)) => name(target),
        (Place::Part, None) => "a part".to_owned(),
        (Place::Shared, _) => "again, as several need them".to_owned(),
        (Place::Behind, _) => "stays behind".to_owned(),
        (Place::Nobodys, _) => "nobody's".to_owned(),
        (Place::BehindBecause | Place::NobodysBecause, _) => reason.clone().unwrap_or_default(),
        (Place::Together, _) => "all parts and nobody's".to_owned(),
    };
    let money = sums.money.into_iter();
    PartsLine {
        place,
        source: source.to_string(),
        target: target.map(|target| target.to_string()),
        words,
        reason,
        rows: sums.rows,
        found: sums.found,
        money: money
            .map(|(column, (due, found))| PartsMoney {
                column,
                amount: decimal(due),
                found: found.map(decimal),
            })
            .collect(),
        verdict: sums
            .agrees
            .map(|agrees| if agrees { Came::Agrees } else { Came::Differs }),
    }
}

fn sentence(source: &str, verdict: Option<Came>, tables: &[PartsTable]) -> String {
    let differ = tables.iter().filter(|table| table.verdict != Came::Agrees);
    let all = many(tables.len() as u64, "table", "tables");
    let lines = || tables.iter().flat_map(|table| &table.lines);
    let shared = lines().filter(|line| line.place == Place::Shared);
    let shared: u64 = shared.filter_map(|line| line.rows).sum();
    let but_for = match shared {
        0 => String::new(),
        rows => format!(
            ", but for {} copied again because several need them",
            many(rows, "row", "rows")
        ),
    };
    let parts = lines().filter(|line| line.place == Place::Part);
    let uncounted = parts.filter(|line| line.rows.is_some() && line.found.is_none());
    let by_count = match uncounted.count() {
        0 => "",
        _ => {
            " Since a catch-up, rows are held together by count; keyed digests prove them one by one."
        }
    };
    match verdict {
        None => "Not proved yet.".to_owned(),
        Some(Came::Differs) => format!(
            "The parts of {source} do NOT add up: {} of {all} DIFFER.",
            differ.count()
        ),
        Some(_) => format!(
            "The parts of {source} are disjoint and complete: every row of {all} is in one part or \
             nobody's{but_for}, and money adds up to the penny.{by_count}"
        ),
    }
}
