//! Trust as a file: which logs, which witnesses, which quorum (C2SP tlog-policy). Written for other
//! people's tools beside a log, and read from an auditor who has one.
//!
//! Not here: whether a quorum is met (`plan::quorum`), the plan's own words for it (`plan::trust`).

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::plan::model::Code;
use crate::plan::quorum::{Group, Quorum, Witness};
use crate::plan::vkey::{KeyKind, NoVkey, Vkey};

/// Most logs, witnesses and groups, each, that are read.
const MOST: usize = 100;

/// Which logs to believe, and whose eyes they need.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// Keys of logs.
    pub logs: Vec<Vkey>,
    /// Witnesses, groups, quorum.
    pub quorum: Quorum,
}

/// Why a text is no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the policy: {what}")]
pub struct NoPolicy {
    /// Which line, from 1; one past the last where something is missing.
    pub line: usize,
    /// What is wrong.
    pub what: Wrong,
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// No line of a policy.
    #[error("not a `log`, `witness`, `group` or `quorum` line")]
    Line,
    /// A key that is none.
    #[error(transparent)]
    Key(#[from] NoVkey),
    /// A witness's key for a log, or the other way round.
    #[error("a key of the wrong kind")]
    Kind,
    /// One key under two names would count twice.
    #[error("the same key stands there twice")]
    SameKey,
    /// A name that stands already, or is not known, or counts twice.
    #[error("a name that stands already, is not defined above, or is a member twice")]
    Name,
    /// More are needed than there are, or none.
    #[error("a group needs at least one and at most all of its members")]
    Need,
    /// Not exactly one quorum.
    #[error("there must be exactly one `quorum` line")]
    Quorum,
    /// Too much.
    #[error("more logs, witnesses or groups than a policy may have")]
    TooLong,
}

impl Policy {
    /// The file.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for log in &self.logs {
            let _ = writeln!(text, "log {log}");
        }
        for witness in &self.quorum.witnesses {
            let _ = writeln!(text, "witness {} {}", witness.name, witness.key);
        }
        for group in &self.quorum.groups {
            let need = match group.need {
                need if need == group.members.len() => "all".to_owned(),
                1 => "any".to_owned(),
                need => need.to_string(),
            };
            let members = group.members.join(" ");
            let _ = writeln!(text, "group {} {need} {members}", group.name);
        }
        let needed = self.quorum.needed.as_deref().unwrap_or("none");
        let _ = writeln!(text, "quorum {needed}");
        text
    }

    /// The policy in a file.
    ///
    /// # Errors
    /// The first line that will not do.
    pub fn parse(text: &str) -> Result<Policy, NoPolicy> {
        let mut reading = Reading::default();
        let mut last = 0;
        for (at, line) in text.lines().enumerate() {
            last = at + 1;
            let mut words = line.split([' ', '\t']).filter(|word| !word.is_empty());
            let taken = match words.next() {
                None => Ok(()),
                Some(first) if first.starts_with('#') => Ok(()),
                Some(first) => reading.line(first, &words.collect::<Vec<_>>()),
            };
            taken.map_err(|what| NoPolicy { line: last, what })?;
        }
        if reading.quorum {
            Ok(reading.policy)
        } else {
            Err(NoPolicy {
                line: last + 1,
                what: Wrong::Quorum,
            })
        }
    }
}

#[derive(Default)]
struct Reading {
    policy: Policy,
    quorum: bool,
    keys: BTreeSet<[u8; 32]>,
    names: BTreeSet<Code>,
    members: BTreeSet<Code>,
}

impl Reading {
    fn line(&mut self, first: &str, rest: &[&str]) -> Result<(), Wrong> {
        match (first, rest) {
            ("log", [key] | [key, _]) => {
                let key = self.key(key, KeyKind::Log)?;
                self.policy.logs.push(key);
                enough(self.policy.logs.len())
            }
            ("witness", [name, key] | [name, key, _]) => {
                let key = self.key(key, KeyKind::Witness)?;
                let name = self.named(name)?;
                self.policy.quorum.witnesses.push(Witness { name, key });
                enough(self.policy.quorum.witnesses.len())
            }
            ("group", [name, need, members @ ..]) => {
                let members = members.iter().map(|member| self.member(member));
                let members = members.collect::<Result<Vec<_>, _>>()?;
                let need = need_of(need, members.len())?;
                let name = self.named(name)?;
                let group = Group {
                    name,
                    need,
                    members,
                };
                self.policy.quorum.groups.push(group);
                enough(self.policy.quorum.groups.len())
            }
            ("quorum", [_]) if self.quorum => Err(Wrong::Quorum),
            ("quorum", ["none"]) => {
                self.quorum = true;
                Ok(())
            }
            ("quorum", [name]) => {
                let known = self.names.get(*name).ok_or(Wrong::Name)?;
                self.policy.quorum.needed = Some(known.clone());
                self.quorum = true;
                Ok(())
            }
            _ => Err(Wrong::Line),
        }
    }

    fn key(&mut self, text: &str, kind: KeyKind) -> Result<Vkey, Wrong> {
        let key: Vkey = text.parse()?;
        if key.kind() != kind {
            return Err(Wrong::Kind);
        }
        if self.keys.insert(*key.key()) {
            Ok(key)
        } else {
            Err(Wrong::SameKey)
        }
    }

    fn named(&mut self, name: &str) -> Result<Code, Wrong> {
        let name = Code::from(name);
        if &*name != "none" && self.names.insert(name.clone()) {
            Ok(name)
        } else {
            Err(Wrong::Name)
        }
    }

    fn member(&mut self, name: &str) -> Result<Code, Wrong> {
        let known = self.names.get(name).ok_or(Wrong::Name)?.clone();
        if self.members.insert(known.clone()) {
            Ok(known)
        } else {
            Err(Wrong::Name)
        }
    }
}

fn need_of(word: &str, members: usize) -> Result<usize, Wrong> {
    let need = match word {
        "any" => 1,
        "all" => members,
        number => number.parse().map_err(|_| Wrong::Need)?,
    };
    if (1..=members).contains(&need) {
        Ok(need)
    } else {
        Err(Wrong::Need)
    }
}

fn enough(count: usize) -> Result<(), Wrong> {
    if count <= MOST {
        Ok(())
    } else {
        Err(Wrong::TooLong)
    }
}
