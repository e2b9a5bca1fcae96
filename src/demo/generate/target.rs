//! A target database before anything is copied: the reference schema with the organisations, and
//! what the target has of its own (garages outside the housing account, its own staff and contracts,
//! a few licences with their accounts).
//!
//! Not here: the source (`source`).

use std::path::Path;

use rusqlite::Connection;

use super::dice::Dice;
use super::source::{create, finish};
use super::table::Table;
use super::words::{self, FORENAMES, POSTS, STREETS, SUPPLIES, SURNAMES};
use super::world::{Org, landlord};
use super::{MakeError, Spec};
use crate::demo::schema;

/// Makes the file at `path`.
pub(super) fn make(path: &Path, spec: &Spec, org: &Org) -> Result<(), MakeError> {
    let connection = create(path, schema::TARGET, spec.seed, spec.world)?;
    organisations(&connection, spec)?;
    let own = (spec.homes / 200).clamp(6, 120);
    let mut dice = Dice::new(spec.seed, org.code);
    assets(&connection, spec, org, own, &mut dice)?;
    people(&connection, spec, org, own, &mut dice)?;
    licences(&connection, spec, org, own)?;
    registers(&connection, spec, org, &mut dice)?;
    finish(&connection)
}

fn organisations(connection: &Connection, spec: &Spec) -> Result<(), MakeError> {
    let columns = [
        "org_id",
        "name",
        "aliases",
        "kind",
        "gss_code",
        "active_from",
    ];
    let mut t = Table::new(connection, "organisation", &columns, None)?;
    for org in spec.world.sources().iter().chain(spec.world.targets()) {
        let former = (org.code == "folkestone-hythe").then_some(
            r#"[{"name":"Shepway District Council","from":"1974-04-01","to":"2018-03-31"}]"#,
        );
        let from = if org.kind == "almo" {
            "2011-04-01"
        } else {
            "1974-04-01"
        };
        t.text(org.code)
            .text(org.name)
            .maybe(former)
            .text(org.kind)
            .maybe(org.gss)
            .text(from);
        t.done()?;
    }
    Ok(())
}

fn assets(
    connection: &Connection,
    spec: &Spec,
    org: &Org,
    own: u32,
    dice: &mut Dice,
) -> Result<(), MakeError> {
    let columns = [
        "asset_id",
        "asset_ref",
        "level",
        "type",
        "owner_org_id",
        "landlord_org_id",
        "manager_org_id",
        "occupied_status",
        "lettable",
    ];
    let mut asset = Table::new(connection, "asset", &columns, None)?;
    let columns = ["asset_id", "line1", "line2", "town", "postcode"];
    let mut address = Table::new(connection, "asset_address", &columns, None)?;
    let columns = ["asset_id", "org_id", "valid_from"];
    let mut management = Table::new(connection, "asset_management", &columns, None)?;
    let landlord = landlord(org, &spec.world.sources()[0]).code;
    for number in 1..=own {
        let id = format!("own-asset-{number:05}");
        asset
            .text(&id)
            .shown(format_args!("GF{number:05}"))
            .text("garage")
            .text("garage");
        asset
            .text(landlord)
            .text(landlord)
            .text(org.code)
            .text("occupied")
            .int(1)
            .done()?;
        let (town, outward) = org.towns[number as usize % org.towns.len()];
        let mut postcode = String::new();
        words::postcode(&mut postcode, outward, number);
        address.text(&id).shown(format_args!("Garage {number}"));
        address
            .shown(format_args!("{} Yard", dice.word(&STREETS)))
            .text(town)
            .text(&postcode);
        address.done()?;
        management
            .text(&id)
            .text(org.code)
            .text("2010-04-01")
            .done()?;
    }
    Ok(())
}

fn people(
    connection: &Connection,
    spec: &Spec,
    org: &Org,
    own: u32,
    dice: &mut Dice,
) -> Result<(), MakeError> {
    let columns = [
        "person_id",
        "title",
        "forename",
        "surname",
        "dob",
        "dob_quality",
    ];
    let mut person = Table::new(connection, "person", &columns, spec.progress.as_ref())?;
    let columns = ["contact_point_id", "person_id", "kind", "value", "is_safe"];
    let mut contact = Table::new(connection, "contact_point", &columns, None)?;
    for number in 1..=own {
        let id = format!("own-person-{number:05}");
        let (forename, surname) = (dice.word(&FORENAMES), dice.word(&SURNAMES));
        person.text(&id).text("Mx").text(forename).text(surname);
        person.shown(format_args!(
            "19{:02}-04-{:02}",
            40 + number % 50,
            1 + number % 28
        ));
        person.text("exact").done()?;
        let mut email = String::new();
        words::email(&mut email, forename, surname, number);
        contact
            .shown(format_args!("own-contact-{number:05}"))
            .text(&id)
            .text("email")
            .text(&email);
        contact.int(1).done()?;
    }
    let columns = ["post", "system", "role", "approved_by"];
    let mut access = Table::new(connection, "user_access", &columns, None)?;
    access
        .shown(format_args!("{} rents lead", org.owner))
        .text("housing")
        .text("editor");
    access.text("ICT lead").done()
}

