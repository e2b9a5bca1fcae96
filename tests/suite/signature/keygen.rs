//! OpenSSH and we say the same of the same files, in both directions.

use handover::signature::statement::{APPROVAL, PREVIEW};
use handover::signature::{PrivateKey, PrivateKeyFault, Proof, PublicKey, SigFault, Sshsig};

use super::desk::{Desk, gate, preview};

fn allow(desk: &Desk, options: &str, key: &PublicKey) {
    desk.put("allowed_signers", format!("p02 {options} {key}\n"));
}

#[test]
fn what_ssh_keygen_signs_we_verify_and_only_that() {
    let desk = Desk::new();
    let key = desk.key("p02");
    let message = gate(1).bytes();
    desk.put("statement", &message);
    let made = Sshsig::parse(&desk.signed("p02", APPROVAL, "statement")).unwrap();
    assert_eq!(made.verify(APPROVAL, &message).unwrap(), key.public());
    assert_eq!(made.key(), &desk.public("p02"));
    let other = made.verify(PREVIEW, &message).unwrap_err();
    assert!(matches!(other, SigFault::Namespace { .. }), "{other}");
    let changed = String::from_utf8(message)
        .unwrap()
        .replace("approve", "refuse");
    let forged = made.verify(APPROVAL, changed.as_bytes()).unwrap_err();
    assert_eq!(forged, SigFault::Forged);
}

#[test]
fn what_we_sign_ssh_keygen_verifies_and_only_that() {
    let desk = Desk::new();
    let key = desk.key("p02");
    allow(&desk, "namespaces=\"approval@handover\"", key.public());
    let message = gate(2).bytes();
    let made = key.sign(APPROVAL, &message);
    assert!(desk.takes("p02", APPROVAL, &made, &message, &[]));
    assert!(!desk.takes("p03", APPROVAL, &made, &message, &[]));
    assert!(!desk.takes("p02", PREVIEW, &made, &message, &[]));
    assert!(!desk.takes("p02", APPROVAL, &made, b"something else", &[]));
    let elsewhere = key.sign(PREVIEW, &message);
    assert!(!desk.takes("p02", PREVIEW, &elsewhere, &message, &[]));
}

#[test]
fn a_signature_over_the_same_bytes_is_the_same_file_whoever_made_it() {
    let desk = Desk::new();
    let key = desk.key("p02");
    let message = preview(3).bytes();
    desk.put("statement", &message);
    let theirs = desk.signed("p02", PREVIEW, "statement");
    assert_eq!(
        String::from_utf8(theirs).unwrap(),
        key.sign(PREVIEW, &message)
    );
}

#[test]
fn a_key_that_is_over_counts_for_what_it_signed_in_its_time() {
    let desk = Desk::new();
    let key = desk.key("p02");
    let days = "valid-after=\"20270101Z\",valid-before=\"20271231Z\"";
    allow(&desk, days, key.public());
    let message = gate(4).bytes();
    let made = key.sign(APPROVAL, &message);
    let on = |day: &str| {
        let time = format!("verify-time={day}000000Z");
        desk.takes("p02", APPROVAL, &made, &message, &["-O", &time])
    };
    assert!(on("20270601"));
    assert!(!on("20261231"));
    assert!(!on("20280101"));
}

#[test]
fn fingerprints_are_those_that_ssh_keygen_shows() {
    let desk = Desk::new();
    let key = desk.key("p02");
    let said = desk.keygen(&["-l", "-f", "p02.pub"], b"");
    let said = String::from_utf8(said.stdout).unwrap();
    let shown = key.public().fingerprint();
    assert!(said.contains(&shown), "{said} has no {shown}");
}

#[test]
fn a_key_file_that_we_write_is_one_that_ssh_keygen_reads() {
    let desk = Desk::new();
    let key = super::desk::known(7);
    let path = desk.put("ours", key.write("p02 of a demo", 42).as_bytes());
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let said = desk.keygen(&["-y", "-f", "ours"], b"");
    let line = String::from_utf8(said.stdout).unwrap();
    assert_eq!(line.parse::<PublicKey>().unwrap(), *key.public());
    assert!(line.trim_end().ends_with("p02 of a demo"), "{line}");
    desk.put("statement", gate(5).bytes());
    let theirs = desk.signed("ours", APPROVAL, "statement");
    let proof = Proof {
        statement: gate(5).bytes(),
        signature: theirs,
    };
    assert_eq!(proof.opened().unwrap(), (gate(5), key.public().clone()));
}

#[test]
fn a_key_with_a_passphrase_stays_with_ssh_keygen() {
    let desk = Desk::new();
    let said = desk.keygen(
        &["-q", "-t", "ed25519", "-N", "a long secret", "-f", "locked"],
        b"",
    );
    assert!(said.status.success());
    let fault = PrivateKey::parse(&std::fs::read(desk.at("locked")).unwrap()).unwrap_err();
    assert_eq!(fault, PrivateKeyFault::Locked);
}

#[test]
fn a_key_of_another_kind_is_no_key_here() {
    let desk = Desk::new();
    for kind in ["rsa", "ecdsa"] {
        let said = desk.keygen(&["-q", "-t", kind, "-N", "", "-f", kind], b"");
        assert!(said.status.success());
        assert!(PrivateKey::parse(&std::fs::read(desk.at(kind)).unwrap()).is_err());
        let line = std::fs::read_to_string(desk.at(&format!("{kind}.pub"))).unwrap();
        assert!(line.parse::<PublicKey>().is_err());
        desk.put("statement", b"x");
        assert!(Sshsig::parse(&desk.signed(kind, APPROVAL, "statement")).is_err());
        std::fs::remove_file(desk.at("statement.sig")).unwrap();
    }
}
