//! Lines: what is written comes back, and nothing else is taken.

use handover::machine::canonical;
use handover::machine::event::{Actor, Entry, Event};
use handover::machine::line::{self, LINE_BYTES_MAX, LineFault};
use handover::machine::schema::entry_v1;
use proptest::prelude::*;

use super::sample::every_event;
use crate::cases::cases;

fn bytes(entry: &Entry) -> Vec<u8> {
    line::write(entry).unwrap()
}

#[test]
fn every_type_of_entry_comes_back_as_it_was_written() {
    for entry in every_event() {
        let line = bytes(&entry);
        assert_eq!(line::parse(&line).unwrap(), entry);
        let value: serde_json::Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(serde_json_canonicalizer::to_vec(&value).unwrap(), line);
    }
    let names: Vec<&str> = every_event()
        .iter()
        .map(|entry| entry.event.name())
        .collect();
    for name in Event::NAMES {
        assert!(names.contains(name), "no sample of {name}");
    }
}

#[test]
fn every_entry_fits_the_published_schema() {
    let schema = entry_v1();
    for entry in every_event() {
        let value: serde_json::Value = serde_json::from_slice(&bytes(&entry)).unwrap();
        let properties = schema["properties"].as_object().unwrap();
        for (key, _) in value.as_object().unwrap() {
            assert!(properties.contains_key(key), "`{key}` is not in the schema");
        }
        for required in schema["required"].as_array().unwrap() {
            assert!(
                value.get(required.as_str().unwrap()).is_some(),
                "{required}"
            );
        }
        let kinds = schema["properties"]["type"]["enum"].as_array().unwrap();
        assert!(kinds.contains(&value["type"]));
    }
}

/// What an editor, a script or a forger would leave behind.
#[test]
fn a_line_that_another_hand_wrote_is_refused() {
    let entry = &every_event()[0];
    let good = String::from_utf8(bytes(entry)).unwrap();
    let bad = |change: &dyn Fn(&str) -> String| {
        let line = change(&good);
        assert_ne!(line, good, "the change changed nothing");
        line::parse(line.as_bytes()).expect_err(&line)
    };
    bad(&|line| format!("{line}\r"));
    bad(&|line| format!("\u{feff}{line}"));
    bad(&|line| format!("{line} "));
    bad(&|line| line.replace("\"seq\":0", "\"seq\":0.0"));
    bad(&|line| line.replace("\"seq\":0", "\"seq\":-0"));
    bad(&|line| line.replace("\"seq\":0", "\"seq\": 0"));
    bad(&|line| line.replace("\"seq\":0", "\"seq\":00"));
    bad(&|line| line.replace("\"seq\":0", "\"seq\":0,\"seq\":0"));
    bad(&|line| line.replace("\"seq\":0", "\"seq\":9007199254740992"));
    bad(&|line| line.replace("\"seq\":0,", "\"seq\":0,\"surplus\":1,"));
    bad(&|line| line.replace("\"v\":1", "\"v\":0"));
    bad(&|line| line.replace("\"mono\":\"", "\"mono\":\"0"));
    bad(&|line| line.replace("executor", "\\u0065xecutor"));
    bad(&|line| {
        line.replace(
            "\"kind\":\"executor\"",
            "\"kind\":\"executor\",\"person\":\"p01\"",
        )
    });
    bad(&|line| line.replace("log.opened", "log.opening"));
    bad(&|line| line.replace(".000Z", "Z"));
    bad(&|line| line.replace("\"targets\":[]", "\"targets\":[null]"));
    bad(&|line| line.replace("\"boot\":\"0", "\"boot\":\"{0"));
    assert_eq!(
        bad(&|line| line.replace("\"v\":1}", "\"v\":2}")),
        LineFault::Newer(2)
    );
    let newer = bad(&|line| line.replace("\"v\":1}", "\"v\":3,\"w\":[]}"));
    assert_eq!(newer, LineFault::Newer(3));
}

