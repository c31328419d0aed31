use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;

use super::*;

fn redacted(arguments: &str, call: &str, answer: Value, reply: &str) -> (String, Value, Value) {
    let case: Case = serde_json::from_value(json!({
        "plugin": "assign",
        "arguments": arguments,
        "calls": [{ "call": call, "arguments": { "name": "api-token" }, "answer": answer }],
        "ending": { "failed": reply },
    }))
    .unwrap();
    let case = serde_json::to_value(redact(&case).unwrap()).unwrap();
    (
        case["arguments"].as_str().unwrap().to_owned(),
        case["calls"][0]["answer"].clone(),
        case["ending"]["failed"].clone(),
    )
}

#[test]
fn people_and_channels_get_the_same_stand_in_throughout() {
    let answer = json!([{ "id": "712020:ab12", "name": "Grace Hopper" }, { "tracked_by": "U024BE7LH" }]);
    let (arguments, answer, reply) = redacted(
        "SCRUM-1 <@U024BE7LH> in <#C024BE91L> ada@corp.example.org",
        "jira-edit.find-assignable",
        answer,
        "SCRUM-1 is Grace Hopper's, says <@U024BE7LH>.",
    );
    assert_eq!(arguments, "SCRUM-1 <@U000000001> in <#C000000001> person1@example.com");
    assert_eq!(answer, json!([{ "id": "account-1", "name": "Person 1" }, { "tracked_by": "U000000001" }]));
    assert_eq!(reply, "SCRUM-1 is Person 1's, says <@U000000001>.");
}

#[test]
fn what_a_plugin_makes_of_an_id_is_what_it_makes_of_its_stand_in() {
    const CALLER: &str = "9f3b1c44d2e84a7f9d10";
    let (_, answer, reply) = redacted(
        "",
        "caller.id",
        json!(CALLER),
        &format!("day-{CALLER} cakes-of-this-year-U0ADA000001 day-4f9a0c21d88e47b1a2c3-{CALLER}"),
    );
    assert_eq!(answer, json!("TOKEN1"));
    assert_eq!(reply, "day-TOKEN1 cakes-of-this-year-U000000001 TOKEN2");
}

#[test]
fn secrets_go_by_their_name_or_by_their_look() {
    let (arguments, answer, reply) =
        redacted("xoxb-12-ab", "settings.get", json!("hunter2"), "It is hunter2, 4f9a0c21d88e47b1a2c3.");
    assert_eq!((arguments.as_str(), answer), ("TOKEN1", json!("SECRET1")));
    assert_eq!(reply, "It is SECRET1, TOKEN2.");
}

#[test]
fn no_part_of_a_case_shows_what_is_hidden_in_another() {
    const HIDDEN: [&str; 4] = ["U024BE7LH", "C024BE91L", "ada@corp.example.org", "xoxb-12-ab"];
    let said = HIDDEN.join(" ");
    let call = |name: &str| {
        json!({
            "call": name,
            "arguments": { "key": "SCRUM-1", "text": said, "list": [said], "deep": { "text": said } },
            "answer": { "Ok": [said, { "text": said }] },
        })
    };
    let calls = [call("jira-edit.comment"), call("http.send"), call("storage.set")];
    for ending in ["failed", "usage"] {
        let case =
            json!({ "plugin": "assign", "arguments": said, "calls": calls, "ending": { ending: said } });
        let case: Case = serde_json::from_value(case).unwrap();
        let redacted = serde_json::to_string(&redact(&case).unwrap()).unwrap();
        for hidden in HIDDEN {
            assert!(!redacted.contains(hidden), "{hidden} is in {redacted}");
        }
        assert_eq!(redacted.matches("SCRUM-1").count(), calls.len());
        assert_eq!(redacted.matches("TOKEN1").count(), 2 + 5 * calls.len());
    }
}

