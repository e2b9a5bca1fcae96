//! Docs cannot rot: every ```` ```console ```` block of the README and of `docs/` is run with the real
//! binary, in order, in one empty folder per page, and its output compared; the plan reference is held
//! against the table of keys, and the map that the page on maps shows is read.
//!
//! A line `…` stands for any lines, `[..]` for anything within one. A command that does not exit 0 must
//! say so itself (`; echo "exit $?"`). `UPDATE_DOCS=1` writes the plan reference anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use handover::demo::generate::{self, Spec, World};
use handover::plan;
use tempfile::TempDir;

/// Blocks that are not run, by a word of their first line, and why.
const NOT_RUN: &[(&str, &str)] = &[
    (
        "handover demo first --engine postgres",
        "`engines::stories` plays it, smaller and killed on its way",
    ),
    ("cargo run", "builds the whole project again, in release"),
    ("cargo bench", "takes minutes and the machine for itself"),
    ("tests/run", "is what runs this test"),
    ("tests/matrix", "takes the better part of an hour"),
    (
        "handover new our-transfer",
        "needs databases of one's own: a test below makes some and runs it",
    ),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The fenced blocks of a page in one language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}");
    let mut blocks: Vec<String> = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        match (inside, line) {
            (false, line) if line == fence => {
                inside = true;
                blocks.push(String::new());
            }
            (true, "```") => inside = false,
            (true, line) => {
                let block = blocks.last_mut().unwrap();
                block.push_str(line);
                block.push('\n');
            }
            (false, _) => {}
        }
    }
    blocks
}

/// Commands of a block, each with the output that the page shows.
fn commands(block: &str) -> Vec<(String, Vec<String>)> {
    let mut commands: Vec<(String, Vec<String>)> = Vec::new();
    for line in block.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            commands.push((command.to_owned(), Vec::new()));
            continue;
        }
        let (command, shown) = commands.last_mut().unwrap();
        match line.strip_prefix("> ") {
            // A command goes on where the page goes on with it as a shell does.
            Some(more) if shown.is_empty() => command.extend(["\n", more]),
            _ => shown.push(line.to_owned()),
        }
    }
    commands
}

/// Whether the lines that came are those that are shown.
fn fits(shown: &[String], came: &[&str]) -> bool {
    match shown.split_first() {
        None => came.is_empty(),
        Some((line, rest)) if line == "…" => (0..=came.len()).any(|at| fits(rest, &came[at..])),
        Some((line, rest)) => {
            let next = came.split_first();
            next.is_some_and(|(first, more)| alike(line, first) && fits(rest, more))
        }
    }
}

fn alike(shown: &str, came: &str) -> bool {
    let Some((head, rest)) = shown.split_once("[..]") else {
        return shown.trim_end() == came.trim_end();
    };
    let Some(came) = came.strip_prefix(head) else {
        return false;
    };
    let mut starts = came.char_indices().map(|(at, _)| at).chain([came.len()]);
    starts.any(|at| alike(rest, &came[at..]))
}

/// Where commands are looked for, the binary first.
fn path() -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_handover"));
    let path = std::env::var("PATH").unwrap();
    format!("{}:{path}", binary.parent().unwrap().display())
}

/// Runs a page's blocks in an empty folder.
fn follow(page: &Path) {
    let text = fs::read_to_string(page).unwrap();
    let folder = TempDir::new().unwrap();
    let mut here = folder.path().to_owned();
    let path = path();
    for (command, shown) in blocks(&text, "console")
        .iter()
        .flat_map(|block| commands(block))
    {
        if let Some(to) = command.strip_prefix("cd ") {
            here = here.join(to).canonicalize().unwrap();
            continue;
        }
        let ran = Command::new("sh")
            .args(["-c", &format!("exec 2>&1\n{command}")])
            .current_dir(&here)
            .env("PATH", &path)
            .env_remove("NO_COLOR")
            .output()
            .unwrap();
        let came = String::from_utf8(ran.stdout).unwrap();
        let page = page.display();
        assert!(ran.status.success(), "{page}: `{command}` fails:\n{came}");
        let lines: Vec<&str> = came.trim_end().lines().collect();
        assert!(
            fits(&shown, &lines),
            "{page}: `{command}` shows\n{}\nbut prints\n{came}",
            shown.join("\n"),
        );
    }
}

