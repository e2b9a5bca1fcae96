//! Whose key is whose, for what and until when: OpenSSH's `allowed_signers` (`ssh-keygen(1)`, "ALLOWED
//! SIGNERS"), read strictly and written from `people.toml`.
//!
//! ```text
//! p07,s151@dover namespaces="approval@handover,preview@handover",valid-after="20200106000000Z" ssh-ed25519 AAAA…
//! ```
//!
//! A person stands under their code and under each role that they hold (`ROLE@ORGANISATION`), so that
//! `ssh-keygen -Y verify -I` takes either. Their days are those of `people.toml`. What `ssh-keygen` would take and
//! a person could misread is refused here: patterns, certificate authorities, times in the machine's own zone.
//!
//! Not here: files; who may decide (`machine`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::statement::{APPROVAL, PREVIEW};
use crate::plan::outline::Holder;
use crate::plan::public_key::{KeyFault, PublicKey};

/// Most bytes and lines of a list: a council has hundreds of signers, not millions.
const LIST_BYTES_MAX: usize = 4 * 1024 * 1024;
const LINES_MAX: usize = 20_000;
/// Most faults that are told of one list.
const FAULTS_MAX: usize = 100;

/// A list of signers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AllowedSigners(pub Vec<Signer>);

/// One line of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// Names that the key signs under.
    pub principals: Vec<String>,
    /// What it may sign for; anything where nothing is said.
    pub namespaces: Option<Vec<String>>,
    /// The first moment at which it counts.
    pub after: Option<Timestamp>,
    /// The last moment at which it counts.
    pub before: Option<Timestamp>,
    /// The key.
    pub key: PublicKey,
}

/// Something wrong in a list, and where: both counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {why}")]
pub struct ListFault {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
    /// What.
    pub why: Why,
}

/// What is wrong with a list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// Longer than any list.
    #[error("the list is too long")]
    TooLong,
    /// A name with `*`, `?` or `!`, or an empty one.
    #[error("a signer is named in full: no patterns, nothing empty")]
    Principal,
    /// No key on the line.
    #[error("the line names no key")]
    NoKey,
    /// A key we do not take.
    #[error("the key cannot be used: {0}")]
    Key(KeyFault),
    /// An option we do not take.
    #[error("an option other than `namespaces`, `valid-after` and `valid-before`")]
    Option,
    /// The same option again.
    #[error("an option that was given already")]
    Twice,
    /// A quotation that does not end, or is missing.
    #[error("an option's value stands in quotation marks")]
    Quotes,
    /// Not `YYYYMMDDZ` or longer.
    #[error("a time is `YYYYMMDDZ`, `YYYYMMDDHHMMZ` or `YYYYMMDDHHMMSSZ`, with its `Z`")]
    Time,
    /// The end is before the beginning.
    #[error("the key is over before it begins")]
    Days,
    /// One key under two names.
    #[error("that key stands under another name already, in line {0}")]
    Shared(usize),
}

/// Why a key may not sign for somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAllowed {
    /// It is not theirs.
    #[error("it is not the key of that person")]
    Unknown,
    /// It is theirs for other things.
    #[error("the key is not for such signatures")]
    Namespace,
    /// It was not theirs yet, or no more.
    #[error("the key does not count at that moment")]
    Expired,
}

impl AllowedSigners {
    /// The keys of everybody who holds a role: under their codes and roles, on their days.
    #[must_use]
    pub fn of(holders: &[Holder]) -> AllowedSigners {
        let mut signers: BTreeMap<&str, Signer> = BTreeMap::new();
        for holder in holders {
            let Some(key) = &holder.key else { continue };
            let last_second = |end: Timestamp| end.checked_sub(1.second()).ok();
            let signer = signers.entry(&holder.person).or_insert_with(|| Signer {
                principals: vec![holder.person.to_string()],
                namespaces: Some(vec![APPROVAL.to_owned(), PREVIEW.to_owned()]),
                after: holder.from,
                before: holder.to.and_then(last_second),
                key: key.clone(),
            });
            let seat = format!("{}@{}", holder.role, holder.org);
            if !signer.principals.contains(&seat) {
                signer.principals.push(seat);
            }
        }
        AllowedSigners(signers.into_values().collect())
    }

