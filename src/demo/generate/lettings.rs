//! Who rents what, from when to when: lettings are planned here, and written as `tenagree` with its
//! charges, agreements and Direct Debits once the ledger has said what each account comes to.
//!
//! Not here: the people of a letting's household (`people`), its ledger (`ledger`).

use std::fmt;

use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use rusqlite::Connection;

use super::dice::Dice;
use super::homes::{Home, Kind, Reference, Slot, Stock};
use super::table::Table;
use super::truth::{Books, Fate, Owner};
use super::{MakeError, Spec};

/// What sort of agreement a letting is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Rent,
    Lease,
    Garage,
    Former,
    Recharge,
    Suspense,
    NeverStarted,
}

/// How somebody pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Payer {
    Benefit,
    DirectDebit,
    Cash,
}

/// A row of `tenagree`, as far as others need it.
#[derive(Debug, Clone)]
pub(super) struct Letting {
    pub(super) home: usize,
    pub(super) tag: Tag,
    /// The household's number; 0 where there is none.
    pub(super) household: u32,
    /// Whether this letting brings its household along (else an earlier one did).
    pub(super) first: bool,
    /// Whose name, birthday and number the main person bears: mostly the household's own number.
    pub(super) identity: u32,
    pub(super) owner: Owner,
    pub(super) sort: Sort,
    pub(super) slot: Option<Slot>,
    pub(super) from: Date,
    pub(super) to: Option<Date>,
    /// A week, in pence.
    pub(super) rent: i64,
    pub(super) payer: Payer,
    /// What the account comes to, debts positive, in pence.
    pub(super) balance: i64,
}

impl Letting {
    /// Whether it goes on at handover.
    pub(super) fn current(&self) -> bool {
        self.to.is_none()
    }

    /// Whether a copy writes it as a tenancy.
    pub(super) fn tenancy(&self) -> Fate {
        match (self.sort, self.slot) {
            (Sort::Suspense | Sort::Recharge, _) => Fate::Filtered("account only"),
            (Sort::NeverStarted, _) => Fate::Filtered("never started"),
            (Sort::Rent, Some(Slot::ImpossibleStart)) => Fate::Rejected("date starts_on"),
            _ => Fate::Copied,
        }
    }
}

/// A tenancy's reference: `nnnnnn/nn`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tag(pub(super) u32, pub(super) u32);

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:06}/{:02}", self.0, self.1))
    }
}

/// Plans every letting of the stock.
pub(super) fn plan(spec: &Spec, stock: &Stock) -> Vec<Letting> {
    let mut dice = Dice::new(spec.seed, "lettings");
    let handover = spec.world.handover();
    let mut lettings = Vec::new();
    let mut last_household = 0;
    for (position, home) in stock.homes.iter().enumerate() {
        match home.kind {
            Kind::Rented | Kind::Leasehold => {
                last_household = plan_home(position, home, handover, &mut dice, &mut lettings);
            }
            Kind::Garage if dice.chance(850) || near_mess(position, stock).is_some() => {
                let shared = dice.chance(500).then_some(last_household);
                plan_garage(position, stock, shared, handover, &mut dice, &mut lettings);
            }
            _ => {}
        }
    }
    for (council, estate) in stock.estates.iter().enumerate() {
        let mut letting = blank(*estate, &stock.homes[*estate], 1, date(2001, 4, 2));
        letting.tag = Tag(900_000 + u32::try_from(council).unwrap_or(0), 1);
        letting.sort = Sort::Suspense;
        letting.household = 0;
        letting.first = false;
        lettings.push(letting);
    }
    lettings
}

fn blank(position: usize, home: &Home, suffix: u32, from: Date) -> Letting {
    let tag = Tag(u32::try_from(position).unwrap_or(0) + 1, suffix);
    let household = tag.0 * 10 + suffix;
    Letting {
        home: position,
        tag,
        household,
        first: true,
        identity: household,
        owner: home.owner,
        sort: Sort::Rent,
        slot: home.slot,
        from,
        to: None,
        rent: home.rent,
        payer: Payer::Cash,
        balance: 0,
    }
}

