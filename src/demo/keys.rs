//! Keys of the demo's invented people. They follow from the seed, so that the same demo has the same
//! papers; anybody can make them again, and nothing outside a demo may ever trust one.
//!
//! Not here: what is signed with them (`people`, `story`).

use std::fmt::Write as _;

use super::story::StoryFault;
use crate::plan::digest::Digest;
use crate::signature::PrivateKey;

/// Where they lie in the demo's folder.
const FOLDER: &str = "keys";

/// Whose keys: of the people of one plan in one invented world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// The plan's name.
    pub plan: String,
    /// Which invented world.
    pub seed: u64,
}

impl Keys {
    /// Somebody's key.
    ///
    /// # Errors
    /// When no key follows from the seed, which nobody has seen.
    pub fn of(&self, person: &str) -> Result<PrivateKey, StoryFault> {
        let text = format!("invented key\n{}\n{}\n{person}\n", self.plan, self.seed);
        Ok(PrivateKey::from_seed(&Digest::of(text.as_bytes()).0)?)
    }

    /// `people.toml` with everybody's key, and the key files as `ssh-keygen` would have made them: paths in
    /// the demo's folder and what stands there.
    ///
    /// # Errors
    /// As [`Keys::of`].
    pub fn hand_out(&self, people: &str) -> Result<Vec<(String, String)>, StoryFault> {
        let (mut written, mut files, mut person) = (String::new(), Vec::new(), "");
        for line in people.lines() {
            if let Some(code) = line
                .strip_prefix('[')
                .and_then(|line| line.strip_suffix(']'))
            {
                person = code;
            }
            written += line;
            written.push('\n');
            if line.starts_with("roles =") {
                let key = self.of(person)?;
                let _ = writeln!(written, "key = \"{}\"", key.public());
                let (path, of) = (format!("{FOLDER}/{person}"), format!("{person} of a demo"));
                files.push((format!("{path}.pub"), format!("{} {of}\n", key.public())));
                files.push((path, key.write(&of, 0).to_string()));
            }
        }
        files.push(("people.toml".to_owned(), written));
        Ok(files)
    }
}
