//! A story told once by the real binary, closed, and packed: tests copy what they want to ruin.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

/// A plan folder whose run is closed, and its pack and annex beside it.
pub struct Told {
    _above: TempDir,
    /// The plan folder.
    pub plan: PathBuf,
    /// The pack.
    pub pack: PathBuf,
    /// The annex.
    pub annex: PathBuf,
}

/// What a command printed, where it ended well.
#[track_caller]
pub fn said(command: &mut Command) -> String {
    let (code, text) = ended(command);
    assert_eq!(code, 0, "{command:?}:\n{text}");
    text
}

/// How a command ended, and what it printed.
pub fn ended(command: &mut Command) -> (i32, String) {
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    (output.status.code().unwrap(), text)
}

/// The binary in a folder.
pub fn handover(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handover"));
    command.current_dir(folder).arg("--plain").args(arguments);
    command
}

/// The East Kent story with everything in it: a step that breaks, a rollback, an amendment, an end.
pub fn told() -> &'static Told {
    static TOLD: OnceLock<Told> = OnceLock::new();
    TOLD.get_or_init(|| {
        let above = TempDir::new().unwrap();
        let plan = above.path().join("east-kent-2020");
        let place = plan.display().to_string();
        said(&mut handover(
            above.path(),
            &["demo", &place, "--homes", "60", "--years", "1"],
        ));
        let name = ["--confirm", "east-kent-2020"];
        said(handover(&plan, &["close", ".", "--to", "closed"]).args(name));
        said(&mut handover(
            &plan,
            &["export", ".", "--as", "pack", "--to", "../pack"],
        ));
        said(&mut handover(
            &plan,
            &["export", ".", "--as", "annex", "--to", "../annex"],
        ));
        Told {
            pack: above.path().join("pack"),
            annex: above.path().join("annex"),
            plan,
            _above: above,
        }
    })
}

/// Every file below a folder, by its path there.
pub fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().display().to_string();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// A copy of a folder, to be ruined.
pub fn copied(from: &Path) -> TempDir {
    let to = TempDir::new().unwrap();
    for (path, bytes) in files(from) {
        let place = to.path().join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, bytes).unwrap();
    }
    to
}
