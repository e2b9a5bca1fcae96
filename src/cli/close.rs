//! `handover close RUN`: keep what the ledgers say and the restricted annex, write the log's last entry,
//! export the log, take our tables' rows out of the organisations' databases. Undo ends there.

use super::Outcome;
use super::args::{Close, Global};
use super::exit::Exit;
use super::failure::{Failure, hint};
use super::output::Output;
use super::rollback::confirm;
use super::settings::Project;
use super::site;
use crate::run::Site;
use crate::run::close::{self, Kept};
use crate::run::connect::Addresses;

pub(super) async fn close(args: &Close, global: &Global, output: &Output) -> Outcome {
    let (project, mut site) = site::run(args.run.as_deref(), global).await?;
    site::held_against(&project, &mut site).await?;
    let plan = site::plan_of(&site)?;
    ended(&site)?;
    confirm(args.confirm.as_deref(), &plan.name, output)?;
    let addresses = project.addresses(&plan)?.all()?;
    let clock = site::clock(&site);
    let label = site.head.label.clone();
    let keep = async |site: &Site| keep(site, &project, &addresses).await;
    let mut site = close::close(site, clock, Box::new(|_, _| {}), keep).await?;
    let lines = site.journal.export_log(site.head.id, &args.to).await?;
    close::clear(site.head.id, &addresses).await?;
    output.say(&format!(
        "Closed {label}. {lines} entries are in {}. What we kept in {} databases is gone; undo ends here.\n\
         Next: handover export {label} --as pack --to FOLDER",
        args.to.display(),
        addresses.len()
    ));
    Ok(Exit::Done)
}

fn ended(site: &Site) -> Result<(), Failure> {
    if site.run.closed() || site.run.finished() || site.run.rolled_back() {
        return Ok(());
    }
    let says = format!("{} is not at an end", site.head.label);
    Err(Failure::usage(says).with(hint(
        "a run is closed when every step is done, or after a rollback",
    )))
}

/// What will be gone, or may change, once the run is closed.
async fn keep(site: &Site, project: &Project, addresses: &Addresses) -> Result<Kept, Failure> {
    // Once more, since the run is ours: somebody may have gone on while the question stood.
    ended(site)?;
    let effects = close::keep_effects(site, addresses).await?;
    let annex = super::evidence::keep_annex(site, project)?;
    Ok(Kept {
        annex: Some(annex),
        effects: Some(effects),
    })
}
