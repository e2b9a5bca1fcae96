//! `handover new NAME`: a plan folder from a template.

use std::fs;
use std::io::Write;

use super::Outcome;
use super::args::{Direction, New};
use super::exit::Exit;
use super::failure::{Failure, hint};
use super::output::Output;
use crate::plan::template::{self, From};
use crate::run::Clock;

/// How far ahead a new plan's handover is.
const MONTHS_AHEAD: i64 = 9;

pub(super) fn new(args: &New, output: &Output) -> Outcome {
    let folder = &args.name;
    let name = folder
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let name = name.ok_or_else(|| Failure::usage("a new plan needs a name"))?;
    if folder.exists() {
        return Err(
            Failure::usage(format!("`{}` exists already", folder.display()))
                .with(hint("choose another name: nothing is overwritten")),
        );
    }
    let from = match args.from {
        Direction::AlmoToCouncils => From::AlmoToCouncils,
        Direction::AlmoToCouncil => From::AlmoToCouncil,
        Direction::CouncilToAlmo => From::CouncilToAlmo,
    };
    let today = Clock::real()
        .now()
        .moment()
        .to_zoned(crate::calendar::london())
        .date();
    let handover = working_first(today.saturating_add(jiff::Span::new().months(MONTHS_AHEAD)));
    for (path, bytes) in template::new_plan(&name, from, handover) {
        let path = folder.join(path);
        write(&path, &bytes).map_err(|fault| {
            Failure::new(
                Exit::Database,
                format!("`{}` cannot be written: {fault}", path.display()),
            )
        })?;
    }
    let shown = folder.display();
    output.say(&format!(
        "Made a plan in {shown}. Its handover is {handover}: change that one line and every date moves.\n\
         Next: handover check {shown} --offline"
    ));
    Ok(Exit::Done)
}

/// The first of that month or of the next that begins between Tuesday and Friday: dates that hang off
/// the handover by whole weeks are then working days too.
fn working_first(day: jiff::civil::Date) -> jiff::civil::Date {
    use jiff::civil::Weekday::{Monday, Saturday, Sunday};
    let mut firsts = (0..12).map(|months| {
        let span = jiff::Span::new().months(months);
        day.saturating_add(span).first_of_month()
    });
    let works = |first: &jiff::civil::Date| !matches!(first.weekday(), Saturday | Sunday | Monday);
    firsts.find(works).unwrap_or(day)
}

fn write(path: &std::path::Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::File::create_new(path)?.write_all(bytes)
}
