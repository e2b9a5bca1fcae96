//! What the rules of a split come to on live rows: which rows none takes, and which those of several
//! organisations take. That rules are exhaustive and exclusive is proved by looking at every row.
//!
//! In: a reader, a map, one of its splits. Out: counts by rules.
//!
//! Not here: what that means for a step (`steps`), rows that lead to a judged one (`mapping`).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::copy::mapping::owner::Owner;
use crate::copy::mapping::rules::each_judged;
use crate::copy::route::Route;
use crate::orgdb::link::Begin;
use crate::orgdb::{DbFault, OrgReader};
use crate::plan::digest::Digest;
use crate::plan::map::{Dataset, Map, Split};

use super::Question;
use super::survey::each_line;

/// Rows of the table that rules judge, for which those rules name no one owner.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unsettled {
    /// Rows that no rule takes.
    pub nobodys: u64,
    /// Rows that rules of several organisations take, by all the rules that take them, by their place.
    pub several: BTreeMap<Vec<usize>, u64>,
}

/// Looks at every row of the table that a split's rules judge. Read once for all who ask, for as long as
/// the source stays as it is.
///
/// # Errors
/// When the database refuses; `NoSuch` for the first table, column or relation that is not there.
pub async fn unsettled(
    reader: &OrgReader,
    map: &Map,
    split: &Split,
) -> Result<Arc<Unsettled>, DbFault> {
    let about = format!("rules {:?} {split:?}", map.relations);
    let answer = reader.while_unchanged(Digest::of(about.as_bytes()), async {
        let (relations, split) = (map.relations.clone(), split.clone());
        let reader = reader.another().await?;
        let look = reader.with(move |link| {
            link.begin(Begin::Read)?;
            let mut found = Unsettled::default();
            each_judged(link, &relations, &split, &[], |row| {
                let takers = row.takers();
                match split.owners(&takers).len() {
                    0 => found.nobodys += 1,
                    1 => {}
                    _ => *found.several.entry(takers).or_default() += 1,
                }
                Ok(())
            })?;
            Ok(found)
        });
        look.await
    });
    answer.await
}

/// How many rows of a dataset belong to nobody.
///
/// # Errors
/// When the database refuses; `NoSuch` for the first table, column or relation that is not there.
pub async fn nobodys(
    reader: &OrgReader,
    map: &Map,
    dataset: &Dataset,
    route: &Route,
) -> Result<u64, DbFault> {
    let question = Question::new(map, &[], route);
    let bare = Dataset {
        columns: Vec::new(),
        aliases: Vec::new(),
        ..dataset.clone()
    };
    let reader = reader.another().await?;
    let look = reader.with(move |link| {
        link.begin(Begin::Read)?;
        let program = question.compile(link, &bare)?;
        let nobodys = |owner: &Owner| owner.targets().is_empty();
        let mut rows = 0;
        each_line(link, &question, &program, nobodys, |_, _| {
            rows += 1;
            Ok(())
        })?;
        Ok(rows)
    });
    look.await
}
