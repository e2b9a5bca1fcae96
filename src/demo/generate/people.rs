//! The people: the tables `househ` and `contacts`, with everything that makes addressing them hard,
//! and who belongs to a household.
//!
//! Not here: their rows in `member` (`members`), what they rent (`lettings`), who gets a letter (`letters`).

use jiff::civil::Date;
use rusqlite::Connection;

use super::MakeError;
use super::dice::Dice;
use super::homes::{Home, Kind, Reference, Slot, Stock};
use super::letters::{Letters, Reader};
use super::lettings::{Letting, Sort};
use super::members::{Human, MEMBER, Member, title};
use super::part::Part;
use super::reach::{Contact, Elsewhere, Somewhere};
use super::table::Table;
use super::truth::{Books, Fate, Owner};

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
pub(super) struct People<'c, 'b> {
    pub(super) seed: u64,
    pub(super) handover: Date,
    pub(super) househ: Table<'c>,
    pub(super) member: Table<'c>,
    pub(super) contacts: Table<'c>,
    pub(super) sid: u32,
    pub(super) households: u32,
    pub(super) dice: Dice,
    pub(super) books: &'b mut Books,
    pub(super) letters: &'b mut Letters,
}

/// Writes `househ`, `member` and `contacts`.
pub(super) fn write(
    connection: &Connection,
    part: &Part,
    stock: &Stock,
    lettings: &[Letting],
    books: &mut Books,
    letters: &mut Letters,
) -> Result<(), MakeError> {
    let progress = part.progress.as_ref();
    let mut people = People {
        seed: part.seed,
        handover: part.world.handover(),
        househ: Table::new(connection, "househ", &HOUSEH, progress)?,
        member: Table::new(connection, "member", &MEMBER, progress)?,
        contacts: Table::new(connection, "contacts", &CONTACTS, progress)?,
        sid: 0,
        households: 0,
        dice: Dice::new(part.seed, "people"),
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
