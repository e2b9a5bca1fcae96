//! Our SQL as these servers read it, and what each value of it is held against.
//!
//! The server does not say which type a value should have, so that is read from the statement: the
//! column that a value is compared with, set to or inserted into. Text is compared by these servers
//! after a collation, mostly without regard to case; where one of our statements asks for a text, it
//! means that text and no other, as on every engine.
//!
//! In: neutral SQL, the types of columns. Out: the server's SQL, which value goes where and as what.
//!
//! Not here: the types (`catalogue`), values in the server's form (`code`).

use std::fmt::Write as _;

use super::code::Class;
use crate::orgdb::DbTrouble;
use crate::orgdb::dialect::{is_word, quoted};

/// A statement for the server.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) text: String,
    /// For each of the server's places: which value (from 0), and what for.
    pub(super) values: Vec<(usize, Class)>,
    /// The first table that it names.
    pub(super) table: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'t> {
    Space(&'t str),
    Name(&'t str),
    Word(&'t str),
    Place(usize),
    Sign(&'t str),
    Other(&'t str),
}

impl Token<'_> {
    /// A table's or a column's name.
    fn name(&self) -> Option<String> {
        match self {
            Token::Name(quoted) => Some(quoted[1..quoted.len() - 1].replace("\"\"", "\"")),
            Token::Word(word) => Some((*word).to_owned()),
            _ => None,
        }
    }

    fn is_word(&self, wanted: &[&str]) -> bool {
        matches!(self, Token::Word(word) if wanted.iter().any(|one| word.eq_ignore_ascii_case(one)))
    }
}

/// What a table's column holds, where there is such a column.
type ClassOf<'s> = dyn FnMut(&str, &str) -> Result<Option<Class>, DbTrouble> + 's;

/// Reads a statement; `class_of` tells what a table's column holds, where there is such a column.
pub(super) fn read(text: &str, class_of: &mut ClassOf<'_>) -> Result<Asked, DbTrouble> {
    let all = tokens(text);
    let plain: Vec<usize> = (0..all.len())
        .filter(|at| !matches!(all[*at], Token::Space(_)))
        .collect();
    let statement = Statement::new(plain.iter().map(|at| all[*at]).collect());
    let mut asked = Asked {
        text: String::with_capacity(text.len() + 64),
        values: Vec::new(),
        table: statement.tables.first().cloned().unwrap_or_default().0,
    };
    // Where in the output each significant token begins.
    let mut begins = Vec::with_capacity(plain.len());
    for token in &all {
        if let Token::Space(space) = token {
            asked.text.push_str(space);
            continue;
        }
        let at = begins.len();
        begins.push(asked.text.len());
        match token {
            Token::Space(_) => {}
            Token::Place(value) => {
                let Some(found) = statement.column_of(at) else {
                    asked.place(*value, Class::Plain);
                    continue;
                };
                let class = statement.class(&found, class_of)?.unwrap_or_default();
                if class == Class::Text && found.exact {
                    asked.exactly(*value, &begins, &found);
                } else {
                    asked.place(*value, class);
                }
            }
            // A column of ours, and a word of theirs.
            Token::Word("rows") => asked.text.push_str("\"rows\""),
            Token::Name(text) | Token::Word(text) | Token::Sign(text) | Token::Other(text) => {
                asked.text.push_str(text);
            }
        }
    }
    Ok(asked)
}

impl Asked {
    fn place(&mut self, value: usize, class: Class) {
        self.text.push('?');
        self.values.push((value, class));
    }

    /// The comparison stays as it is, so that an index serves it; a second one holds bytes against bytes.
    fn exactly(&mut self, value: usize, begins: &[usize], found: &Column) {
        let start = begins[found.start];
        let column = self.text[start..begins[found.sign]].trim_end().to_owned();
        self.text.insert(start, '(');
        self.place(value, Class::Text);
        let sign = found.sign_text;
        let _ = write!(
            self.text,
            " AND CAST(CONVERT({column} USING utf8mb4) AS binary) {sign} CAST("
        );
        self.place(value, Class::Text);
        self.text.push_str(" AS binary))");
    }
}

/// A column that a value belongs to.
struct Column {
    qualifier: Option<String>,
    name: String,
    /// Asked for as it is, not set and not put in order.
    exact: bool,
    start: usize,
    sign: usize,
    sign_text: &'static str,
}

/// The tokens that mean something.
struct Statement<'t> {
    tokens: Vec<Token<'t>>,
    /// Tables with their aliases.
    tables: Vec<(String, String)>,
    /// Where `WHERE` or `ON` stands.
    condition: usize,
    inserted: Vec<String>,
}

impl<'t> Statement<'t> {
    fn new(tokens: Vec<Token<'t>>) -> Statement<'t> {
        let condition = tokens
            .iter()
            .position(|token| token.is_word(&["WHERE", "ON"]));
        let mut statement = Statement {
            tables: Vec::new(),
            condition: condition.unwrap_or(usize::MAX),
            inserted: Vec::new(),
            tokens,
        };
        statement.find_tables();
        statement
    }

    fn find_tables(&mut self) {
        for at in 0..self.tokens.len() {
            if !self.tokens[at].is_word(&["FROM", "JOIN", "INTO", "UPDATE"]) {
                continue;
            }
            let Some(table) = self.tokens.get(at + 1).and_then(Token::name) else {
                continue;
            };
            if self.tokens.get(at + 2) == Some(&Token::Other(".")) {
                continue;
            }
            let into = self.tokens[at].is_word(&["INTO"]);
            if into && self.tokens.get(at + 2) == Some(&Token::Other("(")) {
                let names = self.tokens[at + 3..].iter();
                let names = names.take_while(|token| **token != Token::Other(")"));
                self.inserted = names.filter_map(Token::name).collect();
            }
            let has_as = self
                .tokens
                .get(at + 2)
                .is_some_and(|next| next.is_word(&["AS"]));
            let alias = has_as
                .then(|| self.tokens.get(at + 3).and_then(Token::name))
                .flatten();
            self.tables
                .push((table.clone(), alias.unwrap_or_else(|| table.clone())));
        }
    }

    /// The column that the value at a place is meant for.
    fn column_of(&self, at: usize) -> Option<Column> {
        let before = *self.tokens.get(at.checked_sub(1)?)?;
        if let Token::Sign(sign) = before {
            return self.compared(at.checked_sub(2)?, at - 1, sign, at > self.condition);
        }
        let (open, place) = self.in_group(at)?;
        let before = *self.tokens.get(open.checked_sub(1)?)?;
        if let Token::Sign(sign) = before {
            let close = open.checked_sub(2)?;
            if self.tokens[close] != Token::Other(")") {
                return None;
            }
            let (start, _) = self.in_group(close)?;
            let name = self.tokens[start + 1..close]
                .split(|token| *token == Token::Other(","))
                .nth(place)?;
            let end = start
                + 1
                + self.tokens[start + 1..close]
                    .iter()
                    .position(|token| Some(token) == name.last())?;
            return self.compared(end, open - 1, sign, false);
        }
        if !self.inserted.is_empty() && at < self.condition {
            return Some(Column {
                qualifier: None,
                name: self.inserted.get(place)?.clone(),
                exact: false,
                start: 0,
                sign: 0,
                sign_text: "",
            });
        }
        None
    }

    /// The column that ends at a token.
    fn compared(&self, end: usize, sign: usize, told: &str, asked: bool) -> Option<Column> {
        let name = self.tokens.get(end)?.name()?;
        let dotted = end >= 2 && self.tokens[end - 1] == Token::Other(".");
        let sign_text = match told {
            "=" => "=",
            "<=>" => "<=>",
            _ => "",
        };
        Some(Column {
            qualifier: dotted.then(|| self.tokens[end - 2].name()).flatten(),
            name,
            exact: asked && !sign_text.is_empty(),
            start: if dotted { end - 2 } else { end },
            sign,
            sign_text,
        })
    }

    /// Where the parenthesis around a token opens, and how many commas stand between.
    fn in_group(&self, at: usize) -> Option<(usize, usize)> {
        let mut commas = 0;
        for before in (0..at).rev() {
            match self.tokens[before] {
                Token::Other("(") => return Some((before, commas)),
                Token::Other(",") => commas += 1,
                Token::Other(")") => return None,
                _ => {}
            }
        }
        None
    }

    fn class(
        &self,
        column: &Column,
        class_of: &mut ClassOf<'_>,
    ) -> Result<Option<Class>, DbTrouble> {
        let wanted = |alias: &str| {
            let qualifier = column.qualifier.as_deref();
            qualifier.is_none_or(|qualifier| qualifier.eq_ignore_ascii_case(alias))
        };
        for (table, _) in self.tables.iter().filter(|(_, alias)| wanted(alias)) {
            // Ours compare as they should, and hold nothing that would have to be converted.
            if table.starts_with("handover_") {
                continue;
            }
            if let Some(class) = class_of(table, &column.name)? {
                return Ok(Some(class));
            }
        }
        Ok(None)
    }
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' | '\'' => quoted(rest, first),
            '?' => 1 + run(&rest[1..], |letter| letter.is_ascii_digit()),
            letter if is_word(letter) => run(rest, is_word),
            letter if letter.is_whitespace() => run(rest, char::is_whitespace),
            letter if is_sign(letter) => run(rest, is_sign),
            other => other.len_utf8(),
        };
        let (piece, behind) = rest.split_at(length);
        found.push(match first {
            '"' => Token::Name(piece),
            '?' => place(piece),
            letter if is_word(letter) => Token::Word(piece),
            letter if letter.is_whitespace() => Token::Space(piece),
            letter if is_sign(letter) => Token::Sign(piece),
            _ => Token::Other(piece),
        });
        rest = behind;
    }
    found
}

fn place(text: &str) -> Token<'_> {
    let number: usize = text[1..].parse().unwrap_or(1);
    Token::Place(number.saturating_sub(1))
}

