//! What the generator makes: the same every time, with every mess, and as `truth.json` says.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use handover::demo::generate::{Spec, Truth, World, generate, mend};
use handover::plan::read_map;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use tempfile::TempDir;

/// A world of 200 homes.
pub(crate) fn small(world: World) -> Spec {
    Spec {
        homes: 200,
        ..Spec::new(world)
    }
}

/// The small East Kent, made once for all tests of this file.
static EAST_KENT: LazyLock<(TempDir, Truth)> = LazyLock::new(|| {
    let folder = TempDir::new().unwrap();
    let truth = generate(folder.path(), &small(World::EastKent2020)).unwrap();
    (folder, truth)
});

const COUNCILS: [(&str, &str); 4] = [
    ("canterbury", "CAN"),
    ("dover", "DOV"),
    ("folkestone-hythe", "FHD"),
    ("thanet", "THA"),
];

fn open(folder: &Path, code: &str) -> Connection {
    Connection::open(folder.join(format!("{code}.db"))).unwrap()
}

fn source() -> Connection {
    open(EAST_KENT.0.path(), "ekh")
}

fn count(connection: &Connection, sql: &str) -> u64 {
    let number: i64 = connection.query_row(sql, [], |row| row.get(0)).unwrap();
    number.try_into().unwrap()
}

/// Every row of every table as text and bytes, in a settled order.
fn dump(connection: &Connection) -> BTreeMap<String, Vec<Vec<u8>>> {
    let mut names = connection
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        .unwrap();
    let names: Vec<String> = names
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let mut tables = BTreeMap::new();
    for name in names {
        let mut all = connection
            .prepare(&format!("SELECT * FROM \"{name}\" ORDER BY rowid"))
            .unwrap();
        let columns = all.column_count();
        let mut rows = all.query([]).unwrap();
        let mut lines = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            let mut line = Vec::new();
            for column in 0..columns {
                match row.get_ref(column).unwrap() {
                    ValueRef::Text(text) => line.extend_from_slice(text),
                    other => line.extend_from_slice(format!("{other:?}").as_bytes()),
                }
                line.push(0x1f);
            }
            lines.push(line);
        }
        tables.insert(name, lines);
    }
    tables
}

