//! What a project and type demand beyond a summary, asked for in the form.

use maro_simulation::{
    jira::faults::JiraFault,
    slack::people::{act_error::SubmitOutcome, pressing::Press},
};
use serde_json::{Value, json};

use crate::bot::{
    TestBot,
    tickets::create::{bot, open_create, told},
};

/// The fields of the latest ticket that Jira was asked for.
fn sent(bot: &TestBot) -> Value {
    let requests = bot.jira.requests();
    let creation =
        requests.iter().rev().find(|request| request.method == "POST" && request.path.ends_with("/issue"));
    serde_json::from_slice::<Value>(&creation.unwrap().body).unwrap()["fields"].take()
}

#[tokio::test]
async fn choosing_another_type_asks_for_its_fields_and_keeps_what_was_typed() {
    let bot = bot().await;
    open_create(&bot, "Zeppelin hangar").await;
    bot.slack.fill("ada", &[("description", "As typed")]).await.unwrap();
    bot.choose_project("OPS").await;
    bot.slack.fill("ada", &[("issue_type", "Task")]).await.unwrap();
    let form =
        bot.slack.wait_for_modal("ada", |modal| modal.field("customfield_10050").is_some()).await.unwrap();
    assert_eq!(form.value("summary").as_deref(), Some("Zeppelin hangar"));
    assert_eq!(form.value("description").as_deref(), Some("As typed"));
    let severity = form.field("customfield_10050").unwrap();
    assert_eq!((severity.label.as_str(), severity.is_required), ("Severity", true));
    assert!(matches!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Incomplete(_)));
    // Not every client of Slack's checks that.
    let incomplete = bot.slack.submission("ada").unwrap();
    let answer = bot.slack.send_interaction(&incomplete).await.unwrap();
    assert!(format!("{answer:?}").contains("customfield_10050"), "{answer:?}");
    let asked = bot.jira.requests();
    assert!(!asked.iter().any(|request| request.method == "POST" && request.path.ends_with("/issue")));
    bot.slack.fill("ada", &[("customfield_10050", "High"), ("labels", "north quay")]).await.unwrap();
    assert_eq!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed);
    assert_eq!(told(&bot), ["Created OPS-1: Zeppelin hangar"]);
    let fields = sent(&bot);
    assert_eq!(
        (&fields["customfield_10050"], &fields["labels"]),
        (&json!({ "id": "10201" }), &json!(["north", "quay"]))
    );
    assert!(fields.get("priority").is_none() && fields.get("assignee").is_none(), "{fields}");
}

/// A screen with one field of each kind.
fn screen() -> Value {
    let custom = |name: &str| format!("com.atlassian.jira.plugin.system.customfieldtypes:{name}");
    let options = json!([{ "id": "1", "value": "Low" }, { "id": "2", "value": "High" }]);
    let field = |id: &str, schema: Value, allowed: Option<&Value>| {
        let mut field = json!({ "fieldId": id, "key": id, "name": id.to_uppercase(), "required": true,
            "hasDefaultValue": false, "operations": ["set"], "schema": schema });
        if let Some(allowed) = allowed {
            field["allowedValues"] = allowed.clone();
        }
        field
    };
    let cascade = json!([{ "id": "1", "value": "Quay", "children": [{ "id": "11", "value": "North" }] }]);
    json!({ "startAt": 0, "maxResults": 200, "total": 12, "fields": [
        field("customfield_1", json!({ "type": "string", "custom": custom("textarea") }), None),
        field("customfield_2", json!({ "type": "number", "custom": custom("float") }), None),
        field("duedate", json!({ "type": "date", "system": "duedate" }), None),
        field("customfield_3", json!({ "type": "option", "custom": custom("select") }), Some(&options)),
        field("fixVersions", json!({ "type": "array", "items": "version", "system": "fixVersions" }), Some(&options)),
        field("customfield_4", json!({ "type": "array", "items": "option", "custom": custom("multicheckboxes") }), Some(&options)),
        field("customfield_5", json!({ "type": "user", "custom": custom("userpicker") }), None),
        field("customfield_6", json!({ "type": "string", "custom": custom("textfield") }), None),
        field("customfield_7", json!({ "type": "datetime", "custom": custom("datetime") }), None),
        field("customfield_8", json!({ "type": "array", "items": "user", "custom": custom("multiuserpicker") }), None),
        field("customfield_9", json!({ "type": "option-with-child", "custom": custom("cascadingselect") }), Some(&cascade)),
        field("parent", json!({ "type": "issuelink", "system": "parent" }), None),
    ]})
}

