//! The proof that the parts of a split add up, as the step log carries it: each number is one check, whose
//! words this file writes and reads back. Counts, digests, pence and words of the paper only.
//!
//! In and out: [`Share`] gives a [`Check`] that [`Share::read`] takes back to the same fact, so that the
//! proof can be printed years later from the log alone.
//!
//! ```text
//! rule                                             expected                      actual
//! part of account for dover from ekh               812 lines, digests 00…3f      812 lines, digests 00…3f
//! stays behind of account for dover from ekh       3 rejected, HO502 starts_on; 2 filtered, never started
//! nobody's of account of ekh                       7 lines, unknown owner
//! shared of account of ekh                         5 lines
//! parts of account of ekh                          1200 lines, digests 01…7c     1200 lines, digests 01…7c
//! part of account.balance for dover from ekh       £10.00                        £9.99
//! ```
//!
//! Not here: where the numbers come from (`steps::verify`), how they are shown (`report`).

use std::fmt;

use super::event::Check;
use super::total::{Class, pence_of, pounds};
use crate::plan::model::Code;

const UNTOLD: &str = "cannot be told";

/// One fact of the proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// A dataset (`account`), or a money column of a target table (`account.balance`).
    pub of: String,
    /// Whose rows are shared out.
    pub source: Code,
    /// Which of them.
    pub which: Which,
    /// How many or how much.
    pub figures: Figures,
}

/// Rows of a source, by where they belong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Which {
    /// What a target is due, held against what its copy looked at or what stands there.
    Part(Code),
    /// What of a target's part did not go.
    Behind(Code),
    /// What is nobody's.
    Nobodys,
    /// What several targets have, as often as it is there beyond once.
    Shared,
    /// The source, with what several have counted as often, held against the parts and nobody's together.
    Whole,
}

/// The numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Figures {
    /// Lines and their digests, as they are due and as they are found.
    Lines(Sum, Sum),
    /// Lines alone: digests cannot be told.
    Counted(u64, u64),
    /// Pence as they are due and as they are found; none where a value is no amount.
    Money(i128, Option<i128>),
    /// Lines that did not go, by the way they went and why.
    Left(Vec<(u64, Class, String)>),
    /// Lines for one reason.
    For(u64, String),
    /// A fact without another side.
    Rows(u64),
}

/// Lines, counted and summed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many.
    pub lines: u64,
    /// Their keyed digests, added up.
    pub digests: u128,
}

impl Sum {
    /// Adds a line by its digest.
    pub fn add(&mut self, digest: u64) {
        self.lines += 1;
        self.digests += u128::from(digest);
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Sum) -> Sum {
        Sum {
            lines: self.lines + other.lines,
            digests: self.digests + other.digests,
        }
    }

    fn read(text: &str) -> Option<Sum> {
        let (lines, digests) = text.split_once(" lines, digests ")?;
        Some(Sum {
            lines: lines.parse().ok()?,
            digests: u128::from_str_radix(digests, 16).ok()?,
        })
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} lines, digests {:024x}", self.lines, self.digests)
    }
}

impl Share {
    /// Whether both sides are the same; facts without another side always agree.
    #[must_use]
    pub fn agrees(&self) -> bool {
        match &self.figures {
            Figures::Lines(due, found) => due == found,
            Figures::Counted(due, found) => due == found,
            Figures::Money(due, found) => *found == Some(*due),
            Figures::Left(_) | Figures::For(..) | Figures::Rows(_) => true,
        }
    }

    /// As the log carries it.
    #[must_use]
    pub fn check(&self) -> Check {
        let (expected, actual) = self.figures.words();
        Check {
            rule: self.rule().into(),
            expected,
            actual,
        }
    }

    fn rule(&self) -> String {
        let Share { of, source, .. } = self;
        match &self.which {
            Which::Part(target) => format!("part of {of} for {target} from {source}"),
            Which::Behind(target) => format!("stays behind of {of} for {target} from {source}"),
            Which::Nobodys => format!("nobody's of {of} of {source}"),
            Which::Shared => format!("shared of {of} of {source}"),
            Which::Whole => format!("parts of {of} of {source}"),
        }
    }

    /// Whether a check is a fact of the proof, readable or not.
    #[must_use]
    pub fn is_one(check: &Check) -> bool {
        rule(&check.rule).is_some()
    }

    /// The fact that a check carries; none where it is another check or has other words.
    #[must_use]
    pub fn read(check: &Check) -> Option<Share> {
        let (of, source, which) = rule(&check.rule)?;
        let figures = Figures::read(&which, &check.expected, &check.actual)?;
        Some(Share {
            of,
            source,
            which,
            figures,
        })
    }
}

