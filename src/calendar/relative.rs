//! Dates as plans write them: `handover`, `handover - 7 months`, `handover - 10 working days`,
//! `2020-09-14`, `2020-09-14 17:00`.
//!
//! Months, days and working days move the date and keep the local time of day; hours and minutes
//! count real time, across a clock change too.
//! Not here: which field wants a date and what to say when it is none (`plan`).

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::{add_working_days, moment};

/// No relative date of a plan reaches further than this many units.
const COUNT_MAX: u32 = 10_000;

/// A date as it stands in a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanDate {
    /// Counted from the plan's handover.
    FromHandover {
        /// How far: negative is before.
        count: i32,
        /// In what.
        unit: Unit,
    },
    /// A day of the calendar.
    Day(Date),
    /// A day and a local time.
    At(DateTime),
}

/// What a relative date counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Calendar years.
    Years,
    /// Calendar months.
    Months,
    /// Weeks of seven days.
    Weeks,
    /// Calendar days.
    Days,
    /// Days on which offices work in England and Wales.
    WorkingDays,
    /// Hours of real time.
    Hours,
    /// Minutes of real time.
    Minutes,
}

/// A text that is no date of a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotADate {
    /// `12/10/2020` and its like; the date it would be if the day stands first, where there is one.
    #[error("dates are written year first: `2020-10-12`")]
    Slashes(Option<Date>),
    /// A unit that we do not know.
    #[error("`{0}` is no unit of time")]
    Unit(String),
    /// More than any plan needs.
    #[error("the count is larger than {COUNT_MAX}")]
    TooFar,
    /// Anything else.
    #[error("this is no date")]
    Other,
}

/// The words for units, singular and plural, that plans may use.
pub const UNITS: [(&str, &str, Unit); 7] = [
    ("year", "years", Unit::Years),
    ("month", "months", Unit::Months),
    ("week", "weeks", Unit::Weeks),
    ("day", "days", Unit::Days),
    ("working day", "working days", Unit::WorkingDays),
    ("hour", "hours", Unit::Hours),
    ("minute", "minutes", Unit::Minutes),
];

/// Reads a date of a plan.
///
/// # Errors
/// When the text is none, saying why as well as can be told.
pub fn read(text: &str) -> Result<PlanDate, NotADate> {
    let text = text.trim();
    match text.strip_prefix("handover") {
        Some(rest) => from_handover(rest),
        None => absolute(text),
    }
}

fn from_handover(rest: &str) -> Result<PlanDate, NotADate> {
    let rest = rest.trim();
    if rest.is_empty() {
        let (count, unit) = (0, Unit::Days);
        return Ok(PlanDate::FromHandover { count, unit });
    }
    // A minus sign pasted from Word is a dash; it can mean nothing else here.
    let mut signs = rest.chars();
    let sign = match signs.next() {
        Some('-' | '\u{2013}' | '\u{2212}') => -1,
        Some('+') => 1,
        _ => return Err(NotADate::Other),
    };
    let rest = signs.as_str().trim();
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if digits == 0 {
        return Err(NotADate::Other);
    }
    let count: u32 = rest[..digits].parse().map_err(|_| NotADate::TooFar)?;
    if count > COUNT_MAX {
        return Err(NotADate::TooFar);
    }
    let word = rest[digits..]
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let unit = unit(&word).ok_or(NotADate::Unit(word))?;
    let count = sign * i32::try_from(count).map_err(|_| NotADate::TooFar)?;
    Ok(PlanDate::FromHandover { count, unit })
}

fn unit(word: &str) -> Option<Unit> {
    let same = |&&(one, many, _): &&(&str, &str, Unit)| word == one || word == many;
    UNITS.iter().find(same).map(|&(_, _, unit)| unit)
}

fn absolute(text: &str) -> Result<PlanDate, NotADate> {
    if text.contains('/') {
        return Err(NotADate::Slashes(day_first(text)));
    }
    if text.len() == 10 {
        return text.parse().map(PlanDate::Day).map_err(|_| NotADate::Other);
    }
    let (day, time) = text.split_once([' ', 'T']).ok_or(NotADate::Other)?;
    let day: Date = day.parse().map_err(|_| NotADate::Other)?;
    let time: Time = time.trim().parse().map_err(|_| NotADate::Other)?;
    Ok(PlanDate::At(day.to_datetime(time)))
}

/// `12/10/2020` read the British way.
#[must_use]
pub fn day_first(text: &str) -> Option<Date> {
    let mut parts = text.split('/').map(str::trim);
    let (day, month) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let year = parts.next()?;
    let century = if year.len() == 2 { 2000 } else { 0 };
    let year = century + year.get(..4).unwrap_or(year).parse::<i16>().ok()?;
    Date::new(year, month, day).ok()
}

impl PlanDate {
    /// The moment it stands for. A bare day is its first moment. `None` outside what a moment can be.
    #[must_use]
    pub fn moment(self, handover: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            PlanDate::Day(day) => super::start_of(day, zone),
            PlanDate::At(at) => moment(at, zone),
            PlanDate::FromHandover { count, unit } => shifted(handover, count, unit, zone),
        }
    }

    /// Whether working days were counted, so that the table of bank holidays matters.
    #[must_use]
    pub fn counts_working_days(self) -> bool {
        let PlanDate::FromHandover { unit, .. } = self else {
            return false;
        };
        unit == Unit::WorkingDays
    }
}

fn shifted(handover: Timestamp, count: i32, unit: Unit, zone: &TimeZone) -> Option<Timestamp> {
    let local = handover.to_zoned(zone.clone()).datetime();
    let civil = |span: Span| moment(local.checked_add(span).ok()?, zone);
    match unit {
        Unit::Years => civil(Span::new().try_years(count).ok()?),
        Unit::Months => civil(Span::new().try_months(count).ok()?),
        Unit::Weeks => civil(Span::new().try_weeks(count).ok()?),
        Unit::Days => civil(Span::new().try_days(count).ok()?),
        Unit::WorkingDays => {
            let day = add_working_days(local.date(), count)?;
            moment(day.to_datetime(local.time()), zone)
        }
        Unit::Hours => handover
            .checked_add(Span::new().try_hours(count).ok()?)
            .ok(),
        Unit::Minutes => handover
            .checked_add(Span::new().try_minutes(count).ok()?)
            .ok(),
    }
}
