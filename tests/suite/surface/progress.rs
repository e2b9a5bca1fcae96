//! A run as it goes: lines for pipes and terminals, and the data of a bar.

use handover::machine::event::{
    About, Actor, ClockKind, DatasetCount, Entry, Event, FaultKind, LeaseAcquired, StepCommitted,
    StepFailed, StepStarted,
};
use handover::machine::time::Time;
use handover::plan::digest::Digest;
use handover::plan::outline::StepId;
use handover::report::Manner;
use handover::report::progress::{Progress, Teller, event_line};
use uuid::Uuid;

use super::fixture::{at, code, plan};

fn entry(seq: u64, moment: &str, step: Option<&str>, event: Event) -> Entry {
    let moment = Time::new(at(moment));
    Entry {
        seq,
        prev: Digest::ZERO,
        run: Uuid::nil(),
        plan: Digest::ZERO,
        at: moment,
        as_at: moment,
        boot: Uuid::nil(),
        mono: 0,
        exec: Uuid::nil(),
        epoch: 1,
        about: step.map(|step| About {
            step: StepId::from(step),
            generation: 1,
            attempt: 1,
        }),
        actor: Actor::Executor,
        event,
    }
}

fn started() -> Event {
    Event::StepStarted(StepStarted {
        key: Digest::ZERO,
        reversible: true,
        deps: Vec::new(),
        approvals: Vec::new(),
    })
}

fn story() -> Vec<Entry> {
    let freeze = Some("freeze");
    let thanet = Some("copy-homes/thanet");
    let counted = DatasetCount {
        dataset: code("tenancy"),
        org: None,
        rows: 4_510,
        rejected: 13,
        filtered: 0,
        merged: 0,
        pence: None,
        root: Digest::ZERO,
    };
    let failed = StepFailed {
        kind: FaultKind::Refused,
        code: code("HO999"),
        about: Some(code("tenancy.tenure_code")),
        rows: 13,
        detail: None,
    };
    vec![
        entry(117, "2020-09-30T17:00:00Z", freeze, started()),
        entry(
            118,
            "2020-09-30T17:00:02Z",
            freeze,
            Event::StepCommitted(StepCommitted {
                outputs: vec![counted],
                effects: 3,
            }),
        ),
        entry(119, "2020-09-30T17:00:02Z", thanet, started()),
        entry(
            120,
            "2020-09-30T17:00:03Z",
            None,
            Event::LeaseAcquired(LeaseAcquired {
                epoch: 2,
                fences: Vec::new(),
            }),
        ),
        entry(
            164,
            "2020-09-30T17:31:52Z",
            thanet,
            Event::StepFailed(failed),
        ),
    ]
}

#[test]
fn a_pipe_gets_one_line_per_event_in_local_time_with_the_number_in_the_log() {
    let mut teller = Teller::new(&plan(), ClockKind::Real);
    let lines: Vec<String> = story()
        .iter()
        .filter_map(|entry| teller.line(entry))
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_terminal_hears_outcomes_with_how_long_they_took() {
    let mut teller = Teller::new(&plan(), ClockKind::Real);
    let told = story()
        .into_iter()
        .filter_map(|entry| teller.terminal(&entry, Manner::DRAWN));
    insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"));
}

#[test]
fn every_line_of_a_rehearsal_says_so() {
    let mut teller = Teller::new(&plan(), ClockKind::MadeUp);
    assert!(
        teller
            .banner()
            .is_some_and(|line| line.starts_with("REHEARSAL"))
    );
    for line in story().iter().filter_map(|entry| teller.line(entry)) {
        assert!(line.ends_with("[rehearsal]"), "{line}");
    }
}

#[test]
fn an_entry_by_itself_reads_the_same_in_a_replay() {
    let line = event_line(&story()[0], &plan()).expect("a line");
    assert!(
        line.starts_with("2020-09-30T18:00:00+01:00 117 freeze "),
        "{line}"
    );
    assert_eq!(
        event_line(&story()[3], &plan()),
        None,
        "a lease is for auditors"
    );
}

#[test]
fn a_bar_never_guesses_before_there_is_a_pace() {
    let mut bar = Progress {
        step: StepId::from("copy-homes/dover"),
        rows_done: 0,
        rows_total: Some(5_260),
        seconds: 10,
    };
    assert_eq!(bar.seconds_left(), None);
    bar.rows_done = 2_630;
    assert_eq!(bar.seconds_left(), Some(10));
    assert_eq!(bar.words(), "copy-homes/dover 2,630/5,260 rows");
    bar.rows_done = 6_000;
    assert_eq!(bar.seconds_left(), None);
}
