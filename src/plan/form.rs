//! A TOML table held against its keys: unknown keys, missing ones and values of the wrong shape are
//! faults here and nowhere else; what is left is read by name and is of the right shape.
//!
//! In: a spanned table, the keys it may hold. Out: values with their places.
//! Not here: what values mean together.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::Fault;
use super::keys::{KINDS, Key, Shape};
use super::model::Place;
use super::near::{did_you_mean, near};
use super::source::{Desk, Source};

/// Longest short name.
const NAME_CHARS_MAX: usize = 60;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

/// One entry of a table: where its key stands, and its value.
#[derive(Debug, Clone, Copy)]
struct Entry<'t> {
    key: &'t Spanned<toml::de::DeString<'t>>,
    value: &'t Spanned<DeValue<'t>>,
}

/// A table whose keys and shapes were checked.
#[derive(Debug, Clone)]
pub(super) struct Form<'t> {
    source: &'t Source,
    entries: BTreeMap<&'t str, Entry<'t>>,
    heading: Place,
    sound: bool,
}

impl<'t> Form<'t> {
    /// Checks `table` against `keys`; `heading` is where to point when something is missing, `what`
    /// names the table in words, as faults say them.
    pub(super) fn read(
        desk: &mut Desk,
        source: &'t Source,
        table: &'t DeTable<'t>,
        (heading, what): (Range<usize>, &str),
        keys: &[&[Key]],
    ) -> Form<'t> {
        let heading = source.place(heading);
        let known = || keys.iter().copied().flatten();
        let mut entries = BTreeMap::new();
        let mut meant = Vec::new();
        for (key, value) in table {
            let name: &str = key.get_ref();
            let Some(spec) = known().find(|spec| spec.name == name) else {
                meant.extend(near(name, known().map(|spec| spec.name)));
                let place = source.place(key.span());
                desk.push(unknown(&place, name, what, known().map(|spec| spec.name)));
                continue;
            };
            if fits(desk, source, name, value, &spec.shape) {
                entries.insert(name, Entry { key, value });
            }
        }
        // A misspelt key was told already: it is not missing as well.
        let required = known().filter(|spec| spec.required && !meant.contains(&spec.name));
        for spec in required {
            if !table.keys().any(|key| key.get_ref() == spec.name) {
                desk.push(missing(&heading, what, spec));
            }
        }
        Form {
            source,
            sound: entries.len() == table.len(),
            entries,
            heading,
        }
    }

    /// Whether every key was known and of its shape: if not, what seems to be missing may be there.
    pub(super) fn is_sound(&self) -> bool {
        self.sound
    }

    /// Where the table's heading stands.
    pub(super) fn heading(&self) -> &Place {
        &self.heading
    }

    /// Where a key's value stands; the heading where there is none.
    pub(super) fn place(&self, key: &str) -> Place {
        match self.entries.get(key) {
            Some(entry) => self.source.place(entry.value.span()),
            None => self.heading.clone(),
        }
    }

    /// Where a key itself stands; the heading where there is none.
    pub(super) fn key_place(&self, key: &str) -> Place {
        match self.entries.get(key) {
            Some(entry) => self.source.place(entry.key.span()),
            None => self.heading.clone(),
        }
    }

    /// Whether the key is there, with a value of the right shape.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    fn value(&self, key: &str) -> Option<&'t DeValue<'t>> {
        self.entries.get(key).map(|entry| entry.value.get_ref())
    }

    /// A text.
    pub(super) fn text(&self, key: &str) -> Option<&'t str> {
        self.value(key)?.as_str()
    }

    /// A text and its place.
    pub(super) fn said(&self, key: &str) -> Option<Said<String>> {
        let value = self.text(key)?.to_owned();
        let place = self.place(key);
        Some(Said { value, place })
    }

    /// A flag.
    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        self.value(key)?.as_bool()
    }

    /// A whole number; its bounds were checked.
    pub(super) fn whole(&self, key: &str) -> Option<u64> {
        self.value(key)
            .and_then(whole)
            .and_then(|number| u64::try_from(number).ok())
    }

    /// A TOML date or time.
    pub(super) fn datetime(&self, key: &str) -> Option<&'t toml::value::Datetime> {
        self.value(key)?.as_datetime()
    }

    /// A list of texts with their places.
    pub(super) fn texts(&self, key: &str) -> Vec<Said<String>> {
        texts(self.source, self.value(key))
    }

    /// A list of texts without their places.
    pub(super) fn plain_texts(&self, key: &str) -> Vec<String> {
        self.texts(key).into_iter().map(|said| said.value).collect()
    }

    /// A table below this one, held against its keys.
    pub(super) fn form(
        &self,
        desk: &mut Desk,
        key: &str,
        what: &str,
        keys: &[Key],
    ) -> Option<Form<'t>> {
        let entry = self.entries.get(key)?;
        let table = entry.value.get_ref().as_table()?;
        let named = Named {
            name: key_name(entry.key),
            place: self.source.place(entry.key.span()),
            value: entry.value,
        };
        let heading = (named.heading(self.source), what);
        Some(Form::read(desk, self.source, table, heading, &[keys]))
    }

    /// A list of tables below this one, each held against its keys.
    pub(super) fn forms(
        &self,
        desk: &mut Desk,
        key: &str,
        what: &str,
        keys: &[Key],
    ) -> Vec<Form<'t>> {
        forms(desk, self.source, self.value(key), what, keys)
    }

    /// What the author named in a table below this one, in the file's order.
    pub(super) fn named(&self, key: &str) -> Vec<Named<'t>> {
        named(self.source, self.value(key).and_then(DeValue::as_table))
    }

    /// The file it stands in.
    pub(super) fn source(&self) -> &'t Source {
        self.source
    }
}

