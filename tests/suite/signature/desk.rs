//! A folder with keys that the real `ssh-keygen` made, and what tests do in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use handover::signature::statement::{
    About, After, Gate, Nonce, Second, Statement, Verdict, Window,
};
use handover::signature::{PrivateKey, PublicKey};
use tempfile::TempDir;

/// A folder of its own.
pub(super) struct Desk {
    folder: TempDir,
}

impl Desk {
    pub(super) fn new() -> Desk {
        Desk {
            folder: TempDir::new().unwrap(),
        }
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn at(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(super) fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.at(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// A key that `ssh-keygen` draws.
    pub(super) fn key(&self, name: &str) -> PrivateKey {
        let said = self.keygen(
            &["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", name],
            b"",
        );
        assert!(said.status.success(), "{said:?}");
        PrivateKey::parse(&fs::read(self.at(name)).unwrap()).unwrap()
    }

    pub(super) fn public(&self, name: &str) -> PublicKey {
        let line = fs::read_to_string(self.at(&format!("{name}.pub"))).unwrap();
        line.parse().unwrap()
    }

    /// What `ssh-keygen -Y sign` makes of a file.
    pub(super) fn signed(&self, key: &str, namespace: &str, file: &str) -> Vec<u8> {
        let said = self.keygen(&["-q", "-Y", "sign", "-f", key, "-n", namespace, file], b"");
        assert!(said.status.success(), "{said:?}");
        fs::read(self.at(&format!("{file}.sig"))).unwrap()
    }

    /// Whether `ssh-keygen -Y verify` takes `signature` as `who`'s over `message`.
    pub(super) fn takes(
        &self,
        who: &str,
        namespace: &str,
        signature: &str,
        message: &[u8],
        options: &[&str],
    ) -> bool {
        self.put("signature", signature);
        let verify = [
            "-Y",
            "verify",
            "-f",
            "allowed_signers",
            "-I",
            who,
            "-n",
            namespace,
            "-s",
            "signature",
        ];
        let arguments = [&verify[..], options].concat();
        self.keygen(&arguments, message).status.success()
    }

    pub(super) fn keygen(&self, arguments: &[&str], input: &[u8]) -> Output {
        use std::io::Write;
        let mut child = Command::new("ssh-keygen")
            .args(arguments)
            .current_dir(self.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // One that has seen enough closes its end before we have said all.
        let _ = child.stdin.take().unwrap().write_all(input);
        child.wait_with_output().unwrap()
    }
}

/// A key that is always the same.
pub(super) fn known(seed: u8) -> PrivateKey {
    PrivateKey::from_seed(&[seed; 32]).unwrap()
}

pub(super) fn second(text: &str) -> Second {
    text.parse().unwrap()
}

pub(super) fn window(nonce: u8) -> Window {
    Window {
        nonce: Nonce([nonce; 16]),
        not_before: second("2027-03-01T09:00:00Z"),
        not_after: second("2027-03-15T09:00:00Z"),
    }
}

/// Somebody's yes at a gate.
pub(super) fn gate(nonce: u8) -> Statement {
    let digest = handover::plan::digest::Digest::of;
    Statement {
        about: About::Gate {
            log: "small/018f2e5c-1111-7000-8000-000000000001".to_owned(),
            run: "018f2e5c-1111-7000-8000-000000000001".parse().unwrap(),
            plan: digest(b"plan"),
            step: "go".into(),
            generation: 1,
            gate: Gate::Approval,
            after: After {
                size: 11,
                root: digest(b"root"),
            },
        },
        decision: Verdict::Approve,
        person: "p02".into(),
        role: "housing".into(),
        org: "dover".into(),
        reading: Some(digest(b"reading")),
        evidence: None,
        window: window(nonce),
    }
}

/// Somebody's yes to a paper.
pub(super) fn preview(nonce: u8) -> Statement {
    Statement {
        about: About::Paper {
            plan: handover::plan::digest::Digest::of(b"plan"),
        },
        ..gate(nonce)
    }
}
