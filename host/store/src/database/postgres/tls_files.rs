//! The files that TLS needs. sqlx would report problems without their names, and pass over certificates that it
//! doesn't find.

use std::{env, path::Path};

use maro_process::http::pem::{IdentityError, PemFile, check_identity};
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::database::postgres::{
    address::{Address, Source},
    diagnosis::ConnectError,
};

/// Puts what the files say in the place of their names.
///
/// # Errors
/// What is wrong with one of them.
pub(super) fn read(address: &Address, options: PgConnectOptions) -> Result<PgConnectOptions, ConnectError> {
    let certificate = address.parameter_or_variable("sslcert", "PGSSLCERT");
    let key = address.parameter_or_variable("sslkey", "PGSSLKEY");
    if let (Some(alone), None) | (None, Some(alone)) = (&certificate, &key) {
        let name = &alone.name;
        return Err(ConnectError::setting(format!(
            "{name} is set alone: a certificate and its key need each other, so set both sslcert and sslkey."
        )));
    }
    let mut options = options;
    if let Some(root) = address.parameter_or_variable("sslrootcert", "PGSSLROOTCERT").and_then(named_file) {
        let authorities = match &*root.value {
            // The system's, who are trusted anyway.
            "system" => Vec::new(),
            _ => read_authorities(&root)?.text().as_bytes().to_vec(),
        };
        options = options.ssl_root_cert_from_pem(authorities);
    }
    if let (Some(certificate), Some(key)) = (certificate.and_then(named_file), key.and_then(named_file)) {
        let (certificate, key) = read_identity(&certificate, &key)?;
        options = options.ssl_client_cert_from_pem(certificate.text()).ssl_client_key_from_pem(key.text());
    }
    let verifies = matches!(options.get_ssl_mode(), PgSslMode::VerifyCa | PgSslMode::VerifyFull);
    if verifies && let Some(path) = env::var_os("SSL_CERT_FILE") {
        let path = Path::new(&path);
        let checked = PemFile::read(path).map_err(Into::into).and_then(|file| file.check_for_others());
        checked.map_err(|error| problem("SSL_CERT_FILE", path, &error.to_string()))?;
    }
    Ok(options)
}

/// The text of a certificate may stand in the place of a file.
fn named_file(source: Source) -> Option<Source> {
    Some(source).filter(|source| !source.value.starts_with("-----BEGIN"))
}

fn read_authorities(source: &Source) -> Result<PemFile, ConnectError> {
    let path = Path::new(&source.value);
    let file = PemFile::read(path).map_err(Into::into);
    let checked = file.and_then(|file| file.authorities().map(|_| file));
    checked.map_err(|error| problem(&source.name, path, &error.to_string()))
}

fn read_identity(certificate: &Source, key: &Source) -> Result<(PemFile, PemFile), ConnectError> {
    let open = |source: &Source| {
        let path = Path::new(&source.value);
        PemFile::read(path).map_err(|error| problem(&source.name, path, &format!("can't be read: {error}")))
    };
    let files = (open(certificate)?, open(key)?);
    let (source, told) = match check_identity(&files.0, &files.1) {
        Ok(()) => return Ok(files),
        Err(IdentityError::NoCertificate(instead)) => {
            (certificate, format!("has no certificate in PEM{instead}"))
        }
        Err(IdentityError::NoKey(instead)) => (key, format!("has no key in PEM without a password{instead}")),
        Err(IdentityError::Unusable(why)) => {
            (certificate, format!("has a certificate that can't be used: {why}"))
        }
        Err(IdentityError::OtherKey) => (key, "isn't the key of the certificate in sslcert".to_owned()),
    };
    Err(problem(&source.name, Path::new(&source.value), &told))
}

fn problem(setting: &str, path: &Path, told: &str) -> ConnectError {
    ConnectError::setting(format!("{setting} names the file {}, which {told}.", path.display()))
}
