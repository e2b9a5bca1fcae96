//! What the files of a pack are, for programs: an RO-Crate 1.1 description (JSON-LD), a transfer being an
//! action that made the log.

use serde_json::{Value, json};

use super::facts::Facts;
use crate::plan::digest::Digest;

/// Where it stands: the name that the standard gives it.
pub(super) const PATH: &str = "ro-crate-metadata.json";

/// The first part of a path, and what such files are.
const KINDS: [(&str, &str, &str); 13] = [
    (
        "log/steps.jsonl",
        "application/jsonl",
        "The step log: one entry a line",
    ),
    (
        "log/",
        "text/plain",
        "Seals of the step log, and what witnesses them",
    ),
    (
        "plan/",
        "text/plain",
        "Papers that were in force, by their manifests",
    ),
    ("approvals/", "application/json", "Signed decisions"),
    (
        "effects/",
        "application/jsonl",
        "Rows of the ledgers in the organisations' databases",
    ),
    (
        "anchors/",
        "application/octet-stream",
        "Time-stamps over seals (RFC 3161)",
    ),
    (
        "policy/",
        "text/plain",
        "Keys and policies, for convenience: trust only those published elsewhere",
    ),
    (
        "manifests/",
        "application/json",
        "Counts and roots of datasets, derived from the log",
    ),
    (
        "exports/",
        "application/octet-stream",
        "Views of the log for other tools, derived from the log",
    ),
    (
        "reports/",
        "text/plain",
        "What replaying the log came to, derived from the log",
    ),
    (
        "schema/",
        "application/schema+json",
        "JSON Schema of an entry",
    ),
    ("README.txt", "text/plain", "Read this first"),
    (
        "",
        "text/markdown",
        "How to check this pack, and how its formats are made",
    ),
];

/// The description of a pack's files, itself left out.
pub(super) fn of<'p>(facts: &Facts, files: impl Iterator<Item = (&'p str, Digest)>) -> String {
    let files: Vec<Value> = files
        .filter(|(path, _)| *path != PATH)
        .map(|(path, digest)| file(path, &digest.to_string()))
        .collect();
    let parts: Vec<Value> = files
        .iter()
        .map(|file| json!({ "@id": file["@id"] }))
        .collect();
    let origin = &facts.opened.origin;
    let mut graph = vec![
        json!({
            "@id": PATH,
            "@type": "CreativeWork",
            "about": { "@id": "./" },
            "conformsTo": { "@id": "https://w3id.org/ro/crate/1.1" },
        }),
        json!({
            "@id": "./",
            "@type": "Dataset",
            "name": format!("Evidence of the run {origin}"),
            "description": format!("{} entries of its step log, and what belongs to them", facts.size),
            "datePublished": facts.last.to_string(),
            "license": "Held by the organisations named in the plan; no licence is given",
            "conformsTo": { "@id": "https://w3id.org/ro/wfrun/process/0.5" },
            "hasPart": parts,
            "mentions": { "@id": "#run" },
        }),
        json!({
            "@id": "#run",
            "@type": "CreateAction",
            "name": origin,
            "startTime": facts.first.to_string(),
            "endTime": facts.last.to_string(),
            "instrument": { "@id": "#handover" },
            "result": { "@id": super::at::STEPS },
        }),
        json!({
            "@id": "#handover",
            "@type": "SoftwareApplication",
            "name": "Handover",
            "softwareVersion": facts.opened.product,
        }),
    ];
    graph.extend(files);
    let crate_ = json!({ "@context": "https://w3id.org/ro/crate/1.1/context", "@graph": graph });
    format!("{crate_:#}\n")
}

fn file(path: &str, sha256: &str) -> Value {
    let kind = KINDS.iter().find(|(start, ..)| path.starts_with(start));
    let (_, format, says) = kind.unwrap_or(&KINDS[KINDS.len() - 1]);
    json!({
        "@id": path,
        "@type": "File",
        "name": path,
        "description": says,
        "encodingFormat": format,
        "sha256": sha256,
    })
}
