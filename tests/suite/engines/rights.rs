//! The least rights that the docs name are enough: an account that has them, and no more, copies,
//! verifies, undoes and closes.

use std::path::Path;

use handover::copy::load::load;
use handover::copy::{ledger, undo, verify};
use handover::machine::event::UndoMode;
use handover::orgdb::{Address, OrgReader, OrgWriter};

use super::bases::{Base, Engine};
use super::rows::{self, TARGET, deed, what};

/// What `docs/engines.md` says for a target on each server; `{db}` stands for the database.
const POSTGRES: &str = "
CREATE ROLE clerk LOGIN;
GRANT CONNECT ON DATABASE {db} TO clerk;
GRANT USAGE ON SCHEMA public TO clerk;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO clerk;
CREATE SCHEMA handover AUTHORIZATION clerk;";
const MARIADB: &str = "
CREATE USER clerk@localhost;
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP ON {db}.* TO clerk@localhost;";

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
