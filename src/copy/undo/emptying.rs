//! Undo in one go on servers that empty a table outside of any transaction (`MariaDB`, `MySQL`).
//!
//! Every table of the step is locked against everybody else, on a session of its own, and each row is
//! read there and held against its digest. Where all of them stand as they were written, and either no row of
//! others hangs on any of them or the mode is to leave those on which one does, the ledger notes durably of
//! those tables that hold no others that they are being emptied; then they are, one by one, and their effects
//! are marked before the lock goes. What is left goes as on any engine. After a crash in between, a new lock
//! shows whether a noted table was emptied: then no row of ours is left there, and its effects are marked.
//! Where any is, it was not, and is only emptied after a new proof.
//!
//! In: a writer's connection, a way to open another. Out: what was undone, or why it was not.
//!
//! Not here: which tables may be emptied so, and the proof (`wholly`).

use std::collections::{BTreeMap, BTreeSet};

use super::Undone;
use super::found::Found;
use super::untouched::{Befores, Tried, heads};
use super::wholly::{self, Proof, Whole};
use crate::copy::ledger::effect::{self, Head, Part};
use crate::copy::ledger::{Deed, prepared};
use crate::copy::standing::rereading::{self, Order};
use crate::copy::standing::{Reading, Standing, note_newest, note_newest_of};
use crate::copy::tables::indexes;
use crate::orgdb::catalogue::TableName;
use crate::orgdb::link::Flow;
use crate::orgdb::{DbTrouble, Dialect, Ident, Link, Sql, crash};
use crate::sql;

/// Takes back what can go by emptying tables, if every row of the step stands as it was written. With `all`,
/// what had changed is counted to the end, and rows of others that hang on ours anywhere are a change, too:
/// nothing is emptied then.
pub(super) fn take_back(
    link: &Link,
    beside: &impl Fn() -> Result<Link, DbTrouble>,
    deed: &Deed,
    all: bool,
) -> Result<Tried, DbTrouble> {
    if !prepared(link)? {
        return Ok(Tried::Unable);
    }
    mend(link, beside, deed)?;
    let tried = Tried::or_unable(empty_all(link, beside, deed, all));
    link.close_open();
    if !matches!(tried, Ok(Tried::Partly(_) | Tried::Changed(_))) {
        // Some tables may be empty already.
        mend(link, beside, deed)?;
    }
    tried
}

/// Tables of which the ledger says that they are being emptied, of effects that stand.
pub(super) fn noted(link: &Link, deed: &Deed) -> Result<BTreeSet<String>, DbTrouble> {
    let mut tables = BTreeSet::new();
    if link.dialect() == Dialect::Mariadb {
        heads(link, deed, |_, head, _| {
            if let Head::Emptying { table } = head {
                tables.insert(table);
            }
        })?;
    }
    Ok(tables)
}

/// Tables that would be locked against everybody else who writes; none where it goes effect by effect.
pub(super) fn shut_out(link: &Link, deed: &Deed) -> Result<BTreeSet<String>, DbTrouble> {
    let filled = Filled::by(link, deed)?;
    if filled.more || !link.is_alone()? {
        return Ok(BTreeSet::new());
    }
    let referring = wholly::referring(link, filled.rows.keys())?;
    let referring = referring.iter().map(TableName::shown);
    Ok(filled.rows.keys().cloned().chain(referring).collect())
}

/// What an emptied table leaves undone after a crash.
fn mend(
    link: &Link,
    beside: &impl Fn() -> Result<Link, DbTrouble>,
    deed: &Deed,
) -> Result<(), DbTrouble> {
    let noted = noted(link, deed)?;
    if noted.is_empty() {
        return Ok(());
    }
    let filled = Filled::by(link, deed)?;
    let locked = Locked::over(beside()?, deed, (noted.iter(), &BTreeSet::new()))?;
    let locked = locked.ok_or(DbTrouble::Locked(None))?;
    effect::begin(link, deed)?;
    for table in &noted {
        let effects = filled.effects.get(table).map_or(&[][..], Vec::as_slice);
        if locked.holds_none(link, deed, (table, effects))? {
            for id in effects {
                effect::mark_undone(link, *id, deed)?;
            }
        }
    }
    link.commit()?;
    locked.end()
}

