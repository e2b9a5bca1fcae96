//! What an attacker holds in their hands: the pack's files, the log's lines, the keys that they stole, and
//! our own code that makes packs. Whatever they change, they make everything else anew that they can.
//!
//! Not here: which attack is tried.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use handover::export::bag::BagWriter;
use handover::export::pack::{self, Beside, Signed};
use handover::journal::{LogFolder, load_log_key, load_witness_key};
use handover::plan::digest::Digest;
use handover::replay::fold::replay;
use handover::seal::{Head, LogKey, Seal, Tree, WitnessKey};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::good::{Good, good};
use crate::export::stage::{ended, files, handover};

/// A log as somebody would have it.
pub(super) struct Forgery {
    /// Its lines, without line feeds.
    pub(super) lines: Vec<Vec<u8>>,
    /// Its seals.
    pub(super) seals: Vec<Seal>,
    /// What was signed, by entry.
    pub(super) signed: BTreeMap<u64, Signed>,
    /// Papers beside the run's own: manifests and files.
    pub(super) papers: Vec<Vec<u8>>,
    /// Time-stamps, by their place in the pack.
    pub(super) stamps: BTreeMap<String, Vec<u8>>,
}

impl Forgery {
    /// The log as it is.
    pub(super) fn honest() -> Forgery {
        let all = payload(&good().pack());
        let lines = all["log/steps.jsonl"].strip_suffix(b"\n").unwrap();
        let lines = lines.split(|byte| *byte == b'\n').map(<[u8]>::to_vec);
        let below = |folder: &str| {
            let folder = folder.to_owned();
            all.iter()
                .filter(move |(path, _)| path.starts_with(&folder))
        };
        let seals = below("log/checkpoints/").map(|(_, seal)| Seal::parse(seal).unwrap());
        let signed = below("approvals/").filter_map(|(path, statement)| {
            let seq = path.strip_prefix("approvals/")?.strip_suffix(".json")?;
            let signature = all[&format!("{path}.sig")].clone();
            let statement = statement.clone();
            let signed = Signed {
                statement,
                signature,
            };
            Some((seq.parse().unwrap(), signed))
        });
        Forgery {
            lines: lines.collect(),
            seals: seals.collect(),
            signed: signed.collect(),
            papers: Vec::new(),
            stamps: BTreeMap::new(),
        }
    }

    /// Lays another paper beside the run's own: the same, with something added to its plan; its fingerprint.
    pub(super) fn amended_paper(&mut self, more: &str) -> String {
        let pack = payload(&good().pack());
        let plan = &pack["plan/01/plan.toml"];
        let amended = [plan, more.as_bytes()].concat();
        let manifest = String::from_utf8(pack["plan/01.sha256"].clone()).unwrap();
        let (old, new) = (Digest::of(plan), Digest::of(&amended));
        let manifest = manifest.replace(&old.to_string(), &new.to_string());
        let fingerprint = Digest::of(manifest.as_bytes()).to_string();
        self.papers.extend([amended, manifest.into_bytes()]);
        fingerprint
    }

    /// The entries changed, as canonical lines; neither chained nor sealed anew.
    pub(super) fn edit(mut self, change: impl FnOnce(&mut Vec<Value>)) -> Forgery {
        let mut entries: Vec<Value> = self
            .lines
            .iter()
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect();
        change(&mut entries);
        // Keys are ASCII and sorted, numbers are integers: this is RFC 8785.
        self.lines = entries
            .iter()
            .map(|entry| serde_json::to_vec(entry).unwrap())
            .collect();
        self
    }

    /// Numbers the lines and chains each to the one before.
    pub(super) fn chain(self) -> Forgery {
        self.edit(|entries| {
            let mut prev = "0".repeat(64);
            for (seq, entry) in entries.iter_mut().enumerate() {
                entry["seq"] = seq.into();
                entry["prev"] = prev.into();
                prev = Digest::of(&serde_json::to_vec(entry).unwrap()).to_string();
            }
        })
    }

    /// Seals it anew with the log's own key: at every size at which it was sealed, and at its end.
    pub(super) fn seal(self) -> Forgery {
        self.seal_with(&log_key(good()))
    }

    /// Seals it anew with any key.
    pub(super) fn seal_with(mut self, key: &LogKey) -> Forgery {
        let sizes = self.seals.iter().map(|seal| seal.head.size);
        let mut sizes: Vec<u64> = sizes.filter(|size| *size < self.size()).collect();
        sizes.push(self.size());
        self.seals = sizes
            .into_iter()
            .map(|size| key.seal(size, self.root(size)))
            .collect();
        self
    }

    /// Chains and seals it anew: what whoever holds the log's key can do.
    pub(super) fn rewritten(self) -> Forgery {
        self.chain().seal()
    }

