//! Signatures under decisions: each statement and signature held against the entry that records it.
//!
//! Not here: the check of one (`signature::check`), which steps needed them (the fold).

use std::collections::{BTreeMap, BTreeSet};

use super::super::approvals::{Held, sizes};
use super::super::papers::Outlines;
use super::{Finding, Outside};
use crate::plan::digest::Digest;
use crate::signature::{self, Claim};

/// What is wrong with a log's signed decisions. `roots` are those that the log's seals have shown already.
pub(super) fn check(
    claims: impl Iterator<Item = Claim>,
    outside: &Outside,
    roots: &BTreeMap<u64, Digest>,
    papers: &mut dyn Outlines,
) -> Vec<Finding> {
    let claims: Vec<Claim> = claims.collect();
    if claims.is_empty() {
        return Vec::new();
    }
    let mut roots = roots.clone();
    let unseen: BTreeSet<u64> = sizes(&claims)
        .into_iter()
        .filter(|size| !roots.contains_key(size))
        .collect();
    if !unseen.is_empty() {
        roots.extend(papers.roots(&unseen));
    }
    let mut held = Held::new(papers, roots, outside.signers.clone());
    let found = signature::check(claims, &mut held);
    let told = found.into_iter().map(|found| Finding {
        missing: found.missing,
        ..Finding::wrong(found.code, Some(found.seq), found.says)
    });
    told.collect()
}
