//! Moments and lengths of time as people read them: as GOV.UK writes them, in the plan's time zone.
//!
//! In: moments in UTC. Out: words. Formats for machines stay in UTC.
//! Not here: what a plan's dates mean (`relative`), sentences.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::london;

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

/// Dates in one time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dates(TimeZone);

impl Default for Dates {
    /// Of the zone that plans are written in, where none is at hand.
    fn default() -> Dates {
        Dates(london())
    }
}

impl Dates {
    /// Dates of a zone by its name; none where nobody knows it.
    #[must_use]
    pub fn known(zone: &str) -> Option<Dates> {
        TimeZone::get(zone).ok().map(Dates)
    }

    /// Dates of a zone by its name, which whoever read it has held against those that are known; where it is
    /// none of them, of the zone that plans are written in.
    #[must_use]
    pub fn of(zone: &str) -> Dates {
        Dates::known(zone).unwrap_or_default()
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
