//! Looking at a source through a map without writing: live codes, forecasts, mapped rows.
//!
//! In: a reader, a map, a route. Out: counts by class, codes, a few mapped rows.
//!
//! Not here: the scans themselves (`survey`), looking at what was written (`verify`).

mod company;
pub mod rules;
pub mod slices;
pub(super) mod survey;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::copy::counts::Counts;
use crate::copy::namesakes::{Namesakes, Undecided};
use crate::copy::route::Route;
use crate::orgdb::{DbFault, Link, OrgReader, Value};
use crate::plan::decisions::RowRef;
use crate::plan::digest::Digest;
use crate::plan::map::{Dataset, Map};
use crate::plan::model::Code;
use slices::{Slice, Sliced};
use survey::Share;

/// What a copy would do: per target and dataset, and rows that nobody owns (orphans, unknown owner
/// codes), per source table and reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forecast {
    /// Counts by target, then dataset.
    pub targets: BTreeMap<Code, BTreeMap<String, Counts>>,
    /// Rows without an owner, by source table, then reason (`orphan`, `owner ""`).
    pub unrouted: BTreeMap<String, BTreeMap<String, u64>>,
    /// The slices that were asked for, by target; nothing where none were.
    pub slices: BTreeMap<Code, BTreeMap<Slice, Sliced>>,
    /// Rows that several targets need, by dataset.
    pub shared: BTreeMap<String, Shared>,
    /// Natural keys of the rows that would stand.
    pub names: Namesakes,
    /// Rows that share a natural key, and nobody has decided about them.
    pub undecided: Vec<Undecided>,
    /// Rows that somebody decided to be another's, by dataset.
    pub decided: BTreeSet<(String, RowRef)>,
}

/// Rows of one dataset that go to more than one target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shared {
    /// How many rows.
    pub lines: u64,
    /// How often they go beyond once.
    pub again: u64,
}

/// A live code that its list does not cover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnmappedCode {
    /// The dataset.
    pub dataset: String,
    /// The target column.
    pub column: String,
    /// The list.
    pub list: String,
    /// The code.
    pub code: String,
    /// Rows that use it, by target.
    pub rows: BTreeMap<Code, u64>,
}

/// What the live source says against a map: unmapped codes of rows that would go. Read once for all
/// who ask, for as long as the source stays as it is.
///
/// # Errors
/// When the database refuses; `NoSuch` for the first table, column or relation that is not there.
pub async fn unmapped_codes(
    reader: &OrgReader,
    map: &Map,
    tables: &[String],
    route: &Route,
) -> Result<Arc<Vec<UnmappedCode>>, DbFault> {
    let question = Question::new(map, tables, route);
    let answer = reader.while_unchanged(question.about("unmapped codes"), async {
        let reader = reader.another().await?;
        reader
            .with(move |link| survey::unmapped_codes(link, &question))
            .await
    });
    answer.await
}

/// Maps every row without writing, for all targets; each target's counts are of one moment. Rows that a
/// target's own rules would refuse are not foreseen: it is not looked at. Read once for all who ask,
/// for as long as the source stays as it is.
///
/// # Errors
/// When the database refuses; `NoSuch` for the first table, column or relation that is not there.
pub async fn forecast(
    reader: &OrgReader,
    map: &Map,
    tables: &[String],
    route: &Route,
) -> Result<Arc<Forecast>, DbFault> {
    totals(reader, (map, tables), route, &[], &Namesakes::default()).await
}

/// The same, with what the rows that go come to in slices; `known` stand before any of them comes.
///
/// # Errors
/// Those of [`forecast`].
pub async fn totals(
    reader: &OrgReader,
    (map, tables): (&Map, &[String]),
    route: &Route,
    slices: &[Slice],
    known: &Namesakes,
) -> Result<Arc<Forecast>, DbFault> {
    let question = Question {
        slices: slices.to_vec(),
        known: known.clone(),
        ..Question::new(map, tables, route)
    };
    let about = question.about("forecast");
    let work = in_shares(reader, Arc::new(question));
    reader.while_unchanged(about, work).await
}

/// How many passes go side by side, each for its share of the targets. What every pass must do (read
/// each row, find its owner) is done once more for each, so more would gain little.
const SHARES: usize = 2;

async fn in_shares(reader: &OrgReader, question: Arc<Question>) -> Result<Forecast, DbFault> {
    let of = question.route.targets.len().clamp(1, SHARES);
    let pass = |at: usize| {
        let question = Arc::clone(&question);
        async move {
            let work = move |link: &Link| survey::forecast(link, &question, Share { at, of });
            reader.another().await?.with(work).await
        }
    };
    let parts = futures_util::future::try_join_all((0..of).map(pass)).await?;
    let mut whole = Forecast::default();
    for part in parts {
        whole.targets.extend(part.targets);
        whole.unrouted.extend(part.unrouted);
        whole.slices.extend(part.slices);
        whole.shared.extend(part.shared);
        whole.names.extend(&part.names);
        whole.undecided.extend(part.undecided);
        whole.decided.extend(part.decided);
    }
    Ok(whole)
}

/// A row as a dataset maps it.
#[derive(Debug, Clone, PartialEq)]
pub enum Mapped {
    /// Target column -> value, in the dataset's order.
    Row(Vec<Value>),
    /// Left out, with the reason.
    Filtered(String),
    /// Cannot go, with rule code and column.
    Rejected {
        /// `HO5..`
        code: &'static str,
        /// The target column.
        column: String,
    },
}

/// The mapped rows of one small dataset for `target` (staff, contracts, recipients), in the order of
/// the source key: each with its source key's parts. Lookups are not possible here.
///
/// # Errors
/// When the database refuses; `NoSuch` for the first table, column or relation that is not there.
pub async fn mapped_rows(
    reader: &OrgReader,
    map: &Map,
    dataset: &Dataset,
    route: &Route,
    target: &Code,
) -> Result<Vec<(Vec<String>, Mapped)>, DbFault> {
    let question = Question::new(map, &[], route);
    let (dataset, target) = (dataset.clone(), target.clone());
    let reader = reader.another().await?;
    reader
        .with(move |link| survey::mapped_rows(link, &question, &dataset, &target))
        .await
}

/// What is asked of a source, owned, for the thread that answers.
pub(super) struct Question {
    pub(super) map: Map,
    pub(super) tables: Vec<String>,
    pub(super) route: Route,
    pub(super) slices: Vec<Slice>,
    pub(super) known: Namesakes,
}

impl Question {
    pub(super) fn new(map: &Map, tables: &[String], route: &Route) -> Question {
        Question {
            map: map.clone(),
            tables: tables.to_vec(),
            route: route.clone(),
            slices: Vec::new(),
            known: Namesakes::default(),
        }
    }

    /// Tells this question from every other that the same database may be asked.
    fn about(&self, verb: &str) -> Digest {
        let Question {
            map,
            tables,
            route,
            slices,
            known,
        } = self;
        let known = known.told();
        Digest::of(format!("{verb} {map:?} {tables:?} {route:?} {slices:?} {known}").as_bytes())
    }
}
