//! `[secrets]` in `NAME.toml`: what the host puts into a plugin's requests, and never shows it.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use url::Url;

use crate::policy::hosts::{AllowedHost, PrivateHost, TiedHost};
use maro_process::{bounded_file::read_value, secret::Secret};
use maro_texts as texts;

/// What stands in a header for a secret, before and after its name.
const OPENING: &str = "${secret:";
const CLOSING: char = '}';

/// The shortest and the longest secret, in bytes. A shorter one would be found in any answer.
const LENGTHS: std::ops::RangeInclusive<usize> = 8..=4_096;

/// The longest header once its secrets are in it, in bytes.
const MAX_FILLED_BYTES: usize = 16 * 1024;

/// The secrets of a plugin by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct HeldSecrets(BTreeMap<SecretName, HeldSecret>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
struct SecretName(String);

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "WrittenSecret")]
struct HeldSecret {
    source: SecretSource,
    /// The only hosts that get it.
    hosts: Vec<TiedHost>,
}

/// An entry as it stands in the manifest.
#[derive(Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table, as in { file = \"/run/secrets/key\", hosts = [\"api.example.com\"] }"
)]
struct WrittenSecret {
    value: Option<SecretValue>,
    file: Option<PathBuf>,
    hosts: Vec<TiedHost>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum SecretSource {
    Value(SecretValue),
    /// Read for each request, so that another secret in it takes effect at once.
    File(PathBuf),
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct SecretValue(Secret);

/// Why a header can't be filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfilled {
    /// There is no secret of this name.
    Unknown(String),
    /// The secret of this name isn't for the host.
    OtherHost(String),
    /// The file of this secret can't be used.
    Unreadable(UnreadableSecret),
    TooLarge,
}

/// A secret whose file can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableSecret {
    pub name: String,
    pub file: PathBuf,
    /// The end of a sentence about the file.
    pub problem: String,
}

/// A header's value with its secrets.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Filled {
    pub(crate) value: Secret,
    /// The secrets in it, to take them out of the answer.
    pub(crate) used: Vec<UsedSecret>,
}

/// A secret that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UsedSecret {
    value: Secret,
    /// What the plugin wrote for it.
    placeholder: String,
}

impl HeldSecrets {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their names, and the hosts that get each.
    pub fn described(&self) -> impl Iterator<Item = (&str, Vec<String>)> {
        self.0.iter().map(|(name, held)| (&*name.0, held.hosts.iter().map(ToString::to_string).collect()))
    }

    /// Those that no request can carry.
    pub(super) fn without_host<'a>(
        &'a self,
        hosts: &'a [AllowedHost],
        private_hosts: &'a [PrivateHost],
    ) -> impl Iterator<Item = &'a str> {
        let is_useless =
            |held: &HeldSecret| !held.hosts.iter().any(|host| host.is_among(hosts, private_hosts));
        self.0.iter().filter(move |(_, held)| is_useless(held)).map(|(name, _)| &*name.0)
    }

    /// Those whose files can't be used now.
    pub fn unreadable(&self) -> Vec<UnreadableSecret> {
        self.0.iter().filter_map(|(name, held)| held.value(&name.0).err()).collect()
    }

    /// The names in a header's value that no secret has.
    pub fn missing(&self, value: &str) -> Vec<String> {
        let named =
            value.split(OPENING).skip(1).filter_map(|rest| Some(rest.split_once(CLOSING)?.0.to_owned()));
        named.filter(|name| !self.0.contains_key(&SecretName(name.clone()))).collect()
    }

    /// Fills in a header's value for a request to `url`. `None` if there is nothing to fill in.
    ///
    /// # Errors
    /// A secret is unknown, not for this host, or can't be read.
    pub(crate) fn fill(&self, value: &str, url: &Url) -> Result<Option<Filled>, Unfilled> {
        if !value.contains(OPENING) {
            return Ok(None);
        }
        let (mut out, mut used, mut rest) = (String::new(), Vec::new(), value);
        while let Some((before, after)) = rest.split_once(OPENING) {
            let Some((name, after)) = after.split_once(CLOSING) else { break };
            let unknown = || Unfilled::Unknown(maro_domain::issue::one_line(name, 64));
            let held = self.0.get(&SecretName(name.to_owned())).ok_or_else(unknown)?;
            if !held.hosts.iter().any(|host| host.allows(url)) {
                return Err(Unfilled::OtherHost(name.to_owned()));
            }
            let value = &held.value(name).map_err(Unfilled::Unreadable)?.0;
            out.push_str(before);
            out.push_str(value.expose());
            if out.len() > MAX_FILLED_BYTES {
                return Err(Unfilled::TooLarge);
            }
            let placeholder = format!("{OPENING}{name}{CLOSING}");
            used.push(UsedSecret { value: value.clone(), placeholder });
            rest = after;
        }
        out.push_str(rest);
        Ok(Some(Filled { value: Secret::new(out), used }))
    }
}

