//! What a target column makes of a value: we do it ourselves, so that what we digest is what is stored
//! and reads back the same, and refuse where storing would change the value.
//!
//! In: a column's kind, a value. Out: the canonical value, or a refusal.
//!
//! Not here: how a value is made from a source (`cell`), how it travels (the engines' rooms).

use super::canon;
use super::convert::number;
use crate::orgdb::decimal::{self, Decimal};
use crate::orgdb::kind::{Affinity, Kind};
use crate::orgdb::{ValueRef, moment};

/// What a column takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Fit(pub(crate) Kind);

impl Fit {
    /// Whether every text stands as it is written.
    pub(crate) fn keeps_text(self) -> bool {
        matches!(self.0, Kind::Loose(Affinity::None | Affinity::Text))
    }

    /// What is stored can only be known by reading it back.
    pub(crate) fn is_unknown(self) -> bool {
        self.0 == Kind::Other
    }

    /// Appends the value as the column stores it; false when storing would change it.
    pub(crate) fn push(self, out: &mut Vec<u8>, value: ValueRef<'_>) -> bool {
        if value == ValueRef::Null {
            canon::push(out, value);
            return true;
        }
        match self.0 {
            Kind::Loose(affinity) => loose(affinity, out, value),
            Kind::Flag => flag(out, value),
            Kind::Whole { least, most } => match whole(value) {
                Some(number) if (least..=most).contains(&number) => {
                    canon::push(out, ValueRef::Integer(number));
                    true
                }
                _ => false,
            },
            Kind::Float(single) => float(single, out, value),
            Kind::Decimal(digits) => money(digits, out, value),
            Kind::Text { most, padded } => text(most, padded, out, value),
            Kind::Bytes => match value {
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                    canon::push(out, ValueRef::Blob(bytes));
                    true
                }
                _ => false,
            },
            Kind::Date | Kind::Moment { .. } | Kind::Time { .. } | Kind::Uuid => {
                read(out, value, |text, out| written(self.0, text, out))
            }
            Kind::Json | Kind::Word | Kind::Other => text(None, false, out, value),
        }
    }
}

/// Whether a column holds this very text without changing it.
#[must_use]
pub fn holds(kind: Kind, text: &str) -> bool {
    Fit(kind).push(&mut Vec::new(), ValueRef::Text(text.as_bytes()))
}

/// What a file's affinity does (<https://www.sqlite.org/datatype3.html>).
fn loose(affinity: Affinity, out: &mut Vec<u8>, value: ValueRef<'_>) -> bool {
    match (affinity, value) {
        (Affinity::Text, ValueRef::Integer(number)) => {
            canon::push_text(out, &decimal::digits(number));
        }
        (Affinity::Real, ValueRef::Integer(number)) => {
            #[expect(clippy::cast_precision_loss, reason = "the engine does the same")]
            let number = number as f64;
            canon::push(out, ValueRef::Real(number));
        }
        (Affinity::Number | Affinity::Real, ValueRef::Text(bytes)) => {
            let text = std::str::from_utf8(bytes).unwrap_or_default();
            match text.parse::<i64>() {
                Ok(number)
                    if affinity == Affinity::Number
                        && decimal::digits(number).as_slice() == bytes =>
                {
                    canon::push(out, ValueRef::Integer(number));
                }
                _ if looks_like_a_number(text) => return false,
                _ => canon::push_text(out, bytes),
            }
        }
        (_, other) => canon::push(out, other),
    }
    true
}

fn flag(out: &mut Vec<u8>, value: ValueRef<'_>) -> bool {
    let number = match value {
        ValueRef::Integer(number @ (0 | 1)) => number,
        ValueRef::Text(b"0" | b"f" | b"false") => 0,
        ValueRef::Text(b"1" | b"t" | b"true") => 1,
        _ => return false,
    };
    canon::push(out, ValueRef::Integer(number));
    true
}

fn whole(value: ValueRef<'_>) -> Option<i64> {
    match value {
        ValueRef::Integer(number) => Some(number),
        ValueRef::Real(number) => number::whole(number),
        ValueRef::Text(bytes) => std::str::from_utf8(bytes).ok()?.parse().ok(),
        _ => None,
    }
}

