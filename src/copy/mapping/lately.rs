//! What was found for a key lately, so that it need not be looked for again: bounded, whatever the
//! size of the tables. It is asked at every row, mostly for keys in no order.
//!
//! In: keys as bytes. Out: places, which hold until something new is put in.
//!
//! Not here: how a thing is found (`sight`, `crosswalk`).

use foldhash::fast::RandomState;
use indexmap::IndexMap;
use smallvec::SmallVec;

/// References of housing systems are short: most lie beside what was found for them.
type Key = SmallVec<[u8; 24]>;

/// The newest findings by their keys, at most so many.
pub(super) struct Lately<T> {
    found: IndexMap<Key, T, RandomState>,
    most: usize,
}

impl<T> Lately<T> {
    /// Nothing yet.
    pub(crate) fn new(most: usize) -> Lately<T> {
        Lately {
            found: IndexMap::default(),
            most,
        }
    }

    /// Where the finding for a key is.
    #[inline]
    pub(crate) fn place(&self, key: &[u8]) -> Option<usize> {
        self.found.get_index_of(key)
    }

    /// Whether a place holds what was found for a key.
    #[inline]
    pub(super) fn is_at(&self, place: usize, key: &[u8]) -> bool {
        let there = self.found.get_index(place);
        there.is_some_and(|(known, _)| known.as_slice() == key)
    }

    /// The finding at a place.
    #[inline]
    pub(crate) fn at(&self, place: usize) -> Option<&T> {
        self.found.get_index(place).map(|(_, found)| found)
    }

    /// Keeps a finding; where there is no room, all earlier ones are forgotten. Its place.
    pub(crate) fn put(&mut self, key: &[u8], found: T) -> usize {
        if self.found.len() >= self.most {
            self.found.clear();
        }
        self.found.insert_full(Key::from_slice(key), found).0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_is_found_until_there_is_no_room() {
        let mut lately = Lately::new(2);
        let seven = lately.put(b"7", "seven");
        assert_eq!(lately.place(b"7"), Some(seven));
        assert!(lately.is_at(seven, b"7") && !lately.is_at(seven, b"07"));
        lately.put(b"8", "eight");
        assert_eq!(lately.at(seven), Some(&"seven"));
        let nine = lately.put(b"9", "nine");
        assert_eq!((lately.place(b"7"), lately.at(nine)), (None, Some(&"nine")));
    }
}
