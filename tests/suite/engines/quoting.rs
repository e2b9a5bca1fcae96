//! Every engine quotes the row that it refuses; we never do. Each way in which a row can be refused is
//! provoked on each engine, with a person's data in the row, and nothing that we say about it holds any.
//!
//! Not here: the same through a whole run (`tamper::privacy`).

use std::error::Error;

use handover::orgdb::{DbTrouble, Sql};

use super::bases::{Base, Engine};

/// Somebody whose data no message may hold.
const CANARIES: [&str; 5] = [
    "Canaryson",
    "QQ104729C",
    "100000007919",
    "canary@mail.example",
    "07700 900001",
];

const TABLES: &str = "
CREATE TABLE home (uprn varchar(12) NOT NULL PRIMARY KEY);
CREATE TABLE person (
  ni_no varchar(9) NOT NULL PRIMARY KEY, surname varchar(40) NOT NULL, uprn varchar(12) NOT NULL REFERENCES home (uprn),
  email varchar(30) CHECK (email NOT LIKE '%@%'), phone varchar(5), born date, rent decimal(8,2),
  FOREIGN KEY (uprn) REFERENCES home (uprn)
);
INSERT INTO home VALUES ('100000007919');
INSERT INTO person (ni_no, surname, uprn) VALUES ('QQ104729C', 'Canaryson', '100000007919');
";

/// What is wrong with a row, the row, and whether every engine refuses it: SQLite takes long and wrong values.
const REFUSED: [(&str, &str, bool); 8] = [
    (
        "unique",
        "INSERT INTO person (ni_no, surname, uprn) VALUES ('QQ104729C', 'Canaryson', '100000007919')",
        true,
    ),
    (
        "foreign key",
        "INSERT INTO person (ni_no, surname, uprn) VALUES ('QQ104729D', 'Canaryson', 'canary@mail.')",
        true,
    ),
    (
        "foreign key, from above",
        "DELETE FROM home WHERE uprn = '100000007919'",
        true,
    ),
    (
        "check",
        "INSERT INTO person (ni_no, surname, uprn, email) VALUES ('QQ104729D', 'Canaryson', '100000007919', 'canary@mail.example')",
        true,
    ),
    (
        "not null",
        "INSERT INTO person (ni_no, surname, uprn, email) VALUES ('QQ104729D', NULL, '100000007919', 'c@canary@mail.example')",
        true,
    ),
    (
        "too long",
        "INSERT INTO person (ni_no, surname, uprn, phone) VALUES ('QQ104729D', 'Canaryson', '100000007919', '07700 900001')",
        false,
    ),
    (
        "bad cast",
        "INSERT INTO person (ni_no, surname, uprn, born) VALUES ('QQ104729D', 'Canaryson', '100000007919', 'Canaryson')",
        false,
    ),
    ("too large", "UPDATE person SET rent = 100000007919", false),
];

fn everything_said(fault: &(dyn Error + 'static)) -> String {
    let mut said = format!("{fault} {fault:?}");
    let mut source = fault.source();
    while let Some(cause) = source {
        said = format!("{said} {cause} {cause:?}");
        source = cause.source();
    }
    said
}

#[tokio::test]
async fn no_engine_makes_us_quote_the_row_that_it_refuses() {
    for engine in Engine::ALL {
        let base = Base::make(engine, TABLES).await;
        let writer = base.bare_writer().await;
        if engine == Engine::Sqlite {
            base.does("PRAGMA foreign_keys = ON").await;
        }
        for (kind, statement, everywhere) in REFUSED {
            let tried = writer.with(move |link| link.script(&Sql::new(statement)));
            let Err(fault) = tried.await else {
                assert!(
                    !everywhere && engine == Engine::Sqlite,
                    "{engine:?} took {kind}"
                );
                continue;
            };
            let said = everything_said(&fault) + &fault.trouble.words();
            for canary in CANARIES {
                assert!(!said.contains(canary), "{engine:?}, {kind}: {said}");
            }
            assert!(
                !matches!(fault.trouble, DbTrouble::Unreachable(_)),
                "{engine:?}, {kind}: {said}"
            );
        }
    }
}
