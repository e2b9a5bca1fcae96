//! The JSON Schema of a line of the step log: what `log.opened` holds the digest of, and what other
//! people's tools may check our lines against: the envelope, and the body of every type.
//!
//! Not here: reading lines (`line`), which is stricter than any schema can say.

use serde_json::{Value, json};

use super::canonical::INTEGER_MAX;
use super::event::{Event, VERSION};
use crate::plan::digest::Digest;

/// The schema of format 1.
#[must_use]
pub fn entry_v1() -> Value {
    let digest = json!({ "type": "string", "pattern": "^[0-9a-f]{64}$" });
    let uuid = json!({
        "type": "string",
        "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
    });
    let time = json!({
        "type": "string",
        "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$"
    });
    let count = json!({ "type": "integer", "minimum": 0, "maximum": INTEGER_MAX });
    let ordinal = json!({ "type": "integer", "minimum": 1, "maximum": u32::MAX });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "One entry of a Handover step log, format 1",
        "type": "object",
        "additionalProperties": false,
        "required": [
            "actor", "as_at", "at", "body", "boot", "epoch", "exec", "mono", "plan", "prev", "run",
            "seq", "type", "v"
        ],
        "dependentRequired": {
            "step": ["generation", "attempt"],
            "generation": ["step", "attempt"],
            "attempt": ["step", "generation"]
        },
        "properties": {
            "v": { "const": VERSION },
            "seq": count,
            "prev": digest,
            "run": uuid,
            "plan": digest,
            "at": time,
            "as_at": time,
            "boot": uuid,
            "mono": { "type": "string", "pattern": "^(0|[1-9][0-9]*)$" },
            "exec": uuid,
            "epoch": count,
            "type": { "enum": Event::NAMES },
            "step": { "type": "string", "minLength": 1 },
            "generation": ordinal,
            "attempt": ordinal,
            "actor": actor(),
            "body": { "type": "object" },
            "x": { "description": "ignored by replay, never personal data" }
        },
        "allOf": bodies(),
        "$defs": {
            "digest": digest,
            "time": time,
            "count": count,
            "some": { "type": "integer", "minimum": 1, "maximum": INTEGER_MAX },
            "code": { "type": "string", "minLength": 1 }
        }
    })
}

fn actor() -> Value {
    let code = json!({ "type": "string", "minLength": 1 });
    json!({
        "oneOf": [
            {
                "type": "object",
                "additionalProperties": false,
                "required": ["kind"],
                "properties": { "kind": { "const": "executor" } }
            },
            {
                "type": "object",
                "additionalProperties": false,
                "required": ["kind", "person", "role", "org"],
                "properties": {
                    "kind": { "const": "person" },
                    "person": code, "role": code, "org": code,
                    "key": { "type": "string" }
                }
            }
        ]
    })
}

