//! Connections of a run: readers for looking, writers for acting. The only place that opens a writer,
//! and every writer is prepared and fenced before anybody gets it.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use crate::copy::ledger;
use crate::machine::event::OrgPrint;
use crate::orgdb::{Address, DbFault, DbTrouble, OrgReader, OrgWriter};
use crate::plan::model::Code;

/// Where the databases are.
pub type Addresses = BTreeMap<Code, Address>;
/// Read-only connections by organisation.
pub type Readers = Arc<BTreeMap<Code, OrgReader>>;
/// Fenced writers by organisation.
pub type Writers = Arc<BTreeMap<Code, OrgWriter>>;

/// Opens every database read-only.
///
/// # Errors
/// The first that cannot be used.
pub async fn readers(addresses: &Addresses) -> Result<Readers, DbFault> {
    let mut readers = BTreeMap::new();
    for (org, address) in addresses {
        readers.insert(org.clone(), OrgReader::open(org, address).await?);
    }
    Ok(Arc::new(readers))
}

/// What every database looks like; a rehearsal refuses one that is not marked as made up.
///
/// # Errors
/// When a database cannot be read, or is real and the clock is not.
pub async fn prints(readers: &Readers, made_up: bool) -> Result<Vec<OrgPrint>, DbFault> {
    let mut prints = Vec::new();
    for (org, reader) in readers.iter() {
        let catalogue = reader.catalogue().await?;
        if made_up && !catalogue.made_up {
            return Err(DbFault {
                org: org.to_string(),
                trouble: DbTrouble::NotMadeUp,
            });
        }
        prints.push(OrgPrint {
            org: org.clone(),
            schema: catalogue.fingerprint(),
        });
    }
    Ok(prints)
}

/// Opens every database for writing and raises its fence to `epoch`; `head` is the journal's durable
/// head.
///
/// # Errors
/// When a database cannot be used, was taken over, or knows more of the log than the journal does.
pub async fn writers(
    addresses: &Addresses,
    run: Uuid,
    epoch: u64,
    head: u64,
) -> Result<Writers, DbFault> {
    let mut writers = BTreeMap::new();
    for (org, address) in addresses {
        let writer = OrgWriter::open(org, address).await?;
        ledger::prepare(&writer).await?;
        ledger::raise_fence(&writer, run, epoch, head).await?;
        writers.insert(org.clone(), writer);
    }
    Ok(Arc::new(writers))
}
