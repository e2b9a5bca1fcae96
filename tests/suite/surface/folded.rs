//! Status and summary of a run that was folded from entries, as `run` would fold it.

use std::sync::Arc;

use handover::machine::decide::Command;
use handover::machine::decide::{Busy, Limits};
use handover::machine::event::{
    About, Actor, ClockKind, Entry, Event, FaultKind, LeaseAcquired, LogOpened, PlanBound,
    StepCommitted, StepFailed,
};
use handover::machine::run::Run;
use handover::machine::state::{Now, Shelf};
use handover::machine::time::Time;
use handover::plan::digest::Digest;
use handover::plan::model::Plan;
use handover::report::rest::RestReport;
use handover::report::status::StatusReport;
use uuid::Uuid;

use super::fixture::{at, code, plan};
use super::reports::both;

/// A run and the plan it is of, one entry after the other.
struct Told {
    run: Run,
    plan: Plan,
}

impl Told {
    fn add(&mut self, about: Option<About>, event: Event) {
        let time = Time::new(at("2020-09-30T17:00:00Z"));
        let entry = Entry {
            seq: self.run.next_seq(),
            prev: Digest::ZERO,
            run: Uuid::nil(),
            plan: self.plan.fingerprint(),
            at: time,
            as_at: time,
            boot: Uuid::nil(),
            mono: self.run.next_seq(),
            exec: Uuid::nil(),
            epoch: u64::from(self.run.next_seq() >= 2),
            about,
            actor: Actor::Executor,
            event,
        };
        self.run.apply(&entry).expect("a lawful entry");
    }

    /// Starts what the run wants to start next.
    fn start(&mut self) -> About {
        let now = Now::real(Time::new(at("2020-09-30T17:00:00Z")));
        let commands = self.run.decide(now, &Busy::default(), &Limits::default());
        let command = commands
            .into_iter()
            .find(|command| matches!(command, Command::Start(_)));
        let command = command.expect("something to start");
        let intent = command.intent(&self.run, now).expect("an intent");
        let about = command.about().expect("a step").clone();
        self.add(Some(about.clone()), intent);
        about
    }
}

fn told() -> Told {
    let plan = plan();
    let run = Run::new(Shelf::from_iter([Arc::clone(&plan.outline)]));
    let mut told = Told { run, plan };
    let opened = LogOpened {
        origin: "test/ekh".to_owned(),
        log_key: None,
        product: "0".to_owned(),
        schema: Digest::ZERO,
        manifest: told.plan.fingerprint(),
        commitment: Digest::ZERO,
        clock: ClockKind::MadeUp,
        sources: Vec::new(),
        targets: Vec::new(),
        previous: None,
    };
    let bound = PlanBound {
        steps: 3,
        dag: told.plan.outline.dag,
    };
    told.add(None, Event::LogOpened(opened));
    told.add(None, Event::PlanBound(bound));
    told.add(
        None,
        Event::LeaseAcquired(LeaseAcquired {
            epoch: 1,
            fences: Vec::new(),
        }),
    );
    let freeze = told.start();
    told.add(Some(freeze), Event::StepCommitted(StepCommitted::default()));
    let copy = told.start();
    told.add(
        Some(copy),
        Event::StepFailed(StepFailed {
            kind: FaultKind::Refused,
            code: code("HO999"),
            about: Some(code("tenancy.tenure_code")),
            rows: 13,
            detail: None,
        }),
    );
    told
}

#[test]
fn a_failed_copy_is_told_as_a_problem_and_the_switch_cannot_start() {
    let told = told();
    let at = at("2020-09-30T17:58:00Z");
    insta::assert_snapshot!(both(&StatusReport::of(
        "ekh-7f3a",
        &told.run,
        &told.plan,
        at,
        &[]
    )));
}

#[test]
fn a_rehearsed_run_at_rest_says_so_and_how_to_go_on() {
    let told = told();
    let at = at("2020-09-30T17:58:00Z");
    let rest = RestReport::of("ekh-7f3a", &told.run, &told.plan, at, &[]);
    assert_eq!(
        (rest.exit, rest.completed, rest.failed, rest.pending),
        (1, 1, 1, 1)
    );
    insta::assert_snapshot!(both(&rest));
}
