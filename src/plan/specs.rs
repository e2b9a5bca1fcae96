//! What each fanned step does: an authored step's own keys, with names resolved, as its [`StepSpec`].
//!
//! In: authored steps, organisations, maps. Out: specs; a step that lacks something gives a fault and
//! none. Not here: dates and seats across the plan (`sense`, `seats`).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::authored::Authored;
use super::fan::Fanned;
use super::fault::Fault;
use super::form::Said;
use super::head::Head;
use super::map::Map;
use super::model::{
    Approval, CatchUp, Code, ContractNovation, DataCopy, Each, Freeze, Indexes, LetterClass, Seat,
    StaffTransfer, StepSpec, Switch, Task, TenantNotification, Triggers, Verify, VerifyCheck, Wait,
};
use super::outline::StepId;
use super::seats::seats;
use super::sense::or_handover;
use super::shelf::Shelf;
use super::source::Desk;
use super::whose::split;

/// What specs are made from.
pub(super) struct Ground<'g, 't> {
    pub(super) head: &'g Head,
    pub(super) steps: &'g [Authored<'t>],
    pub(super) fanned: &'g [Fanned],
    pub(super) shelf: &'g Shelf,
}

/// Where rows, people or contracts come from and go to.
struct Ends {
    source: Code,
    target: Code,
}

impl Ground<'_, '_> {
    /// The spec of one fanned step; nothing where something is missing, which is then told.
    pub(super) fn spec(&self, desk: &mut Desk, fanned: &Fanned) -> Option<StepSpec> {
        let step = &self.steps[fanned.of];
        let org = fanned.org.as_ref();
        Some(match step.does() {
            "data-copy" => StepSpec::DataCopy(self.data_copy(desk, step, org)?),
            "catch-up" => StepSpec::CatchUp(self.catch_up(desk, step, fanned)?),
            "staff-transfer" => StepSpec::StaffTransfer(self.staff_transfer(desk, step, org)?),
            "contract-novation" => {
                StepSpec::ContractNovation(self.contract_novation(desk, step, org)?)
            }
            "tenant-notification" => {
                StepSpec::TenantNotification(self.tenant_notification(desk, step, org)?)
            }
            "approval" => StepSpec::Approval(self.approval(step, org)),
            "task" => StepSpec::Task(self.task(desk, step, org)?),
            "wait" => StepSpec::Wait(Wait {
                until: step.moment.as_ref()?.value,
            }),
            "freeze" => StepSpec::Freeze(self.freeze(desk, step, org)?),
            "verify" => StepSpec::Verify(self.verify(desk, step, fanned)?),
            "switch" => StepSpec::Switch(self.switch(desk, step)?),
            _ => return None,
        })
    }

    fn ends(&self, desk: &mut Desk, step: &Authored<'_>, org: Option<&Code>) -> Option<Ends> {
        let fixed = |each| org.filter(|_| step.each == Some(each)).cloned();
        let source = fixed(Each::Source).or_else(|| self.single(desk, step, Each::Source));
        let target = fixed(Each::Target).or_else(|| self.single(desk, step, Each::Target));
        let (source, target) = (source?, target?);
        for org in [&source, &target] {
            self.has_database(desk, step, org);
        }
        Some(Ends { source, target })
    }

    /// The one organisation of that side; a fault where there are none or several.
    fn single(&self, desk: &mut Desk, step: &Authored<'_>, side: Each) -> Option<Code> {
        let mut orgs = self.head.orgs_of(side);
        let word = match side {
            Each::Source => "source",
            Each::Target => "target",
        };
        if orgs.len() == 1 {
            return orgs.pop();
        }
        let place = step.form.key_place("does");
        let fault = match orgs.len() {
            0 => Fault::error(
                "HO130",
                &place,
                format!("`{}` needs a {word}, and the plan has none", step.name),
            )
            .help(format!("add `{word} = [\"…\"]` to `[plan]`")),
            many => Fault::error(
                "HO130",
                &place,
                format!("`{}` needs one {word}, and the plan has {many}", step.name),
            )
            .label(format!("which of {}?", orgs.join(", ")))
            .help(format!(
                "say `each = \"{word}\"`: one step for every {word}"
            )),
        };
        desk.push(fault);
        None
    }

