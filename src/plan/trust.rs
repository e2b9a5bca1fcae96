//! `[trust]`: witnesses with their verifier keys, groups of them, and the quorum. The rules are those of
//! C2SP tlog-policy, so that the policy can be handed on as a file of that format.
//!
//! Not here: whether a quorum is met (`quorum`), what waits for it (`machine`).

use std::collections::BTreeSet;

use super::fault::Fault;
use super::form::{Form, Said, check_name};
use super::keys::{TRUST, WITNESS_GROUP};
use super::model::{Code, Place};
use super::near::did_you_mean;
use super::quorum::{Group, Quorum, Witness};
use super::source::Desk;
use super::vkey::{KeyKind, NoVkey, Vkey};

/// Reads `[trust]`; none where the plan asks for no witness.
pub(super) fn trust(desk: &mut Desk, root: &Form<'_>) -> Option<Quorum> {
    let form = root.form(desk, "trust", "`[trust]`", TRUST)?;
    let mut reading = Reading::default();
    for named in form.named("witness") {
        check_name(desk, &named.place, named.name);
        if let Some(said) = named.said() {
            reading.witness(desk, named.name, &named.place, &said);
        }
    }
    for named in form.named("group") {
        check_name(desk, &named.place, named.name);
        let Some(table) = named.table() else { continue };
        let what = format!("group `{}`", named.name);
        let heading = (named.heading(form.source()), what.as_str());
        let group = Form::read(desk, form.source(), table, heading, &[WITNESS_GROUP]);
        reading.group(desk, named.name, &named.place, &group);
    }
    let needed = form.said("quorum")?;
    reading.quorum.needed = reading.known(desk, &needed);
    Some(reading.quorum)
}

#[derive(Default)]
struct Reading {
    quorum: Quorum,
    names: BTreeSet<Code>,
    keys: BTreeSet<[u8; 32]>,
    members: BTreeSet<Code>,
}

impl Reading {
    fn witness(&mut self, desk: &mut Desk, name: &str, named: &Place, said: &Said<String>) {
        let key = match said.value.parse::<Vkey>() {
            Ok(key) => key,
            Err(fault) => {
                desk.push(no_key(name, &said.place, fault));
                // The name is there all the same: whoever means it is not told so twice.
                self.name(desk, name, named);
                return;
            }
        };
        let fault = |says: String| Fault::error("HO150", &said.place, says);
        if key.kind() != KeyKind::Witness {
            desk.push(
                fault(format!("the key of `{name}` is a log's key"))
                    .label("a witness has a key of its own")
                    .help("let them make one: handover key new --witness NAME --to FILE"),
            );
        }
        if !self.keys.insert(*key.key()) {
            desk.push(
                fault(format!("the key of `{name}` is another witness's key"))
                    .label("this key stands above")
                    .help("each witness makes a key that nobody else has"),
            );
        }
        let name = self.name(desk, name, named);
        self.quorum.witnesses.push(Witness { name, key });
    }

    fn group(&mut self, desk: &mut Desk, name: &str, named: &Place, form: &Form<'_>) {
        let said = form.texts("of");
        let mut members = Vec::new();
        for member in &said {
            let Some(known) = self.known(desk, member) else {
                continue;
            };
            if !self.members.insert(known.clone()) {
                let says = format!("`{known}` is in another group already");
                desk.push(
                    Fault::error("HO151", &member.place, says)
                        .label("the second group with it")
                        .help("each witness and each group counts in one place only"),
                );
            }
            members.push(known);
        }
        let need = match form.text("need") {
            Some("any") => Some(1),
            Some("all") => Some(said.len()),
            Some(number) => number.parse().ok(),
            None => return,
        };
        let Some(need) = need.filter(|need| (1..=said.len()).contains(need)) else {
            let says = format!("group `{name}` cannot have what it needs");
            desk.push(
                Fault::error("HO151", &form.place("need"), says)
                    .label(format!("it has {}", said.len()))
                    .help("write `any`, `all`, or a number of its members"),
            );
            return;
        };
        let name = self.name(desk, name, named);
        self.quorum.groups.push(Group {
            name,
            need,
            members,
        });
    }

    fn name(&mut self, desk: &mut Desk, name: &str, place: &Place) -> Code {
        let code = Code::from(name);
        if name == "none" || !self.names.insert(code.clone()) {
            let says = format!("`{name}` is a witness, or a word of its own, already");
            desk.push(
                Fault::error("HO151", place, says)
                    .label("this name means something else")
                    .help("call the group something else"),
            );
        }
        code
    }

    fn known(&self, desk: &mut Desk, said: &Said<String>) -> Option<Code> {
        let known = self.names.get(said.value.as_str()).cloned();
        if known.is_none() {
            let names = || self.names.iter().map(AsRef::as_ref);
            let says = format!("there is no witness or group called `{}` above", said.value);
            let list: Vec<&str> = names().collect();
            desk.push(
                Fault::error("HO151", &said.place, says)
                    .maybe_help(did_you_mean(&said.value, names()))
                    .help(format!("above stand: {}", list.join(", "))),
            );
        }
        known
    }
}

fn no_key(name: &str, place: &Place, why: NoVkey) -> Fault {
    Fault::error(
        "HO150",
        place,
        format!("the verifier key of `{name}` cannot be used"),
    )
    .label(why.to_string())
    .help("copy it as `handover key show --witness FILE` prints it")
}