fn empty_all(
    link: &Link,
    beside: &impl Fn() -> Result<Link, DbTrouble>,
    deed: &Deed,
    all: bool,
) -> Result<Tried, DbTrouble> {
    let mut filled = Filled::by(link, deed)?;
    if filled.more || filled.effects.is_empty() {
        return Ok(Tried::Unable);
    }
    let referring = wholly::referring(link, filled.rows.keys())?;
    let Some(locked) = Locked::over(beside()?, deed, (filled.rows.keys(), &referring))? else {
        return Ok(Tried::Unable);
    };
    let mut most = filled.rows.clone();
    let beside_ours = referring.iter().filter_map(TableName::beside_ours);
    most.extend(beside_ours.map(|table| (table.clone(), 0)));
    let mut whole = wholly::candidates(&locked.link, &most)?;
    whole.retain(|table, _| filled.rows.contains_key(table));
    if whole.is_empty() {
        return Ok(Tried::Unable);
    }
    let effects = effect::standing(link, deed.run, deed.step.as_str(), deed.generation)?;
    let ids: Vec<i64> = effects.iter().map(|kept| kept.id).collect();
    let mut found = if all {
        Some(Found::new(&locked.link)?)
    } else {
        None
    };
    let proved = locked.proved(link, deed, &ids, (whole.clone(), found.as_mut()))?;
    if let Some(found) = found.map(Found::end).transpose()?
        && !found.changed.is_empty()
    {
        return Ok(Tried::Changed(found));
    }
    let Some(done) = proved else {
        return Ok(Tried::Unable);
    };
    filled.effects.retain(|table, _| whole.contains_key(table));
    filled.note(link, deed)?;
    crash::reached("emptying");
    for (table, leaned_on) in children_first(link, whole.keys())? {
        locked.empty(&table, leaned_on)?;
        crash::reached("emptying");
    }
    effect::begin(link, deed)?;
    for id in filled.effects.values().flatten() {
        effect::mark_undone(link, *id, deed)?;
    }
    link.commit()?;
    locked.end()?;
    Ok(Tried::Partly(done))
}

/// Tables in the order in which they can be emptied, each with whether others refer to it. Those that
/// refer to each other come last.
fn children_first<'t>(
    link: &Link,
    tables: impl Iterator<Item = &'t String>,
) -> Result<Vec<(String, bool)>, DbTrouble> {
    let mut left: BTreeMap<&String, BTreeSet<TableName>> = BTreeMap::new();
    for table in tables {
        let children = link.hanging(table)?.into_iter().map(|one| one.child);
        let others = children.filter(|child| child.beside_ours() != Some(table));
        left.insert(table, others.collect());
    }
    let leaned_on: BTreeSet<&String> = left
        .iter()
        .filter(|(_, children)| !children.is_empty())
        .map(|(table, _)| *table)
        .collect();
    let mut order = Vec::new();
    while !left.is_empty() {
        let waits = |children: &BTreeSet<TableName>| {
            let mut beside_ours = children.iter().filter_map(TableName::beside_ours);
            beside_ours.any(|one| left.contains_key(one))
        };
        let ready = left.iter().find(|(_, children)| !waits(children));
        let next = ready.or_else(|| left.first_key_value());
        let Some(table) = next.map(|(table, _)| *table) else {
            break;
        };
        left.remove(table);
        order.push((table.clone(), leaned_on.contains(table)));
    }
    Ok(order)
}

/// Tables into which a step's effects that stand have put rows.
#[derive(Default)]
struct Filled {
    /// How many rows at most, by table.
    rows: BTreeMap<String, u64>,
    /// The effects, oldest first, by table.
    effects: BTreeMap<String, Vec<i64>>,
    /// There is something else to take back, or an effect that is about several tables.
    more: bool,
}

impl Filled {
    fn by(link: &Link, deed: &Deed) -> Result<Filled, DbTrouble> {
        let mut filled = Filled::default();
        let mut into: BTreeMap<i64, String> = BTreeMap::new();
        heads(link, deed, |id, head, rows| {
            let (shape, rows) = match head {
                Head::Insert { shape, .. } => (shape, rows),
                // Rows that the same step put there, or the table is not all ours.
                Head::Update { shape, .. } => (shape, 0),
                Head::Delete { .. } | Head::Change => return filled.more = true,
                // What stood aside was built again before this.
                Head::Aside { .. }
                | Head::Emptying { .. }
                | Head::Position
                | Head::Lines { .. }
                | Head::Places { .. } => return,
            };
            *filled.rows.entry(shape.table.clone()).or_default() += rows;
            let effects = filled.effects.entry(shape.table.clone()).or_default();
            if effects.last() != Some(&id) {
                effects.push(id);
            }
            let first = into.entry(id).or_insert_with(|| shape.table.clone());
            filled.more |= *first != shape.table;
        })?;
        Ok(filled)
    }

