//! The head of a plan: `[plan]`, `[org]`, `[role]`, `[phase]`.
//!
//! In: the root table. Out: organisations, roles, phases and the frame of dates, with their places.
//! Not here: steps (`authored`), whether names resolve (`names`).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::dates::{Frame, day, local};
use super::fault::Fault;
use super::form::{Form, Said, check_name};
use super::keys::{ALIAS, HOMES, ORG, PLAN, ROLE};
use super::model::{Alias, Code, Each, Homes, Org, OrgKind, Place, Proof, Role};
use super::quorum::Quorum;
use super::source::Desk;
use super::trust::trust;
use crate::calendar::{self, ClockChange};

/// The head, read.
#[derive(Debug, Clone, Default)]
pub(super) struct Head {
    pub(super) title: String,
    pub(super) frame: Option<Frame>,
    pub(super) author: Option<Said<String>>,
    pub(super) sources: Vec<Said<String>>,
    pub(super) targets: Vec<Said<String>>,
    pub(super) homes: Option<Homes>,
    pub(super) signed_by: Vec<Said<String>>,
    /// Where `[plan]` stands.
    pub(super) place: Place,
    /// Whether every key of `[plan]` was known and of its shape.
    pub(super) sound: bool,
    pub(super) orgs: BTreeMap<Code, (Org, Place)>,
    pub(super) roles: BTreeMap<Code, (Role, Place)>,
    pub(super) phases: Vec<PhaseList>,
    pub(super) trust: Option<Quorum>,
}

/// A phase and the steps it lists.
#[derive(Debug, Clone)]
pub(super) struct PhaseList {
    pub(super) name: String,
    pub(super) steps: Vec<Said<String>>,
}

/// Reads the head.
pub(super) fn head(desk: &mut Desk, root: &Form<'_>) -> Head {
    let mut head = Head {
        orgs: orgs(desk, root),
        roles: roles(desk, root),
        phases: phases(root),
        trust: trust(desk, root),
        ..Head::default()
    };
    let Some(form) = root.form(desk, "plan", "`[plan]`", PLAN) else {
        return head;
    };
    head.place = form.heading().clone();
    head.sound = form.is_sound();
    form.text("title")
        .unwrap_or_default()
        .clone_into(&mut head.title);
    head.frame = frame(desk, &form);
    head.author = form.said("author");
    head.sources = form.texts("source");
    head.targets = form.texts("target");
    head.signed_by = form.texts("signed-by");
    head.homes = form
        .form(desk, "homes", "`homes`", HOMES)
        .and_then(|homes| {
            Some(Homes {
                count: homes.whole("count")?,
                as_at: day(desk, &homes, "as-at")?,
                tolerance: homes.whole("tolerance").unwrap_or(0),
            })
        });
    head
}

fn frame(desk: &mut Desk, form: &Form<'_>) -> Option<Frame> {
    let zone = calendar::london();
    let said = local(desk, form, "handover")?;
    let change = calendar::clock_change(said.value, &zone);
    if change != ClockChange::None {
        let label = match change {
            ClockChange::Skipped => "this local time never comes: the clocks go forward over it",
            _ => "this local time comes twice: the clocks go back over it",
        };
        let fault = Fault::warning(
            "HO133",
            &said.place,
            "the handover falls in the hour in which the clocks change",
        );
        desk.push(fault.label(label).help("move it by an hour or more"));
    }
    let handover = calendar::moment(said.value, &zone)?;
    Some(Frame { handover, zone })
}

fn orgs(desk: &mut Desk, root: &Form<'_>) -> BTreeMap<Code, (Org, Place)> {
    let mut orgs = BTreeMap::new();
    for named in root.named("org") {
        check_name(desk, &named.place, named.name);
        let Some(table) = named.table() else { continue };
        let what = format!("organisation `{}`", named.name);
        let heading = (named.heading(root.source()), what.as_str());
        let form = Form::read(desk, root.source(), table, heading, &[ORG]);
        let org = Org {
            name: form.text("name").unwrap_or(named.name).to_owned(),
            kind: match form.text("kind") {
                Some("almo") => OrgKind::Almo,
                _ => OrgKind::Council,
            },
            database: database(desk, &form, named.name),
            gss: gss(desk, &form),
            aliases: aliases(desk, &form),
        };
        orgs.insert(Arc::from(named.name), (org, named.place));
    }
    orgs
}

