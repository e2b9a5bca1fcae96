//! Servers with habits of their own: what an administrator has set must not change what is read or
//! written, nor end a session that waits for people.
//!
//! Not here: who may do what (`rights`).

use handover::demo::servers::{Durability, Kind, Server};
use handover::orgdb::{Address, OrgReader, OrgWriter, Sql, Value};

use super::bases::{Base, Engine};

#[tokio::test]
async fn a_session_on_postgresql_outlives_the_patience_of_its_server() {
    let base = Base::make(
        Engine::Postgres,
        "CREATE TABLE t (id {number} PRIMARY KEY);
         DO $$ BEGIN
           EXECUTE format('ALTER DATABASE %I SET idle_session_timeout = ''5min''', current_database());
           EXECUTE format('ALTER DATABASE %I SET statement_timeout = ''5min''', current_database());
           EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database());
         END $$",
    )
    .await;
    let asked =
        "SELECT current_setting('idle_session_timeout'), current_setting('statement_timeout')";
    let reader = base.reader().await;
    let told = reader.rows(Sql::new(asked), Vec::new()).await.unwrap();
    assert_eq!(told, [[Value::from("0"), Value::from("0")]]);
    let writer = base.bare_writer().await;
    let insert =
        |link: &handover::orgdb::Link| link.execute(&Sql::new("INSERT INTO t VALUES (1)"), &[]);
    assert_eq!(writer.with(insert).await.unwrap(), 1);
}

#[tokio::test]
async fn what_a_mariadb_is_set_to_changes_nothing_of_what_is_read_and_refused() {
    let server = Server::throw_away(Kind::Mariadb, Durability::Process).unwrap();
    for habit in [
        "foreign_key_checks = 0",
        "unique_checks = 0",
        "sql_select_limit = 1",
        "sql_safe_updates = 1",
        "completion_type = 'RELEASE'",
        "lc_messages = 'de_DE'",
    ] {
        server.ask("", &format!("SET GLOBAL {habit}")).unwrap();
    }
    server.create_database("habits").unwrap();
    server
        .ask(
            "habits",
            "CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1), (2);
             CREATE TABLE c (id int PRIMARY KEY, p int, FOREIGN KEY (p) REFERENCES p (id))",
        )
        .unwrap();
    let address = Address::parse(&server.url("habits"), std::path::Path::new("/")).unwrap();
    let reader = OrgReader::open("dover", &address).await.unwrap();
    let all = reader.rows(Sql::new("SELECT id FROM p"), Vec::new()).await;
    assert_eq!(all.unwrap().len(), 2, "rows were left out");
    let writer = OrgWriter::open("dover", &address).await.unwrap();
    let mut tx = writer.begin().await.unwrap();
    let orphan = Sql::new("INSERT INTO c VALUES (1, 9)");
    let refused = tx.execute(orphan, Vec::new()).await.unwrap_err();
    let words = refused.trouble.words();
    assert_eq!(words, "refused a row: foreign key on `c.p`");
    let many = Sql::new("INSERT INTO c (id) VALUES ('x')");
    let refused = tx.execute(many, Vec::new()).await.unwrap_err();
    assert_eq!(refused.trouble.words(), "refused a row: type on `c.id`");
    let all = Sql::new("UPDATE p SET id = id + 10");
    assert_eq!(tx.execute(all, Vec::new()).await.unwrap(), 2);
    tx.commit().await.unwrap();
    // The session is still there.
    writer.begin().await.unwrap().commit().await.unwrap();
}
