//! Suppliers and officers that belong to nobody: each council gets those that its homes need, near or far,
//! and no others; what several need goes to each. The old system declares no relation; some lead round in
//! a circle, some to the row itself, some nowhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use handover::copy::ledger::Deed;
use handover::copy::load::{Load, load};
use handover::copy::look;
use handover::copy::route::Route;
use handover::copy::undo;
use handover::copy::verify::parts::{Sum, lines, noted};
use handover::machine::event::UndoMode;
use handover::orgdb::{Sql, Value};
use handover::plan::map::Map;
use handover::plan::model::Indexes;
use handover::plan::read_map;

use super::bases::{Base, Engine};
use super::rows::deed;

const SOURCE: &str = "
CREATE TABLE property (prop_ref {text}, major_ref {text}, owner_conf {text});
CREATE TABLE repair (id {number} NOT NULL PRIMARY KEY, prop_ref {text}, sup_ref {text}, state {text}, cost {money});
CREATE TABLE supplier (sup_ref {text}, name {text}, group_ref {text}, officer_ref {text});
CREATE TABLE officer (off_ref {text}, name {text}, sup_ref {text});
INSERT INTO property VALUES ('D1', 'B1', 'DOV'), ('T1', 'B1', 'THA'), ('B1', NULL, 'THA');
INSERT INTO repair VALUES (1, 'D1', 'S1 ', 'done', '10.00'), (2, 'T1', 'S1', 'done', '5.50'), (3, 'T1', 'S2', 'open', NULL),
  (4, 'D1', NULL, 'done', '1.00'), (5, 'D1', 'S5', 'void', '7.00'), (6, 'T1', 'S9', 'done', '2.00');
INSERT INTO supplier VALUES ('S0', 'Group', NULL, NULL), ('S1', 'Roofs', 'S0', 'O1'), ('S2', 'Doors', 'S2', 'O2'),
  ('S3', 'Unused', 'S1', 'O3'), ('S4', 'Far', NULL, NULL), ('S5', 'Void', NULL, NULL);
INSERT INTO officer VALUES ('O1', 'Ann', 'S1'), ('O2', 'Bob', 'S4'), ('O3', 'Cat', 'S3');
";

const TARGET: &str = "
CREATE TABLE property (property_id {text} NOT NULL PRIMARY KEY, ref {text}, block_id {text} REFERENCES property (property_id));
CREATE TABLE supplier (supplier_id {text} NOT NULL PRIMARY KEY, ref {text}, name {text},
  group_id {text} REFERENCES supplier (supplier_id));
CREATE TABLE officer (officer_id {text} NOT NULL PRIMARY KEY, name {text});
CREATE TABLE repair (repair_id {text} NOT NULL PRIMARY KEY, supplier_id {text} REFERENCES supplier (supplier_id), cost {money});
CREATE INDEX block ON property (block_id); CREATE INDEX supplier_group ON supplier (group_id);
CREATE INDEX repair_supplier ON repair (supplier_id);
";

const MAP: &str = r#"
format = 1
[owner]
DOV = "dover"
THA = "thanet"
[relation]
"property.major_ref" = "property.prop_ref"
"repair.prop_ref" = "property.prop_ref"
"repair.sup_ref" = "supplier.sup_ref"
"supplier.group_ref" = "supplier.sup_ref"
"supplier.officer_ref" = "officer.off_ref"
"officer.sup_ref" = "supplier.sup_ref"
[table.property]
from = "property"
key = ["prop_ref"]
id = "property_id"
goes-to = "both"
[table.property.column]
ref = "prop_ref"
block_id = { from = "major_ref", lookup = "property" }
[table.supplier]
from = "supplier"
key = ["sup_ref"]
id = "supplier_id"
goes-to = "who-needs-it"
[table.supplier.column]
ref = "sup_ref"
name = "name"
group_id = { from = "group_ref", lookup = "supplier" }
[table.officer]
from = "officer"
key = ["off_ref"]
id = "officer_id"
goes-to = "who-needs-it"
[table.officer.column]
name = "name"
[table.repair]
from = "repair"
key = ["id"]
id = "repair_id"
leave-out = [{ column = "state", is = ["void"], reason = "void" }]
[table.repair.column]
supplier_id = { from = "sup_ref", lookup = "supplier", bad = "null" }
cost = { from = "cost", as = "money" }
"#;

fn map() -> Map {
    read_map("maps/needs.toml", MAP).unwrap_or_else(|faults| panic!("{:?}", faults.faults))
}

fn tables() -> Vec<String> {
    ["property", "repair", "supplier", "officer"]
        .map(str::to_owned)
        .into()
}

fn route() -> Route {
    Route {
        source: "almo".into(),
        targets: vec!["dover".into(), "thanet".into()],
        split: Some("property.owner_conf".to_owned()),
        handover: "2020-09-30T23:00:00Z".parse().unwrap(),
    }
}

fn of(target: &str) -> Deed {
    Deed {
        step: format!("copy/{target}").as_str().into(),
        ..deed()
    }
}

