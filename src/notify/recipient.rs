//! Somebody who may have to be told, as a plan's recipient map makes them.
//!
//! Not here: what they are told, or why not (`decide`).

/// Columns of the dataset `recipient`, each read from whatever the map says.
pub const COLUMNS: [&str; 37] = [
    "person_ref",
    "household_ref",
    "tenancy_ref",
    "title",
    "forename",
    "surname",
    "dob",
    "responsible",
    "joint",
    "deceased",
    "leaseholder",
    "vulnerable",
    "safe_contact",
    "opt_out",
    "accessible_format",
    "language",
    "gone_away",
    "line1",
    "line2",
    "line3",
    "line4",
    "postcode",
    "corr_line1",
    "corr_line2",
    "corr_line3",
    "corr_line4",
    "corr_postcode",
    "nok_name",
    "nok_line1",
    "nok_line2",
    "nok_line3",
    "nok_line4",
    "nok_postcode",
    "letters_to_nok",
    "email",
    "tenancy_ended",
    "void",
];

/// Columns without which somebody could be written to who must not be, or not be found at all.
pub const NEEDED: [&str; 14] = [
    "person_ref",
    "household_ref",
    "surname",
    "dob",
    "responsible",
    "deceased",
    "safe_contact",
    "accessible_format",
    "language",
    "gone_away",
    "line1",
    "postcode",
    "letters_to_nok",
    "tenancy_ended",
];

/// One person in one tenancy. Texts are trimmed, empty where nothing is known.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own about a person"
)]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recipient {
    /// The person's reference at the source.
    pub person_ref: String,
    /// Their household's.
    pub household_ref: String,
    /// Their tenancy's.
    pub tenancy_ref: String,
    /// `Mrs`
    pub title: String,
    /// Given name.
    pub forename: String,
    /// Family name.
    pub surname: String,
    /// `YYYY-MM-DD`
    pub dob: String,
    /// A tenant, as against a member of the household.
    pub responsible: bool,
    /// The tenancy has more than one tenant.
    pub joint: bool,
    /// Dead.
    pub deceased: bool,
    /// Owns a lease.
    pub leaseholder: bool,
    /// Somebody should ring rather than write.
    pub vulnerable: bool,
    /// Only a marked channel is safe.
    pub safe_contact: bool,
    /// What they do not want: `email`, `post`, or anything else for all.
    pub opt_out: String,
    /// Large print, Braille, audio …
    pub accessible_format: String,
    /// A language code other than English.
    pub language: String,
    /// Post comes back.
    pub gone_away: bool,
    /// Where they live.
    pub home: Vec<String>,
    /// Where letters should go instead.
    pub correspondence: Vec<String>,
    /// Next of kin.
    pub nok_name: String,
    /// Where the next of kin lives.
    pub nok: Vec<String>,
    /// Letters go to the next of kin.
    pub letters_to_nok: bool,
    /// E-mail address.
    pub email: String,
    /// The tenancy has come to an end.
    pub tenancy_ended: bool,
    /// The home stands empty.
    pub void: bool,
}

impl Recipient {
    /// From named values; columns of other names are passed over.
    #[must_use]
    pub fn new<'a>(values: impl IntoIterator<Item = (&'a str, String)>) -> Recipient {
        let mut who = Recipient::default();
        let mut lines = Addresses::default();
        for (column, value) in values {
            let value = value.trim().to_owned();
            match column {
                "person_ref" => who.person_ref = value,
                "household_ref" => who.household_ref = value,
                "tenancy_ref" => who.tenancy_ref = value,
                "title" => who.title = value,
                "forename" => who.forename = value,
                "surname" => who.surname = value,
                "dob" => who.dob = value,
                "responsible" => who.responsible = is_set(&value),
                "joint" => who.joint = is_set(&value),
                "deceased" => who.deceased = is_set(&value),
                "leaseholder" => who.leaseholder = is_set(&value),
                "vulnerable" => who.vulnerable = is_set(&value),
                "safe_contact" => who.safe_contact = is_set(&value),
                "opt_out" => who.opt_out = value,
                "accessible_format" => who.accessible_format = value,
                "language" => who.language = value,
                "gone_away" => who.gone_away = is_set(&value),
                "nok_name" => who.nok_name = value,
                "letters_to_nok" => who.letters_to_nok = is_set(&value),
                "email" => who.email = value,
                "tenancy_ended" => who.tenancy_ended = is_set(&value),
                "void" => who.void = is_set(&value),
                _ => lines.take(column, value),
            }
        }
        who.home = lines.home.concat();
        who.correspondence = lines.correspondence.concat();
        who.nok = lines.nok.concat();
        who
    }

    /// `Mrs Ann Example`
    #[must_use]
    pub fn name(&self) -> String {
        let parts = [&self.title, &self.forename, &self.surname];
        let said: Vec<&str> = parts.iter().map(|part| part.as_str()).collect();
        said.join(" ")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// A flag as maps write it: set unless empty, `0`, `n`, `no`, `f` or `false`. A text where a flag
/// should be (a date of death, a safe channel) sets it: silence must be said.
fn is_set(value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    !["", "0", "n", "no", "f", "false"].contains(&value.as_str())
}

/// Three addresses, each of four lines and a postcode.
#[derive(Default)]
struct Addresses {
    home: [Vec<String>; 5],
    correspondence: [Vec<String>; 5],
    nok: [Vec<String>; 5],
}

impl Addresses {
    fn take(&mut self, column: &str, value: String) {
        let (address, part) = match column.split_once('_') {
            Some(("corr", part)) => (&mut self.correspondence, part),
            Some(("nok", part)) => (&mut self.nok, part),
            _ => (&mut self.home, column),
        };
        let at = match part {
            "line1" => 0,
            "line2" => 1,
            "line3" => 2,
            "line4" => 3,
            "postcode" => 4,
            _ => return,
        };
        if !value.is_empty() {
            address[at] = vec![value];
        }
    }
}
