//! The seals of a log in a pack, and the tree under them, laid out as C2SP tlog-tiles has it: foreign
//! tools read it as they read any transparency log's.
//!
//! ```text
//! log/checkpoint                 the newest seal, with its witnesses' lines
//! log/checkpoints/000000000011   every seal, by the number of entries it covers
//! log/tile/0/000.p/11            hashes of the tree, 256 to a tile; level by level
//! log/tile/entries/000.p/11      the lines themselves, each with its length before it
//! log/witness/…                  from one cosigned seal to the next: seal and consistency proof
//! policy/log.vkey                the log's key, for convenience
//! ```
//!
//! Not here: signing (`journal`), what a seal proves (`seal::check`).

use std::path::PathBuf;

use super::{PackFault, at};
use crate::export::bag::BagWriter;
use crate::journal::LogFolder;
use crate::plan::digest::Digest;
use crate::seal::tree::{leaf_hash, root_of_hashes};
use crate::seal::{Request, Seal, proof};

/// Hashes in a whole tile, and lines in a whole bundle.
const WIDTH: usize = 256;

/// Puts every seal and the tree that the newest one covers; the log's leaves where there are seals.
///
/// # Errors
/// When the log cannot be read or the bag cannot be written.
pub(super) fn put(bag: &mut BagWriter, log: &LogFolder, seals: &[Seal]) -> Result<(), PackFault> {
    let Some(newest) = seals.last() else {
        return Ok(());
    };
    bag.put(at::SEAL, &newest.bytes())?;
    for seal in seals {
        let path = format!("log/checkpoints/{:012}", seal.head.size);
        bag.put(&path, &seal.bytes())?;
    }
    let leaves = tiles(log, newest.head.size, &mut |path, bytes| {
        Ok(bag.put(path, bytes)?)
    })?;
    requests(bag, seals, &leaves)
}

/// From each cosigned seal to the next, as a witness would be asked: whoever holds the one can check the
/// other without the log.
fn requests(bag: &mut BagWriter, seals: &[Seal], leaves: &[Digest]) -> Result<(), PackFault> {
    let mut old = 0;
    for seal in seals.iter().filter(|seal| seal.note.lines.len() > 1) {
        let size = usize::try_from(seal.head.size).unwrap_or(usize::MAX);
        let proof = leaves.get(..size);
        let proof = proof.and_then(|leaves| proof::consistency(leaves, old).ok());
        if let Some(proof) = proof {
            let request = Request {
                old: old as u64,
                proof,
                seal: seal.clone(),
            };
            let path = format!("log/witness/{:012}.add-checkpoint", seal.head.size);
            bag.put(&path, &request.bytes())?;
            old = size;
        }
    }
    Ok(())
}

/// Takes a tile: its path, its bytes.
type Put<'p> = dyn FnMut(&str, &[u8]) -> Result<(), PackFault> + 'p;

/// Puts the tiles over the first `size` lines; their leaf hashes.
pub(super) fn tiles(
    log: &LogFolder,
    size: u64,
    put: &mut Put<'_>,
) -> Result<Vec<Digest>, PackFault> {
    let mut levels = Vec::new();
    let mut leaves = Vec::new();
    let mut bundle = Bundle::default();
    for line in log.lines()? {
        if leaves.len() as u64 == size {
            break;
        }
        let line = line?;
        let leaf = leaf_hash(&line);
        bundle.add(put, &line)?;
        grow(put, &mut levels, 0, leaf)?;
        leaves.push(leaf);
    }
    bundle.end(put)?;
    for (level, tile) in levels.iter().enumerate() {
        if !tile.hashes.is_empty() {
            let place = place(&level.to_string(), tile.number, tile.hashes.len());
            put(&place, &bytes(&tile.hashes))?;
        }
    }
    Ok(leaves)
}

/// The tile of a level that is not whole yet.
#[derive(Default)]
struct Tile {
    number: u64,
    hashes: Vec<Digest>,
}

/// Adds a hash to a level; a tile that is whole is written, and its root goes one level up.
fn grow(
    put: &mut Put<'_>,
    levels: &mut Vec<Tile>,
    level: usize,
    hash: Digest,
) -> Result<(), PackFault> {
    if levels.len() == level {
        levels.push(Tile::default());
    }
    let tile = &mut levels[level];
    tile.hashes.push(hash);
    if tile.hashes.len() < WIDTH {
        return Ok(());
    }
    let whole = std::mem::take(&mut tile.hashes);
    let place = place(&level.to_string(), tile.number, WIDTH);
    tile.number += 1;
    put(&place, &bytes(&whole))?;
    grow(put, levels, level + 1, root_of_hashes(&whole))
}

/// Lines with their lengths before them, in two bytes, the higher first.
#[derive(Default)]
struct Bundle {
    number: u64,
    lines: usize,
    bytes: Vec<u8>,
}

impl Bundle {
    fn add(&mut self, put: &mut Put<'_>, line: &[u8]) -> Result<(), PackFault> {
        let length = u16::try_from(line.len());
        let length = length.map_err(|fault| {
            PackFault::Kept(PathBuf::from(at::STEPS), std::io::Error::other(fault))
        })?;
        self.bytes.extend(length.to_be_bytes());
        self.bytes.extend(line);
        self.lines += 1;
        if self.lines == WIDTH {
            put(&place("entries", self.number, WIDTH), &self.bytes)?;
            *self = Bundle {
                number: self.number + 1,
                ..Bundle::default()
            };
        }
        Ok(())
    }

    fn end(&self, put: &mut Put<'_>) -> Result<(), PackFault> {
        if self.lines > 0 {
            put(&place("entries", self.number, self.lines), &self.bytes)?;
        }
        Ok(())
    }
}

fn bytes(hashes: &[Digest]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// Where a tile stands: its number in groups of three digits, all but the last after an `x`; one that is
/// not whole says how wide it is.
fn place(level: &str, number: u64, width: usize) -> String {
    let mut name = format!("{:03}", number % 1000);
    let mut left = number / 1000;
    while left > 0 {
        name = format!("x{:03}/{name}", left % 1000);
        left /= 1000;
    }
    if width < WIDTH {
        name = format!("{name}.p/{width}");
    }
    format!("log/tile/{level}/{name}")
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn foreign_tools_find_a_tile_where_their_paper_says() {
        assert_eq!(place("0", 0, 256), "log/tile/0/000");
        assert_eq!(place("0", 67, 112), "log/tile/0/067.p/112");
        assert_eq!(
            place("entries", 1_234_067, 256),
            "log/tile/entries/x001/x234/067"
        );
    }
}