#[tokio::test]
async fn each_kind_of_field_reaches_jira_as_jira_takes_it() {
    let bot = bot().await;
    bot.jira.set_next_faults_of("/issuetypes/10001", [Some(JiraFault::Answer(200, screen().to_string()))]);
    let form = open_create(&bot, "Zeppelin hangar").await;
    let kind = |id: &str| form.field(id).map(|field| field.kind).unwrap_or_default();
    let kinds = [
        "customfield_1",
        "customfield_2",
        "duedate",
        "customfield_3",
        "fixVersions",
        "customfield_4",
        "customfield_5",
        "customfield_7",
        "customfield_8",
        "parent",
    ];
    assert_eq!(
        kinds.map(kind),
        [
            "plain_text_input",
            "number_input",
            "datepicker",
            "static_select",
            "multi_static_select",
            "checkboxes",
            "external_select",
            "datetimepicker",
            "multi_external_select",
            "external_select"
        ]
    );
    bot.slack
        .fill(
            "ada",
            &[
                ("customfield_1", "*Why*"),
                ("customfield_2", "4.5"),
                ("duedate", "2026-11-30"),
                ("customfield_3", "High"),
                ("fixVersions", "Low, High"),
                ("customfield_4", "Low"),
                ("customfield_5", "Edsger Dijkstra"),
                ("customfield_6", "Gate 7"),
                ("customfield_7", "1795478399"),
                ("customfield_8", "Ada Lovelace, Grace Hopper"),
                ("customfield_9", "Quay › North"),
                ("parent", "SCRUM-101"),
            ],
        )
        .await
        .unwrap();
    let refusal = json!({ "errorMessages": [], "errors": { "duedate": "Give a workday.", "customfield_3": { "message": "Not High." } } });
    let created = json!({ "id": "99001", "key": "SCRUM-151", "self": "https://x.example" });
    bot.jira.set_next_faults_of(
        "/issue",
        [
            Some(JiraFault::Answer(400, refusal.to_string())),
            Some(JiraFault::Answer(201, created.to_string())),
        ],
    );
    let SubmitOutcome::Errors(errors) = bot.slack.submit("ada").await.unwrap() else { panic!("no errors") };
    assert_eq!(
        (errors["duedate"].as_str(), errors["customfield_3"].as_str()),
        ("Give a workday.", "Not High.")
    );
    assert_eq!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed);
    let fields = sent(&bot);
    assert_eq!(fields["customfield_1"]["type"], "doc");
    assert_eq!((&fields["customfield_2"], &fields["duedate"]), (&json!(4.5), &json!("2026-11-30")));
    assert_eq!(fields["customfield_3"], json!({ "id": "2" }));
    assert_eq!(
        (&fields["fixVersions"], &fields["customfield_4"]),
        (&json!([{ "id": "1" }, { "id": "2" }]), &json!([{ "id": "1" }]))
    );
    assert!(fields["customfield_5"]["accountId"].is_string(), "{fields}");
    assert_eq!(fields["customfield_6"], "Gate 7");
    assert_eq!(fields["customfield_7"], "2026-11-23T23:59:59.000+0000");
    let people = json!([{ "accountId": "ada-lovelace" }, { "accountId": "grace-hopper" }]);
    assert_eq!((&fields["customfield_8"], &fields["parent"]), (&people, &json!({ "key": "SCRUM-101" })));
    assert_eq!(fields["customfield_9"], json!({ "id": "1", "child": { "id": "11" } }));
}

