//! Whether a server is by itself. `LOCK TABLES` keeps everybody out of one server and of no other: where rows
//! come to it that were committed elsewhere, what it found under its lock is not all that there is.
//!
//! Not here: what is done under a lock (`copy::undo`).

use super::Session;
use crate::orgdb::{DbTrouble, Sql};

/// Settings and states by which a server is one of several that may be written to: a node of a Galera cluster,
/// one of several primaries of a group, one to which another's changes come or have come
/// (`gtid_slave_pos` is kept, whatever the changes are numbered by).
const COMPANY: [&str; 2] = [
    "SHOW GLOBAL VARIABLES WHERE variable_name = 'wsrep_on' AND value = 'ON'
       OR variable_name = 'group_replication_single_primary_mode' AND value = 'OFF'
       OR variable_name = 'gtid_slave_pos' AND value <> ''",
    "SHOW GLOBAL STATUS WHERE variable_name = 'Slave_running' AND value = 'ON'
       OR variable_name = 'Slaves_running' AND value <> '0'",
];

/// Whether it is, as far as the account is told.
pub(in crate::orgdb) fn is_alone(session: &Session) -> Result<bool, DbTrouble> {
    for query in COMPANY {
        if any(session, query)? {
            return Ok(false);
        }
    }
    // `MySQL` says it to those alone who may ask after replication.
    if session.is_mariadb() {
        return Ok(true);
    }
    match any(session, "SHOW REPLICA STATUS") {
        Err(DbTrouble::ReadOnly) => Ok(false),
        answer => answer.map(|any| !any),
    }
}

fn any(session: &Session, query: &'static str) -> Result<bool, DbTrouble> {
    let mut any = false;
    session.each(&Sql::new(query), &[], &mut |_| {
        any = true;
        Ok(std::ops::ControlFlow::Continue(()))
    })?;
    Ok(any)
}
