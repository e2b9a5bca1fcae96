//! `handover export RUN --as log|json|mermaid|signers|reconciliation --to PATH`; what else it writes is in
//! `evidence`.

use std::path::Path;

use super::Outcome;
use super::args::{Export, ExportForm, Global};
use super::evidence;
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::site;
use crate::export::views::View;
use crate::preview::timetable::points;
use crate::replay::totals;
use crate::report::reconciliation::{ReconciliationReport, csv};
use crate::report::status::StatusReport;
use crate::report::{self, Manner, Report as _};
use crate::signature::AllowedSigners;

pub(super) async fn export(args: &Export, global: &Global, output: &Output) -> Outcome {
    if let Some(seq) = args.entry {
        return evidence::entry(seq, args, global, output).await;
    }
    match args.form {
        ExportForm::Reconciliation => return reconciliation(args, global, output).await,
        ExportForm::Pack => return evidence::pack(args, global, output).await,
        ExportForm::Annex => return evidence::annex(args, global, output).await,
        ExportForm::Ocel => return evidence::view(View::Ocel, args, global, output).await,
        ExportForm::Xes => return evidence::view(View::Xes, args, global, output).await,
        ExportForm::Csv => return evidence::view(View::Csv, args, global, output).await,
        ExportForm::OpenLineage => {
            return evidence::view(View::OpenLineage, args, global, output).await;
        }
        ExportForm::Log | ExportForm::Json | ExportForm::Mermaid | ExportForm::Signers => {}
    }
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
        ExportForm::Signers => AllowedSigners::of(&plan.outline.holders).write(),
        _ => report::mermaid::graph(&plan),
    };
    put(&args.to, &text, output)
}

/// The pack of a run or of an exported log: from the log alone, no database is asked.
async fn reconciliation(args: &Export, global: &Global, output: &Output) -> Outcome {
    let mut log = super::log::open(args.run.as_deref().unwrap_or("."), global).await?;
    let lines = log.folder.lines()?;
    let told =
        totals::told(&mut log.folder, lines).map_err(|fault| super::replay::diverges(&fault))?;
    let plan = super::replay::plan_of(&log.folder, &told.run)?;
    let Some(pack) = ReconciliationReport::of(&told, &plan) else {
        let says = "the plan of this run asks for no control totals";
        let way = "add `\"control totals\"` to the `checks` of a `verify` step";
        return Err(Failure::usage(says).with(super::failure::hint(way)));
    };
    let files = [
        ("reconciliation.txt", pack.drawn(Manner::DRAWN)),
        ("reconciliation.json", format!("{:#}\n", pack.json())),
        ("reconciliation.csv", csv::csv(&pack)),
    ];
    for (name, _) in &files {
        let path = args.to.join(name);
        if path.exists() {
            return Err(Failure::usage(format!(
                "`{}` exists already",
                path.display()
            )));
        }
    }
    std::fs::create_dir_all(&args.to).map_err(|fault| {
        let says = format!("`{}` cannot be made: {fault}", args.to.display());
        Failure::new(Exit::Database, says)
    })?;
    for (name, text) in &files {
        super::saved::whole(&args.to.join(name), text.as_bytes())?;
    }
    let shown = args.to.display();
    output.say(&format!(
        "{}\nWrote {shown}/reconciliation.txt, .json and .csv, fingerprint {}.",
        pack.says,
        pack.fingerprint.short()
    ));
    Ok(Exit::Done)
}

fn put(to: &Path, text: &str, output: &Output) -> Outcome {
    if to == Path::new("-") {
        output.data(text);
        return Ok(Exit::Done);
    }
    if to.exists() {
        return Err(Failure::usage(format!("`{}` exists already", to.display())));
    }
    super::saved::whole(to, text.as_bytes())?;
    output.say(&format!("Wrote {}", to.display()));
    Ok(Exit::Done)
}
