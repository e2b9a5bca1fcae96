//! `switch`: who manages changes, who is landlord never does, and history stays.

use handover::plan::model::{StepSpec, Switch};
use handover::plan::outline::Undo;
use handover::steps::{preview, run};

use super::world::{DOVER, THANET, World, moment, same};

pub(super) fn world() -> World {
    let switch = Switch {
        from: vec!["ekh".into()],
        to: vec![DOVER.into(), THANET.into()],
        effective: moment("2020-10-01T00:00:00+01:00"),
    };
    let world = World::new("", StepSpec::Switch(switch), Undo::Cannot);
    for council in [DOVER, THANET] {
        let asset = "INSERT INTO asset (asset_id, asset_ref, level, type, owner_org_id, landlord_org_id, manager_org_id)";
        world.sql(
            council,
            &format!(
                "{asset} VALUES ('a1', 'H1', 'dwelling', 'house', '{council}', '{council}', 'ekh');
                 {asset} VALUES ('a2', 'H2', 'dwelling', 'flat', '{council}', '{council}', 'ekh');
                 {asset} VALUES ('a3', 'G1', 'garage', 'garage', '{council}', '{council}', '{council}');
                 INSERT INTO asset_management (asset_id, org_id, valid_from, valid_to) VALUES
                   ('a1', '{council}', '1974-04-01', '2011-04-01'), ('a1', 'ekh', '2011-04-01', NULL),
                   ('a2', 'ekh', '2015-05-05', NULL), ('a3', '{council}', '1974-04-01', NULL);"
            ),
        );
    }
    world
}

#[tokio::test]
async fn the_manager_changes_and_the_history_of_management_stays() {
    let world = world();
    let foretold = preview(&world.look(0).await).await.unwrap();
    assert_eq!(
        foretold.line,
        "4 homes and other assets change their manager"
    );
    world.run(0, 1).await;
    for council in [DOVER, THANET] {
        let managers = world.rows(
            council,
            "SELECT DISTINCT manager_org_id, landlord_org_id FROM asset",
        );
        assert_eq!(managers, [[council, council]]);
        let history = world.rows(
            council,
            "SELECT asset_id, org_id, valid_from, valid_to FROM asset_management ORDER BY 1, 3",
        );
        let expected = [
            ["a1", council, "1974-04-01", "2011-04-01"],
            ["a1", "ekh", "2011-04-01", "2020-10-01"],
            ["a1", council, "2020-10-01", "-"],
            ["a2", "ekh", "2015-05-05", "2020-10-01"],
            ["a2", council, "2020-10-01", "-"],
            ["a3", council, "1974-04-01", "-"],
        ];
        assert_eq!(history, expected);
    }
}

#[tokio::test]
async fn no_switch_ever_changes_a_landlord() {
    let world = world();
    world.sql(
        DOVER,
        "CREATE TRIGGER sly AFTER UPDATE OF manager_org_id ON asset BEGIN
           UPDATE asset SET landlord_org_id = 'ekh' WHERE asset_id = NEW.asset_id; END",
    );
    let before = world.everything();
    let (act, _heard) = world.act(0, 1).await;
    assert_eq!(run(&act).await.unwrap_err().code, "HO532");
    same(&world.everything(), &before, "refused");
}
