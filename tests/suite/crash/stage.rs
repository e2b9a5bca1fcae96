//! Folders of a small East Kent that tests may ruin: made once, copied while nobody is at work, and
//! played on by the real binary.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use tempfile::TempDir;

use super::pairs::ground::Ground;
use super::rows::{Held, held, letters_of};

/// How many homes: the fewest that show every mess and every council, or a small East Kent.
fn homes() -> &'static str {
    if everything() { "200" } else { "60" }
}

/// Whether every kill is wanted, however long it takes.
pub(super) fn everything() -> bool {
    std::env::var_os("HANDOVER_FULL").is_some()
}

/// How many entries a run has that has just begun.
pub(super) const BEGUN: u64 = 12;

/// A demo's folder, gone when dropped.
pub(super) struct Stage {
    _above: TempDir,
    /// The plan folder; its name is the plan's.
    pub(super) path: PathBuf,
    /// Its name.
    pub(super) plan: &'static str,
    /// Its databases, where they are not files in the folder.
    pub(super) ground: Option<Ground>,
}

impl Stage {
    fn empty(plan: &'static str) -> Stage {
        Stage::on(plan, |_| None)
    }

    /// A stage that is not set yet, with databases elsewhere; files of theirs lie beside the plan folder.
    pub(super) fn on(plan: &'static str, ground: impl FnOnce(&Path) -> Option<Ground>) -> Stage {
        let above = TempDir::new().unwrap();
        Stage {
            ground: ground(above.path()),
            path: above.path().join(plan),
            plan,
            _above: above,
        }
    }

    /// A copy of everything in it; nobody may be at work there.
    pub(super) fn copy(&self) -> Stage {
        self.copy_on(Ground::copy)
    }

    /// A copy whose databases are copied so.
    pub(super) fn copy_on(&self, copy: impl FnOnce(&Ground, &Path) -> Ground) -> Stage {
        let ground = self.ground.as_ref();
        let stage = Stage::on(self.plan, |above| ground.map(|ground| copy(ground, above)));
        copied(&self.path, &stage.path);
        stage
    }

    /// Waits until this process has no file in it open: connections close on threads of their own, and
    /// the last to close takes the write-ahead log away.
    pub(super) fn left_alone(&self) {
        let open = |entry: std::io::Result<std::fs::DirEntry>| {
            let target = entry.and_then(|entry| std::fs::read_link(entry.path()));
            target.is_ok_and(|target| target.starts_with(&self.path))
        };
        while std::fs::read_dir("/proc/self/fd")
            .into_iter()
            .flatten()
            .any(open)
        {
            std::thread::yield_now();
        }
    }

    /// The binary, to be told its arguments.
    pub(super) fn handover(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_handover"));
        command.current_dir(&self.path).arg("--plain");
        self.place(&mut command);
        command
    }

    /// Tells a process where the databases are, and that it is to live.
    fn place(&self, command: &mut Command) {
        command.env_remove("HANDOVER_KILL");
        if let Some(ground) = &self.ground {
            command.envs(ground.env());
            // Few homes, many chunks.
            command.env("HANDOVER_CHUNK_ROWS", "60");
        }
    }

    /// Runs a command of the binary in this folder.
    pub(super) fn tell(&self, arguments: &[&str]) -> Said {
        Said::of(self.handover().args(arguments).output().unwrap())
    }

    /// The way back to before the copies, previewed and signed in `back.preview`.
    pub(super) fn way_back(&self, how: &[&str]) -> Said {
        let look = "rollback . --to copy-homes --preview --out back.preview";
        let look: Vec<&str> = look.split(' ').chain(how.iter().copied()).collect();
        let said = self.tell(&look);
        said.is(0, &[]);
        self.sign("back.preview");
        said
    }

    /// The command that goes the way back which [`Stage::way_back`] had signed.
    pub(super) fn back(&self) -> [&'static str; 6] {
        [
            "rollback",
            ".",
            "--signed",
            "back.preview",
            "--confirm",
            self.plan,
        ]
    }

    /// Runs a command of the binary that is killed at a point, if it comes there.
    pub(super) fn tell_until(&self, arguments: &[&str], point: &str) -> Said {
        let mut process = self.handover();
        process.args(arguments).env("HANDOVER_KILL", point);
        Said::of(process.output().unwrap())
    }

    /// The same, which does come there.
    #[track_caller]
    pub(super) fn dies(&self, arguments: &[&str], point: &str) {
        let said = self.tell_until(arguments, point);
        assert!(said.was_killed(), "{point}: {}", said.text);
    }

    /// `demo` on this folder, from wherever it stands.
    pub(super) fn demo(&self, breaks: Option<&str>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_handover"));
        command.args(["--plain", "demo"]).arg(&self.path).args([
            "--homes",
            homes(),
            "--plan",
            self.plan,
        ]);
        self.place(&mut command);
        if self.ground.is_some() {
            // Whichever server is named: those of the environment are taken.
            command.args(["--engine", "postgres"]);
        }
        if let Some(breaks) = breaks {
            command.args(["--break", breaks]);
        }
        command
    }

