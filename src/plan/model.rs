//! A checked plan: what the other rooms work on. Everything here is true by construction: names
//! resolve, the graph has no cycle, dates are absolute, every step knows its undo word.
//!
//! Not here: how text becomes a plan (`read`), how faults are said (`fault`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::digest::Digest;
use super::fault::PlanFaults;
use super::map::Map;
use super::outline::{Outline, StepId, Undo};
use super::papers::Papers;
use super::public_key::PublicKey;

/// A short lower-case name (`dover`, `s151`, `p01`, `copy-homes`) that the author chose.
pub type Code = Arc<str>;

/// A plan that was read, checked and found sound.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The plan folder's name, such as `east-kent-2020`; people type it to confirm severe acts.
    pub name: Code,
    /// What people call the transfer.
    pub title: String,
    /// The moment from which relative dates count.
    pub handover: Timestamp,
    /// Always `Europe/London` today; kept so that no room assumes it.
    pub timezone: jiff::tz::TimeZone,
    /// Who wrote the plan; an author decides nothing in it.
    pub author: Code,
    /// Organisations that rows come from; empty where no data moves.
    pub sources: Vec<Code>,
    /// Organisations that rows go to; empty where no data moves.
    pub targets: Vec<Code>,
    /// How many homes the plan speaks of, held against the source rather than believed.
    pub homes: Option<Homes>,
    /// The roles that must sign a preview before a run (one decision per holder organisation).
    pub signed_by: Vec<Seat>,
    /// The table of contents: every authored step stands in exactly one phase.
    pub phases: Vec<Phase>,
    /// Organisations by code.
    pub orgs: BTreeMap<Code, Org>,
    /// Roles by code.
    pub roles: BTreeMap<Code, Role>,
    /// Who holds what, when.
    pub people: Vec<Person>,
    /// Steps after fan-out, in the plan's order; parallel to `outline.steps`.
    pub steps: Vec<Step>,
    /// Map files by their path in the folder.
    pub maps: BTreeMap<String, Arc<Map>>,
    /// Letter and e-mail templates by their path in the folder.
    pub templates: BTreeMap<String, Arc<str>>,
    /// The part that the machine needs: graph, gates, dates, undo words.
    pub outline: Arc<Outline>,
    /// Every file that counts, as it was read.
    pub papers: Papers,
    /// What somebody should look at although the plan is sound.
    pub warnings: PlanFaults,
}

impl Plan {
    /// The paper fingerprint: the digest of the manifest of every file that counts.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        self.outline.paper
    }

    /// The step with that id, fanned-out name included (`copy-homes/dover`).
    #[must_use]
    pub fn step(&self, id: &StepId) -> Option<&Step> {
        self.steps.iter().find(|step| &step.id == id)
    }

    /// The steps that the author wrote as one with this one, itself among them, in the plan's order.
    pub fn written_as_one<'p>(&'p self, step: &'p Step) -> impl Iterator<Item = &'p Step> {
        self.steps.iter().filter(|other| other.name == step.name)
    }

    /// What an organisation is called at `moment` (Shepway became Folkestone & Hythe).
    #[must_use]
    pub fn org_name(&self, code: &str) -> &str {
        self.orgs.get(code).map_or("", |org| org.name.as_str())
    }
}

/// `homes = { count, as-at, tolerance }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Homes {
    /// How many homes the paper says.
    pub count: u64,
    /// On which day that was true.
    pub as_at: jiff::civil::Date,
    /// How far the source may be from it before `check` and `preview` object.
    pub tolerance: u64,
}

/// A column of the board and a heading of the table of contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phase {
    /// What people call it.
    pub name: String,
    /// Authored step names, in the plan's order.
    pub steps: Vec<Code>,
}

/// What an organisation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrgKind {
    /// A local housing authority: owns the homes and is always the landlord.
    Council,
    /// An arm's-length management organisation: manages, never owns.
    Almo,
}

/// One organisation of the transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Org {
    /// Its name on the day of handover.
    pub name: String,
    /// Council or ALMO.
    pub kind: OrgKind,
    /// The name of the environment variable that holds the database address, without `env:`.
    pub database: Option<String>,
    /// The government's code for the area, where one is given.
    pub gss: Option<String>,
    /// Former and later names with the days they applied from and to.
    pub aliases: Vec<Alias>,
}

