//! The homes: estates, blocks, dwellings and garages of every council, and the tables `property` and
//! `rent`.
//!
//! Messes are placed by a home's position in its council (its *slot*), so that each occurs in a small
//! world too.
//!
//! Not here: who lives there (`people`, `lettings`).

use std::fmt;

use rusqlite::Connection;

use super::dice::Dice;
use super::table::Table;
use super::truth::{Books, Fate, Owner};
use super::words::{self, HOUSES, STREETS, WAYS};
use super::world::Org;
use super::{MakeError, Spec};

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
    owner_code: &'static str,
    pub(super) kind: Kind,
    pub(super) slot: Option<Slot>,
    parent: u32,
    pub(super) flat: Option<u32>,
    house: u32,
    street: usize,
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
        match (self.kind, self.flat) {
            (Kind::Estate | Kind::Block | Kind::SubBlock, _) => None,
            (_, Some(flat)) => Some(format!("Flat {flat}")),
            (_, None) => None,
        }
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

    fn road(&self) -> String {
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
pub(super) fn lay_out(spec: &Spec) -> Stock {
    let mut dice = Dice::new(spec.seed, "homes");
    let mut homes = Vec::new();
    let mut places = Vec::new();
    let councils = spec.world.targets();
    let mut made = 0;
    for (council, org) in councils.iter().enumerate() {
        let last = council + 1 == councils.len();
        let count = if last {
            spec.homes - made
        } else {
            spec.homes * org.share / 1000
        };
        made += count;
        lay_out_council(
            council,
            spec.world.landlord(org).owner,
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
        Some(_) => Kind::Rented,
        None if home.flat.is_some() && draw < 200 => Kind::Leasehold,
        None if draw > 980 => Kind::Void,
        None => Kind::Rented,
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
    for (index, (code, why)) in [("XXX", "owner \"XXX\""), ("", "owner \"\"")]
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

/// Writes `property` and `rent`.
pub(super) fn write(
    connection: &Connection,
    spec: &Spec,
    stock: &Stock,
    books: &mut Books,
) -> Result<(), MakeError> {
    let mut dice = Dice::new(spec.seed, "property");
    let mut property = Table::new(connection, "property", &PROPERTY, spec.progress.as_ref())?;
    let mut rent = Table::new(connection, "rent", &RENT, spec.progress.as_ref())?;
    for (index, home) in stock.homes.iter().enumerate() {
        write_property(&mut property, home, index, &mut dice, books)?;
        if home.real() && (home.lived_in() || home.kind == Kind::Void || home.kind == Kind::Garage)
        {
            write_rent(&mut rent, home, index, &mut dice, books)?;
        }
    }
    Ok(())
}

const PROPERTY: [&str; 32] = [
    "prop_ref",
    "major_ref",
    "level_code",
    "cat_type",
    "subtyp_code",
    "owner_conf",
    "post_preamble",
    "post_desig",
    "post_code",
    "short_address",
    "address1",
    "u_llpg_ref",
    "u_llpgref",
    "occ_stat",
    "letable",
    "leasehold",
    "sheltered",
    "num_bedrooms",
    "u_year_built",
    "heating",
    "u_gas_service_req",
    "handover",
    "practical_completion",
    "asbestos",
    "epc_cert_no",
    "epc_cert_date",
    "dh_status",
    "arr_patch",
    "u_ghost_address",
    "rtb",
    "u_floors",
    "property_sid",
];
/// Texts that all mean: nobody knows when it was built.
const UNKNOWN_YEARS: [(Option<&str>, &str); 6] = [
    (None, "null form NULL"),
    (Some(""), "null form empty"),
    (Some("    "), "null form spaces"),
    (Some("."), "null form ."),
    (Some("N/A"), "null form N/A"),
    (Some("UNKN"), "null form UNKNOWN"),
];
const YEARS: [&str; 6] = ["1928", "1936", "1951", "1964", "1972", "1988"];

fn write_property(
    t: &mut Table<'_>,
    home: &Home,
    index: usize,
    dice: &mut Dice,
    books: &mut Books,
) -> Result<(), MakeError> {
    let epc = home.lived_in() && dice.chance(700);
    let asbestos = home.kind == Kind::Block || (home.lived_in() && dice.chance(60));
    let (level, category) = level_and_category(home);
    let designation = home.designation();
    let preamble = home.preamble();
    let parent = if home.slot == Some(Slot::NoParent) {
        77_777_777
    } else {
        home.parent
    };
    t.padded(home.reference(), 12);
    if parent == 0 {
        t.null()
    } else {
        t.padded(Reference(parent), 12)
    };
    t.text(level).text(category).null().text(home.owner_code);
    t.maybe(preamble.as_ref().map(|text| format!("{text:60}")))
        .padded(&designation, 60);
    if home.slot == Some(Slot::NoPostcode) {
        t.text(" ")
    } else {
        t.padded(home.postcode(), 10)
    };
    t.shown(format_args!("{}, {}", home.road(), home.town()));
    let whole = preamble.map(|text| format!("{text}, {designation}"));
    t.shown(format_args!(
        "{}, {}, {}",
        whole.as_deref().unwrap_or(&designation),
        home.town(),
        home.postcode()
    ));
    bind_uprn(t, home, books);
    let occupied = if home.kind == Kind::Void {
        "VAC"
    } else {
        "OCC"
    };
    t.text(occupied)
        .int(home.lived_in())
        .int(home.kind == Kind::Leasehold);
    t.int(dice.chance(40)).int(dice.between(1, 4));
    let known = index % 12;
    if known < 6 {
        t.text(YEARS[known])
    } else {
        t.maybe(UNKNOWN_YEARS[known - 6].0)
    };
    bind_heating(t, home, index, books);
    t.int(home.gas);
    t.text(["1900-01-01", "1972-06-05", "1899-12-30"][index % 3]);
    t.text(["1971-05-03", "1900-01-01", "03/05/1971"][index % 3]);
    t.int(asbestos);
    t.maybe(epc.then(|| format!("8{:04}-7700-{:04}", home.number % 10_000, index % 10_000)));
    t.maybe(epc.then(|| format!("20{:02}-0{}-11", 10 + index % 9, 1 + index % 9)));
    t.text(["DEC", "NON", "DEC", "UNK"][index % 4]);
    t.shown(format_args!("P{:02}", home.street % 20));
    t.maybe((!home.real()).then_some("GHOST OF FLAT NEVER BUILT"));
    t.int(home.lived_in())
        .int(dice.between(1, 2))
        .int(i64::try_from(index).unwrap_or(0) + 1);
    t.done()?;
    count_property(home, known, epc, asbestos, books);
    Ok(())
}

fn level_and_category(home: &Home) -> (&'static str, &'static str) {
    match home.kind {
        Kind::Estate => ("0", "EST"),
        Kind::Block => ("1", "BLK"),
        Kind::SubBlock => ("2", "BLK"),
        Kind::Garage => ("4", "GAR"),
        _ if home.flat.is_some() => ("3", "FLA"),
        _ => ("3", "HOU"),
    }
}

fn bind_uprn(t: &mut Table<'_>, home: &Home, books: &mut Books) {
    let uprn = 100_060_000_000_u64 + u64::from(home.number);
    let first = match home.slot {
        Some(Slot::UprnFloat) => "1.00061E+11".to_owned(),
        Some(Slot::UprnPointZero) => format!("{uprn}.0"),
        _ => uprn.to_string(),
    };
    let second = if home.slot == Some(Slot::UprnDiffers) {
        uprn + 7_000
    } else {
        uprn
    };
    t.text(&first).shown(second);
    match home.slot {
        Some(Slot::UprnFloat) => books.mess("uprn as float text"),
        Some(Slot::UprnPointZero) => books.mess("uprn with point zero"),
        Some(Slot::UprnDiffers) => books.mess("two uprns that differ"),
        _ => {}
    }
}

fn bind_heating(t: &mut Table<'_>, home: &Home, index: usize, books: &mut Books) {
    if home.gas {
        t.text("GCH");
    } else if index % 29 == 0 {
        t.text("ASH");
        books.mess("code without lookup row");
    } else if index % 31 == 0 {
        t.null();
    } else {
        t.text(["ELS", "ELS", "COM", "els"][index % 4]);
    }
}

fn count_property(home: &Home, known: usize, epc: bool, asbestos: bool, books: &mut Books) {
    let kept = |there: bool, reason| match (home.real(), there) {
        (false, _) => Fate::Filtered("ghost address"),
        (true, true) => Fate::Copied,
        (true, false) => Fate::Filtered(reason),
    };
    books.row(
        "property",
        home.owner,
        &[
            ("asset", kept(true, "")),
            ("asset_address", kept(true, "")),
            ("asset_management", kept(true, "")),
            ("certificate_epc", kept(epc, "no certificate")),
            ("certificate_asbestos", kept(asbestos, "no asbestos")),
        ],
    );
    books.mess("char padding");
    if known >= 6 {
        books.mess(UNKNOWN_YEARS[known - 6].1);
    }
    match (home.slot, home.owner) {
        (Some(Slot::GhostAddress), _) => books.mess("soft-deleted property"),
        (Some(Slot::NoParent), _) => books.mess("missing parent property"),
        (Some(Slot::NoPostcode), _) => books.mess("missing postcode"),
        (_, Owner::Nobody(_)) => books.mess("unknown owner code"),
        _ => {}
    }
}

const RENT: [&str; 12] = [
    "prop_ref",
    "rent",
    "service",
    "target_rent",
    "rentgrp_ref",
    "rtbelig",
    "u_sc_block_perc",
    "u_sc_estate_perc",
    "u_sc_groundrent",
    "sc_leasedate",
    "tenure",
    "rent_sid",
];

fn write_rent(
    t: &mut Table<'_>,
    home: &Home,
    index: usize,
    dice: &mut Dice,
    books: &mut Books,
) -> Result<(), MakeError> {
    let lease = home.kind == Kind::Leasehold;
    let weekly = if lease { 0 } else { home.rent };
    t.padded(home.reference(), 12)
        .money(weekly)
        .money(dice.between(0, 900));
    t.money(weekly + 150).text("HRA").int(!lease);
    if lease {
        t.shown(format_args!(
            "{}.{:06}",
            dice.between(1, 9),
            dice.below(1_000_000)
        ));
        t.shown(format_args!("0.{:06}", dice.below(1_000_000)));
        t.money(1_000)
            .shown(format_args!("19{:02}-03-25", 85 + index % 15));
    } else {
        t.null().null().null().null();
    }
    t.text(if lease { "LEA" } else { "SEC" })
        .int(i64::try_from(index).unwrap_or(0) + 1);
    t.done()?;
    let fates = if lease {
        [
            ("lease", Fate::Copied),
            ("charge_rent", Fate::Filtered("leasehold")),
        ]
    } else {
        [
            ("lease", Fate::Filtered("not leasehold")),
            ("charge_rent", Fate::Copied),
        ]
    };
    books.row("rent", home.owner, &fates);
    if lease {
        books.pence(home.owner, "lease", "ground_rent", 1_000);
    } else {
        books.pence(home.owner, "charge_rent", "value", weekly);
    }
    Ok(())
}
