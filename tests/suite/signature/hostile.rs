//! Damage and malice: nothing but the very signature over the very statement is taken, and nothing that
//! strangers hand in makes us slow, or fall over.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use handover::plan::public_key::put_string;
use handover::signature::statement::APPROVAL;
use handover::signature::{
    AllowedSigners, PrivateKey, Proof, PublicKey, SigFault, Sshsig, Statement,
};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256, Sha512};

use super::desk::{Desk, gate, known, preview};
use crate::cases::cases;

const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----";
const END: &str = "-----END SSH SIGNATURE-----";

fn flipped(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

#[test]
fn no_flipped_bit_of_a_signature_is_taken() {
    let proof = Proof::made(&gate(1), &known(1));
    for bit in 0..proof.signature.len() * 8 {
        let signature = flipped(&proof.signature, bit);
        let damaged = Proof {
            signature,
            ..proof.clone()
        };
        assert!(damaged.opened().is_err(), "bit {bit}");
    }
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn no_flipped_bit_of_any_statement_is_taken(
        seed in 1u8..250, person in "[a-z][a-z0-9-]{0,20}", paper: bool, bit: prop::sample::Index,
    ) {
        let mut statement = if paper { preview(seed) } else { gate(seed) };
        statement.person = person.as_str().into();
        let proof = Proof::made(&statement, &known(seed));
        prop_assert_eq!(proof.opened().unwrap(), (statement, known(seed).public().clone()));
        let damaged = Proof {
            statement: flipped(&proof.statement, bit.index(proof.statement.len() * 8)),
            ..proof.clone()
        };
        prop_assert!(damaged.opened().is_err());
        let bits = proof.signature.len() * 8;
        let damaged = Proof { signature: flipped(&proof.signature, bit.index(bits)), ..proof };
        prop_assert!(damaged.opened().is_err());
    }

    #[test]
    fn any_bytes_are_read_to_an_end(bytes in prop::collection::vec(any::<u8>(), 0..600), text: String) {
        let armoured = format!("{BEGIN}\n{}\n{END}\n", STANDARD.encode(&bytes));
        prop_assert!(Sshsig::parse(armoured.as_bytes()).is_err());
        prop_assert!(Sshsig::parse(&bytes).is_err());
        prop_assert!(PublicKey::from_wire(&bytes).is_err());
        prop_assert!(Statement::parse(&bytes).is_err());
        prop_assert!(PrivateKey::parse(&bytes).is_err());
        let _ = text.parse::<PublicKey>();
        let _ = AllowedSigners::parse(&text);
    }
}

#[test]
fn an_armour_is_one_whole_signature_and_nothing_else() {
    let message = gate(1).bytes();
    let good = known(1).sign(APPROVAL, &message);
    let parse = |text: &str| Sshsig::parse(text.as_bytes());
    assert!(parse(&good).is_ok());
    assert!(parse(good.trim_end()).is_ok());
    assert!(
        parse(&good.replace('\n', "\r\n")).is_ok(),
        "mailed from Windows"
    );
    for cut in 0..good.trim_end().len() {
        assert!(parse(&good[..cut]).is_err(), "cut at {cut}");
    }
    let body = good
        .trim_end()
        .trim_start_matches(BEGIN)
        .trim_end_matches(END)
        .trim();
    let armoured = |body: &str| format!("{BEGIN}\n{body}\n{END}\n");
    let bad = [
        good.repeat(2),
        format!("{good}x"),
        format!("\n{good}"),
        format!("hello\n{good}"),
        format!("{good}\n"),
        armoured(&good),
        armoured(""),
        armoured(&body.replace('\n', "")),
        armoured(&body.replace('\n', "\n\n")),
        armoured(&format!("{body}=")),
        armoured(&format!("{body}\nAAAA")),
        good.replace("SSH SIGNATURE", "PGP SIGNATURE"),
        good.replace("SSH SIGNATURE", "OPENSSH PRIVATE KEY"),
        good.replace(' ', "\u{a0}"),
    ];
    for text in bad {
        assert!(parse(&text).is_err(), "{text}");
    }
    let huge = armoured(&"A".repeat(64 * 1024 * 1024));
    assert!(matches!(parse(&huge), Err(SigFault::Armour(_))));
}

/// The parts of a signature in their wire form, to be put together otherwise.
fn wire(version: u32, parts: [&[u8]; 5], after: &[u8]) -> String {
    let mut bytes = b"SSHSIG".to_vec();
    bytes.extend(version.to_be_bytes());
    for part in parts {
        put_string(&mut bytes, part);
    }
    bytes.extend(after);
    armoured(&bytes)
}

fn armoured(bytes: &[u8]) -> String {
    let base64 = STANDARD.encode(bytes);
    let lines: Vec<String> = base64
        .as_bytes()
        .chunks(70)
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect();
    format!("{BEGIN}\n{}\n{END}\n", lines.join("\n"))
}

fn inner(kind: &[u8], signature: &[u8], after: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_string(&mut bytes, kind);
    put_string(&mut bytes, signature);
    bytes.extend(after);
    bytes
}

#[test]
fn a_signature_in_another_wire_form_is_refused() {
    let key = known(1).public().wire();
    let space = APPROVAL.as_bytes();
    let one = inner(b"ssh-ed25519", &[1; 64], b"");
    assert!(Sshsig::parse(wire(1, [&key, space, b"", b"sha512", &one], b"").as_bytes()).is_ok());
    let mut long = b"SSHSIG\0\0\0\x01".to_vec();
    long.extend(u32::MAX.to_be_bytes());
    let bad = [
        wire(0, [&key, space, b"", b"sha512", &one], b""),
        wire(2, [&key, space, b"", b"sha512", &one], b""),
        wire(1, [&key, space, b"x", b"sha512", &one], b""),
        wire(1, [&key, space, b"", b"sha1", &one], b""),
        wire(1, [&key, b"", b"", b"sha512", &one], b""),
        wire(1, [&key, b"a b", b"", b"sha512", &one], b""),
        wire(1, [&key, &[b'n'; 500], b"", b"sha512", &one], b""),
        wire(1, [&key, space, b"", b"sha512", &one], b"more"),
        wire(1, [b"", space, b"", b"sha512", &one], b""),
        wire(1, [&key[1..], space, b"", b"sha512", &one], b""),
        wire(
            1,
            [
                &key,
                space,
                b"",
                b"sha512",
                &inner(b"ssh-rsa", &[1; 64], b""),
            ],
            b"",
        ),
        wire(
            1,
            [
                &key,
                space,
                b"",
                b"sha512",
                &inner(b"ssh-ed25519", &[1; 63], b""),
            ],
            b"",
        ),
        wire(
            1,
            [
                &key,
                space,
                b"",
                b"sha512",
                &inner(b"ssh-ed25519", &[1; 64], b"x"),
            ],
            b"",
        ),
        armoured(&long),
    ];
    for text in bad {
        assert!(Sshsig::parse(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn a_key_that_everybody_can_sign_for_is_no_key() {
    // Points of small order (RFC 7748, section 6.1 names the like): with them anything verifies.
    for first in [0_u8, 1] {
        let mut point = [0; 32];
        point[0] = first;
        assert!(PublicKey::plain(point).is_err());
        let mut wire = Vec::new();
        put_string(&mut wire, b"ssh-ed25519");
        put_string(&mut wire, &point);
        let line = format!("ssh-ed25519 {}", STANDARD.encode(wire));
        assert!(line.parse::<PublicKey>().is_err());
    }
}

/// What a FIDO2 token would sign, and the armour that `ssh-keygen` would make of it.
fn by_token(secret: &SigningKey, key: &PublicKey, flags: u8, message: &[u8]) -> String {
    let mut text = b"SSHSIG".to_vec();
    for part in [
        APPROVAL.as_bytes(),
        b"",
        b"sha512",
        &Sha512::digest(message),
    ] {
        put_string(&mut text, part);
    }
    let counter = 7_u32.to_be_bytes();
    let application = Sha256::digest(b"ssh:");
    let digest = Sha256::digest(&text);
    let signed = [&application[..], &[flags], &counter, &digest].concat();
    let signature = secret.sign(&signed).to_bytes();
    let after = [&[flags][..], &counter].concat();
    let one = inner(b"sk-ssh-ed25519@openssh.com", &signature, &after);
    wire(
        1,
        [&key.wire(), APPROVAL.as_bytes(), b"", b"sha512", &one],
        b"",
    )
}

#[test]
fn a_token_counts_when_it_was_touched_for_us_and_for_ssh_keygen() {
    let secret = SigningKey::from_bytes(&[9; 32]);
    let key = PublicKey {
        point: secret.verifying_key().to_bytes(),
        application: Some("ssh:".into()),
    };
    let desk = Desk::new();
    desk.put("allowed_signers", format!("p02 {key}\n"));
    let message = gate(1).bytes();
    let touched = by_token(&secret, &key, 1, &message);
    let made = Sshsig::parse(touched.as_bytes()).unwrap();
    assert_eq!(made.verify(APPROVAL, &message).unwrap(), &key);
    assert!(desk.takes("p02", APPROVAL, &touched, &message, &[]));
    assert!(!desk.takes("p02", APPROVAL, &touched, b"else", &[]));
    assert_eq!(made.verify(APPROVAL, b"else"), Err(SigFault::Forged));
    let untouched = by_token(&secret, &key, 0, &message);
    let made = Sshsig::parse(untouched.as_bytes()).unwrap();
    assert_eq!(made.verify(APPROVAL, &message), Err(SigFault::Untouched));
    let line = key.to_string();
    assert_eq!(line.parse::<PublicKey>().unwrap(), key);
}

#[test]
fn a_damaged_key_file_signs_nothing() {
    let key = known(3);
    let text = key.write("somebody", 5);
    assert_eq!(
        PrivateKey::parse(text.as_bytes()).unwrap().public(),
        key.public()
    );
    let lines: Vec<&str> = text.lines().collect();
    let body = STANDARD.decode(lines[1..lines.len() - 1].concat()).unwrap();
    let again = |body: &[u8]| armoured(body).replace("SSH SIGNATURE", "OPENSSH PRIVATE KEY");
    assert!(PrivateKey::parse(again(&body).as_bytes()).is_ok());
    let mut taken = 0;
    for bit in 0..body.len() * 8 {
        let read = PrivateKey::parse(again(&flipped(&body, bit)).as_bytes());
        // The comment may say anything.
        taken += usize::from(read.is_ok_and(|read| read.public() == key.public()));
    }
    assert_eq!(taken, "somebody".len() * 8);
    for cut in 0..body.len() {
        assert!(PrivateKey::parse(again(&body[..cut]).as_bytes()).is_err());
    }
}