/// A name that an organisation bore for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// The name.
    pub name: String,
    /// First day.
    pub from: Option<jiff::civil::Date>,
    /// Last day.
    pub to: Option<jiff::civil::Date>,
}

/// Which organisations a role or a step stands once for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Each {
    /// Once for every source organisation.
    Source,
    /// Once for every target organisation.
    Target,
}

/// A post that decides or does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// What people call the post.
    pub title: String,
    /// One holder per source or target organisation; absent: one holder in all.
    pub each: Option<Each>,
    /// Whether its decisions must be signed, where the plan says so.
    pub proof: Option<Proof>,
}

/// What makes a decision count: `decision = "signed"` or `"recorded"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// A signature with the person's key over what they decide.
    Signed,
    /// Somebody's word that they decided so.
    Recorded,
}

/// A role in one organisation (or in none, where the role is held once): what a decision is asked of.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Seat {
    /// The role's code.
    pub role: Code,
    /// The organisation whose holder is asked; absent: any holder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org: Option<Code>,
}

/// Somebody of `people.toml`. Names never enter the paper, the log or the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The code that stands for them everywhere.
    pub code: Code,
    /// Their name; empty when the plan was read from a journal.
    pub name: String,
    /// Which organisation they act for.
    pub org: Code,
    /// Roles they hold.
    pub roles: Vec<Code>,
    /// First day, inclusive.
    pub from: Option<jiff::civil::Date>,
    /// Last day, inclusive.
    pub to: Option<jiff::civil::Date>,
    /// The key that they sign with.
    pub key: Option<PublicKey>,
}

/// Where in which file something stands, for faults that are found later than reading.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// Path in the plan folder.
    pub file: String,
    /// Byte range in that file.
    pub span: std::ops::Range<usize>,
}

/// One step after fan-out.
#[derive(Debug, Clone)]
pub struct Step {
    /// `copy-homes`, or `copy-homes/dover` where the author's step stands for several.
    pub id: StepId,
    /// The authored name: `copy-homes`.
    pub name: Code,
    /// The organisation this one stands for, if it was fanned out.
    pub org: Option<Code>,
    /// What people call it.
    pub title: String,
    /// The phase it stands in.
    pub phase: usize,
    /// Who sees to it, where a person does.
    pub owner: Option<Code>,
    /// When it should be done.
    pub due: Option<Timestamp>,
    /// Its undo word.
    pub undo: Undo,
    /// Where its table stands.
    pub place: Place,
    /// What it does.
    pub does: StepSpec,
}

/// What a step does: a closed list, matched exhaustively everywhere.
#[derive(Debug, Clone)]
pub enum StepSpec {
    /// Rows from source to target.
    DataCopy(DataCopy),
    /// What happened at the source since a copy.
    CatchUp(CatchUp),
    /// Employees from one employer's register to another's.
    StaffTransfer(StaffTransfer),
    /// Contracts, one by one, each by its route.
    ContractNovation(ContractNovation),
    /// A letter or e-mail per person and purpose.
    TenantNotification(TenantNotification),
    /// Decisions by named roles.
    Approval(Approval),
    /// A person does it and says so.
    Task(Task),
    /// Nothing until a moment.
    Wait(Wait),
    /// Writes to the named tables fail from here on.
    Freeze(Freeze),
    /// Counts, money, keyed digests, completeness.
    Verify(Verify),
    /// The managing organisation changes, effective at handover.
    Switch(Switch),
}

impl StepSpec {
    /// The word in the plan: `does = "…"`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            StepSpec::DataCopy(_) => "data-copy",
            StepSpec::CatchUp(_) => "catch-up",
            StepSpec::StaffTransfer(_) => "staff-transfer",
            StepSpec::ContractNovation(_) => "contract-novation",
            StepSpec::TenantNotification(_) => "tenant-notification",
            StepSpec::Approval(_) => "approval",
            StepSpec::Task(_) => "task",
            StepSpec::Wait(_) => "wait",
            StepSpec::Freeze(_) => "freeze",
            StepSpec::Verify(_) => "verify",
            StepSpec::Switch(_) => "switch",
        }
    }
}

