//! What a rollback to a checkpoint would do, read without writing: undone in which order, what stays
//! done and why, what a person must do, which rows changed since, which decisions lapse.
//!
//! Its digest is what people sign and what `rollback.started` names.
//!
//! Not here: which steps those are (`machine`), undoing them (`run`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::look::{LookFault, Moment};
use super::model::{FORMAT, FileFault, SeatShape, Signature, read, written};
use super::timetable::Rehearsed;
use crate::copy::ledger::Deed;
use crate::copy::undo::Undone;
use crate::machine::event::{ClockKind, On, UndoMode};
use crate::machine::gate::EYES;
use crate::machine::rollback::{RollbackPlan, Stay};
use crate::machine::run::Run;
use crate::orgdb::OrgReader;
use crate::plan::digest::Digest;
use crate::plan::model::{Code, Plan, Seat};
use crate::plan::outline::{StepId, Subject};
use crate::steps::{self, Look, RunLook};

/// A rollback read and not begun; the file of `rollback --preview --out`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackPreview {
    /// [`FORMAT`].
    pub format: u32,
    /// The run.
    #[schemars(with = "String")]
    pub run: Uuid,
    /// The paper in force.
    #[schemars(with = "String")]
    pub paper: Digest,
    /// The plan's short name.
    #[schemars(with = "String")]
    pub plan: Code,
    /// What people call the transfer.
    pub title: String,
    /// Made-up clocks say *rehearsal* in every output.
    #[schemars(with = "String")]
    pub clock: ClockKind,
    /// The plan's time at which databases were read.
    #[schemars(with = "String")]
    pub read_at: Timestamp,
    /// The time zone that people read dates in.
    pub timezone: String,
    /// The checkpoint's number.
    pub checkpoint: u64,
    /// The step whose finishing made the checkpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub made_by: Option<StepId>,
    /// Steps in the checkpoint.
    #[schemars(with = "Vec<String>")]
    pub keeps: Vec<StepId>,
    /// How rows changed since would be treated.
    #[schemars(with = "String")]
    pub mode: UndoMode,
    /// What would be undone, in order.
    pub undoes: Vec<UndoSaid>,
    /// What stays done beyond the checkpoint.
    pub stays: Vec<StaySaid>,
    /// Reads, waits and decisions that will have to be done again.
    #[schemars(with = "Vec<String>")]
    pub again: Vec<StepId>,
    /// Decisions that become void.
    pub voids: Vec<VoidSaid>,
    /// What organisations are called.
    #[schemars(with = "BTreeMap<String, String>")]
    pub orgs: BTreeMap<Code, String>,
    /// Seconds that undoing these steps took in a rehearsal; absent: not rehearsed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rehearsed_s: Option<u64>,
    /// How many different people must sign before it is carried out.
    pub needs: usize,
    /// Whose signatures count.
    #[schemars(with = "Vec<SeatShape>")]
    pub seats: Vec<Seat>,
    /// Who has signed.
    pub signatures: Vec<Signature>,
}

/// One step that would be undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UndoSaid {
    /// The step.
    #[schemars(with = "String")]
    pub step: StepId,
    /// Its kind.
    pub kind: String,
    /// The organisation it stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub org: Option<Code>,
    /// Rows that would be taken out.
    pub removes: u64,
    /// Rows that would be put back.
    pub restores: u64,
    /// Rows that somebody changed since.
    pub changed: Vec<ChangedRows>,
    /// Tables of a server that nobody else may write to while it is undone.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub shuts: BTreeSet<String>,
}

/// Rows that somebody changed since the run wrote them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangedRows {
    /// The table.
    pub table: String,
    /// `edited`, `deleted`, `has children`.
    pub class: String,
    /// How many.
    pub rows: u64,
}

/// A step that stays done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StaySaid {
    /// The step.
    #[schemars(with = "String")]
    pub step: StepId,
    /// Its kind.
    pub kind: String,
    /// Why it stays.
    pub why: Why,
}

/// Why a step stays done in a rollback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// Nobody can take it back.
    Cannot,
    /// A person does, and attests it; the words say what.
    ByHand(String),
    /// A step that cannot be taken back closed its subject.
    Closed(#[schemars(with = "String")] Subject),
}

