//! Undo of any step from its ledger: exact keys, before-images, definitions, newest first; rows that
//! somebody changed since are found first.
//!
//! Where everybody else who writes can be kept out, all is done in one go (`untouched`): what was found
//! to stand as it was written is taken out without being read again (`emptying` where a server does so
//! outside of any transaction). Otherwise, and where something had changed, each effect goes in a
//! transaction of its own and each row is read as it is taken back.
//!
//! In: a deed whose effects stand in a ledger. Out: what was taken out, put back, left and reported.
//!
//! Not here: how rows stand (`standing`), how one is taken back (`taking_back`), rows of others that
//! hang on ours (`children`).

pub(super) mod children;
mod emptying;
mod found;
mod hanging;
mod strangers;
mod taking_back;
mod untouched;
mod wholly;

use std::collections::BTreeSet;

use crate::copy::ledger::effect::{self, Kept};
use crate::copy::ledger::{Deed, prepared};
use crate::copy::standing::rereading::{self, Order};
use crate::copy::standing::{Reading, give_room, note_newest, one_moment};
use crate::copy::writing::aside;
use crate::machine::event::UndoMode;
use crate::orgdb::link::Flow;
use crate::orgdb::{DbFault, DbTrouble, Dialect, Link, OrgReader, OrgWriter};
use found::{Changed, Found, listed};
use taking_back::TakingBack;
use untouched::Tried;

/// How often something is begun again that met somebody else's transaction: steps that are taken back side by
/// side in one database meet each other's.
const TRIES: usize = 10;

/// What an undo did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Undone {
    /// Rows taken out.
    pub removed: u64,
    /// Rows put back.
    pub restored: u64,
    /// Rows changed since, by table and class (`edited`, `deleted`, `has children`).
    pub changed: Vec<(String, &'static str, u64)>,
    /// Tables that nobody else may write to meanwhile, where that lock is to be had. Told by a look, and of a
    /// server: a file has one writer at a time anyway.
    pub shuts: BTreeSet<String>,
    /// Nothing was undone, since rows had changed and the mode is `refuse`.
    pub refused: bool,
    /// A foreign key that stood aside and cannot be built again over the rows that others have put there
    /// meanwhile: its table, its name, how many have no parent. What was taken back before stays so.
    pub orphans: Option<(String, String, u64)>,
}

/// What `undo` would find, without writing.
///
/// # Errors
/// When the database refuses.
pub async fn look(reader: &OrgReader, deed: &Deed) -> Result<Undone, DbFault> {
    let (deed, beside) = (deed.clone(), reader.beside());
    let reader = reader.another().await?;
    // Somebody may empty a table that this look had yet to come to.
    let work = move |link: &Link| again(link, || look_through(link, &beside, &deed));
    reader.with(work).await
}

/// Undoes every effect of `deed`'s step and generation in this database; nothing to undo is fine, and
/// so is half of it. Ledger rows stay, marked undone.
///
/// Rows that somebody changed since are found first; with `refuse` nothing is undone then. With
/// `force` they go too, but rows on which others' rows hang stay in every mode and are reported.
///
/// # Errors
/// When the database refuses; `Fenced` when another executor has taken over.
pub async fn undo(writer: &OrgWriter, deed: &Deed, mode: UndoMode) -> Result<Undone, DbFault> {
    build_indexes(writer, deed).await?;
    match in_one_go(writer, deed, mode).await? {
        Tried::Undone(done) => return Ok(done),
        Tried::Changed(found) if mode == UndoMode::Refuse => return Ok(refused(found)),
        Tried::Unable if mode == UndoMode::Refuse => {
            let found = look(&writer.reader().await?, deed).await?;
            if !found.changed.is_empty() {
                return Ok(refused(found));
            }
        }
        Tried::Partly(done) => return the_rest(writer, deed, mode, done).await,
        Tried::Changed(_) | Tried::Unable => {}
    }
    effect_by_effect(writer, deed, mode).await
}

/// As [`undo`], for a caller that has just looked itself: rows that change in between are still found,
/// one by one, as they are taken back.
///
/// # Errors
/// As [`undo`].
pub async fn take_back(writer: &OrgWriter, deed: &Deed, mode: UndoMode) -> Result<Undone, DbFault> {
    build_indexes(writer, deed).await?;
    match in_one_go(writer, deed, mode).await? {
        Tried::Undone(done) => Ok(done),
        Tried::Changed(found) if mode == UndoMode::Refuse => Ok(refused(found)),
        Tried::Partly(done) => the_rest(writer, deed, mode, done).await,
        Tried::Changed(_) | Tried::Unable => effect_by_effect(writer, deed, mode).await,
    }
}

/// What tables that were emptied leave to do.
async fn the_rest(
    writer: &OrgWriter,
    deed: &Deed,
    mode: UndoMode,
    done: Undone,
) -> Result<Undone, DbFault> {
    let rest = effect_by_effect(writer, deed, mode).await?;
    Ok(Undone {
        removed: done.removed + rest.removed,
        restored: done.restored + rest.restored,
        ..rest
    })
}

