//! Control totals as the step log carries them: each is one check, whose words this file writes and
//! reads back. Counts, pence and words of the paper only.
//!
//! In and out: [`Total`] gives a [`Check`] that [`Total::read`] takes back to the same total, so that a
//! reconciliation pack can be made years later from the log alone.
//!
//! ```text
//! rule                                                        expected                     actual
//! control total account at dover from ekh                     812 rows; account: 812 copied; account: 3 rejected, HO502 starts_on
//!                                                                                          812 rows
//! control total account.balance at dover from ekh             £9.80 (£10.00 on 1, -£0.20 on 1)
//! control total account.balance kind=rent at dover from ekh   … give or take £0.05         …
//! control total account of ekh                                1200 rows; property: 7 nobody's, orphan
//! ```
//!
//! Not here: where the numbers come from (`steps::verify`), how they are shown (`report`).

use std::fmt;

use super::event::Check;
use crate::plan::model::Code;

const HEAD: &str = "control total ";
const GIVE_OR_TAKE: &str = " give or take ";
const UNTOLD: &str = "cannot be told";

/// One number held against another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    /// A target table (`account`) or one of its money columns (`account.balance`); a dataset where
    /// there is no target.
    pub of: String,
    /// Only the rows with this code: `kind=rent`.
    pub part: Option<String>,
    /// Where the rows came from.
    pub source: Code,
    /// Where they stand; absent: the source's own rows, shared out.
    pub target: Option<Code>,
    /// Both numbers.
    pub figures: Figures,
}

/// What is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Figures {
    /// Rows.
    Rows {
        /// As the source comes to.
        due: u64,
        /// As they are found.
        stands: u64,
        /// What became of the source's rows.
        fates: Vec<Fate>,
    },
    /// Money.
    Money {
        /// As the source comes to, mapped.
        due: Amount,
        /// As it was read at the target; none where a value there is no amount.
        stands: Option<Amount>,
        /// How far apart they may be, in pence: as the paper says.
        tolerance: i128,
    },
}

/// Rows of one dataset that went the same way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fate {
    /// The dataset, or the source table of rows that are nobody's.
    pub dataset: String,
    /// How many.
    pub rows: u64,
    /// `copied`, `rejected`, `filtered`, `merged`, `nobody's`.
    pub class: Class,
    /// Why, where there is a reason.
    pub reason: Option<String>,
}

/// Which way rows went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// To the target.
    Copied,
    /// Could not go.
    Rejected,
    /// Left out on purpose.
    Filtered,
    /// To a row that stood there before.
    Merged,
    /// To one target or another.
    Shared,
    /// To none: no owner could be told.
    Nobodys,
}

impl Class {
    const ALL: [Class; 6] = [
        Class::Copied,
        Class::Rejected,
        Class::Filtered,
        Class::Merged,
        Class::Shared,
        Class::Nobodys,
    ];

    /// The class that a word names.
    pub(super) fn named(word: &str) -> Option<Class> {
        Class::ALL.into_iter().find(|class| class.word() == word)
    }

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Class::Copied => "copied",
            Class::Rejected => "rejected",
            Class::Filtered => "filtered",
            Class::Merged => "merged",
            Class::Shared => "shared out",
            Class::Nobodys => "nobody's",
        }
    }
}

/// A sum, with what is above zero (owed, debited) kept apart from what is below (in credit).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    /// Sum of what is above zero, in pence.
    pub plus: i128,
    /// How many rows are.
    pub plus_rows: u64,
    /// Sum of what is below zero, in pence.
    pub minus: i128,
    /// How many rows are.
    pub minus_rows: u64,
}

impl Amount {
    /// Adds the same amount several times.
    pub fn add(&mut self, pence: i128, times: u64) {
        let sum = pence * i128::from(times);
        if pence > 0 {
            self.plus += sum;
            self.plus_rows += times;
        } else if pence < 0 {
            self.minus += sum;
            self.minus_rows += times;
        }
    }

    /// Adds another sum.
    pub fn and(&mut self, other: Amount) {
        self.plus += other.plus;
        self.plus_rows += other.plus_rows;
        self.minus += other.minus;
        self.minus_rows += other.minus_rows;
    }

    /// All of it, in pence.
    #[must_use]
    pub fn net(&self) -> i128 {
        self.plus + self.minus
    }

    /// Whether no sum is further from the other than `pence`.
    fn within(&self, other: &Amount, pence: i128) -> bool {
        let pairs = [
            (self.net(), other.net()),
            (self.plus, other.plus),
            (self.minus, other.minus),
        ];
        pairs.iter().all(|(one, two)| (one - two).abs() <= pence)
    }

    fn read(text: &str) -> Option<Amount> {
        let (net, rest) = text.split_once(" (")?;
        let (plus, minus) = rest.strip_suffix(')')?.split_once(", ")?;
        let ((plus, plus_rows), (minus, minus_rows)) =
            (plus.split_once(" on ")?, minus.split_once(" on ")?);
        let amount = Amount {
            plus: pence_of(plus)?,
            plus_rows: plus_rows.parse().ok()?,
            minus: pence_of(minus)?,
            minus_rows: minus_rows.parse().ok()?,
        };
        (pence_of(net)? == amount.net()).then_some(amount)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({} on {}, {} on {})",
            pounds(self.net()),
            pounds(self.plus),
            self.plus_rows,
            pounds(self.minus),
            self.minus_rows
        )
    }
}

