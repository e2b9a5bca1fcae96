//! One of each report, by hand.

use std::collections::BTreeSet;

use handover::machine::event::{ClockKind, UndoMode};
use handover::plan::digest::Digest;
use handover::plan::fault::PlanFaults;
use handover::plan::outline::StepId;
use handover::preview::RollbackPreview;
use handover::preview::rollback::{ChangedRows, StaySaid, UndoSaid, VoidSaid, Why};
use handover::report::check::{CheckReport, DatabaseSaid};
use handover::report::decisions::{DecisionsReport, Verdict};
use handover::report::differing::{DifferingRow, Values};
use handover::report::explain::ExplainReport;
use handover::report::proof::{Claim, Outcome, ProofReport};
use handover::report::reconciliation::parts::{
    PartsLine, PartsMoney, PartsPack, PartsTable, Place,
};
use handover::report::reconciliation::{
    Came, Left, Line, Made, ReconciliationReport, Signer, Sort, StepPack, Whole,
};
use handover::report::rest::{Next, RestReport};
use handover::report::sealed::SealStatus;
use handover::report::standing::{Problem, Standing, Wait, WaitKind};
use handover::report::status::{PhaseStatus, StatusReport, StepStatus};
use uuid::Uuid;

use super::fixture::{at, code, names, preview, seats};

pub(super) fn rollback() -> RollbackPreview {
    let undo = |org: &str, removes, changed| UndoSaid {
        step: StepId::from(format!("copy-homes/{org}").as_str()),
        kind: "data-copy".to_owned(),
        org: Some(code(org)),
        removes,
        restores: 0,
        changed,
        shuts: ["asset", "tenancy"].map(str::to_owned).into(),
    };
    let edited = ChangedRows {
        table: "tenancy".to_owned(),
        class: "edited".to_owned(),
        rows: 2,
    };
    let freeze = UndoSaid {
        step: StepId::from("freeze"),
        kind: "freeze".to_owned(),
        org: None,
        removes: 0,
        restores: 0,
        changed: Vec::new(),
        shuts: BTreeSet::new(),
    };
    let stay = |step: &str, kind: &str, why| StaySaid {
        step: StepId::from(step),
        kind: kind.to_owned(),
        why,
    };
    RollbackPreview {
        format: 1,
        run: Uuid::nil(),
        paper: preview().paper.fingerprint,
        plan: code("ekh-2020"),
        title: "East Kent Housing to two councils".to_owned(),
        clock: ClockKind::Real,
        read_at: at("2020-09-30T18:01:00Z"),
        timezone: "Europe/London".to_owned(),
        checkpoint: 3,
        made_by: Some(StepId::from("go-no-go")),
        keeps: vec![StepId::from("go-no-go")],
        mode: UndoMode::Skip,
        undoes: vec![
            undo("dover", 13_390, vec![edited]),
            undo("thanet", 7_132, Vec::new()),
            freeze,
        ],
        stays: vec![
            stay("contracts", "contract-novation", Why::Cannot),
            stay(
                "tell-tenants",
                "tenant-notification",
                Why::ByHand("send letters/correction.md".to_owned()),
            ),
        ],
        again: vec![StepId::from("reconcile")],
        voids: vec![VoidSaid {
            entry: 41,
            step: Some(StepId::from("accept-data")),
        }],
        orgs: names(),
        rehearsed_s: Some(660),
        needs: 2,
        seats: seats(),
        signatures: Vec::new(),
    }
}

fn problem() -> Problem {
    Problem {
        step: StepId::from("copy-homes/thanet"),
        word: "FAIL".to_owned(),
        code: Some("HO511".to_owned()),
        says: "a code that the map does not cover: tenancy.tenure_code".to_owned(),
        rows: 13,
        undone: true,
        place: Some("maps/homes.toml:21".to_owned()),
    }
}

fn wait() -> Wait {
    Wait {
        step: Some(StepId::from("go-no-go")),
        kind: WaitKind::Decisions,
        says: "2 decisions: Head of housing, Thanet (J Marsh) and Section 151 officer, Thanet"
            .to_owned(),
        since: Some("Wed 30 Sep 7:01pm".to_owned()),
    }
}

fn seals() -> SealStatus {
    SealStatus {
        key: Some("ekh-2020/0190+12345678+AQ==".to_owned()),
        quorum: Some("audit and one of (council, almo)".to_owned()),
        witnessed: 118,
        rehearsal: false,
    }
}

