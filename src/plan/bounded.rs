//! A file read whole, and never more of it than it may hold: whatever its size is said to be (a pipe says
//! none, a device has no end, a file may grow meanwhile).
//!
//! Not here: which files (`papers`, `cli`), what their bytes mean.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// The bytes of a file; none where it has more than `most`.
///
/// # Errors
/// When the operating system refuses.
pub fn read(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let file = File::open(path)?;
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(Some(bytes).filter(|bytes| bytes.len() as u64 <= most))
}

/// The same as text.
///
/// # Errors
/// As [`read`]; when the bytes are no UTF-8.
pub fn text(path: &Path, most: u64) -> io::Result<Option<String>> {
    let text = |bytes| String::from_utf8(bytes).map_err(|_| io::ErrorKind::InvalidData.into());
    read(path, most)?.map(text).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_limit_and_not_a_byte_beyond() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let path = folder.path().join("four");
        std::fs::write(&path, "four").expect("a file");
        let told = |most| read(&path, most).expect("read");
        assert_eq!(told(4), Some(b"four".to_vec()));
        assert_eq!(told(3), None);
        std::fs::write(&path, b"\xff").expect("a file");
        let fault = text(&path, 4).expect_err("no text");
        assert_eq!(fault.kind(), io::ErrorKind::InvalidData);
    }

    #[cfg(unix)]
    #[test]
    fn what_has_no_end_is_too_large() {
        let endless = read(Path::new("/dev/zero"), 1_024).expect("read");
        assert_eq!(endless, None);
    }
}
