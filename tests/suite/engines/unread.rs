//! What a `PostgreSQL` server tells so that it need not be read again, and files read on two connections: a
//! catch-up still ends in what a fresh copy makes, whatever was done to the source meanwhile; and where a server
//! cannot be trusted, every line is read.

use std::process::Command;

use handover::copy::catch_up::{CatchUp, Caught, catch_up};
use handover::copy::load::load;
use handover::demo::servers::{Durability, Kind, Server};
use handover::orgdb::{OrgWriter, Sql, Tx};
use proptest::prelude::*;

use super::bases::{Base, Engine};
use super::catching::{later, told};
use super::rows::{self, LINES, SOURCE, TARGET, copy, deed, what};
use crate::cases::cases;

/// A server that nobody else is at work on: a transaction that is open anywhere in it is looked out for.
fn server() -> Server {
    let alone = ["-c", "autovacuum=off"].map(str::to_owned);
    Server::throw_away_with(Kind::Postgres, Durability::Process, &alone).unwrap()
}

async fn source(server: &Server) -> Base {
    let base = Base::on(server, Engine::Postgres, SOURCE);
    rows::filled(&base).await;
    base
}

/// What somebody does there; false where the server refuses.
async fn does(writer: &OrgWriter, text: String) -> bool {
    let text = Sql::new(Box::leak(text.into_boxed_str()));
    let done = writer.with(move |link| {
        let done = link.script(&text);
        // It may have begun a transaction of its own.
        drop(link.script(&Sql::new("ROLLBACK")));
        done
    });
    done.await.is_ok()
}

/// Catches up, and holds the target against a fresh copy; what came of the lines, and of the accounts.
async fn caught_up(source: &Base, target: &Base, number: u32) -> [Caught; 2] {
    let (reader, writer) = (source.reader().await, target.writer(&deed()).await);
    let since = (1..=number).map(|at| (later(at).step, 1)).collect();
    let work = CatchUp::with(what(), deed(), since);
    let caught = catch_up(&reader, &writer, work, &later(number), |_| {}).await;
    let fresh = Base::make(Engine::Sqlite, TARGET).await;
    copy(source, &fresh, &deed()).await.unwrap();
    let caught = caught.unwrap();
    assert_eq!(told(target).await, told(&fresh).await, "{caught:?}");
    ["line", "account"].map(|name| caught.datasets[name])
}

#[tokio::test]
async fn rows_that_nobody_touched_are_not_read_again() {
    let server = server();
    let (source, target) = (
        source(&server).await,
        Base::make(Engine::Sqlite, TARGET).await,
    );
    copy(&source, &target, &deed()).await.unwrap();
    let [lines, accounts] = caught_up(&source, &target, 1).await;
    assert_eq!((lines.lines, lines.read), (LINES.unsigned_abs(), 0));
    assert_eq!((accounts.lines, accounts.read), (40, 0));
    for statement in [
        "UPDATE line SET amount = '12.51' WHERE id = 4",
        "UPDATE line SET note = note WHERE id = 5",
        "DELETE FROM line WHERE id IN (6, 70, 399)",
        "INSERT INTO line (id, account_ref, posted, amount) VALUES (1000, 'A0001', '2020-05-02', '7.77')",
        "UPDATE account SET name = 'Renamed' WHERE ref = 'A0003'",
        "BEGIN; UPDATE line SET note = 'never' WHERE id > 100; ROLLBACK",
        "VACUUM FREEZE line",
    ] {
        source.does(statement).await;
    }
    for number in [2, 3] {
        let [lines, accounts] = caught_up(&source, &target, number).await;
        assert_eq!((lines.lines, lines.read), (398, 3), "{number}");
        assert_eq!(accounts.read, 1, "{number}");
        let changes = [lines.inserted, lines.changed, lines.removed];
        assert_eq!(changes, if number == 2 { [1, 1, 3] } else { [0; 3] });
    }
}

