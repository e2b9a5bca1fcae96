//! The real binary's manners and exit codes: what a script, a pipe and a tired person meet.
//!
//! Not here: reports drawn from hand-made data (`manners`), what the docs show (`docs`).

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

const COMMANDS: [&str; 14] = [
    "demo", "new", "check", "preview", "run", "status", "approve", "rollback", "replay", "verify",
    "export", "explain", "close", "key",
];

fn handover(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_handover"))
        .args(args)
        .current_dir(folder)
        .env_remove("NO_COLOR")
        .output()
        .unwrap()
}

/// Runs it; the exit code and both streams.
fn code(folder: &Path, args: &[&str]) -> (i32, String) {
    let ran = handover(folder, args);
    let said = [ran.stdout, ran.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    assert!(
        !said.contains('\u{1b}'),
        "{args:?}: an escape byte in a pipe"
    );
    assert!(!said.contains("panicked"), "{args:?}: {said}");
    (ran.status.code().unwrap(), said)
}

fn ends(folder: &Path, args: &[&str], expected: i32) -> String {
    let (code, said) = code(folder, args);
    assert_eq!(code, expected, "{args:?}: {said}");
    said
}

fn plans() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("plans")
}

#[test]
fn help_opens_with_what_a_command_is_for() {
    let folder = TempDir::new().unwrap();
    let whole = ends(folder.path(), &["--help"], 0);
    for command in COMMANDS {
        let help = ends(folder.path(), &[command, "--help"], 0);
        let first = help.lines().next().unwrap();
        assert!(whole.contains(first), "{command}: {first}");
        assert!(
            help.lines().all(|line| line.chars().count() <= 100),
            "{command}"
        );
    }
}

#[test]
fn a_typo_gets_the_word_it_may_have_meant() {
    let folder = TempDir::new().unwrap();
    assert!(ends(folder.path(), &["statsu"], 2).contains("'status'"));
    assert!(ends(folder.path(), &["explain", "HO999"], 2).contains("did you mean"));
}

#[test]
fn a_new_plan_and_every_shipped_one_pass_check_untouched() {
    let folder = TempDir::new().unwrap();
    for from in ["almo-to-councils", "almo-to-council", "council-to-almo"] {
        ends(folder.path(), &["new", from, "--from", from], 0);
        ends(
            folder.path(),
            &["check", from, "--offline", "--deny", "warnings"],
            0,
        );
    }
    let shipped = [
        "east-kent-2011",
        "northampton-2015",
        "westminster-2019",
        "east-kent-2020",
        "renewal-2024",
    ];
    for name in shipped {
        let plan = plans().join(name);
        ends(
            folder.path(),
            &["check", plan.to_str().unwrap(), "--offline"],
            0,
        );
    }
}

#[test]
fn a_broken_plan_exits_3_and_names_the_code_of_an_error() {
    let folder = TempDir::new().unwrap();
    ends(
        folder.path(),
        &["new", "ours", "--from", "almo-to-council"],
        0,
    );
    let plan = folder.path().join("ours/plan.toml");
    let text = fs::read_to_string(&plan).unwrap();
    fs::write(
        &plan,
        text.replace("after = [\"reconcile\"]", "after = [\"reconcil\"]"),
    )
    .unwrap();
    let said = ends(folder.path(), &["check", "ours", "--offline"], 3);
    assert!(said.contains("explain HO102"), "{said}");
    let json = handover(folder.path(), &["check", "ours", "--offline", "--json"]);
    let _: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
}

#[test]
fn every_plan_with_one_target_is_played_to_the_end() {
    for plan in ["westminster-2019", "northampton-2015", "renewal-2024"] {
        let folder = TempDir::new().unwrap();
        let said = ends(
            folder.path(),
            &["demo", "d", "--plan", plan, "--homes", "60"],
            0,
        );
        assert!(
            said.contains("8. Proving it") || plan == "renewal-2024",
            "{said}"
        );
    }
}

#[test]
fn a_finished_run_answers_every_question_and_takes_no_stale_paper() {
    let folder = TempDir::new().unwrap();
    let demo = [
        "demo",
        "d",
        "--plan",
        "westminster-2019",
        "--homes",
        "60",
        "--break",
        "none",
    ];
    ends(folder.path(), &demo, 0);
    let here = folder.path().join("d");
    for args in [
        &["status", "--json"][..],
        &["preview", "--json"],
        &["check", "--json"],
        &["replay", "log", "--at", "40", "--json"],
        &["verify", "westminster", "--json"],
    ] {
        let ran = handover(&here, args);
        serde_json::from_slice::<serde_json::Value>(&ran.stdout)
            .unwrap_or_else(|fault| panic!("{args:?}: {fault}"));
    }
    assert!(ends(&here, &["verify", "log"], 10).contains("PASS"));
    let live = ends(&here, &["verify", "westminster", "--against-live"], 0);
    assert!(!live.contains("were not looked at"), "{live}");
    tampered(&here);
    unsigned_and_stale(&here);
}

/// One letter of one line of an exported log.
fn tampered(here: &Path) {
    let lines = here.join("log/steps.jsonl");
    let text = fs::read_to_string(&lines).unwrap();
    fs::write(&lines, text.replacen("step.committed", "step.committee", 1)).unwrap();
    ends(here, &["verify", "log"], 6);
}

