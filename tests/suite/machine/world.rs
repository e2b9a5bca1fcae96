//! A tiny executor in memory, its journal, and people who answer it: `decide`, intent, act, outcome,
//! `apply`, by a script. It can be killed between any two entries, and it checks on its own, with
//! books that share no code with the machine, that nothing happens out of order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use handover::machine::decide::{Busy, Command, Limits};
use handover::machine::event::{
    About, Actor, Answer, ClockKind, Decision, Empty, Entry, Event, FaultKind, HoldAnswered,
    HoldBegun, LeaseAcquired, LogOpened, Method, On, PlanBound, StepCommitted, StepFailed,
    StepMarked, UndoCommitted, UndoMode, Waiting,
};
use handover::machine::illegal::Illegal;
use handover::machine::line;
use handover::machine::run::Run;
use handover::machine::state::{Now, Shelf, StepState};
use handover::machine::time::Time;
use handover::plan::digest::Digest;
use handover::plan::outline::{Outline, StepId, Undo};
use uuid::Uuid;

use super::paper::seat;

/// How an attempt (or an undo) comes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Ok,
    Refused,
    Transient,
    Broken,
    Hold,
}

/// What each step does, by how many outcomes it has had in this generation; then all is well.
pub type Script = BTreeMap<StepId, Vec<Outcome>>;

#[derive(Debug, Clone)]
pub struct World {
    pub run: Run,
    pub log: Vec<Entry>,
    pub now: Now,
    pub limits: Limits,
    pub script: Script,
    pub undo_script: Script,
    /// Lines are written, read back and compared (slow; off where runs are many).
    pub lines: Option<Vec<Vec<u8>>>,
    prev: Digest,
    id: Uuid,
    exec: Uuid,
    epoch: u64,
    mono: u64,
    in_flight: Vec<Command>,
    paper: Digest,
    shelf_outline: Arc<Outline>,
    /// Stops for good after that many entries: a kill.
    pub dies_at: Option<usize>,
    pub books: Books,
}

/// What has happened, as an onlooker would count it.
#[derive(Debug, Clone, Default)]
pub struct Books {
    pub done: BTreeSet<StepId>,
    pub begun: BTreeSet<StepId>,
    /// Begun, and not known to have failed before its first mark.
    pub left: BTreeSet<StepId>,
    pub marked: BTreeSet<StepId>,
    pub outcomes: BTreeMap<(StepId, u32), usize>,
    pub undo_outcomes: BTreeMap<(StepId, u32), usize>,
    pub undone: Vec<StepId>,
    pub starts: BTreeMap<(StepId, u32, u32), usize>,
}

impl Books {
    /// The step is as if it had never begun.
    fn forget(&mut self, step: &StepId) {
        for set in [
            &mut self.done,
            &mut self.begun,
            &mut self.left,
            &mut self.marked,
        ] {
            set.remove(step);
        }
    }
}

/// How driving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Rested,
    Killed,
}

pub fn time(text: &str) -> Time {
    Time::new(text.parse().unwrap())
}

impl World {
    /// A run that is opened, bound and claimed.
    pub fn new(outline: &Outline) -> World {
        let mut world = World::unopened(outline);
        world.open();
        world
    }

    pub fn unopened(outline: &Outline) -> World {
        World {
            run: Run::new(Shelf::from_iter([Arc::new(outline.clone())])),
            log: Vec::new(),
            now: Now::real(time("2020-09-30T17:00:00Z")),
            limits: Limits::default(),
            script: Script::new(),
            undo_script: Script::new(),
            lines: None,
            prev: Digest::ZERO,
            id: Uuid::from_u128(7),
            exec: Uuid::from_u128(100),
            epoch: 1,
            mono: 0,
            in_flight: Vec::new(),
            paper: outline.paper,
            shelf_outline: Arc::new(outline.clone()),
            dies_at: None,
            books: Books::default(),
        }
    }

    pub fn open(&mut self) {
        self.open_with(ClockKind::Real);
    }

