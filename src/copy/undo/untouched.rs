//! Undo in one go, under a lock that keeps every other writer out: what one connection finds to stand as
//! it was written, another takes out meanwhile, and nothing is read twice.
//!
//! All of it is one transaction, the marks of the effects included: a crash leaves everything as it was.
//! The reading connection's moment begins when the lock is held, so what it sees is what stands there for
//! as long as the transaction lasts. At the first row that somebody changed, or on which a row of others
//! hangs, it is rolled back as if it had never begun.
//!
//! In: a writer's connection, a way to open one that reads. Out: what was undone, or why it was not.
//!
//! Not here: undoing effect by effect (`undo`), tables that are emptied at once (`wholly`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use rusqlite::{OptionalExtension, params};

use super::Undone;
use super::found::{Found, listed};
use super::hanging::hanging;
use super::taking_back::TakingBack;
use super::wholly::{self, Proof, Whole};
use crate::copy::ledger::effect::{self, Head, Kept, Part};
use crate::copy::ledger::packed::{HALF, Unpacked, unpack};
use crate::copy::ledger::{Deed, prepared};
use crate::copy::standing::rereading::{self, Order};
use crate::copy::standing::{Held, Reading, give_room, note_newest, one_moment};
use crate::copy::writing::aside;
use crate::orgdb::link::Flow;
use crate::orgdb::{DbTrouble, Dialect, Ident, Link, Sql, Value};
use crate::sql;
use crate::values;

/// What came of it.
pub(super) enum Tried {
    /// All of it is undone.
    Undone(Undone),
    /// So much of it is, and the rest stands as it was written.
    Partly(Undone),
    /// Nothing is: rows had changed. All of them are counted where that was asked for.
    Changed(Undone),
    /// Nothing is: the lock was not to be had, or this cannot be done in one go here.
    Unable,
}

/// What the reading side says.
enum Word {
    /// The rows of this part stand as they were written.
    Stands(Arc<Part>, Held),
    /// All rows of all parts do, no row of others hangs on any of them, and tables that were thought to
    /// be wholly ours are.
    All,
}

/// Takes back every effect of a step that stands, if nobody changed anything. With `all`, what had
/// changed is counted to the end.
pub(crate) fn take_back(
    link: &Link,
    beside: impl Fn() -> Result<Link, DbTrouble> + Send,
    deed: &Deed,
    all: bool,
) -> Result<Tried, DbTrouble> {
    if !prepared(link)? {
        return Ok(Tried::Unable);
    }
    give_room(link)?;
    if let Some(file) = link.sqlite() {
        // As while copying: what is emptied at once need not move all that was copied first.
        file.pragma_update(None, "wal_autocheckpoint", 16_384)?;
    }
    effect::begin(link, deed)?;
    let tried = match Concerned::under_lock(link, deed) {
        Ok(Some(concerned)) => concerned.take_back(beside, deed, all),
        Ok(None) => Ok(Tried::Unable),
        Err(trouble) => Err(trouble),
    };
    let tried = tried.and_then(|tried| {
        if let Tried::Undone(_) = tried {
            link.commit()?;
        }
        Ok(tried)
    });
    link.close_open();
    Tried::or_unable(tried)
}

impl Tried {
    /// Where the engine would not have it in one go: the row-by-row way finds out what is wrong, and says
    /// so.
    pub(super) fn or_unable(tried: Result<Tried, DbTrouble>) -> Result<Tried, DbTrouble> {
        match tried {
            Err(
                DbTrouble::Locked(_)
                | DbTrouble::Clash
                | DbTrouble::Constraint { .. }
                | DbTrouble::NoSuch(_)
                | DbTrouble::ReadOnly
                | DbTrouble::State(_)
                | DbTrouble::Unreachable(_),
            ) => Ok(Tried::Unable),
            tried => tried,
        }
    }
}

/// Effects that stand and the tables with their rows, under lock.
struct Concerned<'c> {
    link: &'c Link,
    effects: Vec<Kept>,
    /// Tables that may be wholly ours.
    whole: Whole,
}

