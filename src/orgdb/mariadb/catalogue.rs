//! What a `MariaDB` or `MySQL` database says of its own shape, read from `information_schema`.
//!
//! Not here: what a shape is made of (`orgdb::catalogue`).

use std::collections::BTreeMap;

use super::Session;
use crate::orgdb::catalogue::{Catalogue, Column, Hanging, Table};
use crate::orgdb::information::{self, HangingKeys, text, truth};
use crate::orgdb::kind::Kind;
use crate::orgdb::{DbTrouble, Sql, Value};

/// Table, column, type as declared, its name, required, default, whether that is an expression,
/// generated, counts by itself, most characters, digits, digits behind the point, its storage, digits of a second.
const COLUMNS: &str = "SELECT c.table_name, c.column_name, c.column_type, lower(c.data_type),
  c.is_nullable = 'NO', c.column_default, c.extra LIKE '%DEFAULT_GENERATED%',
  coalesce(c.generation_expression, '') <> '', c.extra LIKE '%auto_increment%',
  c.character_maximum_length, c.numeric_precision, c.numeric_scale, coalesce(t.engine, ''),
  c.datetime_precision
  FROM information_schema.columns AS c
  JOIN information_schema.tables AS t
    ON t.table_schema = c.table_schema AND t.table_name = c.table_name
  WHERE c.table_schema = DATABASE() AND t.table_type = 'BASE TABLE'
  AND (?1 = '' OR c.table_name = ?1)
  ORDER BY c.table_name, c.ordinal_position";

/// Table, name, column, parent (blank for the primary key), its column, in the key's order.
const KEYS: &str = "SELECT k.table_name, k.constraint_name, k.column_name,
  coalesce(k.referenced_table_name, ''), coalesce(k.referenced_column_name, '')
  FROM information_schema.key_column_usage AS k
  WHERE k.table_schema = DATABASE()
  AND (k.constraint_name = 'PRIMARY' OR k.referenced_table_name IS NOT NULL)
  AND (?1 = '' OR k.table_name = ?1)
  ORDER BY k.table_name, k.constraint_name, k.ordinal_position";

/// Foreign keys of whatever database that point at tables of ours: the child's database (blank for ours), the
/// child, name, column, the parent's column, whether rows would be deleted or changed along, the parent, in the
/// key's order. The server opens every table for this, so it is asked once in a transaction.
const HANGING: &str = "SELECT if(k.table_schema = DATABASE(), '', k.table_schema), k.table_name,
  k.constraint_name, k.column_name, k.referenced_column_name,
  coalesce(r.delete_rule, '') NOT IN ('NO ACTION', 'RESTRICT'), k.referenced_table_name
  FROM information_schema.key_column_usage AS k
  LEFT JOIN information_schema.referential_constraints AS r
    ON r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name
    AND r.table_name = k.table_name
  WHERE k.referenced_table_schema = DATABASE()
  ORDER BY k.table_schema, k.table_name, k.constraint_name, k.ordinal_position";

/// Table, index, unique, column (blank for an expression), in the index's order.
const INDEXES: &str = "SELECT table_name, index_name, non_unique = 0, coalesce(column_name, '')
  FROM information_schema.statistics
  WHERE table_schema = DATABASE() AND (?1 = '' OR table_name = ?1)
  ORDER BY table_name, index_name, seq_in_index";

/// Table, trigger, definition. Those of a freeze of ours are not the organisation's own.
const TRIGGERS: &str = "SELECT event_object_table, trigger_name,
  concat('CREATE TRIGGER \"', trigger_name, '\" ', action_timing, ' ', event_manipulation, ' ON \"',
         event_object_table, '\" FOR EACH ROW ', action_statement)
  FROM information_schema.triggers
  WHERE trigger_schema = DATABASE() AND substr(trigger_name, 1, 9) <> 'handover_'
  AND (?1 = '' OR event_object_table = ?1) ORDER BY event_object_table, trigger_name";

/// Conditions on a table's name, as they stand where there is one.
const ONE: [(&str, &str); 4] = [
    (
        "(?1 = '' OR c.table_name = ?1)",
        "c.table_name = ?1 AND t.table_name = ?1 AND t.table_schema = DATABASE()",
    ),
    ("(?1 = '' OR k.table_name = ?1)", "k.table_name = ?1"),
    ("(?1 = '' OR table_name = ?1)", "table_name = ?1"),
    (
        "(?1 = '' OR event_object_table = ?1)",
        "event_object_table = ?1",
    ),
];

