//! Packs that were made once and are kept for ever (`tests/golden`): whatever a later version does otherwise, it
//! verifies them as auditors will, with what they noted down, and finds every bit that was changed.
//!
//! Not here: attacks on packs of today (`packs`, `bits`, `story`).

use std::fs;
use std::path::{Path, PathBuf};

use handover::plan::digest::Digest;

use super::attack::{Pack, payload, trusted, verify};
use super::good::{good, tell};
use crate::export::stage::{copied, ended, files, handover};

/// Every pack that is kept, of every version.
fn kept() -> Vec<PathBuf> {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let folders = |above: &Path| {
        let found = fs::read_dir(above).unwrap().map(|one| one.unwrap().path());
        let mut found: Vec<PathBuf> = found.filter(|path| path.is_dir()).collect();
        found.sort();
        found
    };
    folders(&golden)
        .iter()
        .flat_map(|version| folders(version))
        .collect()
}

/// What was noted down when a pack was made.
fn noted(of: &Path) -> Vec<String> {
    let file = |name: &str| of.join("trust").join(name).display().to_string();
    let manifest = fs::read_to_string(of.join("trust/manifest")).unwrap();
    let noted = [
        ("--key", file("log.vkey")),
        ("--policy", file("tlog-policy")),
        ("--signers", file("allowed_signers")),
        ("--noted", manifest.trim().to_owned()),
    ];
    noted
        .into_iter()
        .flat_map(|(flag, what)| [flag.to_owned(), what])
        .collect()
}

#[test]
fn packs_of_every_version_are_verified_for_ever() {
    assert!(!kept().is_empty());
    for of in kept() {
        verify(&of.join("pack"), &noted(&of)).is(0, &[]);
        let proof = of.join("one/22.tlog-proof");
        if proof.exists() {
            let shown = proof.display().to_string();
            let (code, text) = ended(handover(&of, &["verify", &shown]).args(&noted(&of)[..4]));
            assert_eq!(code, 0, "{text}");
        }
    }
}

#[test]
fn a_bit_that_was_changed_in_a_pack_of_any_version_is_found() {
    for of in kept() {
        let copy = copied(&of);
        let evidence = noted(copy.path());
        let all = files(&copy.path().join("pack"));
        let some = all.iter().filter(|(_, bytes)| !bytes.is_empty());
        for (path, whole) in some.step_by(all.len() / 16 + 1) {
            let place = copy.path().join("pack").join(path);
            let mut bytes = whole.clone();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(&place, &bytes).unwrap();
            let found = verify(&copy.path().join("pack"), &evidence);
            assert_eq!(found.code, 6, "{path}: {}", found.said);
            fs::write(&place, whole).unwrap();
        }
    }
}

#[test]
fn what_another_version_derived_holds_as_it_was_noted_down_and_is_never_taken_on_its_own_word() {
    let mut files = payload(&good().pack());
    files
        .get_mut("exports/events.csv")
        .unwrap()
        .extend_from_slice(b"later,,,,,\n");
    files.insert("exports/later.parquet".to_owned(), b"later".to_vec());
    let later = [("Handover-Edition", "0".to_owned())];
    let pack = Pack::told_by(&files, &later);
    let found = pack.verified();
    found.is(10, &["OTHER_VERSION"]);
    for layer in [
        "record",
        "trust",
        "seals",
        "witnesses",
        "replay",
        "approvals",
    ] {
        let holds = found
            .claims
            .iter()
            .any(|(name, outcome)| name == layer && outcome == "pass");
        assert!(holds, "{layer}: {}", found.said);
    }
    let manifest = fs::read(pack.root.join("manifest-sha256.txt")).unwrap();
    let mut evidence = trusted();
    evidence.extend(["--noted".to_owned(), Digest::of(&manifest).to_string()]);
    let found = verify(&pack.root, &evidence);
    found.is(0, &[]);
    assert!(
        found.said.contains("as they were noted down"),
        "{}",
        found.said
    );
    // The same of what is said to be of this version is a forgery, noted down or not.
    let ours = Pack::bagged(&files);
    let manifest = fs::read(ours.root.join("manifest-sha256.txt")).unwrap();
    let mut evidence = trusted();
    evidence.extend(["--noted".to_owned(), Digest::of(&manifest).to_string()]);
    verify(&ours.root, &evidence).is(6, &["EXPORT_DRIFT"]);
}

/// Not a test of its own: how a pack is made that is to be kept, once for each version, where
/// `HANDOVER_GOLDEN` says. What stands there already is never made again.
#[test]
fn packs_are_made_when_asked() {
    let Some(place) = std::env::var_os("HANDOVER_GOLDEN").map(PathBuf::from) else {
        return;
    };
    assert!(!place.exists(), "what is kept is never made again");
    let homes = place.join("homes");
    keep(&good().closed(), &good().pack(), &homes);
    tell(
        &good().closed(),
        &format!("export . --entry 22 --to {}", homes.join("one").display()),
        0,
    );
}

/// Keeps a pack, and beside it what would be noted down outside.
fn keep(plan: &Path, pack: &Path, to: &Path) {
    for (path, bytes) in files(pack) {
        let file = to.join("pack").join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
    let trust = to.join("trust");
    fs::create_dir_all(&trust).unwrap();
    for name in ["log.vkey", "tlog-policy", "allowed_signers"] {
        fs::copy(pack.join("data/policy").join(name), trust.join(name)).unwrap();
    }
    let shown = tell(plan, "--json key show .", 0);
    let key = fs::read_to_string(trust.join("log.vkey")).unwrap();
    assert!(shown.contains(key.trim()), "{shown}");
    let manifest = fs::read(pack.join("manifest-sha256.txt")).unwrap();
    fs::write(
        trust.join("manifest"),
        format!("{}\n", Digest::of(&manifest)),
    )
    .unwrap();
}
