//! The five plan folders that come with Handover: each is sound, and says what its transfer was.

use std::path::Path;

use handover::plan::model::Plan;
use handover::plan::outline::{Gate, StepId, Undo};
use handover::plan::papers::{Papers, folder_of, name_of};
use handover::plan::read;
use handover::report::faults::drawn;

/// A shipped plan; its faults, drawn, where it has any.
pub(crate) fn shipped(name: &str) -> Plan {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("plans")
        .join(name);
    let papers = Papers::open(&folder).expect("the folder can be read");
    let plan = read(name, papers).unwrap_or_else(|faults| panic!("{}", drawn(&faults, false)));
    assert!(plan.warnings.is_empty(), "{}", drawn(&plan.warnings, false));
    plan
}

#[test]
fn east_kent_2020_is_one_almo_split_between_four_councils() {
    let plan = shipped("east-kent-2020");
    assert_eq!(plan.steps.len(), 31);
    assert_eq!(plan.outline.steps.len(), plan.steps.len());
    assert_eq!(plan.signed_by.len(), 8);
    let id = StepId::from("copy-homes/dover");
    let copy = &plan.outline.steps[plan.outline.index[&id]];
    assert_eq!(copy.after, [StepId::from("freeze")]);
    let verify = &plan.outline.steps[plan.outline.index[&StepId::from("reconcile/dover")]];
    assert_eq!(verify.after, [id]);
    let switch = &plan.outline.steps[plan.outline.index[&StepId::from("switch")]];
    assert_eq!(switch.undo, Undo::Cannot);
    let go = &plan.outline.steps[plan.outline.index[&StepId::from("go-no-go")]];
    assert!(matches!(&go.gate, Gate::Decisions(seats) if seats.len() == 8));
    assert_eq!(
        plan.org_name("folkestone-hythe"),
        "Folkestone & Hythe District Council"
    );
}

#[test]
fn east_kent_2011_is_four_councils_into_one_almo() {
    let plan = shipped("east-kent-2011");
    assert_eq!((plan.sources.len(), plan.targets.len()), (4, 1));
    assert_eq!(
        plan.org_name("folkestone-hythe"),
        "Shepway District Council"
    );
}

#[test]
fn northampton_2015_and_westminster_2019_are_one_to_one() {
    for (name, day) in [
        ("northampton-2015", "2015-01-05"),
        ("westminster-2019", "2019-04-01"),
    ] {
        let plan = shipped(name);
        assert_eq!((plan.sources.len(), plan.targets.len()), (1, 1));
        let local = plan.handover.to_zoned(plan.timezone.clone());
        assert_eq!(local.date().to_string(), day);
    }
}

#[test]
fn renewal_2024_moves_no_data() {
    let plan = shipped("renewal-2024");
    assert!(plan.sources.is_empty() && plan.targets.is_empty() && plan.maps.is_empty());
    assert!(
        plan.outline
            .steps
            .iter()
            .all(|step| step.subjects.is_empty())
    );
}

#[test]
fn a_person_may_name_the_folder_or_the_plan_in_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans/renewal-2024");
    let file = folder.join("plan.toml");
    assert_eq!(folder_of(&file), folder);
    assert_eq!(name_of(&file), "renewal-2024");
    assert_eq!(name_of(&folder), "renewal-2024");
    assert!(Papers::open(&file).is_ok());
}

#[test]
fn names_of_people_never_enter_the_paper() {
    let plan = shipped("east-kent-2020");
    let kept = plan.papers.kept();
    let people = String::from_utf8(kept["people.toml"].to_vec()).expect("text");
    assert!(!people.contains("Marsham"));
    assert!(people.contains("[p12]\norg = \"thanet\"\nroles = [\"housing\"]\n"));
    // What a journal keeps reads back as the same plan, with the same fingerprint.
    let mut papers = Papers::default();
    for (path, bytes) in &kept {
        papers.put(path.clone(), bytes.to_vec());
    }
    let again = read("east-kent-2020", papers).expect("sound");
    assert_eq!(again.fingerprint(), plan.fingerprint());
    assert_eq!(again.outline, plan.outline);
    assert!(again.people.iter().all(|person| person.name.is_empty()));
}

#[test]
fn a_new_name_keeps_every_signature_and_a_new_role_lapses_them() {
    let plan = shipped("renewal-2024");
    let text = plan.papers.text("people.toml").expect("there");
    let changed = |from: &str, to: &str| {
        let mut papers = plan.papers.clone();
        papers.put("people.toml".into(), text.replace(from, to).into_bytes());
        papers.fingerprint()
    };
    assert_eq!(
        changed("Montgomery Sachs", "Montgomery Sachs-Hale"),
        plan.fingerprint()
    );
    assert_ne!(
        changed("\"chair\"", "\"chair\", \"s151\""),
        plan.fingerprint()
    );
}
