//! Keys of a map file.

use super::{Key, Shape, may, must};

/// Most rows that a limit may speak of.
const ROWS_MAX: i64 = 1_000_000_000;

/// The tables of a map file.
pub const MAP: &[Key] = &[
    must(
        "format",
        Shape::Whole(1, 1),
        "1",
        "The version of this file's format.",
    ),
    may(
        "owner",
        Shape::TextsByName,
        "CAN = \"canterbury\"",
        "Codes of the split column, and the organisation each stands for.",
    ),
    may(
        "split",
        Shape::ListsByName(RULE),
        "[[split.property]]",
        "Rules that say whose the rows of a table are, where no column does; a step's `split` names the table. Every other row belongs to whom the row of that table belongs to which it leads to by `[relation]`.",
    ),
    may(
        "relation",
        Shape::TextsByName,
        "\"tenagree.prop_ref\" = \"property.prop_ref\"",
        "Child column = parent column: relations that legacy databases do not declare.",
    ),
    may(
        "code",
        Shape::TablesByName(CODE),
        "[code.tenure]",
        "Code lists, each by a short name.",
    ),
    may(
        "decisions",
        Shape::Text,
        "\"maps/same-people.toml\"",
        "The paper in which people decided about rows that share a natural key (`collision = \"decide\"`).",
    ),
    must(
        "table",
        Shape::TablesByName(DATASET),
        "[table.tenancy]",
        "Datasets: which source table becomes which target table.",
    ),
];

/// `[[split.TABLE]]`
pub const RULE: &[Key] = &[
    must(
        "owner",
        Shape::Name,
        "\"dover\"",
        "Whose the rows are that this rule takes. Several rules may name the same organisation.",
    ),
    may(
        "where",
        Shape::Tables(CONDITION),
        "[{ column = \"prop_ref\", from = \"10000\", to = \"19999\" }]",
        "Conditions that must all hold of a row for the rule to take it.",
    ),
    may(
        "otherwise",
        Shape::Flag,
        "true",
        "Takes every row that no other rule takes. Without such a rule those rows belong to nobody.",
    ),
];

/// `[code.NAME]`
pub const CODE: &[Key] = &[
    must(
        "values",
        Shape::TextsByName,
        "{ SEC = \"secure\" }",
        "Source code = target code.",
    ),
    may(
        "at",
        Shape::TablesByName(AT),
        "[code.tenure.at.dover.values]",
        "What codes mean at one source, where they mean something else there.",
    ),
    may(
        "unmapped",
        Shape::Table(UNMAPPED),
        "{ policy = \"reject\", reason = \"not yet agreed\", limit = 20 }",
        "What happens to a code that is not in the list. A fault unless said.",
    ),
];

/// `[code.NAME.at.ORGANISATION]`
pub const AT: &[Key] = &[must(
    "values",
    Shape::TextsByName,
    "{ SEC = \"non-secure\" }",
    "Source code = target code, at this source.",
)];

/// `unmapped = { … }`
pub const UNMAPPED: &[Key] = &[
    must(
        "policy",
        Shape::Word(&["fault", "reject", "keep"]),
        "\"reject\"",
        "Object, keep the row back, or keep the code as it is.",
    ),
    may(
        "reason",
        Shape::Text,
        "\"not yet agreed\"",
        "Why that is right; needed to reject.",
    ),
    may(
        "limit",
        Shape::Whole(0, ROWS_MAX),
        "20",
        "Most rows that may be kept back so, per organisation; needed to reject.",
    ),
];

