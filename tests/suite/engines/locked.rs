//! Tables in use that are filled under a lock, in one transaction: what stands in the end is what an
//! ordinary copy leaves, what others do meanwhile waits and is then subject to every rule, and a copy that
//! does not come to its end was never there.
//!
//! Not here: the binary, killed and stopped (`crash::pairs::locked`); empty tables, chunk by chunk
//! (`indexes`).

use handover::copy::fault::LoadFault;
use handover::copy::ledger::{Deed, Effect};
use handover::copy::load::{Load, Loaded, load};
use handover::copy::{undo, verify};
use handover::machine::event::UndoMode;
use handover::orgdb::{DbTrouble, Link, OrgWriter, Sql, Tx};
use handover::plan::model::{Indexes, Triggers};

use super::bases::{Base, Engine};
use super::indexes::{again, shape, target};
use super::rows::{self, deed};

fn locked() -> Load {
    Load {
        indexes: Indexes::RebuildLocked,
        ..rows::what()
    }
}

/// A target in which others have rows, more of accounts than come.
async fn in_use() -> Base {
    let target = target(Engine::Postgres).await;
    target
        .does(
            "INSERT INTO account SELECT 'own' || n, 'Their own', NULL, NULL, 'own' || n FROM generate_series(1, 60) AS n;
             INSERT INTO line SELECT -n, 'own' || n, '2001-01-08', 1.00, 'fine', NULL, NULL, NULL FROM generate_series(1, 60) AS n",
        )
        .await;
    target
}

/// Fills it, and what was heard of meanwhile.
async fn filled(
    source: &Base,
    target: &Base,
    what: Load,
    deed: &Deed,
) -> (Result<Loaded, LoadFault>, Vec<Effect>) {
    let (reader, writer) = (source.reader().await, target.writer(deed).await);
    let mut heard = Vec::new();
    let loaded = load(&reader, &writer, what, deed, |effect| {
        heard.push(effect.clone());
    });
    (loaded.await, heard)
}

async fn number(base: &Base, query: &'static str) -> i64 {
    let reader = base.reader().await;
    let rows = reader.rows(Sql::new(query), Vec::new()).await.unwrap();
    rows[0][0].int().unwrap()
}

