//! The only place that prints: data to stdout, talk to stderr, quiet when a pipe closes.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

use super::args::{Colour, Global, LogFormat};
use super::failure::Failure;
use crate::machine::shown::steers;
use crate::report::{Manner, Report};

/// How to say things, settled once from flags and environment.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is settled by itself, from another flag or another stream"
)]
pub(super) struct Output {
    /// JSON instead of text.
    pub json: bool,
    /// Sentences: no colour, no box drawing, no redrawing.
    pub plain: bool,
    /// Whether to colour stdout.
    pub colour: bool,
    /// Whether to colour stderr, which may go elsewhere.
    pub talk_colour: bool,
    /// Only what went wrong.
    pub quiet: bool,
    /// Whether stdout can be redrawn: a terminal that is not dumb.
    pub live: bool,
    /// Whether somebody can be asked.
    pub asks: bool,
}

impl Output {
    /// Settles it from flags, `NO_COLOR`, `TERM` and what stdout is.
    #[must_use]
    pub(super) fn settle(global: &Global) -> Output {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let terminal = io::stdout().is_terminal();
        let coloured = |terminal: bool| {
            let wanted = match global.color {
                Colour::Always => true,
                Colour::Never => false,
                Colour::Auto => terminal && !dumb && !set("NO_COLOR"),
            };
            wanted && !global.plain && !global.json
        };
        Output {
            json: global.json,
            plain: global.plain || dumb,
            colour: coloured(terminal),
            talk_colour: coloured(io::stderr().is_terminal()),
            quiet: global.quiet,
            live: terminal && !dumb && !global.plain && !global.json && !global.quiet,
            asks: !global.no_input && io::stdin().is_terminal() && terminal,
        }
    }

    /// Data, to stdout. Ends the process quietly with 0 when nobody reads any more.
    pub(super) fn data(&self, text: &str) {
        let text = if self.colour {
            text.to_owned()
        } else {
            anstream::adapter::strip_str(text).to_string()
        };
        let text = tame(&text);
        let mut out = io::stdout().lock();
        let ended = if text.ends_with('\n') || text.is_empty() {
            ""
        } else {
            "\n"
        };
        let written = write!(out, "{text}{ended}").and_then(|()| out.flush());
        if written.is_err_and(|fault| fault.kind() == io::ErrorKind::BrokenPipe) {
            std::process::exit(0);
        }
    }

    /// Data for people, left out with `--quiet`.
    pub(super) fn say(&self, text: &str) {
        if !self.quiet {
            self.data(text);
        }
    }

    /// A note to people beside the data, on stderr.
    pub(super) fn note(&self, text: &str) {
        if !self.quiet && !self.json {
            talk(&format!("note: {text}"));
        }
    }

    /// How reports are drawn here.
    #[must_use]
    pub(super) fn manner(&self) -> Manner {
        Manner {
            plain: self.plain,
            colour: self.colour,
        }
    }

    /// A report: JSON, sentences or drawn.
    pub(super) fn report(&self, report: &impl Report) {
        if self.json {
            self.value(&report.json());
        } else {
            self.say(&report.text(self.manner()));
        }
    }

    /// A JSON value, pretty, to stdout.
    pub(super) fn value(&self, value: &serde_json::Value) {
        self.data(&format!("{value:#}"));
    }

    /// A failure, to stderr (as JSON to stdout with `--json`).
    pub(super) fn failure(&self, failure: &Failure) {
        if let (true, Some(data)) = (self.json, &failure.data) {
            self.value(data);
            return;
        }
        if self.json {
            self.value(&serde_json::json!({
                "format": 1,
                "error": {
                    "exit": failure.exit as u8, "code": failure.code, "says": failure.says,
                    "causes": failure.causes, "hints": failure.hints,
                },
            }));
            return;
        }
        let mut text = failure.drawn.clone().unwrap_or_else(|| words(failure));
        for hint in &failure.hints {
            text.push_str("\nhint: ");
            text.push_str(hint);
        }
        if let Some(code) = &failure.code {
            text.push_str("\nmore: handover explain ");
            text.push_str(code);
        }
        talk(&text);
    }
}

fn words(failure: &Failure) -> String {
    let code = failure
        .code
        .as_ref()
        .map(|code| format!("[{code}]"))
        .unwrap_or_default();
    let mut text = format!("error{code}: {}", failure.says);
    for cause in &failure.causes {
        text.push_str("\n  because: ");
        text.push_str(cause);
    }
    text
}

/// Talk, to stderr; a closed stderr is nobody's loss.
pub(super) fn talk(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", tame(text));
}

/// Text without anything that steers a terminal but line feeds, tabs and our own colours: titles and names
/// in it may be a stranger's.
fn tame(text: &str) -> Cow<'_, str> {
    let ours = |c: char| matches!(c, '\n' | '\t') || !steers(c);
    if text.chars().all(ours) {
        return Cow::Borrowed(text);
    }
    let mut tamed = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let colour = colour(rest);
        let (taken, left) = rest.split_at(colour.unwrap_or(first.len_utf8()));
        tamed.push_str(if colour.is_some() || ours(first) {
            taken
        } else {
            "?"
        });
        rest = left;
    }
    Cow::Owned(tamed)
}

/// The length of the sequence that sets a colour, where the text begins with one.
fn colour(text: &str) -> Option<usize> {
    let inner = text.strip_prefix("\u{1b}[")?;
    let end = inner.find(|c: char| !matches!(c, '0'..='9' | ';'))?;
    inner[end..].starts_with('m').then_some(end + 3)
}

/// Diagnostics (`tracing`) to stderr: warnings by default, more with `-v`.
pub(super) fn diagnostics(global: &Global) {
    use tracing_subscriber::filter::LevelFilter;
    let level = match global.verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let builder = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(io::stderr)
        .with_ansi(false);
    // A second call (tests in one process) finds a subscriber in place: that one serves.
    let _ = match global.log_format {
        LogFormat::Text => builder.without_time().try_init(),
        LogFormat::Jsonl => builder.json().try_init(),
    };
}

#[cfg(test)]
mod tests {
    use super::tame;

    #[test]
    fn colours_pass_and_nothing_else_steers_the_terminal() {
        assert_eq!(
            tame("\u{1b}[1;31mFAIL\u{1b}[0m\n"),
            "\u{1b}[1;31mFAIL\u{1b}[0m\n"
        );
        assert_eq!(tame("a\u{1b}[2Jb\rc\u{1b}]0;x\u{7}d"), "a?[2Jb?c?]0;x?d");
        assert_eq!(tame("\u{1b}["), "?[");
    }
}
