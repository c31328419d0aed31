//! Plugins as earlier releases of `maro:plugin` built them, from `plugins/fixtures/released/`.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use maro_runtime::policy::grants::Grant;

use sha2::{Digest as _, Sha256};

use crate::{
    bot::{TestBot, plugins::capabilities::denials::functions_in as functions},
    built_components::PluginsFolder,
    plugin_kit::{has, said},
};

fn releases() -> Vec<PathBuf> {
    let released = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../plugins/fixtures/released");
    fs::read_dir(released).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// What plugins of each release say, as far as their own words differ.
struct Words {
    track: &'static str,
    tracked: &'static str,
    wrong_page: &'static str,
}

fn words(release: &str) -> Words {
    match release {
        "0.1.0" => Words {
            track: "Now tracking SCRUM-123: User authentication flow (Open)\n\
                    SCRUM-999 not found in Jira\n\
                    x is not an issue key",
            tracked: "Tracked Jira issues in #general:\n• SCRUM-123: User authentication flow (Open)",
            wrong_page: "The page is a number from 1 on.\nUsage: /maro tracked [PAGE]",
        },
        "0.2.0" => Words {
            track: "Now tracking SCRUM-123: User authentication flow (Open)\n\
                    SCRUM-999 not found in Jira\n\
                    x is not an issue key",
            tracked: "Tracked Jira issues in #general:\n• SCRUM-123: User authentication flow (Open)",
            wrong_page: "Enter a page number, starting from 1.\nUsage: /maro tracked [open | done | mine | find WORDS] [PAGE]",
        },
        other => panic!("nothing is said of {other}"),
    }
}

fn name(release: &Path) -> String {
    release.file_name().unwrap().to_string_lossy().into_owned()
}

#[tokio::test]
async fn a_plugin_built_for_any_release_serves() {
    let releases = releases();
    assert!(releases.len() >= 2);
    for release in releases {
        let words = words(&name(&release));
        let mut plugins = PluginsFolder::shipped();
        for name in ["track.wasm", "tracked.wasm", "untrack.wasm"] {
            plugins = plugins.with_file(name, &fs::read(release.join(name)).unwrap());
        }
        let bot = TestBot::with_plugins(plugins).await;
        let which = release.display();
        assert_eq!(bot.say("/maro track SCRUM-123 SCRUM-999 x").await, words.track, "{which}");
        assert_eq!(bot.say("/maro tracked").await, words.tracked, "{which}");
        assert_eq!(bot.say("/maro untrack SCRUM-123").await, "Stopped tracking SCRUM-123", "{which}");
        assert_eq!(bot.say("/maro tracked x").await, words.wrong_page, "{which}");
    }
}

/// `every-call` of a release calls each function of its interface.
#[tokio::test]
async fn every_function_of_a_release_works_for_what_was_built_then() {
    for release in releases().into_iter().filter(|release| release.join("every-call.wasm").exists()) {
        let plugins = PluginsFolder::shipped()
            .with_file("every-call.wasm", &fs::read(release.join("every-call.wasm")).unwrap())
            .with_file("every-call.toml", all_granted().as_bytes());
        each_function_answers("every-call", plugins, &name(&release)).await;
    }
}

async fn each_function_answers(plugin: &str, plugins: PluginsFolder, release: &str) {
    let bot = TestBot::with_plugins(plugins).await;
    for (grant, function) in functions(&frozen().join(release)) {
        let shown = bot.say(&format!("/maro {plugin} {grant}.{function}")).await;
        let is_answer = !["fault", "crashed", "permission", "Say what to call."]
            .iter()
            .any(|words| shown.contains(words));
        assert!(is_answer, "{release}: {plugin} {grant}.{function}: {shown}");
    }
}

/// Components with an interpreter have 12 to 19 MB, and packed 3 to 6: too much to keep for each release. So their
/// sources are kept, and built with the tools of these languages, whose versions the kit fixes.
fn built_from_kept_sources(release: &str, language: &str, source: &str, plugin: &str) -> PluginsFolder {
    let grants = Grant::ALL.map(Grant::as_str);
    let folder = tempfile::tempdir().unwrap();
    let lang = if language == "javascript" { "js" } else { language };
    said(folder.path(), &["plugin", "new", plugin, "--lang", lang, "--with", &grants.join(",")]);
    let kept = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../plugins/fixtures/released");
    let project = folder.path().join(plugin);
    fs::copy(kept.join(release).join(language).join(source), project.join(source)).unwrap();
    let world: String =
        grants.iter().map(|grant| format!("    import maro:plugin/{grant}@{release};\n")).collect();
    let world = format!(
        "package local:plugin;\n\nworld subcommand {{\n    import maro:plugin/log@{release};\n{world}\n    export \
         maro:plugin/command@{release};\n}}\n"
    );
    fs::write(project.join("wit/world.wit"), world).unwrap();
    said(&project, &["plugin", "build"]);
    let component = fs::read(project.join(format!("build/{plugin}.wasm"))).unwrap();
    PluginsFolder::shipped()
        .with_file(&format!("{plugin}.wasm"), &component)
        .with_file(&format!("{plugin}.toml"), all_granted().as_bytes())
}

#[tokio::test]
async fn every_function_of_a_release_works_for_a_plugin_in_javascript() {
    if has("npm") {
        let plugins = built_from_kept_sources("0.2.0", "javascript", "plugin.js", "calls-js");
        each_function_answers("calls-js", plugins, "0.2.0").await;
    }
}

#[tokio::test]
async fn every_function_of_a_release_works_for_a_plugin_in_python() {
    if has("python3") {
        let plugins = built_from_kept_sources("0.2.0", "python", "plugin.py", "calls-py");
        each_function_answers("calls-py", plugins, "0.2.0").await;
    }
}

fn all_granted() -> String {
    let grants = Grant::ALL.map(|grant| format!("{:?}", grant.as_str())).join(", ");
    format!("grants = [{grants}]\n[settings]\nteam = \"blue\"\n[http]\nhosts = [\"nowhere.example\"]")
}

fn frozen() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../wit/released")
}

