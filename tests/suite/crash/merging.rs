//! Four councils merged into one organisation: every council has a home `01000000`, a contract `K00001`
//! and a tenant `00000001` of its own, and nobody's rows may ever be taken for another's.
//!
//! Plain SQL over the ended story; no code of the copier.

use std::sync::OnceLock;

use rusqlite::Connection;

use super::rows::{Held, differences};
use super::stage::{Said, Stage, begun_merge};
use super::sweep::chain;

/// A story that nobody disturbed, told to its end.
fn told() -> &'static (Stage, Held) {
    static TOLD: OnceLock<(Stage, Held)> = OnceLock::new();
    TOLD.get_or_init(|| {
        let stage = begun_merge().copy();
        let said = Said::of(stage.demo(None).output().unwrap());
        said.is(0, &[]);
        let (same, passed) = (said.text.matches("identical"), said.text.matches("PASS"));
        assert_eq!((same.count(), passed.count()), (5, 5), "{}", said.text);
        let held = stage.held();
        (stage, held)
    })
}

fn merged() -> Connection {
    Connection::open(told().0.path.join("data/ekh.db")).unwrap()
}

fn number(db: &Connection, query: &str) -> i64 {
    db.query_row(query, [], |row| row.get(0)).unwrap()
}

#[test]
fn every_council_keeps_its_own_home_of_the_same_reference() {
    let db = merged();
    let same = "SELECT count(DISTINCT source_system) FROM asset WHERE source_ref = '01000000'";
    assert_eq!(number(&db, same), 4);
    let owned = "SELECT count(*) FROM asset WHERE source_system <> owner_org_id";
    assert_eq!(number(&db, owned), 0);
}

#[test]
fn no_reference_leads_from_one_councils_rows_to_anothers() {
    let db = merged();
    let ways = [
        ("tenancy", "asset_id", "asset"),
        ("tenancy", "household_id", "household"),
        ("household", "asset_id", "asset"),
        ("account", "tenancy_id", "tenancy"),
        ("\"transaction\"", "account_id", "account"),
        ("work_order", "request_id", "repair_request"),
    ];
    for (child, column, parent) in ways {
        let key = match parent {
            "repair_request" => "request_id".to_owned(),
            parent => format!("{parent}_id"),
        };
        let both = format!("{child} AS c JOIN {parent} AS p ON p.{key} = c.{column}");
        let loaded = number(
            &db,
            &format!("SELECT count(*) FROM {both} WHERE c.loaded_run_id IS NOT NULL"),
        );
        let astray =
            format!("SELECT count(*) FROM {both} WHERE c.source_system <> p.source_system");
        assert!(loaded > 0, "{child} leads to no {parent}");
        assert_eq!(number(&db, &astray), 0, "{child}.{column}");
    }
}

#[test]
fn contracts_and_employees_of_the_same_reference_are_told_apart() {
    let db = merged();
    for (table, column) in [("contract", "contract_ref"), ("employee", "employee_ref")] {
        let named = format!(
            "SELECT count(DISTINCT substr({column}, 1, instr({column}, ':'))) FROM {table}
             WHERE loaded_run_id IS NOT NULL AND {column} LIKE source_system || ':%'"
        );
        assert_eq!(number(&db, &named), 4, "{table}");
    }
}

#[test]
fn a_tenant_is_written_to_though_another_councils_tenant_has_the_same_number() {
    let db = merged();
    let people = "SELECT count(DISTINCT org) FROM handover_outbox WHERE person IN
                  (SELECT person FROM handover_outbox GROUP BY 1 HAVING count(*) = 4)";
    assert_eq!(number(&db, people), 4);
}

#[test]
fn a_reference_that_councils_share_is_told_before_anything_moves() {
    let stage = begun_merge().copy();
    let map = stage.path.join("maps/contracts.toml");
    let text = std::fs::read_to_string(&map).unwrap();
    std::fs::write(&map, text.replace(", namespace = true", "")).unwrap();
    let said = stage.tell(&["check", "."]);
    said.is(3, &["HO537", "contract_ref", "`namespace = true`"]);
    stage.tell(&["explain", "HO537"]).is(0, &["meet"]);
}

#[test]
fn people_whom_two_councils_know_are_proposed_and_decided_before_anything_moves() {
    let stage = begun_merge().copy();
    let path = stage.path.join("maps/homes.toml");
    let map = std::fs::read_to_string(&path).unwrap();
    let decides = "id = \"person_id\"\nnatural-key = [\"ni_no\"]\ncollision = \"decide\"";
    let map = map
        .replacen(
            "format = 1",
            "format = 1\ndecisions = \"maps/same.toml\"",
            1,
        )
        .replacen("id = \"person_id\"", decides, 1);
    std::fs::write(&path, map).unwrap();
    for council in ["canterbury", "dover"] {
        let db = Connection::open(stage.path.join(format!("data/{council}.db"))).unwrap();
        let known = "UPDATE member SET ni_no = 'QQ123456C' WHERE rowid =
             (SELECT m.rowid FROM member AS m JOIN househ AS h ON rtrim(h.house_ref) = rtrim(m.house_ref)
              JOIN property AS p ON rtrim(p.prop_ref) = rtrim(h.prop_ref)
              WHERE rtrim(p.owner_conf) = 'EKH' AND p.u_ghost_address IS NULL AND rtrim(coalesce(m.comp_avail, '')) <> 'DELETED'
              ORDER BY m.rowid LIMIT 1)";
        assert_eq!(db.execute(known, []).unwrap(), 1, "{council}");
    }
    stage
        .tell(&["check", "."])
        .is(3, &["HO545", "person.ni_no", "--propose FILE"]);
    stage
        .tell(&["check", ".", "--propose", "maps/same.toml"])
        .is(3, &["of rows to decide about written to maps/same.toml"]);
    let paper = stage.path.join("maps/same.toml");
    let proposed = std::fs::read_to_string(&paper).unwrap();
    assert!(proposed.contains("rows = [\"canterbury:"), "{proposed}");
    assert!(!proposed.contains("QQ123456C"), "{proposed}");
    stage
        .tell(&["check", ".", "--propose", "maps/same.toml"])
        .is(2, &["cannot be written"]);
    std::fs::write(&paper, proposed.replace("\"open\"", "\"different\"")).unwrap();
    // What is left is the code that the story meets on purpose.
    let said = stage.tell(&["check", "."]);
    said.is(3, &["HO310"]);
    assert!(!said.text.contains("HO545"), "{}", said.text);
}

#[test]
fn a_merge_killed_again_and_again_ends_with_the_same_rows() {
    let stage = begun_merge().copy();
    chain(&stage, "a chain of kills in a merge", (40, 90));
    let differences = differences(&told().1, &stage.held());
    assert!(differences.is_empty(), "{differences:#?}");
}
