//! The least rights that the docs name are enough: an account that has them, and no more, copies,
//! verifies, undoes and closes; and the docs name those.

use std::path::Path;

use handover::copy::fault::LoadFault;
use handover::copy::load::{Load, load};
use handover::copy::{ledger, undo, verify};
use handover::machine::event::UndoMode;
use handover::orgdb::{Address, OrgReader, OrgWriter};
use handover::plan::model::Triggers;

use super::bases::{Base, Engine};
use super::rows::{self, TARGET, deed, what};
use super::undoing::{OURS, empty, number};

/// What `docs/postgresql.md` and `docs/mariadb.md` say for a target; `{db}` stands for the database.
const POSTGRES: &str = "
CREATE ROLE clerk LOGIN;
GRANT CONNECT ON DATABASE {db} TO clerk;
GRANT USAGE ON SCHEMA public TO clerk;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO clerk;
CREATE SCHEMA handover AUTHORIZATION clerk;";
const MARIADB: &str = "
CREATE USER clerk@localhost;
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, TRIGGER ON {db}.* TO clerk@localhost;";

/// A writer that does what an account with these rights may; the fence is as it was.
pub(super) async fn account(target: &Base, name: &str, rights: &str) -> OrgWriter {
    let server = target.engine.server().unwrap();
    let rights = rights.replace("{db}", target.name());
    server.ask(target.name(), &rights).unwrap();
    let admin = match target.engine {
        Engine::Postgres => "postgres",
        _ => "root",
    };
    let url = target
        .url
        .replace(&format!("//{admin}@"), &format!("//{name}@"));
    let address = Address::parse(&url, Path::new(".")).unwrap();
    OrgWriter::open("base", &address).await.unwrap()
}

#[tokio::test]
async fn an_account_with_the_rights_that_the_docs_name_carries_a_copy_there_and_back() {
    for (engine, rights, admin) in [
        (Engine::Postgres, POSTGRES, "postgres"),
        (Engine::Mariadb, MARIADB, "root"),
    ] {
        let source = rows::source(Engine::Sqlite).await;
        let target = Base::make(engine, TARGET).await;
        let before = target.everything().await;
        let server = engine.server().unwrap();
        let url = target.url.clone();
        let database = url.split(['/', '?']).nth(3).unwrap();
        let granted = rights.replace("{db}", database);
        server.ask(database, &granted).unwrap();
        let clerk = url.replace(&format!("//{admin}@"), "//clerk@");
        let clerk = Address::parse(&clerk, Path::new(".")).unwrap();
        let writer = OrgWriter::open("base", &clerk).await.unwrap();
        ledger::prepare(&writer).await.unwrap();
        ledger::raise_fence(&writer, deed().run, 1, 10)
            .await
            .unwrap();
        let reader = source.reader().await;
        let loaded = load(&reader, &writer, what(), &deed(), |_| {}).await;
        assert_eq!(loaded.unwrap().datasets["line"].copied, 400, "{engine:?}");
        let reader = OrgReader::open("base", &clerk).await.unwrap();
        let seen = verify::digests(&reader, &deed()).await.unwrap();
        assert_eq!((seen.rows, seen.differing), (440, 0), "{engine:?}");
        let undone = undo::undo(&writer, &deed(), UndoMode::Refuse).await;
        assert_eq!(undone.unwrap().removed, 440, "{engine:?}");
        ledger::remove_run(&writer, deed().run).await.unwrap();
        assert_eq!(target.everything().await, before, "{engine:?}");
        let left = match engine {
            Engine::Postgres => "SELECT count(*) FROM pg_namespace WHERE nspname = 'handover'",
            _ => {
                "SELECT count(*) FROM information_schema.tables WHERE table_name LIKE 'handover%' AND table_schema = DATABASE()"
            }
        };
        assert_eq!(
            server.ask(database, left).unwrap().trim(),
            "0",
            "{engine:?}"
        );
    }
}

/// Without the right TRIGGER a server says that a table has none, whatever it has.
#[tokio::test]
async fn triggers_that_an_account_is_not_shown_are_decided_upon_and_told_of_each_row() {
    let target = empty(Engine::Mariadb).await;
    let audit = "CREATE TABLE audit (line_id bigint);
        CREATE TRIGGER gone AFTER DELETE ON line FOR EACH ROW INSERT INTO audit VALUES (OLD.line_id)";
    target.does(audit).await;
    let rights = "CREATE USER reeve@localhost;
        GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, LOCK TABLES ON {db}.* TO reeve@localhost;";
    let writer = account(&target, "reeve", rights).await;
    let seen = writer.reader().await.unwrap().catalogue().await.unwrap();
    assert!(seen.tables["account"].triggers_hidden);
    // Some servers tell such an account the name of a trigger, and no more.
    let line = &seen.tables["line"];
    assert!(line.triggers_hidden || line.triggers["gone"].is_empty());
    let seen = target.reader().await.catalogue().await.unwrap();
    assert!(seen.tables.values().all(|table| !table.triggers_hidden));
    ledger::prepare(&writer).await.unwrap();
    let ours = deed();
    ledger::raise_fence(&writer, ours.run, 1, 10).await.unwrap();
    let base = rows::source(Engine::Sqlite).await;
    let source = base.reader().await;
    let refused = load(&source, &writer, what(), &ours, |_| {}).await;
    let undecided = matches!(refused, Err(LoadFault::Data { code: "HO514", .. }));
    assert!(undecided, "{refused:?}");
    let fire = Load {
        triggers: Some(Triggers::Fire),
        ..what()
    };
    load(&source, &writer, fire, &ours, |_| {}).await.unwrap();
    let back = undo::undo(&writer, &ours, UndoMode::Refuse).await.unwrap();
    assert_eq!((back.removed, back.refused), (OURS, false));
    assert_eq!(number(&target, "SELECT count(*) FROM audit").await, 400);
    let emptied = "SELECT count(*) FROM handover_undo WHERE head LIKE '%emptying%'";
    assert_eq!(number(&target, emptied).await, 0);
}

#[test]
fn the_page_of_each_server_names_these_rights() {
    let postgresql = include_str!("../../../docs/postgresql.md");
    let mariadb = include_str!("../../../docs/mariadb.md");
    for (page, rights) in [(postgresql, POSTGRES), (mariadb, MARIADB)] {
        // Who the account is, is its server's business.
        let named = rights
            .replace("{db}", "housing")
            .replace("clerk@localhost", "clerk");
        for line in named
            .lines()
            .filter(|line| !line.starts_with("CREATE ROLE") && !line.starts_with("CREATE USER"))
        {
            assert!(page.contains(line), "{line}");
        }
    }
}
