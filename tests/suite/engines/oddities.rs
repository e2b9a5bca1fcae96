//! What stands in old databases and no map would make: days without end, columns of types that only one
//! server has. A copy leaves them their defaults, an undo puts them back.
//!
//! Not here: types that every housing system has (`types`).

use handover::copy::ledger::Pen;
use handover::copy::{undo, verify};
use handover::machine::event::UndoMode;
use handover::orgdb::{Ident, Value};

use super::bases::{Base, Engine};
use super::rows::{self, TARGET, copy, deed};

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
