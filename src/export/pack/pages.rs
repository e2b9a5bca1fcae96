//! The pages of a pack that people read: what it is, how to check it, how its formats are made.
//!
//! The texts stand beside this file; what differs from run to run is put in between braces. A section
//! on what this pack does not hold is left out.

use super::facts::Facts;
use super::write::Beside;
use crate::machine::event::ClockKind;

const README: &str = include_str!("pages/README.txt");
const VERIFY: &str = include_str!("pages/VERIFY.md");
const SPEC: &str = include_str!("pages/SPEC.md");

/// Every page by its path.
pub(super) fn all(facts: &Facts, beside: &Beside) -> [(&'static str, String); 3] {
    [
        ("README.txt", readme(facts, beside)),
        ("SPEC.md", SPEC.to_owned()),
        ("VERIFY.md", verify(facts, beside)),
    ]
}

fn filled(page: &str, with: &[(&str, &str)]) -> String {
    let mut page = page.to_owned();
    for (name, text) in with {
        page = page.replace(&format!("{{{name}}}"), text);
    }
    page
}

fn readme(facts: &Facts, beside: &Beside) -> String {
    let rehearsal = match facts.opened.clock {
        ClockKind::Real => "",
        ClockKind::MadeUp => {
            "\nTHIS IS A REHEARSAL: the clock was made up, and so may the data be.\n"
        }
    };
    let state = match &facts.closed {
        Some(closed) => format!(
            "closed: {} steps completed, {} undone, {} other",
            closed.completed, closed.undone, closed.other
        ),
        None => "not closed: more may have followed".to_owned(),
    };
    let is_sealed = !beside.seals.is_empty();
    let sealed = if is_sealed {
        "This log is sealed."
    } else {
        "This log is NOT sealed: note down the\nlast line's digest outside, or nothing speaks against one that was written anew."
    };
    let annex = match facts.closed.as_ref().and_then(|closed| closed.annex) {
        Some(digest) => format!(";\nits manifest-sha256.txt has the SHA-256\n{digest}"),
        None => String::new(),
    };
    let has = |folder: &str| beside.files.keys().any(|path| path.starts_with(folder));
    let mut more = String::new();
    for (there, line) in [
        (
            !beside.signed.is_empty(),
            "approvals/   decisions that people signed: each statement and its signature\n",
        ),
        (
            beside.effects.is_some(),
            "effects/     the ledgers' rows in the organisations' databases, when the run was closed\n",
        ),
        (has("anchors/"), "anchors/     time-stamps over seals\n"),
        (
            has("policy/"),
            "policy/      keys and policies, for convenience: trust only those published elsewhere\n",
        ),
    ] {
        if there {
            more.push_str(line);
        }
    }
    let seal_files = if is_sealed {
        ", its seals, and the tree over it"
    } else {
        ""
    };
    filled(
        README,
        &[
            ("rehearsal", rehearsal),
            ("origin", &facts.opened.origin),
            ("size", &facts.size.to_string()),
            ("newest", &(facts.size - 1).to_string()),
            ("first", &facts.first.to_string()),
            ("last", &facts.last.to_string()),
            ("state", &state),
            ("head", &facts.head.to_string()),
            ("sealed", sealed),
            ("seal_files", seal_files),
            ("more", &more),
            ("annex", &annex),
        ],
    )
}

fn verify(facts: &Facts, beside: &Beside) -> String {
    let papers = (1..).zip(&facts.papers);
    let papers: String = papers
        .flat_map(|(number, paper)| {
            [
                paper.to_string(),
                format!("  data/plan/{number:02}.sha256\n"),
            ]
        })
        .collect();
    let mut next = 4;
    let mut section = |there: bool, page: &str| {
        if !there {
            return String::new();
        }
        let page = page.replace("{next}", &next.to_string());
        next += 1;
        page
    };
    let has = |folder: &str| beside.files.keys().any(|path| path.starts_with(folder));
    let seals = section(!beside.seals.is_empty(), include_str!("pages/seals.md"));
    let approvals = section(
        !beside.signed.is_empty(),
        include_str!("pages/approvals.md"),
    );
    let anchors = section(has("anchors/"), include_str!("pages/anchors.md"));
    filled(
        VERIFY,
        &[
            ("seals", &seals),
            ("approvals", &approvals),
            ("anchors", &anchors),
            ("next", &next.to_string()),
            ("papers", &papers),
            ("head", &facts.head.to_string()),
            ("size", &facts.size.to_string()),
            ("origin", &facts.opened.origin),
        ],
    )
}
