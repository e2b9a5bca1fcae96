//! A sealed pack: the commands of its page are run with `python3`, `openssl` and `ssh-keygen`, the tree is
//! read from its tiles, one entry is handed out by itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use handover::export::disclose::{NotDisclosed, disclose};
use handover::export::pack::{self, Beside, Pack, Signed};
use handover::export::{bag::Bag, stamp};
use handover::journal::LogFolder;
use handover::machine::event::Event;
use handover::machine::line;
use handover::plan::digest::Digest;
use handover::seal::tree::{leaf_hash, root_of_hashes};
use handover::seal::{LogKey, Seal, TlogProof, Tree};
use tempfile::TempDir;

use super::super::authority::reply;
use super::pages::{commands, follow};
use crate::export::stage::{copied, ended, files, handover, said, told};

/// A pack of the told story with seals, a stamp and a signed decision that its run did not have.
struct Sealed {
    _above: TempDir,
    root: PathBuf,
    log: LogFolder,
    key: LogKey,
    seals: Vec<Seal>,
}

fn sealed() -> &'static Sealed {
    static SEALED: OnceLock<Sealed> = OnceLock::new();
    SEALED.get_or_init(|| {
        let above = TempDir::new().unwrap();
        let log = Pack::open(&told().pack).unwrap().log();
        let lines: Vec<Vec<u8>> = log.lines().unwrap().collect::<Result<_, _>>().unwrap();
        let Event::LogOpened(opened) = line::parse(&lines[0]).unwrap().event else {
            panic!("a log begins with `log.opened`");
        };
        let key = LogKey::new(&opened.origin, &[7; 32]).unwrap();
        let (mut tree, mut seals) = (Tree::default(), Vec::new());
        for line in &lines {
            tree.add(line);
            if [1, 2, 255, 256, 300].contains(&tree.size()) {
                seals.push(key.seal(tree.size(), tree.root()));
            }
        }
        let mut beside = Beside {
            seals: seals.clone(),
            ..Beside::default()
        };
        let vkey = format!("{}\n", key.vkey()).into_bytes();
        beside.files.insert("policy/log.vkey".to_owned(), vkey);
        let stamp = stamped(above.path(), &seals[4]);
        assert_eq!(stamp::Imprints::of(&seals).seal(&stamp), Some(&seals[4]));
        let place = "anchors/000000000300.aabbccdd.tsr".to_owned();
        beside.files.insert(place, stamp);
        let (signed, signers) = signed(above.path());
        beside.signed.insert(5, signed);
        let place = "policy/allowed_signers".to_owned();
        beside.files.insert(place, signers);
        let root = above.path().join("pack");
        pack::write(&root, &log, &beside).unwrap();
        Sealed {
            root,
            log,
            key,
            seals,
            _above: above,
        }
    })
}

fn shell(script: &str, folder: &Path) {
    said(
        Command::new("sh")
            .args(["-ec", script])
            .current_dir(folder)
            .env("TZ", "UTC"),
    );
}

/// A time-stamp by an authority of our own, made by openssl.
fn stamped(folder: &Path, seal: &Seal) -> Vec<u8> {
    fs::write(folder.join("sealed"), stamp::stamped(seal)).unwrap();
    reply(folder)
}

/// A statement signed by `ssh-keygen`, and the list of signers that has its key.
fn signed(folder: &Path) -> (Signed, Vec<u8>) {
    let statement =
        br#"{"decision":"approve","gate":"approval","person":"p03","role":"s151","v":1}"#;
    fs::write(folder.join("statement"), statement).unwrap();
    shell(
        "ssh-keygen -q -t ed25519 -N '' -C '' -f key
         ssh-keygen -q -Y sign -f key -n approval@handover statement
         printf 'p03 namespaces=\"approval@handover\" %s' \"$(cat key.pub)\" > signers",
        folder,
    );
    let signed = Signed {
        statement: statement.to_vec(),
        signature: fs::read(folder.join("statement.sig")).unwrap(),
    };
    (signed, fs::read(folder.join("signers")).unwrap())
}

#[test]
fn judges_follow_the_page_of_a_sealed_pack_to_its_key_its_stamp_and_its_signature() {
    let sealed = sealed();
    let pack = copied(&sealed.root);
    let authority = sealed.root.parent().unwrap().join("authority.pem");
    fs::copy(authority, pack.path().join("authority.pem")).unwrap();
    let page = fs::read_to_string(pack.path().join("data/VERIFY.md")).unwrap();
    let mut all = String::new();
    for block in commands(&page) {
        let (code, text) = follow(&block, pack.path());
        assert_eq!(code, 0, "{block}\n{text}");
        all.push_str(&text);
    }
    for wanted in [
        "0 seals with another root, 0 beyond the end of the record",
        "Signature Verified Successfully",
        "Verification: OK",
        "Good \"approval@handover\" signature for p03",
        "ANOTHER STATEMENT in entry 5",
    ] {
        assert!(all.contains(wanted), "no `{wanted}` in:\n{all}");
    }
    assert_eq!(Bag::open(&sealed.root).unwrap().check().unwrap(), []);
}

