//! Words that made-up people, streets and repairs are put together from. None is taken from a
//! register; numbers and addresses keep to ranges that belong to nobody (see `phone`, `email`).

use std::fmt::Write as _;

/// Forenames.
pub(super) const FORENAMES: [&str; 48] = [
    "Ada", "Alfie", "Amara", "Anjali", "Arthur", "Beatrix", "Bernard", "Carys", "Cedric", "Chidi",
    "Clara", "Dilys", "Dorothy", "Edwin", "Elsie", "Esme", "Fatima", "Felix", "Flora", "Gareth",
    "George", "Gwen", "Harriet", "Hugo", "Ines", "Iris", "Ivor", "Jasmin", "Joan", "Kofi", "Lena",
    "Leopold", "Mabel", "Marek", "Mildred", "Nadia", "Olive", "Oscar", "Percy", "Priya", "Reuben",
    "Rosa", "Sidney", "Tamsin", "Ursula", "Victor", "Wilfred", "Yusuf",
];
/// Surnames, invented.
pub(super) const SURNAMES: [&str; 48] = [
    "Abbotsley",
    "Applecroft",
    "Ashdowner",
    "Barleywright",
    "Beckinfold",
    "Birchallow",
    "Bramblewick",
    "Brightsea",
    "Calderbeck",
    "Chalkwell",
    "Cobblestock",
    "Copperidge",
    "Dapplewood",
    "Downsman",
    "Elmhurstle",
    "Fallowdene",
    "Fennimoor",
    "Finchbeck",
    "Gaddesthorpe",
    "Gorseley",
    "Greenhythe",
    "Hartsdown",
    "Hazelgarth",
    "Hopgarden",
    "Ivychurchill",
    "Juniperry",
    "Kestrelton",
    "Larkwell",
    "Limekiln",
    "Marshgate",
    "Merriweald",
    "Millrace",
    "Nettlefold",
    "Oastler",
    "Orchardine",
    "Pebblestone",
    "Penhollow",
    "Quillfeather",
    "Reculverson",
    "Ryebank",
    "Saltwood",
    "Sandgater",
    "Thornbeam",
    "Tidewell",
    "Underhythe",
    "Wantsum",
    "Whitecliffe",
    "Yarrowby",
];
/// Streets without their kind.
pub(super) const STREETS: [&str; 40] = [
    "Larkspur",
    "Whinchat",
    "Samphire",
    "Teasel",
    "Sandpiper",
    "Oast",
    "Hopfield",
    "Lighthouse",
    "Chalkpit",
    "Dolphin",
    "Fisherman's",
    "Kestrel",
    "Bramley",
    "Russet",
    "Cobnut",
    "Marram",
    "Skylark",
    "Turnstone",
    "Curlew",
    "Avocet",
    "Harebell",
    "Cowslip",
    "Pilot",
    "Lugger",
    "Mizzen",
    "Foreland",
    "Saltmarsh",
    "Windmill",
    "Beacon",
    "Coxswain",
    "Bluebell",
    "Medlar",
    "Quince",
    "Hoverfly",
    "Swallowtail",
    "Cinque",
    "Signal",
    "Ropewalk",
    "Tollgate",
    "Wharfinger's",
];
/// Kinds of street.
pub(super) const WAYS: [&str; 6] = ["Road", "Close", "Street", "Way", "Gardens", "Crescent"];
/// Blocks and estates.
pub(super) const HOUSES: [&str; 12] = [
    "Heron",
    "Guillemot",
    "Fulmar",
    "Plover",
    "Dunlin",
    "Petrel",
    "Shearwater",
    "Gannet",
    "Tern",
    "Oystercatcher",
    "Kittiwake",
    "Egret",
];
/// What is broken.
pub(super) const PROBLEMS: [&str; 16] = [
    "Kitchen tap drips all night",
    "No hot water since this morning",
    "Front door lock is stiff",
    "Gutter overflows at the back",
    "Window in the bedroom will not close",
    "Extractor fan makes a noise",
    "Damp patch above the skirting board",
    "Boiler shows a fault code",
    "Bath waste is blocked",
    "Light in the hall flickers",
    "Fence panel came down in the wind",
    "Toilet cistern keeps filling",
    "Radiator is cold at the bottom",
    "Smoke alarm chirps",
    "Loose tread on the stairs",
    "Door entry handset is dead",
];
/// Posts of staff, with grade and full-time annual pay in pounds.
pub(super) const POSTS: [(&str, &str, i64); 10] = [
    ("Neighbourhood manager", "G9", 36_922),
    ("Income officer", "G7", 28_672),
    ("Repairs surveyor", "G8", 32_234),
    ("Gas compliance officer", "G8", 32_910),
    ("Leasehold officer", "G7", 29_577),
    ("Tenancy sustainment officer", "G6", 26_511),
    ("Sheltered scheme manager", "G5", 22_911),
    ("Fire safety officer", "G9", 37_890),
    ("Customer services adviser", "G4", 20_493),
    ("Caretaker", "G3", 18_933),
];
/// What contracts are for.
pub(super) const SUPPLIES: [(&str, &str); 12] = [
    ("Brightsea Boilers Ltd", "Gas servicing and breakdown"),
    ("Cobblestock Construction Ltd", "Responsive repairs"),
    ("Copperidge Electrical Ltd", "Electrical testing"),
    ("Wantsum Lifts Ltd", "Lift maintenance"),
    ("Tidewell Water Hygiene Ltd", "Water hygiene"),
    ("Gorseley Grounds Ltd", "Grounds maintenance"),
    ("Chalkwell Cleaning Ltd", "Block cleaning"),
    ("Kestrelton Fire Ltd", "Fire risk assessments"),
    ("Saltwood Software Ltd", "Housing system support"),
    ("Millrace Mail Ltd", "Rent statements"),
    ("Hazelgarth Asbestos Ltd", "Asbestos surveys"),
    ("Pebblestone Roofing Ltd", "Roof renewals"),
];

/// A telephone number of the range that Ofcom keeps for drama.
pub(super) fn phone(into: &mut String, draw: u32) {
    let range = if draw.is_multiple_of(4) {
        "01632 960"
    } else {
        "07700 900"
    };
    let _ = write!(into, "{range}{:03}", draw / 4 % 1000);
}

/// An address under the domain that is kept for examples (RFC 2606).
pub(super) fn email(into: &mut String, forename: &str, surname: &str, number: u32) {
    for letter in forename.chars().chain(['.']).chain(surname.chars()) {
        if letter.is_ascii_alphanumeric() || letter == '.' {
            into.push(letter.to_ascii_lowercase());
        }
    }
    let _ = write!(into, "{number}@example.com");
}

/// A postcode: the district's own outward part, and an inward part (`9Z?`) that we invented.
pub(super) fn postcode(into: &mut String, outward: &str, draw: u32) {
    const LAST: &[u8] = b"ABDEFGHJLNPQRSTUWXYZ";
    into.push_str(outward);
    into.push_str(" 9Z");
    into.push(char::from(LAST[draw as usize % LAST.len()]));
}
