//! Rows shaped like a rent ledger, and the copy of them with ledger, digests and undo on.
//!
//! Not here: where they stand and what they are held against (`copy`, `servers`).

use std::sync::Arc;

use handover::copy::ledger::{self, Deed, Effect};
use handover::copy::load::{Load, Loaded, load};
use handover::copy::route::Route;
use handover::machine::key::RunKey;
use handover::orgdb::{Address, OrgReader, OrgWriter};
use handover::plan::map::{
    Bad, Becomes, Collision, ColumnRef, Dataset, Map, MapColumn, Namespace, Origin,
};
use handover::plan::model::{Indexes, Place};

pub(crate) const COLUMNS: [&str; 7] = [
    "id",
    "account_id",
    "posted_on",
    "amount",
    "type_code",
    "narrative",
    "posted_at",
];

/// The table in a file.
pub(crate) const FILE: &str = "CREATE TABLE ledger (id INTEGER PRIMARY KEY, account_id TEXT NOT NULL, posted_on TEXT NOT NULL,
  amount TEXT NOT NULL, type_code TEXT NOT NULL, narrative TEXT, posted_at TEXT)";

/// A column that goes as it stands.
pub(crate) fn as_it_stands(table: &str, name: &str) -> MapColumn {
    MapColumn {
        into: name.to_owned(),
        from: Origin::Column(ColumnRef {
            table: table.to_owned(),
            column: name.to_owned(),
        }),
        trim: false,
        case: None,
        nulls: Vec::new(),
        repair: false,
        becomes: Becomes::Text,
        bad: Bad::Reject,
        required: false,
        namespace: Namespace::None,
        default: None,
        place: Place::default(),
    }
}

/// A table's rows, none of its columns yet, into the table of the same name.
pub(crate) fn dataset(table: &str, key: &[String]) -> Dataset {
    Dataset {
        name: table.to_owned(),
        from: table.to_owned(),
        into: table.to_owned(),
        key: key.to_vec(),
        id: None,
        aliases: Vec::new(),
        leave_out: Vec::new(),
        reject_limit: None,
        natural_key: Vec::new(),
        goes_to: handover::plan::map::GoesTo::Owner,
        collision: Collision::Refuse,
        columns: Vec::new(),
        place: Place::default(),
    }
}

/// All of it, unmapped but for what becomes of the amount.
pub(crate) fn unmapped(amount: &Becomes, chunk_rows: usize) -> Load {
    let column = |name: &str| MapColumn {
        trim: true,
        becomes: match name {
            "id" => Becomes::Integer,
            "amount" => amount.clone(),
            _ => Becomes::Text,
        },
        required: name == "id",
        ..as_it_stands("ledger", name)
    };
    let dataset = Dataset {
        columns: COLUMNS.map(column).into(),
        ..dataset("ledger", &["id".to_owned()])
    };
    Load {
        map: Arc::new(Map {
            datasets: vec![dataset],
            ..Map::default()
        }),
        tables: vec!["ledger".to_owned()],
        route: Route {
            source: "almo".into(),
            targets: vec!["dover".into()],
            split: None,
            handover: jiff::Timestamp::UNIX_EPOCH,
        },
        target: "dover".into(),
        triggers: None,
        chunk_rows,
        indexes: Indexes::Keep,
        frozen: false,
    }
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap()
}

pub(crate) fn deed() -> Deed {
    Deed {
        run: uuid::Uuid::from_u128(1),
        step: "copy".into(),
        generation: 1,
        epoch: 1,
        log_seq: 1,
        key: RunKey::new([7; 32]),
    }
}

/// Copies with everything on; `hear` is told of each chunk.
pub(crate) fn copied(
    from: &Address,
    to: &Address,
    what: Load,
    hear: impl FnMut(&Effect) + Send,
) -> Loaded {
    copied_by(1, from, to, what, hear)
}

/// The same by the executor of this number: a later one goes on where an earlier one was killed.
pub(crate) fn copied_by(
    epoch: u64,
    from: &Address,
    to: &Address,
    what: Load,
    hear: impl FnMut(&Effect) + Send,
) -> Loaded {
    let deed = Deed { epoch, ..deed() };
    runtime().block_on(async {
        let reader = OrgReader::open("almo", from).await.unwrap();
        let writer = OrgWriter::open("dover", to).await.unwrap();
        ledger::prepare(&writer).await.unwrap();
        ledger::raise_fence(&writer, deed.run, epoch, 1)
            .await
            .unwrap();
        load(&reader, &writer, what, &deed, hear).await.unwrap()
    })
}
