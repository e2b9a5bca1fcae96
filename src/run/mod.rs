//! The only place that starts steps, and the only clock: claim a run, drive it, take people's words,
//! go back, amend.
//!
//! ```text
//! Journal --Site::open--> Site --Session::claim--> Session --drive(hands)--> Rests
//! ```
//!
//! In: a journal, addresses, a clock, hands. Out: entries, and where the run rests.
//!
//! Not here: printing, the rules (`machine`), the work (`steps`).

pub mod against_live;
pub mod approvals;
pub mod begin;
pub mod carry;
pub mod clock;
pub mod close;
pub mod connect;
mod crash;
pub mod decisions;
pub mod drive;
pub mod folder;
pub mod hands;
pub mod kept;
pub mod known;
pub mod rehearsed;
pub mod rollback;
pub mod session;
pub mod site;
pub mod who;
pub mod witnessing;

pub use carry::{CarryFault, carry_on, drive_on};
pub use clock::Clock;
pub use drive::{Bounds, DriveFault, drive};
pub use hands::{Hands, Live};
pub use rehearsed::rehearsed;
pub use session::Session;
pub use site::{Site, SiteFault};
pub use who::Who;