impl<'c> Concerned<'c> {
    /// None where there is nothing to take back, or not in one go.
    fn under_lock(link: &'c Link, deed: &Deed) -> Result<Option<Concerned<'c>>, DbTrouble> {
        let Some(mut tables) = filled(link, deed)? else {
            return Ok(None);
        };
        if !lock(link, tables.keys())? {
            return Ok(None);
        }
        for table in tables.keys() {
            // The engine would change or delete rows along with ours.
            if hanging(link, table)?.iter().any(|hanging| hanging.reaches) {
                return Ok(None);
            }
        }
        // Those of other schemas are left alone, and what they refer to is not emptied.
        let referring = wholly::referring(link, tables.keys())?;
        let referring = referring.into_iter().filter(|one| one.elsewhere.is_none());
        let referring: BTreeSet<String> = referring.map(|one| one.table).collect();
        if lock_also(link, &referring)? {
            tables.extend(referring.into_iter().map(|table| (table, 0)));
        }
        Ok(Some(Concerned {
            link,
            effects: effect::standing(link, deed.run, deed.step.as_str(), deed.generation)?,
            whole: wholly::candidates(link, &tables)?,
        }))
    }

    fn take_back(
        self,
        beside: impl Fn() -> Result<Link, DbTrouble> + Send,
        deed: &Deed,
        all: bool,
    ) -> Result<Tried, DbTrouble> {
        let ids: Vec<i64> = self.effects.iter().map(|kept| kept.id).collect();
        thread::scope(|scope| {
            let (tell, told) = sync_channel(1);
            let (ids, whole) = (&ids, self.whole.clone());
            let looker = scope.spawn(move || {
                let looker = Looker {
                    deed,
                    proof: Proof::of(whole),
                    tell: Some(tell),
                    all,
                };
                looker.look(&beside()?, beside, ids)
            });
            let back = self.hear(told, deed);
            if !matches!(back, Ok(Some(_))) {
                // What is left of the look need not keep the others out.
                self.link.close_open();
            }
            let found = looker.join().map_err(|_| DbTrouble::Other(0))?;
            match (back?, found?) {
                // The engine kept some that others hang on, whose rows we may not read.
                (Some(done), _) if !done.changed.is_empty() => Ok(Tried::Changed(done)),
                (Some(done), _) => Ok(Tried::Undone(done)),
                (None, found) if found.changed.is_empty() => Ok(Tried::Unable),
                (None, found) => Ok(Tried::Changed(found)),
            }
        })
    }

    /// Takes out what is told to stand as it was written; none when not all of it does.
    fn hear(&self, told: Receiver<Word>, deed: &Deed) -> Result<Option<Undone>, DbTrouble> {
        let mut back = TakingBack::alone(self.link, deed);
        let mut proved = false;
        for word in told {
            let Word::Stands(part, held) = word else {
                proved = true;
                continue;
            };
            let Some(rows) = unpack(&part.head, &part.body)? else {
                continue;
            };
            if self.whole.contains_key(&rows.0.table) {
                back.count(&part.head, rows.2.len() as u64);
            } else if !back.judged(&part.head, &rows, &held)? {
                return Err(DbTrouble::Clash);
            }
        }
        if !proved {
            return Ok(None);
        }
        if !back.changed.is_empty() {
            return Ok(Some(listed(Undone::default(), back.changed)));
        }
        wholly::empty(self.link, &self.whole)?;
        for kept in &self.effects {
            if kept.effect.kind == aside::ASIDE && !back.effect(kept)? {
                return Ok(None);
            }
            effect::mark_undone(self.link, kept.id, deed)?;
        }
        effect::entomb(self.link, deed)?;
        Ok(Some(back.done))
    }
}

/// Tables that would be locked against everybody else who writes; none where it goes effect by effect.
pub(super) fn shut_out(link: &Link, deed: &Deed) -> Result<BTreeSet<String>, DbTrouble> {
    let tables = filled(link, deed)?.unwrap_or_default();
    let referring = wholly::referring(link, tables.keys())?.into_iter();
    let referring = referring.filter_map(|one| one.beside_ours().cloned());
    Ok(referring.chain(tables.keys().cloned()).collect())
}

/// Most rows that may be ours, by table; none where there are none, or where not all of it can go at once:
/// definitions, and rows that were taken out and may have come again, go in their order.
pub(super) fn filled(link: &Link, deed: &Deed) -> Result<Option<BTreeMap<String, u64>>, DbTrouble> {
    let mut tables: BTreeMap<String, u64> = BTreeMap::new();
    let mut more = false;
    heads(link, deed, |_, head, rows| match head {
        Head::Insert { shape, .. } | Head::Update { shape, .. } => {
            *tables.entry(shape.table).or_default() += rows;
        }
        Head::Change | Head::Delete { .. } => more = true,
        Head::Aside { .. }
        | Head::Position
        | Head::Lines { .. }
        | Head::Places { .. }
        | Head::Emptying { .. } => {}
    })?;
    Ok((!tables.is_empty() && !more).then_some(tables))
}

/// Shows the head of every part of a step's effects that stand, oldest first, with the number of its
/// effect and how many rows that wrote.
pub(super) fn heads(
    link: &Link,
    deed: &Deed,
    mut see: impl FnMut(i64, Head, u64),
) -> Result<(), DbTrouble> {
    let query = Sql::new(
        "SELECT u.head, e.rows, e.effect FROM handover_undo AS u
         JOIN handover_effect AS e ON e.effect = u.effect
         WHERE e.run = ?1 AND e.step = ?2 AND e.generation = ?3 AND e.undone_at IS NULL
         ORDER BY e.ordinal, u.part",
    );
    let values = values![deed.run.to_string(), deed.step.as_str(), deed.generation];
    let lent: Vec<_> = values.iter().map(Value::lend).collect();
    link.each(&query, &lent, |row| {
        let [head, rows, id] = [0, 1, 2].map(|at| Value::of(row.get(at)));
        let head = serde_json::from_str(&head.into_text()).map_err(|_| DbTrouble::Damaged)?;
        see(id.int().ok_or(DbTrouble::Damaged)?, head, rows.count());
        Ok::<Flow, DbTrouble>(Flow::Continue(()))
    })
}

/// Keeps everybody else who writes out of these tables until the transaction ends; false where that
/// cannot be had soon. Who wants to hang a row on one of ours must share the lock of ours, too.
fn lock<'t>(link: &Link, tables: impl Iterator<Item = &'t String>) -> Result<bool, DbTrouble> {
    if link.dialect() != Dialect::Postgres {
        // The transaction itself keeps every other writer out of a file.
        return Ok(true);
    }
    let names: Vec<Ident> = tables.map(|table| Ident::new(table)).collect();
    // Our own undos of other steps wait for each other here (the number spells HAND), for as long as it
    // takes.
    link.script(&Sql::new(
        "SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock(1212239428, 1); SET LOCAL lock_timeout = '3s'",
    ))?;
    match link.script(&sql!("LOCK TABLE {} IN EXCLUSIVE MODE", names)) {
        Err(DbTrouble::Locked(_)) => Ok(false),
        answer => answer.and_then(|()| {
            link.script(&Sql::new("SET LOCAL lock_timeout = '30s'"))?;
            Ok(true)
        }),
    }
}

