//! What happens by itself, and later: threads that grow, digests, the Home tab.

use crate::playground::{SAID, Stage};

/// What the answers in threads say.
const REPLIES: &str = "#log .thread .message .said";

#[tokio::test]
async fn a_thread_grows_with_what_changes_in_jira() {
    let Some(stage) = Stage::open().await else { return };
    stage.say("/maro track SCRUM-124").await;
    stage.hear("Now tracking SCRUM-124").await;
    stage.say("/maro notify all").await;
    stage.hear("From now on, this channel is notified each time").await;
    // What is known of the fields is read once before it can change.
    crate::bot::until("the fields are known", async || {
        crate::raw::query(&stage.bot.config.database, "SELECT issue_id FROM issue_fields").await.len() == 1
    })
    .await;
    stage.browser.run("const s = document.querySelector('tr[data-key=\"SCRUM-124\"] select.status'); s.value = 'Done'; s.dispatchEvent(new Event('change'))", &[]).await;
    stage.browser.see(REPLIES, "SCRUM-124: In Progress → Done").await;
    stage.browser.click("[aria-label='Change SCRUM-124']").await;
    for (label, value) in [("Assignee", "Grace Hopper"), ("Priority", "High")] {
        let script = format!(
            "const s = document.querySelector('dialog select[aria-label={label}]'); s.value = '{value}'; s.dispatchEvent(new Event('change'))"
        );
        stage.browser.run(&script, &[]).await;
    }
    stage.browser.see(REPLIES, "SCRUM-124: assigned to Grace Hopper").await;
    stage.browser.see(REPLIES, "SCRUM-124: priority Medium → High").await;
}

#[tokio::test]
async fn turning_the_clock_brings_a_digest_and_offers_what_is_done_for_long() {
    let Some(stage) = Stage::open().await else { return };
    stage.say("/maro track SCRUM-124").await;
    stage.hear("Now tracking SCRUM-124").await;
    stage.say("/maro notify digest daily 9:00").await;
    stage.hear("gets a digest of what changed").await;
    stage.browser.run("const s = document.querySelector('tr[data-key=\"SCRUM-124\"] select.status'); s.value = 'Done'; s.dispatchEvent(new Event('change'))", &[]).await;
    crate::bot::until("it's kept for the digest", async || {
        let kept = "SELECT issue_key FROM notice_outbox WHERE state = 'kept'";
        crate::raw::query(&stage.bot.config.database, kept).await.len() == 1
    })
    .await;
    stage.browser.click("[aria-label='Turn the clock forward: +1 day']").await;
    stage.browser.see("#time", "24 hours ahead").await;
    let digest = stage.hear("1 tracked issue changed status").await;
    assert!(digest.contains("Database migration, was In Progress"), "{digest}");
    stage.browser.click("[aria-label='Turn the clock forward: +14 days']").await;
    stage.browser.see("#time", "15 days ahead").await;
    let offer = stage.hear("1 tracked issue has been done for more than 14 days").await;
    assert!(offer.contains("SCRUM-124"), "{offer}");
    assert_eq!(stage.bot.slack.problems(), [""; 0]);
}

#[tokio::test]
async fn the_home_tab_is_shown() {
    let Some(stage) = Stage::open().await else { return };
    stage.say("/maro track SCRUM-124").await;
    stage.hear("Now tracking SCRUM-124").await;
    stage.browser.run("[...document.querySelectorAll('#direct button')].find((b) => b.textContent.includes('Home')).click()", &[]).await;
    stage.browser.see("#home", "SCRUM-124: Database migration (In Progress)").await;
    assert_eq!(stage.browser.texts("#channel-title").await, ["MARO Home"]);
    stage.browser.run("document.querySelector('#channels button').click()", &[]).await;
    stage.browser.see("#channel-title", "general").await;
    stage.browser.see(SAID, "Now tracking SCRUM-124").await;
}
