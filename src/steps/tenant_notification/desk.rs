//! The desk at which letters are written: outbox rows and files in the order that makes each letter
//! happen once, and what an earlier process left on it seen through.
//!
//! In: people with their decisions, batch by batch. Out: rows in the ledger's hand, files.
//!
//! Not here: what a letter says (`paper`), who gets one (`notify`).

use std::collections::BTreeMap;

use super::Everybody;
use super::paper::Paper;
use crate::machine::event::{DatasetCount, FaultKind};
use crate::notify::decide::Reason;
use crate::notify::{Decision, Folder, Recipient};
use crate::orgdb::{Ident, Sql, Value};
use crate::plan::model::TenantNotification;
use crate::steps::hand::Hand;
use crate::steps::register::said;
use crate::steps::{Act, Fault, Output, RunLook};

/// Our table of messages; `copy::ledger` makes it.
pub(super) const OUTBOX: &str = "handover_outbox";

const COLUMNS: [&str; 11] = [
    "run",
    "purpose",
    "org",
    "person",
    "step",
    "batch",
    "reference",
    "channel",
    "state",
    "reason",
    "digest",
];
const STANDING: &str = "SELECT person, reference, step, state, batch, digest \
     FROM handover_outbox WHERE run = ?1 AND purpose = ?2 AND org = ?3";
const COUNTED: &str = "SELECT state, channel, reason, count(*) FROM handover_outbox \
     WHERE run = ?1 AND step = ?2 GROUP BY 1, 2, 3";

/// How many letters and e-mails of the step stand in the outbox.
pub(super) async fn written(act: &Act, step: &TenantNotification) -> Result<u64, Fault> {
    let values = vec![
        act.deed.run.to_string().into(),
        act.deed.step.as_str().into(),
    ];
    let reader = act.look.reader(&step.target)?;
    let groups = reader.rows(Sql::new(COUNTED), values).await?;
    let sent = groups.iter().filter(|row| row[1] != Value::Null);
    let letters: i64 = sent.filter_map(|row| row[3].int()).sum();
    Ok(u64::try_from(letters).unwrap_or(0))
}

/// A row that stands in the outbox.
pub(super) struct Standing {
    reference: String,
    ours: bool,
    planned: bool,
    pub(super) batch: i64,
    digest: String,
}

/// Where letters are written.
pub(super) struct Desk<'a> {
    act: &'a Act,
    step: &'a TenantNotification,
    run: &'a RunLook,
    folder: Folder,
    paper: Paper<'a>,
    hand: Hand<'a>,
}

