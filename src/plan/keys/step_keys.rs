//! Keys of steps: those that all kinds share, and each kind's own.

use super::{Key, Shape, may, must};

/// One kind of step.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// The word after `does`.
    pub name: &'static str,
    /// What it does, in a sentence or two.
    pub help: &'static str,
    /// How it is undone.
    pub undo: &'static str,
    /// Its own keys.
    pub keys: &'static [Key],
}

/// The kind of that name.
#[must_use]
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

/// Every kind's word, for `does`.
const NAMES: &[&str] = &[
    "data-copy",
    "catch-up",
    "staff-transfer",
    "contract-novation",
    "tenant-notification",
    "approval",
    "task",
    "wait",
    "freeze",
    "verify",
    "switch",
];

/// What every step may hold.
pub const STEP: &[Key] = &[
    must(
        "title",
        Shape::Text,
        "\"Make the records read-only\"",
        "What people call the step.",
    ),
    must(
        "does",
        Shape::Word(NAMES),
        "\"freeze\"",
        "What the step does: one of eleven kinds.",
    ),
    may(
        "each",
        Shape::Word(&["source", "target"]),
        "\"target\"",
        "One step for every source or target organisation, side by side, named `copy-homes/dover`.",
    ),
    may(
        "after",
        Shape::Names,
        "[\"go-no-go\"]",
        "Steps that must be done before. Between two `each` steps it means the same organisation; from an `each` step to a single one, all of them.",
    ),
    may(
        "start",
        Shape::Date,
        "\"handover - 3 days\"",
        "Not before this moment.",
    ),
    may(
        "due",
        Shape::Date,
        "\"handover - 1 hour\"",
        "When it should be done.",
    ),
    may("owner", Shape::Name, "\"hr\"", "The role that sees to it."),
    may(
        "undo",
        Shape::Text,
        "\"by hand: send letters/correction.md\"",
        "What a rollback can do about it: `automatic`, `by hand: …`, `cannot` or `nothing`. Each kind has its own word, in force unless something else is said.",
    ),
    may(
        "on-failure",
        Shape::Word(&["hold", "undo"]),
        "\"undo\"",
        "What a failed step does by itself: stand as it is (`hold`), or take its own work back at once (`undo`).",
    ),
    may(
        "retry",
        Shape::Table(RETRY),
        "{ attempts = 3, wait = \"5 seconds\" }",
        "How often and how soon a passing fault of the infrastructure is tried again.",
    ),
];

/// `retry = { … }`
pub const RETRY: &[Key] = &[
    may("attempts", Shape::Whole(1, 100), "3", "Attempts in all."),
    may(
        "wait",
        Shape::Text,
        "\"5 seconds\"",
        "Time between two attempts: seconds, minutes or hours.",
    ),
];

/// `totals = [{ … }]`
pub const TOTAL: &[Key] = &[
    must(
        "of",
        Shape::Text,
        "\"account.balance\"",
        "Which control total: a target table, or one of its money columns.",
    ),
    may(
        "by",
        Shape::Text,
        "\"kind\"",
        "The target column, filled through a code list, by which it is told in parts.",
    ),
    may(
        "tolerance",
        Shape::Text,
        "\"0.05\"",
        "How far source and target may be apart, in pounds and pence. Nothing unless said; only money may differ.",
    ),
    may(
        "because",
        Shape::Text,
        "\"interest is posted while rows are loaded\"",
        "Why that is right, for those who sign. Needed with a tolerance.",
    ),
];

const MAP: Key = must(
    "map",
    Shape::Text,
    "\"maps/homes.toml\"",
    "The map file: which source rows become which target rows, column by column.",
);
const SPLIT: Key = may(
    "split",
    Shape::Text,
    "\"property.owner_conf\"",
    "The source column that says whose a row is; its codes stand in `[owner]` of the map. Or a table (`\"property\"`) whose rows the map's rules judge (`[[split.property]]`). Needed where several organisations each get a part.",
);
const TABLES: Key = must(
    "tables",
    Shape::Texts,
    "[\"property\", \"tenagree\"]",
    "Source tables by name.",
);

/// `a data-copy step`, `an approval step`.
#[must_use]
pub fn a_step(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {kind} step")
}