#[tokio::test]
async fn what_the_form_did_not_ask_for_is_asked_for_before_jira_refuses_it() {
    let bot = bot().await;
    // Jira didn't say which fields there are when the form opened.
    bot.jira.set_next_faults_of(
        "/issuetypes/10001",
        [Some(JiraFault::Status(403, None)), Some(JiraFault::Answer(200, screen().to_string()))],
    );
    let form = open_create(&bot, "Zeppelin hangar").await;
    assert!(form.field("duedate").is_none());
    let SubmitOutcome::Updated(form) = bot.slack.submit("ada").await.unwrap() else { panic!("no fields") };
    assert!(form.text().contains("For this type, Jira also requires: "), "{}", form.text());
    assert!(form.field("duedate").is_some_and(|field| field.is_required));
    assert_eq!(form.value("summary").as_deref(), Some("Zeppelin hangar"));
    assert_eq!(bot.asked_for("/issue"), 0);
}

/// A workflow demands what the screen calls optional.
#[tokio::test]
async fn what_jira_refuses_without_having_said_so_is_asked_for_then() {
    let bot = bot().await;
    let mut optional = screen();
    for field in optional["fields"].as_array_mut().unwrap() {
        field["required"] = json!(false);
    }
    bot.jira.set_next_faults_of("/issuetypes/10001", [Some(JiraFault::Answer(200, optional.to_string()))]);
    let form = open_create(&bot, "Zeppelin hangar").await;
    assert!(form.field("customfield_3").is_none());
    let refusal = json!({ "errorMessages": [], "errors": { "customfield_3": "Choose an impact." } });
    bot.jira.set_next_faults_of("/issue", [Some(JiraFault::Answer(400, refusal.to_string()))]);
    let SubmitOutcome::Updated(form) = bot.slack.submit("ada").await.unwrap() else { panic!("no notice") };
    assert!(
        form.text().contains("Choose an impact.\nFill that in below and submit again."),
        "{}",
        form.text()
    );
    let impact = form.field("customfield_3").unwrap();
    assert_eq!((impact.label.as_str(), impact.is_required), ("CUSTOMFIELD_3", true));
    assert_eq!(form.value("summary").as_deref(), Some("Zeppelin hangar"));
    bot.slack.fill("ada", &[("customfield_3", "Low")]).await.unwrap();
    let created = json!({ "id": "99001", "key": "SCRUM-151", "self": "https://x.example" });
    bot.jira.set_next_faults_of("/issue", [Some(JiraFault::Answer(201, created.to_string()))]);
    assert_eq!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed);
    assert_eq!(sent(&bot)["customfield_3"], json!({ "id": "1" }));
}

