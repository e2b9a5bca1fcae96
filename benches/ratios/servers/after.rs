//! Verification and undo of a copy into a table that was empty, against reading that table once and a
//! tenth of the copy's time. The rows come from `PostgreSQL`.
//!
//! Not here: undo beside rows of others (`beside`).

use std::time::{Duration, Instant};

use handover::copy::{undo, verify};
use handover::machine::event::UndoMode;
use handover::orgdb::link::Flow;
use handover::orgdb::{DbTrouble, OrgReader, OrgWriter, Sql};

use super::{Engine, Stand, runtime};
use crate::measure::{Bar, Ratio, asked_for, median, timed};
use crate::rows::deed;

/// What each engine's lines are called.
const LINES: [(Engine, [&str; 2]); 3] = [
    (
        Engine::Postgres,
        [
            "verified on PostgreSQL : read once, a tenth of the copy",
            "undone on PostgreSQL : read once, a tenth of the copy",
        ],
    ),
    (
        Engine::Mariadb,
        [
            "verified on MariaDB : read once, a tenth of the copy",
            "undone on MariaDB : read once, a tenth of the copy",
        ],
    ),
    (
        Engine::Sqlite,
        [
            "verified on SQLite : read once, a tenth of the copy",
            "undone on SQLite : read once, a tenth of the copy",
        ],
    ),
];

/// On every engine.
pub(crate) fn afterwards(quick: bool) -> Vec<Ratio> {
    let (rounds, rows) = if quick { (3, 500_000) } else { (5, 4_000_000) };
    let stand = Stand::new(rows);
    let of_engine = |(engine, what): (Engine, [&'static str; 2])| {
        let rounds: Vec<Round> = (0..=rounds)
            .map(|_| stand.copied_and_undone(engine))
            .collect();
        // The first does not count.
        let rounds = &rounds[1..];
        let line = |what, took: fn(&Round) -> Duration| {
            let ratio = |round: &Round| took(round).as_secs_f64() / round.floor().as_secs_f64();
            let middle = |of: fn(&Round) -> Duration| {
                median(rounds.iter().map(of).collect(), Duration::cmp).as_secs_f64()
            };
            Ratio {
                what,
                value: median(rounds.iter().map(ratio).collect(), f64::total_cmp),
                bar: Bar::AtMost(1.0),
                detail: format!(
                    "{:.2} s : {:.2} s and a tenth of {:.2} s",
                    middle(took),
                    middle(|round| round.read),
                    middle(|round| round.copied)
                ),
            }
        };
        [
            line(what[0], |round: &Round| round.verified),
            line(what[1], |round: &Round| round.undone),
        ]
    };
    let lines = LINES.into_iter();
    let asked = lines.filter(|(_, what)| what.iter().any(|what| asked_for(what)));
    asked.flat_map(of_engine).collect()
}

/// What was measured of one copy.
struct Round {
    copied: Duration,
    read: Duration,
    verified: Duration,
    undone: Duration,
}

/// How long it takes to read the whole table, by the engine's fastest way out.
async fn all_read(reader: &OrgReader) -> Duration {
    let start = Instant::now();
    let all = reader.with(|link| {
        let mut columns = 0;
        link.stream(&Sql::new("SELECT * FROM ledger"), &[], |row| {
            columns += row.width();
            Ok::<Flow, DbTrouble>(Flow::Continue(()))
        })?;
        Ok(columns)
    });
    assert!(all.await.unwrap() > 0);
    start.elapsed()
}

impl Round {
    fn floor(&self) -> Duration {
        self.read + self.copied / 10
    }
}

impl Stand {
    fn copied_and_undone(&self, to: Engine) -> Round {
        self.empty(to);
        let copied = timed(|| self.ours(Engine::Postgres, to)).1;
        let (address, rows) = (self.address(to, "target"), self.rows as u64);
        runtime().block_on(async {
            let reader = OrgReader::open("dover", &address).await.unwrap();
            let writer = OrgWriter::open("dover", &address).await.unwrap();
            // The first to read rows that were just written does more than read: nobody is charged for it.
            all_read(&reader).await;
            let read = all_read(&reader).await;
            let start = Instant::now();
            let seen = verify::digests(&reader, &deed()).await.unwrap();
            let verified = start.elapsed();
            assert_eq!((seen.rows, seen.differing), (rows, 0));
            let start = Instant::now();
            let back = undo::undo(&writer, &deed(), UndoMode::Refuse)
                .await
                .unwrap();
            let undone = start.elapsed();
            assert_eq!(back.removed, rows);
            Round {
                copied,
                read,
                verified,
                undone,
            }
        })
    }
}
