//! `tenant-notification`: a row per person and purpose in the target's outbox, with the reason where
//! nobody is written to, and one file beside the run for each letter or e-mail.
//!
//! Nobody is written to twice in a run for one purpose, whatever is killed when: the row comes first
//! (`planned`), then the file, then the row says `written`. What was planned before a crash is
//! finished: a file that is there whole is left as it is.
//!
//! In: recipients through the map, the template. Out: rows of `handover_outbox` (a reference and no
//! name), files for the owner's eyes.
//!
//! Not here: the rules (`notify`), sending.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;

use super::hand::Hand;
use super::register::said;
use super::{Act, Fault, Finding, Forecast, Look, Output, RunLook, shape, undoing};
use crate::copy::look::{Counts, Mapped, Route, mapped_rows};
use crate::machine::event::{DatasetCount, FaultKind, UndoCommitted, UndoMode};
use crate::notify::decide::Reason;
use crate::notify::{Decision, Folder, Recipient, Template, decide_all, recipient};
use crate::orgdb::{Ident, OrgReader, Sql, Value};
use crate::plan::map::Dataset;
use crate::plan::model::{Code, OrgKind, TenantNotification};
use crate::plan::outline::Undo;

const BATCH: usize = 1_000;
const OUTBOX: &str = "handover_outbox";

