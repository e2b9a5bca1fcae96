//! What a `PostgreSQL` database says of its own shape, read from its catalogue: the tables of the
//! schema that comes first in the search path.
//!
//! Not here: what a shape is made of (`orgdb::catalogue`).

use std::collections::BTreeMap;

use super::Session;
use crate::orgdb::catalogue::{Catalogue, Column, Hanging, Table};
use crate::orgdb::dialect::ours;
use crate::orgdb::information::{self, HangingKeys, text, truth};
use crate::orgdb::kind::Kind;
use crate::orgdb::{DbTrouble, Ident, Sql, Value};

/// Table, column, type as shown, required, default, generated, identity, the type's (a domain's base
/// type's) name, its modifier, whether it is a list of words. (To show a default as one of its table's, the
/// server would wait for whoever has that table locked; only a generated column's needs it.)
const COLUMNS: &str =
    "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
  CASE a.attgenerated WHEN '' THEN pg_get_expr(d.adbin, 0) ELSE pg_get_expr(d.adbin, d.adrelid) END,
  a.attgenerated <> '', a.attidentity <> '',
  CASE t.typtype WHEN 'd' THEN b.typname ELSE t.typname END,
  CASE t.typtype WHEN 'd' THEN t.typtypmod ELSE a.atttypmod END,
  coalesce(b.typtype, t.typtype) = 'e'
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype AND t.typtype = 'd'
  LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
  WHERE c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = coalesce(nullif(?2, ''), current_schema()))
  AND c.relkind IN ('r', 'p') AND (?1 = '' OR c.relname = ?1)
  ORDER BY c.relname, a.attnum";

/// Table, name, kind, column, parent, its column, in the key's order.
const KEYS: &str = "SELECT c.relname, k.conname, CAST(k.contype AS text), a.attname,
  coalesce(p.relname, ''), coalesce(f.attname, '')
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
  CROSS JOIN LATERAL unnest(k.conkey) WITH ORDINALITY AS u(num, place)
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.num
  LEFT JOIN pg_catalog.pg_class p ON p.oid = k.confrelid
  LEFT JOIN pg_catalog.pg_attribute f ON f.attrelid = p.oid AND f.attnum = k.confkey[u.place]
  WHERE c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = coalesce(nullif(?2, ''), current_schema()))
  AND k.contype IN ('p', 'f') AND (?1 = '' OR c.relname = ?1)
  ORDER BY c.relname, k.conname, u.place";

/// Foreign keys of whatever schema that point at a table: the child's schema (blank for ours), the child, name,
/// column, the parent's column, whether rows would be deleted or changed along, in the key's order. What a
/// partition has of its whole is not told again.
const HANGING: &str = "SELECT
  CASE n.nspname WHEN current_schema() THEN '' ELSE n.nspname END, c.relname, k.conname, a.attname, f.attname,
  k.confdeltype NOT IN ('a', 'r')
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  CROSS JOIN LATERAL unnest(k.conkey) WITH ORDINALITY AS u(num, place)
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.num
  JOIN pg_catalog.pg_attribute f ON f.attrelid = k.confrelid AND f.attnum = k.confkey[u.place]
  WHERE k.contype = 'f' AND k.confrelid = to_regclass(?1)
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint whole
                  WHERE whole.oid = k.conparentid AND whole.confrelid = k.confrelid)
  ORDER BY 1, c.relname, k.conname, u.place";

/// Table, index, unique over all rows, column (blank for an expression), in the index's order.
const INDEXES: &str = "SELECT c.relname, x.relname, i.indisunique AND i.indpred IS NULL,
  coalesce(a.attname, '')
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
  JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
  CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS u(num, place)
  LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.num AND u.num > 0
  WHERE c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = coalesce(nullif(?2, ''), current_schema()))
  AND u.place <= i.indnkeyatts AND (?1 = '' OR c.relname = ?1)
  ORDER BY c.relname, x.relname, u.place";