fn is_sign(letter: char) -> bool {
    matches!(letter, '<' | '>' | '=' | '!')
}

fn run(text: &str, wanted: impl Fn(char) -> bool) -> usize {
    text.find(|letter| !wanted(letter)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> (String, Vec<(usize, Class)>) {
        let mut class_of = |table: &str, column: &str| {
            Ok((table == "t").then_some(match column {
                "name" | "other" => Class::Text,
                "at" => Class::Moment,
                "id" => Class::Whole,
                _ => Class::Plain,
            }))
        };
        let asked = read(text, &mut class_of).expect("it can be read");
        (asked.text, asked.values)
    }

    #[test]
    fn values_are_given_in_the_order_in_which_they_are_asked_for() {
        assert_eq!(
            told("UPDATE handover_effect SET rows = ?2, sum = ?1 WHERE effect = ?1"),
            (
                "UPDATE handover_effect SET \"rows\" = ?, sum = ? WHERE effect = ?".to_owned(),
                vec![(1, Class::Plain), (0, Class::Plain), (0, Class::Plain)]
            )
        );
        let (text, values) = told("SELECT '?1', \"a?2\" FROM \"x\" WHERE a LIKE ?1");
        assert_eq!(text, "SELECT '?1', \"a?2\" FROM \"x\" WHERE a LIKE ?");
        assert_eq!(values, [(0, Class::Plain)]);
    }

    #[test]
    fn a_value_is_what_its_column_is() {
        let (_, values) = told("INSERT INTO \"t\" (\"at\", id) VALUES (?1, ?2), (?3, ?4)");
        let classes = [Class::Moment, Class::Whole, Class::Moment, Class::Whole];
        assert_eq!(values.iter().map(|one| one.1).collect::<Vec<_>>(), classes);
        let (text, values) = told("SELECT x FROM \"t\" WHERE (\"id\", \"at\") > (?1, ?2)");
        assert_eq!(text, "SELECT x FROM \"t\" WHERE (\"id\", \"at\") > (?, ?)");
        assert_eq!(values, [(0, Class::Whole), (1, Class::Moment)]);
        let (_, values) =
            told("SELECT 1 FROM \"a\" AS x JOIN \"t\" AS y ON y.id = ?1 AND x.id = ?1");
        assert_eq!(values, [(0, Class::Whole), (0, Class::Plain)]);
    }

    #[test]
    fn a_text_that_is_asked_for_is_that_text_and_no_other() {
        assert_eq!(
            told("UPDATE \"t\" SET \"other\" = ?1 WHERE t.\"name\" = ?2 OR \"id\" = ?3"),
            (
                "UPDATE \"t\" SET \"other\" = ? WHERE (t.\"name\" = ? AND \
                 CAST(CONVERT(t.\"name\" USING utf8mb4) AS binary) = CAST(? AS binary)) \
                 OR \"id\" = ?"
                    .to_owned(),
                vec![
                    (0, Class::Text),
                    (1, Class::Text),
                    (1, Class::Text),
                    (2, Class::Whole)
                ]
            )
        );
        let (text, _) = told("SELECT 1 FROM \"t\" WHERE \"name\" > ?1");
        assert_eq!(text, "SELECT 1 FROM \"t\" WHERE \"name\" > ?");
    }
}
