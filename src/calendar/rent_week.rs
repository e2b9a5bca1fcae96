//! Rent weeks: a weekly debit falls on Mondays; the rent year begins on the first Monday of April and
//! has 52 or 53 of them (domain practice; a council may say otherwise).
//!
//! Not here: rent-free weeks, which each council sets for itself.

use jiff::Span;
use jiff::civil::{Date, Weekday};

/// A week of a rent year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RentWeek {
    /// The calendar year in which the rent year begins.
    pub year: i16,
    /// From 1.
    pub week: u8,
}

/// The Monday on or before `day`: when the week's rent was debited. `None` at the edge of time.
#[must_use]
pub fn monday_of(day: Date) -> Option<Date> {
    let back = i64::from(day.weekday().to_monday_zero_offset());
    day.checked_sub(Span::new().try_days(back).ok()?).ok()
}

/// The first Monday after `day`: the first debit that a handover on `day` leaves to the other side.
#[must_use]
pub fn monday_after(day: Date) -> Option<Date> {
    day.nth_weekday(1, Weekday::Monday).ok()
}

/// The first day of the rent year that begins in `year`.
#[must_use]
pub fn year_start(year: i16) -> Option<Date> {
    let april = Date::new(year, 4, 1).ok()?;
    april.nth_weekday_of_month(1, Weekday::Monday).ok()
}

/// The rent week that `day` falls in.
#[must_use]
pub fn of(day: Date) -> Option<RentWeek> {
    let this = year_start(day.year())?;
    let (year, start) = if day < this {
        (day.year() - 1, year_start(day.year() - 1)?)
    } else {
        (day.year(), this)
    };
    let days = start.until(day).ok()?.get_days();
    let week = u8::try_from(days / 7 + 1).ok()?;
    Some(RentWeek { year, week })
}