/// Asks until somebody waits for a lock of this kind.
async fn somebody_waits(base: &Base, query: &'static str) {
    while number(base, query).await == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_copy_under_a_lock_leaves_what_an_ordinary_one_leaves() {
    for engine in Engine::ALL {
        let source = rows::source(engine).await;
        let (kept, held) = (in_use().await, in_use().await);
        let before = shape(&held).await;
        let (ordinary, told) = filled(&source, &kept, rows::what(), &deed()).await;
        let (ours, heard) = filled(&source, &held, locked(), &deed()).await;
        let (ordinary, ours) = (ordinary.unwrap(), ours.unwrap());
        assert_eq!(ours.datasets, ordinary.datasets, "{engine:?}");
        assert_eq!(ours.roots, ordinary.roots, "{engine:?}");
        assert_eq!(heard, told, "{engine:?}");
        assert_eq!(
            held.everything().await,
            kept.everything().await,
            "{engine:?}"
        );
        assert_eq!(shape(&held).await, before, "{engine:?}");
        let seen = verify::digests(&held.reader().await, &deed())
            .await
            .unwrap();
        assert_eq!((seen.rows, seen.differing), (440, 0), "{engine:?}");
    }
}

#[tokio::test]
async fn it_is_taken_back_like_every_other_and_can_be_done_again() {
    let (source, target) = (rows::source(Engine::Sqlite).await, in_use().await);
    let (before, stood) = (target.everything().await, shape(&target).await);
    for deed in [deed(), again()] {
        filled(&source, &target, locked(), &deed).await.0.unwrap();
        let writer = target.writer(&deed).await;
        let undone = undo::undo(&writer, &deed, UndoMode::Refuse).await.unwrap();
        assert_eq!((undone.refused, undone.removed), (false, 440));
        assert_eq!(target.everything().await, before);
        assert_eq!(shape(&target).await, stood);
    }
}

#[tokio::test]
async fn rows_that_the_target_refuses_are_left_out_and_listed_as_ever() {
    let source = rows::source(Engine::Sqlite).await;
    let (kept, held) = (in_use().await, in_use().await);
    for target in [&kept, &held] {
        target
            .does("ALTER TABLE line ADD CONSTRAINT odd CHECK (amount <> 12.50)")
            .await;
    }
    let (ordinary, _) = filled(&source, &kept, rows::what(), &deed()).await;
    let (ours, _) = filled(&source, &held, locked(), &deed()).await;
    let (ordinary, ours) = (ordinary.unwrap(), ours.unwrap());
    assert!(ours.datasets["line"].rejected.values().sum::<u64>() > 50);
    assert_eq!(ours.datasets, ordinary.datasets);
    assert_eq!(held.everything().await, kept.everything().await);
    let listed = "SELECT count(*) FROM handover.reject";
    assert_eq!(number(&held, listed).await, number(&kept, listed).await);
}

#[tokio::test]
async fn a_foreign_key_that_cannot_hold_stops_it_and_nothing_is_left() {
    let (source, target) = (rows::source(Engine::Sqlite).await, in_use().await);
    target
        .does(
            "CREATE TABLE word (word text PRIMARY KEY); INSERT INTO word VALUES ('fine');
             ALTER TABLE line ADD CONSTRAINT known_note FOREIGN KEY (note) REFERENCES word (word)",
        )
        .await;
    let (before, stood) = (target.everything().await, shape(&target).await);
    let (fault, heard) = filled(&source, &target, locked(), &deed()).await;
    let Err(LoadFault::Orphans { table, name, rows }) = fault else {
        panic!("{fault:?}")
    };
    assert_eq!(
        (table.as_str(), name.as_str(), rows),
        ("line", "known_note", 240)
    );
    assert_eq!(heard, []);
    assert_eq!(target.everything().await, before);
    assert_eq!(shape(&target).await, stood);
    assert_eq!(
        number(&target, "SELECT count(*) FROM handover.effect").await,
        0
    );
    target
        .does("INSERT INTO word VALUES ('0'), ('NULL'), ('é')")
        .await;
    filled(&source, &target, locked(), &deed()).await.0.unwrap();
    assert_eq!(shape(&target).await, stood);
}

/// Who waits for a table of this database, and who for the gate.
const FOR_A_TABLE: &str =
    "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'relation'
  AND relation = 'line'::regclass
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
const FOR_THE_GATE: &str =
    "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

/// A target whose lines come in through a gate that somebody may hold shut.
async fn gated() -> Base {
    let target = in_use().await;
    target
        .does(
            "CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS
               $$ BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NULL; END $$;
             CREATE TRIGGER gate BEFORE INSERT ON line FOR EACH STATEMENT EXECUTE FUNCTION gate()",
        )
        .await;
    target
}

/// Shuts the gate until what comes of it is committed.
async fn shut(porter: &OrgWriter) -> Tx {
    let mut shut = porter.begin().await.unwrap();
    let shuts = Sql::new("SELECT pg_advisory_xact_lock(7) IS NULL");
    shut.rows(shuts, Vec::new()).await.unwrap();
    shut
}

/// A copy under a lock that comes by the gate.
fn by_the_gate() -> Load {
    Load {
        triggers: Some(Triggers::Fire),
        ..locked()
    }
}

#[tokio::test]
async fn what_others_write_meanwhile_waits_and_then_meets_every_foreign_key() {
    let (source, target) = (rows::source(Engine::Sqlite).await, gated().await);
    let porter = target.bare_writer().await;
    let shut = shut(&porter).await;
    let (deed, office) = (deed(), target.bare_writer().await);
    let copy = filled(&source, &target, by_the_gate(), &deed);
    let others = async {
        somebody_waits(&target, FOR_THE_GATE).await;
        let orphan = office.with(|link: &Link| {
            let hang = "INSERT INTO line VALUES (-1000, 'nobody', '2020-01-01', 1)";
            link.execute(&Sql::new(hang), &[])
        });
        let opened = async {
            somebody_waits(&target, FOR_A_TABLE).await;
            shut.commit().await.unwrap();
        };
        tokio::join!(orphan, opened).0
    };
    let ((loaded, _), orphan) = tokio::join!(copy, others);
    assert_eq!(loaded.unwrap().datasets["line"].copied, 400);
    let refused = orphan.unwrap_err().trouble;
    assert!(
        matches!(
            refused,
            DbTrouble::Constraint {
                kind: "foreign key",
                ..
            }
        ),
        "{refused:?}"
    );
    assert_eq!(number(&target, "SELECT count(*) FROM line").await, 460);
}

#[tokio::test]
async fn whoever_stops_waiting_for_it_leaves_nothing() {
    let (source, target) = (rows::source(Engine::Sqlite).await, gated().await);
    let (before, stood) = (target.everything().await, shape(&target).await);
    let porter = target.bare_writer().await;
    let shut = shut(&porter).await;
    let deed = deed();
    tokio::select! {
        done = filled(&source, &target, by_the_gate(), &deed) => panic!("{:?}", done.0),
        () = somebody_waits(&target, FOR_THE_GATE) => {}
    }
    // The server goes on with what it was asked last; nobody commits it.
    shut.commit().await.unwrap();
    assert_eq!(target.everything().await, before);
    assert_eq!(shape(&target).await, stood);
    filled(&source, &target, by_the_gate(), &deed)
        .await
        .0
        .unwrap();
    assert_eq!(shape(&target).await, stood);
}

#[tokio::test]
async fn two_copies_of_one_run_into_the_same_tables_wait_for_each_other() {
    let (source, target) = (rows::source(Engine::Sqlite).await, in_use().await);
    let stood = shape(&target).await;
    let other = Deed {
        step: "copy-other".into(),
        ..deed()
    };
    let deed = deed();
    let (reader, writer) = (source.reader().await, target.writer(&deed).await);
    let (one, two) = tokio::join!(
        load(&reader, &writer, locked(), &deed, |_| {}),
        load(&reader, &writer, locked(), &other, |_| {})
    );
    let copied = [one.unwrap(), two.unwrap()].map(|all| all.datasets["line"].copied);
    // Whoever comes second finds every line there already.
    assert_eq!(copied.iter().sum::<u64>(), 400);
    assert!(copied.contains(&400));
    assert_eq!(shape(&target).await, stood);
}

#[tokio::test]
async fn a_copy_that_began_otherwise_goes_on_under_the_lock() {
    let source = rows::source(Engine::Sqlite).await;
    let wanted = in_use().await;
    filled(&source, &wanted, rows::what(), &deed())
        .await
        .0
        .unwrap();
    for behind in [1, 3] {
        let target = in_use().await;
        let stood = shape(&target).await;
        rows::dropped(&source, &target, rows::what(), behind).await;
        let (loaded, _) = filled(&source, &target, locked(), &deed()).await;
        assert_eq!(loaded.unwrap().datasets["line"].copied, 400);
        assert_eq!(target.everything().await, wanted.everything().await);
        assert_eq!(shape(&target).await, stood);
    }
    // What was set aside durably is built again, too.
    let target = target(Engine::Postgres).await;
    let stood = shape(&target).await;
    rows::dropped(&source, &target, super::indexes::rebuilding(), 3).await;
    filled(&source, &target, locked(), &deed()).await.0.unwrap();
    assert_eq!(shape(&target).await, stood);
    assert_eq!(number(&target, "SELECT count(*) FROM line").await, 400);
}