/// How a total came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// To the row and to the penny.
    Agrees,
    /// Not quite, but within what the paper allows.
    Within,
    /// It does not, or cannot be told.
    Differs,
}

impl Total {
    /// How it came out.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match &self.figures {
            Figures::Rows { due, stands, .. } if due == stands => Verdict::Agrees,
            Figures::Money {
                due,
                stands: Some(stands),
                ..
            } if due == stands => Verdict::Agrees,
            Figures::Money {
                due,
                stands: Some(stands),
                tolerance,
            } if *tolerance > 0 && due.within(stands, *tolerance) => Verdict::Within,
            _ => Verdict::Differs,
        }
    }

    /// What it is about, without a word of what was found: `account.balance at dover`.
    #[must_use]
    pub fn name(&self) -> String {
        let part = self.part.as_ref().map(|part| format!(" {part}"));
        let name = format!("{}{}", self.of, part.unwrap_or_default());
        match &self.target {
            Some(target) => format!("{name} at {target}"),
            None => format!("{name} of {}", self.source),
        }
    }

    /// By how much it differs: `£0.01 more`, `2 rows fewer`.
    #[must_use]
    pub fn difference(&self) -> String {
        match &self.figures {
            Figures::Rows { due, stands, .. } => {
                let word = if stands < due { "fewer" } else { "more" };
                match due.abs_diff(*stands) {
                    1 => format!("1 row {word}"),
                    rows => format!("{rows} rows {word}"),
                }
            }
            Figures::Money { stands: None, .. } => UNTOLD.to_owned(),
            Figures::Money {
                due,
                stands: Some(stands),
                ..
            } => match stands.net() - due.net() {
                0 => "other amounts, the same sum".to_owned(),
                less if less < 0 => format!("{} less", pounds(-less)),
                more => format!("{} more", pounds(more)),
            },
        }
    }

    /// As the log carries it.
    #[must_use]
    pub fn check(&self) -> Check {
        let (expected, actual) = match &self.figures {
            Figures::Rows { due, stands, fates } => {
                let fates = fates.iter().map(Fate::words);
                let parts: Vec<String> = [format!("{due} rows")].into_iter().chain(fates).collect();
                (parts.join("; "), format!("{stands} rows"))
            }
            Figures::Money {
                due,
                stands,
                tolerance,
            } => {
                let give_or_take = match tolerance {
                    0 => String::new(),
                    pence => format!("{GIVE_OR_TAKE}{}", pounds(*pence)),
                };
                let stands = stands.as_ref().map(ToString::to_string);
                let stands = stands.unwrap_or_else(|| UNTOLD.to_owned());
                (format!("{due}{give_or_take}"), stands)
            }
        };
        let name = self.name();
        let rule = match &self.target {
            Some(_) => format!("{HEAD}{name} from {}", self.source),
            None => format!("{HEAD}{name}"),
        };
        Check {
            rule: rule.into(),
            expected,
            actual,
        }
    }

    /// Whether a check is a control total, readable or not.
    #[must_use]
    pub fn is_one(check: &Check) -> bool {
        check.rule.starts_with(HEAD)
    }

    /// The total that a check carries; none where it is another check or has other words.
    #[must_use]
    pub fn read(check: &Check) -> Option<Total> {
        let rule = check.rule.strip_prefix(HEAD)?;
        let (about, source, target) = if let Some((rest, source)) = rule.rsplit_once(" from ") {
            let (about, target) = rest.rsplit_once(" at ")?;
            (about, source, Some(target.into()))
        } else {
            let (about, source) = rule.rsplit_once(" of ")?;
            (about, source, None)
        };
        let (of, part) = match about.split_once(' ') {
            Some((of, part)) => (of, Some(part.to_owned())),
            None => (about, None),
        };
        Some(Total {
            of: of.to_owned(),
            part,
            source: source.into(),
            target,
            figures: rows(check).or_else(|| money(check))?,
        })
    }
}

impl Fate {
    fn words(&self) -> String {
        let words = format!("{}: {} {}", self.dataset, self.rows, self.class.word());
        match &self.reason {
            // A semicolon would end the part.
            Some(reason) => format!("{words}, {}", reason.replace(';', ",")),
            None => words,
        }
    }

    fn read(text: &str) -> Option<Fate> {
        let (dataset, rest) = text.split_once(": ")?;
        let (what, reason) = match rest.split_once(", ") {
            Some((what, reason)) => (what, Some(reason.to_owned())),
            None => (rest, None),
        };
        let (rows, word) = what.split_once(' ')?;
        Some(Fate {
            dataset: dataset.to_owned(),
            rows: rows.parse().ok()?,
            class: Class::named(word)?,
            reason,
        })
    }
}