/// A field of a body, and what may stand in it. A name that ends in `?` may be left out.
type Field = (&'static str, Kind);

/// What may stand in a field.
#[derive(Clone, Copy)]
enum Kind {
    Digest,
    Count,
    /// A count that is left out when it is nothing.
    Some,
    Ordinal,
    Text,
    /// A code, a name of a step, an organisation: never blank.
    Code,
    Flag,
    Time,
    Seqs,
    Codes,
    /// One of these words.
    Word(&'static [&'static str]),
    /// An object with exactly these fields.
    Of(&'static [Field]),
    /// A list of such objects.
    Each(&'static [Field]),
    /// One of several objects, told apart by a field's word.
    Either(&'static str, &'static [(&'static str, &'static [Field])]),
}

use Kind::{
    Code, Codes, Count, Digest as Sum, Each, Either, Flag, Of, Ordinal, Seqs, Some as Counted,
    Text, Time, Word,
};

const DECISION: &[Field] = &[
    ("on", ON),
    ("statement", Sum),
    ("method", Word(&["recorded", "sshsig"])),
    ("evidence?", Sum),
    ("reading?", Sum),
    (
        "signed?",
        Of(&[
            ("signature", Sum),
            (
                "window",
                Of(&[("nonce", Code), ("not_after", Code), ("not_before", Code)]),
            ),
            ("after?", Of(&[("root", Code), ("size", Count)])),
        ]),
    ),
];

const ON: Kind = Either(
    "on",
    &[
        ("paper", &[("paper", Sum)]),
        ("gate", &[("step", Code)]),
        ("rollback", &[("preview", Sum)]),
    ],
);

const SEAT: &[Field] = &[("role", Code), ("org?", Code)];
const MODE: Kind = Word(&["refuse", "skip", "force"]);
const PRINT: &[Field] = &[("org", Code), ("schema", Sum)];

const FAILED: &[Field] = &[
    ("kind", Word(&["refused", "transient", "broken"])),
    ("code", Code),
    ("about?", Text),
    ("rows?", Counted),
    ("detail?", Sum),
];

const CHECK: &[Field] = &[("rule", Code), ("expected", Text), ("actual", Text)];

/// The body of every type.
const BODIES: &[(&str, &[Field])] = &[
    (
        "log.opened",
        &[
            ("origin", Code),
            ("log_key?", Code),
            ("product", Code),
            ("schema", Sum),
            ("manifest", Sum),
            ("commitment", Sum),
            ("clock", Word(&["real", "made-up"])),
            ("sources", Each(PRINT)),
            ("targets", Each(PRINT)),
            (
                "previous?",
                Of(&[
                    ("origin", Code),
                    ("size", Count),
                    ("head", Sum),
                    ("seen", Count),
                ]),
            ),
        ],
    ),
    ("plan.bound", &[("steps", Count), ("dag", Sum)]),
    (
        "plan.amended",
        &[
            ("old", Sum),
            ("new", Sum),
            ("dag", Sum),
            ("approvals", Seqs),
        ],
    ),
    ("approval.requested", &[("on", ON), ("seats", Each(SEAT))]),
    ("approval.granted", DECISION),
    ("approval.refused", DECISION),
    ("approval.revoked", DECISION),
    ("lease.acquired", &[("epoch", Count), ("fences", Codes)]),
    ("lease.released", &[]),
    (
        "hold.begun",
        &[(
            "waiting",
            Either(
                "for",
                &[
                    ("date", &[("until", Time)]),
                    ("person", &[("seat", Of(SEAT))]),
                    (
                        "evidence",
                        &[("seat", Of(SEAT)), ("what", Code), ("missing", Count)],
                    ),
                    ("seal", &[("size", Count)]),
                ],
            ),
        )],
    ),
    (
        "hold.answered",
        &[
            ("answer", Word(&["done", "evidence", "retry", "undone"])),
            ("statement", Sum),
            ("evidence?", Sum),
        ],
    ),
    (
        "run.rested",
        &[
            ("completed", Count),
            ("held", Count),
            ("failed", Count),
            ("refused", Count),
            ("undone", Count),
            ("stuck", Count),
            ("pending", Count),
            ("exit", Count),
        ],
    ),
    (
        "step.started",
        &[
            ("key", Sum),
            ("reversible", Flag),
            ("deps", Seqs),
            ("approvals", Seqs),
        ],
    ),
    (
        "step.marked",
        &[("ordinal", Ordinal), ("rows", Count), ("root", Sum)],
    ),
    (
        "step.committed",
        &[
            (
                "outputs",
                Each(&[
                    ("dataset", Code),
                    ("org?", Code),
                    ("rows", Count),
                    ("rejected?", Counted),
                    ("filtered?", Counted),
                    ("pence?", Text),
                    ("root", Sum),
                ]),
            ),
            ("effects", Count),
        ],
    ),
    ("step.failed", FAILED),
    ("step.skipped", &[("reason", Code), ("approval", Count)]),
    (
        "rollback.started",
        &[
            ("checkpoint", Count),
            ("keeps", Codes),
            ("undoes", Codes),
            ("stays", Codes),
            ("void", Seqs),
            ("preview", Sum),
            ("mode", MODE),
            ("approvals", Seqs),
        ],
    ),
    ("rollback.committed", &[("checkpoint", Count)]),
    (
        "rollback.failed",
        &[("checkpoint", Count), ("stuck", Codes)],
    ),
    ("undo.started", &[("mode", MODE)]),
    (
        "undo.committed",
        &[
            ("mode", MODE),
            ("removed", Count),
            ("restored", Count),
            ("reported", Count),
        ],
    ),
    ("undo.failed", FAILED),
    (
        "external.attested",
        &[("what", Code), ("document", Sum), ("count", Count)],
    ),
    ("check.passed", CHECK),
    ("check.failed", CHECK),
    (
        "operator.override",
        &[("rule", Code), ("reason", Code), ("approvals", Seqs)],
    ),
    ("clock.stepped", &[("before", Time), ("after", Time)]),
    (
        "seal.cosigned",
        &[
            ("size", Count),
            ("root", Sum),
            ("witness", Code),
            ("time", Time),
            ("line", Sum),
        ],
    ),
    ("seal.heartbeat", &[]),
    (
        "key.rotated",
        &[("old", Code), ("new", Code), ("signature", Code)],
    ),
    (
        "log.recovered",
        &[
            ("cut?", Sum),
            ("lost_from", Count),
            ("lost_to", Count),
            ("adopted", Count),
        ],
    ),
    (
        "log.closed",
        &[
            ("completed", Count),
            ("undone", Count),
            ("other", Count),
            ("root", Sum),
            ("annex?", Sum),
            ("effects?", Sum),
        ],
    ),
];

/// One condition a type: where it is this type, the body has these fields.
fn bodies() -> Vec<Value> {
    let of = |(name, fields): &(&str, &'static [Field])| {
        json!({
            "if": { "properties": { "type": { "const": name } } },
            "then": { "properties": { "body": object(fields, None) } }
        })
    };
    BODIES.iter().map(of).collect()
}

/// An object with exactly these fields, and where there is one, the word that tells it from others.
fn object(fields: &[Field], tag: Option<(&str, &str)>) -> Value {
    let mut properties = serde_json::Map::new();
    let mut required = Vec::new();
    if let Some((name, word)) = tag {
        properties.insert(name.to_owned(), json!({ "const": word }));
        required.push(name);
    }
    for (name, kind) in fields {
        let optional = name.strip_suffix('?');
        if optional.is_none() {
            required.push(name);
        }
        properties.insert(optional.unwrap_or(name).to_owned(), kind.schema());
    }
    required.sort_unstable();
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": required,
        "properties": properties
    })
}

