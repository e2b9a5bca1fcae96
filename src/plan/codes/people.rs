//! `HO2xx`: people and their days.

use super::Entry;

pub(super) const TABLE: &[Entry] = &[
    Entry::new(
        "HO201",
        "a role that nobody holds on the day",
        "A decision or a task is due on a day on which `people.toml` has nobody in that role.",
        "The run would wait there for somebody who is not in post.",
        "Give somebody the role in `people.toml`, with `from` and `to` that cover the day.",
    ),
    Entry::new(
        "HO202",
        "an author who would approve",
        "The only holder of a deciding role is the plan's author.",
        "Two pairs of eyes are the rule: whoever wrote the plan decides nothing in it.",
        "Give the role to somebody else, or name another author.",
    ),
    Entry::new(
        "HO203",
        "one person for two decisions",
        "The same person would have to make two of the decisions that a step asks for.",
        "Each decision is made by a different person.",
        "Give one of the roles to somebody else.",
    ),
    Entry::new(
        "HO204",
        "a person who is there twice",
        "Two people of `people.toml` have the same name, organisation and days, or one code stands twice.",
        "One person under two codes could decide twice.",
        "Keep one entry, with all of their roles.",
    ),
    Entry::new(
        "HO205",
        "an author who is not in people.toml",
        "`author` is a code that `people.toml` does not have.",
        "Nobody could be kept from approving their own plan.",
        "Write the author's code.",
    ),
    Entry::new(
        "HO206",
        "days that end before they begin",
        "`to` is a day before `from`.",
        "",
        "Correct one of the two days. Both days are included.",
    ),
    Entry::new(
        "HO207",
        "a person without a name",
        "An entry of `people.toml` has no `name`.",
        "People who sign are shown by name on the day; names never leave this file.",
        "Add the name.",
    ),
    Entry::new(
        "HO208",
        "nobody signs the preview",
        "The plan moves something, but `signed-by` names no role.",
        "What was signed is what runs: without a signature nothing may run.",
        "Add `signed-by = [\"ROLE\"]` to `[plan]`.",
    ),
    Entry::new(
        "HO209",
        "a key that is none",
        "`key` is not the line of an Ed25519 public key, or everybody could sign for it.",
        "What is signed with another kind of key could not be checked.",
        "Copy the whole line of the `.pub` file that `ssh-keygen -t ed25519` or `-t ed25519-sk` wrote.",
    ),
    Entry::new(
        "HO210",
        "one key for two people",
        "Two people of `people.toml` have the same key, whatever their days are.",
        "Whoever has the key could decide as either: four eyes are two keys as well as two people.",
        "Give each person a key of their own; somebody who came back keeps one entry.",
    ),
    Entry::new(
        "HO211",
        "a signature of somebody without a key",
        "A decision must be signed, and nobody who holds the role on the day has a `key` in `people.toml`.",
        "A live run would wait there for a signature that nobody can make.",
        "Give each holder their key, or say `decision = \"recorded\"` at the step or the role if their word is enough.",
    ),
];
