//! What people do by mistake: names that are nearly right, quotation marks, placeholders.

use super::{load, problem};
use crate::config::sources;
use maro_jira::config::ExtraHeaders;

#[test]
fn a_variable_that_is_nearly_a_setting_is_named_and_keeps_nobody_from_starting() {
    for (key, expected) in [
        ("JIRA_URL", Some("JIRA_BASE_URL")),
        ("JIRA_EMAIL_FILE", Some("JIRA_EMAIL")),
        ("JIRA_CLIENT_ID_FILE", Some("JIRA_CLIENT_ID")),
        ("SLACK_SIGNING_SECRETS", Some("SLACK_SIGNING_SECRET")),
        ("DATABASE_URI", Some("DATABASE_URL")),
        ("DATABASE_URL_FILES", Some("DATABASE_URL_FILE")),
        ("JIRA_PAT_FIL", Some("JIRA_PAT_FILE")),
        ("MARO_ROLES", Some("[roles] is a table of maro.toml")),
        ("MARO_ACCESS_PROJECTS", Some("[access] is a table of maro.toml")),
        ("JIRA_HOME", None),
        ("SLACK_WEBHOOK_URL", None),
        ("DATABASE_HOST", None),
    ] {
        assert!(load(&[(key, "x")], "").is_ok(), "{key}");
        let ignored = sources::ignored(&[(key.to_owned(), "x".to_owned())].into());
        let fix = ignored.first().map(|variable| variable.fix.as_str());
        match expected {
            Some(expected) => assert!(fix.is_some_and(|fix| fix.contains(expected)), "{key}: {fix:?}"),
            None => assert_eq!(fix, None, "{key}"),
        }
    }
}

#[test]
fn quotation_marks_and_placeholders_are_named() {
    let none = [("JIRA_EMAIL", ""), ("JIRA_API_TOKEN", "")];
    for (key, mut others) in [
        ("SLACK_SIGNING_SECRET", vec![]),
        ("SLACK_SIGNING_SECRET_PREVIOUS", vec![]),
        ("JIRA_EMAIL", vec![]),
        ("JIRA_BASE_URL", vec![]),
        ("DATABASE_URL", vec![]),
        ("MARO_PLUGINS_DIR", vec![]),
        ("JIRA_CLIENT_ID", [none.as_slice(), &[("JIRA_CLIENT_SECRET", "s")]].concat()),
        ("JIRA_CLIENT_SECRET", [none.as_slice(), &[("JIRA_CLIENT_ID", "s")]].concat()),
        ("JIRA_USER", [none.as_slice(), &[("JIRA_PASSWORD", "s")]].concat()),
    ] {
        others.push((key, "\"maro@harbor.example\""));
        let problem = problem(&others, "");
        assert!(problem.starts_with(&format!("{key} begins and ends with a quotation mark")), "{problem}");
    }
    let password = [none.as_slice(), &[("JIRA_USER", "maro"), ("JIRA_PASSWORD", "'p'")]].concat();
    for (changes, key) in
        [(password, "JIRA_PASSWORD"), (vec![("JIRA_WEBHOOK_SECRET", "\"w\"")], "JIRA_WEBHOOK_SECRET")]
    {
        let warned = load(&changes, "").unwrap().exposures_with(std::path::Path::new("/no/such"));
        assert!(warned.iter().any(|exposure| exposure.what.starts_with(key)), "{warned:?}");
    }
    let config =
        load(&[("SLACK_BOT_TOKEN", "xoxb-replace-me"), ("JIRA_API_TOKEN", "replace-me")], "").unwrap();
    assert_eq!(config.placeholders(), ["SLACK_BOT_TOKEN", "JIRA_API_TOKEN"]);
    assert_eq!(load(&[], "").unwrap().placeholders(), [""; 0]);
}

#[test]
fn a_secret_is_a_single_line() {
    for (key, value) in [("SLACK_SIGNING_SECRET", "one\ntwo"), ("JIRA_WEBHOOK_SECRET", "one\r\ntwo")] {
        assert_eq!(problem(&[(key, value)], ""), format!("{key} has more than one line."));
    }
    assert!(load(&[("SLACK_SIGNING_SECRET", "one\n"), ("JIRA_HEADERS", "X-A: a\nX-B: b")], "").is_ok());
}

