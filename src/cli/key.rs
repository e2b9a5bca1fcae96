//! `handover key destroy RUN`: the end of undo and row verification, on purpose.

use super::Outcome;
use super::args::{Global, Key};
use super::exit::Exit;
use super::failure::{Failure, hint};
use super::output::Output;
use super::rollback::confirm;
use super::site;
use crate::journal::destroy_key;

pub(super) async fn key(args: &Key, global: &Global, output: &Output) -> Outcome {
    let Key::Destroy {
        run,
        confirm: typed,
    } = args;
    let (_, site) = site::run(run.as_deref(), global).await?;
    if !site.run.closed() {
        return Err(
            Failure::usage(format!("`{}` is not closed", site.head.label)).with(hint(
                "a run that is not closed may still need its key: handover close RUN",
            )),
        );
    }
    let plan = site::plan_of(&site)?;
    confirm(typed.as_deref(), &plan.name, output)?;
    destroy_key(site.folder.path())?;
    output.say(
        "The key is destroyed. Nobody can undo or verify single rows of this run any more; \
         its log still verifies.",
    );
    Ok(Exit::Done)
}
