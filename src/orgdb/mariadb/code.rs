//! Values in the server's form: read into fields, bound to statements, written as text for a load.
//!
//! A date reads `2020-10-01`, a `datetime` `2020-10-01 00:00:00`, a `timestamp` (which these servers
//! keep in UTC) `2020-10-01T00:00:00Z`, with six digits behind a point where the fraction is not zero.
//! Where a moment goes into a `datetime`, it is stored in UTC without a zone, and reads back so. A date
//! that never was, kept by a server that was lenient once, reads as it stands there: `0000-00-00`.
//!
//! Not here: which column has which type (`catalogue`), which value goes where (`tongue`).

use std::borrow::Cow;
use std::io::Write as _;

use mysql::Value;
use mysql::consts::{ColumnFlags, ColumnType};
use rusqlite::types::ValueRef;

use crate::orgdb::row::Fields;
use crate::orgdb::{decimal, moment};
use crate::plan::digest::push_hex;

/// What a value is held against: only where that changes how it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Class {
    /// Given as it is.
    #[default]
    Plain,
    /// Given as a number.
    Whole,
    /// The same, of so many bits: given as text when it is loaded, and made a number there.
    Bits,
    /// Given as a float of four bytes: a wider one is never equal to it.
    Single,
    /// Given in UTC without its zone.
    Moment,
    /// Given as text.
    Text,
    /// Given as text when it is loaded, in hexadecimal digits.
    Bytes,
}

impl Class {
    /// By the type's name.
    pub(super) fn of(kind: &str) -> Class {
        match kind {
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "year" => Class::Whole,
            "bit" => Class::Bits,
            "float" => Class::Single,
            "datetime" | "timestamp" => Class::Moment,
            "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "enum"
            | "set" => Class::Text,
            "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => {
                Class::Bytes
            }
            _ => Class::Plain,
        }
    }

    /// The value as the driver binds it.
    pub(super) fn bound(self, value: ValueRef<'_>) -> Value {
        match (self, value) {
            (_, ValueRef::Null) => Value::NULL,
            (Class::Text, ValueRef::Integer(number)) => Value::Bytes(number.to_string().into()),
            (Class::Text, ValueRef::Real(number)) => Value::Bytes(format!("{number:?}").into()),
            (_, ValueRef::Integer(number)) => Value::Int(number),
            (Class::Single, ValueRef::Real(number)) => single(number),
            (_, ValueRef::Real(number)) => Value::Double(number),
            (class, ValueRef::Text(bytes)) => class.text(bytes),
            (_, ValueRef::Blob(bytes)) => Value::Bytes(bytes.to_vec()),
        }
    }

    fn text(self, bytes: &[u8]) -> Value {
        let text = std::str::from_utf8(bytes).unwrap_or_default();
        match self {
            Class::Whole | Class::Bits => {
                if let Ok(number) = text.parse() {
                    return Value::Int(number);
                }
                if let Ok(number) = text.parse() {
                    return Value::UInt(number);
                }
            }
            Class::Single => {
                if let Ok(number) = text.parse() {
                    return single(number);
                }
            }
            Class::Moment => return Value::Bytes(unzoned(bytes).into_owned()),
            Class::Plain | Class::Text | Class::Bytes => {}
        }
        Value::Bytes(bytes.to_vec())
    }

    /// Appends the value as a load reads it: see `load` for what is escaped.
    pub(super) fn load(self, value: ValueRef<'_>, out: &mut Vec<u8>) {
        match (self, value) {
            (_, ValueRef::Null) => out.extend_from_slice(b"\\N"),
            (_, ValueRef::Integer(number)) => decimal::push_whole(out, number),
            (_, ValueRef::Real(number)) => drop(write!(out, "{number:?}")),
            (Class::Bytes, ValueRef::Text(bytes) | ValueRef::Blob(bytes)) => {
                push_hex(out, bytes);
            }
            (Class::Moment, ValueRef::Text(bytes)) => escape(&unzoned(bytes), out),
            (_, ValueRef::Text(bytes) | ValueRef::Blob(bytes)) => escape(bytes, out),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the column is that narrow")]
fn single(number: f64) -> Value {
    Value::Float(number as f32)
}

/// A moment in UTC as a clock's reading; whatever else as it is.
fn unzoned(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut text = Vec::new();
    if let Some(micros) = moment::micros(bytes, true) {
        text.reserve(26);
        moment::push_micros(&mut text, micros, false);
        return Cow::Owned(text);
    }
    let zoned = bytes.len() > 10 && bytes.get(10) == Some(&b'T');
    let at = std::str::from_utf8(bytes).ok().filter(|_| zoned);
    match at.and_then(moment::utc) {
        Some(at) => {
            moment::push(&mut text, at, false);
            Cow::Owned(text)
        }
        None => Cow::Borrowed(bytes),
    }
}

fn escape(text: &[u8], out: &mut Vec<u8>) {
    // Without an end before the last byte, so that many bytes are looked at in one step.
    let special = |byte: u8| matches!(byte, b'\\' | b'\t' | b'\n' | 0);
    if !text.iter().fold(false, |any, byte| any | special(*byte)) {
        out.extend_from_slice(text);
        return;
    }
    for byte in text {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            0 => out.extend_from_slice(b"\\0"),
            other => out.push(*other),
        }
    }
}

/// How a column's values look when they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Whole,
    Bits,
    Float,
    Decimal,
    Text,
    Bytes,
    Date,
    Moment(bool),
    Time,
}

