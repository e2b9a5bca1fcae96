//! Why there is no server, in words for the person who wanted one.

use std::io;
use std::path::PathBuf;

use super::Kind;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Its programs are nowhere.
    #[error(
        "{kind} is not installed: `{program}` is not on PATH; install the package `{package}`",
        package = match kind { Kind::Postgres => "postgresql", Kind::Mariadb => "mariadb-server" }
    )]
    Missing {
        /// Which server.
        kind: Kind,
        /// The first of its programs that was not found.
        program: &'static str,
    },
    /// We are root, it must not be, and whom it should run as is not known.
    #[error(
        "{0} must not run as root and there is no user `{1}` to run it as: make that user, or be an ordinary user"
    )]
    NoUser(Kind, &'static str),
    /// The operating system refused.
    #[error("`{}` cannot be used", .0.display())]
    Io(PathBuf, #[source] io::Error),
    /// Somebody else's server is on this data.
    #[error("another process still writes to `{}`: wait until it has ended, or name another folder", .0.display())]
    InUse(PathBuf),
    /// No data folder could be made.
    #[error("{kind} cannot make its data folder: {said}")]
    SetUp {
        /// Which server.
        kind: Kind,
        /// What it said.
        said: String,
    },
    /// It never answered.
    #[error(
        "{kind} {} before it answered: {said}", if *.ended { "ended" } else { "took too long" }
    )]
    Silent {
        /// Which server.
        kind: Kind,
        /// It is not there any more.
        ended: bool,
        /// The end of its log.
        said: String,
    },
    /// Not a name for a database.
    #[error("`{0}` cannot name a database: use up to 63 letters, digits and `_`")]
    Name(String),
    /// It was asked, and refused or was not there.
    #[error("{kind} refused: {said}")]
    Refused {
        /// Which server.
        kind: Kind,
        /// What its client said.
        said: String,
    },
}
