//! What a column or a chunk has no room for: a fraction of a second that a server would drop without a word,
//! and a stretch of lines that come to no row, as long as a table.
//!
//! Not here: other values that a column would change (`types`), rows that go on as they came (`passing`).

use std::fmt::Write as _;
use std::sync::Arc;

use handover::copy::ledger::Deed;
use handover::copy::load::{Load, load};
use handover::copy::{undo, verify};
use handover::machine::event::UndoMode;
use handover::plan::map::{Becomes, Condition, Dataset, Filter, Map, Test};
use handover::plan::model::Place as Where;

use super::bases::{Base, Engine};
use super::rows::{deed, what};
use super::undoing::number;
use crate::copying::town;

fn visits(further: &[&str], leave_out: Vec<Filter>) -> Load {
    let mut columns = vec![town::column("visit", "id", "id", Becomes::Integer)];
    columns.extend(
        further
            .iter()
            .map(|name| town::column("visit", name, name, Becomes::Text)),
    );
    let dataset = Dataset {
        id: None,
        leave_out,
        ..town::dataset("visit", "visit", "id", "", columns)
    };
    Load {
        map: Arc::new(Map {
            datasets: vec![dataset],
            ..Map::default()
        }),
        tables: vec!["visit".to_owned()],
        ..what()
    }
}

/// The default of MariaDB's `datetime`, and what a server rounds or cuts without a word.
#[tokio::test]
async fn a_fraction_of_a_second_that_a_column_would_drop_is_refused_and_never_bent() {
    let rows = "INSERT INTO visit VALUES (1, '2020-02-29 12:00:00', '23:59:59');
        INSERT INTO visit VALUES (2, '2019-10-27 01:30:00.5', '00:00:00');
        INSERT INTO visit VALUES (3, '2019-10-27 01:30:00', '23:59:59.7');";
    let shape = |kinds: [&str; 2]| {
        let [at, hour] = kinds;
        format!("CREATE TABLE visit (id {{number}} NOT NULL PRIMARY KEY, at {at}, hour {hour});")
    };
    let fine = [
        (Engine::Sqlite, ["TEXT", "TEXT"]),
        (Engine::Postgres, ["timestamp", "time"]),
        (Engine::Mariadb, ["datetime(6)", "time(6)"]),
    ];
    let coarse = [
        (Engine::Postgres, ["timestamp(0)", "time(0)"]),
        (Engine::Mariadb, ["datetime", "time"]),
    ];
    for (from, kinds) in fine {
        for (to, narrow) in coarse {
            let source = Base::make(from, &(shape(kinds) + rows)).await;
            let target = Base::make(to, &shape(narrow)).await;
            let (reader, writer) = (source.reader().await, target.writer(&deed()).await);
            let work = visits(&["at", "hour"], Vec::new());
            let loaded = load(&reader, &writer, work, &deed(), |_| {}).await.unwrap();
            let counts = &loaded.datasets["visit"];
            assert_eq!(counts.copied, 1, "{from:?} to {to:?}: {counts:?}");
            let refused = [("HO510 at".to_owned(), 1), ("HO510 hour".to_owned(), 1)];
            assert_eq!(counts.rejected, refused.into(), "{from:?} to {to:?}");
            let seen = verify::digests(&target.reader().await, &deed())
                .await
                .unwrap();
            assert_eq!((seen.rows, seen.differing), (1, 0), "{from:?} to {to:?}");
            let back = undo::undo(&writer, &deed(), UndoMode::Refuse)
                .await
                .unwrap();
            assert_eq!(
                (back.removed, back.changed),
                (1, vec![]),
                "{from:?} to {to:?}"
            );
        }
    }
}

/// What was looked at is remembered, too: in one chunk all of it would be held in memory, and lost with a stop.
#[tokio::test]
async fn lines_that_come_to_no_row_fill_chunks_too() {
    let mut shape =
        "CREATE TABLE visit (id {number} NOT NULL PRIMARY KEY, kind {text});".to_owned();
    for id in 0..1_000 {
        let kind = if id == 999 { "kept" } else { "old" };
        let _ = write!(shape, "INSERT INTO visit VALUES ({id}, '{kind}');");
    }
    for to in Engine::ALL {
        let source = Base::make(Engine::Sqlite, &shape).await;
        let bare = shape.split_once("INSERT").unwrap().0;
        let target = Base::make(to, bare).await;
        let ours: Deed = deed();
        let (reader, writer) = (source.reader().await, target.writer(&ours).await);
        let old = Filter {
            condition: Condition {
                column: town::reference("visit.kind", ""),
                test: Test::Is(vec!["old".to_owned()]),
                place: Where::default(),
            },
            reason: "years ago".to_owned(),
        };
        let work = Load {
            chunk_rows: 10,
            ..visits(&["kind"], vec![old])
        };
        let mut effects = 0;
        let loaded = load(&reader, &writer, work, &ours, |_| effects += 1)
            .await
            .unwrap();
        let counts = &loaded.datasets["visit"];
        assert_eq!(
            (counts.copied, counts.filtered["years ago"]),
            (1, 999),
            "{to:?}"
        );
        let longest = "SELECT max(length(body)) FROM handover_undo WHERE head LIKE '%lines%'";
        let longest = number(&target, longest).await;
        assert!(
            longest <= 10 * 16 + 16,
            "{to:?}: {longest} bytes of lines in one piece"
        );
        let back = undo::undo(&writer, &ours, UndoMode::Refuse).await.unwrap();
        assert_eq!(back.removed, 1, "{to:?}");
        assert!(effects > 1, "{to:?}");
    }
}