    /// Only the first lines and the seals over them.
    pub(super) fn cut(mut self, size: usize) -> Forgery {
        self.lines.truncate(size);
        self.seals.retain(|seal| seal.head.size <= size as u64);
        self
    }

    /// Closed anew, by whoever holds no key: the lease is taken, and what the entries amount to is written
    /// at the end, but for annex and ledgers, of which the log need not speak.
    pub(super) fn closed(self) -> Forgery {
        let mut log = LogFolder::open(&good().closed().join("log")).unwrap();
        let told = replay(&mut log, self.lines.iter().cloned().map(Ok)).unwrap();
        let closing = serde_json::to_value(told.run.closing()).unwrap();
        self.edit(|entries| {
            let mut last = entries.last().unwrap().clone();
            let fields = last.as_object_mut().unwrap();
            for field in ["step", "generation", "attempt", "x"] {
                fields.remove(field);
            }
            let epoch = fields["epoch"].as_u64().unwrap() + 1;
            fields["epoch"] = epoch.into();
            fields["exec"] = "01900000-0000-7000-8000-000000000000".into();
            fields["actor"] = json!({ "kind": "executor" });
            fields["type"] = "lease.acquired".into();
            fields["body"] = json!({ "epoch": epoch, "fences": [] });
            entries.push(last.clone());
            last["type"] = "log.closed".into();
            last["body"] = closing;
            entries.push(last);
        })
        .chain()
    }

    pub(super) fn size(&self) -> u64 {
        self.lines.len() as u64
    }

    /// The root over the first lines.
    pub(super) fn root(&self, size: u64) -> Digest {
        let mut tree = Tree::default();
        let size = usize::try_from(size).unwrap();
        for line in &self.lines[..size] {
            tree.add(line);
        }
        tree.root()
    }

    /// The newest seal.
    pub(super) fn newest(&mut self) -> &mut Seal {
        self.seals.last_mut().unwrap()
    }

    /// A whole pack of it, in which everything derived is derived from it.
    pub(super) fn pack(&self) -> Pack {
        let above = TempDir::new().unwrap();
        let log = above.path().join("log");
        fs::create_dir_all(log.join("papers")).unwrap();
        for (name, bytes) in files(&good().closed().join("log/papers")) {
            fs::write(log.join("papers").join(name), bytes).unwrap();
        }
        for paper in &self.papers {
            let name = Digest::of(paper).to_string();
            fs::write(log.join("papers").join(name), paper).unwrap();
        }
        let mut bytes = self.lines.join(&b'\n');
        bytes.push(b'\n');
        fs::write(log.join("steps.jsonl"), bytes).unwrap();
        let last = String::from_utf8_lossy(self.lines.last().unwrap());
        let vouched = last.contains("\"log.closed\"") && last.contains("\"effects\":");
        let effects = good().pack().join("data/effects");
        let beside = Beside {
            seals: self.seals.clone(),
            signed: self.signed.clone(),
            effects: vouched.then_some(effects),
            files: self.stamps.clone(),
            ..Beside::default()
        };
        let root = above.path().join("pack");
        pack::write(&root, &LogFolder::open(&log).unwrap(), &beside).unwrap();
        Pack { above, root }
    }

    /// The good pack with these very lines in it, in a bag that is whole; nothing else follows them.
    pub(super) fn put_in(&self, end: &[u8]) -> Pack {
        let mut bytes = self.lines.join(&b'\n');
        bytes.extend_from_slice(end);
        Pack::with(|files| drop(files.insert("log/steps.jsonl".to_owned(), bytes)))
    }
}

/// The log's key, stolen.
pub(super) fn log_key(good: &Good) -> LogKey {
    let (origin, _) = good.minuted.split_once('+').unwrap();
    load_log_key(&good.run_folder(), origin, &good.minuted).unwrap()
}

/// A witness's key, for witnesses that lie or err.
pub(super) fn witness_key(name: &str) -> WitnessKey {
    load_witness_key(&good().closed().join(format!("keys/{name}.key"))).unwrap()
}

/// Lets a witness sign a seal.
pub(super) fn cosign(seal: &mut Seal, name: &str, time: u64) {
    let head: Head = seal.head.clone();
    seal.add(witness_key(name).cosign(&head, time).line);
}

/// A pack in a folder of its own.
pub(super) struct Pack {
    above: TempDir,
    /// Where it stands.
    pub(super) root: PathBuf,
}

impl Pack {
    /// The good pack with files changed, in a bag that is whole again.
    pub(super) fn with(change: impl FnOnce(&mut BTreeMap<String, Vec<u8>>)) -> Pack {
        Pack::of(&payload(&good().pack())).amended(change)
    }

    /// The same pack with files changed, in a bag that is whole again.
    pub(super) fn amended(&self, change: impl FnOnce(&mut BTreeMap<String, Vec<u8>>)) -> Pack {
        let mut files = payload(&self.root);
        change(&mut files);
        Pack::of(&files)
    }