/// A single is shown with the digits that it needs, and read back so.
fn float(single: bool, out: &mut Vec<u8>, value: ValueRef<'_>) -> bool {
    let number = match value {
        #[expect(clippy::cast_precision_loss, reason = "held against the number below")]
        ValueRef::Integer(number) => Some(number as f64),
        ValueRef::Real(number) => Some(number),
        ValueRef::Text(bytes) => std::str::from_utf8(bytes)
            .ok()
            .and_then(|text| text.parse().ok()),
        _ => None,
    };
    let Some(number) = number else {
        return false;
    };
    #[expect(clippy::cast_possible_truncation, reason = "that is what is asked")]
    let narrow = (number as f32).to_string().parse();
    let exact = match value {
        ValueRef::Integer(whole) => number::whole(number) == Some(whole),
        _ => true,
    };
    if !exact || (single && narrow != Ok(number)) {
        return false;
    }
    canon::push(out, ValueRef::Real(number));
    true
}

/// Digits behind the point are filled up to the column's scale; where it takes fewer, none is cut that
/// is not zero.
fn money(digits: Option<(u32, u32)>, out: &mut Vec<u8>, value: ValueRef<'_>) -> bool {
    let owned;
    let text = match value {
        ValueRef::Integer(number) => {
            owned = number.to_string();
            owned.as_str()
        }
        ValueRef::Real(number) => match exact(number, digits) {
            Some(text) => {
                owned = text;
                owned.as_str()
            }
            None => return false,
        },
        ValueRef::Text(bytes) => std::str::from_utf8(bytes).unwrap_or_default(),
        _ => return false,
    };
    let start = canon::begin_text(out);
    if !scaled(text, digits, out) {
        out.truncate(start);
        return false;
    }
    canon::end_text(out, start);
    true
}

fn exact(number: f64, digits: Option<(u32, u32)>) -> Option<String> {
    match digits {
        Some((_, scale)) => number::exact(number, scale),
        None => Some(number.to_string()),
    }
}

fn scaled(text: &str, digits: Option<(u32, u32)>, out: &mut Vec<u8>) -> bool {
    let Some(Decimal {
        negative,
        front,
        back,
    }) = decimal::split(text)
    else {
        return false;
    };
    let scale = digits.map_or(back.len(), |(_, scale)| scale as usize);
    let (kept, cut) = back.split_at(scale.min(back.len()));
    let room = digits.map_or(usize::MAX, |(precision, scale)| {
        (precision as usize).saturating_sub(scale as usize)
    });
    if cut.iter().any(|byte| *byte != b'0') || front.len() > room {
        return false;
    }
    let zero = front.is_empty() && kept.iter().all(|byte| *byte == b'0');
    if negative && !zero {
        out.push(b'-');
    }
    out.extend_from_slice(if front.is_empty() { b"0" } else { front });
    if scale > 0 {
        out.push(b'.');
        out.extend_from_slice(kept);
        out.extend(std::iter::repeat_n(b'0', scale - kept.len()));
    }
    true
}

/// Text of at most so many characters, that every engine can hold. Padding means nothing: it is left
/// out here and when it is read back.
fn text(most: Option<u32>, padded: bool, out: &mut Vec<u8>, value: ValueRef<'_>) -> bool {
    let owned;
    let bytes = match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
        ValueRef::Integer(number) => {
            owned = number.to_string();
            owned.as_bytes()
        }
        ValueRef::Real(number) => {
            owned = format!("{number:?}");
            owned.as_bytes()
        }
        ValueRef::Null => return true,
    };
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    let text = if padded {
        text.trim_end_matches(' ')
    } else {
        text
    };
    let fits = most
        .is_none_or(|most| text.len() <= most as usize || text.chars().count() <= most as usize);
    if !fits || text.contains('\0') {
        return false;
    }
    canon::push_text(out, text.as_bytes());
    true
}

fn read(
    out: &mut Vec<u8>,
    value: ValueRef<'_>,
    write: impl FnOnce(&str, &mut Vec<u8>) -> Option<()>,
) -> bool {
    let ValueRef::Text(bytes) = value else {
        return false;
    };
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let start = canon::begin_text(out);
    if write(text, out).is_none() {
        out.truncate(start);
        return false;
    }
    canon::end_text(out, start);
    true
}