/// The name behind `env:`. Anything else may hold a password, so it is neither said nor drawn.
fn database(desk: &mut Desk, form: &Form<'_>, org: &str) -> Option<String> {
    let text = form.text("database")?;
    let variable = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let name = text.strip_prefix("env:").unwrap_or_default();
    if name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(variable) {
        return Some(name.to_owned());
    }
    let place = form.place("database");
    desk.hide(&place);
    let example = org.replace('-', "_").to_uppercase();
    let fault = Fault::error(
        "HO129",
        &place,
        format!("the database of `{org}` is not named by an environment variable"),
    )
    .label("not shown, since it may hold a password")
    .help(format!(
        "write `database = \"env:{example}_DB\"` and set that variable, for instance in `.env`"
    ))
    .note("a plan is read by many and signed; addresses do not belong in it");
    desk.push(fault);
    None
}

/// The government's nine characters for an English local authority: E06 to E09 and six digits.
fn gss(desk: &mut Desk, form: &Form<'_>) -> Option<String> {
    let said = form.said("gss")?;
    let digits = said.value.strip_prefix("E0").unwrap_or_default();
    let fine = digits.len() == 7
        && digits.starts_with(['6', '7', '8', '9'])
        && digits.chars().all(|c| c.is_ascii_digit());
    if !fine {
        let fault = Fault::error(
            "HO136",
            &said.place,
            "`gss` is no code of an English local authority",
        );
        desk.push(
            fault
                .label("E06, E07, E08 or E09 and six digits")
                .help("for instance `E07000108`"),
        );
    }
    fine.then_some(said.value)
}

fn aliases(desk: &mut Desk, org: &Form<'_>) -> Vec<Alias> {
    let forms = org.forms(desk, "aliases", "an alias", ALIAS);
    let mut aliases = Vec::new();
    for form in forms {
        let (from, to) = (day(desk, &form, "from"), day(desk, &form, "to"));
        let name = form.text("name").unwrap_or_default().to_owned();
        if from.zip(to).is_some_and(|(from, to)| to < from) {
            let fault = Fault::error("HO206", &form.place("to"), "the name ends before it begins");
            desk.push(fault.help("both days are included; correct one of them"));
        }
        aliases.push(Alias { name, from, to });
    }
    aliases
}

fn roles(desk: &mut Desk, root: &Form<'_>) -> BTreeMap<Code, (Role, Place)> {
    let mut roles = BTreeMap::new();
    for named in root.named("role") {
        check_name(desk, &named.place, named.name);
        let Some(table) = named.table() else { continue };
        let what = format!("role `{}`", named.name);
        let heading = (named.heading(root.source()), what.as_str());
        let form = Form::read(desk, root.source(), table, heading, &[ROLE]);
        let role = Role {
            title: form.text("title").unwrap_or(named.name).to_owned(),
            each: each(&form),
            proof: proof(&form),
        };
        roles.insert(Arc::from(named.name), (role, named.place));
    }
    roles
}

/// `each = "source" | "target"`
pub(super) fn each(form: &Form<'_>) -> Option<Each> {
    match form.text("each")? {
        "source" => Some(Each::Source),
        "target" => Some(Each::Target),
        _ => None,
    }
}

/// `decision = "signed" | "recorded"`
pub(super) fn proof(form: &Form<'_>) -> Option<Proof> {
    match form.text("decision")? {
        "signed" => Some(Proof::Signed),
        "recorded" => Some(Proof::Recorded),
        _ => None,
    }
}

fn phases(root: &Form<'_>) -> Vec<PhaseList> {
    let list = root.named("phase");
    list.iter()
        .map(|named| PhaseList {
            name: named.name.to_owned(),
            steps: named.texts(root.source()),
        })
        .collect()
}

impl Head {
    /// The organisations that an `each` stands for; one that the plan does not have was told already.
    pub(super) fn orgs_of(&self, each: Each) -> Vec<Code> {
        let said = match each {
            Each::Source => &self.sources,
            Each::Target => &self.targets,
        };
        said.iter()
            .filter(|org| self.orgs.contains_key(org.value.as_str()))
            .map(|org| Arc::from(org.value.as_str()))
            .collect()
    }

    /// What kind of organisation that is, where it is known.
    pub(super) fn kind_of(&self, org: &str) -> Option<OrgKind> {
        self.orgs.get(org).map(|(org, _)| org.kind)
    }
}
