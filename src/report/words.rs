//! Money, counts, dates and lengths of time as people read them. Dates as GOV.UK writes them, in the
//! plan's time zone.
//!
//! Not here: sentences.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// Pence as pounds: `£1,978,725.73`, `-£5.00`.
#[must_use]
pub fn money(pence: i128) -> String {
    let sign = if pence < 0 { "-" } else { "" };
    let whole = pence.unsigned_abs();
    format!("{sign}£{}.{:02}", grouped(whole / 100), whole % 100)
}

/// A count with separators: `17,000`.
#[must_use]
pub fn count(number: u64) -> String {
    grouped(number.into())
}

/// A count and its noun: `1 home`, `17,000 homes`.
#[must_use]
pub fn many(number: u64, one: &str, more: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ => format!("{} {more}", count(number)),
    }
}

/// Many as `usize`, for lengths.
#[must_use]
pub fn some(number: usize, one: &str, more: &str) -> String {
    many(u64::try_from(number).unwrap_or(u64::MAX), one, more)
}

fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A length of time: `45s`, `11 min`, `3h 57m`, `17 days`.
#[must_use]
pub fn span(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{}h {:02}m", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// How long a step took, in five columns: `   2s`, `39m08`, `3h57m`.
#[must_use]
pub fn took(seconds: u64) -> String {
    let text = match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m{:02}", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3_600, seconds / 60 % 60),
    };
    format!("{text:>5}")
}

/// Words joined as people list things: `a, b and c`.
#[must_use]
pub fn listed<T: AsRef<str>>(words: &[T]) -> String {
    match words {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [head @ .., last] => {
            let head: Vec<&str> = head.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", head.join(", "), last.as_ref())
        }
    }
}

/// Dates in one time zone.
#[derive(Debug, Clone)]
pub struct Dates(TimeZone);

impl Dates {
    /// Dates of a zone by its name; of UTC where there is no such zone.
    #[must_use]
    pub fn of(zone: &str) -> Dates {
        Dates(TimeZone::get(zone).unwrap_or(TimeZone::UTC))
    }

    /// Dates of a zone.
    #[must_use]
    pub fn zone(zone: &TimeZone) -> Dates {
        Dates(zone.clone())
    }

    fn at(&self, moment: Timestamp) -> Zoned {
        moment.to_zoned(self.0.clone())
    }

    /// `Thu 1 Oct 2020, 12:00am`
    #[must_use]
    pub fn moment(&self, moment: Timestamp) -> String {
        let at = self.at(moment);
        format!("{} {}, {}", day(&at), at.year(), time(&at))
    }

    /// `Thu 1 Oct 2020, 12:00am BST`
    #[must_use]
    pub fn with_zone(&self, moment: Timestamp) -> String {
        let zone = self.at(moment).strftime("%Z").to_string();
        format!("{} {zone}", self.moment(moment))
    }

    /// `Thu 1 Oct 12:00am`
    #[must_use]
    pub fn short(&self, moment: Timestamp) -> String {
        let at = self.at(moment);
        format!("{} {}", day(&at), time(&at))
    }

    /// `Thu 17 Sep`
    #[must_use]
    pub fn day(&self, moment: Timestamp) -> String {
        day(&self.at(moment))
    }

    /// `6:41pm`
    #[must_use]
    pub fn time(&self, moment: Timestamp) -> String {
        time(&self.at(moment))
    }

    /// `2020-09-30T18:00:02+01:00`
    #[must_use]
    pub fn machine(&self, moment: Timestamp) -> String {
        self.at(moment).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }

    /// How far `moment` is from `now`: `in 17 days` by the calendar, `in 5h 02m`, `3 days ago`, `now`.
    #[must_use]
    pub fn away(&self, now: Timestamp, moment: Timestamp) -> String {
        let seconds = moment.duration_since(now).as_secs();
        if (-59..60).contains(&seconds) {
            return "now".to_owned();
        }
        let length = match seconds.unsigned_abs() {
            seconds if seconds < 172_800 => span(seconds),
            _ => format!("{} days", self.days(now, moment)),
        };
        if seconds > 0 {
            format!("in {length}")
        } else {
            format!("{length} ago")
        }
    }

    /// Midnights between two moments, whichever comes first.
    fn days(&self, one: Timestamp, other: Timestamp) -> u64 {
        let (one, other) = (self.at(one).date(), self.at(other).date());
        let hours = other.duration_since(one).as_hours();
        hours.unsigned_abs() / 24
    }
}

fn day(at: &Zoned) -> String {
    at.strftime("%a %-d %b").to_string()
}

fn time(at: &Zoned) -> String {
    let half = if at.hour() < 12 { "am" } else { "pm" };
    let hour = match at.hour() % 12 {
        0 => 12,
        hour => hour,
    };
    format!("{hour}:{:02}{half}", at.minute())
}