/// A dwelling's lettings: the former one, the present one, and those that are a mess. The present
/// household's number.
fn plan_home(
    position: usize,
    home: &Home,
    handover: Date,
    dice: &mut Dice,
    lettings: &mut Vec<Letting>,
) -> u32 {
    let twin = matches!(
        home.slot,
        Some(Slot::SamePersonTwice | Slot::PersonInTwoDistricts)
    );
    let former = home.slot == Some(Slot::FormerDebt)
        || (home.kind == Kind::Rented && !twin && dice.chance(290));
    let mut suffix = 1;
    let mut from = date(1985, 1, 7).saturating_add(dice.between(0, 12_000).days());
    if former {
        let to = handover.saturating_sub(dice.between(60, 1_400).days());
        let began = to.saturating_sub(dice.between(200, 5_000).days());
        let mut old = blank(position, home, suffix, began);
        old.to = Some(to);
        old.sort = Sort::Former;
        old.slot = (home.slot == Some(Slot::FormerDebt)).then_some(Slot::FormerDebt);
        lettings.push(old);
        from = to.saturating_add(dice.between(7, 45).days());
        suffix = 2;
    }
    let mut letting = blank(position, home, suffix, from);
    letting.payer = match dice.below(20) {
        0..9 => Payer::Benefit,
        9..16 => Payer::DirectDebit,
        _ => Payer::Cash,
    };
    if home.kind == Kind::Leasehold {
        letting.sort = Sort::Lease;
        letting.payer = Payer::DirectDebit;
    }
    let household = letting.household;
    let slot = home.slot;
    if slot == Some(Slot::FormerDebt) {
        letting.slot = None;
    }
    lettings.push(letting);
    let mut more = blank(
        position,
        home,
        suffix + 1,
        handover.saturating_sub(200.days()),
    );
    more.slot = None;
    match slot {
        Some(Slot::Overlap) => lettings.push(more),
        Some(Slot::GhostTenancy) => {
            more.sort = Sort::NeverStarted;
            more.household = 0;
            more.first = false;
            lettings.push(more);
        }
        Some(Slot::Recharge) => {
            more.sort = Sort::Recharge;
            more.household = household;
            more.first = false;
            lettings.push(more);
        }
        _ => {}
    }
    household
}

/// Where a garage is let to somebody of another home on purpose, that home's position: the same
/// person twice in one district, or in two.
fn near_mess(position: usize, stock: &Stock) -> Option<usize> {
    let garage = &stock.homes[position];
    let before = stock.homes[..position]
        .iter()
        .rev()
        .take_while(|h| h.kind != Kind::Garage);
    let near = before
        .filter(|h| h.council == garage.council)
        .find_map(|home| match home.slot {
            Some(Slot::SamePersonTwice) => Some((garage.council, Slot::SamePersonTwice)),
            Some(Slot::DeletedMember) => {
                let councils = stock.estates.len();
                Some(((garage.council + 1) % councils, Slot::PersonInTwoDistricts))
            }
            _ => None,
        });
    let (council, slot) = near?;
    stock
        .homes
        .iter()
        .position(|h| h.council == council && h.slot == Some(slot))
}

fn plan_garage(
    position: usize,
    stock: &Stock,
    shared: Option<u32>,
    handover: Date,
    dice: &mut Dice,
    lettings: &mut Vec<Letting>,
) {
    let from = handover.saturating_sub(dice.between(100, 6_000).days());
    let mut letting = blank(position, &stock.homes[position], 1, from);
    letting.sort = Sort::Garage;
    if let Some(other) = near_mess(position, stock) {
        letting.identity = (u32::try_from(other).unwrap_or(0) + 1) * 10 + 1;
        letting.slot = stock.homes[other].slot;
    } else if let Some(household) = shared {
        letting.household = household;
        letting.first = false;
    }
    lettings.push(letting);
}

const TENAGREE: [&str; 24] = [
    "tag_ref",
    "prop_ref",
    "house_ref",
    "tenure",
    "cot",
    "eot",
    "present",
    "terminated",
    "active",
    "agr_type",
    "rent",
    "service",
    "other_charge",
    "cur_bal",
    "u_saff_rentacc",
    "rentgrp_ref",
    "prd_code",
    "nosp",
    "courtdate",
    "high_action",
    "u_comments",
    "u_sublet",
    "reason_term",
    "tenagree_sid",
];

/// Writes `tenagree`, `debitem`, `arag` and `ddagacc`.
pub(super) fn write(
    connection: &Connection,
    spec: &Spec,
    stock: &Stock,
    lettings: &[Letting],
    books: &mut Books,
) -> Result<(), MakeError> {
    let progress = spec.progress.as_ref();
    let mut dice = Dice::new(spec.seed, "tenagree");
    let mut tenagree = Table::new(connection, "tenagree", &TENAGREE, progress)?;
    let mut side = Side {
        debitem: Table::new(connection, "debitem", &DEBITEM, progress)?,
        arag: Table::new(connection, "arag", &ARAG, progress)?,
        ddagacc: Table::new(connection, "ddagacc", &DDAGACC, progress)?,
        items: 0,
    };
    for (index, letting) in lettings.iter().enumerate() {
        let home = &stock.homes[letting.home];
        write_tenagree(&mut tenagree, letting, home, index, &mut dice, books)?;
        side.write(letting, home, &mut dice, books)?;
    }
    side.orphans(books)
}

