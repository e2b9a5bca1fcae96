//! `data-copy` and `verify`: what the house of one ALMO comes to in two councils, and what a
//! verification sees of it.

use std::path::Path;

use handover::machine::event::UndoMode;
use handover::orgdb::{Address, OrgReader};
use handover::plan::model::{DataCopy, Indexes, Step, StepSpec, Triggers, Verify, VerifyCheck};
use handover::plan::outline::Undo;
use handover::steps::{Output, check, preview, run, undo};

use crate::engines::bases::{Base, Engine};

use super::world::{ALMO, DOVER, THANET, World, map, same, step};

pub(super) const MAP: &str = r#"
[owner]
DOV = "dover"
THA = "thanet"
[relation]
"tenagree.prop_ref" = "property.prop_ref"
[code.level]
values = { 1 = "block", 3 = "dwelling" }
[code.tenure]
values = { SEC = "secure" }
[table.asset]
from = "property"
key = ["prop_ref"]
id = "asset_id"
[table.asset.column]
asset_ref = "prop_ref"
level = { from = "level_code", code = "level" }
type = { constant = "house" }
owner_org_id = { fill = "target-org" }
landlord_org_id = { fill = "target-org" }
manager_org_id = { fill = "source-org" }
source_ref = { fill = "source-key" }
loaded_run_id = { fill = "run" }
[table.tenancy]
from = "tenagree"
key = ["tag_ref"]
id = "tenancy_id"
[table.tenancy.column]
tenancy_ref = "tag_ref"
asset_id = { from = "prop_ref", lookup = "asset", required = true }
landlord_org_id = { fill = "target-org" }
tenure_code = { from = "tenure", code = "tenure" }
starts_on = { from = "cot", as = "date", required = true }
source_ref = { fill = "source-key" }
loaded_run_id = { fill = "run" }
[table.account]
from = "tenagree"
key = ["tag_ref"]
id = "account_id"
[table.account.column]
kind = { constant = "rent" }
tenancy_id = { from = "tag_ref", lookup = "tenancy", required = true }
balance = { from = "cur_bal", as = "money", required = true }
source_ref = { fill = "source-key" }
loaded_run_id = { fill = "run" }
"#;

pub(super) const ROWS: &str = "INSERT INTO property (prop_ref, level_code, owner_conf) VALUES
    ('D1          ', '3', 'DOV'), ('D2          ', '3', 'DOV'), ('T1          ', '3', 'THA'), ('X1          ', '3', '???');
  INSERT INTO tenagree (tag_ref, prop_ref, tenure, cot, cur_bal) VALUES
    ('000001/01  ', 'D1', 'SEC', '2001-01-01', '612480.17'), ('000002/01  ', 'D2', 'SEC', '2002-01-01', '-0.20'),
    ('000003/01  ', 'T1', 'SEC', '2003-01-01', '7.00'), ('000004/01  ', 'D1', 'SEC', '31/02/2020', '5.00');";

pub(super) fn copy(target: &str, triggers: Option<Triggers>) -> Step {
    let does = DataCopy {
        source: ALMO.into(),
        target: target.into(),
        map: map(MAP),
        map_path: "maps/test.toml".to_owned(),
        tables: vec!["property".to_owned(), "tenagree".to_owned()],
        split: Some("property.owner_conf".to_owned()),
        triggers,
        indexes: Indexes::Keep,
    };
    let id = format!("copy-homes/{target}");
    Step {
        name: "copy-homes".into(),
        org: Some(target.into()),
        ..step(&id, StepSpec::DataCopy(does), Undo::Automatic)
    }
}

/// Copies to Dover and to Thanet, and a verification of Dover's.
pub(super) fn world() -> World {
    let verify = Verify {
        source: ALMO.into(),
        targets: vec![DOVER.into()],
        copies: vec!["copy-homes/dover".into(), "copy-homes/thanet".into()],
        catch_ups: Vec::new(),
        checks: vec![
            VerifyCheck::RowCounts,
            VerifyCheck::KeyedDigests,
            VerifyCheck::SumOf {
                table: "tenagree".to_owned(),
                column: "cur_bal".to_owned(),
            },
            VerifyCheck::LandsOnce {
                table: "property".to_owned(),
            },
        ],
    };
    World::of(
        ROWS,
        vec![
            copy(DOVER, None),
            copy(THANET, None),
            step("verify", StepSpec::Verify(verify), Undo::Nothing),
        ],
    )
}