    /// Reads a list.
    ///
    /// # Errors
    /// Every fault in it, by line and column.
    pub fn parse(text: &str) -> Result<AllowedSigners, Vec<ListFault>> {
        let too_long = ListFault {
            line: 1,
            column: 1,
            why: Why::TooLong,
        };
        if text.len() > LIST_BYTES_MAX || text.lines().count() > LINES_MAX {
            return Err(vec![too_long]);
        }
        let (mut signers, mut faults) = (Vec::new(), Vec::new());
        let mut seen: Vec<(usize, Vec<String>, [u8; 32])> = Vec::new();
        for (line, text) in (1..).zip(text.lines()) {
            let read = Line { text, at: 0 }.signer().and_then(|signer| {
                let Some(signer) = signer else {
                    return Ok(None);
                };
                let other = seen.iter().find(|(_, principals, point)| {
                    *point == signer.key.point && *principals != signer.principals
                });
                match other {
                    Some((first, ..)) => Err((0, Why::Shared(*first))),
                    None => Ok(Some(signer)),
                }
            });
            match read {
                Ok(Some(signer)) => {
                    seen.push((line, signer.principals.clone(), signer.key.point));
                    signers.push(signer);
                }
                Ok(None) => {}
                Err((at, why)) if faults.len() < FAULTS_MAX => faults.push(ListFault {
                    line,
                    column: text
                        .get(..at)
                        .map_or(1, |before| before.chars().count() + 1),
                    why,
                }),
                Err(_) => break,
            }
        }
        if faults.is_empty() {
            Ok(AllowedSigners(signers))
        } else {
            Err(faults)
        }
    }

    /// The list as a file for `ssh-keygen -Y verify -f`.
    #[must_use]
    pub fn write(&self) -> String {
        let mut out = String::new();
        for signer in &self.0 {
            let mut options = Vec::new();
            if let Some(namespaces) = &signer.namespaces {
                options.push(format!("namespaces=\"{}\"", namespaces.join(",")));
            }
            for (name, moment) in [
                ("valid-after", signer.after),
                ("valid-before", signer.before),
            ] {
                let time = |moment: Timestamp| moment.strftime("%Y%m%d%H%M%SZ").to_string();
                options.extend(moment.map(|moment| format!("{name}=\"{}\"", time(moment))));
            }
            let options = options.join(",");
            let _ = writeln!(
                out,
                "{} {options}{}{}",
                signer.principals.join(","),
                if options.is_empty() { "" } else { " " },
                signer.key
            );
        }
        out
    }

    /// The line under which `key` may sign as `principal` for `namespace` at `moment`.
    ///
    /// # Errors
    /// Why it may not: the nearest miss of several lines.
    pub fn find(
        &self,
        principal: &str,
        namespace: &str,
        key: &PublicKey,
        moment: Timestamp,
    ) -> Result<&Signer, NotAllowed> {
        let named = |signer: &&Signer| {
            signer.key == *key && signer.principals.iter().any(|name| name == principal)
        };
        let mut why = NotAllowed::Unknown;
        for signer in self.0.iter().filter(named) {
            let for_it = |names: &Vec<String>| names.iter().any(|name| name == namespace);
            if !signer.namespaces.as_ref().is_none_or(for_it) {
                if why == NotAllowed::Unknown {
                    why = NotAllowed::Namespace;
                }
            } else if signer.after.is_some_and(|after| moment < after)
                || signer
                    .before
                    .is_some_and(|before| moment.as_second() > before.as_second())
            {
                why = NotAllowed::Expired;
            } else {
                return Ok(signer);
            }
        }
        Err(why)
    }
}

/// A line on its way to a signer; faults say at which byte of it.
struct Line<'a> {
    text: &'a str,
    at: usize,
}

type Read<T> = Result<T, (usize, Why)>;

