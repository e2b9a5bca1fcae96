//! Where a database is: a URL as sqlx users write it. Never printed with a password.

use std::fmt;
use std::path::{Path, PathBuf};

/// An organisation database's address.
#[derive(Clone, PartialEq, Eq)]
pub enum Address {
    /// `sqlite:PATH`
    Sqlite(PathBuf),
}

/// An address that we cannot use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    /// Not a URL of an engine that we know.
    #[error("a database address starts with `sqlite:`")]
    Engine,
    /// No path after `sqlite:`.
    #[error("`sqlite:` needs a path after it")]
    NoPath,
}

impl Address {
    /// Reads `sqlite:PATH`, `sqlite://PATH`; a relative path counts from `base`.
    ///
    /// # Errors
    /// When the engine is not known or the path is missing.
    pub fn parse(text: &str, base: &Path) -> Result<Address, AddressFault> {
        let rest = text.strip_prefix("sqlite:").ok_or(AddressFault::Engine)?;
        let path = rest.strip_prefix("//").unwrap_or(rest);
        if path.is_empty() {
            return Err(AddressFault::NoPath);
        }
        Ok(Address::Sqlite(base.join(path)))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
