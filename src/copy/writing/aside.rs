//! Indexes and foreign keys of empty tables stand aside while a copy fills them. Before the first of
//! them goes, the ledger holds the statement that makes it; behind the last row each is built again;
//! whoever goes on after a crash, or undoes, finds from the ledger what should be there.
//!
//! On `SQLite` and `PostgreSQL` they go in the transaction that notes them. `MariaDB` commits each change
//! of a schema by itself: there the note is durable first, and what it names is dropped and built by
//! statements that may be repeated.
//!
//! In: a deed, the tables that its copy fills. Out: two effects without rows.
//!
//! Not here: which may be set aside (`orgdb`), whether the plan allows it (`load`).

use crate::copy::ledger::effect::{self, Head, Part};
use crate::copy::ledger::{Deed, Effect};
use crate::copy::tables::indexes;
use crate::copy::value::tally::Tally;
use crate::orgdb::catalogue::Accessory;
use crate::orgdb::{DbTrouble, Dialect, Link};

/// The kind of effect that sets them aside.
pub(crate) const ASIDE: &str = "indexes-aside";
/// The kind of effect that says that all of them stand again.
pub(crate) const BUILT: &str = "indexes-built";

/// Why not all of them stand again.
pub(crate) enum Broken {
    /// A database said so.
    Db(DbTrouble),
    /// Rows of a table have no parent that a foreign key of it asks for.
    Orphans {
        table: String,
        name: String,
        rows: u64,
    },
}

impl From<DbTrouble> for Broken {
    fn from(trouble: DbTrouble) -> Broken {
        Broken::Db(trouble)
    }
}

/// Sets aside what may be, of those tables that are empty; none where that was done before.
pub(crate) fn set_aside(
    link: &Link,
    deed: &Deed,
    tables: &[String],
    ordinal: u64,
) -> Result<Option<Effect>, DbTrouble> {
    effect::begin(link, deed)?;
    let Some(id) = effect::open(link, deed, ordinal, ASIDE)? else {
        link.rollback()?;
        return Ok(None);
    };
    let by_themselves = link.dialect() == Dialect::Mariadb;
    let mut parts = Vec::new();
    for table in tables {
        indexes::lock(link, table)?;
        if !indexes::is_empty(link, table)? {
            continue;
        }
        let mut found = link.accessories(table)?;
        // A foreign key leans on an index.
        found.sort_by_key(|one| one.reference.is_none());
        for accessory in found {
            if !by_themselves {
                indexes::set_aside(link, table, &accessory)?;
            }
            parts.push(aside(table, accessory));
        }
    }
    let effect = noted(link, id, (ordinal, ASIDE), parts)?;
    if by_themselves {
        drop_noted(link, deed)?;
    }
    Ok(Some(effect))
}

/// What a crash left standing that the ledger says is aside, where a change commits by itself.
pub(crate) fn drop_noted(link: &Link, deed: &Deed) -> Result<(), DbTrouble> {
    if link.dialect() != Dialect::Mariadb {
        return Ok(());
    }
    for (table, accessory) in noted_aside(link, deed)? {
        behind_fence(link, deed, || indexes::set_aside(link, &table, &accessory))?;
    }
    Ok(())
}

/// Builds everything again that stands aside, and notes that it is done.
pub(crate) fn build_again(link: &Link, deed: &Deed, ordinal: u64) -> Result<Effect, Broken> {
    // Indexes first, by which foreign keys are then checked.
    for (table, accessory) in noted_aside(link, deed)?.into_iter().rev() {
        let built = behind_fence(link, deed, || indexes::build(link, &table, &accessory));
        match (built, &accessory.reference) {
            (Ok(()), _) => {}
            (Err(DbTrouble::Constraint { .. }), Some(asked)) => {
                return Err(Broken::Orphans {
                    rows: indexes::orphans(link, &table, asked)?,
                    name: accessory.name,
                    table,
                });
            }
            (Err(trouble), _) => return Err(trouble.into()),
        }
    }
    effect::begin(link, deed)?;
    let id = effect::open(link, deed, ordinal, BUILT)?.ok_or(DbTrouble::Clash)?;
    Ok(noted(link, id, (ordinal, BUILT), Vec::new())?)
}

/// Before rows are taken back: what stands aside is built again as far as the rows allow it, so that
/// whoever has hung rows on ours meanwhile is seen.
pub(crate) fn build_what_goes(link: &Link, deed: &Deed) -> Result<(), DbTrouble> {
    for (table, accessory) in noted_aside(link, deed)?.into_iter().rev() {
        if indexes::stands(link, &table, &accessory)? {
            continue;
        }
        match behind_fence(link, deed, || indexes::build(link, &table, &accessory)) {
            Ok(()) | Err(DbTrouble::Constraint { .. }) => {}
            Err(trouble) => return Err(trouble),
        }
    }
    Ok(())
}

/// Makes a change of the schema while the run is ours; where it commits by itself, that is looked at just
/// before.
fn behind_fence(
    link: &Link,
    deed: &Deed,
    change: impl FnOnce() -> Result<(), DbTrouble>,
) -> Result<(), DbTrouble> {
    effect::begin(link, deed)?;
    if link.dialect() == Dialect::Mariadb {
        link.commit()?;
        return change();
    }
    let changed = change();
    match changed {
        Ok(()) => link.commit(),
        Err(trouble) => {
            link.close_open();
            Err(trouble)
        }
    }
}

fn aside(table: &str, accessory: Accessory) -> Part {
    Part {
        head: Head::Aside {
            table: table.to_owned(),
            accessory,
        },
        body: Vec::new(),
    }
}

/// Everything that the ledger says is aside, tables in the order in which they were set aside.
fn noted_aside(link: &Link, deed: &Deed) -> Result<Vec<(String, Accessory)>, DbTrouble> {
    let mut noted = Vec::new();
    for kept in effect::standing(link, deed.run, deed.step.as_str(), deed.generation)? {
        if kept.effect.kind != ASIDE {
            continue;
        }
        for part in effect::parts(link, kept.id)? {
            if let Head::Aside { table, accessory } = part.head {
                noted.push((table, accessory));
            }
        }
    }
    Ok(noted)
}

fn noted(
    link: &Link,
    id: i64,
    (ordinal, kind): (u64, &str),
    parts: Vec<Part>,
) -> Result<Effect, DbTrouble> {
    let tally = Tally::default();
    effect::close(link, id, &tally, parts)?;
    link.commit()?;
    Ok(Effect {
        ordinal,
        kind: kind.to_owned(),
        rows: 0,
        root: tally.root(),
    })
}
