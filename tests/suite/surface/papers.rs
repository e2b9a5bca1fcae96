//! What a preview file keeps of the paper.

use handover::plan::digest::Digest;
use handover::preview::Paper;

use super::fixture::plan;

#[test]
fn no_name_of_a_person_enters_a_preview_file() {
    let mut plan = plan();
    let people = b"[p04]\nname = \"J Marsh\"\norg = \"thanet\"\nroles = [\"housing\"]\n";
    plan.papers.put("people.toml".to_owned(), people.to_vec());
    let paper = Paper::of(&plan);
    let json = serde_json::to_string(&paper).expect("json");
    assert!(!json.contains("Marsh"), "{json}");
    let kept = &paper.files["people.toml"];
    assert_eq!(kept.lines, None);
    assert_ne!(
        kept.sha256,
        Digest::of(people),
        "a digest of a name is a trace of it"
    );
}

#[test]
fn the_lines_that_people_sign_stand_in_the_file() {
    let paper = Paper::of(&plan());
    let lines = paper.files["maps/homes.toml"]
        .lines
        .as_ref()
        .expect("lines");
    assert!(lines.contains(&"DOV = \"dover\"".to_owned()));
    assert_eq!(paper.fingerprint, plan().fingerprint());
}
