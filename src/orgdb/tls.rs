//! Why a server could not be trusted, in words that say what to look at: certificates by their authority,
//! name and time, servers without TLS.
//!
//! In: what the drivers say, both of them in rustls' words. Out: trouble.
//!
//! Not here: which mode an address asks for (`postgres`, `mariadb`).

use std::io;

use rustls::{CertificateError, Error};

use super::DbTrouble;

/// A server without TLS, and an address that asks for it.
pub(super) const NONE: DbTrouble =
    DbTrouble::Untrusted("it offers no TLS, and the address asks for it");

/// The file of an authority, or of a certificate of ours, that is not there.
pub(super) const NO_FILE: DbTrouble =
    DbTrouble::Untrusted("a certificate file that the address names cannot be read");

/// What went wrong while TLS was agreed on.
pub(super) fn trouble(fault: &Error) -> DbTrouble {
    DbTrouble::Untrusted(match fault {
        Error::InvalidCertificate(fault) => certificate(fault),
        _ => "TLS could not be agreed on",
    })
}

/// The same, where a driver tells it as a fault of reading.
pub(super) fn within(fault: &io::Error) -> Option<DbTrouble> {
    let fault = fault.get_ref()?.downcast_ref::<Error>()?;
    Some(trouble(fault))
}

fn certificate(fault: &CertificateError) -> &'static str {
    match fault {
        CertificateError::UnknownIssuer => {
            "no authority that is trusted here has signed its certificate"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "its certificate is for another name than the address has"
        }
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => {
            "its certificate is out of date, or this machine's clock is"
        }
        CertificateError::Revoked => "its certificate was revoked",
        _ => "its certificate cannot be believed",
    }
}