pub(super) async fn copied() -> World {
    let mut world = world();
    for at in [0, 1] {
        world.run(at, 1).await;
        world.remember(at, 1);
    }
    world
}

/// The rules that failed, with what is there instead.
async fn failures(world: &World) -> Vec<(String, String)> {
    let (act, _heard) = world.act(2, 1).await;
    let fault = run(&act).await.unwrap_err();
    assert_eq!(fault.code, "HO515");
    let failed = fault.checks.iter();
    failed
        .map(|check| (check.rule.to_string(), check.actual.clone()))
        .collect()
}

#[tokio::test]
async fn a_council_receives_its_own_homes_and_no_others() {
    let world = copied().await;
    let refs = |org: &str| world.rows(org, "SELECT asset_ref FROM asset ORDER BY 1");
    assert_eq!(refs(DOVER), [["D1"], ["D2"]]);
    assert_eq!(refs(THANET), [["T1"]]);
}

#[tokio::test]
async fn a_sound_copy_passes_every_check() {
    let world = copied().await;
    let Output::Done { checks, .. } = world.run(2, 1).await else {
        panic!("a verification holds for nobody")
    };
    let money = checks.iter().find(|check| check.rule.starts_with("sum of"));
    assert_eq!(money.map(|check| check.actual.as_str()), Some("£612479.97"));
    assert!(
        checks
            .iter()
            .any(|check| &*check.rule == "every property lands once")
    );
}

#[tokio::test]
async fn a_penny_that_moved_is_seen() {
    let world = copied().await;
    world.sql(
        DOVER,
        "UPDATE account SET balance = '612480.18' WHERE balance = '612480.17'",
    );
    let failed = failures(&world).await;
    assert!(
        failed.contains(&(
            "sum of tenagree.cur_bal at dover".into(),
            "£612479.98".into()
        )),
        "{failed:?}"
    );
    assert!(
        failed
            .iter()
            .any(|(rule, _)| rule.starts_with("keyed digests")),
        "{failed:?}"
    );
}

#[tokio::test]
async fn a_home_that_is_in_two_councils_or_in_none_is_seen() {
    let world = copied().await;
    world.sql(
        THANET,
        "UPDATE asset SET source_ref = 'D1' WHERE asset_ref = 'T1'",
    );
    let failed = failures(&world).await;
    assert_eq!(
        failed,
        [(
            "every property lands once".into(),
            "1 rows in two places".into()
        )]
    );
    world.sql(THANET, "UPDATE asset SET source_ref = 'T1'");
    world.sql(
        DOVER,
        "PRAGMA foreign_keys = OFF; DELETE FROM asset WHERE asset_ref = 'D2'",
    );
    let failed = failures(&world).await;
    assert!(
        failed.contains(&("every property lands at dover".into(), "1 rows".into())),
        "{failed:?}"
    );
}

#[tokio::test]
async fn a_copy_that_has_not_run_is_not_verified() {
    let world = world();
    let (act, _heard) = world.act(2, 1).await;
    assert_eq!(run(&act).await.unwrap_err().code, "HO535");
}

#[tokio::test]
async fn a_code_without_a_pair_is_found_before_and_refused_after_signing() {
    let world = world();
    world.sql(
        ALMO,
        "UPDATE tenagree SET tenure = 'DEM' WHERE prop_ref = 'D1'",
    );
    let found = check(&world.look(0).await).await.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].code, found[0].stops), ("HO310", true));
    let before = world.everything();
    let (act, _heard) = world.act(0, 1).await;
    let fault = run(&act).await.unwrap_err();
    assert_eq!(fault.code, "HO511");
    assert!(fault.rows > 0);
    same(&world.everything(), &before, "refused");
    assert!(
        check(&world.look(1).await).await.unwrap().is_empty(),
        "Thanet has no such row"
    );
}

#[tokio::test]
async fn triggers_of_a_council_are_decided_upon_before_anything_is_loaded() {
    let world = world();
    world.sql(
        DOVER,
        "CREATE TRIGGER letter AFTER INSERT ON tenancy BEGIN SELECT 1; END",
    );
    let found = check(&world.look(0).await).await.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (found[0].code, found[0].about.as_str()),
        ("HO514", "tenancy.letter")
    );
}