/// Ends that mean: it has none.
const NO_END: [Option<&str>; 5] = [
    Some("1900-01-01"),
    Some("1900-01-01"),
    Some("1899-12-30"),
    Some("9999-12-31"),
    None,
];
const NO_END_MESS: [&str; 5] = [
    "sentinel 1900-01-01",
    "sentinel 1900-01-01",
    "sentinel 1899-12-30",
    "sentinel 9999-12-31",
    "null end",
];

fn write_tenagree(
    t: &mut Table<'_>,
    letting: &Letting,
    home: &Home,
    index: usize,
    dice: &mut Dice,
    books: &mut Books,
) -> Result<(), MakeError> {
    let court = letting.slot == Some(Slot::Court) && letting.sort == Sort::Rent;
    t.padded(letting.tag, 11).padded(home.reference(), 12);
    match letting.household {
        0 => t.null(),
        household => t.padded(format_args!("{household:08}"), 10),
    };
    t.maybe(tenure(letting, index));
    if letting.tenancy() == Fate::Rejected("date starts_on") {
        t.text("00/00/0000");
        books.mess("impossible date");
    } else if index % 7 == 0 {
        t.shown(letting.from.strftime("%d/%m/%Y"));
        books.mess("date dd/mm/yyyy");
    } else {
        t.shown(letting.from);
    }
    match letting.to {
        Some(to) => t.shown(to),
        None => {
            books.mess(NO_END_MESS[index % 5]);
            t.maybe(NO_END[index % 5])
        }
    };
    t.int(letting.current() && letting.sort != Sort::NeverStarted)
        .int(!letting.current());
    t.int(letting.sort != Sort::NeverStarted)
        .text(agreement_type(letting.sort));
    t.money(letting.rent)
        .money(0)
        .money(0)
        .money(letting.balance);
    if index % 41 == 0 {
        t.text(".");
        books.mess("null form .");
    } else {
        t.shown(format_args!("30{:06}{:02}", letting.tag.0, letting.tag.1));
    }
    t.text("HRA").text(if letting.sort == Sort::Lease {
        "Q"
    } else {
        "W"
    });
    t.int(court);
    match (court, index % 2) {
        (true, _) => t.text("2019-02-14"),
        (false, 0) => t.text("1900-01-01"),
        (false, _) => t.null(),
    };
    t.maybe(court.then_some("CRT"));
    t.maybe(
        (index % 50 == 0)
            .then_some("Rang about the \"old\" balance,\r\nwill ring again\t(see file)"),
    );
    t.int(letting.sort == Sort::Lease && dice.chance(200));
    t.maybe(letting.to.map(|_| "TRF"))
        .int(i64::try_from(index).unwrap_or(0) + 1);
    t.done()?;
    count_tenagree(letting, court, books);
    Ok(())
}

fn tenure(letting: &Letting, index: usize) -> Option<&'static str> {
    match letting.sort {
        Sort::Suspense => None,
        Sort::Lease => Some("LEA"),
        Sort::Garage => Some("TGA"),
        _ if letting.slot == Some(Slot::TenureWithoutLookup) => Some("SPS"),
        _ => Some(["SEC", "SEC", "SEC", "INT", "SEC", "SEC", "NON", "SEC"][index % 8]),
    }
}

fn agreement_type(sort: Sort) -> &'static str {
    match sort {
        Sort::Rent | Sort::NeverStarted => "R",
        Sort::Lease => "S",
        Sort::Garage => "G",
        Sort::Former => "F",
        Sort::Recharge => "M",
        Sort::Suspense => "X",
    }
}

fn count_tenagree(letting: &Letting, court: bool, books: &mut Books) {
    let started = letting.sort != Sort::NeverStarted;
    let account = if started {
        Fate::Copied
    } else {
        Fate::Filtered("never started")
    };
    let case = if court {
        Fate::Copied
    } else {
        Fate::Filtered("no court date")
    };
    books.row(
        "tenagree",
        letting.owner,
        &[
            ("tenancy", letting.tenancy()),
            ("account", account),
            ("court", case),
        ],
    );
    if started {
        books.pence(letting.owner, "account", "balance", letting.balance);
    }
    books.mess("leading zeros and a slash");
    if letting.balance < 0 {
        books.mess("credit balance");
    }
    match (letting.sort, letting.slot) {
        (Sort::Former, _) => books.mess("former tenancy"),
        (Sort::Suspense, _) => books.mess("suspense account"),
        (Sort::NeverStarted, _) => books.mess("ghost tenancy"),
        (Sort::Rent, Some(Slot::Overlap)) => books.mess("overlapping tenancies"),
        (_, Some(Slot::TenureWithoutLookup)) => books.mess("code without lookup row"),
        _ => {}
    }
}