pub(super) fn rest() -> RestReport {
    let next = |why: &str, command: &str| Next {
        why: why.to_owned(),
        command: command.to_owned(),
    };
    RestReport {
        only_recorded: None,
        format: 1,
        run: "ekh-7f3a".to_owned(),
        title: "East Kent Housing to two councils".to_owned(),
        clock: ClockKind::Real,
        at: at("2020-09-30T17:58:00Z"),
        timezone: "Europe/London".to_owned(),
        completed: 15,
        held: 1,
        failed: 1,
        refused: 0,
        undone: 0,
        stuck: 0,
        pending: 7,
        problems: vec![problem()],
        waits: vec![wait()],
        last_safe: Some(at("2020-09-30T22:34:00Z")),
        seals: seals(),
        next: vec![
            next(
                "correct the plan or its map, then",
                "handover preview ekh-7f3a --amend --out amend.preview",
            ),
            next(
                "then carry on with",
                "handover run ekh-7f3a --signed amend.preview",
            ),
        ],
        exit: 1,
    }
}

pub(super) fn status() -> StatusReport {
    let step = |id: &str, standing| StepStatus {
        step: StepId::from(id),
        standing,
        rows: 0,
    };
    let phase = |name: &str, standing, done, steps| PhaseStatus {
        phase: name.to_owned(),
        standing,
        done,
        steps,
    };
    StatusReport {
        only_recorded: None,
        format: 1,
        run: "ekh-7f3a".to_owned(),
        plan: "ekh-2020".to_owned(),
        title: "East Kent Housing to two councils".to_owned(),
        clock: ClockKind::Real,
        at: at("2020-09-30T17:58:00Z"),
        handover: at("2020-09-30T23:00:00Z"),
        timezone: "Europe/London".to_owned(),
        closed: false,
        phases: vec![
            phase(
                "Agree",
                Standing::Completed,
                1,
                vec![step("tell-tenants", Standing::Completed)],
            ),
            phase(
                "Cut over",
                Standing::Problem,
                1,
                vec![
                    step("copy-homes/dover", Standing::Completed),
                    step("copy-homes/thanet", Standing::Problem),
                ],
            ),
            phase(
                "Hand over",
                Standing::CannotStart,
                0,
                vec![step("switch", Standing::CannotStart)],
            ),
        ],
        problems: vec![problem()],
        waits: vec![wait()],
        stays: vec![StepId::from("tell-tenants")],
        last_safe: Some(at("2020-09-30T22:34:00Z")),
        seals: seals(),
        checkpoint: 15,
        exit: 1,
    }
}

pub(super) fn proof() -> ProofReport {
    let claims = vec![
        Claim::new(
            "record",
            Outcome::Pass,
            "1,482 events, none missing, none altered; head 9C4E-71B0",
        ),
        Claim::new(
            "anchor",
            Outcome::CannotTell,
            "no signed pack was given to hold the head of the log against, so nothing outside vouches for it",
        ),
        Claim::new("live data", Outcome::Fail, "Thanet: 1 account differs"),
    ];
    let not_proved = vec!["the log bears no seal".to_owned()];
    ProofReport::of("ekh-7f3a.log", ClockKind::Real, claims, not_proved)
}

/// The same, with the rows that differ: their values, too, for those who may see them.
pub(super) fn differing(values: bool) -> ProofReport {
    let row = |table: &str, digit: char, column: Option<&str>, class: &str| DifferingRow {
        step: "copy-homes/thanet".to_owned(),
        table: table.to_owned(),
        row: digit.to_string().repeat(64),
        column: column.map(str::to_owned),
        class: class.to_owned(),
        values: None,
    };
    let mut rows = vec![
        row("person", '7', Some("surname"), "only trailing spaces"),
        row("account", 'd', Some("balance"), "changed"),
        row("transaction", '3', None, "missing"),
        row("account", '2', None, "extra"),
    ];
    for (row, values) in rows.iter_mut().zip(canaries()).filter(|_| values) {
        row.values = Some(values);
    }
    proof().with(rows)
}

fn canaries() -> Vec<Values> {
    let values = |key: &str, source: &str, target: &str| Values {
        key: key.to_owned(),
        source: Some(source.to_owned()).filter(|text| !text.is_empty()),
        target: Some(target.to_owned()).filter(|text| !text.is_empty()),
    };
    vec![
        values(
            "person_id=\"17\"",
            "\"Canary  Smith\"",
            "\"Canary  Smith \"",
        ),
        values("account_id=\"18\"", "\"12.50\"", "\"12.51\""),
        values("txn_id=19", "", ""),
        values("account_id=\"20\"", "", ""),
    ]
}

