//! A small East Kent by hand: one ALMO, two councils, a plan text, its people, its map. No database.

use std::collections::BTreeMap;
use std::sync::Arc;

use handover::copy::counts::Counts;
use handover::machine::event::ClockKind;
use handover::plan::digest::Digest;
use handover::plan::model::{Code, Org, OrgKind, Person, Phase, Plan, Role, Seat, Step, StepSpec};
use handover::plan::outline::{Holder, Outline, OutlineStep, StepId, Subject, Undo};
use handover::plan::papers::Papers;
use handover::preview::Preview;
use handover::preview::model::{CodeUse, FORMAT, FindingSaid, HomesSaid, PlaceSaid, StepSaid};
use handover::preview::paper::{Paper, PaperFile, PaperStep};
use handover::preview::reading::Reading;
use handover::preview::timetable::{Point, TimetableRow};
use jiff::Timestamp;

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

pub(super) fn code(text: &str) -> Code {
    text.into()
}

pub(super) fn seat(role: &str, org: Option<&str>) -> Seat {
    Seat {
        role: code(role),
        org: org.map(code),
    }
}

/// The four seats that sign: two roles in two councils.
pub(super) fn seats() -> Vec<Seat> {
    let roles = ["housing", "s151"];
    let each = roles
        .iter()
        .flat_map(|role| ["dover", "thanet"].map(|org| seat(role, Some(org))));
    each.collect()
}

pub(super) const PLAN: &str = "\
[plan]
title = \"East Kent Housing to two councils\"
author = \"p01\"

[step.copy-homes]
does = \"data-copy\"
each = \"target\"
map = \"maps/homes.toml\"

[step.switch]
does = \"switch\"
";

pub(super) const MAP: &str = "\
format = 1

# who owns a home
[owner]
DOV = \"dover\"
THA = \"thanet\"

[code.tenure.values]
SEC = \"secure\"
INT = \"introductory\"

[table.tenancy.column]
tenancy_ref = \"tag_ref\"
";

pub(super) fn papers(plan: &str, map: &str) -> Papers {
    let mut papers = Papers::default();
    papers.put("plan.toml".to_owned(), plan.as_bytes().to_vec());
    papers.put("maps/homes.toml".to_owned(), map.as_bytes().to_vec());
    papers
}

fn holder(person: &str, role: &str, org: &str) -> Holder {
    Holder {
        person: code(person),
        role: code(role),
        org: code(org),
        from: Some(at("2020-01-01T00:00:00Z")),
        to: Some(at("2021-01-01T00:00:00Z")),
        key: None,
    }
}

/// p02 and p03 sit for Dover, p04 and p05 for Thanet; p05 holds both roles there; p01 is the author.
pub(super) fn holders() -> Vec<Holder> {
    vec![
        holder("p01", "housing", "dover"),
        holder("p02", "housing", "dover"),
        holder("p03", "s151", "dover"),
        holder("p04", "housing", "thanet"),
        holder("p05", "s151", "thanet"),
        holder("p05", "housing", "thanet"),
    ]
}

/// The paper of two texts, as `Paper::of` would make it from a plan.
pub(super) fn paper(plan: &str, map: &str) -> Paper {
    let papers = papers(plan, map);
    let file = |(path, bytes): (&str, &[u8])| {
        let text = String::from_utf8_lossy(bytes);
        let file = PaperFile {
            sha256: Digest::of(bytes),
            lines: Some(text.lines().map(str::to_owned).collect()),
        };
        (path.to_owned(), file)
    };
    let copy = |org: &str| PaperStep {
        id: StepId::from(format!("copy-homes/{org}").as_str()),
        name: code("copy-homes"),
        orgs: [code(org)].into(),
        files: vec!["maps/homes.toml".to_owned()],
    };
    let switch = PaperStep {
        id: StepId::from("switch"),
        name: code("switch"),
        orgs: [code("dover"), code("thanet")].into(),
        files: Vec::new(),
    };
    Paper {
        fingerprint: papers.fingerprint(),
        plan: code("ekh-2020"),
        title: "East Kent Housing to two councils".to_owned(),
        author: code("p01"),
        files: papers.iter().map(file).collect(),
        holders: holders(),
        steps: vec![copy("dover"), copy("thanet"), switch],
    }
}

fn counts(copied: u64, rejected: u64, pence: i128) -> Counts {
    let mut counts = Counts {
        copied,
        ..Counts::default()
    };
    if rejected > 0 {
        counts
            .rejected
            .insert("HO511 tenure_code".to_owned(), rejected);
    }
    if pence != 0 {
        counts.pence.insert("balance".to_owned(), pence);
    }
    counts
}

fn copies(homes: u64, tenancies: u64, rejected: u64, pence: i128) -> BTreeMap<String, Counts> {
    BTreeMap::from([
        ("asset".to_owned(), counts(homes, 0, 0)),
        ("tenancy".to_owned(), counts(tenancies, rejected, pence)),
    ])
}

