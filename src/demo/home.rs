//! Where the made-up databases stand: files in the plan folder, a private server that we start for as
//! long as we run, or servers that somebody has named in the environment.
//!
//! In: an engine, the plan. Out: addresses, and the rows of the generator's files poured into them.
//!
//! Not here: making rows (`generate`), what happens to them (`story`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::OpenFlags;

use super::generate::World;
use super::prints::{self, Prints};
use super::schema::{self, Engine};
use super::servers::{Durability, Kind, Server};
use super::story::StoryFault;
use crate::orgdb::link::{Begin, Load};
use crate::orgdb::{Address, DbTrouble, Dialect, Ident, Link, OrgReader, OrgWriter, Sql, Value};
use crate::plan::model::{Code, Plan};
use crate::run::connect::Addresses;
use crate::sql;
use crate::values;

/// Where the databases of a story stand.
pub(super) enum Home {
    /// `data/<code>.db` in the plan folder.
    Files,
    /// A server of ours.
    Server(Box<Server>),
    /// Servers of others.
    Given(Addresses),
}

impl Home {
    /// Finds it, or starts it.
    pub(super) fn open(engine: Engine, folder: &Path, plan: &Plan) -> Result<Home, StoryFault> {
        let kind = match engine {
            Engine::Sqlite => return Ok(Home::Files),
            Engine::Postgres => Kind::Postgres,
            Engine::Mariadb => Kind::Mariadb,
        };
        if let Some(given) = given(plan)? {
            return Ok(Home::Given(given));
        }
        let server = Server::start(kind, Durability::Full, &folder.join("server"))?;
        Ok(Home::Server(Box::new(server)))
    }

    /// Where each organisation's database is.
    pub(super) fn addresses(&self, plan: &Plan, data: &Path) -> Result<Addresses, StoryFault> {
        let with = plan
            .orgs
            .iter()
            .filter(|(_, org)| org.database.is_some())
            .map(|(code, _)| code);
        match self {
            Home::Given(given) => Ok(given.clone()),
            Home::Files => Ok(with
                .map(|code| {
                    (
                        code.clone(),
                        Address::Sqlite(data.join(format!("{code}.db"))),
                    )
                })
                .collect()),
            Home::Server(server) => with
                .map(|code| Ok((code.clone(), address(&server.url(&named(code)))?)))
                .collect(),
        }
    }

    /// What stands in the plan folder's `.env` for a database; nothing for servers of others, which are
    /// named in the environment already.
    pub(super) fn told(&self, code: &Code) -> Option<String> {
        match self {
            Home::Files => Some(format!("sqlite:data/{code}.db")),
            Home::Server(server) => Some(server.url(&named(code))),
            Home::Given(_) => None,
        }
    }

    /// A line about it for people.
    pub(super) fn line(&self) -> Option<String> {
        match self {
            Home::Files => None,
            Home::Server(server) => Some(format!(
                "The databases stand on a private {} that this demo started, and that ends with it.",
                server.version()
            )),
            Home::Given(_) => {
                Some("The databases stand on the servers that the environment names.".to_owned())
            }
        }
    }

    /// Pours the generator's files in `made` into the databases, each in one go; one that has its rows
    /// already stays as it is.
    pub(super) async fn pour(
        &self,
        plan: &Plan,
        made: &Path,
        world: World,
    ) -> Result<(), StoryFault> {
        if let Home::Files = self {
            return Ok(());
        }
        for (code, address) in self.addresses(plan, made)? {
            if let Home::Server(server) = self {
                server.create_database(&named(&code))?;
            }
            let engine = match address.dialect() {
                Dialect::Sqlite => Engine::Sqlite,
                Dialect::Postgres => Engine::Postgres,
                Dialect::Mariadb => Engine::Mariadb,
            };
            let is_source = world.sources().iter().any(|org| org.code == &*code);
            let ddl = if is_source {
                schema::legacy_ddl_for(engine)
            } else {
                schema::target_ddl(engine)
            };
            let file = made.join(format!("{code}.db"));
            let writer = OrgWriter::open(&code, &address).await?;
            let ours = matches!(self, Home::Server(_));
            writer
                .with(move |link| pour(link, &file, ddl, ours))
                .await?;
        }
        Ok(())
    }

    /// A fingerprint of every database.
    pub(super) async fn prints(&self, plan: &Plan, data: &Path) -> Result<Prints, StoryFault> {
        let addresses = self.addresses(plan, data)?;
        if let Home::Files = self {
            let files: BTreeMap<String, PathBuf> = addresses
                .keys()
                .map(|code| (code.to_string(), data.join(format!("{code}.db"))))
                .collect();
            return Ok(prints::take(&files)?);
        }
        let takes = addresses.iter().map(|(code, address)| async move {
            let reader = OrgReader::open(code, address).await?;
            let print = reader.with(prints::of_a_server).await?;
            Ok::<_, StoryFault>((code.to_string(), print))
        });
        let prints = futures_util::future::try_join_all(takes).await?;
        Ok(prints.into_iter().collect())
    }

