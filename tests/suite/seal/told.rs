//! Keys, seals and witnesses as people meet them: through the real binary, on a run whose clock is real.

use std::path::{Path, PathBuf};
use std::process::Command;

use handover::journal::load_witness_key;
use handover::run::Clock;
use handover::seal::{Head, Seal};

use rusqlite::Connection;
use tempfile::TempDir;

/// A project with a step that nobody can undo, three witnesses, and no database to wait for.
struct Project {
    _above: TempDir,
    path: PathBuf,
}

struct Said {
    code: Option<i32>,
    text: String,
}

impl Said {
    #[track_caller]
    fn is(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.text);
        let flat = self.text.split_whitespace().collect::<Vec<_>>().join(" ");
        for word in words {
            assert!(flat.contains(word), "no `{word}` in:\n{}", self.text);
        }
    }
}

const WITNESSES: [&str; 3] = ["audit", "council", "almo"];

const TRUST: &str = r#"
[trust]
quorum = "gate"

[trust.group]
orgs = { need = "any", of = ["council", "almo"] }
gate = { need = "all", of = ["audit", "orgs"] }

[trust.witness]
"#;

const PLAN: &str = r#"
[plan]
format = 1
title = "A deed that nobody can unsign"
handover = 2024-04-01T00:00:00
author = "p01"
signed-by = ["monitoring"]

[phase]
"Decide" = ["advise", "deed"]

[org]
council = { name = "Exampleton Borough Council", kind = "council" }
homes = { name = "Exampleton Homes", kind = "almo" }

[role]
monitoring = { title = "Monitoring officer" }
client = { title = "Client officer" }

[step.advise]
title = "Advice is given"
does = "task"
owner = "client"

[step.deed]
title = "The deed is sealed"
does = "task"
owner = "client"
after = ["advise"]
undo = "cannot"
"#;

const PEOPLE: &str = r#"
[p01]
org = "homes"
roles = []

[p02]
org = "council"
roles = ["monitoring"]

[p03]
org = "council"
roles = ["client"]
"#;

impl Project {
    fn new(trust: bool) -> Project {
        let above = TempDir::new().unwrap();
        let path = above.path().join("deed");
        std::fs::create_dir_all(path.join("keys")).unwrap();
        let project = Project {
            _above: above,
            path,
        };
        let mut plan = PLAN.to_owned();
        if trust {
            plan.push_str(TRUST);
            for name in WITNESSES {
                let file = format!("keys/{name}.key");
                let said = project.tell(&[
                    "key",
                    "new",
                    "--witness",
                    &format!("{name}.example"),
                    "--to",
                    &file,
                ]);
                said.is(0, &["never leaves the witness's own machine"]);
                let shown = project.json(&["key", "show", "--witness", &file]);
                let key = shown["verifier_key"].as_str().unwrap();
                plan.extend([name, " = \"", key, "\"\n"]);
            }
        }
        std::fs::write(project.path.join("plan.toml"), plan).unwrap();
        std::fs::write(project.path.join("people.toml"), PEOPLE).unwrap();
        project
            .tell(&["preview", ".", "--out", "deed.preview"])
            .is(0, &[]);
        project
            .tell(&[
                "approve",
                "deed.preview",
                "--as",
                "monitoring",
                "--reason",
                "read",
            ])
            .is(0, &["Everybody has signed"]);
        project
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_handover"));
        command
            .current_dir(&self.path)
            .env_remove("HANDOVER_KILL")
            .arg("--plain")
            .args(arguments);
        command
    }

    fn tell(&self, arguments: &[&str]) -> Said {
        let output = self.command(arguments).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        Said {
            code: output.status.code(),
            text: String::from_utf8_lossy(&text).into_owned(),
        }
    }

    fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let output = self.command(arguments).arg("--json").output().unwrap();
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The log's verifier key, as the minute has it.
    fn minuted(&self) -> String {
        let shown = self.json(&["key", "show", "."]);
        shown["verifier_key"].as_str().unwrap().to_owned()
    }

