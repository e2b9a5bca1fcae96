//! `approval`: decisions by named roles. The machine's gate has every decision before the step may
//! start; here it is only said who is asked.
//!
//! Not here: who may decide, distinct people, the author left out (`machine`).

use super::{Finding, Forecast};
use crate::plan::model::{Approval, Seat};

pub(super) fn check(step: &Approval) -> Vec<Finding> {
    if step.seats.is_empty() {
        let says = "nobody is asked to decide".to_owned();
        return vec![Finding::stop("HO531", "by", says).help("name at least one role in `by`")];
    }
    Vec::new()
}

pub(super) fn preview(step: &Approval) -> Forecast {
    let asked = step.seats.len();
    Forecast {
        line: match asked {
            1 => "1 decision".to_owned(),
            _ => format!("{asked} decisions"),
        },
        notes: vec![format!("asks {}", seats(&step.seats))],
        ..Forecast::default()
    }
}

/// `housing (dover), s151 (dover)`.
fn seats(seats: &[Seat]) -> String {
    let said = seats.iter().map(|seat| match &seat.org {
        Some(org) => format!("{} ({org})", seat.role),
        None => seat.role.to_string(),
    });
    said.collect::<Vec<_>>().join(", ")
}