fn key_name<'t>(key: &'t Spanned<toml::de::DeString<'t>>) -> &'t str {
    key.get_ref()
}

/// Something that the author named.
#[derive(Debug, Clone)]
pub(super) struct Named<'t> {
    pub(super) name: &'t str,
    pub(super) place: Place,
    pub(super) value: &'t Spanned<DeValue<'t>>,
}

impl<'t> Named<'t> {
    /// Its table; nothing where it is none, which its shape has told already.
    pub(super) fn table(&self) -> Option<&'t DeTable<'t>> {
        self.value.get_ref().as_table()
    }

    /// Where to point when something is missing in it: its heading line, or its name.
    pub(super) fn heading(&self, source: &Source) -> Range<usize> {
        let span = self.value.span();
        let headed = source
            .text
            .get(span.clone())
            .is_some_and(|text| text.starts_with('['));
        if headed {
            span
        } else {
            self.place.span.clone()
        }
    }

    /// Its text and where that stands.
    pub(super) fn said(&self) -> Option<Said<String>> {
        let place = Place {
            file: self.place.file.clone(),
            span: self.value.span(),
        };
        let value = self.value.get_ref().as_str()?.to_owned();
        Some(Said { value, place })
    }

    /// Its list of tables, each held against its keys.
    pub(super) fn forms<'s>(
        &self,
        desk: &mut Desk,
        source: &'s Source,
        what: &str,
        keys: &[Key],
    ) -> Vec<Form<'s>>
    where
        't: 's,
    {
        forms(desk, source, Some(self.value.get_ref()), what, keys)
    }

    /// Its list of texts.
    pub(super) fn texts(&self, source: &Source) -> Vec<Said<String>> {
        texts(source, Some(self.value.get_ref()))
    }
}

/// The entries of a table, in the file's order.
pub(super) fn named<'t>(source: &Source, table: Option<&'t DeTable<'t>>) -> Vec<Named<'t>> {
    let mut all: Vec<Named<'t>> = table
        .into_iter()
        .flatten()
        .map(|(key, value)| Named {
            name: key.get_ref(),
            place: source.place(key.span()),
            value,
        })
        .collect();
    all.sort_by_key(|named| named.place.span.start);
    all
}

fn forms<'t>(
    desk: &mut Desk,
    source: &'t Source,
    value: Option<&'t DeValue<'t>>,
    what: &str,
    keys: &[Key],
) -> Vec<Form<'t>> {
    let list = value.and_then(DeValue::as_array);
    let tables = list.into_iter().flatten().filter_map(|item| {
        let heading = (item.span(), what);
        let table = item.get_ref().as_table()?;
        Some(Form::read(desk, source, table, heading, &[keys]))
    });
    tables.collect()
}

fn texts(source: &Source, value: Option<&DeValue<'_>>) -> Vec<Said<String>> {
    let said = |item: &Spanned<DeValue<'_>>| {
        Some(Said {
            value: item.get_ref().as_str()?.to_owned(),
            place: source.place(item.span()),
        })
    };
    let list = value.and_then(DeValue::as_array);
    list.into_iter().flatten().filter_map(said).collect()
}