const COLUMNS: [&str; 10] = [
    "run",
    "purpose",
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
     FROM handover_outbox WHERE run = ?1 AND purpose = ?2";
const COUNTED: &str = "SELECT state, channel, reason, count(*) FROM handover_outbox \
     WHERE run = ?1 AND step = ?2 GROUP BY 1, 2, 3";

/// What a template may say about the recipient and the transfer.
const FIELDS: [&str; 22] = [
    "name",
    "title",
    "forename",
    "surname",
    "address",
    "address_line_1",
    "address_line_2",
    "address_line_3",
    "address_line_4",
    "address_line_5",
    "address_line_6",
    "address_line_7",
    "postcode",
    "tenancy_ref",
    "reference",
    "council",
    "almo",
    "landlord",
    "old_manager",
    "new_manager",
    "handover",
    "date",
];

pub(super) async fn check(look: &Look, step: &TenantNotification) -> Result<Vec<Finding>, Fault> {
    let mut found = unknown_fields(step);
    let Some(dataset) = dataset(step) else {
        let says = format!("`{}` has no `[table.recipient]`", step.recipients.path);
        found.push(Finding::stop("HO526", "recipient", says).help("say there who is written to"));
        return Ok(found);
    };
    let source = look.reader(&step.source)?.catalogue().await?;
    found.extend(shape::at_source(&step.recipients, &[dataset], &source));
    found.extend(unsaid(dataset));
    Ok(found)
}

pub(super) async fn preview(look: &Look, step: &TenantNotification) -> Result<Forecast, Fault> {
    let Some(dataset) = dataset(step) else {
        return Ok(Forecast::default());
    };
    let everybody = Everybody::read(look, step, dataset).await?;
    let mut counts = Counts::default();
    let (mut letters, mut emails) = (0, 0);
    for (_, decision) in everybody.once() {
        match decision {
            Decision::Letter { .. } => letters += 1,
            Decision::Email { .. } => emails += 1,
            Decision::ByHand(why) => {
                *counts
                    .filtered
                    .entry(format!("by-hand/{}", why.code()))
                    .or_default() += 1;
            }
            Decision::Nothing(why) => {
                *counts
                    .filtered
                    .entry(format!("nothing/{}", why.code()))
                    .or_default() += 1;
            }
        }
    }
    counts.copied = letters + emails;
    counts.rejected.clone_from(&everybody.rejected);
    let line = match emails {
        0 => format!("{letters} letters"),
        _ => format!("{letters} letters, {emails} e-mails"),
    };
    Ok(Forecast {
        line,
        counts: BTreeMap::from([(
            step.target.clone(),
            BTreeMap::from([("recipient".to_owned(), counts)]),
        )]),
        ..Forecast::default()
    })
}

pub(super) async fn run(act: &Act, step: &TenantNotification) -> Result<Output, Fault> {
    let look = &act.look;
    let (Some(run), Some(dataset)) = (&look.run, dataset(step)) else {
        let says = "letters are written by a run, and nothing else".to_owned();
        return Err(Fault::broken("HO526", "recipient", says));
    };
    let everybody = Everybody::read(look, step, dataset).await?;
    let mut desk = Desk {
        act,
        step,
        run,
        folder: Folder::open(&run.folder, look.step().id.as_str()).map_err(|e| unwritten(&e))?,
        template: Template::new(&step.text),
        hand: Hand::open(act, &[&step.target]).await?,
    };
    let name = look.step().id.as_str();
    let standing = standing(look.reader(&step.target)?, run, step, name).await?;
    desk.finish(&everybody, &standing).await?;

    let known = |person: &str| standing.contains_key(person);
    let new: Vec<(&Recipient, &Decision)> = everybody
        .once()
        .into_iter()
        .filter(|(who, _)| !known(&who.person_ref))
        .collect();
    let last = standing.values().map(|row| row.batch).max().unwrap_or(0);
    for (batch, people) in (last + 1..).zip(new.chunks(BATCH)) {
        desk.write(batch, people).await?;
    }
    desk.done(everybody.rejected.values().sum()).await
}

/// A letter that was written cannot be unwritten: by hand, once there is one.
pub(super) async fn undo(
    act: &Act,
    step: &TenantNotification,
    mode: UndoMode,
) -> Result<UndoCommitted, Fault> {
    let hand = Hand::open(act, &[&step.target]).await?;
    if hand.effects() == 0 {
        return Ok(undoing::nothing(mode));
    }
    let values = vec![
        act.deed.run.to_string().into(),
        act.deed.step.as_str().into(),
    ];
    let reader = act.look.reader(&step.target)?;
    let groups = reader.rows(Sql::new(COUNTED), values).await?;
    let sent = groups.iter().filter(|row| row[1] != Value::Null);
    let letters = u64::try_from(sent.filter_map(|row| row[3].int()).sum::<i64>()).unwrap_or(0);
    if letters == 0 {
        return undoing::databases(act, &[&step.target], mode).await;
    }
    let remedy = match &act.look.step().undo {
        Undo::ByHand(remedy) => remedy.clone(),
        _ => "send a correction to everybody who was written to".to_owned(),
    };
    let says = format!("{letters} letters are written: only a person takes that back");
    Err(Fault::refused("HO529", OUTBOX, letters, says).help(format!("by hand: {remedy}")))
}

/// Everybody the map finds, each with the decision for them.
struct Everybody {
    people: Vec<Recipient>,
    decisions: Vec<Decision>,
    /// Rows that could not be read as a recipient, by rule code and column.
    rejected: BTreeMap<String, u64>,
}

impl Everybody {
    async fn read(
        look: &Look,
        step: &TenantNotification,
        dataset: &Dataset,
    ) -> Result<Everybody, Fault> {
        let route = Route {
            source: step.source.clone(),
            targets: match step.split {
                Some(_) => look.plan.targets.clone(),
                None => vec![step.target.clone()],
            },
            split: step.split.clone(),
            handover: look.plan.handover,
        };
        let reader = look.reader(&step.source)?;
        let rows = mapped_rows(reader, &step.recipients, dataset, &route, &step.target).await?;
        let mut people = Vec::with_capacity(rows.len());
        let mut rejected: BTreeMap<String, u64> = BTreeMap::new();
        for (_, mapped) in rows {
            match mapped {
                Mapped::Row(values) => {
                    let names = dataset.columns.iter().map(|column| column.into.as_str());
                    people.push(Recipient::new(names.zip(values.iter().map(said))));
                }
                Mapped::Filtered(_) => {}
                Mapped::Rejected { code, column } => {
                    *rejected.entry(format!("{code} {column}")).or_default() += 1;
                }
            }
        }
        let today = look.as_at.to_zoned(look.plan.timezone.clone()).date();
        let adult = today.checked_sub(18.years()).unwrap_or(today).to_string();
        Ok(Everybody {
            decisions: decide_all(&people, step.class, &adult),
            people,
            rejected,
        })
    }

    /// Each person once: in the tenancy for which something is to be done, where there is one.
    fn once(&self) -> Vec<(&Recipient, &Decision)> {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        let mut once: Vec<(&Recipient, &Decision)> = Vec::new();
        for (who, decision) in self.people.iter().zip(&self.decisions) {
            match seen.get(who.person_ref.as_str()) {
                None => {
                    seen.insert(&who.person_ref, once.len());
                    once.push((who, decision));
                }
                Some(at) if matches!(once[*at].1, Decision::Nothing(_)) => {
                    once[*at] = (who, decision);
                }
                Some(_) => {}
            }
        }
        once
    }
}

/// A row that stands in the outbox.
struct Standing {
    reference: String,
    ours: bool,
    planned: bool,
    batch: i64,
    digest: String,
}

/// Where letters are written.
struct Desk<'a> {
    act: &'a Act,
    step: &'a TenantNotification,
    run: &'a RunLook,
    folder: Folder,
    template: Template,
    hand: Hand<'a>,
}

