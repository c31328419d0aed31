//! Plugins as earlier releases of `maro:plugin` built them, from `plugins/fixtures/released/`.

use std::{fs, path::PathBuf};

use sha2::{Digest as _, Sha256};

use crate::{bot::TestBot, plugins::PluginsFolder};

fn releases() -> Vec<PathBuf> {
    let released = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../plugins/fixtures/released");
    fs::read_dir(released).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test]
async fn a_plugin_built_for_any_release_serves() {
    let releases = releases();
    assert!(!releases.is_empty());
    for release in releases {
        let mut plugins = PluginsFolder::shipped();
        for name in ["track.wasm", "tracked.wasm", "untrack.wasm"] {
            plugins = plugins.with_file(name, &fs::read(release.join(name)).unwrap());
        }
        let bot = TestBot::with_plugins(plugins).await;
        assert_eq!(
            bot.say("/maro track SCRUM-123 SCRUM-999 x").await,
            "Now tracking SCRUM-123: User authentication flow (Open)\n\
             SCRUM-999 not found in Jira\n\
             x is not an issue key",
            "{}",
            release.display()
        );
        assert_eq!(
            bot.say("/maro tracked").await,
            "Tracked Jira issues in #general:\n• SCRUM-123: User authentication flow (Open)"
        );
        assert_eq!(bot.say("/maro untrack SCRUM-123").await, "Stopped tracking SCRUM-123");
        assert_eq!(
            bot.say("/maro tracked x").await,
            "The page is a number from 1 on.\nUsage: /maro tracked [PAGE]"
        );
    }
}

#[test]
fn a_released_interface_is_never_changed() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../wit/released");
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
    insta::assert_snapshot!(digests.join("\n"), @"0.1.0 776b03209befd4e5f91ed9f957b004e49dd3ba171c862c7f1d2767ccb4c56a3f");
}
