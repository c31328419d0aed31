mod mistakes;
mod risky_settings;

use std::{collections::BTreeMap, fs, path::PathBuf, time::Duration};

use maro_access::role_settings::Member;
use maro_domain::ids::TeamId;

use super::*;

pub(super) const REQUIRED: [(&str, &str); 5] = [
    ("SLACK_SIGNING_SECRET", "s3cret"),
    ("SLACK_BOT_TOKEN", "xoxb-1"),
    ("JIRA_BASE_URL", "https://example.atlassian.net/"),
    ("JIRA_EMAIL", "bot@example.com"),
    ("JIRA_API_TOKEN", "t0ken"),
];

/// The required settings with `changes` applied. An empty value removes a variable.
fn load(changes: &[(&str, &str)], file: &str) -> Result<Config, ConfigError> {
    let mut environment: BTreeMap<String, String> =
        REQUIRED.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    for (key, value) in changes {
        environment.insert((*key).to_owned(), (*value).to_owned());
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("maro.toml");
    if !file.is_empty() {
        fs::write(&path, file).unwrap();
    }
    Config::from_sources(&environment, &path)
}

fn problem(changes: &[(&str, &str)], file: &str) -> String {
    load(changes, file).unwrap_err().to_string()
}

#[test]
fn what_is_not_set_has_its_default() {
    let config = load(&[("HOME", "/home/ada")], "").unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:3000");
    assert_eq!(config.database, DatabaseConfig::Sqlite { path: PathBuf::from("maro.db") });
    assert_eq!(config.plugins.dir, PathBuf::from("plugins"));
    assert_eq!(config.plugins.cache_dir, Some(PathBuf::from("/home/ada/.cache/maro")));
    assert!(!config.plugins.hot_reload);
    assert!(config.admins.is_empty());
    assert_eq!(config.slack.api_url.as_str(), "https://slack.com/api");
    assert_eq!(config.sync_interval, Duration::from_secs(300));
    let ConnectionsConfig { keep_alive, drain } = config.connections;
    assert_eq!((keep_alive.as_secs(), drain.as_secs()), (620, 5));
}

#[test]
fn the_environment_wins_over_the_file() {
    let file =
        "MARO_LISTEN = \"127.0.0.1:4000\"\nMARO_SYNC_INTERVAL_SECS = 60\nMARO_ADMINS = [\"U1\", \"W2\"]";
    let config = load(&[("MARO_LISTEN", "[::1]:5000")], file).unwrap();
    assert_eq!(config.listen.to_string(), "[::1]:5000");
    assert_eq!(config.sync_interval, Duration::from_secs(60));
    assert_eq!(config.admins.len(), 2);
}

#[test]
fn what_the_environment_takes_the_place_of_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("maro.toml");
    fs::write(
        &path,
        "MARO_LISTEN = \"[::1]:1\"\nMARO_LOG = \"info\"\nDATABASE_URL_FILE = \"/no/such\"\nJIRA_PAT = \"a\"",
    )
    .unwrap();
    let set = [
        ("MARO_LISTEN", "[::1]:2"),
        ("MARO_LOG", "info"),
        ("DATABASE_URL", "sqlite://a.db"),
        ("JIRA_PAT", " "),
    ];
    let environment = set.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let read = sources::read(&environment, &path);
    assert_eq!(read.overridden, ["DATABASE_URL_FILE", "MARO_LISTEN"]);
    assert_eq!((read.problems.len(), read.values.get("DATABASE_URL_FILE")), (0, None));
}

#[test]
fn the_file_has_tables_of_its_own() {
    let file = "MARO_ADMINS = [\"U1\", \"T1/U2\"]\n[access]\nprojects = [\"SCRUM\"]\n[access.channel.C1]\n\
                projects = []\n[roles]\ntrack = [\"admins\"]";
    let config = load(&[], file).unwrap();
    assert!(config.access.projects.unwrap().contains("SCRUM"));
    assert_eq!(config.access.channel.len(), 1);
    assert_eq!(config.roles.track, [Member::Admins]);
    let teams: Vec<_> = config.admins.iter().map(|admin| admin.foreign_team.as_ref()).collect();
    assert_eq!(teams, [None, Some(&TeamId::parse("T1").unwrap())]);
    for (file, expected) in [
        ("[access]\nproject = []", "[access] in maro.toml: unknown field `project`, expected"),
        ("[roles]\ntrack = [\"ada\"]", "[roles] in maro.toml: \"ada\" must be \"everyone\""),
        ("access = 7", "access in maro.toml must be one table: a line [access], and its settings below."),
        ("[[access]]\nprojects = []", "access in maro.toml must be one table"),
        (
            "[access]\nprojects = \"OPS\"",
            "expected a list in brackets, as in [\"a\", \"b\"], not text, in `projects`.",
        ),
        ("[access]\nshared-channels = 5", "shared-channels must be \"deny\" or a list of projects"),
        (
            "[roles]\ntrack = []\nMARO_ADMINS = \"U1\"",
            "MARO_ADMINS in maro.toml belongs to the table [roles] where it is: move it above the tables.",
        ),
        ("[rules]\ntrack = []", "rules in "),
    ] {
        let problem = problem(&[], file);
        assert!(problem.contains(expected), "{problem}");
    }
}