fn written(kind: Kind, text: &str, out: &mut Vec<u8>) -> Option<()> {
    match kind {
        Kind::Date => moment::push_date(out, moment::date(text)?),
        Kind::Moment { zoned, digits } => {
            let at = moment::utc(text)?;
            let micros = i64::from(at.subsec_nanosecond() / 1_000);
            moment::keeps(digits, micros).then_some(())?;
            moment::push(out, at, zoned);
        }
        Kind::Time { digits } => {
            let micros = moment::time(text)?;
            moment::keeps(digits, micros).then_some(())?;
            moment::push_time(out, micros);
        }
        _ => {
            let uuid = uuid::Uuid::try_parse(text).ok()?;
            let mut letters = [0; 36];
            uuid.hyphenated().encode_lower(&mut letters);
            out.extend_from_slice(&letters);
        }
    }
    Some(())
}

fn looks_like_a_number(text: &str) -> bool {
    text.contains(|letter: char| letter.is_ascii_digit()) && text.trim().parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::super::canon::Values;
    use super::*;

    fn stored(kind: Kind, value: ValueRef<'_>) -> Option<String> {
        let mut out = Vec::new();
        if !Fit(kind).push(&mut out, value) {
            assert!(out.is_empty(), "half a value was left behind");
            return None;
        }
        Some(match Values(&out).next() {
            Some(ValueRef::Text(text)) => String::from_utf8_lossy(text).into_owned(),
            other => format!("{other:?}"),
        })
    }

    fn text(kind: Kind, text: &str) -> Option<String> {
        stored(kind, ValueRef::Text(text.as_bytes()))
    }

    #[test]
    fn a_decimal_is_filled_up_to_its_scale_and_no_penny_is_cut_off() {
        let money = Kind::Decimal(Some((10, 2)));
        for (given, wanted) in [
            ("12.5", Some("12.50")),
            ("-0.00", Some("0.00")),
            (".5", Some("0.50")),
            ("007", Some("7.00")),
            ("1.500", Some("1.50")),
            ("1.505", None),
            ("99999999.99", Some("99999999.99")),
            ("100000000.00", None),
            ("12,50", None),
            ("", None),
        ] {
            assert_eq!(text(money, given).as_deref(), wanted, "{given}");
        }
        assert_eq!(text(Kind::Decimal(None), "1.50").as_deref(), Some("1.50"));
        assert_eq!(stored(money, ValueRef::Real(1.005)), None);
    }

    #[test]
    fn what_a_column_would_change_is_refused() {
        let short = Kind::Text {
            most: Some(3),
            padded: false,
        };
        let padded = Kind::Text {
            most: Some(3),
            padded: true,
        };
        assert_eq!(text(short, "äöü").as_deref(), Some("äöü"));
        assert_eq!(text(short, "abcd"), None);
        assert_eq!(text(short, "ab "), Some("ab ".to_owned()));
        assert_eq!(text(padded, "ab "), Some("ab".to_owned()));
        assert_eq!(text(short, "a\0"), None);
        let small = Kind::Whole {
            least: -128,
            most: 127,
        };
        assert_eq!(stored(small, ValueRef::Integer(128)), None);
        assert_eq!(text(Kind::Date, "2019-02-29"), None);
        assert_eq!(
            text(Kind::Date, "2019-02-28").as_deref(),
            Some("2019-02-28")
        );
        let moment = Kind::Moment {
            zoned: true,
            digits: 6,
        };
        let seconds = Kind::Moment {
            zoned: false,
            digits: 0,
        };
        assert_eq!(text(seconds, "2020-10-01 12:00:00.5"), None);
        assert!(text(seconds, "2020-10-01 12:00:00.000").is_some());
        assert_eq!(text(Kind::Time { digits: 3 }, "23:59:59.9996"), None);
        assert!(text(Kind::Time { digits: 3 }, "23:59:59.999").is_some());
        assert_eq!(
            text(moment, "2020-10-01").as_deref(),
            Some("2020-10-01T00:00:00Z")
        );
        assert_eq!(
            stored(Kind::Float(true), ValueRef::Real(0.1)).as_deref(),
            Some("Some(Real(0.1))")
        );
        assert_eq!(
            stored(Kind::Float(true), ValueRef::Real(0.123_456_789)),
            None
        );
        assert_eq!(stored(Kind::Flag, ValueRef::Integer(2)), None);
    }
}
