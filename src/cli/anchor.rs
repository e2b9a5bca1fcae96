//! `handover anchor request|add`: time-stamps over seals, by file drop. Asking an authority is for whoever
//! may use a network; judging a stamp is for `openssl`.

use std::path::Path;

use super::Outcome;
use super::args::{Anchor, Global};
use super::brought;
use super::exit::Exit;
use super::failure::{Failure, hint};
use super::output::Output;
use super::site;
use crate::export::stamp::{self, STAMP_BYTES_MAX};
use crate::plan::digest::Digest;
use crate::run::Site;
use crate::run::folder::ANCHORS;
use crate::seal::Seal;

pub(super) async fn anchor(args: &Anchor, global: &Global, output: &Output) -> Outcome {
    match args {
        Anchor::Request { run, to } => request(run.as_deref(), to, global, output).await,
        Anchor::Add { run, file } => add(run, file, global, output).await,
    }
}

async fn request(run: Option<&str>, to: &Path, global: &Global, output: &Output) -> Outcome {
    let (_, mut site) = site::run(run, global).await?;
    let seals = seals(&mut site).await?;
    let newest = seals.last().ok_or_else(|| unsealed(&site))?;
    super::saved::whole(to, &stamp::stamped(newest))?;
    let shown = to.display();
    output.say(&format!(
        "Wrote the seal of {} entries to {shown}. Have it stamped by an authority (RFC 3161):\n  \
         openssl ts -query -data {shown} -sha256 -cert -out {shown}.tsq\n\
         Next: handover anchor add RUN FILE.tsr",
        newest.head.size
    ));
    Ok(Exit::Done)
}

async fn add(run: &str, file: &Path, global: &Global, output: &Output) -> Outcome {
    let (_, mut site) = site::run(Some(run), global).await?;
    let bytes = brought::bytes(file, "time-stamp", STAMP_BYTES_MAX)?;
    let seals = seals(&mut site).await?;
    let Some(stamped) = stamp::Imprints::of(&seals).seal(&bytes) else {
        let says = format!(
            "`{}` is no time-stamp over a seal of this run",
            file.display()
        );
        return Err(Failure::new(Exit::Difference, says).with(hint(
            "what is stamped is the file that `handover anchor request` writes",
        )));
    };
    let entries = stamped.head.size;
    let digest = Digest::of(&bytes).to_string();
    let name = format!("{entries:012}.{}.tsr", &digest[..8]);
    let kept = site.folder.put_in(ANCHORS, &name, &bytes);
    kept.map_err(|fault| {
        Failure::new(Exit::Database, format!("the stamp cannot be kept: {fault}"))
    })?;
    output.say(&format!(
        "Kept: a time-stamp over the seal of {entries} entries. It goes into the pack; \
         whether the authority made it, openssl says there."
    ));
    Ok(Exit::Done)
}

async fn seals(site: &mut Site) -> Result<Vec<Seal>, Failure> {
    let stored = site.journal.seals(site.head.id).await?;
    Ok(stored.into_iter().map(|stored| stored.seal).collect())
}

fn unsealed(site: &Site) -> Failure {
    Failure::usage(format!("the step log of {} is not sealed", site.head.label))
}
