//! What the server and the driver say, as trouble. The server's own text quotes rows and is never passed
//! on: only its number, and the names that stand behind fixed words of it.
//!
//! Not here: the words for trouble (`orgdb::fault`).

use std::error::Error as StdError;

use mysql::error::tls::TlsError;
use mysql::{DriverError, Error};

use crate::orgdb::{DbTrouble, tls};

/// Trouble while connecting, over a socket of this machine (`local`) or a network.
pub(super) fn opening(error: &Error, local: bool) -> DbTrouble {
    let unreachable = |why: &str| DbTrouble::Unreachable(why.to_owned());
    match error {
        Error::MySqlError(told) => match told.code {
            1049 => DbTrouble::Missing,
            1044 | 1045 | 1698 | 1251 | 1862 | 4151 => unreachable("it does not let this user in"),
            1040 | 1203 | 1226 => unreachable("it has no connection left for us"),
            1053 => unreachable("it is starting or stopping"),
            3159 => unreachable("it wants TLS"),
            _ => by_number(told.code, &told.message, ""),
        },
        Error::IoError(fault) => tls::unheard(fault, local),
        // What is agreed on with the first packet fails with it.
        Error::CodecError(fault) => {
            let fault = fault.source().and_then(<dyn StdError>::downcast_ref);
            fault.map_or_else(
                || unreachable("no answer"),
                |fault| tls::unheard(fault, local),
            )
        }
        Error::DriverError(DriverError::CouldNotConnect(Some((_, _, kind)))) => {
            DbTrouble::Unreachable(kind.to_string())
        }
        Error::DriverError(DriverError::ConnectTimeout) => unreachable("timed out"),
        Error::TlsError(TlsError::Tls(fault)) => tls::trouble(fault),
        Error::TlsError(TlsError::InvalidDnsName(_)) => tls::NO_NAME,
        Error::TlsError(_) => tls::NO_FILE,
        Error::DriverError(DriverError::TlsNotSupported) => tls::NONE,
        _ => unreachable("no answer"),
    }
}

/// Trouble with what was asked; `table` is what it was asked of.
pub(super) fn read(error: &Error, table: &str) -> DbTrouble {
    match error {
        // Whatever number a trigger gives itself, its words are its own.
        Error::MySqlError(told) if told.state == "45000" => by_number(1644, "", table),
        Error::MySqlError(told) => by_number(told.code, &told.message, table),
        Error::IoError(_) | Error::TlsError(_) | Error::CodecError(_) => DbTrouble::Cut,
        Error::DriverError(DriverError::PacketTooLarge) => DbTrouble::Other(1153),
        Error::DriverError(_) => DbTrouble::State("protocol".to_owned()),
        _ => DbTrouble::Other(0),
    }
}

/// <https://mariadb.com/kb/en/mariadb-error-code-reference/>
pub(super) fn by_number(number: u16, message: &str, table: &str) -> DbTrouble {
    let refused = |kind, on: Option<String>| DbTrouble::Constraint {
        kind,
        on: on.unwrap_or_default(),
    };
    match number {
        1062 | 1586 | 1022 => refused("unique", key(message, table)),
        1452 | 1216 => refused("foreign key", child(message)),
        1451 | 1217 | 1701 => refused("foreign key", None),
        4025 => refused("check", check(message)),
        3819 => refused(
            "check",
            named(message, "constraint '", '\'').map(|on| of(table, &on)),
        ),
        1048 | 1364 | 1263 => refused("not null", column(message, table)),
        1644 => refused("trigger", None),
        1264 | 1265 | 1292 | 1366 | 1406 | 1411 | 1426 | 1300 | 1074 | 1441 | 3140 | 1690 => {
            refused("type", column(message, table))
        }
        1146 | 1051 => DbTrouble::NoSuch(last(named(message, "able '", '\''))),
        1054 => DbTrouble::NoSuch(last(named(message, "column '", '\''))),
        1049 => DbTrouble::Missing,
        1044 | 1142 | 1143 | 1227 | 1290 | 1370 | 1419 | 1792 | 1836 => DbTrouble::ReadOnly,
        1205 | 3572 => DbTrouble::Locked(None),
        // A deadlock; a row, or a whole table (emptied), that changed under our snapshot.
        1213 | 1020 | 1412 => DbTrouble::Clash,
        1021 | 1041 | 1114 => DbTrouble::Full,
        1026 | 1180 => DbTrouble::Disk,
        1034 | 1194 | 1195 | 1712 | 1877 => DbTrouble::Damaged,
        1317 | 1969 | 3024 => DbTrouble::Interrupted,
        1053 | 1152 | 1158 | 1159 | 1160 | 1161 | 1927 | 2006 | 2013 | 4031 => DbTrouble::Cut,
        _ => DbTrouble::Other(number.into()),
    }
}

/// The row of a statement that was refused, from 0.
pub(super) fn row(message: &str) -> Option<usize> {
    let (_, number) = message.rsplit_once(" at row ")?;
    number.trim().parse::<usize>().ok()?.checked_sub(1)
}

