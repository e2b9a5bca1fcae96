//! The decision for each person and purpose: a letter, an e-mail, a person's own handling, or nothing,
//! each with its reason. Legal duty goes before safety, safety before preference; the rules stand in
//! that order below, and the first that speaks decides.
//!
//! In: everybody the map finds, the class of the letter. Out: one decision for each, in the same
//! order; in a service letter one of a household's tenants is written to for all.
//!
//! Not here: what the letter says (`template`), whether it was written already
//! (`steps::tenant_notification`).

use std::collections::{BTreeMap, BTreeSet};

use super::address::{self, Address, Unfit};
use super::recipient::Recipient;
use crate::plan::model::LetterClass;

/// What is to be done for one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// A letter by post.
    Letter {
        /// The name on it.
        to: String,
        /// Where it goes.
        address: Address,
        /// Why it is not the plain case, where it is not.
        why: Option<Reason>,
    },
    /// An e-mail.
    Email {
        /// The name in it.
        to: String,
        /// Where it goes.
        address: String,
    },
    /// Somebody has to see to it by hand.
    ByHand(Reason),
    /// Nothing.
    Nothing(Reason),
}

/// Why somebody is treated in another way. The codes are stored: never change one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The tenancy has ended.
    TenancyEnded,
    /// The home stands empty.
    Void,
    /// Somebody of the household who is not a tenant.
    HouseholdMember,
    /// Not of age.
    UnderAge,
    /// The same person stands in the register twice.
    Duplicate,
    /// Only a safe channel may be used.
    SafeContact,
    /// Dead; the letter goes to the personal representatives.
    Representatives,
    /// Needs another format.
    AccessibleFormat,
    /// Needs another language.
    Language,
    /// Somebody should ring.
    Vulnerable,
    /// Does not want it.
    OptOut,
    /// Letters go to the next of kin.
    NextOfKin,
    /// A leaseholder who lives elsewhere.
    Correspondence,
    /// Post comes back.
    GoneAway,
    /// No address that the post takes.
    NoValidAddress,
    /// No fixed abode.
    NoFixedAbode,
    /// The forces' post office.
    Bfpo,
    /// Abroad.
    Overseas,
    /// Written to for the whole household.
    ForHousehold,
    /// Somebody else of the household is written to for all.
    HouseholdTold,
}

impl Reason {
    /// Its stored code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Reason::TenancyEnded => "tenancy-ended",
            Reason::Void => "void",
            Reason::HouseholdMember => "household-member",
            Reason::UnderAge => "under-18",
            Reason::Duplicate => "duplicate",
            Reason::SafeContact => "safe-contact",
            Reason::Representatives => "personal-representatives",
            Reason::AccessibleFormat => "accessible-format",
            Reason::Language => "language",
            Reason::Vulnerable => "vulnerable",
            Reason::OptOut => "opt-out",
            Reason::NextOfKin => "next-of-kin",
            Reason::Correspondence => "correspondence-address",
            Reason::GoneAway => "gone-away",
            Reason::NoValidAddress => "no-valid-address",
            Reason::NoFixedAbode => "no-fixed-abode",
            Reason::Bfpo => "bfpo",
            Reason::Overseas => "overseas",
            Reason::ForHousehold => "for-household",
            Reason::HouseholdTold => "household-told",
        }
    }
}

/// Decides for everybody. `adult` is the latest date of birth (`YYYY-MM-DD`) of somebody who is 18.
#[must_use]
pub fn decide_all(people: &[Recipient], class: LetterClass, adult: &str) -> Vec<Decision> {
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut decisions: Vec<Decision> = people
        .iter()
        .map(|who| match decide(who, class, adult) {
            Decision::Nothing(reason) => Decision::Nothing(reason),
            _ if !note(who, &mut known) => Decision::Nothing(Reason::Duplicate),
            decision => decision,
        })
        .collect();
    if class == LetterClass::Service {
        tell_households_once(people, &mut decisions);
    }
    decisions
}

/// The decision for one person, for themselves.
#[must_use]
pub fn decide(who: &Recipient, class: LetterClass, adult: &str) -> Decision {
    if let Some(reason) = has_no_claim(who, adult) {
        return Decision::Nothing(reason);
    }
    if let Some(reason) = needs_care(who, class) {
        return Decision::ByHand(reason);
    }
    if class == LetterClass::Legal || who.deceased {
        return by_post(who);
    }
    let alone = !who.joint && !who.letters_to_nok;
    if alone && has_email(who) && !refuses(who, "email") {
        return Decision::Email {
            to: who.name(),
            address: who.email.clone(),
        };
    }
    if refuses(who, "post") {
        return Decision::Nothing(Reason::OptOut);
    }
    by_post(who)
}

/// No letter is due at all.
fn has_no_claim(who: &Recipient, adult: &str) -> Option<Reason> {
    if who.tenancy_ended {
        return Some(Reason::TenancyEnded);
    }
    if who.void {
        return Some(Reason::Void);
    }
    if !who.responsible {
        return Some(Reason::HouseholdMember);
    }
    let young = !who.dob.is_empty() && who.dob.as_str() > adult;
    young.then_some(Reason::UnderAge)
}

