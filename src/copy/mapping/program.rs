//! A dataset, compiled once into a program that judges row after row: whose it is, whether it stays
//! behind, its key, its columns.
//!
//! In: a map, a dataset, a route, a source connection. Out: a fate for every line.
//!
//! Not here: whose rows are (`owner`), conditions (`rules`), single columns (`cell`), the target's shape (`layout`), writing (`load`).

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::cell::{Bench, Cell, Otherwise, Source, Turn, Verdict, trimmed};
use super::owner::{Owner, Whose};
use super::rules::Passes;
use super::sight::{Line, Sight, Slot};
use crate::copy::route::Route;
use crate::copy::value::convert::date;
use crate::copy::value::fit::Fit;
use crate::orgdb::horizon::Horizon;
use crate::orgdb::{DbTrouble, Link, ValueRef, decimal};
use crate::plan::map::{
    Becomes, Collision, ColumnRef, Dataset, GoesTo, Map, MapColumn, Namespace, Origin, Unmapped,
};
use jiff::tz::TimeZone;

/// A dataset, compiled.
pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) sight: Sight,
    /// Columns in the map's order: the first that cannot be decides why a row is rejected.
    pub(crate) cells: Vec<Cell>,
    /// Columns that refer into this very dataset: set in a second pass.
    pub(crate) later: Vec<Later>,
    /// Further names for the target key.
    pub(crate) aliases: Vec<Alias>,
    /// The target column whose value we draw.
    pub(crate) id: Option<String>,
    whose: Whose,
    goes_to: GoesTo,
    pub(crate) key: Vec<(String, Slot)>,
    filters: Vec<(Passes, String)>,
}

/// A reference into its own dataset.
pub(crate) struct Later {
    pub(crate) into: String,
    pub(crate) cell: Cell,
}

/// A further name for a target key.
pub(crate) struct Alias {
    pub(crate) name: String,
    slots: Vec<Slot>,
    unless: Vec<Passes>,
}

/// What becomes of a row that belongs to a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate<'p> {
    Goes,
    Filtered(&'p str),
    Rejected {
        code: &'static str,
        column: &'p str,
    },
    /// A code that its list does not cover, and nothing says what then.
    Unmapped {
        column: &'p str,
    },
}

/// What compiling needs to know beside the dataset.
pub(crate) struct Papers<'m> {
    pub(crate) map: &'m Map,
    pub(crate) route: &'m Route,
    /// The run's id, nil where there is none.
    pub(crate) run: uuid::Uuid,
    /// Source tables that the step reads.
    pub(crate) tables: &'m [String],
}

impl Program {
    /// Compiles a dataset; faults are missing tables, columns and relations.
    pub(crate) fn compile(
        link: &Link,
        papers: &Papers<'_>,
        dataset: &Dataset,
    ) -> Result<Program, DbTrouble> {
        Program::compile_as(link, papers, dataset, dataset.goes_to != GoesTo::WhoNeedsIt)
    }

    /// The same, `by_owner` or not: where nobody owns a row, no way to an owner is needed.
    pub(super) fn compile_as(
        link: &Link,
        papers: &Papers<'_>,
        dataset: &Dataset,
        by_owner: bool,
    ) -> Result<Program, DbTrouble> {
        let mut sight = Sight::new(link, &dataset.from)?;
        let relations = &papers.map.relations;
        let mut slot = |column: &ColumnRef| sight.slot(link, relations, column);
        let mut own = |column: &str| {
            slot(&ColumnRef {
                table: dataset.from.clone(),
                column: column.to_owned(),
            })
        };
        let key = dataset
            .key
            .iter()
            .map(|name| Ok((name.clone(), own(name)?)))
            .collect::<Result<_, DbTrouble>>()?;
        let mut aliases = Vec::new();
        for alias in &dataset.aliases {
            let slots: Result<Vec<Slot>, _> = alias.key.iter().map(|name| own(name)).collect();
            aliases.push((alias, slots?));
        }
        let at = (&mut sight, dataset.from.as_str());
        let whose = Whose::compile(link, papers, at, by_owner)?;
        let mut slot = |column: &ColumnRef| sight.slot(link, relations, column);
        let mut filters = Vec::new();
        for filter in &dataset.leave_out {
            let only = std::slice::from_ref(&filter.condition);
            let passes = Passes::compile(only, &mut slot)?.into_iter();
            filters.extend(passes.map(|passes| (passes, filter.reason.clone())));
        }
        let mut named = Vec::new();
        for (alias, slots) in aliases {
            named.push(Alias {
                name: alias.name.clone(),
                slots,
                unless: Passes::compile(&alias.unless, &mut slot)?,
            });
        }
        let (cells, later) = cells(papers, dataset, &mut slot)?;
        if dataset.goes_to != GoesTo::Owner {
            sight.ask_who_needs(link, papers)?;
        }
        Ok(Program {
            name: dataset.name.clone(),
            goes_to: dataset.goes_to,
            sight,
            cells,
            later,
            aliases: named,
            id: dataset.id.clone(),
            whose,
            key,
            filters,
        })
    }