impl Desk<'_> {
    /// One batch: rows, files, rows.
    async fn write(&mut self, batch: i64, people: &[(&Recipient, &Decision)]) -> Result<(), Fault> {
        let mut rows = Vec::with_capacity(people.len());
        let mut files = Vec::new();
        for (who, decision) in people {
            let reference = self.reference(&who.person_ref);
            let text = self.text(&reference, who, decision);
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
    async fn finish(
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
        let text = now.and_then(|(who, decision)| self.text(&row.reference, who, decision));
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

    /// The whole file, where there is something to write. An address that the template does not
    /// place stands above the letter.
    fn text(&self, reference: &str, who: &Recipient, decision: &Decision) -> Option<String> {
        let fields = self.template.fields();
        let placed = fields.iter().any(|field| field.starts_with("address"));
        let (values, head) = match decision {
            Decision::Letter { to, address, .. } => {
                let lines: Vec<&str> = std::iter::once(to.as_str())
                    .chain(address.lines.iter().map(String::as_str))
                    .collect();
                let mut values = self.values(reference, who, to);
                values.insert("address", lines[1..].join(", "));
                values.insert("postcode", address.postcode.clone());
                values.extend(numbered(&lines, &fields));
                let head = format!("{}\n{}\n\n", lines.join("\n"), address.postcode);
                (values, if placed { String::new() } else { head })
            }
            Decision::Email { to, address } => {
                let values = self.values(reference, who, to);
                (values, format!("{to}\n{address}\n\n"))
            }
            Decision::ByHand(_) | Decision::Nothing(_) => return None,
        };
        Some(head + &self.template.render(&values))
    }

    fn values(&self, reference: &str, who: &Recipient, to: &str) -> BTreeMap<&'static str, String> {
        let plan = &self.act.look.plan;
        let orgs = [&self.step.source, &self.step.target];
        let kind = |kind: OrgKind| {
            let is = |code: &&&Code| plan.orgs.get(&***code).is_some_and(|org| org.kind == kind);
            let org = orgs.iter().find(is);
            org.map_or("", |code| plan.org_name(code)).to_owned()
        };
        let day = |moment: jiff::Timestamp| {
            let zoned = moment.to_zoned(plan.timezone.clone());
            zoned.strftime("%-d %B %Y").to_string()
        };
        BTreeMap::from([
            ("name", to.to_owned()),
            ("title", who.title.clone()),
            ("forename", who.forename.clone()),
            ("surname", who.surname.clone()),
            ("tenancy_ref", who.tenancy_ref.clone()),
            ("reference", reference.to_owned()),
            ("council", kind(OrgKind::Council)),
            ("almo", kind(OrgKind::Almo)),
            ("landlord", kind(OrgKind::Council)),
            ("old_manager", plan.org_name(&self.step.source).to_owned()),
            ("new_manager", plan.org_name(&self.step.target).to_owned()),
            ("handover", day(plan.handover)),
            ("date", day(self.act.look.as_at)),
        ])
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
    async fn done(self, rejected: u64) -> Result<Output, Fault> {
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

/// Who has a row for this purpose in this run, in whichever step.
async fn standing(
    reader: &OrgReader,
    run: &RunLook,
    step: &TenantNotification,
    name: &str,
) -> Result<BTreeMap<String, Standing>, Fault> {
    let values = vec![run.id.to_string().into(), (&*step.purpose).into()];
    let rows = reader.rows(Sql::new(STANDING), values).await?;
    let mut standing = BTreeMap::new();
    for row in rows {
        let [person, reference, in_step, state, batch, digest] = row.as_slice() else {
            continue;
        };
        let row = Standing {
            reference: said(reference),
            ours: in_step.text() == Some(name),
            planned: state.text() == Some("planned"),
            batch: batch.int().unwrap_or(0),
            digest: said(digest),
        };
        standing.insert(said(person), row);
    }
    Ok(standing)
}

/// `address_line_1` and so on: the name and the lines, as many as the template has room for; what is
/// beyond its last one stands on the last one, so that no part of an address is lost.
fn numbered(lines: &[&str], fields: &[&str]) -> Vec<(&'static str, String)> {
    let all = FIELDS
        .iter()
        .filter(|field| field.starts_with("address_line_"));
    let all: Vec<&'static str> = all.copied().collect();
    let last = all
        .iter()
        .rposition(|field| fields.contains(field))
        .unwrap_or(all.len() - 1);
    let values = all.iter().take(last + 1).enumerate().map(|(at, field)| {
        let value = if at == last {
            lines.get(at..).unwrap_or_default().join(", ")
        } else {
            lines.get(at).copied().unwrap_or_default().to_owned()
        };
        (*field, value)
    });
    values.collect()
}

fn dataset(step: &TenantNotification) -> Option<&Dataset> {
    let datasets = &step.recipients.datasets;
    datasets.iter().find(|dataset| dataset.name == "recipient")
}

fn unknown_fields(step: &TenantNotification) -> Vec<Finding> {
    let template = Template::new(&step.text);
    let unknown = template.fields();
    let unknown = unknown.into_iter().filter(|field| !FIELDS.contains(field));
    let findings = unknown.map(|field| {
        let says = format!(
            "`{}` asks for `(({field}))`, which nobody fills",
            step.template
        );
        let about = format!("{}:{field}", step.template);
        Finding::stop("HO525", about, says).help(format!("use one of {}", FIELDS.join(", ")))
    });
    findings.collect()
}

/// Columns without which somebody could be written to who must not be.
fn unsaid(dataset: &Dataset) -> Vec<Finding> {
    let mapped: BTreeSet<&str> = dataset
        .columns
        .iter()
        .map(|one| one.into.as_str())
        .collect();
    let finding = |column: &str, stops: bool| {
        let says = format!("the map does not say what `recipient.{column}` is");
        Finding {
            stops,
            place: Some(dataset.place.clone()),
            ..Finding::stop("HO526", format!("recipient.{column}"), says)
                .help("map it, or give it a constant if the register truly knows nothing of it")
        }
    };
    let missing = recipient::COLUMNS
        .iter()
        .filter(|column| !mapped.contains(*column));
    let needed = missing.filter(|column| recipient::NEEDED.contains(column));
    let mut found: Vec<Finding> = needed.map(|column| finding(column, true)).collect();
    let strange = mapped
        .iter()
        .filter(|column| !recipient::COLUMNS.contains(column));
    found.extend(strange.map(|column| {
        let says = format!("`recipient.{column}` is no column that letters know");
        Finding::warn("HO526", format!("recipient.{column}"), says).help("leave it out of the map")
    }));
    found
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
