//! What the rows that go come to beyond one sum: money above and below zero, rows and money by a code.
//!
//! In: which slices are wanted, rows as they are mapped. Out: rows and amounts, by slice.
//!
//! Not here: the pass over the source (`survey`), what stands at the target (`steps::verify`).

use std::collections::BTreeMap;

use super::Question;
use crate::copy::mapping::program::Program;
use crate::copy::value::canon::Values;
use crate::copy::value::convert::number;
use crate::machine::total::Amount;
use crate::orgdb::ValueRef;
use crate::plan::map::{Becomes, CodeList, Dataset, Map};

/// What is asked of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slice {
    /// The dataset.
    pub dataset: String,
    /// The money column that is summed; absent: rows are counted.
    pub column: Option<String>,
    /// The coded column by which it is told apart.
    pub by: Option<String>,
}

/// A slice's parts by code (one, named nothing, where it has none).
pub type Sliced = BTreeMap<String, Part>;

/// What rows come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Part {
    /// How many.
    pub rows: u64,
    /// Their money.
    pub amount: Amount,
}

/// A code that stands for every one that the map does not speak of: what somebody typed into a target
/// never gets into a log.
pub const OTHER: &str = "other";

/// Stands for no code.
pub const NONE: &str = "none";

/// The codes that a column may hold, as the map says; none where it is not coded.
#[must_use]
pub fn codes<'m>(map: &'m Map, dataset: &Dataset, column: &str) -> Option<&'m CodeList> {
    let column = dataset.columns.iter().find(|one| one.into == column)?;
    match &column.becomes {
        Becomes::Code(list) => map.codes.get(list),
        _ => None,
    }
}

/// What a code is called in totals.
#[must_use]
pub fn called(list: &CodeList, code: Option<&str>) -> String {
    match code.map(str::trim_end) {
        None | Some("") => NONE.to_owned(),
        Some(code) if list.targets().any(|known| known == code) => code.to_owned(),
        Some(_) => OTHER.to_owned(),
    }
}

/// Weighs rows of one dataset, slice by slice.
pub(super) struct Scales {
    slices: Vec<Scale>,
    /// By target, then slice.
    found: Vec<Vec<Sliced>>,
}

/// One slice, with its columns by their place among the cells.
struct Scale {
    slice: Slice,
    money: Option<usize>,
    by: Option<(usize, CodeList)>,
}

impl Scales {
    pub(crate) fn new(question: &Question, dataset: &Dataset, program: &Program) -> Scales {
        let place = |name: &str| program.cells.iter().position(|cell| cell.into == name);
        let scale = |slice: &Slice| {
            let list = |by: &str| codes(&question.map, dataset, by).cloned();
            Some(Scale {
                money: match &slice.column {
                    Some(column) => Some(place(column)?),
                    None => None,
                },
                by: match &slice.by {
                    Some(by) => Some((place(by)?, list(by)?)),
                    None => None,
                },
                slice: slice.clone(),
            })
        };
        let mine = question.slices.iter();
        let mine = mine.filter(|slice| slice.dataset == dataset.name);
        let slices: Vec<Scale> = mine.filter_map(scale).collect();
        let none = vec![Sliced::default(); slices.len()];
        Scales {
            found: vec![none; question.route.targets.len()],
            slices,
        }
    }

    /// Takes in a row that goes to a target.
    pub(super) fn weigh(&mut self, target: usize, out: &[u8]) {
        let Some(found) = self.found.get_mut(target) else {
            return;
        };
        for (scale, sliced) in self.slices.iter().zip(found) {
            let text = |at: usize| match Values(out).nth(at) {
                Some(ValueRef::Text(text)) => Some(text),
                _ => None,
            };
            let name = match &scale.by {
                Some((at, list)) => {
                    let code = text(*at).map(String::from_utf8_lossy);
                    called(list, code.as_deref())
                }
                None => String::new(),
            };
            let part = sliced.entry(name).or_default();
            part.rows += 1;
            let money = scale.money.and_then(text).and_then(number::pence);
            part.amount.add(money.unwrap_or(0).into(), 1);
        }
    }

    /// What a target's rows come to.
    pub(crate) fn of(&self, target: usize) -> impl Iterator<Item = (Slice, Sliced)> {
        let slices = self.slices.iter().map(|scale| scale.slice.clone());
        let found = self.found.get(target).into_iter().flatten();
        slices.zip(found.cloned())
    }
}
