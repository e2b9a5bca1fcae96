//! The reconciliation pack of whole stories, held against the generator's truth: every table's rows and
//! every money column's pence, for each target; the same log gives the same bytes; the CSV reads back.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use handover::demo::generate::Truth;
use handover::plan::digest::Digest;
use handover::plan::read_map;

fn tell(arguments: &[&str], folder: &Path) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handover"));
    let ran = command
        .arg("--plain")
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    let said = String::from_utf8([ran.stdout, ran.stderr].concat()).unwrap();
    assert!(ran.status.success(), "{arguments:?}: {said}");
    said
}

/// The story of a plan, its log and its pack, in a folder of its own.
fn played(plan: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    tell(
        &[
            "demo", "d", "--homes", "60", "--plan", plan, "--break", "none",
        ],
        folder.path(),
    );
    let demo = folder.path().join("d");
    tell(&["export", "--to", "../log-alone"], &demo);
    let said = tell(
        &["export", "--as", "reconciliation", "--to", "../pack"],
        &demo,
    );
    assert!(said.contains("Everything agrees"), "{said}");
    folder
}

type Told = BTreeMap<(String, String), i128>;

/// What the truth says of each target's tables and money columns.
fn due(folder: &Path, plan: &str) -> Told {
    let truth = fs::read_to_string(folder.join("d/data/truth.json")).unwrap();
    let truth: Truth = serde_json::from_str(&truth).unwrap();
    let path = format!("plans/{plan}/maps/homes.toml");
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&path)).unwrap();
    let map = read_map(&path, &text).unwrap_or_else(|faults| panic!("{faults:?}"));
    let mut due = Told::new();
    for (target, datasets) in &truth.targets {
        for dataset in &map.datasets {
            let Some(right) = datasets.get(&dataset.name) else {
                continue;
            };
            *due.entry((target.clone(), dataset.into.clone()))
                .or_default() += i128::from(right.copied);
            for (column, pence) in &right.pence {
                let of = format!("{}.{column}", dataset.into);
                *due.entry((target.clone(), of)).or_default() += i128::from(*pence);
            }
        }
    }
    due.retain(|_, value| *value != 0);
    due
}

/// What the CSV says stands at each target.
fn stands(folder: &Path) -> Told {
    let mut file = csv::Reader::from_path(folder.join("pack/reconciliation.csv")).unwrap();
    let mut stands = Told::new();
    for line in file.records() {
        let line = line.unwrap();
        let (target, of, part, counts) = (&line[3], &line[4], &line[5], &line[6]);
        if target.is_empty() || !part.is_empty() || &line[12] == "left behind" {
            continue;
        }
        assert_eq!((&line[7], &line[12]), (&line[8], "agrees"), "{line:?}");
        let value = match counts {
            "rows" => line[8].parse().unwrap(),
            _ => line[8].replace('.', "").parse().unwrap(),
        };
        stands.insert((target.to_owned(), of.to_owned()), value);
    }
    stands.retain(|_, value| *value != 0);
    stands
}

/// Source rows of each dataset that went somewhere, stayed for a reason, or are nobody's.
fn accounted(folder: &Path) -> u64 {
    let pack = fs::read(folder.join("pack/reconciliation.json")).unwrap();
    let pack: serde_json::Value = serde_json::from_slice(&pack).unwrap();
    let left = pack["steps"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|step| step["left"].as_array().unwrap());
    left.map(|left| left["rows"].as_u64().unwrap()).sum()
}

#[test]
fn the_pack_says_what_the_truth_says_for_two_plans() {
    for plan in ["east-kent-2020", "westminster-2019"] {
        let folder = played(plan);
        assert_eq!(stands(folder.path()), due(folder.path(), plan), "{plan}");
        assert!(accounted(folder.path()) > 0, "{plan}: reasons are told");
        let text = fs::read_to_string(folder.path().join("pack/reconciliation.txt")).unwrap();
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
        assert!(
            text.to_lowercase().contains("section 151 officer"),
            "{text}"
        );
        assert!(text.contains("approved by"), "{text}");
        assert!(!text.contains("not yet"), "{text}");
        let csv = fs::read(folder.path().join("pack/reconciliation.csv")).unwrap();
        assert!(
            text.contains(&Digest::of(&csv).short()),
            "the fingerprint is the CSV's"
        );
        tell(
            &[
                "export",
                "log-alone",
                "--as",
                "reconciliation",
                "--to",
                "again",
            ],
            folder.path(),
        );
        for name in [
            "reconciliation.txt",
            "reconciliation.json",
            "reconciliation.csv",
        ] {
            let bytes = |pack: &str| fs::read(folder.path().join(pack).join(name)).unwrap();
            assert!(bytes("pack") == bytes("again"), "{plan} {name}");
        }
    }
}
