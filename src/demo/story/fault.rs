//! Why a story ended early.
//!
//! Not here: what is said about it (`cli`).

use std::path::PathBuf;

use crate::demo::generate::{self};
use crate::demo::servers::ServerError;
use crate::journal::JournalFault;
use crate::machine::rollback::NoRollback;
use crate::orgdb::DbFault;
use crate::orgdb::address::AddressFault;
use crate::plan::fault::PlanFaults;
use crate::plan::papers::FolderFault;
use crate::preview::model::FileFault;
use crate::preview::{LookFault, SignFault};
use crate::run::approvals::ProofFault;
use crate::run::decisions::WordFault;
use crate::run::rollback::BackFault;
use crate::run::{CarryFault, SiteFault};
use crate::signature::PrivateKeyFault;
use crate::steps::Fault;

/// Why a story ended early. Playing it again goes on from what is durable.
#[derive(Debug, thiserror::Error)]
pub enum StoryFault {
    /// There is no such plan.
    #[error("there is no shipped plan called `{0}`")]
    NoPlan(String),
    /// The folder was made for another script.
    #[error("`{}` holds another demo (other homes, years, seed, plan or break)", .0.display())]
    Other(PathBuf),
    /// The step to break is no data copy of the plan.
    #[error("`{step}` cannot be broken: the story breaks a data copy ({})", .could.join(", "))]
    Unbreakable {
        /// What was asked.
        step: String,
        /// What could be.
        could: Vec<String>,
    },
    /// Somebody asked us to stop.
    #[error("stopped at a safe point")]
    Stopped,
    /// The run came to rest where the story does not expect it.
    #[error("the run rests unexpectedly: {0}")]
    Lost(String),
    /// The file system.
    #[error("a file of the demo cannot be used")]
    File(#[from] std::io::Error),
    /// Made-up data.
    #[error(transparent)]
    Make(#[from] generate::MakeError),
    /// A made-up database.
    #[error("a made-up database cannot be read")]
    Sql(#[from] rusqlite::Error),
    /// Evidence could not be written.
    #[error("evidence cannot be written")]
    Csv(#[from] csv::Error),
    /// The folder.
    #[error(transparent)]
    Folder(#[from] FolderFault),
    /// The plan (a shipped one: it was edited).
    #[error("the plan has faults")]
    Plan(PlanFaults),
    /// A preview file.
    #[error(transparent)]
    Preview(#[from] FileFault),
    /// A look.
    #[error(transparent)]
    Look(#[from] LookFault),
    /// A signature.
    #[error(transparent)]
    Sign(#[from] SignFault),
    /// A database.
    #[error(transparent)]
    Db(#[from] DbFault),
    /// A private server.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// An address out of the environment.
    #[error("`{0}` is no database address: {1}")]
    Address(String, AddressFault),
    /// A database takes no writes.
    #[error("{}", .0.says)]
    Halted(Fault),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalFault),
    /// The run.
    #[error(transparent)]
    Site(#[from] SiteFault),
    /// A word.
    #[error(transparent)]
    Word(#[from] WordFault),
    /// An invented key.
    #[error("an invented person's key cannot be made")]
    Key(#[from] PrivateKeyFault),
    /// What somebody is to sign.
    #[error(transparent)]
    Proof(#[from] ProofFault),
    /// A rollback.
    #[error(transparent)]
    Back(#[from] BackFault),
    /// No rollback.
    #[error(transparent)]
    NoBack(#[from] NoRollback),
}

impl From<CarryFault> for StoryFault {
    fn from(fault: CarryFault) -> StoryFault {
        match fault {
            CarryFault::Db(fault) => StoryFault::Db(fault),
            CarryFault::Site(fault) => StoryFault::Site(fault),
            CarryFault::Halted(fault) => StoryFault::Halted(fault),
            CarryFault::Stopped => StoryFault::Stopped,
        }
    }
}
