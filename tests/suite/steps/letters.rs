//! `tenant-notification`: one message per person and purpose, each rule of suppression with its
//! reason, and nobody written to twice.

use std::collections::BTreeMap;

use handover::notify::address::{self, Unfit};
use handover::notify::{Template, recipient};
use handover::plan::model::{LetterClass, StepSpec, TenantNotification};
use handover::plan::outline::Undo;
use handover::steps::{Output, check, preview, run};

use super::world::{ALMO, DOVER, World, map, stopped_after};

const LETTER: &str = "# Your homes\n\nDear ((name)),\n\nfrom ((handover)) ((new_manager)) looks after your home. \
    Your landlord is still ((landlord)).\n";

/// A table of recipients that has every column by its name: rules are tested, not a legacy schema.
fn with(people: &[&[(&str, &str)]], class: LetterClass, letter: &str) -> World {
    let columns: Vec<String> = recipient::COLUMNS
        .iter()
        .map(|column| (*column).to_owned())
        .collect();
    let mut rows = format!(
        "CREATE TABLE people (owner TEXT, {} TEXT);",
        columns.join(" TEXT, ")
    );
    for (at, who) in people.iter().enumerate() {
        let mut values: BTreeMap<&str, String> = BTreeMap::from([
            ("owner", "DOV".to_owned()),
            ("person_ref", format!("H{at}/1")),
            ("household_ref", format!("H{at}")),
            ("tenancy_ref", format!("{at:06}/01")),
            ("title", "Ms".to_owned()),
            ("forename", "Ann".to_owned()),
            ("surname", format!("Number{at}")),
            ("dob", "1970-01-01".to_owned()),
            ("responsible", "Y".to_owned()),
            ("line1", format!("{} High Street", at + 1)),
            ("line2", "Deal".to_owned()),
            ("postcode", "ct14 9zz".to_owned()),
        ]);
        values.extend(
            who.iter()
                .map(|(column, value)| (*column, (*value).to_owned())),
        );
        let names: Vec<&str> = values.keys().copied().collect();
        let texts: Vec<String> = values
            .values()
            .map(|text| format!("'{}'", text.replace('\'', "''")))
            .collect();
        rows.push_str(&format!(
            "INSERT INTO people ({}) VALUES ({});",
            names.join(", "),
            texts.join(", ")
        ));
    }
    let lines: String = columns
        .iter()
        .map(|column| format!("{column} = \"{column}\"\n"))
        .collect();
    let text = format!(
        "[owner]\nDOV = \"dover\"\nTHA = \"thanet\"\n[table.recipient]\nfrom = \"people\"\nkey = [\"person_ref\", \"tenancy_ref\"]\n[table.recipient.column]\n{lines}"
    );
    let does = TenantNotification {
        source: ALMO.into(),
        target: DOVER.into(),
        template: "letters/change.md".to_owned(),
        text: letter.into(),
        purpose: "transfer".into(),
        class,
        split: Some("people.owner".to_owned()),
        recipients: map(&text),
    };
    let undo = Undo::ByHand("a paper of the plan".to_owned());
    World::new(&rows, StepSpec::TenantNotification(does), undo)
}

pub(super) fn world() -> World {
    with(
        &[
            &[],
            &[("deceased", "Y")],
            &[("safe_contact", "Y")],
            &[("owner", "THA")],
            &[],
        ],
        LetterClass::Legal,
        LETTER,
    )
}

/// What stands in the outbox for the one person there is.
async fn outcome(who: &[(&str, &str)], class: LetterClass) -> String {
    let world = with(&[who], class, LETTER);
    world.run(0, 1).await;
    let rows = world.rows(
        DOVER,
        "SELECT coalesce(channel, state) || ' ' || coalesce(reason, '') FROM handover_outbox",
    );
    rows.first()
        .map(|row| row[0].trim().to_owned())
        .unwrap_or_default()
}

/// The files, by reference.
fn written(world: &World) -> BTreeMap<String, String> {
    let folder = world.run_folder().join("outbox/tenant-notification");
    let Ok(entries) = std::fs::read_dir(folder) else {
        return BTreeMap::new();
    };
    let files = entries.map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|ending| ending == "txt"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect()
}

