//! `freeze`: writes to the named tables fail from here on, by triggers that raise an abort, and the
//! step proves it by trying: insert, update and delete on each table, in a transaction that is
//! rolled back.
//!
//! In: the organisation and its tables. Out: three triggers a table (`handover_freeze_<table>_<verb>`)
//! with the statements that drop them in the ledger.
//!
//! Not here: writes that the plan makes after a freeze (they go to other tables).

use super::hand::Hand;
use super::{Act, Fault, Finding, Forecast, Look, Output};
use crate::machine::event::Check;
use crate::orgdb::{Catalogue, DbFault, DbTrouble, Dialect, Ident, OrgWriter, Sql};
use crate::plan::model::{Code, Freeze};
use crate::sql;

/// What a server's triggers call; it goes with our schema.
const FROZEN: &str = "CREATE OR REPLACE FUNCTION handover.frozen() RETURNS trigger LANGUAGE plpgsql \
     AS $$ BEGIN RAISE EXCEPTION 'frozen for the handover'; END $$";

/// Whether a trigger is there.
fn trigger_named(dialect: Dialect) -> Sql {
    match dialect {
        Dialect::Sqlite => {
            Sql::new("SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND name = ?1")
        }
        Dialect::Postgres => Sql::new("SELECT 1 FROM pg_catalog.pg_trigger WHERE tgname = ?1"),
        Dialect::Mariadb => Sql::new(
            "SELECT 1 FROM information_schema.triggers
             WHERE trigger_schema = DATABASE() AND trigger_name = ?1",
        ),
    }
}

pub(super) async fn check(look: &Look, step: &Freeze) -> Result<Vec<Finding>, Fault> {
    let catalogue = look.reader(&step.org)?.catalogue().await?;
    let missing = |table: &&String| !catalogue.tables.contains_key(*table);
    let findings = step.tables.iter().filter(missing).map(|table| {
        let says = format!("`{}` has no table `{table}` to freeze", step.org);
        Finding::stop("HO520", table, says).help("name a table of that database in `tables`")
    });
    Ok(findings.collect())
}

pub(super) fn preview(step: &Freeze) -> Forecast {
    let tables = step.tables.len();
    Forecast {
        line: format!("{tables} tables read-only"),
        notes: vec![format!(
            "`{}` gets {} triggers; anybody's write to these tables then fails",
            step.org,
            tables * Verb::ALL.len()
        )],
        ..Forecast::default()
    }
}

pub(super) async fn run(act: &Act, step: &Freeze) -> Result<Output, Fault> {
    let mut hand = Hand::open(act, &[&step.org]).await?;
    for (at, table) in step.tables.iter().enumerate() {
        let kind = format!("freeze:{table}");
        let Some(mut pen) = hand.pen_at(&step.org, at as u64 + 1, &kind).await? else {
            repeat(act, &step.org, table).await?;
            continue;
        };
        for verb in Verb::ALL {
            let dialect = act.writer(&step.org)?.dialect();
            pen.change(verb.freeze(dialect, table), verb.thaw(dialect, table))
                .await?;
        }
        hand.commit(&step.org, pen).await?;
    }
    Ok(Output::Done {
        outputs: Vec::new(),
        effects: hand.effects(),
        checks: prove(act, step).await?,
    })
}

/// Where a change of the schema commits by itself, the ledger speaks of it before it is made: what a
/// crash left out in between is made now.
async fn repeat(act: &Act, org: &Code, table: &str) -> Result<(), Fault> {
    let writer = act.writer(org)?;
    if writer.dialect() != Dialect::Mariadb {
        return Ok(());
    }
    let statements = Verb::ALL.map(|verb| verb.freeze(Dialect::Mariadb, table));
    let made = writer.with(move |link| statements.iter().try_for_each(|one| link.script(one)));
    Ok(made.await?)
}

/// A way to write.
#[derive(Clone, Copy)]
enum Verb {
    Insert,
    Update,
    Delete,
}

impl Verb {
    const ALL: [Verb; 3] = [Verb::Insert, Verb::Update, Verb::Delete];

