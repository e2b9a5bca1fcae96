//! What a log does not prove, said every time, however sound it is.
//!
//! Not here: what is wrong or missing (`Finding`).

use super::{Outside, Sealed};
use crate::calendar::dates::Dates;
use crate::machine::event::ClockKind;
use crate::machine::run::Run;

/// One sentence each, without its full stop.
pub(super) fn list(
    run: &Run,
    size: u64,
    outside: Option<&Outside>,
    sealed: Option<&Sealed>,
) -> Vec<String> {
    let mut not: Vec<String> = Vec::new();
    let opened = run.opened();
    let has_key = opened.is_some_and(|opened| opened.log_key.is_some());
    if !has_key {
        let says =
            "the log is not sealed: whoever could write it could have written it anew as a whole";
        not.push(says.to_owned());
    }
    match (sealed, outside) {
        (Some(sealed), Some(outside)) if has_key => seals(&mut not, size, sealed, outside),
        _ if has_key => not.push("the log's seals were not looked at".to_owned()),
        _ => {}
    }
    decisions(&mut not, run, outside);
    not.push("the organisations' databases were not looked at".to_owned());
    if opened.is_some_and(|opened| opened.clock == ClockKind::MadeUp) {
        not.push("the plan's time was made up: this is a rehearsal".to_owned());
    }
    not
}

fn seals(not: &mut Vec<String>, size: u64, sealed: &Sealed, outside: &Outside) {
    if outside.own.is_some() && outside.key.is_none() && outside.logs.is_empty() {
        let says = "the seals were held against this machine's own key: an auditor brings the key from \
                    the minute (`--key`)";
        not.push(says.to_owned());
    }
    let tail = size - sealed.sealed.min(size);
    if tail > 0 {
        not.push(format!(
            "the last {tail} entries stand under no seal: they may have been written or cut later"
        ));
    }
    match &sealed.quorum {
        None => not.push("no witness is asked for: whoever holds the log's key could have signed two pasts".to_owned()),
        Some(who) if sealed.witnessed == 0 => not.push(format!(
            "no seal has the signatures of {who}: whoever holds the log's key could have written it anew"
        )),
        Some(_) if sealed.witnessed < sealed.sealed => not.push(format!(
            "witnesses have signed the first {} of {} sealed entries: for the rest the log's key alone speaks",
            sealed.witnessed, sealed.sealed
        )),
        Some(_) => {}
    }
    if sealed.quorum.is_some() && outside.policy.is_none() {
        let says = "the witnesses are those that the plan names: nobody said from outside whom to believe (`--policy`)";
        not.push(says.to_owned());
    }
    for silence in &sealed.silences {
        let [from, to] =
            [silence.from, silence.to].map(|moment| Dates::default().with_zone(moment));
        not.push(format!(
            "nothing was sealed from {from} to {to} (entry {}) while the run drove: entries of that time may have been \
             written anew",
            silence.seq
        ));
    }
}

fn decisions(not: &mut Vec<String>, run: &Run, outside: Option<&Outside>) {
    let stands = |signed: bool| {
        let mut decisions = run.decisions();
        decisions.any(|(_, decided)| !decided.void && decided.signed.is_some() == signed)
    };
    if stands(true) {
        match outside {
            None => not.push("signatures of decisions were not held against the files that were signed".to_owned()),
            Some(outside) if outside.signers.is_none() => not.push(
                "whose key is whose was taken from the plan's own papers (`--signers` brings another list)".to_owned(),
            ),
            Some(_) => {}
        }
    }
    if stands(false) {
        let says = "decisions stand as they were recorded: nobody's key speaks for some of them";
        not.push(says.to_owned());
    }
    if run.only_recorded() > 0 {
        not.push("decisions that a live run needs signed were only recorded".to_owned());
    }
}
