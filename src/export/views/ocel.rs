//! The log as OCEL 2.0 (JSON): every entry an event, and what it is about as objects of the types `run`,
//! `step`, `dataset`, `approval`, `organisation` and `executor`.
//!
//! Events are written as they are read; objects are few (steps, datasets, decisions) and come last.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value, json};

use super::{Teller, Told};
use crate::machine::event::{Actor, Entry, Event, On};
use crate::machine::time::Time;

/// Attributes of events: name and type.
const OF_EVENTS: [(&str, &str); 14] = [
    ("seq", "integer"),
    ("as_at", "time"),
    ("epoch", "integer"),
    ("actor", "string"),
    ("role", "string"),
    ("org", "string"),
    ("generation", "integer"),
    ("attempt", "integer"),
    ("rows", "integer"),
    ("rejected", "integer"),
    ("filtered", "integer"),
    ("code", "string"),
    ("rule", "string"),
    ("exit", "integer"),
];

/// Types of objects and their attributes.
const OBJECTS: [(&str, &[(&str, &str)]); 6] = [
    ("run", &[("clock", "string"), ("product", "string")]),
    (
        "step",
        &[
            ("kind", "string"),
            ("organisation", "string"),
            ("state", "string"),
        ],
    ),
    (
        "dataset",
        &[("organisation", "string"), ("rows", "integer")],
    ),
    ("approval", &[("about", "string"), ("state", "string")]),
    ("organisation", &[]),
    ("executor", &[]),
];

