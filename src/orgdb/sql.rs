//! SQL as we build it: text with identifiers quoted in exactly one place, values always bound.

use std::fmt;

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};

/// A table or column name. Its only way into SQL is quoted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ident(String);

impl Ident {
    /// Any name; a NUL character is dropped since no engine can hold it.
    #[must_use]
    pub fn new(name: &str) -> Ident {
        Ident(name.replace('\0', ""))
    }

    /// The bare name, for messages and catalogues.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.replace('"', "\"\""))
    }
}

/// A statement. Made by [`sql!`](crate::sql), whose arguments are identifiers, lists of them, numbers
/// or other `Sql`: never a bare string from outside.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sql(String);

/// What may stand in SQL text.
pub trait Fragment {
    /// Its text, quoted as needed.
    fn text(&self) -> String;
}

impl Fragment for Ident {
    fn text(&self) -> String {
        self.to_string()
    }
}

impl Fragment for Sql {
    fn text(&self) -> String {
        self.0.clone()
    }
}

impl Fragment for [Ident] {
    fn text(&self) -> String {
        let quoted: Vec<String> = self.iter().map(Ident::to_string).collect();
        quoted.join(", ")
    }
}

impl Fragment for Vec<Ident> {
    fn text(&self) -> String {
        self.as_slice().text()
    }
}

impl Fragment for usize {
    fn text(&self) -> String {
        self.to_string()
    }
}

impl<T: Fragment + ?Sized> Fragment for &T {
    fn text(&self) -> String {
        (**self).text()
    }
}

impl Sql {
    /// A statement that is written out in our source.
    #[must_use]
    pub fn new(text: &'static str) -> Sql {
        Sql(text.to_owned())
    }

    /// A statement that the database itself keeps (a trigger's definition), or that our ledger kept.
    #[must_use]
    pub(crate) fn definition(kept: String) -> Sql {
        Sql(kept)
    }

    /// Used by [`sql!`](crate::sql): a pattern of our source with `{}` for each fragment.
    ///
    /// # Panics
    /// When pattern and fragments do not match: a mistake in our source.
    #[must_use]
    pub fn fill(pattern: &'static str, fragments: &[&dyn Fragment]) -> Sql {
        let mut parts = pattern.split("{}");
        let mut text = parts.next().unwrap_or_default().to_owned();
        let mut used = 0;
        for part in parts {
            text.push_str(&fragments[used].text());
            text.push_str(part);
            used += 1;
        }
        assert_eq!(
            used,
            fragments.len(),
            "pattern and fragments differ: {pattern}"
        );
        Sql(text)
    }

    /// Fragments with a separator of our source between them.
    #[must_use]
    pub fn join<T: Fragment>(separator: &'static str, fragments: &[T]) -> Sql {
        let texts: Vec<String> = fragments.iter().map(Fragment::text).collect();
        Sql(texts.join(separator))
    }

    /// Places of so many values, the first of which is bound as `?first`: `?3, ?4, ?5`.
    #[must_use]
    pub fn places(first: usize, count: usize) -> Sql {
        let places = (first..first + count).map(|at| format!("?{at}"));
        Sql(places.collect::<Vec<_>>().join(", "))
    }

    /// The same statement with pieces of it written otherwise, all from our source.
    #[must_use]
    pub(crate) fn rewritten(self, pairs: &[(&'static str, &'static str)]) -> Sql {
        let swap = |text: String, (from, to): &(&str, &str)| text.replace(from, to);
        Sql(pairs.iter().fold(self.0, swap))
    }

    /// The text, for the driver.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `sql!("SELECT {} FROM {} WHERE {} = ?1", columns, table, key)`: the pattern is a literal, every
/// `{}` a quoted fragment.
#[macro_export]
macro_rules! sql {
    ($pattern:literal $(, $fragment:expr)* $(,)?) => {
        $crate::orgdb::Sql::fill($pattern, &[$(&$fragment),*])
    };
}

/// `values![run, step, 3]`: what a statement is given, in order.
#[macro_export]
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        [$($crate::orgdb::Value::from($value)),*]
    };
}

/// One value as engines hand it over. Text keys stay text; money is text of fixed scale.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// NULL
    #[default]
    Null,
    /// A whole number.
    Int(i64),
    /// A binary float: only ever met in foreign files.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl Value {
    /// The text, where it is text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The text, taken out; blank where it is none.
    #[must_use]
    pub(crate) fn into_text(self) -> String {
        match self {
            Value::Text(text) => text,
            _ => String::new(),
        }
    }

    /// A number that is never negative; 0 where it is none.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.int().map_or(0, i64::cast_unsigned)
    }

    /// The number, where it is whole.
    #[must_use]
    pub fn int(&self) -> Option<i64> {
        match self {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Value {
        Value::Blob(bytes)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Value {
        Value::Int(number.into())
    }
}

/// Counts and positions are kept as the engines' signed numbers.
impl From<u64> for Value {
    fn from(number: u64) -> Value {
        Value::Int(number.cast_signed())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Int(number)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}

impl Value {
    /// The value as the driver lends it. Text that is not UTF-8 comes as bytes, so that nothing is
    /// replaced unseen.
    #[must_use]
    pub fn of(raw: ValueRef<'_>) -> Value {
        match raw {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(number) => Value::Int(number),
            ValueRef::Real(number) => Value::Real(number),
            ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
            ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Value::Text(text.to_owned()),
                Err(_) => Value::Blob(bytes.to_vec()),
            },
        }
    }

    /// The value as the driver borrows it.
    #[must_use]
    pub fn lend(&self) -> ValueRef<'_> {
        match self {
            Value::Null => ValueRef::Null,
            Value::Int(number) => ValueRef::Integer(*number),
            Value::Real(number) => ValueRef::Real(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        }
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(self.lend()))
    }
}
