//! A split by rules: ranges and beginnings of references, wards of a parent, postcodes, several columns
//! together, and everything else; on every engine the same rows go to the same council, whatever the
//! engine's own order and collation say of a letter.

use std::collections::BTreeMap;
use std::sync::Arc;

use handover::copy::catch_up::{CatchUp, catch_up};
use handover::copy::ledger::Deed;
use handover::copy::load::{Load, load};
use handover::copy::look;
use handover::copy::look::rules::unsettled;
use handover::copy::route::Route;
use handover::copy::undo;
use handover::copy::verify::digests;
use handover::copy::verify::parts::{Sum, lines, noted};
use handover::machine::event::UndoMode;
use handover::orgdb::{Sql, Value};
use handover::plan::map::Map;
use handover::plan::model::{Code, Indexes};
use handover::plan::read_map;

use super::bases::{Base, Engine};
use super::rows::deed;

/// Homes as registers number them: padded, unpadded look-alikes, small letters, postcodes however they are
/// spaced, none; schemes with wards. A tenancy's own scheme is not its home's, and says nothing.
const SOURCE: &str = "
CREATE TABLE scheme (scheme_ref {text}, ward {text});
CREATE TABLE property (prop_ref {text}, scheme_ref {text}, post_code {text}, sold {text});
CREATE TABLE tenancy (id {number} NOT NULL PRIMARY KEY, prop_ref {text}, scheme_ref {text}, sup_ref {text}, balance {money});
CREATE TABLE rent (id {number} NOT NULL PRIMARY KEY, tenancy_id {number}, amount {money});
CREATE TABLE supplier (sup_ref {text}, name {text});
INSERT INTO scheme VALUES ('S1', 'River'), ('S2', 'Castle'), ('S3', 'river');
INSERT INTO property VALUES
  ('10001', 'S2', 'CT16 1AA', NULL), ('19999', NULL, NULL, ' '), ('15', 'S2', 'CT15 6AB', NULL), ('10002', 'S2', 'CT9 1AA', 'Y'),
  ('W1', 'S1', 'ct9 1aa', NULL), ('w1x', 'S1', 'CT91AB', NULL), ('W2', 'S3', 'CT90 1AA', NULL), ('W3', 'S9', 'CT9', NULL),
  ('X1', NULL, NULL, NULL);
INSERT INTO tenancy VALUES
  (1, '10001', 'S1', 'P1', '1.00'), (2, '15', 'S1', 'P1', '2.00'), (3, 'W1 ', 'S2', 'P2', '4.00'), (4, 'w1x', 'S1', NULL, '8.00'),
  (5, 'W3', 'S1', 'P1', '16.00'), (6, 'nowhere', 'S1', 'P3', '32.00'), (7, NULL, 'S1', NULL, '64.00'), (8, '10002', NULL, NULL, '128.00');
INSERT INTO rent VALUES (1, 1, '1.00'), (2, 2, '2.00'), (3, 3, '3.00'), (4, 4, '4.00'), (5, 6, '6.00'), (6, 99, '9.00'), (7, 5, '5.00');
INSERT INTO supplier VALUES ('P1', 'Roofs'), ('P2', 'Doors'), ('P3', 'Nobody''s');
";

const TARGET: &str = "
CREATE TABLE property (property_id {text} NOT NULL PRIMARY KEY, ref {text});
CREATE TABLE supplier (supplier_id {text} NOT NULL PRIMARY KEY, ref {text});
CREATE TABLE tenancy (tenancy_id {text} NOT NULL PRIMARY KEY, ref {text}, property_id {text} REFERENCES property (property_id),
  supplier_id {text} REFERENCES supplier (supplier_id), balance {money});
CREATE TABLE rent (rent_id {text} NOT NULL PRIMARY KEY, ref {text}, tenancy_id {text} REFERENCES tenancy (tenancy_id), amount {money});
CREATE INDEX tenancy_property ON tenancy (property_id); CREATE INDEX tenancy_supplier ON tenancy (supplier_id);
CREATE INDEX rent_tenancy ON rent (tenancy_id);
";

const RULES: &str = r#"
format = 1

[[split.property]] # Dover: its own numbers, unless they were sold
owner = "dover"
where = [{ column = "prop_ref", from = "10000", to = "19999" }, { column = "sold", blank = true }]