/// Jira's keys of errors aren't always the ids of its screen.
#[tokio::test]
async fn a_refusal_is_about_the_field_that_jira_means_by_it() {
    let bot = bot().await;
    let mut fields = screen();
    for field in fields["fields"].as_array_mut().unwrap() {
        field["required"] = json!(field["fieldId"] == "customfield_2");
        if field["fieldId"] == "customfield_3" {
            field["name"] = json!("Berth");
        }
    }
    bot.jira.set_next_faults_of("/issuetypes/10001", [Some(JiraFault::Answer(200, fields.to_string()))]);
    open_create(&bot, "Zeppelin hangar").await;
    bot.slack.fill("ada", &[("customfield_2", "4,5")]).await.unwrap();
    let refused = async |errors: Value| {
        let body = json!({ "errorMessages": [], "errors": errors }).to_string();
        bot.jira.set_next_faults_of("/issue", [Some(JiraFault::Answer(400, body))]);
        bot.slack.submit("ada").await.unwrap()
    };
    let SubmitOutcome::Errors(errors) =
        refused(json!({ "parentId": "Not in this hierarchy.", "customfield_2:1": "Too large." })).await
    else {
        panic!("not at its input")
    };
    assert_eq!(
        (errors["parent"].as_str(), errors["customfield_2"].as_str()),
        ("Not in this hierarchy.", "Too large.")
    );
    let SubmitOutcome::Updated(form) =
        refused(json!({ "berth": "Needed here.", "customfield_2": 400 })).await
    else {
        panic!("no notice")
    };
    let text = form.text();
    assert!(text.contains("Berth: Needed here.") && !text.contains("doesn't have"), "{text}");
    assert!(text.contains("Jira didn't accept CUSTOMFIELD_2."), "{text}");
    assert!(form.field("customfield_3").is_some_and(|field| field.is_required));
    assert!(form.view.to_string().contains(r#""initial_value":"4.5""#), "{}", form.view);
}

/// As if Jira had been slow, or an admin had changed the screen since.
#[tokio::test]
async fn stories_are_asked_for_what_their_form_did_not_know() {
    let bot = bot().await;
    let mut demanding = screen();
    demanding["fields"].as_array_mut().unwrap().retain(|field| field["fieldId"] == "customfield_3");
    let first = Some(JiraFault::Status(403, None));
    bot.jira.set_next_faults_of(
        "/issuetypes/10001",
        [first, Some(JiraFault::Answer(200, demanding.to_string()))],
    );
    let form = super::stories::open_stories(&bot, "SCRUM-101").await;
    assert!(form.field("customfield_3").is_none());
    bot.slack.fill("ada", &[("stories", "Sign in\nSign out")]).await.unwrap();
    let SubmitOutcome::Updated(form) = bot.slack.submit("ada").await.unwrap() else { panic!("no form") };
    assert!(form.text().contains("For this type, Jira also requires: CUSTOMFIELD_3."), "{}", form.text());
    assert_eq!(form.value("stories").as_deref(), Some("Sign in\nSign out"));
    assert_eq!(bot.asked_for("/issue/bulk"), 0);
    bot.slack.fill("ada", &[("customfield_3", "High")]).await.unwrap();
    let created = json!({ "issues": [{ "id": "99001", "key": "SCRUM-151" }, { "id": "99002", "key": "SCRUM-152" }], "errors": [] });
    bot.jira.set_next_faults_of("/issue/bulk", [Some(JiraFault::Answer(201, created.to_string()))]);
    bot.slack.submit("ada").await.unwrap();
    bot.until_told().await;
    let requests = bot.jira.requests();
    let bulk = requests.iter().find(|request| request.path.ends_with("/issue/bulk")).unwrap();
    let body: Value = serde_json::from_slice(&bulk.body).unwrap();
    assert_eq!(body["issueUpdates"][1]["fields"]["customfield_3"], json!({ "id": "2" }));
}

#[tokio::test]
async fn what_slack_cannot_ask_for_leads_to_jiras_own_form() {
    let bot = bot().await;
    let mut odd = screen();
    odd["fields"] = json!([{ "fieldId": "customfield_9", "name": "Berth", "required": true, "hasDefaultValue": false,
        "schema": { "type": "option-with-child", "custom": "com.atlassian.jira.plugin.system.customfieldtypes:cascadingselect" } }]);
    bot.jira.set_next_faults_of("/issuetypes/10001", [Some(JiraFault::Answer(200, odd.to_string()))]);
    let form = open_create(&bot, "Gate 7 & 8").await;
    assert!(
        form.text().contains("For this type, Jira also requires: Berth. Slack forms can't ask for that."),
        "{}",
        form.text()
    );
    assert!(form.text().contains("/secure/CreateIssueDetails!init.jspa?pid="), "{}", form.text());
    assert!(form.text().contains("issuetype=10001&amp;summary=Gate+7+%26+8"), "{}", form.text());
    bot.slack.fill("ada", &[("description", "Both of them")]).await.unwrap();
    let refusal = json!({ "errorMessages": [], "errors": { "customfield_9": "Berth is required." } });
    bot.jira.set_next_faults_of("/issue", [Some(JiraFault::Answer(400, refusal.to_string()))]);
    let SubmitOutcome::Updated(form) = bot.slack.submit("ada").await.unwrap() else { panic!("no notice") };
    assert!(form.text().contains("Berth is required."), "{}", form.text());
    assert!(form.text().contains("summary=Gate+7+%26+8&amp;description=Both+of+them"), "{}", form.text());
    assert_eq!(form.value("description").as_deref(), Some("Both of them"));
}

#[tokio::test]
async fn the_form_works_without_what_jira_does_not_say() {
    for fault in [JiraFault::Hang, JiraFault::Status(500, None), JiraFault::Html, JiraFault::NoSuchAddress] {
        let bot = bot().await;
        let faults = std::iter::repeat_n(Some(fault.clone()), 12);
        bot.jira.set_next_faults_of("/issuetypes/10001", faults);
        let form = open_create(&bot, "Zeppelin hangar").await;
        assert!(form.field("labels").is_none() && form.value("issue_type").is_some(), "{fault:?}");
        assert!(!form.text().contains("Jira"), "{fault:?} {}", form.text());
        assert_eq!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed, "{fault:?}");
        assert_eq!(told(&bot), ["Created SCRUM-151: Zeppelin hangar"], "{fault:?}");
    }
}

/// With the fields that people often need, which Data Center wants in its own way.
#[tokio::test]
async fn data_center_gets_people_labels_and_epics_as_it_knows_them() {
    let mut bot = bot().await;
    bot.config.jira = maro_jira::config::JiraConfig {
        default_project: Some("SCRUM".to_owned()),
        ..bot.jira.data_center_config()
    };
    bot.restart().await;
    let form = open_create(&bot, "Zeppelin hangar").await;
    let optional: Vec<(String, bool)> =
        form.fields().into_iter().skip(4).map(|field| (field.label, field.is_required)).collect();
    assert_eq!(
        optional,
        ["Assignee", "Priority", "Labels", "Epic Link"].map(|label| (label.to_owned(), false))
    );
    let epics = bot.slack.suggestions("ada", "Epic Link", "").await.unwrap();
    assert!(epics.iter().any(|epic| epic.value == "SCRUM-101"), "{epics:?}");
    let values =
        [("assignee", "Grace Hopper"), ("priority", "High"), ("labels", "quay"), ("Epic Link", "SCRUM-101")];
    bot.slack.fill("ada", &values).await.unwrap();
    assert_eq!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed);
    let fields = sent(&bot);
    assert_eq!(fields["assignee"], json!({ "name": "grace-hopper" }));
    assert_eq!((&fields["priority"], &fields["labels"]), (&json!({ "id": "2" }), &json!(["quay"])));
    assert!(fields.as_object().unwrap().values().any(|value| value == "SCRUM-101"), "{fields}");
    assert_eq!(told(&bot), ["Created SCRUM-151: Zeppelin hangar"]);
}

