//! Modals in the simulated workspace are opened, filled, submitted, pressed and closed as in Slack.

use std::{collections::BTreeMap, sync::Mutex};

use jiff::{SignedDuration, Timestamp};
use maro_process::clock::Clock;
use maro_simulation::slack::{
    SimulatedSlack,
    modals::form::ShownChoice,
    people::{act_error::SubmitOutcome, pressing::Press},
    web_api::faults::SlackFault,
};
use serde_json::{Value, json};

use crate::support::{
    BOT_TOKEN,
    forms::{call, client, duplicates, form, option, plain, start_scripted_bot},
    start_slack,
};

async fn open(
    slack: &SimulatedSlack,
    commands: &Mutex<Vec<BTreeMap<String, String>>>,
    view: &Value,
) -> Value {
    slack.send_command("general", "ada", "/maro create").await.unwrap();
    let trigger = commands.lock().unwrap().last().unwrap()["trigger_id"].clone();
    call(slack, "views.open", &json!({ "trigger_id": trigger, "view": view })).await
}

#[tokio::test]
async fn a_modal_is_opened_filled_and_submitted() {
    let slack = start_slack(Clock::system()).await;
    let commands = start_scripted_bot(&slack, Clock::system(), |payload| {
        Some(match payload["type"].as_str().unwrap() {
            "block_suggestion" => {
                assert_eq!(payload["view"]["state"]["values"], json!({}), "Slack does not tell");
                json!({ "options": [option("Scrum (SCRUM)", "SCRUM"), option("Web (WEB)", "WEB")] })
                    .to_string()
            }
            "block_actions" => {
                assert_eq!(payload["actions"][0]["selected_option"]["value"], "WEB");
                assert_eq!(payload["container"]["view_id"], payload["view"]["id"]);
                String::new()
            }
            "view_submission" => String::new(),
            other => panic!("{other}"),
        })
    })
    .await;
    let opened = open(&slack, &commands, &form()).await;
    assert_eq!((&opened["ok"], &opened["view"]["callback_id"]), (&json!(true), &json!("create_issue")));
    let modal = slack.modal("ada").unwrap();
    assert_eq!(
        (modal.title(), modal.submit_label(), modal.close_label()),
        ("Create an issue", Some("Create"), "Cancel")
    );
    assert_eq!(modal.value("project").as_deref(), Some("Scrum (SCRUM)"));
    assert_eq!(slack.modal("grace"), None);

    let missing = slack.submit("ada").await.unwrap();
    let SubmitOutcome::Incomplete(errors) = missing else { panic!("{missing:?}") };
    assert_eq!(errors.keys().collect::<Vec<_>>(), ["issue_type", "summary"]);
    assert_eq!(slack.modal("ada").unwrap().error("summary").unwrap(), "Please complete this required field.");

    let offered = slack.suggestions("ada", "project", "").await.unwrap();
    assert_eq!(offered[1], ShownChoice { label: "Web (WEB)".to_owned(), value: "WEB".to_owned() });
    let values = [("project", "WEB"), ("Type", "bug"), ("summary", "Log-in fails"), ("description", "a\nb")];
    let modal = slack.fill("ada", &values).await.unwrap();
    assert_eq!(modal.value("project").as_deref(), Some("Web (WEB)"));
    assert_eq!(slack.submit("ada").await.unwrap(), SubmitOutcome::Closed);
    assert_eq!(slack.modal("ada"), None);

    let submitted = slack.interactions().pop().unwrap();
    assert_eq!(submitted["view"]["private_metadata"], "sealed");
    let values = &submitted["view"]["state"]["values"];
    assert_eq!(values["summary"]["summary"], json!({ "type": "plain_text_input", "value": "Log-in fails" }));
    assert_eq!(values["issue_type"]["issue_type"]["selected_option"]["value"], "10002");
    assert_eq!(values["project"]["project"]["selected_option"]["value"], "WEB");
    assert_eq!(slack.problems(), [""; 0]);
}

