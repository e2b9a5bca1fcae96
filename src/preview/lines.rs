//! Which lines of a text changed: the longest common subsequence of two lists of lines, as hunks.
//!
//! Not here: what a change means (`touch`).

use std::ops::Range;

/// Above this many pairs of lines the middle is taken as changed whole: exact enough to be safe.
const PAIRS_MAX: usize = 4_000_000;

/// Lines that were replaced by others; either range may be empty. Counted from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hunk {
    /// In the text as it was.
    pub(super) old: Range<usize>,
    /// In the text as it is.
    pub(super) new: Range<usize>,
}

/// The hunks between two texts, in order.
pub(super) fn hunks(old: &[String], new: &[String]) -> Vec<Hunk> {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let rest = (&old[head..], &new[head..]);
    let pairs = rest.0.iter().rev().zip(rest.1.iter().rev());
    let tail = pairs.take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[head..old.len() - tail], &new[head..new.len() - tail]);
    if old.len().saturating_mul(new.len()) > PAIRS_MAX {
        return vec![Hunk {
            old: head..head + old.len(),
            new: head..head + new.len(),
        }];
    }
    walk(&lengths(old, new), old, new, head)
}

/// Length of the longest common subsequence of `old[i..]` and `new[j..]`, for every i and j.
fn lengths(old: &[String], new: &[String]) -> Vec<Vec<u32>> {
    let mut table = vec![vec![0; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            table[i][j] = if old[i] == new[j] {
                table[i + 1][j + 1] + 1
            } else {
                table[i + 1][j].max(table[i][j + 1])
            };
        }
    }
    table
}

fn walk(table: &[Vec<u32>], old: &[String], new: &[String], head: usize) -> Vec<Hunk> {
    let mut hunks: Vec<Hunk> = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            (i, j) = (i + 1, j + 1);
            continue;
        }
        let (from_i, from_j) = (i, j);
        if i < old.len() && (j == new.len() || table[i + 1][j] >= table[i][j + 1]) {
            i += 1;
        } else {
            j += 1;
        }
        match hunks.last_mut() {
            Some(last) if last.old.end == head + from_i && last.new.end == head + from_j => {
                last.old.end = head + i;
                last.new.end = head + j;
            }
            _ => hunks.push(Hunk {
                old: head + from_i..head + i,
                new: head + from_j..head + j,
            }),
        }
    }
    hunks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Hunk, hunks};

    fn text() -> impl Strategy<Value = Vec<String>> {
        prop::collection::vec("[abc]", 0..12)
    }

    /// The old lines with every hunk replaced by the new lines it names.
    fn patched(old: &[String], new: &[String], hunks: &[Hunk]) -> Vec<String> {
        let mut lines = Vec::new();
        let mut from = 0;
        for hunk in hunks {
            lines.extend_from_slice(&old[from..hunk.old.start]);
            lines.extend_from_slice(&new[hunk.new.clone()]);
            from = hunk.old.end;
        }
        lines.extend_from_slice(&old[from..]);
        lines
    }

    proptest! {
        #[test]
        fn no_changed_line_of_a_signed_paper_goes_unnamed(old in text(), new in text()) {
            let hunks = hunks(&old, &new);
            prop_assert_eq!(patched(&old, &new, &hunks), new.clone());
            prop_assert_eq!(hunks.is_empty(), old == new);
        }
    }
}
