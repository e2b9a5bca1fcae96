//! Where a database is: a URL as sqlx users write it. Never printed with a password.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

use super::Dialect;
use super::mariadb::{Place, PlaceFault};

/// An organisation database's address.
#[derive(Clone)]
pub enum Address {
    /// `sqlite:PATH`
    Sqlite(PathBuf),
    /// `postgres://USER@HOST/DATABASE`, or `postgresql://…`
    Postgres(Box<PgConnectOptions>),
    /// `mysql://USER@HOST/DATABASE`, or `mariadb://…`
    Mariadb(Box<Place>),
}

/// An address that we cannot use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    /// Not a URL of an engine that we know.
    #[error("a database address starts with `sqlite:`, `postgres://` or `mysql://`")]
    Engine,
    /// No path after `sqlite:`.
    #[error("`sqlite:` needs a path after it")]
    NoPath,
    /// Not a URL as the driver reads them. (Its own words are not passed on: they may quote it.)
    #[error("it is no URL of the form `postgres://USER@HOST:PORT/DATABASE?OPTION=VALUE`")]
    Url,
    /// The same, of a `MariaDB`.
    #[error(
        "it is no URL of the form `mysql://USER@HOST:PORT/DATABASE?OPTION=VALUE` with options that are known"
    )]
    MariadbUrl,
    /// A certificate that is to be verified by nobody.
    #[error(
        "`ssl-mode=VERIFY_CA` needs `ssl-ca=FILE`, the authority that has signed the server's certificate"
    )]
    NoAuthority,
    /// A server's URL without a database.
    #[error("it names no database behind the host")]
    NoDatabase,
}

impl Address {
    /// Reads `sqlite:PATH`, `sqlite://PATH` (a relative path counts from `base`) and
    /// `postgres://…` with the options that sqlx knows (`sslmode`, `sslrootcert`, `host`, `options`).
    /// What the URL leaves out is taken from `PGPASSWORD`, `PGPASSFILE` and their like. `mysql://…` and
    /// `mariadb://…` have the options `socket`, `ssl-mode`, `ssl-ca`; a password may be in `MYSQL_PWD`.
    ///
    /// # Errors
    /// When the engine is not known or the path is missing.
    pub fn parse(text: &str, base: &Path) -> Result<Address, AddressFault> {
        if ["postgres://", "postgresql://"]
            .iter()
            .any(|start| text.starts_with(start))
        {
            return server(text);
        }
        if ["mysql://", "mariadb://"]
            .iter()
            .any(|start| text.starts_with(start))
        {
            return match Place::parse(text) {
                Ok(place) => Ok(Address::Mariadb(Box::new(place))),
                Err(PlaceFault::Url) => Err(AddressFault::MariadbUrl),
                Err(PlaceFault::NoDatabase) => Err(AddressFault::NoDatabase),
                Err(PlaceFault::NoAuthority) => Err(AddressFault::NoAuthority),
            };
        }
        let rest = text.strip_prefix("sqlite:").ok_or(AddressFault::Engine)?;
        let path = rest.strip_prefix("//").unwrap_or(rest);
        if path.is_empty() {
            return Err(AddressFault::NoPath);
        }
        Ok(Address::Sqlite(base.join(path)))
    }
}

impl Address {
    /// Which tongue is spoken there.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match self {
            Address::Sqlite(_) => Dialect::Sqlite,
            Address::Postgres(_) => Dialect::Postgres,
            Address::Mariadb(_) => Dialect::Mariadb,
        }
    }
}

fn server(text: &str) -> Result<Address, AddressFault> {
    let options = PgConnectOptions::from_str(text).map_err(|_| AddressFault::Url)?;
    if options.get_database().is_none_or(str::is_empty) {
        return Err(AddressFault::NoDatabase);
    }
    Ok(Address::Postgres(Box::new(options)))
}

/// Two addresses are the same when they lead to the same place as the same user.
impl PartialEq for Address {
    fn eq(&self, other: &Address) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Eq for Address {}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Address::Mariadb(place) => place.fmt(f),
            Address::Postgres(options) => {
                let database = options.get_database().unwrap_or_default();
                let host = options.get_socket().map_or_else(
                    || format!("{}:{}", options.get_host(), options.get_port()),
                    |socket| socket.display().to_string(),
                );
                write!(f, "postgres://{}@{host}/{database}", options.get_username())
            }
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
