//! A checked map file: which source rows become which target rows, column by column. Deny by
//! default: a column that no dataset names is not copied.
//!
//! The file, in short (`docs/` has the whole reference):
//!
//! ```toml
//! format = 1
//! [owner]                                 # the split column's codes -> organisations
//! CAN = "canterbury"
//! [[split.property]]                      # or rules at each row of a table; a step says split = "property"
//! owner = "canterbury"
//! where = [{ column = "prop_ref", from = "10000", to = "19999" }, { column = "sold", blank = true }]
//! [[split.property]]
//! owner = "dover"
//! otherwise = true                        # every row that no other rule takes
//! [relation]                              # child column = parent column; legacy schemas declare none
//! "tenagree.prop_ref" = "property.prop_ref"
//! "rtrans.tag_ref" = "tenagree.tag_ref"
//! [code.tenure]                           # a code list; `at.ORG.values` says what codes mean at one source
//! unmapped = { policy = "reject", reason = "not yet agreed", limit = 20 }   # default: a fault
//! values = { SEC = "secure", INT = "introductory" }
//! [table.asset]
//! from = "property"
//! key = ["prop_ref"]
//! id = "asset_id"
//! [table.asset.column]
//! asset_ref = "prop_ref"
//! parent_asset_id = { from = "major_ref", lookup = "asset" }                # itself: a second pass
//! line1 = { concat = ["post_desig", "short_address"], with = ", " }
//! manager_org_id = { fill = "target-org" }   # or source-org, handover, run, source-key
//! source_system = { constant = "legacy" }
//! [table.tenancy]                         # a dataset; `into` defaults to its name
//! from = "tenagree"
//! key = ["tag_ref"]                       # identity at the source
//! id = "tenancy_id"                       # target key column that we draw, kept in the crosswalk
//! aliases = [{ name = "tenancy-of-household", key = ["house_ref"], unless = [{ column = "present", is = ["0"] }] }]
//! leave-out = [{ column = "active", is = ["0"], reason = "never started" }]
//! reject-limit = 100                      # per organisation
//! [table.tenancy.column]
//! tenancy_ref = "tag_ref"                 # short for { from = "tag_ref" }
//! tenure_code = { from = "tenure", code = "tenure" }
//! asset_id = { from = "prop_ref", lookup = "asset" }
//! patch = { from = "property.patch", case = "upper" }                        # of a parent
//! number = { from = "tag_ref", split-at = "/", part = 2, as = "integer", bad = "null" }
//! start = { from = "cot", as = "date", formats = ["yyyy-mm-dd", "dd/mm/yyyy"], required = true }
//! end = { from = "eot", as = "date", sentinels = ["1900-01-01"] }
//! manager_from = { from = "cot", as = "date", latest = "handover" }
//! balance = { from = "cur_bal", as = "money", negate = false }
//! note = { from = "u_comments", trim = true, nulls = [".", "N/A"], repair = true, default = "none" }
//! ```
//!
//! Conditions take one of `is`, `not`, `starts-with`, `from` with `to`, `postcode`, `blank`, `present`. `as`
//! is one of text, integer, decimal (with `scale`), money, flag, date, moment, uprn. Date formats may have
//! ` hh:mm` or ` hh:mm:ss` behind.
//! `keys::map_keys` says what every key means.
//!
//! Not here: reading the file (`map_file`), applying it to rows (`copy::convert`).

use std::collections::BTreeMap;

pub use super::condition::{Condition, Test};
use super::decisions::Decisions;
use super::model::{Code, Place};
pub use super::split::{Split, SplitRule, Takes};

/// A map file that was read and checked for itself (live codes are checked against a database).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Map {
    /// Its path in the plan folder.
    pub path: String,
    /// Codes of the split column and the organisation each stands for.
    pub owners: BTreeMap<String, Code>,
    /// Rules that say whose a table's rows are, by that table: a step's `split` names it.
    pub splits: BTreeMap<String, Split>,
    /// Many-to-one relations that the source does not declare.
    pub relations: Vec<Relation>,
    /// Code lists by name.
    pub codes: BTreeMap<String, CodeList>,
    /// Datasets in load order: a lookup's dataset always stands before the one that looks it up,
    /// a self-lookup excepted.
    pub datasets: Vec<Dataset>,
    /// What people decided about rows that share a natural key.
    pub decisions: Decisions,
}

/// `table.column`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColumnRef {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
}

/// Every row of `child.table` belongs to the row of `parent.table` whose column is equal (trailing
/// spaces apart).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// The many side.
    pub child: ColumnRef,
    /// The one side.
    pub parent: ColumnRef,
}

