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