/// The closed list of kinds.
pub const KINDS: &[Kind] = &[
    Kind {
        name: "data-copy",
        help: "Copies rows from the source to the target as a map says. Rows that cannot go are kept as data: copied + rejected + filtered = source.",
        undo: "automatic",
        keys: &[
            MAP,
            SPLIT,
            TABLES,
            may(
                "triggers",
                Shape::Word(&["fire", "off"]),
                "\"off\"",
                "What the target's own triggers do while rows are loaded. Needed where there are any; fired ones end the promise of an exact undo.",
            ),
            may(
                "indexes",
                Shape::Word(&["keep", "rebuild", "rebuild locked"]),
                "\"rebuild\"",
                "What the target's own indexes do while rows are loaded. `rebuild`: those of tables that are empty at the start are set aside and built again behind the last row, foreign keys (on PostgreSQL) too; keys and unique indexes always stay, since they decide about single rows. Each such table is locked while that is done, and its foreign keys hold for nobody in between. `rebuild locked`, on PostgreSQL only: for tables in use. All tables of the step are locked against everybody else from before the first row, as are those that their foreign keys refer to, and filled in one transaction that also builds their indexes again and checks their foreign keys, all rows at once; a stop leaves everything as it was, and the step begins anew. Where nothing is said, `keep`.",
            ),
        ],
    },
    Kind {
        name: "catch-up",
        help: "Reads the source of an earlier copy again and brings over what changed since: rows that are new, that changed, that are gone. As often as wanted; the last one behind the freeze, so that the night holds a short step instead of the whole copy.",
        undo: "automatic",
        keys: &[must(
            "of",
            Shape::Name,
            "\"copy-homes\"",
            "The data-copy step whose rows are brought up to date. It must come before, and stand for the same organisations.",
        )],
    },
    Kind {
        name: "staff-transfer",
        help: "Inserts the employees assigned to the target with their continuity of employment, and ends them at the source. Objectors and the unassigned stay out, with a reason.",
        undo: "automatic until it is effective, then cannot",
        keys: &[
            must(
                "list",
                Shape::Text,
                "\"staff\"",
                "The employee table at the source.",
            ),
            MAP,
            SPLIT,
            may(
                "ends",
                Shape::Text,
                "\"leave_date\"",
                "The source column that takes the last day of employment. `leave_date` unless said.",
            ),
            may(
                "effective",
                Shape::Date,
                "\"handover\"",
                "When employment moves. The handover unless said.",
            ),
        ],
    },
    Kind {
        name: "contract-novation",
        help: "Walks the register of contracts, each by its route; changes the buyer of a contract only when its three signature dates are there.",
        undo: "by hand until signed, then cannot",
        keys: &[
            must(
                "list",
                Shape::Text,
                "\"contract\"",
                "The register of contracts at the source.",
            ),
            MAP,
            SPLIT,
            may(
                "buyer",
                Shape::Text,
                "\"buyer\"",
                "The register's column that names the buyer. `buyer` unless said.",
            ),
        ],
    },
    Kind {
        name: "tenant-notification",
        help: "Writes one letter or e-mail per person and purpose into an outbox, never twice, with a reason for each that is suppressed.",
        undo: "by hand: a correction letter",
        keys: &[
            must(
                "template",
                Shape::Text,
                "\"letters/change.md\"",
                "The letter, with `((name))` for what is filled in.",
            ),
            must(
                "recipients",
                Shape::Text,
                "\"maps/recipients.toml\"",
                "The map that says how people are found: one dataset named `recipient`.",
            ),
            SPLIT,
            may(
                "purpose",
                Shape::Name,
                "\"change-of-manager\"",
                "What the letter is for; one per person and purpose. The step's name unless said.",
            ),
            may(
                "class",
                Shape::Word(&["legal", "service"]),
                "\"legal\"",
                "A `legal` notice goes by post to each named tenant whatever they prefer; `service` news once per household. `legal` unless said.",
            ),
        ],
    },
    Kind {
        name: "approval",
        help: "Waits until every named role has said yes, each by a different person, the author none of them. A no stops the run.",
        undo: "nothing",
        keys: &[
            must(
                "by",
                Shape::Names,
                "[\"housing\", \"s151\"]",
                "The roles that decide: all of them, in every organisation that has the role.",
            ),
            may(
                "needs",
                Shape::Text,
                "\"signed preview\"",
                "What must lie on the table, in words. `signed preview`: the databases are read again as somebody says yes; what nobody signed refuses it.",
            ),
            may(
                "decision",
                Shape::Word(super::plan_keys::DECISION),
                "\"signed\"",
                "Whether decisions here must be signed with a key or may be recorded as said. Absent: what the role says; where that says nothing, signed if a step with `undo = \"cannot\"` comes after, however far.",
            ),
        ],
    },
    Kind {
        name: "task",
        help: "A person does it and says so.",
        undo: "nothing",
        keys: &[may(
            "evidence",
            Shape::Text,
            "\"proof of posting\"",
            "What must be handed in, in words.",
        )],
    },
    Kind {
        name: "wait",
        help: "Nothing after it before a moment.",
        undo: "nothing",
        keys: &[must("until", Shape::Date, "\"handover\"", "The moment.")],
    },
    Kind {
        name: "freeze",
        help: "From here on writes to the named tables fail, proved by trying.",
        undo: "automatic",
        keys: &[
            TABLES,
            may(
                "org",
                Shape::Name,
                "\"ekh\"",
                "Whose tables. The single source unless said.",
            ),
        ],
    },
    Kind {
        name: "verify",
        help: "Holds what the copies before it wrote against the source.",
        undo: "nothing",
        keys: &[
            must(
                "checks",
                Shape::Texts,
                "[\"control totals\", \"keyed digests\"]",
                "What is checked: `control totals`, `parts add up`, `crosswalk`, `row counts`, `keyed digests`, `sum of TABLE.COLUMN`, `every TABLE lands once`.",
            ),
            may(
                "totals",
                Shape::Tables(TOTAL),
                "[{ of = \"account.balance\", by = \"kind\" }]",
                "What more the control totals tell: a total in parts, or one that may differ. Every target table and money column is told anyway, to the row and to the penny. The first approval after the step signs them.",
            ),
        ],
    },
    Kind {
        name: "switch",
        help: "Sets who manages the homes from a moment on, and keeps the history. The landlord never changes.",
        undo: "cannot",
        keys: &[may(
            "effective",
            Shape::Date,
            "\"handover\"",
            "From when. The handover unless said.",
        )],
    },
];
