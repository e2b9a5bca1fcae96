//! Dates of people: relative to `handover`, working days, bank holidays of England and Wales, rent
//! weeks, and the clock change of Europe/London.
//!
//! In: civil dates and the text of a plan. Out: moments in UTC and words for people.
//! Not here: the current time (only `run` has a clock), what a date is for (`plan`).

pub mod bank_holidays;
pub mod dates;
pub mod relative;
pub mod rent_week;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;

/// The zone in which every plan of today is written.
///
/// # Panics
/// Never: the zone's rules are compiled in.
#[must_use]
pub fn london() -> TimeZone {
    TimeZone::get("Europe/London").unwrap_or(TimeZone::UTC)
}

/// What a local time stands for on the day the clocks change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockChange {
    /// An ordinary time.
    None,
    /// It never comes: the clocks go forward over it.
    Skipped,
    /// It comes twice: the clocks go back over it.
    Twice,
}

/// How local time `at` stands to the clock change.
#[must_use]
pub fn clock_change(at: DateTime, zone: &TimeZone) -> ClockChange {
    match zone.to_ambiguous_zoned(at).offset() {
        jiff::tz::AmbiguousOffset::Unambiguous { .. } => ClockChange::None,
        jiff::tz::AmbiguousOffset::Gap { .. } => ClockChange::Skipped,
        jiff::tz::AmbiguousOffset::Fold { .. } => ClockChange::Twice,
    }
}

/// The moment of local time `at`: the earlier of two in the autumn hour, moved on by the gap in the
/// spring hour. `None` outside what a moment can be.
#[must_use]
pub fn moment(at: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let zoned = zone.to_ambiguous_zoned(at).compatible().ok()?;
    Some(zoned.timestamp())
}

/// The first moment of a day.
#[must_use]
pub fn start_of(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    moment(day.at(0, 0, 0, 0), zone)
}

/// Whether offices work on that day in England and Wales.
#[must_use]
pub fn is_working_day(day: Date) -> bool {
    !is_weekend(day) && bank_holidays::name(day).is_none()
}

/// Saturday or Sunday.
#[must_use]
pub fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// The day `count` working days after `day` (before it where negative); `day` itself need not be one.
/// `None` outside what a date can be.
#[must_use]
pub fn add_working_days(day: Date, count: i32) -> Option<Date> {
    let mut day = day;
    for _ in 0..count.unsigned_abs() {
        loop {
            day = if count < 0 {
                day.yesterday().ok()?
            } else {
                day.tomorrow().ok()?
            };
            if is_working_day(day) {
                break;
            }
        }
    }
    Some(day)
}
