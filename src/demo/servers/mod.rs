//! Private database servers that we start ourselves, for the demo and for tests: PostgreSQL and
//! MariaDB as this machine has them installed, on a Unix socket that nobody else can reach.
//!
//! In: a kind, how durable, a folder (or none: all of it is thrown away). Out: a server that answers,
//! its databases' URLs; a server that ends when we do, by whatever death.
//!
//! Not here: what is in the databases (`generate`), how they are read and written (`orgdb`), and
//! servers that somebody else runs.

#![cfg(unix)]

mod fault;
mod mariadb;
mod places;
mod postgres;
mod programs;
#[cfg(test)]
mod tests;
mod watchdog;

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::Signal;

pub use self::fault::ServerError;
use self::places::{Places, lock};
use self::programs::{Owner, said};
pub use self::programs::{Programs, binaries};
use self::watchdog::Watched;

/// How long a start may take: a server that was killed may have gigabytes to read again.
const START: Duration = Duration::from_mins(3);
/// How long a server that was told to end may take before it is killed.
const END: Duration = Duration::from_secs(30);
const GLANCE: Duration = Duration::from_millis(20);

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// PostgreSQL
    Postgres,
    /// MariaDB
    Mariadb,
}

impl Kind {
    /// Its name in lower case: of its folder and its engine.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Kind::Postgres => "postgres",
            Kind::Mariadb => "mariadb",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Postgres => "PostgreSQL",
            Kind::Mariadb => "MariaDB",
        })
    }
}

/// What a commit survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// A power cut: as a council's server is set.
    Full,
    /// The server's death, not the machine's: quicker, for tests that never cut the power.
    Process,
}

/// A server of ours. It is stopped when this is dropped, and by its watchdog when we die.
#[derive(Debug)]
pub struct Server {
    kind: Kind,
    durability: Durability,
    settings: Vec<String>,
    programs: Programs,
    owner: Option<Owner>,
    places: Places,
    running: Option<Watched>,
}

impl Server {
    /// Starts a server whose data stays in `folder`, below the kind's name, and is used again by
    /// the next start there. Waits until it answers.
    ///
    /// As root we run it as the system's own user for it. Where that user cannot enter `folder`, the
    /// data is in a folder of its own in `/tmp`, and a link in `folder` says where.
    ///
    /// # Errors
    /// When it is not installed, another process has a server on that data, or it does not start.
    pub fn start(kind: Kind, durability: Durability, folder: &Path) -> Result<Server, ServerError> {
        Server::within(kind, durability, &[], Some(folder))
    }

