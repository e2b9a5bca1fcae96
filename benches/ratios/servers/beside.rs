//! Undo of an untouched copy beside rows of others, against a bare `DELETE` of the same keys by somebody
//! who knows them.

use std::time::Duration;

use handover::copy::undo;
use handover::machine::event::UndoMode;
use handover::orgdb::OrgWriter;
use rusqlite::Connection;

use super::{Engine, Stand, runtime};
use crate::measure::{Bar, Ratio, rate, timed, turns};
use crate::rows::deed;

/// What its line is called.
pub(super) fn undone_beside(to: Engine) -> &'static str {
    match to {
        Engine::Sqlite => "undone on SQLite beside rows of others : a bare DELETE",
        Engine::Postgres => "undone on PostgreSQL beside rows of others : a bare DELETE",
        Engine::Mariadb => "undone on MariaDB beside rows of others : a bare DELETE",
    }
}

impl Stand {
    /// On one engine; the rows come from `PostgreSQL`.
    pub(super) fn beside(&self, to: Engine, rounds: usize) -> Ratio {
        let measured = turns(
            rounds,
            || {
                self.copied_beside(to);
                self.undone(to)
            },
            || {
                self.copied_beside(to);
                self.deleted(to)
            },
        );
        Ratio {
            what: undone_beside(to),
            value: measured.ratio,
            bar: Bar::AtMost(1.3),
            detail: format!(
                "{} : {}",
                rate(self.rows, measured.ours),
                rate(self.rows, measured.floor)
            ),
        }
    }

    /// A copy into a table that holds two rows of others for each five of ours, before them and behind.
    fn copied_beside(&self, to: Engine) {
        self.empty(to);
        let rows = self.rows.cast_signed();
        for first in [-rows, 2 * rows] {
            self.does(
                to,
                &format!(
                    "WITH RECURSIVE n (i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {})
                     INSERT INTO ledger SELECT i, '000001/01', '2020-04-06', '1.00', 'DBR', 'Rent week 1', '2020-01-01T00:00:00Z' FROM n",
                    first + rows / 5
                ),
            );
        }
        self.ours(Engine::Postgres, to);
        self.does(
            to,
            &format!(
                "DROP TABLE IF EXISTS keys; CREATE TABLE keys AS SELECT id FROM ledger WHERE id BETWEEN 1 AND {rows}; ANALYZE keys"
            ),
        );
        if to == Engine::Postgres {
            self.postgres.ask("target", "CHECKPOINT").unwrap();
        }
    }

    fn undone(&self, to: Engine) -> Duration {
        let address = self.address(to, "target");
        runtime().block_on(async {
            let writer = OrgWriter::open("dover", &address).await.unwrap();
            let (undone, took) = {
                let start = std::time::Instant::now();
                let undone = undo::undo(&writer, &deed(), UndoMode::Refuse).await;
                (undone.unwrap(), start.elapsed())
            };
            assert_eq!(undone.removed, self.rows as u64);
            took
        })
    }

    fn deleted(&self, to: Engine) -> Duration {
        let delete = "DELETE FROM ledger WHERE id IN (SELECT id FROM keys)";
        timed(|| self.does(to, delete)).1
    }

    /// Does something as the organisation itself would, durably.
    fn does(&self, to: Engine, text: &str) {
        match to {
            Engine::Postgres => drop(self.postgres.ask("target", text).unwrap()),
            Engine::Mariadb => drop(self.mariadb.ask("target", text).unwrap()),
            Engine::Sqlite => {
                let file = Connection::open(self.file("target.db")).unwrap();
                file.execute_batch("PRAGMA synchronous = FULL").unwrap();
                file.execute_batch(text).unwrap();
            }
        }
    }
}
