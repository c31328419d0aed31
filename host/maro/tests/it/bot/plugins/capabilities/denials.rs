//! Every function of every capability, under each scope that denies it.

use std::path::Path;

use maro_runtime::policy::{functions::Function, grants::Grant};
use wit_parser::Resolve;

use crate::{bot::TestBot, built_components::PluginsFolder};

/// A capability and the name of a function of it, for every function of the contract.
fn functions() -> Vec<(Grant, String)> {
    functions_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit"))
}

/// As [`functions`], for the contract in a folder.
pub(crate) fn functions_in(wit: &Path) -> Vec<(Grant, String)> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(wit).unwrap();
    let mut functions = Vec::new();
    for (interface, id) in &resolve.packages[package].interfaces {
        let Some(grant) = Grant::from_interface(interface) else { continue };
        functions.extend(resolve.interfaces[*id].functions.keys().map(|function| (grant, function.clone())));
    }
    assert!(Grant::ALL.iter().all(|grant| functions.iter().any(|(other, _)| other == grant)));
    functions
}

/// A bot whose plugin may use everything, under this scope.
async fn bot(scope: impl Fn(Grant) -> Option<String>) -> TestBot {
    let grants = Grant::ALL.map(|grant| format!("{:?}", grant.as_str())).join(", ");
    let scopes = Grant::ALL.into_iter().filter_map(scope).collect::<Vec<_>>().join("\n");
    let manifest = format!(
        "grants = [{grants}]\n[settings]\nteam = \"blue\"\n[http]\nhosts = [\"nowhere.example\"]\n[scope]\n{scopes}"
    );
    let plugins = PluginsFolder::shipped().with_fixture("every-call", "every-call", &manifest);
    TestBot::with_plugins(plugins).await
}

async fn call(bot: &TestBot, user: &str, channel: &str, grant: Grant, function: &str) -> String {
    let shown = bot.say_as(user, channel, &format!("/maro every-call {grant}.{function}")).await;
    assert!(!shown.contains("Say what to call."), "the fixture lacks {grant}.{function}");
    shown
}

/// What a denied function says.
fn denial(grant: Grant, sentence: &str) -> String {
    sentence.replace("GRANT", grant.as_str())
}

/// What Jira was asked by the plugin: the bot itself asks who it is.
fn questions_to_jira(bot: &TestBot) -> Vec<String> {
    let requests = bot.jira.requests().into_iter().filter(|request| !request.path.ends_with("/myself"));
    requests.map(|request| format!("{} {}", request.method, request.path)).collect()
}

#[tokio::test]
async fn a_scope_denies_every_function_of_its_capability_and_nothing_comes_of_it() {
    const CHANNEL: &str = "This command can't use the GRANT permission in this channel.";
    const PERSON: &str = "Only MARO admins can use the GRANT permission through this command.";
    for (scope, sentence) in [
        ("admins-only = true", PERSON),
        ("not-in-channels = [\"C0GENERAL01\"]", CHANNEL),
        ("only-in-channels = [\"D0ADA000001\"]", CHANNEL),
        ("only-in-channels = []", CHANNEL),
    ] {
        let bot = bot(|grant| Some(format!("{grant}.{scope}"))).await;
        for (grant, function) in functions() {
            let shown = call(&bot, "grace", "general", grant, &function).await;
            assert_eq!(shown, denial(grant, sentence), "{grant}.{function} under {scope}");
        }
        assert_eq!(questions_to_jira(&bot), [""; 0], "under {scope}");
        assert_eq!(bot.jira.created_issues(), [], "under {scope}");
        assert!(bot.say("/maro tracked").await.starts_with("No Jira issues are tracked"));
        if scope == "admins-only = true" {
            let kept = call(&bot, "ada", "general", Grant::Storage, "list-keys").await;
            assert_eq!(kept, "[]", "something was stored");
        }
    }
}

#[tokio::test]
async fn a_scope_denies_no_other_capability() {
    for denied in Grant::ALL {
        let bot = bot(|grant| (grant == denied).then(|| format!("{grant}.admins-only = true"))).await;
        for (grant, function) in functions() {
            let sentence = format!("Only MARO admins can use the {denied} permission through this command.");
            let expected = denial(grant, &sentence);
            let shown = call(&bot, "grace", "general", grant, &function).await;
            assert_eq!(shown == expected, grant == denied, "{grant}.{function}: {shown}");
        }
    }
}