    /// Gives `rows` present tenancies of homes with `owner_code` the tenure `DEMO`; how many it were.
    pub(super) async fn add_unmapped_tenure(
        &self,
        source: (&Code, &Address),
        rows: u64,
        owner_code: &str,
    ) -> Result<u64, StoryFault> {
        let writer = OrgWriter::open(source.0, source.1).await?;
        let owner = owner_code.to_owned();
        let changed = writer.with(move |link| {
            let text = Sql::new(
                "UPDATE tenagree SET tenure = 'DEMO' WHERE tag_ref IN (
                   SELECT tag_ref FROM (SELECT tag_ref FROM tenagree
                   WHERE prop_ref IN (SELECT prop_ref FROM property WHERE owner_conf = ?1)
                     AND present = ?2 AND agr_type = 'R' AND tenure = 'SEC' AND cot <> '00/00/0000'
                   ORDER BY tag_ref LIMIT ?3) AS chosen)",
            );
            link.execute(&text, &values![owner, 1_i64, rows])
        });
        Ok(changed.await?)
    }

    /// Some people have a new telephone number (out of the range that is kept for stories); how many.
    pub(super) async fn change_telephones(
        &self,
        source: (&Code, &Address),
        rows: u64,
    ) -> Result<u64, StoryFault> {
        let writer = OrgWriter::open(source.0, source.1).await?;
        let changed = writer.with(move |link| {
            let text = Sql::new(
                "UPDATE contacts SET con_phone1 = '01632 960999' WHERE con_key IN (
                   SELECT con_key FROM (SELECT con_key FROM contacts
                   WHERE con_phone1 LIKE '0%' ORDER BY con_key LIMIT ?1) AS chosen)",
            );
            link.execute(&text, &values![rows])
        });
        Ok(changed.await?)
    }
}

fn address(url: &str) -> Result<Address, StoryFault> {
    Address::parse(url, Path::new("."))
        .map_err(|fault| StoryFault::Lost(format!("the server's own address: {fault}")))
}

/// The databases' names on a server of ours.
fn named(code: &Code) -> String {
    code.replace('-', "_")
}

/// The servers that the environment names, where it names one for every database of the plan.
fn given(plan: &Plan) -> Result<Option<Addresses>, StoryFault> {
    let mut found = Addresses::new();
    for (code, org) in &plan.orgs {
        let Some(variable) = &org.database else {
            continue;
        };
        let Ok(url) = std::env::var(variable) else {
            return Ok(None);
        };
        let parsed = Address::parse(&url, Path::new("."));
        let parsed = parsed.map_err(|fault| StoryFault::Address(variable.clone(), fault))?;
        found.insert(code.clone(), parsed);
    }
    Ok((!found.is_empty()).then_some(found))
}

/// Shape and rows of a file. On an engine whose DDL is transactional all of it comes at once; the
/// table that marks a database as made up is filled last.
fn pour(link: &Link, file: &Path, ddl: String, ours: bool) -> Result<(), DbTrouble> {
    if poured(link)? {
        return Ok(());
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let file = rusqlite::Connection::open_with_flags(file, flags)?;
    // MariaDB's DDL commits by itself: what an earlier try left there goes first.
    if link.dialect() == Dialect::Mariadb {
        if ours {
            clear(link)?;
        }
        link.script(&Sql::definition(ddl))?;
        link.begin(Begin::Write)?;
    } else {
        link.begin(Begin::Write)?;
        link.script(&Sql::definition(ddl))?;
    }
    let mut tables = file.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
         ORDER BY name = 'handover_made_up', rowid",
    )?;
    let tables: Vec<String> = tables
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for table in &tables {
        rows_of(&file, link, table)?;
    }
    link.commit()
}

/// Takes every table away, of a database of our own server.
fn clear(link: &Link) -> Result<(), DbTrouble> {
    link.script(&Sql::new("SET foreign_key_checks = 0"))?;
    for table in link.catalogue()?.tables.keys() {
        link.script(&sql!("DROP TABLE {}", Ident::new(table)))?;
    }
    link.script(&Sql::new("DROP TABLE IF EXISTS handover_made_up"))?;
    link.script(&Sql::new("SET foreign_key_checks = 1"))
}

fn poured(link: &Link) -> Result<bool, DbTrouble> {
    if link.table("handover_made_up")?.is_none() {
        return Ok(false);
    }
    let rows = link.row(&Sql::new("SELECT count(*) FROM handover_made_up"), &[])?;
    Ok(rows.is_some_and(|row| row[0].count() > 0))
}

/// Rows that go to a server at a time.
const AT_ONCE: usize = 20_000;

fn rows_of(file: &rusqlite::Connection, link: &Link, table: &str) -> Result<(), DbTrouble> {
    let name = Ident::new(table);
    let mut query = file.prepare(sql!("SELECT * FROM {}", name).as_str())?;
    let columns: Vec<String> = query
        .column_names()
        .iter()
        .map(|name| (*name).to_owned())
        .collect();
    let load = Load {
        table: sql!("{}", name),
        columns: &columns,
    };
    let mut rows = query.query([])?;
    let mut some: Vec<Vec<Value>> = Vec::new();
    loop {
        let row = rows.next()?;
        let last = row.is_none();
        if let Some(row) = row {
            some.push(
                (0..columns.len())
                    .map(|at| Ok(Value::of(row.get_ref(at)?)))
                    .collect::<Result<_, DbTrouble>>()?,
            );
        }
        if some.len() >= AT_ONCE || last {
            let lent = some.iter().map(|row| row.iter().map(Value::lend));
            link.load(&load, lent).map_err(|stop| stop.trouble)?;
            some.clear();
        }
        if last {
            return Ok(());
        }
    }
}