    fn name(self) -> &'static str {
        match self {
            Verb::Insert => "insert",
            Verb::Update => "update",
            Verb::Delete => "delete",
        }
    }

    fn trigger(self, table: &str) -> Ident {
        Ident::new(&format!("handover_freeze_{table}_{}", self.name()))
    }

    fn word(self) -> Sql {
        Sql::new(match self {
            Verb::Insert => "INSERT",
            Verb::Update => "UPDATE",
            Verb::Delete => "DELETE",
        })
    }

    fn freeze(self, dialect: Dialect, table: &str) -> Sql {
        let (trigger, table) = (self.trigger(table), Ident::new(table));
        match dialect {
            Dialect::Sqlite => sql!(
                "CREATE TRIGGER {} BEFORE {} ON {} BEGIN SELECT RAISE(ABORT, 'frozen for the handover'); END",
                trigger,
                self.word(),
                table
            ),
            // For each statement: a write that meets no row is refused, too.
            Dialect::Postgres => sql!(
                "{}; CREATE TRIGGER {} BEFORE {} ON {} FOR EACH STATEMENT EXECUTE FUNCTION handover.frozen()",
                Sql::new(FROZEN),
                trigger,
                self.word(),
                table
            ),
            // It commits by itself, so it can be repeated.
            Dialect::Mariadb => sql!(
                "CREATE TRIGGER IF NOT EXISTS {} BEFORE {} ON {} FOR EACH ROW
                 SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'frozen for the handover'",
                trigger,
                self.word(),
                table
            ),
        }
    }

    fn thaw(self, dialect: Dialect, table: &str) -> Sql {
        let trigger = self.trigger(table);
        match dialect {
            Dialect::Sqlite => sql!("DROP TRIGGER {}", trigger),
            Dialect::Postgres => sql!("DROP TRIGGER {} ON {}", trigger, Ident::new(table)),
            Dialect::Mariadb => sql!("DROP TRIGGER IF EXISTS {}", trigger),
        }
    }

    /// A write that any row (for an insert: no row) is enough for.
    fn attempt(self, dialect: Dialect, table: &str, column: &str) -> Sql {
        let (table, column) = (Ident::new(table), Ident::new(column));
        match self {
            // A column without a default would be refused before our trigger is.
            Verb::Insert if dialect == Dialect::Mariadb => {
                sql!("INSERT IGNORE INTO {} () VALUES ()", table)
            }
            Verb::Insert => sql!("INSERT INTO {} DEFAULT VALUES", table),
            Verb::Update => sql!("UPDATE {} SET {} = {}", table, column, column),
            Verb::Delete => sql!("DELETE FROM {}", table),
        }
    }
}

/// Tries every write and expects our trigger's refusal.
async fn prove(act: &Act, step: &Freeze) -> Result<Vec<Check>, Fault> {
    let catalogue = act.look.reader(&step.org)?.catalogue().await?;
    let writer = act.writer(&step.org)?;
    let mut checks = Vec::new();
    for table in &step.tables {
        let mut refused = 0;
        for verb in Verb::ALL {
            if is_refused(writer, &catalogue, table, verb).await? {
                refused += 1;
            }
        }
        checks.push(Check {
            rule: format!("frozen:{table}").into(),
            expected: "3 of 3 writes refused".to_owned(),
            actual: format!("{refused} of 3 writes refused"),
        });
    }
    let went_through: Vec<Check> = checks
        .iter()
        .filter(|check| check.expected != check.actual)
        .cloned()
        .collect();
    if went_through.is_empty() {
        return Ok(checks);
    }
    let says = format!(
        "{} frozen tables can still be written to",
        went_through.len()
    );
    let fault = Fault::refused("HO516", &step.org, 0, says);
    Err(Fault {
        checks: went_through,
        ..fault.help("look for what set the triggers `handover_freeze_…` aside, then run again")
    })
}

/// One write, rolled back whatever comes of it. A table without rows cannot show that an update or a
/// delete fails: there the trigger itself has to be found.
async fn is_refused(
    writer: &OrgWriter,
    catalogue: &Catalogue,
    table: &str,
    verb: Verb,
) -> Result<bool, Fault> {
    let Some(shape) = catalogue.tables.get(table) else {
        return Ok(false);
    };
    let column = shape
        .columns
        .iter()
        .find(|column| !column.generated)
        .map_or("", |column| column.name.as_str());
    let mut tx = writer.begin().await?;
    let attempt = verb.attempt(writer.dialect(), table, column);
    match tx.execute(attempt, Vec::new()).await {
        Err(DbFault {
            trouble: DbTrouble::Constraint { kind, .. },
            ..
        }) => Ok(kind == "trigger"),
        Err(fault) => Err(fault.into()),
        Ok(0) if !matches!(verb, Verb::Insert) => {
            let named = vec![verb.trigger(table).name().into()];
            let query = trigger_named(writer.dialect());
            Ok(!tx.rows(query, named).await?.is_empty())
        }
        Ok(_) => Ok(false),
    }
}