fn step(id: &str, kind: &str, title: &str, phase: &str, undo: Undo) -> StepSaid {
    let (name, org) = id
        .split_once('/')
        .map_or((id, None), |(name, org)| (name, Some(org)));
    StepSaid {
        id: StepId::from(id),
        name: code(name),
        kind: kind.to_owned(),
        title: title.to_owned(),
        phase: phase.to_owned(),
        org: org.map(code),
        after: Vec::new(),
        undo,
        seats: Vec::new(),
        line: String::new(),
        notes: Vec::new(),
        counts: BTreeMap::new(),
        unrouted: BTreeMap::new(),
    }
}

fn steps() -> Vec<StepSaid> {
    let letters = Undo::ByHand("send letters/correction.md".to_owned());
    let mut tell = step(
        "tell-tenants",
        "tenant-notification",
        "Write to every tenant",
        "Agree",
        letters,
    );
    tell.counts = BTreeMap::from([(
        code("dover"),
        BTreeMap::from([("outbox".to_owned(), counts(7_943, 0, 0))]),
    )]);
    let mut gate = step(
        "go-no-go",
        "approval",
        "Go or no-go",
        "Cut over",
        Undo::Nothing,
    );
    gate.seats = seats();
    "4 decisions".clone_into(&mut gate.line);
    let mut dover = step(
        "copy-homes/dover",
        "data-copy",
        "Copy homes",
        "Cut over",
        Undo::Automatic,
    );
    dover.counts = BTreeMap::from([(code("dover"), copies(4_510, 4_421, 0, 49_811_002))]);
    dover.unrouted = BTreeMap::from([(
        "property".to_owned(),
        BTreeMap::from([("orphan".to_owned(), 12)]),
    )]);
    dover.after = vec![StepId::from("go-no-go")];
    let mut thanet = step(
        "copy-homes/thanet",
        "data-copy",
        "Copy homes",
        "Cut over",
        Undo::Automatic,
    );
    thanet.counts = BTreeMap::from([(code("thanet"), copies(3_610, 3_522, 13, 46_620_190))]);
    thanet.notes = vec!["triggers of `thanet` fire while rows are loaded".to_owned()];
    thanet.after = vec![StepId::from("go-no-go")];
    let mut switch = step(
        "switch",
        "switch",
        "Councils become live",
        "Hand over",
        Undo::Cannot,
    );
    switch.after = vec![
        StepId::from("copy-homes/dover"),
        StepId::from("copy-homes/thanet"),
    ];
    vec![tell, gate, dover, thanet, switch]
}

fn row(step: &str, start: Option<&str>, due: Option<&str>) -> TimetableRow {
    TimetableRow {
        step: StepId::from(step),
        start: start.map(at),
        due: due.map(at),
    }
}

fn point(subject: Subject) -> Point {
    Point {
        subject,
        closes: vec![StepId::from("switch")],
        at: Some(at("2020-09-30T23:00:00Z")),
        rollback_s: Some(660),
        last_safe: Some(at("2020-09-30T22:34:00Z")),
        slack_s: Some(14_220),
    }
}

/// A preview with a fault to mend, unsigned.
pub(super) fn preview() -> Preview {
    let steps = steps();
    let findings = vec![finding()];
    let reading = Reading::of(&steps, &findings);
    Preview {
        format: FORMAT,
        paper: paper(PLAN, MAP),
        former: None,
        clock: ClockKind::Real,
        read_at: at("2020-09-14T09:02:00Z"),
        handover: at("2020-09-30T23:00:00Z"),
        timezone: "Europe/London".to_owned(),
        sources: vec![code("ekh")],
        targets: vec![code("dover"), code("thanet")],
        orgs: names(),
        roles: BTreeMap::from([
            (code("housing"), "Head of housing".to_owned()),
            (code("s151"), "Section 151 officer".to_owned()),
        ]),
        homes: Some(HomesSaid {
            says: 8_120,
            as_at: jiff::civil::date(2020, 9, 1),
            tolerance: 50,
            found: Some(8_120),
        }),
        reading,
        shown: Digest::ZERO,
        steps,
        findings,
        unmapped: vec![CodeUse {
            map: "maps/homes.toml".to_owned(),
            list: "tenure".to_owned(),
            code: "DEMO".to_owned(),
            rows: BTreeMap::from([(code("thanet"), 13)]),
        }],
        timetable: vec![
            row("tell-tenants", None, Some("2020-09-10T22:59:00Z")),
            row("go-no-go", Some("2020-09-30T17:00:00Z"), None),
            row("switch", Some("2020-09-30T23:00:00Z"), None),
        ],
        points: vec![point(Subject::Data), point(Subject::Staff)],
        frozen: None,
        seats: seats(),
        signatures: Vec::new(),
    }
    .as_shown()
}