impl HeldSecret {
    fn value(&self, name: &str) -> Result<Cow<'_, SecretValue>, UnreadableSecret> {
        match &self.source {
            SecretSource::Value(value) => Ok(Cow::Borrowed(value)),
            SecretSource::File(file) => read(file).map(Cow::Owned).map_err(|problem| UnreadableSecret {
                name: name.to_owned(),
                file: file.clone(),
                problem,
            }),
        }
    }
}

fn read(file: &Path) -> Result<SecretValue, String> {
    let text = read_value(file).map_err(|error| format!("can't be read: {error}"))?;
    SecretValue::try_from(text).map_err(|problem| format!("can't be used: {problem}"))
}

impl TryFrom<WrittenSecret> for HeldSecret {
    type Error = &'static str;

    fn try_from(written: WrittenSecret) -> Result<Self, Self::Error> {
        let source = match (written.value, written.file) {
            (Some(value), None) => SecretSource::Value(value),
            // Where a relative path leads depends on where MARO was started.
            (None, Some(file)) if file.is_absolute() => SecretSource::File(file),
            (None, Some(_)) => return Err(texts::plugins::manifests::SECRET_FILE_NOT_ABSOLUTE),
            (None, None) | (Some(_), Some(_)) => return Err(texts::plugins::manifests::NOT_ONE_SECRET),
        };
        Ok(Self { source, hosts: written.hosts })
    }
}

impl UsedSecret {
    /// The same secret as others may spell it.
    pub(crate) fn spelled(&self, spellings: impl IntoIterator<Item = String>) -> impl Iterator<Item = Self> {
        let long_enough = spellings.into_iter().filter(|spelling| LENGTHS.contains(&spelling.len()));
        long_enough
            .map(|spelling| Self { value: Secret::new(spelling), placeholder: self.placeholder.clone() })
    }

    pub(crate) fn value(&self) -> &str {
        self.value.expose()
    }

    /// Takes the secret out of what a service answers, should it repeat it.
    pub(crate) fn take_out_of(&self, bytes: Vec<u8>) -> Vec<u8> {
        let secret = self.value.expose().as_bytes();
        if !bytes.windows(secret.len()).any(|window| window == secret) {
            return bytes;
        }
        let mut out = Vec::with_capacity(bytes.len());
        let mut rest = &bytes[..];
        while let Some(first) = rest.first() {
            if let Some(after) = rest.strip_prefix(secret) {
                out.extend_from_slice(self.placeholder.as_bytes());
                rest = after;
            } else {
                out.push(*first);
                rest = &rest[1..];
            }
        }
        out
    }
}

impl TryFrom<String> for SecretName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
        if (1..=64).contains(&text.len()) && text.chars().all(is_name) {
            return Ok(Self(text));
        }
        Err(texts::plugins::manifests::not_a_secret_name(&text))
    }
}

