//! Letter templates: plain text or Markdown with `((field))` where something about the recipient or
//! the transfer stands.
//!
//! What comes from data is never read as a template, as Markdown or as a link: values are put in in
//! one pass, their marks escaped, their web addresses broken.
//!
//! Not here: which fields there are (`steps::tenant_notification`).

use std::collections::BTreeMap;

/// A template, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Field(String),
}

impl Template {
    /// Takes `text` apart. A `((` without its `))`, or with anything between that is no field's name,
    /// is text.
    #[must_use]
    pub fn new(text: &str) -> Template {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("((") {
            plain.push_str(before);
            match after.split_once("))") {
                Some((name, after)) if is_name(name) => {
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                    parts.push(Part::Field(name.trim().to_lowercase().replace(' ', "_")));
                    rest = after;
                }
                _ => {
                    plain.push_str("((");
                    rest = after;
                }
            }
        }
        plain.push_str(rest);
        parts.push(Part::Text(plain));
        Template { parts }
    }

    /// Names of its fields, in their order, each once.
    #[must_use]
    pub fn fields(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for part in &self.parts {
            if let Part::Field(name) = part
                && !names.contains(&name.as_str())
            {
                names.push(name);
            }
        }
        names
    }

    /// The text with its fields filled; a field without a value is left empty (`check` has seen to
    /// it that nobody forgot one). A line of the template that holds fields only, all of them empty,
    /// is left out: a short address leaves no gap.
    #[must_use]
    pub fn render(&self, values: &BTreeMap<&str, String>) -> String {
        let mut text = String::new();
        let mut line = Line::default();
        for part in &self.parts {
            match part {
                Part::Text(plain) => {
                    for piece in plain.split_inclusive('\n') {
                        line.text.push_str(piece);
                        line.is_said |= !piece.trim().is_empty();
                        if piece.ends_with('\n') {
                            line.finish(&mut text);
                        }
                    }
                }
                Part::Field(name) => {
                    let value = values.get(name.as_str()).map_or("", String::as_str);
                    line.has_field = true;
                    line.is_said |= !value.trim().is_empty();
                    line.text.push_str(&harmless(value));
                }
            }
        }
        line.finish(&mut text);
        text
    }
}

/// A line being filled.
#[derive(Default)]
struct Line {
    text: String,
    has_field: bool,
    is_said: bool,
}

impl Line {
    fn finish(&mut self, whole: &mut String) {
        let line = std::mem::take(self);
        if line.is_said || !line.has_field {
            whole.push_str(&line.text);
        }
    }
}

fn is_name(text: &str) -> bool {
    let name = text.trim();
    !name.is_empty()
        && name.len() <= 40
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ' ')
}

/// A value as text that no reader of Markdown takes for anything else. Line ends stay only where we
/// put them ourselves: in values they are spaces.
#[must_use]
pub fn harmless(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '~' | '|' | '^' | '(' | ')'
            | '!' => {
                text.push('\\');
                text.push(c);
            }
            c if c.is_control() => text.push(' '),
            c => text.push(c),
        }
    }
    text.replace("://", ": //")
        .replace("www.", "www .")
        .replace("WWW.", "WWW .")
}
