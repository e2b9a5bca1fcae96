//! The tables `property` and `rent`: every home as the old system has it.
//!
//! Not here: which homes there are (`homes`).

use rusqlite::Connection;

use super::MakeError;
use super::dice::Dice;
use super::homes::{Home, Kind, Reference, Slot, Stock};
use super::part::Part;
use super::table::Table;
use super::truth::{Books, Fate, Owner};

/// Writes `property` and `rent`.
pub(super) fn write(
    connection: &Connection,
    part: &Part,
    stock: &Stock,
    books: &mut Books,
) -> Result<(), MakeError> {
    let mut dice = Dice::new(part.seed, "property");
    let mut property = Table::new(connection, "property", &PROPERTY, part.progress.as_ref())?;
    let mut rent = Table::new(connection, "rent", &RENT, part.progress.as_ref())?;
    for (index, home) in stock.homes.iter().enumerate() {
        write_property(&mut property, part, home, index, &mut dice, books)?;
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
    part: &Part,
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
    bind_uprn(t, part, home, books);
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

/// Property numbers are each council's own; a UPRN is the whole country's.
fn bind_uprn(t: &mut Table<'_>, part: &Part, home: &Home, books: &mut Books) {
    let range = u64::from(part.number) * 100_000_000;
    let uprn = 100_060_000_000_u64 + range + u64::from(home.number);
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
    } else if index.is_multiple_of(29) {
        t.text("ASH");
        books.mess("code without lookup row");
    } else if index.is_multiple_of(31) {
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