    /// Whether rows stand by their number, and nobody is asked who needs them.
    pub(crate) fn has_numbered_rows(&self) -> bool {
        self.goes_to == GoesTo::Owner && self.sight.has_numbered_rows()
    }

    /// What tells rows whose lines are as they are now from those that come later; none where a line, or whose
    /// it is, hangs on more than its own row.
    pub(crate) fn horizon(&self, link: &Link) -> Result<Option<Horizon>, DbTrouble> {
        if self.whose.shares() || self.goes_to != GoesTo::Owner {
            return Ok(None);
        }
        self.sight.horizon(link)
    }

    /// The ways to parents that owning takes.
    pub(crate) fn owner_ways(&self) -> &[usize] {
        self.whose.ways()
    }

    /// Whose a line is.
    #[inline]
    pub(crate) fn owner<'r>(&self, line: Line<'r>) -> Cow<'r, Owner> {
        let owner = self.whose.of(line);
        match self.goes_to {
            GoesTo::Owner => owner,
            GoesTo::WhoNeedsIt => Cow::Owned(Owner::of(line.needed().to_vec())),
            GoesTo::Both => {
                let mut all = [owner.targets(), line.needed()].concat();
                all.sort_unstable();
                all.dedup();
                if all.is_empty() {
                    owner
                } else {
                    Cow::Owned(Owner::of(all))
                }
            }
        }
    }

    /// Whether two rows with one source key have the same value in this target column, and it is
    /// never NULL (where the target itself takes none, it is `required`).
    pub(super) fn follows_from_key(&self, column: &str, required: bool) -> bool {
        let is = |name: &str| name.eq_ignore_ascii_case(column);
        let cell = || self.cells.iter().find(|cell| is(&cell.into));
        let follows = |cell: &Cell| match &cell.source {
            Source::Key | Source::Fixed(_) | Source::TargetOrg => true,
            Source::Slot(slot) => {
                (cell.required || required) && self.key.iter().any(|(_, key)| key == slot)
            }
            Source::Concat(..) | Source::Split(..) => false,
        };
        self.id.as_deref().is_some_and(is) || cell().is_some_and(follows)
    }

    /// The key's parts, joined into `bench.key`, and the first part that is missing.
    pub(crate) fn read_key(&self, line: Line<'_>, bench: &mut Bench<'_>) -> Option<&str> {
        let slots = self.key.iter().map(|(_, slot)| *slot);
        let missing = join_key(line, slots, &mut bench.key)?;
        self.key.get(missing).map(|(name, _)| name.as_str())
    }

    /// Names under which rows look target keys up; `later`: in the second pass, which asks for their own.
    pub(crate) fn asks(&self, later: bool) -> BTreeSet<&str> {
        let cells: Vec<&Cell> = if later {
            self.later.iter().map(|later| &later.cell).collect()
        } else {
            self.cells.iter().collect()
        };
        let names = cells.into_iter().filter_map(|cell| match &cell.turn {
            Turn::Lookup(name) => Some(name.as_str()),
            _ => None,
        });
        names.chain(later.then_some(self.name.as_str())).collect()
    }

    /// The column that a second row with one source key is rejected for.
    pub(crate) fn twice(&self) -> &str {
        let key = || self.key.first().map_or("", |(name, _)| name.as_str());
        self.id.as_deref().unwrap_or_else(key)
    }

    /// The trimmed parts of a line's key.
    pub(crate) fn key_parts(&self, line: Line<'_>) -> Vec<String> {
        let mut scratch = Vec::new();
        let mut part = |slot| {
            let text = trimmed(line.raw(slot), true, &mut scratch);
            text.map(std::borrow::Cow::into_owned).unwrap_or_default()
        };
        self.key.iter().map(|(_, slot)| part(*slot)).collect()
    }

    /// The reason why a line stays behind on purpose.
    pub(crate) fn filtered(&self, line: Line<'_>) -> Option<&str> {
        let found = self.filters.iter().find(|(passes, _)| passes.holds(line));
        found.map(|(_, reason)| reason.as_str())
    }

    /// Judges a line in the map's order, its values appended to `out`.
    pub(crate) fn judge(
        &self,
        line: Line<'_>,
        bench: &mut Bench<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Fate<'_>, DbTrouble> {
        if let Some(reason) = self.filtered(line) {
            return Ok(Fate::Filtered(reason));
        }
        if let Some(column) = self.read_key(line, bench) {
            return Ok(Fate::Rejected {
                code: "HO501",
                column,
            });
        }
        for (at, cell) in self.cells.iter().enumerate() {
            let column = cell.into.as_str();
            match cell.evaluate(at, line, bench, out)? {
                Verdict::Fine => {}
                Verdict::Reject(code) => return Ok(Fate::Rejected { code, column }),
                Verdict::Unmapped => return Ok(Fate::Unmapped { column }),
            }
        }
        Ok(Fate::Goes)
    }
}

