//! One compiled target column: from the raw values of a row to one canonical value, or why not.
//!
//! In: a line, the crosswalk. Out: canonical bytes and a verdict with a code of `explain`.
//!
//! Not here: compiling (`program`), what becomes of rejected rows (`load`, `look`).

use std::borrow::Cow;

use foldhash::HashMap;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use smallvec::SmallVec;

use super::crosswalk::Crosswalk;
use super::glance::Glance;
use super::sight::{Line, Slot};
use crate::copy::value::canon;
use crate::copy::value::convert::date::{self, Format};
use crate::copy::value::convert::number;
use crate::copy::value::convert::text::{self, Mended};
use crate::copy::value::fit::Fit;
use crate::orgdb::{DbTrouble, ValueRef, moment};
use crate::plan::map::{Bad, Case};

/// A column, compiled.
pub(crate) struct Cell {
    pub(crate) into: String,
    pub(crate) source: Source,
    pub(crate) trim: bool,
    pub(crate) case: Option<Case>,
    pub(crate) nulls: Vec<String>,
    pub(crate) repair: bool,
    pub(crate) turn: Turn,
    pub(crate) bad: Bad,
    pub(crate) required: bool,
    /// Stands before the text, where several sources go into one target.
    pub(crate) namespace: Option<String>,
    pub(crate) default: Option<String>,
    pub(crate) fit: Fit,
    /// What stays as it is, where that is soon told.
    pub(super) glance: Option<Glance>,
}

/// Where the raw value comes from.
pub(crate) enum Source {
    Slot(Slot),
    Concat(Vec<Slot>, String),
    Split(Slot, String, usize),
    Fixed(String),
    TargetOrg,
    Key,
}

/// What it becomes.
pub(crate) enum Turn {
    Text,
    Integer,
    Decimal {
        scale: u32,
        negate: bool,
    },
    Flag,
    Date {
        formats: Vec<Format>,
        sentinels: Vec<String>,
        floor: Option<Date>,
        zone: TimeZone,
    },
    Moment {
        formats: Vec<Format>,
        sentinels: Vec<String>,
        zone: TimeZone,
    },
    Uprn,
    Code {
        values: HashMap<String, String>,
        otherwise: Otherwise,
    },
    Lookup(String),
    /// A reference into its own dataset: NULL now, set in a second pass.
    Later,
}

/// A code without a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Otherwise {
    Fault,
    Reject,
    Keep,
}

/// How a cell came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Fine,
    /// The row cannot go; a code of `explain`.
    Reject(&'static str),
    /// A code that its list does not cover, and the map does not say what then.
    Unmapped,
}

/// What was mended in a column of an accepted row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mend {
    /// A bad value became NULL.
    Null,
    /// NUL characters were dropped.
    Nul,
    /// The encoding was mended.
    Encoding,
}

impl Mend {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Mend::Null => "null",
            Mend::Nul => "nul",
            Mend::Encoding => "encoding",
        }
    }
}

/// What a row is judged with.
pub(crate) struct Bench<'c> {
    pub(crate) crosswalk: Crosswalk<'c>,
    /// Which target the row goes to, and its code.
    pub(crate) target: usize,
    pub(crate) target_code: String,
    /// The source key of the row, joined.
    pub(crate) key: Vec<u8>,
    /// What was mended in the row: column and how.
    pub(crate) mended: Vec<(usize, Mend)>,
    /// Every value of the row so far stays as it is.
    pub(crate) unchanged: bool,
    scratch: Vec<u8>,
    joined: Vec<u8>,
    cased: String,
}

