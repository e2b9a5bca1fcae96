//! Who is told what, and how: recipients, the rules by which somebody gets no letter (or another
//! than they would), addresses as the post takes them, templates, and the folder of written letters.
//!
//! Pure but for `folder`, which writes files and nothing else.
//!
//! Not here: the outbox rows in an organisation's database (`steps::tenant_notification`), sending.

pub mod address;
pub mod decide;
pub mod folder;
pub mod recipient;
pub mod template;

pub use decide::{Decision, decide_all};
pub use folder::Folder;
pub use recipient::Recipient;
pub use template::Template;
