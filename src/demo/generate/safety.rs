//! Certificates, complaints and documents: the tables `certificate`, `complaint` and `document`.
//!
//! Not here: what `property` says of certificates without evidence (`homes`).

use jiff::ToSpan as _;
use jiff::civil::Date;
use rusqlite::Connection;

use super::MakeError;
use super::dice::Dice;
use super::homes::{Home, Kind, Stock};
use super::lettings::Tag;
use super::part::Part;
use super::table::Table;
use super::truth::{Books, Fate};

const CERTIFICATE: [&str; 10] = [
    "cert_ref",
    "prop_ref",
    "cert_type",
    "done_date",
    "next_due",
    "result",
    "evidence",
    "doc_ref",
    "contractor",
    "cert_sid",
];

/// Regimes of a home of this kind: code, how many, days between two.
fn regimes(home: &Home) -> &'static [(&'static str, u32, i64)] {
    match home.kind {
        Kind::Block => &[
            ("FRA", 3, 365),
            ("LEG", 12, 30),
            ("LFT", 4, 182),
            ("FDR", 4, 91),
        ],
        Kind::Rented | Kind::Leasehold | Kind::Void if home.gas => &[
            ("GAS", 3, 340),
            ("EIC", 1, 1_800),
            ("SMK", 1, 360),
            ("ASB", 1, 3_000),
        ],
        Kind::Rented | Kind::Leasehold | Kind::Void => {
            &[("EIC", 1, 1_800), ("SMK", 1, 360), ("FDR", 1, 300)]
        }
        _ => &[],
    }
}

/// Writes `certificate`.
pub(super) fn write_certificates(
    connection: &Connection,
    part: &Part,
    stock: &Stock,
    books: &mut Books,
) -> Result<(), MakeError> {
    let mut dice = Dice::new(part.seed, "certificates");
    let mut t = Table::new(
        connection,
        "certificate",
        &CERTIFICATE,
        part.progress.as_ref(),
    )?;
    let handover = part.world.handover();
    let mut number = 0;
    for home in stock.homes.iter().filter(|home| home.real()) {
        for (code, count, every) in regimes(home) {
            let last = handover.saturating_sub(dice.between(5, every + 40).days());
            for back in 0..*count {
                number += 1;
                let day = last.saturating_sub((i64::from(back) * every).days());
                write_certificate(&mut t, home, code, day, *every, number, books)?;
            }
        }
    }
    Ok(())
}

fn write_certificate(
    t: &mut Table<'_>,
    home: &Home,
    code: &str,
    day: Date,
    every: i64,
    number: u32,
    books: &mut Books,
) -> Result<(), MakeError> {
    let impossible = number % 3_000 == 77;
    t.shown(format_args!("C{number:09}"))
        .shown(home.reference())
        .text(code);
    if impossible {
        books.mess("impossible date");
        t.text("00/00/0000");
    } else {
        bind_day(t, day, number, books);
    }
    t.shown(day.saturating_add(every.days()));
    t.text(if number.is_multiple_of(23) {
        "UNS"
    } else {
        "SAT"
    });
    match number % 19 {
        0 => {
            books.mess("status without evidence");
            t.text("STA")
        }
        1 => t.text("MIS"),
        _ => t.text("DOC"),
    };
    t.shown(format_args!("D{:09}", number % 20_000))
        .text("SUP001")
        .int(number)
        .done()?;
    let fate = if impossible {
        Fate::Rejected("date done_on")
    } else {
        Fate::Copied
    };
    books.row("certificate", home.owner, &[("certificate", fate)]);
    Ok(())
}

/// The same day in one of the ways that people have typed it.
fn bind_day(t: &mut Table<'_>, day: Date, number: u32, books: &mut Books) {
    match number % 10 {
        0 => {
            books.mess("date dd/mm/yyyy");
            t.shown(day.strftime("%d/%m/%Y"));
        }
        1 => {
            books.mess("date ddmmyyyy");
            t.shown(day.strftime("%d%m%Y"));
        }
        2 => {
            books.mess("date yyyymmdd");
            t.shown(day.strftime("%Y%m%d"));
        }
        3 => {
            books.mess("date as a spreadsheet's number");
            let since = day.since(jiff::civil::date(1899, 12, 30));
            t.shown(since.map_or(0, |span| span.get_days()));
        }
        _ => {
            t.shown(day);
        }
    }
}

