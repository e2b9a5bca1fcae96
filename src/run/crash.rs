//! Where tests kill us on the way of an entry; what `HANDOVER_KILL` means stands in `orgdb::crash`.

use crate::orgdb::crash::reached;

/// An entry is durable.
pub(super) fn after_entry() {
    reached("entry");
}

/// Entries that were written together are durable: the journal will never be seen between them.
pub(super) fn after_commit() {
    reached("commit");
}

/// A head is signed, and that is durable; its seal is not in the journal yet.
pub(super) fn after_signing() {
    reached("signing");
}

/// A chunk is durable at an organisation, its mark not yet written.
pub(super) fn after_chunk() {
    reached("chunk");
}