#[test]
fn the_same_seed_makes_the_same_world_and_another_seed_another() {
    let (again, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let spec = small(World::EastKent2020);
    assert_eq!(generate(again.path(), &spec).unwrap(), EAST_KENT.1);
    for code in ["ekh", "thanet"] {
        assert!(
            dump(&open(again.path(), code)) == dump(&open(EAST_KENT.0.path(), code)),
            "{code}"
        );
    }
    generate(other.path(), &Spec { seed: 7, ..spec }).unwrap();
    assert!(dump(&open(other.path(), "ekh")) != dump(&source()));
}

#[test]
fn truth_json_is_what_generate_returns() {
    let text = std::fs::read_to_string(EAST_KENT.0.path().join("truth.json")).unwrap();
    assert_eq!(serde_json::from_str::<Truth>(&text).unwrap(), EAST_KENT.1);
}

#[test]
fn truth_counts_every_source_row() {
    for (table, rows) in &EAST_KENT.1.source {
        assert_eq!(
            count(&source(), &format!("SELECT count(*) FROM \"{table}\"")),
            *rows,
            "{table}"
        );
    }
}

#[test]
fn every_row_is_copied_rejected_filtered_or_nobodys_in_every_world() {
    for world in [
        World::EastKent2020,
        World::Westminster2019,
        World::Northampton2015,
    ] {
        let folder = TempDir::new().unwrap();
        let truth = generate(folder.path(), &small(world)).unwrap();
        let readers = [
            ("property", "asset"),
            ("property", "certificate_epc"),
            ("househ", "household"),
            ("member", "person"),
            ("member", "tenancy_party"),
            ("contacts", "contact_email"),
            ("tenagree", "tenancy"),
            ("tenagree", "account"),
            ("rtrans", "transaction"),
            ("rmreqst", "hazard_case"),
            ("rmworder", "work_order"),
            ("rmtask", "work_order_line"),
            ("certificate", "certificate"),
            ("debitem", "charge_debit"),
            ("rent", "lease"),
        ];
        for (table, dataset) in readers {
            let routed: u64 = truth
                .targets
                .values()
                .map(|datasets| {
                    let one = &datasets[dataset];
                    one.copied
                        + one.rejected.values().sum::<u64>()
                        + one.filtered.values().sum::<u64>()
                })
                .sum();
            let nobodys: u64 = truth
                .unrouted
                .get(table)
                .map_or(0, |why| why.values().sum());
            assert_eq!(routed + nobodys, truth.source[table], "{world:?} {dataset}");
        }
        assert_eq!(truth.unrouted.is_empty(), !world.split());
    }
}

/// Dataset, its source rows with the home's owner as `p`, and which of them are copied: written from
/// the meaning of the columns, not from the map.
const COPIED: [(&str, &str, &str); 16] = [
    ("asset", "property p", "p.u_ghost_address IS NULL"),
    (
        "certificate_epc",
        "property p",
        "p.u_ghost_address IS NULL AND p.epc_cert_no IS NOT NULL",
    ),
    (
        "household",
        "househ x JOIN property p ON p.prop_ref = x.prop_ref",
        "1",
    ),
    (
        "risk_alert",
        "househ x JOIN property p ON p.prop_ref = x.prop_ref",
        "x.reason = 'CA'",
    ),
    (
        "person",
        "member m JOIN househ x ON x.house_ref = m.house_ref JOIN property p ON p.prop_ref = x.prop_ref",
        "m.comp_avail IS NULL",
    ),
    (
        "tenancy_party",
        "member m JOIN househ x ON x.house_ref = m.house_ref JOIN property p ON p.prop_ref = x.prop_ref",
        "m.comp_avail IS NULL AND m.responsible = 1 AND EXISTS (SELECT 1 FROM tenagree t
           WHERE t.house_ref = m.house_ref AND t.cot <> '00/00/0000' AND t.agr_type <> 'M')",
    ),
    (
        "tenancy",
        "tenagree t JOIN property p ON p.prop_ref = t.prop_ref",
        "t.active = 1 AND t.agr_type NOT IN ('M', 'X') AND t.cot <> '00/00/0000'",
    ),
    (
        "account",
        "tenagree t JOIN property p ON p.prop_ref = t.prop_ref",
        "t.active = 1",
    ),
    (
        "court",
        "tenagree t JOIN property p ON p.prop_ref = t.prop_ref",
        "t.high_action = 'CRT'",
    ),
    (
        "transaction",
        "rtrans r JOIN tenagree t ON t.tag_ref = r.tag_ref JOIN property p ON p.prop_ref = t.prop_ref",
        "1",
    ),
    (
        "agreement",
        "arag a JOIN tenagree t ON t.tag_ref = a.tag_ref JOIN property p ON p.prop_ref = t.prop_ref",
        "trim(a.arag_status) = 'LIVE'",
    ),
    (
        "charge_debit",
        "debitem d JOIN property p ON p.prop_ref = d.prop_ref",
        "d.deb_active = 1",
    ),
    (
        "repair_request",
        "rmreqst q JOIN property p ON p.prop_ref = q.prop_ref",
        "q.rq_date NOT LIKE '31/02%'",
    ),
    (
        "hazard_case",
        "rmreqst q JOIN property p ON p.prop_ref = q.prop_ref",
        "q.sus_haz = 1",
    ),
    (
        "work_order_line",
        "rmtask k JOIN property p ON trim(p.prop_ref) = trim(k.prop_ref)",
        "EXISTS (SELECT 1 FROM rmworder w WHERE trim(w.wo_ref) = k.wo_ref)",
    ),
    (
        "certificate",
        "certificate c JOIN property p ON trim(p.prop_ref) = c.prop_ref",
        "c.done_date <> '00/00/0000'",
    ),
];

#[test]
fn truth_agrees_with_plain_sql_for_every_council() {
    let source = source();
    for (council, owner) in COUNCILS {
        for (dataset, from, kept) in COPIED {
            let sql =
                format!("SELECT count(*) FROM {from} WHERE p.owner_conf = '{owner}' AND ({kept})");
            let truth = EAST_KENT.1.targets[council]
                .get(dataset)
                .map_or(0, |one| one.copied);
            assert_eq!(count(&source, &sql), truth, "{council} {dataset}");
        }
    }
}

#[test]
fn every_balance_is_the_sum_of_its_ledger_lines_to_the_penny() {
    let source = source();
    let pence = "CAST(replace(real_value, '.', '') AS INTEGER)";
    let wrong = format!(
        "SELECT count(*) FROM tenagree t LEFT JOIN
           (SELECT tag_ref, sum({pence}) AS pence FROM rtrans GROUP BY tag_ref) r USING (tag_ref)
         WHERE coalesce(r.pence, 0) <> CAST(replace(t.cur_bal, '.', '') AS INTEGER)"
    );
    assert_eq!(count(&source, &wrong), 0);
    for (council, owner) in COUNCILS {
        let sum: i64 = source
            .query_row(
                "SELECT sum(CAST(replace(t.cur_bal, '.', '') AS INTEGER)) FROM tenagree t
                 JOIN property p USING (prop_ref) WHERE p.owner_conf = ?1",
                [owner],
                |row| row.get(0),
            )
            .unwrap();
        let datasets = &EAST_KENT.1.targets[council];
        assert_eq!(datasets["account"].pence["balance"], sum);
        assert_eq!(datasets["transaction"].pence["amount"], sum);
    }
}

