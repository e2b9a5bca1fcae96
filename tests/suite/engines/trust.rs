//! Servers at a port, with certificates by an authority of our own: what an address asks for is what is
//! done, and whoever cannot be trusted is told so before a password leaves.
//!
//! Not here: what servers do on sockets (everything else in this folder).

use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

use handover::demo::servers::{Durability, Kind, Server, binaries};
use handover::orgdb::{Address, DbTrouble, OrgReader, Sql};
use tempfile::TempDir;

use super::bases::{Base, Engine, in_tongue};
use super::small::{SOURCE, Small, TARGET};

/// Whatever is printed or kept, this is not.
const PASSWORD: &str = "correct-horse-4711";

const AUTHORITIES: &str = "set -e
key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
openssl req -x509 $key -keyout ca.key -out ca.pem -subj /CN=Council -days 30
openssl req -x509 $key -keyout other.key -out other.pem -subj /CN=Somebody -days 30
openssl req $key -keyout server.key -out server.csr -subj /CN=db.example
printf 'subjectAltName=IP:127.0.0.1,DNS:db.example\\nbasicConstraints=CA:FALSE\\n' > server.ext
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 30 -extfile server.ext";

/// A server at a port of 127.0.0.1, without TLS until it is given some.
struct Guarded {
    server: Server,
    port: u16,
    folder: TempDir,
}

impl Guarded {
    fn start(kind: Kind) -> Guarded {
        let folder = TempDir::new().unwrap();
        let made = Command::new("sh")
            .args(["-c", AUTHORITIES])
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let hba = "local all all trust\nhost all clerk 127.0.0.1/32 scram-sha-256\n";
        std::fs::write(folder.path().join("hba"), hba).unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let settings = settings(kind, port, folder.path(), false);
        let server = Server::throw_away_with(kind, Durability::Process, &settings).unwrap();
        let guarded = Guarded {
            server,
            port,
            folder,
        };
        guarded.set_up(kind);
        guarded
    }

    /// A council's database, and an account with a password.
    fn set_up(&self, kind: Kind) {
        let clerk = match kind {
            Kind::Postgres => format!("CREATE ROLE clerk LOGIN PASSWORD '{PASSWORD}'"),
            Kind::Mariadb => format!("CREATE USER clerk@'%' IDENTIFIED BY '{PASSWORD}'"),
        };
        self.ask(kind.word(), &clerk);
        match kind {
            Kind::Postgres => {
                self.ask("postgres", "CREATE DATABASE homes OWNER clerk");
                let tables = in_tongue(Engine::Postgres, TARGET);
                self.ask("homes", &format!("SET ROLE clerk; {tables}"));
            }
            Kind::Mariadb => {
                self.ask(
                    "mariadb",
                    "CREATE DATABASE homes; GRANT ALL ON homes.* TO clerk@'%'",
                );
                self.ask("homes", &in_tongue(Engine::Mariadb, TARGET));
            }
        }
    }

    /// Asks as those who keep the server do: on its socket.
    fn ask(&self, database: &str, sql: &str) {
        if self.server.kind() == Kind::Mariadb {
            let database = if database == "mariadb" { "" } else { database };
            self.server.ask(database, sql).unwrap();
            return;
        }
        let port = self.port.to_string();
        let asked = Command::new(binaries(Kind::Postgres).unwrap().client)
            .args([
                "-XqtA",
                "-v",
                "ON_ERROR_STOP=1",
                "-U",
                "postgres",
                "-p",
                &port,
            ])
            .arg("-h")
            .arg(self.server.socket_folder())
            .args(["-d", database, "-c", sql])
            .output()
            .unwrap();
        assert!(asked.status.success(), "{asked:?}");
    }