#[test]
fn a_newcomer_who_follows_the_tutorial_sees_what_it_shows() {
    follow(&root().join("docs/tutorial.md"));
}

#[test]
fn every_other_page_shows_what_the_binary_prints() {
    let pages = fs::read_dir(root().join("docs")).unwrap();
    let pages = pages.map(|page| page.unwrap().path());
    let pages = pages.filter(|page| !page.ends_with("tutorial.md"));
    for page in pages.chain([root().join("README.md")]) {
        follow(&page);
    }
}

/// The databases of an ALMO and a council that call themselves as a new plan does.
fn databases_of_ones_own(folder: &Path) {
    let spec = Spec {
        world: World::Westminster2019,
        homes: 60,
        years: 1,
        seed: 7,
        progress: None,
    };
    generate::generate(folder, &spec).unwrap();
    let council = rusqlite::Connection::open(folder.join("westminster.db")).unwrap();
    council
        .execute_batch(
            "CREATE TEMP TABLE own AS SELECT * FROM organisation WHERE org_id = 'westminster';
             UPDATE own SET org_id = 'council';
             INSERT INTO organisation SELECT * FROM own",
        )
        .unwrap();
}

#[test]
fn a_plan_of_ones_own_goes_line_by_line_as_the_readme_has_it() {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    let blocks = blocks(&text, "sh").into_iter();
    let block = blocks.last().unwrap();
    assert!(block.starts_with("handover new our-transfer"));
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    databases_of_ones_own(&data);
    let mut here = folder.path().to_owned();
    for line in block.lines() {
        if let Some(to) = line.strip_prefix("cd ") {
            here = here.join(to.split_whitespace().next().unwrap());
            continue;
        }
        let ran = Command::new("sh")
            .args(["-c", &format!("exec 2>&1\n{line}")])
            .current_dir(&here)
            .env("PATH", path())
            .env(
                "ALMO_DB",
                format!("sqlite:{}", data.join("citywest.db").display()),
            )
            .env(
                "COUNCIL_DB",
                format!("sqlite:{}", data.join("westminster.db").display()),
            )
            .output()
            .unwrap();
        let said = String::from_utf8(ran.stdout).unwrap();
        let wanted = if line.contains("(exit 4)") { 4 } else { 0 };
        assert_eq!(ran.status.code(), Some(wanted), "`{line}`:\n{said}");
    }
}

#[test]
fn a_command_that_no_test_runs_has_a_reason() {
    let pages = fs::read_dir(root().join("docs")).unwrap();
    let pages = pages.map(|page| page.unwrap().path());
    for page in pages.chain([root().join("README.md")]) {
        for block in blocks(&fs::read_to_string(&page).unwrap(), "sh") {
            let known = NOT_RUN.iter().any(|(start, _)| block.starts_with(start));
            assert!(known, "{}: nobody runs\n{block}", page.display());
        }
    }
}

#[test]
fn the_plan_reference_has_every_key_and_no_other() {
    let page = root().join("docs/plan-reference.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&page, plan::reference()).unwrap();
    }
    let written = fs::read_to_string(&page).unwrap();
    assert!(
        written == plan::reference(),
        "run this test once with UPDATE_DOCS=1"
    );
}

#[test]
fn every_map_that_a_page_shows_can_be_read() {
    let text = fs::read_to_string(root().join("docs/maps.md")).unwrap();
    let maps = blocks(&text, "toml");
    assert!(!maps.is_empty());
    for map in maps {
        plan::read_map("docs/maps.md", &map).unwrap_or_else(|faults| panic!("{faults:?}"));
    }
}
