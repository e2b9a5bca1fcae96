//! Folders of a small East Kent that tests may ruin: made once, copied while nobody is at work, and
//! played on by the real binary.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use tempfile::TempDir;

use super::rows::{Held, held};

/// How many homes: enough for every mess and every council.
const HOMES: &str = "60";

/// A demo's folder, gone when dropped.
pub(super) struct Stage {
    _above: TempDir,
    /// The plan folder; its name is the plan's.
    pub(super) path: PathBuf,
}

impl Stage {
    fn empty() -> Stage {
        let above = TempDir::new().unwrap();
        let path = above.path().join("east-kent-2020");
        Stage {
            _above: above,
            path,
        }
    }

    /// A copy of everything in it; nobody may be at work there.
    pub(super) fn copy(&self) -> Stage {
        let copy = Stage::empty();
        copied(&self.path, &copy.path);
        copy
    }

    /// `demo` on this folder, from wherever it stands.
    pub(super) fn demo(&self, breaks: Option<&str>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_handover"));
        command
            .args(["--plain", "demo"])
            .arg(&self.path)
            .args(["--homes", HOMES])
            .env_remove("HANDOVER_KILL");
        if let Some(breaks) = breaks {
            command.args(["--break", breaks]);
        }
        command
    }

    /// What the organisations hold now.
    pub(super) fn held(&self) -> Held {
        held(&self.path)
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

    /// SIGKILL ended it.
    pub(super) fn was_killed(&self) -> bool {
        self.signal == Some(9)
    }
}

/// A demo whose run has just begun, killed there; every test copies it.
pub(super) fn begun() -> &'static Stage {
    static BEGUN: OnceLock<Stage> = OnceLock::new();
    BEGUN.get_or_init(|| just_begun(None))
}

fn just_begun(breaks: Option<&str>) -> Stage {
    let stage = Stage::empty();
    let mut demo = stage.demo(breaks);
    let said = Said::of(demo.env("HANDOVER_KILL", "entry:12").output().unwrap());
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