/// The collation that stands for bytes.
const BINARY: u16 = 63;

impl Form {
    /// By what the server says of a column.
    pub(super) fn of(column: &mysql::Column) -> Form {
        match column.column_type() {
            ColumnType::MYSQL_TYPE_TINY
            | ColumnType::MYSQL_TYPE_SHORT
            | ColumnType::MYSQL_TYPE_INT24
            | ColumnType::MYSQL_TYPE_LONG
            | ColumnType::MYSQL_TYPE_LONGLONG
            | ColumnType::MYSQL_TYPE_YEAR => Form::Whole,
            ColumnType::MYSQL_TYPE_BIT => Form::Bits,
            ColumnType::MYSQL_TYPE_FLOAT | ColumnType::MYSQL_TYPE_DOUBLE => Form::Float,
            ColumnType::MYSQL_TYPE_DECIMAL | ColumnType::MYSQL_TYPE_NEWDECIMAL => Form::Decimal,
            ColumnType::MYSQL_TYPE_DATE | ColumnType::MYSQL_TYPE_NEWDATE => Form::Date,
            ColumnType::MYSQL_TYPE_DATETIME | ColumnType::MYSQL_TYPE_DATETIME2 => {
                Form::Moment(false)
            }
            ColumnType::MYSQL_TYPE_TIMESTAMP | ColumnType::MYSQL_TYPE_TIMESTAMP2 => {
                Form::Moment(true)
            }
            ColumnType::MYSQL_TYPE_TIME | ColumnType::MYSQL_TYPE_TIME2 => Form::Time,
            ColumnType::MYSQL_TYPE_JSON => Form::Text,
            _ if column.character_set() == BINARY && !is_list(column) => Form::Bytes,
            _ => Form::Text,
        }
    }

    /// Reads one value; none when it is not of this form.
    pub(super) fn read(self, value: &Value, into: &mut Fields) -> Option<()> {
        match (self, value) {
            (_, Value::NULL) => into.null(),
            (_, Value::Int(number)) => into.whole(*number),
            (_, Value::UInt(number)) => whole(*number, into),
            // The digits that the server shows, not those that a wider float would add.
            (_, Value::Float(number)) => into.float(number.to_string().parse().ok()?),
            (_, Value::Double(number)) => into.float(*number),
            (Form::Bits, Value::Bytes(bytes)) => {
                let number = bytes
                    .iter()
                    .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
                whole(number, into);
            }
            (Form::Decimal, Value::Bytes(bytes)) => decimal(bytes, into),
            (Form::Bytes, Value::Bytes(bytes)) => into.bytes(bytes),
            (_, Value::Bytes(bytes)) => into.text(|out| out.extend_from_slice(bytes)),
            (form, Value::Date(year, month, day, hour, minute, second, micros)) => {
                let zoned = form == Form::Moment(true);
                into.text(|out| {
                    moment::push_number(out, (*year).into(), 4);
                    let ([m, mm], [d, dd]) = (two_digits(*month), two_digits(*day));
                    out.extend_from_slice(&[b'-', m, mm, b'-', d, dd]);
                    if form == Form::Date {
                        return;
                    }
                    // A moment that never was has no zone either.
                    let zoned = zoned && *month > 0 && *day > 0;
                    out.push(if zoned { b'T' } else { b' ' });
                    let ([h, hh], [m, mm]) = (two_digits(*hour), two_digits(*minute));
                    let [s, ss] = two_digits(*second);
                    out.extend_from_slice(&[h, hh, b':', m, mm, b':', s, ss]);
                    if *micros != 0 {
                        out.push(b'.');
                        moment::push_number(out, (*micros).into(), 6);
                    }
                    if zoned {
                        out.push(b'Z');
                    }
                });
            }
            (_, Value::Time(negative, days, hours, minutes, seconds, micros)) => {
                let sign = if *negative { "-" } else { "" };
                let hours = u32::from(*hours) + days * 24;
                into.text(|out| {
                    let _ = write!(out, "{sign}{hours:02}:{minutes:02}:{seconds:02}");
                    if *micros != 0 {
                        let _ = write!(out, ".{micros:06}");
                    }
                });
            }
        }
        Some(())
    }
}