const COMPLAINT: [&str; 12] = [
    "cmp_ref",
    "prop_ref",
    "house_ref",
    "cmp_type",
    "received",
    "stage",
    "due_date",
    "closed_date",
    "outcome",
    "owner_post",
    "summary",
    "complaint_sid",
];

/// Writes `complaint`.
pub(super) fn write_complaints(
    connection: &Connection,
    part: &Part,
    stock: &Stock,
    books: &mut Books,
) -> Result<(), MakeError> {
    let mut dice = Dice::new(part.seed, "complaints");
    let mut t = Table::new(connection, "complaint", &COMPLAINT, part.progress.as_ref())?;
    let homes: Vec<&Home> = stock.homes.iter().filter(|home| home.lived_in()).collect();
    let handover = part.world.handover();
    for number in 0..part.homes / 30 + 4 {
        let home = dice.pick(&homes);
        let day = handover.saturating_sub(dice.between(3, 300).days());
        let closed = number % 4 != 0;
        t.shown(format_args!("CMP{number:06}"))
            .padded(home.reference(), 12)
            .null()
            .text("SVC");
        t.shown(format_args!("{day} 11:{:02}:00", number % 60));
        t.text(if number % 3 == 0 { "2" } else { "1" })
            .shown(day.saturating_add(20.days()));
        t.maybe(closed.then(|| day.saturating_add(15.days())));
        t.maybe(closed.then_some(if number % 2 == 0 { "UPH" } else { "NUP" }));
        t.text("Complaints officer");
        match number % 4 {
            1 => {
                books.mess("newlines and tabs");
                t.text("Called twice.\n\"Nobody came\", then:\r\n\trang again");
            }
            2 => {
                books.mess("windows-1252 bytes");
                t.bytes(b"Says he was charged \xa340 \x93by mistake\x94");
            }
            3 => {
                books.mess("nul in text");
                t.text("Letter cut\0 off");
            }
            _ => {
                t.text("Repair took too long");
            }
        }
        t.int(number + 1).done()?;
        books.row("complaint", home.owner, &[("complaint", Fate::Copied)]);
    }
    Ok(())
}

const DOCUMENT: [&str; 12] = [
    "doc_ref",
    "prop_ref",
    "tag_ref",
    "title",
    "file_path",
    "file_state",
    "mime",
    "bytes",
    "sha256",
    "created",
    "retention",
    "document_sid",
];

/// Writes `document`.
pub(super) fn write_documents(
    connection: &Connection,
    part: &Part,
    stock: &Stock,
    books: &mut Books,
) -> Result<(), MakeError> {
    let mut dice = Dice::new(part.seed, "documents");
    let mut t = Table::new(connection, "document", &DOCUMENT, part.progress.as_ref())?;
    let mut number = 0_u32;
    for (position, home) in stock
        .homes
        .iter()
        .enumerate()
        .filter(|(_, home)| home.lived_in())
    {
        number += 1;
        let missing = number % 40 == 6;
        let tag = Tag(u32::try_from(position).unwrap_or(0) + 1, 1);
        t.shown(format_args!("D{number:09}"))
            .shown(home.reference());
        t.maybe((!number.is_multiple_of(3)).then_some(tag))
            .text("Tenancy agreement, signed");
        t.shown(format_args!(
            "\\\\FILESRV2\\housing\\{:04}\\{number}.pdf",
            number % 500
        ));
        t.text(if missing { "MIS" } else { "OK" })
            .text("application/pdf");
        if missing {
            books.mess("document without its file");
            t.null().null();
        } else {
            t.int(dice.between(20_000, 900_000));
            t.shown(format_args!(
                "{:016x}{:016x}{:016x}{:016x}",
                dice.next(),
                dice.next(),
                dice.next(),
                dice.next()
            ));
        }
        t.text("2014-06-02 10:00:00")
            .text("TEN")
            .int(number)
            .done()?;
        books.row("document", home.owner, &[("document", Fate::Copied)]);
    }
    Ok(())
}
