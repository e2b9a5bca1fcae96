//! The reconciliation pack as people, spreadsheets and programs read it.

use handover::report::reconciliation::csv;
use handover::report::{Manner, Report};

use super::made;
use super::reports::both;

#[test]
fn a_section_151_officer_reads_what_differs_and_who_has_signed() {
    let pack = made::reconciliation();
    assert!(
        pack.drawn(Manner::DRAWN)
            .lines()
            .all(|line| line.chars().count() <= 80)
    );
    insta::assert_snapshot!(both(&pack));
}

#[test]
fn a_spreadsheet_reads_one_line_a_total_and_no_formula() {
    let pack = made::reconciliation();
    let file = csv::csv(&pack);
    assert!(file.ends_with("\r\n"));
    let mut reader = ::csv::Reader::from_reader(file.as_bytes());
    let lines: Vec<::csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(lines.len(), 25);
    let cells = |line: usize, cells: [usize; 4]| cells.map(|cell| &lines[line][cell]);
    assert_eq!(
        cells(3, [4, 7, 8, 9]),
        ["account.balance", "1978725.73", "1978725.72", "-0.01"]
    );
    assert_eq!(
        &lines[1][11],
        "interest is posted, \"as always\", while rows are loaded"
    );
    assert_eq!(&lines[4][7], "-740.20", "an amount stays an amount");
    let reasons: Vec<&str> = lines.iter().map(|line| &line[11]).collect();
    assert!(reasons.contains(&"'=never started, or so"), "{reasons:?}");
}

#[test]
fn a_spreadsheet_reads_where_a_penny_of_one_part_is_gone() {
    let file = csv::csv(&made::reconciliation());
    let told = |start: &str| {
        let line = file.lines().find(|line| line.contains(start));
        line.unwrap_or_else(|| panic!("{start}: {file}")).to_owned()
    };
    let gone = told("dover,account.balance,parts: part");
    assert!(
        gone.ends_with("pounds,978725.73,978725.72,-0.01,,,differs,"),
        "{gone}"
    );
    let kept = told("folkestone-hythe,account.balance,parts: part");
    assert!(kept.ends_with("0.00,,,agrees,"), "{kept}");
    let again = told("supplier,parts: again");
    assert!(again.ends_with("rows,2,,,,,told,"), "{again}");
}
