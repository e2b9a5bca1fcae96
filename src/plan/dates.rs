//! Values of a plan that are dates: texts and TOML's own, as absolute moments.
//!
//! Not here: arithmetic (`calendar`), whether dates make sense together (`sense`).

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use toml::value::Datetime;

use super::fault::Fault;
use super::form::{Form, Said};
use super::model::Place;
use super::source::{Desk, day_first_fault};
use crate::calendar::bank_holidays::{YEARS, covers};
use crate::calendar::relative::{self, NotADate, PlanDate};

/// What relative dates count from.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) handover: Timestamp,
    pub(super) zone: TimeZone,
}

/// A day.
pub(super) fn day(desk: &mut Desk, form: &Form<'_>, key: &str) -> Option<Date> {
    match written(desk, form, key)? {
        PlanDate::Day(day) => Some(day),
        PlanDate::At(_) | PlanDate::FromHandover { .. } => {
            let fault = Fault::error(
                "HO123",
                &form.place(key),
                format!("`{key}` needs a day of the calendar"),
            );
            desk.push(
                fault
                    .label("neither a time nor a relative date")
                    .help("for instance `2020-09-14`"),
            );
            None
        }
    }
}

/// A day and a local time; a bare day is its first moment.
pub(super) fn local(desk: &mut Desk, form: &Form<'_>, key: &str) -> Option<Said<DateTime>> {
    let place = form.place(key);
    let value = match written(desk, form, key)? {
        PlanDate::Day(day) => day.at(0, 0, 0, 0),
        PlanDate::At(at) => at,
        PlanDate::FromHandover { .. } => {
            let fault = Fault::error("HO123", &place, format!("`{key}` cannot count from itself"));
            desk.push(fault.help("for instance `handover = 2020-10-01T00:00:00`"));
            return None;
        }
    };
    Some(Said { value, place })
}

/// Any date of a step, as the moment it stands for.
pub(super) fn moment(
    desk: &mut Desk,
    form: &Form<'_>,
    key: &str,
    frame: Option<&Frame>,
) -> Option<Said<Timestamp>> {
    let date = written(desk, form, key)?;
    let frame = frame?;
    let place = form.place(key);
    let Some(value) = date.moment(frame.handover, &frame.zone) else {
        desk.push(Fault::error(
            "HO123",
            &place,
            format!("`{key}` lies outside the calendar"),
        ));
        return None;
    };
    if date.counts_working_days() {
        let days = [value, frame.handover].map(|at| at.to_zoned(frame.zone.clone()).date());
        if !days.into_iter().all(covers) {
            desk.push(uncovered(&place));
        }
    }
    Some(Said { value, place })
}

fn uncovered(place: &Place) -> Fault {
    let (first, last) = YEARS;
    Fault::warning(
        "HO139",
        place,
        "working days are counted beyond the table of bank holidays",
    )
    .label(format!("bank holidays are known from {first} to {last}"))
    .help("write the date itself")
}

fn written(desk: &mut Desk, form: &Form<'_>, key: &str) -> Option<PlanDate> {
    let place = form.place(key);
    if let Some(datetime) = form.datetime(key) {
        let read = of_toml(datetime);
        if read.is_none() {
            let fault = Fault::error(
                "HO123",
                &place,
                format!("`{key}` needs a local date, or a local date and time"),
            );
            desk.push(fault.help(
                "write it without an offset: `2020-10-01T00:00:00`; `timezone` says the zone",
            ));
        }
        return read;
    }
    let text = form.text(key)?;
    match relative::read(text) {
        Ok(date) => Some(date),
        Err(why) => {
            desk.push(not_a_date(&place, key, text, &why));
            None
        }
    }
}

fn not_a_date(place: &Place, key: &str, text: &str, why: &NotADate) -> Fault {
    let fault = match why {
        NotADate::Slashes(_) => return day_first_fault(place, text.trim()),
        NotADate::Unit(word) => {
            let words = relative::UNITS
                .iter()
                .flat_map(|&(one, many, _)| [one, many]);
            let meant = super::near::did_you_mean(word, words);
            let says = format!("`{key}` counts in an unknown unit");
            Fault::error("HO123", place, says).maybe_help(meant)
        }
        NotADate::TooFar => Fault::error("HO119", place, format!("`{key}` counts too far")),
        NotADate::Other => Fault::error("HO123", place, format!("`{key}` is not a date")),
    };
    let label = match why {
        NotADate::Unit(_) => "years, months, weeks, days, working days, hours or minutes",
        NotADate::TooFar => "10,000 is the most",
        _ => "neither `handover …` nor a day of the calendar",
    };
    fault.label(label).help(
        "for instance `\"handover - 28 days\"`, `\"handover - 10 working days\"` or `2020-09-14`",
    )
}

fn of_toml(datetime: &Datetime) -> Option<PlanDate> {
    if datetime.offset.is_some() {
        return None;
    }
    let date = datetime.date?;
    let month = i8::try_from(date.month).ok()?;
    let day = Date::new(
        i16::try_from(date.year).ok()?,
        month,
        i8::try_from(date.day).ok()?,
    )
    .ok()?;
    let Some(time) = datetime.time else {
        return Some(PlanDate::Day(day));
    };
    let (hour, minute) = (
        i8::try_from(time.hour).ok()?,
        i8::try_from(time.minute).ok()?,
    );
    let second = i8::try_from(time.second.unwrap_or(0)).ok()?;
    let clock = jiff::civil::Time::new(hour, minute, second.min(59), 0).ok()?;
    Some(PlanDate::At(day.to_datetime(clock)))
}