#[tokio::test]
async fn tables_are_filled_under_a_lock_only_on_postgres_and_by_whoever_owns_them() {
    let mut world = world();
    let plan = std::sync::Arc::get_mut(&mut world.plan).unwrap();
    if let StepSpec::DataCopy(copy) = &mut plan.steps[0].does {
        copy.indexes = Indexes::RebuildLocked;
    }
    let mut look = world.look(0).await;
    let found = check(&look).await.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].code, found[0].stops), ("HO544", true));

    let base = Base::make(
        Engine::Postgres,
        "CREATE TABLE organisation (org_id text PRIMARY KEY);
         CREATE TABLE asset (asset_id text PRIMARY KEY, owner_org_id text REFERENCES organisation);
         CREATE TABLE tenancy (tenancy_id text PRIMARY KEY, asset_id text REFERENCES asset);
         CREATE TABLE account (account_id text PRIMARY KEY, tenancy_id text REFERENCES tenancy);
         CREATE ROLE tenant LOGIN;
         GRANT SELECT ON ALL TABLES IN SCHEMA public TO tenant",
    )
    .await;
    let tenant = base.url.replace("//postgres@", "//tenant@");
    let tenant = Address::parse(&tenant, Path::new(".")).unwrap();
    let reader = OrgReader::open(DOVER, &tenant).await.unwrap();
    let readers = std::sync::Arc::make_mut(&mut look.readers);
    readers.insert(DOVER.into(), reader);
    let barred = async |look| {
        let found = check(look).await.unwrap();
        let barred = found.into_iter().filter(|one| one.code == "HO544");
        barred.map(|one| one.about).collect::<Vec<String>>()
    };
    let tables = ["account", "asset", "tenancy", "organisation"];
    assert_eq!(barred(&look).await, tables);
    base.does(
        "ALTER TABLE account OWNER TO tenant; ALTER TABLE asset OWNER TO tenant;
         ALTER TABLE tenancy OWNER TO tenant; GRANT UPDATE, REFERENCES ON organisation TO tenant",
    )
    .await;
    assert!(barred(&look).await.is_empty());
    // A role is the server's: it would stand in the way of whoever makes one of that name next.
    base.does("DROP OWNED BY tenant CASCADE; DROP ROLE tenant")
        .await;
}

#[tokio::test]
async fn a_schema_that_changed_is_found_table_by_column() {
    let world = world();
    world.sql(DOVER, "ALTER TABLE account ADD COLUMN must TEXT NOT NULL DEFAULT ''; ALTER TABLE account DROP COLUMN source_ref");
    world.sql(ALMO, "ALTER TABLE tenagree DROP COLUMN cot");
    let found = check(&world.look(0).await).await.unwrap();
    let about: Vec<(&str, &str)> = found
        .iter()
        .map(|one| (one.code, one.about.as_str()))
        .collect();
    assert_eq!(
        about,
        [("HO521", "tenagree.cot"), ("HO521", "account.source_ref")]
    );
}

#[tokio::test]
async fn each_council_is_foretold_its_own_rows_and_nobodys_are_counted_once() {
    let world = world();
    let dover = preview(&world.look(0).await).await.unwrap();
    let tenancies = &dover.counts["dover"]["tenancy"];
    assert_eq!((tenancies.copied, tenancies.routed()), (2, 3));
    assert_eq!(dover.unrouted["property"].values().sum::<u64>(), 1);
    let other = preview(&world.look(1).await).await.unwrap();
    assert!(other.unrouted.is_empty());
}

#[tokio::test]
async fn a_forecast_is_remembered_only_for_as_long_as_the_source_stays_as_it_is() {
    let world = world();
    let look = world.look(0).await;
    let before = preview(&look).await.unwrap();
    assert_eq!(preview(&look).await.unwrap(), before);
    world.sql(ALMO, "DELETE FROM tenagree");
    let after = preview(&look).await.unwrap();
    assert_eq!(before.counts["dover"]["tenancy"].routed(), 3);
    assert_eq!(after.counts["dover"]["tenancy"].routed(), 0);
}

