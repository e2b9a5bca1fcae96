//! The worlds that can be made: whose homes, which organisations.
//!
//! Not here: rows (`source`, `target`).

/// A real transfer whose organisations are made up again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum World {
    /// One ALMO to four councils, split by owner.
    #[serde(rename = "east-kent-2020")]
    EastKent2020,
    /// One ALMO to its council.
    #[serde(rename = "westminster-2019")]
    Westminster2019,
    /// A council to its new ALMO.
    #[serde(rename = "northampton-2015")]
    Northampton2015,
    /// Four councils to one ALMO, merged.
    #[serde(rename = "east-kent-2011")]
    EastKent2011,
}

/// One organisation of a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Org {
    /// Its code in the plan, and its database file's name.
    pub code: &'static str,
    /// Its code in the split column.
    pub owner: &'static str,
    /// Its name.
    pub name: &'static str,
    /// `council` or `almo`.
    pub kind: &'static str,
    /// The government's code for the area.
    pub gss: Option<&'static str>,
    /// Its part of the world's homes, in thousandths.
    pub share: u32,
    /// Town and outward postcode of its homes.
    pub towns: &'static [(&'static str, &'static str)],
}

const EKH: [Org; 1] = [Org {
    code: "ekh",
    owner: "EKH",
    name: "East Kent Housing",
    kind: "almo",
    gss: None,
    share: 0,
    towns: &[("Canterbury", "CT1"), ("Dover", "CT16")],
}];
const EAST_KENT: [Org; 4] = [
    Org {
        code: "canterbury",
        owner: "CAN",
        name: "Canterbury City Council",
        kind: "council",
        gss: Some("E07000106"),
        share: 308,
        towns: &[
            ("Canterbury", "CT1"),
            ("Herne Bay", "CT6"),
            ("Whitstable", "CT5"),
        ],
    },
    Org {
        code: "dover",
        owner: "DOV",
        name: "Dover District Council",
        kind: "council",
        gss: Some("E07000108"),
        share: 262,
        towns: &[("Dover", "CT16"), ("Deal", "CT14"), ("Sandwich", "CT13")],
    },
    Org {
        code: "folkestone-hythe",
        owner: "FHD",
        name: "Folkestone & Hythe District Council",
        kind: "council",
        gss: Some("E07000112"),
        share: 210,
        towns: &[
            ("Folkestone", "CT20"),
            ("Hythe", "CT21"),
            ("New Romney", "TN28"),
        ],
    },
    Org {
        code: "thanet",
        owner: "THA",
        name: "Thanet District Council",
        kind: "council",
        gss: Some("E07000114"),
        share: 220,
        towns: &[
            ("Margate", "CT9"),
            ("Ramsgate", "CT11"),
            ("Broadstairs", "CT10"),
        ],
    },
];
const CITYWEST: [Org; 1] = [Org {
    code: "citywest",
    owner: "CWH",
    name: "CityWest Homes",
    kind: "almo",
    gss: None,
    share: 0,
    towns: &[],
}];
const WESTMINSTER: [Org; 1] = [Org {
    code: "westminster",
    owner: "WCC",
    name: "Westminster City Council",
    kind: "council",
    gss: Some("E09000033"),
    share: 1000,
    towns: &[("London", "SW1V"), ("London", "W9"), ("London", "NW8")],
}];
const NORTHAMPTON_TOWNS: &[(&str, &str)] = &[
    ("Northampton", "NN1"),
    ("Northampton", "NN3"),
    ("Northampton", "NN5"),
];
const NORTHAMPTON: [Org; 1] = [Org {
    code: "northampton",
    owner: "NBC",
    name: "Northampton Borough Council",
    kind: "council",
    gss: Some("E07000154"),
    share: 0,
    towns: &[],
}];
const NPH: [Org; 1] = [Org {
    code: "nph",
    owner: "NPH",
    name: "Northampton Partnership Homes",
    kind: "almo",
    gss: None,
    share: 1000,
    towns: NORTHAMPTON_TOWNS,
}];

/// Who owns a target's homes: the council itself, or the council that the ALMO works for.
pub(super) fn landlord<'o>(target: &'o Org, source: &'o Org) -> &'o Org {
    if target.kind == "council" {
        target
    } else {
        source
    }
}

impl World {
    /// The plan's name.
    #[must_use]
    pub fn plan(self) -> &'static str {
        match self {
            World::EastKent2020 => "east-kent-2020",
            World::Westminster2019 => "westminster-2019",
            World::Northampton2015 => "northampton-2015",
            World::EastKent2011 => "east-kent-2011",
        }
    }

    /// Whose legacy databases there are.
    #[must_use]
    pub fn sources(self) -> &'static [Org] {
        match self {
            World::EastKent2020 => &EKH,
            World::Westminster2019 => &CITYWEST,
            World::Northampton2015 => &NORTHAMPTON,
            World::EastKent2011 => &EAST_KENT,
        }
    }

    /// Who takes over.
    #[must_use]
    pub fn targets(self) -> &'static [Org] {
        match self {
            World::EastKent2020 => &EAST_KENT,
            World::Westminster2019 => &WESTMINSTER,
            World::Northampton2015 => &NPH,
            World::EastKent2011 => &EKH,
        }
    }

    /// What stands in `property.owner_conf` of homes that a target takes over from a source: the code of
    /// whoever takes over where that is a choice, of the owner otherwise.
    #[must_use]
    pub fn mark(self, source: &str, target: &str) -> Option<&'static str> {
        let named = |orgs: &'static [Org], code: &str| orgs.iter().find(|org| org.code == code);
        let (source, target) = (
            named(self.sources(), source)?,
            named(self.targets(), target)?,
        );
        Some(if self.split() {
            target.owner
        } else {
            landlord(target, source).owner
        })
    }

    /// Who takes over from one of the sources, with their shares of its homes: where sources merge, all
    /// of them, in the source's own towns.
    #[must_use]
    pub(super) fn takers(self, source: &Org) -> Vec<Org> {
        let from = |target: &Org| {
            if self.merges() {
                let (share, towns) = (1000, source.towns);
                return Org {
                    share,
                    towns,
                    ..*target
                };
            }
            *target
        };
        self.targets().iter().map(from).collect()
    }

    /// Whether several sources go into one target.
    #[must_use]
    pub fn merges(self) -> bool {
        self.sources().len() > 1
    }

    /// Whether `property.owner_conf` says who takes a home over.
    #[must_use]
    pub fn split(self) -> bool {
        self.targets().len() > 1 || self.merges()
    }

    /// The day of the handover: year, month, day.
    #[must_use]
    pub fn handover(self) -> jiff::civil::Date {
        match self {
            World::EastKent2020 => jiff::civil::date(2020, 10, 1),
            World::Westminster2019 => jiff::civil::date(2019, 4, 1),
            World::Northampton2015 => jiff::civil::date(2015, 1, 5),
            World::EastKent2011 => jiff::civil::date(2011, 4, 1),
        }
    }
}
