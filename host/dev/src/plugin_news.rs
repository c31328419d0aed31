//! Reports on the terminal of `maro dev` which plugins are loaded, and why one isn't.

use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use maro_kit::output::say;
use maro_runtime::plugin_changes::{Events, PluginChange, PluginEvent};

/// Reports everything that happens from now on, until `stop` is cancelled.
pub async fn tell(events: Events, stop: CancellationToken) {
    let (_, mut coming) = events.subscribe();
    loop {
        match stop.run_until_cancelled(coming.recv()).await {
            Some(Ok(event)) => {
                if let Some(sentence) = sentence(&event) {
                    say(&sentence);
                }
            }
            Some(Err(RecvError::Lagged(_))) => {}
            Some(Err(RecvError::Closed)) | None => return,
        }
    }
}

/// What an author wants to know about an event, if anything.
fn sentence(event: &PluginEvent) -> Option<String> {
    let name = &event.plugin;
    match &event.what {
        PluginChange::Loaded { .. } => Some(format!("/maro {name} was loaded.")),
        PluginChange::Replaced { .. } => Some(format!("/maro {name} was reloaded.")),
        PluginChange::Removed => Some(format!("/maro {name} was unloaded.")),
        PluginChange::Refused { reason, kept, .. } => {
            let reason = for_authors(reason, name);
            let kept =
                kept.as_ref().map(|kept| format!(" The previous version of /maro {kept} is still running."));
            Some(format!("✗ {name} couldn't be loaded: {reason}.{}", kept.unwrap_or_default()))
        }
        PluginChange::Disabled { .. }
        | PluginChange::Enabled
        | PluginChange::BreakerOpened { .. }
        | PluginChange::BreakerClosed => None,
    }
}

/// Why a plugin or its file wasn't loaded. The author edits `plugin.toml`, which the next build copies to `NAME.toml`.
pub(crate) fn for_authors(reason: &str, name: &str) -> String {
    reason.replace(&format!("{}.toml", name.trim_end_matches(".wasm")), "plugin.toml")
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn told(what: PluginChange) -> Option<String> {
        sentence(&PluginEvent { at: Timestamp::UNIX_EPOCH, plugin: "note".to_owned(), what })
    }

    #[test]
    fn authors_read_what_serves_and_why_something_does_not() {
        let (digest, content) = ("ab".to_owned(), "cd".to_owned());
        let refused = |kept: Option<&str>| PluginChange::Refused {
            of_the_machine: false,
            reason: "it is damaged".to_owned(),
            in_public: "it is damaged".to_owned(),
            kept: kept.map(str::to_owned),
            content: content.clone(),
        };
        let replaced = PluginChange::Replaced { from: content.clone(), to: digest.clone() };
        assert_eq!(for_authors("note.toml isn't UTF-8 text", "note.wasm"), "plugin.toml isn't UTF-8 text");
        let told =
            [PluginChange::Loaded { digest }, replaced, refused(None), refused(Some("note"))].map(told);
        insta::assert_snapshot!(told.map(Option::unwrap_or_default).join("\n"), @"
        /maro note was loaded.
        /maro note was reloaded.
        ✗ note couldn't be loaded: it is damaged.
        ✗ note couldn't be loaded: it is damaged. The previous version of /maro note is still running.
        ");
    }
}
