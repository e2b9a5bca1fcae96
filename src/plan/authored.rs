//! Steps as their author wrote them: one flat table each, held against the keys that all steps share
//! and those of its kind.
//!
//! In: `[step.NAME]`. Out: steps with places, before fan-out. Not here: what a kind's own keys come to
//! (`specs`), the graph (`fan`).

use jiff::Timestamp;

use super::dates::{Frame, moment};
use super::fault::Fault;
use super::form::{Form, Named, Said, check_name};
use super::head::each;
use super::keys::{Kind, RETRY, STEP, a_step, kind};
use super::model::{Each, Place};
use super::outline::{OnFailure, Retry, Undo};
use super::source::Desk;

/// Longest time between two attempts: a day.
const WAIT_S_MAX: u32 = 24 * 60 * 60;

/// One authored step.
#[derive(Debug, Clone)]
pub(super) struct Authored<'t> {
    pub(super) name: String,
    /// Where its name stands.
    pub(super) place: Place,
    pub(super) kind: Option<&'static Kind>,
    pub(super) title: String,
    pub(super) each: Option<Each>,
    pub(super) after: Vec<Said<String>>,
    pub(super) start: Option<Said<Timestamp>>,
    pub(super) due: Option<Said<Timestamp>>,
    /// `until` of a wait, `effective` of a switch or staff transfer.
    pub(super) moment: Option<Said<Timestamp>>,
    pub(super) owner: Option<Said<String>>,
    pub(super) undo: Undo,
    pub(super) on_failure: OnFailure,
    pub(super) retry: Retry,
    pub(super) form: Form<'t>,
}

impl Authored<'_> {
    /// Its kind's name.
    pub(super) fn does(&self) -> &'static str {
        self.kind.map_or("", |kind| kind.name)
    }

    /// Whether it moves something that people sign for.
    pub(super) fn moves(&self) -> bool {
        matches!(
            self.does(),
            "data-copy"
                | "catch-up"
                | "staff-transfer"
                | "contract-novation"
                | "tenant-notification"
                | "freeze"
                | "switch"
        )
    }
}

/// Reads one step.
pub(super) fn authored<'t>(
    desk: &mut Desk,
    root: &Form<'t>,
    named: &Named<'t>,
    frame: Option<&Frame>,
) -> Option<Authored<'t>> {
    check_name(desk, &named.place, named.name);
    let table = named.table()?;
    let word = table.get("does").and_then(|value| value.get_ref().as_str());
    let kind = word.and_then(kind);
    let what = match kind {
        Some(kind) => format!("step `{}` ({})", named.name, kind.name),
        None => format!("step `{}`", named.name),
    };
    let heading = (named.heading(root.source()), what.as_str());
    // Of an unknown kind any kind's keys may stand; only what no kind knows is told.
    let every: Vec<&[super::keys::Key]> = match kind {
        Some(kind) => vec![STEP, kind.keys],
        None => vec![STEP],
    };
    let form = if kind.is_some() {
        Form::read(desk, root.source(), table, heading, &every)
    } else {
        lenient(desk, root, table, heading)
    };
    let retry = retry(desk, &form);
    let undo = undo(desk, &form, kind);
    let on_failure = on_failure(desk, &form, &undo);
    let moment_key = if word == Some("wait") {
        "until"
    } else {
        "effective"
    };
    Some(Authored {
        name: named.name.to_owned(),
        place: named.place.clone(),
        kind,
        title: form.text("title").unwrap_or(named.name).to_owned(),
        each: each(&form),
        after: form.texts("after"),
        start: moment(desk, &form, "start", frame),
        due: moment(desk, &form, "due", frame),
        moment: moment(desk, &form, moment_key, frame),
        owner: form.said("owner"),
        undo,
        on_failure,
        retry,
        form,
    })
}

/// A step whose kind is not known: its shared keys are read, the others are not judged.
fn lenient<'t>(
    desk: &mut Desk,
    root: &Form<'t>,
    table: &'t toml::de::DeTable<'t>,
    heading: (std::ops::Range<usize>, &str),
) -> Form<'t> {
    let mut own = Desk::default();
    let form = Form::read(&mut own, root.source(), table, heading, &[STEP]);
    let judged = |fault: &Fault| !matches!(fault.code, "HO101" | "HO116");
    own.faults
        .into_iter()
        .filter(judged)
        .for_each(|fault| desk.push(fault));
    form
}

