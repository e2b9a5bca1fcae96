//! Processes of our own for these tests: the test binary again, asked to play one role.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};

use uuid::Uuid;

use super::begun::Begun;

/// Where a child finds its run and its journal.
const ASKED: &str = "HANDOVER_TEST_CHILD";

/// What a child can be asked to do; each is a test that does nothing unless asked.
#[derive(Clone, Copy)]
pub(super) enum Role {
    Claim,
    Read,
}

impl Role {
    fn test(self) -> &'static str {
        match self {
            Role::Claim => "journal::claims::a_child_claims_when_asked",
            Role::Read => "journal::entries::a_child_reads_when_asked",
        }
    }
}

/// The journal and the run, where this process is a child that was asked to play `role`.
pub(super) fn asked(role: Role) -> Option<(PathBuf, Uuid)> {
    let asked = std::env::var(ASKED).ok()?;
    let (test, rest) = asked.split_once(' ')?;
    let (run, path) = rest.split_once(' ')?;
    (test == role.test()).then(|| (path.into(), run.parse().unwrap()))
}

/// Says a word to the parent.
pub(super) fn say(word: &str) {
    let line = format!("child: {word}\n");
    std::io::stdout().write_all(line.as_bytes()).unwrap();
}

/// A child at work.
pub(super) struct Child {
    process: std::process::Child,
    says: BufReader<ChildStdout>,
    hears: ChildStdin,
}

impl Child {
    pub(super) fn start(begun: &Begun, role: Role) -> Child {
        Child::spawn(Command::new(std::env::current_exe().unwrap()), begun, role)
    }

    /// A child whose files may not grow beyond some hundred kilobytes; it outlives the signal that
    /// the kernel sends with the refusal.
    pub(super) fn start_limited(begun: &Begun, role: Role) -> Child {
        let mut shell = Command::new("sh");
        shell.args(["-c", "trap '' XFSZ; ulimit -f 600; exec \"$0\" \"$@\""]);
        shell.arg(std::env::current_exe().unwrap());
        Child::spawn(shell, begun, role)
    }

    fn spawn(mut command: Command, begun: &Begun, role: Role) -> Child {
        let journal = begun.journal.path().display();
        let mut process = command
            .args(["--exact", role.test(), "--nocapture"])
            .env(ASKED, format!("{} {} {journal}", role.test(), begun.run))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Child {
            says: BufReader::new(process.stdout.take().unwrap()),
            hears: process.stdin.take().unwrap(),
            process,
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// What it says next.
    pub(super) fn word(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(
                self.says.read_line(&mut line).unwrap(),
                0,
                "the child ended"
            );
            if let Some((_, word)) = line.trim_end().split_once("child: ") {
                return word.to_owned();
            }
        }
    }

    /// Asks it to append.
    pub(super) fn append(&mut self) {
        writeln!(self.hears, "append").unwrap();
    }

    pub(super) fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        assert!(
            Command::new("kill")
                .args([name, &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    pub(super) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}
