//! Connections: one blocking thread each, asked through messages. `OrgReader` is opened read-only by
//! the engine; `OrgWriter` serves one transaction at a time.
//!
//! Not here: opening (`link`), the thread (`desk`), what a database looks like (`catalogue`).

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::{Mutex, OwnedMutexGuard};

use super::desk::Desk;
use super::link::Begin;
use super::memo::Memo;
use super::{Address, Catalogue, DbFault, DbTrouble, Dialect, Link, Sql, Value, sqlite};
use crate::plan::digest::Digest;

/// A read-only connection.
#[derive(Clone)]
pub struct OrgReader(Arc<Base>);

/// A connection that may write. Only `run` opens one.
#[derive(Clone)]
pub struct OrgWriter(Arc<Base>, Arc<Mutex<()>>);

/// An open write transaction; dropped without `commit`, it is rolled back. Everybody else who asks
/// the same writer waits until it is over.
pub struct Tx {
    base: Arc<Base>,
    /// The session that it was begun in: no other knows of it.
    desk: Arc<Desk>,
    open: bool,
    _alone: OwnedMutexGuard<()>,
}

struct Base {
    org: String,
    address: Address,
    open: Open,
    desk: RwLock<Arc<Desk>>,
    memo: Memo,
}

type Open = fn(&Address) -> Result<Link, DbTrouble>;

impl Base {
    async fn open(org: &str, address: &Address, open: Open) -> Result<Arc<Base>, DbFault> {
        let desk = desk(org, address, open).await?;
        Ok(Arc::new(Base {
            org: org.to_owned(),
            address: address.clone(),
            open,
            desk: RwLock::new(desk),
            memo: Memo::default(),
        }))
    }

    fn desk(&self) -> Arc<Desk> {
        let desk = self.desk.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&desk)
    }

    async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Link) -> Result<T, DbTrouble> + Send + 'static,
    ) -> Result<T, DbFault> {
        self.ask_at(&self.desk(), work).await
    }

    async fn ask_at<T: Send + 'static>(
        &self,
        desk: &Desk,
        work: impl FnOnce(&Link) -> Result<T, DbTrouble> + Send + 'static,
    ) -> Result<T, DbFault> {
        let answer = desk.ask(work).await;
        answer.map_err(|trouble| named(trouble, &self.address).of(&self.org))
    }

    /// Takes another session where this one gives no sign of life. Whoever is at work with it notices
    /// by themselves, and is not waited for.
    async fn revive(&self) -> Result<(), DbFault> {
        let now = self.desk();
        if self.address.dialect() == Dialect::Sqlite || !now.is_idle() {
            return Ok(());
        }
        let sign = now.ask(|link| link.row(&Sql::new("SELECT 1"), &[])).await;
        if sign.is_err() {
            let fresh = desk(&self.org, &self.address, self.open).await?;
            *self.desk.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
        Ok(())
    }
}

async fn desk(org: &str, address: &Address, open: Open) -> Result<Arc<Desk>, DbFault> {
    let there = address.clone();
    let desk = Desk::open(move || open(&there)).await;
    desk.map(Arc::new)
        .map_err(|trouble| named(trouble, address).of(org))
}

/// Says who holds the lock, where the kernel knows.
fn named(trouble: DbTrouble, address: &Address) -> DbTrouble {
    match (trouble, address) {
        (DbTrouble::Locked(None), Address::Sqlite(path)) => {
            DbTrouble::Locked(sqlite::holder::pid(path))
        }
        (other, _) => other,
    }
}

impl OrgReader {
    /// Opens `address` read-only; `org` is named in faults.
    ///
    /// # Errors
    /// When there is no usable database.
    pub async fn open(org: &str, address: &Address) -> Result<OrgReader, DbFault> {
        Ok(OrgReader(Base::open(org, address, Link::reader).await?))
    }

    /// Another connection to the same database, on a thread of its own: for long reads.
    ///
    /// # Errors
    /// As [`OrgReader::open`].
    pub async fn another(&self) -> Result<OrgReader, DbFault> {
        OrgReader::open(&self.0.org, &self.0.address).await
    }

    /// Two further connections to a file, each with a look at it open that is of one and the same moment; one
    /// alone where somebody committed in between, and to a server, whose tables nobody reads by halves.
    pub(crate) async fn side_by_side(&self) -> Result<Vec<OrgReader>, DbFault> {
        let looking = async || {
            let reader = self.another().await?;
            reader.with(Link::look_now).await?;
            Ok(reader)
        };
        let is_file = self.with(|link| Ok(link.sqlite().is_some())).await?;
        let before = self.with(Link::version).await?;
        let mut readers = vec![looking().await?];
        if is_file {
            readers.push(looking().await?);
            if self.with(Link::version).await? != before {
                readers.truncate(1);
            }
        }
        Ok(readers)
    }

    /// Opens a connection of the same kind on whatever thread calls it: for work that has one already.
    pub(crate) fn beside(&self) -> impl Fn() -> Result<Link, DbTrouble> + Send + use<> {
        let address = self.0.address.clone();
        move || Link::reader(&address)
    }

    /// Connects again where the server has ended this session since it was last used: it restarted, or
    /// somebody cut the connection.
    ///
    /// # Errors
    /// As [`OrgReader::open`].
    pub async fn revive(&self) -> Result<(), DbFault> {
        self.0.revive().await
    }

