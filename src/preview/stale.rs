//! Staleness: a paper that is not the one that was signed. What changed, file by file and line by
//! line, whom it touches, and which signatures lapse with it.
//!
//! A signature lapses when the change touches the organisation of its seat; a seat that is held once
//! for all lapses with any change that touches anybody.
//!
//! Not here: making the next preview (`amend`).

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::lines::{Hunk, hunks};
use super::model::{Preview, SeatShape, Signature};
use super::paper::Paper;
use super::touch::{Change, Touch, lines_of};
use crate::plan::digest::Digest;
use crate::plan::model::{Code, Plan, Seat};

pub use super::touch::Uses;

/// What changed since a preview was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stale {
    /// The paper that was previewed.
    #[schemars(with = "String")]
    pub then: Digest,
    /// The paper as it is.
    #[schemars(with = "String")]
    pub now: Digest,
    /// What changed, in the order of paths.
    pub changes: Vec<FileChange>,
    /// Seats whose signatures lapse.
    #[schemars(with = "Vec<SeatShape>")]
    pub lapsed: Vec<Seat>,
    /// How many signatures there were.
    pub signatures: usize,
}

/// How a file differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// Its text changed.
    Changed,
    /// It came.
    Added,
    /// It went.
    Removed,
}

/// One file that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileChange {
    /// Its path in the plan folder.
    pub path: String,
    /// How it differs.
    pub how: How,
    /// Which lines of the file as it is now, where lines are known.
    pub lines: Vec<Lines>,
    /// Organisations that it touches.
    #[schemars(with = "Vec<String>")]
    pub touches: BTreeSet<Code>,
    /// It touches everybody.
    pub all: bool,
}

/// Lines of a file, counted from 1, both ends included. Lines that were taken out are named by the
/// line they stood before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lines {
    /// The first.
    pub from: usize,
    /// The last.
    pub to: usize,
    /// How many lines stood there before.
    pub was: usize,
}

/// What changed between a preview and the plan as it is; `None` when the paper is the same.
#[must_use]
pub fn stale(preview: &Preview, now: &Plan) -> Option<Stale> {
    let new = Paper::of(now);
    let uses = Uses::AsSigned(&preview.unmapped);
    between(&preview.paper, &new, &preview.signatures, uses)
}

/// What changed between two papers and which of `signatures` lapse; `None` when they are the same.
#[must_use]
pub fn between(
    old: &Paper,
    new: &Paper,
    signatures: &[Signature],
    uses: Uses<'_>,
) -> Option<Stale> {
    if old.fingerprint == new.fingerprint {
        return None;
    }
    let change = Change { old, new, uses };
    let paths: BTreeSet<&String> = old.files.keys().chain(new.files.keys()).collect();
    let touched: Vec<(FileChange, Touch)> = paths
        .into_iter()
        .filter_map(|path| file_change(&change, path))
        .collect();
    // A fingerprint also covers the version of the rules: without a changed file it is that.
    let touch = if touched.is_empty() {
        Touch::All
    } else {
        let each = touched.iter().map(|(_, touch)| touch.clone());
        each.fold(Touch::NOBODY, Touch::and)
    };
    let lapsed = signatures.iter().map(|signature| &signature.seat);
    let lapsed = lapsed.filter(|seat| lapses(seat, &touch)).cloned();
    Some(Stale {
        then: old.fingerprint,
        now: new.fingerprint,
        lapsed: lapsed.collect(),
        changes: touched.into_iter().map(|(file, _)| file).collect(),
        signatures: signatures.len(),
    })
}

fn lapses(seat: &Seat, touch: &Touch) -> bool {
    match (touch, &seat.org) {
        (Touch::All, _) => true,
        (Touch::Orgs(orgs), Some(org)) => orgs.contains(org),
        (Touch::Orgs(orgs), None) => !orgs.is_empty(),
    }
}

fn file_change(change: &Change<'_>, path: &str) -> Option<(FileChange, Touch)> {
    let (old, new) = (change.old.files.get(path), change.new.files.get(path));
    let how = match (old, new) {
        (None, None) => return None,
        (None, Some(_)) => How::Added,
        (Some(_), None) => How::Removed,
        (Some(old), Some(new)) if old.sha256 == new.sha256 => return None,
        (Some(_), Some(_)) => How::Changed,
    };
    let (touch, lines) = match (how, lines_of(old), lines_of(new)) {
        (How::Changed, Some(old), Some(new)) => {
            hunks(old, new)
                .iter()
                .fold((Touch::NOBODY, Vec::new()), |(touch, mut lines), hunk| {
                    lines.push(shown(hunk));
                    (touch.and(change.hunk(path, hunk, old, new)), lines)
                })
        }
        _ => (change.file(path), Vec::new()),
    };
    let (touches, all) = match &touch {
        Touch::All => (BTreeSet::new(), true),
        Touch::Orgs(orgs) => (orgs.clone(), false),
    };
    let path = path.to_owned();
    let said = FileChange {
        path,
        how,
        lines,
        touches,
        all,
    };
    Some((said, touch))
}

fn shown(hunk: &Hunk) -> Lines {
    let from = hunk.new.start + 1;
    Lines {
        from,
        to: hunk.new.end.max(from),
        was: hunk.old.len(),
    }
}
