//! One source of a world with those who take over from it: what one legacy database is made for. A
//! world that several councils merge into has a part for each of them.
//!
//! Not here: which organisations there are (`world`), rows (`source`).

use super::world::{Org, World};
use super::{Progress, Spec};

/// What a legacy database is made for.
#[derive(Clone)]
pub(super) struct Part {
    pub(super) world: World,
    /// Which of the world's sources it is, from 0.
    pub(super) number: u32,
    /// Whose legacy database it is.
    pub(super) source: Org,
    /// Who takes over, each with its share of this source's homes.
    pub(super) targets: Vec<Org>,
    pub(super) homes: u32,
    pub(super) years: u32,
    pub(super) seed: u64,
    pub(super) progress: Option<Progress>,
}

impl Part {
    /// A part for each source of the world, the first with the world's own seed.
    pub(super) fn all(spec: &Spec) -> Vec<Part> {
        let sources = spec.world.sources();
        let mut left = spec.homes;
        let numbered = (0..).zip(sources);
        let parts = numbered.map(|(number, source)| {
            let last = number + 1 == u32::try_from(sources.len()).unwrap_or(u32::MAX);
            let homes = if last {
                left
            } else {
                spec.homes * source.share / 1000
            };
            left -= homes;
            Part {
                world: spec.world,
                number,
                source: *source,
                targets: spec.world.takers(source),
                homes,
                years: spec.years,
                seed: spec.seed.wrapping_add(u64::from(number) * 7_919),
                progress: spec.progress.clone(),
            }
        });
        parts.collect()
    }

    /// As [`World::mark`].
    pub(super) fn mark(&self, target: &Org) -> &'static str {
        let mark = self.world.mark(self.source.code, target.code);
        mark.unwrap_or(target.owner)
    }

    /// By which code the truth tells of a target: where several sources share one, by the source's.
    pub(super) fn told_by(&self, target: &Org) -> &'static str {
        if self.world.merges() {
            self.source.code
        } else {
            target.code
        }
    }
}
