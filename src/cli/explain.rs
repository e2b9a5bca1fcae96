//! `handover explain CODE|KIND|FIELD`

use super::Outcome;
use super::args::Explain;
use super::exit::Exit;
use super::failure::{Failure, hint};
use super::output::Output;
use crate::plan::{self, codes};
use crate::report::explain::ExplainReport;

pub(super) fn explain(args: &Explain, output: &Output) -> Outcome {
    let Some(what) = &args.what else {
        output.say(&contents());
        return Ok(Exit::Done);
    };
    let Some(page) = plan::explain(what) else {
        let failure = Failure::usage(format!("there is nothing to explain under `{what}`"));
        let near = plan::nearest(what).map(|near| format!("did you mean `{near}`?"));
        let more = "`handover explain` lists every code, kind of step and field".to_owned();
        return Err(failure.with(hint(near.unwrap_or(more))));
    };
    output.report(&ExplainReport::from(page));
    Ok(Exit::Done)
}

/// Every code with its title, one a line.
fn contents() -> String {
    let lines: Vec<String> = codes::all()
        .map(|entry| format!("  {}  {}\n", entry.code, entry.title))
        .collect();
    format!(
        "handover explain CODE, a kind of step (data-copy) or a field (on-failure)\n\n{}",
        lines.concat()
    )
}
