//! Files of people who sign: the statement that is written for them, the signature that they bring, the key
//! file that they sign with here; and the lines that say how to go on.
//!
//! Not here: what is signed (`run::approvals`, `preview::sign`), the bytes (`signature`).

use std::path::Path;

use super::args::Approve;
use super::brought;
use super::exit::Exit;
use super::failure::{Failure, hint};
use super::saved;
use crate::calendar::dates::Dates;
use crate::run::{Clock, approvals};
use crate::signature::statement::{Statement, Window};
use crate::signature::{PrivateKey, PrivateKeyFault, Proof};

/// Larger than any statement, signature or key file.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// What somebody wants of `approve` as to signing.
pub(super) enum Signing<'a> {
    /// Their word is recorded.
    Word,
    /// The statement is written, to be signed elsewhere.
    Write(&'a Path),
    /// It was signed elsewhere.
    Bring(Proof),
    /// It is signed here.
    Here(Box<PrivateKey>),
}

/// What was asked for, with every file read.
pub(super) fn asked(args: &Approve) -> Result<Signing<'_>, Failure> {
    match (&args.statement, &args.signature, &args.key) {
        (None, _, None) => Ok(Signing::Word),
        (Some(file), None, _) => Ok(Signing::Write(file)),
        (Some(statement), Some(signature), _) => Ok(Signing::Bring(Proof {
            statement: brought::bytes(statement, "statement", FILE_BYTES_MAX)?,
            signature: brought::bytes(signature, "signature", FILE_BYTES_MAX)?,
        })),
        (None, _, Some(file)) => Ok(Signing::Here(Box::new(key(file)?))),
    }
}

/// From now on for the days that were asked for.
pub(super) fn window(args: &Approve) -> Result<Window, Failure> {
    let now = Clock::real().now().moment();
    approvals::window(now, args.days).map_err(|fault| {
        Failure::new(
            Exit::Bug,
            format!("no random number could be drawn: {fault}"),
        )
    })
}

/// Writes a statement for somebody to sign, and says how.
pub(super) fn hand_out(
    statement: &Statement,
    file: &Path,
    args: &Approve,
) -> Result<String, Failure> {
    saved::whole(file, &statement.bytes())?;
    let (shown, namespace) = (word(&file.display().to_string()), statement.namespace());
    let signature = word(&format!("{}.sig", file.display()));
    let step = args
        .step
        .as_ref()
        .map(|step| format!(" {}", word(step)))
        .unwrap_or_default();
    let verdict = match (args.refuse, args.revoke) {
        (true, _) => " --refuse",
        (_, true) => " --revoke",
        _ => "",
    };
    let evidence = args.evidence.as_ref();
    let evidence = evidence.map_or(String::new(), |file| {
        format!(" --evidence {}", word(&file.display().to_string()))
    });
    Ok(format!(
        "Nothing was decided. {shown} says what is to be signed, until {}.\n\
         Next: ssh-keygen -Y sign -n {namespace} -f KEY {shown}\n\
         then: handover approve {}{step} --as {} --reason TEXT{verdict}{evidence} --statement {shown} --signature {signature}",
        Dates::default().with_zone(statement.window.not_after.moment()),
        word(&args.what),
        word(&args.who)
    ))
}

/// One word of a shell's line, whatever is in it: what we print is there to be copied.
fn word(text: &str) -> String {
    let plain = |one: char| one.is_alphanumeric() || "_-./:@%+=,".contains(one);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Somebody's reason, which every decision needs.
pub(super) fn reason(args: &Approve) -> Result<&str, Failure> {
    args.reason
        .as_deref()
        .ok_or_else(|| Failure::usage("a decision has a reason").with(hint("add --reason TEXT")))
}

fn key(file: &Path) -> Result<PrivateKey, Failure> {
    let bytes = zeroize::Zeroizing::new(brought::bytes(file, "key", FILE_BYTES_MAX)?);
    PrivateKey::parse(&bytes).map_err(|fault| {
        let failure = Failure::usage(format!("`{}` cannot sign: {fault}", file.display()));
        match fault {
            PrivateKeyFault::Locked | PrivateKeyFault::Kind => failure.with(hint(
                "write the statement with --statement FILE, sign it with `ssh-keygen -Y sign`, and bring both",
            )),
            PrivateKeyFault::Armour(_) | PrivateKeyFault::Bytes => {
                failure.with(hint("name a key file that `ssh-keygen -t ed25519` wrote"))
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::word;

    #[test]
    fn a_path_with_a_blank_or_a_quote_is_one_word_of_the_line_to_copy() {
        assert_eq!(word("out/yes.json"), "out/yes.json");
        assert_eq!(word("minute of 12.json"), "'minute of 12.json'");
        assert_eq!(word("council's $HOME"), r"'council'\''s $HOME'");
        assert_eq!(word(""), "''");
    }
}
