//! `handover export RUN --as log|json|mermaid --to PATH`

use std::path::Path;

use super::Outcome;
use super::args::{Export, ExportForm, Global};
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::site;
use crate::preview::timetable::points;
use crate::report::status::StatusReport;
use crate::report::{self, Report as _};

pub(super) async fn export(args: &Export, global: &Global, output: &Output) -> Outcome {
    let (_, mut site) = site::run(args.run.as_deref(), global).await?;
    let plan = site::plan_of(&site)?;
    let text = match args.form {
        ExportForm::Log => {
            let lines = site.journal.export_log(site.head.id, &args.to).await?;
            let shown = args.to.display();
            output.say(&format!(
                "Wrote {lines} entries to {shown}/steps.jsonl, with the papers they name.\n\
                 Next: handover verify {shown}"
            ));
            return Ok(Exit::Done);
        }
        ExportForm::Json => {
            let at = site::clock(&site).as_at().moment();
            let points = points(&plan, None);
            let status = StatusReport::of(&site.head.label, &site.run, &plan, at, &points);
            format!("{:#}\n", status.json())
        }
        ExportForm::Mermaid => report::mermaid::graph(&plan),
    };
    put(&args.to, &text, output)
}

fn put(to: &Path, text: &str, output: &Output) -> Outcome {
    if to == Path::new("-") {
        output.data(text);
        return Ok(Exit::Done);
    }
    if to.exists() {
        return Err(Failure::usage(format!("`{}` exists already", to.display())));
    }
    super::preview::save(to, text.as_bytes())?;
    output.say(&format!("Wrote {}", to.display()));
    Ok(Exit::Done)
}
