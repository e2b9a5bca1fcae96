//! UK postcodes and parts of them: an area (`CT`), a district (`CT15`), a sector (`CT15 6`), a whole one.
//! Royal Mail's shapes: an outward code of one or two letters and a digit, a digit or letter behind; an
//! inward code of a digit and two letters.
//!
//! In: text as people and old systems write it. Out: its parts, or that it is none.
//!
//! Not here: addresses that a letter can bear (`notify::address`).

/// A part of postcodes that conditions of a map name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PostcodePart {
    /// `CT`: every district of these letters.
    Area(String),
    /// `CT15`, never `CT1` or `CT150`; `CT15 6` or `CT15 6AB` where more of it is said.
    Within {
        /// The district.
        outward: String,
        /// What the inward code begins with: nothing, a sector's digit, or all of it.
        inward: String,
    },
}

impl PostcodePart {
    /// Reads what a map says; none where it is no part of a postcode.
    #[must_use]
    pub fn read(text: &str) -> Option<PostcodePart> {
        if let Some((outward, inward)) = parts(text) {
            return Some(PostcodePart::Within { outward, inward });
        }
        let area = text.trim().to_ascii_uppercase();
        let letters = area.bytes().all(|byte| byte.is_ascii_uppercase());
        ((1..=2).contains(&area.len()) && letters).then_some(PostcodePart::Area(area))
    }

    /// Whether a postcode, or as much of one as a column holds, lies in this part.
    #[must_use]
    pub fn holds(&self, text: &str) -> bool {
        let Some((outward, inward)) = parts(text) else {
            return false;
        };
        match self {
            PostcodePart::Area(area) => {
                let digits = |byte: u8| byte.is_ascii_digit();
                let letters = outward.bytes().position(digits);
                letters.and_then(|end| outward.get(..end)) == Some(area)
            }
            PostcodePart::Within {
                outward: here,
                inward: begins,
            } => outward == *here && inward.starts_with(begins.as_str()),
        }
    }
}

/// The outward and the inward code of a whole postcode, however it is spaced.
#[must_use]
pub fn whole(text: &str) -> Option<(String, String)> {
    let close: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let close = close.to_ascii_uppercase();
    if !close.is_ascii() || !(5..=7).contains(&close.len()) {
        return None;
    }
    let (outward, inward) = close.split_at(close.len() - 3);
    let fits = is_outward(outward) && is_inward(inward);
    fits.then(|| (outward.to_owned(), inward.to_owned()))
}

/// The outward code, and as much of the inward one as there is.
fn parts(text: &str) -> Option<(String, String)> {
    if let Some(parts) = whole(text) {
        return Some(parts);
    }
    let upper = text.trim().to_ascii_uppercase();
    // `CT1 6` is a sector of `CT1`, and `CT16` a district: here the blank tells.
    let (outward, inward) = match upper.split_once(char::is_whitespace) {
        Some((outward, inward)) => (outward, inward.trim_start()),
        None => (upper.as_str(), ""),
    };
    let sector = inward.len() == 1 && inward.bytes().all(|byte| byte.is_ascii_digit());
    let fits = is_outward(outward) && (inward.is_empty() || sector);
    fits.then(|| (outward.to_owned(), inward.to_owned()))
}

/// `A9`, `A99`, `AA9`, `AA99`, `A9A`, `AA9A`.
fn is_outward(text: &str) -> bool {
    let shape: String = text
        .chars()
        .map(|c| if c.is_ascii_digit() { '9' } else { 'A' })
        .collect();
    let letters = text.chars().all(|c| c.is_ascii_alphanumeric());
    letters && ["A9", "A99", "AA9", "AA99", "A9A", "AA9A"].contains(&shape.as_str())
}

/// A digit and two letters.
fn is_inward(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_digit()) && chars.all(|c| c.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(part: &str, text: &str) -> bool {
        PostcodePart::read(part).unwrap().holds(text)
    }

    #[test]
    fn a_home_in_ct15_is_never_taken_for_one_in_ct1() {
        for (part, there, elsewhere) in [
            ("CT1", "CT1 6AB", "CT15 6AB"),
            ("CT1", "ct16ab", "CT16"),
            ("CT15", "CT15", "CT1"),
            ("CT15", " ct15 6ab ", "CT150"),
            ("CT15 6", "CT15 6AB", "CT15 7AB"),
            ("CT1 6", "CT1 6", "CT16"),
            ("CT15 6AB", "CT156AB", "CT15 6AD"),
            ("EC1A", "EC1A 1BB", "EC1 1BB"),
            ("CT", "CT15 6AB", "C15 6AB"),
            ("N", "N1 1AA", "NW1 1AA"),
        ] {
            assert!(holds(part, there), "{part} holds {there}");
            assert!(!holds(part, elsewhere), "{part} does not hold {elsewhere}");
        }
    }

    #[test]
    fn what_is_no_part_of_a_postcode_is_none() {
        for text in [
            "",
            " ",
            "15",
            "CTX",
            "CT15 6A",
            "CT15-6",
            "Dover",
            "CT15 6AB 7",
            "£1",
        ] {
            assert_eq!(PostcodePart::read(text), None, "{text}");
        }
        assert!(
            !holds("CT", "CT"),
            "an area alone says nothing of where a home is"
        );
    }
}
