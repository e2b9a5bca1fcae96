//! Dates, clock readings and moments as text, one way of writing for every engine:
//! `2020-10-01`, `2020-10-01 00:00:00` and `2020-10-01T00:00:00Z`, six digits of a fraction only where
//! it is not zero.
//!
//! Not here: the formats of legacy systems (`copy::convert::date`).

use jiff::civil::{Date, DateTime, Time};

/// Reads `yyyy-mm-dd`; a date that never was is none.
pub(crate) fn date(text: &str) -> Option<Date> {
    let (day, rest) = lead(text)?;
    rest.is_empty().then_some(day)
}

/// Days of the years 1 to 9999, counted from the first of 2000.
pub(crate) const CALENDAR: std::ops::RangeInclusive<i64> = -730_119..=2_921_939;

const DAY: i64 = 86_400_000_000;

/// The number of a day of the years 1 to 9999 that is written `yyyy-mm-dd`, counted from the first of 2000;
/// without a calendar's machinery, since this is done for every row. Years begin in March, so that a leap
/// day is the last (<https://howardhinnant.github.io/date_algorithms.html>, `days_from_civil`).
#[inline]
pub(crate) fn day(text: &[u8]) -> Option<i64> {
    let text = <&[u8; 10]>::try_from(text).ok()?;
    if text[4] != b'-' || text[7] != b'-' {
        return None;
    }
    let year = two(text, 0)? * 100 + two(text, 2)?;
    let (month, day) = (two(text, 5)?, two(text, 8)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => return None,
    };
    if year == 0 || !(1..=longest).contains(&day) {
        return None;
    }
    let march_year = year - i64::from(month <= 2);
    let (era, of_era) = (march_year / 400, march_year % 400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    Some(era * 146_097 + of_era - 730_425)
}

/// Microseconds since the first of 2000 of a moment (`zoned`) or a clock's reading that is written just as
/// we write it; none where it is written otherwise, whatever it says.
#[inline]
pub(crate) fn micros(text: &[u8], zoned: bool) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let (between, rest) = rest.split_first()?;
    let clock = match (zoned, between) {
        (true, b'T') => rest.strip_suffix(b"Z")?,
        (false, b' ') => rest,
        _ => return None,
    };
    Some(day(date)? * DAY + self::clock(clock)?)
}

