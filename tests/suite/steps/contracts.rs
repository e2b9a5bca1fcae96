//! `contract-novation`: each contract by its route, a buyer changed only by a deed of three.

use handover::machine::event::Waiting;
use handover::plan::model::{ContractNovation, StepSpec};
use handover::plan::outline::Undo;
use handover::steps::{Output, check, preview, run};

use super::world::{ALMO, DOVER, World, map};

const MAP: &str = r#"
[owner]
DOV = "dover"
THA = "thanet"
[code.route]
values = { NOV = "novate", ASS = "assign", REL = "re-let", TER = "terminate", EXP = "expire", TRU = "trust", OWN = "own" }
[table.contract]
from = "contract"
key = ["con_ref"]
id = "contract_id"
[table.contract.column]
contract_ref = "con_ref"
supplier_name = "supplier"
buyer_org_id = { fill = "target-org" }
title = "title"
value = { from = "value", as = "money" }
route = { from = "route", code = "route", required = true }
signed_outgoing = { from = "sig_out", as = "date", sentinels = ["1900-01-01"] }
signed_incoming = { from = "sig_in", as = "date", sentinels = ["1900-01-01"] }
signed_supplier = { from = "sig_sup", as = "date", sentinels = ["1900-01-01"] }
novated_on = { from = "novated_on", as = "date", sentinels = ["1900-01-01"] }
source_ref = { fill = "source-key" }
loaded_run_id = { fill = "run" }
"#;
const HEADING: &str = "contract_ref,signed_outgoing,signed_incoming,signed_supplier\n";

/// One contract a line: reference, organisation, route, three signatures.
fn with(contracts: &[[&str; 6]]) -> World {
    let rows = contracts.iter().map(|[con, org, route, out, inn, sup]| {
        format!(
            "INSERT INTO contract (con_ref, supplier, title, buyer, for_org, value, route, sig_out, sig_in, sig_sup, novated_on)
             VALUES ('{con:10}', 'A supplier', 'Lifts', 'EKH   ', '{org}', '1000.00', '{route}', '{out}', '{inn}', '{sup}', '1900-01-01');"
        )
    });
    let does = ContractNovation {
        source: ALMO.into(),
        target: DOVER.into(),
        list: "contract".to_owned(),
        map: map(MAP),
        split: Some("contract.for_org".to_owned()),
        buyer: "buyer".to_owned(),
    };
    let undo = Undo::ByHand("a paper of the plan".to_owned());
    World::new(
        &rows.collect::<String>(),
        StepSpec::ContractNovation(does),
        undo,
    )
}

const NEVER: &str = "1900-01-01";
const OUT: &str = "2020-08-01";
const IN: &str = "2020-08-06";
const SUP: &str = "2020-08-11";

pub(super) fn all_signed() -> World {
    with(&[
        ["K1", "DOV", "NOV", OUT, IN, SUP],
        ["K2", "DOV", "ASS", NEVER, NEVER, NEVER],
        ["K3", "DOV", "REL", NEVER, NEVER, NEVER],
        ["K4", "DOV", "TER", NEVER, NEVER, NEVER],
        ["K5", "DOV", "EXP", NEVER, NEVER, NEVER],
        ["K6", "DOV", "TRU", OUT, IN, SUP],
        ["K7", "DOV", "OWN", NEVER, NEVER, NEVER],
        ["K8", "THA", "NOV", OUT, IN, SUP],
    ])
}

fn over(world: &World) -> Vec<Vec<String>> {
    world.rows(
        DOVER,
        "SELECT contract_ref, buyer_org_id, novated_on FROM contract ORDER BY 1",
    )
}

fn buyers(world: &World) -> Vec<Vec<String>> {
    world.rows(
        ALMO,
        "SELECT rtrim(con_ref), rtrim(buyer) FROM contract WHERE rtrim(buyer) <> 'EKH' ORDER BY 1",
    )
}

#[tokio::test]
async fn every_route_goes_its_own_way() {
    let world = all_signed();
    let foretold = preview(&world.look(0).await).await.unwrap();
    assert_eq!(foretold.line, "2 contracts");
    assert_eq!(foretold.notes.len(), 2, "{:?}", foretold.notes);
    let Output::Done {
        outputs, effects, ..
    } = world.run(0, 1).await
    else {
        panic!("nothing is missing")
    };
    assert_eq!(effects, 4);
    assert_eq!(over(&world), [["K1", "dover", SUP], ["K2", "dover", "-"]]);
    assert_eq!(buyers(&world), [["K1", "DOV"], ["K2", "DOV"]]);
    let stays: Vec<&str> = outputs[2..].iter().map(|count| &*count.dataset).collect();
    let expected =
        ["expire", "own", "re-let", "terminate", "trust"].map(|route| format!("contract/{route}"));
    assert_eq!(stays, expected);
    assert_eq!((outputs[0].rows, outputs[0].filtered), (2, 5));
}

