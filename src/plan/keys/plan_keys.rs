//! Keys of `plan.toml` beside its steps, and of `people.toml`.

use super::{Key, Shape, may, must};

/// Most homes, rows or the like that a plan may speak of.
const COUNT_MAX: i64 = 1_000_000_000;

/// The tables of `plan.toml`.
pub const ROOT: &[Key] = &[
    must(
        "plan",
        Shape::Table(PLAN),
        "",
        "What is transferred, by whom and when.",
    ),
    must(
        "phase",
        Shape::NamesByName,
        "\"Cut over\" = [\"freeze\", \"copy-homes\"]",
        "The table of contents: each step stands in exactly one phase, in the order of reading.",
    ),
    must(
        "org",
        Shape::TablesByName(ORG),
        "dover = { name = \"Dover District Council\", kind = \"council\", database = \"env:DOVER_DB\" }",
        "The organisations, each by a short name.",
    ),
    may(
        "role",
        Shape::TablesByName(ROLE),
        "s151 = { title = \"Section 151 officer\", each = \"target\" }",
        "The posts that decide or do, each by a short name. `people.toml` says who holds them when.",
    ),
    may(
        "trust",
        Shape::Table(TRUST),
        "[trust]",
        "Who outside the project signs what they have seen of the step log, and how many of them are needed before a step that cannot be undone.",
    ),
    must(
        "step",
        Shape::TablesByName(super::STEP),
        "[step.freeze]",
        "The steps, each by a short name that never changes: signatures and the log name it.",
    ),
];

/// `[plan]`
pub const PLAN: &[Key] = &[
    must(
        "format",
        Shape::Whole(1, 1),
        "1",
        "The version of this file's format.",
    ),
    must(
        "title",
        Shape::Text,
        "\"East Kent Housing to four councils\"",
        "What people call the transfer.",
    ),
    must(
        "handover",
        Shape::Moment,
        "2020-10-01T00:00:00",
        "The moment from which the new organisations are live, in local time. Every relative date moves with this one line.",
    ),
    may(
        "timezone",
        Shape::Word(&["Europe/London"]),
        "\"Europe/London\"",
        "The zone of every local time in the plan.",
    ),
    must(
        "author",
        Shape::Name,
        "\"p01\"",
        "Who wrote the plan, by their code in `people.toml`. An author approves nothing in it.",
    ),
    may(
        "source",
        Shape::Names,
        "[\"ekh\"]",
        "Organisations that rows, staff and contracts come from. Absent where no data moves.",
    ),
    may(
        "target",
        Shape::Names,
        "[\"dover\", \"thanet\"]",
        "Organisations that rows, staff and contracts go to. Absent where no data moves.",
    ),
    may(
        "homes",
        Shape::Table(HOMES),
        "{ count = 17_000, as-at = 2020-09-01, tolerance = 50 }",
        "How many homes the papers speak of; held against the source rather than believed.",
    ),
    may(
        "signed-by",
        Shape::Names,
        "[\"housing\", \"s151\"]",
        "Roles that sign a preview before anything runs: every holder organisation of each. Needed where a step moves something.",
    ),
];

/// `homes = { … }`
pub const HOMES: &[Key] = &[
    must(
        "count",
        Shape::Whole(0, COUNT_MAX),
        "17_000",
        "How many homes.",
    ),
    must(
        "as-at",
        Shape::Day,
        "2020-09-01",
        "The day on which that was true.",
    ),
    may(
        "tolerance",
        Shape::Whole(0, COUNT_MAX),
        "50",
        "How far the source may be from it before `check` objects. Nothing unless said.",
    ),
];

/// `decision = …`
pub(super) const DECISION: &[&str] = &["signed", "recorded"];

/// `[org]`
pub const ORG: &[Key] = &[
    must(
        "name",
        Shape::Text,
        "\"Dover District Council\"",
        "The organisation's name on the day of handover.",
    ),
    must(
        "kind",
        Shape::Word(&["council", "almo"]),
        "\"council\"",
        "A council owns the homes and is always the landlord; an ALMO manages them.",
    ),
    may(
        "database",
        Shape::Text,
        "\"env:DOVER_DB\"",
        "The environment variable that holds its database's address; never the address itself.",
    ),
    may(
        "gss",
        Shape::Text,
        "\"E07000108\"",
        "The government's code of the area, which stays when names change.",
    ),
    may(
        "aliases",
        Shape::Tables(ALIAS),
        "[{ name = \"Shepway District Council\", to = 2018-03-31 }]",
        "Other names it bore, with the days from and to which it did.",
    ),
];

/// `aliases = [{ … }]`
pub const ALIAS: &[Key] = &[
    must(
        "name",
        Shape::Text,
        "\"Shepway District Council\"",
        "The name.",
    ),
    may(
        "from",
        Shape::Day,
        "1974-04-01",
        "The first day of the name.",
    ),
    may("to", Shape::Day, "2018-03-31", "The last day of the name."),
];

/// `[role]`
pub const ROLE: &[Key] = &[
    must(
        "title",
        Shape::Text,
        "\"Section 151 officer\"",
        "What people call the post.",
    ),
    may(
        "each",
        Shape::Word(&["source", "target"]),
        "\"target\"",
        "One holder in every source, or in every target organisation. Absent: one holder in all.",
    ),
    may(
        "decision",
        Shape::Word(DECISION),
        "\"signed\"",
        "Whether this post's decisions must be signed with a key or may be recorded as said: at every gate that says nothing itself, and under previews. Absent: signed at a gate that a step with `undo = \"cannot\"` comes after, recorded elsewhere.",
    ),
];

/// `[trust]`
pub const TRUST: &[Key] = &[
    must(
        "witness",
        Shape::TextsByName,
        "{ audit = \"audit.example+9c2b…\" }",
        "Each witness by a short name, with the verifier key that `handover key new --witness` showed them.",
    ),
    may(
        "group",
        Shape::TablesByName(WITNESS_GROUP),
        "{ orgs = { need = \"any\", of = [\"council\", \"almo\"] } }",
        "Witnesses that stand for each other. A group may hold groups that stand above it; nobody is in two.",
    ),
    must(
        "quorum",
        Shape::Name,
        "\"gate\"",
        "The witness or group whose cosignatures a seal needs before a step that cannot be undone may start.",
    ),
];

/// `[trust.group]`
pub const WITNESS_GROUP: &[Key] = &[
    must(
        "need",
        Shape::Text,
        "\"any\"",
        "How many of them: `any` (one), `all`, or a number such as `2`.",
    ),
    must(
        "of",
        Shape::Names,
        "[\"council\", \"almo\"]",
        "Witnesses, or groups that stand above this one.",
    ),
];

/// `people.toml`: `[p01]`
pub const PERSON: &[Key] = &[
    may(
        "name",
        Shape::Text,
        "\"A Person\"",
        "Their name. It never leaves this file: logs hold the code.",
    ),
    must(
        "org",
        Shape::Name,
        "\"dover\"",
        "The organisation they act for.",
    ),
    must(
        "roles",
        Shape::Names,
        "[\"housing\"]",
        "The roles they hold.",
    ),
    may(
        "from",
        Shape::Day,
        "2020-01-06",
        "The first day on which they hold them.",
    ),
    may(
        "to",
        Shape::Day,
        "2020-12-31",
        "The last day on which they hold them.",
    ),
    may(
        "key",
        Shape::Text,
        "\"ssh-ed25519 AAAAC3Nza…\"",
        "The public key that they sign with: the line of a `.pub` file that `ssh-keygen -t ed25519` (or `-t ed25519-sk`) wrote. Its comment never leaves this file.",
    ),
];