/// A person, the letter's class, what the outbox then says.
type Case<'a> = (&'a [(&'a str, &'a str)], LetterClass, &'a str);

#[tokio::test]
async fn each_rule_of_suppression_speaks_for_itself() {
    use LetterClass::{Legal, Service};
    let nok = [
        ("nok_name", "Bea Kin"),
        ("nok_line1", "9 Low Road"),
        ("nok_postcode", "CT16 1ZZ"),
    ];
    let mut to_nok = vec![("letters_to_nok", "Y")];
    to_nok.extend(nok);
    let elsewhere = [
        ("leaseholder", "Y"),
        ("corr_line1", "2 Far Lane"),
        ("corr_postcode", "SW14 6BH"),
    ];
    let cases: [Case<'_>; 29] = [
        (&[], Legal, "letter"),
        (&[], Service, "letter"),
        (&[("email", "ann@example.com")], Service, "email"),
        (&[("email", "ann@example.com")], Legal, "letter"),
        (&[("email", "ann@example")], Service, "letter"),
        (
            &[("deceased", "Y")],
            Legal,
            "letter personal-representatives",
        ),
        (
            &[("deceased", "2020-01-05")],
            Service,
            "letter personal-representatives",
        ),
        (&[("safe_contact", "Y")], Legal, "by-hand safe-contact"),
        (
            &[("safe_contact", "Y"), ("deceased", "Y")],
            Legal,
            "by-hand safe-contact",
        ),
        (&[("responsible", "N")], Legal, "nothing household-member"),
        (&[("dob", "2002-10-02")], Legal, "nothing under-18"),
        (&[("dob", "2002-10-01")], Legal, "letter"),
        (
            &[("accessible_format", "braille")],
            Legal,
            "by-hand accessible-format",
        ),
        (&[("language", "cy")], Legal, "by-hand language"),
        (&[("language", "EN")], Legal, "letter"),
        (&[("vulnerable", "Y")], Service, "by-hand vulnerable"),
        (&[("vulnerable", "Y")], Legal, "letter"),
        (&[("opt_out", "Y")], Service, "nothing opt-out"),
        (&[("opt_out", "Y")], Legal, "letter"),
        (
            &[("opt_out", "email"), ("email", "ann@example.com")],
            Service,
            "letter",
        ),
        (&[("gone_away", "Y")], Legal, "by-hand gone-away"),
        (&[("postcode", "")], Legal, "by-hand no-valid-address"),
        (
            &[("line1", "No fixed abode")],
            Legal,
            "by-hand no-fixed-abode",
        ),
        (&[("postcode", "BFPO 57")], Legal, "by-hand bfpo"),
        (
            &[("postcode", ""), ("line3", "Spain")],
            Legal,
            "by-hand overseas",
        ),
        (&[("tenancy_ended", "Y")], Legal, "nothing tenancy-ended"),
        (&[("void", "Y")], Legal, "nothing void"),
        (&elsewhere, Legal, "letter correspondence-address"),
        (&to_nok, Legal, "letter next-of-kin"),
    ];
    for (who, class, expected) in cases {
        assert_eq!(outcome(who, class).await, expected, "{who:?} {class:?}");
    }
}

#[tokio::test]
async fn a_notice_goes_to_each_joint_tenant_and_news_once_to_both() {
    let one: &[(&str, &str)] = &[
        ("joint", "Y"),
        ("household_ref", "H"),
        ("line1", "1 High Street"),
    ];
    let two: &[(&str, &str)] = &[
        ("joint", "Y"),
        ("household_ref", "H"),
        ("line1", "1 High Street"),
        ("forename", "Bob"),
        ("title", "Mr"),
    ];
    let legal = with(&[one, two], LetterClass::Legal, LETTER);
    legal.run(0, 1).await;
    assert_eq!(written(&legal).len(), 2);

    let service = with(&[one, two], LetterClass::Service, LETTER);
    service.run(0, 1).await;
    let files = written(&service);
    assert_eq!(files.len(), 1);
    let letter = files.values().next().unwrap();
    assert!(
        letter.starts_with("Ms Ann Number0 and Mr Bob Number1\n1 High Street\nDeal\nCT14 9ZZ\n"),
        "{letter}"
    );
    let told = service.one(
        DOVER,
        "SELECT count(*) FROM handover_outbox WHERE reason = 'household-told'",
    );
    assert_eq!(told, "1");
}

