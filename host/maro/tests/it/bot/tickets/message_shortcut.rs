//! The shortcut on a message: whatever the message consists of, its words are in the form.

use maro_simulation::slack::modals::modal::Modal;
use serde_json::{Value, json};

use crate::bot::{TestBot, tickets::create::bot};

const PLACEHOLDER: &str = "This content can't be displayed.";

/// The form that ada gets for an app's message.
async fn form_for(bot: &TestBot, message: Value) -> Modal {
    let message = bot.slack.write_as_app("general", message).unwrap();
    bot.slack.use_message_shortcut("ada", &message, "create_from_message").await.unwrap();
    bot.slack.wait_for_modal("ada", |modal| modal.field("summary").is_some()).await.unwrap()
}

fn summary(modal: &Modal) -> String {
    modal.value("summary").unwrap_or_default()
}

/// The description, which always ends in the whole link to the message.
fn description(modal: &Modal) -> String {
    let description = modal.value("description").unwrap_or_default();
    let (_, link) = description.rsplit_once('\n').unwrap_or(("", &description));
    assert!(
        link.starts_with("https://") && link.contains("/archives/C") && link.contains("/p1"),
        "{description}"
    );
    assert!(description.encode_utf16().count() <= 3_000, "{}", description.len());
    assert!(!description.contains(PLACEHOLDER) && !description.contains("no preview"), "{description}");
    description
}

#[tokio::test]
async fn an_alert_of_rich_text_says_what_people_see() {
    let bot = bot().await;
    let section = |elements: Value| json!({ "type": "rich_text_section", "elements": elements });
    let modal = form_for(&bot, json!({ "bot_id": "B1", "text": PLACEHOLDER, "blocks": [
        { "type": "rich_text", "elements": [
            section(json!([{ "type": "emoji", "name": "rotating_light", "unicode": "1f6a8" },
                { "type": "text", "text": " Queue depth above 40k", "style": { "bold": true } }])),
            { "type": "rich_text_list", "style": "bullet", "elements": [
                section(json!([{ "type": "text", "text": "mq-eu-2", "style": { "code": true } }])),
                section(json!([{ "type": "link", "url": "https://runbooks.example/mq", "text": "what to do" }])),
            ] },
            { "type": "rich_text_preformatted", "elements": [{ "type": "text", "text": "consumers=0" }] },
        ] },
        { "type": "divider" },
        { "type": "context", "elements": [
            { "type": "image", "image_url": "https://x.example/mq.png", "alt_text": "queue" },
            { "type": "mrkdwn", "text": "Shard *7* &amp; 8" },
        ] },
    ] })).await;
    assert_eq!(summary(&modal), "Queue depth above 40k");
    let description = description(&modal);
    for words in ["`mq-eu-2`", "<https://runbooks.example/mq|what to do>", "consumers=0", "Shard 7 & 8"] {
        assert!(description.contains(words), "{words}: {description}");
    }
}

#[tokio::test]
async fn attachments_and_files_have_words_too() {
    let bot = bot().await;
    let modal = form_for(
        &bot,
        json!({ "bot_id": "B1", "text": "", "attachments": [
        { "fallback": "[no preview available]", "blocks": [
            { "type": "section", "text": { "type": "mrkdwn", "text": "*Deploy failed:* `checkout` 4.18.2" } },
            { "type": "section", "fields": [{ "type": "mrkdwn", "text": "*Step*\nmigrate" }] },
        ] },
        { "fallback": "Rolled back", "pretext": "What happened next", "title": "Rolled back to 4.18.1",
          "title_link": "https://ship.example/991", "text": "after 41 s" },
    ] }),
    )
    .await;
    assert_eq!(summary(&modal), "Deploy failed: checkout 4.18.2");
    let words = description(&modal);
    assert!(
        words.contains("migrate") && words.contains("Rolled back to 4.18.1") && words.contains("after 41 s"),
        "{words}"
    );
    bot.slack.close("ada").await.unwrap();

    let modal = form_for(&bot, json!({ "text": "", "files": [
        { "name": "gate-7-crash.log", "title": "Gate 7 crash", "permalink": "https://harbor.slack.com/files/U1/F1/gate" },
        { "name": "image.png", "title": "gate 7 at 07:41" },
    ] })).await;
    assert_eq!(summary(&modal), "Gate 7 crash");
    let words = description(&modal);
    assert!(words.contains("gate-7-crash.log") && words.contains("image.png"), "{words}");
}