async fn copy(source: &Base, target: &Base, whose: &str) -> BTreeMap<String, u64> {
    copy_by(map(), source, target, whose).await
}

async fn copy_by(map: Map, source: &Base, target: &Base, whose: &str) -> BTreeMap<String, u64> {
    let deed = of(whose);
    let (reader, writer) = (source.reader().await, target.writer(&deed).await);
    let work = Load {
        map: Arc::new(map),
        tables: tables(),
        route: route(),
        target: whose.into(),
        triggers: None,
        chunk_rows: 2,
        indexes: Indexes::Keep,
        frozen: true,
    };
    let loaded = load(&reader, &writer, work, &deed, |_| {}).await.unwrap();
    let copied = loaded.datasets.into_iter();
    copied.map(|(name, counts)| (name, counts.copied)).collect()
}

async fn column(base: &Base, query: &'static str) -> Vec<String> {
    let rows = base
        .reader()
        .await
        .rows(Sql::new(query), Vec::new())
        .await
        .unwrap();
    let text = |row: Vec<Value>| row[0].text().unwrap_or("-").to_owned();
    rows.into_iter().map(text).collect()
}

#[tokio::test]
async fn each_council_gets_what_its_homes_need_and_nothing_else() {
    for (from, to) in Engine::pairs() {
        let source = Base::make(from, SOURCE).await;
        let (dover, thanet) = (Base::make(to, TARGET).await, Base::make(to, TARGET).await);
        let empty = dover.everything().await;
        copy(&source, &dover, "dover").await;
        copy(&source, &thanet, "thanet").await;
        let suppliers = "SELECT ref FROM supplier ORDER BY ref";
        let officers = "SELECT name FROM officer ORDER BY name";
        let homes = "SELECT ref FROM property ORDER BY ref";
        assert_eq!(
            column(&dover, suppliers).await,
            ["S0", "S1"],
            "{from:?} to {to:?}"
        );
        assert_eq!(
            column(&dover, officers).await,
            ["Ann"],
            "{from:?} to {to:?}"
        );
        assert_eq!(
            column(&dover, homes).await,
            ["B1", "D1"],
            "{from:?} to {to:?}"
        );
        let all = ["S0", "S1", "S2", "S4"];
        assert_eq!(column(&thanet, suppliers).await, all, "{from:?} to {to:?}");
        assert_eq!(
            column(&thanet, officers).await,
            ["Ann", "Bob"],
            "{from:?} to {to:?}"
        );
        assert_eq!(
            column(&thanet, homes).await,
            ["B1", "T1"],
            "{from:?} to {to:?}"
        );
        let groups = "SELECT g.ref FROM supplier AS s JOIN supplier AS g ON g.supplier_id = s.group_id ORDER BY 1";
        assert_eq!(
            column(&thanet, groups).await,
            ["S0", "S2"],
            "{from:?} to {to:?}"
        );
        let writer = dover.writer(&of("dover")).await;
        undo::undo(&writer, &of("dover"), UndoMode::Refuse)
            .await
            .unwrap();
        assert_eq!(dover.everything().await, empty, "{from:?} to {to:?}");
    }
}

#[tokio::test]
async fn what_several_need_and_what_nobody_needs_is_foretold() {
    for from in Engine::ALL {
        let source = Base::make(from, SOURCE).await;
        let reader = source.reader().await;
        let foretold = look::forecast(&reader, &map(), &tables(), &route())
            .await
            .unwrap();
        let copied = |target: &str, name: &str| {
            let code = handover::plan::model::Code::from(target);
            foretold.targets[&code][name].copied
        };
        let of = |name: &str| (copied("dover", name), copied("thanet", name));
        assert_eq!(
            (of("supplier"), of("officer")),
            ((2, 4), (1, 2)),
            "{from:?}"
        );
        assert_eq!((of("property"), of("repair")), ((2, 2), (2, 3)), "{from:?}");
        assert_eq!(foretold.unrouted["supplier"]["not needed"], 2, "{from:?}");
        assert_eq!(foretold.unrouted["officer"]["not needed"], 1, "{from:?}");
        let shared: Vec<(&str, u64, u64)> = foretold
            .shared
            .iter()
            .map(|(name, shared)| (name.as_str(), shared.lines, shared.again))
            .collect();
        let wanted = [("officer", 1, 1), ("property", 1, 1), ("supplier", 2, 2)];
        assert_eq!(shared, wanted, "{from:?}");
    }
}

