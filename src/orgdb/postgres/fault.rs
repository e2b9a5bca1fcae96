//! What the server and the driver say, as trouble. The server's own text quotes rows (in `DETAIL`, and
//! for a wrong value in the message itself) and is never passed on: only `SQLSTATE` and names are.
//!
//! Not here: the words for trouble (`orgdb::fault`).

use rustls::pki_types::InvalidDnsNameError;
use sqlx::postgres::PgDatabaseError;

use crate::orgdb::{DbTrouble, tls};

/// The driver's words for a server without TLS.
const NO_TLS: &str = "server does not support TLS";

/// Trouble while connecting, over a socket of this machine (`local`) or a network.
pub(super) fn opening(error: &sqlx::Error, local: bool) -> DbTrouble {
    match error {
        sqlx::Error::Database(told) => match told.code().as_deref() {
            Some("3D000") => DbTrouble::Missing,
            Some("28P01" | "28000") => {
                DbTrouble::Unreachable("it does not let this user in".to_owned())
            }
            Some("53300") => DbTrouble::Unreachable("it has no connection left for us".to_owned()),
            Some("57P03") => DbTrouble::Unreachable("it is starting or stopping".to_owned()),
            _ => read(error),
        },
        sqlx::Error::Io(fault) => tls::unheard(fault, local),
        sqlx::Error::Tls(told) => match told.downcast_ref() {
            Some(fault) => tls::trouble(fault),
            None if told.to_string() == NO_TLS => tls::NONE,
            None if told.is::<InvalidDnsNameError>() => tls::NO_NAME,
            None => tls::NO_FILE,
        },
        _ => DbTrouble::Unreachable("no answer".to_owned()),
    }
}

/// Trouble with what was asked.
pub(super) fn read(error: &sqlx::Error) -> DbTrouble {
    match error {
        sqlx::Error::Database(told) => match told.try_downcast_ref::<PgDatabaseError>() {
            Some(told) => by_state(told),
            None => DbTrouble::Other(0),
        },
        sqlx::Error::WorkerCrashed => DbTrouble::Interrupted,
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) => DbTrouble::Cut,
        sqlx::Error::Protocol(_) => DbTrouble::State("protocol".to_owned()),
        _ => DbTrouble::Other(0),
    }
}

/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn by_state(told: &PgDatabaseError) -> DbTrouble {
    let refused = |kind| DbTrouble::Constraint { kind, on: on(told) };
    match told.code() {
        "23505" | "23P01" => refused("unique"),
        "23503" => refused("foreign key"),
        "23514" => refused("check"),
        "23502" => refused("not null"),
        "P0001" | "09000" => DbTrouble::Constraint {
            kind: "trigger",
            on: String::new(),
        },
        "42P01" | "3F000" => DbTrouble::NoSuch(named(told, "relation")),
        "42703" => DbTrouble::NoSuch(named(told, "column")),
        "42501" | "25006" => DbTrouble::ReadOnly,
        "40001" | "40P01" => DbTrouble::Clash,
        "55P03" => DbTrouble::Locked(None),
        "53100" => DbTrouble::Full,
        "58030" => DbTrouble::Disk,
        "57P01" | "57P02" | "57P03" | "25P03" | "57P05" => DbTrouble::Cut,
        "57014" => DbTrouble::Interrupted,
        "XX001" | "XX002" => DbTrouble::Damaged,
        code if code.starts_with("22") => refused("type"),
        code if code.starts_with("08") => DbTrouble::Cut,
        code => DbTrouble::State(code.to_owned()),
    }
}

/// The table and its constraint or column, where the server names them: `table.name`.
fn on(told: &PgDatabaseError) -> String {
    match (told.table(), told.column().or(told.constraint())) {
        (Some(table), Some(name)) => format!("{table}.{name}"),
        (Some(table), None) => table.to_owned(),
        // A value that does not fit is told with its column only in the context of a COPY.
        (None, _) => context(told).map_or_else(String::new, |(table, _, column)| {
            column.map_or_else(|| table.clone(), |column| format!("{table}.{column}"))
        }),
    }
}

/// The row of a `COPY` that was refused, from 0.
pub(super) fn row(error: &sqlx::Error) -> Option<usize> {
    let sqlx::Error::Database(told) = error else {
        return None;
    };
    let (_, line, _) = context(told.try_downcast_ref::<PgDatabaseError>()?)?;
    line.checked_sub(1)
}

/// `COPY table, line 7, column name: …`: the table, the line, the column.
fn context(told: &PgDatabaseError) -> Option<(String, usize, Option<String>)> {
    let lines = told.r#where()?.lines();
    lines
        .filter_map(|line| line.strip_prefix("COPY "))
        .find_map(copied)
}

fn copied(line: &str) -> Option<(String, usize, Option<String>)> {
    let (table, rest) = line.split_once(", line ")?;
    let digits = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let number = rest[..digits].parse().ok()?;
    let column = rest[digits..].strip_prefix(", column ").map(|rest| {
        let end = rest.find(':').unwrap_or(rest.len());
        rest[..end].to_owned()
    });
    Some((table.to_owned(), number, column))
}

/// The name in `relation "x" does not exist`; these messages hold names alone.
fn named(told: &PgDatabaseError, what: &str) -> String {
    let message = told.message();
    let rest = message.split_once(what).map_or(message, |(_, rest)| rest);
    let name = rest.trim_start().split(' ').next().unwrap_or_default();
    name.trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_context_of_a_copy_tells_row_and_column_and_nothing_of_the_value() {
        let line = "transaction, line 12, column amount: \"12.x\"";
        let told = Some(("transaction".to_owned(), 12, Some("amount".to_owned())));
        assert_eq!(copied(line), told);
        assert_eq!(copied("t, line 3"), Some(("t".to_owned(), 3, None)));
        assert_eq!(copied("t, something else"), None);
    }
}
