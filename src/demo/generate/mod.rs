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

mod agreements;
mod dice;
mod homes;
mod ledger;
mod letters;
mod lettings;
mod members;
mod part;
mod people;
mod property;
mod reach;
mod registers;
mod repairs;
mod safety;
mod source;
mod table;
mod target;
pub mod truth;
mod words;
pub mod world;

use part::Part;
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
    /// The thread that made the targets came to nothing.
    #[error("make the target databases: their thread stopped")]
    Lost,
    /// SQLite said no.
    #[error("write a made-up database: {0}")]
    Database(#[from] rusqlite::Error),
}

/// Makes the world's databases and `truth.json` in `folder`, source and targets side by side. Files of
/// an earlier making are replaced.
///
/// # Errors
/// When a file cannot be written.
pub fn generate(folder: &Path, spec: &Spec) -> Result<Truth, MakeError> {
    std::fs::create_dir_all(folder)?;
    let file = |code: &str| folder.join(format!("{code}.db"));
    let parts = &Part::all(spec);
    let truth = std::thread::scope(|scope| {
        let targets = scope.spawn(|| {
            let mut targets = spec.world.targets().iter();
            targets.try_for_each(|org| target::make(&file(org.code), spec, org))
        });
        let mut truth = Truth::of(spec);
        for part in parts {
            truth.add(source::make(&file(part.source.code), part)?);
        }
        targets.join().unwrap_or(Err(MakeError::Lost))?;
        Ok::<Truth, MakeError>(truth)
    })?;
    let text = serde_json::to_string_pretty(&truth).map_err(std::io::Error::other)?;
    std::fs::write(folder.join("truth.json"), text + "\n")?;
    Ok(truth)
}

/// The line of `maps/homes.toml` behind which [`mend`] puts its own.
const TENURES: &str = "SEC = \"secure\"";

/// What mends it, as one more line of `maps/homes.toml`: the map's text with `DEMO` mapped; unchanged
/// where it is mapped already.
#[must_use]
pub fn mend(map: &str) -> String {
    if map.contains("DEMO = ") {
        return map.to_owned();
    }
    map.replacen(TENURES, &format!("{TENURES}\nDEMO = \"demoted\""), 1)
}
