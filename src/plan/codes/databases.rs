//! See `mod`.

use super::Entry;

pub(super) const TABLE: &[Entry] = &[];