#[tokio::test]
async fn the_same_person_in_two_tenancies_gets_one_letter() {
    let world = with(
        &[
            &[
                ("person_ref", "P"),
                ("tenancy_ref", "1"),
                ("tenancy_ended", "Y"),
            ],
            &[("person_ref", "P"), ("tenancy_ref", "2")],
            &[("person_ref", "P"), ("tenancy_ref", "3")],
            &[("surname", "Same"), ("line1", "5 High Street")],
            &[("surname", "SAME"), ("line1", "5 High Street")],
        ],
        LetterClass::Legal,
        LETTER,
    );
    world.run(0, 1).await;
    assert_eq!(written(&world).len(), 2);
    let rows = world.rows(
        DOVER,
        "SELECT state, reason FROM handover_outbox ORDER BY person",
    );
    assert_eq!(
        rows,
        [["written", "-"], ["nothing", "duplicate"], ["written", "-"]]
    );
}

#[tokio::test]
async fn letters_hold_what_they_must_and_the_outbox_no_name() {
    let world = with(&[&[("surname", "Uniquename")]], LetterClass::Legal, LETTER);
    world.run(0, 1).await;
    let files = written(&world);
    let (reference, letter) = files.iter().next().unwrap();
    assert!(letter.contains("Dear Ms Ann Uniquename"), "{letter}");
    assert!(letter.contains("from 1 October 2020 Dover District Council looks after your home"));
    let outbox = world.everything()["dover: handover_outbox"].concat();
    assert!(outbox.contains(reference) && !outbox.contains("Uniquename"));
}

#[tokio::test]
async fn an_address_stands_where_the_template_places_it_and_none_of_it_is_lost() {
    let letter = "((address_line_1))\n((address_line_2))\n((address_line_3))\n((postcode))\n\nDear ((name))\n";
    let long: &[(&str, &str)] = &[("line3", "Isle"), ("line4", "Kent")];
    let world = with(&[&[("line2", "")], long], LetterClass::Legal, letter);
    world.run(0, 1).await;
    let mut letters: Vec<String> = written(&world).into_values().collect();
    letters.sort();
    let expected = [
        "Ms Ann Number0\n1 High Street\nCT14 9ZZ\n\nDear Ms Ann Number0\n",
        "Ms Ann Number1\n2 High Street\nDeal, Isle, Kent\nCT14 9ZZ\n\nDear Ms Ann Number1\n",
    ];
    assert_eq!(letters, expected);
}