/// What a rule is about.
fn rule(rule: &str) -> Option<(String, Code, Which)> {
    let targeted = |rest: &str, which: fn(Code) -> Which| {
        let (about, source) = rest.rsplit_once(" from ")?;
        let (of, target) = about.rsplit_once(" for ")?;
        Some((of.to_owned(), source.into(), which(target.into())))
    };
    let whole = |rest: &str, which: Which| {
        let (of, source) = rest.rsplit_once(" of ")?;
        Some((of.to_owned(), source.into(), which))
    };
    if let Some(rest) = rule.strip_prefix("part of ") {
        return targeted(rest, Which::Part);
    }
    if let Some(rest) = rule.strip_prefix("stays behind of ") {
        return targeted(rest, Which::Behind);
    }
    if let Some(rest) = rule.strip_prefix("nobody's of ") {
        return whole(rest, Which::Nobodys);
    }
    if let Some(rest) = rule.strip_prefix("shared of ") {
        return whole(rest, Which::Shared);
    }
    whole(rule.strip_prefix("parts of ")?, Which::Whole)
}

impl Figures {
    fn words(&self) -> (String, String) {
        let both = |words: String| (words.clone(), words);
        match self {
            Figures::Lines(due, found) => (due.to_string(), found.to_string()),
            Figures::Counted(due, found) => {
                let counted = |lines| format!("{lines} lines by count");
                (counted(due), counted(found))
            }
            Figures::Money(due, found) => {
                let found = found.map_or_else(|| UNTOLD.to_owned(), pounds);
                (pounds(*due), found)
            }
            Figures::Left(reasons) => {
                let words = reasons.iter().map(|(lines, class, why)| {
                    // A semicolon would end the reason.
                    format!("{lines} {}, {}", class.word(), why.replace(';', ","))
                });
                both(words.collect::<Vec<_>>().join("; "))
            }
            Figures::For(lines, why) => both(format!("{lines} lines, {why}")),
            Figures::Rows(lines) => both(format!("{lines} lines")),
        }
    }

    fn read(which: &Which, due: &str, found: &str) -> Option<Figures> {
        if let (Some(due), true) = (pence_of(due), due.contains('£')) {
            let told = pence_of(found).filter(|_| found.contains('£'));
            return (told.is_some() || found == UNTOLD).then_some(Figures::Money(due, told));
        }
        let lines = |text: &str| text.strip_suffix(" lines")?.parse().ok();
        let counted = |text: &str| lines(text.strip_suffix(" by count")?);
        match which {
            Which::Part(_) | Which::Whole => {
                let counted = counted(due).zip(counted(found));
                let sums = || Some(Figures::Lines(Sum::read(due)?, Sum::read(found)?));
                counted
                    .map(|(due, found)| Figures::Counted(due, found))
                    .or_else(sums)
                    .or_else(|| lines(due).map(Figures::Rows))
            }
            Which::Behind(_) => {
                let reasons: Option<Vec<_>> = due.split("; ").map(reason).collect();
                reasons.map(Figures::Left)
            }
            Which::Nobodys => {
                let (lines, why) = due.split_once(" lines, ")?;
                Some(Figures::For(lines.parse().ok()?, why.to_owned()))
            }
            Which::Shared => lines(due).map(Figures::Rows),
        }
    }
}

fn reason(text: &str) -> Option<(u64, Class, String)> {
    let (what, why) = text.split_once(", ")?;
    let (lines, word) = what.split_once(' ')?;
    Some((lines.parse().ok()?, Class::named(word)?, why.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(of: &str, which: Which, figures: Figures) -> Share {
        Share {
            of: of.to_owned(),
            source: "ekh".into(),
            which,
            figures,
        }
    }

    #[test]
    fn what_the_log_holds_of_the_parts_is_read_back_as_it_was_written() {
        let dover = || Code::from("dover");
        let sum = |lines| Sum {
            lines,
            digests: u128::from(u64::MAX) * 3,
        };
        let left = vec![
            (3, Class::Rejected, "HO502 starts_on".to_owned()),
            (2, Class::Merged, "kept, as it stood".to_owned()),
        ];
        for share in [
            share(
                "account",
                Which::Part(dover()),
                Figures::Lines(sum(3), sum(2)),
            ),
            share("account", Which::Part(dover()), Figures::Rows(3)),
            share("account", Which::Whole, Figures::Counted(3, 2)),
            share("account", Which::Behind(dover()), Figures::Left(left)),
            share(
                "account",
                Which::Nobodys,
                Figures::For(7, "owner, unknown".to_owned()),
            ),
            share("account", Which::Shared, Figures::Rows(5)),
            share("account", Which::Whole, Figures::Lines(sum(3), sum(3))),
            share(
                "account.balance",
                Which::Behind(dover()),
                Figures::Money(-5, Some(-5)),
            ),
            share("account.balance", Which::Whole, Figures::Money(5, None)),
        ] {
            let check = share.check();
            assert!(Share::is_one(&check));
            assert_eq!(share.agrees(), check.expected == check.actual);
            assert_eq!(Share::read(&check), Some(share), "{check:?}");
        }
        let check = Check {
            rule: "row counts account at dover".into(),
            ..share("account", Which::Shared, Figures::Rows(5)).check()
        };
        assert!(!Share::is_one(&check));
    }
}