/// Storage whose changes cannot be taken back.
const LASTING: [&str; 5] = ["MyISAM", "Aria", "MEMORY", "CSV", "ARCHIVE"];

/// Reads the whole shape.
pub(in crate::orgdb) fn read(session: &Session) -> Result<Catalogue, DbTrouble> {
    let mut tables = tables(session, "")?;
    let made_up = tables.contains_key("handover_made_up");
    tables.retain(|name, _| !name.starts_with("handover_"));
    Ok(Catalogue { tables, made_up })
}

/// Reads one table's shape; none where there is no such table.
pub(in crate::orgdb) fn table(session: &Session, name: &str) -> Result<Option<Table>, DbTrouble> {
    // Where names are compared without regard to case, the server tells the table's own.
    Ok(tables(session, name)?
        .into_iter()
        .next()
        .map(|(_, table)| table))
}

/// Columns, other table, its columns.
type Reference = (Vec<String>, String, Vec<String>);

fn tables(session: &Session, only: &str) -> Result<BTreeMap<String, Table>, DbTrouble> {
    let mut found: BTreeMap<String, Table> = BTreeMap::new();
    each(session, COLUMNS, &[only], |row| {
        let table = found.entry(text(row, 0)).or_default();
        table.without_rowid = true;
        table.untransactional = LASTING.contains(&text(row, 12).as_str());
        table.columns.push(column(row, session.is_mariadb()));
    })?;
    let mut references: BTreeMap<(String, String), Reference> = BTreeMap::new();
    each(session, KEYS, &[only], |row| {
        let Some(table) = found.get_mut(&text(row, 0)) else {
            return;
        };
        if text(row, 3).is_empty() {
            table.key.push(text(row, 2));
            return;
        }
        let reference = references
            .entry((text(row, 0), text(row, 1)))
            .or_insert_with(|| (Vec::new(), text(row, 3), Vec::new()));
        reference.0.push(text(row, 2));
        reference.2.push(text(row, 4));
    })?;
    for ((table, _), reference) in references {
        if let Some(table) = found.get_mut(&table) {
            table.references.push(reference);
        }
    }
    each(session, INDEXES, &[only], |row| {
        information::add_index(&mut found, row);
    })?;
    each(session, TRIGGERS, &[only], |row| {
        information::add_trigger(&mut found, row);
    })?;
    for (name, table) in &mut found {
        table.triggers_hidden = table.triggers.is_empty() && !session.shows_triggers(name)?;
    }
    Ok(found)
}

/// Foreign keys by the table that they point at, its name in small letters: some servers do not tell the
/// cases of names apart.
pub(super) type Hung = BTreeMap<String, HangingKeys>;

/// The foreign keys that point at a table.
pub(in crate::orgdb) fn hanging(
    session: &Session,
    parent: &str,
) -> Result<Vec<Hanging>, DbTrouble> {
    let mut known = session.hung.borrow_mut();
    let all = match known.take() {
        Some(all) => all,
        None => hung(session)?,
    };
    let all = known.insert(all);
    let found = all.get(&parent.to_lowercase());
    Ok(found.map_or_else(Vec::new, |keys| keys.values().cloned().collect()))
}

fn hung(session: &Session) -> Result<Hung, DbTrouble> {
    let mut all = Hung::new();
    each(session, HANGING, &[""], |row| {
        let keys = all.entry(text(row, 6).to_lowercase()).or_default();
        information::add_hanging(keys, row);
    })?;
    Ok(all)
}

fn column(row: &[Value], mariadb: bool) -> Column {
    let declared = text(row, 2);
    let default = row[5].text().map(|shown| match (mariadb, truth(row, 6)) {
        (true, _) => told_default(shown),
        // MySQL tells a literal without its quotes.
        (false, false) => format!("'{}'", shown.replace('\'', "''")),
        (false, true) => format!("({shown})"),
    });
    Column {
        name: text(row, 1),
        kind: kind(
            &text(row, 3),
            &declared,
            [9, 10, 11, 13].map(|at| row[at].int()),
        ),
        declared,
        required: truth(row, 4),
        default: default.or_else(|| truth(row, 8).then(|| "identity".to_owned())),
        generated: truth(row, 7),
    }
}

