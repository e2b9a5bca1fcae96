//! A condition of a map: a column and exactly one test.
//!
//! In: a table of the file. Out: the condition, or faults. Not here: what a test holds of (`condition`).

use super::condition::{Condition, Test};
use super::fault::Fault;
use super::form::{Form, Said};
use super::map_file::column_ref;
use super::postcode::PostcodePart;
use super::references::References;
use super::source::Desk;

/// Reads a condition; a bare column is one of `table`.
pub(super) fn condition(desk: &mut Desk, form: &Form<'_>, table: &str) -> Option<Condition> {
    let said = form.said("column")?;
    let column = column_ref(desk, &said, Some(table))?;
    let on = |key: &str| form.flag(key) == Some(true);
    let told = [
        form.has("is"),
        form.has("not"),
        form.has("starts-with"),
        form.has("from") || form.has("to"),
        form.has("postcode"),
        on("blank"),
        on("present"),
    ];
    if told.iter().filter(|told| **told).count() != 1 {
        if form.is_sound() {
            let fault = Fault::error(
                "HO314",
                form.heading(),
                "a condition needs exactly one test",
            );
            desk.push(fault.help(
                "one of `is = […]`, `not = […]`, `starts-with = […]`, `from = \"…\", to = \"…\"`, `postcode = […]`, `blank = true`, `present = true`",
            ));
        }
        return None;
    }
    let test = if form.has("is") {
        Test::Is(form.plain_texts("is"))
    } else if form.has("not") {
        Test::Not(form.plain_texts("not"))
    } else if form.has("starts-with") {
        Test::StartsWith(starts(desk, form)?)
    } else if form.has("postcode") {
        Test::Postcode(postcodes(desk, form)?)
    } else if on("blank") {
        Test::Blank
    } else if on("present") {
        Test::Present
    } else {
        Test::Between(range(desk, form)?)
    };
    Some(Condition {
        column,
        test,
        place: said.place,
    })
}

fn starts(desk: &mut Desk, form: &Form<'_>) -> Option<Vec<String>> {
    let said = form.texts("starts-with");
    let blank = said.iter().find(|said| said.value.trim().is_empty());
    if let Some(blank) = blank {
        let fault = Fault::error("HO319", &blank.place, "every value begins so")
            .label("no letter stands here")
            .help("write how the values begin; `present = true` takes every value, `otherwise = true` every other row");
        desk.push(fault);
        return None;
    }
    Some(said.into_iter().map(|said| said.value).collect())
}

fn range(desk: &mut Desk, form: &Form<'_>) -> Option<References> {
    let (Some(from), Some(to)) = (form.said("from"), form.said("to")) else {
        if form.is_sound() {
            let fault = Fault::error("HO319", form.heading(), "a range needs both its ends")
                .help("write `from = \"10000\", to = \"19999\"`: both belong to it");
            desk.push(fault);
        }
        return None;
    };
    match References::read(&from.value, &to.value) {
        Ok(range) => Some(range),
        Err(why) => {
            let fault = Fault::error("HO319", &to.place, format!("a range {why}"))
                .label(format!("from `{}` to this", from.value))
                .help("a range is of references that are written alike: `10000` to `19999`, `WD0001` to `WD0999`, `1` to `999`; for others use `starts-with` or `is`");
            desk.push(fault);
            None
        }
    }
}

fn postcodes(desk: &mut Desk, form: &Form<'_>) -> Option<Vec<PostcodePart>> {
    let mut parts = Vec::new();
    for said in form.texts("postcode") {
        parts.push(postcode(desk, &said)?);
    }
    Some(parts)
}

fn postcode(desk: &mut Desk, said: &Said<String>) -> Option<PostcodePart> {
    let part = PostcodePart::read(&said.value);
    if part.is_none() {
        let says = format!("`{}` is no part of a postcode", said.value);
        let fault = Fault::error("HO319", &said.place, says)
            .help("write an area (`CT`), a district (`CT15`), a sector (`CT15 6`) or a whole postcode (`CT15 6AB`)");
        desk.push(fault);
    }
    part
}
