//! The demo's whole story on servers, through the real binary, killed over and over on its way: it ends
//! with everything right, held against the generator's own truth.
//!
//! Not here: files, where every entry is a point of death (`crash`).

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

/// A number that is drawn anew each day, and can be asked for again.
fn seed() -> u64 {
    let today = || {
        let since = SystemTime::UNIX_EPOCH.elapsed().unwrap();
        since.as_secs() / 86_400
    };
    let asked = std::env::var("HANDOVER_SEED").ok();
    asked.map_or_else(today, |text| text.parse().unwrap())
}

fn demo(folder: &Path, engine: &str, plan: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handover"));
    let folder = folder.to_str().unwrap();
    command.args([
        "demo", folder, "--engine", engine, "--plan", plan, "--homes", "40",
    ]);
    command
}

/// Kills it `kills` times at moments out of the seed, then lets it end.
fn played(engine: &str, plan: &str, kills: u64) -> String {
    let place = TempDir::new().unwrap();
    let folder = place.path().join("demo");
    let mut drawn = seed();
    for _ in 0..kills {
        let mut child = demo(&folder, engine, plan)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // As good a generator as this needs (<https://nuclear.llnl.gov/CNP/rng/rngman/node4.html>).
        drawn = drawn
            .wrapping_mul(2_862_933_555_777_941_757)
            .wrapping_add(3_037_000_493);
        sleep(Duration::from_millis(900 + drawn % 4_000));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let ended = demo(&folder, engine, plan).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    let wrong = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "seed {}: {said}{wrong}", seed());
    let on_purpose = [("copy-homes/thanet".to_owned(), "HO511".to_owned())];
    assert_eq!(failures(&folder), on_purpose, "seed {}: {said}", seed());
    assert!(!said.contains("DIFFERENT"), "seed {}: {said}", seed());
    said
}

/// Every failure that the exported log knows of, by step and code.
fn failures(folder: &Path) -> Vec<(String, String)> {
    let log = std::fs::read_to_string(folder.join("log/steps.jsonl")).unwrap();
    let entries = log.lines().map(|line| serde_json::from_str(line).unwrap());
    let failed = entries.filter(|entry: &serde_json::Value| entry["type"] == "step.failed");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    failed
        .map(|entry| (text(&entry["step"]), text(&entry["body"]["code"])))
        .collect()
}

fn proofs(said: &str) -> usize {
    said.lines()
        .filter(|line| line.starts_with("  PASS  "))
        .count()
}

#[test]
fn a_split_on_postgresql_that_is_killed_again_and_again_ends_right() {
    let said = played("postgres", "east-kent-2020", 4);
    assert_eq!(proofs(&said), 5, "{said}");
}

#[test]
fn a_split_on_mariadb_that_is_killed_again_and_again_ends_right() {
    let said = played("mariadb", "east-kent-2020", 4);
    assert_eq!(proofs(&said), 5, "{said}");
}

#[test]
fn four_councils_merge_into_one_on_postgresql_and_on_mariadb() {
    for engine in ["postgres", "mariadb"] {
        let said = played(engine, "east-kent-2011", 0);
        assert_eq!(proofs(&said), 5, "{engine}: {said}");
        assert_eq!(said.matches("identical").count(), 5, "{engine}: {said}");
    }
}
