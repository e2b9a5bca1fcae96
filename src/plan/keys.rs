//! The one table of keys: what each table of a plan, of `people.toml` and of a map may hold, of what
//! shape, and what it means. The walker (`form`), the editor's schema (`schema`) and `explain` are all
//! driven from it, so that they cannot drift apart.
//!
//! Not here: reading values (`form`), what they mean together (`steps_read`, `sense`).

mod decision_keys;
mod map_keys;
mod plan_keys;
mod step_keys;

pub use decision_keys::{DECISIONS, GROUP};
pub use map_keys::{
    ALIAS_OF_KEY, AT, CODE, COLUMN, CONDITION, DATASET, LEAVE_OUT, MAP, RULE, UNMAPPED,
};
pub use plan_keys::{ALIAS, HOMES, ORG, PERSON, PLAN, ROLE, ROOT, TRUST, WITNESS_GROUP};
pub use step_keys::{KINDS, Kind, RETRY, STEP, TOTAL, a_step, kind};

/// One key of a table.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// As it is written.
    pub name: &'static str,
    /// What may stand there.
    pub shape: Shape,
    /// Whether its table cannot do without it.
    pub required: bool,
    /// What it means: sentences for people.
    pub help: &'static str,
    /// A value as one would write it.
    pub example: &'static str,
}

/// What may stand as a key's value.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// Any text that is not blank.
    Text,
    /// Any text, a blank one too.
    AnyText,
    /// A short name: lower-case letters, digits, hyphens.
    Name,
    /// A list of short names.
    Names,
    /// A list of texts.
    Texts,
    /// `true` or `false`.
    Flag,
    /// A whole number within bounds.
    Whole(i64, i64),
    /// `handover - 28 days`, a day, or a day and a time.
    Date,
    /// A day, and a time where wanted; not relative.
    Moment,
    /// A day of the calendar.
    Day,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A table with these keys.
    Table(&'static [Key]),
    /// A list of tables with these keys.
    Tables(&'static [Key]),
    /// A table whose keys the author names, each holding a text.
    TextsByName,
    /// A table whose keys the author names, each holding a list of short names.
    NamesByName,
    /// A table whose keys the author names, each holding a table with these keys.
    TablesByName(&'static [Key]),
    /// A table whose keys the author names, each holding a list of tables with these keys.
    ListsByName(&'static [Key]),
    /// A table whose keys the author names, each holding a table with these keys, or a text for short.
    ShortTablesByName(&'static [Key]),
}

impl Shape {
    /// What it takes, in words that follow "needs".
    #[must_use]
    pub fn words(&self) -> String {
        let fixed = match self {
            Shape::Text | Shape::AnyText => "a text in quotation marks",
            Shape::Name => "a short name in quotation marks",
            Shape::Names => "a list of short names: `[\"one\", \"two\"]`",
            Shape::Texts => "a list of texts: `[\"one\", \"two\"]`",
            Shape::Flag => "`true` or `false`",
            Shape::Whole(least, most) => return format!("a whole number from {least} to {most}"),
            Shape::Date => "a date: `\"handover - 28 days\"` or `2020-09-14`",
            Shape::Moment => "a day and time: `2020-10-01T00:00:00`",
            Shape::Day => "a day: `2020-09-14`",
            Shape::Word(words) => {
                let quoted: Vec<String> =
                    words.iter().map(|word| format!("`\"{word}\"`")).collect();
                return quoted.join(" or ");
            }
            Shape::Table(_) => "a table: `{ … }`",
            Shape::Tables(_) => "a list of tables: `[{ … }]`",
            Shape::TextsByName => "a table of names with a text each",
            Shape::NamesByName => "a table of names with a list each",
            Shape::TablesByName(_) => "a table of tables",
            Shape::ListsByName(_) => "lists of tables: `[[split.property]]`",
            Shape::ShortTablesByName(_) => "a table of tables or texts",
        };
        fixed.to_owned()
    }
}

const fn must(name: &'static str, shape: Shape, example: &'static str, help: &'static str) -> Key {
    Key {
        name,
        shape,
        required: true,
        help,
        example,
    }
}

const fn may(name: &'static str, shape: Shape, example: &'static str, help: &'static str) -> Key {
    Key {
        required: false,
        ..must(name, shape, example, help)
    }
}
