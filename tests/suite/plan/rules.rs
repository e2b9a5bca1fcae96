//! Rules of a split, from the file to the plan: who names which, and what is told when nobody does.
//!
//! Not here: faults within one file (`broken`), what rules do with rows (`engines::rules`).

use handover::plan::map::{Takes, Test};
use handover::plan::read_map;
use handover::report::faults::{drawn, plain};

use super::broken::{edited, said, sound};

const RULES: &str = r#"
[[split.property]]
owner = "dover"
where = [{ column = "prop_ref", from = "D100", to = "D999" }, { column = "tenure", not = ["SOLD"] }]

[[split.property]]
owner = "thanet"
otherwise = true

[relation]"#;

/// The sound plan, whose homes are shared out by these rules.
fn ruled(rules: &str) -> String {
    let mut papers = sound();
    let text = papers.text("plan.toml").unwrap();
    let from = "map = \"maps/homes.toml\"\nsplit = \"property.owner\"";
    assert!(text.contains(from));
    let text = text.replace(from, "map = \"maps/homes.toml\"\nsplit = \"property\"");
    papers.put("plan.toml".to_owned(), text.into_bytes());
    let map = papers.text("maps/homes.toml").unwrap();
    let map = map.replacen("[relation]", rules, 1);
    papers.put("maps/homes.toml".to_owned(), map.into_bytes());
    plain(&said(papers))
}

#[test]
fn rules_are_read_as_they_are_written() {
    let text = format!(
        "format = 1\n{RULES}\n\"a.b\" = \"property.prop_ref\"\n\
         [table.asset]\nfrom = \"property\"\nkey = [\"prop_ref\"]\n[table.asset.column]\nr = \"prop_ref\"\n"
    );
    let map = read_map("maps/homes.toml", &text).unwrap();
    let split = &map.splits["property"];
    let owners: Vec<&str> = split.rules.iter().map(|rule| &*rule.owner).collect();
    assert_eq!(owners, ["dover", "thanet"]);
    let Takes::Where(conditions) = &split.rules[0].takes else {
        panic!("{split:?}");
    };
    assert_eq!(conditions[0].column.table, "property");
    assert!(conditions[0].test.holds(Some("D500")));
    assert_eq!(conditions[1].test, Test::Not(vec!["SOLD".to_owned()]));
    assert_eq!(split.rules[1].takes, Takes::Otherwise);
    assert_eq!(&text[split.rules[1].place.span.clone()][..2], "[[");
}

#[test]
fn a_plan_whose_homes_are_shared_out_by_rules_is_sound() {
    assert_eq!(ruled(RULES), "No faults.\n");
}

#[test]
fn a_council_that_no_rule_names_is_told_before_it_gets_nothing() {
    let found = ruled(&RULES.replace("\"thanet\"", "\"dover\""));
    for words in [
        "HO315",
        "no rule of `[[split.property]]` is for `thanet`",
        "Nothing would go there",
    ] {
        assert!(found.contains(words), "no `{words}` in {found}");
    }
}

#[test]
fn rules_for_another_table_are_not_taken_for_those_that_are_asked() {
    let found = ruled(&RULES.replace("[[split.property]]", "[[split.scheme]]"));
    let words = "maps/homes.toml has no rules `[[split.property]]`";
    assert!(found.contains(words), "{found}");
}

#[test]
fn a_faulty_rule_is_shown_where_it_stands() {
    let rules = |rules: &str| {
        edited(
            "maps/homes.toml",
            "[relation]",
            &format!("{rules}\n[relation]"),
        )
    };
    let shown = [
        "[[split.property]]\nowner = \"dover\"\nwhere = [{ column = \"prop_ref\", from = \"D100\", to = \"T999\" }]",
        "[[split.property]]\nowner = \"dover\"\nwhere = [{ column = \"post_code\", postcode = [\"CT15\", \"Deal\"] }]",
        "[[split.property]]\nowner = \"dover\"",
    ];
    let shown = shown.map(|text| drawn(&rules(text), false));
    insta::assert_snapshot!(shown.join("\n"));
}
