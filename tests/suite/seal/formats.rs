//! Notes, heads, keys, cosignatures, requests and proofs: byte for byte what C2SP says.

use handover::plan::digest::Digest;
use handover::plan::vkey::{KeyKind, NoVkey, Vkey};
use handover::seal::head::NoHead;
use handover::seal::note::{NoNote, Note};
use handover::seal::proof::{consistency, inclusion};
use handover::seal::tree::leaf_hash;
use handover::seal::{Head, LogKey, Request, Seal, TlogProof, WitnessKey};
use proptest::prelude::*;

use super::{ORIGIN, lines, log_key, seal, witness_key};

/// The example of Go's note package, where signed notes come from.
const NEUMANN: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const NEUMANN_SECRET: &str =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";

/// The example of C2SP tlog-cosignature.
const BEHIND_THE_SOFA: &str = "\
example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
";

#[test]
fn keys_of_other_peoples_tools_are_read_and_written_alike() {
    let key = LogKey::parse(NEUMANN_SECRET).unwrap();
    assert_eq!(key.vkey().to_string(), NEUMANN);
    assert_eq!(key.text().trim_end(), NEUMANN_SECRET);
    let vkey: Vkey = NEUMANN.parse().unwrap();
    assert_eq!((vkey.name(), vkey.kind()), ("PeterNeumann", KeyKind::Log));
}

#[test]
fn a_note_of_the_specification_is_read_to_the_byte() {
    let seal = Seal::parse(BEHIND_THE_SOFA.as_bytes()).unwrap();
    assert_eq!(seal.head.size, 20_852_163);
    assert_eq!(seal.note.lines.len(), 2);
    assert_eq!(seal.note.lines[1].name, "witness.example.com/w1");
    let time = u64::from_be_bytes(seal.note.lines[1].signature[..8].try_into().unwrap());
    assert_eq!(time, 1_679_315_147);
    assert_eq!(seal.bytes(), BEHIND_THE_SOFA.as_bytes());
}

#[test]
fn a_mistyped_verifier_key_is_told_apart_by_what_is_wrong_with_it() {
    let wrong = |text: &str| text.parse::<Vkey>().unwrap_err();
    assert_eq!(wrong("PeterNeumann"), NoVkey::Shape);
    assert_eq!(wrong(&NEUMANN.replace("c74f", "c74e")), NoVkey::Id);
    assert_eq!(wrong(&NEUMANN.replace("PeterN", "Peter N")), NoVkey::Name);
    assert_eq!(wrong(&NEUMANN.replace("+ARpc", "+AhpC")), NoVkey::Kind(2));
    let zero = Vkey::new("anybody", KeyKind::Log, [0; 32]);
    assert!(zero.is_err(), "a key that anybody could sign for");
}

#[test]
fn a_seal_is_three_lines_and_a_signature_and_the_same_every_time() {
    let sealed = seal(&log_key(), &lines(11));
    let text = String::from_utf8(sealed.bytes()).unwrap();
    let parts: Vec<&str> = text.lines().collect();
    assert_eq!(&parts[..2], [ORIGIN, "11"]);
    assert_eq!(parts[3], "");
    assert!(parts[4].starts_with(&format!("— {ORIGIN} ")));
    assert_eq!(parts.len(), 5);
    assert_eq!(seal(&log_key(), &lines(11)).bytes(), sealed.bytes());
    assert_eq!(Seal::parse(&sealed.bytes()).unwrap(), sealed);
    assert_eq!(sealed.by_log(log_key().vkey()), Ok(()));
}

#[test]
fn a_seal_of_another_key_of_the_same_name_is_not_the_logs() {
    let impostor = LogKey::new(ORIGIN, &[8; 32]).unwrap();
    let sealed = seal(&impostor, &lines(3));
    assert_eq!(sealed.by_log(log_key().vkey()), Err(NoHead::Unsigned));
}

#[test]
fn one_false_line_of_a_known_key_refuses_the_whole_note_even_beside_a_good_one() {
    let mut sealed = seal(&log_key(), &lines(3));
    let mut bad = sealed.note.lines[0].clone();
    bad.signature[5] ^= 1;
    sealed.note.lines.push(bad);
    assert_eq!(sealed.by_log(log_key().vkey()), Err(NoHead::False));
}