    fn has_database(&self, desk: &mut Desk, step: &Authored<'_>, code: &Code) {
        let Some((org, place)) = self.head.orgs.get(code) else {
            return;
        };
        // A database that was said wrongly is told where it is said.
        let told = desk.faults.iter().any(|fault| fault.code == "HO129");
        if org.database.is_none() && !told {
            let name = code.replace('-', "_").to_uppercase();
            let fault = Fault::error(
                "HO117",
                place,
                format!("organisation `{code}` needs `database`"),
            )
            .label(format!("`{}` works in its database", step.name))
            .help(format!("add `database = \"env:{name}_DB\"`"));
            desk.push(fault);
        }
    }

    fn map(&self, step: &Authored<'_>, key: &str) -> Option<Arc<Map>> {
        self.shelf.maps.get(step.form.text(key)?).cloned()
    }

    fn data_copy(
        &self,
        desk: &mut Desk,
        step: &Authored<'_>,
        org: Option<&Code>,
    ) -> Option<DataCopy> {
        let ends = self.ends(desk, step, org);
        let (map, ends) = (self.map(step, "map")?, ends?);
        let split = split(desk, self.head, (step, &ends.target), &map);
        let tables = step.form.texts("tables");
        Self::tables(desk, step, &tables, &map);
        Some(DataCopy {
            source: ends.source,
            target: ends.target,
            map_path: map.path.clone(),
            map,
            tables: tables.into_iter().map(|said| said.value).collect(),
            split,
            triggers: step.form.text("triggers").map(|word| match word {
                "fire" => Triggers::Fire,
                _ => Triggers::Off,
            }),
            indexes: match step.form.text("indexes") {
                Some("rebuild") => Indexes::Rebuild,
                Some("rebuild locked") => Indexes::RebuildLocked,
                _ => Indexes::Keep,
            },
        })
    }

    fn catch_up(&self, desk: &mut Desk, step: &Authored<'_>, fanned: &Fanned) -> Option<CatchUp> {
        let said = step.form.said("of")?;
        let copied = self.upstream(fanned).into_iter().find(|before| {
            let of = &self.steps[before.of];
            of.name == said.value && of.does() == "data-copy" && before.org == fanned.org
        });
        let Some(copied) = copied else {
            let says = format!(
                "`{}` has no copy `{}` to catch up with",
                step.name, said.value
            );
            let known = self.steps.iter().filter(|step| step.does() == "data-copy");
            let near = super::near::did_you_mean(&said.value, known.map(|copy| copy.name.as_str()));
            let fault = Fault::error("HO149", &said.place, says)
                .label("no such data-copy comes before it, for the same organisations")
                .maybe_help(near)
                .help("name a `data-copy` step, let this one come `after` it, and say `each` as it does");
            desk.push(fault);
            return None;
        };
        // What is wrong with the copy is told where it stands.
        let copy = self.data_copy(
            &mut Desk::default(),
            &self.steps[copied.of],
            copied.org.as_ref(),
        )?;
        let merges = copy
            .map
            .datasets
            .iter()
            .find(|dataset| dataset.collision.merges() && copy.tables.contains(&dataset.from));
        if let Some(dataset) = merges {
            let says = format!(
                "rows of `{}` may become one, and cannot be caught up with",
                dataset.name
            );
            let help = "take this step out and copy inside the freeze, or decide otherwise about `collision`";
            desk.push(Fault::error("HO316", &said.place, says).help(help));
        }
        Some(CatchUp {
            of: copied.id.clone(),
            copy,
        })
    }

    fn tables(desk: &mut Desk, step: &Authored<'_>, tables: &[Said<String>], map: &Map) {
        let relations = map
            .relations
            .iter()
            .flat_map(|relation| [&relation.child, &relation.parent]);
        let known: BTreeSet<&str> = relations
            .map(|column| column.table.as_str())
            .chain(map.datasets.iter().map(|dataset| dataset.from.as_str()))
            .collect();
        for said in tables
            .iter()
            .filter(|said| !known.contains(said.value.as_str()))
        {
            desk.push(unknown_table(said, map, &known));
        }
        let copied = |from: &str| tables.iter().any(|said| said.value == from);
        for dataset in map.datasets.iter().filter(|dataset| copied(&dataset.from)) {
            for (name, place) in super::shelf::lookups(dataset) {
                let Some(other) = super::shelf::looked_up(map, name) else {
                    continue;
                };
                if !copied(&other.from) {
                    let says = format!(
                        "`{}` is looked up, but `{}` does not copy its table `{}`",
                        other.name, step.name, other.from
                    );
                    let fault = Fault::error("HO146", place, says)
                        .label("every such row would be an orphan");
                    desk.push(fault.help(format!("add `{}` to `tables`", other.from)));
                }
            }
        }
    }