/// A night on which one total differs, one is let through, and one council has signed.
pub(super) fn reconciliation() -> ReconciliationReport {
    ReconciliationReport {
        format: handover::report::FORMAT,
        of: "east-kent-2020/0197".to_owned(),
        title: "East Kent Housing to four councils".to_owned(),
        clock: ClockKind::Real,
        timezone: "Europe/London".to_owned(),
        plan: Digest::of(b"plan"),
        fingerprint: Digest::of(b"csv"),
        verdict: Whole::Differs,
        says: "2 of 5 control totals DIFFER: do not sign before it is known why.".to_owned(),
        steps: vec![StepPack {
            step: "reconcile/dover".to_owned(),
            title: "Check nothing is lost".to_owned(),
            source: "East Kent Housing".to_owned(),
            targets: vec!["Dover District Council".to_owned()],
            state: Made::Failed,
            totals: totals(),
            left: left_behind(),
            signers: signers(),
        }],
        parts: vec![
            parts(),
            PartsPack {
                state: Made::NotMade,
                verdict: None,
                says: "Not proved yet.".to_owned(),
                tables: Vec::new(),
                ..parts()
            },
        ],
    }
}

/// A split in which a penny of one part is gone.
fn parts() -> PartsPack {
    PartsPack {
        step: "prove-parts".to_owned(),
        title: "Check that the four parts are the whole".to_owned(),
        source: "East Kent Housing".to_owned(),
        state: Made::Failed,
        verdict: Some(Came::Differs),
        says: "The parts of East Kent Housing do NOT add up: 1 of 2 tables DIFFER.".to_owned(),
        tables: vec![accounts(), suppliers()],
    }
}

fn place(place: Place, words: &str, rows: u64, found: Option<u64>) -> PartsLine {
    PartsLine {
        place,
        source: "ekh".to_owned(),
        target: None,
        words: words.to_owned(),
        reason: None,
        rows: Some(rows),
        found,
        money: Vec::new(),
        verdict: found.map(|_| Came::Agrees),
    }
}

fn holding(line: PartsLine, target: Option<&str>, due: &str, found: Option<&str>) -> PartsLine {
    let money = PartsMoney {
        column: "balance".to_owned(),
        amount: due.to_owned(),
        found: found.map(str::to_owned),
    };
    PartsLine {
        target: target.map(str::to_owned),
        verdict: found.map(|found| {
            if found == due {
                Came::Agrees
            } else {
                Came::Differs
            }
        }),
        money: vec![money],
        ..line
    }
}

fn accounts() -> PartsTable {
    let because = |line: PartsLine| PartsLine {
        reason: Some(line.words.clone()),
        target: Some("dover".to_owned()),
        ..line
    };
    let dover = place(Place::Part, "Dover District Council", 4_100, Some(4_100));
    let thanet = place(
        Place::Part,
        "Folkestone & Hythe District Council",
        12_900,
        Some(12_900),
    );
    let all = place(
        Place::Together,
        "all parts and nobody's",
        17_001,
        Some(17_001),
    );
    PartsTable {
        table: "account".to_owned(),
        words: "Rent and other accounts".to_owned(),
        verdict: Came::Differs,
        lines: vec![
            holding(
                place(Place::Source, "East Kent Housing", 17_001, None),
                None,
                "1978725.73",
                None,
            ),
            holding(dover, Some("dover"), "978725.73", Some("978725.72")),
            holding(
                place(Place::Behind, "stays behind", 5, None),
                Some("dover"),
                "-7.00",
                None,
            ),
            because(place(
                Place::BehindBecause,
                "filtered, never started, or taken back long before the handover",
                2,
                None,
            )),
            because(place(
                Place::BehindBecause,
                "rejected, HO502 starts_on",
                3,
                None,
            )),
            holding(
                thanet,
                Some("folkestone-hythe"),
                "1000000.00",
                Some("1000000.00"),
            ),
            place(Place::Nobodys, "nobody's", 1, None),
            place(Place::NobodysBecause, "unknown owner", 1, None),
            holding(all, None, "1978725.73", Some("1978725.72")),
        ],
    }
}

