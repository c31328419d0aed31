//! What operators measure, and what the guide for operators says about it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    time::Duration,
};

use maro_process::metrics::{
    Metrics,
    commands::{CountedOutcome, Latency},
};

use crate::{
    bot::{TestBot, server::http::text},
    built_components::PluginsFolder,
    structure::root,
};

/// The names of metrics, each with the names of its labels.
type Names = BTreeMap<String, BTreeSet<String>>;

/// What is in an answer of `/metrics`.
fn names_in(metrics: &str) -> Names {
    let histograms: Vec<&str> =
        metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" histogram")).collect();
    let mut names = Names::new();
    for line in metrics.lines().filter(|line| !line.starts_with('#')) {
        let (name, rest) = line.split_once(['{', ' ']).unwrap();
        let histogram = histograms.iter().find(|histogram| name.starts_with(*histogram));
        let labels = rest.split_once('}').map_or("", |(labels, _)| labels);
        // No value has a comma.
        let labels = labels.split(',').filter_map(|label| label.split_once('=')).map(|(label, _)| label);
        let of_name = names.entry(histogram.copied().unwrap_or(name).to_owned()).or_default();
        of_name.extend(labels.filter(|label| *label != "le").map(str::to_owned));
    }
    names
}

/// What the table in the guide for operators lists.
fn documented() -> Names {
    let guide = fs::read_to_string(root().join("host/OPERATING.md")).unwrap();
    let rows = guide.lines().filter(|line| line.starts_with("| `maro_"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let quoted = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
        (quoted(cells[1]).remove(0), quoted(cells[2]).into_iter().collect())
    })
    .collect()
}

#[test]
fn the_guide_lists_every_metric_with_its_labels() {
    let metrics = Metrics::new();
    let subcommand = metrics.commands.of("track");
    subcommand.count(CountedOutcome::Replied);
    subcommand.observe(Latency::default());
    metrics.request_rejected("signature");
    metrics.late_reply("delivered");
    metrics.set_breakers([("track", false)].into_iter());
    metrics.plugin_reload("loaded");
    metrics.plugin_versions.set([("track", "4f9a0c21d88e", "0.1.0")].into_iter());
    metrics.intent("create", "done");
    metrics.set_open_intents(Some(&[("under_1m", 1)]));
    metrics.credentials.set_jira(Some(Duration::from_secs(3_600)));
    metrics.set_database_connections(&[("idle", 1)]);
    metrics.set_slack_sockets(2, 2);
    for calls in [&metrics.database, &metrics.jira.calls, &metrics.slack] {
        calls.ended("a call", "ok", Duration::ZERO);
    }
    metrics.jira.breakers.set("a call", false);
    assert_eq!(names_in(&metrics.render()), documented());
}

/// The metrics that queries name, each with the labels that they choose by.
fn queried(text: &str) -> Names {
    let mut names = Names::new();
    for (start, _) in text.match_indices("maro_") {
        let text = &text[start..];
        let end = text.find(|character: char| !character.is_ascii_alphanumeric() && character != '_');
        let (name, rest) = text.split_at(end.unwrap_or(text.len()));
        let name =
            ["_bucket", "_sum", "_count"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name);
        let labels =
            rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).map_or("", |(labels, _)| labels);
        let of_name = names.entry(name.to_owned()).or_default();
        // Prometheus itself adds `instance`.
        let chosen = labels.split(',').filter_map(|label| label.split_once(['=', '!']));
        of_name.extend(chosen.map(|(label, _)| label.to_owned()).filter(|label| label != "instance"));
    }
    names
}