impl Alias {
    /// The line's key under this name, if it gets one.
    pub(crate) fn key(&self, line: Line<'_>, into: &mut Vec<u8>) -> bool {
        let kept = !self.unless.iter().any(|passes| passes.holds(line));
        kept && join_key(line, self.slots.iter().copied(), into).is_none() && !into.is_empty()
    }
}

/// Joins the trimmed parts of a key by `/`; where there are several, a part's own `/` and `\` stand
/// behind a `\`, so that different keys never look alike. The first part that is blank or unreadable, if any.
fn join_key(
    line: Line<'_>,
    slots: impl ExactSizeIterator<Item = Slot>,
    into: &mut Vec<u8>,
) -> Option<usize> {
    let (mut missing, several) = (None, slots.len() > 1);
    let mut scratch = Vec::new();
    into.clear();
    for (at, slot) in slots.enumerate() {
        if at > 0 {
            into.push(b'/');
        }
        let raw = line.raw(slot);
        if let ValueRef::Integer(number) = raw {
            decimal::push_whole(into, number);
            continue;
        }
        let part = trimmed(raw, true, &mut scratch).unwrap_or_default();
        if part.is_empty() {
            missing = missing.or(Some(at));
        }
        if several && part.contains(['/', '\\']) {
            let plain = part.replace('\\', "\\\\").replace('/', "\\/");
            into.extend_from_slice(plain.as_bytes());
        } else {
            into.extend_from_slice(part.as_bytes());
        }
    }
    missing
}

type FindSlot<'s> = dyn FnMut(&ColumnRef) -> Result<Slot, DbTrouble> + 's;

/// The columns of a dataset, and those that refer into it, for a second pass.
fn cells(
    papers: &Papers<'_>,
    dataset: &Dataset,
    slot: &mut FindSlot<'_>,
) -> Result<(Vec<Cell>, Vec<Later>), DbTrouble> {
    let (mut cells, mut later) = (Vec::new(), Vec::new());
    for column in &dataset.columns {
        let mut made = cell(papers, column, slot)?;
        let apart = dataset.collision == Collision::Namespace;
        if apart && dataset.natural_key.contains(&column.into) {
            made.namespace = Some(namespace(papers));
        }
        let own_reference = matches!(&made.turn, Turn::Lookup(name)
            if *name == dataset.name || dataset.aliases.iter().any(|alias| alias.name == *name));
        if own_reference {
            let again = cell(papers, column, slot)?;
            later.push(Later {
                into: column.into.clone(),
                cell: again,
            });
            made.turn = Turn::Later;
            made.required = false;
            made.default = None;
        }
        cells.push(made);
    }
    Ok((cells, later))
}