/// Microseconds of a time of day that is written just as we write it; none where it is written otherwise.
#[inline]
pub(crate) fn clock(text: &[u8]) -> Option<i64> {
    let (clock, fraction) = text.split_at_checked(8)?;
    if clock[2] != b':' || clock[5] != b':' {
        return None;
    }
    let (hour, minute, second) = (two(clock, 0)?, two(clock, 3)?, two(clock, 6)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let beyond = match fraction {
        [] => 0,
        [b'.', digits @ ..] if digits.len() == 6 => {
            let beyond = (two(digits, 0)? * 100 + two(digits, 2)?) * 100 + two(digits, 4)?;
            (beyond > 0).then_some(beyond)?
        }
        _ => return None,
    };
    Some(((hour * 60 + minute) * 60 + second) * 1_000_000 + beyond)
}

/// The number that two digits make.
#[inline]
fn two(text: &[u8], at: usize) -> Option<i64> {
    let digit = |at: usize| Some(text.get(at)?.wrapping_sub(b'0')).filter(|digit| *digit < 10);
    Some(i64::from(digit(at)?) * 10 + i64::from(digit(at + 1)?))
}

/// Whether so many digits of a second tell these microseconds.
#[inline]
pub(crate) fn keeps(digits: u32, micros: i64) -> bool {
    micros % 10_i64.pow(6_u32.saturating_sub(digits)) == 0
}

/// Appends a day of the calendar by its number, as `day` reads it
/// (<https://howardhinnant.github.io/date_algorithms.html>, `civil_from_days`).
pub(crate) fn push_day(out: &mut Vec<u8>, days: i64) {
    let since = u32::try_from(days + 730_425).unwrap_or_default();
    let (era, of_era) = (since / 146_097, since % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march + 2) / 5 + 1;
    let month = if march < 10 { march + 3 } else { march - 9 };
    let year = year_of_era + era * 400 + u32::from(month <= 2);
    let [y, yy] = two_digits(year / 100);
    let [yyy, yyyy] = two_digits(year % 100);
    let ([m, mm], [d, dd]) = (two_digits(month), two_digits(day));
    out.extend_from_slice(&[y, yy, yyy, yyyy, b'-', m, mm, b'-', d, dd]);
}

/// Appends a moment (`zoned`) or a clock's reading of the calendar, by its microseconds.
pub(crate) fn push_micros(out: &mut Vec<u8>, micros: i64, zoned: bool) {
    push_day(out, micros.div_euclid(DAY));
    out.push(if zoned { b'T' } else { b' ' });
    push_time(out, micros.rem_euclid(DAY));
    if zoned {
        out.push(b'Z');
    }
}

/// Reads a date with a time of day, `Z` or an offset behind it; the moment in UTC (where there is no
/// zone, as it stands). A date alone is its midnight.
pub(crate) fn utc(text: &str) -> Option<DateTime> {
    let (day, rest) = lead(text)?;
    if rest.is_empty() {
        return Some(day.at(0, 0, 0, 0));
    }
    let clock = rest.strip_prefix([' ', 'T'])?;
    let end = clock.find(['Z', '+', '-']).unwrap_or(clock.len());
    let local = day.to_datetime(clock[..end].parse::<Time>().ok()?);
    match &clock[end..] {
        "" | "Z" | "+00" | "+00:00" => Some(local),
        offset => {
            let minutes = minutes(offset)?;
            local
                .checked_sub(jiff::SignedDuration::from_mins(minutes))
                .ok()
        }
    }
}

/// Reads `hh:mm[:ss[.ffffff]]` as microseconds.
pub(crate) fn time(text: &str) -> Option<i64> {
    if text == "24:00:00" {
        return Some(86_400_000_000);
    }
    let time = text.parse::<Time>().ok()?;
    let since = time.duration_since(Time::midnight());
    i64::try_from(since.as_micros()).ok()
}

fn lead(text: &str) -> Option<(Date, &str)> {
    let (day, rest) = text.split_at_checked(10)?;
    let bytes = day.as_bytes();
    if bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let number = |part: &[u8]| {
        part.iter().try_fold(0_i16, |sum, byte| {
            byte.is_ascii_digit()
                .then(|| sum * 10 + i16::from(byte - b'0'))
        })
    };
    let narrow = |part: &[u8]| i8::try_from(number(part)?).ok();
    let day = Date::new(
        number(&bytes[..4])?,
        narrow(&bytes[5..7])?,
        narrow(&bytes[8..])?,
    );
    Some((day.ok()?, rest))
}

/// `+hh:mm`, `+hhmm`, `+hh` as minutes; one of a day or more is none.
fn minutes(offset: &str) -> Option<i64> {
    let (sign, rest) = match offset.as_bytes().first()? {
        b'+' => (1, &offset[1..]),
        b'-' => (-1, &offset[1..]),
        _ => return None,
    };
    let (hours, mins) = rest.split_at_checked(2)?;
    let mins = match mins {
        "" => "00",
        mins => mins.strip_prefix(':').unwrap_or(mins),
    };
    let number = |text: &str, most: i64| {
        let plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = plain.then(|| text.parse::<i64>().ok())?;
        number.filter(|number| *number <= most)
    };
    Some(sign * (number(hours, 23)? * 60 + number(mins, 59)?))
}

/// Appends a date.
pub(crate) fn push_date(out: &mut Vec<u8>, day: Date) {
    push_number(out, day.year().into(), 4);
    out.push(b'-');
    push_number(out, day.month().into(), 2);
    out.push(b'-');
    push_number(out, day.day().into(), 2);
}

/// Appends a moment (`zoned`) or a clock's reading.
pub(crate) fn push(out: &mut Vec<u8>, at: DateTime, zoned: bool) {
    push_date(out, at.date());
    out.push(if zoned { b'T' } else { b' ' });
    let seconds =
        i64::from(at.hour()) * 3600 + i64::from(at.minute()) * 60 + i64::from(at.second());
    let micros = i64::from(at.subsec_nanosecond() / 1000);
    push_time(out, seconds * 1_000_000 + micros);
    if zoned {
        out.push(b'Z');
    }
}

/// Appends a time of day.
pub(crate) fn push_time(out: &mut Vec<u8>, micros: i64) {
    // A day has less than 2^32 seconds.
    let seconds = u32::try_from(micros.div_euclid(1_000_000)).unwrap_or_default();
    let [h, hh] = two_digits(seconds / 3600);
    let ([m, mm], [s, ss]) = (two_digits(seconds / 60 % 60), two_digits(seconds % 60));
    out.extend_from_slice(&[h, hh, b':', m, mm, b':', s, ss]);
    let micros = micros.rem_euclid(1_000_000);
    if micros != 0 {
        out.push(b'.');
        push_number(out, micros, 6);
    }
}

/// A number below 100.
#[inline]
pub(crate) fn two_digits(number: u32) -> [u8; 2] {
    let digit = |number: u32| b'0' + u8::try_from(number % 10).unwrap_or_default();
    [digit(number / 10), digit(number)]
}

/// Digits without the formatting machinery: this is done for every row.
pub(crate) fn push_number(out: &mut Vec<u8>, number: i64, width: usize) {
    let (start, mut left) = (out.len(), number.unsigned_abs());
    out.resize(start + width, b'0');
    for digit in out[start..].iter_mut().rev() {
        *digit = b'0' + u8::try_from(left % 10).unwrap_or_default();
        left /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_the_calendar_is_the_calendars_own() {
        let mut day = jiff::civil::date(1, 1, 1);
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for days in CALENDAR {
            push_day(&mut ours, days);
            push_date(&mut theirs, day);
            assert_eq!(ours, theirs, "{days}");
            assert_eq!(super::day(&ours), Some(days));
            ours.clear();
            theirs.clear();
            day = day.tomorrow().unwrap_or(day);
        }
        assert_eq!(day, jiff::civil::date(9999, 12, 31));
    }

    #[test]
    fn what_is_no_day_and_no_moment_of_ours_is_none() {
        for text in [
            "0000-01-01",
            "2019-02-29",
            "1900-02-29",
            "2019-04-31",
            "2019-00-10",
            "2019-13-01",
            "2019-01-00",
            "2019-1-001",
            "2019/01/01",
            "-019-01-01",
            "2019-01-0x",
            "",
        ] {
            assert_eq!(day(text.as_bytes()), None, "{text}");
        }
        for (text, zoned) in [
            ("2020-01-02T03:04:05Z", true),
            ("2020-01-02 03:04:05", false),
            ("1969-12-31T23:59:59.999999Z", true),
            ("0001-01-01 00:00:00.000001", false),
        ] {
            let number = micros(text.as_bytes(), zoned);
            let (mut out, number) = (Vec::new(), number.expect("it is written as ours"));
            push_micros(&mut out, number, zoned);
            assert_eq!(String::from_utf8(out).as_deref(), Ok(text));
            assert_eq!(micros(text.as_bytes(), !zoned), None);
        }
        for text in [
            "2020-01-02T03:04:05",
            "2020-01-02 03:04:05Z",
            "2020-01-02T24:00:00Z",
            "2020-01-02T03:60:05Z",
            "2020-01-02T03:04:60Z",
            "2020-01-02T03:04:05.000000Z",
            "2020-01-02T03:04:05.1Z",
            "2020-01-02T03:04:05.1234567Z",
            "2020-01-02TZ",
        ] {
            assert_eq!(micros(text.as_bytes(), true), None, "{text}");
        }
    }

    #[test]
    fn a_moment_reads_the_same_in_whatever_way_it_is_written() {
        let wanted = date("2020-10-24").map(|day| day.at(23, 30, 0, 0));
        for text in [
            "2020-10-24T23:30:00Z",
            "2020-10-24 23:30:00",
            "2020-10-25 00:30:00+01",
            "2020-10-25T00:30:00+01:00",
            "2020-10-24T18:30:00.000-0500",
        ] {
            assert_eq!(utc(text), wanted, "{text}");
        }
        assert_eq!(utc("2020-10-24X23:30:00"), None);
        for offset in ["+24:00", "+1", "+01:60", "+01:900000000000000000", "++1:00"] {
            assert_eq!(
                utc(&format!("2020-10-24T23:30:00{offset}")),
                None,
                "{offset}"
            );
        }
        assert_eq!(utc("0000-00-00 00:00:00"), None);
        assert_eq!(
            (time("24:00:00"), time("00:00:00.000001")),
            (Some(86_400_000_000), Some(1))
        );
    }
}
