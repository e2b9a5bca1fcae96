//! Catching up with a ledger of which one row in a hundred was changed, taken out or is new, against the
//! copy of all of it just before, on the same databases.
//!
//! Not here: the copy itself (`copy`, `servers`).

use std::cell::Cell;
use std::time::Duration;

use handover::copy::catch_up::{CatchUp, catch_up};
use handover::copy::ledger::{self, Deed};
use handover::copy::load::chunk_rows;
use handover::orgdb::{OrgReader, OrgWriter, Sql};

use super::measure::{Bar, Ratio, timed, turns};
use super::rows::{deed, runtime, unmapped};
use super::servers::{Engine, Stand, money};

/// From a file into a file, and between servers.
pub(crate) fn caught_up(quick: bool) -> Vec<Ratio> {
    let (rounds, rows) = if quick { (3, 499_800) } else { (5, 3_999_900) };
    let stand = Stand::new(rows);
    let mut found = Vec::new();
    for (engine, what) in [
        (
            Engine::Sqlite,
            "caught up with 1 % of rows, file to file : the copy",
        ),
        (
            Engine::Postgres,
            "caught up with 1 % of rows, PostgreSQL to PostgreSQL : the copy",
        ),
    ] {
        let mut round = 0;
        let copied = Cell::new(Duration::ZERO);
        let measured = turns(
            rounds,
            || {
                // The copy comes first in time: it is measured here, and told as the floor below.
                stand.empty(engine);
                copied.set(timed(|| stand.ours(engine, engine)).1);
                let expected = live_on(&stand, engine, round);
                round += 1;
                let (changed, took) = timed(|| catches_up(&stand, engine));
                assert_eq!(changed, expected);
                took
            },
            || copied.get(),
        );
        found.push(Ratio {
            what,
            value: measured.ratio,
            bar: Bar::AtMost(0.25),
            detail: format!(
                "{:.1} s : {:.1} s",
                measured.ours.as_secs_f64(),
                measured.floor.as_secs_f64()
            ),
        });
    }
    found
}

/// A third of a hundredth each is changed, taken out, and new, all over the table; how many rows.
fn live_on(stand: &Stand, engine: Engine, round: usize) -> u64 {
    let address = stand.address(engine, "source");
    runtime().block_on(async {
        let writer = OrgWriter::open("almo", &address).await.unwrap();
        let lived = writer.with(move |link| {
            let new = 1_000_000_000 * (round + 1);
            let changed = format!("UPDATE ledger SET narrative = 'Mended {round}' WHERE id % 300 = {round}");
            let gone = format!("DELETE FROM ledger WHERE id % 300 = {}", 100 + round);
            let come = format!(
                "INSERT INTO ledger SELECT {new} + id, account_id, posted_on, amount, type_code, narrative, posted_at
                 FROM ledger WHERE id % 300 = 299 AND id < 1000000000"
            );
            let mut rows = 0;
            for text in [changed, gone, come] {
                rows += link.execute(&Sql::new(Box::leak(text.into_boxed_str())), &[])?;
            }
            Ok(rows)
        });
        lived.await.unwrap()
    })
}

fn catches_up(stand: &Stand, engine: Engine) -> u64 {
    let [from, to] = ["source", "target"].map(|name| stand.address(engine, name));
    let later = Deed {
        step: "catch-up".into(),
        ..deed()
    };
    runtime().block_on(async {
        let reader = OrgReader::open("almo", &from).await.unwrap();
        let writer = OrgWriter::open("dover", &to).await.unwrap();
        ledger::raise_fence(&writer, deed().run, 1, 1)
            .await
            .unwrap();
        let load = unmapped(&money(), chunk_rows(writer.dialect()));
        let work = CatchUp::with(load, deed(), vec![(later.step.clone(), 1)]);
        let caught = catch_up(&reader, &writer, work, &later, |_| {})
            .await
            .unwrap();
        let found = caught.datasets["ledger"];
        found.inserted + found.changed + found.removed
    })
}
