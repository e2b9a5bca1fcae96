//! The table `member`: one row for everybody of a household, with special-category columns that no
//! map may ever name.
//!
//! Not here: households and who belongs to them (`people`).

use jiff::ToSpan as _;
use jiff::civil::{Date, date};

use super::MakeError;
use super::dice::Dice;
use super::homes::Slot;
use super::lettings::Letting;
use super::people::People;
use super::table::Table;
use super::truth::{Books, Fate};
use super::words::{FORENAMES, SURNAMES};

/// Somebody, as their number decides: the same number is the same human wherever it stands.
pub(super) struct Human {
    pub(super) forename: &'static str,
    pub(super) surname: &'static str,
    pub(super) woman: bool,
    pub(super) born: Date,
    pub(super) insurance: u32,
}

impl Human {
    pub(super) fn of(seed: u64, number: u64) -> Human {
        let mut dice = Dice::new(seed ^ number.wrapping_mul(0x9E37_79B9), "human");
        Human {
            forename: dice.word(&FORENAMES),
            surname: dice.word(&SURNAMES),
            woman: dice.chance(500),
            born: date(1931, 1, 1).saturating_add(dice.between(0, 25_000).days()),
            insurance: dice.below(1_000_000),
        }
    }
}

/// One row of `member` before it is written.
pub(super) struct Member {
    pub(super) number: u32,
    pub(super) relationship: &'static str,
    pub(super) responsible: bool,
    pub(super) deleted: bool,
    pub(super) human: u64,
    pub(super) child: bool,
}

pub(super) const MEMBER: [&str; 25] = [
    "house_ref",
    "person_no",
    "title",
    "forename",
    "surname",
    "dob",
    "ni_no",
    "relationship",
    "responsible",
    "gender",
    "first_lang",
    "econ_status",
    "corr_type",
    "at_risk",
    "comp_avail",
    "vulnerable",
    "member_sid",
    "hiv_positive",
    "crim_rec",
    "sex_orient",
    "religion_belief",
    "transgender",
    "ethnic_origin",
    "ethnic_colour",
    "pregnant",
];

impl People<'_, '_> {
    /// Writes one row and counts it; `tenancy` is what becomes of the household's tenancy.
    pub(super) fn write_member(
        &mut self,
        letting: &Letting,
        member: &Member,
        main: &Human,
        tenancy: Fate,
    ) -> Result<(), MakeError> {
        self.sid += 1;
        let sid = self.sid;
        let drawn = Human::of(self.seed, member.human);
        let human = if member.number == 1 { main } else { &drawn };
        let slot = letting.slot.filter(|_| member.number == 1);
        let t = &mut self.member;
        t.padded(format_args!("{:08}", letting.household), 10)
            .int(member.number);
        t.text(title(human, slot));
        if slot == Some(Slot::TwiceEncoded) {
            t.text("ChloÃ«");
            self.books.mess("utf-8 encoded twice");
        } else {
            t.padded(human.forename, 24);
        }
        if slot == Some(Slot::Cp1252) {
            t.bytes(b"O\x92Larkwell");
            self.books.mess("windows-1252 bytes");
        } else {
            t.padded(main.surname, 20);
        }
        bind_birth(t, human, member, slot, sid, self.handover, self.books);
        bind_insurance(t, human, letting, member, sid, self.books);
        t.text(member.relationship).int(member.responsible);
        t.text(if human.woman { "F" } else { "M" });
        t.maybe(match (slot, sid % 8) {
            (Some(Slot::Language), _) => Some("POL"),
            (_, 0) => Some("ENG"),
            _ => None,
        });
        t.maybe((slot == Some(Slot::Deceased)).then_some("D"));
        t.maybe((slot == Some(Slot::Format)).then_some("LP"));
        t.int(slot == Some(Slot::SafeContact))
            .maybe(member.deleted.then_some("DELETED"))
            .null();
        t.int(sid);
        let special = sid.is_multiple_of(3);
        for value in ["HVQ", "CRQ", "SOQ", "RBQ", "TGQ", "EOQ", "ECQ"] {
            t.maybe(special.then_some(value));
        }
        t.int(special);
        t.done()?;
        self.count_member(letting, member, slot, special, tenancy);
        Ok(())
    }

