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
    /// Its part of the homes, in thousandths.
    pub share: u32,
    /// Town and outward postcode of its homes.
    pub towns: &'static [(&'static str, &'static str)],
}

const EKH: Org = Org {
    code: "ekh",
    owner: "EKH",
    name: "East Kent Housing",
    kind: "almo",
    gss: None,
    share: 0,
    towns: &[],
};
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
const CITYWEST: Org = Org {
    code: "citywest",
    owner: "CWH",
    name: "CityWest Homes",
    kind: "almo",
    gss: None,
    share: 0,
    towns: &[],
};
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
const NORTHAMPTON: Org = Org {
    code: "northampton",
    owner: "NBC",
    name: "Northampton Borough Council",
    kind: "council",
    gss: Some("E07000154"),
    share: 0,
    towns: &[],
};
const NPH: [Org; 1] = [Org {
    code: "nph",
    owner: "NPH",
    name: "Northampton Partnership Homes",
    kind: "almo",
    gss: None,
    share: 1000,
    towns: NORTHAMPTON_TOWNS,
}];

impl World {
    /// The plan's name.
    #[must_use]
    pub fn plan(self) -> &'static str {
        match self {
            World::EastKent2020 => "east-kent-2020",
            World::Westminster2019 => "westminster-2019",
            World::Northampton2015 => "northampton-2015",
        }
    }

    /// Whose legacy database it is.
    #[must_use]
    pub fn source(self) -> Org {
        match self {
            World::EastKent2020 => EKH,
            World::Westminster2019 => CITYWEST,
            World::Northampton2015 => NORTHAMPTON,
        }
    }

    /// Who takes over.
    #[must_use]
    pub fn targets(self) -> &'static [Org] {
        match self {
            World::EastKent2020 => &EAST_KENT,
            World::Westminster2019 => &WESTMINSTER,
            World::Northampton2015 => &NPH,
        }
    }

    /// Who owns a target's homes: the council itself, or the council that the ALMO works for.
    #[must_use]
    pub fn landlord(self, target: &Org) -> Org {
        if target.kind == "council" {
            *target
        } else {
            self.source()
        }
    }

    /// Whether the source is shared out among several by `property.owner_conf`.
    #[must_use]
    pub fn split(self) -> bool {
        self.targets().len() > 1
    }

    /// The day of the handover: year, month, day.
    #[must_use]
    pub fn handover(self) -> jiff::civil::Date {
        match self {
            World::EastKent2020 => jiff::civil::date(2020, 10, 1),
            World::Westminster2019 => jiff::civil::date(2019, 4, 1),
            World::Northampton2015 => jiff::civil::date(2015, 1, 5),
        }
    }
}
