//! The ledgers' rows in a pack, held against its log: they are those that the last entry vouches for, and each
//! has its mark.
//!
//! Not here: ledgers that still stand in databases (`run::against_live`).

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};

use super::check::{Checked, LIST_BYTES_MAX};
use super::facts::Facts;
use super::{Pack, PackFault, at};
use crate::journal::listed;
use crate::machine::effects::{Differs, LedgerRow};

/// A row of a ledger is a few hundred bytes.
const ROW_BYTES_MAX: u64 = 64 * 1024;

impl Pack {
    /// The ledgers' rows are those that the last entry vouches for; others are strays.
    pub(super) fn effects(
        &self,
        facts: &mut Facts,
        checked: &mut Checked,
    ) -> Result<(), PackFault> {
        let closed = facts.closed.as_ref();
        let Some(vouched) = closed.and_then(|closed| closed.effects) else {
            return Ok(());
        };
        let Some(digest) = self.bag.digest(at::EFFECTS) else {
            let says = "the ledgers' rows of which the last entry holds the digest are not at hand";
            checked.missing("ATTACHMENT", says.to_owned());
            return Ok(());
        };
        checked.known.insert(at::EFFECTS.to_owned());
        if digest != vouched {
            let says = format!(
                "`{}` is not the list that the last entry vouches for",
                at::EFFECTS
            );
            checked.wrong("ATTACHMENT", Some(facts.size - 1), says);
        }
        let list = self
            .bag
            .read(at::EFFECTS, LIST_BYTES_MAX)?
            .unwrap_or_default();
        for (digest, name) in listed(&String::from_utf8_lossy(&list)) {
            let path = format!("effects/{name}");
            if checked.known.contains(&path) {
                let says = format!("`{}` names `{path}` twice", at::EFFECTS);
                checked.wrong("ATTACHMENT", None, says);
                continue;
            }
            if self.bag.digest(&path) != Some(digest) {
                let says = format!("`{path}` is not what the ledger held when the run was closed");
                checked.wrong("ATTACHMENT", None, says);
            }
            self.ledger(&path, facts, checked)?;
            checked.known.insert(path);
        }
        let unanswered = facts.logged.unanswered();
        for differs in unanswered {
            differing(checked, differs);
        }
        Ok(())
    }

    /// Each row of a ledger has its mark in the log.
    fn ledger(
        &self,
        path: &str,
        facts: &mut Facts,
        checked: &mut Checked,
    ) -> Result<(), PackFault> {
        let Some(place) = self.bag.place(path) else {
            return Ok(());
        };
        let refused = |fault| PackFault::Kept(place.clone(), fault);
        let mut rows = BufReader::new(File::open(&place).map_err(refused)?);
        loop {
            let mut line = Vec::new();
            let mut row = (&mut rows).take(ROW_BYTES_MAX);
            if row.read_until(b'\n', &mut line).map_err(refused)? == 0 {
                return Ok(());
            }
            let Ok(row) = serde_json::from_slice::<LedgerRow>(&line) else {
                let says = format!("`{path}` holds what is no row of a ledger");
                checked.wrong("EFFECT_MISMATCH", None, says);
                return Ok(());
            };
            let differs = facts.logged.hold(&row, facts.size);
            if let Some(differs) = differs {
                differing(checked, differs);
            }
        }
    }
}

fn differing(checked: &mut Checked, differs: Differs) {
    checked.wrong(differs.code, differs.seq, differs.says);
}
