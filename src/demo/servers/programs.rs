//! What is installed, and whom it runs as.

use std::env;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Kind, ServerError};

/// A server's programs.
#[derive(Debug, Clone)]
pub struct Programs {
    /// The server.
    pub server: PathBuf,
    /// What makes a data folder.
    pub setup: PathBuf,
    /// The client, for a statement or two.
    pub client: PathBuf,
}

impl Programs {
    /// Name and version as the server says it: `PostgreSQL 15.14`; the name alone if it says none.
    #[must_use]
    pub fn version(&self, kind: Kind) -> String {
        let mut command = Owner::command(None, &self.server);
        command.arg("--version");
        let text = said(command).unwrap_or_default();
        let number = text
            .split_whitespace()
            .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))
            .and_then(|word| word.split('-').next());
        number.map_or_else(|| kind.to_string(), |number| format!("{kind} {number}"))
    }
}

/// Finds a server's programs: on PATH, or where Debian keeps what it leaves off PATH. Those that are
/// installed beside the server are preferred, so that their versions agree.
///
/// # Errors
/// When one of them is not there.
pub fn binaries(kind: Kind) -> Result<Programs, ServerError> {
    let [server, setup, client] = match kind {
        Kind::Postgres => ["postgres", "initdb", "psql"],
        Kind::Mariadb => ["mariadbd", "mariadb-install-db", "mariadb"],
    };
    let mut folders: Vec<PathBuf> = env::var_os("PATH")
        .map(|path| env::split_paths(&path).collect())
        .unwrap_or_default();
    match kind {
        Kind::Postgres => folders.extend(packaged()),
        Kind::Mariadb => folders.extend(["/usr/sbin", "/usr/bin"].map(PathBuf::from)),
    }
    let found = |folders: &[PathBuf], program| {
        let mut places = folders.iter().map(|folder| folder.join(program));
        let found = places.find(|place| place.is_file());
        found.ok_or(ServerError::Missing { kind, program })
    };
    let server = found(&folders, server)?;
    let server = server.canonicalize().unwrap_or(server);
    folders.splice(..0, server.parent().map(Path::to_path_buf));
    let (setup, client) = (found(&folders, setup)?, found(&folders, client)?);
    Ok(Programs {
        server,
        setup,
        client,
    })
}

/// Debian's folders of PostgreSQL's programs, the newest version first.
fn packaged() -> Vec<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql");
    let mut folders: Vec<PathBuf> = versions
        .map(|versions| versions.flatten().map(|version| version.path()).collect())
        .unwrap_or_default();
    let number = |folder: &PathBuf| folder.file_name()?.to_str()?.parse::<u32>().ok();
    folders.sort_by_key(|folder| std::cmp::Reverse(number(folder)));
    folders.iter().map(|folder| folder.join("bin")).collect()
}

/// Whom a server runs as when we are root: it refuses to be root, and should.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner {
    pub(super) user: u32,
    pub(super) group: u32,
}

impl Owner {
    /// Nobody in particular when we are an ordinary user.
    pub(super) fn of(kind: Kind) -> Result<Option<Owner>, ServerError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let name = match kind {
            Kind::Postgres => "postgres",
            Kind::Mariadb => "mysql",
        };
        let id = |which| {
            let mut command = Owner::command(None, Path::new("id"));
            command.args([which, name]);
            said(command).ok()?.parse().ok()
        };
        match (id("-u"), id("-g")) {
            (Some(user), Some(group)) => Ok(Some(Owner { user, group })),
            _ => Err(ServerError::NoUser(kind, name)),
        }
    }

    /// A program, run as `owner`. Of our environment (which may hold passwords) it gets PATH.
    pub(super) fn command(owner: Option<Owner>, program: &Path) -> Command {
        let mut command = Command::new(program);
        let path = env::var_os("PATH").map(|path| ("PATH", path));
        command.env_clear().envs(path).env("LC_ALL", "C.UTF-8");
        command.current_dir("/").stdin(Stdio::null());
        if let Some(owner) = owner {
            command.uid(owner.user).gid(owner.group);
        }
        command
    }
}

/// What a program printed, or the end of its complaint.
pub(super) fn said(mut command: Command) -> Result<String, String> {
    let output = command.output().map_err(|io| io.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    let complaint = text(&output.stderr);
    Err(last_lines(if complaint.is_empty() {
        output.status.to_string()
    } else {
        complaint
    }))
}

/// As much of the end of `text` as fits into a message.
pub(super) fn last_lines(text: String) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    let last = lines[lines.len().saturating_sub(3)..].join("; ");
    if last.is_empty() { text } else { last }
}