#[test]
fn a_witness_signs_this_head_at_this_time_and_nothing_else() {
    let key = witness_key("audit");
    let mut sealed = seal(&log_key(), &lines(5));
    let cosigned = key.cosign(&sealed.head, 1_679_315_147);
    sealed.add(cosigned.line.clone());
    let found = sealed.by_witness(key.vkey()).unwrap().unwrap();
    assert_eq!(found.time, 1_679_315_147);

    let mut lifted = seal(&log_key(), &lines(6));
    lifted.add(cosigned.line.clone());
    assert_eq!(lifted.by_witness(key.vkey()), Err(NoHead::False));

    let mut backdated = cosigned.line;
    backdated.signature[7] ^= 1;
    sealed.add(backdated);
    assert_eq!(sealed.by_witness(key.vkey()), Err(NoHead::False));
}

#[test]
fn a_logs_key_signs_no_cosignature_and_a_witnesss_key_no_seal() {
    let witness = witness_key("audit");
    assert!(LogKey::parse(&witness.text()).is_err());
    assert!(WitnessKey::parse(&log_key().text()).is_err());
    let sealed = seal(&log_key(), &lines(2));
    assert_eq!(sealed.by_log(witness.vkey()), Err(NoHead::Unsigned));
}

#[test]
fn unknown_signature_lines_are_passed_over() {
    let mut sealed = seal(&log_key(), &lines(4));
    let stranger = LogKey::new("somebody.else", &[9; 32]).unwrap();
    let theirs = seal(&stranger, &lines(4)).note.lines.remove(0);
    sealed.note.lines.insert(0, theirs);
    let read = Seal::parse(&sealed.bytes()).unwrap();
    assert_eq!(read.by_log(log_key().vkey()), Ok(()));
}

#[test]
fn notes_that_could_be_read_in_two_ways_are_none() {
    let good = String::from_utf8(seal(&log_key(), &lines(3)).bytes()).unwrap();
    for bad in [
        good.replace('\n', "\r\n"),
        good.trim_end().to_owned(),
        good.replace("\n3\n", "\n03\n"),
        good.replace("\n3\n", "\n+3\n"),
        good.replace("\n3\n", "\n-3\n"),
        good.replace("\n3\n", "\n9223372036854775808000\n"),
        good.replace("— ", "- "),
        good.replace("=\n\n", "=\nextension\n\n"),
        format!("{good}\n"),
        String::new(),
    ] {
        assert!(Seal::parse(bad.as_bytes()).is_err(), "{bad}");
    }
    let empty = Head {
        origin: ORIGIN.to_owned(),
        size: 0,
        root: Digest::of(b"something"),
    };
    assert_eq!(Head::parse(&empty.text()), Err(NoHead::Empty));
}

#[test]
fn a_million_signature_lines_are_refused_before_they_are_read() {
    let mut text = String::from_utf8(seal(&log_key(), &lines(3)).bytes()).unwrap();
    let line = text.lines().last().unwrap().to_owned();
    for _ in 0..1_000_000 {
        text.push_str(&line);
        text.push('\n');
    }
    assert_eq!(Note::parse(text.as_bytes()), Err(NoNote::TooLong));
    assert!(Request::parse(text.as_bytes()).is_err());
}

#[test]
fn a_request_file_holds_size_proof_and_seal() {
    let all = lines(13);
    let leaves: Vec<Digest> = all.iter().map(|line| leaf_hash(line)).collect();
    let request = Request {
        old: 6,
        proof: consistency(&leaves, 6).unwrap(),
        seal: seal(&log_key(), &all),
    };
    let bytes = request.bytes();
    assert!(bytes.starts_with(b"old 6\n"));
    assert_eq!(Request::parse(&bytes).unwrap(), request);
}

#[test]
fn one_line_can_be_disclosed_with_its_proof_and_no_other_passes_for_it() {
    let all = lines(27);
    let leaves: Vec<Digest> = all.iter().map(|line| leaf_hash(line)).collect();
    let proof = TlogProof {
        index: 19,
        proof: inclusion(&leaves, 19).unwrap(),
        seal: seal(&log_key(), &all),
    };
    let read = TlogProof::parse(&proof.bytes()).unwrap();
    assert_eq!(read, proof);
    assert_eq!(read.check(&all[19], log_key().vkey()), Ok(()));
    assert!(read.check(&all[18], log_key().vkey()).is_err());
    let elsewhere = TlogProof { index: 18, ..read };
    assert!(elsewhere.check(&all[19], log_key().vkey()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_bit_of_a_seal_can_be_turned_without_being_noticed(at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let sealed = seal(&log_key(), &lines(9)).bytes();
        let mut bytes = sealed.clone();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let holds = Seal::parse(&bytes).is_ok_and(|seal| seal.by_log(log_key().vkey()).is_ok());
        prop_assert!(!holds, "byte {at}");
    }

    #[test]
    fn no_bytes_make_a_reader_fall(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = Seal::parse(&bytes);
        let _ = Request::parse(&bytes);
        let _ = TlogProof::parse(&bytes);
    }
}
