//! Files with certificates and keys, as editors, operating systems and authorities hand them out.
//!
//! Libraries pass over what isn't exactly PEM, without a word: a certificate behind a byte order mark is lost. Here,
//! what can only mean one thing is read, and all else is named.

use std::{borrow::Cow, fmt, io, path::Path};

use rustls::{
    CertificateError, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    sign::CertifiedKey,
};

use crate::bounded_file::{MAX_CERTIFICATES_BYTES, read_bounded};

/// What a file says in PEM.
pub struct PemFile {
    text: String,
    is_der: bool,
    /// How many certificates others find in the file as it is.
    plain_certificates: usize,
}

/// Why a file holds no authorities.
#[derive(Debug, thiserror::Error)]
pub enum AuthoritiesError {
    #[error("can't be read: {0}")]
    Unreadable(#[from] io::Error),
    #[error("has no certificate in PEM{0}")]
    NoCertificate(Instead),
    #[error("has a certificate that can't be used: {0}")]
    Unusable(String),
}

/// Why a certificate can't be shown to anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentityError {
    /// Where it should be is none.
    NoCertificate(Instead),
    /// Where its key should be is none, or one behind a password.
    NoKey(Instead),
    /// The key is another certificate's.
    OtherKey,
    /// TLS as MARO speaks it can't use them.
    Unusable(&'static str),
}

/// What a file has instead, if that is known: the end of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instead(Option<&'static str>);

impl fmt::Display for Instead {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |what| write!(formatter, ": {what}"))
    }
}

/// What stands in a file instead of a certificate.
const OTHER_SECTIONS: [(&str, &str); 4] = [
    (
        "BEGIN TRUSTED CERTIFICATE",
        "it's OpenSSL's own form, TRUSTED CERTIFICATE, which openssl x509 converts",
    ),
    ("BEGIN PKCS7", "it's PKCS #7, which openssl pkcs7 -print_certs converts"),
    ("CERTIFICATE REQUEST", "it's a request for a certificate"),
    ("PRIVATE KEY-----", "it has a key"),
];

impl PemFile {
    /// # Errors
    /// Why the file can't be read.
    pub fn read(path: &Path) -> io::Result<Self> {
        read_bounded(path, MAX_CERTIFICATES_BYTES).map(|bytes| Self::new(&bytes))
    }

    fn new(bytes: &[u8]) -> Self {
        Self {
            text: plain_lines(&decode(bytes)),
            // A sequence with its length, which begins a certificate, a key, and PKCS #12.
            is_der: matches!(bytes, [0x30, 0x80..=0xFF, ..]),
            plain_certificates: CertificateDer::pem_slice_iter(bytes).filter(Result::is_ok).count(),
        }
    }

    /// The text as others expect it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The authorities that the file names.
    ///
    /// # Errors
    /// Why there are none.
    pub fn authorities(&self) -> Result<Vec<CertificateDer<'static>>, AuthoritiesError> {
        let unusable = |error: String| AuthoritiesError::Unusable(error);
        let mut known = RootCertStore::empty();
        let mut authorities = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(self.text.as_bytes()) {
            let certificate =
                certificate.map_err(|_| unusable("it is cut off, or isn't PEM throughout".to_owned()))?;
            known.add(certificate.clone()).map_err(|error| unusable(error.to_string()))?;
            authorities.push(certificate);
        }
        if authorities.is_empty() {
            return Err(AuthoritiesError::NoCertificate(self.instead_of_certificate()));
        }
        // Beside others, it would go unnoticed that these are missing.
        match OTHER_SECTIONS[..2].iter().find(|(section, _)| self.text.contains(section)) {
            Some((_, what)) => Err(unusable((*what).to_owned())),
            None => Ok(authorities),
        }
    }

    /// Whether libraries that read the file themselves find all of its certificates.
    ///
    /// # Errors
    /// As [`PemFile::authorities`], and where they don't.
    pub fn check_for_others(&self) -> Result<(), AuthoritiesError> {
        if self.authorities()?.len() > self.plain_certificates {
            let problem = "it's behind a byte order mark or a space, or in UTF-16, where nobody looks for it";
            return Err(AuthoritiesError::Unusable(problem.to_owned()));
        }
        Ok(())
    }

    /// What the file has instead of a certificate.
    fn instead_of_certificate(&self) -> Instead {
        let section = OTHER_SECTIONS.iter().find(|(section, _)| self.text.contains(section));
        Instead(match section {
            Some((_, what)) => Some(what),
            None if self.is_der => {
                Some("it's DER or PKCS #12, which openssl x509 -inform DER or openssl pkcs12 converts")
            }
            None => self.is_empty().then_some("it's empty"),
        })
    }

    /// What the file has instead of a key without a password.
    fn instead_of_key(&self) -> Instead {
        Instead(if self.text.contains("ENCRYPTED") {
            Some("it has one with a password, which openssl pkey removes")
        } else if self.text.contains("BEGIN CERTIFICATE-----") {
            Some("it has a certificate")
        } else if self.is_der {
            Some("it's DER or PKCS #12, which openssl pkey -inform DER or openssl pkcs12 converts")
        } else {
            self.is_empty().then_some("it's empty")
        })
    }

    fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }
}