/// Garage licences of the target's own, each with an account and two ledger lines that cancel out.
fn licences(connection: &Connection, spec: &Spec, org: &Org, own: u32) -> Result<(), MakeError> {
    let columns = [
        "tenancy_id",
        "tenancy_ref",
        "asset_id",
        "landlord_org_id",
        "tenure_code",
        "starts_on",
        "current",
        "payment_ref",
    ];
    let mut tenancy = Table::new(connection, "tenancy", &columns, None)?;
    let columns = ["tenancy_id", "person_id", "role"];
    let mut party = Table::new(connection, "tenancy_party", &columns, None)?;
    let columns = ["account_id", "payment_ref", "kind", "tenancy_id", "balance"];
    let mut account = Table::new(connection, "account", &columns, None)?;
    let columns = [
        "txn_id",
        "account_id",
        "posted_on",
        "type_code",
        "source",
        "amount",
    ];
    let mut line = Table::new(connection, "transaction", &columns, None)?;
    let landlord = landlord(org, &spec.world.sources()[0]).code;
    for number in (1..=own).step_by(2) {
        let id = format!("own-tenancy-{number:05}");
        tenancy.text(&id).shown(format_args!("GF{number:05}/01"));
        tenancy
            .shown(format_args!("own-asset-{number:05}"))
            .text(landlord)
            .text("garage");
        tenancy
            .text("2015-04-06")
            .int(1)
            .shown(format_args!("77{number:08}"))
            .done()?;
        party
            .text(&id)
            .shown(format_args!("own-person-{number:05}"))
            .text("tenant")
            .done()?;
        let account_id = format!("own-account-{number:05}");
        account
            .text(&account_id)
            .shown(format_args!("77{number:08}"))
            .text("garage")
            .text(&id);
        account.text("0.00").done()?;
        for (sign, kind) in [("", "garage debit"), ("-", "payment")] {
            line.shown(format_args!("own-line-{number:05}-{}", kind.len()))
                .text(&account_id);
            line.text("2020-04-06")
                .text(kind)
                .text("own")
                .shown(format_args!("{sign}11.50"));
            line.done()?;
        }
    }
    Ok(())
}

fn registers(
    connection: &Connection,
    spec: &Spec,
    org: &Org,
    dice: &mut Dice,
) -> Result<(), MakeError> {
    let columns = [
        "employee_id",
        "employee_ref",
        "forename",
        "surname",
        "post_title",
        "grade",
        "employer_org_id",
        "employed_from",
        "continuous_service_start",
        "contract_type",
        "hours_week",
        "annual_pay",
        "pension_scheme",
        "assigned",
    ];
    let mut employee = Table::new(connection, "employee", &columns, None)?;
    let columns = [
        "contract_id",
        "contract_ref",
        "supplier_name",
        "buyer_org_id",
        "title",
        "starts_on",
        "ends_on",
        "value",
        "route",
    ];
    let mut contract = Table::new(connection, "contract", &columns, None)?;
    let columns = ["supplier_id", "name"];
    let mut supplier = Table::new(connection, "supplier", &columns, None)?;
    for number in 1..=(spec.homes / 400).clamp(3, 40) {
        let (post, grade, pay) = *dice.pick(&POSTS);
        employee.shown(format_args!("own-employee-{number:05}"));
        employee
            .shown(format_args!("{}{number:04}", org.owner))
            .text(dice.word(&FORENAMES));
        employee
            .text(dice.word(&SURNAMES))
            .text(post)
            .text(grade)
            .text(org.code);
        employee
            .text("2012-05-01")
            .text("2012-05-01")
            .text("permanent")
            .text("37.00");
        employee.money(pay * 100).text("LGPS").int(1).done()?;
    }
    for (number, (name, title)) in SUPPLIES.iter().take(4).enumerate() {
        contract.shown(format_args!("own-contract-{number:02}"));
        contract
            .shown(format_args!("{}-{number:03}", org.owner))
            .text(name)
            .text(org.code);
        contract
            .shown(format_args!("{title}, town hall"))
            .text("2018-04-01")
            .text("2023-03-31");
        contract.text("48000.00").text("own").done()?;
        supplier
            .shown(format_args!("own-supplier-{number:02}"))
            .text(name)
            .done()?;
    }
    Ok(())
}