fn two_digits(number: u8) -> [u8; 2] {
    moment::two_digits(number.into())
}

fn is_list(column: &mysql::Column) -> bool {
    let lists = ColumnFlags::ENUM_FLAG | ColumnFlags::SET_FLAG;
    column.flags().intersects(lists)
}

/// Beyond the numbers that every engine has it is text.
fn whole(number: u64, into: &mut Fields) {
    match i64::try_from(number) {
        Ok(number) => into.whole(number),
        Err(_) => into.text(|out| drop(write!(out, "{number}"))),
    }
}

/// `ZEROFILL` shows zeros that mean nothing.
fn decimal(bytes: &[u8], into: &mut Fields) {
    let (sign, digits) = match bytes.strip_prefix(b"-") {
        Some(digits) => (&bytes[..1], digits),
        None => (&bytes[..0], bytes),
    };
    let front = digits
        .iter()
        .position(|byte| *byte == b'.')
        .unwrap_or(digits.len());
    let zeros = digits.iter().take_while(|byte| **byte == b'0').count();
    let digits = &digits[zeros.min(front.saturating_sub(1))..];
    into.text(|out| {
        out.extend_from_slice(sign);
        out.extend_from_slice(digits);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orgdb::Row;

    fn told(form: Form, value: &Value) -> String {
        let mut fields = Fields::default();
        form.read(value, &mut fields).expect("it is of this form");
        match Row::Fields(&fields).get(0) {
            ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn values_are_told_as_every_engine_tells_them() {
        let text = |text: &str| Value::Bytes(text.as_bytes().to_vec());
        for (form, value, wanted) in [
            (Form::Decimal, text("00012.50"), "12.50"),
            (Form::Decimal, text("-000.50"), "-0.50"),
            (Form::Decimal, text("000"), "0"),
            (
                Form::Date,
                Value::Date(2020, 2, 29, 0, 0, 0, 0),
                "2020-02-29",
            ),
            (Form::Date, Value::Date(0, 0, 0, 0, 0, 0, 0), "0000-00-00"),
            (
                Form::Moment(false),
                Value::Date(2020, 1, 2, 3, 4, 5, 0),
                "2020-01-02 03:04:05",
            ),
            (
                Form::Moment(true),
                Value::Date(2020, 1, 2, 3, 4, 5, 60),
                "2020-01-02T03:04:05.000060Z",
            ),
            (
                Form::Moment(true),
                Value::Date(0, 0, 0, 0, 0, 0, 0),
                "0000-00-00 00:00:00",
            ),
            (
                Form::Time,
                Value::Time(true, 34, 22, 59, 59, 0),
                "-838:59:59",
            ),
            (
                Form::Time,
                Value::Time(false, 0, 1, 2, 3, 4),
                "01:02:03.000004",
            ),
            (Form::Bits, Value::Bytes(vec![1, 0]), "Integer(256)"),
            (Form::Whole, Value::UInt(u64::MAX), "18446744073709551615"),
            (Form::Float, Value::Float(0.1), "Real(0.1)"),
        ] {
            assert_eq!(told(form, &value), wanted);
        }
    }

    #[test]
    fn a_moment_loses_its_zone_where_the_column_has_none_and_nowhere_else() {
        let zoned = ValueRef::Text(b"2020-10-01T01:00:00+01:00");
        let plain = |class: Class| class.bound(zoned);
        assert_eq!(plain(Class::Moment), Value::from("2020-10-01 00:00:00"));
        assert_eq!(plain(Class::Text), Value::from("2020-10-01T01:00:00+01:00"));
    }

    #[test]
    fn whatever_a_field_holds_stays_one_field() {
        let mut out = Vec::new();
        Class::Text.load(ValueRef::Text(b"a\\\t\n\0\\N"), &mut out);
        assert_eq!(out, b"a\\\\\\t\\n\\0\\\\N");
        out.clear();
        Class::Bytes.load(ValueRef::Blob(b"\x00\xff"), &mut out);
        assert_eq!(out, b"00ff");
    }
}