    /// The one dataset that a register's map holds.
    fn register(&self, desk: &mut Desk, step: &Authored<'_>, into: &str) -> Option<Arc<Map>> {
        let map = self.map(step, "map")?;
        let list = step.form.said("list")?;
        let one = map.datasets.len() == 1;
        let dataset = map.datasets.first()?;
        if !one || dataset.into != into {
            let says = format!("{} does not fit a {} step", map.path, step.does());
            let fault = Fault::error("HO312", &step.form.place("map"), says)
                .label(format!("it needs one dataset, into `{into}`"))
                .help(format!(
                    "the step wants a map of its own, with the one table `[table.{into}]`"
                ));
            desk.push(fault);
        } else if dataset.from != list.value {
            let says = format!("`{}` is not the table that {} reads", list.value, map.path);
            let fault = Fault::error("HO122", &list.place, says)
                .label(format!("the map reads `{}`", dataset.from));
            desk.push(fault.help("let both name the same table"));
        }
        Some(map)
    }

    fn staff_transfer(
        &self,
        desk: &mut Desk,
        step: &Authored<'_>,
        org: Option<&Code>,
    ) -> Option<StaffTransfer> {
        let ends = self.ends(desk, step, org);
        let (map, ends) = (self.register(desk, step, "employee")?, ends?);
        Some(StaffTransfer {
            split: split(desk, self.head, (step, &ends.target), &map),
            source: ends.source,
            target: ends.target,
            list: step.form.text("list")?.to_owned(),
            map,
            ends: step.form.text("ends").unwrap_or("leave_date").to_owned(),
            effective: or_handover(step.moment.as_ref(), self.head.frame.as_ref()?),
        })
    }

    fn contract_novation(
        &self,
        desk: &mut Desk,
        step: &Authored<'_>,
        org: Option<&Code>,
    ) -> Option<ContractNovation> {
        self.owner_seat(desk, step, org);
        let ends = self.ends(desk, step, org);
        let (map, ends) = (self.register(desk, step, "contract")?, ends?);
        Some(ContractNovation {
            split: split(desk, self.head, (step, &ends.target), &map),
            source: ends.source,
            target: ends.target,
            list: step.form.text("list")?.to_owned(),
            map,
            buyer: step.form.text("buyer").unwrap_or("buyer").to_owned(),
        })
    }

    fn tenant_notification(
        &self,
        desk: &mut Desk,
        step: &Authored<'_>,
        org: Option<&Code>,
    ) -> Option<TenantNotification> {
        let ends = self.ends(desk, step, org);
        let recipients = self.map(step, "recipients");
        if let Some(map) = &recipients
            && (map.datasets.len() != 1 || map.datasets[0].name != "recipient")
        {
            let fault = Fault::error(
                "HO312",
                &step.form.place("recipients"),
                format!("{} does not say who gets a letter", map.path),
            )
            .label("it needs one dataset called `recipient`")
            .help("the step wants a map of its own, with the one table `[table.recipient]`");
            desk.push(fault);
        }
        let template = step.form.text("template")?;
        let text = self.shelf.templates.get(template)?.clone();
        let (recipients, ends) = (recipients?, ends?);
        Some(TenantNotification {
            split: split(desk, self.head, (step, &ends.target), &recipients),
            source: ends.source,
            target: ends.target,
            template: template.to_owned(),
            text,
            purpose: Arc::from(step.form.text("purpose").unwrap_or(&step.name)),
            class: match step.form.text("class") {
                Some("service") => LetterClass::Service,
                _ => LetterClass::Legal,
            },
            recipients,
        })
    }

    fn approval(&self, step: &Authored<'_>, org: Option<&Code>) -> Approval {
        let by = step.form.texts("by");
        let seats = by
            .iter()
            .flat_map(|said| seats(self.head, &said.value, step.each.zip(org)));
        Approval {
            seats: seats.collect(),
            needs: step.form.text("needs").map(str::to_owned),
        }
    }

