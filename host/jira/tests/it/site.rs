//! The simulated site is as strict as Jira, and answers as much.

use maro_process::http::client::{self, ClientOptions, Trust};
use maro_simulation::jira::{
    credentials::{API_TOKEN, EMAIL, PERSONAL_ACCESS_TOKEN},
    server::SimulatedJira,
};
use reqwest::{Method, RequestBuilder, header};
use serde_json::{Value, json};

use super::{description, key, start_site};

const BULK_FETCH: &str = "/rest/api/3/issue/bulkfetch";

fn request(site: &SimulatedJira, method: Method, path: &str) -> RequestBuilder {
    let http = client::build(&ClientOptions::new(Trust::Nobody));
    http.unwrap().request(method, site.base_url().join(path).unwrap())
}

pub(super) fn authorized(site: &SimulatedJira, method: Method, path: &str) -> RequestBuilder {
    let request = request(site, method, path);
    if path.starts_with("/rest/api/2/") {
        request.bearer_auth(PERSONAL_ACCESS_TOKEN)
    } else {
        request.basic_auth(EMAIL, Some(API_TOKEN))
    }
}

fn bulk_fetch(site: &SimulatedJira, body: &Value) -> RequestBuilder {
    authorized(site, Method::POST, BULK_FETCH)
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.to_string())
}

/// Sends a request to the REST API. Returns status and body, checked against the description.
pub(super) async fn described(request: RequestBuilder) -> (u16, Value) {
    let (http, request) = request.build_split();
    let request = request.unwrap();
    let (method, path) = (request.method().to_string(), request.url().path().to_owned());
    let response = http.execute(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.bytes().await.unwrap();
    let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() };
    description::assert_answer(&method, &path, status, &body);
    (status, body)
}

#[tokio::test]
async fn answers_are_as_atlassian_describes_them() {
    let site = start_site().await;
    site.move_issue(&key("SCRUM-124"), &key("OPS-1"));
    let keys: Vec<String> = (101..=151).map(|number| format!("SCRUM-{number}")).collect();
    let (status, body) = described(bulk_fetch(&site, &json!({ "issueIdsOrKeys": keys }))).await;
    assert_eq!((status, body["issues"].as_array().unwrap().len()), (200, 50));
    for issue in body["issues"].as_array().unwrap() {
        description::assert_is_a("StatusDetails", &issue["fields"]["status"]);
        description::assert_is_a("IssueTypeDetails", &issue["fields"]["issuetype"]);
    }
    for version in [2, 3] {
        let get =
            |path: &str| described(authorized(&site, Method::GET, &format!("/rest/api/{version}/{path}")));
        assert_eq!(get("myself").await.0, 200);
        assert_eq!(get("issue/SCRUM-123?fields=summary,status").await.0, 200);
        assert_eq!(get("issue/SCRUM-124").await.1["key"], "OPS-1");
        assert_eq!(get("issue/SCRUM-999").await.0, 404);
    }
}

#[tokio::test]
async fn only_the_fields_asked_for_are_given() {
    let site = start_site().await;
    let names = async |fields: Value| {
        let body = json!({ "issueIdsOrKeys": ["scrum-123", "10022"], "fields": fields });
        let (_, body) = described(bulk_fetch(&site, &body)).await;
        assert_eq!(body["issues"].as_array().unwrap().len(), 1, "one issue, however it was named");
        body["issues"][0]["fields"].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(names(json!(["summary", "status"])).await, ["status", "summary"]);
    assert_eq!(names(json!(["summary", "no_such_field"])).await, ["summary"]);
    assert_eq!(
        names(json!(["*all", "-status"])).await,
        [
            "assignee",
            "created",
            "customfield_10020",
            "description",
            "issuetype",
            "priority",
            "project",
            "security",
            "summary",
            "updated"
        ]
    );
}

#[tokio::test]
async fn strangers_are_refused() {
    let site = start_site().await;
    for path in ["/rest/api/3/myself", "/rest/api/2/issue/SCRUM-123", "/rest/api/3/issue/SCRUM-123"] {
        assert_eq!(described(request(&site, Method::GET, path)).await.0, 401);
        let wrong = request(&site, Method::GET, path).basic_auth(EMAIL, Some("wrong"));
        assert_eq!(described(wrong).await.0, 401);
    }
}

#[tokio::test]
async fn requests_of_another_shape_are_refused() {
    let site = start_site().await;
    let too_many = vec!["SCRUM-1"; 101];
    for body in [
        json!({ "issueIdsOrKeys": [] }),
        json!({ "issueIdsOrKeys": too_many }),
        json!({ "issueIdsOrKeys": "SCRUM-1" }),
        json!({ "fields": ["summary"] }),
        json!({ "issueIdsOrKeys": ["SCRUM-1"], "jql": "" }),
    ] {
        assert_eq!(described(bulk_fetch(&site, &body)).await.0, 400, "{body}");
    }
    let untyped = authorized(&site, Method::POST, BULK_FETCH).body("{}");
    assert_eq!(untyped.send().await.unwrap().status(), 415);
}

#[tokio::test]
async fn the_page_of_an_issue_holds_no_markup_of_its_summary() {
    let site = start_site().await;
    site.rename_issue(&key("SCRUM-123"), "<script>alert('&')</script>");
    let response = request(&site, Method::GET, "/browse/SCRUM-123").send().await.unwrap();
    assert_eq!(
        response.headers()[header::CONTENT_SECURITY_POLICY],
        "default-src 'none'; style-src 'unsafe-inline'"
    );
    let page = response.text().await.unwrap();
    assert!(page.contains("SCRUM-123: &lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;"), "{page}");
    assert_eq!(request(&site, Method::GET, "/browse/SCRUM-999").send().await.unwrap().status(), 404);
}