#[test]
fn the_dashboard_and_the_alerts_name_metrics_that_there_are() {
    let there = documented();
    let mut named = BTreeSet::new();
    for file in ["dashboard.json", "alerts.yaml"] {
        let path = root().join("host/deploy/monitoring").join(file);
        for (name, labels) in queried(&fs::read_to_string(path).unwrap()) {
            let known = there.get(&name).unwrap_or_else(|| panic!("{file} names {name}"));
            assert!(labels.is_subset(known), "{file} asks {name} for {labels:?}");
            named.insert(name);
        }
    }
    assert_eq!(
        named.iter().collect::<Vec<_>>(),
        there.keys().collect::<Vec<_>>(),
        "the dashboard misses some"
    );
}

/// Prometheus may know several installations, and one that works hides none that doesn't.
#[test]
fn an_alert_is_about_one_installation() {
    let alerts = fs::read_to_string(root().join("host/deploy/monitoring/alerts.yaml")).unwrap();
    let rules: Vec<_> = alerts.lines().filter_map(|line| line.trim().strip_prefix("expr: ")).collect();
    assert!(rules.len() > 10);
    for rule in rules {
        for aggregation in ["sum", "min", "max"] {
            for (at, _) in rule
                .match_indices(&format!("{aggregation} "))
                .chain(rule.match_indices(&format!("{aggregation}(")))
            {
                assert!(rule[at..].starts_with(&format!("{aggregation} by (namespace, job")), "{rule}");
            }
        }
        assert!(
            !rule.contains("absent(") || rule.contains("up{job=~"),
            "{rule} sees no installation beside another"
        );
    }
}

#[test]
fn the_guide_says_what_to_do_about_each_alert() {
    let alerts = fs::read_to_string(root().join("host/deploy/monitoring/alerts.yaml")).unwrap();
    let guide = fs::read_to_string(root().join("host/OPERATING.md")).unwrap();
    let names: Vec<_> = alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(!names.is_empty());
    for name in names {
        assert!(guide.contains(&format!("`{name}`")), "the guide has nothing on {name}");
    }
}

#[tokio::test]
async fn operators_see_what_became_of_each_call() {
    let bot = TestBot::start().await;
    bot.say("/maro track SCRUM-123 SCRUM-999").await;
    bot.say("/maro tracked").await;
    bot.say("/maro untrack SCRUM-123").await;
    bot.say("/maro create").await;
    let metrics = text(&bot, "metrics").await;
    for line in [
        r#"maro_database_calls_total{call="track",outcome="ok"} 1"#,
        r#"maro_database_calls_total{call="untrack",outcome="ok"} 1"#,
        r#"maro_database_calls_total{call="page",outcome="ok"} 1"#,
        r#"maro_database_call_seconds_count{call="track"} 1"#,
        r#"maro_jira_calls_total{call="get_issues",outcome="ok"} 1"#,
        r#"maro_jira_call_seconds_count{call="get_issues"} 1"#,
        r#"maro_jira_breaker_open{call="get_issues"} 0"#,
        r#"maro_slack_calls_total{call="views.open",outcome="ok"} 1"#,
        r#"maro_open_intents{age="under_1m"} 0"#,
        r#"maro_open_intents{age="over_1h"} 0"#,
    ] {
        assert!(metrics.lines().any(|other| other == line), "{line} is missing in:\n{metrics}");
    }
    let documented = documented();
    for (name, labels) in names_in(&metrics) {
        assert_eq!(documented.get(&name), Some(&labels), "{name}");
    }
}

#[tokio::test]
async fn operators_see_the_connections_to_postgres() {
    let Some(bot) = TestBot::on_postgres(PluginsFolder::shipped()).await else { return };
    bot.say("/maro tracked").await;
    let metrics = text(&bot, "metrics").await;
    for line in
        [r#"maro_database_connections{state="max"} 10"#, r#"maro_database_connections{state="waited_for"} 0"#]
    {
        assert!(metrics.lines().any(|other| other == line), "{line} is missing in:\n{metrics}");
    }
    let idle = |line: &str| line.starts_with(r#"maro_database_connections{state="idle"} "#);
    assert!(metrics.lines().any(idle), "{metrics}");
}