#[tokio::test]
async fn a_form_that_opens_while_jira_is_away_says_so_and_can_be_tried_again() {
    let bot = bot().await;
    bot.jira.set_fault(JiraFault::Reset);
    let form = open_create(&bot, "Zeppelin hangar").await;
    assert!(form.text().contains("MARO can't reach Jira right now."), "{}", form.text());
    bot.slack.fill("ada", &[("description", "As typed")]).await.unwrap();
    bot.jira.clear_fault();
    // MARO asks Jira rarely until it answers again.
    crate::bot::until("a filled form", async || {
        bot.slack.press("ada", Press::button("Try again")).await.ok();
        bot.slack.modal("ada").is_some_and(|form| form.value("project").is_some())
    })
    .await;
    let form = bot.slack.modal("ada").unwrap();
    assert_eq!(form.value("summary").as_deref(), Some("Zeppelin hangar"));
    assert_eq!(form.value("description").as_deref(), Some("As typed"));
    assert!(form.field("labels").is_some() && !form.text().contains("MARO"), "{}", form.text());
    assert_eq!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed);
    assert_eq!(told(&bot), ["Created SCRUM-151: Zeppelin hangar"]);
}

/// What was filled in is written down with the wish, so that the replica that finishes it after a crash asks for the
/// same.
#[tokio::test]
async fn fields_are_asked_for_again_after_an_answer_was_lost() {
    let bot = bot().await;
    open_create(&bot, "Zeppelin hangar").await;
    bot.choose_project("OPS").await;
    bot.slack.fill("ada", &[("issue_type", "Task")]).await.unwrap();
    bot.slack.wait_for_modal("ada", |modal| modal.field("customfield_10050").is_some()).await.unwrap();
    bot.slack.fill("ada", &[("customfield_10050", "Critical"), ("assignee", "Grace Hopper")]).await.unwrap();
    bot.jira.set_next_faults_of("/issue", [Some(JiraFault::Reset)]);
    bot.slack.submit("ada").await.unwrap();
    bot.until_told().await;
    bot.expect_at_rest(1).await;
    bot.assert_created_once(&["Created OPS-1: Zeppelin hangar"]);
    assert_eq!(bot.asked_for("/issue"), 2);
    let fields = sent(&bot);
    assert_eq!(fields["customfield_10050"], json!({ "id": "10202" }));
    assert_eq!(fields["assignee"], json!({ "accountId": "grace-hopper" }));
}

