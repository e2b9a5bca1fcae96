//! Rows written by a pen and by a whole copy, from one server to another, and taken back.
//!
//! Not here: other engines (`pairs`).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use handover::copy::ledger::Pen;
use handover::copy::load::{Load as Copying, load};
use handover::copy::undo;
use handover::machine::event::UndoMode;
use handover::orgdb::{Ident, OrgReader, Value};
use handover::plan::model::Indexes;
use tokio::sync::Notify;

use super::{SERVER, all, database, prepared};
use crate::copying::town::{self, deed};

#[tokio::test]
async fn a_pen_finds_its_rows_letter_by_letter_and_undo_gives_all_of_it_back() {
    let there = database(
        "pens",
        "CREATE TABLE staff (name varchar(20) COLLATE utf8mb4_bin, pay decimal(8,2), since timestamp(6) NULL,
           aware datetime(6), grade varchar(4) DEFAULT 'G5', PRIMARY KEY (name)) COLLATE utf8mb4_general_ci;
         CREATE TABLE notes (who varchar(20), what varchar(20), INDEX (who)) COLLATE utf8mb4_general_ci;
         INSERT INTO notes VALUES ('ann', 'x'), ('ANN', 'x'), ('ann', 'x'), ('ann ', 'x');
         INSERT INTO staff (name, pay) VALUES ('own', 1), ('Own', 2)",
    );
    let before = SERVER
        .ask("pens", "SELECT * FROM staff; SELECT * FROM notes")
        .unwrap();
    let (writer, deed) = (prepared(&there).await, deed());
    let mut pen = Pen::begin(&writer, &deed, 1, "insert:staff")
        .await
        .unwrap()
        .unwrap();
    let name = |text| Ident::new(text);
    let columns = ["name", "pay", "since", "aware"].map(name);
    let moment = "2020-10-24T23:30:00Z";
    let row = |who: &str| vec![who.into(), "20.00".into(), moment.into(), moment.into()];
    pen.insert(&name("staff"), &columns, vec![row("e1"), row("E1")])
        .await
        .unwrap();
    let own = [(name("name"), Value::from("own"))];
    let set = [
        (name("pay"), Value::from("3.50")),
        (name("since"), moment.into()),
    ];
    assert_eq!(pen.update(&name("staff"), &own, &set).await.unwrap(), 1);
    let ann = [(name("who"), Value::from("ann"))];
    let set = [(name("what"), Value::from("y"))];
    pen.update(&name("notes"), &ann, &set).await.unwrap();
    pen.commit().await.unwrap();
    let notes = writer
        .with(|link| all(link, "SELECT who, what FROM notes"))
        .await
        .unwrap();
    assert_eq!(notes, ["'ann' 'y'", "'ANN' 'x'", "'ann' 'y'", "'ann ' 'x'"]);
    let again = Pen::begin(&writer, &deed, 1, "insert:staff").await.unwrap();
    assert!(again.is_none(), "an effect happens once");
    let reader = OrgReader::open("dover", &there).await.unwrap();
    let seen = undo::look(&reader, &deed).await.unwrap();
    assert!(seen.changed.is_empty(), "{:?}", seen.changed);
    let undone = undo::undo(&writer, &deed, UndoMode::Refuse).await.unwrap();
    assert_eq!(undone, seen);
    let after = SERVER
        .ask("pens", "SELECT * FROM staff; SELECT * FROM notes")
        .unwrap();
    assert_eq!(after, before);
}

/// The town's source, with keys that only a collation takes for the same, and no key at all.
const LEGACY: &str = "
CREATE TABLE property (prop_ref char(12), major_ref char(12), owner_conf char(3), address varchar(99), uprn varchar(20));
INSERT INTO property VALUES
  ('00000002', '00000001', 'DOV', '2 High St', '100061234567'),
  ('00000001', NULL, 'DOV', 'High Block', '100061234568.0'),
  ('00000003', '00009999', 'DOV', NULL, NULL),
  ('00000004', NULL, 'CAN', 'Zoë’s Court', '1.00061E+11'),
  ('00000005', '00000001', 'CAN', '5 Mill Ln', NULL),
  ('00000006', NULL, 'XXX', '6 Nowhere', NULL);
