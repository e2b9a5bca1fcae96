//! Postal addresses as GOV.UK Notify's letters take them, so that a preview knows what the post would
//! refuse: three to seven lines (the name above and the postcode below among them), nothing that
//! looks like a formula.
//!
//! Not here: which of somebody's addresses a letter goes to (`decide`), postcodes (`plan::postcode`).

use crate::plan::postcode;

/// An address that a letter can bear: lines, then the postcode.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// One to five lines between the name and the postcode.
    pub lines: Vec<String>,
    /// `SW14 6BH`
    pub postcode: String,
}

/// Why a letter cannot bear it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// Too few or too many lines, no postcode, or a line the post refuses.
    Invalid,
    /// No fixed abode.
    NoFixedAbode,
    /// The forces' post office.
    Bfpo,
    /// Abroad.
    Overseas,
}

/// First characters that the post's software refuses.
const REFUSED_FIRST: &str = "@()=[]\"\\/,<>~";
/// Parts of the United Kingdom: dropped when they stand last.
const HOME_COUNTRIES: [&str; 8] = [
    "uk",
    "united kingdom",
    "england",
    "wales",
    "scotland",
    "northern ireland",
    "great britain",
    "gb",
];
/// Countries that letters of English councils do go to; anything else without a postcode is invalid.
const ABROAD: [&str; 20] = [
    "france",
    "spain",
    "portugal",
    "ireland",
    "germany",
    "italy",
    "poland",
    "romania",
    "greece",
    "cyprus",
    "turkey",
    "usa",
    "united states",
    "canada",
    "australia",
    "new zealand",
    "india",
    "pakistan",
    "bangladesh",
    "nigeria",
];

/// Reads an address of lines, the postcode among them as the last (or inside the last) line.
///
/// # Errors
/// See [`Unfit`].
pub fn read(raw: &[String]) -> Result<Address, Unfit> {
    let mut lines = clean(raw);
    if lines.iter().any(|line| no_fixed_abode(line)) {
        return Err(Unfit::NoFixedAbode);
    }
    if lines.iter().any(|line| is_bfpo(line)) {
        return Err(Unfit::Bfpo);
    }
    while lines.len() > 1 && lines.last().is_some_and(|line| is(line, &HOME_COUNTRIES)) {
        lines.pop();
    }
    let Some(last) = lines.pop() else {
        return Err(Unfit::Invalid);
    };
    if is(&last, &ABROAD) || lines.iter().any(|line| is(line, &ABROAD)) {
        return Err(Unfit::Overseas);
    }
    let (rest, postcode) = postcode_at_end(&last).ok_or(Unfit::Invalid)?;
    if !rest.is_empty() {
        lines.push(rest);
    }
    let spelt = lines
        .iter()
        .take(2)
        .any(|line| line.chars().any(char::is_alphanumeric));
    let refused = lines
        .iter()
        .any(|line| line.starts_with(|first| REFUSED_FIRST.contains(first)));
    if !(1..=5).contains(&lines.len()) || !spelt || refused {
        return Err(Unfit::Invalid);
    }
    Ok(Address { lines, postcode })
}

/// A postcode in its normal form (`SW14 6BH`), if it is one.
#[must_use]
pub fn postcode(text: &str) -> Option<String> {
    let (outward, inward) = postcode::whole(text)?;
    Some(format!("{outward} {inward}"))
}

/// Lines without control characters, doubled spaces and commas at their ends; empty ones left out.
fn clean(raw: &[String]) -> Vec<String> {
    let parts = raw.iter().flat_map(|line| line.split(['\n', '\r']));
    let lines = parts.map(|line| {
        let spaced: String = line
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let words: Vec<&str> = spaced.split_whitespace().collect();
        words.join(" ").trim_matches([',', ' ']).to_owned()
    });
    lines.filter(|line| !line.is_empty()).collect()
}

fn postcode_at_end(line: &str) -> Option<(String, String)> {
    if let Some(code) = postcode(line) {
        return Some((String::new(), code));
    }
    let words: Vec<&str> = line.split(' ').collect();
    (1..=2).rev().find_map(|taken| {
        let at = words.len().checked_sub(taken)?;
        let code = postcode(&words[at..].concat())?;
        let rest = words[..at].join(" ");
        Some((rest.trim_matches([',', ' ']).to_owned(), code))
    })
}

fn no_fixed_abode(line: &str) -> bool {
    let line = line.to_lowercase();
    line == "nfa" || line.contains("no fixed abode") || line.contains("no fixed address")
}

fn is_bfpo(line: &str) -> bool {
    let upper = line.to_uppercase();
    upper.split_whitespace().any(|word| word == "BFPO") || upper.starts_with("BF1 ")
}

fn is(line: &str, names: &[&str]) -> bool {
    names.contains(&line.to_lowercase().as_str())
}