#[tokio::test]
async fn parts_with_what_is_shared_and_what_is_nobodys_are_the_source_to_the_line() {
    for from in Engine::ALL {
        let source = Base::make(from, SOURCE).await;
        let parts = [
            ("dover", Base::make(from, TARGET).await),
            ("thanet", Base::make(from, TARGET).await),
        ];
        for (whose, target) in &parts {
            copy(&source, target, whose).await;
        }
        let reader = source.reader().await;
        let tables = tables();
        let due = lines(&reader, (&map(), &tables), &route(), &deed())
            .await
            .unwrap();
        for (name, due) in &due {
            let mut together = Sum::default();
            for (whose, target) in &parts {
                let reader = target.reader().await;
                let stands = noted(&reader, &of(whose), name).await.unwrap().unwrap();
                assert_eq!(
                    stands, due.parts[*whose].lines,
                    "{name} of {whose}, {from:?}"
                );
                together = together.and(stands);
            }
            let nobodys = due
                .nobodys
                .values()
                .fold(Sum::default(), |sum, part| sum.and(part.lines));
            assert_eq!(
                together.and(nobodys),
                due.all.and(due.again.lines),
                "{name}, {from:?}"
            );
        }
        assert_eq!(due["repair"].pence["cost"], 2550, "{from:?}");
        assert_eq!(due["supplier"].all.lines, 6, "{from:?}");
    }
}

/// References as old systems keep them: a blank before or behind, on either side.
const UNTIDY: &str = "
CREATE TABLE property (prop_ref {text}, major_ref {text}, owner_conf {text});
CREATE TABLE repair (id {number} NOT NULL PRIMARY KEY, prop_ref {text}, sup_ref {text}, state {text}, cost {money});
CREATE TABLE supplier (sup_ref {text}, name {text}, group_ref {text}, officer_ref {text});
CREATE TABLE officer (off_ref {text}, name {text}, sup_ref {text});
INSERT INTO property VALUES ('D1', NULL, 'DOV');
INSERT INTO repair VALUES (1, 'D1', ' S1', 'done', '1.00'), (2, 'D1', 'S2 ', 'done', '1.00'), (3, 'D1', 'S3', 'done', '1.00'),
  (4, 'D1', ' S4 ', 'done', '1.00');
INSERT INTO supplier VALUES (' S1', 'both', NULL, NULL), ('S2', 'behind', NULL, NULL), (' S3', 'its own', NULL, NULL),
  ('S4', 'the other', NULL, NULL);
";

#[tokio::test]
async fn a_supplier_is_needed_however_untidily_its_reference_is_kept() {
    for (from, to) in Engine::pairs() {
        let source = Base::make(from, UNTIDY).await;
        let dover = Base::make(to, TARGET).await;
        copy(&source, &dover, "dover").await;
        let suppliers = column(&dover, "SELECT name FROM supplier ORDER BY name").await;
        let all = ["behind", "both", "its own", "the other"];
        assert_eq!(suppliers, all, "{from:?} to {to:?}");
        let found = "SELECT count(*) FROM repair WHERE supplier_id IS NOT NULL";
        let reader = dover.reader().await;
        let rows = reader.rows(Sql::new(found), Vec::new()).await.unwrap();
        assert_eq!(rows[0][0].int(), Some(4), "{from:?} to {to:?}");
    }
}

/// What only a file keeps: letters of another encoding, a NUL among them, numbers with a point.
const ODD: &str = "
CREATE TABLE property (prop_ref TEXT, major_ref TEXT, owner_conf TEXT);
CREATE TABLE repair (id INTEGER NOT NULL PRIMARY KEY, prop_ref TEXT, sup_ref, state TEXT, cost TEXT);
CREATE TABLE supplier (sup_ref, name TEXT, group_ref TEXT, officer_ref TEXT);
CREATE TABLE officer (off_ref TEXT, name TEXT, sup_ref TEXT);
INSERT INTO property VALUES ('D1', NULL, 'DOV');
INSERT INTO repair VALUES (1, 'D1', CAST(X'4DFC6C6C6572' AS TEXT), 'done', '1.00'), (2, 'D1', CAST(X'533200' AS TEXT), 'done', '1.00'),
  (3, 'D1', 7.0, 'done', '1.00'), (4, 'D1', 8, 'done', '1.00');
INSERT INTO supplier VALUES (CAST(X'4DFC6C6C6572' AS TEXT), 'encoded', NULL, NULL), (CAST(X'533200' AS TEXT), 'ended', NULL, NULL),
  (7.0, 'pointed', NULL, NULL), ('8', 'whole', NULL, NULL);
";

#[tokio::test]
async fn a_supplier_is_needed_whatever_an_old_file_keeps_its_reference_in() {
    let source = Base::make(Engine::Sqlite, ODD).await;
    let dover = Base::make(Engine::Sqlite, TARGET).await;
    let repairing = MAP
        .replace(
            "ref = \"sup_ref\"",
            "ref = { from = \"sup_ref\", repair = true }",
        )
        .replace(
            "lookup = \"supplier\", bad",
            "lookup = \"supplier\", repair = true, bad",
        );
    let repairing = read_map("maps/needs.toml", &repairing);
    let repairing = repairing.unwrap_or_else(|faults| panic!("{:?}", faults.faults));
    copy_by(repairing, &source, &dover, "dover").await;
    let suppliers = column(&dover, "SELECT name FROM supplier ORDER BY name").await;
    assert_eq!(suppliers, ["encoded", "ended", "pointed", "whole"]);
}