impl<'c> Bench<'c> {
    pub(crate) fn new(crosswalk: Crosswalk<'c>) -> Bench<'c> {
        Bench {
            crosswalk,
            target: 0,
            target_code: String::new(),
            key: Vec::new(),
            mended: Vec::new(),
            unchanged: true,
            scratch: Vec::new(),
            joined: Vec::new(),
            cased: String::new(),
        }
    }
}

/// A raw value that was read, trimmed and freed of what means nothing.
#[derive(Debug, Clone, Copy)]
enum Plain<'a> {
    Null,
    Int(i64),
    Real(f64),
    Text(&'a str),
}

/// How a plain value turned out.
enum Turned {
    Null,
    Done,
    Bad(&'static str),
    Unmapped,
}

impl Cell {
    /// Says which target column it goes into.
    pub(super) fn goes_into(&mut self, fit: Fit) {
        self.fit = fit;
        let plain = self.case.is_none() && self.namespace.is_none();
        self.glance = plain.then(|| Glance::of(&self.turn, fit)).flatten();
    }

    /// Appends the column's value for a line; `at` is the column's place, for what was mended.
    #[inline]
    pub(crate) fn evaluate(
        &self,
        at: usize,
        line: Line<'_>,
        bench: &mut Bench<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Verdict, DbTrouble> {
        if let (Source::Slot(slot), Some(glance)) = (&self.source, self.glance) {
            let raw = line.raw(*slot);
            if self.stays(glance, raw) {
                canon::push(out, raw);
                return Ok(Verdict::Fine);
            }
        }
        self.look(at, line, bench, out)
    }

    /// Whether a value is stored just as it is.
    #[inline]
    fn stays(&self, glance: Glance, raw: ValueRef<'_>) -> bool {
        match raw {
            ValueRef::Null => self.default.is_none() && !self.required,
            ValueRef::Text(text) => {
                glance.holds(raw) && !self.nulls.iter().any(|null| null.as_bytes() == text)
            }
            other => glance.holds(other),
        }
    }

    fn look(
        &self,
        at: usize,
        line: Line<'_>,
        bench: &mut Bench<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Verdict, DbTrouble> {
        bench.unchanged = false;
        let start = out.len();
        let turned = self.turned(at, line, bench, out)?;
        let code = match turned {
            Turned::Done => return Ok(Verdict::Fine),
            Turned::Unmapped => return Ok(Verdict::Unmapped),
            Turned::Null => None,
            Turned::Bad(code) if self.bad == Bad::Reject => return Ok(Verdict::Reject(code)),
            Turned::Bad(_) => Some(()),
        };
        out.truncate(start);
        if code.is_some() {
            bench.mended.push((at, Mend::Null));
        } else if let Some(default) = &self.default {
            return Ok(self.fixed(default, out));
        }
        if self.required {
            return Ok(Verdict::Reject("HO501"));
        }
        canon::push(out, ValueRef::Null);
        Ok(Verdict::Fine)
    }

    /// A default stands as it is written.
    fn fixed(&self, text: &str, out: &mut Vec<u8>) -> Verdict {
        let number = match self.turn {
            Turn::Integer | Turn::Flag => text.parse().ok(),
            _ => None,
        };
        let value = number.map_or(ValueRef::Text(text.as_bytes()), ValueRef::Integer);
        if self.fit.push(out, value) {
            Verdict::Fine
        } else {
            Verdict::Reject("HO510")
        }
    }

    fn turned(
        &self,
        at: usize,
        line: Line<'_>,
        bench: &mut Bench<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Turned, DbTrouble> {
        let Bench {
            crosswalk,
            target,
            target_code,
            key,
            mended,
            scratch,
            joined,
            cased,
            ..
        } = bench;
        let raw = match &self.source {
            Source::Slot(slot) => line.raw(*slot),
            Source::Fixed(text) => ValueRef::Text(text.as_bytes()),
            Source::TargetOrg => ValueRef::Text(target_code.as_bytes()),
            Source::Key => ValueRef::Text(key),
            Source::Concat(slots, with) => {
                if !concat(line, slots, with, self.repair, joined) {
                    return Ok(Turned::Bad("HO507"));
                }
                ValueRef::Text(joined)
            }
            Source::Split(slot, with, part) => {
                if !split(line.raw(*slot), with, *part, joined) {
                    return Ok(Turned::Null);
                }
                ValueRef::Text(joined)
            }
        };
        let mut mends = Mended::default();
        let Some(mut plain) = self.plain(raw, scratch, &mut mends) else {
            return Ok(Turned::Bad("HO507"));
        };
        if let (Plain::Text(text), Some(case)) = (plain, self.case) {
            *cased = match case {
                Case::Upper => text.to_uppercase(),
                Case::Lower => text.to_lowercase(),
            };
            plain = Plain::Text(cased);
        }
        if let (Some(namespace), false) = (&self.namespace, matches!(plain, Plain::Null)) {
            let named = format!("{namespace}{}", written(plain));
            *cased = named;
            plain = Plain::Text(cased);
        }
        if mends.nul {
            mended.push((at, Mend::Nul));
        }
        if mends.encoding {
            mended.push((at, Mend::Encoding));
        }
        match (&self.turn, plain) {
            (Turn::Lookup(name), Plain::Text(_) | Plain::Int(_) | Plain::Real(_)) => {
                let number;
                let wanted = match plain {
                    Plain::Text(text) => text,
                    other => {
                        number = written(other);
                        &number
                    }
                };
                let start = out.len();
                let found = crosswalk.find(name, *target, wanted.as_bytes(), out)?;
                Ok(if found {
                    self.refit(start, out)
                } else {
                    Turned::Bad("HO505")
                })
            }
            _ => Ok(self.becomes(plain, out)),
        }
    }

    /// Reads, trims, and knows the texts that mean nothing; none when the bytes are no text.
    fn plain<'a>(
        &self,
        raw: ValueRef<'a>,
        scratch: &'a mut Vec<u8>,
        mended: &mut Mended,
    ) -> Option<Plain<'a>> {
        let bytes = match raw {
            ValueRef::Null => return Some(Plain::Null),
            ValueRef::Integer(number) => return Some(Plain::Int(number)),
            ValueRef::Real(number) => return Some(Plain::Real(number)),
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
        };
        let text = text::readable(bytes, self.repair, scratch, mended)?;
        let text = if self.trim {
            text.trim_matches(' ')
        } else {
            text
        };
        let nothing = text.is_empty() || self.nulls.iter().any(|null| null == text);
        Some(if nothing {
            Plain::Null
        } else {
            Plain::Text(text)
        })
    }

    fn becomes(&self, plain: Plain<'_>, out: &mut Vec<u8>) -> Turned {
        if matches!(plain, Plain::Null) || matches!(self.turn, Turn::Later) {
            return Turned::Null;
        }
        match &self.turn {
            Turn::Text | Turn::Lookup(_) | Turn::Later => match plain {
                Plain::Text(text) => self.stored(ValueRef::Text(text.as_bytes()), out),
                other => self.stored(ValueRef::Text(written(other).as_bytes()), out),
            },
            Turn::Integer => self.number(plain, "HO503", out, number::integer, Some),
            Turn::Flag => self.number(plain, "HO508", out, number::flag, |number| match number {
                0 | 1 => Some(number),
                _ => None,
            }),
            Turn::Decimal { scale, negate } => {
                let text = match plain {
                    Plain::Real(number) => match number::exact(number, *scale) {
                        Some(text) => text,
                        None => return Turned::Bad("HO504"),
                    },
                    Plain::Text(text) => return self.decimal(text, *scale, *negate, out),
                    other => written(other),
                };
                self.decimal(&text, *scale, *negate, out)
            }
            Turn::Date { .. } | Turn::Moment { .. } => self.moment(plain, out),
            Turn::Uprn => {
                let text = match plain {
                    Plain::Text(text) => text.to_owned(),
                    Plain::Real(float) => match number::whole(float) {
                        Some(whole) => whole.to_string(),
                        None => return Turned::Bad("HO509"),
                    },
                    other => written(other),
                };
                match number::uprn(&text) {
                    Some(digits) => self.stored(ValueRef::Text(digits.as_bytes()), out),
                    None => Turned::Bad("HO509"),
                }
            }
            Turn::Code { values, otherwise } => match plain {
                Plain::Text(text) => self.code(text, values, *otherwise, out),
                other => self.code(&written(other), values, *otherwise, out),
            },
        }
    }

    fn stored(&self, value: ValueRef<'_>, out: &mut Vec<u8>) -> Turned {
        if self.fit.push(out, value) {
            Turned::Done
        } else {
            Turned::Bad("HO510")
        }
    }

    fn number(
        &self,
        plain: Plain<'_>,
        code: &'static str,
        out: &mut Vec<u8>,
        read: fn(&str) -> Option<i64>,
        allow: fn(i64) -> Option<i64>,
    ) -> Turned {
        let number = match plain {
            Plain::Int(number) => allow(number),
            Plain::Real(number) => number::whole(number).and_then(allow),
            Plain::Text(text) => read(text),
            Plain::Null => None,
        };
        match number {
            Some(number) => self.stored(ValueRef::Integer(number), out),
            None => Turned::Bad(code),
        }
    }

    fn decimal(&self, text: &str, scale: u32, negate: bool, out: &mut Vec<u8>) -> Turned {
        self.made(
            out,
            |out| number::decimal(text, scale, negate, out),
            "HO504",
        )
    }

    /// Appends text that `write` makes in place; bad when it cannot, or when the column would change
    /// it.
    fn made(
        &self,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>) -> bool,
        code: &'static str,
    ) -> Turned {
        let start = canon::begin_text(out);
        if !write(out) {
            return Turned::Bad(code);
        }
        if self.fit.keeps_text() {
            canon::end_text(out, start);
            return Turned::Done;
        }
        let text: SmallVec<[u8; 40]> = SmallVec::from_slice(&out[start + 5..]);
        out.truncate(start);
        self.stored(ValueRef::Text(&text), out)
    }

