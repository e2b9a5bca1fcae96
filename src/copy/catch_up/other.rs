//! Another connection to a source, which looks at the very moment that the first one looks at.
//!
//! Not here: how both come to the same moment (`standing`), what is read on which (`beside`, `ahead`).

use std::thread;

use crate::copy::standing::one_moment;
use crate::orgdb::{DbTrouble, Link};

/// It, where there can be one.
#[derive(Default)]
pub(crate) struct Other(Option<Link>);

impl Other {
    /// Begins the look at `link`, and there.
    pub(crate) fn looking_with(
        link: &Link,
        beside: impl Fn() -> Result<Link, DbTrouble>,
    ) -> Result<Other, DbTrouble> {
        one_moment(link, beside).map(Other)
    }

    pub(super) fn link(&mut self) -> Option<&mut Link> {
        self.0.as_mut()
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // A server's connection ends a runtime of its own, which must not be done where others wait on one.
        if let Some(link) = self.0.take() {
            drop(thread::spawn(move || drop(link)).join());
        }
    }
}
