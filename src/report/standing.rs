//! Where steps stand, in the eight words that people see, and whom they wait for. Shared by `status`
//! and by the summary of a run at rest.
//!
//! Not here: rest states themselves (`machine`), drawing.

use schemars::JsonSchema;
use serde::Serialize;

use super::ink::Tone;
use super::words::{Dates, listed, some};
use crate::machine::event::Waiting;
use crate::machine::rests::{Awaited, AwaitedWhat, Rest};
use crate::machine::run::Run;
use crate::machine::state::{StepRun, StepState};
use crate::plan::codes;
use crate::plan::map::{Becomes, Map};
use crate::plan::model::{CatchUp, Plan, Seat, StepSpec};
use crate::plan::outline::{OutlineStep, StepId};
use crate::plan::quorum::Quorum;

/// Where a step or a phase stands: the fewest words that serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Finished.
    Completed,
    /// Taken back by a rollback.
    Undone,
    /// Something before it is not done.
    CannotStart,
    /// It could start.
    NotStarted,
    /// At work.
    InProgress,
    /// Nothing before a moment.
    WaitingDate,
    /// Somebody's turn.
    WaitingPerson,
    /// Failed, refused or stuck.
    Problem,
}

impl Standing {
    /// The words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Standing::Completed => "Completed",
            Standing::Undone => "Undone",
            Standing::CannotStart => "Cannot start yet",
            Standing::NotStarted => "Not yet started",
            Standing::InProgress => "In progress",
            Standing::WaitingDate => "Waiting for a date",
            Standing::WaitingPerson => "Waiting for a person",
            Standing::Problem => "There is a problem",
        }
    }

    /// How it weighs.
    #[must_use]
    pub fn tone(self) -> Tone {
        match self {
            Standing::Completed => Tone::Good,
            Standing::Problem => Tone::Bad,
            Standing::WaitingDate | Standing::WaitingPerson => Tone::Warn,
            _ => Tone::Quiet,
        }
    }
}

/// Where one step stands.
pub(super) fn standing(run: &Run, step: &OutlineStep, rest: &Rest) -> Standing {
    match rest {
        Rest::Completed => Standing::Completed,
        Rest::Failed { .. } | Rest::Refused(_) | Rest::Stuck(_) => Standing::Problem,
        Rest::Held(Waiting::Date { .. }) => Standing::WaitingDate,
        Rest::Held(_) | Rest::Undecided(_) => Standing::WaitingPerson,
        Rest::Undone => Standing::Undone,
        Rest::Pending => {
            let state = run.state(&step.id).map(|step| step.state);
            if matches!(state, Some(StepState::Running | StepState::Undoing)) {
                return Standing::InProgress;
            }
            let done = |id: &StepId| run.state(id).is_some_and(StepRun::finished);
            if step.after.iter().all(done) {
                Standing::NotStarted
            } else {
                Standing::CannotStart
            }
        }
    }
}

/// A step that did not go well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Problem {
    /// The step.
    #[schemars(with = "String")]
    pub step: StepId,
    /// `FAIL`, `REFUSED` or `STUCK`.
    pub word: String,
    /// A code of `explain`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What happened, in words.
    pub says: String,
    /// How many rows it is about.
    pub rows: u64,
    /// Its own work was taken back.
    pub undone: bool,
    /// Where in the papers: `maps/homes.toml:21`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

impl Problem {
    /// One whole sentence, for ears.
    pub(super) fn sentence(&self) -> String {
        format!("{}, {}: {}.", self.word, self.step, self.facts())
    }

    /// `FAIL copy-homes / thanet  HO511 13 rows …`, without the lead.
    pub(super) fn facts(&self) -> String {
        let code = self.code.as_ref().map(|code| format!("{code} "));
        let rows = match self.rows {
            0 => String::new(),
            rows => format!(" ({})", super::words::many(rows, "row", "rows")),
        };
        let undone = if self.undone {
            "; its own work was taken back"
        } else {
            ""
        };
        let place = self.place.as_ref().map(|place| format!(", see {place}"));
        format!(
            "{}{}{rows}{undone}{}",
            code.unwrap_or_default(),
            self.says,
            place.unwrap_or_default()
        )
    }
}

/// Every step that did not go well, in the plan's order.
pub(super) fn problems(run: &Run, plan: &Plan) -> Vec<Problem> {
    let rests = run.rests();
    let each = run.steps().filter_map(|(outline, state)| {
        let rest = rests.steps.get(&outline.id)?;
        let failure = state.failure.as_ref();
        let about = failure.and_then(|failure| failure.about.as_deref());
        let (word, code, undone) = match rest {
            Rest::Failed { code, undone, .. } => ("FAIL", Some(code.to_string()), *undone),
            Rest::Stuck(code) => ("STUCK", code.as_ref().map(ToString::to_string), false),
            Rest::Refused(_) => ("REFUSED", None, false),
            _ => return None,
        };
        let title = code.as_deref().and_then(codes::find).map(|page| page.title);
        let says = match (title, about, word) {
            (Some(title), Some(about), _) => format!("{title}: {about}"),
            (Some(title), None, _) => title.to_owned(),
            (None, Some(about), _) => about.to_owned(),
            (None, None, "REFUSED") => "somebody said no".to_owned(),
            (None, None, _) => "it did not finish".to_owned(),
        };
        Some(Problem {
            step: outline.id.clone(),
            word: word.to_owned(),
            code,
            says,
            rows: failure.map_or(0, |failure| failure.rows),
            undone,
            place: about.and_then(|about| place(plan, &outline.id, about)),
        })
    });
    each.collect()
}