    fn count_member(
        &mut self,
        letting: &Letting,
        member: &Member,
        slot: Option<Slot>,
        special: bool,
        tenancy: Fate,
    ) {
        let kept = if member.deleted {
            Fate::Filtered("deleted")
        } else {
            Fate::Copied
        };
        let tenants = match (kept, member.responsible) {
            (Fate::Copied, false) => Fate::Filtered("not a tenant"),
            (fate, _) => fate,
        };
        let party = match (tenants, tenancy) {
            (Fate::Copied, Fate::Rejected(_)) => Fate::Rejected("lookup tenancy_id"),
            (fate, _) => fate,
        };
        self.books.row(
            "member",
            letting.owner,
            &[
                ("person", kept),
                ("household_member", kept),
                ("contact_preference", tenants),
                ("tenancy_party", party),
            ],
        );
        if special {
            self.books.mess("special category filled");
        }
        if member.deleted {
            self.books.mess("soft-deleted member");
        }
        match slot {
            Some(Slot::Deceased) => self.books.mess("deceased still active"),
            Some(Slot::SafeContact) => self.books.mess("safe contact only"),
            Some(Slot::Format) => self.books.mess("accessible format"),
            Some(Slot::Language) => self.books.mess("other language"),
            Some(Slot::Under18) => self.books.mess("tenant under 18"),
            _ => {}
        }
    }
}

pub(super) fn title(human: &Human, slot: Option<Slot>) -> &'static str {
    match (slot, human.woman) {
        (Some(Slot::CoupleInOne), _) => "Mr & Mrs",
        (_, true) => "Ms",
        (_, false) => "Mr",
    }
}

fn bind_birth(
    t: &mut Table<'_>,
    human: &Human,
    member: &Member,
    slot: Option<Slot>,
    sid: u32,
    handover: Date,
    books: &mut Books,
) {
    let born = match slot {
        _ if member.child => handover.saturating_sub((i64::from(sid % 17) * 365 + 30).days()),
        Some(Slot::Under18) => handover.saturating_sub(6_300.days()),
        _ => human.born,
    };
    match (slot, sid % 20) {
        (Some(Slot::SentinelBirth), _) => {
            books.mess("sentinel 1899-12-30");
            t.text("1899-12-30");
        }
        (Some(Slot::Under18 | Slot::SamePersonTwice | Slot::PersonInTwoDistricts), _) => {
            t.shown(born);
        }
        (_, 3) if !member.child => {
            books.mess("sentinel 1900-01-01");
            t.text("1900-01-01");
        }
        (_, 7) => {
            books.mess("date dd/mm/yyyy");
            t.shown(born.strftime("%d/%m/%Y"));
        }
        (_, 11) if !member.child => {
            books.mess("null birthday");
            t.null();
        }
        _ => {
            t.shown(born);
        }
    }
}

fn bind_insurance(
    t: &mut Table<'_>,
    human: &Human,
    letting: &Letting,
    member: &Member,
    sid: u32,
    books: &mut Books,
) {
    let twin = matches!(
        letting.slot,
        Some(Slot::SamePersonTwice | Slot::PersonInTwoDistricts)
    );
    let form = match sid % 12 {
        _ if twin && member.number == 1 => None,
        2 => Some(("UNKNOWN", "null form UNKNOWN")),
        4 => Some(("N/A", "null form N/A")),
        6 => Some(("", "null form empty")),
        8 => Some((" ", "null form spaces")),
        _ => None,
    };
    match form {
        Some((text, mess)) => {
            books.mess(mess);
            t.text(text);
        }
        None => {
            // the prefix QQ was never given to anybody
            t.shown(format_args!("QQ{:06}C", human.insurance));
        }
    }
}