    /// The same server on the same data, with a certificate from here on.
    fn gets_a_certificate(&mut self) {
        let owner = std::fs::metadata(self.server.socket_folder()).unwrap();
        let key = self.folder.path().join("server.key");
        std::fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).unwrap();
        chown(&key, Some(owner.uid()), Some(owner.gid())).unwrap();
        let settings = settings(self.server.kind(), self.port, self.folder.path(), true);
        self.server.set(&settings);
        self.server.start_again().unwrap();
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Its database's URL, over the network.
    fn url(&self, host: &str, options: &str) -> String {
        let scheme = match self.server.kind() {
            Kind::Postgres => "postgres",
            Kind::Mariadb => "mysql",
        };
        let Guarded { port, .. } = self;
        format!("{scheme}://clerk:{PASSWORD}@{host}:{port}/homes?{options}")
    }

    /// Whether the way there is encrypted, or why nobody goes it.
    async fn opens(&self, host: &str, options: &str) -> Result<bool, DbTrouble> {
        let address = Address::parse(&self.url(host, options), Path::new(".")).unwrap();
        let reader = OrgReader::open("dover", &address).await;
        let reader = reader.map_err(|fault| {
            assert!(!fault.to_string().contains(PASSWORD), "{fault}");
            fault.trouble
        })?;
        let asked = match self.server.kind() {
            Kind::Postgres => "SELECT ssl::int FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
            Kind::Mariadb => {
                "SELECT variable_value <> '' FROM information_schema.session_status WHERE variable_name = 'ssl_cipher'"
            }
        };
        let rows = reader.rows(Sql::new(asked), Vec::new()).await.unwrap();
        Ok(rows[0][0].int() == Some(1))
    }

    /// That nobody goes there, and why.
    #[track_caller]
    fn refuses(found: Result<bool, DbTrouble>, why: &str) {
        match found {
            Err(DbTrouble::Untrusted(said)) => assert!(said.contains(why), "{said}"),
            other => panic!("{why}: {other:?}"),
        }
    }
}

fn settings(kind: Kind, port: u16, folder: &Path, tls: bool) -> Vec<String> {
    let file = |name: &str| folder.join(name).display().to_string();
    let mut all = Vec::new();
    match kind {
        Kind::Postgres => {
            let mut set = |setting: String| all.extend(["-c".to_owned(), setting]);
            set("listen_addresses=127.0.0.1".to_owned());
            set(format!("port={port}"));
            set(format!("hba_file={}", file("hba")));
            if tls {
                set("ssl=on".to_owned());
                set(format!("ssl_cert_file={}", file("server.pem")));
                set(format!("ssl_key_file={}", file("server.key")));
            }
        }
        Kind::Mariadb => {
            all.push("--skip-networking=0".to_owned());
            all.push("--bind-address=127.0.0.1".to_owned());
            all.push(format!("--port={port}"));
            if tls {
                all.push(format!("--ssl-cert={}", file("server.pem")));
                all.push(format!("--ssl-key={}", file("server.key")));
            } else {
                all.push("--skip-ssl".to_owned());
            }
        }
    }
    all
}

/// A whole transfer, with the address in a secret file; then somebody else's authority in it.
async fn played(guarded: &Guarded, trusting: &str, doubting: &str) {
    let source = Base::make(Engine::Sqlite, SOURCE).await;
    let thanet = Base::make(Engine::Sqlite, TARGET).await;
    let secret = guarded.file("dover.secret");
    let mut small = Small::new(vec![
        ("ALMO_DB", source.url.clone()),
        ("THANET_DB", thanet.url.clone()),
    ]);
    small.set("DOVER_DB_FILE", secret.clone());
    let not =
        "{ column = \"sold\", blank = true }, { column = \"post_code\", not = [\"CT9 1AA\"] }";
    small.edit(
        "maps/homes.toml",
        "{ column = \"sold\", blank = true }",
        not,
    );

    std::fs::write(&secret, guarded.url("127.0.0.1", doubting)).unwrap();
    let said = small.ends("check .", 9);
    for words in [
        "HO918",
        "the database of `dover` is not trusted: no authority that is trusted here",
        "name the right authority",
    ] {
        assert!(said.contains(words), "no `{words}` in\n{said}");
    }
    assert!(!said.contains(PASSWORD), "{said}");

    std::fs::write(&secret, guarded.url("127.0.0.1", trusting) + "\n").unwrap();
    let said = small.runs() + &small.ends("status .", 0);
    assert!(!said.contains(PASSWORD), "{said}");
    let reader = Address::parse(&guarded.url("127.0.0.1", trusting), Path::new(".")).unwrap();
    let reader = OrgReader::open("dover", &reader).await.unwrap();
    let homes = Sql::new("SELECT ref FROM property");
    let homes = reader.rows(homes, Vec::new()).await.unwrap();
    assert_eq!(homes.len(), 1);
    assert_eq!(homes[0][0].text(), Some("10001"));
    kept_nowhere(small.path());
}

