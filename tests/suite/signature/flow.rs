//! The whole way through the real binary: keys in `people.toml`, a statement written, `ssh-keygen` signing it,
//! the decision in the log, and an auditor who checks it with `ssh-keygen` and with us.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use handover::journal::Journal;
use handover::machine::line;
use handover::machine::run::Run;
use handover::machine::state::Shelf;
use handover::plan::digest::Digest;
use handover::plan::outline::Outline;
use handover::replay::approvals::{Held, claim, roots, sizes};
use handover::replay::papers::Outlines;
use handover::signature::{Claim, check};

use super::desk::Desk;

pub(super) const PLAN: &str = r#"
[plan]
format = 1
title = "A deed between two councils"
handover = 2030-10-01T00:00:00
author = "p01"
signed-by = ["lead"]

[phase]
"Agree" = ["go", "deed"]

[org]
dover = { name = "Dover", kind = "council" }

[role]
lead = { title = "Project lead", decision = "signed" }
s151 = { title = "Section 151 officer" }

[step.go]
title = "Go or no-go"
does = "approval"
by = ["lead", "s151"]

[step.deed]
title = "Seal the deed"
does = "task"
owner = "lead"
after = ["go"]
undo = "cannot"
"#;

pub(super) struct Office {
    pub(super) desk: Desk,
    pub(super) here: PathBuf,
}

impl Office {
    /// A plan folder, and three people with keys of their own.
    pub(super) fn new() -> Office {
        let desk = Desk::new();
        let here = desk.at("deed");
        fs::create_dir(&here).unwrap();
        fs::write(here.join("plan.toml"), PLAN).unwrap();
        for key in ["p02", "p03", "stranger"] {
            desk.key(key);
        }
        let office = Office { desk, here };
        office.people(true);
        office
    }

    fn people(&self, keys: bool) {
        let key = |code: &str| {
            if keys {
                format!("key = \"{}\"", self.desk.public(code))
            } else {
                String::new()
            }
        };
        let person = |code: &str, name: &str, role: &str| {
            format!("[{code}]\nname = \"{name}\"\norg = \"dover\"\nroles = [{role}]\n")
        };
        let text = [
            person("p01", "Ada Author", ""),
            person("p02", "Lee Lead", "\"lead\"") + &key("p02") + "\n",
            person("p03", "Sam Section", "\"s151\"") + &key("p03") + "\n",
        ];
        fs::write(self.here.join("people.toml"), text.join("\n")).unwrap();
    }

    /// A command of the binary in the plan folder, which must end so and say that.
    #[track_caller]
    pub(super) fn tell(&self, command: &str, code: i32, words: &str) -> String {
        let ran = Command::new(env!("CARGO_BIN_EXE_handover"))
            .arg("--plain")
            .args(command.split(' '))
            .current_dir(&self.here)
            .output()
            .unwrap();
        let said = String::from_utf8([ran.stdout, ran.stderr].concat()).unwrap();
        assert_eq!(ran.status.code(), Some(code), "{command}:\n{said}");
        assert!(said.contains(words), "{command}: no `{words}` in\n{said}");
        said
    }

    fn sign(&self, key: &str, namespace: &str, file: &str) {
        let _ = fs::remove_file(self.here.join(format!("{file}.sig")));
        self.desk.signed(key, namespace, &format!("deed/{file}"));
    }

    /// A preview whose one signature is over a statement that was changed before it was signed; what `run`
    /// says of it.
    fn at_the_gate_of(&self, file: &str, change: &dyn Fn(&str) -> String, code: i32) -> String {
        self.tell(&format!("preview . --out {file}"), 0, "");
        self.tell(
            &format!("approve {file} --as lead --reason read --key ../p02"),
            0,
            "with their key",
        );
        let path = self.here.join(file);
        let mut preview: serde_json::Value =
            serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let signature = &mut preview["signatures"][0];
        let stated = change(signature["sshsig"]["statement"].as_str().unwrap());
        fs::write(self.here.join("s"), &stated).unwrap();
        self.sign("p02", "preview@handover", "s");
        signature["statement"] = Digest::of(stated.as_bytes()).to_string().into();
        let made = fs::read_to_string(self.here.join("s.sig")).unwrap();
        (
            signature["sshsig"]["statement"],
            signature["sshsig"]["signature"],
        ) = (stated.into(), made.into());
        fs::write(&path, serde_json::to_vec(&preview).unwrap()).unwrap();
        self.tell(&format!("run . --signed {file}"), code, "")
    }

    /// A run whose preview is signed, resting at its gate.
    pub(super) fn at_the_gate(&self) {
        self.tell("preview . --out p", 0, "");
        self.tell(
            "approve p --as lead --reason read --key ../p02",
            0,
            "with their key",
        );
        self.tell("run . --signed p", 4, "");
    }
}