/// Every mess that a copy must survive: the name in the truth, and how to see it in the source.
const MESSES: [(&str, &str); 40] = [
    ("char padding", "FROM property WHERE prop_ref LIKE '% '"),
    ("leading zeros and a slash", "FROM tenagree WHERE tag_ref LIKE '0%/%'"),
    ("null form NULL", "FROM property WHERE u_year_built IS NULL"),
    ("null form empty", "FROM property WHERE u_year_built = ''"),
    ("null form spaces", "FROM property WHERE u_year_built = '    '"),
    ("null form .", "FROM property WHERE u_year_built = '.'"),
    ("null form N/A", "FROM property WHERE u_year_built = 'N/A'"),
    ("null form UNKNOWN", "FROM member WHERE ni_no = 'UNKNOWN'"),
    ("date dd/mm/yyyy", "FROM certificate WHERE done_date LIKE '__/__/____'"),
    ("date ddmmyyyy", "FROM certificate WHERE done_date GLOB '[0-3][0-9][01][0-9]20[0-9][0-9]'"),
    ("date yyyymmdd", "FROM certificate WHERE done_date GLOB '20[0-9][0-9][01][0-9][0-3][0-9]'"),
    ("date as a spreadsheet's number", "FROM certificate WHERE done_date GLOB '4[0-9][0-9][0-9][0-9]'"),
    ("sentinel 1900-01-01", "FROM tenagree WHERE eot = '1900-01-01'"),
    ("sentinel 1899-12-30", "FROM tenagree WHERE eot = '1899-12-30'"),
    ("sentinel 9999-12-31", "FROM tenagree WHERE eot = '9999-12-31'"),
    ("impossible date", "FROM tenagree WHERE cot = '00/00/0000'"),
    ("local time in the spring gap", "FROM rmreqst WHERE rq_date = '2020-03-29 01:30:00'"),
    ("windows-1252 bytes", "FROM rmreqst WHERE instr(CAST(rq_problem AS BLOB), x'92') > 0"),
    ("utf-8 encoded twice", "FROM rmreqst WHERE rq_problem LIKE '%â€™%'"),
    ("newlines and tabs", "FROM rmreqst WHERE instr(rq_problem, char(13) || char(10)) > 0"),
    ("nul in text", "FROM rmreqst WHERE instr(CAST(rq_problem AS BLOB), x'00') > 0"),
    ("credit balance", "FROM tenagree WHERE cur_bal LIKE '-%'"),
    ("orphan ledger line", "FROM rtrans WHERE tag_ref NOT IN (SELECT tag_ref FROM tenagree)"),
    ("orphan household", "FROM househ WHERE prop_ref NOT IN (SELECT prop_ref FROM property)"),
    ("orphan member", "FROM member WHERE house_ref NOT IN (SELECT house_ref FROM househ)"),
    (
        "duplicate person",
        "FROM (SELECT 1 FROM member m JOIN househ USING (house_ref) JOIN property p USING (prop_ref)
         WHERE m.ni_no LIKE 'QQ%' GROUP BY m.ni_no, m.dob, p.owner_conf HAVING count(*) > 1)",
    ),
    (
        "one person in two districts",
        "FROM (SELECT 1 FROM member m JOIN househ USING (house_ref) JOIN property p USING (prop_ref)
         WHERE m.ni_no LIKE 'QQ%' GROUP BY m.ni_no, m.dob HAVING count(DISTINCT p.owner_conf) > 1)",
    ),
    (
        "joint tenant half recorded",
        "FROM househ x WHERE joint_ten = 1 AND 1 =
           (SELECT sum(responsible) FROM member m WHERE m.house_ref = x.house_ref)",
    ),
    (
        "deceased still active",
        "FROM member m JOIN tenagree t USING (house_ref) WHERE m.econ_status = 'D' AND t.present = 1",
    ),
    ("former tenancy", "FROM tenagree WHERE terminated = 1 AND agr_type = 'F'"),
    ("suspense account", "FROM tenagree WHERE agr_type = 'X' AND cur_bal LIKE '-%'"),
    ("bfpo address", "FROM househ WHERE corr_desig = 'BFPO 57'"),
    ("no fixed abode", "FROM househ WHERE corr_desig = 'No fixed abode'"),
    ("missing postcode", "FROM property WHERE post_code = ' '"),
    ("uprn as float text", "FROM property WHERE u_llpg_ref = '1.00061E+11'"),
    ("two uprns that differ", "FROM property WHERE u_llpg_ref <> u_llpgref AND length(u_llpg_ref) = 12"),
    (
        "code without lookup row",
        "FROM tenagree WHERE tenure NOT IN (SELECT trim(lu_ref) FROM lookup WHERE lu_type = 'TEN')",
    ),
    (
        "overlapping tenancies",
        "FROM (SELECT 1 FROM tenagree WHERE present = 1 AND agr_type = 'R' GROUP BY prop_ref HAVING count(*) > 1)",
    ),
    ("document without its file", "FROM document WHERE file_state = 'MIS' AND sha256 IS NULL"),
    ("special category filled", "FROM member WHERE hiv_positive IS NOT NULL AND pregnant = 1"),
];