    /// The crosswalk keeps keys as text: the column may want them otherwise.
    fn refit(&self, start: usize, out: &mut Vec<u8>) -> Turned {
        if self.fit.keeps_text() {
            return Turned::Done;
        }
        let found: SmallVec<[u8; 40]> = SmallVec::from_slice(&out[start..]);
        out.truncate(start);
        match canon::Values(&found).next() {
            Some(value) => self.stored(value, out),
            None => Turned::Bad("HO505"),
        }
    }

    fn moment(&self, plain: Plain<'_>, out: &mut Vec<u8>) -> Turned {
        let (Turn::Date {
            formats, sentinels, ..
        }
        | Turn::Moment {
            formats, sentinels, ..
        }) = &self.turn
        else {
            return Turned::Null;
        };
        let number;
        let text = match plain {
            Plain::Text(text) => text,
            other => {
                number = written(other);
                &number
            }
        };
        if sentinels.iter().any(|sentinel| sentinel == text) {
            return Turned::Null;
        }
        let Some(local) = self.local(text, formats) else {
            return Turned::Bad("HO502");
        };
        if !sentinels.is_empty() {
            let mut day = Vec::with_capacity(10);
            date::push_date(&mut day, local.date());
            if sentinels.iter().any(|sentinel| sentinel.as_bytes() == day) {
                return Turned::Null;
            }
        }
        let write = |out: &mut Vec<u8>| match &self.turn {
            Turn::Moment { zone, .. } => date::push_moment(out, local, zone),
            Turn::Date { floor, .. } => {
                let day = local.date();
                date::push_date(out, floor.map_or(day, |floor| day.max(floor)));
                true
            }
            _ => false,
        };
        self.made(out, write, "HO502")
    }