#[test]
fn a_plan_that_nobody_could_sign_is_told_before_the_night() {
    let office = Office::new();
    office.tell("check . --offline", 0, "");
    office.people(false);
    let said = office.tell("check . --offline", 3, "HO211");
    assert!(
        said.contains("nobody who holds the role `s151` can sign"),
        "{said}"
    );
}

#[test]
fn a_preview_that_must_be_signed_with_a_key_runs_only_so() {
    let office = Office::new();
    office.tell("preview . --out p", 0, "");
    office.tell("approve p --as lead --reason read", 0, "Signed by p02");
    office.tell("run . --signed p", 5, "HO409");
    office.tell("preview . --out p", 0, "");
    office.tell(
        "approve p --as lead --statement s",
        0,
        "ssh-keygen -Y sign -n preview@handover",
    );
    let bring = "approve p --as lead --reason read --statement s --signature s.sig";
    office.sign("stranger", "preview@handover", "s");
    office.tell(bring, 5, "HO410");
    office.sign("p02", "approval@handover", "s");
    office.tell(bring, 5, "namespace");
    office.sign("p02", "preview@handover", "s");
    office.tell(bring, 0, "with their key");
    // A signature that somebody put into the file by hand.
    let text = fs::read_to_string(office.here.join("p")).unwrap();
    let edited = text.replace(
        "\\\"decision\\\":\\\"approve\\\"",
        "\\\"decision\\\":\\\"refuse\\\"",
    );
    assert_ne!(edited, text);
    fs::write(office.here.join("edited"), edited).unwrap();
    office.tell("run . --signed edited", 6, "edited");
    office.tell("run . --signed p", 4, "");
}

#[test]
fn a_signature_whose_time_is_over_begins_no_run_and_uses_up_no_key() {
    let office = Office::new();
    office.tell("key new", 0, "");
    office.at_the_gate_of("p", &|text| text.to_owned(), 4);
    let office = Office::new();
    office.tell("key new", 0, "");
    let long_ago = |text: &str| {
        let mut text = text.to_owned();
        for part in ["not_before", "not_after"] {
            let at = text.find(part).expect(part) + part.len() + "\":\"".len();
            text.replace_range(at..at + "2030-".len(), "2020-");
        }
        text
    };
    let said = office.at_the_gate_of("p", &long_ago, 5);
    assert!(said.contains("HO411") && said.contains("p02"), "{said}");
    office.tell("status deed", 2, "");
    office.tell("key show", 0, "deed/");
}

#[test]
fn what_was_signed_lets_one_run_begin_and_no_second() {
    let office = Office::new();
    office.at_the_gate();
    for who in ["p02", "p03"] {
        let role = if who == "p02" { "lead" } else { "s151" };
        let yes = format!("approve deed go --as {role} --reason fine --key ../{who}");
        office.tell(&yes, 0, who);
    }
    office.tell("run deed", 4, "");
    office.tell("approve deed deed --as lead --reason done", 0, "Recorded");
    office.tell("run deed", 0, "");
    office.tell("close deed --to closed --confirm deed", 0, "Closed");
    let said = office.tell("run . --signed p", 5, "HO411");
    assert!(said.contains("has let"), "{said}");
}

#[test]
fn a_gate_before_what_cannot_be_undone_opens_to_signatures_alone() {
    let office = Office::new();
    office.at_the_gate();
    office.tell("approve deed go --as s151 --reason fine", 5, "HO409");
    office.tell(
        "approve deed go --as s151 --statement s",
        0,
        "approval@handover",
    );
    let bring = "approve deed go --as s151 --reason fine --statement s --signature s.sig";
    office.tell(bring, 2, "signature");
    office.sign("p02", "approval@handover", "s");
    office.tell(bring, 5, "HO410");
    office.sign("p03", "preview@handover", "s");
    office.tell(bring, 5, "namespace");
    office.sign("p03", "approval@handover", "s");
    let other = bring.replace("s151", "lead");
    office.tell(&other, 5, "the person differs");
    office.tell(
        &bring.replace("--reason", "--refuse --reason"),
        5,
        "the decision differs",
    );
    office.tell(bring, 0, "Signed and recorded: p03 as s151 of dover");
    office.tell(bring, 5, "");
    office.tell(
        "approve deed go --as lead --reason fine --key ../p03",
        5,
        "HO410",
    );
    office.tell(
        "approve deed go --as lead --reason fine --key ../p02",
        0,
        "p02",
    );
    office.tell("run deed", 4, "");
    office.tell(
        "approve deed deed --as lead --reason done --key ../p02",
        2,
        "no decision",
    );
    office.tell("approve deed deed --as lead --reason done", 0, "Recorded");
    office.tell("run deed", 0, "");
    office.tell("export deed --as signers --to allowed_signers", 0, "");
    office.tell("export deed --as pack --to pack", 0, "");
    let packed = fs::read_dir(office.here.join("pack/data/approvals")).unwrap();
    assert_eq!(packed.count(), 6, "three statements and their signatures");
    let policy = fs::read(office.here.join("pack/data/policy/allowed_signers")).unwrap();
    assert_eq!(
        policy,
        fs::read(office.here.join("allowed_signers")).unwrap()
    );
    audited(&office);
}