#[test]
fn a_value_that_is_no_text_is_named_and_not_replaced_by_the_default() {
    // `Config::load` passes on invalid UTF-8 like this.
    for key in ["DATABASE_URL", "SLACK_SIGNING_SECRET"] {
        assert_eq!(
            problem(&[(key, "\u{fffd}\u{fffd}")], "").lines().next(),
            Some(&*format!("{key} in the environment isn't valid UTF-8."))
        );
    }
}

#[test]
fn the_database_can_be_in_a_file_that_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("url");
    fs::write(&file, "postgres://maro:first@db-a,db-b/maro\n").unwrap();
    let settings = [
        ("DATABASE_URL_FILE", file.to_str().unwrap()),
        ("MARO_DATABASE_CONNECTIONS", "25"),
        ("MARO_DATABASE_POOLER", "transaction"),
    ];
    let DatabaseConfig::Postgres(config) = load(&settings, "").unwrap().database else {
        panic!("not PostgreSQL")
    };
    assert!(config.is_pooled);
    assert_eq!(config.connections.get(), 25);
    fs::write(&file, "postgres://maro:second@db-a,db-b/maro\n").unwrap();
    assert!(config.url.read().unwrap().expose().contains("second"));

    fs::write(&file, "sqlite://elsewhere.db").unwrap();
    let config = load(&settings[..1], "").unwrap();
    assert_eq!(config.database, DatabaseConfig::Sqlite { path: PathBuf::from("elsewhere.db") });
    let both = problem(&[settings[0], ("DATABASE_URL", "sqlite://maro.db")], "");
    assert_eq!(both, "DATABASE_URL and DATABASE_URL_FILE are both set: remove one of them.");
}

#[test]
fn a_missing_value_is_named_in_a_sentence() {
    for (key, _) in REQUIRED {
        let problem = problem(&[(key, "")], "");
        assert!(problem.starts_with(key) && problem.contains("missing"), "{key}: {problem}");
    }
    let problem = problem(&[("JIRA_EMAIL", ""), ("JIRA_API_TOKEN", "")], "");
    assert!(problem.contains("JIRA_PAT"), "{problem}");
}

#[test]
fn an_unknown_key_is_named_with_the_nearest() {
    assert_eq!(
        problem(&[("MARO_LISTEM", "x")], ""),
        "MARO_LISTEM in the environment isn't a MARO setting. Did you mean MARO_LISTEN?"
    );
    let in_file = problem(&[], "JIRA_URL = \"x\"");
    assert!(
        in_file.starts_with("JIRA_URL in ") && in_file.ends_with("Did you mean JIRA_BASE_URL?"),
        "{in_file}"
    );
    assert!(load(&[("JIRA_HOME", "/opt/jira")], "").is_ok(), "other programs have variables too");
    let in_file = problem(&[], "MARO_FOO = \"x\"");
    assert!(in_file.ends_with("isn't a MARO setting."), "nobody else writes that file: {in_file}");
}

#[test]
fn a_variable_that_is_no_slip_keeps_nobody_from_starting() {
    let others =
        [("MARO_FOO", "x"), ("MARO_PORT", "tcp://10.43.7.21:80"), ("MARO_PLUGINS_SERVICE_HOST", "10.43.7.2")];
    assert!(load(&others, "").is_ok());
    let environment =
        others.iter().chain(&REQUIRED).map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let ignored = sources::ignored(&environment.collect());
    assert_eq!(ignored.iter().map(|variable| variable.name.as_str()).collect::<Vec<_>>(), ["MARO_FOO"]);
}