#[tokio::test]
async fn a_transaction_that_was_open_while_the_copy_looked_is_not_missed() {
    let server = server();
    let (source, target) = (
        source(&server).await,
        Base::make(Engine::Sqlite, TARGET).await,
    );
    let (committed, lost) = (source.bare_writer().await, source.bare_writer().await);
    let (mut committed, mut lost) = (
        committed.begin().await.unwrap(),
        lost.begin().await.unwrap(),
    );
    executes(&mut lost, "UPDATE line SET note = 'lost' WHERE id = 20").await;
    executes(&mut committed, "UPDATE line SET note = 'open' WHERE id = 1").await;
    executes(&mut committed, "SAVEPOINT within").await;
    // Its number is above that of the transaction around it.
    executes(&mut committed, "DELETE FROM line WHERE id = 2").await;
    executes(
        &mut committed,
        "INSERT INTO line (id, account_ref, posted, amount) VALUES (-5, 'A0001', '2020-05-02', '7.77')",
    )
    .await;
    source
        .does("UPDATE line SET note = 'before' WHERE id = 3")
        .await;
    copy(&source, &target, &deed()).await.unwrap();
    executes(&mut committed, "RELEASE within").await;
    executes(
        &mut committed,
        "UPDATE line SET note = 'later' WHERE id = 4",
    )
    .await;
    committed.commit().await.unwrap();
    drop(lost);
    let [lines, _] = caught_up(&source, &target, 1).await;
    // What was there before the copy looked, though it came behind one that was open, is read too.
    assert_eq!(lines.read, 4);
    assert_eq!([lines.inserted, lines.changed, lines.removed], [1, 2, 1]);
}

