//! What the server does not show an account for want of a right, and does not say that it does not: a table's
//! triggers, without the right TRIGGER on it.
//!
//! In: what the server says of grants, those of the account's roles among them. Out: whether triggers are shown.
//!
//! Not here: rights whose want the server tells (`fault`).

use super::Session;
use crate::orgdb::information::text;
use crate::orgdb::link::Flow;
use crate::orgdb::{DbTrouble, Sql, Value};

/// Where triggers are shown: databases (patterns) and single tables of them.
#[derive(Debug)]
pub(super) struct Shown {
    database: String,
    grants: Vec<(String, String)>,
}

impl Shown {
    /// Asks the server.
    pub(super) fn read(session: &Session) -> Result<Shown, DbTrouble> {
        let database = lines(session, "SELECT DATABASE()")?.concat();
        let grants = match lines(session, "SHOW GRANTS") {
            // A server that was started without any rights has none to tell.
            Err(DbTrouble::ReadOnly) => vec![("%".to_owned(), "*".to_owned())],
            told => told?.iter().filter_map(|line| of_triggers(line)).collect(),
        };
        Ok(Shown { database, grants })
    }

    /// Whether this table's are.
    pub(super) fn of(&self, table: &str) -> bool {
        self.grants.iter().any(|(database, name)| {
            if name == "*" {
                is_like(database.as_bytes(), self.database.as_bytes())
            } else {
                *database == self.database && name == table
            }
        })
    }
}

fn lines(session: &Session, query: &'static str) -> Result<Vec<String>, DbTrouble> {
    let mut lines = Vec::new();
    session.each(&Sql::new(query), &[], &mut |row| {
        lines.push(text(&[Value::of(row.get(0))], 0));
        Ok(Flow::Continue(()))
    })?;
    Ok(lines)
}

/// Where a grant gives the right, if it does: its database and table, `%` and `*` for every one.
/// <https://mariadb.com/kb/en/show-grants/>
fn of_triggers(line: &str) -> Option<(String, String)> {
    let (rights, rest) = line.strip_prefix("GRANT ")?.split_once(" ON ")?;
    let mut rights = rights.split(", ");
    if !rights.any(|right| matches!(right, "ALL PRIVILEGES" | "TRIGGER")) {
        return None;
    }
    let (database, rest) = name(rest)?;
    let (table, _) = name(rest.strip_prefix('.')?)?;
    let database = if database == "*" {
        "%".to_owned()
    } else {
        database
    };
    Some((database, table))
}

/// A name in whatever quotes, or `*`, and what comes behind it.
fn name(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next()?;
    if quote == '*' {
        return Some(("*".to_owned(), &text[1..]));
    }
    if !matches!(quote, '`' | '"') {
        return None;
    }
    let length = crate::orgdb::dialect::quoted(text, quote);
    let inner = text.get(1..length - 1)?;
    let doubled: String = [quote, quote].iter().collect();
    let name = inner.replace(&doubled, &quote.to_string());
    Some((name, &text[length..]))
}

/// As the server reads a database's name in a grant: `%` for any letters, `_` for one, `\` before either.
fn is_like(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern, name) {
        ([], name) => name.is_empty(),
        ([b'%', rest @ ..], _) => (0..=name.len()).any(|at| is_like(rest, &name[at..])),
        ([b'_', rest @ ..], [_, name @ ..]) => is_like(rest, name),
        ([b'\\', letter, rest @ ..] | [letter, rest @ ..], [first, name @ ..]) => {
            letter == first && is_like(rest, name)
        }
        (_, []) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(grant: &str, table: &str) -> bool {
        let shown = Shown {
            database: "dover_housing".to_owned(),
            grants: of_triggers(grant).into_iter().collect(),
        };
        shown.of(table)
    }

    #[test]
    fn triggers_are_shown_where_the_right_to_them_was_given() {
        for grant in [
            "GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION",
            "GRANT SELECT, TRIGGER ON \"dover\\_housing\".* TO \"clerk\"@\"%\"",
            "GRANT TRIGGER ON `dover%`.* TO `clerk`@`%`",
            "GRANT SELECT (name, ref), TRIGGER ON `dover_housing`.`account` TO `clerk`@`%`",
        ] {
            assert!(shown(grant, "account"), "{grant}");
        }
        for grant in [
            "GRANT USAGE ON *.* TO `clerk`@`%`",
            "GRANT SELECT, INSERT ON `dover_housing`.* TO `clerk`@`%`",
            "GRANT TRIGGER ON `deal\\_housing`.* TO `clerk`@`%`",
            "GRANT TRIGGER ON `dover_housing`.`line` TO `clerk`@`%`",
            "GRANT TRIGGER ON `dover`.* TO `clerk`@`%`",
            "GRANT `TRIGGER` TO `clerk`@`%`",
            "GRANT PROXY ON ''@'%' TO 'root'@'localhost' WITH GRANT OPTION",
        ] {
            assert!(!shown(grant, "account"), "{grant}");
        }
    }
}
