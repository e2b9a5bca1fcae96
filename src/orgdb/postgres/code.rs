//! Values in the server's binary form (the `…send` and `…recv` functions of its source), read into
//! fields and written from borrowed values.
//!
//! A date reads `2020-10-01`; a moment `2020-10-01T00:00:00Z`, a clock's reading
//! `2020-10-01 00:00:00`, both with six digits behind a point where the fraction is not zero. A decimal
//! keeps the digits behind its point.
//!
//! Not here: which column has which type (`catalogue`), the stream around rows (`load`).

use jiff::civil::DateTime;
use rusqlite::types::ValueRef;

use crate::orgdb::decimal::{self, Decimal};
use crate::orgdb::moment::{self, CALENDAR};
use crate::orgdb::plain::is_plain;
use crate::orgdb::row::Fields;

/// The type that a value has before the server knows better.
pub(super) const UNKNOWN: u32 = 705;

/// How a type's values look in binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::orgdb) enum Form {
    Flag,
    Whole(u8),
    Float(u8),
    Decimal,
    Text,
    /// `char(n)`: the server shows spaces at its end that mean nothing.
    Padded,
    /// `jsonb`: text behind a version.
    Tree,
    Bytes,
    Date,
    Time,
    Moment(bool),
    Uuid,
    /// Whatever else: read and written as the server shows it.
    Shown,
}

impl Form {
    /// By the type's number (<https://github.com/postgres/postgres/blob/REL_15_STABLE/src/include/catalog/pg_type.dat>);
    /// types that a database made for itself have none that is known.
    pub(super) fn of(oid: u32) -> Form {
        match oid {
            16 => Form::Flag,
            21 => Form::Whole(2),
            23 => Form::Whole(4),
            20 => Form::Whole(8),
            700 => Form::Float(4),
            701 => Form::Float(8),
            1700 => Form::Decimal,
            18 | 19 | 25 | 114 | 142 | UNKNOWN | 1043 => Form::Text,
            1042 => Form::Padded,
            3802 => Form::Tree,
            17 => Form::Bytes,
            1082 => Form::Date,
            1083 => Form::Time,
            1114 => Form::Moment(false),
            1184 => Form::Moment(true),
            2950 => Form::Uuid,
            _ => Form::Shown,
        }
    }

    /// Reads one value; none when the bytes are not of this type.
    pub(super) fn read(self, bytes: &[u8], into: &mut Fields) -> Option<()> {
        match self {
            Form::Flag => into.whole(i64::from(*bytes.first()? != 0)),
            Form::Whole(2) => into.whole(i16::from_be_bytes(bytes.try_into().ok()?).into()),
            Form::Whole(4) => into.whole(i32::from_be_bytes(bytes.try_into().ok()?).into()),
            Form::Whole(_) => into.whole(i64::from_be_bytes(bytes.try_into().ok()?)),
            Form::Float(4) => {
                // The digits that the server shows, not those that a wider float would add.
                let number = f32::from_be_bytes(bytes.try_into().ok()?);
                into.float(number.to_string().parse().ok()?);
            }
            Form::Float(_) => into.float(f64::from_be_bytes(bytes.try_into().ok()?)),
            Form::Decimal => return read_decimal(bytes, into),
            Form::Text | Form::Shown => into.text(|out| out.extend_from_slice(bytes)),
            Form::Padded => {
                let end = bytes.iter().rposition(|letter| *letter != b' ');
                into.text(|out| out.extend_from_slice(&bytes[..end.map_or(0, |at| at + 1)]));
            }
            Form::Tree => {
                let text = bytes.get(1..)?;
                into.text(|out| out.extend_from_slice(text));
            }
            Form::Bytes => into.bytes(bytes),
            Form::Date => read_date(i32::from_be_bytes(bytes.try_into().ok()?), into),
            Form::Time => {
                let micros = i64::from_be_bytes(bytes.try_into().ok()?);
                into.text(|out| moment::push_time(out, micros));
            }
            Form::Moment(zoned) => {
                read_moment(i64::from_be_bytes(bytes.try_into().ok()?), zoned, into);
            }
            Form::Uuid => {
                let uuid = uuid::Uuid::from_slice(bytes).ok()?;
                let mut letters = [0; 36];
                uuid.hyphenated().encode_lower(&mut letters);
                into.text(|out| out.extend_from_slice(&letters));
            }
        }
        Some(())
    }