impl Kind {
    fn schema(self) -> Value {
        let reference = |name: &str| json!({ "$ref": format!("#/$defs/{name}") });
        match self {
            Kind::Digest => reference("digest"),
            Kind::Count => reference("count"),
            Kind::Some | Kind::Ordinal => reference("some"),
            Kind::Text => json!({ "type": "string" }),
            Kind::Code => reference("code"),
            Kind::Flag => json!({ "type": "boolean" }),
            Kind::Time => reference("time"),
            Kind::Seqs => json!({ "type": "array", "items": reference("count") }),
            Kind::Codes => json!({ "type": "array", "items": reference("code") }),
            Kind::Word(words) => json!({ "enum": words }),
            Kind::Of(fields) => object(fields, None),
            Kind::Each(fields) => json!({ "type": "array", "items": object(fields, None) }),
            Kind::Either(tag, ways) => {
                let ways = ways.iter();
                let ways = ways.map(|(word, fields)| object(fields, Some((tag, word))));
                json!({ "oneOf": ways.collect::<Vec<_>>() })
            }
        }
    }
}

/// The schema as it is handed out: canonical JSON.
#[must_use]
pub fn bytes() -> Vec<u8> {
    // Fixed texts and numbers: always JSON.
    serde_json_canonicalizer::to_vec(&entry_v1()).unwrap_or_default()
}

/// The digest that `log.opened` holds.
#[must_use]
pub fn digest() -> Digest {
    Digest::of(&bytes())
}