/// The current interface has its version's name, so it's the one that was frozen under it.
#[test]
fn the_current_interface_is_frozen() {
    let current = frozen().join("..");
    let version = fs::read_to_string(current.join("world.wit")).unwrap();
    let version = version
        .lines()
        .next()
        .unwrap()
        .trim_start_matches("package maro:plugin@")
        .trim_end_matches(';')
        .to_owned();
    let release = frozen().join(&version);
    let files = |folder: &Path| -> BTreeMap<String, String> {
        let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "wit"));
        files.map(|path| (name(&path), fs::read_to_string(&path).unwrap())).collect()
    };
    assert!(
        files(&current) == files(&release),
        "wit/ differs from wit/released/{version}: what is added needs a new version, with the old one in \
         runtime/src/engine/exports_of_any_version.rs"
    );
}

#[test]
fn a_released_interface_is_never_changed() {
    let folder = frozen();
    let mut digests = Vec::new();
    for release in fs::read_dir(folder).unwrap() {
        let release = release.unwrap();
        let mut files: Vec<_> =
            fs::read_dir(release.path()).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        let mut hash = Sha256::new();
        files.iter().for_each(|file| hash.update(fs::read(file).unwrap()));
        digests.push(format!("{} {}", release.file_name().display(), hex::encode(hash.finalize())));
    }
    digests.sort();
    insta::assert_snapshot!(digests.join("\n"), @r"
    0.1.0 776b03209befd4e5f91ed9f957b004e49dd3ba171c862c7f1d2767ccb4c56a3f
    0.2.0 88d13c83ca25e15572d378ab42939b4378b11aa7b6e56aaba51ea55af4171f87
    ");
}