/// The same for tables that refer to them, if that can be had at once.
fn lock_also(link: &Link, referring: &BTreeSet<String>) -> Result<bool, DbTrouble> {
    if link.dialect() != Dialect::Postgres || referring.is_empty() {
        return Ok(false);
    }
    let names: Vec<Ident> = referring.iter().map(|table| Ident::new(table)).collect();
    let locked = link
        .within_savepoint(|| link.script(&sql!("LOCK TABLE {} IN EXCLUSIVE MODE NOWAIT", names)));
    match locked {
        Err(DbTrouble::Locked(_) | DbTrouble::ReadOnly | DbTrouble::NoSuch(_)) => Ok(false),
        answer => answer.map(|()| true),
    }
}

/// The reading side.
struct Looker<'d> {
    deed: &'d Deed,
    proof: Proof,
    /// None once something had changed.
    tell: Option<SyncSender<Word>>,
    all: bool,
}

impl Looker<'_> {
    fn look(
        mut self,
        link: &Link,
        beside: impl Fn() -> Result<Link, DbTrouble>,
        ids: &[i64],
    ) -> Result<Undone, DbTrouble> {
        give_room(link)?;
        // While the lock is held, every moment is the same.
        let other = one_moment(link, beside)?;
        note_newest(link, ids)?;
        let (mut reading, mut found) = (Reading::new(link, &self.deed.key), Found::new(link)?);
        let befores = Befores::new(link)?;
        rereading::each(
            &mut reading,
            other,
            ids,
            Order::NewestFirst,
            |reading, part, rows, held| {
                let untouched =
                    found.add(part, rows, &held)? && befores.agree(reading, rows, &held)?;
                befores.note(&part.head, rows)?;
                Ok(self.tell_of(part, rows, held, untouched))
            },
        )?;
        let found = found.end()?;
        // Whoever empties a table waits for everybody who reads.
        link.commit()?;
        if let Some(tell) = self.tell.take()
            && found.changed.is_empty()
            && self.proof.holds()
        {
            // Whoever does not listen any more has said why.
            drop(tell.send(Word::All));
        }
        Ok(found)
    }

    fn tell_of(
        &mut self,
        part: &Arc<Part>,
        rows: &Unpacked<'_>,
        held: Held,
        untouched: bool,
    ) -> Flow {
        let Some(tell) = &self.tell else {
            return Flow::Continue(());
        };
        if !untouched {
            self.tell = None;
            return if self.all {
                Flow::Continue(())
            } else {
                Flow::Break(())
            };
        }
        if matches!(part.head, Head::Insert { .. }) {
            self.proof.add(rows, &held);
        }
        match tell.send(Word::Stands(Arc::clone(part), held)) {
            Ok(()) => Flow::Continue(()),
            Err(_) => Flow::Break(()),
        }
    }
}

