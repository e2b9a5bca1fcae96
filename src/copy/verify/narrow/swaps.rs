//! Values that changed places: a row holds what another should hold, and that one what it should. Told
//! only where there is exactly one such pair of the column, so that two flags that were both changed are
//! no pair among many.
//!
//! In: hashes of values, keyed for this process. Out: places of columns.
//!
//! Not here: comparing (`lines`).

use std::hash::{BuildHasher as _, RandomState};

use foldhash::HashMap;

use super::lines::Differs;

/// What should stand somewhere and what does, as numbers.
pub(super) type Sides = [u64; 2];

/// Columns by table, name, what should stand there and what does.
#[derive(Default)]
pub(super) struct Swaps {
    places: HashMap<(String, String, Sides), Vec<(usize, usize)>>,
}

/// Makes the numbers.
#[derive(Default)]
pub(super) struct Blind(RandomState);

impl Blind {
    pub(super) fn of(&self, canonical: &[u8]) -> u64 {
        self.0.hash_one(canonical)
    }
}

impl Swaps {
    pub(super) fn note(&mut self, table: &str, row: usize, columns: &[Differs]) {
        for (at, differs) in columns.iter().enumerate() {
            let Some(sides) = differs.sides else { continue };
            let name = differs.column.name.clone();
            let places = self.places.entry((table.to_owned(), name, sides));
            places.or_default().push((row, at));
        }
    }

    /// Places of values that changed places.
    pub(super) fn pairs(&self) -> Vec<(usize, usize)> {
        let paired = self.places.iter().filter_map(|(about, places)| {
            let (table, column, [due, stands]) = about;
            let other = self
                .places
                .get(&(table.clone(), column.clone(), [*stands, *due]))?;
            (places.len() == 1 && other.len() == 1).then(|| places[0])
        });
        paired.collect()
    }
}