/// Lines, signed decisions, files by digest, papers.
type Log = (Vec<Vec<u8>>, Vec<Claim>, BTreeMap<Digest, Vec<u8>>, Shelf);

/// The journal's log, its signed decisions and their files.
fn evidence(office: &Office) -> Log {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut journal = Journal::open(&office.here.join(".handover/journal.db"))
            .await
            .unwrap();
        let head = journal.runs().await.unwrap().pop().unwrap();
        let mut shelf = Shelf::default();
        for paper in journal.papers_of(head.id).await.unwrap() {
            let papers = journal.papers(paper).await.unwrap();
            let plan = handover::plan::read("deed", papers).unwrap();
            shelf.put(Arc::clone(&plan.outline));
        }
        let mut run = Run::new(shelf.clone());
        let (mut lines, mut claims, mut files) = (Vec::new(), Vec::new(), BTreeMap::new());
        let mut read = journal.read(head.id).await.unwrap();
        while let Some(line) = read.next().await.unwrap() {
            let entry = line::parse(&line.bytes).unwrap();
            claims.extend(claim(&run, &entry));
            run.apply(&entry).unwrap();
            lines.push(line.bytes);
        }
        for claim in &claims {
            for digest in [claim.digest, claim.signature] {
                files.insert(digest, journal.blob(digest).await.unwrap());
            }
        }
        (lines, claims, files, shelf)
    })
}

/// Years later: each signed decision of the log, with `ssh-keygen` and with us.
fn audited(office: &Office) {
    let (lines, claims, files, shelf) = evidence(office);
    assert_eq!(claims.len(), 3);
    let signers = fs::read(office.here.join("allowed_signers")).unwrap();
    office.desk.put("allowed_signers", signers);
    for claim in &claims {
        let signature = String::from_utf8(files[&claim.signature].clone()).unwrap();
        let takes = |message: &[u8]| {
            let person = &claim.statement.person;
            let namespace = claim.statement.namespace();
            office
                .desk
                .takes(person, namespace, &signature, message, &[])
        };
        assert!(takes(&files[&claim.digest]));
        assert!(!takes(&claim.statement.bytes()[1..]));
    }
    found(Kept { shelf, files }, &lines, claims);
}

/// What an auditor has beside the lines.
struct Kept {
    shelf: Shelf,
    files: BTreeMap<Digest, Vec<u8>>,
}

impl Outlines for Kept {
    fn outline(&mut self, paper: Digest) -> Option<Arc<Outline>> {
        self.shelf.outline(paper)
    }

    fn file(&self, digest: Digest) -> Option<Vec<u8>> {
        self.files.get(&digest).cloned()
    }
}

fn found(mut kept: Kept, lines: &[Vec<u8>], claims: Vec<Claim>) {
    let mut held = Held::new(&mut kept, roots(lines, &sizes(&claims)), None);
    assert_eq!(check(claims.clone(), &mut held), []);
    // A log that is honest but for one line before the signer's head is another log.
    let mut forked = lines.to_vec();
    forked[1].push(b' ');
    let mut held = Held::new(&mut kept, roots(&forked, &sizes(&claims)), None);
    let codes: Vec<_> = check(claims.clone(), &mut held)
        .into_iter()
        .map(|finding| finding.code)
        .collect();
    assert_eq!(codes, ["FORKED_APPROVAL"; 2]);
    kept.files.clear();
    let mut held = Held::new(&mut kept, BTreeMap::new(), None);
    assert!(
        check(claims, &mut held)
            .iter()
            .all(|finding| finding.missing)
    );
}

#[test]
fn a_demo_is_signed_by_its_invented_people_with_keys_of_its_own() {
    let desk = Desk::new();
    let ran = Command::new(env!("CARGO_BIN_EXE_handover"))
        .args(["--plain", "demo", "d", "--plan", "renewal-2024"])
        .current_dir(desk.path())
        .output()
        .unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let office = Office {
        here: desk.at("d"),
        desk,
    };
    let (_, claims, ..) = evidence(&office);
    assert!(!claims.is_empty());
    let key = fs::metadata(office.here.join("keys").join(&*claims[0].statement.person)).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::mode(&key.permissions());
    assert_eq!(mode & 0o077, 0, "a key that others can read");
    // No name and no comment of a key reaches the paper, the log or what is signed.
    let dump = fs::read(office.here.join(".handover/journal.db")).unwrap();
    let text = String::from_utf8_lossy(&dump);
    assert!(!text.contains("of a demo"));
}
