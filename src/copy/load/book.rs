//! What stands in the ledger of a copy, as whoever goes on with it must know: effects, how far each pass
//! has got, what all of it comes to.
//!
//! Not here: writing it (`writing`).

use std::collections::BTreeMap;

use super::Loaded;
use crate::copy::counts::Counts;
use crate::copy::ledger::effect::{self, Head};
use crate::copy::ledger::{Deed, Effect};
use crate::copy::tables::position::Position;
use crate::copy::value::tally::root_of;
use crate::copy::writing::store::{self, Mark};
use crate::copy::writing::{aside, groups};
use crate::orgdb::{DbFault, DbTrouble, OrgWriter};

/// What stands in the ledger for this generation.
pub(super) struct Book {
    pub(super) effects: Vec<Effect>,
    /// The last mark of each dataset and pass.
    pub(super) marks: BTreeMap<(String, bool), Mark>,
    /// Something was mended since all was counted.
    pub(super) mended: bool,
}

impl Book {
    pub(super) async fn read(target: &OrgWriter, deed: &Deed) -> Result<Book, DbFault> {
        let deed = deed.clone();
        target
            .with(move |link| {
                let kept = effect::standing(link, deed.run, deed.step.as_str(), deed.generation)?;
                if !kept.is_empty() && link.sqlite().is_some() {
                    // Whoever was here before may have gone with a group that never reached the disk.
                    groups::settled(link, &deed)?;
                }
                let (mut marks, mut mended) = (BTreeMap::new(), false);
                for effect in &kept {
                    let positions = effect::parts_like(link, effect.id, "position")?;
                    // What mends has no position of its own.
                    mended |= positions.is_empty() && !is_of_indexes(&effect.effect);
                    mended &= effect.effect.kind != store::COUNT;
                    for part in positions {
                        debug_assert_eq!(part.head, Head::Position);
                        let mark: Mark =
                            serde_json::from_slice(&part.body).map_err(|_| DbTrouble::Damaged)?;
                        marks.insert((mark.dataset.clone(), mark.second), mark);
                    }
                }
                let effects = kept.into_iter().map(|kept| kept.effect).collect();
                Ok(Book {
                    effects,
                    marks,
                    mended,
                })
            })
            .await
    }

    /// Where a pass goes on from.
    pub(super) fn mark(&self, dataset: &str, second: bool) -> Mark {
        let kept = self.marks.get(&(dataset.to_owned(), second)).cloned();
        kept.unwrap_or_else(|| Mark {
            dataset: dataset.to_owned(),
            second,
            position: Position::start(),
            done: false,
            counts: Counts::default(),
        })
    }

    /// Whether an effect of this kind stands.
    pub(super) fn has(&self, kind: &str) -> bool {
        self.effects.iter().any(|effect| effect.kind == kind)
    }

    /// Whether anything stands of what was read.
    pub(super) fn has_rows(&self) -> bool {
        !self.effects.iter().all(is_of_indexes)
    }

    pub(super) fn last_ordinal(&self) -> u64 {
        self.effects.last().map_or(0, |effect| effect.ordinal)
    }

    pub(super) fn loaded(self) -> Loaded {
        let mut loaded = Loaded {
            effects: self.effects.len() as u64,
            ..Loaded::default()
        };
        for ((dataset, second), mark) in self.marks {
            let counts = loaded.datasets.entry(dataset.clone()).or_default();
            if second {
                for (name, rows) in mark.counts.mended {
                    *counts.mended.entry(name).or_default() += rows;
                }
            } else {
                *counts = mark.counts;
            }
            let of_dataset = |effect: &&Effect| {
                effect
                    .kind
                    .split_once(':')
                    .is_some_and(|(_, name)| name == dataset)
            };
            let roots = self
                .effects
                .iter()
                .filter(of_dataset)
                .map(|effect| effect.root);
            let root = root_of(roots);
            loaded.roots.insert(dataset, root);
        }
        loaded
    }
}

/// Whether an effect is about indexes that stand aside, and not about rows.
fn is_of_indexes(effect: &Effect) -> bool {
    [aside::ASIDE, aside::BUILT].contains(&effect.kind.as_str())
}