/// Indexes and foreign keys that a load was to build again, and did not come to.
async fn build_indexes(writer: &OrgWriter, deed: &Deed) -> Result<(), DbFault> {
    let deed = deed.clone();
    let work = move |link: &Link| {
        if prepared(link)? {
            aside::build_what_goes(link, &deed)?;
        }
        Ok(())
    };
    writer.with(work).await
}

fn refused(found: Undone) -> Undone {
    Undone {
        changed: found.changed,
        refused: true,
        ..Undone::default()
    }
}

async fn in_one_go(writer: &OrgWriter, deed: &Deed, mode: UndoMode) -> Result<Tried, DbFault> {
    let deed = deed.clone();
    let all = mode == UndoMode::Refuse;
    if writer.dialect() == Dialect::Mariadb {
        let beside = writer.beside_to_write();
        let work = move |link: &Link| emptying::take_back(link, &beside, &deed, all);
        return writer.with(work).await;
    }
    let beside = writer.beside();
    let work = move |link: &Link| untouched::take_back(link, beside, &deed, all);
    writer.with(work).await
}

async fn effect_by_effect(
    writer: &OrgWriter,
    deed: &Deed,
    mode: UndoMode,
) -> Result<Undone, DbFault> {
    let deed = deed.clone();
    writer.with(move |link| undo_all(link, &deed, mode)).await
}

fn undo_all(link: &Link, deed: &Deed, mode: UndoMode) -> Result<Undone, DbTrouble> {
    if !prepared(link)? {
        return Ok(Undone::default());
    }
    give_room(link)?;
    let effects = effect::standing(link, deed.run, deed.step.as_str(), deed.generation)?;
    note_newest(link, &[])?;
    let mut back = TakingBack::new(link, deed, mode);
    for kept in effects.iter().rev() {
        let before = (back.done.clone(), back.changed.clone());
        if !effect_back(link, deed, (&mut back, &before), kept)? {
            link.rollback()?;
            let found = std::mem::replace(&mut back.changed, before.1);
            let orphans = back.done.orphans.take();
            back.done = before.0;
            back.done.refused = orphans.is_none();
            back.done.orphans = orphans;
            return Ok(listed(back.done, found));
        }
        link.commit()?;
    }
    effect::begin(link, deed)?;
    effect::entomb(link, deed)?;
    link.commit()?;
    Ok(listed(back.done, back.changed))
}

/// Takes one effect back, in a transaction that is still open; false where it may not go. `before`: what had
/// come of those taken back earlier.
fn effect_back(
    link: &Link,
    deed: &Deed,
    (back, before): (&mut TakingBack<'_>, &(Undone, Changed)),
    kept: &Kept,
) -> Result<bool, DbTrouble> {
    again(link, || {
        (back.done, back.changed) = before.clone();
        effect::begin(link, deed)?;
        let gone = back.effect(kept)?;
        if gone {
            effect::mark_undone(link, kept.id, deed)?;
        }
        Ok(gone)
    })
}

/// Does it, and begins it again where it met somebody else's transaction.
fn again<T>(link: &Link, mut work: impl FnMut() -> Result<T, DbTrouble>) -> Result<T, DbTrouble> {
    for _ in 0..TRIES {
        match work() {
            Err(DbTrouble::Clash) => link.rollback()?,
            answer => return answer,
        }
    }
    work()
}

/// Holds every row of the step against its digest, and looks for others' rows that hang on ours.
fn look_through(
    link: &Link,
    beside: impl Fn() -> Result<Link, DbTrouble>,
    deed: &Deed,
) -> Result<Undone, DbTrouble> {
    if !prepared(link)? {
        return Ok(Undone::default());
    }
    give_room(link)?;
    let other = one_moment(link, beside)?;
    let effects = effect::standing(link, deed.run, deed.step.as_str(), deed.generation)?;
    let ids: Vec<i64> = effects.iter().map(|kept| kept.id).collect();
    note_newest(link, &ids)?;
    let (mut reading, mut found) = (Reading::new(link, &deed.key), Found::new(link)?);
    found.or_emptied(emptying::noted(link, deed)?);
    rereading::each(
        &mut reading,
        other,
        &ids,
        Order::NewestFirst,
        |_, part, rows, held| {
            found.add(part, rows, &held)?;
            Ok(Flow::Continue(()))
        },
    )?;
    let found = Undone {
        shuts: shut_out(link, deed)?,
        ..found.end()?
    };
    link.commit()?;
    Ok(found)
}

/// Tables that taking it back in one go would lock against everybody else who writes.
fn shut_out(link: &Link, deed: &Deed) -> Result<BTreeSet<String>, DbTrouble> {
    match link.dialect() {
        Dialect::Sqlite => Ok(BTreeSet::new()),
        Dialect::Postgres => untouched::shut_out(link, deed),
        Dialect::Mariadb => emptying::shut_out(link, deed),
    }
}
