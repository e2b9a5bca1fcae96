//! Lists of signers: what OpenSSH reads of ours, and what we refuse of anybody's.

use handover::plan::outline::Holder;
use handover::signature::allowed_signers::Why;
use handover::signature::statement::{APPROVAL, PREVIEW};
use handover::signature::{AllowedSigners, NotAllowed};

use super::desk::{Desk, gate, known};

fn holder(person: &str, role: &str, key: Option<u8>) -> Holder {
    Holder {
        person: person.into(),
        role: role.into(),
        org: "dover".into(),
        from: Some("2027-01-01T00:00:00Z".parse().unwrap()),
        to: Some("2028-01-01T00:00:00Z".parse().unwrap()),
        key: key.map(|seed| known(seed).public().clone()),
    }
}

#[test]
fn a_list_of_people_reads_back_as_itself_and_knows_their_days() {
    let people = [
        holder("p02", "housing", Some(2)),
        holder("p02", "s151", Some(2)),
        holder("p03", "legal", Some(3)),
        holder("p04", "legal", None),
    ];
    let list = AllowedSigners::of(&people);
    assert_eq!(list.0.len(), 2);
    let text = list.write();
    assert_eq!(AllowedSigners::parse(&text).unwrap(), list);
    let find = |who: &str, namespace: &str, seed: u8, at: &str| {
        let key = known(seed).public().clone();
        list.find(who, namespace, &key, at.parse().unwrap())
            .map(drop)
    };
    let day = "2027-06-01T00:00:00Z";
    assert_eq!(find("p02", APPROVAL, 2, day), Ok(()));
    assert_eq!(find("s151@dover", PREVIEW, 2, day), Ok(()));
    assert_eq!(find("p02", APPROVAL, 3, day), Err(NotAllowed::Unknown));
    assert_eq!(find("p02", "file", 2, day), Err(NotAllowed::Namespace));
    let end = "2027-12-31T23:59:59.9Z";
    assert_eq!(find("p02", APPROVAL, 2, end), Ok(()));
    let after = "2028-01-01T00:00:00Z";
    assert_eq!(find("p02", APPROVAL, 2, after), Err(NotAllowed::Expired));
    let before = "2026-12-31T23:59:59Z";
    assert_eq!(find("p02", APPROVAL, 2, before), Err(NotAllowed::Expired));
}

#[test]
fn ssh_keygen_reads_our_list_as_we_do() {
    let desk = Desk::new();
    let list = AllowedSigners::of(&[holder("p02", "housing", Some(2))]);
    desk.put("allowed_signers", list.write());
    let message = gate(1).bytes();
    let made = known(2).sign(APPROVAL, &message);
    for (time, counts) in [
        ("20261231235959", false),
        ("20270101000000", true),
        ("20271231235959", true),
        ("20280101000000", false),
    ] {
        let time = format!("verify-time={time}Z");
        for who in ["p02", "housing@dover"] {
            let taken = desk.takes(who, APPROVAL, &made, &message, &["-O", &time]);
            assert_eq!(taken, counts, "{who} at {time}");
        }
    }
}

#[test]
fn a_list_that_could_be_misread_is_refused_where_it_goes_wrong() {
    let key = known(2).public().to_string();
    let other = known(3).public().to_string();
    let faults = |text: &str| AllowedSigners::parse(text).unwrap_err();
    let why = |text: String| {
        let all = faults(&text);
        assert_eq!(all.len(), 1, "{text}: {all:?}");
        (all[0].line, all[0].column, all[0].why.clone())
    };
    assert_eq!(why(format!("* {key}")), (1, 1, Why::Principal));
    assert_eq!(why(format!("p02,!p03 {key}")), (1, 5, Why::Principal));
    assert_eq!(why("p02".to_owned()), (1, 4, Why::NoKey));
    assert_eq!(
        why(format!("# ok\n\np02 cert-authority {key}")),
        (3, 5, Why::Option)
    );
    assert_eq!(
        why(format!("p02 namespaces=file {key}")),
        (1, 15, Why::Quotes)
    );
    assert_eq!(
        why(format!("p02 namespaces=\"file {key}")),
        (1, 15, Why::Quotes)
    );
    assert_eq!(
        why(format!("p02 namespaces=\"a\",namespaces=\"b\" {key}")),
        (1, 20, Why::Twice)
    );
    assert_eq!(
        why(format!("p02 valid-after=\"20270101\" {key}")),
        (1, 5, Why::Time)
    );
    assert_eq!(
        why(format!("p02 valid-after=\"20270230Z\" {key}")),
        (1, 5, Why::Time)
    );
    assert_eq!(
        why(format!(
            "p02 valid-after=\"20270102Z\",valid-before=\"20270101Z\" {key}"
        )),
        (1, 5, Why::Days)
    );
    assert!(matches!(
        why(format!("p02 ssh-rsa AAAA\np03 {key}")),
        (1, 5, Why::Key(_))
    ));
    assert_eq!(why(format!("p02 {key}\np03 {key}")), (2, 1, Why::Shared(1)));
    assert_eq!(faults(&format!("* {key}\n? {other}")).len(), 2);
    assert_eq!(faults(&"\n".repeat(30_000))[0].why, Why::TooLong);
    let commented = format!("# a list\n\n  p02 {key} somebody@example\n\tp03 {other}\n");
    assert_eq!(AllowedSigners::parse(&commented).unwrap().0.len(), 2);
}
