//! `wait`: nothing until a moment. The machine's gate holds it; here the moment is only looked at
//! once more.
//!
//! Not here: the clock (`run`).

use super::{Finding, Forecast, Look};
use crate::plan::model::Wait;

pub(super) fn check(look: &Look, step: &Wait) -> Vec<Finding> {
    if look.run.is_none() || look.as_at >= step.until {
        return Vec::new();
    }
    let says = format!("the moment has not come: {}", local(look, step));
    vec![Finding::stop("HO531", "until", says).help("run again when it has")]
}

pub(super) fn preview(look: &Look, step: &Wait) -> Forecast {
    Forecast {
        line: format!("until {}", local(look, step)),
        ..Forecast::default()
    }
}

/// The moment as people read it.
fn local(look: &Look, step: &Wait) -> String {
    let zoned = step.until.to_zoned(look.plan.timezone.clone());
    zoned.strftime("%-d %B %Y, %H:%M").to_string()
}