impl TryFrom<String> for SecretValue {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let can_be_sent = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if LENGTHS.contains(&text.len()) && can_be_sent && !text.starts_with(' ') && !text.ends_with(' ') {
            return Ok(Self(Secret::new(text)));
        }
        // Without the text: the sentence is shown to people.
        Err(texts::plugins::manifests::not_a_secret(*LENGTHS.start(), *LENGTHS.end()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> HeldSecrets {
        toml::from_str(
            "rota-token = { value = \"hunter2-hunter2\", hosts = [\"rota.example.com\", \"gitlab:8443\"] }\n\
             other = { value = \"other-secret\", hosts = [\"*.example.org\"] }",
        )
        .unwrap()
    }

    fn filled(value: &str, url: &str) -> Result<Option<String>, Unfilled> {
        let filled = secrets().fill(value, &Url::parse(url).unwrap())?;
        Ok(filled.map(|filled| filled.value.expose().to_owned()))
    }

    #[test]
    fn a_secret_is_sent_to_its_hosts_alone() {
        let rota = "https://rota.example.com/v2";
        assert_eq!(filled("application/json", rota), Ok(None));
        assert_eq!(
            filled("Token token=\"${secret:rota-token}\"", rota),
            Ok(Some("Token token=\"hunter2-hunter2\"".to_owned()))
        );
        assert_eq!(
            filled("${secret:rota-token}", "https://gitlab:8443/"),
            Ok(Some("hunter2-hunter2".to_owned()))
        );
        for url in ["https://evil.example.com/", "https://rota.example.com:8443/", "https://gitlab/"] {
            let refused = filled("${secret:rota-token}", url);
            assert_eq!(refused, Err(Unfilled::OtherHost("rota-token".to_owned())), "{url}");
        }
        assert!(
            ["rota-token", "ROTA_TOKEN", "t"]
                .iter()
                .all(|name| SecretName::try_from((*name).to_owned()).is_ok())
        );
        assert!(["", "a b", "a}", "ä"].iter().all(|name| SecretName::try_from((*name).to_owned()).is_err()));
        assert_eq!(filled("${secret:x}", rota), Err(Unfilled::Unknown("x".to_owned())));
        assert_eq!(secrets().missing("${secret:x} ${secret:rota-token} ${secret:y"), ["x"]);
        assert_eq!(filled("${secret:other", rota), Ok(Some("${secret:other".to_owned())));
        let many = "${secret:rota-token}".repeat(1_200);
        assert_eq!(filled(&many, rota), Err(Unfilled::TooLarge));
    }

    #[test]
    fn a_secret_that_a_service_repeats_is_taken_out() {
        let url = Url::parse("https://rota.example.com/").unwrap();
        let filled = secrets().fill("Bearer ${secret:rota-token}", &url).unwrap().unwrap();
        let [used] = &filled.used[..] else { panic!("one") };
        let answer = used.take_out_of(b"\xffyou sent hunter2-hunter2, hunter2-hunter".to_vec());
        assert_eq!(answer, b"\xffyou sent ${secret:rota-token}, hunter2-hunter");
        assert!(!format!("{filled:?} {:?}", secrets()).contains("hunter2"));
    }

    #[test]
    fn each_of_several_secrets_is_taken_out() {
        let secrets: HeldSecrets = toml::from_str(
            "user = { value = \"maro-of-harbor\", hosts = [\"rota.example.com\"] }\n\
             token = { value = \"hunter2-hunter2\", hosts = [\"rota.example.com\"] }",
        )
        .unwrap();
        let url = Url::parse("https://rota.example.com/").unwrap();
        let filled = secrets.fill("${secret:user}:${secret:token}", &url).unwrap().unwrap();
        assert_eq!(filled.value.expose(), "maro-of-harbor:hunter2-hunter2");
        let answer = filled
            .used
            .iter()
            .fold(b"hunter2-hunter2, maro-of-harbor".to_vec(), |answer, used| used.take_out_of(answer));
        assert_eq!(answer, b"${secret:token}, ${secret:user}");
    }

    #[test]
    fn a_secret_in_a_file_is_read_for_each_request() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rota");
        let toml = format!("rota = {{ file = {path:?}, hosts = [\"rota.example.com\"] }}");
        let secrets: HeldSecrets = toml::from_str(&toml).unwrap();
        let url = Url::parse("https://rota.example.com/").unwrap();
        let fill = || secrets.fill("Bearer ${secret:rota}", &url);
        let Err(Unfilled::Unreadable(missing)) = fill() else { panic!("there is none") };
        assert!(missing.problem.starts_with("can't be read: ") && missing.file == path, "{missing:?}");
        assert_eq!(secrets.unreadable(), [missing]);
        for (content, expected) in
            [("first-secret\n", "Bearer first-secret"), ("\u{feff}its-successor\r\n", "Bearer its-successor")]
        {
            std::fs::write(&path, content).unwrap();
            assert_eq!(fill().unwrap().unwrap().value.expose(), expected);
        }
        assert!(secrets.unreadable().is_empty());
        std::fs::write(&path, "hush").unwrap();
        let Err(Unfilled::Unreadable(short)) = fill() else { panic!("it's too short") };
        assert!(short.problem.starts_with("can't be used: ") && !short.problem.contains("hush"), "{short:?}");
        // Only for its hosts is it read at all.
        let other = secrets.fill("${secret:rota}", &Url::parse("https://evil.example.com/").unwrap());
        assert_eq!(other, Err(Unfilled::OtherHost("rota".to_owned())));
    }

    #[test]
    fn what_cannot_be_a_secret_is_refused_without_being_shown() {
        for toml in [
            "a = { value = \"short\", hosts = [] }",
            "a = { value = \"two\\nlines-of-text\", hosts = [] }",
            "a = { value = \" leading-space\", hosts = [] }",
            "\"a b\" = { value = \"long-enough\", hosts = [] }",
            "a = { value = \"long-enough\" }",
            "a = { hosts = [] }",
            "a = { value = \"long-enough\", file = \"/run/secrets/a\", hosts = [] }",
            "a = { file = \"secrets/a\", hosts = [] }",
            "a = { value = \"long-enough\", hosts = [\"10.0.0.1\"] }",
        ] {
            let error = toml::from_str::<HeldSecrets>(toml).unwrap_err().message().to_owned();
            for secret in ["short", "lines-of-text", "leading-space", "long-enough"] {
                assert!(!error.contains(secret), "{error}");
            }
        }
    }
}
