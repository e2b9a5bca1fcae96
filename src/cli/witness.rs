//! `handover witness request|sign|add`: cosignatures by file drop. `sign` runs on the witness's own
//! machine and knows nothing but its key and its own record.

use std::fs;
use std::path::{Path, PathBuf};

use super::Outcome;
use super::args::{Global, Witness};
use super::brought;
use super::exit::Exit;
use super::failure::{Failure, hint};
use super::output::Output;
use super::site;
use crate::journal::{WitnessBook, load_witness_key};
use crate::plan::model::Code;
use crate::plan::vkey::Vkey;
use crate::run::witnessing::{self, WitnessFault};
use crate::run::{Clock, Site};
use crate::seal::note::read_lines;
use crate::seal::{Refusal, Request};

/// No file of a witness is larger.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

pub(super) async fn witness(args: &Witness, global: &Global, output: &Output) -> Outcome {
    match args {
        Witness::Request {
            run,
            witness,
            from,
            to,
        } => {
            let ask = Ask {
                witness: witness.as_deref(),
                from: *from,
                to,
            };
            request(run.as_deref(), &ask, global, output).await
        }
        Witness::Sign { file, key, log, to } => {
            sign(file, key, log.as_deref(), to.as_deref(), output)
        }
        Witness::Add { run, file } => add(run, file, global, output).await,
    }
}

struct Ask<'a> {
    witness: Option<&'a str>,
    from: Option<u64>,
    to: &'a Path,
}

async fn request(run: Option<&str>, ask: &Ask<'_>, global: &Global, output: &Output) -> Outcome {
    let (_, mut site) = site::run(run, global).await?;
    let whom = whom(&site, ask.witness)?;
    fs::create_dir_all(ask.to).map_err(|fault| unwritable(ask.to, &fault))?;
    let seals = site.journal.seals(site.head.id).await?;
    for name in whom {
        let last = witnessing::signed_last(&site, &seals, &name);
        let from = ask.from.unwrap_or(last);
        let request = witnessing::request(&mut site, from).await?;
        let entries = request.seal.head.size;
        let file = format!("{}-{entries}.{name}.add-checkpoint", site.head.label);
        let path = ask.to.join(file);
        fs::write(&path, request.bytes()).map_err(|fault| unwritable(&path, &fault))?;
        output.say(&format!(
            "{}: for {name}, {entries} entries (signed last: {from})",
            path.display()
        ));
    }
    output.say(
        "Send each file to its witness. They answer with a file that `handover witness sign` writes; \
         then: handover witness add RUN FILE",
    );
    Ok(Exit::Done)
}

/// The witnesses that are asked: the one that was named, or all of the plan's.
fn whom(site: &Site, named: Option<&str>) -> Result<Vec<Code>, Failure> {
    let quorum = site.run.quorum();
    let all = || quorum.into_iter().flat_map(|quorum| &quorum.witnesses);
    let wanted: Vec<Code> = match named {
        Some(named) => all()
            .filter(|one| *one.name == *named)
            .map(|one| one.name.clone())
            .collect(),
        None => all().map(|one| one.name.clone()).collect(),
    };
    if !wanted.is_empty() {
        return Ok(wanted);
    }
    let says = match named {
        Some(named) => format!("the plan of this run names no witness `{named}`"),
        None => "the plan of this run names no witness".to_owned(),
    };
    Err(Failure::coded(Exit::Usage, "HO617", says)
        .with(hint("witnesses stand in `[trust]` of plan.toml")))
}

/// On the witness's machine: its record first, its word after.
fn sign(file: &Path, key: &Path, log: Option<&str>, to: Option<&Path>, output: &Output) -> Outcome {
    let bytes = brought::bytes(file, "request", FILE_BYTES_MAX)?;
    let request = Request::parse(&bytes)
        .map_err(|fault| Failure::coded(Exit::Usage, "HO616", fault.to_string()))?;
    let signer = load_witness_key(key)?;
    let mut book = WitnessBook::open(key)?;
    if let Some(log) = log {
        let vkey: Vkey = log.parse().map_err(|fault: crate::plan::vkey::NoVkey| {
            Failure::usage(format!("`--log` is no verifier key: {fault}"))
        })?;
        book.ledger.know(vkey).map_err(|fault| refused(&fault))?;
    }
    let now = Clock::real().now().moment().as_second();
    let judged = book
        .ledger
        .judge(&request, u64::try_from(now).unwrap_or_default())
        .map_err(|fault| refused(&fault))?;
    // Whoever hands a cosignature out before it is on record could be made to sign another past.
    book.keep()?;
    let head = judged.head;
    let cosignature = signer.cosign(&head, judged.time);
    let to = to.map_or_else(|| answer_of(file), Path::to_owned);
    fs::write(&to, cosignature.line.to_string()).map_err(|fault| unwritable(&to, &fault))?;
    output.say(&format!(
        "Signed: {} has {} entries, and goes on from all that this witness saw before.\n{} goes back \
         to whoever sent the request.",
        head.origin,
        head.size,
        to.display()
    ));
    Ok(Exit::Done)
}

