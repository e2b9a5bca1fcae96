//! Who speaks: `s151`, `s151@thanet` or a person's code, turned into one holder of a role.
//!
//! Not here: whether their word counts (`machine`'s gates judge that again).

use crate::machine::event::Actor;
use crate::machine::time::Time;
use crate::plan::model::Code;
use crate::plan::outline::{Holder, Outline};

/// One person in one role for one organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// The person's code.
    pub person: Code,
    /// The role they speak in.
    pub role: Code,
    /// The organisation they speak for.
    pub org: Code,
}

/// Nobody, or more than one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WhoFault {
    /// No holder fits.
    #[error("nobody holds `{0}` on that day")]
    Nobody(String),
    /// Several do.
    #[error("`{said}` could be {}", .could.join(", "))]
    Several {
        /// What was said.
        said: String,
        /// Ways to say it that fit one person each.
        could: Vec<String>,
    },
}

impl Who {
    /// Finds the one holder that `said` means on the day of `as_at`; `org` and `role` narrow it down
    /// where the step that is decided knows them.
    ///
    /// # Errors
    /// When nobody fits, or several do.
    pub fn find(
        outline: &Outline,
        said: &str,
        as_at: Time,
        org: Option<&Code>,
        roles: &[Code],
    ) -> Result<Who, WhoFault> {
        let (name, at_org) = match said.split_once('@') {
            Some((name, at_org)) => (name, Some(at_org)),
            None => (said, None),
        };
        let holds = |holder: &&Holder| {
            (&*holder.role == name || &*holder.person == name)
                && at_org.is_none_or(|at_org| &*holder.org == at_org)
                && holder.in_post(as_at.moment())
        };
        let mut fit: Vec<&Holder> = outline.holders.iter().filter(holds).collect();
        narrow(&mut fit, |holder| org.is_none_or(|org| holder.org == *org));
        narrow(&mut fit, |holder| roles.contains(&holder.role));
        fit.dedup();
        match fit.as_slice() {
            [] => Err(WhoFault::Nobody(said.to_owned())),
            [one] => Ok(Who {
                person: one.person.clone(),
                role: one.role.clone(),
                org: one.org.clone(),
            }),
            several => Err(WhoFault::Several {
                said: said.to_owned(),
                could: several.iter().map(|holder| way(holder, name)).collect(),
            }),
        }
    }

    /// As entries say it.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::Person {
            person: self.person.clone(),
            role: self.role.clone(),
            org: self.org.clone(),
            key: None,
        }
    }

    /// As entries say it of somebody who signed, by the fingerprint of their key.
    #[must_use]
    pub fn with_key(&self, fingerprint: String) -> Actor {
        Actor::Person {
            person: self.person.clone(),
            role: self.role.clone(),
            org: self.org.clone(),
            key: Some(fingerprint),
        }
    }
}

/// Keeps those that fit, unless none does: a wish that nobody meets is judged later, by the gate.
fn narrow(holders: &mut Vec<&Holder>, fits: impl Fn(&Holder) -> bool) {
    if holders.iter().any(|holder| fits(holder)) {
        holders.retain(|holder| fits(holder));
    }
}

fn way(holder: &Holder, name: &str) -> String {
    if &*holder.person == name {
        format!("`{}` as {}", holder.person, holder.role)
    } else {
        format!("`{}@{}` ({})", holder.role, holder.org, holder.person)
    }
}
