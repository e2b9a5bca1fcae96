//! Who gets a letter: the truth that a notification is held against, from the rules as the law and
//! good practice have them.
//!
//! Not here: rules as the step reads them.

use super::homes::Slot;
use super::lettings::Letting;
use super::members::Member;
use super::reach::Somewhere;
use super::truth::{LetterTruth, Tally};

/// A household, as far as letters go.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own about a household"
)]
pub(super) struct Reader<'a> {
    pub(super) letting: &'a Letting,
    pub(super) members: &'a [Member],
    pub(super) leaseholder: bool,
    pub(super) no_postcode: bool,
    pub(super) elsewhere: Somewhere,
    pub(super) vulnerable: bool,
    pub(super) kin: bool,
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

    /// Counts a household's members for the target.
    pub(super) fn consider(&mut self, target: usize, reader: &Reader<'_>) {
        let truth = &mut self.targets[target];
        truth.deleted += reader
            .members
            .iter()
            .filter(|member| member.deleted)
            .count() as u64;
        for (service, tally) in [(false, &mut truth.legal), (true, &mut truth.service)] {
            let mut told = false;
            for member in reader.members.iter().filter(|member| !member.deleted) {
                let word = reader.word(member, service);
                if service && word == "letter home" && told {
                    add(tally, "nothing household-told");
                } else {
                    told |= word == "letter home";
                    add(tally, word.trim_end_matches(" home"));
                }
            }
        }
    }

    /// Somebody whose household is not there, where nothing is split: no tenant.
    pub(super) fn stray(&mut self, target: usize) {
        let truth = &mut self.targets[target];
        add(&mut truth.legal, "nothing household-member");
        add(&mut truth.service, "nothing household-member");
    }
}

fn add(tally: &mut Tally, word: &str) {
    *tally.entry(word.to_owned()).or_default() += 1;
}

impl Reader<'_> {
    fn word(&self, member: &Member, service: bool) -> &'static str {
        let slot = self.letting.slot;
        let own = slot.filter(|_| member.number == 1);
        let to_kin = slot == Some(Slot::LettersToKin);
        let dead = own == Some(Slot::Deceased);
        match own {
            _ if !self.letting.current() => return "nothing tenancy-ended",
            _ if !member.responsible => return "nothing household-member",
            Some(Slot::Under18) => return "nothing under-18",
            Some(Slot::SafeContact) => return "by hand safe-contact",
            Some(Slot::Format) => return "by hand accessible-format",
            Some(Slot::Language) => return "by hand language",
            _ if dead || to_kin => {}
            _ if self.vulnerable && service => return "by hand vulnerable",
            _ => {}
        }
        if service && !dead {
            let joint = slot == Some(Slot::HalfJoint) || self.tenants() > 1;
            let out = slot == Some(Slot::OptOut);
            if self.email && !joint && !to_kin && !out {
                return "email";
            }
            if out {
                return "nothing opt-out";
            }
        }
        self.post(slot, dead, to_kin)
    }

    fn post(&self, slot: Option<Slot>, dead: bool, to_kin: bool) -> &'static str {
        if to_kin || (dead && self.kin) {
            return "letter";
        }
        if self.leaseholder && !dead {
            match self.elsewhere {
                Somewhere::Bfpo => return "by hand bfpo",
                Somewhere::NoFixedAbode => return "by hand no-fixed-abode",
                Somewhere::Elsewhere => return "letter",
                Somewhere::AtHome => {}
            }
        }
        match slot {
            Some(Slot::GoneAway) if !dead => "by hand gone-away",
            _ if self.no_postcode => "by hand no-valid-address",
            _ if dead => "letter",
            _ => "letter home",
        }
    }

    fn tenants(&self) -> usize {
        self.members
            .iter()
            .filter(|member| member.responsible)
            .count()
    }
}
