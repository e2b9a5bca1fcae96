//! The invented witnesses of the demo: the auditor and an organisation of either side. Their keys come
//! from the world's number, so anybody could make them: they vouch for nothing but the story.
//!
//! Not here: what a witness signs (`seal::witness`), how its word comes into the log (`run::witnessing`).

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::story::StoryFault;
use crate::journal::{WitnessBook, keep_witness_key, load_witness_key};
use crate::plan::digest::Digest;
use crate::plan::model::{Code, Plan};
use crate::plan::vkey::Vkey;
use crate::run::{Clock, Site, witnessing};
use crate::seal::WitnessKey;

/// Where their keys lie in the demo's folder.
const KEYS: &str = "witnesses";

/// Gives the plan in `folder` its witnesses, keys beside it; nothing where it has them.
///
/// # Errors
/// When the folder cannot be written.
pub(super) fn invite(folder: &Path, plan: &Plan, seed: u64) -> Result<(), StoryFault> {
    if plan.outline.trust.is_some() {
        return Ok(());
    }
    let path = folder.join("plan.toml");
    let mut text = std::fs::read_to_string(&path)?;
    text.push_str("\n# Invented witnesses: a real plan names real ones, who keep their keys to themselves.\n[trust]\nquorum = \"seen\"\n\n[trust.witness]\n");
    let orgs = either_side(plan);
    let names = || std::iter::once("audit").chain(orgs.iter().map(AsRef::as_ref));
    for name in names() {
        let drawn = Digest::of(format!("invented witness {name} of world {seed}").as_bytes());
        let key = WitnessKey::new(&format!("{name}.example"), &drawn.0)
            .map_err(|fault| StoryFault::Lost(fault.to_string()))?;
        let file = key_file(folder, name);
        if !file.exists() {
            keep_witness_key(&file, &key)?;
        }
        let _ = writeln!(text, "{name} = \"{}\"", key.vkey());
    }
    let members: Vec<String> = orgs.iter().map(|org| format!("\"{org}\"")).collect();
    let _ = write!(
        text,
        "\n[trust.group]\norgs = {{ need = \"any\", of = [{}] }}\n\
         seen = {{ need = \"all\", of = [\"audit\", \"orgs\"] }}\n",
        members.join(", ")
    );
    let unfinished = folder.join("plan.toml.unfinished");
    std::fs::write(&unfinished, text)?;
    std::fs::rename(unfinished, path)?;
    Ok(())
}

fn key_file(folder: &Path, name: &str) -> PathBuf {
    folder.join(KEYS).join(format!("{name}.key"))
}

/// One organisation that gives and one that takes; any two where nothing moves.
fn either_side(plan: &Plan) -> Vec<Code> {
    let sides = plan.sources.first().into_iter().chain(plan.targets.first());
    let mut orgs: Vec<Code> = sides.cloned().collect();
    if orgs.is_empty() {
        orgs = plan.orgs.keys().take(2).cloned().collect();
    }
    orgs.dedup();
    orgs
}

/// Lets every witness sign the newest seal, as their own machines would; the site, and how many entries
/// they signed. Nothing where they have signed before.
///
/// # Errors
/// When a witness refuses, or the journal does.
pub(super) async fn sign(
    mut site: Site,
    folder: &Path,
    clock: Clock,
) -> Result<(Site, Option<u64>), StoryFault> {
    let quorum = site.run.quorum().cloned().unwrap_or_default();
    let sealed = site.run.opened().and_then(|opened| opened.log_key.clone());
    let Some(log) = sealed.filter(|_| site.run.witnessed() == 0 && quorum.needed.is_some()) else {
        return Ok((site, None));
    };
    let log: Vkey = log.parse().map_err(lost)?;
    let now = Clock::real().now().moment().as_second();
    let (mut lines, mut entries) = (Vec::new(), 0);
    for witness in &quorum.witnesses {
        let file = key_file(folder, &witness.name);
        let mut book = WitnessBook::open(&file)?;
        book.ledger.know(log.clone()).map_err(lost)?;
        let last = book
            .ledger
            .newest(log.name())
            .map_or(0, |(signed, _)| signed);
        let request = witnessing::request(&mut site, last).await.map_err(lost)?;
        let now = u64::try_from(now).unwrap_or_default();
        let judged = book.ledger.judge(&request, now).map_err(lost)?;
        book.keep()?;
        entries = judged.head.size;
        let key = load_witness_key(&file)?;
        lines.push(key.cosign(&judged.head, judged.time).line);
    }
    let watch = Box::new(|_: &_, _: &_| {});
    let (site, _) = witnessing::add(site, &lines, clock, watch)
        .await
        .map_err(lost)?;
    Ok((site, Some(entries)))
}

fn lost(fault: impl std::fmt::Display) -> StoryFault {
    StoryFault::Lost(format!("a witness does not sign: {fault}"))
}
