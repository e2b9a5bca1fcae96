//! The table `tenagree`, and what hangs on an agreement: `debitem`, `arag`, `ddagacc`. Written once
//! the ledger has said what each account comes to.
//!
//! Not here: who rents what (`lettings`), the ledger (`ledger`).

use rusqlite::Connection;

use super::MakeError;
use super::dice::Dice;
use super::homes::{Home, Reference, Slot, Stock};
use super::lettings::{Letting, Payer, Sort};
use super::part::Part;
use super::table::Table;
use super::truth::{Books, Fate, Owner};

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
    part: &Part,
    stock: &Stock,
    lettings: &[Letting],
    books: &mut Books,
) -> Result<(), MakeError> {
    let progress = part.progress.as_ref();
    let mut dice = Dice::new(part.seed, "tenagree");
    let mut tenagree = Table::new(connection, "tenagree", &TENAGREE, progress)?;
    let mut side = Side {
        debitem: Table::new(connection, "debitem", &DEBITEM, progress)?,
        arag: Table::new(connection, "arag", &ARAG, progress)?,
        ddagacc: Table::new(connection, "ddagacc", &DDAGACC, progress)?,
        items: 0,
    };
    for (index, letting) in lettings.iter().enumerate() {
        let home = &stock.homes[letting.home];
        write_tenagree(&mut tenagree, part, letting, home, index, &mut dice, books)?;
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
    part: &Part,
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
    } else if index.is_multiple_of(7) {
        t.shown(letting.from.strftime("%d/%m/%Y"));
        books.mess("date dd/mm/yyyy");
    } else {
        t.shown(letting.from);
    }
    if let Some(to) = letting.to {
        t.shown(to);
    } else {
        books.mess(NO_END_MESS[index % 5]);
        t.maybe(NO_END[index % 5]);
    }
    t.int(letting.current() && letting.sort != Sort::NeverStarted)
        .int(!letting.current());
    t.int(letting.sort != Sort::NeverStarted)
        .text(agreement_type(letting.sort));
    t.money(letting.rent)
        .money(0)
        .money(0)
        .money(letting.balance);
    if index.is_multiple_of(41) {
        t.text(".");
        books.mess("null form .");
    } else {
        // The bank tells payments apart by their first digits: each council has its own.
        let bank = 30 + part.number;
        t.shown(format_args!(
            "{bank}{:06}{:02}",
            letting.tag.0, letting.tag.1
        ));
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
        (index.is_multiple_of(50))
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
            let live = !self.items.is_multiple_of(40);
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
