//! `NAME.toml` beside `NAME.wasm`: what the operator grants a plugin, how far, and its limits.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use serde::{Deserialize, Deserializer, de::Error as _};
use toml::{Spanned, Value};

use crate::policy::{
    functions::Function,
    grants::Grant,
    hosts::{AllowedHost, PrivateHost},
    limits::Limits,
    scopes::GrantScope,
    secrets::HeldSecrets,
};
use maro_domain::ids::UserId;
use maro_process::{
    toml_depth::{self, MAX_DEPTH},
    toml_problem,
};
use maro_texts as texts;

/// What the operator allows one plugin. Without the file, nothing is granted and all limits are the defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// `grants`: the capabilities.
    pub grants: Vec<Grant>,
    /// `sha256`: the only content that may run under this name, in lower-case hexadecimal.
    pub sha256: Option<String>,
    /// `[scope]`: how grants are narrowed.
    pub scope: BTreeMap<Grant, GrantScope>,
    /// `[settings]`: values for the plugin, which reads them through the capability of that name.
    pub settings: BTreeMap<String, String>,
    /// `[http] hosts`: where the capability `http` may go.
    pub hosts: Vec<AllowedHost>,
    /// `[http] private-hosts`: where it may go on this machine or a private network.
    pub private_hosts: Vec<PrivateHost>,
    /// `[secrets]`: what the host puts into requests.
    pub secrets: HeldSecrets,
    /// `[limits]`.
    pub limits: Limits,
    /// `buttons`: the commands of others that its buttons run without Slack showing them first.
    pub buttons: Vec<String>,
    /// `cases`: what happens to a version whose replies differ from the recorded ones.
    pub cases: CasesPolicy,
    /// `owners`: people of the bot's own workspace who may read of its faults, and are told of them.
    pub owners: Vec<UserId>,
}

/// What happens to a version whose replies differ from those recorded in `NAME.cases/`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CasesPolicy {
    /// It doesn't run; the earlier version keeps running.
    #[default]
    Refuse,
    /// It runs, with a warning.
    Warn,
}

/// The file as it is written.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Written {
    grants: Vec<Grant>,
    sha256: Option<Sha256Pin>,
    scope: BTreeMap<Spanned<Grant>, GrantScope>,
    settings: BTreeMap<String, Setting>,
    http: Option<Spanned<Http>>,
    secrets: Option<Spanned<HeldSecrets>>,
    limits: Limits,
    buttons: Vec<CommandName>,
    cases: CasesPolicy,
    owners: Vec<Owner>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Http {
    hosts: Vec<AllowedHost>,
    private_hosts: Vec<PrivateHost>,
}

struct Setting(String);

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Owner(UserId);

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Sha256Pin(String);

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct CommandName(String);