fn of(table: &str, name: &str) -> String {
    if table.is_empty() {
        name.to_owned()
    } else {
        format!("{table}.{name}")
    }
}

/// `… for key 'KEY'`, or `… for key 'table.KEY'`: whatever a row holds stands before it.
fn key(message: &str, table: &str) -> Option<String> {
    let (_, rest) = message.rsplit_once("for key '")?;
    let key = rest.strip_suffix('\'')?;
    Some(of(table, key.rsplit('.').next().unwrap_or(key)))
}

/// ``(`db`.`table`, CONSTRAINT `name` FOREIGN KEY (`column`) …``
fn child(message: &str) -> Option<String> {
    // With ANSI_QUOTES names stand in other quotes here than in other messages.
    let message = message.replace('"', "`");
    let (_, rest) = message.rsplit_once("foreign key constraint fails (`")?;
    let (table, rest) = rest.split_once("`, CONSTRAINT `")?;
    let table = table.rsplit("`.`").next()?;
    let column = named(rest, "FOREIGN KEY (`", '`')?;
    Some(format!("{table}.{column}"))
}

/// ``CONSTRAINT `name` failed for `db`.`table` ``; a column's own check is named `table.column`.
fn check(message: &str) -> Option<String> {
    let message = message.replace('"', "`");
    let name = named(&message, "CONSTRAINT `", '`')?;
    let (_, table) = message.rsplit_once("`.`")?;
    let name = name.rsplit('.').next().unwrap_or(&name);
    Some(format!("{}.{name}", table.trim_end_matches('`')))
}

/// `… column 'name' at row 7`, ``… column `db`.`table`.`name` at row 7``, `Column 'name' cannot be null`,
/// `Field 'name' doesn't have …`: what a row holds stands before the last of these words.
fn column(message: &str, table: &str) -> Option<String> {
    if message.starts_with("Truncated") {
        return None;
    }
    let message = message.replace('"', "`");
    let place = ["olumn ", "Field "]
        .iter()
        .filter_map(|word| Some(message.rfind(word)? + word.len()))
        .max()?;
    let rest = &message[place..];
    let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '`'))?;
    let rest = rest.split(" at row ").next().unwrap_or(rest);
    let rest = rest.trim_end_matches('.');
    let name = if quote == '`' {
        rest.rsplit("`.`").next()?.trim_matches('`')
    } else {
        rest[1..].split('\'').next()?
    };
    Some(of(table, name))
}

fn named(message: &str, before: &str, end: char) -> Option<String> {
    let (_, rest) = message.split_once(before)?;
    Some(rest.split(end).next().unwrap_or_default().to_owned())
}

/// `table` of `db.table`.
fn last(name: Option<String>) -> String {
    let name = name.unwrap_or_default();
    name.rsplit('.').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_and_nothing_of_what_a_row_holds() {
        for (number, message, wanted) in [
            (
                1062,
                "Duplicate entry 'for key 'x'' for key 'PRIMARY'",
                "unique on `t.PRIMARY`",
            ),
            (
                1062,
                "Duplicate entry 'A' for key 't.name'",
                "unique on `t.name`",
            ),
            (
                1452,
                "Cannot add or update a child row: a foreign key constraint fails (`d`.`c`, \
                 CONSTRAINT `c_1` FOREIGN KEY (`p`) REFERENCES `p` (`id`))",
                "foreign key on `c.p`",
            ),
            (4025, "CONSTRAINT `n` failed for `d`.`t`", "check on `t.n`"),
            (
                4025,
                "CONSTRAINT `t.n` failed for `d`.`t`",
                "check on `t.n`",
            ),
            (3819, "Check constraint 'n' is violated.", "check on `t.n`"),
            (1048, "Column 'n' cannot be null", "not null on `t.n`"),
            (
                1364,
                "Field 'n' doesn't have a default value",
                "not null on `t.n`",
            ),
            (
                1406,
                "Data too long for column 'n' at row 12",
                "type on `t.n`",
            ),
            (
                1366,
                "Incorrect integer value: 'column 'secret'' for column `d`.`t`.`n` at row 1",
                "type on `t.n`",
            ),
            (
                1292,
                "Truncated incorrect DOUBLE value: 'for column `x`'",
                "type",
            ),
            (1644, "Mrs Smith may not", "trigger"),
        ] {
            let words = by_number(number, message, "t").words();
            assert_eq!(words, format!("refused a row: {wanted}"), "{message}");
        }
        let missing = by_number(1146, "Table 'd.gone' doesn't exist", "t");
        assert_eq!(missing, DbTrouble::NoSuch("gone".to_owned()));
        let missing = by_number(1054, "Unknown column 't.gone' in 'field list'", "t");
        assert_eq!(missing, DbTrouble::NoSuch("gone".to_owned()));
        assert_eq!(row("Data too long for column 'n' at row 12"), Some(11));
        assert_eq!(row("Duplicate entry 'x' for key 'n'"), None);
    }
}
