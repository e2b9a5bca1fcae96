//! The homes: estates, blocks, dwellings and garages of every council.
//!
//! Messes are placed by a home's position in its council (its *slot*), so that each occurs in a small
//! world too.
//!
//! Not here: their rows (`property`), who lives there (`people`, `lettings`).

use std::fmt;

use super::dice::Dice;
use super::part::Part;
use super::truth::Owner;
use super::words::{self, HOUSES, STREETS, WAYS};
use super::world::Org;

/// Every so many homes of a council the messes begin again.
const PERIOD: u32 = 400;

/// One mess of a dwelling or of those who live there; the order is that of the slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    UprnFloat,
    UprnDiffers,
    UprnPointZero,
    GhostAddress,
    NoParent,
    NoPostcode,
    Bfpo,
    NoFixedAbode,
    HalfJoint,
    Deceased,
    GoneAway,
    SafeContact,
    CoupleInOne,
    SamePersonTwice,
    PersonInTwoDistricts,
    TwiceEncoded,
    Cp1252,
    ImpossibleStart,
    Overlap,
    GhostTenancy,
    FormerDebt,
    Alert,
    ExpiredAlert,
    DeletedMember,
    Court,
    Agreement,
    DeletedAgreement,
    LettersToKin,
    Format,
    OptOut,
    Language,
    Under18,
    SentinelBirth,
    Credit,
    TenureWithoutLookup,
    Recharge,
}

const SLOTS: [Slot; 36] = [
    Slot::UprnFloat,
    Slot::UprnDiffers,
    Slot::UprnPointZero,
    Slot::GhostAddress,
    Slot::NoParent,
    Slot::NoPostcode,
    Slot::Bfpo,
    Slot::NoFixedAbode,
    Slot::HalfJoint,
    Slot::Deceased,
    Slot::GoneAway,
    Slot::SafeContact,
    Slot::CoupleInOne,
    Slot::SamePersonTwice,
    Slot::PersonInTwoDistricts,
    Slot::TwiceEncoded,
    Slot::Cp1252,
    Slot::ImpossibleStart,
    Slot::Overlap,
    Slot::GhostTenancy,
    Slot::FormerDebt,
    Slot::Alert,
    Slot::ExpiredAlert,
    Slot::DeletedMember,
    Slot::Court,
    Slot::Agreement,
    Slot::DeletedAgreement,
    Slot::LettersToKin,
    Slot::Format,
    Slot::OptOut,
    Slot::Language,
    Slot::Under18,
    Slot::SentinelBirth,
    Slot::Credit,
    Slot::TenureWithoutLookup,
    Slot::Recharge,
];

/// What a home is let as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Rented,
    Leasehold,
    Void,
    Garage,
    Estate,
    Block,
    SubBlock,
}

/// A row of `property`, as far as others need it.
#[derive(Debug, Clone)]
pub(super) struct Home {
    pub(super) number: u32,
    pub(super) council: usize,
    pub(super) owner: Owner,
    pub(super) owner_code: &'static str,
    pub(super) kind: Kind,
    pub(super) slot: Option<Slot>,
    pub(super) parent: u32,
    pub(super) flat: Option<u32>,
    house: u32,
    pub(super) street: usize,
    town: (&'static str, &'static str),
    /// Rent a week, in pence.
    pub(super) rent: i64,
    pub(super) gas: bool,
}

impl Home {
    /// Whether rows may hang on it: a ghost address has none.
    pub(super) fn real(&self) -> bool {
        self.slot != Some(Slot::GhostAddress)
    }

    /// A dwelling that somebody lives in.
    pub(super) fn lived_in(&self) -> bool {
        matches!(self.kind, Kind::Rented | Kind::Leasehold)
    }

    /// Its reference: eight digits with leading zeros.
    pub(super) fn reference(&self) -> Reference {
        Reference(self.number)
    }

    /// The first half of its address.
    pub(super) fn preamble(&self) -> Option<String> {
        self.flat.map(|flat| format!("Flat {flat}"))
    }

    /// The second half of its address.
    pub(super) fn designation(&self) -> String {
        let road = self.road();
        match self.kind {
            Kind::Estate => format!("{road} Estate"),
            Kind::Block | Kind::SubBlock => {
                format!(
                    "{} House, {road}",
                    HOUSES[self.house as usize % HOUSES.len()]
                )
            }
            Kind::Garage => format!("Garage {}, {road}", self.house),
            _ if self.flat.is_some() => {
                format!(
                    "{} House, {road}",
                    HOUSES[self.house as usize % HOUSES.len()]
                )
            }
            _ => format!("{} {road}", self.house),
        }
    }

    /// Its street.
    pub(super) fn road(&self) -> String {
        format!(
            "{} {}",
            STREETS[self.street % STREETS.len()],
            WAYS[self.street % WAYS.len()]
        )
    }

