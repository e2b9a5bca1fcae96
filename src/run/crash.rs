//! Where tests kill us: debug builds end themselves with SIGKILL after the n-th journal entry, the n-th
//! commit of entries, the n-th durable chunk or the n-th signed head that this process sees, as
//! `HANDOVER_KILL=entry:17`, `commit:5`, `chunk:3` or `signing:2` says. Release builds hold none of it.

#[cfg(debug_assertions)]
mod armed {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static WHERE: LazyLock<Option<(String, u64)>> = LazyLock::new(|| {
        let said = std::env::var("HANDOVER_KILL").ok()?;
        let (point, count) = said.split_once(':')?;
        Some((point.to_owned(), count.parse().ok()?))
    });
    static SEEN: AtomicU64 = AtomicU64::new(0);

    pub(super) fn reached(point: &str) {
        let Some((wanted, count)) = &*WHERE else {
            return;
        };
        if wanted == point && SEEN.fetch_add(1, Ordering::Relaxed) + 1 == *count {
            let own = rustix::process::getpid();
            let _ = rustix::process::kill_process(own, rustix::process::Signal::KILL);
        }
    }
}

/// An entry is durable.
pub(super) fn after_entry() {
    #[cfg(debug_assertions)]
    armed::reached("entry");
}

/// Entries that were written together are durable: the journal will never be seen between them.
pub(super) fn after_commit() {
    #[cfg(debug_assertions)]
    armed::reached("commit");
}

/// A head is signed, and that is durable; its seal is not in the journal yet.
pub(super) fn after_signing() {
    #[cfg(debug_assertions)]
    armed::reached("signing");
}

/// A chunk is durable at an organisation, its mark not yet written.
pub(super) fn after_chunk() {
    #[cfg(debug_assertions)]
    armed::reached("chunk");
}