const DEBITEM: [&str; 10] = [
    "tag_ref",
    "prop_ref",
    "deb_code",
    "deb_value",
    "eff_date",
    "term_date",
    "prd_code",
    "deb_active",
    "prop_deb",
    "debitem_sid",
];
const ARAG: [&str; 8] = [
    "tag_ref",
    "arag_ref",
    "arag_status",
    "arag_startdate",
    "arag_amount",
    "arag_frequency",
    "arag_startbal",
    "arag_sid",
];
const DDAGACC: [&str; 5] = [
    "tag_ref",
    "ddagree_ref",
    "due_per_period",
    "total_due",
    "ddagacc_sid",
];

/// The tables that hang on a letting.
struct Side<'c> {
    debitem: Table<'c>,
    arag: Table<'c>,
    ddagacc: Table<'c>,
    items: u32,
}

impl Side<'_> {
    fn write(
        &mut self,
        letting: &Letting,
        home: &Home,
        dice: &mut Dice,
        books: &mut Books,
    ) -> Result<(), MakeError> {
        if letting.sort == Sort::Rent && home.flat.is_some() {
            self.items(letting, home, dice, books)?;
        }
        let agreed = match letting.slot {
            Some(Slot::Agreement | Slot::DeletedAgreement) => letting.sort == Sort::Rent,
            _ => letting.sort == Sort::Rent && letting.balance > 30_000 && dice.chance(400),
        };
        if agreed {
            self.agreement(letting, books)?;
        }
        if letting.current() && letting.payer == Payer::DirectDebit {
            self.direct_debit(letting, books)?;
        }
        Ok(())
    }

    fn items(
        &mut self,
        letting: &Letting,
        home: &Home,
        dice: &mut Dice,
        books: &mut Books,
    ) -> Result<(), MakeError> {
        for code in ["CLN", "GRN"] {
            self.items += 1;
            let value = dice.between(85, 640);
            let live = self.items % 40 != 0;
            self.debitem
                .padded(letting.tag, 11)
                .padded(home.reference(), 12)
                .text(code);
            self.debitem
                .money(value)
                .text("2019-04-01")
                .text("1900-01-01")
                .text("W")
                .int(live);
            self.debitem.int(0).int(self.items);
            self.debitem.done()?;
            let fate = if live {
                Fate::Copied
            } else {
                Fate::Filtered("deleted")
            };
            books.row("debitem", letting.owner, &[("charge_debit", fate)]);
            if live {
                books.pence(letting.owner, "charge_debit", "value", value);
            } else {
                books.mess("soft-deleted charge");
            }
        }
        Ok(())
    }

    fn agreement(&mut self, letting: &Letting, books: &mut Books) -> Result<(), MakeError> {
        let gone = letting.slot == Some(Slot::DeletedAgreement);
        let amount = 500 + letting.rent / 20;
        self.arag
            .padded(letting.tag, 11)
            .padded(format_args!("AG{:08}", letting.household), 15);
        self.arag
            .padded(if gone { "DELETED" } else { "LIVE" }, 10)
            .text("2019-11-04");
        self.arag
            .money(amount)
            .text("W")
            .money(letting.balance)
            .int(letting.household)
            .done()?;
        let fate = if gone {
            Fate::Filtered("deleted")
        } else {
            Fate::Copied
        };
        books.row("arag", letting.owner, &[("agreement", fate)]);
        if gone {
            books.mess("soft-deleted agreement");
        } else {
            books.pence(letting.owner, "agreement", "amount", amount);
            books.pence(letting.owner, "agreement", "start_balance", letting.balance);
        }
        Ok(())
    }

    fn direct_debit(&mut self, letting: &Letting, books: &mut Books) -> Result<(), MakeError> {
        let due = letting.rent * 52 / 12;
        self.ddagacc
            .padded(letting.tag, 11)
            .padded(format_args!("DD{:08}", letting.household), 20);
        self.ddagacc
            .money(due)
            .money(due + letting.balance.max(0))
            .int(letting.household)
            .done()?;
        books.row("ddagacc", letting.owner, &[("direct_debit", Fate::Copied)]);
        books.pence(letting.owner, "direct_debit", "amount", due);
        books.pence(
            letting.owner,
            "direct_debit",
            "total_due",
            due + letting.balance.max(0),
        );
        Ok(())
    }

    /// Charges on homes that are not there.
    fn orphans(&mut self, books: &mut Books) -> Result<(), MakeError> {
        for number in 0..2 {
            self.debitem
                .null()
                .padded(Reference(70_000_000 + number), 12)
                .text("CLN")
                .money(300);
            self.debitem
                .text("2019-04-01")
                .null()
                .text("W")
                .int(1)
                .int(1);
            self.debitem.int(self.items + 1 + number).done()?;
            books.row(
                "debitem",
                Owner::Nobody("orphan"),
                &[("charge_debit", Fate::Rejected("lookup asset_id"))],
            );
            books.mess("orphan charge");
        }
        Ok(())
    }
}