#[test]
fn what_x_holds_is_nobodys_business() {
    let entry = &every_event()[0];
    let line = String::from_utf8(bytes(entry)).unwrap();
    let marked = line.replace("\"v\":1}", "\"v\":1,\"x\":{\"Any\":[null,\"thing\"]}}");
    assert_eq!(&line::parse(marked.as_bytes()).unwrap(), entry);
}

#[test]
fn a_count_of_nothing_has_one_form_only() {
    let failed = every_event()
        .into_iter()
        .find(|entry| entry.event.name() == "step.failed");
    let line = String::from_utf8(bytes(&failed.unwrap())).unwrap();
    let zero = line.replace("\"rows\":13", "\"rows\":0");
    assert!(line::parse(zero.as_bytes()).is_err());
}

#[test]
fn hostile_lines_are_refused_and_nothing_more() {
    assert_eq!(
        line::parse(&vec![b'['; LINE_BYTES_MAX + 1]),
        Err(LineFault::TooLong(LINE_BYTES_MAX + 1))
    );
    let deep = format!("{{\"x\":{}", "[".repeat(60_000));
    assert!(line::parse(deep.as_bytes()).is_err());
    for bytes in [
        &b""[..],
        b"{",
        b"{}",
        b"null",
        b"\xff",
        b"{\"v\":1}",
        b"{\"v\":\"\\u12\"}",
    ] {
        assert!(line::parse(bytes).is_err());
    }
}

#[test]
fn an_entry_that_is_too_long_is_never_written() {
    let mut entry = every_event().remove(0);
    if let Event::LogOpened(body) = &mut entry.event {
        body.origin = "x".repeat(LINE_BYTES_MAX);
    }
    assert!(line::write(&entry).is_err());
    let mut entry = every_event().remove(0);
    entry.epoch = 1 << 53;
    assert!(line::write(&entry).is_err());
}

fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(serde_json::Value::from),
        (-(1i64 << 53) + 1..1 << 53).prop_map(serde_json::Value::from),
        ".{0,6}".prop_map(serde_json::Value::from),
        "[\\x00-\\x7f]{0,4}".prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::btree_map("[a-z0-9_]{0,4}", inner, 0..4)
                .prop_map(serde_json::Value::from_iter),
        ]
    })
}

proptest! {
    #![proptest_config(cases(400))]

    /// Our one-pass check says yes to exactly what the canonicalizer gives back unchanged.
    #[test]
    fn the_cheap_check_and_the_canonicalizer_agree(
        value in prop::collection::btree_map("[a-z0-9_]{0,4}", value(), 0..4),
        at in any::<prop::sample::Index>(),
        byte in prop_oneof![Just(b' '), Just(b'\\'), Just(b'"'), Just(b'0'), Just(b'u'), Just(b','), any::<u8>()],
    ) {
        let line = serde_json_canonicalizer::to_vec(&value).unwrap();
        prop_assert_eq!(canonical::check(&line).map(str::as_bytes), Ok(&*line));
        let mut changed = line.clone();
        let place = at.index(changed.len());
        changed[place] = byte;
        let read = serde_json::from_slice::<serde_json::Value>(&changed).ok();
        let again = read.and_then(|value| serde_json_canonicalizer::to_vec(&value).ok());
        if canonical::check(&changed).is_ok() {
            prop_assert_eq!(again, Some(changed));
        }
    }

    #[test]
    fn a_person_with_any_name_of_a_key_comes_back(key in ".{0,20}", person in "[a-z0-9]{1,6}") {
        let mut entry = every_event().remove(0);
        entry.actor = Actor::Person {
            person: person.as_str().into(),
            role: "s151".into(),
            org: "dover".into(),
            key: Some(key),
        };
        let line = bytes(&entry);
        prop_assert_eq!(line::parse(&line), Ok(entry));
    }
}
