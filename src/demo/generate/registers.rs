//! The registers beside housing: the tables `staff` and `contract`, and the code lists in `lookup`.
//!
//! Not here: what becomes of them (`steps`).

use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use rusqlite::Connection;

use super::MakeError;
use super::dice::Dice;
use super::part::Part;
use super::table::Table;
use super::truth::{Books, ContractTruth, Truth};
use super::words::{FORENAMES, POSTS, SUPPLIES, SURNAMES};

const STAFF: [&str; 19] = [
    "staff_ref",
    "title",
    "forename",
    "surname",
    "dob",
    "ni_no",
    "post_title",
    "grade",
    "cont_start",
    "contr_type",
    "hours_week",
    "annual_pay",
    "pension",
    "assign_org",
    "assign_why",
    "objected",
    "leave_date",
    "leave_why",
    "staff_sid",
];

/// What somebody's employment comes to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lot {
    Transfers,
    Objects,
    Left,
    Unassigned,
}

/// Writes `staff`: one for every fifty homes, at least 24.
pub(super) fn write_staff(
    connection: &Connection,
    part: &Part,
    truth: &mut Truth,
    books: &mut Books,
) -> Result<(), MakeError> {
    let mut dice = Dice::new(part.seed, "staff");
    let mut t = Table::new(connection, "staff", &STAFF, part.progress.as_ref())?;
    let councils = &part.targets;
    for org in councils {
        truth.staff.entry(part.told_by(org).to_owned()).or_default();
    }
    for number in 0..(part.homes / 50).max(24) {
        let org = &councils[number as usize % councils.len()];
        let lot = match number / 4 % 12 {
            1 => Lot::Objects,
            3 => Lot::Left,
            5 if number % 4 < 2 => Lot::Unassigned,
            _ => Lot::Transfers,
        };
        let assigned = (lot != Lot::Unassigned).then_some(org.owner);
        write_employee(
            &mut t,
            number,
            assigned,
            lot,
            part.world.handover(),
            &mut dice,
        )?;
        books.plain("staff");
        let counts = truth.staff.entry(part.told_by(org).to_owned()).or_default();
        match lot {
            Lot::Transfers => counts.transferring += 1,
            Lot::Objects => counts.objectors += 1,
            Lot::Left => counts.left += 1,
            Lot::Unassigned => truth.unassigned_staff += 1,
        }
    }
    Ok(())
}

fn write_employee(
    t: &mut Table<'_>,
    number: u32,
    assigned: Option<&str>,
    lot: Lot,
    handover: Date,
    dice: &mut Dice,
) -> Result<(), MakeError> {
    let (post, grade, pay) = *dice.pick(&POSTS);
    let part_time = dice.chance(250);
    let hours = if part_time { 2_220 } else { 3_700 };
    let pay = if part_time { pay * 60 } else { pay * 100 };
    let start = date(1994, 4, 5).saturating_add(dice.between(0, 7_000).days());
    t.padded(format_args!("E{number:05}"), 8).text("Mx");
    t.text(dice.word(&FORENAMES)).text(dice.word(&SURNAMES));
    t.shown(date(1958, 1, 1).saturating_add(dice.between(0, 14_000).days()));
    t.shown(format_args!("QQ{:06}A", dice.below(1_000_000)))
        .text(post)
        .text(grade)
        .shown(start);
    t.text(if dice.chance(120) { "FTC" } else { "PER" })
        .money(hours)
        .money(pay)
        .text("LGPS");
    match assigned {
        Some(code) => t.text(code).text("Works for this council's homes all week"),
        None => t.text("").text("Head office: serves all councils alike"),
    };
    t.maybe((lot == Lot::Objects).then(|| handover.saturating_sub(25.days())));
    if lot == Lot::Left {
        t.shown(handover.saturating_sub(90.days())).text("Resigned");
    } else {
        t.text("1900-01-01").null();
    }
    t.int(number + 1).done()
}

const CONTRACT: [&str; 15] = [
    "con_ref",
    "supplier",
    "title",
    "buyer",
    "for_org",
    "start_dt",
    "end_dt",
    "value",
    "route",
    "proc_under",
    "sig_out",
    "sig_in",
    "sig_sup",
    "novated_on",
    "contract_sid",
];
const ROUTES: [(&str, &str); 6] = [
    ("NOV", "novate"),
    ("ASS", "assign"),
    ("REL", "re-let"),
    ("TER", "terminate"),
    ("EXP", "expire"),
    ("TRU", "trust"),
];

