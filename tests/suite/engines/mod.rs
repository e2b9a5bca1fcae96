//! Every engine, as source and as target: the same rows, the same digests, the same undo; and what
//! only servers do (they cut connections, die, and hold a stopped executor's locks).
//!
//! The servers are real, started here on private sockets and gone with the test binary.

mod alike;
mod aside;
pub mod bases;
mod between;
mod bounds;
mod catching;
mod cuts;
mod elsewhere;
mod emptied;
mod endings;
mod habits;
mod indexes;
mod locked;
mod mariadb;
mod merging;
mod narrowed;
mod needs;
mod oddities;
mod pairs;
mod passing;
mod quoting;
mod rights;
mod rows;
mod ruled;
mod rules;
mod small;
mod stories;
mod told;
mod trust;
mod turns;
mod types;
mod undoing;
mod unread;
mod waves;
