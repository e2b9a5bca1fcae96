//! The log as XES (IEEE 1849-2023), by its standard extensions: one trace a step, one for the run.
//!
//! A trace stands in one piece, and the log tells all of them at once: events are kept by trace until
//! the end. Marks, which are most of a long log, are no activities and are not kept.

use std::io::{self, Write};

use indexmap::IndexMap;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, Event as Xml};

use super::{Teller, Told, activity};
use crate::machine::event::{Actor, Entry, Event};

const EXTENSIONS: [(&str, &str, &str); 4] = [
    (
        "Concept",
        "concept",
        "http://www.xes-standard.org/concept.xesext",
    ),
    ("Time", "time", "http://www.xes-standard.org/time.xesext"),
    (
        "Lifecycle",
        "lifecycle",
        "http://www.xes-standard.org/lifecycle.xesext",
    ),
    (
        "Organizational",
        "org",
        "http://www.xes-standard.org/org.xesext",
    ),
];

pub(super) struct Xes<W: Write> {
    out: W,
    /// Events by case, in the order in which cases began.
    traces: IndexMap<String, Writer<Vec<u8>>, foldhash::fast::FixedState>,
}

impl<W: Write> Xes<W> {
    pub(super) fn new(mut out: W) -> io::Result<Xes<W>> {
        let mut xml = Writer::new_with_indent(&mut out, b' ', 1);
        xml.write_event(Xml::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        let log = BytesStart::new("log").with_attributes([
            ("xes.version", "1849-2023"),
            ("xmlns", "http://www.xes-standard.org/"),
        ]);
        xml.write_event(Xml::Start(log))?;
        for (name, prefix, uri) in EXTENSIONS {
            let attributes = [("name", name), ("prefix", prefix), ("uri", uri)];
            empty(&mut xml, "extension", attributes)?;
        }
        globals(&mut xml)?;
        let keys = "concept:name lifecycle:transition";
        let classifier = [("name", "Activity and transition"), ("keys", keys)];
        empty(&mut xml, "classifier", classifier)?;
        drop(xml);
        Ok(Xes {
            out,
            traces: IndexMap::default(),
        })
    }
}

/// What every trace and every event has.
fn globals(xml: &mut Writer<impl Write>) -> io::Result<()> {
    let never = "1970-01-01T00:00:00.000+00:00";
    let scopes: [(&str, &[[&str; 3]]); 2] = [
        ("trace", &[["string", "concept:name", "run"]]),
        (
            "event",
            &[
                ["string", "concept:name", "activity"],
                ["date", "time:timestamp", never],
                ["string", "lifecycle:transition", "complete"],
                ["string", "org:resource", "executor"],
                ["int", "handover:seq", "0"],
            ],
        ),
    ];
    for (scope, attributes) in scopes {
        let start = BytesStart::new("global").with_attributes([("scope", scope)]);
        xml.write_event(Xml::Start(start))?;
        for [kind, key, value] in attributes {
            attribute(xml, kind, key, value)?;
        }
        xml.write_event(Xml::End(BytesEnd::new("global")))?;
    }
    Ok(())
}

impl<W: Write> Teller for Xes<W> {
    fn entry(&mut self, entry: &Entry, told: &Told) -> io::Result<()> {
        let Some(activity) = activity::of(entry, told) else {
            return Ok(());
        };
        let trace = self.traces.entry(activity.case);
        let xml = trace.or_insert_with(|| Writer::new_with_indent(Vec::new(), b' ', 1));
        xml.write_event(Xml::Start(BytesStart::new("event")))?;
        attribute(xml, "string", "concept:name", &activity.name)?;
        attribute(xml, "date", "time:timestamp", &entry.at.to_string())?;
        attribute(xml, "string", "lifecycle:transition", activity.lifecycle)?;
        attribute(xml, "string", "org:resource", activity::resource(entry))?;
        if let Actor::Person { role, org, .. } = &entry.actor {
            attribute(xml, "string", "org:role", role)?;
            attribute(xml, "string", "org:group", org)?;
        }
        attribute(xml, "int", "handover:seq", &entry.seq.to_string())?;
        attribute(xml, "date", "handover:as_at", &entry.as_at.to_string())?;
        if let Some(about) = &entry.about {
            let (generation, attempt) = (about.generation, about.attempt);
            attribute(xml, "int", "handover:generation", &generation.to_string())?;
            attribute(xml, "int", "handover:attempt", &attempt.to_string())?;
        }
        if let Event::StepFailed(failed) | Event::UndoFailed(failed) = &entry.event {
            attribute(xml, "string", "handover:code", &failed.code)?;
        }
        xml.write_event(Xml::End(BytesEnd::new("event")))
    }

    fn end(mut self, _: &Told) -> io::Result<()> {
        for (case, events) in self.traces {
            let mut xml = Writer::new_with_indent(&mut self.out, b' ', 1);
            xml.write_event(Xml::Start(BytesStart::new("trace")))?;
            attribute(&mut xml, "string", "concept:name", &case)?;
            xml.get_mut().write_all(&events.into_inner())?;
            xml.write_event(Xml::End(BytesEnd::new("trace")))?;
        }
        self.out.write_all(b"\n</log>\n")
    }
}

fn attribute(xml: &mut Writer<impl Write>, kind: &str, key: &str, value: &str) -> io::Result<()> {
    empty(xml, kind, [("key", key), ("value", value)])
}

fn empty<const N: usize>(
    xml: &mut Writer<impl Write>,
    name: &str,
    attributes: [(&str, &str); N],
) -> io::Result<()> {
    let element = BytesStart::new(name).with_attributes(attributes);
    xml.write_event(Xml::Empty(element))
}
