//! Who gets a letter: the truth that a notification is held against.
//!
//! Not here: rules as the step reads them.

use super::homes::{Kind, Slot};
use super::lettings::Letting;
use super::people::Somewhere;
use super::truth::{LetterTruth, Owner};

/// One person, as far as letters go.
pub(super) struct Reader<'a> {
    pub(super) owner: Owner,
    pub(super) letting: &'a Letting,
    pub(super) responsible: bool,
    pub(super) deleted: bool,
    pub(super) first: bool,
    pub(super) kind: Kind,
    pub(super) no_postcode: bool,
    pub(super) elsewhere: Somewhere,
    pub(super) vulnerable: bool,
    pub(super) adult: bool,
    pub(super) email: bool,
}

/// Letters by target.
pub(super) struct Letters {
    pub(super) targets: Vec<LetterTruth>,
}

impl Letters {
    pub(super) fn new(targets: usize) -> Letters {
        Letters {
            targets: vec![LetterTruth::default(); targets],
        }
    }

    pub(super) fn consider(&mut self, reader: &Reader<'_>) {
        let Owner::Target(target) = reader.owner else {
            return;
        };
        let truth = &mut self.targets[target];
        truth.people += 1;
        let mark = match reader.letting.slot.filter(|_| reader.first) {
            _ if reader.deleted => "deleted",
            _ if !reader.responsible => "not-responsible",
            Some(Slot::Deceased) => "deceased",
            _ => "",
        };
        if !mark.is_empty() {
            *truth.marked.entry(mark.to_owned()).or_default() += 1;
        }
    }
}
