//! `host/manifest.yaml` describes the app that the code is.

use std::{collections::BTreeSet, fs, path::Path};

fn manifest() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../manifest.yaml")).unwrap()
}

/// The values of `key:` lines, quotes aside.
fn values<'a>(manifest: &'a str, key: &str) -> BTreeSet<&'a str> {
    manifest
        .lines()
        .map(|line| line.trim().trim_start_matches("- "))
        .filter_map(|line| line.strip_prefix(key)?.strip_prefix(": "))
        .collect()
}

/// All Rust code of a folder in `host/`.
fn code(folder: &str) -> String {
    fn collect(dir: &Path, code: &mut String) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, code);
            } else {
                code.push_str(&fs::read_to_string(path).unwrap());
            }
        }
    }
    let mut text = String::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder), &mut text);
    text
}

#[test]
fn the_scopes_are_those_of_the_methods_in_use() {
    let manifest = manifest();
    let listed = |key: &str| -> Vec<&str> {
        let rest = manifest.split(&format!("    {key}:\n")).nth(1).unwrap();
        rest.lines().map_while(|line| line.trim().strip_prefix("- ")).collect()
    };
    // Slack wants the optional ones on both lists.
    let (scopes, optional) = (listed("bot"), listed("bot_optional"));
    let required: Vec<_> = scopes.iter().filter(|scope| !optional.contains(scope)).copied().collect();
    assert_eq!(required, ["chat:write", "chat:write.public", "commands"]);
    assert!(optional.iter().all(|scope| scopes.contains(scope)), "{optional:?}");
    // What each method of the Web API needs, by Slack's documentation. Views and links to messages need
    // nothing of their own.
    let needs = [
        ("views.open", None),
        ("views.update", None),
        ("views.publish", None),
        ("chat.getPermalink", None),
        ("auth.test", None),
        ("users.info", Some("users:read")),
        ("conversations.info", Some("channels:read")),
        ("users.conversations", Some("channels:read")),
        ("conversations.history", Some("channels:history")),
        ("conversations.replies", Some("channels:history")),
        ("usergroups.list", Some("usergroups:read")),
        ("usergroups.users.list", Some("usergroups:read")),
        ("chat.postMessage", Some("chat:write")),
        ("chat.update", Some("chat:write")),
        ("chat.delete", Some("chat:write")),
        ("chat.unfurl", Some("links:write")),
    ];
    let client = code("slack/src");
    for word in client.split('"').filter(|word| is_method(word)) {
        let (_, scope) =
            needs.iter().find(|(method, _)| *method == word).unwrap_or_else(|| panic!("{word} is new"));
        assert!(scope.is_none_or(|scope| scopes.contains(&scope)), "{word} needs {scope:?}");
    }
}

/// Whether a text in the code is the name of a method of Slack's Web API.
fn is_method(text: &str) -> bool {
    ["views.", "chat.", "auth.", "conversations.", "users.", "usergroups.", "team."]
        .iter()
        .any(|family| text.starts_with(family))
        && text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'.')
}

#[test]
fn the_addresses_and_callbacks_are_those_that_the_bot_answers() {
    let manifest = manifest();
    let (server, tickets) = (code("bot/src"), code("tickets/src"));
    let addresses =
        ["url", "request_url", "message_menu_options_url"].iter().flat_map(|key| values(&manifest, key));
    for address in addresses {
        let path = address.strip_prefix("https://YOUR-HOST").unwrap();
        assert!(server.contains(&format!("\"{path}\"")), "nothing answers {path}");
    }
    for callback in values(&manifest, "callback_id") {
        assert!(tickets.contains(&format!("\"{callback}\"")), "nothing answers {callback}");
    }
    assert_eq!(values(&manifest, "command"), BTreeSet::from(["/maro"]));
}
