//! `handover new`: a plan folder to begin with, made from a shipped plan, its names replaced and its
//! absolute dates turned into relative ones. It passes `check` untouched.
//!
//! In: a name, which way the service goes, the day of handover. Out: files, by path in the folder.
//! Not here: writing them (`cli`), the current day (the caller's).

use jiff::civil::Date;

/// Which way the service goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// One ALMO to the several councils that own it.
    AlmoToCouncils,
    /// One ALMO to its one council.
    AlmoToCouncil,
    /// One council to a new ALMO.
    CouncilToAlmo,
}

impl From {
    /// The words that `--from` takes.
    pub const NAMES: [&'static str; 3] = ["almo-to-councils", "almo-to-council", "council-to-almo"];

    /// The way of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<From> {
        match name {
            "almo-to-councils" => Some(From::AlmoToCouncils),
            "almo-to-council" => Some(From::AlmoToCouncil),
            "council-to-almo" => Some(From::CouncilToAlmo),
            _ => None,
        }
    }
}

/// The files of a shipped plan that a new one begins with.
macro_rules! shipped {
    ($folder:literal) => {
        &[
            (
                "plan.toml",
                include_str!(concat!("../../plans/", $folder, "/plan.toml")),
            ),
            (
                "people.toml",
                include_str!(concat!("../../plans/", $folder, "/people.toml")),
            ),
            (
                ".env.example",
                include_str!(concat!("../../plans/", $folder, "/.env.example")),
            ),
            (
                "letters/change.md",
                include_str!(concat!("../../plans/", $folder, "/letters/change.md")),
            ),
            (
                "letters/correction.md",
                include_str!(concat!("../../plans/", $folder, "/letters/correction.md")),
            ),
            (
                "maps/homes.toml",
                include_str!(concat!("../../plans/", $folder, "/maps/homes.toml")),
            ),
            (
                "maps/staff.toml",
                include_str!(concat!("../../plans/", $folder, "/maps/staff.toml")),
            ),
            (
                "maps/contracts.toml",
                include_str!(concat!("../../plans/", $folder, "/maps/contracts.toml")),
            ),
            (
                "maps/recipients.toml",
                include_str!(concat!("../../plans/", $folder, "/maps/recipients.toml")),
            ),
        ]
    };
}

const EAST_KENT: &[(&str, &str)] = shipped!("east-kent-2020");
const WESTMINSTER: &[(&str, &str)] = shipped!("westminster-2019");
const NORTHAMPTON: &[(&str, &str)] = shipped!("northampton-2015");

/// What stands for the real names of the shipped plans; longer ones first.
const EAST_KENT_NAMES: &[(&str, &str)] = &[
    (
        "Folkestone & Hythe District Council",
        "Third District Council",
    ),
    ("Shepway District Council", "Third Town Council"),
    ("Canterbury City Council", "First City Council"),
    ("Dover District Council", "Second District Council"),
    ("Thanet District Council", "Fourth District Council"),
    ("East Kent Housing", "Your Homes"),
    ("folkestone-hythe", "third"),
    ("canterbury", "first"),
    ("CANTERBURY_DB", "FIRST_DB"),
    ("DOVER_DB", "SECOND_DB"),
    ("FHDC_DB", "THIRD_DB"),
    ("THANET_DB", "FOURTH_DB"),
    ("EKH_DB", "ALMO_DB"),
    ("thanet", "fourth"),
    ("dover.db", "second.db"),
    ("\"dover\"", "\"second\""),
    ("\ndover =", "\nsecond ="),
    ("\"ekh\"", "\"almo\""),
    ("\nekh =", "\nalmo ="),
    ("ekh.db", "almo.db"),
    (
        "   # the end of February: Thanet decided on the 17th, effective after call-in",
        "",
    ),
];
const WESTMINSTER_NAMES: &[(&str, &str)] = &[
    ("Westminster City Council", "Your Council"),
    ("CityWest Homes", "Your Homes"),
    ("WESTMINSTER_DB", "COUNCIL_DB"),
    ("CITYWEST_DB", "ALMO_DB"),
    ("westminster", "council"),
    ("citywest", "almo"),
    ("Westminster", "Your Council"),
    ("CityWest", "Your Homes"),
    (" of 15 October 2018", ""),
];
const NORTHAMPTON_NAMES: &[(&str, &str)] = &[
    ("Northampton Borough Council", "Your Council"),
    ("Northampton Partnership Homes", "Your Homes"),
    ("NORTHAMPTON_DB", "COUNCIL_DB"),
    ("NPH_DB", "ALMO_DB"),
    ("northampton", "council"),
    ("\"nph\"", "\"almo\""),
    ("\nnph =", "\nalmo ="),
    ("nph.db", "almo.db"),
    ("Northampton", "Your Council"),
    (" of 4 December 2013", ""),
    (" of 9 December 2013", ""),
    (" of 13 November 2014", ""),
];

/// The files of a new plan folder called `name`, for a handover on `handover`; by path, in its order.
#[must_use]
pub fn new_plan(name: &str, from: From, handover: Date) -> Vec<(String, Vec<u8>)> {
    let (files, names) = match from {
        From::AlmoToCouncils => (EAST_KENT, EAST_KENT_NAMES),
        From::AlmoToCouncil => (WESTMINSTER, WESTMINSTER_NAMES),
        From::CouncilToAlmo => (NORTHAMPTON, NORTHAMPTON_NAMES),
    };
    let mut plan: Vec<(String, Vec<u8>)> = files
        .iter()
        .map(|(path, text)| {
            let text = named(text, names);
            let text = if *path == "plan.toml" {
                dated(&text, handover)
            } else {
                text
            };
            ((*path).to_owned(), text.into_bytes())
        })
        .collect();
    plan.push(("README.md".to_owned(), readme(name).into_bytes()));
    let schema = format!("{:#}\n", super::schema());
    plan.push(("handover.schema.json".to_owned(), schema.into_bytes()));
    plan.sort();
    plan
}

fn named(text: &str, names: &[(&str, &str)]) -> String {
    let mut text = text.to_owned();
    for (real, plain) in names {
        text = text.replace(real, plain);
    }
    text
}

/// Sets the handover, drops facts of the real transfer (days that are past, counts, area codes).
fn dated(text: &str, handover: Date) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut line = line.to_owned();
        if line.starts_with("handover = ") {
            line = format!(
                "handover = {handover}T00:00:00   # move this one line and every relative date moves with it"
            );
        }
        let past = line.starts_with("due = ") && !line.contains("handover");
        if past
            || line.starts_with("homes = ")
            || line.starts_with("gss = ")
            || line.starts_with("aliases = ")
        {
            continue;
        }
        if let Some(at) = line.find(", gss = ") {
            line.truncate(at);
            line.push_str(" }");
        }
        lines.push(line);
    }
    lines.join("\n") + "\n"
}

fn readme(name: &str) -> String {
    format!(
        "# {name}\n\nA plan of Handover. It passes `handover check {name} --offline` as it is; make it yours:\n\n\
         1. `plan.toml`: the handover, the organisations and their databases (`.env.example` shows how), the steps.\n\
         2. `people.toml`: who holds which role, from when to when. Names stay in this file.\n\
         3. `maps/`: field by field, how the old system's columns become the new one's. `handover check {name}` lists what is open.\n\
         4. `letters/`: what tenants and leaseholders are told, and the correction if it does not happen.\n"
    )
}
