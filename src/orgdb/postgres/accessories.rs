//! Indexes and foreign keys of a `PostgreSQL` table that may be set aside while rows are loaded.
//!
//! What decides about a single row (keys, unique and excluding constraints) is none of them, nor is what
//! its definition alone does not tell whole: an index in a tablespace of its own, one that clusters or
//! identifies rows, one with a comment or with statistics of its own, one that is not valid; and nothing
//! of partitions.
//!
//! Not here: setting them aside and building them again (`copy`).

use super::Session;
use crate::orgdb::catalogue::{Accessory, Reference};
use crate::orgdb::information::{self, text};
use crate::orgdb::{DbTrouble, Sql};

/// Name, statement.
const INDEXES: &str = "SELECT x.relname, pg_get_indexdef(x.oid)
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
  JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
  WHERE c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema())
  AND c.relname = ?1 AND c.relkind = 'r' AND NOT c.relispartition
  AND i.indisvalid AND NOT i.indisunique AND NOT i.indisexclusion
  AND NOT i.indisclustered AND NOT i.indisreplident AND x.reltablespace = 0
  AND obj_description(x.oid, 'pg_class') IS NULL
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = x.oid
    AND coalesce(nullif(a.attstattarget, -1), 0) <> 0)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = x.oid AND d.deptype IN ('i', 'e', 'x'))
  ORDER BY x.relname";

/// Something of each foreign key that may be set aside, once for every column. One that somebody has switched off
/// would come back switched on: it stays.
macro_rules! foreign_keys {
    ($what:literal, $order:literal) => {
        concat!(
            "SELECT ",
            $what,
            " FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
  JOIN pg_catalog.pg_class p ON p.oid = k.confrelid
  CROSS JOIN LATERAL unnest(k.conkey) WITH ORDINALITY AS u(num, place)
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.num
  JOIN pg_catalog.pg_attribute f ON f.attrelid = p.oid AND f.attnum = k.confkey[u.place]
  WHERE c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema())
  AND p.relnamespace = c.relnamespace
  AND c.relname = ?1 AND c.relkind = 'r' AND NOT c.relispartition AND p.relkind = 'r'
  AND k.contype = 'f' AND k.convalidated AND k.conparentid = 0
  AND obj_description(k.oid, 'pg_constraint') IS NULL
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_trigger t WHERE t.tgconstraint = k.oid AND t.tgenabled <> 'O')
  ORDER BY ",
            $order
        )
    };
}

/// Name, statement, column, parent, its column, in the key's order.
const FOREIGN_KEYS: &str = foreign_keys!(
    "k.conname,
  format('ALTER TABLE %s ADD CONSTRAINT %I %s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid)),
  a.attname, p.relname, f.attname",
    "k.conname, u.place"
);

/// Parents alone: a definition cannot be asked for while somebody else takes its key off.
const PARENTS: &str = foreign_keys!("DISTINCT p.relname", "p.relname");

/// Whether this account is a table's owner, or one of its roles is.
const OWNS: &str = "SELECT pg_has_role(c.relowner, 'USAGE') FROM pg_catalog.pg_class c
  WHERE c.relname = ?1
  AND c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema())";

/// Whether it may lock a table wholly, and refer to it.
const MAY_BE_PARENT: &str = "SELECT has_table_privilege(c.oid, 'REFERENCES')
  AND has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE')
  FROM pg_catalog.pg_class c WHERE c.relname = ?1
  AND c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema())";

pub(in crate::orgdb) fn owns(session: &Session, table: &str) -> Result<bool, DbTrouble> {
    holds(session, OWNS, table)
}

pub(in crate::orgdb) fn may_be_parent(session: &Session, table: &str) -> Result<bool, DbTrouble> {
    holds(session, MAY_BE_PARENT, table)
}

fn holds(session: &Session, query: &'static str, table: &str) -> Result<bool, DbTrouble> {
    let mut holds = false;
    each(session, query, table, |row| {
        holds = information::truth(row, 0);
    })?;
    Ok(holds)
}

/// Tables to which foreign keys refer that may be set aside.
pub(in crate::orgdb) fn parents(session: &Session, table: &str) -> Result<Vec<String>, DbTrouble> {
    let mut parents = Vec::new();
    each(session, PARENTS, table, |row| parents.push(text(row, 0)))?;
    Ok(parents)
}

/// Indexes first: a foreign key is checked by them.
pub(in crate::orgdb) fn read(session: &Session, table: &str) -> Result<Vec<Accessory>, DbTrouble> {
    let mut found = Vec::new();
    each(session, INDEXES, table, |row| {
        found.push(Accessory {
            name: text(row, 0),
            reference: None,
            made_by: text(row, 1),
        });
    })?;
    let indexes = found.len();
    each(session, FOREIGN_KEYS, table, |row| {
        let name = text(row, 0);
        let known = found[indexes..].iter().position(|key| key.name == name);
        let at = known.map_or(found.len(), |at| indexes + at);
        if known.is_none() {
            found.push(Accessory {
                name,
                reference: Some(Reference {
                    columns: Vec::new(),
                    parent: text(row, 3),
                    parent_columns: Vec::new(),
                }),
                made_by: text(row, 1),
            });
        }
        if let Some(reference) = &mut found[at].reference {
            reference.columns.push(text(row, 2));
            reference.parent_columns.push(text(row, 4));
        }
    })?;
    Ok(found)
}

fn each(
    session: &Session,
    query: &'static str,
    table: &str,
    see: impl FnMut(&[crate::orgdb::Value]),
) -> Result<(), DbTrouble> {
    let query = Sql::new(query);
    information::each(
        &[table],
        |values, see| session.each(&query, values, see),
        see,
    )
}
