//! Taking a step back from the ledgers of one or several databases: first a look at all of them, so
//! that `refuse` refuses before anything is undone anywhere.
//!
//! In: an `Act`, the databases in the order in which they are undone. Out: what was taken out, put
//! back and reported.
//!
//! Not here: how one ledger is undone (`copy::undo`), in which order steps are (`machine`).

use super::{Act, Fault, Look};
use crate::copy::ledger::Deed;
use crate::copy::undo::{self, Undone};
use crate::machine::event::{UndoCommitted, UndoMode};
use crate::plan::model::Code;

/// Nothing to undo: a read, a wait, a decision.
pub(super) fn nothing(mode: UndoMode) -> UndoCommitted {
    UndoCommitted {
        mode,
        ..UndoCommitted::default()
    }
}

/// What an undo over `orgs` would find, added up.
pub(super) async fn look(look: &Look, deed: &Deed, orgs: &[&Code]) -> Result<Undone, Fault> {
    let mut found = Undone::default();
    for org in orgs {
        add(&mut found, undo::look(look.reader(org)?, deed).await?);
    }
    Ok(found)
}

/// Undoes this step's generation in every database of `orgs`, in their order. A database that was
/// undone already has nothing left: a crash between two of them is healed by running it again.
pub(super) async fn databases(
    act: &Act,
    orgs: &[&Code],
    mode: UndoMode,
) -> Result<UndoCommitted, Fault> {
    // One database's undo looks for itself, under the lock that it then deletes under.
    let alone = orgs.len() == 1;
    if mode == UndoMode::Refuse && !alone {
        let found = look(&act.look, &act.deed, orgs).await?;
        if !found.changed.is_empty() {
            return Err(changed_since(&found));
        }
    }
    let mut undone = Undone::default();
    for org in orgs {
        let writer = act.writer(org)?;
        let here = if alone {
            undo::undo(writer, &act.deed, mode).await?
        } else {
            undo::take_back(writer, &act.deed, mode).await?
        };
        if let Some((table, name, rows)) = here.orphans {
            let says = format!("{rows} rows of `{table}` have no parent that `{name}` asks for");
            let help = "give those rows a parent, or take them out, then roll back again; handover explain HO543";
            return Err(Fault::refused("HO543", &format!("{table}.{name}"), rows, says).help(help));
        }
        if here.refused {
            return Err(changed_since(&here));
        }
        add(&mut undone, here);
    }
    Ok(UndoCommitted {
        mode,
        removed: undone.removed,
        restored: undone.restored,
        reported: undone.changed.iter().map(|(_, _, rows)| rows).sum(),
    })
}

fn add(sum: &mut Undone, one: Undone) {
    sum.removed += one.removed;
    sum.restored += one.restored;
    sum.shuts.extend(one.shuts);
    sum.refused |= one.refused;
    sum.changed.extend(one.changed);
}

fn changed_since(found: &Undone) -> Fault {
    let rows = found.changed.iter().map(|(_, _, rows)| rows).sum();
    let words: Vec<String> = found
        .changed
        .iter()
        .map(|(table, class, rows)| format!("{rows} {class} in `{table}`"))
        .collect();
    let tables: Vec<&str> = found
        .changed
        .iter()
        .map(|(table, _, _)| table.as_str())
        .collect();
    Fault::refused(
        "HO527",
        &tables.join(", "),
        rows,
        format!(
            "rows changed since the step wrote them: {}",
            words.join(", ")
        ),
    )
    .help("undo with `skip` to leave them and report them, or `force` to take them too")
}