fn whole(value: &DeValue<'_>) -> Option<i64> {
    let number = value.as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// Whether `name` is a short name.
pub(super) fn is_name(name: &str) -> bool {
    let first = name.chars().next();
    first.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        && name.chars().count() <= NAME_CHARS_MAX
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// Takes `name` as a short name, or says that it is none.
pub(super) fn check_name(desk: &mut Desk, place: &Place, name: &str) -> bool {
    let fine = is_name(name);
    if !fine {
        let says = format!("`{}` is not a short name", shortened(name));
        let fault = Fault::error("HO135", place, says)
            .label("this stands in commands, file names and the log")
            .help("use lower-case letters, digits and hyphens, at most 60, such as `folkestone-hythe`");
        desk.push(fault);
    }
    fine
}

fn unknown<'k>(
    place: &Place,
    name: &str,
    what: &str,
    known: impl Iterator<Item = &'k str> + Clone,
) -> Fault {
    let shown = shortened(name);
    if name == "landlord" {
        return Fault::error("HO128", place, format!("{what} would change the landlord"))
            .label("the council stays landlord, whoever manages the homes")
            .help("take the line out: `switch` changes who manages, and nothing else");
    }
    let owners: Vec<&str> = KINDS
        .iter()
        .filter(|kind| kind.keys.iter().any(|key| key.name == name))
        .map(|kind| kind.name)
        .collect();
    if what.starts_with("step") && !owners.is_empty() {
        return Fault::error(
            "HO116",
            place,
            format!("`{shown}` does not belong to {what}"),
        )
        .label("this kind of step has no such key")
        .help(format!("`{shown}` belongs to: {}", owners.join(", ")));
    }
    let all: Vec<&str> = known.clone().collect();
    Fault::error(
        "HO101",
        place,
        format!("{what} has no key called `{shown}`"),
    )
    .maybe_help(did_you_mean(name, known))
    .help(format!("its keys are: {}", all.join(", ")))
}

fn missing(heading: &Place, what: &str, spec: &Key) -> Fault {
    let mut fault = Fault::error("HO117", heading, format!("{what} needs `{}`", spec.name))
        .label(format!("no `{}` here", spec.name));
    if !spec.example.is_empty() && !spec.example.contains('=') {
        fault = fault.help(format!("for instance `{} = {}`", spec.name, spec.example));
    }
    fault.note(spec.help)
}

/// Long or strange names are cut before they are shown.
fn shortened(name: &str) -> String {
    let cut: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
    if cut.len() < name.len() {
        format!("{cut}…")
    } else {
        cut
    }
}

/// Whether `value` has the shape; says so where it has not.
fn fits<'t>(
    desk: &mut Desk,
    source: &Source,
    key: &str,
    value: &'t Spanned<DeValue<'t>>,
    shape: &Shape,
) -> bool {
    let place = source.place(value.span());
    let inner = value.get_ref();
    match shape {
        Shape::Text | Shape::AnyText => {
            let Some(text) = inner.as_str() else {
                return wrong(desk, &place, key, inner, shape);
            };
            let blank = matches!(shape, Shape::Text) && text.trim().is_empty();
            if blank {
                desk.push(
                    Fault::error("HO117", &place, format!("`{key}` is empty"))
                        .label("write something here"),
                );
            }
            !blank
        }
        Shape::Name => match inner.as_str() {
            Some(name) => check_name(desk, &place, name),
            None => wrong(desk, &place, key, inner, shape),
        },
        Shape::Names | Shape::Texts => list_fits(desk, source, key, (&place, inner), shape),
        Shape::Flag => inner.is_bool() || wrong(desk, &place, key, inner, shape),
        Shape::Whole(least, most) => whole_fits(desk, key, (&place, inner), (*least, *most), shape),
        Shape::Word(words) => word_fits(desk, key, (&place, inner), words, shape),
        Shape::Date | Shape::Moment | Shape::Day => {
            inner.is_str() || inner.is_datetime() || wrong(desk, &place, key, inner, shape)
        }
        Shape::Table(_) => inner.is_table() || wrong(desk, &place, key, inner, shape),
        Shape::Tables(_) => {
            let tables =
                |list: &toml::de::DeArray<'_>| list.iter().all(|item| item.get_ref().is_table());
            inner.as_array().is_some_and(tables) || wrong(desk, &place, key, inner, shape)
        }
        Shape::TextsByName => each_fits(desk, source, key, value, &Shape::AnyText, shape),
        Shape::NamesByName => each_fits(desk, source, key, value, &Shape::Names, shape),
        Shape::TablesByName(keys) => {
            each_fits(desk, source, key, value, &Shape::Table(keys), shape)
        }
        Shape::ListsByName(keys) => {
            each_fits(desk, source, key, value, &Shape::Tables(keys), shape)
        }
        Shape::ShortTablesByName(_) => short_tables_fit(desk, source, key, value, shape),
    }
}

