//! The legacy source database: its shape, then its tables one after the other.
//!
//! Not here: the tables' rows (`property`, `people`, `agreements`, `ledger`, `repairs`,
//! `safety`, `registers`), the targets (`target`).

use std::path::Path;

use rusqlite::Connection;

use super::letters::Letters;
use super::part::Part;
use super::truth::{Books, Truth};
use super::world::World;
use super::{
    MakeError, agreements, homes, ledger, lettings, people, property, registers, repairs, safety,
};
use crate::demo::schema;

/// Makes the file at `path` and says what a right copy of it comes to.
pub(super) fn make(path: &Path, part: &Part) -> Result<Truth, MakeError> {
    let connection = create(path, &schema::legacy_ddl(), part.seed, part.world)?;
    let mut books = Books::new(part.world.split());
    let mut truth = Truth::default();
    let mut letters = Letters::new(part.targets.len());
    let stock = homes::lay_out(part);
    let mut let_out = lettings::plan(part, &stock);
    property::write(&connection, part, &stock, &mut books)?;
    people::write(
        &connection,
        part,
        &stock,
        &let_out,
        &mut books,
        &mut letters,
    )?;
    ledger::write(&connection, part, &stock, &mut let_out, &mut books)?;
    agreements::write(&connection, part, &stock, &let_out, &mut books)?;
    repairs::write(&connection, part, &stock, &mut books)?;
    safety::write_certificates(&connection, part, &stock, &mut books)?;
    safety::write_complaints(&connection, part, &stock, &mut books)?;
    safety::write_documents(&connection, part, &stock, &mut books)?;
    registers::write_staff(&connection, part, &mut truth, &mut books)?;
    registers::write_contracts(&connection, part, &mut truth, &mut books)?;
    registers::write_codes(&connection, part, &mut books)?;
    finish(&connection)?;
    let codes: Vec<&str> = part.targets.iter().map(|org| part.told_by(org)).collect();
    books.close(&codes, &mut truth);
    for (code, letters) in codes.iter().zip(letters.targets) {
        truth.letters.insert((*code).to_owned(), letters);
    }
    Ok(truth)
}

/// A fresh file with this shape, in one transaction and without its safety net: a file that was not
/// finished is made again.
pub(super) fn create(
    path: &Path,
    ddl: &str,
    seed: u64,
    world: World,
) -> Result<Connection, MakeError> {
    if path.exists() {
        std::fs::remove_file(path)?;
    }
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA page_size = 8192; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; \
         PRAGMA ignore_check_constraints = ON; PRAGMA locking_mode = EXCLUSIVE; BEGIN;",
    )?;
    connection.execute_batch(ddl)?;
    connection.execute(
        "INSERT INTO handover_made_up (seed, world) VALUES (?1, ?2)",
        (seed.to_string(), world.plan()),
    )?;
    Ok(connection)
}

/// Ends the one transaction and leaves an ordinary database behind.
pub(super) fn finish(connection: &Connection) -> Result<(), MakeError> {
    connection
        .execute_batch("COMMIT; PRAGMA locking_mode = NORMAL; PRAGMA journal_mode = DELETE;")?;
    Ok(())
}
