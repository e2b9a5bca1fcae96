//! A small town: an ALMO's legacy database without keys or relations, two councils' targets with keys
//! and foreign keys, and the map between them. Every row is named in the tests that count it.
//!
//! Not here: what is tested.

use std::path::PathBuf;
use std::sync::Arc;

use handover::copy::fault::LoadFault;
use handover::copy::ledger::Deed;
use handover::copy::load::{Load, Loaded, load};
use handover::copy::route::Route;
use handover::orgdb::{Address, OrgReader, OrgWriter};
use handover::plan::map::{
    Bad, Becomes, CodeList, ColumnRef, Condition, CrosswalkAlias, Dataset, Filter, Map, MapColumn,
    Origin, Relation, Test, Unmapped,
};
use handover::plan::model::{Code, Indexes, Place as Where, Triggers};

pub use super::place::deed;
use super::place::{Place, writer};

/// Homes: two councils, a block with its flats (the flat first), one orphaned parent, an owner that
/// nobody knows. Tenancies: padded keys, a duplicate, an unknown code, a bad date, never started.
const LEGACY: &str = "
CREATE TABLE property (prop_ref CHAR(12), major_ref CHAR(12), owner_conf CHAR(3), address TEXT, uprn TEXT);
INSERT INTO property VALUES
  ('00000002    ', '00000001    ', 'DOV', '2 High St', '100061234567'),
  ('00000001    ', NULL, 'DOV', 'High Block', '100061234568.0'),
  ('00000003    ', '00009999    ', 'DOV', NULL, NULL),
  ('00000004    ', NULL, 'CAN', 'Zoë’s Court', '1.00061E+11'),
  ('00000005    ', '00000001    ', 'CAN', '5 Mill Ln', NULL),
  ('00000006    ', NULL, 'XXX', '6 Nowhere', NULL);
CREATE TABLE tenagree (tag_ref CHAR(11), prop_ref TEXT, tenure CHAR(3), cot TEXT, eot TEXT, cur_bal NUMERIC, active INTEGER, notes TEXT);
INSERT INTO tenagree VALUES
  ('000001/01  ', '00000002', 'SEC', '2019-04-01 00:00:00', '1900-01-01', 12.5, 1, 'fine'),
  ('000001/02  ', '00000003  ', 'INT', '2019-04-01', '2020-01-31', '-3.10', 1, CAST(x'4f92427269656e' AS TEXT)),
  ('000001/02  ', '00000003  ', 'SEC', '2019-05-01', NULL, 0, 1, NULL),
  ('000002/01  ', '00000004', 'SEC', '2019-04-01', NULL, 100, 1, 'â€™'),
  ('000002/02  ', '00000004', 'ZZZ', '2019-04-01', NULL, 1, 1, NULL),
  ('000002/03  ', '00000004', 'SEC', '31/02/2019', NULL, 1, 1, NULL),
  ('000002/04  ', '00000004', 'SEC', '2019-04-01', NULL, 0.1, 0, NULL),
  ('000003/01  ', '00000777', 'SEC', '2019-04-01', NULL, 5, 1, NULL);
CREATE TABLE rtrans (tag_ref CHAR(11), real_value TEXT, post_date TEXT, rtrans_sid INTEGER);
INSERT INTO rtrans VALUES
  ('000001/01', '100.00', '2019-04-08', 1), ('000001/01', '-87.5', '2019-04-09', 2),
  ('000001/02', '-3.10', '2019-04-08', 3), ('000002/01', '100.00', '2019-04-08', 4),
  ('000002/02', '1.00', '2019-04-08', 5), ('000002/01', '0.001', '2019-04-08', 6),
  ('000009/09', '7.00', '2019-04-08', 7), ('000002/01', '5.00', '2019-04-08', 4);
";

const TARGET: &str = "
CREATE TABLE asset (asset_id TEXT PRIMARY KEY NOT NULL, asset_ref TEXT NOT NULL, parent_asset_id TEXT REFERENCES asset (asset_id),
  address TEXT, uprn TEXT, owner TEXT NOT NULL, level TEXT NOT NULL DEFAULT 'dwelling', run TEXT, UNIQUE (owner, asset_ref));
