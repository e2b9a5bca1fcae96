//! What every kind of step keeps, whatever it does: looking writes nothing; twice is once; stopped
//! anywhere and run again is undisturbed; undo takes all of it back or refuses and takes nothing, from
//! nowhere, from half-way and from the end; after an undo it runs again.

use handover::machine::event::UndoMode;
use handover::plan::model::{Approval, StepSpec, Task, Verify, Wait};
use handover::plan::outline::Undo;
use handover::steps::{Output, check, preview, run, undo};

use super::world::{self, Everything, World, moment, nameless, same, stopped_after};
use super::{catching, contracts, copies, freezes, letters, staff, switches};

/// How a kind is undone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TakesBack {
    /// From its ledger, exactly.
    Exactly,
    /// A person does, once anything was written: the code with which it refuses.
    ByHand(&'static str),
}

/// More polls than any of these steps needs.
const POLLS_MAX: usize = 2_000;

async fn keeps(make: impl Fn() -> World, takes_back: TakesBack) {
    looking_writes_nothing(&make()).await;
    let once = twice_is_once(&make()).await;
    undo_of_nothing_does_nothing(&make()).await;
    match takes_back {
        TakesBack::Exactly => undone_it_runs_again(&make(), &once).await,
        TakesBack::ByHand(code) => only_a_person_undoes(&make(), code).await,
    }
    for polls in 1..POLLS_MAX {
        let world = make();
        let before = world.everything();
        if !stopped(&world, polls).await {
            return;
        }
        if takes_back == TakesBack::Exactly && polls % 2 == 0 {
            let (act, _heard) = world.act(0, 1).await;
            undo(&act, UndoMode::Refuse).await.unwrap();
            same(
                &world.everything(),
                &before,
                &format!("undone after {polls} polls"),
            );
            world.run(0, 2).await;
            let (now, then) = (nameless(&world.everything()), nameless(&once));
            same(
                &now,
                &then,
                &format!("undone after {polls} polls and run again"),
            );
        } else {
            world.run(0, 1).await;
            same(
                &world.everything(),
                &once,
                &format!("stopped after {polls} polls"),
            );
        }
    }
    panic!("the step did not come to an end");
}

async fn looking_writes_nothing(world: &World) {
    let before = world.bytes();
    let look = world.look(0).await;
    let found = check(&look).await.unwrap();
    assert!(found.iter().all(|finding| !finding.stops), "{found:?}");
    preview(&look).await.unwrap();
    assert_eq!(world.bytes(), before);
}

async fn twice_is_once(world: &World) -> Everything {
    let first = world.run(0, 1).await;
    let once = world.everything();
    assert_eq!(world.run(0, 1).await, first);
    same(&world.everything(), &once, "run twice");
    once
}

async fn undo_of_nothing_does_nothing(world: &World) {
    let before = world.everything();
    let (act, _heard) = world.act(0, 1).await;
    for mode in [UndoMode::Refuse, UndoMode::Skip, UndoMode::Force] {
        let undone = undo(&act, mode).await.unwrap();
        assert_eq!(
            (undone.removed, undone.restored, undone.reported),
            (0, 0, 0)
        );
    }
    same(&world.everything(), &before, "undone");
}

async fn undone_it_runs_again(world: &World, once: &Everything) {
    let before = world.everything();
    let first = world.run(0, 1).await;
    for _ in 0..2 {
        let (act, _heard) = world.act(0, 1).await;
        undo(&act, UndoMode::Refuse).await.unwrap();
        same(&world.everything(), &before, "undone");
    }
    let again = world.run(0, 2).await;
    same(&nameless(&world.everything()), &nameless(once), "run again");
    assert_eq!(effects(&again), effects(&first));
}