    pub fn open_with(&mut self, clock: ClockKind) {
        let outline = self.run_outline();
        let opened = LogOpened {
            origin: format!("test/{}", self.id),
            log_key: Some("a verifier key".to_owned()),
            product: "0".to_owned(),
            schema: Digest::ZERO,
            manifest: outline.paper,
            commitment: Digest::ZERO,
            clock,
            sources: Vec::new(),
            targets: Vec::new(),
            previous: None,
        };
        let bound = PlanBound {
            steps: outline.steps.len() as u64,
            dag: outline.dag,
        };
        self.must(None, Event::LogOpened(opened));
        self.must(None, Event::PlanBound(bound));
        self.acquire();
    }

    fn run_outline(&self) -> Arc<Outline> {
        self.shelf_outline.clone()
    }

    fn acquire(&mut self) {
        self.must(
            None,
            Event::LeaseAcquired(LeaseAcquired {
                epoch: self.epoch,
                fences: Vec::new(),
            }),
        );
    }

    /// Another executor takes the run over: whatever was in flight is lost.
    pub fn claim(&mut self) {
        self.in_flight.clear();
        self.dies_at = None;
        self.epoch += 1;
        self.exec = Uuid::from_u128(100 + u128::from(self.epoch));
        self.acquire();
    }

    /// The counts at rest, and the end of the lease.
    pub fn release(&mut self) {
        let rested = self.run.rests().event();
        self.must(None, rested);
        self.must(None, Event::LeaseReleased(Empty {}));
    }

    pub fn pass(&mut self, seconds: i64) {
        let later = jiff::SignedDuration::from_secs(seconds);
        self.now = Now {
            at: Time::new(self.now.at.moment() + later),
            as_at: Time::new(self.now.as_at.moment() + later),
        };
    }

    /// The entry that would be written next.
    pub fn entry(&self, actor: Actor, about: Option<About>, event: Event) -> Entry {
        let plan = match &event {
            Event::PlanAmended(body) => body.new,
            _ => self.paper,
        };
        Entry {
            seq: self.log.len() as u64,
            prev: self.prev,
            run: self.id,
            plan,
            at: self.now.at,
            as_at: self.now.as_at,
            boot: Uuid::from_u128(1),
            mono: self.mono + 1,
            exec: self.exec,
            epoch: self.epoch,
            about,
            actor,
            event,
        }
    }

    pub fn write(
        &mut self,
        actor: Actor,
        about: Option<About>,
        event: Event,
    ) -> Result<(), Illegal> {
        let entry = self.entry(actor, about, event);
        self.append(entry)
    }

    pub fn append(&mut self, entry: Entry) -> Result<(), Illegal> {
        self.run.apply(&entry)?;
        if let Some(lines) = &mut self.lines {
            let line = line::write(&entry).unwrap();
            assert_eq!(line::parse(&line).as_ref(), Ok(&entry));
            self.prev = Digest::of(&line);
            lines.push(line);
        }
        self.paper = entry.plan;
        self.mono = entry.mono;
        self.log.push(entry);
        Ok(())
    }

    /// An honest executor's entry: always legal.
    pub fn must(&mut self, about: Option<About>, event: Event) {
        let shown = format!("{about:?} {event:?}");
        if let Err(illegal) = self.write(Actor::Executor, about, event) {
            panic!("{illegal}: {shown}\n{}", self.story());
        }
    }

    pub fn story(&self) -> String {
        let line = |entry: &Entry| {
            let about = entry.about.as_ref();
            let about = about.map_or(String::new(), |about| {
                format!("{} g{} a{}", about.step, about.generation, about.attempt)
            });
            format!(
                "{} e{} {} {about}\n",
                entry.seq,
                entry.epoch,
                entry.event.name()
            )
        };
        self.log.iter().map(line).collect()
    }

    fn dead(&self) -> bool {
        self.dies_at.is_some_and(|at| self.log.len() >= at)
    }