    /// A run with a key, waiting for people.
    fn begun() -> Project {
        let project = Project::new(true);
        project.tell(&["key", "new", "."]).is(0, &[]);
        project
            .tell(&["run", ".", "--signed", "deed.preview"])
            .is(4, &[]);
        project
    }

    /// A run with a key, both tasks done, waiting for its witnesses.
    fn waiting() -> Project {
        let project = Project::begun();
        for step in ["advise", "deed"] {
            let said = project.tell(&[
                "approve", "deed-", step, "--as", "client", "--reason", "done",
            ]);
            said.is(0, &[]);
            project.tell(&["run", "deed-"]).is(4, &[]);
        }
        project
    }

    /// What the newest request to a witness is called.
    fn request(&self, witness: &str) -> String {
        self.tell(&[
            "witness",
            "request",
            "deed-",
            "--witness",
            witness,
            "--to",
            "out",
        ])
        .is(0, &[witness]);
        let mut files: Vec<String> = std::fs::read_dir(self.path.join("out"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(&format!(".{witness}.add-checkpoint")))
            .collect();
        files.sort_by_key(|name| {
            std::fs::metadata(self.path.join("out").join(name))
                .unwrap()
                .modified()
                .unwrap()
        });
        format!("out/{}", files.pop().unwrap())
    }

    /// Asks a witness, has it sign, and takes the answer in.
    fn witnessed_by(&self, witness: &str) {
        let file = self.request(witness);
        let key = format!("keys/{witness}.key");
        self.tell(&[
            "witness",
            "sign",
            &file,
            "--key",
            &key,
            "--log",
            &self.minuted(),
        ])
        .is(0, &["goes on from all that this witness saw before"]);
        let answer = file.replace(".add-checkpoint", ".cosignature");
        self.tell(&["witness", "add", "deed-", &answer])
            .is(0, &[witness]);
    }

    fn run_folder(&self) -> PathBuf {
        let runs = std::fs::read_dir(self.path.join(".handover")).unwrap();
        let mut folders = runs.map(|run| run.unwrap().path());
        folders.find(|path| path.join("log.key").exists()).unwrap()
    }

    fn journal_files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let files = std::fs::read_dir(self.path.join(".handover")).unwrap();
        files
            .map(|file| file.unwrap().path())
            .filter(|path| path.is_file())
            .map(|path| (path.clone(), std::fs::read(path).unwrap()))
            .collect()
    }

    fn put_back(&self, files: &[(PathBuf, Vec<u8>)]) {
        for (path, _) in self.journal_files() {
            std::fs::remove_file(path).unwrap();
        }
        for (path, bytes) in files {
            std::fs::write(path, bytes).unwrap();
        }
    }

    fn journal(&self) -> Connection {
        Connection::open(self.path.join(".handover/journal.db")).unwrap()
    }
}

#[test]
fn a_plan_that_wants_witnesses_does_not_begin_without_a_minuted_key() {
    let project = Project::new(true);
    project
        .tell(&["run", ".", "--signed", "deed.preview"])
        .is(5, &["HO615", "handover key new"]);
    let said = project.tell(&["key", "new", "."]);
    said.is(
        0,
        &[
            "For the minute that approves the plan, word for word",
            "deed/",
        ],
    );
    let vkey = project.minuted();
    assert!(said.text.contains(&vkey));
    project.tell(&["key", "new", "."]).is(2, &["HO614"]);
    assert_eq!(project.minuted(), vkey, "a key is never written over");

    project
        .tell(&["run", ".", "--signed", "deed.preview"])
        .is(4, &[]);
    assert_eq!(
        project.minuted(),
        vkey,
        "the run is sealed by the minuted key"
    );
    let origin = vkey.split('+').next().unwrap();
    let folder = project.run_folder();
    assert!(origin.ends_with(folder.file_name().unwrap().to_str().unwrap()));
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_a_key() {
    use std::os::unix::fs::PermissionsExt;
    let project = Project::new(true);
    project.tell(&["key", "new", "."]).is(0, &[]);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&project.run_folder().join("log.key")), 0o600);
    assert_eq!(mode(&project.path.join("keys/audit.key")), 0o600);
}