/// A literal as every engine tells it; whatever else as it stands.
fn told_default(shown: &str) -> String {
    let number = !shown.is_empty()
        && shown
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
    let bits = shown
        .strip_prefix("b'")
        .and_then(|rest| rest.strip_suffix('\''));
    if let Some(number) = bits.and_then(|bits| i64::from_str_radix(bits, 2).ok()) {
        return number.to_string();
    }
    match () {
        () if number && shown.contains('.') => format!("'{shown}'"),
        // How a backslash is told depends on who made the table.
        () if shown.contains('\\') => format!("({shown})"),
        () => shown.to_owned(),
    }
}

/// What a column holds: its type's name, the type as declared, its characters, digits, digits behind
/// the point, digits of a second.
fn kind(name: &str, declared: &str, [most, digits, scale, second]: [Option<i64>; 4]) -> Kind {
    let number = |number: Option<i64>| number.and_then(|number| u32::try_from(number).ok());
    let second = number(second).unwrap_or(0);
    let unsigned = declared.contains("unsigned");
    let whole = |bits: u32| {
        let half = 1_i64 << (bits - 1);
        match (unsigned, bits) {
            (false, _) => Kind::Whole {
                least: half.wrapping_neg(),
                most: half.wrapping_sub(1),
            },
            // What is beyond is read as text, and cannot be written.
            (true, 64) => Kind::Whole {
                least: 0,
                most: i64::MAX,
            },
            (true, _) => Kind::Whole {
                least: 0,
                most: half * 2 - 1,
            },
        }
    };
    let text = |padded| Kind::Text {
        most: number(most),
        padded,
    };
    match name {
        "tinyint" => whole(8),
        "smallint" => whole(16),
        "mediumint" => whole(24),
        "int" => whole(32),
        "bigint" => whole(64),
        "bit" => match digits {
            Some(1) => Kind::Flag,
            Some(bits @ 2..=62) => Kind::Whole {
                least: 0,
                most: (1 << bits) - 1,
            },
            _ => Kind::Whole {
                least: 0,
                most: i64::MAX,
            },
        },
        // 0 to 99 would be taken for years of this century or the last.
        "year" => Kind::Whole {
            least: 1901,
            most: 2155,
        },
        "decimal" => Kind::Decimal(number(digits).zip(number(scale))),
        "float" => Kind::Float(true),
        "double" => Kind::Float(false),
        "char" => text(true),
        "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => text(false),
        "date" => Kind::Date,
        "time" => Kind::Time { digits: second },
        "datetime" => Kind::Moment {
            zoned: false,
            digits: second,
        },
        "timestamp" => Kind::Moment {
            zoned: true,
            digits: second,
        },
        "uuid" => Kind::Uuid,
        "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => Kind::Bytes,
        // `enum` and `set` take a word in any case for theirs, `binary(n)` is filled up, MySQL's `json`
        // is written anew: what is stored is known by reading it back.
        _ => Kind::Other,
    }
}

fn each(
    session: &Session,
    query: &'static str,
    values: &[&str],
    see: impl FnMut(&[Value]),
) -> Result<(), DbTrouble> {
    let mut query = Sql::new(query);
    if !values[0].is_empty() {
        // One table by its name: the server opens that one alone, and not all that it has.
        query = query.rewritten(&ONE);
    }
    information::each(values, |values, see| session.each(&query, values, see), see)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_is_told_as_every_engine_tells_it() {
        for (shown, wanted) in [
            ("'open'", "'open'"),
            ("'it''s'", "'it''s'"),
            ("0", "0"),
            ("-3", "-3"),
            ("0.00", "'0.00'"),
            ("b'1'", "1"),
            ("NULL", "NULL"),
            ("'a\\\\b'", "('a\\\\b')"),
            ("current_timestamp()", "current_timestamp()"),
        ] {
            assert_eq!(told_default(shown), wanted, "{shown}");
        }
    }

    #[test]
    fn numbers_are_as_wide_as_they_are_declared() {
        let width = |name, declared| match kind(name, declared, [None; 4]) {
            Kind::Whole { least, most } => (least, most),
            other => panic!("{other:?}"),
        };
        assert_eq!(width("tinyint", "tinyint(1)"), (-128, 127));
        assert_eq!(width("tinyint", "tinyint(3) unsigned"), (0, 255));
        assert_eq!(width("int", "int(10) unsigned"), (0, 4_294_967_295));
        assert_eq!(width("bigint", "bigint(20)"), (i64::MIN, i64::MAX));
        assert_eq!(width("bigint", "bigint(20) unsigned"), (0, i64::MAX));
    }
}