/// A decision that becomes void.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VoidSaid {
    /// Its entry.
    pub entry: u64,
    /// The gate it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub step: Option<StepId>,
}

impl RollbackPreview {
    /// Whether the way back is still the one that was reviewed: the same steps are undone, the same stay,
    /// the same decisions are void.
    #[must_use]
    pub fn still(&self, plan: &Plan, run: &Run, way: &RollbackPlan) -> bool {
        let undoes = self.undoes.iter().map(|said| &said.step);
        self.paper == plan.fingerprint()
            && undoes.eq(&way.undoes)
            && self.stays == stays(plan, way)
            && self.voids == voids(run, &way.void)
    }

    /// Reads a rollback preview file and checks that nothing signed in it was edited.
    ///
    /// # Errors
    /// See [`FileFault`].
    pub fn read(bytes: &[u8]) -> Result<RollbackPreview, FileFault> {
        let preview: RollbackPreview = read(bytes)?;
        super::sign::unedited(&preview.signatures, super::sign::rollback)?;
        preview.adds_up().ok_or(FileFault::Numbers)?;
        let digest = preview.digest();
        let other = preview
            .signatures
            .iter()
            .find(|signature| signature.signed != digest);
        match other {
            Some(signature) => Err(FileFault::Edited {
                person: signature.person.clone(),
            }),
            None => Ok(preview),
        }
    }

    /// All its numbers together, where they are one that can be counted: whoever sums some needs to ask no more.
    fn adds_up(&self) -> Option<u64> {
        let changed = self.undoes.iter().flat_map(|undo| &undo.changed);
        let rows = self
            .undoes
            .iter()
            .flat_map(|undo| [undo.removes, undo.restores]);
        let mut rows = rows.chain(changed.map(|changed| changed.rows));
        rows.try_fold(0, u64::checked_add)
    }

    /// The bytes of the file.
    ///
    /// # Errors
    /// When a value cannot be JSON: a bug.
    pub fn write(&self) -> Result<Vec<u8>, serde_json::Error> {
        written(self)
    }

    /// What people sign: SHA-256 over everything but the signatures, as RFC 8785 JSON.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let unsigned = RollbackPreview {
            signatures: Vec::new(),
            ..self.clone()
        };
        // Texts, numbers and moments: always JSON. The empty digest would agree with nothing.
        serde_json_canonicalizer::to_vec(&unsigned).map_or(Digest::ZERO, |bytes| Digest::of(&bytes))
    }

    /// How many rows somebody changed since.
    #[must_use]
    pub fn changed(&self) -> u64 {
        let changed = self.undoes.iter().flat_map(|undo| &undo.changed);
        changed.map(|rows| rows.rows).sum()
    }

    /// Steps that a person must take back and attest.
    pub fn by_hand(&self) -> impl Iterator<Item = (&StaySaid, &str)> {
        self.stays.iter().filter_map(|stay| match &stay.why {
            Why::ByHand(words) => Some((stay, words.as_str())),
            Why::Cannot | Why::Closed(_) => None,
        })
    }

    /// How many signatures are missing.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.needs.saturating_sub(self.signatures.len())
    }
}

/// What a rollback is looked at with.
#[derive(Clone)]
pub struct RollbackLook {
    /// The paper in force.
    pub plan: Arc<Plan>,
    /// The run.
    pub run: RunLook,
    /// Read-only connections.
    pub readers: Arc<BTreeMap<Code, OrgReader>>,
    /// When.
    pub moment: Moment,
    /// How rows changed since would be treated.
    pub mode: UndoMode,
}

/// Steps that are looked at together: copies to different targets are, and read a file each.
const SIDE_BY_SIDE: usize = 4;

