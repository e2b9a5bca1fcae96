//! A small transfer of one's own, played by the real binary: two councils get their parts of one old
//! database, by rules. Where the databases are is said in the environment, as a council would.
//!
//! Not here: what is tested (`ruled`, `trust`).

use std::path::Path;

use tempfile::TempDir;

use crate::export::stage::{ended, handover};

const PLAN: &str = r#"
[plan]
format = 1
title = "A small split by rules"
handover = 2027-04-01T00:00:00
author = "p01"
source = ["almo"]
target = ["dover", "thanet"]
signed-by = ["housing"]

[phase]
"Move" = ["copy", "check", "parts"]

[org]
almo = { name = "A Homes", kind = "almo", database = "env:ALMO_DB" }
dover = { name = "Dover", kind = "council", database = "env:DOVER_DB", gss = "E07000108" }
thanet = { name = "Thanet", kind = "council", database = "env:THANET_DB", gss = "E07000114" }

[role]
housing = { title = "Head of housing", each = "target" }

[step.copy]
title = "Copy homes"
does = "data-copy"
each = "target"
map = "maps/homes.toml"
split = "property"
tables = ["property", "tenancy"]

[step.check]
title = "Nothing is lost"
does = "verify"
each = "target"
checks = ["row counts", "keyed digests", "every property lands once"]
after = ["copy"]

[step.parts]
title = "The parts are the whole"
does = "verify"
checks = ["parts add up"]
after = ["check"]
"#;

const PEOPLE: &str = r#"
[p01]
name = "Ada Author"
org = "almo"
roles = []
[p02]
name = "Dora Head"
org = "dover"
roles = ["housing"]
[p03]
name = "Theo Head"
org = "thanet"
roles = ["housing"]
"#;

/// The map, up to whatever says whose every other home is.
const MAP: &str = r#"format = 1

[[split.property]]
owner = "dover"
where = [{ column = "prop_ref", from = "10000", to = "19999" }, { column = "sold", blank = true }]

[[split.property]]
owner = "thanet"
where = [{ column = "post_code", postcode = ["CT9", "CT10"] }]
{rest}
[relation]
"tenancy.prop_ref" = "property.prop_ref"

[table.property]
from = "property"
key = ["prop_ref"]
id = "property_id"
[table.property.column]
ref = "prop_ref"
source_ref = { fill = "source-key" }
run = { fill = "run" }

[table.tenancy]
from = "tenancy"
key = ["id"]
id = "tenancy_id"
[table.tenancy.column]
ref = "id"
property_id = { from = "prop_ref", lookup = "property", required = true }
balance = { from = "balance", as = "money" }
run = { fill = "run" }
"#;

/// The old database, for [`Base::make`](super::bases::Base::make): two rules take `10002`.
pub(super) const SOURCE: &str = "
CREATE TABLE property (prop_ref {text}, post_code {text}, sold {text});
CREATE TABLE tenancy (id {number} NOT NULL PRIMARY KEY, prop_ref {text}, balance {money});
INSERT INTO property VALUES ('10001', 'CT16 1AA', NULL), ('10002', 'CT9 1AA', NULL), ('D3', 'ct10 2aa', NULL), ('D4', 'CT1 1AA', 'Y');
INSERT INTO tenancy VALUES (1, '10001', '1.00'), (2, '10002', '2.00'), (3, 'D3', '4.00'), (4, 'D4', '8.00');
";

/// A council's database.
pub(super) const TARGET: &str = "
CREATE TABLE property (property_id {text} NOT NULL PRIMARY KEY, ref {text}, source_ref {text}, run {text});
CREATE TABLE tenancy (tenancy_id {text} NOT NULL PRIMARY KEY, ref {text}, property_id {text} REFERENCES property (property_id),
  balance {money}, run {text});
CREATE INDEX tenancy_property ON tenancy (property_id);
";

/// The plan folder, and where the databases are.
pub(super) struct Small {
    folder: TempDir,
    environment: Vec<(&'static str, String)>,
}

impl Small {
    /// A folder that says nothing yet of whose every other home is.
    pub(super) fn new(environment: Vec<(&'static str, String)>) -> Small {
        let folder = TempDir::new().unwrap();
        let small = Small {
            folder,
            environment,
        };
        small.write("plan.toml", PLAN);
        small.write("people.toml", PEOPLE);
        small.map("");
        small
    }

    /// Writes the map anew, with this behind its rules.
    pub(super) fn map(&self, rest: &str) {
        self.write("maps/homes.toml", &MAP.replace("{rest}", rest));
    }

    /// Changes something in a paper.
    pub(super) fn edit(&self, paper: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.path().join(paper)).unwrap();
        assert!(text.contains(from), "{from}");
        self.write(paper, &text.replace(from, to));
    }

    fn write(&self, paper: &str, text: &str) {
        let path = self.path().join(paper);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Says where a database is from here on.
    pub(super) fn set(&mut self, variable: &'static str, value: String) {
        self.environment.retain(|(name, _)| *name != variable);
        self.environment.push((variable, value));
    }

    /// Runs a command of the binary in the folder: its exit code and both streams.
    pub(super) fn tell(&self, command: &str) -> (i32, String) {
        let words: Vec<&str> = command.split(' ').collect();
        let places = self.environment.iter().map(|(name, value)| (name, value));
        ended(handover(self.path(), &words).envs(places))
    }

    /// The same, which must end so.
    #[track_caller]
    pub(super) fn ends(&self, command: &str, code: i32) -> String {
        let (ended, said) = self.tell(command);
        assert_eq!(ended, code, "{command}: {said}");
        said
    }

    /// Previewed, signed by both councils, and run to its end.
    #[track_caller]
    pub(super) fn runs(&self) -> String {
        let mut said = self.ends("preview . --out ours.preview", 0);
        for council in ["dover", "thanet"] {
            let yes = format!("approve ours.preview --as housing@{council} --reason read");
            said += &self.ends(&yes, 0);
        }
        said + &self.ends("run . --signed ours.preview", 0)
    }
}