    fn task(&self, desk: &mut Desk, step: &Authored<'_>, org: Option<&Code>) -> Option<Task> {
        Some(Task {
            seat: self.owner_seat(desk, step, org)?,
            evidence: step.form.text("evidence").map(str::to_owned),
        })
    }

    /// The one seat that sees to the step.
    fn owner_seat(&self, desk: &mut Desk, step: &Authored<'_>, org: Option<&Code>) -> Option<Seat> {
        let Some(owner) = &step.owner else {
            if !step.form.has("owner") && step.form.is_sound() {
                let fault = Fault::error(
                    "HO117",
                    step.form.heading(),
                    format!("`{}` needs `owner`", step.name),
                )
                .label("nobody could say that it was done");
                desk.push(fault.help("add `owner = \"ROLE\"`: the role that sees to it"));
            }
            return None;
        };
        let mut seats = seats(self.head, &owner.value, step.each.zip(org));
        if seats.len() > 1 {
            let fault = Fault::error(
                "HO130",
                &owner.place,
                format!(
                    "the role `{}` is held at several organisations",
                    owner.value
                ),
            )
            .label("whose holder sees to it?")
            .help("say `each` as the role does: one step for every organisation");
            desk.push(fault);
            return None;
        }
        seats.pop()
    }

    fn freeze(&self, desk: &mut Desk, step: &Authored<'_>, org: Option<&Code>) -> Option<Freeze> {
        let org = match step.form.said("org") {
            Some(said) if self.head.orgs.contains_key(said.value.as_str()) => Arc::from(said.value),
            Some(said) => {
                let known = self.head.orgs.keys().map(AsRef::as_ref);
                let fault = Fault::error(
                    "HO120",
                    &said.place,
                    format!("there is no organisation called `{}`", said.value),
                );
                desk.push(fault.maybe_help(super::near::did_you_mean(&said.value, known)));
                return None;
            }
            None => match org {
                Some(org) => org.clone(),
                None => self.single(desk, step, Each::Source)?,
            },
        };
        self.has_database(desk, step, &org);
        let tables = step.form.plain_texts("tables");
        if step.form.has("tables") && tables.is_empty() {
            let fault = Fault::error(
                "HO117",
                &step.form.place("tables"),
                format!("`{}` freezes no table", step.name),
            );
            desk.push(fault.help("name the tables in which nothing may change any more"));
        }
        Some(Freeze { org, tables })
    }

    fn switch(&self, desk: &mut Desk, step: &Authored<'_>) -> Option<Switch> {
        let (from, to) = (
            self.head.orgs_of(Each::Source),
            self.head.orgs_of(Each::Target),
        );
        for (side, orgs) in [(Each::Source, &from), (Each::Target, &to)] {
            if orgs.is_empty() {
                self.single(desk, step, side);
            }
        }
        for org in &to {
            self.has_database(desk, step, org);
        }
        let effective = or_handover(step.moment.as_ref(), self.head.frame.as_ref()?);
        Some(Switch {
            from,
            to,
            effective,
        })
    }

    fn verify(&self, desk: &mut Desk, step: &Authored<'_>, fanned: &Fanned) -> Option<Verify> {
        let copies = self.of_kind_before("data-copy", fanned);
        let catch_ups = self.of_kind_before("catch-up", fanned);
        if copies.is_empty() {
            let fault = Fault::error(
                "HO145",
                &step.form.key_place("does"),
                format!("`{}` has nothing to verify", step.name),
            )
            .label("no data-copy comes before it")
            .help("let it come `after` the copies it should check");
            desk.push(fault);
        }
        let tables: BTreeSet<String> = copies
            .iter()
            .flat_map(|copy| self.steps[copy.of].form.plain_texts("tables"))
            .collect();
        let said = step.form.texts("checks");
        let maps: Vec<Arc<Map>> = copies
            .iter()
            .filter_map(|copy| self.map(&self.steps[copy.of], "map"))
            .collect();
        let rules = super::totals::rules(desk, &step.form, &maps);
        let checks = said
            .iter()
            .filter_map(|said| check_line(desk, said, &tables))
            .map(|check| match check {
                VerifyCheck::ControlTotals { .. } => VerifyCheck::ControlTotals {
                    rules: rules.clone(),
                },
                other => other,
            })
            .collect();
        let source = match (step.each, &fanned.org) {
            (Some(Each::Source), Some(org)) => org.clone(),
            _ => self.single(desk, step, Each::Source)?,
        };
        let targets = match (step.each, &fanned.org) {
            (Some(Each::Target), Some(org)) => vec![org.clone()],
            _ => self.head.orgs_of(Each::Target),
        };
        let copies = copies.into_iter().map(|copy| copy.id.clone()).collect();
        Some(Verify {
            source,
            targets,
            copies,
            catch_ups: catch_ups.into_iter().map(|step| step.id.clone()).collect(),
            checks,
        })
    }