/// Table, trigger, definition. Those of a freeze of ours are not the organisation's own; one that somebody
/// has disabled does not fire, and stays so.
const TRIGGERS: &str = "SELECT c.relname, t.tgname, pg_get_triggerdef(t.oid)
    || CASE t.tgenabled WHEN 'A' THEN ' ALWAYS' ELSE '' END
  FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
  WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND t.tgname NOT LIKE 'handover\\_%'
  AND c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = coalesce(nullif(?2, ''), current_schema()))
  AND (?1 = '' OR c.relname = ?1) ORDER BY c.relname, t.tgname";

/// Whether a row of the table is held against others of it by more than references and triggers of its own: by
/// functions in its checks and defaults, by policies, by triggers of a single partition.
const LOOKS_BACK: &str = "SELECT c.relrowsecurity
  OR EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
    WHERE d.refclassid = 'pg_catalog.pg_proc'::regclass
    AND (d.classid = 'pg_catalog.pg_constraint'::regclass
        AND d.objid IN (SELECT k.oid FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid)
      OR d.classid = 'pg_catalog.pg_attrdef'::regclass
        AND d.objid IN (SELECT a.oid FROM pg_catalog.pg_attrdef a WHERE a.adrelid = c.oid)))
  OR EXISTS (SELECT 1 FROM pg_catalog.pg_partition_tree(c.oid) p
    JOIN pg_catalog.pg_trigger t ON t.tgrelid = p.relid
    WHERE p.relid <> c.oid AND NOT t.tgisinternal)
  FROM pg_catalog.pg_class c WHERE c.relname = ?1
  AND c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema())";

pub(in crate::orgdb) fn looks_back(session: &Session, table: &str) -> Result<bool, DbTrouble> {
    let mut looks = false;
    each(session, LOOKS_BACK, &[table], |row| {
        looks = information::truth(row, 0);
    })?;
    Ok(looks)
}

/// Reads the whole shape.
pub(in crate::orgdb) fn read(session: &Session) -> Result<Catalogue, DbTrouble> {
    let mut tables = tables(session, "", "")?;
    let made_up = tables.contains_key("handover_made_up");
    tables.retain(|name, _| !name.starts_with("handover_"));
    Ok(Catalogue { tables, made_up })
}

/// Reads one table's shape; none where there is no such table.
pub(in crate::orgdb) fn table(session: &Session, name: &str) -> Result<Option<Table>, DbTrouble> {
    match ours(name) {
        Some(ours) => Ok(tables(session, ours, "handover")?.remove(ours)),
        None => Ok(tables(session, name, "")?.remove(name)),
    }
}

fn tables(
    session: &Session,
    only: &str,
    schema: &str,
) -> Result<BTreeMap<String, Table>, DbTrouble> {
    let mut found: BTreeMap<String, Table> = BTreeMap::new();
    each(session, COLUMNS, &[only, schema], |row| {
        let table = found.entry(text(row, 0)).or_default();
        table.without_rowid = true;
        table.columns.push(column(row));
    })?;
    each(session, KEYS, &[only, schema], |row| {
        if let Some(table) = found.get_mut(&text(row, 0)) {
            key(table, row);
        }
    })?;
    each(session, INDEXES, &[only, schema], |row| {
        information::add_index(&mut found, row);
    })?;
    each(session, TRIGGERS, &[only, schema], |row| {
        information::add_trigger(&mut found, row);
    })?;
    for table in found.values_mut() {
        // A foreign key's name was only needed to keep its columns together.
        table.references.iter_mut().for_each(|reference| {
            reference.1 = reference
                .1
                .split('\0')
                .next()
                .unwrap_or_default()
                .to_owned();
        });
    }
    Ok(found)
}

/// Adds one column of a primary or foreign key.
fn key(table: &mut Table, row: &[Value]) {
    if text(row, 2) == "p" {
        table.key.push(text(row, 3));
        return;
    }
    let named = format!("{}\0{}", text(row, 4), text(row, 1));
    match table.references.iter_mut().find(|known| known.1 == named) {
        Some(known) => {
            known.0.push(text(row, 3));
            known.2.push(text(row, 5));
        }
        None => table
            .references
            .push((vec![text(row, 3)], named, vec![text(row, 5)])),
    }
}

