//! The plugins beside the channel: what serves, what is built, what is reloaded.

use std::fs;

use maro_dev::builds::BuildState;

use crate::playground::Stage;

/// A component with one text in it written otherwise, as long as before.
fn edited(component: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut component = component.to_vec();
    let places: Vec<_> = (0..component.len() - from.len())
        .filter(|place| component[*place..].starts_with(from.as_bytes()))
        .collect();
    assert!(!places.is_empty(), "{from:?} is not in the component");
    places.into_iter().for_each(|place| component[place..place + to.len()].copy_from_slice(to.as_bytes()));
    component
}

#[tokio::test]
async fn a_plugin_edited_on_disk_answers_as_edited() {
    let Some(stage) = Stage::open().await else { return };
    stage.browser.click("#plugins-tab").await;
    stage.say("/maro untrack SCRUM-1").await;
    stage.hear("SCRUM-1 is not tracked in this channel").await;
    stage.browser.see(".plugin[aria-label=untrack]", "1 replied").await;
    stage.browser.see(".plugin[aria-label=untrack]", "tracker-edit").await;

    let path = stage.bot.plugins_folder().join("untrack.wasm");
    let component = edited(&fs::read(&path).unwrap(), "is not tracked in this", "was never here in this");
    fs::write(&path, component).unwrap();
    stage.browser.see(".events", "untrack was reloaded").await;
    stage.say("/maro untrack SCRUM-1").await;
    stage.hear("SCRUM-1 was never here in this channel").await;
}

#[tokio::test]
async fn what_the_compiler_says_is_shown_as_text() {
    let Some(stage) = Stage::open().await else { return };
    stage.browser.click("#plugins-tab").await;
    let output = "error[E0308]: expected `Vec<Span>`, found `&str`\n --> src/lib.rs:7:5".to_owned();
    stage.builds.set("track", BuildState::Running);
    stage.browser.see(".plugin[aria-label=track]", "building").await;
    stage.builds.set("track", BuildState::Failed { output: output.clone() });
    stage.browser.see(".plugin[aria-label=track]", "build failed").await;
    stage.browser.see(".builds pre", &output).await;
}
