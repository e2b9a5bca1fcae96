//! `handover key new|show|destroy`: the key that seals a log, with the words for the minute that makes
//! it count; a witness's key; and the end of a run's own key.

use std::path::Path;

use serde_json::json;

use super::Outcome;
use super::args::{Global, Key};
use super::exit::Exit;
use super::failure::{Failure, hint};
use super::output::Output;
use super::rollback::confirm;
use super::settings::Project;
use super::site;
use crate::journal::{Journal, destroy_key, draw_witness_key, load_log_key, load_witness_key};
use crate::plan::vkey::Vkey;

pub(super) async fn key(args: &Key, global: &Global, output: &Output) -> Outcome {
    match args {
        Key::New {
            witness: Some(name),
            to,
            ..
        } => new_witness(name, to.as_deref(), output),
        Key::New { plan, .. } => new_log(plan.as_deref(), global, output).await,
        Key::Show {
            witness: Some(file),
            ..
        } => {
            let key = load_witness_key(file)?;
            say_witness(key.vkey(), file, output);
            Ok(Exit::Done)
        }
        Key::Show { what, .. } => show_log(what.as_deref(), global, output).await,
        Key::Destroy {
            run,
            confirm: typed,
        } => destroy(run.as_deref(), typed.as_deref(), global, output).await,
    }
}

async fn new_log(plan: Option<&str>, global: &Global, output: &Output) -> Outcome {
    let project = site::project(plan, global)?;
    site::plan(&project, output)?;
    let mut journal = Journal::open(&project.journal).await?;
    let key = journal.prepare_log_key(&project.name()).await?;
    say_log(key.vkey(), &project, output);
    Ok(Exit::Done)
}

/// The key that waits for its run, or a run's own.
async fn show_log(what: Option<&str>, global: &Global, output: &Output) -> Outcome {
    let project = site::project(what, global)?;
    let mut journal = Journal::existing(&project.journal).await?;
    let names_run = what.is_some_and(|what| !Path::new(what).exists());
    if !names_run && let Some((_, key)) = journal.prepared_log_key(&project.name()).await? {
        say_log(key.vkey(), &project, output);
        return Ok(Exit::Done);
    }
    let (project, site) = site::run(what, global).await?;
    let opened = site.run.opened().and_then(|opened| opened.log_key.clone());
    let Some(opened) = opened else {
        return Err(
            Failure::usage(format!("the step log of `{}` has no key", site.head.label)).with(hint(
                "a key is made before a run begins: handover key new PLAN",
            )),
        );
    };
    let key = load_log_key(site.folder.path(), &site.head.origin, &opened)?;
    say_log(key.vkey(), &project, output);
    Ok(Exit::Done)
}

fn say_log(vkey: &Vkey, project: &Project, output: &Output) {
    if output.json {
        output.value(&json!({ "origin": vkey.name(), "verifier_key": vkey.to_string() }));
        return;
    }
    let origin = vkey.name();
    let run = origin.rsplit('/').next().unwrap_or(origin);
    let folder = project.journal.parent().unwrap_or(Path::new("."));
    output.data(&format!(
        "For the minute that approves the plan, word for word:\n\n  \
         The step log of this transfer is called\n    {origin}\n  \
         and is sealed by the key\n    {vkey}\n  \
         A log that this key has not sealed is not the record of this transfer.\n\n\
         The secret part is in {}, and nobody but you can read it.\n\
         Put a copy in a safe: without it nothing more can be sealed.\n",
        folder.join(run).join("log.key").display()
    ));
}

fn new_witness(name: &str, to: Option<&Path>, output: &Output) -> Outcome {
    let file = to.ok_or_else(|| {
        Failure::usage("a witness's key needs a file of its own").with(hint("add --to FILE"))
    })?;
    let key = draw_witness_key(file, name)?;
    say_witness(key.vkey(), file, output);
    Ok(Exit::Done)
}

fn say_witness(vkey: &Vkey, file: &Path, output: &Output) {
    if output.json {
        output.value(&json!({ "name": vkey.name(), "verifier_key": vkey.to_string() }));
        return;
    }
    output.data(&format!(
        "For `[trust]` of the plan whose log is witnessed:\n\n  witness = {{ NAME = \"{vkey}\" }}\n\n\
         The secret part is in {}. It never leaves the witness's own machine.\n",
        file.display()
    ));
}

async fn destroy(
    run: Option<&str>,
    typed: Option<&str>,
    global: &Global,
    output: &Output,
) -> Outcome {
    let (_, site) = site::run(run, global).await?;
    if !site.run.closed() {
        return Err(
            Failure::usage(format!("`{}` is not closed", site.head.label)).with(hint(
                "a run that is not closed may still need its key: handover close RUN",
            )),
        );
    }
    let plan = site::plan_of(&site)?;
    confirm(typed, &plan.name, output)?;
    destroy_key(site.folder.path())?;
    output.say(
        "The key is destroyed. Nobody can undo or verify single rows of this run any more; \
         its log still verifies.",
    );
    Ok(Exit::Done)
}