/// Rows as they were before newer effects changed them. An older effect must have left them so: else
/// somebody changed them in between.
pub(super) struct Befores<'c>(&'c rusqlite::Connection);

impl<'c> Befores<'c> {
    pub(super) fn new(link: &'c Link) -> Result<Befores<'c>, DbTrouble> {
        let scratch = link.scratch()?;
        scratch.execute_batch(
            "CREATE TEMP TABLE IF NOT EXISTS handover_before (
               tbl TEXT NOT NULL, key BLOB NOT NULL, before BLOB NOT NULL, PRIMARY KEY (tbl, key)) WITHOUT ROWID;
             DELETE FROM temp.handover_before;",
        )?;
        Ok(Befores(scratch))
    }

    pub(super) fn note(
        &self,
        head: &Head,
        (shape, _, rows): &Unpacked<'_>,
    ) -> Result<(), DbTrouble> {
        if let Head::Update { .. } = head {
            let mut note = self.0.prepare_cached(
                "INSERT OR REPLACE INTO temp.handover_before (tbl, key, before) VALUES (?1, ?2, ?3)",
            )?;
            for row in rows {
                note.execute(params![shape.table, row.key, row.before])?;
            }
        }
        Ok(())
    }

    /// Whether rows for which a newer effect answers were as this part left them when it changed them.
    pub(super) fn agree(
        &self,
        reading: &mut Reading<'_>,
        (shape, label, rows): &Unpacked<'_>,
        held: &Held,
    ) -> Result<bool, DbTrouble> {
        let mac = reading.mac(label);
        let mut before = self.0.prepare_cached(
            "SELECT before FROM temp.handover_before WHERE tbl = ?1 AND key = ?2",
        )?;
        for row in held.answered.iter().map(|at| &rows[*at]) {
            let stood: Option<Vec<u8>> = before
                .query_row(params![shape.table, row.key], |found| found.get(0))
                .optional()?;
            if stood.is_none_or(|stood| mac.of(&stood)[..HALF] != *row.digest) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
