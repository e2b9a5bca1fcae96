//! A run of a demo's folder, played on inside the test as far as a step, with the demo's people answering.

use std::sync::OnceLock;

use handover::demo::generate::World;
use handover::demo::people::{self, Registers};
use handover::journal::Journal;
use handover::orgdb::Address;
use handover::plan::outline::StepId;
use handover::run::connect::Addresses;
use handover::run::{Clock, Site};

use super::stage::{Stage, begun_unbroken};

/// A run whose source is frozen: the next thing is to copy. Made once; every test copies it.
pub(super) fn frozen() -> &'static Stage {
    static FROZEN: OnceLock<Stage> = OnceLock::new();
    FROZEN.get_or_init(|| {
        let stage = begun_unbroken().copy();
        played_to(&stage, "freeze");
        stage
    })
}

/// The same after every council's copy; nothing is verified yet at the last of them.
pub(super) fn copied() -> &'static Stage {
    static COPIED: OnceLock<Stage> = OnceLock::new();
    COPIED.get_or_init(|| {
        let stage = frozen().copy();
        played_to(&stage, "copy-homes/thanet");
        stage
    })
}

/// Plays a stage's run on until `step` has finished: the binary works, so that nobody is left at work
/// here when it is copied.
pub(super) fn played_to(stage: &Stage, step: &str) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let step = StepId::from(step);
    loop {
        let said = stage.tell(&["run", ".", "--until", step.as_str()]);
        if runtime.block_on(answered(stage, &step)) {
            return;
        }
        said.is(4, &[]);
    }
}

/// Lets people answer whatever the run waits for; true when `until` has finished.
async fn answered(stage: &Stage, until: &StepId) -> bool {
    let mut site = site(stage).await;
    let done = site.run.state(until).unwrap().finished();
    if !done {
        let clock = Clock::made_up(site.run.head().unwrap().when.as_at.moment());
        let registers = registers(stage);
        let answer = people::answer(site, &clock, Some(&registers), None);
        let (answered, words) = answer.await.unwrap();
        assert!(words > 0, "nobody can go on");
        site = answered;
    }
    site.journal.close().await.unwrap();
    done
}

/// Where the demo's databases are.
pub(super) fn addresses(stage: &Stage) -> Addresses {
    let data = stage.path.join("data");
    let codes = ["ekh", "canterbury", "dover", "folkestone-hythe", "thanet"];
    codes
        .map(|code| {
            (
                code.into(),
                Address::Sqlite(data.join(format!("{code}.db"))),
            )
        })
        .into_iter()
        .collect()
}

/// Where its invented people look things up.
pub(super) fn registers(stage: &Stage) -> Registers {
    let world: World = serde_json::from_value(stage.plan.into()).unwrap();
    let targets = world.targets().iter();
    Registers {
        data: stage.path.join("data"),
        owners: targets
            .map(|target| (target.code.to_owned(), target.owner.to_owned()))
            .collect(),
    }
}

/// Its run, as the journal tells it.
pub(super) async fn site(stage: &Stage) -> Site {
    let mut journal = Journal::open(&stage.path.join(".handover/journal.db"))
        .await
        .unwrap();
    let head = journal.runs().await.unwrap().pop().unwrap();
    Site::open(journal, head).await.unwrap()
}
