//! Money, counts and dates.

use handover::report::words::{Dates, count, listed, money, span, took};
use proptest::prelude::*;

use super::fixture::at;
use crate::cases::cases;

#[test]
fn rent_owed_reads_as_pounds_and_pence() {
    assert_eq!(money(197_872_573), "£1,978,725.73");
    assert_eq!(money(5), "£0.05");
    assert_eq!(money(-100_000), "-£1,000.00");
    assert_eq!(money(i128::MIN).matches('£').count(), 1);
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn no_penny_is_lost_between_the_sum_and_the_page(pence: i128) {
        let digits: String = money(pence).chars().filter(char::is_ascii_digit).collect();
        prop_assert_eq!(digits.parse::<u128>().expect("digits"), pence.unsigned_abs());
        prop_assert_eq!(money(pence).starts_with('-'), pence < 0);
    }

    #[test]
    fn a_count_reads_back_as_itself_in_groups_of_three(number: u64) {
        let text = count(number);
        prop_assert_eq!(text.replace(',', "").parse::<u64>().expect("digits"), number);
        let mut groups = text.split(',');
        let first = groups.next().expect("a first group").len();
        prop_assert!((1..=3).contains(&first));
        prop_assert!(groups.all(|group| group.len() == 3));
    }
}

#[test]
fn dates_read_as_the_government_writes_them_in_london() {
    let dates = Dates::of("Europe/London");
    let handover = at("2020-09-30T23:00:00Z");
    assert_eq!(dates.moment(handover), "Thu 1 Oct 2020, 12:00am");
    assert_eq!(dates.with_zone(handover), "Thu 1 Oct 2020, 12:00am BST");
    assert_eq!(
        dates.with_zone(at("2020-12-01T12:05:00Z")),
        "Tue 1 Dec 2020, 12:05pm GMT"
    );
    assert_eq!(
        dates.machine(at("2020-09-30T17:00:02Z")),
        "2020-09-30T18:00:02+01:00"
    );
    assert_eq!(
        dates.away(at("2020-09-14T09:02:00Z"), handover),
        "in 17 days"
    );
    assert_eq!(
        dates.away(handover, at("2020-09-30T17:58:00Z")),
        "5h 02m ago"
    );
}

#[test]
fn lengths_of_time_fit_their_columns() {
    let lengths = [2, 2_348, 14_220].map(took);
    assert_eq!(lengths, ["   2s", "39m08", "3h57m"]);
    assert_eq!(span(14_220), "3h 57m");
    assert_eq!(span(660), "11 min");
}

#[test]
fn lists_read_as_people_speak() {
    assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
    assert_eq!(listed::<&str>(&[]), "");
}