    /// Lists and description are made anew around the files.
    fn of(files: &BTreeMap<String, Vec<u8>>) -> Pack {
        let pack = Pack::bagged(files);
        let opened = pack::Pack::open(&pack.root).unwrap();
        let Ok(described) = pack::described(&opened) else {
            return pack;
        };
        let mut files = files.clone();
        files.insert("ro-crate-metadata.json".to_owned(), described.into_bytes());
        Pack::bagged(&files)
    }

    /// Lists are made anew around the files, and nothing else.
    pub(super) fn bagged(files: &BTreeMap<String, Vec<u8>>) -> Pack {
        Pack::told_by(files, &pack::told_by())
    }

    /// The same by somebody who says this of themselves.
    pub(super) fn told_by(files: &BTreeMap<String, Vec<u8>>, who: &[(&str, String)]) -> Pack {
        let above = TempDir::new().unwrap();
        let root = above.path().join("pack");
        let mut bag = BagWriter::new(&root).unwrap();
        for (path, bytes) in files {
            bag.put(path, bytes).unwrap();
        }
        bag.finish(who).unwrap();
        Pack { above, root }
    }

    /// The good pack, to be ruined by hand.
    pub(super) fn copy() -> Pack {
        Pack::of(&payload(&good().pack()))
    }

    /// A file below its `data/`.
    pub(super) fn at(&self, path: &str) -> PathBuf {
        self.root.join("data").join(path)
    }

    /// A place outside it that goes when it goes.
    pub(super) fn outside(&self) -> &Path {
        self.above.path()
    }

    /// What `verify` says of it to an auditor who has the keys from the minutes.
    pub(super) fn verified(&self) -> Verdict {
        verify(&self.root, &trusted())
    }

    /// The same demanding that it is told, by these codes, that the record does not hold.
    #[track_caller]
    pub(super) fn is_told(&self, codes: &[&str]) {
        self.verified().is(6, codes);
    }
}

/// Whether somebody is told a time as the log writes it, `..T09:40:..`, and not by the clock on their wall.
fn tells_utc(said: &str) -> bool {
    let bytes = said.as_bytes();
    let mut windows = bytes.windows(5);
    windows.any(|five| matches!(five, [b'0'..=b'9', b'T', b'0'..=b'9', b'0'..=b'9', b':']))
}

/// Files below a pack's `data/`.
pub(super) fn payload(root: &Path) -> BTreeMap<String, Vec<u8>> {
    files(&root.join("data"))
}

/// What an auditor brings: keys and policies from the minutes, never from the pack.
pub(super) fn trusted() -> Vec<String> {
    let trust = good().trust();
    let file = |name: &str| trust.join(name).display().to_string();
    vec![
        "--key".to_owned(),
        good().minuted.clone(),
        "--policy".to_owned(),
        file("tlog-policy"),
        "--signers".to_owned(),
        file("allowed_signers"),
    ]
}

/// What `verify` says.
pub(super) struct Verdict {
    /// The exit code.
    pub(super) code: i32,
    /// Everything that it printed.
    pub(super) said: String,
    /// Names of claims and how each came out.
    pub(super) claims: Vec<(String, String)>,
}

impl Verdict {
    /// The claims in a report as JSON; none where there is no report.
    pub(super) fn read(code: i32, said: String) -> Verdict {
        let report = serde_json::from_str::<Value>(&said).unwrap_or_default();
        let claims = report["claims"].as_array().into_iter().flatten();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let claims = claims.map(|claim| (text(&claim["name"]), text(&claim["outcome"])));
        Verdict {
            code,
            claims: claims.collect(),
            said,
        }
    }

    /// Demands an exit code, and that each of these findings is among those told.
    #[track_caller]
    pub(super) fn is(&self, code: i32, findings: &[&str]) {
        assert_eq!(self.code, code, "{}", self.said);
        assert!(!tells_utc(&self.said), "a time in UTC: {}", self.said);
        for finding in findings {
            assert!(self.tells(finding), "no {finding} in {}", self.said);
        }
    }

    /// Whether this claim is said to hold.
    pub(super) fn holds(&self, claim: &str) -> bool {
        let held = (claim.to_owned(), "pass".to_owned());
        self.claims.contains(&held)
    }

    /// Whether this finding is told.
    pub(super) fn tells(&self, finding: &str) -> bool {
        self.claims
            .iter()
            .any(|(name, outcome)| name == finding && outcome != "pass")
    }
}

/// Runs `verify` on a pack, a log or a run.
pub(super) fn verify(what: &Path, trusted: &[String]) -> Verdict {
    let shown = what.display().to_string();
    let mut command = handover(what.parent().unwrap(), &["--json", "verify", &shown]);
    let (code, said) = ended(command.args(trusted));
    Verdict::read(code, said)
}
