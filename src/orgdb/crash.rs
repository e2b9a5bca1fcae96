//! Where tests end or stop us. Debug builds send themselves SIGKILL at the n-th point of a kind that this
//! process passes, as `HANDOVER_KILL=entry:17` says, or SIGSTOP, as `HANDOVER_STOP=load:3` does; and cut
//! copies into small chunks, as `HANDOVER_CHUNK_ROWS` says, so that little data has many. Release builds
//! hold none of it.
//!
//! | point | where |
//! |---|---|
//! | `entry`, `commit` | an entry, a commit of entries is durable in the journal |
//! | `signing` | a head is signed, its seal not yet in the journal |
//! | `chunk` | a chunk is durable at an organisation, its mark not yet written |
//! | `load` | rows are on their way into a table, and nothing of them is durable |
//! | `aside` | what stands aside is noted, and an index is about to be dropped (where that commits by itself) |
//! | `built` | an index or a foreign key stands again, and that all of them do is not yet noted |
//! | `undo` | an effect's rows were taken back, and nothing of that is durable |
//! | `emptying` | the ledger says that tables are being emptied, and none is; again behind each |
//!
//! Not here: the points of the journal (`run::crash`).

#[cfg(debug_assertions)]
mod armed {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    use rustix::process::{Signal, getpid, kill_process};

    /// A point where a signal is sent, and how many of its kind were passed.
    struct Trap {
        point: String,
        count: u64,
        seen: AtomicU64,
        signal: Signal,
    }

    static TRAPS: LazyLock<Vec<Trap>> = LazyLock::new(|| {
        let kinds = [
            ("HANDOVER_KILL", Signal::KILL),
            ("HANDOVER_STOP", Signal::STOP),
        ];
        let trap = |(variable, signal)| {
            let said = std::env::var(variable).ok()?;
            let (point, count) = said.split_once(':')?;
            Some(Trap {
                point: point.to_owned(),
                count: count.parse().ok()?,
                seen: AtomicU64::new(0),
                signal,
            })
        };
        kinds.into_iter().filter_map(trap).collect()
    });

    pub(super) fn reached(point: &str) {
        for trap in TRAPS.iter().filter(|trap| trap.point == point) {
            if trap.seen.fetch_add(1, Ordering::Relaxed) + 1 == trap.count {
                let _ = kill_process(getpid(), trap.signal);
            }
        }
    }

    pub(super) fn chunk_rows() -> Option<usize> {
        static ROWS: LazyLock<Option<usize>> =
            LazyLock::new(|| std::env::var("HANDOVER_CHUNK_ROWS").ok()?.parse().ok());
        *ROWS
    }
}

/// A point is passed.
pub(crate) fn reached(point: &str) {
    #[cfg(debug_assertions)]
    armed::reached(point);
    #[cfg(not(debug_assertions))]
    let _ = point;
}

/// How many rows a chunk holds at most, where a test says so.
pub(crate) fn chunk_rows() -> Option<usize> {
    #[cfg(debug_assertions)]
    return armed::chunk_rows();
    #[cfg(not(debug_assertions))]
    None
}