/// Source code -> target code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeList {
    /// The pairs; keys are compared after the column's own trim and case.
    pub values: BTreeMap<String, String>,
    /// Pairs that hold at one source only, and there before the others: the same code may mean
    /// something else at each.
    pub at: BTreeMap<Code, BTreeMap<String, String>>,
    /// What happens to a code without a pair.
    pub unmapped: Unmapped,
    /// Where it stands.
    pub place: Place,
}

impl CodeList {
    /// The pairs as they hold at a source.
    pub fn pairs<'l>(&'l self, source: &str) -> impl Iterator<Item = (&'l str, &'l str)> + use<'l> {
        let own = self.at.get(source);
        let not_own = move |code: &&String| own.is_none_or(|own| !own.contains_key(*code));
        let common = self.values.iter().filter(move |(code, _)| not_own(code));
        let all = common.chain(own.into_iter().flatten());
        all.map(|(code, into)| (code.as_str(), into.as_str()))
    }

    /// Every target code that some source's code may become.
    pub fn targets(&self) -> impl Iterator<Item = &str> {
        let own = self.at.values().flat_map(BTreeMap::values);
        self.values.values().chain(own).map(String::as_str)
    }
}

/// What an unmapped code does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unmapped {
    /// `check` objects, and a copy that meets one refuses.
    Fault,
    /// The row is kept back as rejected, up to a limit.
    Reject {
        /// Why that is right.
        reason: String,
        /// Most rows that may go so, per organisation; one more fails the step.
        limit: u64,
    },
    /// The code itself is kept.
    Keep,
}

/// One flow of rows: a source table's rows into a target table.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// Its name; `into` where nothing else is said.
    pub name: String,
    /// The source table.
    pub from: String,
    /// The target table.
    pub into: String,
    /// Source columns that identify a row.
    pub key: Vec<String>,
    /// The target key column whose value we draw and keep in the crosswalk.
    pub id: Option<String>,
    /// Further crosswalk names for the same target key.
    pub aliases: Vec<CrosswalkAlias>,
    /// Rows left out on purpose, counted by reason.
    pub leave_out: Vec<Filter>,
    /// Most rows that may be rejected, per organisation; absent: no limit but all are reported.
    pub reject_limit: Option<u64>,
    /// To whom its rows go.
    pub goes_to: GoesTo,
    /// Target columns that tell who or what a row is, wherever it comes from; none: rows are told apart
    /// by their source keys alone.
    pub natural_key: Vec<String>,
    /// What becomes of a row whose natural key a row of another source has, or one that stands at the
    /// target.
    pub collision: Collision,
    /// Target columns in the file's order.
    pub columns: Vec<MapColumn>,
    /// Where it stands.
    pub place: Place,
}

impl Map {
    /// Whether a dataset's rows stand in the crosswalk: others look them up, or may meet them.
    #[must_use]
    pub fn keeps_names(&self, dataset: &Dataset) -> bool {
        let is_its =
            |name: &str| name == dataset.name || dataset.aliases.iter().any(|one| one.name == name);
        let mut columns = self.datasets.iter().flat_map(|one| &one.columns);
        let looked_up =
            columns.any(|one| matches!(&one.becomes, Becomes::Lookup(name) if is_its(name)));
        // By the crosswalk it is told, too, whose the rows are that others may meet.
        looked_up || dataset.meets()
    }
}

impl Dataset {
    /// Whether rows are held against those of other sources, and against those that stand.
    #[must_use]
    pub fn meets(&self) -> bool {
        !self.natural_key.is_empty() && self.collision != Collision::Namespace
    }

    /// Whether its rows refer to rows of its own, by its name or another of its names.
    #[must_use]
    pub fn refers_to_itself(&self) -> bool {
        let is_its =
            |name: &str| name == self.name || self.aliases.iter().any(|one| one.name == name);
        let mut columns = self.columns.iter();
        columns.any(|one| matches!(&one.becomes, Becomes::Lookup(name) if is_its(name)))
    }

    /// Target columns that are money.
    #[must_use]
    pub fn money(&self) -> Vec<String> {
        let columns = self.columns.iter();
        let columns = columns.filter(|column| matches!(column.becomes, Becomes::Money { .. }));
        columns.map(|column| column.into.clone()).collect()
    }
}

/// To whom the rows of a dataset go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GoesTo {
    /// To their owner, whom the split column names.
    #[default]
    Owner,
    /// To everybody whose rows refer to them, near or far: what several share is copied to each.
    WhoNeedsIt,
    /// To their owner, and to everybody else whose rows refer to them.
    Both,
}

/// What becomes of a row that meets another by its natural key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Collision {
    /// Nothing is copied before somebody has mended it.
    #[default]
    Refuse,
    /// The row that stands already stands for both: what refers to this one refers to that one.
    KeepExisting,
    /// Both stand, each under a natural key of its own: with the source's code before it.
    Namespace,
    /// As a person decided about these very rows.
    Decide,
}

