//! Dates and moments from text in declared formats, or from a spreadsheet's serial numbers.
//! Impossible dates are refused; two-digit years up to 49 are of this century, as `SQL Server` reads
//! them.
//!
//! Not here: sentinels (`program`).

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use crate::orgdb::moment;
pub(crate) use crate::orgdb::moment::push_date;

/// A format, compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Format {
    /// Letters `yyyy`, `yy`, `mm`, `dd` and what stands between them.
    Letters(Vec<Piece>),
    /// Days since 30 December 1899, with a fraction for the time.
    Excel,
}

/// One piece of a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece {
    Year4,
    Year2,
    Month,
    Day,
    Literal(u8),
}

/// Compiles a format; time letters (` hh:mm`, ` hh:mm:ss`) may stand and change nothing, since a
/// time is read wherever one is found.
pub(crate) fn format(text: &str) -> Format {
    let lower = text.trim().to_ascii_lowercase();
    if lower.starts_with("excel") {
        return Format::Excel;
    }
    let letters = lower.split(" hh").next().unwrap_or_default();
    let letters = letters.split("thh").next().unwrap_or_default();
    let (mut pieces, mut rest) = (Vec::new(), letters);
    while let Some(first) = rest.bytes().next() {
        let (piece, length) = match rest {
            _ if rest.starts_with("yyyy") => (Piece::Year4, 4),
            _ if rest.starts_with("yy") => (Piece::Year2, 2),
            _ if rest.starts_with("mm") => (Piece::Month, 2),
            _ if rest.starts_with("dd") => (Piece::Day, 2),
            _ => (Piece::Literal(first), 1),
        };
        pieces.push(piece);
        rest = rest.get(length..).unwrap_or_default();
    }
    Format::Letters(pieces)
}

/// What stands where a map names no formats.
pub(crate) fn iso() -> Vec<Format> {
    vec![format("yyyy-mm-dd")]
}

/// Reads a date and the time of day after it, midnight where there is none.
pub(crate) fn read(text: &str, formats: &[Format]) -> Option<DateTime> {
    formats.iter().find_map(|format| match format {
        Format::Excel => serial(text.parse().ok()?),
        Format::Letters(pieces) => letters(text, pieces),
    })
}

/// A spreadsheet's serial number as a date and time. Day 60 is the 29 February 1900 that never was,
/// and days before it are ambiguous between spreadsheets: refused.
#[expect(
    clippy::cast_possible_truncation,
    reason = "guarded: within the calendar"
)]
fn serial(number: f64) -> Option<DateTime> {
    if !(61.0..2_958_466.0).contains(&number) {
        return None;
    }
    let seconds = (number.fract() * 86_400.0).round() as i64;
    let days = number.trunc() as i64;
    let start = DateTime::constant(1899, 12, 30, 0, 0, 0, 0);
    let span = jiff::Span::new()
        .try_days(days)
        .ok()?
        .try_seconds(seconds)
        .ok()?;
    start.checked_add(span).ok()
}

fn letters(text: &str, pieces: &[Piece]) -> Option<DateTime> {
    let (mut year, mut month, mut day) = (None, None, None);
    let mut rest = text.as_bytes();
    for piece in pieces {
        match piece {
            Piece::Year4 => year = Some(digits(&mut rest, 4)?),
            Piece::Year2 => year = Some(century(digits(&mut rest, 2)?)),
            Piece::Month => month = Some(digits(&mut rest, 2)?),
            Piece::Day => day = Some(digits(&mut rest, 2)?),
            Piece::Literal(wanted) => {
                let (first, after) = rest.split_first()?;
                if !first.eq_ignore_ascii_case(wanted) {
                    return None;
                }
                rest = after;
            }
        }
    }
    let narrow = |number: Option<i16>| i8::try_from(number?).ok();
    let date = Date::new(year?, narrow(month)?, narrow(day)?).ok()?;
    Some(date.to_datetime(time_of_day(rest)?))
}

fn century(short: i16) -> i16 {
    if short < 50 {
        2000 + short
    } else {
        1900 + short
    }
}

