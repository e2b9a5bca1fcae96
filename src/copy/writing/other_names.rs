//! Rows for which another stands already: the crosswalk knows that one by their keys, too, from the
//! same transaction on as the chunk's own rows.
//!
//! Undo forgets these names with all others of the step (`ledger::effect::entomb`); the row that stands is
//! never touched.
//!
//! Not here: which row stands for which (`namesakes`).

use super::chunk::Chunk;
use super::into_server::{NOTED, rows_of};
use crate::copy::ledger::effect;
use crate::copy::reading::batch::Batch;
use crate::orgdb::{DbTrouble, Sql, Value};
use crate::sql;
use crate::values;

/// Names that one statement notes.
const AT_ONCE: usize = 200;

impl Chunk<'_> {
    /// Notes the names; where two rows have one, the first keeps it.
    pub(crate) fn keep_other_names(&self, batch: &Batch) -> Result<(), DbTrouble> {
        let deed = &self.work.deed;
        let mut seen = std::collections::BTreeSet::new();
        let mut others = batch.others.iter().collect::<Vec<_>>();
        others.retain(|other| seen.insert((&other.name, &other.source_key)));
        for some in others.chunks(AT_ONCE) {
            let text = sql!(
                "INSERT INTO handover_key ({}) VALUES {} {}",
                Sql::join(", ", &NOTED.map(Sql::new)),
                rows_of(some.len(), NOTED.len()),
                effect::or_known(self.link.dialect())
            );
            let values: Vec<Value> = some
                .iter()
                .flat_map(|other| {
                    values![
                        deed.run.to_string(),
                        other.name.as_str(),
                        self.work.source.as_str(),
                        other.source_key.as_str(),
                        deed.generation,
                        deed.step.as_str(),
                        other.target_key.as_str()
                    ]
                })
                .collect();
            self.link.execute(&text, &values)?;
        }
        Ok(())
    }
}