/// Looks at the way back that the machine found. Nothing is written anywhere.
///
/// # Errors
/// When a database cannot be used.
pub async fn look_rollback(
    with: &RollbackLook,
    run: &Run,
    way: &RollbackPlan,
    rehearsed: Option<&Rehearsed>,
) -> Result<RollbackPreview, LookFault> {
    let plan = &with.plan;
    let looks = stream::iter(&way.undoes).map(|id| undo(with, id));
    let looks: Vec<Option<UndoSaid>> = looks.buffered(SIDE_BY_SIDE).try_collect().await?;
    let undoes = looks.into_iter().flatten().collect();
    let timed = rehearsed.and_then(|rehearsed| rehearsed.undo_of(way.undoes.iter()));
    Ok(RollbackPreview {
        format: FORMAT,
        run: with.run.id,
        paper: plan.fingerprint(),
        plan: plan.name.clone(),
        title: plan.title.clone(),
        clock: with.moment.clock,
        read_at: with.moment.as_at,
        timezone: plan
            .timezone
            .iana_name()
            .unwrap_or("Europe/London")
            .to_owned(),
        checkpoint: way.checkpoint.number,
        made_by: way.checkpoint.step.clone(),
        keeps: way.keeps.clone(),
        mode: with.mode,
        undoes,
        stays: stays(plan, way),
        again: way.again.clone(),
        voids: voids(run, &way.void),
        orgs: plan
            .orgs
            .iter()
            .map(|(code, org)| (code.clone(), org.name.clone()))
            .collect(),
        rehearsed_s: timed,
        needs: EYES.min(plan.signed_by.len()),
        seats: plan.signed_by.clone(),
        signatures: Vec::new(),
    })
}

async fn undo(with: &RollbackLook, id: &StepId) -> Result<Option<UndoSaid>, LookFault> {
    let Some(&at) = with.plan.outline.index.get(id) else {
        return Ok(None);
    };
    let step = &with.plan.steps[at];
    let look = Look {
        plan: with.plan.clone(),
        step: at,
        readers: with.readers.clone(),
        as_at: with.moment.as_at,
        run: Some(with.run.clone()),
    };
    // Epoch and head are for writers; a look compares neither.
    let deed = Deed {
        run: with.run.id,
        step: id.clone(),
        generation: with.run.generations.get(id).copied().unwrap_or(1),
        epoch: 0,
        log_seq: 0,
        key: with.run.key.clone(),
    };
    let mut found = steps::undo_preview(&look, &deed)
        .await
        .map_err(|fault| LookFault::Step {
            step: id.clone(),
            fault,
        })?;
    Ok(Some(UndoSaid {
        step: id.clone(),
        kind: step.does.kind().to_owned(),
        org: step.org.clone(),
        removes: found.removed,
        restores: found.restored,
        shuts: std::mem::take(&mut found.shuts),
        changed: changed(found),
    }))
}

/// Rows changed since, the same table and class of several databases added up.
fn changed(found: Undone) -> Vec<ChangedRows> {
    let mut sums: BTreeMap<(String, &str), u64> = BTreeMap::new();
    for (table, class, rows) in found.changed {
        *sums.entry((table, class)).or_default() += rows;
    }
    let each = sums.into_iter().map(|((table, class), rows)| ChangedRows {
        table,
        class: class.to_owned(),
        rows,
    });
    each.collect()
}

fn stays(plan: &Plan, way: &RollbackPlan) -> Vec<StaySaid> {
    let said = |(step, stay): &(StepId, Stay)| {
        Some(StaySaid {
            step: step.clone(),
            kind: plan.step(step)?.does.kind().to_owned(),
            why: match stay {
                Stay::Cannot => Why::Cannot,
                Stay::ByHand(words) => Why::ByHand(words.clone()),
                Stay::Closed(subject) => Why::Closed(*subject),
            },
        })
    };
    way.stays.iter().filter_map(said).collect()
}

/// Decisions by their entries, with the gates they are about.
fn voids(run: &Run, entries: &[u64]) -> Vec<VoidSaid> {
    let gate = |entry: u64| {
        let (_, decided) = run.decisions().find(|(seq, _)| *seq == entry)?;
        match &decided.on {
            On::Gate { step } => Some(step.clone()),
            On::Paper { .. } | On::Rollback { .. } => None,
        }
    };
    let said = entries.iter().map(|&entry| VoidSaid {
        entry,
        step: gate(entry),
    });
    said.collect()
}