    /// Writes one value that is not NULL; none when it is no value of this type.
    pub(super) fn write(self, value: ValueRef<'_>, out: &mut Vec<u8>) -> Option<()> {
        let mut room = String::new();
        match self {
            Form::Flag => out.push(u8::from(flag(value)?)),
            Form::Whole(size) => {
                let number = whole(value)?;
                match size {
                    2 => out.extend_from_slice(&i16::try_from(number).ok()?.to_be_bytes()),
                    4 => out.extend_from_slice(&i32::try_from(number).ok()?.to_be_bytes()),
                    _ => out.extend_from_slice(&number.to_be_bytes()),
                }
            }
            Form::Float(size) => {
                let number = float(value)?;
                #[expect(clippy::cast_possible_truncation, reason = "the column is that narrow")]
                match size {
                    4 => out.extend_from_slice(&(number as f32).to_be_bytes()),
                    _ => out.extend_from_slice(&number.to_be_bytes()),
                }
            }
            Form::Decimal => return write_decimal(text(value, &mut room)?, out),
            Form::Text | Form::Padded | Form::Shown => {
                out.extend_from_slice(plain(value, &mut room)?);
            }
            Form::Tree => {
                out.push(1);
                out.extend_from_slice(plain(value, &mut room)?);
            }
            Form::Bytes => match value {
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => out.extend_from_slice(bytes),
                _ => return None,
            },
            Form::Date => {
                out.extend_from_slice(&days(text(value, &mut room)?)?.to_be_bytes());
            }
            Form::Time => {
                let micros = moment::time(text(value, &mut room)?)?;
                out.extend_from_slice(&micros.to_be_bytes());
            }
            Form::Moment(_) => {
                out.extend_from_slice(&micros(text(value, &mut room)?)?.to_be_bytes());
            }
            Form::Uuid => {
                let uuid = uuid::Uuid::try_parse(text(value, &mut room)?).ok()?;
                out.extend_from_slice(uuid.as_bytes());
            }
        }
        Some(())
    }
}

/// Dates and moments count from here.
const EPOCH: DateTime = DateTime::constant(2000, 1, 1, 0, 0, 0, 0);

fn flag(value: ValueRef<'_>) -> Option<bool> {
    match value {
        ValueRef::Integer(0) | ValueRef::Text(b"0" | b"f" | b"false") => Some(false),
        ValueRef::Integer(1) | ValueRef::Text(b"1" | b"t" | b"true") => Some(true),
        _ => None,
    }
}

fn whole(value: ValueRef<'_>) -> Option<i64> {
    match value {
        ValueRef::Integer(number) => Some(number),
        ValueRef::Text(bytes) => std::str::from_utf8(bytes).ok()?.parse().ok(),
        _ => None,
    }
}

fn float(value: ValueRef<'_>) -> Option<f64> {
    match value {
        ValueRef::Real(number) => Some(number),
        #[expect(clippy::cast_precision_loss, reason = "as the server would")]
        ValueRef::Integer(number) => Some(number as f64),
        ValueRef::Text(bytes) => std::str::from_utf8(bytes).ok()?.parse().ok(),
        _ => None,
    }
}

/// A value as text; `room` holds it where the value is a number.
fn text<'v>(value: ValueRef<'v>, room: &'v mut String) -> Option<&'v str> {
    std::str::from_utf8(plain(value, room)?).ok()
}

/// The same in bytes: text that the server cannot hold (NUL, not UTF-8) is none.
fn plain<'v>(value: ValueRef<'v>, room: &'v mut String) -> Option<&'v [u8]> {
    match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            let fits =
                is_plain(bytes) || (!bytes.contains(&0) && std::str::from_utf8(bytes).is_ok());
            fits.then_some(bytes)
        }
        ValueRef::Integer(number) => {
            *room = number.to_string();
            Some(room.as_bytes())
        }
        ValueRef::Real(number) => {
            *room = number.to_string();
            Some(room.as_bytes())
        }
        ValueRef::Null => None,
    }
}

fn read_date(days: i32, into: &mut Fields) {
    into.text(|out| match days {
        i32::MAX => out.extend_from_slice(b"infinity"),
        i32::MIN => out.extend_from_slice(b"-infinity"),
        days if CALENDAR.contains(&days.into()) => moment::push_day(out, days.into()),
        days => push_far(out, days.into()),
    });
}

