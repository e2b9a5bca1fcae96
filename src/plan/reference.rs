//! The reference of every key that a plan, its people and its maps may hold, as Markdown: made from the
//! same table of keys that the walker reads by. `docs/plan-reference.md` is this text; a test compares.
//!
//! Not here: prose about maps (`docs/maps.md`), pages of codes (`codes`).

use std::fmt::Write;

use super::explain::tables;
use super::keys::{KINDS, Key, a_step};

const HEAD: &str = "\
# Plan reference

Every key of `plan.toml`, `people.toml` and map files. This page is made from the table by which plans are
read, like the schema that editors use (`handover schema`) and what `handover explain KEY` prints: do not
edit it. How maps work is told in [maps](maps.md).

A key that is not in its table is an error, with the nearest name that is. Short names are lower-case
letters, digits and hyphens.
";

/// `docs/plan-reference.md`, whole.
#[must_use]
pub fn reference() -> String {
    let mut page = HEAD.to_owned();
    for (name, keys) in tables() {
        let _ = write!(page, "\n## {}\n", heading(&name));
        if let Some(kind) = KINDS.iter().find(|one| a_step(one.name) == name) {
            let _ = write!(page, "\n{} Undo: {}.\n", kind.help, kind.undo);
        }
        page.push_str(&table(keys));
    }
    page
}

fn heading(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    match name {
        "plan.toml" | "people.toml" => format!("`{name}`"),
        _ if name.starts_with('[') => format!("`{name}`"),
        _ => first.into_iter().chain(letters).collect(),
    }
}

fn table(keys: &[Key]) -> String {
    if keys.is_empty() {
        return "\nNo keys of its own.\n".to_owned();
    }
    let mut rows =
        "\n| key | takes | means | for instance |\n| --- | --- | --- | --- |\n".to_owned();
    for key in keys {
        let needed = if key.required { ", needed" } else { "" };
        let example = match key.example {
            "" => String::new(),
            example => format!("`{example}`"),
        };
        let cells = [
            format!("`{}`{needed}", key.name),
            key.shape.words(),
            key.help.to_owned(),
            example,
        ];
        let cells = cells.map(|cell| cell.replace('|', "\\|"));
        let _ = writeln!(rows, "| {} |", cells.join(" | "));
    }
    rows
}
