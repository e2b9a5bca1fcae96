//! Databases that moved on since a preview was read, one sentence a difference.
//!
//! Not here: finding that out (`preview::moved`).

use super::words::{count, many, money};
use crate::preview::moved::{Drift, Moved};

/// What stands in the way: those who signed have not seen it.
#[must_use]
pub fn unseen(moved: &Moved) -> Vec<String> {
    let stops = moved.stops.iter();
    let mut said: Vec<String> = stops
        .map(|stop| format!("{} ({})", stop.says, stop.code))
        .collect();
    said.extend(moved.homes.map(|(then, now, allowed)| {
        format!(
            "{} were read then, {} now, and the plan allows a difference of {}",
            many(then, "home", "homes"),
            count(now),
            count(allowed)
        )
    }));
    said
}

/// Numbers that are not what they were.
#[must_use]
pub fn drifted(moved: &Moved) -> Vec<String> {
    moved.drifts.iter().map(drift).collect()
}

fn drift(drift: &Drift) -> String {
    let number = |number: i128| match drift.what {
        "pence" => money(number),
        _ => count(u64::try_from(number).unwrap_or_default()),
    };
    let what = match drift.what {
        "pence" => "in all",
        what => what,
    };
    format!(
        "{}, {}: {} {what} then, {} now",
        drift.org,
        drift.dataset,
        number(drift.then),
        number(drift.now)
    )
}