#[tokio::test]
async fn an_edited_tenancy_is_reported_before_it_is_undone() {
    let world = copied().await;
    world.sql(
        DOVER,
        "UPDATE tenancy SET rent_group = 'HRA' WHERE tenancy_ref = '000001/01'",
    );
    let (act, _heard) = world.act(0, 1).await;
    let fault = undo(&act, UndoMode::Refuse).await.unwrap_err();
    assert_eq!((fault.code, fault.about.as_str()), ("HO527", "tenancy"));
    let undone = undo(&act, UndoMode::Force).await.unwrap();
    assert_eq!((undone.removed, undone.reported), (6, 1));
    assert!(world.rows(DOVER, "SELECT * FROM asset").is_empty());
}

/// The same town with the proof of its parts in place of all other checks.
async fn parted() -> World {
    let mut world = world();
    let plan = std::sync::Arc::get_mut(&mut world.plan).unwrap();
    if let StepSpec::Verify(verify) = &mut plan.steps[2].does {
        verify.checks = vec![VerifyCheck::PartsAddUp];
        verify.targets = vec![DOVER.into(), THANET.into()];
    }
    for at in [0, 1] {
        world.run(at, 1).await;
        world.remember(at, 1);
    }
    world
}

#[tokio::test]
async fn the_parts_of_a_split_add_up_to_the_source_line_by_line_and_to_the_penny() {
    let world = parted().await;
    let Output::Done { checks, .. } = world.run(2, 1).await else {
        panic!("a verification holds for nobody")
    };
    let told = |rule: &str| {
        let mut found = checks.iter().filter(|check| &*check.rule == rule);
        let check = found.next().unwrap_or_else(|| panic!("{rule}: {checks:?}"));
        check.actual.clone()
    };
    assert!(told("part of tenancy for dover from ekh").starts_with("3 lines, digests "));
    assert!(told("part of tenancy for thanet from ekh").starts_with("1 lines, digests "));
    assert!(told("parts of tenancy of ekh").starts_with("4 lines, digests "));
    assert!(told("parts of asset of ekh").starts_with("4 lines, digests "));
    assert_eq!(told("nobody's of asset of ekh"), "1 lines, unknown owner");
    assert_eq!(
        told("stays behind of tenancy for dover from ekh"),
        "1 rejected, HO502 starts_on"
    );
    // The amount of the tenancy that stays behind is in the source's sum, and told.
    assert_eq!(told("parts of account.balance of ekh"), "£612491.97");
    for check in &checks {
        assert_eq!(check.expected, check.actual, "{}", check.rule);
    }
}

#[tokio::test]
async fn a_line_that_changed_hands_or_a_penny_that_is_gone_breaks_the_proof() {
    let world = parted().await;
    world.sql(
        ALMO,
        "UPDATE property SET owner_conf = 'THA' WHERE rtrim(prop_ref) = 'D2'",
    );
    let failed = failures(&world).await;
    let rules: Vec<&str> = failed.iter().map(|(rule, _)| rule.as_str()).collect();
    for rule in [
        "part of asset for dover from ekh",
        "part of asset for thanet from ekh",
        "parts of asset of ekh",
    ] {
        assert!(rules.contains(&rule), "{rules:?}");
    }
    world.sql(
        ALMO,
        "UPDATE property SET owner_conf = 'DOV' WHERE rtrim(prop_ref) = 'D2'",
    );
    world.sql(
        DOVER,
        "UPDATE account SET balance = '-0.21' WHERE balance = '-0.20'",
    );
    let failed = failures(&world).await;
    let rules: Vec<&str> = failed.iter().map(|(rule, _)| rule.as_str()).collect();
    assert_eq!(
        rules,
        [
            "part of account.balance for dover from ekh",
            "parts of account.balance of ekh"
        ]
    );
    assert_eq!(failed[1].1, "£612491.96");
}

#[tokio::test]
async fn a_proof_of_parts_needs_every_part() {
    let mut world = world();
    let plan = std::sync::Arc::get_mut(&mut world.plan).unwrap();
    if let StepSpec::Verify(verify) = &mut plan.steps[2].does {
        verify.checks = vec![VerifyCheck::PartsAddUp];
        verify.copies.pop();
    }
    let found = check(&world.look(2).await).await.unwrap();
    assert_eq!(
        (found[0].code, found[0].about.as_str()),
        ("HO535", "copy-homes/thanet")
    );
}
