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
//! Not here: which may be set aside (`orgdb`), whether the plan allows it (`load`), tables that hold rows
//! of others (`locked`).

use std::collections::BTreeSet;

use crate::copy::fault::LoadFault;
use crate::copy::ledger::effect::{self, Head, Part};
use crate::copy::ledger::{Deed, Effect, prepared};
use crate::copy::tables::indexes;
use crate::copy::value::tally::Tally;
use crate::orgdb::catalogue::{Accessory, Reference};
use crate::orgdb::{DbTrouble, Dialect, Link, Sql, crash};
use crate::values;

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

impl Broken {
    /// What a copy says of it.
    pub(crate) fn told<T>(built: Result<T, Broken>) -> Result<Result<T, LoadFault>, DbTrouble> {
        match built {
            Ok(built) => Ok(Ok(built)),
            Err(Broken::Db(trouble)) => Err(trouble),
            Err(Broken::Orphans { table, name, rows }) => {
                Ok(Err(LoadFault::Orphans { table, name, rows }))
            }
        }
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
    let empty = empty_of(link, tables)?;
    indexes::lock(link, &with_parents(link, &empty)?)?;
    for table in empty_of(link, &empty)? {
        let table = table.as_str();
        for accessory in keys_first(link, table)? {
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

/// What may be set aside of a table, in the order in which it goes: a foreign key leans on an index.
pub(super) fn keys_first(link: &Link, table: &str) -> Result<Vec<Accessory>, DbTrouble> {
    let mut found = link.accessories(table)?;
    found.sort_by_key(|one| one.reference.is_none());
    Ok(found)
}

/// Those of these tables that hold no row.
fn empty_of(link: &Link, tables: &[String]) -> Result<Vec<String>, DbTrouble> {
    let mut empty = Vec::new();
    for table in tables {
        if indexes::is_empty(link, table)? {
            empty.push(table.clone());
        }
    }
    Ok(empty)
}

/// These tables and those that their foreign keys refer to: to take a key off locks both of its ends.
pub(super) fn with_parents(link: &Link, tables: &[String]) -> Result<BTreeSet<String>, DbTrouble> {
    let mut all: BTreeSet<String> = tables.iter().cloned().collect();
    for table in tables {
        all.extend(link.parents(table)?);
    }
    Ok(all)
}

/// What a crash left standing that the ledger says is aside, where a change commits by itself.
pub(crate) fn drop_noted(link: &Link, deed: &Deed) -> Result<(), DbTrouble> {
    if link.dialect() != Dialect::Mariadb {
        return Ok(());
    }
    for (table, accessory) in noted_aside(link, deed)? {
        crash::reached("aside");
        behind_fence(link, deed, || indexes::set_aside(link, &table, &accessory))?;
    }
    Ok(())
}

/// Builds everything again that stands aside, and notes that it is done.
pub(crate) fn build_again(link: &Link, deed: &Deed, ordinal: u64) -> Result<Effect, Broken> {
    // Indexes first, by which foreign keys are then checked.
    for (table, accessory) in noted_aside(link, deed)?.into_iter().rev() {
        let built = behind_fence(link, deed, || indexes::build(link, &table, &accessory));
        judge(link, &table, &accessory, built)?;
    }
    effect::begin(link, deed)?;
    let id = effect::open(link, deed, ordinal, BUILT)?.ok_or(DbTrouble::Clash)?;
    Ok(noted(link, id, (ordinal, BUILT), Vec::new())?)
}

/// Why one of them could not be built, if it could not.
pub(super) fn judge(
    link: &Link,
    table: &str,
    accessory: &Accessory,
    built: Result<(), DbTrouble>,
) -> Result<(), Broken> {
    match (built, &accessory.reference) {
        (Ok(()), _) => {
            crash::reached("built");
            Ok(())
        }
        (Err(DbTrouble::Constraint { .. }), Some(asked)) => Err(Broken::Orphans {
            rows: indexes::orphans(link, table, asked)?,
            name: accessory.name.clone(),
            table: table.to_owned(),
        }),
        (Err(trouble), _) => Err(trouble.into()),
    }
}

/// Whether all of them stood again once: what became of them since is the business of the target's people.
/// (An undo that was stopped may have marked that as undone.)
pub(crate) fn was_built(link: &Link, deed: &Deed) -> Result<bool, DbTrouble> {
    let query = Sql::new(
        "SELECT 1 FROM handover_effect WHERE run = ?1 AND step = ?2 AND generation = ?3 AND kind = ?4",
    );
    let asked = values![
        deed.run.to_string(),
        deed.step.as_str(),
        deed.generation,
        BUILT
    ];
    Ok(link.row(&query, &asked)?.is_some())
}

/// Foreign keys that stand aside, whoever of ours set them so, with the tables that they are of.
pub(crate) fn absent_keys(link: &Link) -> Result<Vec<(String, Reference)>, DbTrouble> {
    // Elsewhere no load takes a foreign key off a table.
    if link.dialect() != Dialect::Postgres || !prepared(link)? {
        return Ok(Vec::new());
    }
    let query = Sql::new(
        "SELECT e.effect FROM handover_effect AS e WHERE e.kind = ?1 AND e.undone_at IS NULL
         AND NOT EXISTS (SELECT 1 FROM handover_effect AS b WHERE b.run = e.run AND b.step = e.step
           AND b.generation = e.generation AND b.kind = ?2)",
    );
    let mut absent = Vec::new();
    for row in link.rows(&query, &values![ASIDE, BUILT])? {
        let id = row[0].int().ok_or(DbTrouble::Damaged)?;
        for part in effect::parts(link, id)? {
            let Head::Aside { table, accessory } = part.head else {
                continue;
            };
            if accessory.reference.is_some() && !indexes::stands(link, &table, &accessory)? {
                absent.extend(accessory.reference.map(|asked| (table, asked)));
            }
        }
    }
    Ok(absent)
}

/// Before rows are taken back: what stands aside is built again as far as the rows allow it, so that
/// whoever has hung rows on ours meanwhile is seen.
pub(crate) fn build_what_goes(link: &Link, deed: &Deed) -> Result<(), DbTrouble> {
    if was_built(link, deed)? {
        return Ok(());
    }
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
