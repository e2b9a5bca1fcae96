//! The JSON Schema with which editors complete and check a `plan.toml` while it is typed: made from the
//! same table of keys that the walker reads by, so it cannot say anything else.
//!
//! Draft 7 without `if`, as much as Taplo understands. Not here: what only `check` can know.

use schemars::Schema;
use serde_json::{Map, Value, json};

use super::keys::{KINDS, Key, ROOT, STEP, Shape};

/// The schema of `plan.toml`.
#[must_use]
pub fn schema() -> Value {
    let mut root = object(ROOT);
    if let Some(steps) = root.pointer_mut("/properties/step") {
        *steps = by_name(&step());
    }
    if let Some(root) = root.as_object_mut() {
        root.insert(
            "$schema".to_owned(),
            "http://json-schema.org/draft-07/schema#".into(),
        );
        root.insert("title".to_owned(), "A plan of Handover".into());
    }
    Schema::try_from(root).map(Value::from).unwrap_or_default()
}

/// A step of any kind: every kind's keys, since `does` decides and the schema cannot.
fn step() -> Value {
    let mut step = object(STEP);
    if let Some(properties) = step
        .pointer_mut("/properties")
        .and_then(Value::as_object_mut)
    {
        for (kind, key) in KINDS
            .iter()
            .flat_map(|kind| kind.keys.iter().map(move |key| (kind, key)))
        {
            let mut value = described(key);
            if let Some(text) = value.get("description").and_then(Value::as_str) {
                value["description"] = format!("{}: {text}", kind.name).into();
            }
            properties.entry(key.name.to_owned()).or_insert(value);
        }
    }
    step
}

fn object(keys: &[Key]) -> Value {
    let properties: Map<String, Value> = keys
        .iter()
        .map(|key| (key.name.to_owned(), described(key)))
        .collect();
    let required: Vec<&str> = keys
        .iter()
        .filter(|key| key.required)
        .map(|key| key.name)
        .collect();
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": required,
        "properties": properties,
    })
}

fn described(key: &Key) -> Value {
    let mut value = shaped(&key.shape);
    value["description"] = key.help.into();
    value
}

fn by_name(inner: &Value) -> Value {
    json!({ "type": "object", "additionalProperties": inner })
}

fn shaped(shape: &Shape) -> Value {
    match shape {
        Shape::Text => json!({ "type": "string", "minLength": 1 }),
        // Editors hand TOML dates over as strings.
        Shape::AnyText | Shape::Date | Shape::Moment | Shape::Day => json!({ "type": "string" }),
        Shape::Name => json!({ "type": "string", "pattern": "^[a-z0-9][a-z0-9-]*$" }),
        Shape::Names | Shape::Texts => {
            json!({ "type": "array", "uniqueItems": true, "items": { "type": "string" } })
        }
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Whole(least, most) => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Shape::Word(words) => json!({ "type": "string", "enum": words }),
        Shape::Table(keys) => object(keys),
        Shape::Tables(keys) => json!({ "type": "array", "items": object(keys) }),
        Shape::TextsByName => by_name(&json!({ "type": "string" })),
        Shape::NamesByName => by_name(&shaped(&Shape::Names)),
        Shape::TablesByName(keys) => by_name(&object(keys)),
        Shape::ListsByName(keys) => by_name(&shaped(&Shape::Tables(keys))),
        Shape::ShortTablesByName(keys) => {
            by_name(&json!({ "anyOf": [{ "type": "string" }, object(keys)] }))
        }
    }
}
