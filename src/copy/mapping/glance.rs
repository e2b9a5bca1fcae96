//! Most values stand in their source just as the target will store them: what is seen at a glance, so
//! that only the others are read, judged and written anew.
//!
//! In: a turn, a target column. Out: whether a value stays as it is; where it is not told, the cell
//! itself looks, and comes to the same.
//!
//! Not here: what becomes of all other values (`cell`), what a column makes of them (`fit`).

use super::cell::Turn;
use crate::copy::value::convert::date;
use crate::copy::value::fit::Fit;
use crate::orgdb::kind::{Affinity, Kind};
use crate::orgdb::{ValueRef, decimal, moment, plain};

/// What a value must be to stay as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Glance {
    /// Plain text of at most so many characters, with no blank at either end.
    Text(usize),
    /// A whole number within bounds.
    Whole { least: i64, most: i64 },
    /// A decimal with at most so many digits before its point and just so many behind it.
    Decimal { front: usize, scale: usize },
    /// A decimal with as many digits as it has.
    Digits,
    /// A finite float.
    Float,
    /// A day, as we write it.
    Day,
    /// A time of day, as we write it.
    Time { digits: u32 },
    /// A UUID, as we write it.
    Uuid,
    /// A moment or a clock's reading, as we write it.
    Moment { zoned: bool, digits: u32 },
}

impl Glance {
    /// What stays as it is when it is turned so and goes there.
    pub(super) fn of(turn: &Turn, fit: Fit) -> Option<Glance> {
        let decimal = |precision: u32, scale: u32| Glance::Decimal {
            front: precision.saturating_sub(scale).min(MOST_DIGITS) as usize,
            scale: scale as usize,
        };
        Some(match (turn, fit.0) {
            (
                Turn::Text,
                Kind::Loose(Affinity::None | Affinity::Text)
                | Kind::Json
                | Kind::Word
                | Kind::Other,
            ) => Glance::Text(usize::MAX),
            (Turn::Text, Kind::Text { most, .. }) => {
                Glance::Text(most.map_or(usize::MAX, |most| most as usize))
            }
            (Turn::Text | Turn::Integer, Kind::Whole { least, most }) => {
                Glance::Whole { least, most }
            }
            (Turn::Integer, Kind::Loose(Affinity::None | Affinity::Number)) => Glance::Whole {
                least: i64::MIN,
                most: i64::MAX,
            },
            (Turn::Text | Turn::Flag, Kind::Flag)
            | (Turn::Flag, Kind::Loose(Affinity::None | Affinity::Number)) => {
                Glance::Whole { least: 0, most: 1 }
            }
            (Turn::Text, Kind::Decimal(Some((precision, scale)))) => decimal(precision, scale),
            (
                Turn::Decimal {
                    scale,
                    negate: false,
                },
                Kind::Decimal(Some((precision, kept))),
            ) if *scale == kept => decimal(precision, kept),
            (
                Turn::Decimal {
                    scale,
                    negate: false,
                },
                Kind::Loose(Affinity::None | Affinity::Text) | Kind::Decimal(None),
            ) => decimal(MOST_DIGITS + scale, *scale),
            (Turn::Text, Kind::Decimal(None)) => Glance::Digits,
            (Turn::Text, Kind::Float(false)) => Glance::Float,
            (Turn::Text, Kind::Time { digits }) => Glance::Time { digits },
            (Turn::Text, Kind::Uuid) => Glance::Uuid,
            (Turn::Text, Kind::Date) => Glance::Day,
            (
                Turn::Date {
                    formats,
                    sentinels,
                    floor: None,
                    ..
                },
                Kind::Date | Kind::Loose(Affinity::None | Affinity::Text),
            ) if sentinels.is_empty() && *formats == date::iso() => Glance::Day,
            (Turn::Text, Kind::Moment { zoned, digits }) => Glance::Moment { zoned, digits },
            _ => return None,
        })
    }

    /// Whether it stays as it is.
    #[inline]
    pub(super) fn holds(self, value: ValueRef<'_>) -> bool {
        match (self, value) {
            (Glance::Whole { least, most }, ValueRef::Integer(number)) => {
                (least..=most).contains(&number)
            }
            (Glance::Text(most), ValueRef::Text(text)) => {
                let blank = |end: Option<&u8>| end.is_none_or(|letter| *letter == b' ');
                !blank(text.first())
                    && !blank(text.last())
                    && text.len() <= most
                    && plain::is_plain(text)
            }
            (Glance::Decimal { front, scale }, ValueRef::Text(text)) => {
                decimal::is_written(text, front, scale)
            }
            (Glance::Digits, ValueRef::Text(text)) => {
                let behind = text.iter().rev().position(|digit| *digit == b'.');
                decimal::is_written(text, usize::MAX, behind.unwrap_or(0))
            }
            (Glance::Float, ValueRef::Real(number)) => number.is_finite(),
            (Glance::Time { digits }, ValueRef::Text(text)) => {
                moment::clock(text).is_some_and(|micros| moment::keeps(digits, micros))
            }
            (Glance::Uuid, ValueRef::Text(text)) => plain::is_uuid(text),
            (Glance::Day, ValueRef::Text(text)) => moment::day(text).is_some(),
            (Glance::Moment { zoned, digits }, ValueRef::Text(text)) => {
                moment::micros(text, zoned).is_some_and(|micros| moment::keeps(digits, micros))
            }
            _ => false,
        }
    }
}

