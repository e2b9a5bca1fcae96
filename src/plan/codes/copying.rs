//! HO501 to HO512: why a row cannot go, and when there are too many of them. Rejected rows are kept as data.

use super::Entry;

pub(super) const TABLE: &[Entry] = &[
    Entry::new(
        "HO501",
        "a required value is missing",
        "The source has nothing where the target must have something.",
        "",
        "Mend the row at the source, or give the column a `default`.",
    ),
    Entry::new(
        "HO502",
        "not a date",
        "A value cannot be read in any of the column's date formats, or is no day of the calendar.",
        "",
        "Add the format, name it among `sentinels` if it means none, or say `bad = \"null\"`.",
    ),
    Entry::new(
        "HO503",
        "not a whole number",
        "A value is no whole number.",
        "",
        "Mend the row, or copy the column as text.",
    ),
    Entry::new(
        "HO504",
        "not money at its scale",
        "An amount has more digits after the point than the column, or is no number.",
        "Rounding would lose pence, and totals would not agree.",
        "Mend the row at the source; a larger `scale` where the target has one.",
    ),
    Entry::new(
        "HO505",
        "a lookup that found nothing",
        "The parent of the row was not copied: an orphan.",
        "A tenancy without its home, or money without its account, is worse than none.",
        "Mend the reference at the source. Rows whose parent was rejected follow it.",
    ),
    Entry::new(
        "HO506",
        "a key twice",
        "Two source rows have the same key, or the target has a row with it already.",
        "",
        "Find out which of the two is meant; `leave-out` the other.",
    ),
    Entry::new(
        "HO507",
        "text in a bad encoding",
        "The value's bytes are no text, or were encoded twice in a way that cannot be turned back.",
        "",
        "Say `repair = true` where that is right, or mend the row.",
    ),
    Entry::new(
        "HO508",
        "not a flag",
        "A value is none of the words for yes and no.",
        "",
        "Go through a code list instead.",
    ),
    Entry::new(
        "HO509",
        "not a UPRN",
        "A property reference number is not 1 to 12 digits; `1.00061E+11` has lost its last digits in a spreadsheet.",
        "A wrong UPRN sends a gas engineer to another home.",
        "Take the number from the address gazetteer.",
    ),
    Entry::new(
        "HO510",
        "refused by the target",
        "A constraint of the target's own schema refused the row.",
        "",
        "See which constraint, and mend the row or the map.",
    ),
    Entry::new(
        "HO511",
        "an unmapped code, met while copying",
        "A code that the map does not cover came in after `check`.",
        "A guess at a tenure is a guess at a tenant's rights, so the organisation's copy stops; the others go on.",
        "Add the code to the map, `preview RUN --amend`, have it signed, run again.",
    ),
    Entry::new(
        "HO512",
        "more rejected rows than the plan allows",
        "The dataset's `reject-limit`, or a code list's `limit`, is passed.",
        "Many rejected rows have one cause; a limit finds it before the night is over.",
        "Look at the rejected rows, mend the cause, run again.",
    ),
];
