//! Files that a command writes for people: whole or not at all, durable, and in nobody else's way.
//!
//! Not here: how (`journal::whole`), packs (`export::bag`).

use std::path::Path;

use super::exit::Exit;
use super::failure::Failure;
use crate::journal::{For, put_whole};

/// Writes a file for people, in the place of one that is there.
pub(super) fn whole(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    put_whole(path, bytes, For::People).map_err(|fault| {
        Failure::new(
            Exit::Database,
            format!("`{}` cannot be written: {fault}", path.display()),
        )
    })
}