    /// Starts a server that leaves nothing behind: its data goes with it, also when we are killed.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub fn throw_away(kind: Kind, durability: Durability) -> Result<Server, ServerError> {
        Server::throw_away_with(kind, durability, &[])
    }

    /// The same, with arguments of its own behind ours.
    ///
    /// # Errors
    /// As [`Server::throw_away`].
    pub fn throw_away_with(
        kind: Kind,
        durability: Durability,
        settings: &[String],
    ) -> Result<Server, ServerError> {
        Server::within(kind, durability, settings, None)
    }

    /// Sets what stands behind our own arguments from its next start on.
    pub fn set(&mut self, settings: &[String]) {
        self.settings = settings.to_vec();
    }

    fn within(
        kind: Kind,
        durability: Durability,
        settings: &[String],
        folder: Option<&Path>,
    ) -> Result<Server, ServerError> {
        let (programs, owner) = (binaries(kind)?, Owner::of(kind)?);
        let (places, log) = match folder {
            Some(folder) => Places::kept(kind, folder, owner)?,
            None => Places::thrown_away(owner, durability)?,
        };
        let mut server = Server {
            kind,
            durability,
            settings: settings.to_vec(),
            programs,
            owner,
            places,
            running: None,
        };
        server.begin(log)?;
        Ok(server)
    }

    /// Starts it on the same data and socket after `stop` or `kill`, or after it died of itself.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_again(&mut self) -> Result<(), ServerError> {
        self.stop();
        let log = lock(&self.places.log)?;
        self.begin(log)
    }

    fn begin(&mut self, log: File) -> Result<(), ServerError> {
        self.places.said_before = log.metadata().map_or(0, |log| log.len());
        self.set_up(&log)?;
        let (data, room) = (&self.places.data, &self.places.room);
        let mut arguments = match self.kind {
            Kind::Postgres => postgres::arguments(data, room, self.durability),
            Kind::Mariadb => mariadb::arguments(data, room, self.durability),
        };
        arguments.extend(self.settings.iter().map(OsString::from));
        self.running = Some(self.watched(&self.programs.server, arguments, &log)?);
        drop(log);
        self.wait_until_it_answers().inspect_err(|_| self.kill())
    }

    /// Makes the data folder if it is not there; whole or not at all.
    fn set_up(&self, log: &File) -> Result<(), ServerError> {
        let data = &self.places.data;
        if data.exists() {
            return Ok(());
        }
        let draft = data.with_extension("draft");
        places::remove(&draft)?;
        places::make_private(&draft, self.owner)?;
        let arguments = match self.kind {
            Kind::Postgres => postgres::set_up(&draft),
            Kind::Mariadb => mariadb::set_up(&draft),
        };
        let mut watched = self.watched(&self.programs.setup, arguments, log)?;
        if !watched.succeeds_within(START) {
            watched.kill();
            return Err(ServerError::SetUp {
                kind: self.kind,
                said: self.places.last_words(),
            });
        }
        fs::rename(&draft, data).map_err(|io| ServerError::Io(data.clone(), io))
    }

    fn watched(
        &self,
        program: &Path,
        arguments: Vec<OsString>,
        log: &File,
    ) -> Result<Watched, ServerError> {
        let quick = match self.kind {
            Kind::Postgres => "QUIT",
            Kind::Mariadb => "TERM",
        };
        let mut shell = Owner::command(self.owner, Path::new("sh"));
        watchdog::script(&mut shell, quick, &self.places.room, program);
        let spawned = log.try_clone().and_then(|log| {
            // A starting MariaDB clears its temporary folder, of other servers' tables too.
            shell.env("TMPDIR", &self.places.room);
            shell.args(arguments).stderr(log);
            Watched::spawn(shell)
        });
        spawned.map_err(|io| ServerError::Io(program.to_path_buf(), io))
    }

    fn wait_until_it_answers(&mut self) -> Result<(), ServerError> {
        let begun = Instant::now();
        while !self.answers() {
            let ended = self.running.as_mut().is_none_or(Watched::ended);
            if ended || begun.elapsed() > START {
                return Err(ServerError::Silent {
                    kind: self.kind,
                    ended,
                    said: self.places.last_words(),
                });
            }
            sleep(GLANCE);
        }
        Ok(())
    }

    fn answers(&self) -> bool {
        let pid = self.running.as_ref().map(Watched::pid);
        match self.kind {
            Kind::Postgres => postgres::is_ready(&self.places.data, pid),
            Kind::Mariadb => {
                mariadb::socket(&self.places.room).exists() && self.ask("", "SELECT 1").is_ok()
            }
        }
    }

    /// Stops it in good order; kills it if it takes too long. Nothing happens to one that is stopped.
    pub fn stop(&mut self) {
        self.end(match self.kind {
            Kind::Postgres => Signal::INT,
            Kind::Mariadb => Signal::TERM,
        });
    }

    fn stop_quickly(&mut self) {
        self.end(match self.kind {
            Kind::Postgres => Signal::QUIT,
            Kind::Mariadb if self.places.is_thrown_away() => Signal::KILL,
            Kind::Mariadb => Signal::TERM,
        });
    }

    fn end(&mut self, signal: Signal) {
        if let Some(mut running) = self.running.take() {
            running.signal(signal);
            if !running.ends_within(END) {
                running.kill();
            }
        }
    }

    /// Kills all of its processes at once with SIGKILL, as a crash would. `start_again` recovers.
    pub fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.kill();
        }
    }

    /// Stops it and removes its data and its log.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn remove(mut self) -> Result<(), ServerError> {
        self.stop_quickly();
        self.places.remove_data()
    }

    /// Makes an empty database unless it is there.
    ///
    /// # Errors
    /// When the name is not of ASCII letters, digits and `_`, or the server refuses.
    pub fn create_database(&self, name: &str) -> Result<(), ServerError> {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || name.len() > 63 || !name.chars().all(fits) {
            return Err(ServerError::Name(name.to_owned()));
        }
        if self.kind == Kind::Mariadb {
            let make = format!("CREATE DATABASE IF NOT EXISTS `{name}`");
            return self.ask("", &make).map(drop);
        }
        let look = format!("SELECT 1 FROM pg_database WHERE datname = '{name}'");
        if self.ask("postgres", &look)?.is_empty() {
            let make = format!("CREATE DATABASE \"{name}\"");
            self.ask("postgres", &make)?;
        }
        Ok(())
    }

    /// What the server's own client prints when it is given `sql`: a line a row, nothing else.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub fn ask(&self, database: &str, sql: &str) -> Result<String, ServerError> {
        let mut client = Owner::command(None, &self.programs.client);
        match self.kind {
            Kind::Postgres => postgres::ask(&mut client, &self.places.room, database, sql),
            Kind::Mariadb => mariadb::ask(&mut client, &self.places.room, database, sql),
        }
        said(client).map_err(|said| ServerError::Refused {
            kind: self.kind,
            said,
        })
    }

    /// A database's URL, over the socket.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        match self.kind {
            Kind::Postgres => postgres::url(&self.places.room, database),
            Kind::Mariadb => mariadb::url(&self.places.room, database),
        }
    }

    /// Where the socket is: a short folder `ho-<pid>-<n>`, for the server's user alone.
    #[must_use]
    pub fn socket_folder(&self) -> &Path {
        &self.places.room
    }

    /// The file that the server logs to.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.places.log
    }

    /// Which server this is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Name and version: `PostgreSQL 15.14`.
    #[must_use]
    pub fn version(&self) -> String {
        self.programs.version(self.kind)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop_quickly();
        let _ = places::remove(&self.places.room);
    }
}