fn rows(check: &Check) -> Option<Figures> {
    let mut parts = check.expected.split("; ");
    let due = parts.next()?.strip_suffix(" rows")?.parse().ok()?;
    Some(Figures::Rows {
        due,
        stands: check.actual.strip_suffix(" rows")?.parse().ok()?,
        fates: parts.map(Fate::read).collect::<Option<_>>()?,
    })
}

fn money(check: &Check) -> Option<Figures> {
    let (due, tolerance) = match check.expected.split_once(GIVE_OR_TAKE) {
        Some((due, tolerance)) => (due, pence_of(tolerance)?),
        None => (check.expected.as_str(), 0),
    };
    let stands = match check.actual.as_str() {
        UNTOLD => None,
        text => Some(Amount::read(text)?),
    };
    Some(Figures::Money {
        due: Amount::read(due)?,
        stands,
        tolerance,
    })
}

/// Fixed-scale decimal text as pence; `None` for anything else.
#[must_use]
pub fn pence(text: &str) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (whole, part) = digits.split_once('.')?;
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if part.len() != 2 || !plain(whole) || !plain(part) {
        return None;
    }
    let pence = whole.parse::<i128>().ok()?.checked_mul(100)? + part.parse::<i128>().ok()?;
    Some(sign * pence)
}

/// Pence as plain decimal text: `-0.05`.
#[must_use]
pub fn decimal(pence: i128) -> String {
    let sign = if pence < 0 { "-" } else { "" };
    let pence = pence.unsigned_abs();
    format!("{sign}{}.{:02}", pence / 100, pence % 100)
}

/// Pence as pounds, ungrouped, as checks say them: `-£0.05`.
#[must_use]
pub fn pounds(pence: i128) -> String {
    let sign = if pence < 0 { "-" } else { "" };
    format!("{sign}£{}", decimal(pence.abs()))
}

/// What [`pounds`] wrote.
pub(super) fn pence_of(text: &str) -> Option<i128> {
    pence(&text.replacen('£', "", 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_summed_to_the_penny_or_not_at_all() {
        assert_eq!(pence("612480.17"), Some(61_248_017));
        assert_eq!(pence("-0.05"), Some(-5));
        for strange in [
            "", "1", "1.2", "1.234", "1e3.00", "--1.00", "£1.00", "+1.00", "1.0x",
        ] {
            assert_eq!(pence(strange), None, "{strange}");
        }
        assert_eq!(pounds(-5), "-£0.05");
    }

    fn rows(target: Option<&str>) -> Total {
        let fate = |rows, class, reason: Option<&str>| Fate {
            dataset: "account".to_owned(),
            rows,
            class,
            reason: reason.map(str::to_owned),
        };
        Total {
            of: "account".to_owned(),
            part: None,
            source: "ekh".into(),
            target: target.map(Code::from),
            figures: Figures::Rows {
                due: 812,
                stands: 811,
                fates: vec![
                    fate(812, Class::Copied, None),
                    fate(3, Class::Rejected, Some("HO502 starts_on")),
                    fate(2, Class::Nobodys, Some("owner \"X, Y: Z\"")),
                    fate(2, Class::Shared, None),
                ],
            },
        }
    }

    fn money(part: Option<&str>, stands: Option<i128>, tolerance: i128) -> Total {
        let mut due = Amount::default();
        due.add(61_248_017, 1);
        due.add(-20, 2);
        let stands = stands.map(|more| Amount {
            plus: due.plus + more,
            ..due
        });
        Total {
            of: "account.balance".to_owned(),
            part: part.map(str::to_owned),
            figures: Figures::Money {
                due,
                stands,
                tolerance,
            },
            ..rows(Some("dover"))
        }
    }

    #[test]
    fn what_the_log_holds_is_read_back_as_it_was_written() {
        for total in [
            rows(Some("dover")),
            rows(None),
            money(None, Some(0), 0),
            money(Some("kind=tenant at home from 1990"), Some(-3), 5),
            money(None, None, 0),
        ] {
            let check = total.check();
            assert!(Total::is_one(&check));
            assert_eq!(Total::read(&check), Some(total), "{check:?}");
        }
        let check = Check {
            rule: "row counts account at dover".into(),
            ..rows(None).check()
        };
        assert_eq!(Total::read(&check), None);
    }

    #[test]
    fn a_penny_is_a_difference_unless_the_paper_allows_it() {
        assert_eq!(money(None, Some(0), 0).verdict(), Verdict::Agrees);
        assert_eq!(money(None, Some(1), 0).verdict(), Verdict::Differs);
        assert_eq!(money(None, Some(1), 1).verdict(), Verdict::Within);
        assert_eq!(money(None, Some(-2), 1).verdict(), Verdict::Differs);
        assert_eq!(money(None, None, 1).verdict(), Verdict::Differs);
        assert_eq!(rows(None).verdict(), Verdict::Differs);
        assert_eq!(money(None, Some(-2), 1).difference(), "£0.02 less");
        assert_eq!(rows(None).difference(), "1 row fewer");
    }
}