/// Digits that a map's decimal has before its point at most.
const MOST_DIGITS: u32 = 30;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copy::mapping::cell::{Bench, Cell, Source, Verdict};
    use crate::copy::mapping::crosswalk::Crosswalk;
    use crate::copy::mapping::sight::{Line, Parents, Slot};
    use crate::copy::value::canon;
    use crate::orgdb::Value;
    use crate::plan::map::Bad;
    use jiff::tz::TimeZone;

    fn cell(turn: Turn, fit: Fit) -> Cell {
        let mut cell = Cell {
            into: String::new(),
            source: Source::Slot(Slot::Own(0)),
            trim: true,
            case: None,
            nulls: vec!["N/A".to_owned()],
            repair: true,
            turn,
            bad: Bad::Reject,
            required: false,
            namespace: None,
            default: None,
            fit: Fit::default(),
            glance: None,
        };
        cell.goes_into(fit);
        cell
    }

    fn turns() -> Vec<fn() -> Turn> {
        vec![
            || Turn::Text,
            || Turn::Integer,
            || Turn::Flag,
            || Turn::Decimal {
                scale: 2,
                negate: false,
            },
            || Turn::Decimal {
                scale: 0,
                negate: false,
            },
            || Turn::Decimal {
                scale: 2,
                negate: true,
            },
            || Turn::Date {
                formats: date::iso(),
                sentinels: Vec::new(),
                floor: None,
                zone: TimeZone::UTC,
            },
        ]
    }

    const KINDS: [Kind; 23] = [
        Kind::Loose(Affinity::None),
        Kind::Loose(Affinity::Text),
        Kind::Loose(Affinity::Number),
        Kind::Loose(Affinity::Real),
        Kind::Flag,
        Kind::Whole {
            least: -128,
            most: 127,
        },
        Kind::Decimal(None),
        Kind::Decimal(Some((4, 2))),
        Kind::Decimal(Some((2, 2))),
        Kind::Decimal(Some((38, 0))),
        Kind::Text {
            most: Some(5),
            padded: true,
        },
        Kind::Text {
            most: None,
            padded: false,
        },
        Kind::Date,
        Kind::Moment {
            zoned: true,
            digits: 6,
        },
        Kind::Moment {
            zoned: false,
            digits: 6,
        },
        Kind::Moment {
            zoned: true,
            digits: 0,
        },
        Kind::Time { digits: 0 },
        Kind::Json,
        Kind::Bytes,
        Kind::Uuid,
        Kind::Time { digits: 6 },
        Kind::Float(false),
        Kind::Float(true),
    ];

    const TEXTS: [&str; 51] = [
        "",
        " ",
        "a",
        " a",
        "a ",
        "N/A",
        "Zoë",
        "abcdef",
        "a\0",
        "0",
        "1",
        "-1",
        "007",
        "128",
        "0.00",
        "-0.00",
        "0.5",
        "0.50",
        "-0.50",
        ".50",
        "00.50",
        "12.34",
        "-12.34",
        "+12.34",
        "123.45",
        "12.345",
        "12.3",
        "1e3",
        "NaN",
        "12,34",
        "99999999999999999999999999999999999999",
        "2019-02-28",
        "2019-02-29",
        "2020-02-29",
        "2019-13-01",
        "2019-1-01",
        "0000-00-00",
        "infinity",
        "2020-01-02 03:04:05",
        "2020-01-02T03:04:05Z",
        "2020-01-02T03:04:05.000000Z",
        "2020-01-02T03:04:05.100000Z",
        "2020-01-02T24:00:00Z",
        "2020-01-02T03:04:60Z",
        "03:04:05",
        "03:04:05.000001",
        "24:00:00",
        "12.",
        "00000000-0000-8000-8000-00000000000f",
        "00000000-0000-8000-8000-00000000000F",
        "00000000000080008000000000000000000f",
    ];

    /// What a cell makes of a value, with its glance and without.
    fn made(cell: &Cell, value: &Value) -> (bool, Vec<u8>) {
        let (mut bench, mut out) = (Bench::new(Crosswalk::None), Vec::new());
        let (held, parents) = ([value.lend()], Parents::none());
        let line = Line::alone(&held, &parents);
        let verdict = cell.evaluate(0, line, &mut bench, &mut out).unwrap();
        (verdict == Verdict::Fine && bench.mended.is_empty(), out)
    }

    #[test]
    fn a_glance_comes_to_what_a_longer_look_comes_to() {
        let numbers = [i64::MIN, -129, -128, -1, 0, 1, 2, 127, 128, i64::MAX];
        let values: Vec<Value> = (TEXTS.iter().map(|text| Value::from(*text)))
            .chain(numbers.map(Value::Int))
            .chain([
                Value::Null,
                Value::Real(1.0),
                Value::Real(0.1),
                Value::Real(-0.0),
                Value::Real(1e300),
                Value::Real(f64::INFINITY),
                Value::Blob(b"a".to_vec()),
                Value::Blob(b"2019-02-28".to_vec()),
            ])
            .collect();
        let mut seen = 0;
        for turn in turns() {
            for kind in KINDS {
                let quick = cell(turn(), Fit(kind));
                let slow = Cell {
                    glance: None,
                    ..cell(turn(), Fit(kind))
                };
                for value in &values {
                    seen += usize::from(quick.glance.is_some_and(|one| one.holds(value.lend())));
                    let (left, right) = (made(&quick, value), made(&slow, value));
                    assert_eq!(left, right, "{kind:?} {value:?}");
                }
            }
        }
        assert!(seen > 100, "{seen}: nothing was seen at a glance");
    }

    #[test]
    fn what_stays_as_it_is_is_told_so() {
        let day = Glance::of(&Turn::Text, Fit(Kind::Date)).expect("a day is told");
        assert!(day.holds(ValueRef::Text(b"2020-02-29")));
        let mut out = Vec::new();
        canon::push(&mut out, ValueRef::Text(b"2020-02-29"));
        assert_eq!(
            made(&cell(Turn::Text, Fit(Kind::Date)), &"2020-02-29".into()).1,
            out
        );
    }
}