/// The word that is in force: the author's where the kind can keep it, else the kind's own.
fn undo(desk: &mut Desk, form: &Form<'_>, kind: Option<&Kind>) -> Undo {
    let name = kind.map_or("", |kind| kind.name);
    let usual = match name {
        "data-copy" | "catch-up" | "staff-transfer" | "freeze" => Undo::Automatic,
        "contract-novation" => Undo::ByHand("a deed back, signed by all three parties".to_owned()),
        "tenant-notification" => Undo::ByHand("a correction letter".to_owned()),
        "switch" => Undo::Cannot,
        _ => Undo::Nothing,
    };
    let Some(said) = form.said("undo") else {
        return usual;
    };
    let Some(word) = undo_word(&said.value) else {
        let fault = Fault::error("HO127", &said.place, "this is no undo word")
            .label("a rollback would not know what to do")
            .help("`automatic`, `by hand: …` with what a person does, `cannot`, or `nothing`");
        desk.push(fault);
        return usual;
    };
    let (fits, can) = match name {
        "data-copy" | "catch-up" | "staff-transfer" | "freeze" => (
            word != Undo::Nothing,
            "`automatic`, `by hand: …` or `cannot`",
        ),
        "contract-novation" | "tenant-notification" => (
            matches!(word, Undo::ByHand(_) | Undo::Cannot),
            "`by hand: …` or `cannot`",
        ),
        "switch" => (word == Undo::Cannot, "`cannot`"),
        "task" => (
            word != Undo::Automatic,
            "`nothing`, `by hand: …` or `cannot`",
        ),
        "" => (true, ""),
        _ => (word == Undo::Nothing, "`nothing`"),
    };
    if fits {
        return word;
    }
    let fault = Fault::error(
        "HO127",
        &said.place,
        format!(
            "{} cannot keep the undo word `{}`",
            a_step(name),
            said.value
        ),
    )
    .label("a rollback relies on this word")
    .help(format!("it can be {can}"));
    desk.push(fault);
    usual
}

fn undo_word(text: &str) -> Option<Undo> {
    match text.trim() {
        "automatic" => Some(Undo::Automatic),
        "cannot" => Some(Undo::Cannot),
        "nothing" => Some(Undo::Nothing),
        text => {
            let how = text.strip_prefix("by hand:")?.trim();
            (!how.is_empty()).then(|| Undo::ByHand(how.to_owned()))
        }
    }
}

fn on_failure(desk: &mut Desk, form: &Form<'_>, undo: &Undo) -> OnFailure {
    if form.text("on-failure") != Some("undo") {
        return OnFailure::Hold;
    }
    if *undo != Undo::Automatic {
        let fault = Fault::error(
            "HO127",
            &form.place("on-failure"),
            "a step that is not undone automatically cannot undo itself",
        )
        .label("its undo word is not `automatic`")
        .help("take the line out: the failed step then stands as it is");
        desk.push(fault);
    }
    OnFailure::Undo
}

fn retry(desk: &mut Desk, form: &Form<'_>) -> Retry {
    let usual = Retry::default();
    let Some(form) = form.form(desk, "retry", "`retry`", RETRY) else {
        return usual;
    };
    let attempts = form
        .whole("attempts")
        .and_then(|count| u32::try_from(count).ok());
    let wait_s = form
        .said("wait")
        .map(|said| (wait_s(&said.value), said.place));
    if let Some((None, place)) = &wait_s {
        let fault = Fault::error("HO136", place, "`wait` is no time between attempts");
        desk.push(
            fault
                .label("at most a day")
                .help("for instance `5 seconds`, `2 minutes` or `1 hour`"),
        );
    }
    Retry {
        attempts: attempts.unwrap_or(usual.attempts),
        wait_s: wait_s.and_then(|(wait, _)| wait).unwrap_or(usual.wait_s),
    }
}

fn wait_s(text: &str) -> Option<u32> {
    let (count, unit) = text.trim().split_once(' ')?;
    let seconds = match unit.trim() {
        "second" | "seconds" => 1,
        "minute" | "minutes" => 60,
        "hour" | "hours" => 60 * 60,
        _ => return None,
    };
    let total = count.parse::<u32>().ok()?.checked_mul(seconds)?;
    (total <= WAIT_S_MAX).then_some(total)
}
