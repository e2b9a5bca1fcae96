//! How each target column of a dataset gets its value, read from `[table.NAME.column]`.
//!
//! Not here: datasets and names across the file (`map_file`), converting values (`copy`).

use super::fault::Fault;
use super::form::{Form, Named, Said};
use super::keys::COLUMN;
use super::map::{Bad, Becomes, Case, ColumnRef, MapColumn, Namespace, Origin};
use super::map_file::column_ref;
use super::near::did_you_mean;
use super::source::Desk;

/// Date formats, and the times of day that may stand behind them.
const DATES: [&str; 5] = ["yyyy-mm-dd", "dd/mm/yyyy", "ddmmyyyy", "yyyymmdd", "excel"];
const CLOCKS: [&str; 2] = [" hh:mm", " hh:mm:ss"];

/// Columns of people that the law keeps apart (UK GDPR, articles 9 and 10); names begin so.
const SPECIAL: [&str; 12] = [
    "hiv_positive",
    "crim_rec",
    "sex_orient",
    "sexual_orient",
    "religion",
    "transgender",
    "ethnic",
    "pregnan",
    "disab",
    "gender_reassign",
    "trade_union",
    "political",
];

/// The columns of a dataset in the file's order.
pub(super) fn columns(desk: &mut Desk, dataset: &Form<'_>, table: &str) -> Vec<MapColumn> {
    let named = dataset.named("column");
    if dataset.has("column") && named.is_empty() {
        let fault = Fault::error(
            "HO117",
            &dataset.key_place("column"),
            "the dataset has no column",
        );
        desk.push(fault.help("name each target column: `tenancy_ref = \"tag_ref\"`"));
    }
    let read = named
        .iter()
        .filter_map(|named| column(desk, dataset, named, table));
    let columns: Vec<MapColumn> = read.collect();
    for column in &columns {
        for reference in reads(&column.from) {
            special(desk, column, reference);
        }
    }
    columns
}

/// The source columns that an origin reads.
pub(super) fn reads(origin: &Origin) -> Vec<&ColumnRef> {
    match origin {
        Origin::Column(column) | Origin::Split { column, .. } => vec![column],
        Origin::Concat { columns, .. } => columns.iter().collect(),
        Origin::Constant(_)
        | Origin::SourceOrg
        | Origin::TargetOrg
        | Origin::Handover
        | Origin::Run
        | Origin::SourceKey => Vec::new(),
    }
}

fn special(desk: &mut Desk, column: &MapColumn, reference: &ColumnRef) {
    let name = reference.column.to_lowercase();
    if SPECIAL
        .iter()
        .any(|word| name.starts_with(word) || name.starts_with(&format!("u_{word}")))
    {
        let fault = Fault::error("HO308", &column.place, format!("`{}` is special category data", reference.column))
            .label("a map never carries it")
            .help("take the column out; what a council may lawfully hold is passed on person by person, with its basis")
            .note("UK GDPR, articles 9 and 10");
        desk.push(fault);
    }
}

fn column(
    desk: &mut Desk,
    dataset: &Form<'_>,
    named: &Named<'_>,
    table: &str,
) -> Option<MapColumn> {
    let plain = MapColumn {
        into: named.name.to_owned(),
        from: Origin::SourceKey,
        trim: true,
        case: None,
        nulls: Vec::new(),
        repair: false,
        becomes: Becomes::Text,
        bad: Bad::Reject,
        required: false,
        namespace: Namespace::None,
        default: None,
        place: named.place.clone(),
    };
    if let Some(short) = named.said() {
        let from = Origin::Column(column_ref(desk, &short, Some(table))?);
        return Some(MapColumn { from, ..plain });
    }
    let what = format!("column `{}`", named.name);
    let heading = (named.heading(dataset.source()), what.as_str());
    let form = Form::read(desk, dataset.source(), named.table()?, heading, &[COLUMN]);
    let from = origin(desk, &form, &what, table);
    let becomes = becomes(desk, &form, &what);
    let from = from?;
    let namespace = match form.flag("namespace") {
        Some(true) => Namespace::Source,
        _ => Namespace::None,
    };
    let is_text = becomes == Becomes::Text && !reads(&from).is_empty();
    belongs(
        desk,
        &form,
        &what,
        &["namespace"],
        "a `from` that stays text",
        is_text,
    );
    Some(MapColumn {
        from,
        trim: form.flag("trim").unwrap_or(true),
        case: form.text("case").map(|case| {
            if case == "upper" {
                Case::Upper
            } else {
                Case::Lower
            }
        }),
        nulls: form.plain_texts("nulls"),
        repair: form.flag("repair").unwrap_or(false),
        becomes,
        bad: if form.text("bad") == Some("null") {
            Bad::Null
        } else {
            Bad::Reject
        },
        required: form.flag("required").unwrap_or(false),
        namespace,
        default: form.text("default").map(str::to_owned),
        ..plain
    })
}