fn wrong(desk: &mut Desk, place: &Place, key: &str, value: &DeValue<'_>, shape: &Shape) -> bool {
    let found = match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "`true` or `false`",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    let fault = Fault::error("HO118", place, format!("`{key}` needs {}", shape.words()));
    desk.push(fault.label(format!("this is {found}")));
    false
}

fn list_fits(
    desk: &mut Desk,
    source: &Source,
    key: &str,
    (place, value): (&Place, &DeValue<'_>),
    shape: &Shape,
) -> bool {
    let Some(list) = value.as_array() else {
        return wrong(desk, place, key, value, shape);
    };
    let mut fine = true;
    let mut seen = std::collections::BTreeSet::new();
    for item in list {
        let at = source.place(item.span());
        let Some(text) = item.get_ref().as_str() else {
            fine = wrong(desk, &at, key, item.get_ref(), shape);
            continue;
        };
        if !seen.insert(text) {
            let says = format!("`{}` stands in `{key}` twice", shortened(text));
            desk.push(
                Fault::error("HO107", &at, says)
                    .label("the second time")
                    .help("take one of them out"),
            );
        }
    }
    fine
}

fn whole_fits(
    desk: &mut Desk,
    key: &str,
    (place, value): (&Place, &DeValue<'_>),
    (least, most): (i64, i64),
    shape: &Shape,
) -> bool {
    if !value.is_integer() {
        return wrong(desk, place, key, value, shape);
    }
    let number = whole(value);
    if number.is_some_and(|number| (least..=most).contains(&number)) {
        return true;
    }
    let newer = key == "format" && number.is_some_and(|number| number > most);
    let fault = if newer {
        Fault::error("HO144", place, "this file was written for a newer Handover")
            .label(format!("this version knows format {most}"))
            .help("update Handover")
    } else {
        Fault::error("HO119", place, format!("`{key}` is out of range"))
            .label(format!("this needs {}", shape.words()))
    };
    desk.push(fault);
    false
}

fn word_fits(
    desk: &mut Desk,
    key: &str,
    (place, value): (&Place, &DeValue<'_>),
    words: &[&str],
    shape: &Shape,
) -> bool {
    let Some(word) = value.as_str() else {
        return wrong(desk, place, key, value, shape);
    };
    if words.contains(&word) {
        return true;
    }
    let shown = shortened(word);
    let fault = if key == "does" {
        Fault::error(
            "HO115",
            place,
            format!("there is no kind of step called `{shown}`"),
        )
    } else {
        Fault::error("HO136", place, format!("`{key}` cannot be `{shown}`"))
    };
    let fault = fault
        .maybe_help(did_you_mean(word, words.iter().copied()))
        .help(format!("it can be: {}", words.join(", ")));
    desk.push(fault);
    false
}

/// Every value of a table that the author's names lead to.
fn each_fits<'t>(
    desk: &mut Desk,
    source: &Source,
    key: &str,
    value: &'t Spanned<DeValue<'t>>,
    inner: &Shape,
    shape: &Shape,
) -> bool {
    let Some(table) = value.get_ref().as_table() else {
        return wrong(
            desk,
            &source.place(value.span()),
            key,
            value.get_ref(),
            shape,
        );
    };
    for (name, value) in table {
        fits(desk, source, name.get_ref(), value, inner);
    }
    true
}

fn short_tables_fit<'t>(
    desk: &mut Desk,
    source: &Source,
    key: &str,
    value: &'t Spanned<DeValue<'t>>,
    shape: &Shape,
) -> bool {
    let Some(table) = value.get_ref().as_table() else {
        return wrong(
            desk,
            &source.place(value.span()),
            key,
            value.get_ref(),
            shape,
        );
    };
    for (name, value) in table {
        let inner = value.get_ref();
        if !inner.is_str() && !inner.is_table() {
            let place = source.place(value.span());
            wrong(desk, &place, name.get_ref(), inner, &Shape::Text);
        }
    }
    true
}