#[test]
fn every_problem_is_told_at_once() {
    let problems = load(&[("SLACK_BOT_TOKEN", ""), ("MARO_LISTEN", "x")], "X = 1").unwrap_err().0;
    assert_eq!(problems.len(), 3, "{problems:?}");
}

#[test]
fn socket_mode_needs_no_signing_secret() {
    let config = load(&[("SLACK_SIGNING_SECRET", ""), ("SLACK_APP_TOKEN", "xapp-1")], "").unwrap();
    assert!(config.slack.signing_secret.is_none());
}

#[test]
fn no_secret_shows() {
    let config =
        load(&[("DATABASE_URL", "postgres://maro:p4ssword@db/maro"), ("JIRA_WEBHOOK_SECRET", "w3bhook")], "");
    let shown = format!("{:?}", config.unwrap());
    for secret in ["s3cret", "xoxb-1", "t0ken", "p4ssword", "w3bhook"] {
        assert!(!shown.contains(secret), "{secret} shows in {shown}");
    }
    let broken_file = problem(&[], "SLACK_BOT_TOKEN = \"xoxb-s3cret");
    assert!(broken_file.contains("line 1") && !broken_file.contains("xoxb"), "{broken_file}");
    let deep = problem(&[], &format!("MARO_LOG = \"info\"\nX = {}", "[".repeat(33)));
    assert!(deep.contains("maro.toml nests more than 32 levels near line 2."), "{deep}");
    let broken_url = problem(&[("DATABASE_URL", "mysql://maro:p4ssword@db/maro")], "");
    assert!(!broken_url.contains("p4ssword"), "{broken_url}");
}

#[test]
fn each_kind_of_credentials_for_jira_is_whole_and_alone() {
    let none = [("JIRA_EMAIL", ""), ("JIRA_API_TOKEN", "")];
    let with = |more: &[(&'static str, &'static str)]| [none.as_slice(), more].concat();
    for whole in [
        [("JIRA_CLIENT_ID", "id"), ("JIRA_CLIENT_SECRET", "s3cret word")],
        [("JIRA_USER", "maro"), ("JIRA_PASSWORD", "pa:ss word")],
    ] {
        let config = load(&with(&whole), "").unwrap();
        let shown = format!("{config:?}");
        assert!(!shown.contains("s3cret") && !shown.contains("pa:ss"), "{shown}");
        for (key, _) in whole {
            let half: Vec<_> = whole.into_iter().filter(|(other, _)| *other != key).collect();
            let problem = problem(&with(&half), "");
            assert!(problem.starts_with(&format!("{key} is missing")), "{problem}");
        }
        let both = problem(&whole, "");
        assert!(both.starts_with("More than one kind of credentials for Jira is set"), "{both}");
    }
    assert!(problem(&with(&[("JIRA_USER", "a:b"), ("JIRA_PASSWORD", "x")]), "").contains("colon"));
}

#[test]
fn secrets_may_be_in_files_and_the_environment_wins_there_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    fs::write(&path, " xoxb-from-file\n").unwrap();
    let path = path.to_str().unwrap();
    let token = |changes: &[(&str, &str)], file: &str| {
        load(changes, file).map(|config| config.slack.bot_token.expose().to_owned())
    };
    let in_file = [("SLACK_BOT_TOKEN", ""), ("SLACK_BOT_TOKEN_FILE", path)];
    assert_eq!(token(&in_file, "").unwrap(), "xoxb-from-file");
    assert_eq!(token(&in_file, "SLACK_BOT_TOKEN = \"xoxb-2\"").unwrap(), "xoxb-from-file");
    assert_eq!(token(&[], &format!("SLACK_BOT_TOKEN_FILE = {path:?}")).unwrap(), "xoxb-1");
    let both = problem(&[("SLACK_BOT_TOKEN_FILE", path)], "");
    assert_eq!(both, "SLACK_BOT_TOKEN and SLACK_BOT_TOKEN_FILE are both set: remove one of them.");
    let missing = problem(&[("SLACK_BOT_TOKEN", ""), ("SLACK_BOT_TOKEN_FILE", "/no/such")], "");
    assert!(
        missing.starts_with("SLACK_BOT_TOKEN_FILE names the file /no/such, which can't be read"),
        "{missing}"
    );
    for key in ["SLACK_BOT_TOKEN_FILE", "DATABASE_URL_FILE", "MARO_CA_FILE", "JIRA_CLIENT_CERT_FILE"] {
        let said = problem(&[("SLACK_BOT_TOKEN", ""), (key, "/dev/null")], "");
        let wanted =
            format!("{key} names the file /dev/null, which can't be read: it's a device, not a file.");
        assert!(said.contains(&wanted), "{said}");
    }
}

