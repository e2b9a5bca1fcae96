//! `handover export RUN --as pack|annex|ocel|xes|csv|openlineage --to PATH`: what auditors keep, and what
//! other tools read.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::Outcome;
use super::args::{Export, Global};
use super::exit::Exit;
use super::failure::{Failure, hint};
use super::output::Output;
use super::settings::Project;
use super::{log, site};
use crate::export::bag::BagWriter;
use crate::export::disclose::disclose;
use crate::export::pack::{self, Annex, Beside, Signed, annex};
use crate::export::views::{self, View, ViewFault};
use crate::journal::LogFolder;
use crate::plan::digest::Digest;
use crate::run::Site;
use crate::run::folder::{ANCHORS, ANNEX, DETAILS, EFFECTS, EVIDENCE, STATEMENTS};
use crate::seal::Seal;

pub(super) async fn pack(args: &Export, global: &Global, output: &Output) -> Outcome {
    let mut log = log::open(args.run.as_deref().unwrap_or("."), global).await?;
    let Some((_, site)) = &mut log.of else {
        return Err(Failure::usage("a pack is made from a run").with(hint(
            "name the run, in the folder of its plan: handover export RUN --as pack --to FOLDER",
        )));
    };
    let beside = beside(site, &log.folder).await?;
    let packed = pack::write(&args.to, &log.folder, &beside)?;
    let shown = args.to.display();
    output.say(&format!(
        "Packed {} entries into {shown}. Note down outside:\n  last line  {}\n  manifest   {}\n\
         Next: read {shown}/data/README.txt, or handover verify {shown}",
        packed.size, packed.head, packed.manifest
    ));
    Ok(Exit::Done)
}

/// What was kept beside a run and belongs into its pack.
async fn beside(site: &mut Site, log: &LogFolder) -> Result<Beside, Failure> {
    let mut signed = BTreeMap::new();
    for (seq, decision) in pack::decisions(log)? {
        if let Some(made) = decision.signed {
            let statement = site.journal.blob(decision.statement).await?;
            let signature = site.journal.blob(made.signature).await?;
            let both = Signed {
                statement,
                signature,
            };
            signed.insert(seq, both);
        }
    }
    let mut files = BTreeMap::new();
    stamps(site, &mut files)?;
    let effects = site.folder.path().join(EFFECTS);
    let opened = site.run.opened().map(|opened| opened.schema);
    let schema = match opened {
        Some(digest) => site.journal.blob(digest).await.ok(),
        None => None,
    };
    Ok(Beside {
        effects: Some(effects).filter(|folder| folder.is_dir()),
        seals: log.seals().flatten().collect(),
        schema,
        signed,
        files,
    })
}

/// Time-stamps that were taken in.
fn stamps(site: &Site, files: &mut BTreeMap<String, Vec<u8>>) -> Result<(), Failure> {
    let folder = site.folder.path().join(ANCHORS);
    let entries = match fs::read_dir(&folder) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(|fault| refused(&folder, &fault))?,
    };
    for entry in entries {
        let path = entry.map_err(|fault| refused(&folder, &fault))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(name) = name.filter(|name| !name.starts_with('.')) {
            let bytes = fs::read(&path).map_err(|fault| refused(&path, &fault))?;
            files.insert(format!("anchors/{name}"), bytes);
        }
    }
    Ok(())
}

/// One entry and its proof, into a new folder.
pub(super) async fn entry(seq: u64, args: &Export, global: &Global, output: &Output) -> Outcome {
    let log = log::open(args.run.as_deref().unwrap_or("."), global).await?;
    if log.of.is_none() {
        return Err(Failure::usage("an entry is handed out of a run").with(hint(
            "name the run, in the folder of its plan: handover export RUN --entry SEQ --to FOLDER",
        )));
    }
    let seals: Vec<Seal> = log.folder.seals().flatten().collect();
    let told = disclose(&log.folder, &seals, seq)
        .map_err(|fault| Failure::from_error(Exit::CannotTell, &fault))?;
    if args.to.exists() {
        let says = format!("`{}` exists already", args.to.display());
        return Err(Failure::usage(says));
    }
    fs::create_dir_all(&args.to).map_err(|fault| refused(&args.to, &fault))?;
    super::saved::whole(&args.to.join(format!("{seq}.json")), &told.line)?;
    let proof = format!("{seq}.tlog-proof");
    super::saved::whole(&args.to.join(&proof), &told.proof.bytes())?;
    output.say(&format!(
        "Wrote entry {seq} and {proof} to {}: with the log's key they prove that it stands there",
        args.to.display()
    ));
    Ok(Exit::Done)
}