/// Whether these are a certificate, with what vouches for it, and its key. A server that asks for the certificate
/// would end the connection, and not say why.
///
/// # Errors
/// What is wrong.
pub fn check_identity(certificate: &PemFile, key: &PemFile) -> Result<(), IdentityError> {
    let chain = CertificateDer::pem_slice_iter(certificate.text.as_bytes()).collect::<Result<Vec<_>, _>>();
    let chain = chain.ok().filter(|chain| !chain.is_empty());
    let chain = chain.ok_or_else(|| IdentityError::NoCertificate(certificate.instead_of_certificate()))?;
    let read = PrivateKeyDer::from_pem_slice(key.text.as_bytes());
    let key = read.map_err(|_| IdentityError::NoKey(key.instead_of_key()))?;
    #[expect(clippy::disallowed_methods, reason = "no connection is made with it, keys are compared")]
    let provider = rustls::crypto::ring::default_provider();
    match CertifiedKey::from_der(chain, key, &provider) {
        Ok(_) => Ok(()),
        Err(rustls::Error::InconsistentKeys(_)) => Err(IdentityError::OtherKey),
        Err(rustls::Error::InvalidCertificate(CertificateError::Other(other)))
            if format!("{other:?}").contains("UnsupportedCertVersion") =>
        {
            Err(IdentityError::Unusable("it's of version 1 of X.509: have one of version 3 issued"))
        }
        Err(rustls::Error::InvalidCertificate(_)) => Err(IdentityError::Unusable("it can't be read")),
        Err(_) => Err(IdentityError::Unusable("its key is of a kind that MARO can't use")),
    }
}

