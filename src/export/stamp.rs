//! Time-stamps over seals (RFC 3161). A stamp is somebody else's signature: `openssl ts -verify` judges
//! that. We see to it that it speaks of a seal of this run, and hold the time that it tells against the log.
//!
//! What is stamped is the seal as the log signed it, without witnesses' lines, which may come later: the
//! first five lines of its file.
//!
//! Not here: asking an authority for a stamp (whoever may use a network does).

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use crate::calendar::dates::Dates;
use crate::journal::LogFolder;
use crate::machine::line;
use crate::replay::verify::Finding;
use crate::seal::Seal;

/// A stamp with its certificates is a few thousand bytes.
pub const STAMP_BYTES_MAX: u64 = 256 * 1024;

/// Clocks of authorities and executors may differ by so much.
const SKEW: SignedDuration = SignedDuration::from_mins(10);

/// What is stamped of a seal: text and the log's own line.
#[must_use]
pub fn stamped(seal: &Seal) -> Vec<u8> {
    let mut bare = seal.clone();
    bare.note.lines.truncate(1);
    bare.bytes()
}

/// Seals by what a stamp over each of them has for its imprint (SHA-256, 384 or 512).
pub struct Imprints<'s>(HashMap<Vec<u8>, &'s Seal>);

impl<'s> Imprints<'s> {
    /// Of these seals.
    #[must_use]
    pub fn of(seals: &'s [Seal]) -> Imprints<'s> {
        let mut all = HashMap::new();
        for seal in seals {
            let bytes = stamped(seal);
            for imprint in [
                Sha256::digest(&bytes).to_vec(),
                Sha384::digest(&bytes).to_vec(),
                Sha512::digest(&bytes).to_vec(),
            ] {
                all.entry(imprint).or_insert(seal);
            }
        }
        Imprints(all)
    }

    /// The seal that a stamp speaks of; none where it speaks of no seal of these, or is no stamp.
    #[must_use]
    pub fn seal(&self, stamp: &[u8]) -> Option<&'s Seal> {
        self.0.get(Told::read(stamp)?.imprint).copied()
    }
}

/// A stamp, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// `anchors/000000000011.1a2b3c4d.tsr`, or where else it comes from.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// How many entries its file's name says that its seal covers.
    pub named: Option<u64>,
}

/// What stamps came to.
#[derive(Debug, Default)]
pub struct Held {
    /// What is wrong, or missing.
    pub findings: Vec<Finding>,
    /// What they tell where they are over seals of this log: how many entries, and when at the latest those
    /// were sealed.
    pub told: Vec<(u64, Option<Timestamp>)>,
    /// Names of those that are over the seal that they are called after.
    pub known: Vec<String>,
}

/// Holds stamps against a log and its seals.
#[must_use]
pub fn check(stamps: &[Stamp], seals: &[Seal], log: &LogFolder) -> Held {
    let mut held = Held::default();
    let imprints = Imprints::of(seals);
    let over = stamps.iter().map(|stamp| imprints.seal(&stamp.bytes));
    let over: Vec<Option<&Seal>> = over.collect();
    let sizes = over.iter().flatten().map(|seal| (seal.head.size, None));
    let (written, size) = written(log, sizes.collect());
    for (stamp, seal) in stamps.iter().zip(over) {
        let Some(seal) = seal else {
            held.findings.push(astray(stamp, seals, size));
            continue;
        };
        let covers = seal.head.size;
        let time = time(&stamp.bytes);
        let last = written.get(&covers).copied().flatten();
        if let (Some(time), Some(last)) = (time, last)
            && time.saturating_add(SKEW).is_ok_and(|time| time < last)
        {
            let [time, last] = [time, last].map(|moment| Dates::default().with_zone(moment));
            let says = format!(
                "`{}` stamps on {time} what was written on {last}",
                stamp.name
            );
            let finding = Finding::wrong("TIME_ORDER", Some(covers - 1), says);
            held.findings.push(finding);
        }
        held.told.push((covers, time));
        if stamp.named == Some(covers) {
            held.known.push(stamp.name.clone());
        }
    }
    held
}

/// When the last entry under each of these sizes was written, and how many entries there are.
fn written(
    log: &LogFolder,
    mut sizes: BTreeMap<u64, Option<Timestamp>>,
) -> (BTreeMap<u64, Option<Timestamp>>, u64) {
    let mut size = 0;
    if let Ok(lines) = log.lines() {
        for bytes in lines.map_while(Result::ok) {
            size += 1;
            if let Some(written) = sizes.get_mut(&size) {
                *written = line::parse(&bytes).ok().map(|entry| entry.at.moment());
            }
        }
    }
    (sizes, size)
}