/// The line of the map that `dataset.column` is mapped by: its code list, where it has one.
fn place(plan: &Plan, step: &StepId, about: &str) -> Option<String> {
    let map: &Map = match &plan.step(step)?.does {
        StepSpec::DataCopy(copy) | StepSpec::CatchUp(CatchUp { copy, .. }) => &copy.map,
        StepSpec::StaffTransfer(staff) => &staff.map,
        StepSpec::ContractNovation(contracts) => &contracts.map,
        _ => return None,
    };
    let (dataset, column) = about.split_once('.')?;
    let dataset = map.datasets.iter().find(|set| set.name == dataset)?;
    let column = dataset
        .columns
        .iter()
        .find(|mapped| mapped.into == column)?;
    let place = match &column.becomes {
        Becomes::Code(list) => map
            .codes
            .get(list)
            .map_or(&column.place, |list| &list.place),
        _ => &column.place,
    };
    let text = plan.papers.text(&place.file)?;
    let line = text.get(..place.span.start)?.matches('\n').count() + 1;
    Some(format!("{}:{line}", place.file))
}

/// What sort of thing is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WaitKind {
    /// Decisions or signatures.
    Decisions,
    /// A person's word that something was done.
    Person,
    /// Evidence from outside.
    Evidence,
    /// A moment.
    Date,
    /// An undo by hand.
    ByHand,
    /// Witnesses, to sign a seal.
    Witnesses,
}

/// Somebody or something that is waited for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Wait {
    /// The step; absent for signatures under the paper itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub step: Option<StepId>,
    /// For what sort of thing.
    pub kind: WaitKind,
    /// For whom or what, in words.
    pub says: String,
    /// Since when, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

impl Wait {
    /// One whole sentence, for ears.
    pub(super) fn sentence(&self) -> String {
        let step = self.step.as_ref().map_or("The paper", |step| step.as_str());
        let since = self.since.as_ref();
        let since = since.map_or(String::new(), |at| format!(", asked {at}"));
        format!("{step} waits for {}{since}.", self.says)
    }
}

/// Whom a run waits for, in the plan's order; problems are told apart from it.
pub(super) fn waits(run: &Run, plan: &Plan, dates: &Dates) -> Vec<Wait> {
    let waiting = run.waiting().into_iter();
    let each = waiting.filter_map(|awaited| {
        let (kind, says) = awaited_words(&awaited, plan, dates)?;
        Some(Wait {
            since: awaited.since.map(|since| dates.short(since.as_at.moment())),
            step: awaited.step,
            kind,
            says,
        })
    });
    each.collect()
}

fn awaited_words(awaited: &Awaited, plan: &Plan, dates: &Dates) -> Option<(WaitKind, String)> {
    Some(match &awaited.what {
        AwaitedWhat::Mend => return None,
        AwaitedWhat::Decisions(seats) => {
            let who: Vec<String> = seats.iter().map(|seat| seat_words(plan, seat)).collect();
            let what = match awaited.step {
                Some(_) => some(seats.len(), "decision", "decisions"),
                None => some(seats.len(), "signature", "signatures"),
            };
            (WaitKind::Decisions, format!("{what}: {}", listed(&who)))
        }
        AwaitedWhat::Hold(Waiting::Date { until }) => {
            (WaitKind::Date, dates.moment(until.moment()))
        }
        AwaitedWhat::Hold(Waiting::Person { seat }) => {
            let who = seat_words(plan, seat);
            (WaitKind::Person, format!("{who} to say that it is done"))
        }
        AwaitedWhat::Hold(Waiting::Evidence {
            seat,
            what,
            missing,
        }) => {
            let who = seat_words(plan, seat);
            (WaitKind::Evidence, format!("{missing} {what} from {who}"))
        }
        AwaitedWhat::Hold(Waiting::Seal { size }) => {
            let whose = plan.outline.trust.as_ref().map(Quorum::in_words);
            let whose = whose.unwrap_or_else(|| "witnesses".to_owned());
            let says = format!(
                "{whose} to sign a seal of the first {size} entries (handover witness request RUN \
                 writes the file to send them)"
            );
            (WaitKind::Witnesses, says)
        }
        AwaitedWhat::ByHand(words) => {
            let says = format!("a person to undo it and attest that: {words}");
            (WaitKind::ByHand, says)
        }
    })
}

/// `Head of housing, Thanet (J Marsh)`: titles from the plan, names where the plan was read with them.
pub(super) fn seat_words(plan: &Plan, seat: &Seat) -> String {
    let title = plan.roles.get(&seat.role);
    let title = title.map_or_else(|| seat.role.to_string(), |role| role.title.clone());
    let org = seat.org.as_deref().map(|org| match plan.org_name(org) {
        "" => org.to_owned(),
        name => name.to_owned(),
    });
    let holders = plan.people.iter().filter(|person| {
        person.roles.contains(&seat.role)
            && seat.org.as_ref().is_none_or(|org| *org == person.org)
            && !person.name.is_empty()
    });
    let names: Vec<&str> = holders.map(|person| person.name.as_str()).collect();
    let place = org.map_or(title.clone(), |org| format!("{title}, {org}"));
    match names.as_slice() {
        [] => place,
        names => format!("{place} ({})", listed(names)),
    }
}

/// What a rehearsal did without: yeses that a live run needs signed. Nothing where there are none.
pub(super) fn unsigned(count: u64) -> Option<String> {
    let decisions = super::words::many(count, "decision", "decisions");
    let says = format!("{decisions} that a live run needs signed: only recorded");
    (count > 0).then_some(says)
}
