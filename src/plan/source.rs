//! One paper file as text: its encoding, its line ends, its TOML; and what Word and Notepad do to them.
//!
//! In: bytes. Out: text, a spanned TOML tree, faults. Not here: what the tree means (`form`).

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::DeTable;

use super::fault::Fault;
use super::model::Place;
use super::papers::Papers;
use crate::calendar::relative::day_first;

/// Faults found so far, and the texts they point into.
#[derive(Debug, Default)]
pub(super) struct Desk {
    pub(super) faults: Vec<Fault>,
    pub(super) texts: BTreeMap<String, Arc<str>>,
}

impl Desk {
    /// Takes a fault.
    pub(super) fn push(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// Stars out a secret in the text that faults are drawn on.
    pub(super) fn hide(&mut self, place: &Place) {
        let Some(text) = self.texts.get_mut(&place.file) else {
            return;
        };
        if let (Some(before), Some(secret), Some(after)) = (
            text.get(..place.span.start),
            text.get(place.span.clone()),
            text.get(place.span.end..),
        ) {
            *text = format!("{before}{}{after}", "*".repeat(secret.len())).into();
        }
    }

    /// Reads the file as text; a missing or unreadable one is a fault or nothing, as the caller knows.
    pub(super) fn open(&mut self, papers: &Papers, path: &str) -> Option<Source> {
        let bytes = papers.get(path)?;
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(fault) => {
                self.not_utf8(path, bytes, fault.valid_up_to());
                return None;
            }
        };
        let stripped = text.strip_prefix('\u{feff}');
        let source = Source {
            path: path.to_owned(),
            text: stripped.unwrap_or(text).into(),
        };
        self.texts.insert(path.to_owned(), source.text.clone());
        if stripped.is_some() {
            let fault = Fault::warning(
                "HO108",
                &source.place(0..0),
                "the file begins with a byte-order mark",
            );
            self.push(fault.help("save it as `UTF-8` rather than `UTF-8 with BOM`"));
        }
        if let Some(at) = source.text.find("\r\n") {
            let fault = Fault::warning("HO109", &source.place(at..at), "lines end in CR LF, as Windows writes them")
                .label("the first such line end")
                .help("save the file with Unix line ends, so that its fingerprint stays the same everywhere");
            self.push(fault);
        }
        Some(source)
    }

    fn not_utf8(&mut self, path: &str, bytes: &[u8], valid: usize) {
        let shown = String::from_utf8_lossy(bytes);
        self.texts.insert(path.to_owned(), shown.as_ref().into());
        let place = Place {
            file: path.to_owned(),
            span: valid..valid + '\u{fffd}'.len_utf8(),
        };
        let wide = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
        let says = if wide {
            "the file is UTF-16, which Notepad calls `Unicode`"
        } else {
            "the file is not UTF-8 text"
        };
        let fault = Fault::error("HO104", &place, says).label("the first byte that cannot be read");
        self.push(fault.help("save the file again and choose UTF-8 as its encoding"));
    }
}

/// A paper file's text.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) path: String,
    pub(super) text: Arc<str>,
}

impl Source {
    /// A place in this file.
    pub(super) fn place(&self, span: Range<usize>) -> Place {
        Place {
            file: self.path.clone(),
            span,
        }
    }

    /// The file's TOML; nothing when it has a fault, since what follows one cannot be read for certain.
    pub(super) fn parse<'t>(&'t self, desk: &mut Desk) -> Option<Spanned<DeTable<'t>>> {
        let (table, broken) = DeTable::parse_recoverable(&self.text);
        if broken.is_empty() {
            return Some(table);
        }
        let mut broken = broken;
        broken.sort_by_key(|fault| fault.span().map_or(0, |span| span.start));
        let mut lines = std::collections::BTreeSet::new();
        for fault in &broken {
            let span = fault.span().unwrap_or(0..0);
            let line = self.line(span.start);
            if lines.insert(line.start) {
                desk.push(self.explain(fault.message(), span, line));
            }
        }
        None
    }

    /// The line around a byte position.
    fn line(&self, at: usize) -> Range<usize> {
        let at = at.min(self.text.len());
        let bytes = self.text.as_bytes();
        let start = bytes[..at]
            .iter()
            .rposition(|&b| b == b'\n')
            .map_or(0, |nl| nl + 1);
        let end = bytes[at..]
            .iter()
            .position(|&b| b == b'\n')
            .map_or(bytes.len(), |nl| at + nl);
        start..end
    }

    fn explain(&self, message: &str, span: Range<usize>, line: Range<usize>) -> Fault {
        let text = self.text.get(line.clone()).unwrap_or_default();
        if let Some(curly) = curly(text) {
            let place = self.place(line.start + curly.start..line.start + curly.end);
            return Fault::error(
                "HO105",
                &place,
                "curly quotation marks stand where straight ones are needed",
            )
            .label("pasted from Word or an e-mail")
            .help("type the marks again: `\"` or `'`");
        }
        if let Some(date) = slashed(text) {
            let written = &text[date.clone()];
            let place = self.place(line.start + date.start..line.start + date.end);
            return day_first_fault(&place, written);
        }
        let place = self.place(span);
        if message.contains("duplicate key") {
            return Fault::error(
                "HO107",
                &place,
                "the same key or table stands here a second time",
            )
            .help("take one of the two out, or give it another name");
        }
        let message = message.trim_end_matches(", expected literal string");
        Fault::error("HO103", &place, format!("this is not TOML: {message}"))
            .help("texts stand in quotation marks, lists in square brackets, one `key = value` on a line")
            .note("the rest of this file is checked once this is mended")
    }
}

/// A date written with slashes, and what it would be with the day first.
pub(super) fn day_first_fault(place: &Place, written: &str) -> Fault {
    let fault = Fault::error(
        "HO106",
        place,
        "a date is written with its day or month first",
    )
    .label("12 October to some, 10 December to others");
    let label = match day_first(written) {
        Some(day) => format!("write `{day}`, if the day stands first"),
        None => "write the year first: `2020-10-12`".to_owned(),
    };
    let mut fault = fault.help(label);
    if !written.starts_with("12/10/") {
        "the day first to some, the month first to others".clone_into(&mut fault.label);
    }
    fault
}

/// The first run of text between curly quotation marks that stands outside a comment.
fn curly(line: &str) -> Option<Range<usize>> {
    let is_curly = |c: char| matches!(c, '\u{2018}'..='\u{201f}');
    let code = line.split('#').next().unwrap_or_default();
    let start = code.find(is_curly)?;
    let last = code[start..]
        .char_indices()
        .skip(1)
        .find(|&(_, c)| is_curly(c));
    let end = last.map_or(start + 3, |(at, c)| start + at + c.len_utf8());
    Some(start..end)
}

/// `12/10/2020` somewhere in the line, outside a comment.
fn slashed(line: &str) -> Option<Range<usize>> {
    let code = line.split('#').next().unwrap_or_default();
    let of_date = |c: char| c.is_ascii_digit() || c == '/';
    let mut start = 0;
    for run in code.split(|c: char| !of_date(c)) {
        let parts: Vec<&str> = run.split('/').collect();
        let digits = |part: &&str| (1..=4).contains(&part.len());
        if parts.len() == 3 && parts.iter().all(digits) {
            return Some(start..start + run.len());
        }
        start = code[start + run.len()..]
            .chars()
            .next()
            .map_or(start, |c| start + run.len() + c.len_utf8());
    }
    None
}