async fn executes(transaction: &mut Tx, text: &'static str) {
    let text = Sql::new(text);
    transaction
        .with(move |link| link.script(&text))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_row_that_hangs_on_one_that_goes_is_judged_again_though_nobody_touched_it() {
    let server = server();
    let (source, target) = (
        source(&server).await,
        Base::make(Engine::Sqlite, TARGET).await,
    );
    copy(&source, &target, &deed()).await.unwrap();
    source.does("DELETE FROM account WHERE ref = 'A0007'").await;
    let [lines, _] = caught_up(&source, &target, 1).await;
    assert_eq!(lines.removed, 10);
    source
        .does("INSERT INTO account (ref, name, opened) VALUES ('A0007', 'Back', '2020-05-01')")
        .await;
    let [lines, _] = caught_up(&source, &target, 2).await;
    // They could not go, and are read one by one.
    assert_eq!((lines.inserted, lines.read), (10, 10));
}

/// What a server is not trusted after: before the copy, and behind it.
const DOUBTS: [(&str, &str); 9] = [
    ("", "VACUUM FULL line"),
    (
        "",
        "BEGIN; CREATE TEMP TABLE kept AS SELECT * FROM line; TRUNCATE line;
         INSERT INTO line SELECT * FROM kept; COMMIT",
    ),
    (
        "",
        "ALTER TABLE line RENAME TO other; CREATE TABLE line (LIKE other INCLUDING ALL);
         INSERT INTO line SELECT * FROM other",
    ),
    ("", "SELECT pg_stat_reset_shared('archiver')"),
    ("", "ALTER TABLE line ENABLE ROW LEVEL SECURITY"),
    ("ALTER TABLE line ENABLE ROW LEVEL SECURITY", "SELECT 1"),
    (
        "",
        "CREATE TABLE heir () INHERITS (line);
         INSERT INTO heir SELECT id + 5000, account_ref, posted, amount FROM line WHERE id < 20",
    ),
    (
        "CREATE TYPE word AS ENUM ('fine', '0', 'none', 'é');
         ALTER TABLE line ALTER COLUMN note TYPE word USING CAST(replace(note, 'NULL', 'none') AS word)",
        "ALTER TYPE word RENAME VALUE 'fine' TO 'well'",
    ),
    (
        "ALTER TABLE line RENAME TO part; CREATE TABLE line (LIKE part) PARTITION BY RANGE (id);
         ALTER TABLE line ADD PRIMARY KEY (id); ALTER TABLE line ATTACH PARTITION part DEFAULT",
        "UPDATE line SET note = 'moved' WHERE id = 7",
    ),
];

#[tokio::test]
async fn where_the_server_cannot_be_trusted_every_line_is_read() {
    let server = server();
    for (before, behind) in DOUBTS {
        let (source, target) = (
            source(&server).await,
            Base::make(Engine::Sqlite, TARGET).await,
        );
        if !before.is_empty() {
            source.does(before).await;
        }
        let copied = copy(&source, &target, &deed()).await;
        assert!(copied.is_ok(), "{before}: {copied:?}");
        source.does(behind).await;
        let [lines, accounts] = caught_up(&source, &target, 1).await;
        assert_eq!(lines.read, lines.lines, "{before} {behind}");
        let others = if behind.contains("pg_stat_reset") {
            40
        } else {
            0
        };
        assert_eq!(accounts.read, others, "{before} {behind}");
    }
}

#[tokio::test]
async fn another_life_of_the_server_is_not_trusted() {
    let mut server = server();
    let (source, target) = (
        source(&server).await,
        Base::make(Engine::Sqlite, TARGET).await,
    );
    copy(&source, &target, &deed()).await.unwrap();
    // One of its processes dies, and the server begins again by itself, with commits lost that were not on disk.
    let base = source
        .url
        .rsplit('/')
        .next()
        .and_then(|name| name.split('?').next());
    let base = base.unwrap().to_owned();
    let pid = server
        .ask(
            &base,
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'",
        )
        .unwrap();
    let killed = Command::new("kill").args(["-9", pid.trim()]).status();
    assert!(killed.unwrap().success());
    while server.ask(&base, "SELECT 1").is_err() || same_process(&server, &base, &pid) {}
    let [lines, _] = caught_up(&source, &target, 1).await;
    assert_eq!(lines.read, lines.lines, "died and began again");
    let target = Base::make(Engine::Sqlite, TARGET).await;
    copy(&source, &target, &deed()).await.unwrap();
    server.start_again().unwrap();
    let [lines, _] = caught_up(&source, &target, 1).await;
    assert_eq!(lines.read, lines.lines, "restarted");
}

fn same_process(server: &Server, base: &str, pid: &str) -> bool {
    let text = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'";
    server.ask(base, text).is_ok_and(|now| now == pid)
}

#[tokio::test]
async fn a_copy_that_was_stopped_and_goes_on_reads_only_what_came_since() {
    let server = server();
    let (source, target) = (
        source(&server).await,
        Base::make(Engine::Sqlite, TARGET).await,
    );
    rows::dropped(&source, &target, what(), 4).await;
    for statement in [
        "UPDATE line SET note = 'changed' WHERE id IN (3, 300)",
        "DELETE FROM line WHERE id IN (5, 301)",
        "UPDATE account SET name = 'Renamed' WHERE ref = 'A0003'",
    ] {
        source.does(statement).await;
    }
    let (reader, writer) = (source.reader().await, target.writer(&deed()).await);
    load(&reader, &writer, what(), &deed(), |_| {})
        .await
        .unwrap();
    // Chunks of two looks stand now.
    source
        .does("UPDATE line SET note = 'again' WHERE id IN (3, 9, 300)")
        .await;
    let [lines, _] = caught_up(&source, &target, 1).await;
    assert_eq!(lines.read, 3);
}

/// Something that happens at the source, with two numbers that say to what; those that touch more than one
/// line wait for whoever holds one.
fn happening(kind: u8, one: u32, two: u32) -> (String, bool) {
    let line = one % 390 + u32::from(one.is_multiple_of(10));
    let account = format!("A{:04}", two % 42);
    let row = format!("{line}, '{account}', '2020-03-04', '{two}.50', 'n{two}'");
    let alone = |text: String| (text, false);
    match kind % 15 {
        0 => alone(format!("UPDATE line SET note = 'n{two}' WHERE id = {line}")),
        1 => alone(format!("UPDATE line SET account_ref = '{account}' WHERE id = {line}")),
        2 => alone(format!("DELETE FROM line WHERE id = {line}")),
        3 => alone(format!(
            "INSERT INTO line (id, account_ref, posted, amount, note) VALUES ({row}) ON CONFLICT DO NOTHING"
        )),
        4 => alone(format!(
            "BEGIN; DELETE FROM line WHERE id = {line};
             INSERT INTO line (id, account_ref, posted, amount, note) VALUES ({row}); COMMIT"
        )),
        5 => alone(format!("UPDATE line SET note = note WHERE id = {line}")),
        6 => alone(format!("UPDATE line SET id = id + 1000 WHERE id = {line}")),
        7 => alone(format!(
            "BEGIN; UPDATE line SET note = 'never' WHERE id = {line}; DELETE FROM account WHERE ref = '{account}'; ROLLBACK"
        )),
        8 => alone(format!(
            "BEGIN; SAVEPOINT one; DELETE FROM line WHERE id = {line}; ROLLBACK TO one; SAVEPOINT two;
             UPDATE line SET note = 'n{two}' WHERE id = {line}; RELEASE two; COMMIT"
        )),
        9 => ("VACUUM FREEZE line".to_owned(), false),
        10 => ("VACUUM FULL line".to_owned(), true),
        11 => (
            "BEGIN; CREATE TEMP TABLE kept AS SELECT * FROM line; TRUNCATE line;
             INSERT INTO line SELECT * FROM kept; COMMIT"
                .to_owned(),
            true,
        ),
        12 => alone(format!("UPDATE account SET name = 'n{two}' WHERE ref = '{account}'")),
        13 => alone(format!("DELETE FROM account WHERE ref = '{account}'")),
        _ => alone(format!(
            "INSERT INTO account (ref, name, opened) SELECT '{account}', 'n{two}', '2020-05-01'
             WHERE NOT EXISTS (SELECT 1 FROM account WHERE ref = '{account}')"
        )),
    }
}

/// Somebody who holds a line in an open transaction.
async fn hold(source: &Base, line: u32) -> Tx {
    let writer = source.bare_writer().await;
    let mut held = writer.begin().await.unwrap();
    let text = format!(
        "UPDATE line SET note = 'held {line}' WHERE id = {}; SAVEPOINT within;
         DELETE FROM line WHERE id = {}; RELEASE within",
        line % 20 * 20,
        line % 20 * 20 + 10
    );
    let text = Sql::new(Box::leak(text.into_boxed_str()));
    held.with(move |link| link.script(&text)).await.unwrap();
    held
}

type Happenings = Vec<(u8, u32, u32)>;

async fn lives_on(source: &Base, life: &Happenings, held: &mut Option<Tx>) {
    let writer = source.bare_writer().await;
    // In a file, whoever holds a line keeps everybody out.
    let kinds = if source.engine == Engine::Postgres {
        18
    } else {
        15
    };
    for (kind, one, two) in life {
        let kind = kind % kinds;
        match (kind, held.take()) {
            (15, None) => *held = Some(hold(source, *one).await),
            (16, Some(transaction)) => transaction.commit().await.unwrap(),
            (17, Some(transaction)) => drop(transaction),
            (0..15, others) => {
                let (text, wide) = happening(kind, *one, *two);
                // A key that is taken is refused, and nothing happens.
                if !(wide && others.is_some()) {
                    does(&writer, text).await;
                }
                *held = others;
            }
            (_, others) => *held = others,
        }
    }
}

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn however_a_source_lives_on_every_catch_up_ends_in_what_a_fresh_copy_makes(
        file in any::<bool>(),
        before in prop::collection::vec((0..18_u8, 0..400_u32, 0..400_u32), 0..6),
        lives in prop::collection::vec(
            prop::collection::vec((0..18_u8, 0..400_u32, 0..400_u32), 0..12), 1..4),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            // A file of so many chunks is read on two connections.
            let source = rows::source(if file { Engine::Sqlite } else { Engine::Postgres }).await;
            let target = Base::make(Engine::Sqlite, TARGET).await;
            let mut held = None;
            lives_on(&source, &before, &mut held).await;
            copy(&source, &target, &deed()).await.unwrap();
            for (number, life) in (1..).zip(&lives) {
                lives_on(&source, life, &mut held).await;
                caught_up(&source, &target, number).await;
            }
        });
    }
}