fn digits(rest: &mut &[u8], count: usize) -> Option<i16> {
    let (taken, after) = rest.split_at_checked(count)?;
    *rest = after;
    taken.iter().try_fold(0_i16, |sum, byte| {
        byte.is_ascii_digit()
            .then(|| sum * 10 + i16::from(byte - b'0'))
    })
}

/// Nothing, or ` hh:mm`, ` hh:mm:ss`, with a fraction that is dropped.
fn time_of_day(mut rest: &[u8]) -> Option<Time> {
    match rest {
        [] => return Some(Time::midnight()),
        [b' ' | b'T' | b't', after @ ..] => rest = after,
        _ => return None,
    }
    let hour = digits(&mut rest, 2)?;
    let minute = colon(&mut rest)?;
    let second = if rest.is_empty() {
        0
    } else {
        colon(&mut rest)?
    };
    let fraction = match rest {
        [] => true,
        [b'.', digits @ ..] => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    let narrow = |number: i16| i8::try_from(number).ok();
    let time = Time::new(narrow(hour)?, narrow(minute)?, narrow(second)?, 0).ok();
    time.filter(|_| fraction)
}

fn colon(rest: &mut &[u8]) -> Option<i16> {
    let (first, after) = rest.split_first()?;
    *rest = after;
    if *first == b':' {
        digits(rest, 2)
    } else {
        None
    }
}

/// Appends local time in `zone` as `YYYY-MM-DDTHH:MM:SSZ`: the earlier of two in the autumn hour, an
/// hour later in the spring hour that never was. False beyond the calendar.
pub(crate) fn push_moment(out: &mut Vec<u8>, local: DateTime, zone: &TimeZone) -> bool {
    let Ok(moment) = zone.to_ambiguous_timestamp(local).compatible() else {
        return false;
    };
    let utc = TimeZone::UTC.to_datetime(moment);
    moment::push(out, utc, true);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str, formats: &[&str]) -> Option<String> {
        let formats: Vec<Format> = formats.iter().map(|text| format(text)).collect();
        let mut out = Vec::new();
        push_date(&mut out, read(text, &formats)?.date());
        Some(String::from_utf8(out).unwrap())
    }

    fn moment(text: &str) -> String {
        let mut out = Vec::new();
        let zone = TimeZone::get("Europe/London").unwrap();
        assert!(push_moment(&mut out, read(text, &iso()).unwrap(), &zone));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_declared_format_reads_its_own_and_nothing_else() {
        for (text, formats, wanted) in [
            ("2019-04-01", "yyyy-mm-dd", "2019-04-01"),
            ("2019-04-01 00:00:00", "yyyy-mm-dd", "2019-04-01"),
            ("01/04/2019", "dd/mm/yyyy", "2019-04-01"),
            ("01/04/19", "dd/mm/yy", "2019-04-01"),
            ("01/04/62", "dd/mm/yy", "1962-04-01"),
            ("01042019", "ddmmyyyy", "2019-04-01"),
            ("20190401", "yyyymmdd", "2019-04-01"),
            ("43556", "excel", "2019-04-01"),
        ] {
            assert_eq!(date(text, &[formats]).as_deref(), Some(wanted), "{text}");
        }
        for (text, formats) in [
            ("31/02/2019", "dd/mm/yyyy"),
            ("00/00/0000", "dd/mm/yyyy"),
            ("12/31/2019", "dd/mm/yyyy"),
            ("2019-04-01x", "yyyy-mm-dd"),
            ("2019-4-1", "yyyy-mm-dd"),
            ("60", "excel"),
            ("+1/04/2019", "dd/mm/yyyy"),
        ] {
            assert_eq!(date(text, &[formats]), None, "{text}");
        }
    }

    #[test]
    fn summer_time_goes_to_utc_and_the_autumn_hour_is_the_earlier_of_two() {
        assert_eq!(moment("2020-07-01 12:00"), "2020-07-01T11:00:00Z");
        assert_eq!(moment("2020-01-01 12:00:30.5"), "2020-01-01T12:00:30Z");
        assert_eq!(moment("2020-10-25 01:30:00"), "2020-10-25T00:30:00Z");
        assert_eq!(moment("2020-03-29 01:30:00"), "2020-03-29T01:30:00Z");
    }
}