#[test]
fn a_run_without_a_key_says_so_from_its_beginning_on() {
    let project = Project::new(false);
    project
        .tell(&["run", ".", "--signed", "deed.preview"])
        .is(4, &["has no key", "nobody will be able to prove"]);
    project.tell(&["status"]).is(0, &["this log has no key"]);
    project
        .tell(&["witness", "request", "deed-"])
        .is(2, &["HO617", "names no witness"]);
}

#[test]
fn what_cannot_be_undone_waits_until_the_quorum_has_signed_by_file() {
    let project = Project::waiting();
    let status = project.tell(&["status"]);
    status.is(
        0,
        &[
            "audit and one of (council, almo) to sign a seal",
            "handover witness request",
        ],
    );
    project.witnessed_by("council");
    project.witnessed_by("almo");
    project
        .tell(&["run", "deed-"])
        .is(4, &["audit and one of (council, almo)"]);
    project.witnessed_by("audit");
    project.tell(&["run", "deed-"]).is(4, &[]);
    // Three seals were each signed by one: no seal has its quorum yet.
    project.witnessed_by_both();
    project.tell(&["run", "deed-"]).is(0, &[]);
    project
        .tell(&["status"])
        .is(0, &["entries signed by audit and one of (council, almo)"]);
}

impl Project {
    /// Council and audit sign one seal.
    fn witnessed_by_both(&self) {
        let log = self.minuted();
        let files = ["council", "audit"].map(|name| (name, self.request(name)));
        for (name, file) in &files {
            let key = format!("keys/{name}.key");
            self.tell(&["witness", "sign", file, "--key", &key, "--log", &log])
                .is(0, &[]);
        }
        for (_, file) in files {
            let answer = file.replace(".add-checkpoint", ".cosignature");
            self.tell(&["witness", "add", "deed-", &answer]).is(0, &[]);
        }
    }
}

#[test]
fn a_witness_signs_only_logs_that_it_was_told_of_and_only_one_past() {
    let project = Project::waiting();
    let file = project.request("audit");
    let sign = |file: &str| project.tell(&["witness", "sign", file, "--key", "keys/audit.key"]);
    sign(&file).is(2, &["HO616", "does not know", "--log"]);
    let log = project.minuted();
    project
        .tell(&[
            "witness",
            "sign",
            &file,
            "--key",
            "keys/audit.key",
            "--log",
            &log,
        ])
        .is(0, &[]);
    // The same file again is the same log: signed again, and nothing is lost.
    sign(&file).is(0, &[]);

    let path = project.path.join(&file);
    let text = std::fs::read_to_string(&path).unwrap();
    let origin = log.split('+').next().unwrap();
    let forged = text.replace(&format!("{origin}\n"), &format!("{origin}\n1"));
    std::fs::write(&path, forged).unwrap();
    sign(&file).is(6, &["HO616", "nothing was signed"]);
    std::fs::write(&path, "minutes of a meeting\n").unwrap();
    sign(&file).is(2, &["HO616"]);
}

#[test]
fn an_answer_of_a_stranger_or_to_another_seal_is_not_taken_in() {
    let project = Project::waiting();
    let other = Project::waiting();
    let file = other.request("audit");
    std::fs::copy(
        other.path.join(&file),
        project.path.join("theirs.add-checkpoint"),
    )
    .unwrap();
    project
        .tell(&[
            "witness",
            "sign",
            "theirs.add-checkpoint",
            "--key",
            "keys/audit.key",
            "--log",
            &other.minuted(),
        ])
        .is(0, &[]);
    project
        .tell(&["witness", "add", "deed-", "theirs.cosignature"])
        .is(2, &["HO617", "no cosignature by `audit`"]);
    project
        .tell(&[
            "key",
            "new",
            "--witness",
            "friend.example",
            "--to",
            "keys/friend.key",
        ])
        .is(0, &[]);
    let mine = project.request("audit");
    let log = project.minuted();
    project
        .tell(&[
            "witness",
            "sign",
            &mine,
            "--key",
            "keys/friend.key",
            "--log",
            &log,
        ])
        .is(0, &[]);
    let answer = mine.replace(".add-checkpoint", ".cosignature");
    project
        .tell(&["witness", "add", "deed-", &answer])
        .is(2, &["HO617", "names no witness"]);
}