CREATE TABLE tenagree (tag_ref varchar(11), prop_ref varchar(20), tenure char(3), cot varchar(20), eot date,
  cur_bal decimal(10,2), active tinyint(1), notes longtext, UNIQUE KEY (cot, tag_ref));
INSERT INTO tenagree VALUES
  ('000001/01', '00000002', 'SEC', '2019-04-01 00:00:00', '1900-01-01', 12.5, 1, 'fine'),
  ('000001/02', '00000003', 'INT', '2019-04-01', '2020-01-31', -3.10, 1, 'O’Brien'),
  ('000001/02', '00000003', 'SEC', '2019-05-01', NULL, 0, 1, NULL),
  ('000002/01', '00000004', 'SEC', '2019-04-01', NULL, 100, 1, 'x'),
  ('000002/04', '00000004', 'SEC', '2019-04-01', NULL, 0.1, 0, NULL);
CREATE TABLE rtrans (tag_ref varchar(11), real_value decimal(10,2), post_date date, rtrans_sid int PRIMARY KEY);
INSERT INTO rtrans VALUES
  ('000001/01', 100.00, '2019-04-08', 1), ('000001/01', -87.5, '2019-04-09', 2),
  ('000001/02', -3.10, '2019-04-08', 3), ('000002/01', 100.00, '2019-04-08', 4);";

const TARGET: &str = "
CREATE TABLE asset (asset_id varchar(64) PRIMARY KEY, asset_ref varchar(50) NOT NULL, parent_asset_id varchar(64),
  address varchar(99), uprn varchar(12), owner varchar(50) NOT NULL, level varchar(20) NOT NULL DEFAULT 'dwelling',
  run varchar(36), made timestamp(6) DEFAULT current_timestamp(6), UNIQUE (owner, asset_ref),
  FOREIGN KEY (parent_asset_id) REFERENCES asset (asset_id));
CREATE TABLE tenancy (tenancy_id varchar(64) PRIMARY KEY, tenancy_ref varchar(50) NOT NULL, asset_id varchar(64) NOT NULL,
  tenure varchar(20) NOT NULL, starts date NOT NULL, ends date, balance decimal(14,2), notes longtext,
  FOREIGN KEY (asset_id) REFERENCES asset (asset_id));
CREATE TABLE txn (txn_id varchar(64) PRIMARY KEY, tenancy_id varchar(64) NOT NULL, amount decimal(14,2) NOT NULL,
  posted date NOT NULL, source_ref varchar(20), FOREIGN KEY (tenancy_id) REFERENCES tenancy (tenancy_id));
INSERT INTO asset (asset_id, asset_ref, owner, made) VALUES ('own', '00000001', 'elsewhere', '2020-01-01');";

const EVERYTHING: &str = "SELECT * FROM asset ORDER BY 1; SELECT * FROM tenancy ORDER BY 1; SELECT * FROM txn ORDER BY 1";