fn cell(
    papers: &Papers<'_>,
    column: &MapColumn,
    slot: &mut FindSlot<'_>,
) -> Result<Cell, DbTrouble> {
    Ok(Cell {
        into: column.into.clone(),
        source: source(papers, column, slot)?,
        trim: column.trim,
        case: column.case,
        nulls: column.nulls.clone(),
        repair: column.repair,
        turn: turn(papers, column),
        bad: column.bad,
        required: column.required,
        namespace: match column.namespace {
            Namespace::Source => Some(namespace(papers)),
            Namespace::None => None,
        },
        default: column.default.clone(),
        fit: Fit::default(),
        glance: None,
    })
}

fn namespace(papers: &Papers<'_>) -> String {
    format!("{}:", papers.route.source)
}

fn source(
    papers: &Papers<'_>,
    column: &MapColumn,
    slot: &mut FindSlot<'_>,
) -> Result<Source, DbTrouble> {
    let route = papers.route;
    Ok(match &column.from {
        Origin::Column(column) => Source::Slot(slot(column)?),
        Origin::Concat { columns, with } => {
            let slots: Result<Vec<Slot>, DbTrouble> = columns.iter().map(slot).collect();
            Source::Concat(slots?, with.clone())
        }
        Origin::Split { column, at, part } => Source::Split(slot(column)?, at.clone(), *part),
        Origin::Constant(text) => Source::Fixed(text.clone()),
        Origin::SourceOrg => Source::Fixed(route.source.to_string()),
        Origin::TargetOrg => Source::TargetOrg,
        Origin::Run => Source::Fixed(papers.run.to_string()),
        Origin::SourceKey => Source::Key,
        Origin::Handover => {
            // The plan's moment as London's clock shows it: dates and moments are read from that.
            let local = route.handover.to_zoned(london()).datetime();
            Source::Fixed(local.strftime("%Y-%m-%d %H:%M:%S").to_string())
        }
    })
}

fn turn(papers: &Papers<'_>, column: &MapColumn) -> Turn {
    let ours = column.from == Origin::Handover;
    let formats = |texts: &[String]| match texts {
        _ if ours => date::iso(),
        [] => date::iso(),
        texts => texts.iter().map(|text| date::format(text)).collect(),
    };
    match &column.becomes {
        Becomes::Text => Turn::Text,
        Becomes::Integer => Turn::Integer,
        Becomes::Money { negate } => Turn::Decimal {
            scale: 2,
            negate: *negate,
        },
        Becomes::Decimal { scale, negate } => Turn::Decimal {
            scale: *scale,
            negate: *negate,
        },
        Becomes::Flag => Turn::Flag,
        Becomes::Date {
            formats: texts,
            sentinels,
            not_before_handover,
        } => Turn::Date {
            formats: formats(texts),
            sentinels: sentinels.clone(),
            floor: not_before_handover.then(|| papers.route.handover.to_zoned(london()).date()),
            zone: london(),
        },
        Becomes::Moment {
            formats: texts,
            sentinels,
        } => Turn::Moment {
            formats: formats(texts),
            sentinels: sentinels.clone(),
            zone: london(),
        },
        Becomes::Uprn => Turn::Uprn,
        Becomes::Code(list) => {
            let list = papers.map.codes.get(list);
            let pairs = list.map(|list| list.pairs(&papers.route.source));
            let owned = |(code, into): (&str, &str)| (code.to_owned(), into.to_owned());
            Turn::Code {
                values: pairs.into_iter().flatten().map(owned).collect(),
                otherwise: match list.map(|list| &list.unmapped) {
                    Some(Unmapped::Reject { .. }) => Otherwise::Reject,
                    Some(Unmapped::Keep) => Otherwise::Keep,
                    Some(Unmapped::Fault) | None => Otherwise::Fault,
                },
            }
        }
        Becomes::Lookup(name) => Turn::Lookup(name.clone()),
    }
}

/// The time of people's clocks. Its rules are compiled in; UTC stands in only if they were not.
fn london() -> TimeZone {
    TimeZone::get("Europe/London").unwrap_or(TimeZone::UTC)
}