fn read_moment(micros: i64, zoned: bool, into: &mut Fields) {
    let days = micros.div_euclid(86_400_000_000);
    into.text(|out| match micros {
        i64::MAX => out.extend_from_slice(b"infinity"),
        i64::MIN => out.extend_from_slice(b"-infinity"),
        micros if CALENDAR.contains(&days) => moment::push_micros(out, micros, zoned),
        micros => push_far(out, micros),
    });
}

/// Outside of the years 1 to 9999 there is no date that a map could read: the server's own number, so that
/// an undo can put it back.
const FAR: &str = "beyond the calendar: ";

fn push_far(out: &mut Vec<u8>, number: i64) {
    out.extend_from_slice(FAR.as_bytes());
    out.extend_from_slice(number.to_string().as_bytes());
}

fn far(text: &str) -> Option<i64> {
    match text {
        "infinity" => Some(i64::MAX),
        "-infinity" => Some(i64::MIN),
        _ => text.strip_prefix(FAR)?.parse().ok(),
    }
}

/// A day's number; what is far beyond every number has the last one.
fn days(text: &str) -> Option<i32> {
    if let Some(day) = moment::day(text.as_bytes()) {
        return i32::try_from(day).ok();
    }
    match far(text) {
        Some(i64::MAX) => return Some(i32::MAX),
        Some(i64::MIN) => return Some(i32::MIN),
        Some(number) => return i32::try_from(number).ok(),
        None => {}
    }
    let hours = moment::date(text)?.duration_since(EPOCH.date()).as_hours();
    i32::try_from(hours / 24).ok()
}

fn micros(text: &str) -> Option<i64> {
    let ours = |zoned| moment::micros(text.as_bytes(), zoned);
    if let Some(number) = ours(true).or_else(|| ours(false)) {
        return Some(number);
    }
    if let Some(number) = far(text) {
        return Some(number);
    }
    let since = moment::utc(text)?.duration_since(EPOCH);
    i64::try_from(since.as_micros()).ok()
}

/// What else a decimal may be, and what stands in the place of its sign then.
const NO_NUMBERS: [(&str, u8); 3] = [("NaN", 0xC0), ("Infinity", 0xD0), ("-Infinity", 0xF0)];

