//! Whom an auditor believes, from the command line: a log's key, a policy of witnesses, a list of signers,
//! seals that were kept elsewhere. None of it is ever read from beside the log.
//!
//! Not here: what is done with it (`replay::verify`).

use std::fs;
use std::path::Path;

use super::args::Verify;
use super::failure::{Failure, hint};
use super::log::Log;
use crate::journal::own_log_vkey;
use crate::plan::digest::Digest;
use crate::replay::verify::{Evidence, Outside};
use crate::seal::{KeyKind, Policy, Request, Seal, Vkey};
use crate::signature::AllowedSigners;

/// Keys, policies and lists are written by people.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// What `verify` is told from outside.
pub(super) fn evidence(args: &Verify, log: &Log) -> Result<Evidence, Failure> {
    let policy = args.policy.as_deref().map(policy).transpose()?;
    let (logs, quorum) = policy.map_or((Vec::new(), None), |policy| {
        (policy.logs, Some(policy.quorum))
    });
    let seals = args.seals.iter().map(|path| seal(path));
    let mut evidence = Evidence {
        size: log.size,
        anchor: None,
        outside: Some(Outside {
            key: args.key.as_deref().map(key).transpose()?,
            logs,
            own: own(log)?,
            policy: quorum,
            signers: args.signers.as_deref().map(signers).transpose()?,
            seals: seals.collect::<Result<_, _>>()?,
        }),
    };
    if let Some(noted) = &args.noted {
        noted_down(noted, log, &mut evidence)?;
    }
    Ok(evidence)
}

/// The key that lies in the folder of a run of this machine, under the name of its log.
fn own(log: &Log) -> Result<Option<Vkey>, Failure> {
    let Some((_, site)) = &log.of else {
        return Ok(None);
    };
    let origin = site.run.opened().map_or("", |opened| &opened.origin);
    Ok(own_log_vkey(site.folder.path(), origin)?)
}

fn key(text: &str) -> Result<Vkey, Failure> {
    let path = Path::new(text);
    let written = if path.is_file() {
        read(path, "key")?
    } else {
        text.to_owned()
    };
    let key = written.trim().parse::<Vkey>();
    let key = key.map_err(|fault| Failure::usage(format!("the key cannot be used: {fault}")))?;
    if key.kind() == KeyKind::Log {
        Ok(key)
    } else {
        Err(
            Failure::usage("this is a witness's key, not a log's").with(hint(
                "`handover key show` says the log's; the minute has it",
            )),
        )
    }
}

fn policy(path: &Path) -> Result<Policy, Failure> {
    let text = read(path, "policy")?;
    let read = Policy::parse(&text);
    read.map_err(|fault| Failure::usage(format!("`{}`: {fault}", path.display())))
}

fn signers(path: &Path) -> Result<AllowedSigners, Failure> {
    let text = read(path, "list of signers")?;
    AllowedSigners::parse(&text).map_err(|faults| {
        let first = faults.first().map(ToString::to_string).unwrap_or_default();
        Failure::usage(format!("`{}`: {first}", path.display()))
    })
}

fn seal(path: &Path) -> Result<Seal, Failure> {
    let text = read(path, "seal")?;
    let seal = Seal::parse(text.as_bytes());
    let seal = seal.or_else(|fault| {
        Request::parse(text.as_bytes()).map_or(Err(fault), |request| Ok(request.seal))
    });
    seal.map_err(|fault| Failure::usage(format!("`{}` is no seal: {fault}", path.display())))
}

/// A digest from a minute: of the pack's list, which vouches for every file, or of the last line.
fn noted_down(noted: &str, log: &Log, evidence: &mut Evidence) -> Result<(), Failure> {
    let digest = noted.trim().parse::<Digest>();
    let digest = digest.map_err(|fault| Failure::usage(format!("`{noted}`: {fault}")))?;
    if let Some(pack) = &log.pack
        && pack.bag().manifest()? == digest
    {
        let lines = log.folder.lines()?.map_while(Result::ok);
        evidence.size = Some(lines.fold(0, |size, _| size + 1));
    } else {
        evidence.anchor = Some(digest);
    }
    Ok(())
}

fn read(path: &Path, what: &str) -> Result<String, Failure> {
    let refused = |fault: std::io::Error| {
        Failure::usage(format!(
            "the {what} `{}` cannot be read: {fault}",
            path.display()
        ))
    };
    if fs::metadata(path).map_err(refused)?.len() > FILE_BYTES_MAX {
        return Err(Failure::usage(format!(
            "the {what} `{}` is too large",
            path.display()
        )));
    }
    fs::read_to_string(path).map_err(refused)
}
