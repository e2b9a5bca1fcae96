//! Every JSON report has `format: 1` and holds to its own schema.

use handover::report::Report;
use handover::report::preview::{Depth, PreviewReport};
use handover::report::rollback::RollbackReport;
use handover::report::schema::{NAMES, schema};
use handover::report::stale::StaleReport;
use serde_json::Value;

use super::fixture::{MAP, PLAN, paper, preview};
use super::made;

fn reports() -> Vec<(&'static str, Value)> {
    let (preview, rollback) = (preview(), made::rollback());
    let page = PreviewReport {
        preview: &preview,
        depth: Depth::Brief,
        saved: None,
        next: &[],
    };
    let back = RollbackReport {
        preview: &rollback,
        saved: None,
        next: &[],
    };
    let moved = paper(&PLAN.replace("p01", "p02"), MAP);
    let uses = handover::preview::stale::Uses::Now(&[]);
    let stale = handover::preview::stale::between(&preview.paper, &moved, &[], uses);
    let stale = StaleReport::of(
        "ekh.preview",
        &preview,
        stale.expect("a change"),
        Vec::new(),
    );
    vec![
        ("preview", page.json()),
        ("rollback-preview", back.json()),
        ("check", made::check().json()),
        ("stale", stale.json()),
        ("status", made::status().json()),
        ("rest", made::rest().json()),
        ("decisions", made::decisions().json()),
        ("proof", made::differing(true).json()),
        ("reconciliation", made::reconciliation().json()),
        ("explain", made::explain().json()),
    ]
}

/// What stands against `value` in `schema`: the part of JSON Schema that our schemas use.
fn faults(root: &Value, schema: &Value, value: &Value, path: &str) -> Vec<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let target = root
            .pointer(name.trim_start_matches('#'))
            .expect("a definition");
        return faults(root, target, value, path);
    }
    for word in ["anyOf", "oneOf"] {
        if let Some(ways) = schema[word].as_array() {
            let fits = ways
                .iter()
                .any(|way| faults(root, way, value, path).is_empty());
            return if fits {
                Vec::new()
            } else {
                vec![format!("{path}: no way fits")]
            };
        }
    }
    let mut found = Vec::new();
    if !typed(&schema["type"], value) {
        found.push(format!("{path}: {value} is not {}", schema["type"]));
    }
    if schema["enum"]
        .as_array()
        .is_some_and(|list| !list.contains(value))
    {
        found.push(format!("{path}: {value} is not listed"));
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        if value.get(name.as_str().unwrap_or_default()).is_none() {
            found.push(format!("{path}: {name} is missing"));
        }
    }
    for (name, inner) in value.as_object().into_iter().flatten() {
        let known = &schema["properties"][name];
        let rest = &schema["additionalProperties"];
        if !known.is_null() {
            found.extend(faults(root, known, inner, &format!("{path}/{name}")));
        } else if rest.is_object() {
            found.extend(faults(root, rest, inner, &format!("{path}/{name}")));
        } else if schema["properties"].is_object() {
            found.push(format!("{path}: {name} is not known"));
        }
    }
    for (at, inner) in value.as_array().into_iter().flatten().enumerate() {
        found.extend(faults(
            root,
            &schema["items"],
            inner,
            &format!("{path}/{at}"),
        ));
    }
    found
}

fn typed(expected: &Value, value: &Value) -> bool {
    let is = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => false,
    };
    match expected {
        Value::String(name) => is(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).any(is),
        _ => true,
    }
}

#[test]
fn every_json_report_keeps_its_schema() {
    let reports = reports();
    assert_eq!(
        reports.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        NAMES
    );
    for (name, value) in reports {
        assert_eq!(value["format"], 1, "{name}");
        let schema = schema(name).expect("a schema").to_value();
        assert_eq!(
            faults(&schema, &schema, &value, ""),
            Vec::<String>::new(),
            "{name}"
        );
    }
}

#[test]
fn the_schema_test_notices_what_is_wrong() {
    let schema = schema("explain").expect("a schema").to_value();
    let mut value = made::explain().json();
    value["extra"] = Value::from(1);
    value["format"] = Value::from("one");
    assert_eq!(faults(&schema, &schema, &value, "").len(), 2);
}

#[test]
fn a_program_reads_the_same_json_tomorrow() {
    let json: Vec<String> = reports()
        .iter()
        .filter(|(name, _)| !name.ends_with("preview"))
        .map(|(name, value)| format!("{name} {value:#}"))
        .collect();
    insta::assert_snapshot!(json.join("\n"));
}

#[test]
fn there_is_no_schema_of_a_report_that_does_not_exist() {
    assert!(schema("board").is_none());
}
