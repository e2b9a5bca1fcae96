//! What people say to a run: decisions, answers to holds, evidence. Their words are kept beside the
//! run; the log holds who, what about, and a digest.
//!
//! Not here: signing previews (`preview::sign`), whether a word counts (`machine`).

use super::approvals::{self, ProofFault};
use super::folder::{EVIDENCE, STATEMENTS};
use super::session::Session;
use super::site::SiteFault;
use super::who::Who;
use crate::machine::event::{
    Answer, Decision, Event, FaultKind, HoldAnswered, Method, On, Waiting,
};
use crate::machine::run::Run;
use crate::machine::state::StepState;
use crate::plan::digest::Digest;
use crate::plan::model::Code;
use crate::plan::outline::{Gate, StepId};
use crate::preview::sign::Statement;
use crate::signature::Proof;

/// What somebody means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// Yes, done, here it is, try again: whatever the step waits for.
    Yes,
    /// No.
    No,
    /// What was decided before no longer counts.
    Revoke,
    /// A step was undone by hand.
    Undone,
}

/// Somebody's word about a step.
#[derive(Debug, Clone)]
pub struct Word<'a> {
    /// Whose.
    pub who: Who,
    /// What they mean.
    pub means: Meaning,
    /// Why, in their words.
    pub reason: &'a str,
    /// A file they handed in.
    pub evidence: Option<&'a [u8]>,
    /// Digest of the counts and sums that lay before them, whose lines the journal holds.
    pub reading: Option<Digest>,
    /// What they signed, where they did.
    pub proof: Option<&'a Proof>,
}

/// Why a word cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum WordFault {
    /// The plan has no such step.
    #[error("there is no step called `{0}`")]
    NoStep(String),
    /// The step waits for nothing of the kind.
    #[error("`{step}` {state}: it waits for nobody's word")]
    NotAsked {
        /// The step.
        step: StepId,
        /// Where it stands.
        state: &'static str,
    },
    /// The signature does not prove it.
    #[error("the signature is not taken: {0}")]
    Proof(#[source] ProofFault),
    /// The words could not be kept.
    #[error("the statement could not be kept beside the run")]
    Keep(#[source] std::io::Error),
    /// The journal, or the rules.
    #[error(transparent)]
    Site(#[from] SiteFault),
}

/// What is asked of people at a step now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// Decisions of these roles.
    Decisions(Vec<Code>),
    /// An answer by holders of this role.
    Answer(Answer, Option<Code>),
}

/// What a step asks of people; none where it asks nothing.
#[must_use]
pub fn asked(run: &Run, step: &StepId) -> Option<Asked> {
    let (paper, state) = run.steps().find(|(paper, _)| paper.id == *step)?;
    let held = state.hold.as_ref().map(|hold| &hold.waiting);
    match (state.state, held, &paper.gate) {
        (StepState::Held, Some(Waiting::Evidence { seat, .. }), _) => {
            Some(Asked::Answer(Answer::Evidence, Some(seat.role.clone())))
        }
        (StepState::Failed | StepState::Stuck, _, _) => Some(Asked::Answer(Answer::Retry, None)),
        (StepState::Undone, _, _) if failed_for_good(state) => {
            Some(Asked::Answer(Answer::Retry, None))
        }
        (StepState::Pending | StepState::Undone, _, Gate::Decisions(seats)) => Some(
            Asked::Decisions(seats.iter().map(|seat| seat.role.clone()).collect()),
        ),
        (StepState::Held, Some(Waiting::Person { seat }), _)
        | (StepState::Pending | StepState::Undone, Some(Waiting::Person { seat }), Gate::Done(_)) => {
            Some(Asked::Answer(Answer::Done, Some(seat.role.clone())))
        }
        _ => None,
    }
}

fn failed_for_good(state: &crate::machine::state::StepRun) -> bool {
    state
        .failure
        .as_ref()
        .is_some_and(|failure| failure.kind != FaultKind::Transient)
}

/// Takes a word about a step: keeps what was said, then writes the fact.
///
/// # Errors
/// See [`WordFault`]; nothing is written then.
pub async fn take(
    session: &mut Session<'_>,
    step: &StepId,
    word: &Word<'_>,
) -> Result<(), WordFault> {
    let run = &session.site.run;
    let state = run
        .state(step)
        .ok_or_else(|| WordFault::NoStep(step.to_string()))?;
    let not_asked = WordFault::NotAsked {
        step: step.clone(),
        state: standing(state.state),
    };
    let asked = asked(run, step);
    let on = On::Gate { step: step.clone() };
    let folder = &session.site.folder;
    let evidence = match word.evidence {
        Some(bytes) => Some(folder.keep(EVIDENCE, bytes).map_err(WordFault::Keep)?),
        None => None,
    };
    let statement = keep_statement(session, &on, word, evidence)?;
    let mut actor = word.who.actor();
    let mut decision = Decision {
        on,
        statement,
        method: Method::Recorded,
        evidence,
        reading: word.reading,
        signed: None,
    };
    if let Some(proof) = word.proof {
        if matches!(asked, Some(Asked::Answer(..))) {
            return Err(WordFault::Proof(ProofFault::NoDecision));
        }
        let who = (&word.who, word.means);
        let proven = approvals::proven(&mut session.site, decision, who, proof).await;
        let key;
        (decision, key) = proven.map_err(WordFault::Proof)?;
        actor = word.who.with_key(key);
    }
    let answer = |answer| {
        Event::HoldAnswered(HoldAnswered {
            answer,
            statement,
            evidence,
        })
    };
    let event = match (word.means, asked) {
        (Meaning::Undone, _) => answer(Answer::Undone),
        (Meaning::Revoke, _) => Event::ApprovalRevoked(decision),
        (Meaning::No, Some(Asked::Decisions(_))) => Event::ApprovalRefused(decision),
        (Meaning::Yes, Some(Asked::Decisions(_))) => Event::ApprovalGranted(decision),
        (Meaning::Yes, Some(Asked::Answer(what, _))) => answer(what),
        (Meaning::No, Some(Asked::Answer(..))) | (Meaning::Yes | Meaning::No, None) => {
            return Err(not_asked);
        }
    };
    let about = session.site.run.about(step);
    let draft = crate::journal::Draft {
        about,
        actor,
        event,
    };
    session.append(vec![draft]).await?;
    Ok(())
}

fn keep_statement(
    session: &Session<'_>,
    on: &On,
    word: &Word<'_>,
    evidence: Option<Digest>,
) -> Result<Digest, WordFault> {
    let statement = Statement {
        decision: match word.means {
            Meaning::Yes => "granted",
            Meaning::No => "refused",
            Meaning::Revoke => "revoked",
            Meaning::Undone => "undone",
        },
        on,
        person: &word.who.person,
        role: &word.who.role,
        org: &word.who.org,
        reason: word.reason,
        at: session.clock.now().moment(),
        evidence,
    };
    let bytes = statement.bytes();
    session
        .site
        .folder
        .keep(STATEMENTS, &bytes)
        .map_err(WordFault::Keep)
}

fn standing(state: StepState) -> &'static str {
    match state {
        StepState::Pending => "has not been asked for yet",
        StepState::Running => "is running",
        StepState::Held => "is held",
        StepState::Committed => "is done",
        StepState::Failed => "failed",
        StepState::Skipped => "was left out",
        StepState::Undoing => "is being undone",
        StepState::Undone => "is undone",
        StepState::Stuck => "is stuck",
    }
}