impl Manifest {
    /// Reads the text of a `NAME.toml`.
    ///
    /// # Errors
    /// A sentence that names the line, what is wrong there, and what to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(place) = toml_depth::too_deep_at(text) {
            return Err(at(text, Some(place..place), &texts::plugins::manifests::nested_too_deep(MAX_DEPTH)));
        }
        let written: Written = toml::from_str(text)
            .map_err(|error| at(text, error.span(), &toml_problem::without_value(error.message())))?;
        check_scopes(&written).map_err(|(span, problem)| at(text, Some(span), &problem))?;
        if let Some(problem) = written.limits.problem() {
            return Err(problem);
        }
        let http = written.http.map(Spanned::into_inner).unwrap_or_default();
        Ok(Self {
            grants: written.grants,
            sha256: written.sha256.map(|pin| pin.0),
            scope: written.scope.into_iter().map(|(grant, scope)| (grant.into_inner(), scope)).collect(),
            settings: written.settings.into_iter().map(|(name, setting)| (name, setting.0)).collect(),
            hosts: http.hosts,
            private_hosts: http.private_hosts,
            secrets: written.secrets.map(Spanned::into_inner).unwrap_or_default(),
            limits: written.limits,
            buttons: written.buttons.into_iter().map(|name| name.0).collect(),
            cases: written.cases,
            owners: written.owners.into_iter().map(|owner| owner.0).collect(),
        })
    }

    pub fn allows(&self, grant: Grant) -> bool {
        self.grants.contains(&grant)
    }

    /// Whether buttons of the plugin called `own` run a command without Slack showing it first: its own commands,
    /// and those that the operator lists.
    pub fn lets_buttons_run(&self, own: &str, command_name: &str) -> bool {
        let name = command_name.to_lowercase();
        name == own || self.buttons.contains(&name)
    }

    /// What the operator may not have meant, a sentence each, for a plugin that needs the `imported` grants.
    pub fn warnings(&self, imported: &[Grant], file: &str) -> Vec<String> {
        let unused = self.grants.iter().filter(|grant| !imported.contains(grant));
        let mut warnings: Vec<_> =
            unused.map(|grant| texts::plugins::manifests::unused_grant(grant.as_str(), file)).collect();
        if !self.settings.is_empty() && !self.allows(Grant::Settings) {
            warnings.push(texts::plugins::manifests::unreadable_settings(file));
        }
        if self.allows(Grant::Http) && self.hosts.is_empty() && self.private_hosts.is_empty() {
            warnings.push(texts::plugins::manifests::http_without_hosts(file));
        } else {
            let useless = self.secrets.without_host(&self.hosts, &self.private_hosts);
            warnings.extend(useless.map(|name| texts::plugins::manifests::secret_without_host(name, file)));
        }
        warnings
    }
}

/// Finds a scope that narrows nothing: the operator must have meant something else.
fn check_scopes(written: &Written) -> Result<(), (Range<usize>, String)> {
    for (key, scope) in &written.scope {
        let grant = *key.get_ref();
        if !written.grants.contains(&grant) {
            return Err((key.span(), texts::plugins::manifests::scope_without_grant(grant.as_str())));
        }
        if let Some((part, _)) = scope.parts.iter().find(|(part, _)| !part.is_of(grant)) {
            let functions: BTreeSet<_> = Function::of(grant).map(|function| function.name).collect();
            let functions: Vec<_> = functions.into_iter().collect();
            let problem = texts::plugins::manifests::no_such_part(grant.as_str(), part.as_str(), &functions);
            return Err((key.span(), problem));
        }
        for (place, scope) in scope.all(grant) {
            if scope.projects.is_some() && !matches!(grant, Grant::Jira | Grant::JiraEdit) {
                return Err((
                    key.span(),
                    texts::plugins::manifests::projects_of_other_grant(&place.to_string()),
                ));
            }
            if scope.only_in_channels.is_some() && !scope.not_in_channels.is_empty() {
                return Err((key.span(), texts::plugins::manifests::both_channel_lists(&place.to_string())));
            }
        }
    }
    if !written.grants.contains(&Grant::Http) {
        if let Some(http) = &written.http {
            return Err((http.span(), texts::plugins::manifests::HOSTS_WITHOUT_GRANT.to_owned()));
        }
        if let Some(secrets) = &written.secrets {
            return Err((secrets.span(), texts::plugins::manifests::SECRETS_WITHOUT_GRANT.to_owned()));
        }
    }
    Ok(())
}

/// A sentence about a place in the file.
fn at(text: &str, span: Option<Range<usize>>, problem: &str) -> String {
    let line = span.map_or(1, |span| text[..span.start].matches('\n').count() + 1);
    texts::plugins::manifests::in_line(line, problem)
}

impl TryFrom<String> for CommandName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_name = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        if !text.is_empty() && text.chars().all(is_name) {
            return Ok(Self(text));
        }
        Err(texts::plugins::manifests::not_a_command(&text))
    }
}

impl TryFrom<String> for Sha256Pin {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(Self(text.to_ascii_lowercase()));
        }
        Err(texts::plugins::manifests::NOT_A_SHA256.to_owned())
    }
}

impl TryFrom<String> for Owner {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let user = UserId::parse(&text).ok().filter(|user| user.as_str().starts_with(['U', 'W']));
        user.map(Self).ok_or_else(|| texts::plugins::manifests::not_a_user_id(&text))
    }
}