/// The foreign keys that point at a table.
pub(in crate::orgdb) fn hanging(
    session: &Session,
    parent: &str,
) -> Result<Vec<Hanging>, DbTrouble> {
    let (parent, mut found) = (Ident::new(parent).to_string(), HangingKeys::default());
    each(session, HANGING, &[&parent], |row| {
        information::add_hanging(&mut found, row);
    })?;
    Ok(found.into_values().collect())
}

fn column(row: &[Value]) -> Column {
    let identity = truth(row, 6);
    let default = row[4].text().map(plain_default);
    Column {
        name: text(row, 1),
        declared: text(row, 2),
        kind: if truth(row, 9) {
            Kind::Word
        } else {
            kind(&text(row, 7), row[8].int().unwrap_or(-1))
        },
        required: truth(row, 3),
        default: default.or_else(|| identity.then(|| "identity".to_owned())),
        generated: truth(row, 5),
    }
}

/// A literal without the cast that the server adds to it; whatever else as it stands.
fn plain_default(shown: &str) -> String {
    let literal = match shown.rsplit_once("::") {
        Some((literal, cast)) if !cast.contains(['\'', '(']) || cast.ends_with(')') => literal,
        _ => shown,
    };
    let literal = literal.trim_start_matches('(').trim_end_matches(')');
    let quoted = literal.starts_with('\'') && literal.ends_with('\'');
    let number = !literal.is_empty()
        && literal
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
    match () {
        () if quoted => literal.to_owned(),
        () if number && literal.contains('.') => format!("'{literal}'"),
        () if number || matches!(literal, "true" | "false" | "NULL") => literal.to_owned(),
        () => shown.to_owned(),
    }
}

fn kind(name: &str, modifier: i64) -> Kind {
    let most = (modifier >= 4).then(|| u32::try_from(modifier - 4).unwrap_or(u32::MAX));
    let digits = u32::try_from(modifier).unwrap_or(6);
    match name {
        "bool" => Kind::Flag,
        "int2" => whole(i16::MIN.into(), i16::MAX.into()),
        "int4" => whole(i32::MIN.into(), i32::MAX.into()),
        "int8" => whole(i64::MIN, i64::MAX),
        "numeric" => Kind::Decimal(most.map(|packed| (packed >> 16, packed & 0x7ff))),
        "float4" => Kind::Float(true),
        "float8" => Kind::Float(false),
        "text" | "citext" => Kind::Text {
            most: None,
            padded: false,
        },
        "varchar" => Kind::Text {
            most,
            padded: false,
        },
        "bpchar" => Kind::Text { most, padded: true },
        "date" => Kind::Date,
        "time" => Kind::Time { digits },
        "timestamp" => Kind::Moment {
            zoned: false,
            digits,
        },
        "timestamptz" => Kind::Moment {
            zoned: true,
            digits,
        },
        "uuid" => Kind::Uuid,
        "json" => Kind::Json,
        "bytea" => Kind::Bytes,
        _ => Kind::Other,
    }
}

fn whole(least: i64, most: i64) -> Kind {
    Kind::Whole { least, most }
}

fn each(
    session: &Session,
    query: &'static str,
    values: &[&str],
    see: impl FnMut(&[Value]),
) -> Result<(), DbTrouble> {
    let query = Sql::new(query);
    information::each(values, |values, see| session.each(&query, values, see), see)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_is_told_without_the_cast_that_the_server_adds() {
        for (shown, wanted) in [
            ("'open'::text", "'open'"),
            ("'a::b'::character varying", "'a::b'"),
            ("0", "0"),
            ("0.00", "'0.00'"),
            ("'-1'::integer", "'-1'"),
            ("(-1)", "-1"),
            ("true", "true"),
            ("now()", "now()"),
            (
                "nextval('t_id_seq'::regclass)",
                "nextval('t_id_seq'::regclass)",
            ),
            ("NULL::numeric(10,2)", "NULL"),
        ] {
            assert_eq!(plain_default(shown), wanted, "{shown}");
        }
    }
}
