//! The rent ledger `rtrans`, week by week: a debit every Monday, receipts as people pay, and the sum
//! of every account's lines, which is its balance to the penny.
//!
//! Not here: the accounts themselves (`lettings`).

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};
use rusqlite::Connection;

use super::MakeError;
use super::dice::Dice;
use super::homes::{Reference, Slot, Stock};
use super::lettings::{Letting, Payer, Sort, Tag};
use super::part::Part;
use super::table::Table;
use super::truth::{Books, Fate, Owner};

/// A rent week: its Monday, and where it lies in its rent year (which starts on April's first Monday).
struct Week {
    monday: Date,
    text: String,
    year: i16,
    period: u8,
    /// The first Monday of a month: Direct Debits are collected.
    collects: bool,
}

fn weeks(part: &Part) -> Vec<Week> {
    let last = part.world.handover().nth_weekday(-1, Weekday::Monday);
    let mut monday = last.unwrap_or(part.world.handover());
    let mut weeks = Vec::new();
    for _ in 0..part.years * 52 {
        weeks.push(week(monday));
        monday = monday.saturating_sub(7.days());
    }
    weeks.reverse();
    weeks
}

fn week(monday: Date) -> Week {
    let starts =
        |year| Date::new(year, 4, 1).and_then(|d| d.nth_weekday_of_month(1, Weekday::Monday));
    let mut year = monday.year();
    if starts(year).is_ok_and(|start| monday < start) {
        year -= 1;
    }
    let since = starts(year)
        .and_then(|start| monday.since(start))
        .map_or(0, |span| span.get_days());
    Week {
        monday,
        text: monday.to_string(),
        year,
        period: u8::try_from(since / 7 + 1).unwrap_or(0),
        collects: monday.day() <= 7,
    }
}

const RTRANS: [&str; 14] = [
    "rtrans_sid",
    "tag_ref",
    "prop_ref",
    "trans_type",
    "trans_src",
    "real_value",
    "post_date",
    "post_year",
    "post_prdno",
    "batchid",
    "transno",
    "trans_ref",
    "post_comm",
    "rentgroup",
];

/// The table and what counts up in it.
struct Ledger<'c> {
    table: Table<'c>,
    sid: i64,
    receipts: u64,
    transno: i64,
}

/// One line.
struct Line<'a> {
    kind: &'static str,
    source: &'static str,
    pence: i64,
    week: &'a Week,
    receipt: bool,
    comment: Option<&'static str>,
}

impl Ledger<'_> {
    fn line(&mut self, tag: &str, home: &str, line: &Line<'_>) -> Result<(), MakeError> {
        self.sid += 1;
        self.transno += 1;
        let t = &mut self.table;
        t.int(self.sid)
            .text(tag)
            .text(home)
            .text(line.kind)
            .text(line.source)
            .money(line.pence);
        t.text(&line.week.text)
            .int(line.week.year)
            .int(line.week.period);
        t.int(i64::from(line.week.year) * 100 + i64::from(line.week.period))
            .int(self.transno);
        if line.receipt {
            self.receipts += 1;
            t.shown(format_args!("R{:010}", self.receipts));
        } else {
            t.null();
        }
        t.maybe(line.comment).text("HRA").done()
    }
}

/// An account while its weeks pass.
struct Account {
    tag: String,
    home: String,
    first: usize,
    last: usize,
    lines: u64,
}

/// Writes the ledger and sets every letting's balance.
pub(super) fn write(
    connection: &Connection,
    part: &Part,
    stock: &Stock,
    lettings: &mut [Letting],
    books: &mut Books,
) -> Result<(), MakeError> {
    let mut dice = Dice::new(part.seed, "ledger");
    let weeks = weeks(part);
    let table = Table::new(connection, "rtrans", &RTRANS, part.progress.as_ref())?;
    let mut ledger = Ledger {
        table,
        sid: 0,
        receipts: 0,
        transno: 0,
    };
    let mut accounts: Vec<Account> = lettings
        .iter()
        .map(|letting| account(letting, stock, &weeks))
        .collect();
    for (index, week) in weeks.iter().enumerate() {
        ledger.transno = 0;
        for (letting, account) in lettings.iter_mut().zip(&mut accounts) {
            if index == 0 {
                open(&mut ledger, letting, account, week, &mut dice)?;
            }
            if (account.first..account.last).contains(&index) {
                pass(&mut ledger, letting, account, week, index, &mut dice)?;
            }
        }
    }
    for (letting, account) in lettings.iter().zip(&accounts) {
        books.rows(
            "rtrans",
            letting.owner,
            &[("transaction", Fate::Copied)],
            account.lines,
        );
        books.pence(letting.owner, "transaction", "amount", letting.balance);
    }
    orphans(&mut ledger, &weeks, books)
}

