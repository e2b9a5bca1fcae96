//! The blocking thread that a connection lives on, and the desk through which it is asked. Work goes
//! in as closures, answers come back through a oneshot; who stops waiting interrupts their own work.
//!
//! Not here: what is asked (`connection`), how a file is opened (`open`).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use tokio::sync::oneshot;

use super::{DbTrouble, Link, link::Interrupt};

type Job = Box<dyn FnOnce(&Link) + Send>;

/// One connection on a thread of its own; the thread ends when its desk is dropped.
pub(super) struct Desk {
    jobs: mpsc::Sender<Job>,
    interrupt: Arc<Interrupt>,
    /// How many jobs are not done.
    left: Arc<AtomicUsize>,
}

impl Desk {
    /// Starts the thread and opens the connection on it.
    pub(super) async fn open(
        open: impl FnOnce() -> Result<Link, DbTrouble> + Send + 'static,
    ) -> Result<Desk, DbTrouble> {
        let (jobs, queue) = mpsc::channel::<Job>();
        let (tell, told) = oneshot::channel();
        let left = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&left);
        thread::Builder::new()
            .name("orgdb".to_owned())
            .spawn(move || {
                let link = match open() {
                    Ok(link) => link,
                    Err(trouble) => return drop(tell.send(Err(trouble))),
                };
                if tell.send(Ok(link.interrupt())).is_ok() {
                    for job in &queue {
                        job(&link);
                        count.fetch_sub(1, Ordering::Relaxed);
                    }
                }
            })
            .map_err(|_| DbTrouble::Other(0))?;
        let interrupt = told.await.map_err(|_| DbTrouble::Other(0))??;
        Ok(Desk {
            jobs,
            interrupt: Arc::new(interrupt),
            left,
        })
    }

    /// Whether nobody is waiting for anything.
    pub(super) fn is_idle(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }

    /// Runs `work` on the thread. Dropping the future skips work that has not begun and interrupts
    /// work that has.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Link) -> Result<T, DbTrouble> + Send + 'static,
    ) -> Result<T, DbTrouble> {
        let stage = Arc::new(Mutex::new(Stage::Waiting));
        let watch = Watch {
            stage: Arc::clone(&stage),
            interrupt: Arc::clone(&self.interrupt),
        };
        let (tell, told) = oneshot::channel();
        self.post(move |link| {
            link.begin_work();
            if advance(&stage, Stage::Running) {
                let answer = work(link);
                advance(&stage, Stage::Over);
                drop(tell.send(answer));
            }
        });
        let answer = told.await;
        drop(watch);
        answer.map_err(|_| DbTrouble::Other(0))?
    }

    /// Queues work whose answer nobody waits for.
    pub(super) fn post(&self, work: impl FnOnce(&Link) + Send + 'static) {
        self.left.fetch_add(1, Ordering::Relaxed);
        // Fails only when the thread is gone, and then there is nothing left to do.
        drop(self.jobs.send(Box::new(work)));
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Waiting,
    Running,
    Over,
}

/// Moves on unless the asker has gone away; false when it has.
fn advance(stage: &Mutex<Stage>, to: Stage) -> bool {
    let mut now = stage.lock().unwrap_or_else(PoisonError::into_inner);
    let wanted = *now != Stage::Over;
    *now = to;
    wanted
}

/// Interrupts the asker's own work, and no one else's, when the asker goes away.
struct Watch {
    stage: Arc<Mutex<Stage>>,
    interrupt: Arc<Interrupt>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        // The lock is held over the interrupt, so that the next job cannot have begun.
        let mut now = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        if *now == Stage::Running {
            self.interrupt.interrupt();
        }
        *now = Stage::Over;
    }
}