/// That no file below a folder holds the password.
fn kept_nowhere(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            kept_nowhere(&path);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let found = bytes
            .windows(PASSWORD.len())
            .any(|part| part == PASSWORD.as_bytes());
        assert!(!found, "{}", path.display());
    }
}

const NO_TLS: &str = "offers no TLS";
const STRANGER: &str = "no authority that is trusted";
const OTHER_NAME: &str = "for another name";
const NO_FILE: &str = "cannot be read";

/// How an address asks for TLS, in an engine's words.
struct Words {
    /// None of it.
    never: &'static str,
    /// It, and nobody's word for who the server is.
    required: &'static str,
    /// The word of an authority for the server.
    signed: &'static str,
    /// The same, and for its name.
    full: &'static str,
    /// Where the authority's certificate lies.
    file: &'static str,
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_address_asks_of_postgresql_is_done() {
    let words = Words {
        never: "sslmode=disable",
        required: "sslmode=require",
        signed: "sslmode=verify-ca",
        full: "sslmode=verify-full",
        file: "sslrootcert",
    };
    done_as_asked(Kind::Postgres, &words).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_address_asks_of_mariadb_is_done() {
    let words = Words {
        never: "ssl-mode=DISABLED",
        required: "ssl-mode=REQUIRED",
        signed: "ssl-mode=VERIFY_CA",
        full: "ssl-mode=VERIFY_IDENTITY",
        file: "ssl-ca",
    };
    done_as_asked(Kind::Mariadb, &words).await;
}

async fn done_as_asked(kind: Kind, words: &Words) {
    const NUMBER: &str = "127.0.0.1";
    const NAME: &str = "localhost";
    let mut guarded = Guarded::start(kind);
    assert_eq!(guarded.opens(NUMBER, words.never).await, Ok(false));
    assert_eq!(guarded.opens(NUMBER, "").await, Ok(false));
    Guarded::refuses(guarded.opens(NUMBER, words.required).await, NO_TLS);

    guarded.gets_a_certificate();
    let (ours, other) = (guarded.file("ca.pem"), guarded.file("other.pem"));
    let full = |file: &str| format!("{}&{}={file}", words.full, words.file);
    let signed = |file: &str| format!("{}&{}={file}", words.signed, words.file);
    assert_eq!(guarded.opens(NUMBER, "").await, Ok(true));
    assert_eq!(guarded.opens(NUMBER, words.required).await, Ok(true));
    assert_eq!(guarded.opens(NUMBER, &full(&ours)).await, Ok(true));
    assert_eq!(guarded.opens(NAME, &signed(&ours)).await, Ok(true));
    Guarded::refuses(guarded.opens(NAME, &full(&ours)).await, OTHER_NAME);
    Guarded::refuses(guarded.opens(NUMBER, &full(&other)).await, STRANGER);
    Guarded::refuses(guarded.opens(NUMBER, &signed(&other)).await, STRANGER);
    Guarded::refuses(guarded.opens(NUMBER, words.full).await, STRANGER);
    Guarded::refuses(guarded.opens(NUMBER, &full("/nowhere.pem")).await, NO_FILE);
    played(&guarded, &full(&ours), &full(&other)).await;
}
