//! Packed rows of `handover_undo`: exact keys, before-images, half digests, one blob per chunk.
//!
//! In: a head and its body. Out: rows, oldest first.
//!
//! Not here: what is done with them (`undo`, `verify`).

use super::effect::Head;
use crate::copy::tables::shape::Shape;
use crate::copy::value::canon::Values;
use crate::orgdb::DbTrouble;

/// Bytes of a row's digest that are kept beside its key.
pub(crate) const HALF: usize = 16;

/// One packed row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Packed<'a> {
    /// Its key, canonical.
    pub(crate) key: &'a [u8],
    /// The row as it was before, canonical; empty for an insert.
    pub(crate) before: &'a [u8],
    /// The first half of the digest of the row as it was written.
    pub(crate) digest: &'a [u8],
}

/// Appends `fields` and the digest's first half.
pub(crate) fn pack(body: &mut Vec<u8>, fields: &[&[u8]], digest: &[u8; 32]) {
    for field in fields {
        body.extend_from_slice(field);
    }
    body.extend_from_slice(&digest[..HALF]);
}

/// The shape of a table, what its digests are keyed for, its rows.
pub(crate) type Unpacked<'a> = (&'a Shape, &'a str, Vec<Packed<'a>>);

/// The rows of a body, the shape of their table and what their digests are keyed for; none for parts
/// that hold no rows.
pub(crate) fn unpack<'a>(
    head: &'a Head,
    body: &'a [u8],
) -> Result<Option<Unpacked<'a>>, DbTrouble> {
    let Some((shape, label, before)) = about(head) else {
        return Ok(None);
    };
    let mut rest = Values(body);
    let mut rows = Vec::new();
    while !rest.0.is_empty() {
        let row = one(&mut rest, shape.key_width(), before).ok_or(DbTrouble::Damaged)?;
        rows.push(row);
    }
    Ok(Some((shape, label, rows)))
}

/// The same without its rows.
pub(crate) fn unpack_none(head: &Head) -> Option<Unpacked<'_>> {
    about(head).map(|(shape, label, _)| (shape, label, Vec::new()))
}

/// Shape, label, how many values of the row before follow each key.
fn about(head: &Head) -> Option<(&Shape, &str, usize)> {
    match head {
        Head::Insert { shape, label, .. } => Some((shape, label, 0)),
        Head::Update { shape, label, .. } | Head::Delete { shape, label, .. } => {
            Some((shape, label, shape.all.len()))
        }
        Head::Change
        | Head::Aside { .. }
        | Head::Emptying { .. }
        | Head::Position
        | Head::Lines { .. }
        | Head::Places { .. } => None,
    }
}

fn one<'a>(rest: &mut Values<'a>, key: usize, before: usize) -> Option<Packed<'a>> {
    Some(Packed {
        key: span(rest, key)?,
        before: span(rest, before)?,
        digest: rest.take(HALF)?,
    })
}

/// The bytes of the next `count` values.
fn span<'a>(rest: &mut Values<'a>, count: usize) -> Option<&'a [u8]> {
    let start = rest.0;
    for _ in 0..count {
        rest.next()?;
    }
    start.get(..start.len() - rest.0.len())
}
