//! Files by what they say: a plan's papers, statements, evidence. The journal, not the plan folder,
//! is where a run finds them again.
//!
//! A paper's fingerprint is the digest of its manifest, and the manifest is itself a stored file: so
//! one digest leads to every file of the paper.
//! Not here: which files count and what `people.toml` leaves out (`plan`).

use sqlx::Row as _;

use super::fault::JournalFault;
use super::store::Journal;
use crate::plan::digest::Digest;
use crate::plan::papers::Papers;

impl Journal {
    /// Stores every file of a paper and its manifest (lines `<sha256>  <path>`); the fingerprint.
    ///
    /// # Errors
    /// When the manifest names a file that is not among `files`, or the journal cannot be written.
    pub async fn put_papers(
        &mut self,
        manifest: &str,
        files: &Papers,
    ) -> Result<Digest, JournalFault> {
        for (digest, path) in listed(manifest) {
            let bytes = files.get(path).ok_or(JournalFault::Blob(digest))?;
            if self.put_blob(bytes).await? != digest {
                return Err(JournalFault::Blob(digest));
            }
        }
        self.put_blob(manifest.as_bytes()).await
    }

    /// The files of the paper with that fingerprint, each checked against its digest.
    ///
    /// # Errors
    /// When one is missing or is not what its digest says.
    pub async fn papers(&mut self, fingerprint: Digest) -> Result<Papers, JournalFault> {
        let manifest = self.blob(fingerprint).await?;
        let manifest = String::from_utf8(manifest).map_err(|_| JournalFault::Blob(fingerprint))?;
        let mut papers = Papers::default();
        for (digest, path) in listed(&manifest) {
            papers.put(path.to_owned(), self.blob(digest).await?);
        }
        Ok(papers)
    }

    /// Stores bytes by their digest; storing them again changes nothing.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub async fn put_blob(&mut self, bytes: &[u8]) -> Result<Digest, JournalFault> {
        let digest = Digest::of(bytes);
        sqlx::query("INSERT OR IGNORE INTO blob (digest, bytes) VALUES (?, ?)")
            .bind(digest.0.to_vec())
            .bind(bytes.to_vec())
            .execute(&mut self.db)
            .await
            .map_err(self.fault())?;
        Ok(digest)
    }

    /// The bytes with that digest.
    ///
    /// # Errors
    /// When they are missing or are not what the digest says.
    pub async fn blob(&mut self, digest: Digest) -> Result<Vec<u8>, JournalFault> {
        let refused = self.fault();
        let row = sqlx::query("SELECT bytes FROM blob WHERE digest = ?")
            .bind(digest.0.to_vec())
            .fetch_optional(&mut self.db)
            .await
            .map_err(&refused)?;
        let row = row.ok_or(JournalFault::Blob(digest))?;
        let bytes: Vec<u8> = row.try_get("bytes").map_err(refused)?;
        if Digest::of(&bytes) == digest {
            Ok(bytes)
        } else {
            Err(JournalFault::Blob(digest))
        }
    }
}

/// Digests and paths of a manifest's lines.
pub fn listed(manifest: &str) -> impl Iterator<Item = (Digest, &str)> {
    manifest.lines().filter_map(|line| {
        let (digest, path) = line.split_once("  ")?;
        Some((digest.parse().ok()?, path))
    })
}