#[tokio::test]
async fn what_lacks_a_signature_waits_and_what_has_them_goes() {
    let mut world = with(&[
        ["K1", "DOV", "NOV", OUT, IN, SUP],
        ["K2", "DOV", "NOV", OUT, IN, NEVER],
        ["K3", "DOV", "NOV", NEVER, NEVER, NEVER],
    ]);
    for _ in 0..2 {
        let Output::Held(Waiting::Evidence {
            seat,
            what,
            missing,
        }) = world.run(0, 1).await
        else {
            panic!("two signatures are missing")
        };
        assert_eq!((&*seat.role, seat.org.as_deref()), ("legal", Some("dover")));
        assert_eq!((&*what, missing), ("signatures", 2));
        assert_eq!(buyers(&world), [["K1", "DOV"]]);
    }
    world.hand_in(&format!(
        "{HEADING}K2,,,2020-09-02\nK3,2020-09-01,,2020-09-03\n"
    ));
    let Output::Held(Waiting::Evidence { missing: 1, .. }) = world.run(0, 1).await else {
        panic!("one signature is missing")
    };
    world.hand_in(&format!("{HEADING}K3,,2020-09-02,\n"));
    let Output::Done {
        outputs, effects, ..
    } = world.run(0, 1).await
    else {
        panic!("nothing is missing")
    };
    assert_eq!((effects, outputs[0].rows, outputs[0].filtered), (6, 3, 0));
    assert_eq!(
        over(&world),
        [
            ["K1", "dover", SUP],
            ["K2", "dover", "2020-09-02"],
            ["K3", "dover", "2020-09-03"]
        ]
    );
}

#[tokio::test]
async fn a_date_to_come_is_nobodys_signature() {
    let world = with(&[["K1", "DOV", "NOV", OUT, IN, "2020-12-24"]]);
    assert!(matches!(world.run(0, 1).await, Output::Held(_)));
    assert!(over(&world).is_empty() && buyers(&world).is_empty());
}

#[tokio::test]
async fn a_contract_without_a_route_stops_all_before_any() {
    for route in ["", "XXX"] {
        let world = with(&[
            ["K1", "DOV", "NOV", OUT, IN, SUP],
            ["K2", "DOV", route, OUT, IN, SUP],
        ]);
        let found = check(&world.look(0).await).await.unwrap();
        assert_eq!(
            found.iter().map(|finding| finding.code).collect::<Vec<_>>(),
            ["HO518"]
        );
        let (act, _heard) = world.act(0, 1).await;
        let fault = run(&act).await.unwrap_err();
        assert_eq!((fault.code, fault.rows), ("HO518", 1));
        assert!(over(&world).is_empty());
    }
}

#[tokio::test]
async fn evidence_about_somebody_elses_contract_is_refused() {
    let mut world = with(&[
        ["K1", "DOV", "NOV", NEVER, NEVER, NEVER],
        ["K2", "THA", "NOV", NEVER, NEVER, NEVER],
    ]);
    world.hand_in(&format!("{HEADING}K2,2020-09-01,2020-09-01,2020-09-01\n"));
    let (act, _heard) = world.act(0, 1).await;
    assert_eq!(run(&act).await.unwrap_err().code, "HO530");
}

#[tokio::test]
async fn evidence_that_was_exchanged_on_disk_is_refused() {
    let mut world = with(&[["K1", "DOV", "NOV", NEVER, NEVER, NEVER]]);
    world.hand_in(&format!("{HEADING}K1,2020-09-01,2020-09-01,\n"));
    let folder = world.run_folder().join("evidence");
    let file = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap();
    std::fs::write(
        file.path(),
        format!("{HEADING}K1,2020-09-01,2020-09-01,2020-09-01\n"),
    )
    .unwrap();
    let (act, _heard) = world.act(0, 1).await;
    assert_eq!(run(&act).await.unwrap_err().code, "HO530");
    assert!(over(&world).is_empty());
}
