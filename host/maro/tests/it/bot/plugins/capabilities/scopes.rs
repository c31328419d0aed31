//! Scopes, the pin, warnings and the audit.

use insta::assert_snapshot;

use crate::{
    bot::{TestBot, plugins::capabilities::capable_bot},
    built_components::PluginsFolder,
    log::Log,
};

/// MARO's own plugins, `track` with this scope.
async fn scoped_track(scope: &str) -> TestBot {
    let manifest = format!("grants = [\"jira\", \"tracker-edit\"]\n[scope]\n{scope}");
    TestBot::with_plugins(PluginsFolder::shipped().with_file("track.toml", manifest.as_bytes())).await
}

#[tokio::test]
async fn a_grant_can_leave_channels_out() {
    let (log, _guard) = Log::start();
    let bot = scoped_track("tracker-edit.not-in-channels = [\"C0GENERAL01\"]").await;
    assert_eq!(
        bot.say("/maro track SCRUM-123").await,
        "This command can't use the tracker-edit permission in this channel."
    );
    assert!(bot.say("/maro tracked").await.starts_with("No Jira issues are tracked"));
    assert_eq!(
        bot.say_as("ada", "random", "/maro track SCRUM-123").await,
        "Now tracking SCRUM-123: User authentication flow (Open)"
    );
    assert_snapshot!(log.lines("was denied"), @r#"WARN maro_runtime::invocation::authority: a plugin was denied tracker-edit: to allow it, change `tracker-edit.only-in-channels` or `tracker-edit.not-in-channels` under [scope] in track.toml plugin="track" channel="C0GENERAL01" user="U0ADA000001""#);
    let bot = scoped_track("tracker-edit.only-in-channels = [\"D0ADA000001\"]").await;
    assert!(bot.say("/maro track SCRUM-123").await.contains("can't use"));
    assert!(bot.say_as("ada", "dm", "/maro track SCRUM-123").await.starts_with("Now tracking"));
}

#[tokio::test]
async fn a_grant_can_be_for_admins() {
    let (log, _guard) = Log::start();
    let bot = scoped_track("tracker-edit.admins-only = true").await;
    assert_eq!(
        bot.say_as("grace", "general", "/maro track SCRUM-123").await,
        "Only MARO admins can use the tracker-edit permission through this command."
    );
    assert_snapshot!(log.lines("was denied"), @r#"WARN maro_runtime::invocation::authority: a plugin was denied tracker-edit: to allow it, add the person to MARO_ADMINS or remove `tracker-edit.admins-only` under [scope] in track.toml plugin="track" channel="C0GENERAL01" user="U0GRACE0001""#);
    assert!(bot.say("/maro track SCRUM-123").await.starts_with("Now tracking"), "ada is one");
}

#[tokio::test]
async fn a_grant_can_be_for_projects() {
    let (log, _guard) = Log::start();
    let bot = scoped_track("jira.projects = [\"OPS\"]").await;
    assert_eq!(
        bot.say("/maro track SCRUM-123").await,
        "This command can't use the jira permission in the SCRUM project."
    );
    assert_snapshot!(log.lines("was denied"), @r#"WARN maro_runtime::invocation::authority: a plugin was denied jira: to allow it, add "SCRUM" to `jira.projects` under [scope] in track.toml plugin="track" channel="C0GENERAL01" user="U0ADA000001""#);
    let bot = scoped_track("jira.projects = [\"SCRUM\"]").await;
    assert!(bot.say("/maro track SCRUM-123").await.starts_with("Now tracking"));
}

/// Reading by all, writing by administrators.
#[tokio::test]
async fn a_part_of_a_grant_can_be_narrowed() {
    let (log, _guard) = Log::start();
    let bot = capable_bot("[scope]\nstorage.writing.admins-only = true").await;
    bot.say("/maro capable set channel name ada").await;
    assert_eq!(bot.say_as("grace", "general", "/maro capable get channel name").await, "Some(\"ada\")");
    assert_eq!(
        bot.say_as("grace", "general", "/maro capable set channel name grace").await,
        "Only MARO admins can use the storage.writing permission through this command."
    );
    assert_eq!(bot.say("/maro capable get channel name").await, "Some(\"ada\")");
    let cure = "a plugin was denied storage.writing: to allow it, add the person to MARO_ADMINS or remove \
                `storage.writing.admins-only` under [scope] in capable.toml";
    assert!(log.lines("was denied").contains(cure), "{}", log.lines("was denied"));
    let details = bot.say("/maro plugins capable").await;
    assert!(details.contains("storage, storage.writing (admins only), "), "{details}");
}

#[tokio::test]
async fn one_function_can_be_narrowed() {
    let bot = scoped_track("tracker-edit.track.admins-only = true").await;
    assert_eq!(
        bot.say_as("grace", "general", "/maro track SCRUM-123").await,
        "Only MARO admins can use the tracker-edit.track permission through this command."
    );
    let bot = scoped_track("jira.look-up.projects = [\"OPS\"]").await;
    assert_eq!(
        bot.say("/maro track SCRUM-123").await,
        "This command can't use the jira.look-up permission in the SCRUM project."
    );
    let bot = scoped_track("tracker-edit.untrack.admins-only = true\njira.search.projects = [\"OPS\"]").await;
    assert!(bot.say_as("grace", "general", "/maro track SCRUM-123").await.starts_with("Now tracking"));
}

#[tokio::test]
async fn a_project_in_a_scope_is_its_whole_key() {
    for projects in [r#""SCRU", "S""#, r#""SCRUM2", "XSCRUM""#, ""] {
        let bot = scoped_track(&format!("jira.projects = [{projects}]")).await;
        assert_eq!(
            bot.say("/maro track SCRUM-123").await,
            "This command can't use the jira permission in the SCRUM project.",
            "{projects}"
        );
    }
}

#[tokio::test]
async fn a_guest_that_insists_fills_no_log() {
    let (log, _guard) = Log::start();
    let bot = capable_bot("[scope]\nstorage.admins-only = true").await;
    bot.say_as("grace", "general", "/maro capable bad-storage").await;
    assert_eq!(log.lines("was denied").lines().count(), 1);
}

#[tokio::test]
async fn a_pin_admits_one_content() {
    let manifest = format!("grants = [\"tracker\"]\nsha256 = \"{}\"", "0".repeat(64));
    let plugins = PluginsFolder::shipped().with_file("tracked.toml", manifest.as_bytes());
    let bot = TestBot::with_plugins(plugins).await;
    let plugins = bot.bot().registry().plugins();
    let refusal = plugins.refused.iter().find(|refusal| refusal.file.starts_with("tracked")).unwrap();
    let reason = refusal.reason.to_string();
    assert!(reason.starts_with(&format!(
        "tracked.toml pins a different build: change `sha256` there if you trust this one. It pins {}; this is ",
        "0".repeat(64)
    )));

    let bot = TestBot::start().await;
    let digest = bot.bot().registry().plugins().get("tracked").unwrap().digest().to_owned();
    assert!(!reason.contains("has 0") && reason.contains(&digest), "{reason} does not name {digest}");
    let manifest = format!("grants = [\"tracker\"]\nsha256 = \"{}\"", digest.to_uppercase());
    let plugins = PluginsFolder::shipped().with_file("tracked.toml", manifest.as_bytes());
    let bot = TestBot::with_plugins(plugins).await;
    assert!(bot.say("/maro tracked").await.starts_with("No Jira issues are tracked"));
}

#[tokio::test]
async fn a_grant_that_is_never_used_is_a_warning() {
    let manifest = b"grants = [\"tracker\", \"jira-edit\"]";
    let bot = TestBot::with_plugins(PluginsFolder::shipped().with_file("tracked.toml", manifest)).await;
    assert_eq!(
        bot.bot().registry().plugins().get("tracked").unwrap().warnings(),
        ["it's granted jira-edit but never uses it: remove \"jira-edit\" from `grants` in tracked.toml"]
    );
    assert_eq!(bot.bot().registry().plugins().get("track").unwrap().warnings(), [""; 0]);
}

#[tokio::test]
async fn each_write_leaves_one_line_without_its_content() {
    let (log, _guard) = Log::start();
    let bot = capable_bot("").await;
    for typed in [
        "/maro track SCRUM-123 SCRUM-124",
        "/maro track SCRUM-123",
        "/maro untrack SCRUM-123 SCRUM-9999",
        "/maro untrack SCRUM-9999",
        "/maro tracked",
        "/maro capable set channel name secret",
        "/maro capable get channel name",
        "/maro capable swap channel name wrong secret",
        "/maro capable swap channel name secret secret2",
        "/maro capable delete channel name",
        "/maro capable delete channel name",
    ] {
        bot.say(typed).await;
    }
    let audit = log.lines("maro::audit");
    assert!(!audit.contains("secret"), "{audit}");
    assert_snapshot!(audit, @r#"
    INFO maro::audit: a plugin made a change plugin="track" digest=… channel="C0GENERAL01" user="U0ADA000001" action="track" what="SCRUM-123 SCRUM-124" outcome="tracked"
    INFO maro::audit: a plugin made a change plugin="untrack" digest=… channel="C0GENERAL01" user="U0ADA000001" action="untrack" what="SCRUM-123" outcome="untracked"
    INFO maro::audit: a plugin made a change plugin="capable" digest=… channel="C0GENERAL01" user="U0ADA000001" action="storage set" what="channel name" outcome="done"
    INFO maro::audit: a plugin made a change plugin="capable" digest=… channel="C0GENERAL01" user="U0ADA000001" action="storage swap" what="channel name" outcome="done"
    INFO maro::audit: a plugin made a change plugin="capable" digest=… channel="C0GENERAL01" user="U0ADA000001" action="storage delete" what="channel name" outcome="done"
    "#);
}
