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

/// The file of an authority, or of a certificate of ours, that is not there, or something else.
pub(super) const NO_FILE: DbTrouble = DbTrouble::Untrusted(
    "a certificate file that the address names cannot be read, or holds no certificate",
);

/// A host for which nobody could sign.
pub(super) const NO_NAME: DbTrouble =
    DbTrouble::Untrusted("the host that the address names is no name for a certificate");

/// Whatever else kept it from being agreed on.
const NOT_AGREED: DbTrouble = DbTrouble::Untrusted("TLS could not be agreed on");

/// What went wrong while TLS was agreed on.
pub(super) fn trouble(fault: &Error) -> DbTrouble {
    match fault {
        Error::InvalidCertificate(fault) => DbTrouble::Untrusted(certificate(fault)),
        _ => NOT_AGREED,
    }
}

/// The same, where a driver tells it as a fault of reading.
fn within(fault: &io::Error) -> Option<DbTrouble> {
    let fault = fault.get_ref()?.downcast_ref::<Error>()?;
    Some(trouble(fault))
}

/// Nothing was heard over a socket of this machine (`local`) or a network, or nothing that could be trusted.
pub(super) fn unheard(fault: &io::Error, local: bool) -> DbTrouble {
    match within(fault) {
        Some(trouble) => trouble,
        // A host that is not there is told in other words.
        None if fault.kind() == io::ErrorKind::NotFound && !local => NO_FILE,
        None => DbTrouble::Unreachable(fault.kind().to_string()),
    }
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