/// As before any run: its journal is taken away.
fn unsigned_and_stale(here: &Path) {
    fs::remove_dir_all(here.join(".handover")).unwrap();
    ends(here, &["preview", "--out", "fresh.preview"], 0);
    ends(here, &["run", ".", "--signed", "fresh.preview"], 5);
    let map = here.join("maps/homes.toml");
    let text = fs::read_to_string(&map).unwrap();
    fs::write(
        &map,
        text.replacen("SEC = \"secure\"", "SEC = \"introductory\"", 1),
    )
    .unwrap();
    let said = ends(here, &["run", ".", "--signed", "demo.preview"], 5);
    assert!(
        said.contains("maps/homes.toml") && said.contains("line"),
        "{said}"
    );
}

#[test]
fn a_failure_is_one_json_value_where_json_is_asked_for() {
    let folder = TempDir::new().unwrap();
    ends(
        folder.path(),
        &["new", "ours", "--from", "almo-to-council"],
        0,
    );
    for (args, code) in [
        (&["status", "--json"][..], 9),
        (&["run", "ours", "--json"], 9),
        (&["run", "ours", "--signed", "none.preview", "--json"], 2),
        (&["rollback", "ours", "--json"], 9),
        (&["preview", "ours", "--json"], 9),
        (
            &[
                "approve", "ours", "go-no-go", "--as", "s151", "--reason", "x", "--json",
            ],
            9,
        ),
        (&["explain", "HO999", "--json"], 2),
        (&["verify", "ours", "--json"], 9),
        (&["new", "ours", "--json"], 2),
    ] {
        let ran = handover(folder.path(), args);
        assert_eq!(ran.status.code(), Some(code), "{args:?}");
        assert!(ran.stderr.is_empty(), "{args:?}: {ran:?}");
        let said: serde_json::Value =
            serde_json::from_slice(&ran.stdout).unwrap_or_else(|fault| panic!("{args:?}: {fault}"));
        assert_eq!(said["error"]["exit"], code, "{args:?}");
        assert!(
            said["error"]["says"]
                .as_str()
                .is_some_and(|says| !says.is_empty())
        );
    }
}

/// What a command prints on a terminal, with one variable of the environment set.
fn on_a_terminal(args: &[&str], variable: (&str, &str)) -> String {
    use std::io::Read;
    let near =
        rustix::pty::openpt(rustix::pty::OpenptFlags::RDWR | rustix::pty::OpenptFlags::NOCTTY);
    let near = near.unwrap();
    rustix::pty::grantpt(&near).unwrap();
    rustix::pty::unlockpt(&near).unwrap();
    let name = rustix::pty::ptsname(&near, Vec::new()).unwrap();
    let far = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(name.to_str().unwrap())
        .unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_handover"))
        .args(args)
        .env_remove("NO_COLOR")
        .env("TERM", "xterm-256color")
        .env(variable.0, variable.1)
        .stdout(far.try_clone().unwrap())
        .stderr(far)
        .spawn()
        .unwrap();
    // Reading ends with a fault when nobody holds the far side any more.
    let mut said = Vec::new();
    let mut near = fs::File::from(near);
    let mut some = [0; 4096];
    while let Ok(count @ 1..) = near.read(&mut some) {
        said.extend(&some[..count]);
    }
    child.wait().unwrap();
    String::from_utf8(said).unwrap()
}

#[test]
fn colour_is_for_terminals_and_for_those_who_want_it() {
    let folder = TempDir::new().unwrap();
    let plan = folder.path().join("ours");
    ends(folder.path(), &["new", "ours"], 0);
    let text = fs::read_to_string(plan.join("plan.toml")).unwrap();
    fs::write(
        plan.join("plan.toml"),
        text.replace("\"reconcile\"]", "\"reconcil\"]"),
    )
    .unwrap();
    let check = ["check", plan.to_str().unwrap(), "--offline"];
    let coloured = on_a_terminal(&check, ("LANG", "C.UTF-8"));
    assert!(coloured.contains('\u{1b}'), "{coloured}");
    for variable in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let said = on_a_terminal(&check, variable);
        assert!(!said.contains('\u{1b}'), "{variable:?}: {said}");
    }
    for flag in ["--plain", "--color=never", "--json"] {
        let args = [&check[..], &[flag]].concat();
        let said = on_a_terminal(&args, ("LANG", "C.UTF-8"));
        assert!(!said.contains('\u{1b}'), "{flag}: {said}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_fault() {
    let folder = TempDir::new().unwrap();
    let pipe = format!("{} --help | head -1", env!("CARGO_BIN_EXE_handover"));
    let ran = Command::new("sh")
        .args(["-c", &pipe])
        .current_dir(&folder)
        .output()
        .unwrap();
    assert!(ran.status.success() && ran.stderr.is_empty(), "{ran:?}");
    let schema = format!("{} schema | head -1", env!("CARGO_BIN_EXE_handover"));
    let ran = Command::new("sh").args(["-c", &schema]).output().unwrap();
    assert!(ran.stderr.is_empty(), "{ran:?}");
}
