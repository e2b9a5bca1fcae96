//! What people are told of servers: where they are without any password, and what is wrong with them
//! without any value of a row.

use std::path::Path;

use handover::orgdb::{Address, DbTrouble, OrgReader, Sql};

use super::bases::{Base, Engine};

#[test]
fn an_address_never_shows_its_password_and_says_what_is_wrong_with_it() {
    let here = Path::new(".");
    let address = Address::parse(
        "postgres://clerk:hush@db.example:5433/homes?sslmode=require",
        here,
    );
    let shown = address.unwrap().to_string();
    assert_eq!(shown, "postgres://clerk@db.example:5433/homes");
    for (text, says) in [
        ("oracle://x/y", "a database address starts with"),
        ("postgres://clerk:hush@db.example", "names no database"),
        ("postgres://clerk:hu sh@[/homes", "it is no URL"),
    ] {
        let fault = Address::parse(text, here).unwrap_err().to_string();
        assert!(fault.contains(says), "{text}: {fault}");
        assert!(!fault.contains("hu"), "{fault}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_and_a_database_that_is_not_there_are_told_apart() {
    let nowhere = Address::parse(
        "postgres://nobody@localhost/x?host=%2Fnowhere",
        Path::new("."),
    );
    let fault = OrgReader::open("dover", &nowhere.unwrap())
        .await
        .err()
        .unwrap();
    assert!(
        matches!(fault.trouble, DbTrouble::Unreachable(_)),
        "{fault}"
    );
    let base = Base::make(Engine::Postgres, "SELECT 1").await;
    let Address::Postgres(options) = base.address.clone() else {
        panic!("not a server");
    };
    let elsewhere = Address::Postgres(Box::new(options.database("elsewhere")));
    let fault = OrgReader::open("dover", &elsewhere).await.err().unwrap();
    assert_eq!(fault.trouble, DbTrouble::Missing);
}

#[tokio::test]
async fn a_refusal_names_table_and_rule_and_no_value() {
    let base = Base::make(
        Engine::Postgres,
        "CREATE TABLE tenant (id integer PRIMARY KEY, surname text NOT NULL UNIQUE,
           CONSTRAINT born CHECK (surname <> 'Nobody'));
         INSERT INTO tenant VALUES (1, 'Canary-Surname');",
    )
    .await;
    let writer = base.bare_writer().await;
    for (statement, kind, on) in [
        (
            "INSERT INTO tenant VALUES (2, 'Canary-Surname')",
            "unique",
            "tenant.tenant_surname_key",
        ),
        (
            "INSERT INTO tenant VALUES (2, NULL)",
            "not null",
            "tenant.surname",
        ),
        (
            "INSERT INTO tenant VALUES (2, 'Nobody')",
            "check",
            "tenant.born",
        ),
        (
            "INSERT INTO tenant VALUES ('Canary-Surname', 'x')",
            "type",
            "",
        ),
    ] {
        let refused = writer
            .with(move |link| link.script(&Sql::new(statement)))
            .await;
        let trouble = refused.unwrap_err().trouble;
        let wanted = DbTrouble::Constraint {
            kind,
            on: on.to_owned(),
        };
        assert_eq!(trouble, wanted, "{statement}");
        assert!(!trouble.words().contains("Canary"), "{}", trouble.words());
    }
    let missing = writer.with(|link| link.script(&Sql::new("SELECT * FROM nowhere")));
    assert_eq!(
        missing.await.unwrap_err().trouble,
        DbTrouble::NoSuch("nowhere".to_owned())
    );
}
