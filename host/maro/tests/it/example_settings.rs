//! `maro.example.toml` and the README's tables have every setting, with its real default.

use std::{collections::BTreeMap, fs, io::Write as _};

use maro_bot::config::{self, Config};

use crate::structure::root;

/// What the environment says of the user's home, from which one default follows.
const HOME: &str = "/home/maro";

/// What stands above a setting that is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Note {
    /// The value is the default.
    Default,
    /// There is none, and the value shows what one looks like.
    Example,
}

/// A line of the example: a setting that is made, or one that is left out.
#[derive(Debug)]
struct Setting<'a> {
    key: &'a str,
    value: &'a str,
    left_out: Option<Note>,
}

fn file(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

fn settings(example: &str) -> Vec<Setting<'_>> {
    let mut settings = Vec::new();
    let mut above = "";
    for line in example.lines() {
        let bare = line.strip_prefix('#').unwrap_or(line);
        if let Some((key, value)) = bare.split_once(" = ").filter(|(key, _)| is_key(key)) {
            let left_out = (bare != line).then(|| match above {
                "# Default:" => Note::Default,
                "# No default. For example:" => Note::Example,
                other => panic!("above {key} stands {other:?}"),
            });
            settings.push(Setting { key, value, left_out });
        }
        above = line;
    }
    settings
}

fn is_key(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

/// The settings of the example with those changes to its lines, as the bot reads them.
fn load(example: &str, change: impl Fn(&str) -> String) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("maro.toml");
    fs::write(&path, example.lines().map(|line| change(line) + "\n").collect::<String>()).unwrap();
    let environment = BTreeMap::from([("HOME".to_owned(), HOME.to_owned())]);
    format!("{:#?}", Config::from_sources(&environment, &path).unwrap())
}

/// What a setting needs to have an effect: those of PostgreSQL need one, and exceptions from a proxy need that.
fn surroundings(key: &str, line: &str) -> String {
    if key == "MARO_NO_PROXY" && line.starts_with("#MARO_HTTPS_PROXY = ") {
        line[1..].to_owned()
    } else if key.starts_with("MARO_DATABASE_") && line.starts_with("#DATABASE_URL = ") {
        "DATABASE_URL = \"postgres://maro@localhost/maro\"".to_owned()
    } else {
        line.to_owned()
    }
}

/// What the file of a setting holds.
fn content(key: &str) -> String {
    if key == "DATABASE_URL_FILE" {
        return "postgres://maro@localhost/maro".to_owned();
    }
    let own = rcgen::generate_simple_self_signed(["example.com".to_owned()]).unwrap();
    own.cert.pem() + &own.signing_key.serialize_pem()
}

/// The credentials for Jira that come with one, instead of those of the example.
fn credentials(key: &str) -> &'static [&'static str] {
    let kinds: [&[&str]; 3] =
        [&["JIRA_PAT"], &["JIRA_CLIENT_ID", "JIRA_CLIENT_SECRET"], &["JIRA_USER", "JIRA_PASSWORD"]];
    kinds.into_iter().find(|kind| kind.contains(&key)).unwrap_or_default()
}

/// With one setting made that the example leaves out.
fn load_with(example: &str, key: &str) -> String {
    // What a file says can't be shown in an example, so here it's a file that there is.
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(content(key).as_bytes()).unwrap();
    let credentials = credentials(key);
    load(example, |line| {
        let is_other_credential = line.starts_with("JIRA_EMAIL") || line.starts_with("JIRA_API_TOKEN");
        let is_one_of_them =
            |setting: &str| credentials.iter().any(|key| setting.starts_with(&format!("{key} = ")));
        match line.strip_prefix('#') {
            Some(setting) if setting.starts_with(&format!("{key} = ")) && key.ends_with("_FILE") => {
                format!("{key} = {:?}", file.path())
            }
            Some(setting) if setting.starts_with(&format!("{key} = ")) => setting.to_owned(),
            Some(setting) if is_one_of_them(setting) => setting.to_owned(),
            None if !credentials.is_empty() && is_other_credential => String::new(),
            _ => surroundings(key, line),
        }
    })
}

#[test]
fn the_example_has_every_setting_once() {
    let example = file("host/maro.example.toml");
    let mut keys: Vec<_> = settings(&example).into_iter().map(|setting| setting.key).collect();
    keys.sort_unstable();
    assert_eq!(keys, config::sources::keys());
}

#[test]
fn the_example_states_the_defaults() {
    let example = file("host/maro.example.toml");
    for setting in settings(&example) {
        let Some(note) = setting.left_out else { continue };
        let as_it_is = load(&example, |line| surroundings(setting.key, line));
        let with = load_with(&example, setting.key);
        match note {
            Note::Default => assert_eq!(with, as_it_is, "{setting:?}"),
            Note::Example => assert_ne!(with, as_it_is, "{setting:?}"),
        }
    }
}

#[test]
fn the_readme_has_the_settings_of_the_example() {
    let (example, readme) = (file("host/maro.example.toml"), file("README.md"));
    for Setting { key, value, left_out } in settings(&example) {
        let row = readme.lines().find(|line| line.starts_with(&format!("| `{key}` |")));
        let row = row.unwrap_or_else(|| panic!("README.md has no row for {key}"));
        // The default of a folder in somebody's home is told in words.
        if left_out == Some(Note::Default) && !value.contains(HOME) {
            let default = format!("| `{}` |", value.trim_matches('"'));
            assert!(row.ends_with(&default), "{row} does not end in {default}");
        }
    }
}