fn finding() -> FindingSaid {
    FindingSaid {
        code: "HO310".to_owned(),
        stops: true,
        steps: vec![StepId::from("copy-homes/thanet")],
        says: "13 rows of `tenancy` use code `DEMO`, which list `tenure` does not cover".to_owned(),
        help: "give the code a pair in the map".to_owned(),
        about: "tenancy.tenure_code".to_owned(),
        rows: BTreeMap::from([(code("thanet"), 13)]),
        place: Some(PlaceSaid {
            file: "maps/homes.toml".to_owned(),
            line: 8,
            column: 1,
        }),
    }
}

pub(super) fn names() -> BTreeMap<Code, String> {
    BTreeMap::from([
        (code("ekh"), "East Kent Housing".to_owned()),
        (code("dover"), "Dover District Council".to_owned()),
        (code("thanet"), "Thanet District Council".to_owned()),
    ])
}

/// A plan with three steps in a row: a freeze, a copy to Thanet that its undo takes back, a switch.
pub(super) fn plan() -> Plan {
    let ids = ["freeze", "copy-homes/thanet", "switch"];
    let undo = [Undo::Automatic, Undo::Automatic, Undo::Cannot];
    let steps: Vec<Step> = ids
        .iter()
        .zip(&undo)
        .enumerate()
        .map(|(phase, (id, undo))| Step {
            id: StepId::from(*id),
            name: code(id.split('/').next().unwrap_or_default()),
            org: id.split_once('/').map(|(_, org)| code(org)),
            title: format!("The step {id}"),
            phase,
            owner: None,
            due: None,
            undo: undo.clone(),
            place: handover::plan::model::Place::default(),
            does: StepSpec::Wait(handover::plan::model::Wait {
                until: at("2020-09-30T17:00:00Z"),
            }),
        })
        .collect();
    let papers = papers(PLAN, MAP);
    Plan {
        name: code("ekh-2020"),
        title: "East Kent Housing to two councils".to_owned(),
        handover: at("2020-09-30T23:00:00Z"),
        timezone: jiff::tz::TimeZone::get("Europe/London").expect("a zone"),
        author: code("p01"),
        sources: vec![code("ekh")],
        targets: vec![code("dover"), code("thanet")],
        homes: None,
        signed_by: seats(),
        phases: phases(),
        orgs: orgs(),
        roles: roles(),
        people: people(),
        steps,
        maps: BTreeMap::new(),
        templates: BTreeMap::new(),
        outline: Arc::new(outline(&ids, &undo, papers.fingerprint())),
        papers,
        warnings: handover::plan::fault::PlanFaults::default(),
    }
}

fn outline(ids: &[&str], undo: &[Undo], paper: Digest) -> Outline {
    let steps: Vec<OutlineStep> = ids
        .iter()
        .zip(undo)
        .enumerate()
        .map(|(at, (id, undo))| OutlineStep {
            id: StepId::from(*id),
            after: ids[..at]
                .last()
                .map(|id| StepId::from(*id))
                .into_iter()
                .collect(),
            start: None,
            gate: handover::plan::outline::Gate::None,
            signed: Vec::new(),
            undo: undo.clone(),
            undo_until: None,
            subjects: vec![Subject::Data],
            on_failure: handover::plan::outline::OnFailure::Hold,
            retry: handover::plan::outline::Retry::default(),
        })
        .collect();
    Outline {
        paper,
        dag: Digest::of(b"dag"),
        index: steps
            .iter()
            .enumerate()
            .map(|(at, step)| (step.id.clone(), at))
            .collect(),
        steps,
        author: Some(code("p01")),
        holders: holders(),
        signed_by: Vec::new(),
        signed: Vec::new(),
        author_key: None,
        trust: None,
    }
}

fn phases() -> Vec<Phase> {
    let each = [
        ("Cut over", "freeze"),
        ("Copy", "copy-homes"),
        ("Hand over", "switch"),
    ];
    let phase = each.map(|(name, step)| Phase {
        name: name.to_owned(),
        steps: vec![code(step)],
    });
    phase.into()
}

fn orgs() -> BTreeMap<Code, Org> {
    let org = |(code, name): (Code, String)| {
        let kind = if &*code == "ekh" {
            OrgKind::Almo
        } else {
            OrgKind::Council
        };
        (
            code,
            Org {
                name,
                kind,
                database: None,
                gss: None,
                aliases: Vec::new(),
            },
        )
    };
    names().into_iter().map(org).collect()
}

fn roles() -> BTreeMap<Code, Role> {
    let role = |title: &str| Role {
        title: title.to_owned(),
        each: Some(handover::plan::model::Each::Target),
        proof: None,
    };
    BTreeMap::from([
        (code("housing"), role("Head of housing")),
        (code("s151"), role("Section 151 officer")),
    ])
}

fn people() -> Vec<Person> {
    vec![Person {
        code: code("p04"),
        name: "J Marsh".to_owned(),
        org: code("thanet"),
        roles: vec![code("housing")],
        from: None,
        to: None,
        key: None,
    }]
}