fn suppliers() -> PartsTable {
    PartsTable {
        table: "supplier".to_owned(),
        words: "Supplier".to_owned(),
        verdict: Came::Agrees,
        lines: vec![
            place(Place::Source, "East Kent Housing", 7, None),
            place(Place::Shared, "again, as several need them", 2, None),
            PartsLine {
                target: Some("dover".to_owned()),
                ..place(Place::Part, "Dover District Council", 9, Some(9))
            },
            place(Place::Together, "all parts and nobody's", 9, Some(9)),
        ],
    }
}

fn totals() -> Vec<Line> {
    let line = |of: &str, words: &str, sort, (source, target): (&str, &str), verdict| Line {
        entry: 494,
        source: "ekh".to_owned(),
        target: Some("dover".to_owned()),
        of: of.to_owned(),
        part: None,
        words: words.to_owned(),
        sort,
        at_source: source.to_owned(),
        at_target: Some(target.to_owned()),
        on: None,
        difference: Some("0".to_owned()),
        tolerance: "0.00".to_owned(),
        because: None,
        verdict,
    };
    let money = ("5.00", "5.01");
    let allowed = line(
        "charge.value",
        "Rents",
        Sort::Money,
        money,
        Came::WithinTolerance,
    );
    let balances = ("1978725.73", "1978725.72");
    let differs = line(
        "account.balance",
        "Balances",
        Sort::Money,
        balances,
        Came::Differs,
    );
    vec![
        Line {
            target: None,
            ..line(
                "asset",
                "Assets",
                Sort::Rows,
                ("17021", "17021"),
                Came::Agrees,
            )
        },
        Line {
            difference: Some("0.01".to_owned()),
            tolerance: "0.05".to_owned(),
            because: Some("interest is posted, \"as always\", while rows are loaded".to_owned()),
            ..allowed
        },
        line(
            "asset",
            "Homes and other property",
            Sort::Rows,
            ("17000", "17000"),
            Came::Agrees,
        ),
        Line {
            difference: Some("-0.01".to_owned()),
            ..differs.clone()
        },
        Line {
            part: Some("below zero".to_owned()),
            words: "  in credit".to_owned(),
            at_source: "-740.20".to_owned(),
            at_target: None,
            difference: None,
            ..differs
        },
    ]
}

fn left_behind() -> Vec<Left> {
    let left = |dataset: &str, class: &str, reason: &str, rows| Left {
        source: "ekh".to_owned(),
        target: Some("dover".to_owned()),
        dataset: dataset.to_owned(),
        class: class.to_owned(),
        reason: reason.to_owned(),
        rows,
    };
    vec![
        left("account", "rejected", "HO502 starts_on", 3),
        left("account", "filtered", "=never started, or so", 1_020),
    ]
}

fn signers() -> Vec<Signer> {
    let seat = |role: &str, verdict, person: Option<&str>| {
        let at = person.map(|_| "2020-09-30T19:02:00Z".parse().unwrap());
        Signer {
            gate: "accept-data/dover".to_owned(),
            role: role.to_owned(),
            org: Some("Dover District Council".to_owned()),
            verdict,
            person: person.map(str::to_owned),
            as_at: at,
            at,
            entry: person.map(|_| 611),
        }
    };
    vec![
        seat("Head of housing", Verdict::Approved, Some("p14")),
        seat("Section 151 officer", Verdict::Asked, None),
    ]
}

pub(super) fn decisions() -> DecisionsReport {
    let next = vec!["handover run ekh-2020 --signed ekh.preview".to_owned()];
    DecisionsReport::of(&preview(), &std::collections::BTreeMap::new(), next)
}

pub(super) fn check() -> CheckReport {
    let faults = PlanFaults {
        plan: "ekh-2020".to_owned(),
        ..PlanFaults::default()
    };
    CheckReport::of(&faults, Some(31), false, false).with_databases(vec![DatabaseSaid {
        org: "ekh".to_owned(),
        variable: "EKH_DB".to_owned(),
        from: ".env".to_owned(),
        address: Some("sqlite:ekh.db".to_owned()),
    }])
}

pub(super) fn explain() -> ExplainReport {
    ExplainReport {
        format: 1,
        name: "HO102".to_owned(),
        title: "a step waits for one that does not exist".to_owned(),
        what: "A name in `after` is not the name of a step of this plan, so the step that waits for it could never start.".to_owned(),
        why: String::new(),
        then: "Correct the name; `check` says which step it may have meant.".to_owned(),
    }
}
