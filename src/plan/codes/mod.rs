//! The closed registry of every code that Handover says, one table per hundred. A fault without a page
//! here does not pass the tests; nor does a page that nothing says.
//!
//! To add a code: add one `Entry::new(…)` to the table of its hundred, keeping the order of codes.
//! Not here: step kinds and plan fields (`explain` reads them from the table of keys).

mod claims;
mod copying;
mod databases;
mod decisions;
mod journals;
mod maps;
mod people;
mod plan_text;
mod steps;
mod undoing;

/// What `explain` says about one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The code, the step kind or the field.
    pub name: String,
    /// One line.
    pub title: String,
    /// What happened, or what it is.
    pub what: String,
    /// Why it matters; empty where there is nothing to add.
    pub why: String,
    /// What to do.
    pub then: String,
}

/// One code and its page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// `HO102`
    pub code: &'static str,
    /// One line.
    pub title: &'static str,
    /// What happened.
    pub what: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// What to do.
    pub then: &'static str,
}

impl Entry {
    const fn new(
        code: &'static str,
        title: &'static str,
        what: &'static str,
        why: &'static str,
        then: &'static str,
    ) -> Entry {
        Entry {
            code,
            title,
            what,
            why,
            then,
        }
    }
}

/// Every code in order.
pub fn all() -> impl Iterator<Item = &'static Entry> {
    [
        plan_text::TABLE,
        people::TABLE,
        maps::TABLE,
        decisions::TABLE,
        copying::TABLE,
        steps::TABLE,
        journals::TABLE,
        undoing::TABLE,
        claims::TABLE,
        databases::TABLE,
    ]
    .into_iter()
    .flatten()
}

/// The entry of a code, however it is typed (`ho102`).
#[must_use]
pub fn find(code: &str) -> Option<&'static Entry> {
    all().find(|entry| entry.code.eq_ignore_ascii_case(code.trim()))
}