/// `x.audit.add-checkpoint` is answered with `x.audit.cosignature`.
fn answer_of(file: &Path) -> PathBuf {
    file.with_extension("cosignature")
}

fn refused(refusal: &Refusal) -> Failure {
    let says = refusal.to_string();
    let (exit, next) = match refusal {
        Refusal::UnknownLog(_) => (
            Exit::Usage,
            "give its verifier key, as the committee's minute has it: --log VKEY",
        ),
        Refusal::OtherKey(_) => (
            Exit::Difference,
            "a log has one key: ask which of the two is in the committee's minute",
        ),
        Refusal::Seal(_) | Refusal::RolledBack { .. } | Refusal::Fork(_) => (
            Exit::Difference,
            "nothing was signed; keep the request, it is evidence, and tell the auditor",
        ),
        Refusal::Clock(_) => (
            Exit::Usage,
            "set the clock of this machine right; if it was wrong when you signed last and nobody has taken that \
             signature in, take the last word (the time) out of that log's line in the file of heads beside your key",
        ),
        Refusal::Elsewhere { known, .. } => {
            let again =
                format!("ask for a request with: handover witness request RUN --from {known}");
            return Failure::coded(Exit::Usage, "HO616", says).with(hint(again));
        }
    };
    Failure::coded(exit, "HO616", says).with(hint(next))
}

async fn add(run: &str, file: &Path, global: &Global, output: &Output) -> Outcome {
    let (project, mut site) = site::run(Some(run), global).await?;
    let bytes = brought::bytes(file, "cosignature", FILE_BYTES_MAX)?;
    let lines = read_lines(&bytes).map_err(|fault| {
        let says = format!("`{}` holds no cosignature: {fault}", file.display());
        Failure::coded(Exit::Usage, "HO617", says).with(hint(
            "it takes the file that `handover witness sign` wrote; a request goes to the witness first",
        ))
    })?;
    if !site.run.closed() {
        site::held_against(&project, &mut site).await?;
    }
    let clock = site::clock(&site);
    let watch = Box::new(|_: &_, _: &_| {});
    let (site, added) = witnessing::add(site, &lines, clock, watch).await?;
    for one in added {
        let known = if one.known { " (known already)" } else { "" };
        output.say(&format!(
            "{} signed the first {} entries of {}{known}.",
            one.witness, one.size, site.head.label
        ));
    }
    if let Some(quorum) = site.run.quorum() {
        output.say(&match site.run.witnessed() {
            0 => format!("Needed are {}.", quorum.in_words()),
            entries => format!(
                "The quorum ({}) has signed {entries} entries.",
                quorum.in_words()
            ),
        });
    }
    Ok(Exit::Done)
}

fn unwritable(path: &Path, fault: &std::io::Error) -> Failure {
    Failure::new(
        Exit::Database,
        format!("`{}` cannot be written: {fault}", path.display()),
    )
}

impl From<WitnessFault> for Failure {
    fn from(fault: WitnessFault) -> Failure {
        match fault {
            WitnessFault::Site(fault) => fault.into(),
            WitnessFault::Unsealed(_) => Failure::from_error(Exit::Usage, &fault).with(hint(
                "a log is sealed from its opening on: handover key new, before the run begins",
            )),
            WitnessFault::Ahead { .. } => Failure::from_error(Exit::Usage, &fault).with(hint(
                "give `--from` the number that the witness's refusal names; if it did sign so many, this log \
                 was cut short: keep both files",
            )),
            WitnessFault::Unknown(_) | WitnessFault::NotOfThisRun(_) => Failure::coded(
                Exit::Usage,
                "HO617",
                fault.to_string(),
            )
            .with(hint(
                "add the file that `handover witness sign` wrote, to the run that its request was for",
            )),
            WitnessFault::OutOfTime { .. } | WitnessFault::OutOfOrder(_) => Failure::coded(
                Exit::Usage,
                "HO617",
                fault.to_string(),
            )
            .with(hint(
                "nothing was taken in: set the clocks right, then ask for another seal's signature \
                     (handover witness request)",
            )),
        }
    }
}
