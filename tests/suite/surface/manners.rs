//! Eighty columns, no escape bytes where none are wanted, nothing told by colour alone.

use handover::report::preview::{Depth, PreviewReport};
use handover::report::rollback::RollbackReport;
use handover::report::{Manner, Report};

use super::fixture::preview;
use super::made;

/// Every report in a manner, by name.
fn all(manner: Manner) -> Vec<(&'static str, String)> {
    let (preview, rollback) = (preview(), made::rollback());
    let page = PreviewReport {
        preview: &preview,
        depth: Depth::Rows,
        saved: None,
        next: &[],
    };
    let back = RollbackReport {
        preview: &rollback,
        saved: None,
        next: &[],
    };
    vec![
        ("preview", page.text(manner)),
        ("rollback", back.text(manner)),
        ("rest", made::rest().text(manner)),
        ("status", made::status().text(manner)),
        ("proof", made::proof().text(manner)),
        ("decisions", made::decisions().text(manner)),
        ("check", made::check().text(manner)),
        ("explain", made::explain().text(manner)),
    ]
}

#[test]
fn every_drawn_report_fits_eighty_columns() {
    for (name, text) in all(Manner::DRAWN) {
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{name}: {line}");
        }
    }
}

#[test]
fn no_escape_byte_reaches_a_pipe_or_a_screen_reader() {
    let plain_in_colour = Manner {
        plain: true,
        colour: true,
    };
    for manner in [Manner::DRAWN, Manner::PLAIN, plain_in_colour] {
        for (name, text) in all(manner) {
            assert!(!text.contains('\u{1b}'), "{name}");
            assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{name}");
        }
    }
}

#[test]
fn colour_adds_nothing_but_colour() {
    for ((name, coloured), (_, drawn)) in all(Manner::COLOUR).into_iter().zip(all(Manner::DRAWN)) {
        let stripped = anstream::adapter::strip_str(&coloured).to_string();
        assert_eq!(stripped, drawn, "{name}");
    }
}

#[test]
fn sentences_hold_no_columns() {
    for (name, text) in all(Manner::PLAIN) {
        let columns = text.lines().find(|line| line.contains("   "));
        assert_eq!(columns, None, "{name}");
    }
}
