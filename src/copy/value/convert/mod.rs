//! One raw value becomes one target value: text mended and trimmed, numbers and dates read strictly,
//! never guessed. Pure functions over bytes; nothing here knows rows or databases.
//!
//! In: a raw value as the driver lends it. Out: a plain value, or why it cannot be one.
//!
//! Not here: which column gets which (`program`), lookups (`crosswalk`).

pub(crate) mod date;
pub(crate) mod number;
pub(crate) mod text;
