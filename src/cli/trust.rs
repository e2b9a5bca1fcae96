//! Whom an auditor believes, from the command line: a log's key, a policy of witnesses, a list of signers,
//! seals that were kept elsewhere. None of it is ever read from beside the log.
//!
//! Not here: what is done with it (`replay::verify`).

use std::path::Path;

use super::args::Verify;
use super::brought;
use super::failure::{Failure, hint};
use super::log::Log;
use crate::export::stamp::{STAMP_BYTES_MAX, Stamp};
use crate::journal::own_log_vkey;
use crate::plan::digest::Digest;
use crate::replay::verify::{Evidence, Outside};
use crate::seal::{KeyKind, Policy, Request, Seal, TlogProof, Vkey};
use crate::signature::AllowedSigners;

/// Keys, policies and lists are written by people.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// What `verify` is told from outside.
pub(super) fn evidence(args: &Verify, log: &Log) -> Result<Evidence, Failure> {
    let (key, policy) = keys(args)?;
    let (logs, quorum) = policy.map_or((Vec::new(), None), |policy| {
        (policy.logs, Some(policy.quorum))
    });
    let seals = args.seals.iter().map(|path| seal(path));
    let mut evidence = Evidence {
        size: log.size,
        anchor: None,
        outside: Some(Outside {
            key,
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

/// The log's key and the witnesses to believe, as far as they are given.
pub(super) fn keys(args: &Verify) -> Result<(Option<Vkey>, Option<Policy>), Failure> {
    let policy = args.policy.as_deref().map(policy).transpose()?;
    let key = args.key.as_deref().map(key).transpose()?;
    Ok((key, policy))
}

/// Time-stamps that were kept elsewhere.
pub(super) fn stamps(args: &Verify) -> Result<Vec<Stamp>, Failure> {
    let stamps = args.stamps.iter().map(|path| {
        Ok(Stamp {
            name: path.display().to_string(),
            bytes: brought::bytes(path, "time-stamp", STAMP_BYTES_MAX)?,
            named: None,
        })
    });
    stamps.collect()
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
        let request = Request::parse(text.as_bytes()).map(|request| request.seal);
        let proof = || TlogProof::parse(text.as_bytes()).map(|proof| proof.seal);
        request.or_else(|_| proof()).map_err(|_| fault)
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
    let bytes = brought::bytes(path, what, FILE_BYTES_MAX)?;
    String::from_utf8(bytes)
        .map_err(|_| Failure::usage(format!("the {what} `{}` is no text", path.display())))
}
