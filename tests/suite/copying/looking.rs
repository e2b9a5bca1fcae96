//! Looking before leaping: what a forecast foretells is what a copy does, and nothing is written.

use std::collections::BTreeMap;

use handover::copy::look::{Mapped, forecast, mapped_rows, unmapped_codes};
use handover::orgdb::Value;

use super::town::{Town, route};

#[tokio::test]
async fn the_forecast_foretells_the_copy_of_every_council_to_the_row_and_penny() {
    let town = Town::new("dover");
    let before = std::fs::read(&town.source).unwrap();
    let tables = town.load().tables;
    let foretold = forecast(&town.reader().await, &town.map, &tables, &route())
        .await
        .unwrap();
    for council in ["dover", "canterbury"] {
        let loaded = Town::new(council).copy().await.unwrap();
        assert_eq!(foretold.targets[council], loaded.datasets, "{council}");
    }
    let unrouted = |table: &str| {
        let reasons: Vec<(&str, u64)> = foretold.unrouted[table]
            .iter()
            .map(|(reason, rows)| (reason.as_str(), *rows))
            .collect();
        reasons
    };
    assert_eq!(unrouted("property"), [("owner \"XXX\"", 1)]);
    assert_eq!(unrouted("tenagree"), [("orphan", 1)]);
    assert_eq!(unrouted("rtrans"), [("orphan", 1)]);
    assert_eq!(std::fs::read(&town.source).unwrap(), before);
}

#[tokio::test]
async fn live_codes_that_no_list_covers_are_found_by_council() {
    let town = Town::new("dover");
    let tables = town.load().tables;
    let codes = unmapped_codes(&town.reader().await, &town.map, &tables, &route())
        .await
        .unwrap();
    assert_eq!(codes.len(), 1);
    let code = &codes[0];
    assert_eq!(
        (code.dataset.as_str(), code.column.as_str()),
        ("tenancy", "tenure")
    );
    assert_eq!((code.list.as_str(), code.code.as_str()), ("tenure", "ZZZ"));
    assert_eq!(code.rows, BTreeMap::from([("canterbury".into(), 1)]));
}

#[tokio::test]
async fn a_few_mapped_rows_come_in_the_order_of_their_keys_each_with_its_fate() {
    let town = Town::new("dover");
    let mut dataset = town.map.datasets[1].clone();
    dataset.columns.retain(|column| column.into != "asset_id");
    let rows = mapped_rows(
        &town.reader().await,
        &town.map,
        &dataset,
        &route(),
        &"canterbury".into(),
    )
    .await
    .unwrap();
    let fates: Vec<(&str, &str)> = rows
        .iter()
        .map(|(key, mapped)| {
            let fate = match mapped {
                Mapped::Row(_) => "goes",
                Mapped::Filtered(reason) => reason,
                Mapped::Rejected { code, .. } => code,
            };
            (key[0].as_str(), fate)
        })
        .collect();
    assert_eq!(
        fates,
        [
            ("000002/01", "goes"),
            ("000002/02", "HO511"),
            ("000002/03", "HO502"),
            ("000002/04", "never-started")
        ]
    );
    let Mapped::Row(values) = &rows[0].1 else {
        panic!()
    };
    assert_eq!(values[0], Value::from("000002/01"));
    assert_eq!(values[4], Value::from("100.00"));
}
