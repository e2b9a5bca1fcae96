//! The JSON Schema of a line of the step log: what `log.opened` holds the digest of, and what other
//! people's tools may check our lines against. It says the envelope exactly and leaves bodies to the
//! types of `event`, whose names it lists.
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
