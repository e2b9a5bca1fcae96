//! Text that came with a log or a folder, as it may be shown: whoever wrote it must not move a terminal's
//! cursor, begin a line of their own, or turn the direction of letters.
//!
//! Not here: whether such text may stand in a log (`line`, `plan`).

/// The text on one line, with `?` for each character that does not stand for itself.
#[must_use]
pub fn shown(text: &str) -> String {
    let plain = |c: char| match c {
        '\n' | '\t' => ' ',
        c if steers(c) => '?',
        c => c,
    };
    text.chars().map(plain).collect()
}

/// Control characters, and those of Unicode that show nothing and change how others are shown.
#[must_use]
pub fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn a_name_begins_no_line_and_moves_no_cursor() {
        assert_eq!(shown("a\nPASS \u{1b}[2Jb\u{202e}c\r"), "a PASS ?[2Jb?c?");
        assert_eq!(shown("Tŷ £5 – “yes”"), "Tŷ £5 – “yes”");
    }
}