[[split.property]] # and what it took over in one ward
owner = "dover"
where = [{ column = "prop_ref", starts-with = ["W"] }, { column = "scheme.ward", is = ["River"] }]

[[split.property]]
owner = "thanet"
where = [{ column = "post_code", postcode = ["CT9"] }, { column = "prop_ref", not = ["W1"] }]
"#;

const REST: &str = r#"
[[split.property]]
owner = "canterbury"
otherwise = true
"#;

const TABLES: &str = r#"
[relation]
"property.scheme_ref" = "scheme.scheme_ref"
"tenancy.prop_ref" = "property.prop_ref"
"tenancy.scheme_ref" = "scheme.scheme_ref"
"tenancy.sup_ref" = "supplier.sup_ref"
"rent.tenancy_id" = "tenancy.id"
[table.property]
from = "property"
key = ["prop_ref"]
id = "property_id"
[table.property.column]
ref = "prop_ref"
[table.supplier]
from = "supplier"
key = ["sup_ref"]
id = "supplier_id"
goes-to = "who-needs-it"
[table.supplier.column]
ref = "sup_ref"
[table.tenancy]
from = "tenancy"
key = ["id"]
id = "tenancy_id"
[table.tenancy.column]
ref = "id"
property_id = { from = "prop_ref", lookup = "property" }
supplier_id = { from = "sup_ref", lookup = "supplier" }
balance = { from = "balance", as = "money" }
[table.rent]
from = "rent"
key = ["id"]
id = "rent_id"
[table.rent.column]
ref = "id"
tenancy_id = { from = "tenancy_id", lookup = "tenancy" }
amount = { from = "amount", as = "money" }
"#;

const COUNCILS: [&str; 3] = ["canterbury", "dover", "thanet"];

fn read(rules: &[&str]) -> Map {
    let text = [rules, &[TABLES]].concat().concat();
    read_map("maps/rules.toml", &text).unwrap_or_else(|faults| panic!("{:?}", faults.faults))
}

fn map() -> Map {
    read(&[RULES, REST])
}

fn tables() -> Vec<String> {
    ["property", "supplier", "tenancy", "rent"]
        .map(str::to_owned)
        .into()
}

fn route() -> Route {
    Route {
        source: "almo".into(),
        targets: COUNCILS.map(Code::from).into(),
        split: Some("property".to_owned()),
        handover: "2020-09-30T23:00:00Z".parse().unwrap(),
    }
}

fn of(step: &str, target: &str) -> Deed {
    Deed {
        step: format!("{step}/{target}").as_str().into(),
        ..deed()
    }
}

fn work(whose: &str) -> Load {
    Load {
        map: Arc::new(map()),
        tables: tables(),
        route: route(),
        target: whose.into(),
        triggers: None,
        chunk_rows: 2,
        indexes: Indexes::Keep,
        frozen: true,
    }
}

async fn copy(source: &Base, target: &Base, whose: &str) {
    let deed = of("copy", whose);
    let (reader, writer) = (source.reader().await, target.writer(&deed).await);
    load(&reader, &writer, work(whose), &deed, |_| {})
        .await
        .unwrap();
}

async fn refs(base: &Base, table: &str) -> Vec<String> {
    let query = match table {
        "property" => "SELECT ref FROM property",
        "supplier" => "SELECT ref FROM supplier",
        "tenancy" => "SELECT ref FROM tenancy",
        _ => "SELECT ref FROM rent",
    };
    let reader = base.reader().await;
    let rows = reader.rows(Sql::new(query), Vec::new()).await.unwrap();
    let text = |row: Vec<Value>| row[0].text().unwrap_or("-").to_owned();
    let mut refs: Vec<String> = rows.into_iter().map(text).collect();
    // Engines sort letters in orders of their own.
    refs.sort();
    refs
}

async fn all(base: &Base) -> [Vec<String>; 4] {
    [
        refs(base, "property").await,
        refs(base, "tenancy").await,
        refs(base, "rent").await,
        refs(base, "supplier").await,
    ]
}

