//! What `handover explain` says: about a code, a kind of step, or a key of a plan or map.
//!
//! In: a word that somebody typed. Out: a page, or the nearest words. Not here: printing.

use super::codes::{self, Page};
use super::keys::{self, KINDS, Key, Shape};
use super::near::near;

/// The page for a code (`HO102`), a kind of step (`data-copy`) or a key (`due`); `None` for anything else.
#[must_use]
pub fn explain(word: &str) -> Option<Page> {
    let word = word.trim().trim_matches('`');
    of_code(word)
        .or_else(|| of_kind(word))
        .or_else(|| of_key(word))
}

/// The known word nearest to one that has no page.
#[must_use]
pub fn nearest(word: &str) -> Option<String> {
    let tables = tables();
    let names = tables
        .iter()
        .flat_map(|(_, keys)| keys.iter())
        .map(|key| key.name);
    let kinds = KINDS.iter().map(|kind| kind.name);
    let codes = codes::all().map(|entry| entry.code);
    near(word, names.chain(kinds).chain(codes)).map(str::to_owned)
}

fn of_code(word: &str) -> Option<Page> {
    let entry = codes::find(word)?;
    Some(Page {
        name: entry.code.to_owned(),
        title: entry.title.to_owned(),
        what: entry.what.to_owned(),
        why: entry.why.to_owned(),
        then: entry.then.to_owned(),
    })
}

fn of_kind(word: &str) -> Option<Page> {
    let kind = keys::kind(word)?;
    let lines: Vec<String> = kind.keys.iter().chain(keys::STEP).map(line).collect();
    Some(Page {
        name: kind.name.to_owned(),
        title: format!("a step that says `does = \"{}\"`", kind.name),
        what: kind.help.to_owned(),
        why: format!("Undo: {}.", kind.undo),
        then: format!("Its keys:\n{}", lines.join("\n")),
    })
}

fn line(key: &Key) -> String {
    let needed = if key.required { ", needed" } else { "" };
    format!("  {}{needed}: {}", key.name, key.help)
}

fn of_key(word: &str) -> Option<Page> {
    let found: Vec<(String, Key)> = tables()
        .into_iter()
        .flat_map(|(table, keys)| keys.iter().map(move |key| (table.clone(), *key)))
        .filter(|(_, key)| key.name == word)
        .collect();
    let (_, first) = found.first()?;
    let tables: Vec<&str> = found.iter().map(|(table, _)| table.as_str()).collect();
    let mut senses: Vec<String> = Vec::new();
    for (table, key) in &found {
        let sense = format!("{table}: {}\n  It takes {}.", key.help, key.shape.words());
        if !senses.contains(&sense) {
            senses.push(sense);
        }
    }
    let example = match first.example {
        "" => String::new(),
        example if matches!(first.shape, Shape::Table(_)) || !example.contains(" = ") => {
            format!("{word} = {example}")
        }
        example => example.to_owned(),
    };
    Some(Page {
        name: word.to_owned(),
        title: format!("a key of {}", tables.join(", ")),
        what: senses.join("\n"),
        why: String::new(),
        then: if example.is_empty() {
            example
        } else {
            format!("For instance: {example}")
        },
    })
}

/// Every table of keys, with what it is called.
pub(super) fn tables() -> Vec<(String, &'static [Key])> {
    let mut all: Vec<(String, &'static [Key])> = vec![
        ("plan.toml".to_owned(), keys::ROOT),
        ("[plan]".to_owned(), keys::PLAN),
        ("`homes`".to_owned(), keys::HOMES),
        ("[org]".to_owned(), keys::ORG),
        ("an organisation's alias".to_owned(), keys::ALIAS),
        ("[role]".to_owned(), keys::ROLE),
        ("[trust]".to_owned(), keys::TRUST),
        ("[trust.group]".to_owned(), keys::WITNESS_GROUP),
        ("people.toml".to_owned(), keys::PERSON),
        ("every step".to_owned(), keys::STEP),
        ("`retry`".to_owned(), keys::RETRY),
    ];
    all.extend(
        KINDS
            .iter()
            .map(|kind| (keys::a_step(kind.name), kind.keys)),
    );
    all.extend([
        ("`totals`".to_owned(), keys::TOTAL),
        ("a map".to_owned(), keys::MAP),
        ("a rule of a map's split".to_owned(), keys::RULE),
        ("a map's code list".to_owned(), keys::CODE),
        ("a code list at one source".to_owned(), keys::AT),
        ("`unmapped`".to_owned(), keys::UNMAPPED),
        ("a map's dataset".to_owned(), keys::DATASET),
        ("a dataset's alias".to_owned(), keys::ALIAS_OF_KEY),
        ("`leave-out`".to_owned(), keys::LEAVE_OUT),
        ("a map's column".to_owned(), keys::COLUMN),
        ("a paper of decisions".to_owned(), keys::DECISIONS),
        ("a decided group".to_owned(), keys::GROUP),
    ]);
    all
}