    /// The organisation's code.
    #[must_use]
    pub fn org(&self) -> &str {
        &self.0.org
    }

    /// Which tongue its database speaks.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.0.address.dialect()
    }

    /// Runs a query and gathers its rows: for small answers.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn rows(&self, sql: Sql, values: Vec<Value>) -> Result<Vec<Vec<Value>>, DbFault> {
        self.with(move |link| link.rows(&sql, &values)).await
    }

    /// The answer that `work` finds in this database, done once for all who ask the same (`about`)
    /// until somebody commits a change to it. `work` must begin its reading after it is called.
    ///
    /// # Errors
    /// When the database refuses, and those of `work`.
    pub(crate) async fn while_unchanged<T: Send + Sync + 'static>(
        &self,
        about: Digest,
        work: impl Future<Output = Result<T, DbFault>>,
    ) -> Result<Arc<T>, DbFault> {
        let Some(version) = self.with(Link::version).await? else {
            return Ok(Arc::new(work.await?));
        };
        let answer = self.0.memo.answer(version, about, work).await?;
        answer.ok_or_else(|| DbTrouble::Other(0).of(self.org()))
    }

    /// The database's shape.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn catalogue(&self) -> Result<Catalogue, DbFault> {
        self.with(Link::catalogue).await
    }

    /// Runs `work` on the connection's own thread: the bulk path.
    ///
    /// # Errors
    /// What `work` returns.
    pub async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Link) -> Result<T, DbTrouble> + Send + 'static,
    ) -> Result<T, DbFault> {
        self.0.ask(work).await
    }
}

impl OrgWriter {
    /// Opens `address` for writing; the file must exist.
    ///
    /// # Errors
    /// When there is no usable database.
    pub async fn open(org: &str, address: &Address) -> Result<OrgWriter, DbFault> {
        let base = Base::open(org, address, Link::writer).await?;
        Ok(OrgWriter(base, Arc::new(Mutex::new(()))))
    }

    /// Another connection to the same database, on a thread of its own: for long writes.
    ///
    /// # Errors
    /// As [`OrgWriter::open`].
    pub async fn another(&self) -> Result<OrgWriter, DbFault> {
        OrgWriter::open(&self.0.org, &self.0.address).await
    }

    /// A read-only connection to the same database.
    ///
    /// # Errors
    /// As [`OrgReader::open`].
    pub async fn reader(&self) -> Result<OrgReader, DbFault> {
        OrgReader::open(&self.0.org, &self.0.address).await
    }

    /// Opens a read-only connection on whatever thread calls it: for work that has one already.
    pub(crate) fn beside(&self) -> impl Fn() -> Result<Link, DbTrouble> + Send + use<> {
        let address = self.0.address.clone();
        move || Link::reader(&address)
    }

    /// The same for work that writes there, too.
    pub(crate) fn beside_to_write(&self) -> impl Fn() -> Result<Link, DbTrouble> + Send + use<> {
        let address = self.0.address.clone();
        move || Link::writer(&address)
    }

    /// As [`OrgReader::revive`]. A transaction that was open is gone: it is told so, whoever goes on with
    /// it.
    ///
    /// # Errors
    /// As [`OrgWriter::open`].
    pub async fn revive(&self) -> Result<(), DbFault> {
        self.0.revive().await
    }

    /// The organisation's code.
    #[must_use]
    pub fn org(&self) -> &str {
        &self.0.org
    }

    /// Which tongue its database speaks.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.0.address.dialect()
    }

    /// Begins a write transaction (in a file the lock is ours from here on).
    ///
    /// # Errors
    /// When the database is locked past our patience or refuses.
    pub async fn begin(&self) -> Result<Tx, DbFault> {
        let alone = Arc::clone(&self.1).lock_owned().await;
        let mut tx = Tx {
            base: Arc::clone(&self.0),
            desk: self.0.desk(),
            open: true,
            _alone: alone,
        };
        tx.with(|link| link.begin(Begin::Write)).await?;
        Ok(tx)
    }

    /// As [`OrgReader::with`]; a transaction that `work` leaves open is rolled back.
    ///
    /// # Errors
    /// What `work` returns.
    pub async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Link) -> Result<T, DbTrouble> + Send + 'static,
    ) -> Result<T, DbFault> {
        let _alone = self.1.lock().await;
        self.0
            .ask(|link| {
                let answer = work(link);
                link.close_open();
                answer
            })
            .await
    }
}

impl Tx {
    /// Runs one statement; how many rows it changed.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn execute(&mut self, sql: Sql, values: Vec<Value>) -> Result<u64, DbFault> {
        self.with(move |link| link.execute(&sql, &values)).await
    }

    /// Runs a query and gathers its rows.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn rows(&mut self, sql: Sql, values: Vec<Value>) -> Result<Vec<Vec<Value>>, DbFault> {
        self.with(move |link| link.rows(&sql, &values)).await
    }

    /// Runs `work` inside the transaction, on the connection's own thread.
    ///
    /// # Errors
    /// What `work` returns.
    pub async fn with<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Link) -> Result<T, DbTrouble> + Send + 'static,
    ) -> Result<T, DbFault> {
        self.base.ask_at(&self.desk, work).await
    }

    /// Makes it durable.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn commit(mut self) -> Result<(), DbFault> {
        self.with(Link::commit).await?;
        self.open = false;
        Ok(())
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        if self.open {
            self.desk.post(Link::close_open);
        }
    }
}