impl<'de> Deserialize<'de> for Setting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Value::deserialize(deserializer)? {
            Value::String(text) => text,
            Value::Integer(number) => number.to_string(),
            // With the decimal point that TOML requires: 1.0.
            Value::Float(number) => format!("{number:?}").to_lowercase(),
            Value::Boolean(is_true) => is_true.to_string(),
            Value::Datetime(time) => time.to_string(),
            Value::Array(_) | Value::Table(_) => {
                return Err(D::Error::custom(texts::plugins::manifests::NOT_A_SETTING));
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_references_example_is_as_operators_may_write_it() {
        let reference = include_str!("../../../../plugins/REFERENCE.md");
        let example = reference.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let manifest = Manifest::parse(example).unwrap();
        assert_eq!(manifest.cases, CasesPolicy::Refuse);
        assert_eq!(manifest.warnings(&manifest.grants, "count.toml"), [""; 0]);
    }

    #[test]
    fn nothing_is_granted_by_an_empty_file() {
        assert_eq!(Manifest::parse("").unwrap(), Manifest::default());
        assert!(Manifest::default().grants.is_empty());
    }

    #[test]
    fn what_would_overflow_the_parsers_stack_is_refused_before_it_is_parsed() {
        let key = vec!["a"; 60].join(".");
        let table = format!("{}1{}", format!("{{{key} = ").repeat(40), "}".repeat(40));
        assert_eq!(
            Manifest::parse(&format!("grants = []\n[settings]\n{key} = {table}\n")).unwrap_err(),
            "line 3: tables and lists are nested more than 32 levels deep"
        );
    }

    #[test]
    fn grants_and_limits_are_read() {
        let manifest =
            Manifest::parse("grants = [\"jira\", \"tracker-edit\"]\n[limits]\ncpu-ms = 50\n").unwrap();
        assert_eq!(manifest.grants, [Grant::Jira, Grant::TrackerEdit]);
        assert_eq!(manifest.limits, Limits { cpu_ms: 50, ..Limits::default() });
    }

    #[test]
    fn every_key_is_read() {
        let digest = "AB".repeat(32);
        let manifest = Manifest::parse(&format!(
            r#"
            grants = ["jira", "jira-edit", "tracker-edit", "settings", "http"]
            sha256 = "{digest}"
            owners = ["U07PRIYA03", "W012A3CDE"]
            [scope]
            jira.projects = ["SCRUM", "OPS"]
            jira-edit = {{ projects = ["OPS"], admins-only = true }}
            tracker-edit.not-in-channels = ["C0123"]
            [settings]
            text = "a b"
            whole = 7
            part = 1.0
            truth = true
            day = 2026-01-31
            [http]
            hosts = ["API.example.com", "*.example.org:8443"]
            "#
        ))
        .unwrap();
        assert_eq!(manifest.sha256, Some("ab".repeat(32)));
        assert!(manifest.scope[&Grant::Jira].whole.has_project("OPS"));
        assert!(!manifest.scope[&Grant::JiraEdit].whole.has_project("SCRUM"));
        assert!(manifest.scope[&Grant::JiraEdit].whole.admins_only);
        let settings: Vec<_> = manifest.settings.values().map(String::as_str).collect();
        assert_eq!(settings, ["2026-01-31", "1.0", "a b", "true", "7"]);
        assert_eq!(manifest.hosts.len(), 2);
        let owners: Vec<_> = manifest.owners.iter().map(UserId::as_str).collect();
        assert_eq!(owners, ["U07PRIYA03", "W012A3CDE"]);
    }

    #[test]
    fn a_scope_may_narrow_parts_of_a_grant() {
        let manifest = Manifest::parse(
            r#"
            grants = ["storage", "jira-edit", "http"]
            [scope]
            storage.not-in-channels = ["C0123"]
            storage.writing.admins-only = true
            storage.set-expiring.only-in-channels = ["C0456"]
            http = { reading = {}, writing = { admins-only = true } }
            [scope.jira-edit.comment]
            projects = ["OPS"]
            "#,
        )
        .unwrap();
        let narrowing = |function: Function| -> Vec<String> {
            let scope = &manifest.scope[&function.grant];
            scope.of(function).map(|(place, _)| place.to_string()).collect()
        };
        assert_eq!(narrowing(Function::GET_VALUE), ["storage"]);
        assert_eq!(narrowing(Function::ADD), ["storage", "storage.writing"]);
        assert_eq!(narrowing(Function::SET_EXPIRING), ["storage", "storage.set-expiring", "storage.writing"]);
        assert_eq!(narrowing(Function::SEND_READING), ["http", "http.reading"]);
        assert_eq!(narrowing(Function::SEND_WRITING), ["http", "http.writing"]);
        assert_eq!(narrowing(Function::COMMENT), ["jira-edit", "jira-edit.comment"]);
        assert_eq!(narrowing(Function::CREATE), ["jira-edit"]);
    }

    #[test]
    fn a_secret_that_is_written_wrongly_is_not_shown() {
        for secrets in [
            "[secrets]\nkey = \"s3cr3t-4711\"",
            "[secrets]\nkey = 4711",
            "[secrets]\nkey = { value = 4711, hosts = [\"api.example.com\"] }",
            "[secrets]\nkey = { value = [\"s3cr3t-4711\"], hosts = [\"api.example.com\"] }",
            "[secrets]\nkey = { file = 4711, hosts = [\"api.example.com\"] }",
            "[secrets]\nkey = { value = \"s3cr3t-4711\", hosts = \"4711\" }",
            "[secrets]\nkey = { value = \"s3cr3t-4711\", hosts = [4711] }",
            "[secrets]\nkey = s3cr3t-4711",
            "[secrets]\nkey = \"s3cr3t-4711",
            "[secrets]\nkey = { value = \"s3cr3t-4711\", hosts = [",
            "secrets = \"s3cr3t-4711\"",
            "secrets = [\"s3cr3t-4711\"]",
            "secrets = 4711",
        ] {
            let error = Manifest::parse(&format!("grants = [\"http\"]\n{secrets}")).unwrap_err();
            assert!(error.starts_with("line ") && !error.contains("4711"), "{secrets}: {error}");
        }
        let error = Manifest::parse("grants = [\"http\"]\n[secrets]\nkey = \"s3cr3t-4711\"").unwrap_err();
        assert!(error.starts_with("line 3: expected a table, as in { file = "), "{error}");
    }

    #[test]
    fn a_mistake_is_named_with_its_line_and_its_cure() {
        for (text, expected) in [
            ("\ngrants = [\"everything\"]", "line 2: unknown variant `everything`, expected one of `jira`"),
            ("grant = []", "line 1: unknown field `grant`, expected one of `grants`"),
            ("[limits]\ncpu-ms = 0", "limit cpu-ms must be from 1 to 60000, not 0"),
            ("[limits]\nmemory-mib = 4096", "limit memory-mib must be from 1 to 256, not 4096"),
            ("grants = ", "line 1: "),
            ("buttons = [\"/maro untrack\"]", "line 1: \"/maro untrack\" isn't the name of a command"),
            ("sha256 = \"12\"", "line 1: sha256 must be 64 hexadecimal digits: `sha256sum NAME.wasm`"),
            ("[settings]\nlist = [1]", "line 2: a setting must be a string, a number, true or false"),
            ("owners = [\"@priya\"]", "line 1: \"@priya\" isn't a user ID: copy the member ID"),
            ("owners = [\"C024BE91L\"]", "line 1: \"C024BE91L\" isn't a user ID"),
            ("owners = \"U1\"", "line 1: expected a list in brackets, as in [\"a\", \"b\"], not text"),
            ("\n[http]\nhosts = [\"example.com\"]", "line 2: http has hosts but isn't granted"),
            (
                "grants = [\"http\"]\n[http]\nhosts = [\"https://example.com/\"]",
                "line 3: \"https://example.com/\" isn't a host: write",
            ),
            (
                "grants = [\"http\"]\n[http]\nhosts = [\"localhost\"]",
                "line 3: \"localhost\" leads to this machine or a private network: to allow it, list it under \
                 `private-hosts` in [http]",
            ),
            (
                "grants = [\"http\"]\n[secrets]\na = { value = \"short\", hosts = [] }",
                "line 3: the value of a secret must have 8 to 4096",
            ),
            (
                "[secrets]\na = { value = \"long-enough\", hosts = [] }",
                "line 1: there are secrets, but http isn't granted",
            ),
            (
                "grants = [\"http\"]\n[http]\nprivate-hosts = [\"*.internal\"]",
                "line 3: \"*.internal\" isn't a private host: write each by its name",
            ),
        ] {
            assert_problem(text, expected);
        }
    }

    #[test]
    fn a_mistake_in_a_scope_is_named_with_its_line_and_its_cure() {
        for (text, expected) in [
            (
                "grants = [\"tracker\"]\n[scope]\njira.projects = [\"SCRUM\"]",
                "line 3: jira has a scope but isn't granted: add \"jira\" to `grants` or remove its scope",
            ),
            (
                "grants = [\"tracker\"]\n[scope]\ntracker.projects = [\"SCRUM\"]",
                "line 3: only jira and jira-edit have projects",
            ),
            (
                "grants = [\"jira\"]\n[scope]\njira.project = []",
                "line 3: `project` isn't a scope key or a function",
            ),
            (
                "grants = [\"jira\"]\n[scope]\njira.projects = [\"scrum\"]",
                "line 3: \"scrum\" isn't a project key: write it as Jira does, in capitals",
            ),
            (
                "grants = [\"jira\"]\n[scope]\njira.not-in-channels = [\"#general\"]",
                "line 3: \"#general\" isn't a channel ID: copy the ID",
            ),
            (
                "grants = [\"jira\"]\n[scope.jira]\nonly-in-channels = [\"C1\"]\nnot-in-channels = [\"C2\"]",
                "line 2: jira has both only-in-channels and not-in-channels",
            ),
            ("[scope]\nlog.admins-only = true", "line 2: unknown variant `log`"),
            (
                "grants = [\"storage\"]\n[scope]\nstorage.admin-only = true",
                "line 3: `admin-only` isn't a scope key or a function: use projects,",
            ),
            (
                "grants = [\"storage\"]\n[scope]\nstorage.set.admin-only = true",
                "line 3: unknown field `admin-only`",
            ),
            (
                "grants = [\"storage\"]\n[scope]\nstorage.track.admins-only = true",
                "line 3: storage has no function track: it has add, delete, get, list-keys, set, set-expiring, swap",
            ),
            (
                "grants = [\"clock\"]\n[scope]\nclock.writing.admins-only = true",
                "line 3: clock has no function that writes: it has now",
            ),
            (
                "grants = [\"storage\"]\n[scope]\nstorage.set.projects = [\"SCRUM\"]",
                "line 3: only jira and jira-edit have projects: remove `storage.set.projects`",
            ),
            (
                "grants = [\"storage\"]\n[scope.storage.get]\nonly-in-channels = [\"C1\"]\nnot-in-channels = [\"C2\"]",
                "storage.get has both only-in-channels and not-in-channels",
            ),
        ] {
            assert_problem(text, expected);
        }
    }

    fn assert_problem(text: &str, expected: &str) {
        let problem = Manifest::parse(text).unwrap_err();
        assert!(problem.contains(expected), "{problem:?} does not contain {expected:?}");
    }

    #[test]
    fn what_may_not_be_meant_is_a_warning() {
        let manifest = Manifest::parse("grants = [\"jira\", \"http\"]\n[settings]\nteam = \"blue\"").unwrap();
        assert_eq!(
            manifest.warnings(&[Grant::Http], "x.toml"),
            [
                "it's granted jira but never uses it: remove \"jira\" from `grants` in x.toml",
                "it can't read its [settings]: add \"settings\" to `grants` in x.toml",
                "it's granted http but can't contact any host: list `hosts` under [http] in x.toml",
            ]
        );
        assert_eq!(Manifest::default().warnings(&[], "x.toml"), [""; 0]);
    }
}