#[tokio::test]
async fn an_epic_that_jira_does_not_tell_can_be_tried_again() {
    let bot = bot().await;
    bot.jira.set_fault(JiraFault::Status(503, None));
    let modal = super::stories::open_stories(&bot, "SCRUM-101\nSign out").await;
    assert!(modal.text().contains("Jira is having problems right now."), "{}", modal.text());
    // What was typed behind the epic is there, and so is what is typed now.
    assert_eq!(modal.value("stories").as_deref(), Some("Sign out"));
    bot.slack.fill("ada", &[("stories", "Sign out\nSign in with a passkey")]).await.unwrap();
    bot.jira.clear_fault();
    crate::bot::until("the form for stories", async || {
        bot.slack.press("ada", Press::button("Try again")).await.ok();
        bot.slack.modal("ada").is_some_and(|form| form.text().contains("New stories under"))
    })
    .await;
    bot.slack.submit("ada").await.unwrap();
    assert_eq!(bot.jira.created_issues().len(), 2);
}

/// One answer holds for all stories, also when those that failed are sent again.
#[tokio::test]
async fn stories_get_what_their_project_demands() {
    let bot = bot().await;
    let mut demanding = screen();
    let is_kept =
        |field: &Value| ["customfield_3", "customfield_5"].contains(&field["fieldId"].as_str().unwrap());
    demanding["fields"].as_array_mut().unwrap().retain(is_kept);
    bot.jira.set_next_faults_of("/issuetypes/10001", [Some(JiraFault::Answer(200, demanding.to_string()))]);
    let form = super::stories::open_stories(&bot, "SCRUM-101").await;
    assert!(form.field("customfield_3").is_some_and(|field| field.is_required));
    assert!(form.field("labels").is_none());
    let people = bot.slack.suggestions("ada", "customfield_5", "grace").await.unwrap();
    assert_eq!(people[0].label, "Grace Hopper");
    // A field of people may name anyone, if MARO may look for them.
    let mut offered = Vec::new();
    for may_look in [true, false] {
        bot.jira.let_people_be_looked_up(may_look);
        let people = bot.slack.suggestions("ada", "customfield_5", "kathleen").await.unwrap();
        offered.push(people.into_iter().map(|person| person.label).collect::<Vec<_>>());
    }
    assert_eq!(offered, [vec!["Kathleen Booth".to_owned()], vec![]]);
    let values =
        [("stories", "Sign in\nSign out"), ("customfield_3", "High"), ("customfield_5", "Grace Hopper")];
    bot.slack.fill("ada", &values).await.unwrap();
    let refusal =
        json!({ "errorMessages": ["Closed until Monday."], "errors": { "customfield_3": "Too high." } });
    bot.jira.set_next_faults_of("/issue/bulk", [Some(JiraFault::Answer(400, refusal.to_string()))]);
    let SubmitOutcome::Updated(report) = bot.slack.submit("ada").await.unwrap() else { panic!("no report") };
    let reason = "CUSTOMFIELD_3: Too high. Closed until Monday.";
    assert!(report.text().contains(reason), "{}", report.text());
    let created = json!({ "issues": [{ "id": "99001", "key": "SCRUM-151" }, { "id": "99002", "key": "SCRUM-152" }], "errors": [] });
    bot.jira.set_next_faults_of("/issue/bulk", [Some(JiraFault::Answer(201, created.to_string()))]);
    bot.slack.press("ada", Press::button("Retry failed stories")).await.unwrap();
    bot.until_told().await;
    let requests = bot.jira.requests();
    let bulk: Vec<Value> = requests
        .iter()
        .filter(|request| request.path.ends_with("/issue/bulk"))
        .map(|request| serde_json::from_slice(&request.body).unwrap())
        .collect();
    assert_eq!(bulk.len(), 2);
    for story in bulk.iter().flat_map(|body| body["issueUpdates"].as_array().unwrap()) {
        assert_eq!(story["fields"]["customfield_3"], json!({ "id": "2" }));
        assert_eq!(story["fields"]["customfield_5"], json!({ "accountId": "grace-hopper" }));
    }
}

