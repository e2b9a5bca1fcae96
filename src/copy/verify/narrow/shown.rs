//! Values as those who may see them read them on a terminal: on one line, what cannot be seen written
//! out, long ones cut.
//!
//! Not here: who may see them (`cli`).

use crate::copy::tables::shape::Shape;
use crate::copy::value::canon::Values;
use crate::orgdb::ValueRef;

/// Characters of a text that are shown.
const LETTERS: usize = 60;

/// One value.
pub(super) fn value(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Blob(bytes) => format!("{} bytes", bytes.len()),
        ValueRef::Text(bytes) => {
            let text = String::from_utf8_lossy(bytes);
            let shown: String = text.chars().take(LETTERS).collect();
            let cut = if shown.len() < text.len() { "…" } else { "" };
            format!("{shown:?}{cut}")
        }
    }
}

/// A key, `column=value` for each of its columns.
pub(crate) fn key(shape: &Shape, key: &[u8]) -> String {
    let parts = Values(key).enumerate().map(|(at, part)| {
        let name = shape.key.get(at).map_or("rowid", String::as_str);
        format!("{name}={}", value(part))
    });
    parts.collect::<Vec<_>>().join(", ")
}