#[test]
fn judges_see_a_seal_of_another_history_and_a_signature_of_another_key() {
    let pack = copied(&sealed().root);
    let page = fs::read_to_string(pack.path().join("data/VERIFY.md")).unwrap();
    let blocks = commands(&page);
    let at = |word: &str| blocks.iter().find(|block| block.contains(word)).unwrap();
    let log = pack.path().join("data/log/steps.jsonl");
    let text = fs::read_to_string(&log).unwrap();
    fs::write(&log, text.replacen("executor", "executer", 1)).unwrap();
    let (_, said) = follow(at("hashlib"), pack.path());
    assert!(said.contains("5 seals with another root"), "{said}");
    let short: String = text.split_inclusive('\n').take(299).collect();
    fs::write(&log, short).unwrap();
    let (_, said) = follow(at("hashlib"), pack.path());
    assert!(
        said.contains("0 seals with another root, 1 beyond"),
        "{said}"
    );
    let other = LogKey::new(sealed().key.origin(), &[8; 32]).unwrap();
    let place = pack.path().join("data/policy/log.vkey");
    fs::write(place, other.vkey().to_string()).unwrap();
    let (code, said) = follow(at("pkeyutl"), pack.path());
    assert_ne!(code, 0, "{said}");
}

#[test]
fn foreign_tools_read_the_tree_and_the_lines_from_the_tiles() {
    let sealed = sealed();
    let pack = files(&sealed.root);
    let lines: Vec<Vec<u8>> = sealed
        .log
        .lines()
        .unwrap()
        .take(300)
        .map(Result::unwrap)
        .collect();
    let leaves: Vec<Digest> = lines.iter().map(|line| leaf_hash(line)).collect();
    let hashes = |path: &str| -> Vec<Digest> {
        let tile = &pack[&format!("data/log/tile/{path}")];
        let hashes = tile.chunks_exact(32);
        hashes
            .map(|hash| Digest(hash.try_into().unwrap()))
            .collect()
    };
    assert_eq!([hashes("0/000"), hashes("0/001.p/44")].concat(), leaves);
    assert_eq!(hashes("1/000.p/1"), [root_of_hashes(&leaves[..256])]);
    let bundles = [
        pack["data/log/tile/entries/000"].as_slice(),
        pack["data/log/tile/entries/001.p/44"].as_slice(),
    ];
    let mut bytes = bundles.concat();
    let mut read = Vec::new();
    while !bytes.is_empty() {
        let length = usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
        read.push(bytes[2..2 + length].to_vec());
        bytes.drain(..2 + length);
    }
    assert_eq!(read, lines);
}

#[test]
fn one_entry_is_proved_without_any_other() {
    let sealed = sealed();
    for seq in [0, 1, 254, 255, 256, 299] {
        let told = disclose(&sealed.log, &sealed.seals, seq).unwrap();
        assert_eq!(
            told.proof.check(&told.line, sealed.key.vkey()),
            Ok(()),
            "{seq}"
        );
        let mut other = told.line.clone();
        other[20] ^= 1;
        assert!(told.proof.check(&other, sealed.key.vkey()).is_err());
    }
    assert!(matches!(
        disclose(&sealed.log, &sealed.seals, 300),
        Err(NotDisclosed::Unsealed(300))
    ));
}

#[test]
fn a_stamp_over_something_else_is_no_anchor_of_this_run() {
    let above = TempDir::new().unwrap();
    let seals = &sealed().seals;
    let stamp = stamped(above.path(), &seals[0]);
    assert_eq!(stamp::Imprints::of(seals).seal(&stamp), Some(&seals[0]));
    assert_eq!(stamp::Imprints::of(&seals[1..]).seal(&stamp), None);
    assert_eq!(stamp::Imprints::of(seals).seal(&stamp[1..]), None);
    assert_eq!(stamp::Imprints::of(seals).seal(b""), None);
}

#[test]
fn a_stamp_and_an_entry_go_in_and_out_through_the_binary() {
    let plan = copied(&told().plan);
    let here = plan.path();
    let request = ["anchor", "request", ".", "--to", "sealed"];
    said(&mut handover(here, &request));
    let newest = fs::read_to_string(here.join("sealed")).unwrap();
    assert_eq!(newest.lines().count(), 5, "{newest}");
    let stamp = reply(here);
    fs::write(here.join("stamp.tsr"), stamp).unwrap();
    said(&mut handover(here, &["anchor", "add", ".", "stamp.tsr"]));
    let (code, text) = ended(&mut handover(here, &["anchor", "add", ".", "plan.toml"]));
    assert_eq!(code, 6, "{text}");
    said(&mut handover(
        here,
        &["export", ".", "--as", "pack", "--to", "stamped"],
    ));
    let stamps = here.join("stamped/data/anchors");
    assert_eq!(fs::read_dir(stamps).unwrap().count(), 1);
    let page = fs::read_to_string(here.join("stamped/data/VERIFY.md")).unwrap();
    let blocks = commands(&page);
    let block = blocks
        .iter()
        .find(|block| block.contains("openssl ts"))
        .unwrap();
    let authority = here.join("stamped/authority.pem");
    fs::copy(here.join("authority.pem"), authority).unwrap();
    let (_, text) = follow(block, &here.join("stamped"));
    assert!(text.contains("Verification: OK"), "{text}");

    said(&mut handover(
        here,
        &["export", ".", "--entry", "5", "--to", "one"],
    ));
    let line = fs::read(here.join("one/5.json")).unwrap();
    let proof = fs::read(here.join("one/5.tlog-proof")).unwrap();
    let vkey = fs::read_to_string(here.join("stamped/data/policy/log.vkey")).unwrap();
    let proof = TlogProof::parse(&proof).unwrap();
    assert_eq!(proof.check(&line, &vkey.trim().parse().unwrap()), Ok(()));
    let log = fs::read_to_string(here.join("stamped/data/log/steps.jsonl")).unwrap();
    assert_eq!(log.lines().nth(5).unwrap().as_bytes(), line);
}
