//! Statements are canonical to the byte, and say one thing only.

use handover::signature::Statement;
use handover::signature::statement::{About, Second, StatementFault};

use super::desk::{gate, preview, window};

#[test]
fn an_auditor_who_reads_the_page_reads_the_bytes() {
    let texts = [gate(10), preview(11), rollback()].map(|statement| {
        let bytes = statement.bytes();
        assert_eq!(Statement::parse(&bytes).unwrap(), statement);
        String::from_utf8(bytes).unwrap()
    });
    insta::assert_snapshot!(texts.join("\n"));
}

fn rollback() -> Statement {
    Statement {
        about: About::Rollback {
            rollback: handover::plan::digest::Digest::of(b"way back"),
        },
        reading: None,
        ..gate(12)
    }
}

#[test]
fn a_statement_in_any_other_form_is_refused() {
    let text = String::from_utf8(gate(1).bytes()).unwrap();
    let edits = [
        text.replace("{\"after\"", "{ \"after\""),
        format!("{text}\n"),
        format!("\u{feff}{text}"),
        text.replace("\"v\":1", "\"v\":1.0"),
        text.replace("\"v\":1", "\"v\":1,\"x\":2"),
        text.replace("\"v\":1", "\"v\":1,\"v\":1"),
        text.replace("09:00:00Z", "09:00:00.000Z"),
        text.replace("09:00:00Z", "09:00:00+00:00"),
        text.replace("\"nonce\":\"01", "\"nonce\":\"+1"),
        text.replace("approve", "Approve"),
        text.replace("\"gate\":\"approval\",", ""),
        text.replace("\"role\"", "\"r\\u006fle\""),
    ];
    for edited in edits {
        assert_ne!(edited, text, "the edit does nothing");
        assert!(Statement::parse(edited.as_bytes()).is_err(), "{edited}");
    }
    let newer = text.replace("\"v\":1", "\"v\":2");
    let fault = Statement::parse(newer.as_bytes()).unwrap_err();
    assert!(matches!(fault, StatementFault::Version(2)), "{fault}");
    let huge = vec![b'{'; 1024 * 1024];
    assert!(Statement::parse(&huge).is_err());
    assert!(Statement::parse("[".repeat(10_000).as_bytes()).is_err());
}

#[test]
fn a_statement_counts_from_its_first_second_to_its_last() {
    let window = window(1);
    let at = |text: &str| window.holds(text.parse().unwrap());
    assert!(!at("2027-03-01T08:59:59.999Z"));
    assert!(at("2027-03-01T09:00:00Z"));
    assert!(at("2027-03-15T09:00:00.999Z"));
    assert!(!at("2027-03-15T09:00:01Z"));
    let before_1970 = Second::of("1969-12-31T23:59:58.5Z".parse().unwrap());
    assert_eq!(before_1970.to_string(), "1969-12-31T23:59:58Z");
}

#[test]
fn the_first_difference_is_named() {
    let mut other = gate(1);
    other.role = "s151".into();
    assert_eq!(gate(1).differs_from(&other), Some("the role"));
    if let About::Gate { step, .. } = &mut other.about {
        *step = "accept".into();
    }
    assert_eq!(gate(1).differs_from(&other), Some("the step"));
    assert_eq!(gate(1).differs_from(&preview(1)), Some("what it is about"));
    assert_eq!(
        gate(1).differs_from(&gate(2)),
        Some("the validity or the nonce")
    );
    assert_eq!(gate(1).differs_from(&gate(1)), None);
}
