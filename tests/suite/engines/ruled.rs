//! A split by rules through the real binary: rules that leave something open are told at their lines and
//! stop the copy; mended ones are previewed, run, proved and rolled back to the row.

use super::bases::{Base, Engine};
use super::small::{SOURCE, Small, TARGET};
use handover::orgdb::Sql;

async fn homes(base: &Base) -> Vec<String> {
    let query = Sql::new("SELECT ref FROM property");
    let rows = base.reader().await.rows(query, Vec::new()).await.unwrap();
    let text = |row: &Vec<handover::orgdb::Value>| row[0].text().unwrap_or("-").to_owned();
    let mut homes: Vec<String> = rows.iter().map(text).collect();
    homes.sort();
    homes
}

async fn played(engine: Engine) {
    let source = Base::make(engine, SOURCE).await;
    let (dover, thanet) = (
        Base::make(engine, TARGET).await,
        Base::make(engine, TARGET).await,
    );
    let before = (dover.everything().await, thanet.everything().await);
    let small = Small::new(vec![
        ("ALMO_DB", source.url.clone()),
        ("DOVER_DB", dover.url.clone()),
        ("THANET_DB", thanet.url.clone()),
    ]);

    let said = small.ends("check .", 3);
    for words in [
        "HO548 in maps/homes.toml, line 7, column 1",
        "rules of `dover` and `thanet` take the same rows of `property`, 1 in all: those at lines 3 and 7",
        "HO547 in maps/homes.toml, line 3, column 9",
        "rows of `property` pass no rule of `[[split.property]]`: 1 in all",
    ] {
        assert!(said.contains(words), "{engine:?}: no `{words}` in\n{said}");
    }
    let said = small.ends("preview . --out open.preview", 3);
    for words in ["HO548", "no rule 2", "claimed by dover and thanet 2"] {
        assert!(said.contains(words), "{engine:?}: no `{words}` in\n{said}");
    }

    small.edit(
        "maps/homes.toml",
        "{ column = \"sold\", blank = true }",
        "{ column = \"sold\", blank = true }, { column = \"post_code\", not = [\"CT9 1AA\"] }",
    );
    let said = small.ends("check .", 0);
    assert!(said.contains("HO547"), "{engine:?}: {said}");
    small.edit(
        "maps/homes.toml",
        "\n[relation]",
        "[[split.property]]\nowner = \"dover\"\notherwise = true\n\n[relation]",
    );
    let said = small.ends("check .", 0);
    assert!(!said.contains("HO54"), "{engine:?}: {said}");

    small.runs();
    assert_eq!(homes(&dover).await, ["10001", "D4"], "{engine:?}");
    assert_eq!(homes(&thanet).await, ["10002", "D3"], "{engine:?}");
    small.ends("export . --as reconciliation --to pack", 0);
    let pack = std::fs::read_to_string(small.path().join("pack/reconciliation.txt")).unwrap();
    assert!(pack.contains("£15.00"), "{engine:?}: {pack}");

    small.ends("rollback . --to copy --preview --out back.preview", 0);
    for council in ["dover", "thanet"] {
        let yes = format!("approve back.preview --as housing@{council} --reason read");
        small.tell(&yes);
    }
    let plan = small.path().file_name().unwrap().to_str().unwrap();
    let said = small.ends(
        &format!("rollback . --signed back.preview --confirm {plan}"),
        0,
    );
    assert!(said.contains("Rolled back"), "{engine:?}: {said}");
    for (base, before) in [(&dover, &before.0), (&thanet, &before.1)] {
        let after = base.everything().await;
        for (table, rows) in before {
            assert_eq!(&after[table], rows, "{table}, {engine:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_split_by_rules_goes_there_and_back_in_files() {
    played(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_split_by_rules_goes_there_and_back_on_postgresql() {
    played(Engine::Postgres).await;
}
