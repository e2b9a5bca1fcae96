//! Who must have seen a seal before it counts: named witnesses, groups of them, and one that is the
//! quorum. The shape is C2SP tlog-policy's, so that a policy can be handed to other people's tools.
//!
//! Not here: reading it from a plan (`trust`), from a policy file (`seal::policy`).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::model::Code;
use super::vkey::Vkey;

/// Somebody outside the project who signs seals that they have seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// What the policy calls them; the key has a name of its own.
    pub name: Code,
    /// Their verifier key.
    pub key: Vkey,
}

/// Some of several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// What the policy calls it.
    pub name: Code,
    /// How many of the members are needed, from 1.
    pub need: usize,
    /// Witnesses and groups named before.
    pub members: Vec<Code>,
}

/// A policy: names are unique over witnesses and groups, every key stands once, a group names only
/// what stands before it and no name is a member twice. Whoever builds one has checked that.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Quorum {
    /// Every witness.
    pub witnesses: Vec<Witness>,
    /// Every group, members first.
    pub groups: Vec<Group>,
    /// The witness or group that is needed; none: no cosignature is.
    pub needed: Option<Code>,
}

impl Quorum {
    /// Whether cosignatures of these witnesses (names of the policy) are enough.
    #[must_use]
    pub fn met(&self, signed: &BTreeSet<Code>) -> bool {
        let Some(needed) = &self.needed else {
            return true;
        };
        let known = |name: &&Code| self.witness(name).is_some();
        let mut have: BTreeSet<&Code> = signed.iter().filter(known).collect();
        for group in &self.groups {
            let members = group.members.iter();
            if members.filter(|member| have.contains(member)).count() >= group.need {
                have.insert(&group.name);
            }
        }
        have.contains(needed)
    }

    /// The witness of that name.
    #[must_use]
    pub fn witness(&self, name: &str) -> Option<&Witness> {
        self.witnesses.iter().find(|witness| *witness.name == *name)
    }

    /// What is needed, for people: `audit and one of (council, almo)`.
    #[must_use]
    pub fn in_words(&self) -> String {
        match &self.needed {
            Some(name) => self.part_in_words(name, true),
            None => "nobody".to_owned(),
        }
    }

    fn part_in_words(&self, name: &Code, outermost: bool) -> String {
        let Some(group) = self.groups.iter().find(|group| group.name == *name) else {
            return name.to_string();
        };
        let members = group.members.iter();
        let parts: Vec<String> = members
            .map(|member| self.part_in_words(member, false))
            .collect();
        match (group.need, parts.as_slice()) {
            (_, [only]) => only.clone(),
            (need, parts) if need == parts.len() && outermost => parts.join(" and "),
            (need, parts) if need == parts.len() => format!("({})", parts.join(" and ")),
            (1, parts) => format!("one of ({})", parts.join(", ")),
            (need, parts) => format!("{need} of ({})", parts.join(", ")),
        }
    }
}
