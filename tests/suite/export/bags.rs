//! A bag from a stranger: whatever is done to it is told, and nothing outside of it is read.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use handover::export::bag::{Bag, BagFault, BagWriter};
use tempfile::TempDir;

fn bag(above: &TempDir) -> std::path::PathBuf {
    let root = above.path().join("bag");
    let mut bag = BagWriter::new(&root).unwrap();
    bag.put("README.txt", b"read me\n").unwrap();
    bag.put("log/steps.jsonl", b"{}\n").unwrap();
    bag.finish(&[("Bagging-Date", "2020-09-30".to_owned())])
        .unwrap();
    root
}

/// Codes of what is wrong; a bag that cannot even be opened is as well told.
fn told(root: &Path) -> Vec<&'static str> {
    let found = Bag::open(root).and_then(|bag| bag.check());
    match found {
        Ok(found) => found.into_iter().map(|one| one.code).collect(),
        Err(_) => vec!["REFUSED"],
    }
}

#[test]
fn a_whole_bag_gives_back_what_was_put_in() {
    let above = TempDir::new().unwrap();
    let bag = Bag::open(&bag(&above)).unwrap();
    assert_eq!(bag.check().unwrap(), []);
    assert_eq!(
        bag.paths().collect::<Vec<_>>(),
        ["README.txt", "log/steps.jsonl"]
    );
    assert_eq!(bag.read("README.txt", 100).unwrap().unwrap(), b"read me\n");
    assert!(matches!(
        bag.read("README.txt", 7),
        Err(BagFault::TooLarge { .. })
    ));
    assert_eq!(bag.read("bagit.txt", 100).unwrap(), None);
}

#[test]
fn no_bit_of_a_bag_can_be_flipped_in_silence() {
    let above = TempDir::new().unwrap();
    let root = bag(&above);
    for (path, whole) in super::stage::files(&root) {
        let place = root.join(&path);
        for bit in 0..whole.len() * 8 {
            // Every bit of short files; one bit of each byte of the lists, another one each time.
            if whole.len() > 100 && bit % 8 != (bit / 8) % 8 {
                continue;
            }
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            fs::write(&place, &bytes).unwrap();
            assert!(!told(&root).is_empty(), "bit {bit} of {path}");
        }
        fs::write(&place, &whole).unwrap();
        assert!(told(&root).is_empty());
    }
}

type Deed<'d> = &'d dyn Fn();

#[test]
fn a_file_that_comes_goes_or_is_a_link_is_told() {
    let above = TempDir::new().unwrap();
    let root = bag(&above);
    let data = root.join("data");
    let cases: [(&str, Deed<'_>, Deed<'_>); 5] = [
        (
            "BAG",
            &|| fs::write(data.join("more.txt"), "more").unwrap(),
            &|| fs::remove_file(data.join("more.txt")).unwrap(),
        ),
        (
            "BAG",
            &|| fs::rename(data.join("README.txt"), above.path().join("away")).unwrap(),
            &|| fs::rename(above.path().join("away"), data.join("README.txt")).unwrap(),
        ),
        (
            "PATH",
            &|| symlink("/etc/passwd", data.join("log/link")).unwrap(),
            &|| fs::remove_file(data.join("log/link")).unwrap(),
        ),
        (
            "PATH",
            &|| fs::write(data.join("log/Steps.jsonl"), "{}\n").unwrap(),
            &|| fs::remove_file(data.join("log/Steps.jsonl")).unwrap(),
        ),
        (
            "PATH",
            &|| {
                fs::write(
                    root.join("fetch.txt"),
                    "https://elsewhere.example/ 1 data/x\n",
                )
                .unwrap();
            },
            &|| fs::remove_file(root.join("fetch.txt")).unwrap(),
        ),
    ];
    for (code, ruin, mend) in cases {
        ruin();
        assert!(told(&root).contains(&code), "{code}");
        mend();
        assert!(told(&root).is_empty());
    }
}

#[test]
fn a_list_that_points_outside_the_pack_leads_nowhere() {
    let above = TempDir::new().unwrap();
    let root = bag(&above);
    fs::write(above.path().join("secret"), "secret").unwrap();
    let list = root.join("manifest-sha256.txt");
    let whole = fs::read_to_string(&list).unwrap();
    let sum = &whole[..64];
    for path in [
        "data/../../secret",
        "../secret",
        "/etc/passwd",
        "data//README.txt",
        "data/./README.txt",
        "data/C:\\x",
        "data/nul",
    ] {
        fs::write(&list, format!("{whole}{sum}  {path}\n")).unwrap();
        let bag = Bag::open(&root).unwrap();
        assert!(!bag.findings().is_empty(), "{path}");
        assert_eq!(bag.paths().count(), 2, "{path}");
        assert!(
            bag.by_digest()
                .values()
                .all(|place| place.starts_with(root.join("data")))
        );
    }
}

#[test]
fn a_bag_is_written_whole_or_not_at_all() {
    let above = TempDir::new().unwrap();
    let root = above.path().join("bag");
    let mut unfinished = BagWriter::new(&root).unwrap();
    unfinished.put("a", b"a").unwrap();
    assert!(matches!(
        unfinished.put("a", b"b"),
        Err(BagFault::Path { .. })
    ));
    assert!(matches!(
        unfinished.put("../a", b"b"),
        Err(BagFault::Path { .. })
    ));
    drop(unfinished);
    assert_eq!(fs::read_dir(above.path()).unwrap().count(), 0);
    bag(&above);
    assert!(matches!(BagWriter::new(&root), Err(BagFault::Exists(_))));
}