/// What each council is due: homes, tenancies, rent, suppliers.
fn due(council: &str) -> [Vec<&'static str>; 4] {
    match council {
        "dover" => [
            vec!["10001", "19999", "W1"],
            vec!["1", "3"],
            vec!["1", "3"],
            vec!["P1", "P2"],
        ],
        "thanet" => [
            vec!["10002", "W3", "w1x"],
            vec!["4", "5", "8"],
            vec!["4", "7"],
            vec!["P1"],
        ],
        _ => [vec!["15", "W2", "X1"], vec!["2"], vec!["2"], vec!["P1"]],
    }
}

#[tokio::test]
async fn each_council_gets_the_homes_that_its_rules_take_with_all_that_leads_to_them() {
    for (from, to) in Engine::pairs() {
        let source = Base::make(from, SOURCE).await;
        for council in COUNCILS {
            let target = Base::make(to, TARGET).await;
            let empty = target.everything().await;
            copy(&source, &target, council).await;
            assert_eq!(
                all(&target).await,
                due(council),
                "{council}, {from:?} to {to:?}"
            );
            let deed = of("copy", council);
            let writer = target.writer(&deed).await;
            let undone = undo::undo(&writer, &deed, UndoMode::Refuse).await;
            undone.unwrap();
            assert_eq!(target.everything().await, empty, "{from:?} to {to:?}");
        }
    }
}

#[tokio::test]
async fn rows_that_no_rule_or_several_councils_rules_take_are_nobodys_and_counted() {
    let both = r#"
[[split.property]]
owner = "canterbury"
where = [{ column = "prop_ref", is = ["10001", "W3"] }]
"#;
    let split = read(&[RULES, both]);
    for from in Engine::ALL {
        let source = Base::make(from, SOURCE).await;
        let reader = source.reader().await;
        let found = unsettled(&reader, &split, &split.splits["property"])
            .await
            .unwrap();
        let several = BTreeMap::from([(vec![0, 3], 1), (vec![2, 3], 1)]);
        assert_eq!((found.nobodys, &found.several), (3, &several), "{from:?}");
        let foretold = look::forecast(&reader, &split, &tables(), &route())
            .await
            .unwrap();
        let of = |table: &str| {
            let reasons = foretold.unrouted[table].iter();
            let reasons: Vec<(&str, u64)> =
                reasons.map(|(why, rows)| (why.as_str(), *rows)).collect();
            reasons
        };
        let (dover, thanet) = (
            "claimed by canterbury and dover",
            "claimed by canterbury and thanet",
        );
        let wanted = [(dover, 1), (thanet, 1), ("no rule", 3)];
        assert_eq!(of("property"), wanted, "{from:?}");
        let wanted = [(dover, 1), (thanet, 1), ("no rule", 1), ("orphan", 2)];
        assert_eq!(of("tenancy"), wanted, "{from:?}");
        // Rent of a tenancy that leads nowhere leads nowhere.
        let wanted = [(dover, 1), (thanet, 1), ("no rule", 1), ("orphan", 2)];
        assert_eq!(of("rent"), wanted, "{from:?}");
    }
}

#[tokio::test]
async fn the_parts_of_a_split_by_rules_are_the_source_to_the_line_and_the_penny() {
    for from in Engine::ALL {
        let source = Base::make(from, SOURCE).await;
        let mut parts = Vec::new();
        for council in COUNCILS {
            let target = Base::make(from, TARGET).await;
            copy(&source, &target, council).await;
            parts.push((council, target));
        }
        let reader = source.reader().await;
        let tables = tables();
        let due = lines(&reader, (&map(), &tables), &route(), &deed())
            .await
            .unwrap();
        for (name, due) in &due {
            let mut together = Sum::default();
            for (council, target) in &parts {
                let reader = target.reader().await;
                let stands = noted(&reader, &of("copy", council), name).await;
                let stands = stands.unwrap().unwrap();
                assert_eq!(stands, due.parts[*council].lines, "{name}, {from:?}");
                together = together.and(stands);
            }
            let nobodys = due.nobodys.values();
            let nobodys = nobodys.fold(Sum::default(), |sum, part| sum.and(part.lines));
            let whole = due.all.and(due.again.lines);
            assert_eq!(together.and(nobodys), whole, "{name}, {from:?}");
        }
        assert_eq!(due["tenancy"].pence["balance"], 25500, "{from:?}");
    }
}