/// Writes `contract`: twelve for each council. All routes occur; one of those to be novated
/// still lacks the supplier's signature.
pub(super) fn write_contracts(
    connection: &Connection,
    part: &Part,
    truth: &mut Truth,
    books: &mut Books,
) -> Result<(), MakeError> {
    let mut t = Table::new(connection, "contract", &CONTRACT, part.progress.as_ref())?;
    let handover = part.world.handover();
    let mut number = 0_u32;
    for org in &part.targets {
        for (index, (supplier, title)) in SUPPLIES.iter().enumerate() {
            number += 1;
            let (route, word) = if index < 7 {
                ROUTES[0]
            } else {
                ROUTES[index - 6]
            };
            let signed = route != "NOV" || index != 2;
            let signs = matches!(route, "NOV" | "ASS" | "TRU");
            let day = |back: i64| signs.then(|| handover.saturating_sub(back.days()));
            let ends = if route == "EXP" {
                handover
            } else {
                date(handover.year() + 2, 3, 31)
            };
            t.padded(format_args!("K{number:05}"), 10)
                .padded(supplier, 60);
            t.shown(format_args!("{title}, {}", org.name));
            t.padded(part.source.owner, 6).text(org.owner);
            t.shown(date(handover.year() - 3, 4, 1)).shown(ends);
            t.money(1_250_000 + i64::from(number) * 61_234)
                .text(route)
                .text("PCR2015");
            t.maybe(day(60))
                .maybe(day(55))
                .maybe(day(50).filter(|_| signed));
            t.text("1900-01-01").int(number).done()?;
            books.plain("contract");
            let routes = truth
                .contracts
                .entry(part.told_by(org).to_owned())
                .or_default();
            let ContractTruth {
                contracts,
                signed: complete,
            } = routes.entry(word.to_owned()).or_default();
            *contracts += 1;
            *complete += u64::from(signed && signs);
        }
    }
    Ok(())
}

const LOOKUP: [&str; 4] = ["lu_type", "lu_ref", "lu_desc", "lookup_sid"];
/// Type, code, what it means. Some codes that the data uses are missing here on purpose.
const CODES: [(&str, &str, &str); 38] = [
    ("TEN", "SEC", "Secure"),
    ("TEN", "INT", "Introductory"),
    ("TEN", "NON", "Non-secure"),
    ("TEN", "LEA", "Leasehold (right to buy)"),
    ("TEN", "TGA", "Tenant garage"),
    ("LEV", "0", "Estate"),
    ("LEV", "1", "Block"),
    ("LEV", "2", "Sub-block"),
    ("LEV", "3", "Dwelling"),
    ("LEV", "4", "Garage"),
    ("CAT", "HOU", "House"),
    ("CAT", "FLA", "Flat"),
    ("CAT", "BLK", "Block"),
    ("CAT", "EST", "Estate"),
    ("CAT", "GAR", "Garage"),
    ("OCC", "OCC", "Occupied"),
    ("OCC", "VAC", "Void"),
    ("HEA", "GCH", "Gas central heating"),
    ("HEA", "ELS", "Electric storage"),
    ("HEA", "COM", "Communal"),
    ("TRN", "DBR", "Rent debit"),
    ("TRN", "DGR", "Garage debit"),
    ("TRN", "DSC", "Service charge debit"),
    ("TRN", "RPY", "Payment"),
    ("TRN", "RHB", "Housing benefit"),
    ("TRN", "RDD", "Direct Debit"),
    ("TRN", "BFW", "Brought forward"),
    ("PRI", "E", "Emergency"),
    ("PRI", "U", "Urgent"),
    ("PRI", "R", "Routine"),
    ("PRI", "P", "Planned"),
    ("CER", "GAS", "Landlord gas safety record"),
    ("CER", "EIC", "Electrical installation condition report"),
    ("CER", "FRA", "Fire risk assessment"),
    ("CER", "LEG", "Water hygiene"),
    ("CER", "LFT", "Lift inspection"),
    ("CER", "SMK", "Smoke and CO alarms"),
    ("CER", "ASB", "Asbestos survey"),
];

/// Writes `lookup`.
pub(super) fn write_codes(
    connection: &Connection,
    part: &Part,
    books: &mut Books,
) -> Result<(), MakeError> {
    let mut t = Table::new(connection, "lookup", &LOOKUP, part.progress.as_ref())?;
    for (sid, (list, code, means)) in CODES.iter().enumerate() {
        t.text(list)
            .padded(code, 3)
            .text(means)
            .int(i64::try_from(sid).unwrap_or(0) + 1)
            .done()?;
        books.plain("lookup");
    }
    Ok(())
}
