//! Map files: what a housing officer and an engineer write is what a copy does.

use handover::plan::map::{Becomes, Origin, Unmapped};
use handover::plan::read_map;

/// The example on the page that documents the syntax.
fn documented() -> String {
    include_str!("../../../src/plan/map.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("//!"))
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .skip_while(|line| *line != "```toml")
        .skip(1)
        .take_while(|line| *line != "```")
        .collect::<Vec<_>>()
        .join("\n")
}

fn codes(text: &str) -> Vec<(&'static str, usize)> {
    match read_map("maps/test.toml", text) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.faults.iter().map(|f| (f.code, f.line)).collect(),
    }
}

#[test]
fn the_documented_syntax_is_the_syntax() {
    let map = read_map("maps/homes.toml", &documented())
        .map_err(|faults| handover::report::faults::drawn(&faults, false));
    let map = map.unwrap_or_else(|faults| panic!("{faults}"));
    let names: Vec<&str> = map.datasets.iter().map(|d| d.name.as_str()).collect();
    assert_eq!(names, ["asset", "tenancy"]);
    assert_eq!(map.owners["CAN"].as_ref(), "canterbury");
    let tenancy = &map.datasets[1];
    assert_eq!(tenancy.into, "tenancy");
    assert_eq!(tenancy.aliases[0].name, "tenancy-of-household");
    assert!(
        tenancy
            .columns
            .iter()
            .any(|c| c.becomes == Becomes::Lookup("asset".into()))
    );
    assert!(matches!(
        &tenancy.columns[4].from,
        Origin::Split { part: 2, .. }
    ));
    let tenure = &map.codes["tenure"];
    assert!(matches!(
        tenure.unmapped,
        Unmapped::Reject { limit: 20, .. }
    ));
}

const HEAD: &str = "format = 1\n[table.asset]\nfrom = \"property\"\nkey = [\"prop_ref\"]\nid = \"asset_id\"\n[table.asset.column]\n";

#[test]
fn a_parent_is_always_loaded_before_its_children() {
    let text = "format = 1\n[table.rent]\nfrom = \"rtrans\"\nkey = [\"sid\"]\n[table.rent.column]\n\
                t = { from = \"tag_ref\", lookup = \"tenancy\" }\n\
                [table.tenancy]\nfrom = \"tenagree\"\nkey = [\"tag_ref\"]\nid = \"tid\"\n[table.tenancy.column]\nr = \"tag_ref\"\n";
    let map = read_map("m.toml", text).expect("sound");
    let names: Vec<&str> = map.datasets.iter().map(|d| d.name.as_str()).collect();
    assert_eq!(names, ["tenancy", "rent"]);
}

#[test]
fn a_map_never_carries_special_category_data() {
    assert_eq!(
        codes(&format!("{HEAD}x = \"hiv_positive\"\n")),
        [("HO308", 7)]
    );
    assert_eq!(
        codes(&format!("{HEAD}x = {{ from = \"ethnic_origin\" }}\n")),
        [("HO308", 7)]
    );
}

#[test]
fn every_fault_of_a_map_is_found_at_once() {
    let text = format!(
        "{HEAD}a = {{ from = \"x\", lookup = \"aset\" }}\nb = {{ from = \"y\", code = \"tenur\" }}\n\
         c = {{ fron = \"x\" }}\nd = {{ from = \"other.z\" }}\ne = {{ from = \"x\", formats = [\"yyyy-mm-dd\"] }}\n\
         f = {{ from = \"x\", constant = \"y\" }}\nasset_id = \"prop_ref\"\n"
    );
    assert_eq!(
        codes(&text),
        [
            ("HO301", 7),
            ("HO302", 8),
            ("HO101", 9),
            ("HO304", 10),
            ("HO116", 11),
            ("HO307", 12),
            ("HO306", 13),
        ]
    );
}

#[test]
fn circles_of_relations_and_lookups_are_shown_whole() {
    let text = format!(
        "{HEAD}r = \"prop_ref\"\n[relation]\n\"property.a\" = \"block.a\"\n\"block.b\" = \"property.b\"\n"
    );
    let faults = read_map("m.toml", &text).expect_err("circle");
    assert_eq!(faults.faults[0].code, "HO303");
    assert_eq!(
        faults.faults[0].notes[0],
        "the whole circle: block -> property -> block"
    );
    let own = format!(
        "{HEAD}r = \"prop_ref\"\n[relation]\n\"property.major_ref\" = \"property.prop_ref\"\n"
    );
    assert_eq!(codes(&own), []);
}

#[test]
fn rows_are_never_kept_back_without_reason_and_limit() {
    let text = format!(
        "{HEAD}r = {{ from = \"t\", code = \"t\" }}\n[code.t]\nvalues = {{ A = \"a\" }}\nunmapped = {{ policy = \"reject\" }}\n"
    );
    assert_eq!(codes(&text), [("HO309", 10)]);
}