/// A letter would do harm, or could not be read: a person sees to it, whatever the letter's class.
/// A telephone call instead of a letter is for news only: a notice is served all the same.
fn needs_care(who: &Recipient, class: LetterClass) -> Option<Reason> {
    if who.safe_contact {
        return Some(Reason::SafeContact);
    }
    if who.deceased || who.letters_to_nok {
        return None;
    }
    if !who.accessible_format.is_empty() {
        return Some(Reason::AccessibleFormat);
    }
    if !speaks_english(&who.language) {
        return Some(Reason::Language);
    }
    (who.vulnerable && class == LetterClass::Service).then_some(Reason::Vulnerable)
}

/// The letter, and where it goes.
fn by_post(who: &Recipient) -> Decision {
    let name = who.name();
    let (to, lines, why) = if who.deceased {
        let to = format!("The personal representatives of {name}");
        let lines = if who.nok.is_empty() {
            &who.home
        } else {
            &who.nok
        };
        (to, lines, Some(Reason::Representatives))
    } else if who.letters_to_nok {
        if who.nok_name.is_empty() {
            return Decision::ByHand(Reason::NextOfKin);
        }
        (
            format!("{} (for {name})", who.nok_name),
            &who.nok,
            Some(Reason::NextOfKin),
        )
    } else if who.leaseholder && !who.correspondence.is_empty() {
        (name, &who.correspondence, Some(Reason::Correspondence))
    } else if who.gone_away {
        return Decision::ByHand(Reason::GoneAway);
    } else {
        (name, &who.home, None)
    };
    match address::read(lines) {
        Ok(_) if to.is_empty() => Decision::ByHand(Reason::NoValidAddress),
        Ok(address) => Decision::Letter { to, address, why },
        Err(Unfit::Invalid) => Decision::ByHand(Reason::NoValidAddress),
        Err(Unfit::NoFixedAbode) => Decision::ByHand(Reason::NoFixedAbode),
        Err(Unfit::Bfpo) => Decision::ByHand(Reason::Bfpo),
        Err(Unfit::Overseas) => Decision::ByHand(Reason::Overseas),
    }
}

/// Service news goes to a household once, with the names of all its tenants at that address.
fn tell_households_once(people: &[Recipient], decisions: &mut [Decision]) {
    let mut households: BTreeMap<(&str, Address), Vec<usize>> = BTreeMap::new();
    for (at, who) in people.iter().enumerate() {
        if let Decision::Letter {
            address, why: None, ..
        } = &decisions[at]
            && !who.household_ref.is_empty()
        {
            let household = (who.household_ref.as_str(), address.clone());
            households.entry(household).or_default().push(at);
        }
    }
    for ((_, address), tenants) in households {
        let [first, others @ ..] = tenants.as_slice() else {
            continue;
        };
        if others.is_empty() {
            continue;
        }
        let names: Vec<String> = tenants.iter().map(|at| people[*at].name()).collect();
        decisions[*first] = Decision::Letter {
            to: names.join(" and "),
            address,
            why: Some(Reason::ForHousehold),
        };
        for at in others {
            decisions[*at] = Decision::Nothing(Reason::HouseholdTold);
        }
    }
}

/// Notes a person by reference and, where there is enough to go by, by name, birth and home; false
/// when they are known already.
fn note(who: &Recipient, known: &mut BTreeSet<String>) -> bool {
    let by_reference = format!("r {}", who.person_ref);
    if who.dob.is_empty() || who.surname.is_empty() {
        return known.insert(by_reference);
    }
    let home = who.home.join(" ");
    let by_name = format!("n {} {} {} {home}", who.forename, who.surname, who.dob).to_lowercase();
    let new = !known.contains(&by_name);
    known.insert(by_name);
    known.insert(by_reference) && new
}

fn speaks_english(language: &str) -> bool {
    let language = language.to_ascii_lowercase();
    ["", "en", "eng", "english", "en-gb"].contains(&language.as_str())
}

/// Whether somebody has said no to a channel: by its name, or to all.
fn refuses(who: &Recipient, channel: &str) -> bool {
    let words = who.opt_out.to_ascii_lowercase();
    let named = ["email", "post"].iter().any(|one| words.contains(one));
    let no = !["", "0", "n", "no", "in"].contains(&words.as_str());
    no && (!named || words.contains(channel))
}

/// An address that a mail server would take: one `@`, a name before it, dots between labels after it.
fn has_email(who: &Recipient) -> bool {
    let email = who.email.as_str();
    let Some((local, host)) = email.split_once('@') else {
        return false;
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let label = |label: &str| {
        let inner = label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        !label.is_empty() && inner && !label.starts_with('-') && !label.ends_with('-')
    };
    let ending = host.rsplit('.').next().unwrap_or_default();
    email.len() <= 320
        && !email.contains("..")
        && !local.is_empty()
        && !local.starts_with('.')
        && !local.ends_with('.')
        && local.chars().all(plain)
        && host.contains('.')
        && host.split('.').all(label)
        && ending.len() >= 2
        && ending.chars().all(|c| c.is_ascii_alphabetic())
}