CREATE INDEX asset_parent ON asset (parent_asset_id);
CREATE TABLE tenancy (tenancy_id TEXT PRIMARY KEY NOT NULL, tenancy_ref TEXT NOT NULL, asset_id TEXT NOT NULL REFERENCES asset (asset_id),
  tenure TEXT NOT NULL, starts TEXT NOT NULL, ends TEXT, balance TEXT CHECK (balance GLOB '*[0-9].[0-9][0-9]'), notes TEXT);
CREATE INDEX tenancy_asset ON tenancy (asset_id);
CREATE TABLE txn (txn_id TEXT PRIMARY KEY NOT NULL, tenancy_id TEXT NOT NULL REFERENCES tenancy (tenancy_id), amount TEXT NOT NULL, posted TEXT NOT NULL, source_ref TEXT);
CREATE INDEX txn_tenancy ON txn (tenancy_id);
INSERT INTO asset (asset_id, asset_ref, owner) VALUES ('own', '00000001', 'elsewhere');
INSERT INTO tenancy VALUES ('own', '1', 'own', 'secure', '2001-01-01', NULL, '0.00', NULL);
INSERT INTO txn VALUES ('own', 'own', '1.00', '2001-01-08', NULL);
";

pub fn reference(text: &str, table: &str) -> ColumnRef {
    let (table, column) = text.split_once('.').unwrap_or((table, text));
    ColumnRef {
        table: table.to_owned(),
        column: column.to_owned(),
    }
}

/// A column with the defaults of a map file.
pub fn column(table: &str, into: &str, from: &str, becomes: Becomes) -> MapColumn {
    MapColumn {
        into: into.to_owned(),
        from: Origin::Column(reference(from, table)),
        trim: true,
        case: None,
        nulls: Vec::new(),
        repair: false,
        becomes,
        bad: Bad::Reject,
        required: false,
        namespace: handover::plan::map::Namespace::None,
        default: None,
        place: Where::default(),
    }
}

pub(super) fn date() -> Becomes {
    Becomes::Date {
        formats: vec!["yyyy-mm-dd".to_owned(), "dd/mm/yyyy".to_owned()],
        sentinels: vec!["1900-01-01".to_owned()],
        not_before_handover: false,
    }
}

pub fn money() -> Becomes {
    Becomes::Money { negate: false }
}

/// A dataset whose keys are drawn.
pub fn dataset(name: &str, from: &str, key: &str, id: &str, columns: Vec<MapColumn>) -> Dataset {
    Dataset {
        name: name.to_owned(),
        from: from.to_owned(),
        into: name.to_owned(),
        key: vec![key.to_owned()],
        id: Some(id.to_owned()),
        aliases: Vec::new(),
        leave_out: Vec::new(),
        reject_limit: None,
        natural_key: Vec::new(),
        goes_to: handover::plan::map::GoesTo::Owner,
        collision: handover::plan::map::Collision::Refuse,
        columns,
        place: Where::default(),
    }
}

/// A reference from one column to another.
pub fn relation(child: &str, parent: &str) -> Relation {
    Relation {
        child: reference(child, ""),
        parent: reference(parent, ""),
    }
}

