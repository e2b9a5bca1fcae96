//! See `mod`.

use super::Entry;

pub(super) const TABLE: &[Entry] = &[
    Entry::new(
        "HO401",
        "no signature is asked of that role",
        "Only the roles that the plan names sign its preview; this one is not among them.",
        "A signature that nobody asked for would look like a decision and bind nobody.",
        "Look at who is asked with `handover preview`, and sign in one of those roles.",
    ),
    Entry::new(
        "HO402",
        "the person does not hold that role on that day",
        "people.toml does not say that this person holds the role, for an organisation that is asked, on the day of signing.",
        "An auditor asks of every decision whether it was theirs to make.",
        "Check the person's code, roles and dates in people.toml; a change there is a change of the paper.",
    ),
    Entry::new(
        "HO403",
        "an author does not sign their own plan",
        "The plan names this person as its author.",
        "Four eyes are two people: who wrote a plan cannot also approve it.",
        "Let another holder of the role sign, or let the plan name its true author.",
    ),
    Entry::new(
        "HO404",
        "that role has signed already",
        "The seat of this role, for this organisation, bears a signature.",
        "Each seat decides once; a second signature would hide the first.",
        "Nothing is missing here. Look at who is still asked with `handover preview`.",
    ),
    Entry::new(
        "HO405",
        "one person cannot sign in two roles",
        "This person has signed the same preview in another role.",
        "Each signature needs a different person, whatever posts somebody holds.",
        "Let a deputy who holds the role sign; people.toml says who does, and when.",
    ),
];