#[test]
fn a_line_of_a_file_of_variables_is_no_value() {
    for (key, value) in [
        ("SLACK_SIGNING_SECRET", "SLACK_SIGNING_SECRET=s3cret"),
        ("DATABASE_URL", "export DATABASE_URL=\"sqlite://maro.db\""),
        ("MARO_LISTEN", "MARO_LISTEN = 127.0.0.1:3000"),
    ] {
        let problem = problem(&[(key, value)], "");
        let expected = format!("{key} begins with its own name: leave out {key}=.");
        assert!(problem.contains(&expected), "{problem}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    let file = path.to_str().unwrap();
    for (key, content, expected) in [
        ("SLACK_SIGNING_SECRET", "SLACK_SIGNING_SECRET=s3cret\n", "begins with its own name"),
        ("SLACK_SIGNING_SECRET", "'s3cret'", "begins and ends with a quotation mark"),
        ("SLACK_SIGNING_SECRET", "one\ntwo\n", "has more than one line."),
        ("DATABASE_URL", "\"sqlite://maro.db\"\n", "begins and ends with a quotation mark"),
        ("DATABASE_URL", "DATABASE_URL=sqlite://maro.db\n", "begins with its own name"),
    ] {
        std::fs::write(&path, content).unwrap();
        let problem = problem(&[(key, ""), (&format!("{key}_FILE"), file)], "");
        let expected = format!("{key}_FILE names the file {file}, whose content {expected}");
        assert!(problem.starts_with(&expected) && !problem.contains("s3cret"), "{problem}");
    }
}

#[test]
fn an_empty_variable_is_not_set_whatever_its_name() {
    assert!(load(&[("MARO_PLUGIN_DIR", ""), ("MARO_ADMIN", " ")], "").is_ok());
}

#[test]
fn what_belongs_into_a_table_and_tables_that_there_are_none_of_are_named() {
    for (file, expected) in [
        ("[Access]\nprojects = [\"OPS\"]", "Did you mean [access]?"),
        ("[acces]\nprojects = [\"OPS\"]", "Did you mean [access]?"),
        ("[role]\ntrack = [\"everyone\"]", "Did you mean [roles]?"),
        ("projects = [\"OPS\"]", "put it, as projects, below a line [access]."),
        ("shared_channels = \"deny\"", "put it, as shared-channels, below a line [access]."),
        ("track = [\"everyone\"]", "put it, as track, below a line [roles]."),
        ("[jira]\nbase_url = \"x\"", "there are no tables but [access] and [roles]"),
        ("[MARO_ADMINS]\nU1 = true", "must be a list of strings, each in quotation marks."),
        ("[JIRA_HEADERS]\nX-A = \"a\"", "must be a list of strings, each in quotation marks."),
        ("MARO_HOT_RELOAD = [true]", "must be a string, a whole number, true or false."),
        (
            "[access.channel]\nC024BE91L = [\"OPS\"]",
            "expected a table, not a list: a line [access.channel.C024BE91L]",
        ),
    ] {
        let problem = problem(&[], file);
        assert!(problem.contains(expected), "{file}: {problem}");
    }
}

#[test]
fn opentelemetrys_own_variables_are_obeyed_or_named() {
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
    assert!(load(&[endpoint], "").unwrap().traces.is_some());
    assert!(load(&[endpoint, ("OTEL_SDK_DISABLED", "true")], "").unwrap().traces.is_none());
    for (key, value, is_named) in [
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://collector:4318/v1/traces", true),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", true),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf", false),
    ] {
        let ignored = sources::ignored(&[(key.to_owned(), value.to_owned())].into());
        assert_eq!(!ignored.is_empty(), is_named, "{key}: {ignored:?}");
    }
}

#[test]
fn headers_of_a_list_are_lines() {
    let config = load(&[], "JIRA_HEADERS = [\"X-A: a, b\", \"X-B: b\"]").unwrap();
    assert_eq!(config.jira.headers, ExtraHeaders::parse("X-A: a, b\nX-B: b").unwrap());
}

#[test]
fn two_addresses_at_one_port_are_named() {
    let both =
        |operator: &str| load(&[("MARO_LISTEN", "127.0.0.1:3000"), ("MARO_OPERATOR_LISTEN", operator)], "");
    for same in ["127.0.0.1:3000", "0.0.0.0:3000", "[::]:3000"] {
        assert!(both(same).unwrap_err().to_string().contains("port 3000"), "{same}");
    }
    for other in ["127.0.0.1:3001", "127.0.0.2:3000", "[::1]:3000"] {
        assert!(both(other).is_ok(), "{other}");
    }
    // Listening for all of IPv4 takes nothing of IPv6.
    let all =
        |all: &str, operator: &str| load(&[("MARO_LISTEN", all), ("MARO_OPERATOR_LISTEN", operator)], "");
    assert!(all("0.0.0.0:3000", "[::1]:3000").is_ok());
    assert!(all("0.0.0.0:3000", "127.0.0.2:3000").is_err() && all("[::]:3000", "0.0.0.0:3000").is_err());
    assert!(load(&[("MARO_LISTEN", "127.0.0.1:0"), ("MARO_OPERATOR_LISTEN", "127.0.0.1:0")], "").is_ok());
}

#[test]
fn nothing_is_said_to_be_missing_in_a_file_that_is_not_toml() {
    let none = super::REQUIRED.map(|(key, _)| (key, ""));
    let problems = load(&none, "SLACK_BOT_TOKEN = xoxb-1\nMARO_LISTEN = \"0.0.0.0:8080\"\n").unwrap_err().0;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("maro.toml isn't valid TOML near line 1"), "{problems:?}");
}

#[test]
fn a_bad_value_is_named_in_a_sentence() {
    for (key, value) in [
        ("MARO_LISTEN", "localhost"),
        ("MARO_OPERATOR_LISTEN", "3001"),
        ("MARO_HOT_RELOAD", "perhaps"),
        ("MARO_ADMINS", "ada"),
        ("MARO_PLUGIN_CHANNEL", "#operations"),
        ("MARO_PLUGIN_CHANNEL", "U024BE7LH"),
        ("MARO_SYNC_INTERVAL_SECS", "0"),
        ("MARO_SYNC_INTERVAL_SECS", "soon"),
        ("MARO_DRAIN_SECS", "-1"),
        ("MARO_DRAIN_SECS", "601"),
        ("MARO_KEEP_ALIVE_SECS", "0"),
        ("MARO_LOG", "maro=loud"),
        ("MARO_LOG", "loud"),
        ("MARO_LOG", "info,loud"),
        ("MARO_LOG", "info;maro=debug"),
        ("MARO_LOG", "maro:debug"),
        ("MARO_LOG", "info,maro_bot:debug"),
        ("MARO_LOG", "marodebug"),
        ("MARO_LOG", "MARO=debug"),
        ("MARO_LOG", "marro=debug"),
        ("DATABASE_URL", "mysql://localhost/maro"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite://:memory:"),
        ("DATABASE_URL", "sqlite://maro.db?mode=memory"),
        ("DATABASE_URL", "sqlite://maro.db?mode=ro"),
        ("DATABASE_URL", "postgres://maro:4711#rose@db/maro"),
        ("DATABASE_URL_FILE", "/no/such/file"),
        ("MARO_DATABASE_CONNECTIONS", "0"),
        ("MARO_DATABASE_CONNECTIONS", "many"),
        ("MARO_DATABASE_POOLER", "session"),
        ("SLACK_BOT_TOKEN", "xoxb 1"),
        ("SLACK_API_URL", "ftp://slack.com"),
        ("JIRA_BASE_URL", "example.atlassian.net"),
        ("JIRA_BASE_URL", "https://user:pass@example.com"),
        ("JIRA_DEFAULT_PROJECT", "my project"),
        ("JIRA_EMAIL", "somebody"),
        ("JIRA_PAT", "both-kinds"),
    ] {
        let problem = problem(&[(key, value)], "");
        assert!(problem.starts_with(key) && problem.ends_with('.'), "{key}={value}: {problem}");
        assert_eq!(problem.lines().count(), 1, "{key}={value}: {problem}");
    }
}