    pub fn busy(&self) -> Busy {
        let steps = self.in_flight.iter().filter_map(|command| command.about());
        Busy(steps.map(|about| about.step.clone()).collect())
    }

    /// Drives until nothing can start, the wait of every retry passed over.
    pub fn drive(&mut self) -> Ended {
        loop {
            if self.dead() {
                return Ended::Killed;
            }
            let commands = self.run.decide(self.now, &self.busy(), &self.limits);
            if commands == [Command::Rest] {
                match self.run.wakes(self.now).retry {
                    Some(_) => self.pass(1),
                    None => return Ended::Rested,
                }
                continue;
            }
            let mut wrote = false;
            // As the real executor does: every intent is made before the first is written.
            let intent = |command: &Command| command.intent(&self.run, self.now).unwrap();
            let intents: Vec<Event> = commands.iter().map(intent).collect();
            for (command, intent) in commands.into_iter().zip(intents) {
                if self.dead() {
                    return Ended::Killed;
                }
                wrote = true;
                self.begin(command, intent);
            }
            if self.dead() {
                return Ended::Killed;
            }
            if !self.in_flight.is_empty() {
                let done = self.in_flight.remove(0);
                self.finish(&done);
                wrote = true;
            }
            assert!(wrote, "neither busy nor at rest\n{}", self.story());
        }
    }

    /// Writes an intent, and keeps the books of what now runs.
    fn begin(&mut self, command: Command, intent: Event) {
        let about = command.about().cloned();
        self.must(about.clone(), intent);
        let Some(about) = about else { return };
        match command {
            Command::Start(_) => {
                self.watch_start(&about);
                self.in_flight.push(command);
            }
            Command::Undo(..) => {
                self.watch_undo(&about.step);
                self.in_flight.push(command);
            }
            _ => {}
        }
    }

    /// The onlooker's rule for starts: everything before it is done, and nobody does it twice at once.
    fn watch_start(&mut self, about: &About) {
        let outline = self.run.outline();
        let step = &outline.steps[outline.index[&about.step]];
        for before in &step.after {
            assert!(
                self.books.done.contains(before),
                "{} began before {before} was done\n{}",
                about.step,
                self.story()
            );
        }
        assert!(
            !self.books.done.contains(&about.step),
            "{} twice",
            about.step
        );
        let key = (about.step.clone(), about.generation, about.attempt);
        let times = self.books.starts.entry(key).or_default();
        *times += 1;
        let once = *times == 1;
        assert!(once, "one attempt began twice\n{}", self.story());
        self.books.begun.insert(about.step.clone());
        self.books.left.insert(about.step.clone());
    }

    /// The onlooker's rule for undos: nothing that stands on it stands any more, unless it stays.
    fn watch_undo(&mut self, step: &StepId) {
        let outline = self.run.outline().clone();
        assert_eq!(outline.steps[outline.index[step]].undo, Undo::Automatic);
        let mut ahead = vec![step.clone()];
        while let Some(from) = ahead.pop() {
            for after in outline
                .steps
                .iter()
                .filter(|step| step.after.contains(&from))
            {
                let stands = self.books.begun.contains(&after.id);
                let ours = after.undo == Undo::Automatic && !self.perhaps_closed(&after.id);
                assert!(
                    !(stands && ours),
                    "{step} was undone before {}\n{}",
                    after.id,
                    self.story()
                );
                ahead.push(after.id.clone());
            }
        }
        assert!(!self.closed(step), "{step} of a closed subject was undone");
    }

    /// A finished step that cannot be undone shares a subject with it.
    fn closed(&self, step: &StepId) -> bool {
        self.shares_a_subject(step, &self.books.done)
    }

    /// The same of a step that stopped half-way and may have left something: what it shares a subject
    /// with has to stay.
    fn perhaps_closed(&self, step: &StepId) -> bool {
        self.shares_a_subject(step, &self.books.left)
    }

