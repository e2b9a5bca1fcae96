//! A good run: twelve homes go from an ALMO to a council, a copy is checked, two people sign a gate with
//! their own keys, witnesses sign the seal, and a deed that cannot be undone is sealed. Made once by the
//! real binary, each step as people would take it, with a real clock.
//!
//! Not here: what is done to it (`attack`).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use rusqlite::Connection;
use tempfile::TempDir;

use crate::export::stage::{copied, ended, handover};

const PLAN: &str = include_str!("good/plan.toml");
const MAP: &str = include_str!("good/homes.toml");
const PEOPLE: &str = include_str!("good/people.toml");
const ALMO: &str = include_str!("good/almo.sql");
const COUNCIL: &str = include_str!("good/council.sql");

/// Who may sign seals, by their names in the plan.
pub(super) const WITNESSES: [&str; 3] = ["audit", "almo", "council"];
/// Who signs decisions.
pub(super) const SIGNERS: [&str; 2] = ["p02", "p03"];

/// The run, before it was closed and after.
pub(super) struct Good {
    above: TempDir,
    /// The log's key, as the minute has it.
    pub(super) minuted: String,
}

impl Good {
    /// The plan folder of the run that is not closed: its ledgers stand in the databases.
    pub(super) fn open(&self) -> PathBuf {
        self.above.path().join("open")
    }

    /// The plan folder of the closed run.
    pub(super) fn closed(&self) -> PathBuf {
        self.above.path().join("closed")
    }

    /// The pack of the closed run.
    pub(super) fn pack(&self) -> PathBuf {
        self.above.path().join("pack")
    }

    /// The folder with what an auditor has from elsewhere.
    pub(super) fn trust(&self) -> PathBuf {
        self.above.path().join("trust")
    }

    /// The run's own folder, with its keys.
    pub(super) fn run_folder(&self) -> PathBuf {
        let runs = fs::read_dir(self.closed().join(".handover")).unwrap();
        let mut folders = runs.map(|run| run.unwrap().path());
        folders.find(|path| path.join("log.key").exists()).unwrap()
    }

    /// A copy of the plan folder whose run is not closed, with databases of its own.
    pub(super) fn live(&self) -> TempDir {
        copied(&self.open())
    }
}

/// The one good run of this binary.
pub(super) fn good() -> &'static Good {
    static GOOD: OnceLock<Good> = OnceLock::new();
    GOOD.get_or_init(|| {
        let above = TempDir::new().unwrap();
        let minuted = run(&above.path().join("homes"));
        let good = Good { above, minuted };
        let open = copied(&good.above.path().join("homes")).keep();
        fs::rename(open, good.open()).unwrap();
        fs::rename(good.above.path().join("homes"), good.closed()).unwrap();
        let tell = |command: &str| tell(&good.closed(), command, 0);
        tell("close . --to log --confirm homes");
        witnessed(&good.closed(), &good.minuted);
        tell("export . --as pack --to ../pack");
        fs::create_dir(good.trust()).unwrap();
        fs::write(good.trust().join("log.vkey"), format!("{}\n", good.minuted)).unwrap();
        for name in ["allowed_signers", "tlog-policy"] {
            let from = good.pack().join("data/policy").join(name);
            fs::copy(from, good.trust().join(name)).unwrap();
        }
        good
    })
}

/// Carries the plan out in a new folder; the log's key.
pub(super) fn run(folder: &Path) -> String {
    begin(folder);
    let tell = |command: &str, code| tell(folder, command, code);
    tell(
        "approve homes- inform --as lead --reason told --evidence notice.txt",
        0,
    );
    tell("run homes-", 4);
    tell(
        "approve homes- go --as lead --reason sound --key keys/p02",
        0,
    );
    tell(
        "approve homes- go --as s151 --reason sound --key keys/p03",
        0,
    );
    tell("run homes-", 4);
    tell("approve homes- deed --as lead --reason sealed", 0);
    tell("run homes-", 4);
    let minuted = minuted(folder);
    witnessed(folder, &minuted);
    tell("run homes-", 0);
    witnessed(folder, &minuted);
    minuted
}

/// The papers, the keys, the databases, and a run that waits for its first decision.
pub(super) fn begin(folder: &Path) {
    papers(folder);
    let tell = |command: &str, code| tell(folder, command, code);
    tell("key new .", 0);
    tell("preview . --out homes.preview", 0);
    tell(
        "approve homes.preview --as lead --reason read --key keys/p02",
        0,
    );
    tell("run . --signed homes.preview", 4);
}

fn papers(folder: &Path) {
    fs::create_dir_all(folder.join("maps")).unwrap();
    fs::create_dir_all(folder.join("keys")).unwrap();
    let mut plan = PLAN.to_owned();
    for name in WITNESSES {
        let key = format!("keys/{name}.key");
        tell(
            folder,
            &format!("key new --witness {name}.example --to {key}"),
            0,
        );
        let shown = tell(folder, &format!("--json key show --witness {key}"), 0);
        plan.extend([name, " = \"", &verifier_key(&shown), "\"\n"]);
    }
    let mut people = PEOPLE.to_owned();
    for person in SIGNERS {
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", person])
            .current_dir(folder.join("keys"))
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let public = fs::read_to_string(folder.join(format!("keys/{person}.pub"))).unwrap();
        people = people.replace(&format!("KEY OF {person}"), public.trim());
    }
    fs::write(folder.join("plan.toml"), plan).unwrap();
    fs::write(folder.join("people.toml"), people).unwrap();
    fs::write(folder.join("maps/homes.toml"), MAP).unwrap();
    fs::write(
        folder.join("notice.txt"),
        "Read out at the tenants' meeting.\n",
    )
    .unwrap();
    fs::write(
        folder.join(".env"),
        "ALMO_DB=sqlite:almo.db\nCOUNCIL_DB=sqlite:council.db\n",
    )
    .unwrap();
    for (name, sql) in [("almo.db", ALMO), ("council.db", COUNCIL)] {
        let file = Connection::open(folder.join(name)).unwrap();
        file.execute_batch(sql).unwrap();
    }
}

/// Audit and the council sign the newest seal.
pub(super) fn witnessed(folder: &Path, minuted: &str) {
    let _ = fs::remove_dir_all(folder.join("out"));
    for name in ["audit", "council"] {
        tell(
            folder,
            &format!("witness request homes- --witness {name} --to out"),
            0,
        );
    }
    let requests: Vec<PathBuf> = fs::read_dir(folder.join("out"))
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    for request in requests {
        let name = ["audit", "council"]
            .into_iter()
            .find(|name| request.to_string_lossy().contains(&format!(".{name}.")))
            .unwrap();
        let file = request.display();
        tell(
            folder,
            &format!("witness sign {file} --key keys/{name}.key --log {minuted}"),
            0,
        );
        let answer = request.with_extension("cosignature");
        tell(
            folder,
            &format!("witness add homes- {}", answer.display()),
            0,
        );
    }
}

fn minuted(folder: &Path) -> String {
    verifier_key(&tell(folder, "--json key show homes-", 0))
}

fn verifier_key(json: &str) -> String {
    let shown: serde_json::Value = serde_json::from_str(json).unwrap();
    shown["verifier_key"].as_str().unwrap().to_owned()
}

/// A command in a plan folder, which must end so; what it printed.
#[track_caller]
pub(super) fn tell(folder: &Path, command: &str, wanted: i32) -> String {
    let arguments: Vec<&str> = command.split(' ').collect();
    let (code, said) = ended(&mut handover(folder, &arguments));
    assert_eq!(code, wanted, "{command}:\n{said}");
    said
}