#[test]
fn a_journal_put_back_from_an_older_copy_is_never_signed_over() {
    let project = Project::begun();
    let yesterday = project.journal_files();
    project
        .tell(&[
            "approve", "deed-", "advise", "--as", "client", "--reason", "done",
        ])
        .is(0, &[]);
    project.put_back(&yesterday);
    for command in [
        &["run", "deed-"][..],
        &["status"],
        &[
            "approve", "deed-", "advise", "--as", "client", "--reason", "x",
        ],
    ] {
        project
            .tell(command)
            .is(6, &["HO612", "put back from an older copy"]);
    }
}

#[test]
fn another_past_of_the_same_length_is_never_signed() {
    let project = Project::begun();
    let folder = project.run_folder();
    let signed = std::fs::read_to_string(folder.join("signed")).unwrap();
    let mut lines: Vec<&str> = signed.lines().collect();
    lines[2] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    std::fs::write(folder.join("signed"), format!("{}\n", lines.join("\n"))).unwrap();
    project
        .tell(&["run", "deed-"])
        .is(6, &["HO612", "are not those that were sealed"]);
}

#[test]
fn without_its_key_or_what_it_signed_last_a_sealed_run_does_not_go_on() {
    let project = Project::begun();
    let folder = project.run_folder();
    let approve = [
        "approve", "deed-", "advise", "--as", "client", "--reason", "done",
    ];
    for name in ["log.key", "signed"] {
        let away = project.path.join(name);
        std::fs::rename(folder.join(name), &away).unwrap();
        project.tell(&approve).is(10, &["HO613", name]);
        std::fs::rename(&away, folder.join(name)).unwrap();
    }
    project.tell(&approve).is(0, &[]);
}

#[cfg(debug_assertions)]
#[test]
fn a_kill_between_signing_and_storing_forks_nothing() {
    let project = Project::new(true);
    project.tell(&["key", "new", "."]).is(0, &[]);
    let killed = |arguments: &[&str]| {
        let mut command = project.command(arguments);
        let ended = command.env("HANDOVER_KILL", "signing:1").output().unwrap();
        assert_eq!(ended.status.code(), None, "{ended:?}");
    };
    killed(&["run", ".", "--signed", "deed.preview"]);
    project
        .tell(&["run", ".", "--signed", "deed.preview"])
        .is(4, &[]);
    killed(&[
        "approve", "deed-", "advise", "--as", "client", "--reason", "done",
    ]);
    project.tell(&["run", "deed-"]).is(4, &[]);
    let journal = project.journal();
    let count = |sql: &str| {
        journal
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    assert_eq!(count("SELECT count(*) FROM run"), 1);
    let newest = count("SELECT max(size) FROM seal");
    assert_eq!(newest, count("SELECT size FROM run"), "sealed to its end");
    let signed = std::fs::read_to_string(project.run_folder().join("signed")).unwrap();
    assert_eq!(signed.lines().nth(1), Some(newest.to_string().as_str()));
}

#[test]
fn every_step_that_ends_and_every_claim_is_sealed() {
    let project = Project::waiting();
    let journal = project.journal();
    let mut lines = journal
        .prepare("SELECT seq, line FROM entry ORDER BY seq")
        .unwrap();
    let mut seals = journal
        .prepare("SELECT size FROM seal ORDER BY size")
        .unwrap();
    let sealed: Vec<i64> = seals
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let rows = lines
        .query_map([], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
        })
        .unwrap();
    let mut wanted = 0;
    for row in rows {
        let (seq, line) = row.unwrap();
        let line = String::from_utf8(line).unwrap();
        let ends = ["step.committed", "hold.begun", "lease.released"];
        if ends
            .iter()
            .any(|name| line.contains(&format!("\"type\":\"{name}\"")))
        {
            assert!(sealed.contains(&(seq + 1)), "no seal after {line}");
            wanted += 1;
        }
    }
    assert!(wanted >= 5, "{wanted}");
}