fn account(letting: &Letting, stock: &Stock, weeks: &[Week]) -> Account {
    let first = weeks.partition_point(|week| week.monday < letting.from);
    let last = weeks.partition_point(|week| letting.to.is_none_or(|to| week.monday <= to));
    let still = matches!(letting.sort, Sort::Recharge | Sort::NeverStarted);
    Account {
        tag: format!("{:11}", letting.tag),
        home: format!("{:12}", stock.homes[letting.home].reference()),
        first: if letting.slot == Some(Slot::ImpossibleStart) {
            0
        } else {
            first
        },
        last: if still { 0 } else { last },
        lines: 0,
    }
}

/// What an account brings along from before the first week.
fn open(
    ledger: &mut Ledger<'_>,
    letting: &mut Letting,
    account: &mut Account,
    week: &Week,
    dice: &mut Dice,
) -> Result<(), MakeError> {
    let draw = dice.below(100);
    let pence = match (letting.sort, letting.slot) {
        (Sort::NeverStarted, _) => return Ok(()),
        (Sort::Recharge, _) => 4_500,
        (Sort::Former, Some(Slot::FormerDebt)) => 61_248,
        (Sort::Former, _) if draw < 30 => dice.between(1, 90_000),
        (Sort::Former | Sort::Suspense, _) => 0,
        (_, Some(Slot::Court)) => 214_017,
        (_, Some(Slot::Credit)) => -90_001,
        (_, Some(Slot::Agreement | Slot::DeletedAgreement)) => 48_260,
        _ if account.first > 0 => 0,
        _ if draw < 35 => dice.between(1, letting.rent * 4 + 1),
        _ if draw < 50 => -dice.between(1, letting.rent * 2 + 1),
        _ => 0,
    };
    let comment = (pence != 0 && draw.is_multiple_of(10))
        .then_some("Brought forward\r\nfrom the \"old\" ledger\t(1998)");
    put(
        ledger,
        letting,
        account,
        &Line {
            kind: "BFW",
            source: "SYS",
            pence,
            week,
            receipt: false,
            comment,
        },
    )
}

fn put(
    ledger: &mut Ledger<'_>,
    letting: &mut Letting,
    account: &mut Account,
    line: &Line<'_>,
) -> Result<(), MakeError> {
    letting.balance += line.pence;
    account.lines += 1;
    ledger.line(&account.tag, &account.home, line)
}

/// One week of one account.
fn pass(
    ledger: &mut Ledger<'_>,
    letting: &mut Letting,
    account: &mut Account,
    week: &Week,
    index: usize,
    dice: &mut Dice,
) -> Result<(), MakeError> {
    let (debit, kind) = match letting.sort {
        Sort::Lease if index.is_multiple_of(13) => {
            (26_000 + i64::from(letting.tag.0 % 90) * 100, "DSC")
        }
        Sort::Lease | Sort::Suspense => (0, ""),
        Sort::Garage => (letting.rent, "DGR"),
        _ => (letting.rent, "DBR"),
    };
    if debit != 0 {
        put(
            ledger,
            letting,
            account,
            &Line {
                kind,
                source: "GEN",
                pence: debit,
                week,
                receipt: false,
                comment: None,
            },
        )?;
    }
    let (paid, kind, source) = receipt(letting, week, index, dice);
    if paid != 0 {
        put(
            ledger,
            letting,
            account,
            &Line {
                kind,
                source,
                pence: -paid,
                week,
                receipt: true,
                comment: None,
            },
        )?;
    }
    Ok(())
}

fn receipt(
    letting: &Letting,
    week: &Week,
    index: usize,
    dice: &mut Dice,
) -> (i64, &'static str, &'static str) {
    match (letting.sort, letting.payer) {
        (Sort::Suspense, _) if index % 4 == 1 => (dice.between(500, 20_000), "RPY", "CSH"),
        (Sort::Lease, _) if week.collects => {
            (9_000 + i64::from(letting.tag.0 % 90) * 33, "RDD", "DD")
        }
        (Sort::Lease | Sort::Suspense, _) => (0, "", ""),
        (_, Payer::Benefit) if index % 4 == 3 => (letting.rent * 4, "RHB", "HB"),
        (_, Payer::DirectDebit) if week.collects => (letting.rent * 52 / 12, "RDD", "DD"),
        (_, Payer::Cash) => match dice.below(100) {
            0..30 => (letting.rent, "RPY", "CSH"),
            30..62 => (letting.rent * 2, "RPY", "CSH"),
            62..66 => (dice.between(100, letting.rent), "RPY", "CSH"),
            _ => (0, "", ""),
        },
        _ => (0, "", ""),
    }
}

/// Lines of tenancies that are not there.
fn orphans(ledger: &mut Ledger<'_>, weeks: &[Week], books: &mut Books) -> Result<(), MakeError> {
    let tag = format!("{:11}", Tag(999_999, 99));
    let home = format!("{:12}", Reference(70_000_000));
    for week in weeks.iter().take(3) {
        let line = Line {
            kind: "RPY",
            source: "CSH",
            pence: -1_234,
            week,
            receipt: true,
            comment: None,
        };
        ledger.line(&tag, &home, &line)?;
        books.row(
            "rtrans",
            Owner::Nobody("orphan"),
            &[("transaction", Fate::Rejected("lookup account_id"))],
        );
        books.mess("orphan ledger line");
    }
    Ok(())
}
