//! What an auditor's check finds: each attack by its name.

use handover::seal::check::{Checked, Finding};
use handover::seal::{LogKey, Seal, SealCheck, Trust};

use super::{ORIGIN, lines, log_key, quorum, seal, witness_key};

fn trust() -> Trust {
    Trust {
        log: log_key().vkey().clone(),
        quorum: quorum(),
    }
}

fn checked(lines: &[Vec<u8>], seals: Vec<Seal>) -> Checked {
    let mut check = SealCheck::new(&trust(), seals.into_iter().map(Some));
    for line in lines {
        check.line(line);
    }
    check.finish()
}

fn cosigned(mut seal: Seal, by: &[(&str, u64)]) -> Seal {
    for (name, time) in by {
        let line = witness_key(name).cosign(&seal.head, *time).line;
        seal.add(line);
    }
    seal
}

fn sealed(lines: &[Vec<u8>], size: usize) -> Seal {
    seal(&log_key(), &lines[..size])
}

fn found(checked: &Checked) -> Vec<&Finding> {
    checked.findings.iter().collect()
}

#[test]
fn an_honest_log_is_proved_as_far_as_it_is_sealed_and_seen() {
    let all = lines(20);
    let seen = cosigned(sealed(&all, 8), &[("audit", 100), ("council", 90)]);
    let half_seen = cosigned(sealed(&all, 12), &[("council", 110)]);
    let out = checked(&all, vec![half_seen, sealed(&all, 17), seen]);
    assert_eq!(found(&out), [] as [&Finding; 0]);
    assert_eq!((out.sealed(), out.witnessed(), out.lines), (17, 8, 20));
}

#[test]
fn an_edited_line_breaks_every_seal_above_it_and_none_below() {
    let all = lines(20);
    let seals = vec![sealed(&all, 5), sealed(&all, 10), sealed(&all, 20)];
    let mut edited = all.clone();
    edited[7] = b"{\"seq\":8}".to_vec();
    let out = checked(&edited, seals);
    assert_eq!(
        found(&out),
        [
            &Finding::RootMismatch { size: 10 },
            &Finding::RootMismatch { size: 20 }
        ]
    );
    assert_eq!(out.sealed(), 5);
}

#[test]
fn a_cut_log_is_found_out_by_its_seal_and_by_its_witness() {
    let all = lines(20);
    let seal = cosigned(sealed(&all, 20), &[("audit", 100)]);
    let out = checked(&all[..15], vec![seal]);
    let cut = Finding::Truncated {
        size: 20,
        lines: 15,
    };
    let rolled_back = Finding::RolledBack {
        witness: "audit".into(),
        size: 20,
        lines: 15,
    };
    assert_eq!(found(&out), [&cut, &rolled_back]);
}

#[test]
fn whoever_holds_the_key_and_signs_two_pasts_is_found_out() {
    let all = lines(20);
    let mut fork = all.clone();
    fork[2] = b"{}".to_vec();
    let out = checked(&all, vec![sealed(&all, 10), sealed(&fork, 10)]);
    assert!(out.findings.contains(&Finding::Equivocation { size: 10 }));

    let out = checked(&all, vec![sealed(&fork, 10), sealed(&all, 20)]);
    assert!(out.findings.contains(&Finding::Inconsistent { size: 10 }));
}

#[test]
fn a_log_made_anew_under_another_key_is_not_this_log() {
    let all = lines(6);
    let impostor = LogKey::new(ORIGIN, &[8; 32]).unwrap();
    let out = checked(&all, vec![seal(&impostor, &all)]);
    assert_eq!(found(&out), [&Finding::UntrustedKey { size: 6 }]);
    assert_eq!(out.sealed(), 0);
    let elsewhere = LogKey::new("another/log", &[7; 32]).unwrap();
    let out = checked(&all, vec![seal(&elsewhere, &all)]);
    assert_eq!(found(&out), [&Finding::BadSeal]);
}

#[test]
fn a_cosignature_of_another_size_or_by_a_stranger_makes_no_quorum() {
    let all = lines(12);
    let mut lifted = sealed(&all, 12);
    lifted.add(witness_key("audit").cosign(&sealed(&all, 8).head, 100).line);
    let out = checked(&all, vec![lifted]);
    assert_eq!(found(&out), [&Finding::BadSignature { size: 12 }]);

    let mut strangers = sealed(&all, 12);
    let stranger = handover::seal::WitnessKey::new("a.friend", &[3; 32]).unwrap();
    strangers.add(stranger.cosign(&strangers.head, 100).line);
    let out = checked(&all, vec![strangers]);
    assert_eq!((out.sealed(), out.witnessed()), (12, 0));
}

#[test]
fn a_witness_whose_clock_runs_backwards_is_named() {
    let all = lines(12);
    let first = cosigned(sealed(&all, 4), &[("audit", 200)]);
    let then = cosigned(sealed(&all, 9), &[("audit", 100)]);
    let out = checked(&all, vec![first, then]);
    let early = Finding::TimeOrder {
        witness: "audit".into(),
        size: 9,
    };
    assert_eq!(found(&out), [&early]);
}

#[test]
fn a_day_without_a_seal_is_told_only_while_somebody_drives() {
    use Drive::{Begins, Ends, GoesOn};
    use handover::seal::{Drive, Silences};
    let hour = |hours: i64| jiff::Timestamp::from_second(hours * 3600).unwrap();
    let spans = |sealed: &[u64], entries: &[(i64, Drive)]| {
        let mut silences = Silences::new(sealed.iter().copied());
        for (seq, (at, drive)) in (0..).zip(entries) {
            silences.entry(seq, hour(*at), *drive);
        }
        let found = silences.finish();
        found.iter().map(|one| one.seq).collect::<Vec<u64>>()
    };
    let months_at_rest = [(0, Begins), (1, Ends), (2000, Begins), (2001, GoesOn)];
    assert_eq!(spans(&[2], &months_at_rest), [] as [u64; 0]);
    let beats = [(0, Begins), (24, GoesOn), (48, GoesOn), (72, Ends)];
    assert_eq!(spans(&[2, 3, 4], &beats), [] as [u64; 0]);
    assert_eq!(spans(&[2], &beats), [3], "two days after the one seal");
    assert_eq!(spans(&[], &[(0, Begins), (80, GoesOn), (81, GoesOn)]), [1]);
}