#[test]
fn what_is_hidden_is_hidden_as_a_word_and_a_long_secret_inside_one_too() {
    let people = json!([{ "id": "712020:ab12", "name": "Ada" }]);
    let (said, _, _) = redacted("Ada, Adalbert and MacAda", "jira-edit.find-assignable", people, "");
    assert_eq!(said, "Person 1, Adalbert and MacAda");
    let (_, _, reply) =
        redacted("", "settings.get", json!("open-sesame-of-the-hangar"), "key=xopen-sesame-of-the-hangarx");
    assert_eq!(reply, "key=xSECRET1x");
    let (_, _, reply) = redacted("", "settings.get", json!("sesame"), "a sesame, and sesames");
    assert_eq!(reply, "a SECRET1, and sesames");
}

#[test]
fn words_that_hide_nothing_stay() {
    let text = "SCRUM-123: User authentication flow (In Progress), 2026-01-01T00:00:00Z, CUSTOMERS";
    assert_eq!(redacted(text, "jira.search", json!([]), text).0, text);
}

#[test]
fn texts_that_http_carried_are_redacted_and_what_is_no_text_stays_whole() {
    let binary = json!({ "base64": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX" });
    let answer = |body: &Value| json!({ "Ok": { "status": 200, "body": body } });
    let (_, text, _) = redacted("", "http.send", answer(&json!("for xoxb-12-ab")), "");
    assert_eq!(text["Ok"]["body"], "for TOKEN1");
    let (_, kept, _) = redacted("", "http.send", answer(&binary), "");
    assert_eq!(kept["Ok"]["body"], binary);
}

/// A case in which a plugin sends a setting, and its text in what is written of it.
fn sent(secret: &str, header: (&str, &str), url: &str, body: Value) -> (Case, String) {
    let (name, value) = header;
    let case = json!({
        "plugin": "rota",
        "arguments": "",
        "calls": [
            { "call": "settings.get", "arguments": { "name": "rota-token" }, "answer": { "Ok": secret } },
            {
                "call": "http.send",
                "arguments": { "request": {
                    "method": "Get", "url": url, "headers": [{ "name": name, "value": value }], "body": body,
                } },
                "answer": { "Ok": { "status": 200, "headers": [], "body": format!("hello {secret}") } },
            },
        ],
        "ending": { "failed": "" },
    });
    let case = redact(&serde_json::from_value(case).unwrap()).unwrap();
    let text = serde_json::to_string(&case).unwrap();
    assert!(!text.contains(secret), "{secret} is in {text}");
    (case, text)
}

#[test]
fn what_a_plugin_makes_of_a_secret_is_what_it_makes_of_the_stand_in() {
    let base64 = |text: &str| BASE64_STANDARD.encode(text);
    for secret in ["hunter2", "0f4a9c21d88e47b1a2c3d4e5", "p&ss w\u{f6}rd/+=\"x\"", "k:a"] {
        for (name, header) in [
            ("authorization", "Bearer KEY"),
            ("Authorization", "Token token=KEY"),
            ("authorization", "GenieKey KEY"),
            ("x-api-key", "KEY"),
            ("cookie", "session=KEY; theme=dark"),
            ("accept", "text/KEY"),
        ] {
            let (case, _) =
                sent(secret, (name, &header.replace("KEY", secret)), "https://a.example/", json!(null));
            let header = header.replace("KEY", "SECRET1").replace("theme=dark", "theme=SECRET2");
            let request = &case.calls[1].arguments["request"];
            assert_eq!(request["headers"][0]["value"], header, "{secret}");
        }
        let basic = |secret: &str| format!("Basic {}", base64(&format!("svc:{secret}")));
        let (case, text) = sent(secret, ("authorization", &basic(secret)), "https://a.example/", json!(null));
        let request = &case.calls[1].arguments["request"];
        assert_eq!(request["headers"][0]["value"], basic("SECRET1"));
        assert!(!text.contains(&base64(secret)));
    }
    let binary = |secret: &str| {
        let bytes = [&[0xff, 0xfe], secret.as_bytes(), &[0]].concat();
        json!({ "base64": BASE64_STANDARD.encode(bytes) })
    };
    let (case, text) = sent(
        "a b&c/d-hunter2",
        ("accept", "*/*"),
        "https://a.example/?key=a%20b%26c%2Fd-hunter2&x=1",
        binary("a b&c/d-hunter2"),
    );
    let request = &case.calls[1].arguments["request"];
    assert_eq!(request["url"], "https://a.example/?key=SECRET1&x=1");
    assert_eq!(request["body"], binary("SECRET1"));
    assert!(text.contains("hello SECRET1"));
}

#[test]
fn a_cookie_that_a_service_sets_keeps_its_name_and_what_is_said_of_it() {
    let case: Case = serde_json::from_value(json!({
        "plugin": "rota", "arguments": "", "ending": { "failed": "" },
        "calls": [{ "call": "http.send", "arguments": {}, "answer": { "Ok": { "headers": [
            { "name": "set-cookie", "value": "session=s3cr3t-value; Path=/; HttpOnly" },
        ] } } }],
    }))
    .unwrap();
    let redacted = serde_json::to_value(redact(&case).unwrap()).unwrap();
    let value = &redacted["calls"][0]["answer"]["Ok"]["headers"][0]["value"];
    assert_eq!(value, "session=SECRET1; Path=/; HttpOnly");
}

#[test]
fn what_a_plugin_has_in_its_own_code_plays_back() {
    use crate::recording::tape::{Ending, Tape};

    let reply = |owner: &str, by: &str| {
        let spans = json!([
            { "Text": format!("Ask {owner} or ") },
            { "User": "U024BE7LH" },
            { "Text": format!(" of {by}, key 4f9a0c21d88e47b1a2c3") },
        ]);
        Ending::Reply(json!({ "visibility": "Caller", "blocks": [{ "Paragraph": spans }] }))
    };
    let arguments = json!({ "scope": "Plugin", "key": "owner-help@corp.example", "value": "U024BE7LH" });
    let calls = json!([
        { "call": "storage.get", "arguments": { "key": "by" }, "answer": { "Ok": "U0ADA000001" } },
        { "call": "storage.set", "arguments": arguments, "answer": { "Ok": null } },
    ]);
    let case = Case {
        plugin: "owner".to_owned(),
        arguments: "<@U0GRACE0002>".to_owned(),
        calls: serde_json::from_value(calls).unwrap(),
        ending: reply("help@corp.example", "U0ADA000001"),
    };
    let recorded = redact(&case).unwrap();
    let text = serde_json::to_string(&recorded).unwrap();
    assert!(!text.contains("corp.example") && !text.contains("U024BE7LH"), "{text}");
    // The plugin is told a stand-in of what somebody typed or stored, and says the rest as it is in its code.
    let told = recorded.calls[0].answer["Ok"].as_str().unwrap();
    assert!(recorded.ends_like(&reply("help@corp.example", told)));
    assert!(!recorded.ends_like(&reply("help@corp.example", "U0ADA000001")), "it isn't told this");
    assert!(!recorded.ends_like(&reply("nobody", told)));
    let tape = Tape::playing(&recorded.arguments, &recorded.calls);
    assert!(
        tape.recorded_answer("storage.set", &json!({ "scope": "Plugin", "key": "x", "value": "y" })).is_err()
    );
    assert!(tape.recorded_answer("storage.set", &arguments).unwrap().is_some());
    // What is accepted is redacted once more: stand-ins stay, and nothing else gets the same.
    assert_eq!(redact(&recorded).unwrap(), recorded);
    let accepted = redact(&Case { ending: reply("other@corp.example", told), ..recorded.clone() }).unwrap();
    assert!(recorded.ends_like(&accepted.ending));
    assert_eq!((&accepted.arguments, &accepted.calls), (&recorded.arguments, &recorded.calls));
}
