//! The seeded generator of invented organisations: one legacy source database, its councils' (or its
//! ALMO's) target databases with rows of their own, and `truth.json`, which says what a right copy of
//! it all comes to.
//!
//! In: a folder, a world, a size, a seed. Out: SQLite files named after the organisations' codes.
//! The same seed gives the same rows. Everybody in here is invented: telephone numbers are of the
//! ranges kept for drama, e-mail ends in example.com, postcodes have inward codes that no street has.
//!
//! Not here: how rows are mapped (the truth is kept while rows are made, by other code than the
//! copier's), the demo's story (`demo::story`).

pub mod truth;
pub mod world;

use std::path::Path;
use std::sync::Arc;

pub use truth::Truth;
pub use world::World;

/// What to make.
#[derive(Clone)]
pub struct Spec {
    /// Which organisations, and whose homes.
    pub world: World,
    /// Dwellings, leasehold flats included; blocks, estates and garages come on top.
    pub homes: u32,
    /// Rent years of ledger lines.
    pub years: u32,
    /// The same seed makes the same rows.
    pub seed: u64,
    /// Hears how many rows of which table were made so far.
    pub progress: Option<Progress>,
}

/// Called with a table's name and its rows so far, now and then.
pub type Progress = Arc<dyn Fn(&str, u64) + Send + Sync>;

impl Spec {
    /// A world at East Kent's own size: 17,000 homes, one rent year.
    #[must_use]
    pub fn new(world: World) -> Spec {
        Spec {
            world,
            homes: 17_000,
            years: 1,
            seed: 2020,
            progress: None,
        }
    }
}

/// Why nothing (or not all) was made.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// The file system said no.
    #[error("write the made-up files: {0}")]
    File(#[from] std::io::Error),
    /// SQLite said no.
    #[error("write a made-up database: {0}")]
    Database(#[from] rusqlite::Error),
}

/// Makes the world's databases and `truth.json` in `folder`. Files of an earlier making are replaced.
///
/// # Errors
/// When a file cannot be written.
pub fn generate(_folder: &Path, _spec: &Spec) -> Result<Truth, MakeError> {
    todo!()
}

/// Gives `rows` live tenancies of the council with `owner_code` (`THA`) the tenure `DEMO`, which no map
/// knows: what breaks in the demo's story. How many rows were changed.
///
/// # Errors
/// When the database refuses.
pub fn add_unmapped_tenure(
    _source: &Path,
    _rows: u64,
    _owner_code: &str,
) -> Result<u64, MakeError> {
    todo!()
}

/// The one-line change of `maps/homes.toml` that mends it: the map's text with `DEMO` mapped.
#[must_use]
pub fn mend(_map: &str) -> String {
    todo!()
}
