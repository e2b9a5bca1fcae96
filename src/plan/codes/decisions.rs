//! `HO4xx`: signing, approving, amending. See `mod`.

use super::Entry;

pub(super) const TABLE: &[Entry] = &[
    Entry::new(
        "HO401",
        "not signed yet",
        "A run, an amendment or a rollback was asked for without every signature that the plan asks of its preview.",
        "What was signed is what runs.",
        "Save the preview with `--out FILE`, have it signed with `handover approve FILE`, then give it with `--signed FILE`.",
    ),
    Entry::new(
        "HO402",
        "a preview that is out of date",
        "The papers, or what the preview was read from, have changed since it was made (what changed is listed), or it is of another run, of a paper that was amended since, or not beside the run that needs it.",
        "Those who signed saw something else.",
        "Preview again, and have signed again what lapsed.",
    ),
    Entry::new(
        "HO403",
        "the person does not hold that role on that day",
        "people.toml does not say that this person holds the role, for an organisation that is asked, on the day of signing.",
        "An auditor asks of every decision whether it was theirs to make.",
        "Check the person's code, roles and dates in people.toml; a change there is a change of the paper.",
    ),
    Entry::new(
        "HO404",
        "an author does not sign their own plan",
        "The plan names this person as its author.",
        "Four eyes are two people: who wrote a plan cannot also approve it.",
        "Let another holder of the role sign, or let the plan name its true author.",
    ),
    Entry::new(
        "HO405",
        "one person cannot sign in two roles",
        "This person has signed the same preview in another role.",
        "Each signature needs a different person, whatever posts somebody holds.",
        "Let a deputy who holds the role sign; people.toml says who does, and when.",
    ),
    Entry::new(
        "HO406",
        "a change of what has begun",
        "The amended plan changes the table or the edges of a step that the run has begun, or `[trust]`; or it changes nothing and is the very paper that the run is bound to.",
        "Its work was done under the old paper, and its log is sealed and witnessed by the keys of the old paper.",
        "Change the plan first; change only steps that have not begun, or roll back past that step; leave `[trust]` as it is.",
    ),
    Entry::new(
        "HO407",
        "no signature is asked of that role",
        "Only the roles that the plan names sign its preview; this one is not among them.",
        "A signature that nobody asked for would look like a decision and bind nobody.",
        "Look at who is asked with `handover preview`, and sign in one of those roles.",
    ),
    Entry::new(
        "HO408",
        "that role has signed already",
        "The seat of this role, for this organisation, bears a signature.",
        "Each seat decides once; a second signature would hide the first.",
        "Nothing is missing here. Look at who is still asked with `handover preview`.",
    ),
    Entry::new(
        "HO409",
        "a decision that must be signed",
        "The plan asks for a signature with the person's key there, and their word was only recorded.",
        "What cannot be undone should rest on what anybody can check, years later and without us.",
        "Sign with `--key FILE`, or write the statement with `--statement FILE`, sign it with `ssh-keygen -Y sign`, and hand both in. A rehearsal may do with recorded decisions.",
    ),
    Entry::new(
        "HO410",
        "a signature that proves something else",
        "The signature does not hold, was made with another key than `people.toml` has for that person, or is over a statement about another log, run, plan, step, person or decision.",
        "A signature is worth exactly what was signed.",
        "Make the statement anew with `--statement FILE`, and have that very file signed.",
    ),
    Entry::new(
        "HO411",
        "a statement that does not count, or no more",
        "The statement was signed for other days, or it has been used already.",
        "Each signature counts once, and for a time: an old yes is no yes to what has changed since.",
        "Make the statement anew with `--statement FILE`, and have it signed.",
    ),
];