#[tokio::test]
async fn a_sprint_a_group_and_an_estimate_are_asked_for_where_jira_demands_them() {
    let bot = bot().await;
    let field = |id: &str, name: &str, schema: Value| json!({ "fieldId": id, "name": name, "required": true, "hasDefaultValue": false, "schema": schema });
    let custom = |name: &str| format!("com.atlassian.jira.plugin.system.customfieldtypes:{name}");
    let screen = json!({ "startAt": 0, "maxResults": 200, "total": 4, "fields": [
        field("customfield_10020", "Sprint", json!({ "type": "array", "items": "json", "custom": "com.pyxis.greenhopper.jira:gh-sprint" })),
        field("customfield_1", "Team", json!({ "type": "group", "custom": custom("grouppicker") })),
        field("customfield_2", "Teams", json!({ "type": "array", "items": "group", "custom": custom("multigrouppicker") })),
        field("timetracking", "Time tracking", json!({ "type": "timetracking", "system": "timetracking" })),
    ]});
    bot.jira.set_next_faults_of("/issuetypes/10001", [Some(JiraFault::Answer(200, screen.to_string()))]);
    let list =
        |values: Value| Some(JiraFault::Answer(200, json!({ "isLast": true, "values": values }).to_string()));
    bot.jira.set_fault_of(
        "/agile/1.0/board",
        list(json!([
            { "id": 1, "name": "Quay", "type": "scrum" },
            { "id": 2, "name": "Crane", "type": "simple" },
            { "id": 3, "name": "Tug", "type": "kanban" },
        ])),
    );
    bot.jira.set_fault_of(
        "/board/1/sprint",
        list(json!([
            { "id": 38, "name": "Week 49", "state": "future" },
            { "id": 37, "name": "Week 48", "state": "active" },
        ])),
    );
    let none = json!({ "errorMessages": ["The board does not support sprints"], "errors": {} });
    bot.jira.set_fault_of("/board/2/sprint", Some(JiraFault::Answer(400, none.to_string())));
    let groups = json!({ "header": "Showing 2", "total": 2, "groups": [{ "name": "harbor-pilots" }, { "name": "harbor-crew" }] });
    bot.jira.set_fault_of("/groups/picker", Some(JiraFault::Answer(200, groups.to_string())));
    let form = open_create(&bot, "Zeppelin hangar").await;
    assert!(!form.text().contains("Jira also requires"), "{}", form.text());
    assert_eq!(form.field("customfield_10020").unwrap().kind, "external_select");
    // Choosing asks Jira no more.
    bot.slack.fill("ada", &[("customfield_10020", "Week 49")]).await.unwrap();
    let asked = |path: &str| bot.jira.requests().iter().filter(|request| request.path.contains(path)).count();
    assert_eq!((asked("/agile/1.0/board?"), asked("/board/1/sprint")), (1, 1));
    bot.slack
        .fill(
            "ada",
            &[
                ("customfield_10020", "Week 48 (active)"),
                ("customfield_1", "harbor-crew"),
                ("customfield_2", "harbor-pilots, harbor-crew"),
                ("timetracking", "3d 4h"),
            ],
        )
        .await
        .unwrap();
    let created = json!({ "id": "99001", "key": "SCRUM-151", "self": "https://x.example" });
    bot.jira.set_next_faults_of("/issue", [Some(JiraFault::Answer(201, created.to_string()))]);
    assert_eq!(bot.slack.submit("ada").await.unwrap(), SubmitOutcome::Closed);
    let fields = sent(&bot);
    assert_eq!(fields["customfield_10020"], json!(37));
    assert_eq!(fields["customfield_1"], json!({ "name": "harbor-crew" }));
    assert_eq!(fields["customfield_2"], json!([{ "name": "harbor-pilots" }, { "name": "harbor-crew" }]));
    assert_eq!(fields["timetracking"], json!({ "originalEstimate": "3d 4h" }));
}

