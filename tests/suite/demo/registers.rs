//! Letters, staff and contracts: the truth held against the rules of notification and plain SQL.

use std::collections::BTreeMap;

use handover::demo::generate::{Truth, World, generate};
use handover::notify::decide::{Decision, decide_all};
use handover::notify::recipient::Recipient;
use handover::plan::model::LetterClass;
use rusqlite::Connection;
use tempfile::TempDir;

use super::generated::small;

/// Members of households in homes of one owner, with the columns of a recipient. Encodings do not
/// matter to a decision, so names are left out.
const PEOPLE: &str = "SELECT trim(m.house_ref) || '/' || m.person_no AS person_ref,
    trim(m.house_ref) AS household_ref, 'Mx' AS title, m.person_no AS forename, 'Name' AS surname,
    CASE WHEN m.dob LIKE '__/__/____' THEN substr(m.dob, 7) || '-' || substr(m.dob, 4, 2) || '-' || substr(m.dob, 1, 2)
         WHEN m.dob IN ('1900-01-01', '1899-12-30') THEN NULL ELSE m.dob END AS dob,
    m.responsible, x.joint_ten AS joint, m.econ_status AS deceased, p.leasehold AS leaseholder,
    x.vulnerable, m.at_risk AS safe_contact, x.info_refused AS opt_out,
    m.corr_type AS accessible_format,
    CASE m.first_lang WHEN 'ENG' THEN 'en' WHEN 'POL' THEN 'pl' END AS language,
    x.home_state AS gone_away, p.post_preamble AS line1, p.post_desig AS line2,
    p.post_code AS postcode, x.corr_preamble AS corr_line1, x.corr_desig AS corr_line2,
    x.corr_postcode, x.nextkinname AS nok_name, x.nk_desig AS nok_line1, x.nk_postcode AS nok_postcode,
    x.u_letters_to_nok AS letters_to_nok, x.email_address AS email,
    nullif(x.fin_date, '1900-01-01') AS tenancy_ended
  FROM member m JOIN househ x USING (house_ref) JOIN property p ON p.prop_ref = x.prop_ref
  WHERE p.owner_conf = ?1 AND m.comp_avail IS NULL ORDER BY m.house_ref, m.person_no";

struct Stage {
    _folder: TempDir,
    truth: Truth,
    source: Connection,
}

fn stage() -> Stage {
    let folder = TempDir::new().unwrap();
    let truth = generate(folder.path(), &small(World::EastKent2020)).unwrap();
    let source = Connection::open(folder.path().join("ekh.db")).unwrap();
    Stage {
        _folder: folder,
        truth,
        source,
    }
}

fn people(source: &Connection, owner: &str) -> Vec<Recipient> {
    let mut all = source.prepare(PEOPLE).unwrap();
    let names: Vec<String> = all.column_names().into_iter().map(str::to_owned).collect();
    let rows = all.query_map([owner], |row| {
        let values = names.iter().enumerate().map(|(at, name)| {
            let value = match row.get_ref(at).unwrap() {
                rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                other => other
                    .as_str_or_null()
                    .unwrap()
                    .unwrap_or_default()
                    .to_owned(),
            };
            (name.as_str(), value)
        });
        Ok(Recipient::new(values))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

fn words(decisions: &[Decision]) -> BTreeMap<String, u64> {
    let mut tally = BTreeMap::new();
    for decision in decisions {
        let word = match decision {
            Decision::Letter { .. } => "letter".to_owned(),
            Decision::Email { .. } => "email".to_owned(),
            Decision::ByHand(reason) => format!("by hand {}", reason.code()),
            Decision::Nothing(reason) => format!("nothing {}", reason.code()),
        };
        *tally.entry(word).or_default() += 1;
    }
    tally
}

#[test]
fn everybody_is_written_to_or_not_as_the_truth_says() {
    let stage = stage();
    for org in World::EastKent2020.targets() {
        let people = people(&stage.source, org.owner);
        let truth = &stage.truth.letters[org.code];
        let legal = decide_all(&people, LetterClass::Legal, "2002-09-10");
        let service = decide_all(&people, LetterClass::Service, "2002-09-10");
        assert_eq!(words(&legal), truth.legal, "{}: legal", org.code);
        assert_eq!(words(&service), truth.service, "{}: service", org.code);
    }
}

#[test]
fn staff_and_contracts_are_as_the_truth_says() {
    let stage = stage();
    let count = |sql: &str, owner: &str| -> u64 {
        let rows: i64 = stage
            .source
            .query_row(sql, [owner], |row| row.get(0))
            .unwrap();
        rows.try_into().unwrap()
    };
    for org in World::EastKent2020.targets() {
        let staff = &stage.truth.staff[org.code];
        let of = |rest: &str| {
            count(
                &format!("SELECT count(*) FROM staff WHERE assign_org = ?1 AND {rest}"),
                org.owner,
            )
        };
        assert_eq!(of("objected IS NOT NULL"), staff.objectors);
        assert_eq!(of("leave_date <> '1900-01-01'"), staff.left);
        assert_eq!(
            of("objected IS NULL AND leave_date = '1900-01-01'"),
            staff.transferring
        );
        let routes = &stage.truth.contracts[org.code];
        let words = [
            ("NOV", "novate"),
            ("ASS", "assign"),
            ("REL", "re-let"),
            ("TER", "terminate"),
            ("EXP", "expire"),
            ("TRU", "trust"),
        ];
        for (code, route) in words {
            let of =
                format!("SELECT count(*) FROM contract WHERE for_org = ?1 AND route = '{code}'");
            let signed = format!(
                "{of} AND sig_out IS NOT NULL AND sig_in IS NOT NULL AND sig_sup IS NOT NULL"
            );
            assert_eq!(count(&of, org.owner), routes[route].contracts, "{route}");
            assert_eq!(count(&signed, org.owner), routes[route].signed, "{route}");
        }
    }
    assert_eq!(
        count("SELECT count(*) FROM staff WHERE assign_org = ?1", ""),
        stage.truth.unassigned_staff
    );
    assert!(stage.truth.unassigned_staff > 0);
}
