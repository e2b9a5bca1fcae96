//! What stands in old databases and no map would make: days without end, columns of types that only one
//! server has, keys of bytes, triggers in a state of their own. A copy leaves them as they are and goes on behind
//! them, an undo puts them back.
//!
//! Not here: types that every housing system has (`types`).

use handover::copy::ledger::Pen;
use handover::copy::load::{Load, load};
use handover::copy::{undo, verify};
use handover::machine::event::UndoMode;
use handover::orgdb::{Ident, Sql, Value};
use handover::plan::model::Triggers;

use super::bases::{Base, Engine};
use super::rows::{self, TARGET, copy, deed, what};

#[tokio::test]
async fn a_row_with_days_without_end_is_put_back_as_it_was() {
    let base = Base::make(
        Engine::Postgres,
        "CREATE TABLE odd (id integer PRIMARY KEY, ends date, begins timestamptz, long_ago date, far date,
           farther timestamp, rate numeric, least numeric, most numeric, span interval, tags text[],
           net inet, bits bit(3), name text);
         INSERT INTO odd VALUES (1, 'infinity', '-infinity', '0044-03-15 BC', '20000-01-01',
           '20000-01-01 00:00:00.5', 'NaN', '-Infinity', 'Infinity', '1 day', '{a,\"b c\"}', '10.0.0.1/8',
           B'101', 'old'),
           (2, '-infinity', 'infinity', '0001-12-31 BC', NULL, NULL, NULL, NULL, NULL, NULL, '{}', NULL,
           NULL, 'old')",
    )
    .await;
    let before = base.everything().await;
    let (writer, deed) = (base.writer(&deed()).await, deed());
    let mut pen = Pen::begin(&writer, &deed, 1, "update:odd")
        .await
        .unwrap()
        .unwrap();
    let name = [(Ident::new("name"), Value::from("old"))];
    let renamed = [(Ident::new("name"), Value::from("new"))];
    let changed = pen.update(&Ident::new("odd"), &name, &renamed).await;
    assert_eq!(changed.unwrap(), 2);
    pen.commit().await.unwrap();
    let undone = undo::undo(&writer, &deed, UndoMode::Refuse).await.unwrap();
    assert_eq!(undone.restored, 2, "{undone:?}");
    assert_eq!(base.everything().await, before);
    let days = before["odd"].join(" ");
    assert_eq!(days.matches("\"infinity\"").count(), 2, "{days}");
    assert!(days.contains("\"-Infinity\""), "{days}");
    assert!(!days.contains("0043-03-15"), "{days}");
}

#[tokio::test]
async fn columns_that_only_postgresql_knows_keep_their_defaults_in_a_copy() {
    let shape = TARGET.replace(
        "own_mark {text} DEFAULT 'loaded'",
        "own_mark {text} DEFAULT 'loaded', tags text[] NOT NULL DEFAULT '{}', span interval DEFAULT '1 day',
         bits bit(3) DEFAULT B'101', net inet DEFAULT '10.0.0.0/8'",
    );
    let shape = shape.replace(
        "NULL, NULL, NULL, NULL);\n",
        "NULL, NULL, NULL, NULL, '{}', NULL, NULL, NULL);\n",
    );
    let source = rows::source(Engine::Sqlite).await;
    let target = Base::make(Engine::Postgres, &shape).await;
    let before = target.everything().await;
    let loaded = copy(&source, &target, &deed()).await.unwrap();
    assert_eq!(loaded.datasets["line"].copied, rows::LINES.cast_unsigned());
    let reader = target.reader().await;
    let seen = verify::digests(&reader, &deed()).await.unwrap();
    assert_eq!((seen.rows, seen.differing), (440, 0));
    let stands = target.everything().await["line"][1].clone();
    for default in ["\"{}\"", "\"P1D\"", "\"101\"", "\"10.0.0.0/8\""] {
        assert!(stands.contains(default), "{default}: {stands}");
    }
    let writer = target.writer(&deed()).await;
    undo::undo(&writer, &deed(), UndoMode::Refuse)
        .await
        .unwrap();
    assert_eq!(target.everything().await, before);
}

