//! A copy into a schema with its key, a foreign key and three indexes, all tables empty, indexes allowed
//! to be built again; against the engine's own pipe into bare tables, and all of that built behind it.
//! What the same copy takes when every row goes into every index stands beside, without a bar.
//!
//! Not here: tables without indexes (`servers`).

use std::time::Duration;

use handover::copy::load::{Load, chunk_rows};
use handover::orgdb::Dialect;
use handover::plan::model::Indexes;

use super::{Engine, Stand, money, rows, timed_after};
use crate::measure::{Bar, Ratio, rate, turns};

/// Whoever owes rent; filled beforehand on both sides.
const ACCOUNTS: &str = "CREATE TABLE account (account_id text PRIMARY KEY);
  INSERT INTO account SELECT lpad(n::text, 6, '0') || '/01' FROM generate_series(0, 21999) AS n";

const BARE: &str = "CREATE TABLE ledger (id bigint NOT NULL, account_id text NOT NULL, posted_on date NOT NULL,
  amount numeric(10,2) NOT NULL, type_code char(3) NOT NULL, narrative text, posted_at timestamptz)";

const DRESSED: [&str; 5] = [
    "ALTER TABLE ledger ADD PRIMARY KEY (id)",
    "CREATE INDEX ledger_account ON ledger (account_id, posted_on)",
    "CREATE INDEX ledger_posted ON ledger (posted_on)",
    "CREATE INDEX ledger_type ON ledger (type_code, amount)",
    "ALTER TABLE ledger ADD FOREIGN KEY (account_id) REFERENCES account (account_id)",
];

/// With and without building them again.
pub(crate) fn indexed(quick: bool) -> Vec<Ratio> {
    let (rounds, rows) = if quick { (1, 500_000) } else { (5, 4_000_000) };
    let stand = Stand::new(rows);
    let line = |what, indexes, bar| {
        let measured = turns(
            rounds,
            || timed_after(|| stand.undressed(), || stand.bare_and_dressed()),
            || timed_after(|| stand.dressed(), || stand.copied_to_dressed(indexes)),
        );
        let rate_of = |took: Duration| rate(rows, took);
        Ratio {
            what,
            value: measured.ratio,
            bar,
            detail: format!("{} : {}", rate_of(measured.floor), rate_of(measured.ours)),
        }
    };
    vec![
        line(
            "PostgreSQL, indexes built again : COPY | COPY, then keys and indexes",
            Indexes::Rebuild,
            Bar::AtLeast(0.8),
        ),
        line(
            "PostgreSQL, indexes kept : the same",
            Indexes::Keep,
            Bar::Told,
        ),
    ]
}

impl Stand {
    fn undressed(&self) {
        self.postgres
            .ask(
                "target",
                &format!(
                    "DROP SCHEMA IF EXISTS handover CASCADE; DROP TABLE IF EXISTS ledger; DROP TABLE IF EXISTS account; {ACCOUNTS}; {BARE}"
                ),
            )
            .unwrap();
        self.postgres.ask("target", "CHECKPOINT").unwrap();
    }

    fn dressed(&self) {
        self.undressed();
        self.dress();
        self.postgres.ask("target", "CHECKPOINT").unwrap();
    }

    fn dress(&self) {
        for statement in DRESSED {
            self.postgres.ask("target", statement).unwrap();
        }
    }

    fn bare_and_dressed(&self) {
        self.bare(Engine::Postgres, Engine::Postgres);
        self.dress();
    }

    fn copied_to_dressed(&self, indexes: Indexes) {
        let (from, to) = (
            self.address(Engine::Postgres, "source"),
            self.address(Engine::Postgres, "target"),
        );
        let what = Load {
            indexes,
            ..rows::unmapped(&money(), chunk_rows(Dialect::Postgres))
        };
        let loaded = rows::copied(&from, &to, what, |_| {});
        assert_eq!(loaded.datasets["ledger"].copied, self.rows as u64);
        let indexes = "SELECT count(*) FROM pg_indexes WHERE tablename = 'ledger'";
        assert_eq!(self.postgres.ask("target", indexes).unwrap().trim(), "4");
    }
}
