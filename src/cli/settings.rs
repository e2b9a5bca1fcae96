//! Where things are: the plan folder, its settings, its journal, and the databases that a plan names
//! by environment variable. The only place that reads the environment.
//!
//! Order: environment, `NAME_FILE` (a mounted secret), `.env` of the plan folder, `handover.toml`.
//! A value is never printed; where it came from is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::failure::{Failure, hint};
use crate::orgdb::Address;
use crate::plan::bounded;
use crate::plan::model::{Code, Plan};

/// Larger than any address of a database.
const SECRET_BYTES_MAX: u64 = 64 * 1024;
/// Larger than any `.env` or `handover.toml`.
const SETTINGS_BYTES_MAX: u64 = 1024 * 1024;

/// A plan folder with its settings.
#[derive(Debug, Clone)]
pub(super) struct Project {
    /// The plan folder.
    pub folder: PathBuf,
    /// The journal's file.
    pub journal: PathBuf,
    dotenv: BTreeMap<String, String>,
    named: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    journal: Option<PathBuf>,
    #[serde(default)]
    database: BTreeMap<String, String>,
}

impl Project {
    /// The project of a plan folder (or of the `plan.toml` in it).
    ///
    /// # Errors
    /// When settings cannot be read.
    pub(super) fn at(path: &Path, config: Option<&Path>) -> Result<Project, Failure> {
        let folder = match path.file_name() {
            Some(name) if name == "plan.toml" => path.parent().unwrap_or(Path::new(".")),
            _ => path,
        };
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        let settings = settings(folder, config)?;
        let journal = settings
            .journal
            .unwrap_or_else(|| ".handover/journal.db".into());
        Ok(Project {
            journal: folder.join(journal),
            dotenv: dotenv(&folder.join(".env"))?,
            named: settings.database,
            folder: folder.to_owned(),
        })
    }

    /// The plan's short name: its folder's.
    #[must_use]
    pub(super) fn name(&self) -> String {
        let whole = std::fs::canonicalize(&self.folder).unwrap_or_else(|_| self.folder.clone());
        whole
            .file_name()
            .map_or_else(|| "plan".to_owned(), |name| name.to_string_lossy().into())
    }

    /// Addresses of the organisations' databases; those that a plan names and nobody set are missing
    /// from it and named in the second part.
    ///
    /// # Errors
    /// When an address is none, or a secret file cannot be read.
    pub(super) fn addresses(&self, plan: &Plan) -> Result<Addresses, Failure> {
        let mut found = Addresses::default();
        for (code, org) in &plan.orgs {
            let Some(variable) = &org.database else {
                continue;
            };
            let Some((value, from)) = self.variable(variable)? else {
                found.unset.push((code.clone(), variable.clone()));
                continue;
            };
            let address = Address::parse(&value, &self.folder).map_err(|fault| {
                Failure::usage(format!(
                    "`{variable}` ({from}) is no database address: {fault}"
                ))
            })?;
            found.known.insert(code.clone(), address);
        }
        Ok(found)
    }

    fn variable(&self, name: &str) -> Result<Option<(String, &'static str)>, Failure> {
        if let Ok(value) = std::env::var(name) {
            return Ok(Some((value, "from the environment")));
        }
        if let Ok(file) = std::env::var(format!("{name}_FILE")) {
            let value = secret(Path::new(&file)).map_err(|why| {
                Failure::usage(format!("the secret file that `{name}_FILE` names {why}"))
            })?;
            return Ok(Some((value, "from its secret file")));
        }
        let written = |map: &BTreeMap<String, String>| map.get(name).cloned();
        Ok(written(&self.dotenv)
            .map(|value| (value, "from .env"))
            .or_else(|| written(&self.named).map(|value| (value, "from handover.toml"))))
    }
}

/// Where the organisations' databases are.
#[derive(Debug, Clone, Default)]
pub(super) struct Addresses {
    /// By organisation.
    pub known: BTreeMap<Code, Address>,
    /// Organisations whose variable nobody set.
    pub unset: Vec<(Code, String)>,
}

impl Addresses {
    /// All of them.
    ///
    /// # Errors
    /// When one is not set: names the variables.
    pub(super) fn all(self) -> Result<BTreeMap<Code, Address>, Failure> {
        if self.unset.is_empty() {
            return Ok(self.known);
        }
        let names: Vec<String> = self
            .unset
            .iter()
            .map(|(org, name)| format!("{name} ({org})"))
            .collect();
        Err(Failure::database(
            "HO901",
            format!("nobody set where these databases are: {}", names.join(", ")),
        )
        .with(hint(
            "set them in the environment or in the plan folder's .env, such as `X_DB=sqlite:x.db`",
        )))
    }
}

/// What a secret file holds, or why that cannot be told.
fn secret(file: &Path) -> Result<String, String> {
    let read = bounded::text(file, SECRET_BYTES_MAX);
    let read = read.map_err(|fault| format!("cannot be read: {fault}"))?;
    let held = read.ok_or_else(|| format!("holds more than {SECRET_BYTES_MAX} bytes"))?;
    Ok(held.trim_end().to_owned())
}

/// Nobody wrote so much by hand.
fn too_large(path: &Path) -> Failure {
    Failure::usage(format!(
        "`{}` is too large to be a settings file: at most {SETTINGS_BYTES_MAX} bytes",
        path.display()
    ))
}

fn settings(folder: &Path, config: Option<&Path>) -> Result<Settings, Failure> {
    let path = config.map_or_else(|| folder.join("handover.toml"), Path::to_owned);
    let text = match bounded::text(&path, SETTINGS_BYTES_MAX) {
        Ok(text) => text.ok_or_else(|| too_large(&path))?,
        Err(fault) if fault.kind() == std::io::ErrorKind::NotFound && config.is_none() => {
            return Ok(Settings::default());
        }
        Err(fault) => {
            return Err(Failure::usage(format!(
                "`{}` cannot be read: {fault}",
                path.display()
            )));
        }
    };
    toml::from_str(&text).map_err(|fault| {
        Failure::usage(format!(
            "`{}` is not a settings file: {fault}",
            path.display()
        ))
    })
}

fn dotenv(path: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let refused = |fault: dotenvy::Error| match fault {
        // The parser's own message quotes the line, which may hold a password.
        dotenvy::Error::LineParse(_, index) => Failure::usage(format!(
            "`{}` cannot be read at byte {index}",
            path.display()
        )),
        _ => Failure::usage(format!("`{}` cannot be read", path.display())),
    };
    let bytes = match bounded::read(path, SETTINGS_BYTES_MAX) {
        Ok(bytes) => bytes.ok_or_else(|| too_large(path))?,
        Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(fault) => return Err(refused(dotenvy::Error::Io(fault))),
    };
    dotenvy::from_read_iter(bytes.as_slice())
        .map(|pair| pair.map_err(refused))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_and_secrets_without_an_end_are_refused() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let file = folder.path().join("large");
        let lines = "X_DB=sqlite:x.db\n".repeat(100_000);
        std::fs::write(&file, lines).expect("a file");
        let says = |failure: Failure| failure.to_string();
        let large = "is too large to be a settings file: at most 1048576 bytes";
        assert!(dotenv(&file).map_err(says).unwrap_err().contains(large));
        let config = settings(folder.path(), Some(&file));
        assert!(config.map_err(says).unwrap_err().contains(large));
        assert_eq!(secret(&file).unwrap_err(), "holds more than 65536 bytes");
        std::fs::write(&file, "sqlite:x.db\n").expect("a file");
        assert_eq!(secret(&file).as_deref(), Ok("sqlite:x.db"));
    }
}
