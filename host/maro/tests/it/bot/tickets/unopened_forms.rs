//! Forms that Slack doesn't open: the person who waits for one is told, and nobody else.

use maro_simulation::slack::{shown::history::ShownMessage, web_api::faults::SlackFault};

use crate::bot::{TestBot, tickets::create, until};

/// What Slack shows to ada alone in #general once something has failed.
async fn told(bot: &TestBot, count: usize) -> Vec<ShownMessage> {
    let seen = || -> Vec<_> {
        let seen = bot.slack.messages_seen_by("ada", "general").into_iter();
        seen.filter(|message| message.visible_to.is_some()).collect()
    };
    until("ada is told", async || seen().len() == count).await;
    seen()
}

#[tokio::test]
async fn a_message_shortcut_whose_form_does_not_open_says_so_to_the_person_alone() {
    let bot = create::bot().await;
    let thread = bot.slack.write("grace", "general", "The ferry app logs everybody out").unwrap();
    let message = bot.slack.write_reply("grace", &thread, "At noon").unwrap();
    let faults = [
        (SlackFault::Error("exchanged_trigger_id".to_owned()), "The form took too long to open. Try again."),
        (SlackFault::Status(503), "MARO couldn't open the form. Try again in a moment."),
        (
            SlackFault::Error("missing_scope".to_owned()),
            "MARO couldn't open the form because Slack doesn't allow it. Ask your MARO admin to check the Slack app.",
        ),
    ];
    let posts = bot.slack.calls_of("chat.postMessage").len();
    for (count, (fault, expected)) in (1..).zip(faults) {
        bot.slack.set_fault("views.open", fault);
        bot.slack.use_message_shortcut("ada", &message, "create_from_message").await.unwrap();
        let shown = told(&bot, count).await;
        assert_eq!(shown.last().unwrap().text, expected);
        assert!(shown.last().unwrap().is_delayed, "not through the response_url");
    }
    assert_eq!(bot.slack.calls_of("chat.postMessage").len(), posts, "the channel heard of it");
}

#[tokio::test]
async fn a_shortcut_from_anywhere_says_so_in_a_direct_message() {
    let bot = create::bot().await;
    bot.slack.set_fault("views.open", SlackFault::Status(503));
    bot.slack.use_shortcut("ada", "create_issue").await.unwrap();
    until("ada is told", async || !bot.slack.calls_of("chat.postMessage").is_empty()).await;
    let call = bot.slack.calls_of("chat.postMessage").remove(0);
    assert_eq!(call.arguments["channel"], "U0ADA000001");
    assert_eq!(call.arguments["text"], "MARO couldn't open the form. Try again in a moment.");
}