/// A home is renumbered, a home's scheme comes into another ward, one is sold, one is bought back, a
/// postcode is put right, a tenancy moves house.
const WEEK: [&str; 6] = [
    "UPDATE property SET prop_ref = '19998' WHERE prop_ref = 'X1'",
    "UPDATE scheme SET ward = 'Castle' WHERE scheme_ref = 'S1'",
    "UPDATE property SET sold = 'Y' WHERE prop_ref = '10001'",
    "UPDATE property SET sold = NULL, post_code = 'CT16 2AA' WHERE prop_ref = '10002'",
    "UPDATE property SET post_code = 'CT9 9ZZ' WHERE prop_ref = '15'",
    "UPDATE tenancy SET prop_ref = '19999' WHERE id = 5",
];

#[tokio::test]
async fn a_home_that_changes_hands_is_caught_up_with_in_every_direction() {
    for (from, to) in Engine::pairs() {
        let source = Base::make(from, SOURCE).await;
        let mut targets = Vec::new();
        for council in COUNCILS {
            let target = Base::make(to, TARGET).await;
            copy(&source, &target, council).await;
            targets.push((council, target));
        }
        for statement in WEEK {
            source.does(statement).await;
        }
        for (council, target) in &targets {
            let at = format!("{council}, {from:?} to {to:?}");
            let (copied, deed) = (of("copy", council), of("catch-up", council));
            let before = all(target).await;
            let (reader, writer) = (source.reader().await, target.writer(&deed).await);
            let since = vec![(deed.step.clone(), 1)];
            let caught = CatchUp::with(work(council), copied.clone(), since);
            let caught = catch_up(&reader, &writer, caught, &deed, |_| {}).await;
            assert!(caught.unwrap().effects > 0, "{at}");
            let fresh = Base::make(to, TARGET).await;
            copy(&source, &fresh, council).await;
            assert_ne!(all(target).await, before, "{at}");
            assert_eq!(all(target).await, all(&fresh).await, "{at}");
            let reader = target.reader().await;
            for deed in [&copied, &deed] {
                let seen = digests(&reader, deed).await.unwrap();
                assert_eq!(seen.differing, 0, "{at}");
            }
            let undone = undo::undo(&writer, &deed, UndoMode::Refuse).await.unwrap();
            assert_eq!((undone.changed, undone.refused), (vec![], false), "{at}");
            assert_eq!(all(target).await, before, "{at}");
        }
    }
}

/// A flat of one council in a block of another, as its numbers say.
const BLOCKS: &str = "
CREATE TABLE property (prop_ref {text}, block_ref {text});
INSERT INTO property VALUES ('D1', 'T9'), ('D2', NULL), ('T1', 'T9'), ('T9', NULL), ('T8', NULL);
";

#[tokio::test]
async fn a_block_goes_with_a_flat_that_other_rules_take() {
    let map = r#"
format = 1
[[split.property]]
owner = "dover"
where = [{ column = "prop_ref", starts-with = ["D"] }]
[[split.property]]
owner = "thanet"
otherwise = true
[relation]
"property.block_ref" = "property.prop_ref"
[table.property]
from = "property"
key = ["prop_ref"]
id = "property_id"
goes-to = "both"
[table.property.column]
ref = "prop_ref"
"#;
    let map = read_map("maps/blocks.toml", map);
    let map = Arc::new(map.unwrap_or_else(|faults| panic!("{:?}", faults.faults)));
    for from in Engine::ALL {
        let source = Base::make(from, BLOCKS).await;
        for (council, wanted) in [
            ("dover", vec!["D1", "D2", "T9"]),
            ("thanet", vec!["T1", "T8", "T9"]),
            ("canterbury", vec![]),
        ] {
            let (target, deed) = (Base::make(from, TARGET).await, of("copy", council));
            let (reader, writer) = (source.reader().await, target.writer(&deed).await);
            let work = Load {
                map: Arc::clone(&map),
                tables: vec!["property".to_owned()],
                ..work(council)
            };
            load(&reader, &writer, work, &deed, |_| {}).await.unwrap();
            assert_eq!(
                refs(&target, "property").await,
                wanted,
                "{council}, {from:?}"
            );
        }
    }
}