impl Collision {
    /// Whether a row may end up as another name for a row that stands already.
    #[must_use]
    pub fn merges(self) -> bool {
        matches!(self, Collision::KeepExisting | Collision::Decide)
    }
}

/// A second way to find a target key: `aliases = [{ name = "tenancy-of-household", key = ["house_ref"], unless = … }]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrosswalkAlias {
    /// What a `lookup` says to use it.
    pub name: String,
    /// Source columns; the first row with a value keeps it.
    pub key: Vec<String>,
    /// Rows that do not get this name.
    pub unless: Vec<Condition>,
}

/// Rows that stay behind on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Which.
    pub condition: Condition,
    /// Why: a short code for counts and for people.
    pub reason: String,
}

/// How one target column gets its value.
#[derive(Debug, Clone, PartialEq)]
pub struct MapColumn {
    /// The target column.
    pub into: String,
    /// Where the raw value comes from.
    pub from: Origin,
    /// Drop trailing spaces (`char` padding) and leading ones; on unless said otherwise.
    pub trim: bool,
    /// Upper, lower or as it stands.
    pub case: Option<Case>,
    /// Texts that mean NULL, beside the empty one (`.`, `N/A`, `UNKNOWN`).
    pub nulls: Vec<String>,
    /// Bytes that are not UTF-8 are read as Windows-1252, and text that was encoded twice is mended
    /// where that is reversible.
    pub repair: bool,
    /// What it becomes.
    pub becomes: Becomes,
    /// What a value that cannot become that does.
    pub bad: Bad,
    /// NULL after all this rejects the row.
    pub required: bool,
    /// What keeps the references of several sources apart in one target.
    pub namespace: Namespace,
    /// Stands where the value is NULL.
    pub default: Option<String>,
    /// Where it stands.
    pub place: Place,
}

/// Whether a text stands in the target as it stood at its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Namespace {
    /// As it stood.
    #[default]
    None,
    /// With the source's code and a colon before it.
    Source,
}

/// Where a raw value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A column of the source table, or of a parent by a declared relation.
    Column(ColumnRef),
    /// Several, joined by a separator, blanks left out.
    Concat {
        /// The columns.
        columns: Vec<ColumnRef>,
        /// The separator.
        with: String,
    },
    /// One part of one column, counted from 1.
    Split {
        /// The column.
        column: ColumnRef,
        /// The separator.
        at: String,
        /// Which part.
        part: usize,
    },
    /// The same for every row.
    Constant(String),
    /// The code of the source organisation.
    SourceOrg,
    /// The code of the target organisation.
    TargetOrg,
    /// The plan's handover (a date or a moment, as `becomes` says).
    Handover,
    /// The run's id (`loaded_run_id`).
    Run,
    /// The source key, joined by `/` (`source_ref`).
    SourceKey,
}

/// Letter case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// `upper`
    Upper,
    /// `lower`
    Lower,
}

/// What a raw value becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Becomes {
    /// Text as it stands (after trim, case and nulls). Keys stay text.
    Text,
    /// A whole number.
    Integer,
    /// Pounds and pence, as decimal text of scale 2: totals are told of it.
    Money {
        /// The source's sign convention is the other one.
        negate: bool,
    },
    /// Fixed-scale decimal text that is not money: hours, percentages, units of work.
    Decimal {
        /// Digits after the point.
        scale: u32,
        /// The source's sign convention is the other one.
        negate: bool,
    },
    /// `0` or `1`, from bit, Y/N, T/F, true/false.
    Flag,
    /// `YYYY-MM-DD`.
    Date {
        /// Formats tried in order: `yyyy-mm-dd`, `dd/mm/yyyy`, `ddmmyyyy`, `yyyymmdd`, each with
        /// ` hh:mm` or ` hh:mm:ss` behind it where the file says so (the time is dropped); `excel`.
        formats: Vec<String>,
        /// Dates (as `yyyy-mm-dd`) or raw texts that mean none.
        sentinels: Vec<String>,
        /// `latest = "handover"`: never earlier than the handover (a derived effective date).
        not_before_handover: bool,
    },
    /// RFC 3339 in UTC, from local time in Europe/London (the earlier of two in the autumn hour).
    Moment {
        /// Formats as for dates, with ` hh:mm` or ` hh:mm:ss` after them.
        formats: Vec<String>,
        /// As for dates.
        sentinels: Vec<String>,
    },
    /// 1 to 12 digits; `1.00061E+11` of a spreadsheet is bad, `100061234567.0` is mended.
    Uprn,
    /// Through a code list.
    Code(String),
    /// The target key that the crosswalk holds for this source key: a dataset's or an alias's name.
    Lookup(String),
}

/// What a value that cannot become what it should does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bad {
    /// The row is rejected.
    #[default]
    Reject,
    /// The column is NULL, counted as mended.
    Null,
}
