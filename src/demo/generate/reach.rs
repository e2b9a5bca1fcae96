//! How somebody is reached: where post goes if not home, telephone, e-mail.
//!
//! Not here: whether they are written to (`letters`).

use super::dice::Dice;
use super::homes::{Home, Kind, Slot};
use super::lettings::{Letting, Sort};
use super::members::Human;
use super::words;

/// Where post goes, if not home.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Somewhere {
    AtHome,
    Elsewhere,
    Bfpo,
    NoFixedAbode,
}

pub(super) struct Elsewhere {
    pub(super) kind: Somewhere,
    pub(super) preamble: Option<&'static str>,
    pub(super) designation: Option<String>,
    pub(super) postcode: Option<String>,
}

impl Elsewhere {
    pub(super) fn of(letting: &Letting, home: &Home, dice: &mut Dice) -> Elsewhere {
        let (kind, preamble, designation, postcode) = match letting.slot {
            Some(Slot::Bfpo) => (Somewhere::Bfpo, Some("Flt Lt"), "BFPO 57", "BFPO 57"),
            Some(Slot::NoFixedAbode) => (Somewhere::NoFixedAbode, None, "No fixed abode", ""),
            _ if letting.sort == Sort::Lease
                && home.kind == Kind::Leasehold
                && dice.chance(350) =>
            {
                (
                    Somewhere::Elsewhere,
                    None,
                    "14 Quince Road, Faversham",
                    "ME13 9ZD",
                )
            }
            _ => (Somewhere::AtHome, None, "", ""),
        };
        let there = kind != Somewhere::AtHome;
        Elsewhere {
            kind,
            preamble,
            designation: there.then(|| designation.to_owned()),
            postcode: there.then(|| postcode.to_owned()),
        }
    }
}

/// How somebody is reached.
pub(super) struct Contact {
    pub(super) phone: Option<String>,
    pub(super) email: Option<String>,
}

impl Contact {
    pub(super) fn of(main: &Human, letting: &Letting, dice: &mut Dice) -> Contact {
        let mut phone = String::new();
        words::phone(&mut phone, dice.below(4_000));
        let phone = match dice.below(20) {
            0..3 => None,
            3 => Some("UNKNOWN".to_owned()),
            _ => Some(phone),
        };
        let email = dice.chance(450).then(|| {
            let mut email = String::new();
            words::email(&mut email, main.forename, main.surname, letting.household);
            email
        });
        Contact { phone, email }
    }
}
