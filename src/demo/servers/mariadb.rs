//! How MariaDB is set up, started and asked.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Durability;

pub(super) fn socket(room: &Path) -> PathBuf {
    room.join("socket")
}

fn with(option: &str, path: &Path) -> OsString {
    let mut argument = OsString::from(option);
    argument.push(path);
    argument
}

/// `--force` only leaves out the look at the machine's host name, which nobody will connect to.
pub(super) fn set_up(data: &Path) -> Vec<OsString> {
    vec![
        "--no-defaults".into(),
        "--auth-root-authentication-method=normal".into(),
        "--skip-test-db".into(),
        "--force".into(),
        with("--datadir=", data),
    ]
}

pub(super) fn arguments(data: &Path, room: &Path, durability: Durability) -> Vec<OsString> {
    let flush = match durability {
        Durability::Full => "--innodb-flush-log-at-trx-commit=1",
        Durability::Process => "--innodb-flush-log-at-trx-commit=2",
    };
    vec![
        "--no-defaults".into(),
        with("--datadir=", data),
        with("--socket=", &socket(room)),
        with("--pid-file=", &room.join("pid")),
        "--skip-networking".into(),
        "--local-infile=1".into(),
        "--character-set-server=utf8mb4".into(),
        "--collation-server=utf8mb4_general_ci".into(),
        "--max-connections=200".into(),
        "--innodb-buffer-pool-size=512M".into(),
        flush.into(),
    ]
}

pub(super) fn ask(client: &mut Command, room: &Path, database: &str, sql: &str) {
    client.args(["--no-defaults", "-u", "root", "-BN", "-e", sql]);
    client.arg(with("--socket=", &socket(room)));
    if !database.is_empty() {
        client.arg(database);
    }
}

pub(super) fn url(room: &Path, database: &str) -> String {
    let socket = socket(room).to_string_lossy().replace('/', "%2F");
    format!("mysql://root@localhost/{database}?socket={socket}")
}
