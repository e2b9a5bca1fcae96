//! Whatever stands in a plan folder, reading it ends with a plan or with faults, never with a panic.

use handover::plan::papers::Papers;
use handover::plan::{people_without_names, read, read_map};
use handover::report::faults::{drawn, plain};
use proptest::prelude::*;

use crate::cases::cases;

const PLAN: &str = include_str!("../../../plans/broken/sound/plan.toml");
const MAP: &str = include_str!("../../../plans/broken/sound/maps/homes.toml");
const PEOPLE: &str = include_str!("../../../plans/broken/sound/people.toml");

/// Reads a folder in which one paper is `bytes`, and draws what is wrong with it.
fn survives(paper: &str, bytes: &[u8]) {
    let mut papers = Papers::default();
    papers.put("plan.toml".into(), PLAN.into());
    papers.put("people.toml".into(), PEOPLE.into());
    papers.put("maps/homes.toml".into(), MAP.into());
    papers.put(paper.to_owned(), bytes.to_vec());
    if let Err(faults) = read("any", papers) {
        assert!(!faults.is_empty());
        assert!(!drawn(&faults, true).is_empty() && !plain(&faults).is_empty());
    }
}

/// Sound text with a piece cut out and something else put in.
fn mutated(text: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        any::<Vec<u8>>(),
        "[a-z\\[\\]\"'=,.{}# \n\r\u{201c}é0-9/-]{0,12}".prop_map(String::into_bytes),
        prop::sample::select(vec![
            "[step.freeze]\n",
            "\"",
            "[[step]]\n",
            "handover = 0\n",
            "99999999999999999999",
            "9999-12-31",
            "\"handover - 10000 years\""
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    (0..text.len(), 0..40_usize, piece).prop_map(move |(at, cut, piece)| {
        let mut bytes = text.as_bytes().to_vec();
        let end = (at + cut).min(bytes.len());
        bytes.splice(at..end, piece);
        bytes
    })
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn any_bytes_are_read_to_an_end(bytes in any::<Vec<u8>>()) {
        survives("plan.toml", &bytes);
        survives("people.toml", &bytes);
        survives("maps/homes.toml", &bytes);
        let _ = people_without_names(&bytes);
    }

    #[test]
    fn a_damaged_plan_is_read_to_an_end(bytes in mutated(PLAN)) {
        survives("plan.toml", &bytes);
    }

    #[test]
    fn a_damaged_map_is_read_to_an_end(bytes in mutated(MAP)) {
        let _ = read_map("m.toml", &String::from_utf8_lossy(&bytes));
        survives("maps/homes.toml", &bytes);
    }

    #[test]
    fn people_without_names_stay_who_they_are(bytes in mutated(PEOPLE)) {
        survives("people.toml", &bytes);
        if let Some(once) = people_without_names(&bytes) {
            prop_assert_eq!(people_without_names(once.as_bytes()), Some(once));
        }
    }
}