/// `does = "data-copy"`.
#[derive(Debug, Clone)]
pub struct DataCopy {
    /// Where rows come from.
    pub source: Code,
    /// Where rows go.
    pub target: Code,
    /// The map file, by its path.
    pub map: Arc<Map>,
    /// The map file's path in the folder.
    pub map_path: String,
    /// The source tables this step may read rows of; a dataset of the map whose `from` is not among
    /// them is not copied by this step.
    pub tables: Vec<String>,
    /// The column that says whose a row is (`property.owner_conf`), where the target gets a part.
    pub split: Option<String>,
    /// What the target's own triggers do while rows are loaded.
    pub triggers: Option<Triggers>,
    /// What the target's own indexes do meanwhile.
    pub indexes: Indexes,
}

impl DataCopy {
    /// Whether both read the same tables of the same source through the same map, and share its rows.
    #[must_use]
    pub fn shares_source_with(&self, other: &DataCopy) -> bool {
        self.source == other.source
            && self.map_path == other.map_path
            && self.tables == other.tables
            && self.split == other.split
    }

    /// Tables of the source that decide what its rows are, and whose: those it may read, the one that tells
    /// whose they are, and all to which relations lead from these.
    #[must_use]
    pub fn hangs_on(&self) -> BTreeSet<&str> {
        let mut tables: BTreeSet<&str> = self.tables.iter().map(String::as_str).collect();
        if let Some(split) = &self.split {
            let rules = self.map.splits.get(split).map(|rules| rules.table.as_str());
            let column = split.split_once('.').map(|(table, _)| table);
            tables.extend(rules.or(column));
        }
        loop {
            let known = tables.len();
            let from = |child: &str| tables.contains(child);
            let relations = self.map.relations.iter();
            let led: Vec<&str> = relations
                .filter(|relation| from(&relation.child.table))
                .map(|relation| relation.parent.table.as_str())
                .collect();
            tables.extend(led);
            if tables.len() == known {
                return tables;
            }
        }
    }
}

/// `does = "catch-up"`.
#[derive(Debug, Clone)]
pub struct CatchUp {
    /// The copy whose rows are caught up with: the step of the same organisation.
    pub of: StepId,
    /// What that step copies.
    pub copy: DataCopy,
}

/// `triggers = "fire"` or `"off"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Triggers {
    /// They fire; an exact undo is then not promised.
    Fire,
    /// They are set aside for the load and put back exactly.
    Off,
}

/// `indexes = "keep"`, `"rebuild"` or `"rebuild locked"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Indexes {
    /// They stay, and every row is entered into them as it is loaded.
    #[default]
    Keep,
    /// Those of empty tables are set aside and built again behind the last row.
    Rebuild,
    /// The same of tables that hold rows of others, under a lock, in one transaction.
    RebuildLocked,
}

/// `does = "staff-transfer"`.
#[derive(Debug, Clone)]
pub struct StaffTransfer {
    /// The employer until handover.
    pub source: Code,
    /// The employer from handover.
    pub target: Code,
    /// The employee table at the source.
    pub list: String,
    /// How its columns become the target's; one dataset, into `employee`.
    pub map: Arc<Map>,
    /// The column of the employee table that says which organisation somebody is assigned to.
    pub split: Option<String>,
    /// The source column that takes the last day of employment.
    pub ends: String,
    /// Effective from this moment: the plan's handover unless it says otherwise.
    pub effective: Timestamp,
}

/// `does = "contract-novation"`.
#[derive(Debug, Clone)]
pub struct ContractNovation {
    /// The buyer until novation, whose register is walked.
    pub source: Code,
    /// The buyer afterwards.
    pub target: Code,
    /// The contract register at the source.
    pub list: String,
    /// How its columns become the target's; one dataset, into `contract`.
    pub map: Arc<Map>,
    /// The register's column that says which organisation a contract is for.
    pub split: Option<String>,
    /// The register's column that names the buyer, changed when a novation is complete.
    pub buyer: String,
}