impl<'a> Line<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t']).len();
    }

    fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest.find([' ', '\t']).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// Nothing for a blank line or a comment.
    fn signer(mut self) -> Read<Option<Signer>> {
        self.skip_blanks();
        if self.rest().is_empty() || self.rest().starts_with('#') {
            return Ok(None);
        }
        let principals = self.principals()?;
        self.skip_blanks();
        let at_options = self.at;
        let mut options = Options::default();
        if !self.rest().starts_with("ssh-") && !self.rest().starts_with("sk-ssh-") {
            self.options(&mut options)?;
            self.skip_blanks();
        }
        if let (Some(after), Some(before)) = (options.after, options.before)
            && before < after
        {
            return Err((at_options, Why::Days));
        }
        if self.rest().is_empty() {
            return Err((self.at, Why::NoKey));
        }
        let key = self
            .rest()
            .parse()
            .map_err(|fault| (self.at, Why::Key(fault)))?;
        Ok(Some(Signer {
            principals,
            namespaces: options.namespaces,
            after: options.after,
            before: options.before,
            key,
        }))
    }

    fn principals(&mut self) -> Read<Vec<String>> {
        let mut at = self.at;
        let mut names = BTreeSet::new();
        let mut principals = Vec::new();
        for name in self.word().split(',') {
            let plain = !name.is_empty()
                && name
                    .chars()
                    .all(|c| c.is_ascii_graphic() && !matches!(c, '*' | '?' | '!' | '"'));
            if !plain {
                return Err((at, Why::Principal));
            }
            at += name.len() + 1;
            if names.insert(name) {
                principals.push(name.to_owned());
            }
        }
        Ok(principals)
    }

    fn options(&mut self, options: &mut Options) -> Read<()> {
        loop {
            let at = self.at;
            let rest = self.rest();
            let name = rest.split(['=', ',', ' ', '\t']).next().unwrap_or_default();
            let lower = name.to_ascii_lowercase();
            if !matches!(
                lower.as_str(),
                "namespaces" | "valid-after" | "valid-before"
            ) {
                let no_key = !rest.contains([' ', '\t']) && !rest.contains('=');
                return Err((at, if no_key { Why::NoKey } else { Why::Option }));
            }
            self.at += name.len();
            let value = self.quoted()?;
            options.take(&lower, value).map_err(|why| (at, why))?;
            match self.rest().strip_prefix(',') {
                Some(_) => self.at += 1,
                None => return Ok(()),
            }
        }
    }

    /// `="…"`
    fn quoted(&mut self) -> Read<&'a str> {
        let at = self.at;
        let value = self
            .rest()
            .strip_prefix("=\"")
            .and_then(|rest| rest.split_once('"'))
            .map(|(value, _)| value)
            .filter(|value| !value.contains('\\'))
            .ok_or((at, Why::Quotes))?;
        self.at += value.len() + 3;
        if self.rest().starts_with([',', ' ', '\t']) || self.rest().is_empty() {
            Ok(value)
        } else {
            Err((self.at, Why::Quotes))
        }
    }
}

#[derive(Default)]
struct Options {
    namespaces: Option<Vec<String>>,
    after: Option<Timestamp>,
    before: Option<Timestamp>,
}

impl Options {
    fn take(&mut self, name: &str, value: &str) -> Result<(), Why> {
        let place = match name {
            "valid-after" => &mut self.after,
            "valid-before" => &mut self.before,
            _ => {
                let names: Vec<String> = value.split(',').map(str::to_owned).collect();
                let plain = |name: &String| {
                    !name.is_empty()
                        && name
                            .chars()
                            .all(|c| c.is_ascii_graphic() && !matches!(c, '*' | '?' | '!'))
                };
                if !names.iter().all(plain) {
                    return Err(Why::Principal);
                }
                return match self.namespaces.replace(names) {
                    None => Ok(()),
                    Some(_) => Err(Why::Twice),
                };
            }
        };
        match place.replace(time(value).ok_or(Why::Time)?) {
            None => Ok(()),
            Some(_) => Err(Why::Twice),
        }
    }
}

/// `YYYYMMDD`, `YYYYMMDDHHMM` or `YYYYMMDDHHMMSS`, then `Z`.
fn time(text: &str) -> Option<Timestamp> {
    let digits = text.strip_suffix('Z')?;
    if !matches!(digits.len(), 8 | 12 | 14) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = |from: usize, to: usize| match digits.get(from..to) {
        Some(part) => part.parse::<i16>().ok(),
        None => Some(0),
    };
    let small = |from| i8::try_from(number(from, from + 2)?).ok();
    let moment = DateTime::new(
        number(0, 4)?,
        small(4)?,
        small(6)?,
        small(8)?,
        small(10)?,
        small(12)?,
        0,
    );
    moment
        .ok()?
        .to_zoned(TimeZone::UTC)
        .ok()
        .map(|zoned| zoned.timestamp())
}