#[tokio::test]
async fn triggers_that_were_set_aside_are_put_back_in_the_state_that_they_were_in() {
    let shape = format!(
        "{TARGET}
         CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
         CREATE TRIGGER fires BEFORE INSERT ON line FOR EACH ROW EXECUTE FUNCTION nothing();
         CREATE TRIGGER rests BEFORE INSERT ON line FOR EACH ROW EXECUTE FUNCTION nothing();
         CREATE TRIGGER always BEFORE INSERT ON line FOR EACH ROW EXECUTE FUNCTION nothing();
         ALTER TABLE line DISABLE TRIGGER rests;
         ALTER TABLE line ENABLE ALWAYS TRIGGER always"
    );
    let source = rows::source(Engine::Sqlite).await;
    let target = Base::make(Engine::Postgres, &shape).await;
    let states = async || {
        let asked = "SELECT CAST(tgname AS text), CAST(tgenabled AS text) FROM pg_trigger
           WHERE NOT tgisinternal ORDER BY tgname";
        let reader = target.reader().await;
        reader.rows(Sql::new(asked), Vec::new()).await.unwrap()
    };
    let before = states().await;
    let (reader, writer) = (source.reader().await, target.writer(&deed()).await);
    let aside = Load {
        triggers: Some(Triggers::Off),
        ..what()
    };
    load(&reader, &writer, aside, &deed(), |_| {})
        .await
        .unwrap();
    assert_eq!(states().await, before);
    undo::undo(&writer, &deed(), UndoMode::Refuse)
        .await
        .unwrap();
    assert_eq!(states().await, before);
}

/// Lines whose key is bytes, most of them no text.
const BYTES: [(Engine, &str); 2] = [
    (
        Engine::Postgres,
        "CREATE TABLE line (uid bytea PRIMARY KEY, id bigint, account_ref text, posted date, amount numeric(12,2),
           note text, at timestamptz, scan bytea);
         INSERT INTO line SELECT decode('51' || md5(CAST(i AS text)), 'hex'), i, 'A' || (i % 10), '2020-01-01', 1, NULL, NULL, NULL
           FROM generate_series(1, 400) AS i;
         CREATE TABLE account (ref text, name text, opened date, closed boolean);
         INSERT INTO account SELECT 'A' || i, 'x', NULL, false FROM generate_series(0, 9) AS i",
    ),
    (
        Engine::Mariadb,
        "CREATE TABLE line (uid binary(17) PRIMARY KEY, id bigint, account_ref varchar(9), posted date,
           amount decimal(12,2), note text, at datetime, scan blob);
         INSERT INTO line SELECT UNHEX('51' || MD5(seq)), seq, 'A' || (seq % 10), '2020-01-01', 1, NULL, NULL, NULL
           FROM seq_1_to_400;
         CREATE TABLE account (ref varchar(9), name text, opened date, closed tinyint(1));
         INSERT INTO account SELECT 'A' || seq, 'x', NULL, 0 FROM seq_0_to_9",
    ),
];

#[tokio::test]
async fn a_copy_that_was_stopped_goes_on_behind_a_key_of_bytes() {
    for (engine, shape) in BYTES {
        let source = Base::make(engine, shape).await;
        let target = Base::make(Engine::Sqlite, TARGET).await;
        let (reader, writer) = (source.reader().await, target.writer(&deed()).await);
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let ours = deed();
        let copying = load(&reader, &writer, what(), &ours, |_| {
            let _ = tell.send(());
        });
        let enough = async {
            for _ in 0..3 {
                told.recv().await;
            }
        };
        tokio::select! {
            biased;
            () = enough => {}
            done = copying => drop(done),
        }
        drop((reader, writer));
        let loaded = copy(&source, &target, &deed()).await.unwrap();
        let lines = &loaded.datasets["line"];
        assert_eq!((lines.copied, lines.rejected.len()), (400, 0), "{engine:?}");
        let stand = target.everything().await["line"].len();
        assert_eq!(stand, 401, "{engine:?}");
    }
}