    /// Has a preview file signed by as many people as it needs: a rollback's says how many, a plan's
    /// needs every seat.
    pub(super) fn sign(&self, file: &str) {
        let preview = self.json(file);
        let seats = preview["seats"].as_array().unwrap();
        for seat in seats {
            let signed = self.json(file)["signatures"].as_array().unwrap().len();
            if signed as u64 >= preview["needs"].as_u64().unwrap_or(seats.len() as u64) {
                return;
            }
            let role = seat["role"].as_str().unwrap();
            let who = match seat["org"].as_str() {
                Some(org) => format!("{role}@{org}"),
                None => role.to_owned(),
            };
            let said = self.tell(&["approve", file, "--as", &who, "--reason", "read and agreed"]);
            said.is(0, &[]);
        }
    }

    /// A JSON file of this folder.
    pub(super) fn json(&self, file: &str) -> serde_json::Value {
        let bytes = std::fs::read(self.path.join(file)).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    /// What the organisations hold now.
    pub(super) fn held(&self) -> Held {
        let Some(ground) = &self.ground else {
            return held(&self.path);
        };
        let mut held = Held::new();
        ground.held(&mut held);
        letters_of(&self.path, &mut held);
        held
    }
}

/// What a command said, and how it ended.
pub(super) struct Said {
    /// The exit code; none where a signal ended it.
    pub(super) code: Option<i32>,
    /// The signal that ended it.
    pub(super) signal: Option<i32>,
    /// Both streams.
    pub(super) text: String,
}

impl Said {
    pub(super) fn of(output: Output) -> Said {
        use std::os::unix::process::ExitStatusExt;
        let text = [output.stdout, output.stderr].concat();
        Said {
            code: output.status.code(),
            signal: output.status.signal(),
            text: String::from_utf8_lossy(&text).into_owned(),
        }
    }

    /// Holds the exit code and words against what is promised.
    #[track_caller]
    pub(super) fn is(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.text);
        for word in words {
            assert!(self.text.contains(word), "no `{word}` in:\n{}", self.text);
        }
    }

    /// SIGKILL ended it.
    pub(super) fn was_killed(&self) -> bool {
        self.signal == Some(9)
    }
}

/// A demo whose run has just begun, killed there; every test copies it.
pub(super) fn begun() -> &'static Stage {
    static BEGUN: OnceLock<Stage> = OnceLock::new();
    BEGUN.get_or_init(|| just_begun(SPLIT, None))
}

/// The same of a story in which nothing breaks.
pub(super) fn begun_unbroken() -> &'static Stage {
    static BEGUN: OnceLock<Stage> = OnceLock::new();
    BEGUN.get_or_init(|| just_begun(SPLIT, Some("none")))
}

/// The same of four councils that merge into one.
pub(super) fn begun_merge() -> &'static Stage {
    static BEGUN: OnceLock<Stage> = OnceLock::new();
    BEGUN.get_or_init(|| just_begun(MERGE, None))
}

/// The same of such a merge in which nothing breaks.
pub(super) fn begun_unbroken_merge() -> &'static Stage {
    static BEGUN: OnceLock<Stage> = OnceLock::new();
    BEGUN.get_or_init(|| just_begun(MERGE, Some("none")))
}

/// The same of a copy made early, with a catch-up on the night.
pub(super) fn begun_early() -> &'static Stage {
    static BEGUN: OnceLock<Stage> = OnceLock::new();
    BEGUN.get_or_init(|| just_begun(EARLY, None))
}

/// The same of such a copy, in a story in which nothing breaks.
pub(super) fn begun_unbroken_early() -> &'static Stage {
    static BEGUN: OnceLock<Stage> = OnceLock::new();
    BEGUN.get_or_init(|| just_begun(EARLY, Some("none")))
}

/// The plan that copies days before the night.
pub(super) const EARLY: &str = "westminster-2019";

/// The plan in which four organisations become one.
const MERGE: &str = "east-kent-2011";

/// The plan of most tests: one organisation is split into four.
const SPLIT: &str = "east-kent-2020";

fn just_begun(plan: &'static str, breaks: Option<&str>) -> Stage {
    began(Stage::empty(plan), breaks)
}

/// Sets a stage: organisations made, plan signed, run begun, and killed there.
pub(super) fn began(stage: Stage, breaks: Option<&str>) -> Stage {
    let mut demo = stage.demo(breaks);
    let said = Said::of(
        demo.env("HANDOVER_KILL", format!("entry:{BEGUN}"))
            .output()
            .unwrap(),
    );
    assert!(said.was_killed(), "{}", said.text);
    stage
}

fn copied(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copied(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
