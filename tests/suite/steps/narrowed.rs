//! What a failed verification leaves for those who may see its restricted detail: step, table, keyed
//! digest, column, class; no value, not even there.

use handover::steps::{Fault, run};

use super::copies;
use super::world::{ALMO, DOVER, THANET, World};

async fn refused(world: &World) -> Fault {
    let (act, _heard) = world.act(2, 1).await;
    let fault = run(&act).await.unwrap_err();
    assert_eq!(fault.code, "HO515");
    fault
}

/// The detail's lines without their digests.
fn lines(fault: &Fault) -> Vec<String> {
    let detail = fault.detail.as_deref().unwrap();
    let told = detail.lines().map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(words[2].len(), 64, "{line}");
        format!("{} {} {}", words[0], words[1], words[3..].join(" "))
    });
    told.collect()
}

#[tokio::test]
async fn a_failed_verification_names_columns_and_rows_that_nobody_of_ours_wrote() {
    let world = copies::copied().await;
    world.sql(
        DOVER,
        "UPDATE account SET balance = '612480.18' WHERE balance = '612480.17';
         UPDATE tenancy SET rent_group = 'Canary' WHERE tenancy_ref = '000001/01';
         UPDATE tenancy SET tenancy_ref = '000002/01 ' WHERE tenancy_ref = '000002/01';
         INSERT INTO account (account_id, kind, balance, loaded_run_id)
           SELECT 'Canary-key', kind, '0.00', loaded_run_id FROM account LIMIT 1;",
    );
    let fault = refused(&world).await;
    let mut told = lines(&fault);
    told.sort();
    let wanted = [
        "copy-homes/dover account balance changed",
        "copy-homes/dover tenancy rent_group changed",
        "copy-homes/dover tenancy tenancy_ref only trailing spaces",
        "dover account - extra",
    ];
    assert_eq!(told, wanted);
    let all = format!("{fault:?}");
    assert!(
        !all.contains("Canary") && !all.contains("000002/01"),
        "{all}"
    );
    let extra = fault
        .checks
        .iter()
        .find(|check| &*check.rule == "extra rows at dover");
    assert_eq!(extra.unwrap().actual, "1 rows that no ledger knows");
}

#[tokio::test]
async fn a_row_that_somebody_put_in_is_found_though_every_row_of_ours_stands() {
    let world = copies::copied().await;
    world.sql(
        DOVER,
        "INSERT INTO account (account_id, kind, balance, loaded_run_id)
           SELECT 'Canary-key', kind, '0.00', loaded_run_id FROM account LIMIT 1;
         INSERT INTO account (account_id, kind, balance) VALUES ('their-own', 'rent', '9.00');",
    );
    assert_eq!(lines(&refused(&world).await), ["dover account - extra"]);
}

#[tokio::test]
async fn a_difference_stands_though_the_source_cannot_say_more_of_it() {
    let world = copies::copied().await;
    world.sql(
        DOVER,
        "UPDATE account SET balance = '612480.18' WHERE balance = '612480.17'",
    );
    world.sql(
        ALMO,
        "UPDATE tenagree SET cur_bal = '1.00' WHERE tag_ref LIKE '000001/01%'",
    );
    let told = lines(&refused(&world).await);
    assert_eq!(
        told,
        ["copy-homes/dover account - edited, source line differs"]
    );
    world.sql(ALMO, "DELETE FROM tenagree");
    let told = lines(&refused(&world).await);
    assert_eq!(told, ["copy-homes/dover account - edited, no source line"]);
    let before = world.rows(THANET, "SELECT count(*) FROM account");
    assert_eq!(before, [["1"]], "nobody else is touched");
}