/// A stamp over none of the seals that are at hand.
fn astray(stamp: &Stamp, seals: &[Seal], size: u64) -> Finding {
    let name = &stamp.name;
    match stamp.named {
        Some(named) if named > size => {
            let says =
                format!("`{name}` is over a seal of {named} entries, and the log has {size}");
            Finding::wrong("ROLLED_BACK_LOG", None, says)
        }
        Some(named) if seals.iter().any(|seal| seal.head.size == named) => {
            let says = format!("`{name}` is over another seal of {named} entries than this one");
            Finding::wrong("BAD_SEAL", None, says)
        }
        Some(named) => {
            let says = format!("the seal of {named} entries that `{name}` is over is not at hand");
            Finding::missing("ATTACHMENT", None, says)
        }
        // Somebody outside says that it is over a seal of this log.
        None => {
            let says =
                format!("`{name}` is over no seal of this log: over a later one, or another's");
            Finding::wrong("ROLLED_BACK_LOG", None, says)
        }
    }
}

/// What a stamp tells (`TSTInfo` of RFC 3161, section 2.4.2).
struct Told<'b> {
    /// The digest of what was stamped.
    imprint: &'b [u8],
    /// `genTime`.
    time: Option<Timestamp>,
}

impl<'b> Told<'b> {
    fn read(stamp: &'b [u8]) -> Option<Told<'b>> {
        const SEQUENCE: u8 = 0x30;
        let mut reply = part(&mut &*stamp, SEQUENCE)?;
        // A reply has its status first; a token alone begins with its kind.
        if reply.first() == Some(&SEQUENCE) {
            part(&mut reply, SEQUENCE)?;
            reply = part(&mut reply, SEQUENCE)?;
        }
        part(&mut reply, 0x06)?;
        let mut signed = part(&mut part(&mut reply, 0xa0)?, SEQUENCE)?;
        part(&mut signed, 0x02)?;
        part(&mut signed, 0x31)?;
        let mut content = part(&mut signed, SEQUENCE)?;
        part(&mut content, 0x06)?;
        let string = part(&mut part(&mut content, 0xa0)?, 0x04)?;
        let mut info = part(&mut &*string, SEQUENCE)?;
        // Version, policy; then the imprint: its algorithm, its digest.
        part(&mut info, 0x02)?;
        part(&mut info, 0x06)?;
        let mut imprint = part(&mut info, SEQUENCE)?;
        part(&mut imprint, SEQUENCE)?;
        let imprint = part(&mut imprint, 0x04)?;
        let time = part(&mut info, 0x02).and_then(|_serial| part(&mut info, 0x18));
        let time = time.and_then(|text| std::str::from_utf8(text).ok());
        Some(Told {
            imprint,
            time: time.and_then(moment),
        })
    }
}

/// The moment that a stamp tells; none where it cannot be read.
#[must_use]
pub fn time(stamp: &[u8]) -> Option<Timestamp> {
    Told::read(stamp)?.time
}

/// What the next element of DER holds, which has this tag.
fn part<'b>(bytes: &mut &'b [u8], tag: u8) -> Option<&'b [u8]> {
    let (&[first, length], mut rest) = bytes.split_first_chunk::<2>()?;
    let mut many = usize::from(length);
    if length > 0x80 {
        let (digits, behind) = rest.split_at_checked(many - 0x80)?;
        let longest = digits.len() <= 4;
        many = digits
            .iter()
            .fold(0, |sum, digit| sum << 8 | usize::from(*digit));
        rest = longest.then_some(behind)?;
    }
    let (inner, behind) = rest.split_at_checked(many)?;
    *bytes = behind;
    (first == tag).then_some(inner)
}

/// `20261123120000.5Z`
fn moment(text: &str) -> Option<Timestamp> {
    let (whole, part) = match text.strip_suffix('Z')?.split_once('.') {
        Some((whole, part)) => (whole, part),
        None => (text.strip_suffix('Z')?, "0"),
    };
    let digits = whole.len() == 14 && whole.bytes().all(|byte| byte.is_ascii_digit());
    let (day, time) = digits.then(|| whole.split_at(8))?;
    let text = format!(
        "{}-{}-{}T{}:{}:{}.{part}Z",
        &day[..4],
        &day[4..6],
        &day[6..],
        &time[..2],
        &time[2..4],
        &time[4..]
    );
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{moment, part, time};

    #[test]
    fn what_is_no_stamp_has_no_time() {
        for bytes in [
            &b""[..],
            b"0",
            b"0\x84\xff\xff\xff\xff",
            b"0\x80\0\0",
            &[0x30; 64],
        ] {
            assert_eq!(time(bytes), None);
        }
        assert_eq!(part(&mut &b"\x04\x81\x01x"[..], 0x04), Some(&b"x"[..]));
        assert_eq!(part(&mut &b"\x04\x02x"[..], 0x04), None);
    }

    #[test]
    fn a_moment_is_read_as_the_standard_writes_it() {
        let told = |text| moment(text).map(|time| time.to_string());
        assert_eq!(
            told("20261123120000Z").as_deref(),
            Some("2026-11-23T12:00:00Z")
        );
        assert_eq!(
            told("20261123120000.5Z").as_deref(),
            Some("2026-11-23T12:00:00.5Z")
        );
        for bad in [
            "20261123120000",
            "2026112312000Z",
            "20261341120000Z",
            "202é112120000Z",
        ] {
            assert_eq!(told(bad), None, "{bad}");
        }
    }
}