#[tokio::test]
async fn a_long_message_loses_words_and_not_its_link() {
    let bot = bot().await;
    let log = "07:00:00 pump3 trip code=0x0000 p=400 kPa\n".repeat(80);
    let modal = form_for(&bot, json!({ "text": format!("Pump 3 restarts:\n```{log}```") })).await;
    let words = description(&modal);
    assert!(words.contains("…\n```\n\nhttps://"), "{words}");
    assert_eq!(summary(&modal), "Pump 3 restarts");
}

#[tokio::test]
async fn a_title_has_names_and_no_markup() {
    let bot = bot().await;
    let scopes = ["chat:write", "commands", "channels:read", "groups:read", "users:read", "usergroups:read"];
    bot.slack.grant_scopes(&scopes);
    bot.slack.set_user_group("S05ONCALL1", &["ada"]);
    let text = "<@W08PRIYA22> and <!subteam^S99NOBODY>: :rotating_light: please ring <sip:desk@pbx.example|the desk> or \
        open <harborapp://incident/77|incident 77>, see <#C06DOCKS01|> &amp; <https://runbooks.example/ring?x=1&amp;y=2|how to ring>";
    let modal = form_for(&bot, json!({ "text": text })).await;
    assert_eq!(summary(&modal), "please ring the desk or open incident 77, see & how to ring");
    let words = description(&modal);
    assert!(words.contains("<https://runbooks.example/ring?x=1&y=2|how to ring>"), "{words}");
    assert!(words.contains("the desk") && words.contains("incident 77"), "{words}");
    bot.slack.close("ada").await.unwrap();

    // What Slack tells is named.
    let ada = bot.slack.workspace().person("ada").unwrap().id.clone();
    let general = bot.slack.workspace().channels[0].clone();
    let text = format!("Ask <@{ada}> or <!subteam^S05ONCALL1> in <#{}>", general.id);
    let modal = form_for(&bot, json!({ "text": text })).await;
    assert_eq!(summary(&modal), format!("Ask @ada or @s05oncall1 in #{}", general.name));
    assert!(description(&modal).starts_with(&format!("Ask @ada or @s05oncall1 in #{}", general.name)));
}

#[tokio::test]
async fn codes_of_emoji_and_markdown_reach_no_form() {
    let bot = bot().await;
    let modal = form_for(&bot, json!({ "bot_id": "B1", "text": "x", "blocks": [
        { "type": "header", "text": { "type": "plain_text", "text": ":fire: Disk full on db-2", "emoji": true } },
        { "type": "section", "text": { "type": "mrkdwn", "text": ":warning: 97% `:fire:` :harbor_crane:" } },
        { "type": "markdown", "text": "## Next\n**Now:** [free space](https://runbooks.example/disk)" },
    ] }))
    .await;
    assert_eq!(summary(&modal), "Disk full on db-2");
    let description = description(&modal);
    let expected = "*🔥 Disk full on db-2*\n⚠️ 97% `:fire:` harbor crane\n*Next*\n\
        *Now:* <https://runbooks.example/disk|free space>\n";
    assert!(description.starts_with(expected), "{description}");
}

