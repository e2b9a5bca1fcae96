//! The hand that a copy writes with: chunk by chunk, each durable by itself, or all of it in one
//! transaction.
//!
//! Not here: what is written (`store`), when which is right (`load`).

use crate::copy::ledger::effect::Commits;
use crate::orgdb::{DbFault, DbTrouble, Link, OrgWriter, Tx};

/// A target as a copy writes to it.
pub(crate) struct Hand {
    writer: OrgWriter,
    /// The one transaction, where there is one: until it ends, the writer serves nothing else.
    whole: Option<Tx>,
}

impl Hand {
    /// Each chunk by itself.
    pub(crate) fn of(writer: OrgWriter) -> Hand {
        Hand {
            writer,
            whole: None,
        }
    }

    /// Where it writes, for whoever asks on a connection beside. What one transaction has written is not
    /// seen there.
    pub(crate) fn writer(&self) -> &OrgWriter {
        &self.writer
    }

    /// Whether all of it is one transaction.
    pub(crate) fn is_whole(&self) -> bool {
        self.whole.is_some()
    }

    /// What a commit makes durable.
    pub(crate) fn commits(&self) -> Commits {
        if self.is_whole() {
            Commits::Once
        } else {
            Commits::Each
        }
    }

    /// Runs `work` on the connection's own thread, inside the one transaction where there is one.
    pub(crate) async fn with<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Link) -> Result<T, DbTrouble> + Send + 'static,
    ) -> Result<T, DbFault> {
        match &mut self.whole {
            Some(whole) => whole.with(work).await,
            None => self.writer.with(work).await,
        }
    }

    /// From here on everything is one transaction; dropped before its commit, it leaves nothing.
    pub(crate) async fn open(&mut self) -> Result<(), DbFault> {
        self.whole = Some(self.writer.begin().await?);
        Ok(())
    }

    /// Makes all of it durable.
    pub(crate) async fn commit(&mut self) -> Result<(), DbFault> {
        match self.whole.take() {
            Some(whole) => whole.commit().await,
            None => Ok(()),
        }
    }
}