impl<'a> Desk<'a> {
    pub(super) async fn open(
        act: &'a Act,
        run: &'a RunLook,
        step: &'a TenantNotification,
    ) -> Result<Desk<'a>, Fault> {
        let name = act.look.step().id.as_str();
        Ok(Desk {
            act,
            step,
            run,
            folder: Folder::open(&run.folder, name).map_err(|e| unwritten(&e))?,
            paper: Paper::new(&act.look, step),
            hand: Hand::open(act, &[&step.target]).await?,
        })
    }

    /// Who of this source's register has a row for this purpose in this run, in whichever step.
    pub(super) async fn standing(&self) -> Result<BTreeMap<String, Standing>, Fault> {
        let run = self.run.id.to_string();
        let (purpose, org) = (&*self.step.purpose, &*self.step.source);
        let values = vec![run.into(), purpose.into(), org.into()];
        let reader = self.act.look.reader(&self.step.target)?;
        let mut standing = BTreeMap::new();
        for row in reader.rows(Sql::new(STANDING), values).await? {
            let [person, reference, in_step, state, batch, digest] = row.as_slice() else {
                continue;
            };
            let row = Standing {
                reference: said(reference),
                ours: in_step.text() == Some(self.act.deed.step.as_str()),
                planned: state.text() == Some("planned"),
                batch: batch.int().unwrap_or(0),
                digest: said(digest),
            };
            standing.insert(said(person), row);
        }
        Ok(standing)
    }

    /// One batch: rows, files, rows.
    pub(super) async fn write(
        &mut self,
        batch: i64,
        people: &[(&Recipient, &Decision)],
    ) -> Result<(), Fault> {
        let mut rows = Vec::with_capacity(people.len());
        let mut files = Vec::new();
        for (who, decision) in people {
            let reference = self.reference(&who.person_ref);
            let text = self.paper.text(&reference, who, decision);
            rows.push(self.row(&reference, who, decision, batch, text.as_deref()));
            files.extend(text.map(|text| (reference, text)));
        }
        let columns = COLUMNS.map(Ident::new);
        let mut pen = self
            .hand
            .pen(&self.step.target, "insert:handover_outbox")
            .await?;
        pen.insert(&Ident::new(OUTBOX), &columns, rows).await?;
        self.hand.commit(&self.step.target, pen).await?;
        for (reference, text) in &files {
            self.folder
                .write(reference, text)
                .map_err(|e| unwritten(&e))?;
        }
        let references: Vec<&str> = files
            .iter()
            .map(|(reference, _)| reference.as_str())
            .collect();
        self.settle(batch, &references).await
    }

    /// What an earlier process planned and did not see through.
    pub(super) async fn finish(
        &mut self,
        everybody: &Everybody,
        standing: &BTreeMap<String, Standing>,
    ) -> Result<(), Fault> {
        let now: BTreeMap<&str, (&Recipient, &Decision)> = everybody
            .once()
            .into_iter()
            .map(|one| (one.0.person_ref.as_str(), one))
            .collect();
        let mut batches: BTreeMap<i64, Vec<&str>> = BTreeMap::new();
        let open = standing.iter().filter(|(_, row)| row.ours && row.planned);
        for (person, row) in open {
            if self.resume(row, now.get(person.as_str())).await? {
                batches.entry(row.batch).or_default().push(&row.reference);
            }
        }
        for (batch, references) in batches {
            self.settle(batch, &references).await?;
        }
        Ok(())
    }

    /// Sees one planned letter through; false when it is no longer to be written. A file whose text is
    /// the planned one was written before the crash, and stays as it is.
    async fn resume(
        &mut self,
        row: &Standing,
        now: Option<&(&Recipient, &Decision)>,
    ) -> Result<bool, Fault> {
        let there = self
            .folder
            .read(&row.reference)
            .map_err(|e| unwritten(&e))?;
        if there.is_some_and(|bytes| self.digest(&bytes) == row.digest) {
            return Ok(true);
        }
        let text = now.and_then(|(who, decision)| self.paper.text(&row.reference, who, decision));
        let Some(text) = text else {
            let why = match now {
                Some((_, Decision::ByHand(why))) => ("by-hand", why.code()),
                Some((_, Decision::Nothing(why))) => ("nothing", why.code()),
                _ => ("nothing", "gone-from-register"),
            };
            self.amend(
                row,
                &[
                    ("channel", Value::Null),
                    ("state", why.0.into()),
                    ("reason", why.1.into()),
                ],
            )
            .await?;
            return Ok(false);
        };
        let digest = self.digest(text.as_bytes());
        if digest != row.digest {
            self.amend(row, &[("digest", digest.into())]).await?;
        }
        self.folder
            .write(&row.reference, &text)
            .map_err(|e| unwritten(&e))?;
        Ok(true)
    }

    async fn amend(&mut self, row: &Standing, set: &[(&str, Value)]) -> Result<(), Fault> {
        let key = [(Ident::new("reference"), row.reference.as_str().into())];
        let set = set
            .iter()
            .map(|(column, value)| (Ident::new(column), value.clone()));
        let set: Vec<(Ident, Value)> = set.collect();
        let mut pen = self
            .hand
            .pen(&self.step.target, "update:handover_outbox")
            .await?;
        pen.update(&Ident::new(OUTBOX), &key, &set).await?;
        self.hand.commit(&self.step.target, pen).await
    }

    /// Makes the files durable, then says so in their rows.
    async fn settle(&mut self, batch: i64, references: &[&str]) -> Result<(), Fault> {
        if references.is_empty() {
            return Ok(());
        }
        self.folder.settle(references).map_err(|e| unwritten(&e))?;
        let key = [
            ("run", Value::from(self.run.id.to_string())),
            ("step", self.act.deed.step.as_str().into()),
            ("batch", batch.into()),
            ("state", "planned".into()),
        ]
        .map(|(column, value)| (Ident::new(column), value));
        let set = [(Ident::new("state"), Value::from("written"))];
        let mut pen = self
            .hand
            .pen(&self.step.target, "update:handover_outbox")
            .await?;
        pen.update(&Ident::new(OUTBOX), &key, &set).await?;
        self.hand.commit(&self.step.target, pen).await
    }

    fn row(
        &self,
        reference: &str,
        who: &Recipient,
        decision: &Decision,
        batch: i64,
        text: Option<&str>,
    ) -> Vec<Value> {
        let (channel, state, reason) = match decision {
            Decision::Letter { why, .. } => (Some("letter"), "planned", why.map(Reason::code)),
            Decision::Email { .. } => (Some("email"), "planned", None),
            Decision::ByHand(why) => (None, "by-hand", Some(why.code())),
            Decision::Nothing(why) => (None, "nothing", Some(why.code())),
        };
        vec![
            self.run.id.to_string().into(),
            (&*self.step.purpose).into(),
            (&*self.step.source).into(),
            who.person_ref.as_str().into(),
            self.act.deed.step.as_str().into(),
            batch.into(),
            reference.into(),
            channel.into(),
            state.into(),
            reason.into(),
            text.map(|text| self.digest(text.as_bytes())).into(),
        ]
    }

    /// The same for the same person, purpose, step and run, and telling nothing of any of them.
    fn reference(&self, person: &str) -> String {
        let run = self.run.id.to_string();
        let parts = [
            run.as_str(),
            self.act.deed.step.as_str(),
            person,
            &self.step.purpose,
        ];
        let mut message = Vec::new();
        for part in parts {
            message.extend((part.len() as u64).to_be_bytes());
            message.extend(part.as_bytes());
        }
        let digest = self
            .run
            .key
            .keyed("outbox/reference/v1", &message)
            .to_string();
        digest[..32].to_owned()
    }

    fn digest(&self, bytes: &[u8]) -> String {
        self.run.key.keyed("outbox/text/v1", bytes).to_string()
    }

    /// Counts as the outbox itself has them.
    pub(super) async fn done(self, rejected: u64) -> Result<Output, Fault> {
        let target = &self.step.target;
        let values = vec![
            self.run.id.to_string().into(),
            self.act.deed.step.as_str().into(),
        ];
        let reader = self.act.look.reader(target)?;
        let root = self.hand.root(target);
        let mut counts: BTreeMap<String, DatasetCount> = BTreeMap::new();
        for row in reader.rows(Sql::new(COUNTED), values).await? {
            let people = u64::try_from(row[3].int().unwrap_or(0)).unwrap_or(0);
            let channel = said(&row[1]);
            let written = !channel.is_empty();
            let name = if written {
                channel
            } else {
                format!("{}/{}", said(&row[0]), said(&row[2]))
            };
            let count = counts.entry(name.clone()).or_insert_with(|| DatasetCount {
                dataset: name.as_str().into(),
                org: Some(target.clone()),
                rows: 0,
                rejected: 0,
                filtered: 0,
                merged: 0,
                pence: None,
                root,
            });
            if written {
                count.rows += people;
            } else {
                count.filtered += people;
            }
        }
        let mut outputs: Vec<DatasetCount> = counts.into_values().collect();
        if rejected > 0 {
            outputs.push(DatasetCount {
                dataset: "recipient".into(),
                org: Some(target.clone()),
                rows: 0,
                rejected,
                filtered: 0,
                merged: 0,
                pence: None,
                root,
            });
        }
        Ok(Output::Done {
            outputs,
            effects: self.hand.effects(),
            checks: Vec::new(),
        })
    }
}

fn unwritten(fault: &std::io::Error) -> Fault {
    let passing = matches!(
        fault.kind(),
        std::io::ErrorKind::Interrupted | std::io::ErrorKind::TimedOut
    );
    let says = format!(
        "letters cannot be written beside the run ({})",
        fault.kind()
    );
    Fault {
        kind: if passing {
            FaultKind::Transient
        } else {
            FaultKind::Refused
        },
        ..Fault::refused("HO536", "outbox", 0, says)
            .help("make room or give the right to write there")
    }
}