#[tokio::test]
async fn a_field_for_which_jira_has_nothing_to_choose_from_leads_to_its_own_form() {
    let nothing = |values: &str| Some(JiraFault::Answer(200, values.to_owned()));
    for (sprints, groups) in [
        // A site without Jira Software, and an account that may not see groups.
        (
            Some(JiraFault::Answer(404, "<html>Not Found</html>".to_owned())),
            Some(JiraFault::Status(403, None)),
        ),
        (Some(JiraFault::Status(403, None)), nothing(r#"{"header":"","total":0,"groups":[]}"#)),
        (nothing(r#"{"isLast":true,"values":[]}"#), nothing(r#"{"groups":[]}"#)),
    ] {
        let bot = bot().await;
        let field = |id: &str, name: &str, schema: Value| json!({ "fieldId": id, "name": name, "required": true, "schema": schema });
        let screen = json!({ "startAt": 0, "maxResults": 200, "total": 2, "fields": [
            field("customfield_10020", "Sprint", json!({ "type": "array", "items": "json", "custom": "com.pyxis.greenhopper.jira:gh-sprint" })),
            field("customfield_1", "Team", json!({ "type": "group", "custom": "com.atlassian.jira.plugin.system.customfieldtypes:grouppicker" })),
        ]});
        bot.jira.set_next_faults_of("/issuetypes/10001", [Some(JiraFault::Answer(200, screen.to_string()))]);
        bot.jira.set_fault_of("/agile/1.0/board", sprints);
        bot.jira.set_fault_of("/groups/picker", groups);
        let form = open_create(&bot, "Zeppelin hangar").await;
        let said = "For this type, Jira also requires: Sprint, Team. Slack forms can't ask for that.";
        assert!(form.text().contains(said), "{}", form.text());
        assert!(form.field("customfield_10020").is_none() && form.field("customfield_1").is_none());
    }
}