/// `untrack` and so on: what somebody who isn't an administrator reads of each function.
async fn denied_places(scopes: &[String]) -> Vec<(Grant, String, Option<String>)> {
    let bot = bot(|grant| {
        let own = scopes.iter().filter(|scope| scope.split('.').next() == Some(grant.as_str()));
        Some(own.map(|scope| format!("{scope}.admins-only = true")).collect::<Vec<_>>().join("\n"))
    })
    .await;
    let mut denied = Vec::new();
    for (grant, function) in functions() {
        let shown = call(&bot, "grace", "general", grant, &function).await;
        let place = shown.strip_prefix("Only MARO admins can use the ");
        let place = place.and_then(|rest| rest.strip_suffix(" permission through this command."));
        denied.push((grant, function, place.map(str::to_owned)));
    }
    denied
}

#[tokio::test]
async fn a_scope_of_each_function_denies_that_function_by_its_name() {
    let functions: Vec<String> =
        functions().into_iter().map(|(grant, function)| format!("{grant}.{function}")).collect();
    for (grant, function, place) in denied_places(&functions).await {
        assert_eq!(place, Some(format!("{grant}.{function}")));
    }
    for (number, narrowed) in functions.iter().enumerate().filter(|(number, _)| number % 6 == 1) {
        for (grant, function, place) in denied_places(std::slice::from_ref(narrowed)).await {
            let expected = (format!("{grant}.{function}") == *narrowed).then(|| narrowed.clone());
            assert_eq!(place, expected, "{number}: {grant}.{function} where {narrowed} is narrowed");
        }
    }
}

#[tokio::test]
async fn reading_and_writing_are_narrowed_apart() {
    for (part, changes) in [("reading", false), ("writing", true)] {
        let has_any = |grant| Function::of(grant).any(|function| function.changes == changes);
        let scopes: Vec<String> = Grant::ALL
            .into_iter()
            .filter(|grant| has_any(*grant))
            .map(|grant| format!("{grant}.{part}"))
            .collect();
        for (grant, name, place) in denied_places(&scopes).await {
            // The fixture sends a GET.
            let mut function = Function::of(grant).filter(|function| function.name == name);
            let expected = function.next().filter(|function| function.changes == changes);
            assert_eq!(place, expected.map(|_| format!("{grant}.{part}")), "{grant}.{name} under {part}");
        }
    }
}

#[tokio::test]
async fn whom_a_scope_admits_can_use_every_function() {
    let scope = "admins-only = true\nGRANT.only-in-channels = [\"C0GENERAL01\"]";
    let bot = bot(|grant| Some(format!("{grant}.{}", scope.replace("GRANT", grant.as_str())))).await;
    for (grant, function) in functions() {
        let shown = call(&bot, "ada", "general", grant, &function).await;
        assert!(!shown.contains("not allowed") && !shown.contains("Only MARO admins"), "{shown}");
        assert_ne!(shown, denial(grant, ""), "{grant}.{function}");
    }
}

#[tokio::test]
async fn every_function_of_jira_keeps_to_the_projects() {
    let bot = bot(|grant| {
        matches!(grant, Grant::Jira | Grant::JiraEdit).then(|| format!("{grant}.projects = [\"OPS\"]"))
    })
    .await;
    let mut count = 0;
    for (grant, function) in functions() {
        if !matches!(grant, Grant::Jira | Grant::JiraEdit) {
            continue;
        }
        count += 1;
        if function == "site" {
            continue;
        }
        let expected = if function == "search" {
            "[]".to_owned()
        } else {
            format!("This command can't use the {grant} permission in the SCRUM project.")
        };
        let shown = call(&bot, "ada", "general", grant, &function).await;
        assert_eq!(shown, expected, "{grant}.{function}");
    }
    assert_eq!(count, 11);
    assert_eq!(bot.jira.created_issues(), []);
    let changes: Vec<_> = bot
        .jira
        .requests()
        .into_iter()
        .filter(|request| request.method != "GET" && !request.path.contains("/search"))
        .map(|request| request.path)
        .filter(|path| !path.ends_with("/bulkfetch"))
        .collect();
    assert_eq!(changes, [""; 0]);
}