    /// What the clock showed. A server's moments come in UTC and say so.
    fn local(&self, text: &str, formats: &[Format]) -> Option<DateTime> {
        if !text.ends_with('Z') {
            return date::read(text, formats);
        }
        let (Turn::Moment { zone, .. } | Turn::Date { zone, .. }) = &self.turn else {
            return None;
        };
        let moment = moment::utc(text)?.to_zoned(TimeZone::UTC).ok()?;
        Some(moment.with_time_zone(zone.clone()).datetime())
    }

    fn code(
        &self,
        text: &str,
        values: &HashMap<String, String>,
        otherwise: Otherwise,
        out: &mut Vec<u8>,
    ) -> Turned {
        match (values.get(text), otherwise) {
            (Some(code), _) => self.stored(ValueRef::Text(code.as_bytes()), out),
            (None, Otherwise::Keep) => self.stored(ValueRef::Text(text.as_bytes()), out),
            (None, Otherwise::Reject) => Turned::Bad("HO511"),
            (None, Otherwise::Fault) => Turned::Unmapped,
        }
    }

    /// Its value stands with a parent of the row.
    pub(crate) fn looks_beyond_the_row(&self) -> bool {
        matches!(self.source, Source::Slot(Slot::Parent(..)))
    }

    /// The code of a line that its list does not cover.
    pub(crate) fn uncovered(&self, line: Line<'_>) -> Option<String> {
        let Turn::Code { values, otherwise } = &self.turn else {
            return None;
        };
        let Source::Slot(slot) = &self.source else {
            return None;
        };
        let mut scratch = Vec::new();
        let plain = self.plain(line.raw(*slot), &mut scratch, &mut Mended::default())?;
        let text = match (plain, self.case) {
            (Plain::Null, _) => return None,
            (Plain::Text(text), Some(Case::Upper)) => Cow::Owned(text.to_uppercase()),
            (Plain::Text(text), Some(Case::Lower)) => Cow::Owned(text.to_lowercase()),
            (Plain::Text(text), None) => Cow::Borrowed(text),
            (other, _) => Cow::Owned(written(other)),
        };
        let covered = *otherwise == Otherwise::Keep || values.contains_key(&*text);
        (!covered).then(|| text.into_owned())
    }
}

fn written(plain: Plain<'_>) -> String {
    match plain {
        Plain::Null => String::new(),
        Plain::Int(number) => number.to_string(),
        Plain::Real(number) => format!("{number:?}"),
        Plain::Text(text) => text.to_owned(),
    }
}

/// Several columns, trimmed, blanks left out; false when one of them is no text.
fn concat(line: Line<'_>, slots: &[Slot], with: &str, repair: bool, joined: &mut Vec<u8>) -> bool {
    joined.clear();
    let mut scratch = Vec::new();
    for slot in slots {
        let start = joined.len();
        let Some(part) = trimmed(line.raw(*slot), repair, &mut scratch) else {
            return false;
        };
        if !part.is_empty() && start > 0 {
            joined.extend_from_slice(with.as_bytes());
        }
        joined.extend_from_slice(part.as_bytes());
    }
    true
}

/// One part of a text, counted from 1; false when there is none.
fn split(raw: ValueRef<'_>, with: &str, part: usize, joined: &mut Vec<u8>) -> bool {
    joined.clear();
    let mut scratch = Vec::new();
    // Bytes that are not UTF-8 come through as they are and are judged afterwards.
    let bytes = match raw {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
        other => {
            scratch.extend_from_slice(
                trimmed(other, false, &mut Vec::new())
                    .unwrap_or_default()
                    .as_bytes(),
            );
            &scratch
        }
    };
    let found = match with.as_bytes() {
        [] => None,
        with => parts(bytes, with).nth(part.saturating_sub(1)),
    };
    joined.extend_from_slice(found.unwrap_or_default());
    found.is_some()
}

fn parts<'a>(bytes: &'a [u8], with: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let here = rest?;
        match here.windows(with.len()).position(|window| window == with) {
            Some(at) => {
                rest = Some(&here[at + with.len()..]);
                Some(&here[..at])
            }
            None => rest.take(),
        }
    })
}

/// A raw value as trimmed text; none when its bytes are no text.
pub(crate) fn trimmed<'a>(
    raw: ValueRef<'a>,
    repair: bool,
    scratch: &'a mut Vec<u8>,
) -> Option<Cow<'a, str>> {
    Some(match raw {
        ValueRef::Null => Cow::Borrowed(""),
        ValueRef::Integer(number) => Cow::Owned(number.to_string()),
        ValueRef::Real(number) => Cow::Owned(format!("{number:?}")),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            let text = text::readable(bytes, repair, scratch, &mut Mended::default())?;
            Cow::Borrowed(text.trim_matches(' '))
        }
    })
}
