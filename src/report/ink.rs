//! How text is drawn: plain or not, coloured or not, wrapped to 80 columns. Nothing is said by colour
//! alone: every tone stands on a word or a symbol with a word beside it.
//!
//! Not here: tables (`table`), what is said.

use anstyle::{AnsiColor, Style};

/// Columns of a drawn report.
pub const WIDTH: usize = 80;

/// How to say things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Manner {
    /// Sentences: no colour, no columns, no redrawing.
    pub plain: bool,
    /// Colour, in drawn text only.
    pub colour: bool,
}

impl Manner {
    /// Drawn, without colour: a pipe.
    pub const DRAWN: Manner = Manner {
        plain: false,
        colour: false,
    };
    /// Sentences.
    pub const PLAIN: Manner = Manner {
        plain: true,
        colour: false,
    };
    /// Drawn in colour: a terminal.
    pub const COLOUR: Manner = Manner {
        plain: false,
        colour: true,
    };

    /// `text` in a tone, where colour is on.
    #[must_use]
    pub fn paint(self, tone: Tone, text: &str) -> String {
        if self.plain || !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let style = tone.style();
        format!("{style}{text}{style:#}")
    }

    /// A heading.
    #[must_use]
    pub fn head(self, text: &str) -> String {
        self.paint(Tone::Head, text)
    }
}

/// What a word weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// A heading.
    Head,
    /// Done, agreed.
    Good,
    /// Failed, cannot.
    Bad,
    /// Needs a person.
    Warn,
    /// Beside the point.
    Quiet,
}

impl Tone {
    fn style(self) -> Style {
        let ink = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
        match self {
            Tone::Head => Style::new().bold(),
            Tone::Good => ink(AnsiColor::Green),
            Tone::Bad => ink(AnsiColor::Red).bold(),
            Tone::Warn => ink(AnsiColor::Yellow),
            Tone::Quiet => Style::new().dimmed(),
        }
    }
}

/// Lines of a report.
#[derive(Debug, Clone, Default)]
pub struct Lines(String);

impl Lines {
    /// No line yet.
    #[must_use]
    pub fn new() -> Lines {
        Lines::default()
    }

    /// One line as it is; spaces at its end are dropped.
    pub fn line(&mut self, text: impl AsRef<str>) -> &mut Lines {
        self.0.push_str(text.as_ref().trim_end());
        self.0.push('\n');
        self
    }

    /// An empty line, unless one stands there or nothing does.
    pub fn gap(&mut self) -> &mut Lines {
        if !self.0.is_empty() && !self.0.ends_with("\n\n") {
            self.0.push('\n');
        }
        self
    }

    /// `text` after `lead`, wrapped; further lines stand under the first word of the text.
    pub fn wrapped(&mut self, lead: &str, text: &str) -> &mut Lines {
        let hang = lead.chars().count();
        for (at, line) in wrap(text, WIDTH.saturating_sub(hang)).iter().enumerate() {
            let lead = if at == 0 {
                lead.to_owned()
            } else {
                " ".repeat(hang)
            };
            self.line(format!("{lead}{line}"));
        }
        self
    }

    /// Everything, ending in one newline.
    #[must_use]
    pub fn text(mut self) -> String {
        while self.0.ends_with("\n\n") {
            self.0.pop();
        }
        self.0
    }
}

/// Words of `text` in lines of at most `width` columns; a longer word stands alone. Never empty.
#[must_use]
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            lines.push(String::new());
            used = 0;
        }
        if let Some(line) = lines.last_mut() {
            if used > 0 {
                line.push(' ');
                used += 1;
            }
            line.push_str(word);
            used += length;
        }
    }
    lines
}

/// `left` and `right` at both ends of a line; on two lines where they do not fit on one.
#[must_use]
pub fn ends(left: &str, right: &str) -> String {
    let used = left.chars().count() + right.chars().count();
    if used + 2 > WIDTH {
        return format!("{left}\n{right}");
    }
    format!("{left}{}{right}", " ".repeat(WIDTH - used))
}
