//! Signature dates of deeds, from evidence files handed in by `approve --evidence`:
//! CSV with the heading `contract_ref,signed_outgoing,signed_incoming,signed_supplier`, dates as
//! `YYYY-MM-DD`, a blank where somebody has not signed yet. A later file completes an earlier one.
//!
//! In: the run's folder and the digests of its evidence. Out: dates by contract reference.
//!
//! Not here: what the register itself says, what a complete deed does (`contract_novation`).

use std::collections::BTreeMap;
use std::io::Read;

use jiff::civil::Date;

use crate::plan::digest::Digest;
use crate::steps::{Fault, RunLook};

const HEADING: [&str; 4] = [
    "contract_ref",
    "signed_outgoing",
    "signed_incoming",
    "signed_supplier",
];
const FILE_BYTES_MAX: u64 = 1024 * 1024;
const LINES_MAX: usize = 10_000;
const FIELD_BYTES_MAX: usize = 64;

/// When the ALMO (or council) that goes out, the one that comes in and the supplier signed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Signed(pub [Option<Date>; 3]);

impl Signed {
    /// Target columns of the three dates, in this order.
    pub(super) const COLUMNS: [&str; 3] = ["signed_outgoing", "signed_incoming", "signed_supplier"];

    /// Dates of `later` where it has them, else these.
    pub(super) fn or_later(self, later: Signed) -> Signed {
        let mut dates = self.0;
        for (mine, later) in dates.iter_mut().zip(later.0) {
            *mine = later.or(*mine);
        }
        Signed(dates)
    }

    /// The day of the last signature, once all three stand and none is after `today`: a date to come
    /// is nobody's signature yet.
    pub(super) fn complete(self, today: Date) -> Option<Date> {
        let [Some(one), Some(two), Some(three)] = self.0 else {
            return None;
        };
        let last = one.max(two).max(three);
        (last <= today).then_some(last)
    }
}

/// What all evidence files of the step say, the oldest first.
pub(super) fn evidence(run: &RunLook) -> Result<BTreeMap<String, Signed>, Fault> {
    let mut known: BTreeMap<String, Signed> = BTreeMap::new();
    for digest in &run.evidence {
        let file = read(run, digest)?;
        for (contract, signed) in parse(&file).map_err(|why| unfit(digest, &why))? {
            let before = known.remove(&contract).unwrap_or_default();
            known.insert(contract, before.or_later(signed));
        }
    }
    Ok(known)
}

fn read(run: &RunLook, digest: &Digest) -> Result<Vec<u8>, Fault> {
    let path = run.folder.join("evidence").join(digest.to_string());
    let gone =
        |fault: std::io::Error| unfit(digest, &format!("it cannot be read ({})", fault.kind()));
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(gone)?;
    file.take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(gone)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(unfit(
            digest,
            &format!("it is larger than {FILE_BYTES_MAX} bytes"),
        ));
    }
    if Digest::of(&bytes) != *digest {
        return Err(unfit(digest, "it is not the file that was handed in"));
    }
    Ok(bytes)
}

/// Reads one file; what is wrong with it names a line, never a value.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<(String, Signed)>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())?;
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let heading = reader
        .headers()
        .map_err(|_| "its heading cannot be read".to_owned())?;
    if heading.iter().ne(HEADING) {
        return Err(format!("its heading is not `{}`", HEADING.join(",")));
    }
    let mut lines: Vec<(String, Signed)> = Vec::new();
    for (at, record) in reader.records().enumerate() {
        let line = at + 2;
        if at >= LINES_MAX {
            return Err(format!("it has more than {LINES_MAX} lines"));
        }
        let record = record.map_err(|_| format!("line {line} does not have four fields"))?;
        let contract = record.get(0).unwrap_or_default();
        if contract.is_empty() || contract.len() > FIELD_BYTES_MAX {
            return Err(format!("line {line} names no contract"));
        }
        if lines.iter().any(|(known, _)| known == contract) {
            return Err(format!("line {line} names a contract for the second time"));
        }
        lines.push((contract.to_owned(), signed(&record, line)?));
    }
    Ok(lines)
}

fn signed(record: &csv::StringRecord, line: usize) -> Result<Signed, String> {
    let mut signed = Signed::default();
    for (at, place) in signed.0.iter_mut().enumerate() {
        let text = record.get(at + 1).unwrap_or_default();
        *place = match text {
            "" => None,
            _ => Some(day(text).ok_or_else(|| {
                format!(
                    "line {line}: `{}` is not a date like 2020-09-17",
                    HEADING[at + 1]
                )
            })?),
        };
    }
    Ok(signed)
}

/// `YYYY-MM-DD` and nothing else.
pub(super) fn day(text: &str) -> Option<Date> {
    let shape = text.len() == 10 && text.bytes().filter(|byte| *byte == b'-').count() == 2;
    shape.then(|| text.parse().ok()).flatten()
}

fn unfit(digest: &Digest, why: &str) -> Fault {
    let says = format!("evidence file {} cannot be used: {why}", digest.short());
    Fault::refused("HO530", "evidence", 0, says).help(format!(
        "hand in a CSV file with the heading `{}`",
        HEADING.join(",")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_in_another_order_is_not_taken_for_a_signature() {
        let file =
            b"contract_ref,signed_outgoing,signed_incoming,signed_supplier\nC1,12/10/2020,,\n";
        let why = parse(file).unwrap_err();
        assert!(why.contains("line 2") && !why.contains("12/10"), "{why}");
    }

    #[test]
    fn a_later_file_completes_an_earlier_one_and_takes_nothing_away() {
        let early = parse(
            b"contract_ref,signed_outgoing,signed_incoming,signed_supplier\nC1,2020-09-01,,2020-09-03\n",
        );
        let late = parse(
            b"contract_ref,signed_outgoing,signed_incoming,signed_supplier\nC1,,2020-09-02,\n",
        );
        let both = early.unwrap()[0].1.or_later(late.unwrap()[0].1);
        assert_eq!(both.complete(day("2020-09-04").unwrap()), day("2020-09-03"));
        assert_eq!(both.complete(day("2020-09-02").unwrap()), None);
    }

    #[test]
    fn strange_evidence_is_refused_by_line() {
        for (file, why) in [
            (&b"contract,a,b,c\nC1,,,\n"[..], "heading"),
            (
                b"contract_ref,signed_outgoing,signed_incoming,signed_supplier\nC1,,\n",
                "line 2",
            ),
            (
                b"contract_ref,signed_outgoing,signed_incoming,signed_supplier\n,,,\n",
                "line 2",
            ),
            (
                b"contract_ref,signed_outgoing,signed_incoming,signed_supplier\nC,,,\nC,,,\n",
                "line 3",
            ),
            (
                b"contract_ref,signed_outgoing,signed_incoming,signed_supplier\nC,2020-02-30,,\n",
                "line 2",
            ),
            (b"\xff\xfe", "UTF-8"),
            (b"", "heading"),
        ] {
            assert!(parse(file).unwrap_err().contains(why), "{why}");
        }
    }
}