fn origin(desk: &mut Desk, form: &Form<'_>, what: &str, table: &str) -> Option<Origin> {
    let given: Vec<&str> = ["from", "concat", "constant", "fill"]
        .into_iter()
        .filter(|key| form.has(key))
        .collect();
    if given.is_empty() && !form.is_sound() {
        return None;
    }
    if given.len() != 1 {
        let says = if given.is_empty() {
            format!("{what} does not say where its value comes from")
        } else {
            format!("{what} says twice where its value comes from")
        };
        let fault = Fault::error("HO307", form.heading(), says);
        desk.push(fault.help("exactly one of `from`, `concat`, `constant` and `fill`"));
        return None;
    }
    belongs(desk, form, what, &["with"], "concat", form.has("concat"));
    belongs(
        desk,
        form,
        what,
        &["split-at", "part"],
        "from",
        form.has("from"),
    );
    if let Some(text) = form.text("constant") {
        return Some(Origin::Constant(text.to_owned()));
    }
    if let Some(word) = form.text("fill") {
        return Some(match word {
            "source-org" => Origin::SourceOrg,
            "target-org" => Origin::TargetOrg,
            "handover" => Origin::Handover,
            "run" => Origin::Run,
            _ => Origin::SourceKey,
        });
    }
    if form.has("concat") {
        let said: Vec<Said<String>> = form.texts("concat");
        let columns = said
            .iter()
            .filter_map(|said| column_ref(desk, said, Some(table)))
            .collect();
        let with = form.text("with").unwrap_or(" ").to_owned();
        return Some(Origin::Concat { columns, with });
    }
    let column = column_ref(desk, &form.said("from")?, Some(table))?;
    match (form.text("split-at"), form.whole("part")) {
        (None, None) => Some(Origin::Column(column)),
        (Some(at), Some(part)) if !at.is_empty() => {
            let (at, part) = (at.to_owned(), usize::try_from(part).unwrap_or(1));
            Some(Origin::Split { column, at, part })
        }
        _ => {
            let fault = Fault::error(
                "HO307",
                form.heading(),
                format!("{what} needs `split-at` and `part` together"),
            );
            desk.push(fault.help("for instance `split-at = \"/\", part = 1`"));
            None
        }
    }
}

/// Keys that mean something only beside another one.
fn belongs(desk: &mut Desk, form: &Form<'_>, what: &str, keys: &[&str], beside: &str, fine: bool) {
    for key in keys.iter().filter(|key| !fine && form.has(key)) {
        let says = format!("`{key}` means nothing in {what}");
        let fault = Fault::error("HO116", &form.key_place(key), says);
        desk.push(
            fault
                .label("it would have no effect")
                .help(format!("it belongs beside {beside}")),
        );
    }
}

fn becomes(desk: &mut Desk, form: &Form<'_>, what: &str) -> Becomes {
    let given: Vec<&str> = ["as", "code", "lookup"]
        .into_iter()
        .filter(|key| form.has(key))
        .collect();
    if given.len() > 1 {
        let says = format!("{what} says twice what its value becomes");
        let fault = Fault::error("HO307", &form.key_place(given[1]), says);
        desk.push(fault.help("at most one of `as`, `code` and `lookup`"));
    }
    let word = form.text("as").unwrap_or("text");
    let dated = matches!(word, "date" | "moment");
    belongs(
        desk,
        form,
        what,
        &["formats", "sentinels"],
        "`as = \"date\"` or `\"moment\"`",
        dated,
    );
    belongs(
        desk,
        form,
        what,
        &["latest"],
        "`as = \"date\"`",
        word == "date",
    );
    belongs(
        desk,
        form,
        what,
        &["scale"],
        "`as = \"decimal\"`",
        word == "decimal",
    );
    belongs(
        desk,
        form,
        what,
        &["negate"],
        "`as = \"money\"` or `\"decimal\"`",
        matches!(word, "money" | "decimal"),
    );
    if let Some(list) = form.text("code") {
        return Becomes::Code(list.to_owned());
    }
    if let Some(name) = form.text("lookup") {
        return Becomes::Lookup(name.to_owned());
    }
    let negate = form.flag("negate").unwrap_or(false);
    match word {
        "integer" => Becomes::Integer,
        "money" => Becomes::Money { negate },
        "decimal" => Becomes::Decimal {
            scale: scale(desk, form, what),
            negate,
        },
        "flag" => Becomes::Flag,
        "uprn" => Becomes::Uprn,
        "date" => Becomes::Date {
            formats: formats(desk, form, "yyyy-mm-dd"),
            sentinels: form.plain_texts("sentinels"),
            not_before_handover: form.has("latest"),
        },
        "moment" => Becomes::Moment {
            formats: formats(desk, form, "yyyy-mm-dd hh:mm:ss"),
            sentinels: form.plain_texts("sentinels"),
        },
        _ => Becomes::Text,
    }
}

fn scale(desk: &mut Desk, form: &Form<'_>, what: &str) -> u32 {
    let scale = form
        .whole("scale")
        .and_then(|scale| u32::try_from(scale).ok());
    if scale.is_none() && !form.has("scale") {
        let fault = Fault::error("HO117", form.heading(), format!("{what} needs `scale`"));
        desk.push(
            fault
                .label("a decimal of how many digits after the point?")
                .help("`scale = 2`, or `as = \"money\"`"),
        );
    }
    scale.unwrap_or(2)
}

fn formats(desk: &mut Desk, form: &Form<'_>, usual: &str) -> Vec<String> {
    if !form.has("formats") {
        return vec![usual.to_owned()];
    }
    let known: Vec<String> = DATES
        .iter()
        .flat_map(|date| {
            let clocks = CLOCKS.iter().filter(|_| *date != "excel");
            std::iter::once((*date).to_owned())
                .chain(clocks.map(move |clock| format!("{date}{clock}")))
        })
        .collect();
    let said = form.texts("formats");
    for format in said.iter().filter(|format| !known.contains(&format.value)) {
        let fault = Fault::error(
            "HO136",
            &format.place,
            format!("`{}` is no date format", format.value),
        )
        .maybe_help(did_you_mean(
            &format.value,
            known.iter().map(String::as_str),
        ))
        .help(format!("known are: {}", known.join(", ")));
        desk.push(fault);
    }
    said.into_iter().map(|format| format.value).collect()
}
