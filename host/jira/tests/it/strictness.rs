//! The simulated site rejects what Jira rejects, and answers as Atlassian describes.

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    site::{authorized, described},
    start_site,
};

fn new_issue(fields: &Value) -> Value {
    let mut all = json!({
        "project": { "key": "SCRUM" },
        "issuetype": { "id": "10001" },
        "summary": "Something",
    });
    all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    json!({ "fields": all })
}

#[tokio::test]
async fn what_is_asked_about_creating_is_answered_as_described() {
    let site = start_site().await;
    for path in [
        "project/search?query=pay&maxResults=7&action=create",
        "project/search?startAt=300",
        "project",
        "project/OPS",
        "field",
        "issue/createmeta/OPS/issuetypes",
        "issue/createmeta/OPS/issuetypes?startAt=1&maxResults=2",
        "issue/createmeta/OPS/issuetypes/10002",
    ] {
        let (status, _) = described(authorized(&site, Method::GET, &format!("/rest/api/3/{path}"))).await;
        assert_eq!(status, 200, "{path}");
    }
    for (path, expected) in [
        ("project/NOPE", 404),
        ("issue/createmeta/NOPE/issuetypes", 400),
        ("issue/createmeta/OPS/issuetypes/1", 400),
        ("issue/SCRUM-123/properties/maro.intent", 404),
        ("issue/SCRUM-999/remotelink", 404),
        ("issue/SCRUM-101/remotelink?globalId=none", 404),
    ] {
        let (status, _) = described(authorized(&site, Method::GET, &format!("/rest/api/3/{path}"))).await;
        assert_eq!(status, expected, "{path}");
    }
}

#[tokio::test]
async fn pages_of_projects_meet_without_a_gap() {
    let site = start_site().await;
    let (mut start, mut keys) = (0, Vec::new());
    loop {
        let path = format!("/rest/api/3/project/search?startAt={start}&maxResults=100");
        let (_, page) = described(authorized(&site, Method::GET, &path)).await;
        let values = page["values"].as_array().unwrap();
        keys.extend(values.iter().map(|project| project["key"].as_str().unwrap().to_owned()));
        start += values.len();
        if page["isLast"] == true {
            break;
        }
    }
    assert_eq!(keys.len(), 303);
    assert!(keys.is_sorted());
}

#[tokio::test]
async fn what_jira_would_not_create_is_refused() {
    let site = start_site().await;
    let post = |version: u8, body: &Value| {
        let path = format!("/rest/api/{version}/issue");
        let request = authorized(&site, Method::POST, &path).header("content-type", "application/json");
        described(request.body(body.to_string()))
    };
    let document = |content: Value| json!({ "type": "doc", "version": 1, "content": content });
    let text = |text: &str, marks: Value| json!({ "type": "text", "text": text, "marks": marks });
    let paragraph = |inline: Value| json!({ "description": document(json!([{ "type": "paragraph", "content": [inline] }])) });
    let refused = [
        json!({ "summary": "" }),
        json!({ "summary": "two\nlines" }),
        json!({ "summary": "x".repeat(256) }),
        json!({ "project": { "key": "NOPE" } }),
        json!({ "project": "SCRUM" }),
        json!({ "issuetype": { "id": "1" } }),
        json!({ "customfield_1": "x" }),
        json!({ "parent": { "key": "SCRUM-999" } }),
        json!({ "parent": { "key": "SCRUM-124" } }),
        json!({ "description": "plain" }),
        json!({ "description": document(json!([{ "type": "bulletList", "content": [] }])) }),
        json!({ "description": { "type": "doc", "content": [] } }),
        paragraph(text("", json!([]))),
        paragraph(text("x", json!([{ "type": "code" }, { "type": "strong" }]))),
        paragraph(text("x", json!([{ "type": "blink" }]))),
        paragraph(text("x", json!([{ "type": "link", "attrs": { "href": "javascript:1" } }]))),
        paragraph(json!({ "type": "paragraph", "content": [] })),
    ];
    for fields in refused {
        let (status, body) = post(3, &new_issue(&fields)).await;
        assert_eq!(status, 400, "{fields}");
        assert_ne!(body, json!({ "errorMessages": [], "errors": {} }));
    }
    let misshapen = [json!({}), json!({ "fields": {}, "nonsense": 1 }), json!([])];
    for body in misshapen {
        assert_eq!(post(3, &body).await.0, 400);
    }
    assert_eq!(post(3, &new_issue(&json!({ "parent": { "key": "SCRUM-101" } }))).await.0, 201);
    assert_eq!(post(3, &new_issue(&paragraph(text("x", json!([]))))).await.0, 201);
    assert_eq!(post(2, &new_issue(&json!({ "description": document(json!([])) }))).await.0, 400);
    assert_eq!(post(2, &new_issue(&json!({ "description": "*plain*" }))).await.0, 201);
    assert_eq!(post(2, &new_issue(&json!({ "parent": { "key": "SCRUM-101" } }))).await.0, 400);
    assert_eq!(post(2, &new_issue(&json!({ "issuetype": { "name": "Epic" } }))).await.0, 400);
    assert_eq!(site.created_issues().len(), 3);
}

#[tokio::test]
async fn searches_are_answered_as_described() {
    let site = start_site().await;
    let post = |path: &str, body: &Value| {
        let request = authorized(&site, Method::POST, path).header("content-type", "application/json");
        described(request.body(body.to_string()))
    };
    let cloud = "/rest/api/3/search/jql";
    let jql = "project = SCRUM ORDER BY created DESC";
    let (status, page) = post(cloud, &json!({ "jql": jql, "maxResults": 20 })).await;
    assert_eq!((status, page["isLast"].as_bool()), (200, Some(false)));
    assert_eq!(page["issues"][0], json!({ "id": "10049" }), "ids only, unless fields are named");
    let token = &page["nextPageToken"];
    let more = json!({ "jql": jql, "nextPageToken": token, "fields": ["summary"], "properties": ["a"] });
    let (_, page) = post(cloud, &more).await;
    assert_eq!((page["issues"].as_array().unwrap().len(), page["isLast"].as_bool()), (30, Some(true)));
    for refused in [
        json!({ "jql": "" }),
        json!({ "jql": "order by created" }),
        json!({ "jql": "project = NOPE" }),
        json!({ "jql": jql, "startAt": 0 }),
        json!({ "jql": jql, "nextPageToken": "x" }),
        json!({ "jql": jql, "properties": ["a", "b", "c", "d", "e", "f"] }),
    ] {
        assert_eq!(post(cloud, &refused).await.0, 400, "{refused}");
    }
    let data_center = "/rest/api/2/search";
    let (status, page) =
        post(data_center, &json!({ "jql": jql, "startAt": 45, "fields": ["summary"] })).await;
    assert_eq!(
        (status, page["total"].as_u64(), page["issues"].as_array().unwrap().len()),
        (200, Some(50), 5)
    );
    for refused in [json!({ "jql": jql, "properties": ["a"] }), json!({ "jql": "nonsense" })] {
        assert_eq!(post(data_center, &refused).await.0, 400, "{refused}");
    }
}