    /// Notes durably that the tables are being emptied, each beside its newest effect: the note goes when
    /// that is undone, however it is.
    fn note(&self, link: &Link, deed: &Deed) -> Result<(), DbTrouble> {
        effect::begin(link, deed)?;
        for (table, effects) in &self.effects {
            let head = Head::Emptying {
                table: table.clone(),
            };
            if let Some(newest) = effects.last() {
                let body = Vec::new();
                effect::keep_also(link, *newest, Part { head, body })?;
            }
        }
        link.commit()
    }
}

/// A session that nobody but ourselves can write beside, to these tables.
struct Locked {
    link: Link,
}

impl Locked {
    /// Those that refer to them are kept from being written, no more. None where the lock is not to be had
    /// soon, or would not be one, since rows come from other servers, too. The session is one that a later
    /// claim ends, so that what it does by itself stays behind the fence.
    fn over<'t>(
        link: Link,
        deed: &Deed,
        (tables, referring): (impl Iterator<Item = &'t String>, &BTreeSet<TableName>),
    ) -> Result<Option<Locked>, DbTrouble> {
        if !link.is_alone()? {
            return Ok(None);
        }
        effect::begin(&link, deed)?;
        link.commit()?;
        let names = tables.map(|table| sql!("{} WRITE", Ident::new(table)));
        let others = referring.iter();
        let others = others.map(|table| sql!("{} READ", table));
        let names: Vec<Sql> = names.chain(others).collect();
        link.script(&Sql::new("SET SESSION lock_wait_timeout = 3"))?;
        match link.script(&sql!("LOCK TABLES {}", Sql::join(", ", &names))) {
            Err(DbTrouble::Locked(_) | DbTrouble::ReadOnly) => Ok(None),
            answer => answer.map(|()| Some(Locked { link })),
        }
    }

    /// How much there is to take back in these whole tables, if all rows of ours stand as they were written,
    /// elsewhere too, and there are no others in them. Whoever wants to know all that was found hears of each
    /// row.
    fn proved(
        &self,
        ledger: &Link,
        deed: &Deed,
        effects: &[i64],
        (whole, mut found): (Whole, Option<&mut Found<'_>>),
    ) -> Result<Option<Undone>, DbTrouble> {
        let tables: BTreeSet<String> = whole.keys().cloned().collect();
        let (mut proof, mut done, mut untouched) = (Proof::of(whole), Undone::default(), true);
        note_newest_of(&self.link, ledger, effects)?;
        let befores = Befores::new(&self.link)?;
        let mut reading = Reading::beside(&self.link, ledger, &deed.key);
        rereading::each(
            &mut reading,
            None,
            effects,
            Order::NewestFirst,
            |reading, part, rows, held| {
                if let Some(found) = &mut found {
                    found.add(part, rows, &held)?;
                }
                untouched &= held.untouched() && befores.agree(reading, rows, &held)?;
                if !untouched {
                    return Ok(match found {
                        Some(_) => Flow::Continue(()),
                        None => Flow::Break(()),
                    });
                }
                befores.note(&part.head, rows)?;
                let counted = match part.head {
                    Head::Insert { .. } => &mut done.removed,
                    _ => &mut done.restored,
                };
                if tables.contains(&rows.0.table) {
                    *counted += rows.2.len() as u64;
                }
                if let Head::Insert { .. } = part.head {
                    proof.add(rows, &held);
                }
                Ok(Flow::Continue(()))
            },
        )?;
        Ok((untouched && proof.holds()).then_some(done))
    }

    /// Whether none of the rows that these effects wrote is there.
    fn holds_none(
        &self,
        ledger: &Link,
        deed: &Deed,
        (table, effects): (&str, &[i64]),
    ) -> Result<bool, DbTrouble> {
        if indexes::is_empty(&self.link, table)? {
            return Ok(true);
        }
        let mut none = true;
        note_newest(&self.link, &[])?;
        let mut reading = Reading::beside(&self.link, ledger, &deed.key);
        rereading::each(
            &mut reading,
            None,
            effects,
            Order::OldestFirst,
            |_, _, _, held| {
                none = held.standing.iter().all(|row| *row == Standing::Gone);
                Ok(if none {
                    Flow::Continue(())
                } else {
                    Flow::Break(())
                })
            },
        )?;
        Ok(none)
    }

    /// The server never truncates a table that others refer to, so the rows of such a one are deleted: by then
    /// those that refer to it are empty.
    fn empty(&self, table: &str, leaned_on: bool) -> Result<(), DbTrouble> {
        let table = Ident::new(table);
        self.link.script(&if leaned_on {
            sql!("DELETE FROM {}", table)
        } else {
            sql!("TRUNCATE TABLE {}", table)
        })
    }

    fn end(self) -> Result<(), DbTrouble> {
        self.link.script(&Sql::new("UNLOCK TABLES"))
    }
}
