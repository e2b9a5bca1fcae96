//! How PostgreSQL is set up, started, seen to be ready and asked.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use rustix::process::Pid;

use super::Durability;

pub(super) fn set_up(data: &Path) -> Vec<OsString> {
    let options = ["-A", "trust", "-U", "postgres", "-E", "UTF8"];
    let more = ["--locale=C.UTF-8", "--no-sync", "-D"];
    let options = options.into_iter().chain(more).map(OsString::from);
    options.chain([data.into()]).collect()
}

pub(super) fn arguments(data: &Path, room: &Path, durability: Durability) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec!["-D".into(), data.into(), "-k".into(), room.into()];
    let mut set = |setting: &str| arguments.extend(["-c".into(), setting.into()]);
    set("listen_addresses=");
    set("port=5432");
    set("max_connections=200");
    set("shared_buffers=256MB");
    set("max_wal_size=4GB");
    // Not in /dev/shm: containers have little of it, and what a kill leaves there stays.
    set("dynamic_shared_memory_type=mmap");
    if durability == Durability::Process {
        set("fsync=off");
        set("full_page_writes=off");
    }
    arguments
}

/// The server writes its own state into the eighth line of `postmaster.pid`, as `pg_ctl -w` reads it.
pub(super) fn is_ready(data: &Path, pid: Option<Pid>) -> bool {
    let text = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    let own = pid.map(|pid| pid.as_raw_nonzero().to_string());
    let mut lines = text.lines().map(str::trim);
    own.is_some() && lines.next() == own.as_deref() && lines.nth(6) == Some("ready")
}

pub(super) fn ask(psql: &mut Command, room: &Path, database: &str, sql: &str) {
    psql.args(["-XqtA", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-h"]);
    psql.arg(room).args(["-d", database, "-c", sql]);
}

pub(super) fn url(room: &Path, database: &str) -> String {
    let host = room.to_string_lossy().replace('/', "%2F");
    format!("postgres://postgres@localhost/{database}?host={host}")
}