/// Messages in the shapes in which monitoring programs and mails arrive, with words of our own.
#[tokio::test]
async fn an_alert_is_called_what_its_program_calls_it() {
    let bot = bot().await;
    let plain = |text: &str| json!({ "type": "plain_text", "text": text, "emoji": true });
    let section = |text: &str| json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } });
    for (message, title, words) in [
        (
            json!({ "subtype": "bot_message", "bot_id": "B1", "text": "<!here>", "blocks": null, "attachments": [{
                "title": "[FIRING:1] QuayDown (north)", "title_link": "https://am.example/#/alerts?receiver=quay",
                "text": "**Firing**\nValue: A=1", "fallback": "[FIRING:1] QuayDown", "color": "danger",
                "mrkdwn_in": ["text"], "fields": [{ "title": "Severity", "value": "critical", "short": true }],
                "footer": "Board v9", "ts": 1_795_478_310 }] }),
            "[FIRING:1] QuayDown (north)",
            &["Value: A=1", "Severity: critical", "https://am.example/#/alerts?receiver=quay"][..],
        ),
        (
            json!({ "bot_id": "B1", "text": "[quay] TypeError: x", "blocks": [
                section(":red_circle: <https://errors.example/issues/7/|*TypeError: x is undefined*>"),
                section("```at crane.js:7```"),
                { "type": "context", "elements": [{ "type": "mrkdwn", "text": "environment: `prod`" }] },
                { "type": "actions", "elements": [{ "type": "button", "text": plain("Resolve"), "value": "1" }] },
            ] }),
            "TypeError: x is undefined",
            &["<https://errors.example/issues/7/|TypeError: x is undefined>", "at crane.js:7", "`prod`"],
        ),
        (
            json!({ "bot_id": "B1", "text": "", "attachments": [{ "color": "#d00", "blocks": [
                section("*<https://pager.example/incidents/Q1|#1234: Crane 3 stuck>*"),
                { "type": "section", "fields": [{ "type": "mrkdwn", "text": "*Urgency:*\nHigh" }] },
            ] }] }),
            "#1234: Crane 3 stuck",
            &["Urgency:", "High", "https://pager.example/incidents/Q1"],
        ),
        (
            json!({ "bot_id": "B1", "text": "", "attachments": [{ "fallback": "Alarm", "color": "#d13212",
                "title": ":rotating_light: Alarm | QuayQueue | eu-north", "title_link": "https://c.example/#alarm:name=QuayQueue",
                "text": "In release `<https://r.example/7|a1b2>`",
                "actions": [{ "type": "button", "text": "Runbook :bug:", "url": "https://run.example/q" }] }] }),
            "Alarm | QuayQueue | eu-north",
            &[
                "<https://c.example/#alarm:name=QuayQueue|🚨 Alarm | QuayQueue | eu-north>",
                "In release <https://r.example/7|a1b2>",
                "<https://run.example/q|Runbook 🐛>",
            ],
        ),
        (
            json!({ "bot_id": "B1", "text": "", "attachments": [{ "fallback": "x", "author_name": "ci: build failed",
                "author_link": "https://ci.example/9", "fields": [{ "title": "Step", "value": "migrate" }] }] }),
            "ci: build failed",
            &["https://ci.example/9", "Step: migrate"],
        ),
        (
            json!({ "bot_id": "B1", "text": "x", "blocks": [{ "type": "section", "fields": [
                { "type": "mrkdwn", "text": "*Severity:*\nHigh" }, { "type": "mrkdwn", "text": "*What:*\nPump 3" },
            ] }] }),
            "Severity: High",
            &["*What:*", "Pump 3"],
        ),
        (
            json!({ "text": "", "files": [{ "mode": "email", "filetype": "email", "title": "Gate 7 stuck",
                "name": "Gate_7_stuck", "plain_text": "Since 07:41.\nPlease call." }] }),
            "Gate 7 stuck",
            &["Since 07:41.", "Please call."],
        ),
    ] {
        let modal = form_for(&bot, message).await;
        assert_eq!(summary(&modal), title);
        let description = description(&modal);
        for words in words {
            assert!(description.contains(words), "{words}: {description}");
        }
        bot.slack.close("ada").await.unwrap();
    }
}
