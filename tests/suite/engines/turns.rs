//! Chunks that two connections write in turn: what may look from one chunk at the one before it finds it.
//!
//! Not here: kills and cuts in the midst of them (`cuts`, `crash::pairs`).

use std::fmt::Write as _;
use std::sync::Arc;

use handover::copy::load::{Load, load};
use handover::copy::verify;
use handover::plan::map::{Becomes, Dataset, Map};
use handover::plan::model::Triggers;

use super::bases::{Base, Engine};
use super::rows::{deed, what};
use super::undoing::number;
use crate::copying::town;

const ROWS: i64 = 200;

/// Blocks, each above the one before it.
fn blocks(triggers: Option<Triggers>) -> Load {
    let column = |name| town::column("block", name, name, Becomes::Integer);
    let dataset = Dataset {
        id: None,
        ..town::dataset(
            "block",
            "block",
            "id",
            "",
            vec![column("id"), column("above")],
        )
    };
    Load {
        map: Arc::new(Map {
            datasets: vec![dataset],
            ..Map::default()
        }),
        tables: vec!["block".to_owned()],
        triggers,
        chunk_rows: 7,
        ..what()
    }
}

async fn source() -> Base {
    let mut shape =
        "CREATE TABLE block (id {number} NOT NULL PRIMARY KEY, above {number});".to_owned();
    for id in 0..ROWS {
        let above = if id == 0 {
            "NULL".to_owned()
        } else {
            (id - 1).to_string()
        };
        let _ = write!(shape, "INSERT INTO block VALUES ({id}, {above});");
    }
    Base::make(Engine::Sqlite, &shape).await
}

#[tokio::test]
async fn a_row_finds_the_row_of_its_own_table_that_came_in_the_chunk_before() {
    let source = source().await;
    for to in Engine::ALL {
        let shape = "CREATE TABLE block (id {number} NOT NULL PRIMARY KEY, above {number},
            FOREIGN KEY (above) REFERENCES block (id));";
        let target = Base::make(to, shape).await;
        let (reader, writer) = (source.reader().await, target.writer(&deed()).await);
        let loaded = load(&reader, &writer, blocks(None), &deed(), |_| {})
            .await
            .unwrap();
        let counts = &loaded.datasets["block"];
        assert_eq!(counts.copied, ROWS.cast_unsigned(), "{to:?}: {counts:?}");
        let seen = verify::digests(&target.reader().await, &deed())
            .await
            .unwrap();
        assert_eq!(
            (seen.rows, seen.differing),
            (ROWS.cast_unsigned(), 0),
            "{to:?}"
        );
    }
}

#[tokio::test]
async fn a_targets_own_trigger_sees_every_row_that_came_before() {
    let source = source().await;
    let shapes = [
        (
            Engine::Postgres,
            "CREATE FUNCTION looked() RETURNS trigger LANGUAGE plpgsql AS
               $$BEGIN INSERT INTO audit VALUES (NEW.id, (SELECT count(*) FROM block)); RETURN NEW; END$$;
             CREATE TRIGGER looks BEFORE INSERT ON block FOR EACH ROW EXECUTE FUNCTION looked();",
        ),
        (
            Engine::Mariadb,
            "CREATE TRIGGER looks BEFORE INSERT ON block FOR EACH ROW
               INSERT INTO audit VALUES (NEW.id, (SELECT count(*) FROM block));",
        ),
    ];
    for (to, trigger) in shapes {
        let shape = format!(
            "CREATE TABLE block (id {{number}} NOT NULL PRIMARY KEY, above {{number}});
             CREATE TABLE audit (id {{number}}, seen {{number}}); {trigger}"
        );
        let target = Base::make(to, &shape).await;
        let (reader, writer) = (source.reader().await, target.writer(&deed()).await);
        let work = blocks(Some(Triggers::Fire));
        let loaded = load(&reader, &writer, work, &deed(), |_| {}).await.unwrap();
        assert_eq!(loaded.datasets["block"].copied, ROWS.cast_unsigned());
        // Each saw all that had come in earlier chunks at least.
        let missed = "SELECT count(*) FROM audit WHERE seen < id - id % 7";
        assert_eq!(number(&target, missed).await, 0, "{to:?}");
    }
}
