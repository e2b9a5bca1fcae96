//! Codes of the journal and of the run key. See `mod`.

use super::Entry;

pub(super) const TABLE: &[Entry] = &[
    Entry::new(
        "HO601",
        "the journal was cut short",
        "Entries that the journal counted are no longer in it, or the file ends before its pages do.",
        "The step log is the only record of what was done. Going on from a shortened one would write \
         a second history beside the first.",
        "Change nothing and keep a copy of the file as evidence. Put the \
         newest whole copy in its place; without one this run cannot go on.",
    ),
    Entry::new(
        "HO602",
        "the journal was changed",
        "An entry, or a stored paper, is not what was written: its digest does not fit, or the entry \
         after it names other bytes.",
        "Nobody changes an entry in the course of work; even a correction is a new entry.",
        "Keep a copy of the file as evidence and tell the auditor. Nothing is carried out on it.",
    ),
    Entry::new(
        "HO603",
        "made by a newer version",
        "The journal, or an entry in it, has a form that this version of Handover does not know.",
        "An older version would misread it or leave out what it does not understand.",
        "Use the version that made it, or a later one. Nothing was changed.",
    ),
    Entry::new(
        "HO604",
        "a journal on a network drive",
        "The journal's folder lies on a network file system.",
        "Locks and the promise that written bytes survive a power cut do not hold there: two machines \
         could drive one run.",
        "Put the plan folder on a disk of this machine, or set `journal` in `handover.toml` to one.",
    ),
    Entry::new(
        "HO605",
        "the run key is missing or is another run's",
        "The file `run.key` of this run is gone, or does not fit what the log's first entry says.",
        "Without it no row can be recognised as written by this run: nothing can be undone or verified.",
        "Put the key back from the safe of either organisation. Never draw a new one.",
    ),
    Entry::new(
        "HO606",
        "a step that the paper does not have",
        "The journal asks for a step that is not in the paper in force.",
        "The paper's bytes in the journal and its entries disagree.",
        "Run `handover verify RUN`; restore the journal from a copy if it says that it was edited.",
    ),
    Entry::new(
        "HO607",
        "the journal cannot be used",
        "The file is missing, locked, read-only, full, or not a journal.",
        "What cannot be written down first is not done.",
        "The message says which it is. Mend it and run again: nothing is lost.",
    ),
    Entry::new(
        "HO608",
        "no such run, or more than one",
        "The name fits no run of this journal, or the beginning of several.",
        "",
        "`handover status` lists the runs; any beginning that fits only one will do.",
    ),
    Entry::new(
        "HO609",
        "an entry that cannot be written down",
        "Handover tried to write an entry that the step log cannot hold, or a run key over another.",
        "This is a fault of Handover, not of the plan.",
        "Nothing was written. Please report it with the version and the step.",
    ),
    Entry::new(
        "HO610",
        "there is nothing to recover",
        "The step log is whole, and no organisation's ledger speaks of an entry that it lacks.",
        "A successor log beside a whole one would be a second history of the same run.",
        "Carry on with `handover run RUN`.",
    ),
    Entry::new(
        "HO611",
        "the run is closed",
        "The run's log has its last entry, and what was kept for undo at the organisations is gone.",
        "An entry after the last one would be a record that nobody signed off.",
        "Read it with `handover status`, `replay` and `verify`. A new preview, signed, begins a new run.",
    ),
    Entry::new(
        "HO612",
        "the log is not the one that was sealed",
        "A head of this log was signed that covers more entries than there are, or other ones.",
        "The journal was cut, changed or put back from an older copy. Signing what is left would be a second \
         history beside the first, and whoever holds the older seal could prove it.",
        "Change nothing and keep a copy of the folder as evidence. Put the newest whole copy of the journal \
         in its place.",
    ),
    Entry::new(
        "HO613",
        "the log's key, or what it signed last, is missing",
        "The file `log.key` of this run is gone or another log's, or the file `signed` beside it is.",
        "The log was opened as a sealed one: what is not sealed proves nothing to anybody else.",
        "Put the run's folder back as it was. Never draw a new key for a log that has begun.",
    ),
    Entry::new(
        "HO614",
        "a key that is none, or stands there already",
        "The file holds no key of that kind, or a key is there that was not used yet.",
        "A key is never written over: somebody may have published its verifier key.",
        "`handover key show` shows the key that waits for its run; name another file for another witness.",
    ),
    Entry::new(
        "HO615",
        "no key for a log that the plan wants sealed",
        "The plan has `[trust]`, and no key was drawn for the run that is to begin.",
        "Its verifier key belongs in the minute that approves the plan, before anything is done.",
        "`handover key new PLAN`, have what it prints minuted, then run again.",
    ),
    Entry::new(
        "HO616",
        "a witness does not sign",
        "The request does not go on from what the witness signed last, or is not signed by the log; or the witness's clock is behind its last word.",
        "A witness signs one history of a log. That is all it is for.",
        "The message says what does not fit. A log that was cut or forked is evidence: keep both files.",
    ),
    Entry::new(
        "HO617",
        "a cosignature that does not count",
        "The file holds no line by a witness of the plan, or not for a seal of this run, or its time cannot be.",
        "Only witnesses that the paper names count, each only for what it has signed, and at a time that fits the log's.",
        "Ask the witness for the file that `handover witness sign` wrote, and name the run it is for.",
    ),
];
