//! Where a `MariaDB` or `MySQL` database is, as sqlx and mysql users write it, and how to connect there.
//!
//! In: `mysql://USER@HOST:PORT/DATABASE?OPTION=VALUE`. Out: a connection, with TLS as it was asked for.
//!
//! Not here: what a session begins with (`mod`).

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use mysql::consts::CapabilityFlags;
use mysql::{Conn, DriverError, Opts, OptsBuilder, SslOpts};

/// How long a server may take to answer the door.
const PATIENCE: Duration = Duration::from_secs(30);

/// Statements that are kept prepared.
const PREPARED: usize = 256;

/// A database on a server.
#[derive(Clone)]
pub struct Place {
    options: Opts,
    tls: Tls,
    authority: Option<PathBuf>,
}

/// Why a URL leads nowhere. (The driver's own words are not passed on: they may quote it.)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::orgdb) enum PlaceFault {
    Url,
    NoDatabase,
    NoAuthority,
}

/// What `ssl-mode` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tls {
    Disabled,
    Preferred,
    Required,
    VerifyCa,
    VerifyIdentity,
}

impl Tls {
    fn read(word: &str) -> Option<Tls> {
        Some(match word.to_ascii_uppercase().as_str() {
            "DISABLED" => Tls::Disabled,
            "PREFERRED" => Tls::Preferred,
            "REQUIRED" => Tls::Required,
            "VERIFY_CA" => Tls::VerifyCa,
            "VERIFY_IDENTITY" => Tls::VerifyIdentity,
            _ => return None,
        })
    }
}

impl Place {
    /// Reads a URL. Options: `socket`, `ssl-mode`, `ssl-ca`, and those that the driver knows. A password
    /// that the URL leaves out is `MYSQL_PWD`'s.
    pub(in crate::orgdb) fn parse(url: &str) -> Result<Place, PlaceFault> {
        let (_, rest) = url.split_once("://").ok_or(PlaceFault::Url)?;
        let (start, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (mut tls, mut authority, mut others) = (Tls::Preferred, None, Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or(PlaceFault::Url)?;
            match name {
                "ssl-mode" | "sslmode" => tls = Tls::read(value).ok_or(PlaceFault::Url)?,
                "ssl-ca" => authority = Some(decoded(value).ok_or(PlaceFault::Url)?.into()),
                // Always `utf8mb4` here.
                "charset" | "collation" => {}
                _ => others.push(pair),
            }
        }
        if tls == Tls::VerifyCa && authority.is_none() {
            return Err(PlaceFault::NoAuthority);
        }
        // A server's own socket is nearer than its port only where somebody says so.
        others.push("prefer_socket=false");
        let plain = format!("mysql://{start}?{}", others.join("&"));
        let options = Opts::from_url(&plain).map_err(|_| PlaceFault::Url)?;
        if options.get_db_name().is_none_or(str::is_empty) {
            return Err(PlaceFault::NoDatabase);
        }
        let secret = std::env::var("MYSQL_PWD").ok();
        let secret = options.get_pass().map(str::to_owned).or(secret);
        let options = OptsBuilder::from_opts(options)
            .pass(secret)
            .tcp_connect_timeout(Some(PATIENCE))
            .tcp_keepalive_time_ms(Some(60_000))
            .stmt_cache_size(PREPARED)
            // A row that an update leaves as it was counts, as on the other engines.
            .additional_capabilities(CapabilityFlags::CLIENT_FOUND_ROWS);
        Ok(Place {
            options: options.into(),
            tls,
            authority,
        })
    }

    /// Whether it is reached over a socket of this machine.
    pub(super) fn is_local(&self) -> bool {
        self.options.get_socket().is_some()
    }

    /// Connects.
    pub(super) fn connect(&self) -> Result<Conn, mysql::Error> {
        let builder = || OptsBuilder::from_opts(self.options.clone());
        if self.is_local() || self.tls == Tls::Disabled {
            return Conn::new(builder());
        }
        match Conn::new(builder().ssl_opts(self.secured())) {
            Err(mysql::Error::DriverError(DriverError::TlsNotSupported))
                if self.tls == Tls::Preferred =>
            {
                Conn::new(builder())
            }
            answer => answer,
        }
    }

    fn secured(&self) -> SslOpts {
        let trusting = matches!(self.tls, Tls::Preferred | Tls::Required);
        let options = SslOpts::default()
            .with_danger_accept_invalid_certs(trusting)
            .with_danger_skip_domain_validation(self.tls != Tls::VerifyIdentity);
        match &self.authority {
            Some(path) => options.with_root_cert_path(Some(path.clone())),
            None => options,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (user, database) = (self.options.get_user(), self.options.get_db_name());
        let host = self.options.get_socket().map_or_else(
            || {
                let host = self.options.get_ip_or_hostname();
                format!("{host}:{}", self.options.get_tcp_port())
            },
            str::to_owned,
        );
        let (user, database) = (user.unwrap_or_default(), database.unwrap_or_default());
        write!(f, "mysql://{user}@{host}/{database}")
    }
}

/// `%2F` as `/`.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, behind) = rest.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        rest = behind;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_without_its_password_and_options() {
        for (url, told) in [
            (
                "mysql://ann:hunter2@db.example:3307/homes?ssl-mode=VERIFY_CA&ssl-ca=%2Fetc%2Fca.pem",
                "mysql://ann@db.example:3307/homes",
            ),
            (
                "mariadb://ann@localhost/homes?socket=%2Frun%2Fm.sock&charset=utf8mb4",
                "mysql://ann@/run/m.sock/homes",
            ),
        ] {
            let place = Place::parse(url).map(|place| place.to_string());
            assert_eq!(place.as_deref(), Ok(told));
        }
        let place = Place::parse("mysql://a@h/d?ssl-mode=required&ssl-ca=%2Fca").expect("a URL");
        assert_eq!(place.tls, Tls::Required);
        assert_eq!(place.authority, Some("/ca".into()));
    }

    #[test]
    fn what_leads_nowhere_is_told() {
        for (url, fault) in [
            ("mysql://a@h", PlaceFault::NoDatabase),
            ("mysql://a@h/d?ssl-mode=perhaps", PlaceFault::Url),
            // Whose certificate it is would not be looked at, nor who has signed it.
            ("mysql://a@h/d?ssl-mode=VERIFY_CA", PlaceFault::NoAuthority),
            ("mysql://a@h/d?nobody=knows", PlaceFault::Url),
            ("mysql://a@h:port/d", PlaceFault::Url),
        ] {
            assert_eq!(Place::parse(url).err(), Some(fault), "{url}");
        }
    }
}