/// `[table.NAME]`
pub const DATASET: &[Key] = &[
    must("from", Shape::Text, "\"tenagree\"", "The source table."),
    may(
        "into",
        Shape::Text,
        "\"tenancy\"",
        "The target table. The dataset's name unless said.",
    ),
    must(
        "key",
        Shape::Texts,
        "[\"tag_ref\"]",
        "Source columns that together identify a row.",
    ),
    may(
        "id",
        Shape::Text,
        "\"tenancy_id\"",
        "The target key column whose value Handover draws, and keeps in the crosswalk.",
    ),
    may(
        "aliases",
        Shape::Tables(ALIAS_OF_KEY),
        "[{ name = \"tenancy-of-household\", key = [\"house_ref\"] }]",
        "Further names by which a `lookup` finds the same target key.",
    ),
    may(
        "leave-out",
        Shape::Tables(LEAVE_OUT),
        "[{ column = \"active\", is = [\"0\"], reason = \"never started\" }]",
        "Rows that stay behind on purpose, counted by reason.",
    ),
    may(
        "reject-limit",
        Shape::Whole(0, ROWS_MAX),
        "100",
        "Most rows that may be rejected, per organisation.",
    ),
    may(
        "goes-to",
        Shape::Word(&["owner", "who-needs-it", "both"]),
        "\"who-needs-it\"",
        "To whom rows go: their owner, as the split column says; everybody whose rows refer to them by `[relation]`, near or far (suppliers, officers: what several need is copied to each); or both (the block that another council's flat is in). Their owner unless said.",
    ),
    may(
        "natural-key",
        Shape::Texts,
        "[\"ni_no\"]",
        "Target columns that tell who or what a row is, wherever it comes from.",
    ),
    may(
        "collision",
        Shape::Word(&["refuse", "keep-existing", "namespace", "decide"]),
        "\"keep-existing\"",
        "What becomes of a row whose natural key another source's row has, or one that stands at the target: refuse all, let the one that stands stand for both, keep both apart by the source's code, or as a person decided. Refuse unless said.",
    ),
    must(
        "column",
        Shape::ShortTablesByName(COLUMN),
        "tenancy_ref = \"tag_ref\"",
        "Target columns. What is not named here is not copied.",
    ),
];

/// `aliases = [{ … }]` of a dataset.
pub const ALIAS_OF_KEY: &[Key] = &[
    must(
        "name",
        Shape::Text,
        "\"tenancy-of-household\"",
        "What a `lookup` says to use it.",
    ),
    must(
        "key",
        Shape::Texts,
        "[\"house_ref\"]",
        "Source columns; the first row with a value keeps it.",
    ),
    may(
        "unless",
        Shape::Tables(CONDITION),
        "[{ column = \"present\", is = [\"0\"] }]",
        "Rows that do not get this name.",
    ),
];

const COLUMN_TESTED: Key = must(
    "column",
    Shape::Text,
    "\"active\"",
    "The column: of the source table, or `TABLE.COLUMN` of a parent.",
);
const IS: Key = may("is", Shape::Texts, "[\"0\"]", "It is one of these.");
const NOT: Key = may(
    "not",
    Shape::Texts,
    "[\"1\"]",
    "It is none of these; NULL passes.",
);
const STARTS_WITH: Key = may(
    "starts-with",
    Shape::Texts,
    "[\"D\", \"WD/\"]",
    "It begins with one of these, letter by letter.",
);
const FROM: Key = may(
    "from",
    Shape::Text,
    "\"10000\"",
    "The first reference of a range: the same letters in front as `to`, digits behind.",
);
const TO: Key = may(
    "to",
    Shape::Text,
    "\"19999\"",
    "The last reference of a range. A reference is in it only if it is written like both ends: as many digits where they have as many, no nought in front where they have not.",
);
const POSTCODE: Key = may(
    "postcode",
    Shape::Texts,
    "[\"CT15\", \"CT16 1\"]",
    "It is a postcode in one of these areas (`CT`), districts (`CT15`, never `CT1`), sectors (`CT16 1`) or whole postcodes, however it is spaced.",
);
const BLANK: Key = may("blank", Shape::Flag, "true", "It is NULL or only spaces.");
const PRESENT: Key = may(
    "present",
    Shape::Flag,
    "true",
    "It is neither NULL nor only spaces.",
);

/// A condition.
pub const CONDITION: &[Key] = &[
    COLUMN_TESTED,
    IS,
    NOT,
    STARTS_WITH,
    FROM,
    TO,
    POSTCODE,
    BLANK,
    PRESENT,
];

