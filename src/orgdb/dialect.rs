//! The tongues of the engines: our SQL is written once and read by each in its own way.
//!
//! In: text with `"quoted"` names, `?1` for values, `handover_…` for our own tables. Out: the
//! engine's own.
//!
//! Not here: building that text (`sql`).

use super::Sql;
use crate::sql;

/// Which tongue a database speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// `SQLite`
    Sqlite,
    /// `PostgreSQL`
    Postgres,
    /// `MariaDB` or `MySQL`
    Mariadb,
}

impl Dialect {
    /// That of files: what stands in ledgers of before there were others.
    #[must_use]
    pub fn file() -> Dialect {
        Dialect::Sqlite
    }

    /// Compares two values of which both may be NULL.
    #[must_use]
    pub fn same(self) -> Sql {
        match self {
            Dialect::Sqlite => Sql::new("IS"),
            Dialect::Postgres => Sql::new("IS NOT DISTINCT FROM"),
            Dialect::Mariadb => Sql::new("<=>"),
        }
    }

    /// Behind an insert: whatever stands there already stays as it is. `column` is one of the key's.
    #[must_use]
    pub(crate) fn or_leave(self, column: &Sql) -> Sql {
        match self {
            Dialect::Sqlite | Dialect::Postgres => Sql::new("ON CONFLICT DO NOTHING"),
            // (`INSERT IGNORE` would swallow every other trouble, too.)
            Dialect::Mariadb => sql!("ON DUPLICATE KEY UPDATE {} = VALUES({})", column, column),
        }
    }
}

/// Our tables: on `PostgreSQL` they stand in the schema `handover`, without the prefix.
const OURS: [&str; 7] = [
    "fence", "session", "effect", "undo", "key", "reject", "outbox",
];

/// The text as `PostgreSQL` reads it: `$1` for values, our tables in their schema.
pub(super) fn postgres(text: &str) -> String {
    postgres_with(text, |at| format!("${at}"))
}

/// The same with something else for each value, by its number from 1.
pub(super) fn postgres_with(text: &str, value: impl Fn(usize) -> String) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '\'' => quoted(rest, first),
            '"' => {
                let (name, after) = rest.split_at(quoted(rest, first));
                push_name(&mut out, name);
                rest = after;
                continue;
            }
            '?' => {
                let digits = rest[1..].bytes().take_while(u8::is_ascii_digit).count();
                out.push_str(&value(rest[1..=digits].parse().unwrap_or(1)));
                rest = &rest[1 + digits..];
                continue;
            }
            letter if is_word(letter) => {
                let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                let (word, after) = rest.split_at(length);
                push_word(&mut out, word);
                rest = after;
                continue;
            }
            other => other.len_utf8(),
        };
        out.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    out
}

/// Whether a bare name or a number goes on with this.
pub(super) fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

/// A quoted name: our tables are named so, too, where they stand among others.
fn push_name(out: &mut String, name: &str) {
    match ours(name.trim_matches('"')) {
        Some(table) => out.extend(["handover.\"", table, "\""]),
        None => out.push_str(name),
    }
}

/// The bare name of one of our tables.
pub(super) fn ours(name: &str) -> Option<&str> {
    let table = name.strip_prefix("handover_")?;
    OURS.contains(&table).then_some(table)
}

fn push_word(out: &mut String, word: &str) {
    match ours(word) {
        Some(table) => out.extend(["handover.", table]),
        None => out.push_str(word),
    }
}

/// How long a quoted piece is, its quotes included; a doubled quote does not end it.
pub(super) fn quoted(text: &str, quote: char) -> usize {
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if letter == quote {
            if letters.peek().is_some_and(|(_, next)| *next == quote) {
                letters.next();
            } else {
                return at + 1;
            }
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_our_tables_are_told_in_the_servers_tongue_and_quoted_text_is_left_alone() {
        let text = "INSERT INTO handover_key (run) SELECT \"handover_key?1\", '?2''handover_undo' \
                    FROM handover_freeze, \"handover_undo\" WHERE a = ?12 AND handover_effect.run = ?1";
        assert_eq!(
            postgres(text),
            "INSERT INTO handover.key (run) SELECT \"handover_key?1\", '?2''handover_undo' \
             FROM handover_freeze, handover.\"undo\" WHERE a = $12 AND handover.effect.run = $1"
        );
        assert_eq!(
            postgres_with("SELECT '?1', \"?1\", ?12 + ?1", |at| format!("<{at}>")),
            "SELECT '?1', \"?1\", <12> + <1>"
        );
    }
}
