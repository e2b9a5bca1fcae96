//! The people: the tables `househ`, `member` and `contacts`, with everything that makes addressing
//! them hard, and special-category columns that no map may ever name.
//!
//! Not here: what they rent (`lettings`), who gets a letter (`letters`).

use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use rusqlite::Connection;

use super::dice::Dice;
use super::homes::{Home, Kind, Reference, Slot, Stock};
use super::letters::{Letters, Reader};
use super::lettings::{Letting, Sort};
use super::reach::{Contact, Elsewhere, Somewhere};
use super::table::Table;
use super::truth::{Books, Fate, Owner};
use super::words::{FORENAMES, SURNAMES};
use super::{MakeError, Spec};

/// Somebody, as their number decides: the same number is the same human wherever it stands.
pub(super) struct Human {
    pub(super) forename: &'static str,
    pub(super) surname: &'static str,
    woman: bool,
    born: Date,
    insurance: u32,
}

impl Human {
    fn of(seed: u64, number: u64) -> Human {
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
    relationship: &'static str,
    pub(super) responsible: bool,
    pub(super) deleted: bool,
    human: u64,
    child: bool,
}

const HOUSEH: [&str; 30] = [
    "house_ref",
    "prop_ref",
    "house_desc",
    "joint_ten",
    "corr_preamble",
    "corr_desig",
    "corr_postcode",
    "nextkinname",
    "nk_preamble",
    "nk_desig",
    "nk_postcode",
    "u_letters_to_nok",
    "vulnerable",
    "u_violent",
    "reason",
    "telephone",
    "email_address",
    "info_refused",
    "home_state",
    "address_date",
    "fin_date",
    "post_preamble",
    "post_desig",
    "post_code",
    "u_disabled",
    "u_hb",
    "state_ben",
    "house_size",
    "con_key",
    "househ_sid",
];
const MEMBER: [&str; 25] = [
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
const CONTACTS: [&str; 11] = [
    "con_key",
    "con_ref",
    "con_name",
    "con_phone1",
    "email_address",
    "con_address",
    "con_postcode",
    "con_type",
    "tag_ref",
    "prop_ref",
    "contacts_sid",
];

/// The three tables and what counts up in them.
struct People<'c, 'b> {
    seed: u64,
    handover: Date,
    househ: Table<'c>,
    member: Table<'c>,
    contacts: Table<'c>,
    sid: u32,
    households: u32,
    dice: Dice,
    books: &'b mut Books,
    letters: &'b mut Letters,
}

/// Writes `househ`, `member` and `contacts`.
pub(super) fn write(
    connection: &Connection,
    spec: &Spec,
    stock: &Stock,
    lettings: &[Letting],
    books: &mut Books,
    letters: &mut Letters,
) -> Result<(), MakeError> {
    let progress = spec.progress.as_ref();
    let mut people = People {
        seed: spec.seed,
        handover: spec.world.handover(),
        househ: Table::new(connection, "househ", &HOUSEH, progress)?,
        member: Table::new(connection, "member", &MEMBER, progress)?,
        contacts: Table::new(connection, "contacts", &CONTACTS, progress)?,
        sid: 0,
        households: 0,
        dice: Dice::new(spec.seed, "people"),
        books,
        letters,
    };
    for letting in lettings.iter().filter(|letting| letting.first) {
        people.household(letting, &stock.homes[letting.home])?;
    }
    people.orphans()
}

impl People<'_, '_> {
    fn household(&mut self, letting: &Letting, home: &Home) -> Result<(), MakeError> {
        self.households += 1;
        let main = Human::of(self.seed, u64::from(letting.identity));
        let members = self.members(letting);
        let elsewhere = Elsewhere::of(letting, home, &mut self.dice);
        let contact = Contact::of(&main, letting, &mut self.dice);
        self.write_househ(letting, home, &main, &members, &elsewhere, &contact)?;
        for member in &members {
            let fate = letting.tenancy();
            self.write_member(letting, member, &main, fate)?;
        }
        if let Some(target) = self.books.target(letting.owner) {
            self.letters.consider(
                target,
                &Reader {
                    letting,
                    members: &members,
                    leaseholder: home.kind == Kind::Leasehold,
                    no_postcode: home.slot == Some(Slot::NoPostcode),
                    elsewhere: elsewhere.kind,
                    vulnerable: vulnerable(self.households),
                    kin: self.has_kin(letting),
                    email: contact.email.is_some(),
                },
            );
        }
        self.write_contacts(letting, home, &main, &contact)
    }

    fn members(&mut self, letting: &Letting) -> Vec<Member> {
        let base = u64::from(letting.household) * 100;
        let mut members = vec![Member {
            number: 1,
            relationship: "T",
            responsible: true,
            deleted: false,
            human: u64::from(letting.identity),
            child: false,
        }];
        let mut add = |relationship, responsible, deleted, child| {
            let number = u32::try_from(members.len()).unwrap_or(0) + 1;
            let human = base + u64::from(number);
            members.push(Member {
                number,
                relationship,
                responsible,
                deleted,
                human,
                child,
            });
        };
        let draw = self.dice.below(1000);
        match letting.slot {
            Some(Slot::HalfJoint) => add("S", false, false, false),
            Some(Slot::DeletedMember) => add("O", false, true, false),
            Some(Slot::CoupleInOne | Slot::SamePersonTwice | Slot::PersonInTwoDistricts) => {}
            _ if letting.sort == Sort::Rent && draw < 190 => add("J", true, false, false),
            _ if letting.sort == Sort::Rent && draw < 330 => add("S", false, false, false),
            _ => {}
        }
        if letting.sort == Sort::Rent && self.dice.chance(150) {
            add("C", false, false, true);
        }
        members
    }

    fn write_househ(
        &mut self,
        letting: &Letting,
        home: &Home,
        main: &Human,
        members: &[Member],
        elsewhere: &Elsewhere,
        contact: &Contact,
    ) -> Result<(), MakeError> {
        let slot = letting.slot;
        let joint = members.iter().filter(|member| member.responsible).count() > 1;
        let alert = matches!(slot, Some(Slot::Alert | Slot::ExpiredAlert));
        let kin = self.has_kin(letting);
        let t = &mut self.househ;
        t.padded(format_args!("{:08}", letting.household), 10)
            .padded(home.reference(), 12);
        t.shown(format_args!(
            "{} {} {}",
            title(main, slot),
            &main.forename[..1],
            main.surname
        ));
        t.int(joint || slot == Some(Slot::HalfJoint));
        t.maybe(elsewhere.preamble)
            .maybe(elsewhere.designation.as_deref());
        t.maybe(elsewhere.postcode.as_deref());
        t.maybe(kin.then_some("Kin of the tenant")).null();
        t.maybe(kin.then_some("9 Foreland Road, Deal"))
            .maybe(kin.then_some("CT14 9ZB"));
        t.int(slot == Some(Slot::LettersToKin))
            .int(vulnerable(self.households))
            .int(alert);
        t.maybe(alert.then_some(if slot == Some(Slot::Alert) {
            "CA"
        } else {
            "EX"
        }));
        t.maybe(contact.phone.as_deref())
            .maybe(contact.email.as_deref());
        t.int(slot == Some(Slot::OptOut));
        t.maybe((slot == Some(Slot::GoneAway)).then_some("G"));
        t.shown(letting.from);
        t.maybe(
            letting
                .to
                .as_ref()
                .map(ToString::to_string)
                .or(Some("1900-01-01".to_owned())),
        );
        t.maybe(home.preamble())
            .shown(home.designation())
            .shown(home.postcode());
        t.int(0)
            .int(0)
            .int(0)
            .int(i64::try_from(members.len()).unwrap_or(0));
        t.int(letting.household).int(self.households);
        t.done()?;
        let found = |there, reason| {
            if there {
                Fate::Copied
            } else {
                Fate::Filtered(reason)
            }
        };
        let risk = match slot {
            Some(Slot::Alert) => Fate::Copied,
            Some(Slot::ExpiredAlert) => Fate::Filtered("expired alert"),
            _ => Fate::Filtered("no alert"),
        };
        let corresponds = elsewhere.designation.is_some();
        self.books.row(
            "househ",
            letting.owner,
            &[
                ("household", Fate::Copied),
                ("risk_alert", risk),
                (
                    "contact_post",
                    found(corresponds, "no correspondence address"),
                ),
                ("contact_kin", found(kin, "no next of kin")),
            ],
        );
        self.mess_of_household(letting, elsewhere);
        Ok(())
    }

    fn has_kin(&self, letting: &Letting) -> bool {
        letting.slot == Some(Slot::LettersToKin) || self.households.is_multiple_of(9)
    }

    fn mess_of_household(&mut self, letting: &Letting, elsewhere: &Elsewhere) {
        let books = &mut *self.books;
        if letting.sort == Sort::Garage && letting.identity != letting.household {
            match letting.slot {
                Some(Slot::PersonInTwoDistricts) => books.mess("one person in two districts"),
                _ => books.mess("duplicate person"),
            }
        }
        match elsewhere.kind {
            Somewhere::Bfpo => books.mess("bfpo address"),
            Somewhere::NoFixedAbode => books.mess("no fixed abode"),
            Somewhere::Elsewhere => books.mess("correspondence address"),
            Somewhere::AtHome => {}
        }
        match letting.slot {
            Some(Slot::HalfJoint) => books.mess("joint tenant half recorded"),
            Some(Slot::GoneAway) => books.mess("gone away"),
            Some(Slot::Alert) => books.mess("live risk alert"),
            Some(Slot::ExpiredAlert) => books.mess("expired risk alert"),
            Some(Slot::CoupleInOne) => books.mess("couple in one row"),
            Some(Slot::LettersToKin) => books.mess("letters to next of kin"),
            Some(Slot::OptOut) => books.mess("opted out"),
            _ => {}
        }
    }

    fn write_member(
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

    fn write_contacts(
        &mut self,
        letting: &Letting,
        home: &Home,
        main: &Human,
        contact: &Contact,
    ) -> Result<(), MakeError> {
        let t = &mut self.contacts;
        t.int(letting.household)
            .padded(format_args!("{:08}", letting.household), 12);
        t.shown(format_args!("{} {}", main.forename, main.surname));
        t.maybe(contact.phone.as_deref())
            .maybe(contact.email.as_deref());
        t.shown(format_args!("{}\n{}", home.designation(), home.town()))
            .shown(home.postcode());
        t.text("T")
            .shown(letting.tag)
            .shown(home.reference())
            .int(letting.household);
        t.done()?;
        let email = match contact.email {
            Some(_) => Fate::Copied,
            None => Fate::Filtered("no email"),
        };
        let phone = match contact.phone.as_deref() {
            None => Fate::Filtered("no phone"),
            Some("UNKNOWN") => {
                self.books.mess("null form UNKNOWN");
                Fate::Filtered("no phone")
            }
            Some(_) => Fate::Copied,
        };
        self.books.row(
            "contacts",
            letting.owner,
            &[("contact_email", email), ("contact_phone", phone)],
        );
        Ok(())
    }

    /// A household whose home is not there, and a member whose household is not.
    fn orphans(&mut self) -> Result<(), MakeError> {
        let t = &mut self.househ;
        t.padded("99999998", 10)
            .padded(Reference(70_000_001), 12)
            .text("Lost")
            .int(0);
        for _ in 4..HOUSEH.len() {
            t.null();
        }
        t.done()?;
        let nobody = Owner::Nobody("orphan");
        self.books.row(
            "househ",
            nobody,
            &[
                ("household", Fate::Rejected("lookup asset_id")),
                ("risk_alert", Fate::Filtered("no alert")),
                ("contact_post", Fate::Filtered("no correspondence address")),
                ("contact_kin", Fate::Filtered("no next of kin")),
            ],
        );
        self.books.mess("orphan household");
        let t = &mut self.member;
        t.padded("99999999", 10)
            .int(1)
            .text("Mr")
            .text("Nemo")
            .text("Nowhere");
        t.null().null().text("O").int(0);
        for _ in 9..MEMBER.len() {
            t.null();
        }
        t.done()?;
        self.books.row(
            "member",
            nobody,
            &[
                ("person", Fate::Copied),
                ("household_member", Fate::Rejected("lookup household_id")),
                ("contact_preference", Fate::Filtered("not a tenant")),
                ("tenancy_party", Fate::Filtered("not a tenant")),
            ],
        );
        self.books.mess("orphan member");
        if let Some(target) = self.books.target(nobody) {
            self.letters.stray(target);
        }
        Ok(())
    }
}

fn vulnerable(household: u32) -> bool {
    household % 53 == 11
}

fn title(human: &Human, slot: Option<Slot>) -> &'static str {
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
