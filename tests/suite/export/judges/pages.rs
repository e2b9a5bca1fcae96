//! The pages of a pack are followed: every Linux command of `VERIFY.md` is run in the pack's folder, and
//! says what the page promises.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::export::stage::{copied, ended, told};

/// Each ```` ```sh ```` block of a page.
pub fn commands(page: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut rest = page;
    while let Some((_, after)) = rest.split_once("```sh\n") {
        let (block, after) = after.split_once("```").unwrap();
        blocks.push(block.to_owned());
        rest = after;
    }
    blocks
}

/// How a block ended, in the pack's folder, with the Python that has `jsonschema`.
pub fn follow(block: &str, pack: &Path) -> (i32, String) {
    let python = super::python();
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", python.parent().unwrap().display());
    let mut shell = Command::new("bash");
    shell
        .args(["-c", block])
        .current_dir(pack)
        .env("PATH", path)
        .env("TZ", "UTC");
    ended(&mut shell)
}

#[test]
fn judges_of_a_pack_follow_its_page_and_see_what_it_promises() {
    let told = told();
    let page = fs::read_to_string(told.pack.join("data/VERIFY.md")).unwrap();
    let blocks = commands(&page);
    assert!(blocks.len() >= 5, "{}", blocks.len());
    let mut all = String::new();
    for block in &blocks {
        let (code, text) = follow(block, &told.pack);
        assert_eq!(code, 0, "{block}\n{text}");
        all.push_str(&text);
    }
    for bad in ["BROKEN", "CHANGED", "FAILED", "ANOTHER", "No such file"] {
        assert!(!all.contains(bad), "{all}");
    }
    assert!(all.contains("whole\n"), "{all}");
    let shown = page.split("```text\n").skip(1);
    for expected in shown.map(|block| block.split("```").next().unwrap()) {
        for line in expected.lines() {
            assert!(all.contains(line), "no `{line}` in:\n{all}");
        }
    }
    assert!(all.contains("entries, 0 not as they should be"), "{all}");
    assert!(
        !page.contains('{') || !page.contains("{head}"),
        "something was not filled in"
    );
}

#[test]
fn judges_who_follow_the_page_see_that_a_pack_was_changed() {
    let told = told();
    let page = fs::read_to_string(told.pack.join("data/VERIFY.md")).unwrap();
    let blocks = commands(&page);
    let pack = copied(&told.pack);
    let log = pack.path().join("data/log/steps.jsonl");
    let text = fs::read_to_string(&log).unwrap();
    fs::write(&log, text.replacen("\"exit\":4", "\"exit\":0", 1)).unwrap();
    let (code, _) = follow(&blocks[0], pack.path());
    assert_ne!(code, 0, "the lists of digests");
    let (_, text) = follow(&blocks[1], pack.path());
    assert!(text.contains("BROKEN"), "the chain: {text}");
}