    /// A step among `those` cannot be undone and shares a subject with this one.
    fn shares_a_subject(&self, step: &StepId, those: &BTreeSet<StepId>) -> bool {
        let outline = self.run.outline();
        let subjects = &outline.steps[outline.index[step]].subjects;
        let mut finals = outline
            .steps
            .iter()
            .filter(|other| other.undo == Undo::Cannot && those.contains(&other.id));
        finals.any(|last| {
            last.subjects
                .iter()
                .any(|subject| subjects.contains(subject))
        })
    }

    fn finish(&mut self, command: &Command) {
        let about = command.about().unwrap().clone();
        let key = (about.step.clone(), about.generation);
        let undo = matches!(command, Command::Undo(..));
        let (script, counts) = if undo {
            (&self.undo_script, &mut self.books.undo_outcomes)
        } else {
            (&self.script, &mut self.books.outcomes)
        };
        let count = counts.entry(key).or_default();
        let outcome = script.get(&about.step).and_then(|list| list.get(*count));
        let outcome = outcome.copied().unwrap_or(Outcome::Ok);
        *count += 1;
        if let Command::Undo(_, mode) = command {
            self.finish_undo(about, *mode, outcome);
        } else {
            self.finish_step(about, outcome);
        }
    }

    fn finish_step(&mut self, about: About, outcome: Outcome) {
        let event = match outcome {
            Outcome::Ok => {
                let marked = self.run.state(&about.step).unwrap().marked;
                let mark = marked.map_or(1, |mark| mark.ordinal + 1);
                self.must(
                    Some(about.clone()),
                    Event::StepMarked(StepMarked {
                        ordinal: mark,
                        rows: mark * 10,
                        root: Digest::ZERO,
                    }),
                );
                self.books.marked.insert(about.step.clone());
                self.books.done.insert(about.step.clone());
                Event::StepCommitted(StepCommitted {
                    outputs: Vec::new(),
                    effects: 1,
                })
            }
            Outcome::Hold => Event::HoldBegun(HoldBegun {
                waiting: Waiting::Evidence {
                    seat: seat("legal", Some("dover")),
                    what: "signatures".into(),
                    missing: 2,
                },
            }),
            Outcome::Refused => Event::StepFailed(failure(FaultKind::Refused)),
            Outcome::Transient => Event::StepFailed(failure(FaultKind::Transient)),
            Outcome::Broken => Event::StepFailed(failure(FaultKind::Broken)),
        };
        if self.dead() && matches!(event, Event::StepCommitted(_)) {
            self.books.done.remove(&about.step);
            return;
        }
        if matches!(event, Event::StepFailed(_)) && !self.books.marked.contains(&about.step) {
            self.books.left.remove(&about.step);
        }
        self.must(Some(about), event);
    }

    fn finish_undo(&mut self, about: About, mode: UndoMode, outcome: Outcome) {
        let event = match outcome {
            Outcome::Ok | Outcome::Hold => {
                self.books.forget(&about.step);
                self.books.undone.push(about.step.clone());
                Event::UndoCommitted(UndoCommitted {
                    mode,
                    ..UndoCommitted::default()
                })
            }
            Outcome::Refused => Event::UndoFailed(failure(FaultKind::Refused)),
            Outcome::Transient => Event::UndoFailed(failure(FaultKind::Transient)),
            Outcome::Broken => Event::UndoFailed(failure(FaultKind::Broken)),
        };
        self.must(Some(about), event);
    }

    /// A rollback, started with the decisions it needs, and driven to its rest.
    pub fn roll_back(&mut self, checkpoint: u64, mode: UndoMode) -> bool {
        let Ok(plan) = self.run.rollback(checkpoint, self.now) else {
            return false;
        };
        let preview = Digest::of(&self.log.len().to_le_bytes());
        let approvals = self.agree(&On::Rollback { preview });
        for again in &plan.again {
            self.books.forget(again);
        }
        let event = Event::RollbackStarted(plan.started(preview, mode, approvals));
        self.must(None, event);
        true
    }