#[test]
fn every_mess_occurs_in_a_small_world() {
    let source = source();
    for (mess, sql) in MESSES {
        assert!(
            EAST_KENT.1.messes.contains_key(mess),
            "{mess}: not in the truth"
        );
        assert!(
            count(&source, &format!("SELECT count(*) {sql}")) > 0,
            "{mess}: not in the source"
        );
    }
    let more = [
        "soft-deleted member",
        "soft-deleted charge",
        "soft-deleted agreement",
        "soft-deleted property",
        "ghost tenancy",
        "expired risk alert",
        "live risk alert",
        "unknown owner code",
        "orphan charge",
        "orphan works order line",
        "couple in one row",
        "gone away",
        "safe contact only",
        "tenant under 18",
        "missing parent property",
    ];
    for mess in more {
        assert!(EAST_KENT.1.messes.contains_key(mess), "{mess}");
    }
}

#[test]
fn nobody_in_the_made_up_world_can_be_rung_written_to_or_found() {
    let source = source();
    let strange = [
        "FROM contacts WHERE email_address NOT LIKE '%@example.com'",
        "FROM househ WHERE email_address NOT LIKE '%@example.com'",
        "FROM contacts WHERE con_phone1 <> 'UNKNOWN' AND con_phone1 NOT LIKE '07700 900___'
           AND con_phone1 NOT LIKE '01632 960___'",
        "FROM member WHERE trim(ni_no) NOT IN ('', 'UNKNOWN', 'N/A') AND ni_no NOT LIKE 'QQ______C'",
        "FROM staff WHERE ni_no NOT LIKE 'QQ______A'",
        "FROM property WHERE trim(post_code) <> '' AND trim(post_code) NOT LIKE '% 9Z_'",
    ];
    for sql in strange {
        assert_eq!(
            count(&source, &format!("SELECT count(*) {sql}")),
            0,
            "{sql}"
        );
    }
}

#[test]
fn all_databases_are_sound_and_marked_as_made_up() {
    for code in ["ekh", "canterbury", "dover", "folkestone-hythe", "thanet"] {
        let database = open(EAST_KENT.0.path(), code);
        let sound: String = database
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(sound, "ok", "{code}");
        assert_eq!(count(&database, "SELECT count(*) FROM handover_made_up"), 1);
        assert_eq!(
            count(&database, "SELECT count(*) FROM pragma_foreign_key_check"),
            0,
            "{code}"
        );
    }
}

#[test]
fn targets_hold_rows_of_their_own_before_anything_is_copied() {
    let thanet = open(EAST_KENT.0.path(), "thanet");
    for table in [
        "organisation",
        "asset",
        "person",
        "tenancy",
        "account",
        "transaction",
        "employee",
        "contract",
    ] {
        assert!(
            count(&thanet, &format!("SELECT count(*) FROM \"{table}\"")) > 0,
            "{table}"
        );
    }
}

#[test]
fn a_tenure_added_after_signing_is_mapped_by_one_more_line() {
    let map = include_str!("../../../plans/east-kent-2020/maps/homes.toml");
    assert!(
        !read_map("homes.toml", map).unwrap().codes["tenure"]
            .values
            .contains_key("DEMO")
    );
    let mended = mend(map);
    assert_eq!(mended.lines().count(), map.lines().count() + 1);
    assert_eq!(
        read_map("homes.toml", &mended).unwrap().codes["tenure"].values["DEMO"],
        "demoted"
    );
    assert_eq!(mend(&mended), mended);
}

#[test]
fn the_legacy_schema_is_whole_and_declares_nothing() {
    let tables = handover::demo::schema::legacy_tables();
    assert_eq!(
        tables
            .iter()
            .take(14)
            .map(|(_, columns)| columns.len())
            .sum::<usize>(),
        1_149
    );
    let source = source();
    assert_eq!(
        count(
            &source,
            "SELECT count(*) FROM sqlite_master WHERE type <> 'table'"
        ),
        0
    );
    let numeric = "SELECT count(*) FROM sqlite_master m, pragma_table_info(m.name) c
        WHERE c.pk > 0 OR (c.type NOT LIKE '%INT%' AND c.type NOT LIKE '%CHAR%' AND c.type NOT LIKE '%TEXT%')";
    assert_eq!(count(&source, numeric), 0);
}