#[test]
fn a_day_of_driving_without_a_seal_is_ended_by_a_heartbeat() {
    let project = Project::waiting();
    project
        .journal()
        .execute_batch(
            "DROP TRIGGER seal_is_not_changed;
             UPDATE seal SET at = '2020-01-01T00:00:00.000Z';",
        )
        .unwrap();
    let beats = |project: &Project| -> i64 {
        let beat = "SELECT count(*) FROM entry WHERE CAST(line AS TEXT) LIKE '%\"type\":\"seal.heartbeat\"%'";
        project
            .journal()
            .query_row(beat, [], |row| row.get(0))
            .unwrap()
    };
    assert_eq!(beats(&project), 0);
    project.witnessed_by_both();
    // The claim that takes the cosignature in seals anew; made old again, the drive itself finds it.
    project
        .journal()
        .execute_batch("UPDATE seal SET at = '2020-01-01T00:00:00.000Z';")
        .unwrap();
    project.tell(&["run", "deed-"]).is(0, &[]);
    assert_eq!(beats(&project), 1);
}

#[test]
fn a_witness_who_signed_twice_after_a_lost_mail_is_taken_at_their_first_word() {
    let project = Project::waiting();
    let file = project.request("audit");
    let log = project.minuted();
    let answer = project
        .path
        .join(file.replace(".add-checkpoint", ".cosignature"));
    let sign = [
        "witness",
        "sign",
        &file,
        "--key",
        "keys/audit.key",
        "--log",
        &log,
    ];
    let mut both = Vec::new();
    for _ in 0..2 {
        project.tell(&sign).is(0, &[]);
        both.extend(std::fs::read(&answer).unwrap());
        std::fs::remove_file(&answer).unwrap();
    }
    std::fs::write(project.path.join("both.cosignature"), both).unwrap();
    let add = ["witness", "add", "deed-", "both.cosignature"];
    project.tell(&add).is(0, &["audit"]);
    project.tell(&add).is(0, &["audit"]);
    project
        .tell(&["export", "deed-", "--as", "log", "--to", "log"])
        .is(0, &[]);
    let log = std::fs::read_to_string(project.path.join("log/steps.jsonl")).unwrap();
    assert_eq!(log.matches("seal.cosigned").count(), 1, "{log}");
}

#[test]
fn two_answers_of_one_witness_whose_times_cross_are_not_taken_in_together() {
    let project = Project::waiting();
    project
        .tell(&["export", "deed-", "--as", "log", "--to", "log"])
        .is(0, &[]);
    let mut seals: Vec<PathBuf> = std::fs::read_dir(project.path.join("log/checkpoints"))
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    seals.sort();
    let head = |file: &PathBuf| Seal::parse(&std::fs::read(file).unwrap()).unwrap().head;
    let (first, last) = (head(&seals[0]), head(seals.last().unwrap()));
    assert!(first.size < last.size);
    let key = load_witness_key(&project.path.join("keys/audit.key")).unwrap();
    let now = u64::try_from(Clock::real().now().moment().as_second()).unwrap();
    let answer = |heads: [(&Head, u64); 2]| {
        let lines = heads.map(|(head, time)| key.cosign(head, time).line.to_string());
        std::fs::write(project.path.join("both"), lines.concat()).unwrap();
        project.tell(&["witness", "add", "deed-", "both"])
    };
    for crossed in [
        [(&first, now), (&last, now - 60)],
        [(&last, now - 60), (&first, now)],
    ] {
        answer(crossed).is(2, &["HO617"]);
    }
    answer([(&last, now), (&first, now)]).is(0, &["audit"]);
    let said = project.tell(&["verify", "deed-"]);
    assert!(!said.text.contains("TIME_ORDER"), "{}", said.text);
}