/// `does = "tenant-notification"`.
#[derive(Debug, Clone)]
pub struct TenantNotification {
    /// Whose registers name the people.
    pub source: Code,
    /// On whose behalf the letters go (the council they concern).
    pub target: Code,
    /// The template file's path.
    pub template: String,
    /// The template's text.
    pub text: Arc<str>,
    /// What the letter is for; one message per person and purpose in a run.
    pub purpose: Code,
    /// `legal` letters go by post to each named tenant; `service` ones once per household.
    pub class: LetterClass,
    /// The column that says which council a home belongs to.
    pub split: Option<String>,
    /// How people are found: one dataset named `recipient` with the columns of `notify::Recipient`.
    pub recipients: Arc<Map>,
}

/// How far suppression rules and preferences reach (`legal` outranks preference).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LetterClass {
    /// A notice the law asks for.
    Legal,
    /// News about the service.
    Service,
}

/// What an approval's `needs` says where the databases are read again before anybody says yes.
pub const SIGNED_PREVIEW: &str = "signed preview";

/// `does = "approval"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Everybody who must say yes; fanned out over organisations already.
    pub seats: Vec<Seat>,
    /// What must lie on the table, in words (`minute reference`, `signed preview`).
    pub needs: Option<String>,
}

/// `does = "task"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Who may say it is done.
    pub seat: Seat,
    /// What must be handed in, in words.
    pub evidence: Option<String>,
}

/// `does = "wait"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// Nothing after it before this moment.
    pub until: Timestamp,
}

/// `does = "freeze"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freeze {
    /// Whose tables.
    pub org: Code,
    /// Which tables.
    pub tables: Vec<String>,
}

/// `does = "verify"`.
#[derive(Debug, Clone)]
pub struct Verify {
    /// Where the rows came from.
    pub source: Code,
    /// Which targets are looked at.
    pub targets: Vec<Code>,
    /// The copies whose work is verified: every data-copy step upstream.
    pub copies: Vec<StepId>,
    /// Every catch-up upstream.
    pub catch_ups: Vec<StepId>,
    /// What is checked.
    pub checks: Vec<VerifyCheck>,
}

/// One line of `checks = […]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VerifyCheck {
    /// `row counts`: copied + rejected + filtered = source, and the target holds what was copied.
    RowCounts,
    /// `keyed digests`: every row the copy wrote still has its digest; differing rows are named.
    KeyedDigests,
    /// `sum of TABLE.COLUMN`: pence at the source equal pence at the target.
    SumOf {
        /// The source table.
        table: String,
        /// The source column.
        column: String,
    },
    /// `control totals`: rows and money of every target table, source against target, each number told.
    ControlTotals {
        /// `totals = [{ … }]`: what is told apart, and what may differ.
        rules: Vec<TotalRule>,
    },
    /// `parts add up`: the parts of a source are disjoint where they should be, and together complete.
    PartsAddUp,
    /// `crosswalk`: each row under one name, each name for one row unless somebody decided otherwise.
    Crosswalk,
    /// `every TABLE lands once`: no row of the source table is in two targets or in none.
    LandsOnce {
        /// The source table.
        table: String,
    },
}

/// One of `totals = [{ of = …, by = … }]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TotalRule {
    /// The target table.
    pub table: String,
    /// Its money column; absent: its rows are counted.
    pub column: Option<String>,
    /// The coded target column by which the total is told apart.
    pub by: Option<String>,
    /// How far source and target may be apart, in pence.
    pub tolerance: i128,
    /// Why that is right.
    pub because: Option<String>,
}

impl TotalRule {
    /// Whether it is about this column of this table (about its rows where there is none).
    #[must_use]
    pub fn is(&self, table: &str, column: Option<&str>) -> bool {
        self.table == table && self.column.as_deref() == column
    }

    /// As the plan names it: `account.balance`.
    #[must_use]
    pub fn of(&self) -> String {
        match &self.column {
            Some(column) => format!("{}.{column}", self.table),
            None => self.table.clone(),
        }
    }
}

/// `does = "switch"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switch {
    /// Who managed until now.
    pub from: Vec<Code>,
    /// Who manages from now on, and whose database says so.
    pub to: Vec<Code>,
    /// From this moment.
    pub effective: Timestamp,
}