/// `leave-out = [{ … }]`
pub const LEAVE_OUT: &[Key] = &[
    COLUMN_TESTED,
    IS,
    NOT,
    STARTS_WITH,
    FROM,
    TO,
    POSTCODE,
    BLANK,
    PRESENT,
    must(
        "reason",
        Shape::Text,
        "\"never started\"",
        "Why these rows stay behind.",
    ),
];

/// `[table.NAME.column]`: how a target column gets its value.
pub const COLUMN: &[Key] = &[
    may(
        "from",
        Shape::Text,
        "\"tag_ref\"",
        "The source column, or `TABLE.COLUMN` of a parent by a relation.",
    ),
    may(
        "concat",
        Shape::Texts,
        "[\"post_desig\", \"short_address\"]",
        "Several source columns, joined; blanks are left out.",
    ),
    may(
        "with",
        Shape::AnyText,
        "\", \"",
        "What stands between joined columns. A space unless said.",
    ),
    may(
        "split-at",
        Shape::AnyText,
        "\"/\"",
        "Takes one part of `from`, cut at this.",
    ),
    may(
        "part",
        Shape::Whole(1, 100),
        "1",
        "Which part, counted from 1.",
    ),
    may(
        "constant",
        Shape::AnyText,
        "\"unverified\"",
        "The same text for every row.",
    ),
    may(
        "fill",
        Shape::Word(&["source-org", "target-org", "handover", "run", "source-key"]),
        "\"target-org\"",
        "Something that Handover knows: an organisation's code, the handover, the run's id, the row's key at the source.",
    ),
    may(
        "trim",
        Shape::Flag,
        "false",
        "Drop spaces at both ends. Done unless `false`.",
    ),
    may(
        "case",
        Shape::Word(&["upper", "lower"]),
        "\"upper\"",
        "Letter case.",
    ),
    may(
        "nulls",
        Shape::Texts,
        "[\".\", \"N/A\"]",
        "Texts that mean nothing is known, beside the empty one.",
    ),
    may(
        "repair",
        Shape::Flag,
        "true",
        "Mend Windows-1252 bytes and text that was encoded twice, where that is reversible.",
    ),
    may(
        "as",
        Shape::Word(&[
            "text", "integer", "decimal", "money", "flag", "date", "moment", "uprn",
        ]),
        "\"date\"",
        "What the value becomes. Text unless said; money is pounds and pence, a decimal of scale 2 of which totals are told.",
    ),
    may(
        "scale",
        Shape::Whole(0, 18),
        "6",
        "Digits after the point of a `decimal`.",
    ),
    may(
        "negate",
        Shape::Flag,
        "true",
        "The source writes money with the other sign.",
    ),
    may(
        "formats",
        Shape::Texts,
        "[\"yyyy-mm-dd\", \"dd/mm/yyyy\"]",
        "How dates are written, tried in order: `yyyy-mm-dd`, `dd/mm/yyyy`, `ddmmyyyy`, `yyyymmdd`, `excel`; moments with ` hh:mm` or ` hh:mm:ss` behind.",
    ),
    may(
        "sentinels",
        Shape::Texts,
        "[\"1900-01-01\"]",
        "Dates or texts that mean there is none.",
    ),
    may(
        "latest",
        Shape::Word(&["handover"]),
        "\"handover\"",
        "The later of the value and the handover: a derived effective date.",
    ),
    may("code", Shape::Text, "\"tenure\"", "Through this code list."),
    may(
        "lookup",
        Shape::Text,
        "\"asset\"",
        "The target key that this dataset (or alias) got for the value.",
    ),
    may(
        "bad",
        Shape::Word(&["reject", "null"]),
        "\"null\"",
        "What a value that cannot become that does: reject the row, or stand empty. Reject unless said.",
    ),
    may(
        "required",
        Shape::Flag,
        "true",
        "A row without a value here is rejected.",
    ),
    may(
        "namespace",
        Shape::Flag,
        "true",
        "Puts the source's code before the text (`dover:K00012`): where several sources go into one target, each keeps its own references.",
    ),
    may(
        "default",
        Shape::AnyText,
        "\"unknown\"",
        "Stands where there is no value.",
    ),
];