#[tokio::test]
async fn a_town_is_copied_from_one_server_to_another_and_taken_back() {
    let (source, target) = (database("almo", LEGACY), database("dover", TARGET));
    let before = SERVER.ask("dover", EVERYTHING).unwrap();
    let (writer, deed) = (prepared(&target).await, deed());
    let reader = OrgReader::open("almo", &source).await.unwrap();
    let what = || Copying {
        map: Arc::new(town::map()),
        tables: ["property", "tenagree", "rtrans"].map(str::to_owned).into(),
        route: town::route(),
        target: "dover".into(),
        triggers: None,
        chunk_rows: 2,
        indexes: Indexes::Keep,
        frozen: false,
    };
    // It is stopped in the middle, again and again, and goes on behind what is durable.
    for most in 1..6 {
        let (seen, stop) = (AtomicUsize::new(0), Notify::new());
        let copy = load(&reader, &writer, what(), &deed, |_| {
            if seen.fetch_add(1, Ordering::SeqCst) + 1 >= most {
                stop.notify_one();
            }
        });
        tokio::select! {
            biased;
            () = stop.notified() => {}
            done = copy => drop(done),
        }
        // What was cut off ends in its own time.
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let loaded = load(&reader, &writer, what(), &deed, |_| {}).await.unwrap();
    let asked = |query: &str| SERVER.ask("dover", query).unwrap();
    assert_eq!(
        asked("SELECT a.asset_ref, p.asset_ref, a.address, a.uprn, a.level FROM asset AS a LEFT JOIN asset AS p
               ON p.asset_id = a.parent_asset_id WHERE a.owner = 'dover' ORDER BY a.asset_ref"),
        "00000001\tNULL\tHigh Block\t100061234568\tdwelling\n\
         00000002\t00000001\t2 High St\t100061234567\tdwelling\n\
         00000003\tNULL\tunknown\tNULL\tdwelling"
    );
    assert_eq!(
        asked("SELECT tenancy_ref, tenure, starts, ends, balance, notes FROM tenancy ORDER BY 1"),
        "000001/01\tsecure\t2019-04-01\tNULL\t12.50\tfine\n\
         000001/02\tintroductory\t2019-04-01\t2020-01-31\t-3.10\tO’Brien"
    );
    assert_eq!(
        asked("SELECT amount, source_ref FROM txn ORDER BY source_ref"),
        "100.00\t1\n-87.50\t2\n-3.10\t3"
    );
    assert_eq!(loaded.datasets["tenancy"].rejected["HO506 tenancy_id"], 1);
    let again = load(&reader, &writer, what(), &deed, |_| {}).await.unwrap();
    assert_eq!(again.roots, loaded.roots, "nothing is copied twice");
    let undone = undo::undo(&writer, &deed, UndoMode::Refuse).await.unwrap();
    assert!(
        undone.changed.is_empty() && undone.removed == 8,
        "{undone:?}"
    );
    assert_eq!(SERVER.ask("dover", EVERYTHING).unwrap(), before);
}

#[tokio::test]
async fn rows_that_people_changed_or_hung_on_ours_are_found() {
    let (source, target) = (database("almo_2", LEGACY), database("dover_2", TARGET));
    let (writer, deed) = (prepared(&target).await, deed());
    let reader = OrgReader::open("almo", &source).await.unwrap();
    let what = Copying {
        map: Arc::new(town::map()),
        tables: ["property", "tenagree", "rtrans"].map(str::to_owned).into(),
        route: town::route(),
        target: "dover".into(),
        triggers: None,
        chunk_rows: 100,
        indexes: Indexes::Keep,
        frozen: false,
    };
    load(&reader, &writer, what, &deed, |_| {}).await.unwrap();
    SERVER
        .ask(
            "dover_2",
            "UPDATE txn SET amount = 7 WHERE source_ref = '1'; DELETE FROM txn WHERE source_ref = '2';
             INSERT INTO tenancy SELECT 'theirs', 't', asset_id, 'secure', '2020-01-01', NULL, NULL, NULL
             FROM asset WHERE asset_ref = '00000003' AND owner = 'dover'",
        )
        .unwrap();
    let undone = undo::undo(&writer, &deed, UndoMode::Skip).await.unwrap();
    let found: Vec<(&str, &str, u64)> = undone
        .changed
        .iter()
        .map(|(table, class, rows)| (table.as_str(), *class, *rows))
        .collect();
    assert_eq!(
        found,
        [
            ("asset", "has children", 2),
            ("tenancy", "has children", 1),
            ("txn", "deleted", 1),
            ("txn", "edited", 1)
        ]
    );
}