/// Text in UTF-8, or in UTF-16 as Windows writes it.
fn decode(bytes: &[u8]) -> Cow<'_, str> {
    let from_pairs = |bytes: &[u8], number: fn([u8; 2]) -> u16| {
        let numbers = bytes.chunks_exact(2).map(|pair| number([pair[0], pair[1]]));
        char::decode_utf16(numbers).map(|read| read.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    match bytes {
        [0xFF, 0xFE, ..] | [_, 0, ..] => Cow::Owned(from_pairs(bytes, u16::from_le_bytes)),
        [0xFE, 0xFF, ..] | [0, _, ..] => Cow::Owned(from_pairs(bytes, u16::from_be_bytes)),
        _ => String::from_utf8_lossy(bytes),
    }
}

/// Each section begins on a line of its own, and no line begins with what nobody sees.
fn plain_lines(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    // Files without a line break at their end, one after the other.
    let text = text.replace("----------BEGIN ", "-----\n-----BEGIN ");
    let text = text.replace("X509 CERTIFICATE-----", "CERTIFICATE-----");
    let is_unseen = |letter: char| letter.is_whitespace() || letter == '\u{feff}';
    let lines: Vec<&str> = text.lines().map(|line| line.trim_matches(is_unseen)).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    fn certificate(name: &str) -> (String, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
        (certificate.pem(), key)
    }

    /// As `openssl x509 -req` makes it without extensions.
    const OF_VERSION_1: &str = "\
-----BEGIN CERTIFICATE-----\n\
MIIB2DCBwQIUcPGX2leewoWp0UtoOBriqGdRHvswDQYJKoZIhvcNAQELBQAwEDEO\n\
MAwGA1UEAwwFTmV0Q0EwHhcNMjYxMTI4MTIwMjQxWhcNMjYxMjI4MTIwMjQxWjAN\n\
MQswCQYDVQQDDAJlYzBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABF+ujmvFcXRU\n\
21GmgYCHQ3Si5NAjk6Kznx4eWbGGFbIOdNMNVb+iku6Px81YhSagXlDcO7Fjvr39\n\
rlvoS6kN4p8wDQYJKoZIhvcNAQELBQADggEBAHR02z2ab0aZAcckainV7O4Ebamj\n\
/4Wo0u3o4xmcsyK/Y7MijXEWA+zck9zVvARsOEx17VMw5Xu6ffJIO8mjj4FhLt6P\n\
NLPKqZMHP+hpmK3GJts73YZ6mzlYKRY4St9ppoQGvqB2Fa/ooZGAnn9QriPTruAd\n\
R7IphVRxJv1h+MZo4MMik1sjLwAOoWmpXOy6gW/uIRTWaw4G0+xHouLnSAz/Qc9v\n\
X0RnhPHGsvUduwBbED4+sIpPrCJ9Tk/Y9RBpmu8CWk6OTWk+hC1pHPq3dsiIcUFK\n\
4gmxf5xz4Py9DtMb/NivCLL7v053JP+NfpJb1w1ZEbjLKh134fiFDh9x3qk=\n\
-----END CERTIFICATE-----\n\
-----BEGIN EC PRIVATE KEY-----\n\
MHcCAQEEIFVQfkHTC6zos0c4kcIrUlThnvdYkbJqhDEZSvHMlvmJoAoGCCqGSM49\n\
AwEHoUQDQgAEX66Oa8VxdFTbUaaBgIdDdKLk0COTorOfHh5ZsYYVsg500w1Vv6KS\n\
7o/HzViFJqBeUNw7sWO+vf2uW+hLqQ3inw==\n\
-----END EC PRIVATE KEY-----\n";

    #[test]
    fn a_certificate_that_tls_cannot_show_is_named() {
        let file = PemFile::new(OF_VERSION_1.as_bytes());
        let Err(IdentityError::Unusable(why)) = check_identity(&file, &file) else { panic!("it passes") };
        assert!(why.contains("version 1"), "{why}");
        let (pem, key) = certificate("maro.harbor.example");
        let file = PemFile::new(format!("{pem}{}", key.serialize_pem()).as_bytes());
        assert_eq!(check_identity(&file, &file), Ok(()));
    }

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn every_certificate_is_found_however_the_file_was_saved() {
        let (one, other) = (certificate("one").0, certificate("other").0);
        let both = format!("{one}{other}");
        for text in [
            format!("\u{feff}{both}"),
            format!("\u{feff}{one}\u{feff}{other}"),
            format!("The company's:\r\n{}# the end", both.replace('\n', "\r\n")),
            both.replace('\n', "\r"),
            format!("{}{}", one.trim_end(), other.trim_end()),
            both.replace("-----BEGIN", "  -----BEGIN"),
            both.replace(" CERTIFICATE", " X509 CERTIFICATE"),
        ] {
            assert_eq!(PemFile::new(text.as_bytes()).authorities().unwrap().len(), 2, "{text}");
        }
        let marked = format!("\u{feff}{both}");
        for bytes in [
            utf16(&marked, u16::to_le_bytes),
            utf16(&marked, u16::to_be_bytes),
            utf16(&both, u16::to_le_bytes),
            [b"Schl\xfcssel:\n", both.as_bytes()].concat(),
        ] {
            assert_eq!(PemFile::new(&bytes).authorities().unwrap().len(), 2);
        }
        PemFile::new(both.as_bytes()).check_for_others().unwrap();
        let problem = PemFile::new(marked.as_bytes()).check_for_others().unwrap_err().to_string();
        assert!(problem.contains("behind a byte order mark"), "{problem}");
    }

    #[test]
    fn what_is_no_certificate_is_named() {
        let (pem, key) = certificate("one");
        let said = |bytes: &[u8]| PemFile::new(bytes).authorities().unwrap_err().to_string();
        let trusted = pem.replace(" CERTIFICATE", " TRUSTED CERTIFICATE");
        let request =
            CertificateParams::new(vec!["one".to_owned()]).unwrap().serialize_request(&key).unwrap();
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        for (bytes, told) in [
            (b"".to_vec(), "has no certificate in PEM: it's empty"),
            (b"\xef\xbb\xbf\r\n".to_vec(), "has no certificate in PEM: it's empty"),
            (b"no certificate".to_vec(), "has no certificate in PEM"),
            (key.serialize_pem().into_bytes(), "has no certificate in PEM: it has a key"),
            (
                request.pem().unwrap().into_bytes(),
                "has no certificate in PEM: it's a request for a certificate",
            ),
            (
                der.to_vec(),
                "has no certificate in PEM: it's DER or PKCS #12, which openssl x509 -inform DER or openssl pkcs12 \
                 converts",
            ),
            (
                trusted.clone().into_bytes(),
                "has no certificate in PEM: it's OpenSSL's own form, TRUSTED CERTIFICATE, which openssl x509 converts",
            ),
            (
                format!("{pem}{trusted}").into_bytes(),
                "has a certificate that can't be used: it's OpenSSL's own form, TRUSTED CERTIFICATE, which openssl x509 \
                 converts",
            ),
        ] {
            assert_eq!(said(&bytes), told);
        }
    }

    #[test]
    fn what_is_no_key_is_named() {
        let (pem, key) = certificate("one");
        let file = |text: &str| PemFile::new(text.as_bytes());
        let said = |text: &str| check_identity(&file(&pem), &file(text));
        let key = key.serialize_pem();
        assert_eq!(said(&format!("\u{feff}{key}")), Ok(()));
        let encrypted = key.replace(" PRIVATE", " ENCRYPTED PRIVATE");
        for (text, what) in [
            (&*encrypted, Some("it has one with a password, which openssl pkey removes")),
            (&pem, Some("it has a certificate")),
            ("", Some("it's empty")),
            ("none", None),
        ] {
            assert_eq!(said(text), Err(IdentityError::NoKey(Instead(what))));
        }
        let instead = Instead(Some("it has a key"));
        assert_eq!(check_identity(&file(&key), &file(&key)), Err(IdentityError::NoCertificate(instead)));
    }
}
