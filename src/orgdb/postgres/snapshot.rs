//! One look at a database, shared by two sessions
//! (<https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-SNAPSHOT-SYNCHRONIZATION>).
//!
//! Not here: what is read in it (`copy::standing`).

use rusqlite::types::ValueRef;

use super::Session;
use crate::orgdb::DbTrouble;
use crate::orgdb::link::{Begin, Flow};
use crate::orgdb::sql::{Fragment, Sql};
use crate::sql;

/// What the server calls a look that is open at one of its sessions.
struct Snapshot(String);

impl Snapshot {
    /// None of what could not stand between quotes.
    fn named(name: &[u8]) -> Option<Snapshot> {
        let plain = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b'-';
        let name = name.iter().all(plain).then(|| name.to_vec())?;
        String::from_utf8(name).ok().map(Snapshot)
    }
}

impl Fragment for Snapshot {
    fn text(&self) -> String {
        format!("'{}'", self.0)
    }
}

impl Session {
    /// Begins the look that is open at `other`, which must stay open until this has begun.
    pub(in crate::orgdb) fn look_with(&self, other: &Session) -> Result<(), DbTrouble> {
        let snapshot = other.shared()?;
        self.begin(Begin::Read)?;
        self.script(&sql!("SET TRANSACTION SNAPSHOT {}", snapshot))
    }

    fn shared(&self) -> Result<Snapshot, DbTrouble> {
        let mut found = None;
        self.each(&Sql::new("SELECT pg_export_snapshot()"), &[], &mut |row| {
            if let ValueRef::Text(name) = row.get(0) {
                found = Snapshot::named(name);
            }
            Ok(Flow::Continue(()))
        })?;
        found.ok_or(DbTrouble::Damaged)
    }
}