#[tokio::test]
async fn a_trigger_opens_one_modal_within_three_seconds() {
    let start = Timestamp::from_second(1_700_000_000).unwrap();
    let clock = Clock::stopped(start);
    let slack = start_slack(clock.clone()).await;
    let commands = start_scripted_bot(&slack, clock.clone(), |_| Some(String::new())).await;
    assert_eq!(open(&slack, &commands, &form()).await["ok"], true);
    let trigger = commands.lock().unwrap()[0]["trigger_id"].clone();
    let again = call(&slack, "views.open", &json!({ "trigger_id": trigger, "view": form() })).await;
    assert_eq!(again["error"], "exchanged_trigger_id");
    let made_up = call(&slack, "views.open", &json!({ "trigger_id": "1.2.x", "view": form() })).await;
    assert_eq!(made_up["error"], "invalid_trigger_id");
    slack.send_command("general", "ada", "/maro create").await.unwrap();
    clock.set(start + SignedDuration::from_secs(3));
    let trigger = commands.lock().unwrap()[1]["trigger_id"].clone();
    let late = call(&slack, "views.open", &json!({ "trigger_id": trigger, "view": form() })).await;
    assert_eq!(late["error"], "expired_trigger_id");
}

#[tokio::test]
async fn an_update_keeps_what_was_typed_and_minds_its_hash() {
    let slack = start_slack(Clock::system()).await;
    let commands = start_scripted_bot(&slack, Clock::system(), |_| Some(String::new())).await;
    let opened = open(&slack, &commands, &form()).await;
    let (id, hash) = (&opened["view"]["id"], &opened["view"]["hash"]);
    slack.fill("ada", &[("summary", "typed")]).await.unwrap();
    let updated = call(&slack, "views.update", &json!({ "view_id": id, "hash": hash, "view": form() })).await;
    assert_eq!(updated["view"]["state"]["values"]["summary"]["summary"]["value"], "typed");
    assert_eq!(&updated["view"]["id"], id);
    let stale = call(&slack, "views.update", &json!({ "view_id": id, "hash": hash, "view": form() })).await;
    assert_eq!(stale["error"], "hash_conflict");
    slack.close("ada").await.unwrap();
    let closed = slack.interactions().pop().unwrap();
    assert_eq!((&closed["type"], &closed["is_cleared"]), (&json!("view_closed"), &json!(false)));
    let gone = call(&slack, "views.update", &json!({ "view_id": id, "view": form() })).await;
    assert_eq!(gone["error"], "not_found");
}