/// The map of the town.
#[expect(clippy::too_many_lines, reason = "one map, read from top to bottom")]
pub fn map() -> Map {
    let lookup = |name: &str| Becomes::Lookup(name.to_owned());
    let required = |column: MapColumn| MapColumn {
        required: true,
        namespace: handover::plan::map::Namespace::None,
        ..column
    };
    let made = |into: &str, from: Origin| MapColumn {
        from,
        ..column("", into, "x", Becomes::Text)
    };
    let asset = dataset(
        "asset",
        "property",
        "prop_ref",
        "asset_id",
        vec![
            column("property", "asset_ref", "prop_ref", Becomes::Text),
            column("property", "parent_asset_id", "major_ref", lookup("asset")),
            MapColumn {
                default: Some("unknown".to_owned()),
                ..column("property", "address", "address", Becomes::Text)
            },
            MapColumn {
                bad: Bad::Null,
                ..column("property", "uprn", "uprn", Becomes::Uprn)
            },
            made("owner", Origin::TargetOrg),
            made("run", Origin::Run),
        ],
    );
    let tenancy = Dataset {
        aliases: vec![CrosswalkAlias {
            name: "tenancy-of-home".to_owned(),
            key: vec!["prop_ref".to_owned()],
            unless: Vec::new(),
        }],
        leave_out: vec![Filter {
            condition: Condition {
                column: reference("tenagree.active", ""),
                test: Test::Is(vec!["0".to_owned()]),
                place: Where::default(),
            },
            reason: "never-started".to_owned(),
        }],
        ..dataset(
            "tenancy",
            "tenagree",
            "tag_ref",
            "tenancy_id",
            vec![
                column("tenagree", "tenancy_ref", "tag_ref", Becomes::Text),
                column("tenagree", "asset_id", "prop_ref", lookup("asset")),
                column(
                    "tenagree",
                    "tenure",
                    "tenure",
                    Becomes::Code("tenure".to_owned()),
                ),
                required(column("tenagree", "starts", "cot", date())),
                column("tenagree", "ends", "eot", date()),
                column("tenagree", "balance", "cur_bal", money()),
                MapColumn {
                    repair: true,
                    ..column("tenagree", "notes", "notes", Becomes::Text)
                },
            ],
        )
    };
    let txn = dataset(
        "txn",
        "rtrans",
        "rtrans_sid",
        "txn_id",
        vec![
            required(column("rtrans", "tenancy_id", "tag_ref", lookup("tenancy"))),
            required(column("rtrans", "amount", "real_value", money())),
            required(column("rtrans", "posted", "post_date", date())),
            made("source_ref", Origin::SourceKey),
        ],
    );
    let list = CodeList {
        values: [("SEC", "secure"), ("INT", "introductory")]
            .map(|(from, to)| (from.to_owned(), to.to_owned()))
            .into(),
        at: std::collections::BTreeMap::new(),
        unmapped: Unmapped::Reject {
            reason: "not agreed".to_owned(),
            limit: 5,
        },
        place: Where::default(),
    };
    Map {
        path: "maps/town.toml".to_owned(),
        owners: [("DOV", "dover"), ("CAN", "canterbury")]
            .map(|(code, org)| (code.to_owned(), Code::from(org)))
            .into(),
        splits: [].into(),
        relations: vec![
            relation("tenagree.prop_ref", "property.prop_ref"),
            relation("rtrans.tag_ref", "tenagree.tag_ref"),
        ],
        codes: [("tenure".to_owned(), list)].into(),
        datasets: vec![asset, tenancy, txn],
        decisions: handover::plan::decisions::Decisions::default(),
    }
}

pub fn route() -> Route {
    Route {
        source: "almo".into(),
        targets: vec!["canterbury".into(), "dover".into()],
        split: Some("property.owner_conf".to_owned()),
        handover: "2020-09-30T23:00:00Z".parse().unwrap(),
    }
}

/// The town on disk.
pub(super) struct Town {
    _place: Place,
    pub(super) source: PathBuf,
    pub(super) target: PathBuf,
    pub(super) deed: Deed,
    pub(super) map: Map,
    pub(super) council: &'static str,
    pub(super) chunk_rows: usize,
    pub(super) triggers: Option<Triggers>,
}

impl Town {
    pub(super) fn new(council: &'static str) -> Town {
        let place = Place::new();
        Town {
            source: place.database("almo.db", LEGACY),
            target: place.database(&format!("{council}.db"), TARGET),
            _place: place,
            deed: deed(),
            map: map(),
            council,
            chunk_rows: 2,
            triggers: None,
        }
    }

    pub(super) async fn reader(&self) -> OrgReader {
        OrgReader::open("almo", &Address::Sqlite(self.source.clone()))
            .await
            .unwrap()
    }

    pub(super) async fn writer(&self) -> OrgWriter {
        writer(&self.target, &self.deed).await
    }

    pub(super) fn load(&self) -> Load {
        Load {
            map: Arc::new(self.map.clone()),
            tables: ["property", "tenagree", "rtrans"].map(str::to_owned).into(),
            route: route(),
            target: self.council.into(),
            triggers: self.triggers,
            chunk_rows: self.chunk_rows,
            indexes: Indexes::Keep,
            frozen: false,
        }
    }

    /// Copies to the end.
    pub(super) async fn copy(&self) -> Result<Loaded, LoadFault> {
        let (reader, writer) = (self.reader().await, self.writer().await);
        load(&reader, &writer, self.load(), &self.deed, |_| {}).await
    }
}