pub(super) async fn annex(args: &Export, global: &Global, output: &Output) -> Outcome {
    let (project, site) = site::run(args.run.as_deref(), global).await?;
    let origin = &site.head.origin;
    let kept = site.folder.path().join(ANNEX);
    let manifest = if site.run.closed() && kept.is_dir() {
        annex::again(&args.to, &kept, origin)?
    } else {
        annex::write(&args.to, &of(&site, &project))?
    };
    output.say(&format!(
        "Wrote the restricted annex to {}: names, reasons and what people handed in.\n\
         Hand it on only with leave. Its list of digests has the digest {manifest}",
        args.to.display()
    ));
    Ok(Exit::Done)
}

/// Makes the annex of a run that is being closed, and keeps it beside the run; its digest.
pub(super) fn keep_annex(site: &Site, project: &Project) -> Result<Digest, Failure> {
    let kept = site.folder.path().join(ANNEX);
    // What a crash left between this and the log's last entry is of no use.
    let unfinished = BagWriter::unfinished(&kept);
    for left in [&kept, &unfinished] {
        if left.exists() {
            fs::remove_dir_all(left).map_err(|fault| refused(left, &fault))?;
        }
    }
    Ok(annex::write(&kept, &of(site, project))?)
}

fn of(site: &Site, project: &Project) -> Annex {
    Annex {
        origin: site.head.origin.clone(),
        folder: site.folder.path().to_owned(),
        parts: vec![STATEMENTS, EVIDENCE, DETAILS],
        people: fs::read(project.folder.join("people.toml")).ok(),
    }
}

pub(super) async fn view(view: View, args: &Export, global: &Global, output: &Output) -> Outcome {
    let log = log::open(args.run.as_deref().unwrap_or("."), global).await?;
    let written = |fault: ViewFault| Failure::from(pack::PackFault::View(fault));
    if args.to == Path::new("-") {
        let mut out = BufWriter::new(Pipe(io::stdout().lock()));
        views::write(view, &log.folder, &mut out).map_err(written)?;
        out.flush().map_err(|fault| refused(&args.to, &fault))?;
        return Ok(Exit::Done);
    }
    if args.to.exists() {
        let says = format!("`{}` exists already", args.to.display());
        return Err(Failure::usage(says));
    }
    let mut unfinished = args.to.as_os_str().to_owned();
    unfinished.push(".unfinished");
    let unfinished = PathBuf::from(unfinished);
    let file = fs::File::create_new(&unfinished).map_err(|fault| refused(&unfinished, &fault))?;
    let whole = || {
        let mut out = BufWriter::new(file);
        views::write(view, &log.folder, &mut out).map_err(written)?;
        let file = out.into_inner().map_err(io::IntoInnerError::into_error);
        let kept = file.and_then(|file| file.sync_all());
        let named = kept.and_then(|()| fs::rename(&unfinished, &args.to));
        named.map_err(|fault| refused(&args.to, &fault))
    };
    whole().inspect_err(|_| {
        // What is half written is of no use to anybody; the failure says why.
        let _ = fs::remove_file(&unfinished);
    })?;
    output.say(&format!("Wrote {}", args.to.display()));
    Ok(Exit::Done)
}

/// Stdout, which whoever reads it may close when they have enough: that is no fault of ours.
struct Pipe<W>(W);

impl<W: Write> Write for Pipe<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.write(bytes) {
            Err(fault) if fault.kind() == io::ErrorKind::BrokenPipe => Ok(bytes.len()),
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.0.flush() {
            Err(fault) if fault.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            flushed => flushed,
        }
    }
}

fn refused(path: &Path, fault: &io::Error) -> Failure {
    let says = format!("`{}` cannot be written: {fault}", path.display());
    Failure::new(Exit::Database, says)
}