    /// Its town.
    pub(super) fn town(&self) -> &'static str {
        self.town.0
    }

    /// Its postcode.
    pub(super) fn postcode(&self) -> String {
        let mut text = String::with_capacity(8);
        words::postcode(
            &mut text,
            self.town.1,
            u32::try_from(self.street).unwrap_or(0),
        );
        text
    }
}

/// A property's reference.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reference(pub(super) u32);

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:08}", self.0))
    }
}

/// Every property of the world: what is let first, then blocks and estates (whose references are
/// higher, so that parents come after their children).
pub(super) struct Stock {
    pub(super) homes: Vec<Home>,
    /// Each council's first estate, by position in `homes`.
    pub(super) estates: Vec<usize>,
}

/// Lays out the estates.
pub(super) fn lay_out(part: &Part) -> Stock {
    let mut dice = Dice::new(part.seed, "homes");
    let mut homes = Vec::new();
    let mut places = Vec::new();
    let councils = &part.targets;
    let mut made = 0;
    for (council, org) in councils.iter().enumerate() {
        let last = council + 1 == councils.len();
        let count = if last {
            part.homes - made
        } else {
            part.homes * org.share / 1000
        };
        made += count;
        lay_out_council(
            council,
            part.mark(org),
            org,
            count,
            &mut dice,
            &mut homes,
            &mut places,
        );
    }
    add_nobodys(&mut homes);
    let mut estates = vec![0; councils.len()];
    for place in places {
        if place.kind == Kind::Estate && estates[place.council] == 0 {
            estates[place.council] = homes.len();
        }
        homes.push(place);
    }
    Stock { homes, estates }
}

fn lay_out_council(
    council: usize,
    owner_code: &'static str,
    org: &Org,
    count: u32,
    dice: &mut Dice,
    homes: &mut Vec<Home>,
    places: &mut Vec<Home>,
) {
    let base = (u32::try_from(council).unwrap_or(0) + 1) * 1_000_000;
    let (mut estate, mut parent) = (0, 0);
    for index in 0..count {
        let town = org.towns[(index / 150) as usize % org.towns.len()];
        let street = (index / 25) as usize + council * 7;
        let mut home = Home {
            number: base + index,
            council,
            owner: Owner::Target(council),
            owner_code,
            kind: Kind::Rented,
            slot: SLOTS.get((index % PERIOD) as usize).copied(),
            parent: 0,
            flat: None,
            house: index % 25 * 2 + 1,
            street,
            town,
            rent: dice.between(7_200, 13_400),
            gas: dice.chance(800),
        };
        if index % 150 == 0 {
            estate = 90_000_000 + base + index;
            places.push(place(&home, estate, 0, Kind::Estate));
        }
        if index % 150 < 90 {
            if index % 150 % 18 == 0 {
                let block = 80_000_000 + base + index;
                parent = block;
                places.push(place(&home, block, estate, Kind::Block));
                if index / 18 % 10 == 0 {
                    parent = 85_000_000 + base + index;
                    places.push(place(&home, parent, block, Kind::SubBlock));
                }
            }
            home.flat = Some(index % 150 % 18 + 1);
            home.house = index / 18;
            home.parent = parent;
        } else {
            home.parent = estate;
        }
        settle_kind(&mut home, dice);
        homes.push(home);
        if index % 17 == 16 {
            let garage = garage(&homes[homes.len() - 1], estate, dice);
            homes.push(garage);
        }
    }
}

/// Sold flats, empty homes; homes with a mess of their own are let.
fn settle_kind(home: &mut Home, dice: &mut Dice) {
    let draw = dice.below(1000);
    home.kind = match home.slot {
        Some(Slot::GhostAddress) => Kind::Void,
        Some(Slot::Bfpo | Slot::NoFixedAbode) => Kind::Leasehold,
        None if home.flat.is_some() && draw < 200 => Kind::Leasehold,
        None if draw > 980 => Kind::Void,
        _ => Kind::Rented,
    };
}

fn place(home: &Home, number: u32, parent: u32, kind: Kind) -> Home {
    Home {
        number,
        kind,
        parent,
        slot: None,
        rent: 0,
        gas: false,
        ..home.clone()
    }
}

fn garage(home: &Home, estate: u32, dice: &mut Dice) -> Home {
    Home {
        number: home.number + 500_000,
        kind: Kind::Garage,
        parent: estate,
        slot: None,
        flat: None,
        rent: dice.between(950, 1_450),
        gas: false,
        ..home.clone()
    }
}

/// Two homes that say a code nobody has, or none.
fn add_nobodys(homes: &mut Vec<Home>) {
    for (index, (code, why)) in [("ZZZ", "owner \"ZZZ\""), ("", "owner \"\"")]
        .into_iter()
        .enumerate()
    {
        let mut home = homes[homes.len() / 2].clone();
        home.number = 9_900_001 + u32::try_from(index).unwrap_or(0);
        home.kind = Kind::Rented;
        home.slot = None;
        home.flat = None;
        home.owner = Owner::Nobody(why);
        home.owner_code = code;
        home.parent = 0;
        home.rent = 9_000;
        homes.push(home);
    }
}
