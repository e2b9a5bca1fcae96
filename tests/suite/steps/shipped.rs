//! The plan of East Kent as it is shipped, looked at on made-up databases: nothing stands against any
//! of its steps, and staff and contracts come to what the truth says.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use handover::demo::generate::{Spec, World, generate};
use handover::orgdb::{Address, OrgReader};
use handover::plan::model::{Code, StepSpec};
use handover::plan::papers::Papers;
use handover::plan::read;
use handover::steps::{Look, check, preview};

#[tokio::test]
async fn nothing_stands_against_east_kent_and_it_foretells_the_truth() {
    let folder = tempfile::tempdir().unwrap();
    let spec = Spec {
        homes: 200,
        ..Spec::new(World::EastKent2020)
    };
    let truth = generate(folder.path(), &spec).unwrap();
    let papers = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans/east-kent-2020");
    let plan = read("east-kent-2020", Papers::open(&papers).unwrap());
    let plan = Arc::new(plan.unwrap_or_else(|faults| panic!("{:?}", faults.faults)));
    let mut readers = BTreeMap::new();
    for org in plan.orgs.keys() {
        let address = Address::Sqlite(folder.path().join(format!("{org}.db")));
        readers.insert(
            Code::clone(org),
            OrgReader::open(org, &address).await.unwrap(),
        );
    }
    let readers = Arc::new(readers);
    for step in 0..plan.steps.len() {
        let look = Look {
            plan: plan.clone(),
            step,
            readers: readers.clone(),
            as_at: plan.handover,
            run: None,
        };
        let stops: Vec<_> = check(&look)
            .await
            .unwrap()
            .into_iter()
            .filter(|one| one.stops)
            .collect();
        assert!(stops.is_empty(), "{}: {stops:?}", look.step().id);
        let foretold = preview(&look).await.unwrap();
        match &look.step().does {
            StepSpec::StaffTransfer(staff) => {
                let counts = &foretold.counts[&staff.target]["employee"];
                let truth = &truth.staff[&*staff.target];
                assert_eq!(counts.copied, truth.transferring);
                assert_eq!(
                    counts.filtered.get("objected").copied().unwrap_or(0),
                    truth.objectors
                );
                assert_eq!(
                    counts.filtered.get("left").copied().unwrap_or(0),
                    truth.left
                );
            }
            StepSpec::ContractNovation(contracts) => {
                let counts = &foretold.counts[&contracts.target]["contract"];
                let truth = &truth.contracts[&*contracts.target];
                assert_eq!(
                    counts.copied,
                    truth["novate"].contracts + truth["assign"].contracts
                );
                assert_eq!(counts.filtered["trust"], truth["trust"].contracts);
            }
            _ => {}
        }
    }
}
