//! Who rents what, from when to when.
//!
//! Not here: the people of a letting's household (`people`), its ledger (`ledger`), its row
//! (`agreements`).

use std::fmt;

use jiff::ToSpan as _;
use jiff::civil::{Date, date};

use super::dice::Dice;
use super::homes::{Home, Kind, Slot, Stock};
use super::part::Part;
use super::truth::{Fate, Owner};

/// What sort of agreement a letting is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Rent,
    Lease,
    Garage,
    Former,
    Recharge,
    Suspense,
    NeverStarted,
}

/// How somebody pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Payer {
    Benefit,
    DirectDebit,
    Cash,
}

/// A row of `tenagree`, as far as others need it.
#[derive(Debug, Clone)]
pub(super) struct Letting {
    pub(super) home: usize,
    pub(super) tag: Tag,
    /// The household's number; 0 where there is none.
    pub(super) household: u32,
    /// Whether this letting brings its household along (else an earlier one did).
    pub(super) first: bool,
    /// Whose name, birthday and number the main person bears: mostly the household's own number.
    pub(super) identity: u32,
    pub(super) owner: Owner,
    pub(super) sort: Sort,
    pub(super) slot: Option<Slot>,
    pub(super) from: Date,
    pub(super) to: Option<Date>,
    /// A week, in pence.
    pub(super) rent: i64,
    pub(super) payer: Payer,
    /// What the account comes to, debts positive, in pence.
    pub(super) balance: i64,
}

impl Letting {
    /// Whether it goes on at handover.
    pub(super) fn current(&self) -> bool {
        self.to.is_none()
    }

    /// Whether a copy writes it as a tenancy.
    pub(super) fn tenancy(&self) -> Fate {
        match (self.sort, self.slot) {
            (Sort::Suspense | Sort::Recharge, _) => Fate::Filtered("account only"),
            (Sort::NeverStarted, _) => Fate::Filtered("never started"),
            (Sort::Rent, Some(Slot::ImpossibleStart)) => Fate::Rejected("date starts_on"),
            _ => Fate::Copied,
        }
    }
}

/// A tenancy's reference: `nnnnnn/nn`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tag(pub(super) u32, pub(super) u32);

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:06}/{:02}", self.0, self.1))
    }
}

/// Plans every letting of the stock.
pub(super) fn plan(part: &Part, stock: &Stock) -> Vec<Letting> {
    let mut dice = Dice::new(part.seed, "lettings");
    let handover = part.world.handover();
    let mut lettings = Vec::new();
    let mut last_household = 0;
    for (position, home) in stock.homes.iter().enumerate() {
        match home.kind {
            Kind::Rented | Kind::Leasehold => {
                last_household = plan_home(position, home, handover, &mut dice, &mut lettings);
            }
            Kind::Garage if dice.chance(850) || near_mess(position, stock).is_some() => {
                let shared = dice.chance(500).then_some(last_household);
                plan_garage(position, stock, shared, handover, &mut dice, &mut lettings);
            }
            _ => {}
        }
    }
    for (council, estate) in stock.estates.iter().enumerate() {
        let mut letting = blank(*estate, &stock.homes[*estate], 1, date(2001, 4, 2));
        letting.tag = Tag(900_000 + u32::try_from(council).unwrap_or(0), 1);
        letting.sort = Sort::Suspense;
        letting.household = 0;
        letting.first = false;
        lettings.push(letting);
    }
    lettings
}

fn blank(position: usize, home: &Home, suffix: u32, from: Date) -> Letting {
    let tag = Tag(u32::try_from(position).unwrap_or(0) + 1, suffix);
    let household = tag.0 * 10 + suffix;
    Letting {
        home: position,
        tag,
        household,
        first: true,
        identity: household,
        owner: home.owner,
        sort: Sort::Rent,
        slot: home.slot,
        from,
        to: None,
        rent: home.rent,
        payer: Payer::Cash,
        balance: 0,
    }
}