    /// As many people as the paper asks for say yes.
    pub fn agree(&mut self, on: &On) -> Vec<u64> {
        let outline = self.run.outline().clone();
        let seats = outline.signed_by.clone();
        for seat in seats {
            let yes = outline.holders.iter().find_map(|holder| {
                let actor = person(&holder.person, &holder.role, &holder.org);
                let fits = holder.role == seat.role;
                let event = Event::ApprovalGranted(decision(on.clone()));
                let entry = self.entry(actor, None, event);
                let allowed = fits && self.run.clone().apply(&entry).is_ok();
                allowed.then_some(entry)
            });
            self.append(yes.unwrap()).unwrap();
        }
        self.run.grants(on)
    }

    /// Everybody who is asked answers: evidence, tasks, gates; not failures.
    pub fn answer_holds(&mut self) -> bool {
        let mut answered = false;
        let held: Vec<(StepId, Waiting)> = self
            .run
            .steps()
            .filter_map(|(outline, step)| {
                let waits = matches!(
                    step.state,
                    StepState::Held | StepState::Pending | StepState::Undone
                );
                let open = match step.state {
                    StepState::Held => step.answer.is_none(),
                    _ => step.done.is_none(),
                };
                let hold = step.hold.as_ref().filter(|_| waits && open)?;
                Some((outline.id.clone(), hold.waiting.clone()))
            })
            .collect();
        for (step, waiting) in held {
            let (seat, answer) = match waiting {
                Waiting::Date { .. } | Waiting::Seal { .. } => continue,
                Waiting::Person { seat } => (seat, Answer::Done),
                Waiting::Evidence { seat, .. } => (seat, Answer::Evidence),
            };
            let org = seat.org.clone().unwrap_or_else(|| "dover".into());
            let person = match &*seat.role {
                "legal" => "p02",
                "hr" => "p03",
                _ => "p01",
            };
            let org = if person == "p03" {
                "thanet".into()
            } else {
                org
            };
            self.answer(&step, answer, person_in(person, &seat.role, &org));
            answered = true;
        }
        answered
    }

    pub fn answer(&mut self, step: &StepId, answer: Answer, actor: Actor) {
        let event = Event::HoldAnswered(HoldAnswered {
            answer,
            statement: Digest::ZERO,
            evidence: None,
        });
        let about = self.run.about(step);
        if answer == Answer::Undone {
            self.books.forget(step);
        }
        if let Err(illegal) = self.write(actor, about, event) {
            panic!("{illegal}\n{}", self.story());
        }
    }

    /// Somebody lets every failed step be tried again.
    pub fn retry_failed(&mut self) -> bool {
        let failed: Vec<StepId> = self
            .run
            .steps()
            .filter(|(_, step)| {
                let failed = matches!(step.state, StepState::Failed | StepState::Stuck);
                let undone = step.state == StepState::Undone && step.failure.is_some();
                (failed || undone) && !step.freed
            })
            .map(|(outline, _)| outline.id.clone())
            .collect();
        for step in &failed {
            self.answer(step, Answer::Retry, person("p02", "legal", "dover"));
        }
        !failed.is_empty()
    }

    /// What is to be equal however often the run was killed.
    pub fn states(&self) -> Vec<(StepId, StepState)> {
        let steps = self.run.steps();
        steps
            .map(|(outline, step)| (outline.id.clone(), step.state))
            .collect()
    }
}

fn failure(kind: FaultKind) -> StepFailed {
    StepFailed {
        kind,
        code: "HO511".into(),
        about: None,
        rows: 0,
        detail: None,
    }
}

pub fn decision(on: On) -> Decision {
    Decision {
        on,
        statement: Digest::ZERO,
        method: Method::Recorded,
        evidence: None,
        reading: None,
        signed: None,
    }
}

pub fn person(person: &str, role: &str, org: &str) -> Actor {
    person_in(person, role, org)
}

fn person_in(person: &str, role: &str, org: &str) -> Actor {
    Actor::Person {
        person: person.into(),
        role: role.into(),
        org: org.into(),
        key: None,
    }
}
