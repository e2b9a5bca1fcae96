//! `people.toml`: who holds which role when. Names stay in the folder; the paper, the journal and the
//! log know codes only.
//!
//! Not here: whether a role is held on the day of a decision (`seats`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use super::dates::day;
use super::fault::Fault;
use super::form::{Form, Said, check_name, named};
use super::keys::PERSON;
use super::model::{Code, Person, Place};
use super::public_key::PublicKey;
use super::source::{Desk, Source};

/// Heads the canonical form of `people.toml` that has no names.
const NAMELESS: &str = "# people without their names\n";

/// Somebody, with the places that checking needs.
#[derive(Debug, Clone)]
pub(super) struct Somebody {
    pub(super) person: Person,
    pub(super) place: Place,
    pub(super) org: Said<String>,
    pub(super) roles: Vec<Said<String>>,
    /// A key is given, sound or not.
    pub(super) keyed: bool,
}

/// Everybody in the file, in its order.
pub(super) fn people(desk: &mut Desk, source: &Source) -> Option<Vec<Somebody>> {
    let table = source.parse(desk)?;
    let nameless = source.text.starts_with(NAMELESS);
    let mut all = Vec::new();
    for named in named(source, Some(table.get_ref())) {
        check_name(desk, &named.place, named.name);
        let Some(table) = named.table() else {
            let fault = Fault::error(
                "HO118",
                &named.place,
                "people.toml holds a table for each person",
            );
            desk.push(fault.help("for instance `[p01]`, and below it `name`, `org` and `roles`"));
            continue;
        };
        let what = format!("person `{}`", named.name);
        let heading = named.heading(source);
        let form = Form::read(desk, source, table, (heading, &what), &[PERSON]);
        if !nameless && !form.has("name") && form.is_sound() {
            let fault = Fault::warning("HO207", form.heading(), format!("{what} has no name"));
            desk.push(fault.help("add `name = \"…\"`: it never leaves this file"));
        }
        all.extend(somebody(desk, named.name, &form));
    }
    same_twice(desk, &all);
    same_key(desk, &all);
    Some(all)
}

fn somebody(desk: &mut Desk, code: &str, form: &Form<'_>) -> Option<Somebody> {
    let (from, to) = (day(desk, form, "from"), day(desk, form, "to"));
    if let (Some(first), Some(last)) = (from, to)
        && last < first
    {
        let fault = Fault::error(
            "HO206",
            &form.place("to"),
            format!("person `{code}` leaves before they come"),
        );
        desk.push(
            fault
                .label(format!("`from` is {first}"))
                .help("both days are included; correct one of them"),
        );
    }
    let org = form.said("org")?;
    let roles = form.texts("roles");
    let person = Person {
        code: Arc::from(code),
        name: form.text("name").unwrap_or_default().to_owned(),
        org: Arc::from(org.value.as_str()),
        roles: roles
            .iter()
            .map(|role| Arc::from(role.value.as_str()))
            .collect(),
        from,
        to,
        key: key(desk, form),
    };
    let place = form.heading().clone();
    Some(Somebody {
        person,
        place,
        org,
        roles,
        keyed: form.has("key"),
    })
}

fn key(desk: &mut Desk, form: &Form<'_>) -> Option<PublicKey> {
    let said = form.said("key")?;
    match said.value.parse() {
        Ok(key) => Some(key),
        Err(fault) => {
            let fault = Fault::error("HO209", &said.place, "this is no public key")
                .label(fault.to_string())
                .help("copy the whole line of the `.pub` file that `ssh-keygen -t ed25519` wrote");
            desk.push(fault);
            None
        }
    }
}

/// One key under two codes is one pair of eyes, whenever each of them is in post.
fn same_key(desk: &mut Desk, all: &[Somebody]) {
    let mut seen: BTreeMap<[u8; 32], &Code> = BTreeMap::new();
    for one in all {
        let Some(key) = &one.person.key else { continue };
        if let Some(first) = seen.get(&key.point) {
            let says = format!("`{first}` and `{}` have the same key", one.person.code);
            let fault = Fault::error("HO210", &one.place, says)
                .label("whoever has that key could decide as either of them")
                .help("each person signs with a key of their own: make another with `ssh-keygen -t ed25519`");
            desk.push(fault);
        } else {
            seen.insert(key.point, &one.person.code);
        }
    }
}

/// One human under two codes could decide twice.
fn same_twice(desk: &mut Desk, all: &[Somebody]) {
    let mut seen: BTreeMap<String, Vec<&Somebody>> = BTreeMap::new();
    for one in all {
        let name: Vec<String> = one
            .person
            .name
            .split_whitespace()
            .map(str::to_lowercase)
            .collect();
        if name.is_empty() {
            continue;
        }
        let same = seen.entry(name.join(" ")).or_default();
        let overlaps = |other: &&&Somebody| {
            let before = |a: Option<jiff::civil::Date>, b: Option<jiff::civil::Date>| matches!((a, b), (Some(a), Some(b)) if a < b);
            !before(other.person.to, one.person.from) && !before(one.person.to, other.person.from)
        };
        if let Some(first) = same.iter().find(overlaps) {
            let says = format!(
                "`{}` and `{}` are the same person",
                first.person.code, one.person.code
            );
            let fault = Fault::error("HO204", &one.place, says)
                .label("the same name on the same days")
                .help("keep one entry with all of their roles; if they are two people, tell their names apart");
            desk.push(fault);
        }
        same.push(one);
    }
}

/// `people.toml` in a canonical form without names: what the paper's fingerprint covers and a journal
/// stores. The same people give the same bytes, whatever they are called and however the file is laid
/// out. `None` where the file cannot be read.
#[must_use]
pub fn nameless(bytes: &[u8]) -> Option<String> {
    let mut papers = super::papers::Papers::default();
    papers.put("people.toml".to_owned(), bytes.to_vec());
    let mut desk = Desk::default();
    let source = desk.open(&papers, "people.toml")?;
    let mut all = people(&mut desk, &source)?;
    all.sort_by(|a, b| a.person.code.cmp(&b.person.code));
    let mut out = NAMELESS.to_owned();
    for Somebody { person, .. } in &all {
        let roles: BTreeSet<&Code> = person.roles.iter().collect();
        let roles: Vec<String> = roles.into_iter().map(|role| quoted(role)).collect();
        let _ = write!(
            out,
            "[{}]\norg = {}\nroles = [{}]\n",
            quoted_key(&person.code),
            quoted(&person.org),
            roles.join(", ")
        );
        for (key, day) in [("from", person.from), ("to", person.to)] {
            let _ = day.map(|day| writeln!(out, "{key} = {day}"));
        }
        if let Some(key) = &person.key {
            let _ = writeln!(out, "key = {}", quoted(&key.to_string()));
        }
    }
    Some(out)
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn quoted_key(text: &str) -> String {
    if super::form::is_name(text) {
        text.to_owned()
    } else {
        quoted(text)
    }
}