#[test]
fn the_way_out_is_checked_and_its_password_repeated_nowhere() {
    for (changes, expected) in [
        ([("MARO_HTTPS_PROXY", "u:s3cretword@proxy"), ("MARO_NO_PROXY", "")], "MARO_HTTPS_PROXY must be"),
        ([("MARO_HTTPS_PROXY", ""), ("MARO_NO_PROXY", "a.example:8443")], "MARO_NO_PROXY must be"),
        ([("MARO_CA_FILE", "/no/such"), ("MARO_NO_PROXY", "")], "MARO_CA_FILE names the file /no/such"),
        ([("JIRA_CLIENT_CERT_FILE", "/no/such"), ("MARO_NO_PROXY", "")], "JIRA_CLIENT_CERT_FILE names"),
        ([("JIRA_HEADERS", "a: b\ns3cretword"), ("MARO_NO_PROXY", "")], "line 2 isn't"),
        ([("JIRA_API_URL", "ftp://x"), ("MARO_NO_PROXY", "")], "JIRA_API_URL must be"),
    ] {
        let problem = problem(&changes, "");
        assert!(problem.contains(expected) && !problem.contains("s3cretword"), "{problem}");
    }
    let proxy = [
        ("MARO_HTTPS_PROXY", "http://u:s3cretword@proxy:3128"),
        ("MARO_NO_PROXY", "corp.example, 10.0.0.0/8"),
    ];
    let config = load(&proxy, "").unwrap();
    assert!(!format!("{config:?}").contains("s3cretword"), "{config:?}");
    let way = |url: &str| config.network().way_to(&url.parse().unwrap()).to_string();
    assert_eq!(way("https://slack.com/api"), "through the proxy proxy:3128");
    assert_eq!(way("https://jira.corp.example"), "directly");
}

#[test]
fn what_editors_and_shells_add_is_no_part_of_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let file = path.to_str().unwrap();
    for text in ["xoxb-1", "xoxb-1\r\n", "\u{feff}xoxb-1\n", "\n  xoxb-1  \n\n"] {
        fs::write(&path, text).unwrap();
        let config = load(&[("SLACK_BOT_TOKEN", ""), ("SLACK_BOT_TOKEN_FILE", file)], "").unwrap();
        assert_eq!(config.slack.bot_token.expose(), "xoxb-1", "{text:?}");
    }
    for text in ["", "\r\n", "\u{feff}\n"] {
        fs::write(&path, text).unwrap();
        for key in ["SLACK_BOT_TOKEN", "DATABASE_URL"] {
            let problem = problem(&[(key, ""), (&format!("{key}_FILE"), file)], "");
            assert!(
                problem.contains(&format!("{key}_FILE names the file {file}, which is empty.")),
                "{problem}"
            );
            assert!(!problem.contains("is missing"), "{problem}");
        }
    }
    fs::write(&path, "\u{feff}postgres://maro@db.example.com/maro\r\n").unwrap();
    let config = load(&[("DATABASE_URL_FILE", file)], "").unwrap();
    let DatabaseConfig::Postgres(postgres) = config.database else { panic!("it is PostgreSQL") };
    assert_eq!(postgres.url.read().unwrap().expose(), "postgres://maro@db.example.com/maro");
    // As `docker run --env-file` leaves them.
    for quoted in ["\"xoxb-1\"", "'xoxb-1'"] {
        let problem = problem(&[("SLACK_BOT_TOKEN", quoted)], "");
        assert!(problem.contains("SLACK_BOT_TOKEN begins and ends with a quotation mark"), "{problem}");
    }
}

#[test]
fn a_page_of_jira_cloud_stands_for_its_site() {
    for page in ["/", "/jira/software/projects/SCRUM/boards/1", "/browse/SCRUM-1"] {
        let url = format!("https://example.atlassian.net{page}");
        let config = load(&[("JIRA_BASE_URL", &url)], "").unwrap();
        assert_eq!(config.jira.base_url.as_str(), "https://example.atlassian.net/");
    }
    // Data Center may be below a path.
    let config = load(&[("JIRA_BASE_URL", "https://example.com/jira")], "").unwrap();
    assert_eq!(config.jira.base_url.as_str(), "https://example.com/jira");
}