#[tokio::test]
#[cfg(unix)]
async fn nobody_but_the_owner_reads_a_letter() {
    use std::os::unix::fs::PermissionsExt;
    let world = world();
    world.run(0, 1).await;
    let folder = world.run_folder().join("outbox/tenant-notification");
    assert_eq!(
        folder.metadata().unwrap().permissions().mode() & 0o777,
        0o700
    );
    for file in std::fs::read_dir(folder).unwrap() {
        assert_eq!(
            file.unwrap().metadata().unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
}

#[tokio::test]
async fn what_was_planned_before_a_crash_is_not_sent_to_somebody_who_has_died_since() {
    for polls in 1.. {
        let world = with(&[&[]], LetterClass::Service, LETTER);
        let (act, _heard) = world.act(0, 1).await;
        if stopped_after(polls, run(&act)).await.is_some() {
            return;
        }
        drop(act);
        let already = written(&world).len();
        world.sql(ALMO, "UPDATE people SET safe_contact = 'Y'");
        world.run(0, 1).await;
        assert_eq!(written(&world).len(), already, "after {polls} polls");
        let state = world.one(DOVER, "SELECT state FROM handover_outbox");
        assert_eq!(
            state,
            if already == 1 { "written" } else { "by-hand" },
            "after {polls} polls"
        );
    }
}

/// A letter that somebody may have taken from the folder already is never made again.
#[tokio::test]
#[cfg(unix)]
async fn a_letter_that_was_there_when_we_crashed_is_left_as_it_is() {
    use std::os::unix::fs::MetadataExt;
    let inodes = |world: &World| -> BTreeMap<String, u64> {
        let folder = world.run_folder().join("outbox/tenant-notification");
        let there = written(world).into_keys();
        let inode = |name: &String| folder.join(format!("{name}.txt")).metadata().unwrap().ino();
        there.map(|name| (name.clone(), inode(&name))).collect()
    };
    for polls in 1.. {
        let world = world();
        let (act, _heard) = world.act(0, 1).await;
        if stopped_after(polls, run(&act)).await.is_some() {
            return;
        }
        drop(act);
        let before = inodes(&world);
        world.run(0, 1).await;
        let after = inodes(&world);
        assert!(
            before.iter().all(|(name, inode)| after[name] == *inode),
            "after {polls} polls"
        );
        assert_eq!(after.len(), 3);
    }
}

#[tokio::test]
async fn a_second_step_for_the_same_purpose_writes_to_nobody_again() {
    let first = with(&[&[]], LetterClass::Legal, LETTER);
    first.run(0, 1).await;
    first.sql(
        DOVER,
        "UPDATE handover_outbox SET step = 'another-step', reference = 'another'",
    );
    let Output::Done {
        outputs, effects, ..
    } = first.run(0, 2).await
    else {
        panic!("letters hold for nobody")
    };
    assert_eq!((outputs.len(), effects), (0, 0));
}

#[tokio::test]
async fn a_template_that_asks_for_what_nobody_fills_is_found_before_the_run() {
    let world = with(&[&[]], LetterClass::Legal, "Dear ((frist_name)), ((name))");
    let found = check(&world.look(0).await).await.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].code, found[0].stops), ("HO525", true));
}

#[tokio::test]
async fn the_preview_counts_the_letters_that_the_run_writes() {
    let world = world();
    let foretold = preview(&world.look(0).await).await.unwrap();
    assert_eq!(foretold.line, "3 letters");
    let counts = &foretold.counts["dover"]["recipient"];
    assert_eq!(counts.filtered["by-hand/safe-contact"], 1);
    world.run(0, 1).await;
    assert_eq!(written(&world).len() as u64, counts.copied);
}

#[test]
fn what_people_are_called_is_never_read_as_a_template_or_a_link() {
    let template = Template::new("Dear ((name)), (( not a field; ((a)) ((b c))");
    assert_eq!(template.fields(), ["name", "a", "b_c"]);
    let nasty = "((b c)) [click](https://evil.example) *x*\n# www.evil.example";
    let values = BTreeMap::from([("name", nasty.to_owned()), ("b_c", "B".to_owned())]);
    let text = template.render(&values);
    assert!(
        text.starts_with(
            "Dear \\(\\(b c\\)\\) \\[click\\]\\(https: //evil.example\\) \\*x\\* \\# www .evil"
        ),
        "{text}"
    );
    assert!(text.ends_with(", (( not a field;  B"), "{text}");
}

#[test]
fn addresses_are_read_as_the_post_reads_them() {
    let read = |lines: &[&str]| {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        address::read(&lines)
    };
    let fine = read(&[
        "Flat 1, ",
        " 2  High\tStreet",
        "",
        "DEAL CT149ZZ",
        "England",
    ])
    .unwrap();
    assert_eq!(fine.lines, ["Flat 1", "2 High Street", "DEAL"]);
    assert_eq!(fine.postcode, "CT14 9ZZ");
    for (lines, why) in [
        (&["CT14 9ZZ"][..], Unfit::Invalid),
        (&["1 High Street", "Deal"], Unfit::Invalid),
        (&["=cmd()", "Deal", "CT14 9ZZ"], Unfit::Invalid),
        (&["a", "b", "c", "d", "e", "f", "CT14 9ZZ"], Unfit::Invalid),
        (&["..", "--", "CT14 9ZZ"], Unfit::Invalid),
        (&["NFA", "Deal", "CT14 9ZZ"], Unfit::NoFixedAbode),
        (&["Barracks", "BFPO 57"], Unfit::Bfpo),
        (&["Calle Mayor 1", "Madrid", "Spain"], Unfit::Overseas),
        (&[], Unfit::Invalid),
    ] {
        assert_eq!(read(lines), Err(why), "{lines:?}");
    }
}
