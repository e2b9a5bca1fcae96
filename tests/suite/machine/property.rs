//! Large runs by chance: retries, holds, refusals, amendments, rollbacks, runs again, kills. However
//! they go, the fold of the lines is the live run, and every run can be brought to its end.
//!
//! Forty tales, always the same; `PROPTEST_CASES` or `HANDOVER_FULL` tells others and more (`cases`).

use std::sync::Arc;

use handover::machine::event::{Answer, Event, On, PlanAmended, UndoMode};
use handover::machine::rests::AwaitedWhat;
use handover::machine::run::Run;
use handover::machine::state::Shelf;
use handover::plan::outline::{Gate, OnFailure, Outline, OutlineStep, Subject, Undo};
use handover::replay::fold::replay;
use proptest::prelude::*;

use super::paper::{id, of, seal, seat, step};
use super::world::{Outcome, World, decision, person};
use crate::cases::cases;

const SUBJECTS: [Subject; 4] = [
    Subject::Data,
    Subject::Staff,
    Subject::Contracts,
    Subject::Tenants,
];

/// What somebody does next.
#[derive(Debug, Clone)]
enum Deed {
    Drive,
    DieAfter(usize),
    Answer,
    Retry,
    Pass(i64),
    RollBack(prop::sample::Index, UndoMode),
    Attest,
    Amend(prop::sample::Index),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let mode = prop_oneof![
        Just(UndoMode::Refuse),
        Just(UndoMode::Skip),
        Just(UndoMode::Force)
    ];
    let deed = prop_oneof![
        3 => Just(Deed::Drive),
        3 => (1..40usize).prop_map(Deed::DieAfter),
        3 => Just(Deed::Answer),
        1 => Just(Deed::Retry),
        1 => (1..100_000i64).prop_map(Deed::Pass),
        2 => (any::<prop::sample::Index>(), mode).prop_map(|(to, mode)| Deed::RollBack(to, mode)),
        1 => Just(Deed::Attest),
        1 => any::<prop::sample::Index>().prop_map(Deed::Amend),
    ];
    prop::collection::vec(deed, 1..14)
}

fn outcome() -> impl Strategy<Value = Outcome> + Clone {
    prop_oneof![
        12 => Just(Outcome::Ok),
        1 => Just(Outcome::Refused),
        2 => Just(Outcome::Transient),
        1 => Just(Outcome::Broken),
        1 => Just(Outcome::Hold),
    ]
}

type Shape = (Vec<prop::sample::Index>, u8, u8, u8, u8, Outcome, Outcome);

fn shapes() -> impl Strategy<Value = Vec<Shape>> {
    let shape = (
        prop::collection::vec(any::<prop::sample::Index>(), 0..3),
        0..20u8,
        0..4u8,
        0..30u8,
        any::<u8>(),
        outcome(),
        outcome(),
    );
    prop_oneof![
        9 => prop::collection::vec(shape.clone(), 1..25),
        1 => prop::collection::vec(shape, 60..200),
    ]
}

fn one(at: usize, shape: &Shape) -> OutlineStep {
    let (after, undo, subject, gate, bits, _, _) = shape;
    let mut before: Vec<usize> = after
        .iter()
        .filter(|_| at > 0)
        .map(|index| index.index(at))
        .collect();
    before.sort_unstable();
    before.dedup();
    let mut step = step(at, &before);
    step.undo = match undo {
        0 => Undo::Cannot,
        1 => Undo::ByHand("a letter".to_owned()),
        2..=4 => Undo::Nothing,
        _ => Undo::Automatic,
    };
    step.subjects = vec![SUBJECTS[usize::from(*subject)]];
    step.gate = match gate {
        0 => Gate::Done(seat("hr", Some("thanet"))),
        1 => Gate::Decisions(vec![seat("s151", None), seat("legal", Some("dover"))]),
        2 => Gate::Until("2020-10-01T00:00:00Z".parse().unwrap()),
        _ => Gate::None,
    };
    if bits & 1 == 1 {
        step.on_failure = OnFailure::Undo;
    }
    step.retry.attempts = 1 + u32::from(bits >> 1 & 3);
    step
}

struct Tale {
    world: World,
    papers: Vec<Arc<Outline>>,
}

impl Tale {
    fn new(shapes: &[Shape]) -> Tale {
        let steps = shapes.iter().enumerate().map(|(at, shape)| one(at, shape));
        let mut outline = of(steps.collect());
        outline.signed_by = vec![seat("s151", None), seat("legal", None)];
        seal(&mut outline);
        let mut world = World::unopened(&outline);
        world.lines = Some(Vec::new());
        world.open();
        for (at, shape) in shapes.iter().enumerate() {
            world.script.insert(id(at), vec![shape.5]);
            world.undo_script.insert(id(at), vec![shape.6]);
        }
        let paper = outline.paper;
        world.agree(&On::Paper { paper });
        Tale {
            world,
            papers: vec![Arc::new(outline)],
        }
    }