    /// Everything that comes before a step.
    fn upstream(&self, fanned: &Fanned) -> Vec<&Fanned> {
        let mut found: BTreeSet<&StepId> = BTreeSet::new();
        let mut left = vec![fanned];
        while let Some(step) = left.pop() {
            for id in &step.after {
                if found.insert(id) {
                    left.extend(self.fanned.iter().find(|other| other.id == *id));
                }
            }
        }
        let before = self.fanned.iter().filter(|step| found.contains(&step.id));
        before.collect()
    }

    /// Every step of this kind upstream that is about the same organisation; all of them for a single
    /// verify.
    fn of_kind_before(&self, kind: &str, fanned: &Fanned) -> Vec<&Fanned> {
        let each = self.steps[fanned.of].each;
        let about = |copy: &&Fanned| {
            let of = &self.steps[copy.of];
            let same = of.each != each || copy.org.is_none() || copy.org == fanned.org;
            of.does() == kind && (fanned.org.is_none() || same)
        };
        self.upstream(fanned).into_iter().filter(about).collect()
    }
}

fn unknown_table(said: &Said<String>, map: &Map, known: &BTreeSet<&str>) -> Fault {
    Fault::error(
        "HO122",
        &said.place,
        format!("{} says nothing about the table `{}`", map.path, said.value),
    )
    .label("only what a map names is copied")
    .maybe_help(super::near::did_you_mean(
        &said.value,
        known.iter().copied(),
    ))
    .help("add the table to the map, or take it out of `tables`")
}

/// One sentence of `checks`.
fn check_line(
    desk: &mut Desk,
    said: &Said<String>,
    tables: &BTreeSet<String>,
) -> Option<VerifyCheck> {
    let text = said.value.trim();
    let check = match text {
        "row counts" => VerifyCheck::RowCounts,
        super::totals::WORD => VerifyCheck::ControlTotals { rules: Vec::new() },
        "keyed digests" => VerifyCheck::KeyedDigests,
        "parts add up" => VerifyCheck::PartsAddUp,
        "crosswalk" => VerifyCheck::Crosswalk,
        _ => {
            let sum = text
                .strip_prefix("sum of ")
                .and_then(|rest| rest.split_once('.'));
            let once = text
                .strip_prefix("every ")
                .and_then(|rest| rest.strip_suffix(" lands once"));
            match (sum, once) {
                (Some((table, column)), _) => VerifyCheck::SumOf {
                    table: table.trim().to_owned(),
                    column: column.trim().to_owned(),
                },
                (None, Some(table)) => VerifyCheck::LandsOnce {
                    table: table.trim().to_owned(),
                },
                (None, None) => {
                    let fault = Fault::error("HO137", &said.place, format!("`{text}` is no check that is understood"))
                        .help("`control totals`, `parts add up`, `crosswalk`, `row counts`, `keyed digests`, `sum of TABLE.COLUMN` or `every TABLE lands once`");
                    desk.push(fault);
                    return None;
                }
            }
        }
    };
    if let VerifyCheck::SumOf { table, .. } | VerifyCheck::LandsOnce { table } = &check
        && !tables.is_empty()
        && !tables.contains(table)
    {
        let fault = Fault::error(
            "HO122",
            &said.place,
            format!("no copy before this step copies the table `{table}`"),
        )
        .maybe_help(super::near::did_you_mean(
            table,
            tables.iter().map(String::as_str),
        ));
        desk.push(fault);
    }
    Some(check)
}