/// An object: its type and its id.
type Object = (&'static str, String);

pub(super) struct Ocel<W: Write> {
    out: W,
    objects: BTreeMap<Object, Vec<Value>>,
    /// What each decision was about, by its entry.
    decided: BTreeMap<u64, Object>,
}

impl<W: Write> Ocel<W> {
    pub(super) fn new(mut out: W) -> io::Result<Ocel<W>> {
        let events = Event::NAMES.iter().map(|name| typed(name, &OF_EVENTS));
        let objects = OBJECTS.iter().map(|(name, of)| typed(name, of));
        out.write_all(b"{\"eventTypes\":")?;
        serde_json::to_writer(&mut out, &events.collect::<Vec<_>>())?;
        out.write_all(b",\n\"objectTypes\":")?;
        serde_json::to_writer(&mut out, &objects.collect::<Vec<_>>())?;
        out.write_all(b",\n\"events\":[")?;
        Ok(Ocel {
            out,
            objects: BTreeMap::new(),
            decided: BTreeMap::new(),
        })
    }

    /// Notes what an entry says of an object.
    fn note(&mut self, object: &Object, time: Time, attributes: &[(&str, Value)]) {
        let of = self.objects.entry(object.clone()).or_default();
        let said = attributes.iter();
        of.extend(said.map(
            |(name, value)| json!({ "name": name, "time": time.to_string(), "value": value }),
        ));
    }

    /// Every object that an entry is about, and how.
    fn relations(&mut self, entry: &Entry, told: &Told) -> Vec<(Object, &'static str)> {
        let mut about = vec![
            (("run", told.origin.clone()), "in"),
            (("executor", entry.exec.to_string()), "by"),
        ];
        if let Some(step) = self.step(entry, told) {
            about.push((step, "about"));
        }
        if let Actor::Person { org, .. } = &entry.actor {
            about.push((("organisation", org.to_string()), "for"));
        }
        self.particular(entry, &mut about);
        for (object, _) in &about {
            self.objects.entry(object.clone()).or_default();
        }
        about
    }

    fn step(&mut self, entry: &Entry, told: &Told) -> Option<Object> {
        let id = &entry.about.as_ref()?.step;
        let object = ("step", id.to_string());
        if !self.objects.contains_key(&object) {
            let step = told.plan(entry).and_then(|plan| plan.step(id));
            let kind = step.map_or("", |step| step.does.kind());
            let org = step
                .and_then(|step| step.org.as_deref())
                .unwrap_or_default();
            let first = [("kind", kind.into()), ("organisation", org.into())];
            self.note(&object, entry.at, &first);
        }
        if let Some(state) = state(&entry.event) {
            self.note(&object, entry.at, &[("state", state.into())]);
        }
        Some(object)
    }

    /// What only entries of one type are about.
    fn particular(&mut self, entry: &Entry, about: &mut Vec<(Object, &'static str)>) {
        let org = |code: &str| ("organisation", code.to_owned());
        match &entry.event {
            Event::LogOpened(opened) => {
                let clock = serde_json::to_value(opened.clock).unwrap_or_default();
                let first = [("clock", clock), ("product", opened.product.clone().into())];
                self.note(&about[0].0.clone(), entry.at, &first);
                let sources = opened.sources.iter();
                about.extend(sources.map(|print| (org(&print.org), "source")));
                let targets = opened.targets.iter();
                about.extend(targets.map(|print| (org(&print.org), "target")));
            }
            Event::LeaseAcquired(lease) => {
                about.extend(lease.fences.iter().map(|code| (org(code), "fenced")));
            }
            Event::ApprovalRequested(body) => about.push((self.approval(entry, &body.on), "asks")),
            Event::ApprovalGranted(body)
            | Event::ApprovalRefused(body)
            | Event::ApprovalRevoked(body) => {
                let approval = self.approval(entry, &body.on);
                self.decided.insert(entry.seq, approval.clone());
                about.push((approval, "decides"));
            }
            Event::StepStarted(body) => {
                let allowed = body.approvals.iter();
                let allowed = allowed.filter_map(|seq| self.decided.get(seq).cloned());
                about.extend(allowed.map(|approval| (approval, "allowed by")));
            }
            Event::StepCommitted(body) => {
                for output in &body.outputs {
                    let org = output.org.as_deref().unwrap_or_default();
                    let id = format!("{org}/{}", output.dataset);
                    let object = ("dataset", id.trim_start_matches('/').to_owned());
                    let now = [("organisation", org.into()), ("rows", output.rows.into())];
                    self.note(&object, entry.at, &now);
                    about.push((object, "counts"));
                }
            }
            _ => {}
        }
    }

    fn approval(&mut self, entry: &Entry, on: &On) -> Object {
        let (about, id) = match on {
            On::Paper { paper } => ("paper", format!("paper {}", paper.short())),
            On::Gate { step } => ("gate", format!("gate {step}")),
            On::Rollback { preview } => ("rollback", format!("rollback {}", preview.short())),
        };
        let object = ("approval", id);
        let state = entry.event.name().rsplit('.').next().unwrap_or_default();
        let now = [("about", about.into()), ("state", state.into())];
        self.note(&object, entry.at, &now);
        object
    }
}

impl<W: Write> Teller for Ocel<W> {
    fn entry(&mut self, entry: &Entry, told: &Told) -> io::Result<()> {
        let related = self.relations(entry, told).into_iter();
        let related = related
            .map(|((kind, id), how)| json!({ "objectId": named(kind, &id), "qualifier": how }));
        let event = json!({
            "id": format!("{}#{}", told.origin, entry.seq),
            "type": entry.event.name(),
            "time": entry.at.to_string(),
            "attributes": attributes(entry),
            "relationships": related.collect::<Vec<_>>(),
        });
        let comma: &[u8] = if entry.seq == 0 { b"\n" } else { b",\n" };
        self.out.write_all(comma)?;
        Ok(serde_json::to_writer(&mut self.out, &event)?)
    }

    fn end(mut self, _: &Told) -> io::Result<()> {
        self.out.write_all(b"],\n\"objects\":[")?;
        let mut comma: &[u8] = b"\n";
        for ((kind, id), attributes) in &self.objects {
            let object = json!({
                "id": named(kind, id),
                "type": kind,
                "attributes": attributes,
                "relationships": [],
            });
            self.out.write_all(comma)?;
            serde_json::to_writer(&mut self.out, &object)?;
            comma = b",\n";
        }
        self.out.write_all(b"]}\n")
    }
}

/// Objects of two types may bear one name.
fn named(kind: &str, id: &str) -> String {
    format!("{kind}:{id}")
}

fn typed(name: &str, attributes: &[(&str, &str)]) -> Value {
    let attributes = attributes.iter();
    let attributes = attributes.map(|(name, kind)| json!({ "name": name, "type": kind }));
    json!({ "name": name, "attributes": attributes.collect::<Vec<_>>() })
}

fn attributes(entry: &Entry) -> Vec<Value> {
    let mut said: Vec<(&str, Value)> = vec![
        ("seq", entry.seq.into()),
        ("as_at", entry.as_at.to_string().into()),
        ("epoch", entry.epoch.into()),
    ];
    match &entry.actor {
        Actor::Executor => said.push(("actor", "executor".into())),
        Actor::Person {
            person, role, org, ..
        } => {
            let person = [("actor", person), ("role", role), ("org", org)];
            said.extend(person.map(|(name, code)| (name, code.to_string().into())));
        }
    }
    if let Some(about) = &entry.about {
        said.push(("generation", about.generation.into()));
        said.push(("attempt", about.attempt.into()));
    }
    match &entry.event {
        Event::StepMarked(mark) => said.push(("rows", mark.rows.into())),
        Event::StepCommitted(done) => {
            let sum = |of: fn(&crate::machine::event::DatasetCount) -> u64| {
                let sum: u64 = done.outputs.iter().map(of).sum();
                Value::from(sum)
            };
            said.push(("rows", sum(|output| output.rows)));
            said.push(("rejected", sum(|output| output.rejected)));
            said.push(("filtered", sum(|output| output.filtered)));
        }
        Event::StepFailed(failed) | Event::UndoFailed(failed) => {
            said.push(("code", failed.code.to_string().into()));
        }
        Event::CheckPassed(check) | Event::CheckFailed(check) => {
            said.push(("rule", check.rule.to_string().into()));
        }
        Event::RunRested(rested) => said.push(("exit", rested.exit.into())),
        _ => {}
    }
    let said = said.into_iter();
    said.map(|(name, value)| json!({ "name": name, "value": value }))
        .collect()
}

/// Where an entry leaves its step.
fn state(event: &Event) -> Option<&'static str> {
    Some(match event {
        Event::StepStarted(_) => "running",
        Event::StepCommitted(_) => "committed",
        Event::StepFailed(_) => "failed",
        Event::StepSkipped(_) => "skipped",
        Event::HoldBegun(_) => "held",
        Event::UndoStarted(_) => "undoing",
        Event::UndoCommitted(_) => "undone",
        Event::UndoFailed(_) => "stuck",
        _ => return None,
    })
}
