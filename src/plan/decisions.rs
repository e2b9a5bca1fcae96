//! What people decided about rows that share a natural key: the same person (home, supplier) twice, or
//! two who only look alike. The paper holds references only, as lists do: `canterbury:00000012/1`.
//!
//! ```toml
//! format = 1
//! [[group]]
//! dataset = "person"
//! rows = ["canterbury:00000012/1", "dover:00000099/2"]   # references, as lists hold them
//! verdict = "same"                                       # or "different"; "open" until somebody decides
//! ```
//!
//! In: the file that a map's `decisions` names. Out: a verdict for any two rows.
//!
//! Not here: finding such rows (`copy::namesakes`), which paper is read (`shelf`).

use std::collections::BTreeSet;

use super::fault::Fault;
use super::form::{Form, Said};
use super::head::Head;
use super::keys::{DECISIONS, GROUP};
use super::map::{Collision, Map};
use super::model::{Code, Place};
use super::source::{Desk, Source};

/// Decisions about rows, by dataset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decisions {
    /// The paper's path, where the map names one.
    pub path: Option<String>,
    /// Groups in the file's order.
    pub groups: Vec<Group>,
}

/// Rows that somebody has looked at, or will.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The dataset.
    pub dataset: String,
    /// Rows, each by its organisation and its key there.
    pub rows: Vec<RowRef>,
    /// What was decided.
    pub verdict: Verdict,
    /// Where it stands.
    pub place: Place,
}

/// A row by its organisation and its key there: the source key, or the target key of a row that stood
/// at the target before.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowRef {
    /// The organisation.
    pub org: Code,
    /// The key, its parts joined by `/`.
    pub key: String,
}

/// What was decided about two rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// They are one.
    Same,
    /// They are two.
    Different,
    /// Nobody has decided.
    Open,
}

impl std::fmt::Display for RowRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.org, self.key)
    }
}

impl Decisions {
    /// What was decided about two rows of a dataset.
    #[must_use]
    pub fn verdict(&self, dataset: &str, one: &RowRef, other: &RowRef) -> Verdict {
        let both = |group: &&Group| {
            group.dataset == dataset && group.rows.contains(one) && group.rows.contains(other)
        };
        let found = self.groups.iter().find(both);
        found.map_or(Verdict::Open, |group| group.verdict)
    }
}

const HEAD: &str = "\
# Rows that share a natural key, by their references; personal details stay in the registers. Look each
# group up there, then write `same` (the row that stands first stands for all) or `different`. `open`
# stops the copy. Name this file as `decisions` of the map, or add its groups to that file.
format = 1
";

/// The paper in which somebody decides about these groups of rows, each with its dataset.
pub fn paper<'r>(groups: impl Iterator<Item = (&'r str, &'r [RowRef])>) -> String {
    let quoted = |text: String| toml::Value::String(text).to_string();
    let mut paper = HEAD.to_owned();
    for (dataset, rows) in groups {
        let rows: Vec<String> = rows.iter().map(|row| quoted(row.to_string())).collect();
        let dataset = quoted(dataset.to_owned());
        let rows = rows.join(", ");
        let lines = [
            "\n[[group]]\ndataset = ",
            &dataset,
            "\nrows = [",
            &rows,
            "]\nverdict = \"open\"\n",
        ];
        paper.extend(lines);
    }
    paper
}

/// Reads the paper of a map's decisions.
pub(super) fn read(desk: &mut Desk, source: &Source, head: &Head, map: &Map) -> Decisions {
    let path = Some(source.path.clone());
    let mut decisions = Decisions {
        path,
        groups: Vec::new(),
    };
    let Some(table) = source.parse(desk) else {
        return decisions;
    };
    let about = (0..0, "the decisions");
    let form = Form::read(desk, source, table.get_ref(), about, &[DECISIONS]);
    for group in form.forms(desk, "group", "a group", GROUP) {
        decisions.groups.extend(read_group(desk, &group, head, map));
    }
    decided_twice(desk, &decisions.groups);
    decisions
}

fn read_group(desk: &mut Desk, form: &Form<'_>, head: &Head, map: &Map) -> Option<Group> {
    let dataset = form.said("dataset")?;
    let decides = |name: &str| {
        let mut datasets = map.datasets.iter();
        datasets.any(|one| one.name == name && one.collision == Collision::Decide)
    };
    if !decides(&dataset.value) {
        let says = format!("nothing is decided about rows of `{}`", dataset.value);
        let help = format!(
            "name a dataset of {} that says `collision = \"decide\"`",
            map.path
        );
        desk.push(Fault::error("HO317", &dataset.place, says).help(help));
    }
    let said = form.texts("rows");
    let verdict = match form.text("verdict") {
        Some("same") => Verdict::Same,
        Some("different") => Verdict::Different,
        _ => Verdict::Open,
    };
    let rows: Vec<RowRef> = said
        .iter()
        .filter_map(|said| row(desk, said, head))
        .collect();
    let orgs: BTreeSet<&Code> = rows.iter().map(|row| &row.org).collect();
    if rows.len() == said.len() && rows.len() < 2 {
        let fault = Fault::error(
            "HO317",
            &form.place("rows"),
            "a decision is about two rows or more",
        );
        desk.push(fault.help("name each as `ORGANISATION:KEY`"));
    } else if verdict == Verdict::Same && orgs.len() < rows.len() {
        let fault = Fault::error(
            "HO317",
            &form.place("rows"),
            "two rows of one organisation are said to be the same",
        )
        .label("a copy never makes two rows of one register into one")
        .help(
            "take one of them out and decide about it in a group of its own, or mend the register",
        );
        desk.push(fault);
    }
    Some(Group {
        dataset: dataset.value,
        rows,
        verdict,
        place: form.heading().clone(),
    })
}

fn row(desk: &mut Desk, said: &Said<String>, head: &Head) -> Option<RowRef> {
    let parts = said.value.split_once(':');
    let known = parts.filter(|(org, key)| head.orgs.contains_key(*org) && !key.is_empty());
    let Some((org, key)) = known else {
        let says = format!(
            "`{}` names no organisation of the plan and a row of it",
            said.value
        );
        let help = "write `ORGANISATION:KEY`, the key as `handover check --propose` wrote it";
        desk.push(Fault::error("HO317", &said.place, says).help(help));
        return None;
    };
    Some(RowRef {
        org: org.into(),
        key: key.to_owned(),
    })
}

/// Two groups must not speak of the same two rows.
fn decided_twice(desk: &mut Desk, groups: &[Group]) {
    let mut seen = BTreeSet::new();
    for group in groups {
        let mut twice = false;
        for (at, one) in group.rows.iter().enumerate() {
            for other in &group.rows[at + 1..] {
                let pair = (&group.dataset, one.min(other), one.max(other));
                twice |= !seen.insert(pair);
            }
        }
        if twice {
            let fault = Fault::error("HO317", &group.place, "these rows are decided about twice");
            desk.push(fault.help("keep one of the two groups"));
        }
    }
}
