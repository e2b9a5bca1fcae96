//! Papers of decisions: what people said about rows that are alike is read strictly, binds the signature,
//! and holds references only.

use handover::plan::decisions::{RowRef, Verdict, paper};
use handover::plan::fault::PlanFaults;
use handover::plan::papers::Papers;
use handover::plan::read;

use super::broken::{said, sound};

const SAME: &str =
    "[[group]]\ndataset = \"tenancy\"\nrows = [\"dover:1\", \"thanet:2\"]\nverdict = \"same\"\n";

/// The sound plan, whose map leaves tenancies to people, with this paper.
fn papers(paper: &str) -> Papers {
    let mut papers = sound();
    let map = papers.text("maps/homes.toml").unwrap();
    let map = map
        .replace(
            "format = 1\n",
            "format = 1\ndecisions = \"maps/same.toml\"\n",
        )
        .replace(
            "id = \"tenancy_id\"\n",
            "id = \"tenancy_id\"\nnatural-key = [\"tenancy_ref\"]\ncollision = \"decide\"\n",
        );
    papers.put("maps/homes.toml".to_owned(), map.into_bytes());
    papers.put("maps/same.toml".to_owned(), paper.as_bytes().to_vec());
    papers
}

fn faults(paper: &str) -> Vec<(&'static str, usize, String)> {
    let PlanFaults { faults, .. } = said(papers(paper));
    faults
        .into_iter()
        .map(|fault| (fault.code, fault.line, fault.says))
        .collect()
}

#[test]
fn what_somebody_decided_is_what_the_map_knows() {
    let plan = read("small", papers(&format!("format = 1\n{SAME}"))).unwrap();
    let decisions = &plan.maps["maps/homes.toml"].decisions;
    let row = |org: &str, key: &str| RowRef {
        org: org.into(),
        key: key.to_owned(),
    };
    let (one, other) = (row("thanet", "2"), row("dover", "1"));
    assert_eq!(decisions.verdict("tenancy", &one, &other), Verdict::Same);
    assert_eq!(decisions.verdict("asset", &one, &other), Verdict::Open);
    assert_eq!(
        decisions.verdict("tenancy", &one, &row("dover", "2")),
        Verdict::Open
    );
}

#[test]
fn an_edited_decision_lapses_the_signature() {
    let of = |text: &str| read("small", papers(text)).unwrap().papers.fingerprint();
    let same = format!("format = 1\n{SAME}");
    assert_ne!(of(&same), of(&same.replace("same", "different")));
}

#[test]
fn a_decision_that_cannot_be_taken_is_pointed_at() {
    let group = |text: &str| faults(&format!("format = 1\n{text}"));
    let cases = [
        (
            SAME.replace("dover:1", "dovver:1"),
            "`dovver:1` names no organisation of the plan and a row of it",
        ),
        (
            SAME.replace("thanet:2", "dover:2"),
            "two rows of one organisation are said to be the same",
        ),
        (
            SAME.replace(", \"thanet:2\"", ""),
            "a decision is about two rows or more",
        ),
        (
            SAME.replace("tenancy", "asset"),
            "nothing is decided about rows of `asset`",
        ),
        (
            format!("{SAME}{}", SAME.replace("same", "different")),
            "these rows are decided about twice",
        ),
    ];
    for (text, says) in cases {
        let found = group(&text);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].0, found[0].2.as_str()), ("HO317", says));
    }
    let unknown = group(&SAME.replace("verdict", "verdikt"));
    assert_eq!((unknown[0].0, unknown[0].1), ("HO101", 5), "{unknown:?}");
}

#[test]
fn a_proposal_is_a_paper_that_decides_nothing() {
    let rows = ["dover", "thanet"].map(|org| RowRef {
        org: org.into(),
        key: "a \"quoted\" one\\".to_owned(),
    });
    let text = paper([("tenancy", rows.as_slice())].into_iter());
    let plan = read("small", papers(&text)).unwrap_or_else(|faults| panic!("{:?}", faults.faults));
    let group = &plan.maps["maps/homes.toml"].decisions.groups[0];
    assert_eq!(
        (group.rows.as_slice(), group.verdict),
        (rows.as_slice(), Verdict::Open)
    );
}