    fn perform(&mut self, deed: &Deed) {
        let world = &mut self.world;
        match deed {
            Deed::Drive => {
                world.claim();
                world.drive();
            }
            Deed::DieAfter(entries) => {
                world.claim();
                world.dies_at = Some(world.log.len() + entries);
                world.drive();
                world.claim();
            }
            Deed::Answer => {
                self.answer();
            }
            Deed::Retry => {
                world.retry_failed();
            }
            Deed::Pass(seconds) => world.pass(*seconds),
            Deed::RollBack(to, mode) => {
                world.claim();
                let count = world.run.checkpoints().len();
                let number = world.run.checkpoints()[to.index(count)].number;
                world.roll_back(number, *mode);
            }
            Deed::Attest => self.attest(),
            Deed::Amend(choice) => self.amend(*choice),
        }
    }

    fn answer(&mut self) -> bool {
        let mut answered = self.world.answer_holds();
        for awaited in self.world.run.waiting() {
            let (Some(step), AwaitedWhat::Decisions(seats)) = (awaited.step, awaited.what) else {
                continue;
            };
            for seat in seats {
                let who = if &*seat.role == "legal" { "p02" } else { "p01" };
                let event = Event::ApprovalGranted(decision(On::Gate { step: step.clone() }));
                let about = self.world.run.about_event(&event);
                let actor = person(who, &seat.role, "dover");
                self.world.write(actor, about, event).unwrap();
                answered = true;
            }
        }
        answered
    }

    fn attest(&mut self) {
        let by_hand = |awaited: &handover::machine::rests::Awaited| {
            matches!(awaited.what, AwaitedWhat::ByHand(_))
        };
        if let Some(awaited) = self.world.run.waiting().into_iter().find(by_hand) {
            let step = awaited.step.unwrap();
            self.world
                .answer(&step, Answer::Undone, person("p02", "legal", "dover"));
        }
    }

    /// One step more, after one that is there; one that has not begun gets other attempts.
    fn amend(&mut self, choice: prop::sample::Index) {
        let world = &mut self.world;
        let mut new = Outline::clone(world.run.outline());
        let count = new.steps.len();
        let unbegun = world
            .run
            .steps()
            .position(|(_, run)| !run.begun() && !run.finished());
        if let Some(at) = unbegun {
            new.steps[at].retry.attempts += 1;
        }
        new.steps.push(step(count, &[choice.index(count)]));
        new.index.insert(id(count), count);
        seal(&mut new);
        if world.run.amendment(&new).is_err() {
            assert!(world.run.rolling_back().is_some());
            return;
        }
        let old = world.run.paper();
        let new = Arc::new(new);
        self.papers.push(new.clone());
        world.run.shelve(new.clone());
        let approvals = world.agree(&On::Paper { paper: new.paper });
        world.must(
            None,
            Event::PlanAmended(PlanAmended {
                old,
                new: new.paper,
                dag: new.dag,
                approvals,
            }),
        );
    }

    /// All goes well from here on, and everybody answers.
    fn bring_to_end(&mut self) {
        self.world.script.clear();
        self.world.undo_script.clear();
        self.world.pass(100_000);
        for _ in 0..self.papers[0].steps.len() * 3 + 20 {
            self.world.claim();
            self.world.drive();
            let run = &self.world.run;
            let moves = run.finished() || run.rolled_back() || !run.waiting().is_empty();
            assert!(moves, "nobody is waited for\n{}", self.world.story());
            let retried = self.world.retry_failed();
            if !self.answer() && !retried && self.world.run.finished() {
                return;
            }
        }
        panic!(
            "no end\n{}\n{:?}",
            self.world.story(),
            self.world.run.rests()
        );
    }

    fn replay(&self) -> Run {
        let mut papers: Shelf = self.papers.iter().cloned().collect();
        let lines = self.world.lines.clone().unwrap();
        let replayed = replay(&mut papers, lines.into_iter().map(Ok));
        match replayed {
            Ok(replayed) => replayed.run,
            Err(fault) => panic!("{fault:?}\n{}", self.world.story()),
        }
    }
}

fn states(run: &Run) -> String {
    let steps = run.steps();
    let steps = steps.map(|(outline, step)| format!("{} {step:?}\n", outline.id));
    format!(
        "{}{:?}{:?}{:?}",
        steps.collect::<Vec<String>>().concat(),
        run.rolling_back(),
        run.checkpoints(),
        run.rests()
    )
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn however_a_run_goes_its_lines_tell_it_and_it_can_be_brought_to_its_end(
        shapes in shapes(),
        deeds in deeds(),
    ) {
        let mut tale = Tale::new(&shapes);
        for deed in &deeds {
            tale.perform(deed);
        }
        prop_assert_eq!(states(&tale.replay()), states(&tale.world.run));
        tale.bring_to_end();
        prop_assert_eq!(states(&tale.replay()), states(&tale.world.run));
    }
}