#[tokio::test]
async fn a_submission_does_what_the_bot_answers() {
    let slack = start_slack(Clock::system()).await;
    let commands = start_scripted_bot(&slack, Clock::system(), |payload| {
        let summary = &payload["view"]["state"]["values"]["summary"]["summary"]["value"];
        match summary.as_str().unwrap_or_default() {
            "errors" => {
                Some(json!({ "response_action": "errors", "errors": { "summary": "Too dull." } }).to_string())
            }
            "strange" => {
                Some(json!({ "response_action": "errors", "errors": { "nowhere": "?" } }).to_string())
            }
            "update" => Some(json!({ "response_action": "update", "view": duplicates() }).to_string()),
            "push" => Some(json!({ "response_action": "push", "view": duplicates() }).to_string()),
            "clear" => Some(r#"{"response_action":"clear"}"#.to_owned()),
            "text" => Some("done".to_owned()),
            _ => None,
        }
    })
    .await;
    let trouble = SubmitOutcome::Failed("We had some trouble connecting. Try again?".to_owned());
    let submit = async |summary: &str| {
        open(&slack, &commands, &form()).await;
        slack.fill("ada", &[("issue_type", "Story"), ("summary", summary)]).await.unwrap();
        slack.submit("ada").await.unwrap()
    };
    let errors = BTreeMap::from([("summary".to_owned(), "Too dull.".to_owned())]);
    assert_eq!(submit("errors").await, SubmitOutcome::Errors(errors));
    assert_eq!(slack.modal("ada").unwrap().error("summary").unwrap(), "Too dull.");
    let SubmitOutcome::Updated(modal) = submit("update").await else { panic!() };
    assert_eq!(modal.callback_id(), "create_issue_anyway");
    let SubmitOutcome::Pushed(modal) = submit("push").await else { panic!() };
    assert_eq!(modal.buttons().len(), 2);
    slack.close("ada").await.unwrap();
    assert_eq!(slack.modal("ada").unwrap().callback_id(), "create_issue");
    assert_eq!(submit("clear").await, SubmitOutcome::Closed);
    assert_eq!(slack.problems(), [""; 0]);
    for summary in ["500", "text", "strange"] {
        assert_eq!(submit(summary).await, trouble);
        assert_eq!(slack.modal("ada").unwrap().notice.unwrap(), "We had some trouble connecting. Try again?");
    }
    assert_eq!(
        slack.problems(),
        [
            "The answer to a view_submission is invalid: it isn't JSON",
            "The answer to a view_submission is invalid: errors contains \"nowhere\", which isn't an input block",
        ]
    );
}

#[tokio::test]
async fn one_of_several_buttons_is_pressed_by_number_or_by_what_it_stands_beside() {
    let slack = start_slack(Clock::system()).await;
    let commands = start_scripted_bot(&slack, Clock::system(), |_| Some(String::new())).await;
    open(&slack, &commands, &duplicates()).await;
    let many = slack.press("ada", "Link this one").await.unwrap_err();
    assert_eq!(
        many.to_string(),
        "2 buttons are called \"Link this one\". Choose one with --nth 1 or --beside SCRUM-5."
    );
    slack.press("ada", Press::button("Link this one").nth(2)).await.unwrap();
    slack.press("ada", Press::button("link_duplicate").beside("SCRUM-5")).await.unwrap();
    let pressed: Vec<_> =
        slack.interactions().iter().map(|payload| payload["actions"][0]["value"].clone()).collect();
    assert_eq!(pressed, ["SCRUM-7", "SCRUM-5"]);
    assert_eq!(
        slack.press("ada", "Delete").await.unwrap_err().to_string(),
        "There's no button called \"Delete\" here. Choose from Link this one, Link this one."
    );
}

#[tokio::test]
async fn a_modal_that_breaks_the_rules_is_refused_with_the_place() {
    let slack = start_slack(Clock::system()).await;
    let commands = start_scripted_bot(&slack, Clock::system(), |_| Some(String::new())).await;
    let broken = |change: &dyn Fn(&mut Value)| {
        let mut view = form();
        change(&mut view);
        view
    };
    let cases: Vec<(Value, &str)> = vec![
        (
            broken(&|view| view["title"]["text"] = json!("x".repeat(25))),
            "has 25 characters, at most 24 [json-pointer:/view/title]",
        ),
        (broken(&|view| drop(view.as_object_mut().unwrap().remove("submit"))), "must define submit"),
        (broken(&|view| view["private_metadata"] = json!("x".repeat(3_001))), "3001 characters"),
        (broken(&|view| view["callback_id"] = json!("x".repeat(256))), "256 characters"),
        (broken(&|view| view["blocks"][1]["block_id"] = json!("summary")), "of another block"),
        (broken(&|view| view["blocks"] = json!([])), "0 entries"),
        (broken(&|view| view["colour"] = json!("red")), "unknown field colour"),
        (
            broken(&|view| view["blocks"][2]["element"]["type"] = json!("button")),
            "is a button, which isn't allowed there",
        ),
        (broken(&|view| view["blocks"][2]["element"]["max_length"] = json!(3_001)), "not between 1 and 3000"),
        (
            broken(&|view| {
                view["blocks"][1]["element"]["options"][0]["text"]["text"] = json!("x".repeat(76))
            }),
            "at most 75",
        ),
        (
            broken(&|view| view["blocks"][1]["element"]["initial_option"] = option("Epic", "3")),
            "isn't one of the options",
        ),
        (
            broken(&|view| {
                view["blocks"][0] =
                    json!({ "type": "section", "text": { "type": "mrkdwn", "text": "x".repeat(3_001) } })
            }),
            "at most 3000",
        ),
        (broken(&|view| view["blocks"][2]["label"]["type"] = json!("mrkdwn")), "must be plain_text"),
    ];
    for (view, problem) in cases {
        let refused = open(&slack, &commands, &view).await;
        assert_eq!(refused["error"], "invalid_arguments", "{problem}");
        let messages = refused["response_metadata"]["messages"].to_string();
        assert!(messages.contains(problem), "{problem}: {messages}");
        assert!(slack.problems().last().unwrap().contains(problem));
    }
    let blocks = vec![json!({ "type": "divider" }); 101];
    let refused =
        open(&slack, &commands, &json!({ "type": "modal", "title": plain("x"), "blocks": blocks })).await;
    assert_eq!(refused["error"], "invalid_arguments");
    assert_eq!(slack.modal("ada"), None);
}

#[tokio::test]
async fn views_open_can_be_made_to_fail() {
    let slack = start_slack(Clock::system()).await;
    let commands = start_scripted_bot(&slack, Clock::system(), |_| Some(String::new())).await;
    slack.set_next_faults("views.open", [Some(SlackFault::Error("internal_error".to_owned())), None]);
    assert_eq!(open(&slack, &commands, &form()).await["error"], "internal_error");
    assert_eq!(open(&slack, &commands, &form()).await["ok"], true);
    slack.set_fault("views.open", SlackFault::LostAnswer);
    let trigger = slack.send_command("general", "grace", "/maro create").await;
    trigger.unwrap();
    let trigger = commands.lock().unwrap().last().unwrap()["trigger_id"].clone();
    let request = client()
        .post(format!("{}/views.open", slack.api_url()))
        .bearer_auth(BOT_TOKEN)
        .header("content-type", "application/json")
        .body(json!({ "trigger_id": trigger, "view": form() }).to_string());
    assert!(request.send().await.is_err());
    assert_eq!(slack.modal("grace").unwrap().callback_id(), "create_issue");
    let outcomes: Vec<_> =
        slack.calls_of("views.open").into_iter().map(|call| call.outcome.unwrap()).collect();
    assert_eq!(outcomes, ["internal_error", "ok", "ok"]);
    assert_eq!(slack.problems(), [""; 0]);
}

#[tokio::test]
async fn every_payload_is_what_slack_morphism_reads() {
    use slack_morphism::prelude::{SlackInteractionEvent, SlackView};

    let slack = start_slack(Clock::system()).await;
    let commands = start_scripted_bot(&slack, Clock::system(), |payload| {
        Some(match payload["type"].as_str().unwrap() {
            "block_suggestion" => json!({ "options": [option("Web (WEB)", "WEB")] }).to_string(),
            _ => String::new(),
        })
    })
    .await;
    let opened = open(&slack, &commands, &form()).await;
    serde_json::from_value::<SlackView>(opened["view"].clone()).unwrap();
    let values = [("project", "WEB"), ("issue_type", "Bug"), ("summary", "x")];
    slack.fill("ada", &values).await.unwrap();
    slack.submit("ada").await.unwrap();
    open(&slack, &commands, &form()).await;
    slack.close("ada").await.unwrap();
    open(&slack, &commands, &duplicates()).await;
    slack.press("ada", Press::button("Link this one").nth(1)).await.unwrap();
    slack.use_shortcut("ada", "create_issue").await.unwrap();
    let message = slack.write("ada", "launch", "The log-in is broken").unwrap();
    slack.write_reply("grace", &message, "Since when?").unwrap();
    slack.use_message_shortcut("ada", &message, "create_from_message").await.unwrap();
    let payloads = slack.interactions();
    let kinds: Vec<_> = payloads.iter().map(|payload| payload["type"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        [
            "block_suggestion",
            "block_actions",
            "view_submission",
            "view_closed",
            "block_actions",
            "shortcut",
            "message_action"
        ]
    );
    assert_eq!(payloads[6]["message"]["thread_ts"], message.ts, "a thread began there");
    assert_eq!(payloads[6]["channel"]["name"], "privategroup");
    for payload in payloads {
        serde_json::from_value::<SlackInteractionEvent>(payload.clone())
            .unwrap_or_else(|error| panic!("{error}: {payload}"));
    }
}