async fn only_a_person_undoes(world: &World, code: &str) {
    world.run(0, 1).await;
    let written = world.everything();
    let (act, _heard) = world.act(0, 1).await;
    for mode in [UndoMode::Refuse, UndoMode::Skip, UndoMode::Force] {
        let fault = undo(&act, mode).await.unwrap_err();
        assert_eq!(fault.code, code);
        assert!(fault.help.contains("a paper of the plan"), "{}", fault.help);
    }
    same(&world.everything(), &written, "undo refused");
    world.run(0, 2).await;
    same(
        &world.everything(),
        &written,
        "nothing goes out for the second time",
    );
}

/// Whether the step was stopped before its end.
async fn stopped(world: &World, polls: usize) -> bool {
    let (act, _heard) = world.act(0, 1).await;
    stopped_after(polls, run(&act)).await.is_none()
}

fn effects(output: &Output) -> Option<u64> {
    match output {
        Output::Done { effects, .. } => Some(*effects),
        Output::Held(_) => None,
    }
}

#[tokio::test]
async fn a_data_copy_keeps_the_contract() {
    keeps(copies::world, TakesBack::Exactly).await;
}

#[tokio::test]
async fn a_catch_up_keeps_the_contract() {
    keeps(catching::lived_on, TakesBack::Exactly).await;
}

#[tokio::test]
async fn a_freeze_keeps_the_contract() {
    keeps(freezes::world, TakesBack::Exactly).await;
}

#[tokio::test]
async fn a_switch_keeps_the_contract() {
    keeps(switches::world, TakesBack::Exactly).await;
}

#[tokio::test]
async fn a_staff_transfer_keeps_the_contract() {
    keeps(staff::world, TakesBack::Exactly).await;
}

#[tokio::test]
async fn a_contract_novation_keeps_the_contract() {
    keeps(contracts::all_signed, TakesBack::ByHand("HO528")).await;
}

#[tokio::test]
async fn a_tenant_notification_keeps_the_contract() {
    keeps(letters::world, TakesBack::ByHand("HO529")).await;
}

#[tokio::test]
async fn steps_that_write_nothing_keep_the_contract() {
    let seat = handover::plan::model::Seat {
        role: "legal".into(),
        org: None,
    };
    let approval = Approval {
        seats: vec![seat.clone()],
        needs: None,
    };
    let task = Task {
        seat,
        evidence: None,
    };
    let wait = Wait {
        until: moment("2020-10-01T00:00:00+01:00"),
    };
    for does in [
        StepSpec::Approval(approval),
        StepSpec::Task(task),
        StepSpec::Wait(wait),
    ] {
        keeps(
            || World::new("", does.clone(), Undo::Nothing),
            TakesBack::Exactly,
        )
        .await;
    }
}

#[tokio::test]
async fn a_task_without_its_evidence_is_never_fine() {
    let does = StepSpec::Task(Task {
        seat: handover::plan::model::Seat {
            role: "legal".into(),
            org: None,
        },
        evidence: Some("minute".to_owned()),
    });
    let mut world = World::new("", does, Undo::Nothing);
    let (act, _heard) = world.act(0, 1).await;
    assert_eq!(run(&act).await.unwrap_err().code, "HO531");
    world.hand_in("minute 7");
    world.run(0, 1).await;
}

#[tokio::test]
async fn a_wait_is_over_only_when_its_moment_has_come() {
    let does = StepSpec::Wait(Wait {
        until: moment("2020-10-02T00:00:00+01:00"),
    });
    let world = World::new("", does, Undo::Nothing);
    let (act, _heard) = world.act(0, 1).await;
    assert_eq!(run(&act).await.unwrap_err().code, "HO531");
}

#[tokio::test]
async fn a_verification_of_nothing_is_not_a_pass() {
    let does = StepSpec::Verify(Verify {
        source: world::ALMO.into(),
        targets: vec![world::DOVER.into()],
        copies: Vec::new(),
        catch_ups: Vec::new(),
        checks: Vec::new(),
    });
    let world = World::new("", does, Undo::Nothing);
    let (act, _heard) = world.act(0, 1).await;
    assert_eq!(run(&act).await.unwrap_err().code, "HO535");
}
