//! Style and layering as ordinary tests: one crate will not keep its rooms apart by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Which rooms each room may know. A room that is not here may know every other.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("calendar", &[]),
    ("plan", &["calendar"]),
    ("seal", &["plan"]),
    ("signature", &["plan", "calendar"]),
    ("machine", &["plan", "calendar", "signature"]),
    ("journal", &["plan", "calendar", "machine", "seal"]),
    ("orgdb", &["plan"]),
    ("copy", &["plan", "machine", "orgdb", "calendar", "seal"]),
    ("notify", &["plan", "machine", "orgdb", "copy"]),
    (
        "steps",
        &["plan", "calendar", "machine", "orgdb", "copy", "notify"],
    ),
    (
        "preview",
        &[
            "plan",
            "calendar",
            "machine",
            "orgdb",
            "copy",
            "steps",
            "signature",
        ],
    ),
    (
        "run",
        &[
            "plan",
            "calendar",
            "machine",
            "journal",
            "orgdb",
            "copy",
            "notify",
            "steps",
            "preview",
            "seal",
            "signature",
        ],
    ),
    (
        "replay",
        &[
            "plan",
            "calendar",
            "machine",
            "journal",
            "seal",
            "signature",
        ],
    ),
    (
        "report",
        &[
            "plan",
            "calendar",
            "machine",
            "journal",
            "copy",
            "steps",
            "preview",
            "replay",
            "seal",
            "signature",
        ],
    ),
    (
        "export",
        &[
            "plan",
            "calendar",
            "machine",
            "journal",
            "replay",
            "report",
            "seal",
            "signature",
        ],
    ),
    (
        "demo",
        &[
            "plan",
            "calendar",
            "machine",
            "journal",
            "orgdb",
            "copy",
            "steps",
            "preview",
            "run",
            "replay",
            "report",
            "seal",
            "signature",
        ],
    ),
];

/// Names that rooms must not speak, and why.
const NOT_IN: &[(&str, &str, &str)] = &[
    ("plan", "tokio", "plans are read without a runtime"),
    ("plan", "sqlx", "plans know no database"),
    ("plan", "Timestamp::now", "plans know no clock"),
    ("plan", "std::env", "plans know no environment"),
    ("machine", "tokio", "the machine is pure"),
    ("machine", "sqlx", "the machine is pure"),
    ("machine", "rusqlite", "the machine is pure"),
    ("machine", "Timestamp::now", "time comes in as an argument"),
    ("machine", "getrandom", "the machine is pure"),
    ("steps", "Timestamp::now", "time comes in as an argument"),
    ("copy", "Timestamp::now", "time comes in as an argument"),
    ("preview", "OrgWriter", "a preview writes nothing"),
    ("report", "std::fs", "reports do no input or output"),
    ("replay", "orgdb", "auditors need no council database"),
    ("export", "orgdb", "a pack is made from the log alone"),
    (
        "export",
        "Timestamp::now",
        "the same run gives the same bytes",
    ),
];

const BANNED_FILES: &[&str] = &[
    "util.rs",
    "utils.rs",
    "helpers.rs",
    "imp.rs",
    "errors.rs",
    "misc.rs",
    "common.rs",
];

const LEFT_OVERS: &[&str] = &["todo!(", "unimplemented!(", "dbg!(", "FIXME", "XXX", "HACK"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(below: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(below).expect("the folder is there") {
        let path = entry.expect("the entry is readable").path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn room_of(file: &Path) -> Option<String> {
    let inside = file.strip_prefix(root().join("src")).ok()?;
    let first = inside
        .components()
        .next()?
        .as_os_str()
        .to_string_lossy()
        .into_owned();
    (!first.contains('.')).then_some(first)
}

/// Code without comments and without the tests at its end.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).expect("the file is text");
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let kept = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    kept.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_room_knows_only_the_rooms_below_it() {
    let allowed: BTreeMap<&str, &[&str]> = MAY_KNOW.iter().copied().collect();
    let mut crossings = BTreeSet::new();
    for file in rust_files(&root().join("src")) {
        let Some(room) = room_of(&file) else { continue };
        let Some(allowed) = allowed.get(room.as_str()) else {
            continue;
        };
        for part in code(&file).split("crate::").skip(1) {
            let known: String = part
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            if known != room
                && !["sql", "values"].contains(&known.as_str())
                && !allowed.contains(&known.as_str())
            {
                crossings.insert(format!("{} knows {known}", file.display()));
            }
        }
    }
    assert!(
        crossings.is_empty(),
        "rooms that know too much: {crossings:#?}"
    );
}

#[test]
fn clocks_databases_and_runtimes_stay_in_their_rooms() {
    let mut found = Vec::new();
    for file in rust_files(&root().join("src")) {
        let Some(room) = room_of(&file) else { continue };
        let code = code(&file);
        for (not_in, word, why) in NOT_IN {
            if room == *not_in && code.contains(word) {
                found.push(format!("{} says {word}: {why}", file.display()));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent: Vec<_> = rust_files(&root().join("src"))
        .into_iter()
        .chain(rust_files(&root().join("tests")))
        .filter(|file| !fs::read_to_string(file).expect("text").starts_with("//!"))
        .collect();
    assert!(silent.is_empty(), "files without a `//!` head: {silent:#?}");
}

#[test]
fn no_file_is_a_drawer_for_everything() {
    let drawers: Vec<_> = rust_files(&root().join("src"))
        .into_iter()
        .filter(|file| {
            let name = file
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            BANNED_FILES.contains(&name.as_str())
        })
        .collect();
    assert!(drawers.is_empty(), "{drawers:#?}");
}

#[test]
fn nothing_is_left_over() {
    let mut found = Vec::new();
    for file in rust_files(&root().join("src")) {
        let text = fs::read_to_string(&file).expect("text");
        for word in LEFT_OVERS.iter().filter(|word| text.contains(**word)) {
            found.push(format!("{}: {word}", file.display()));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_test_file_is_run() {
    let suite = root().join("tests/suite");
    let mut forgotten = Vec::new();
    for file in rust_files(&suite) {
        let folder = file.parent().expect("a file has a folder");
        let name = file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let (parent, module) = if name == "mod" {
            let module = folder
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            (folder.parent().expect("below the suite").to_owned(), module)
        } else {
            (folder.to_owned(), name)
        };
        if file == suite.join("main.rs") {
            continue;
        }
        let head = if parent == suite {
            suite.join("main.rs")
        } else {
            parent.join("mod.rs")
        };
        let listed = fs::read_to_string(&head).unwrap_or_default();
        let line = format!("mod {module};");
        if !listed
            .lines()
            .any(|listed| listed.trim_start_matches("pub ").trim() == line)
        {
            forgotten.push(file);
        }
    }
    assert!(
        forgotten.is_empty(),
        "files that no `mod` line names: {forgotten:#?}"
    );
}

#[test]
fn lock_files_name_no_private_registry() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).expect("Cargo.lock is committed");
    let odd: Vec<_> = lock
        .lines()
        .filter(|line| line.starts_with("source = "))
        .filter(|line| !line.contains("registry+https://github.com/rust-lang/crates.io-index"))
        .collect();
    assert!(odd.is_empty(), "{odd:#?}");
}
