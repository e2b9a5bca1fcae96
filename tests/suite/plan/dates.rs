//! Dates of people: relative ones move with the handover, working days know the bank holidays, and a
//! clock change moves nothing by an hour unseen.

use handover::calendar::relative::{NotADate, read};
use handover::calendar::{
    ClockChange, add_working_days, bank_holidays, clock_change, is_working_day, london, moment,
    rent_week,
};
use jiff::civil::{Date, DateTime};

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

fn at(handover: &str, date: &str) -> String {
    let zone = london();
    let local: DateTime = handover.parse().expect("a time");
    let handover = moment(local, &zone).expect("a moment");
    let there = read(date)
        .expect("a date")
        .moment(handover, &zone)
        .expect("a moment");
    there.to_zoned(zone).datetime().to_string()
}

#[test]
fn relative_dates_count_from_the_handover() {
    let at = |date| at("2020-10-01T00:00:00", date);
    assert_eq!(at("handover"), "2020-10-01T00:00:00");
    assert_eq!(at("handover - 7 months"), "2020-03-01T00:00:00");
    assert_eq!(at("handover - 28 days"), "2020-09-03T00:00:00");
    assert_eq!(at("handover - 6 hours"), "2020-09-30T18:00:00");
    assert_eq!(at("handover - 10 working days"), "2020-09-17T00:00:00");
    assert_eq!(at("handover + 8 working days"), "2020-10-13T00:00:00");
    assert_eq!(at("2020-09-14"), "2020-09-14T00:00:00");
    assert_eq!(at("2020-09-14 17:00"), "2020-09-14T17:00:00");
    assert_eq!(at("handover \u{2013} 1 day"), "2020-09-30T00:00:00");
}

#[test]
fn hours_are_real_hours_across_a_clock_change_and_days_keep_the_time_of_day() {
    // The clocks went forward on 31 March 2019 at one in the morning.
    assert_eq!(
        at("2019-04-01T00:00:00", "handover - 24 hours"),
        "2019-03-30T23:00:00"
    );
    assert_eq!(
        at("2019-04-01T00:00:00", "handover - 1 day"),
        "2019-03-31T00:00:00"
    );
}

#[test]
fn a_time_that_never_comes_or_comes_twice_is_seen() {
    let change = |text: &str| clock_change(text.parse().expect("a time"), &london());
    assert_eq!(change("2021-03-28T01:30:00"), ClockChange::Skipped);
    assert_eq!(change("2021-10-31T01:30:00"), ClockChange::Twice);
    assert_eq!(change("2021-10-31T00:30:00"), ClockChange::None);
}

#[test]
fn dates_that_two_people_would_read_differently_are_no_dates() {
    assert_eq!(
        read("12/10/2020"),
        Err(NotADate::Slashes(Some(day("2020-10-12"))))
    );
    assert_eq!(read("13/13/2020"), Err(NotADate::Slashes(None)));
    assert_eq!(
        read("handover - 3 fortnights"),
        Err(NotADate::Unit("fortnights".into()))
    );
    assert_eq!(read("handover - 99999 days"), Err(NotADate::TooFar));
    assert_eq!(read("soon"), Err(NotADate::Other));
}

#[test]
fn bank_holidays_are_those_of_england_and_wales() {
    for (date, working) in [
        ("2011-04-29", false), // royal wedding
        ("2012-05-28", true),  // moved to June
        ("2012-06-04", false),
        ("2012-06-05", false),
        ("2020-05-04", true), // moved to VE Day
        ("2020-05-08", false),
        ("2021-12-27", false), // Christmas Day fell on a Saturday
        ("2021-12-28", false),
        ("2022-05-30", true), // moved to June
        ("2022-06-02", false),
        ("2022-06-03", false),
        ("2022-09-19", false), // State Funeral
        ("2023-05-08", false), // Coronation
        ("2016-12-26", false),
        ("2016-12-27", false),
        ("2024-04-01", false), // Easter Monday
        ("2024-04-02", true),
        ("2024-04-06", false), // a Saturday
    ] {
        assert_eq!(is_working_day(day(date)), working, "{date}");
    }
    let count = |year: i16| {
        (1..=366)
            .filter(|&n| {
                Date::new(year, 1, 1)
                    .ok()
                    .and_then(|d| d.checked_add(jiff::Span::new().days(n - 1)).ok())
                    .is_some_and(|d| d.year() == year && bank_holidays::name(d).is_some())
            })
            .count()
    };
    let counts: Vec<usize> = (2010..=2028).map(count).collect();
    assert_eq!(
        counts,
        [8, 9, 9, 8, 8, 8, 8, 8, 8, 8, 8, 8, 10, 9, 8, 8, 8, 8, 8]
    );
    assert!(bank_holidays::covers(day("2028-12-31")) && !bank_holidays::covers(day("2029-01-01")));
}

#[test]
fn working_days_are_counted_from_any_day() {
    assert_eq!(
        add_working_days(day("2020-12-24"), 1),
        Some(day("2020-12-29"))
    );
    assert_eq!(
        add_working_days(day("2020-12-27"), -1),
        Some(day("2020-12-24"))
    );
    assert_eq!(
        add_working_days(day("2020-12-27"), 0),
        Some(day("2020-12-27"))
    );
}

#[test]
fn rent_weeks_begin_on_mondays_and_the_rent_year_in_april() {
    assert_eq!(
        rent_week::monday_of(day("2020-10-01")),
        Some(day("2020-09-28"))
    );
    assert_eq!(
        rent_week::monday_after(day("2020-10-01")),
        Some(day("2020-10-05"))
    );
    assert_eq!(
        rent_week::monday_after(day("2019-04-01")),
        Some(day("2019-04-08"))
    );
    let week = rent_week::of(day("2020-10-01")).expect("a week");
    assert_eq!((week.year, week.week), (2020, 26));
    let last = rent_week::of(day("2019-03-31")).expect("a week");
    assert_eq!((last.year, last.week), (2018, 52));
}
