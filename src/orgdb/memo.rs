//! What was read of a database, remembered for as long as nobody changes it: several steps that ask
//! the same of the same source share one pass over it.
//!
//! In: what is asked, as a digest, and the work that answers it. Out: the answer, shared.
//!
//! Not here: what is asked (`copy::look`).

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use crate::plan::digest::Digest;

type Answer = Arc<dyn Any + Send + Sync>;
type Cell = Arc<OnceCell<Answer>>;

/// Answers of one version of the database.
#[derive(Default)]
pub(super) struct Memo(Mutex<(String, BTreeMap<Digest, Cell>)>);

impl Memo {
    /// The answer to `about` at this version; `work` is done once, however many ask at a time.
    ///
    /// # Errors
    /// Those of `work`; nothing is remembered then.
    pub(super) async fn answer<T: Send + Sync + 'static, E>(
        &self,
        version: String,
        about: Digest,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<Option<Arc<T>>, E> {
        let cell = self.cell(version, about);
        let answer = cell
            .get_or_try_init(|| async { work.await.map(|found| Arc::new(found) as Answer) })
            .await?;
        Ok(Arc::clone(answer).downcast().ok())
    }

    fn cell(&self, version: String, about: Digest) -> Cell {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.0 != version {
            *kept = (version, BTreeMap::new());
        }
        Arc::clone(kept.1.entry(about).or_default())
    }
}