/// A dwelling's lettings: the former one, the present one, and those that are a mess. The present
/// household's number.
fn plan_home(
    position: usize,
    home: &Home,
    handover: Date,
    dice: &mut Dice,
    lettings: &mut Vec<Letting>,
) -> u32 {
    let twin = matches!(
        home.slot,
        Some(Slot::SamePersonTwice | Slot::PersonInTwoDistricts)
    );
    let former = home.slot == Some(Slot::FormerDebt)
        || (home.kind == Kind::Rented && !twin && dice.chance(290));
    let mut suffix = 1;
    let mut from = date(1985, 1, 7).saturating_add(dice.between(0, 12_000).days());
    if former {
        let to = handover.saturating_sub(dice.between(60, 1_400).days());
        let began = to.saturating_sub(dice.between(200, 5_000).days());
        let mut old = blank(position, home, suffix, began);
        old.to = Some(to);
        old.sort = Sort::Former;
        old.slot = (home.slot == Some(Slot::FormerDebt)).then_some(Slot::FormerDebt);
        lettings.push(old);
        from = to.saturating_add(dice.between(7, 45).days());
        suffix = 2;
    }
    let mut letting = blank(position, home, suffix, from);
    letting.payer = match dice.below(20) {
        0..9 => Payer::Benefit,
        9..16 => Payer::DirectDebit,
        _ => Payer::Cash,
    };
    if home.kind == Kind::Leasehold {
        letting.sort = Sort::Lease;
        letting.payer = Payer::DirectDebit;
    }
    let household = letting.household;
    let slot = home.slot;
    if slot == Some(Slot::FormerDebt) {
        letting.slot = None;
    }
    lettings.push(letting);
    let mut more = blank(
        position,
        home,
        suffix + 1,
        handover.saturating_sub(200.days()),
    );
    more.slot = None;
    match slot {
        Some(Slot::Overlap) => lettings.push(more),
        Some(Slot::GhostTenancy) => {
            more.sort = Sort::NeverStarted;
            more.household = 0;
            more.first = false;
            lettings.push(more);
        }
        Some(Slot::Recharge) => {
            more.sort = Sort::Recharge;
            more.household = household;
            more.first = false;
            lettings.push(more);
        }
        _ => {}
    }
    household
}

/// Where a garage is let to somebody of another home on purpose, that home's position: the same
/// person twice in one district, or in two.
fn near_mess(position: usize, stock: &Stock) -> Option<usize> {
    let garage = &stock.homes[position];
    let before = stock.homes[..position]
        .iter()
        .rev()
        .take_while(|h| h.kind != Kind::Garage);
    let near = before
        .filter(|h| h.council == garage.council)
        .find_map(|home| match home.slot {
            Some(Slot::SamePersonTwice) => Some((garage.council, Slot::SamePersonTwice)),
            Some(Slot::DeletedMember) => {
                let councils = stock.estates.len();
                Some(((garage.council + 1) % councils, Slot::PersonInTwoDistricts))
            }
            _ => None,
        });
    let (council, slot) = near?;
    stock
        .homes
        .iter()
        .position(|h| h.council == council && h.slot == Some(slot))
}

fn plan_garage(
    position: usize,
    stock: &Stock,
    shared: Option<u32>,
    handover: Date,
    dice: &mut Dice,
    lettings: &mut Vec<Letting>,
) {
    let from = handover.saturating_sub(dice.between(100, 6_000).days());
    let mut letting = blank(position, &stock.homes[position], 1, from);
    letting.sort = Sort::Garage;
    if let Some(other) = near_mess(position, stock) {
        letting.identity = (u32::try_from(other).unwrap_or(0) + 1) * 10 + 1;
        letting.slot = stock.homes[other].slot;
    } else if let Some(household) = shared {
        letting.household = household;
        letting.first = false;
    }
    lettings.push(letting);
}
