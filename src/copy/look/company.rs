//! Rows of one dataset that meet others by their natural key, foretold: which would be taken for one that
//! stands, which nobody has decided about.
//!
//! In: rows as they are mapped, who is known already. Out: counts, the names of rows that would stand.
//!
//! Not here: who stands at a target (`namesakes`), the pass over the source (`survey`).

use std::collections::BTreeSet;

use super::{Forecast, Question};
use crate::copy::counts::{Counts, count};
use crate::copy::mapping::program::Program;
use crate::copy::namesakes::{Manners, Meeting, Namesake, Namesakes, SECOND, Undecided};
use crate::plan::decisions::RowRef;
use crate::plan::map::{Collision, Dataset};
use crate::plan::model::Code;

/// Whom the rows of one dataset meet.
pub(super) struct Company<'q> {
    manners: Option<Manners>,
    decides: bool,
    known: &'q Namesakes,
    found: Found,
}

/// What was found out.
#[derive(Default)]
struct Found {
    names: Namesakes,
    undecided: Vec<Undecided>,
    decided: Vec<(String, RowRef)>,
    /// Rows at a target for which one of the source's was taken.
    taken: BTreeSet<(Code, RowRef)>,
}

impl<'q> Company<'q> {
    pub(super) fn new(question: &'q Question, dataset: &Dataset, program: &Program) -> Company<'q> {
        let place = |name: &str| program.cells.iter().position(|cell| cell.into == name);
        let of = (&question.map, dataset);
        Company {
            manners: Manners::of(of, &question.route.source, place),
            decides: dataset.collision == Collision::Decide,
            known: &question.known,
            found: Found::default(),
        }
    }

    /// Whether a row with these values would go; otherwise it is counted.
    pub(super) fn meet(
        &mut self,
        target: &Code,
        key: &[u8],
        values: &[u8],
        counts: &mut Counts,
    ) -> bool {
        let Some(manners) = &self.manners else {
            return true;
        };
        let Some(name) = manners.name(values) else {
            return true;
        };
        let (at, row) = ((target, manners.dataset()), manners.row(key));
        let goes = match manners.meet(self.known, target, (key, &name)) {
            Meeting::Alone => true,
            Meeting::Merges(other, _)
                if !self.found.taken.insert((target.clone(), other.row.clone())) =>
            {
                count(
                    &mut counts.rejected,
                    &format!("{SECOND} {}", manners.columns()),
                );
                return false;
            }
            Meeting::Merges(_, why) => {
                count(&mut counts.merged, why);
                if self.decides {
                    self.found.decided.push((manners.dataset().to_owned(), row));
                }
                return false;
            }
            Meeting::Stops(code) => {
                count(
                    &mut counts.rejected,
                    &format!("{code} {}", manners.columns()),
                );
                if self.decides {
                    let others = self.known.who(at, &name).iter();
                    let rows = others.map(|other| other.row.clone()).chain([row.clone()]);
                    self.found.undecided.push(Undecided {
                        dataset: manners.dataset().to_owned(),
                        rows: rows.collect(),
                    });
                }
                false
            }
        };
        self.found
            .names
            .add(at, name, Namesake { row, target: None });
        goes
    }

    /// Adds what was found out to a forecast.
    pub(super) fn tell(self, forecast: &mut Forecast) {
        forecast.names.extend(&self.found.names);
        forecast.undecided.extend(self.found.undecided);
        forecast.decided.extend(self.found.decided);
    }
}
