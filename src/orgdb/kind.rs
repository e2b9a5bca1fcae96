//! What a column holds, told by its engine's catalogue and never guessed from samples.
//!
//! Not here: reading catalogues (the engines' own rooms), making values fit (`copy::fit`).

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An `SQLite` column: any value, after its affinity.
    Loose(Affinity),
    /// True or false, read as 1 and 0.
    Flag,
    /// A whole number within bounds.
    Whole {
        /// The least.
        least: i64,
        /// The most.
        most: i64,
    },
    /// An exact decimal; its digits and how many of them stand behind the point, where it says so.
    Decimal(Option<(u32, u32)>),
    /// A binary float of four bytes (`true`) or eight.
    Float(bool),
    /// Text of at most so many characters; padded with spaces, which mean nothing.
    Text {
        /// Characters that it takes at most.
        most: Option<u32>,
        /// `char(n)`: trailing spaces mean nothing.
        padded: bool,
    },
    /// A date.
    Date,
    /// A date and a time of day, in UTC where `zoned`.
    Moment {
        /// It names a moment, not a clock's reading.
        zoned: bool,
        /// Digits of a second that it keeps, six at most: a server drops more of them without a word.
        digits: u32,
    },
    /// A time of day.
    Time {
        /// The same.
        digits: u32,
    },
    /// A UUID, read as 36 lower-case letters.
    Uuid,
    /// JSON that is kept as it was written.
    Json,
    /// Bytes.
    Bytes,
    /// One word of a list that the server keeps.
    Word,
    /// Whatever else, read and written as the server shows it: what is stored can only be known by
    /// reading it back.
    Other,
}

impl Default for Kind {
    fn default() -> Kind {
        Kind::Loose(Affinity::default())
    }
}

/// What an `SQLite` column does to the values it is given
/// (<https://www.sqlite.org/datatype3.html#determination_of_column_affinity>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Affinity {
    /// Keeps them.
    #[default]
    None,
    /// Makes numbers text.
    Text,
    /// Makes text that looks like a number a number.
    Number,
    /// The same, and every number a float.
    Real,
}

impl Affinity {
    /// By the declared type.
    #[must_use]
    pub fn of(declared: &str) -> Affinity {
        let kind = declared.to_ascii_uppercase();
        let has = |words: &[&str]| words.iter().any(|word| kind.contains(word));
        match () {
            () if has(&["INT"]) => Affinity::Number,
            () if has(&["CHAR", "CLOB", "TEXT"]) => Affinity::Text,
            () if kind.is_empty() || has(&["BLOB", "ANY"]) => Affinity::None,
            () if has(&["REAL", "FLOA", "DOUB"]) => Affinity::Real,
            () => Affinity::Number,
        }
    }
}