/// Digits of four, the place of the first, a sign, and how many digits are shown behind the point.
fn read_decimal(bytes: &[u8], into: &mut Fields) -> Option<()> {
    let word = |at: usize| Some(i16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    let (count, weight, scale) = (word(0)?, word(2)?, word(6)?);
    let sign = *bytes.get(4)?;
    if let Some((word, _)) = NO_NUMBERS.iter().find(|(_, known)| *known == sign) {
        into.text(|out| out.extend_from_slice(word.as_bytes()));
        return Some(());
    }
    let negative = sign == 0x40;
    let groups = bytes.get(8..8 + 2 * usize::try_from(count).ok()?)?;
    let group = |place: i32| -> u16 {
        let at = i32::from(weight) - place;
        let at = usize::try_from(at).ok().map(|at| at * 2);
        at.and_then(|at| groups.get(at..at + 2))
            .map_or(0, |pair| u16::from_be_bytes([pair[0], pair[1]]))
    };
    into.text(|out| {
        if negative {
            out.push(b'-');
        }
        let mut place = i32::from(weight.max(0));
        let first = group(place);
        let width = 1 + [9, 99, 999].iter().filter(|most| first > **most).count();
        moment::push_number(out, first.into(), width);
        while place > 0 {
            place -= 1;
            moment::push_number(out, group(place).into(), 4);
        }
        if scale > 0 {
            out.push(b'.');
            let end = out.len() + usize::from(scale.unsigned_abs());
            while out.len() < end {
                place -= 1;
                moment::push_number(out, group(place).into(), 4);
            }
            out.truncate(end);
        }
    });
    Some(())
}

fn write_decimal(text: &str, out: &mut Vec<u8>) -> Option<()> {
    if let Some((_, sign)) = NO_NUMBERS.iter().find(|(word, _)| *word == text) {
        out.extend_from_slice(&[0, 0, 0, 0, *sign, 0, 0, 0]);
        return Some(());
    }
    let Decimal {
        negative,
        front,
        back,
    } = decimal::split(text)?;
    let start = out.len();
    out.extend_from_slice(&[0; 8]);
    let mut weight = i16::try_from(front.len().div_ceil(4)).ok()? - 1;
    let mut push = |group: &[u8], missing: u32| {
        let number = group
            .iter()
            .fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
        let number = number * 10_u16.pow(missing);
        // Neither leading nor trailing groups of zeros are stored.
        if number == 0 && out.len() == start + 8 {
            weight -= 1;
        } else {
            out.extend_from_slice(&number.to_be_bytes());
        }
    };
    let (lead, fours) = front.split_at(front.len() % 4);
    if !lead.is_empty() {
        push(lead, 0);
    }
    fours.chunks(4).for_each(|group| push(group, 0));
    for group in back.chunks(4) {
        push(group, 4 - u32::try_from(group.len()).ok()?);
    }
    while out.len() > start + 8 && out[out.len() - 2..] == [0, 0] {
        out.truncate(out.len() - 2);
    }
    let count = (out.len() - start - 8) / 2;
    let (sign, weight): (u16, i16) = match (count, negative) {
        (0, _) => (0, 0),
        (_, true) => (0x4000, weight),
        (_, false) => (0, weight),
    };
    let head = &mut out[start..start + 8];
    head[..2].copy_from_slice(&u16::try_from(count).ok()?.to_be_bytes());
    head[2..4].copy_from_slice(&weight.to_be_bytes());
    head[4..6].copy_from_slice(&sign.to_be_bytes());
    head[6..].copy_from_slice(&u16::try_from(back.len()).ok()?.to_be_bytes());
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orgdb::Row;

    fn again(form: Form, value: ValueRef<'_>) -> Option<String> {
        let (mut bytes, mut fields) = (Vec::new(), Fields::default());
        form.write(value, &mut bytes)?;
        form.read(&bytes, &mut fields)?;
        match Row::Fields(&fields).get(0) {
            ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
            other => Some(format!("{other:?}")),
        }
    }

    #[test]
    fn decimals_keep_every_digit_and_their_scale() {
        for text in [
            "0",
            "0.00",
            "1",
            "-1.50",
            "9999",
            "10000",
            "10000.0001",
            "0.0001",
            "0.00010",
            "100000000",
            "-12345678901234567890123456789012345678",
            "1234567890.0987654321",
            "0.5000",
        ] {
            assert_eq!(
                again(Form::Decimal, ValueRef::Text(text.as_bytes())).as_deref(),
                Some(text)
            );
        }
        assert_eq!(
            again(Form::Decimal, ValueRef::Text(b"007.10")).as_deref(),
            Some("7.10")
        );
        assert_eq!(
            again(Form::Decimal, ValueRef::Text(b"-0.00")).as_deref(),
            Some("0.00")
        );
        assert_eq!(again(Form::Decimal, ValueRef::Text(b"1e3")), None);
        assert_eq!(again(Form::Decimal, ValueRef::Text(b"")), None);
    }

    #[test]
    fn days_and_moments_come_back_as_they_were_written() {
        for text in [
            "2000-01-01",
            "1999-12-31",
            "0001-01-01",
            "9999-12-31",
            "2020-02-29",
        ] {
            assert_eq!(
                again(Form::Date, ValueRef::Text(text.as_bytes())).as_deref(),
                Some(text)
            );
        }
        assert_eq!(again(Form::Date, ValueRef::Text(b"2019-02-29")), None);
        assert_eq!(again(Form::Date, ValueRef::Text(b"0000-00-00")), None);
        for text in ["2020-10-25T00:30:00Z", "1969-12-31T23:59:59.999999Z"] {
            let zoned = Form::Moment(true);
            assert_eq!(
                again(zoned, ValueRef::Text(text.as_bytes())).as_deref(),
                Some(text)
            );
        }
        let local = again(
            Form::Moment(false),
            ValueRef::Text(b"2020-10-25 01:30:00.000001"),
        );
        assert_eq!(local.as_deref(), Some("2020-10-25 01:30:00.000001"));
    }

    #[test]
    fn what_does_not_fit_is_told_before_the_server_hears_of_it() {
        assert_eq!(again(Form::Whole(2), ValueRef::Integer(32_768)), None);
        assert_eq!(again(Form::Text, ValueRef::Text(b"a\0b")), None);
        assert_eq!(again(Form::Text, ValueRef::Text(b"\xff")), None);
        assert_eq!(again(Form::Flag, ValueRef::Integer(2)), None);
        assert_eq!(again(Form::Uuid, ValueRef::Text(b"nobody")), None);
    }
}
