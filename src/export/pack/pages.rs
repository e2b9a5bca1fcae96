//! The pages of a pack that people read: what it is, how to check it, how its formats are made.
//!
//! The texts stand beside this file; what differs from run to run is put in between braces. A section
//! on what this pack does not hold is left out.
//!
//! Whoever verifies a pack makes its pages again. One that was made before a wording changed still holds,
//! because the old texts stay in [`WORDINGS`].

use super::facts::Facts;
use crate::machine::event::ClockKind;

/// The texts of all pages, as some version had them.
struct Wording {
    readme: &'static str,
    verify: &'static str,
    spec: &'static str,
    seals: &'static str,
    approvals: &'static str,
    anchors: &'static str,
}

/// Every wording that a pack was ever given, the newest first. Whoever changes a page puts its old text
/// below `pages/` under another name, and a wording with it here.
const WORDINGS: [Wording; 1] = [Wording {
    readme: include_str!("pages/README.txt"),
    verify: include_str!("pages/VERIFY.md"),
    spec: include_str!("pages/SPEC.md"),
    seals: include_str!("pages/seals.md"),
    approvals: include_str!("pages/approvals.md"),
    anchors: include_str!("pages/anchors.md"),
}];

/// Paths of the pages.
pub(super) const PATHS: [&str; 3] = ["README.txt", "SPEC.md", "VERIFY.md"];

/// Every page by its path, in the newest wording; `has` says whether files stand below a folder.
pub(super) fn newest(facts: &Facts, has: &dyn Fn(&str) -> bool) -> [(&'static str, String); 3] {
    WORDINGS[0].all(facts, has)
}

/// Texts that a page may have, one for each wording.
pub(super) fn worded(path: &str, facts: &Facts, has: &dyn Fn(&str) -> bool) -> Vec<String> {
    let all = WORDINGS.iter().flat_map(|wording| wording.all(facts, has));
    all.filter(|(own, _)| *own == path)
        .map(|(_, text)| text)
        .collect()
}

impl Wording {
    fn all(&self, facts: &Facts, has: &dyn Fn(&str) -> bool) -> [(&'static str, String); 3] {
        let [readme, spec, verify] = PATHS;
        [
            (readme, self.readme(facts, has)),
            (spec, self.spec.to_owned()),
            (verify, self.verify(facts, has)),
        ]
    }

    fn readme(&self, facts: &Facts, has: &dyn Fn(&str) -> bool) -> String {
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
        let is_sealed = has("log/checkpoints/");
        let sealed = if is_sealed {
            "This log is sealed."
        } else {
            "This log is NOT sealed: note down the\nlast line's digest outside, or nothing speaks against one that was written anew."
        };
        let annex = match facts.closed.as_ref().and_then(|closed| closed.annex) {
            Some(digest) => format!(";\nits manifest-sha256.txt has the SHA-256\n{digest}"),
            None => String::new(),
        };
        let mut more = String::new();
        for (there, line) in [
            (
                has("approvals/"),
                "approvals/   decisions that people signed: each statement and its signature\n",
            ),
            (
                has("effects/"),
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
            self.readme,
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

    fn verify(&self, facts: &Facts, has: &dyn Fn(&str) -> bool) -> String {
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
        let seals = section(has("log/checkpoints/"), self.seals);
        let approvals = section(has("approvals/"), self.approvals);
        let anchors = section(has("anchors/"), self.anchors);
        filled(
            self.verify,
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
}

fn filled(page: &str, with: &[(&str, &str)]) -> String {
    let mut page = page.to_owned();
    for (name, text) in with {
        page = page.replace(&format!("{{{name}}}"), text);
    }
    page
}
