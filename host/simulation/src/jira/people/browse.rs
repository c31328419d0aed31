//! An issue's web page, so that links in replies work, and people see what MARO wrote to Jira.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use jiff::Timestamp;
use serde_json::Value;

use crate::jira::{api::answers::html, data::issue::SimulatedIssue};

/// The page's looks, light and dark.
const STYLE: &str = "\
    :root{color-scheme:light dark}\
    body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:760px;padding:24px;overflow-wrap:anywhere}\
    h1{font-size:22px;margin:0 0 8px}h2{font-size:15px;margin:24px 0 4px}\
    dl{display:grid;gap:4px 16px;grid-template-columns:max-content 1fr}dt{opacity:.7}dd{margin:0}\
    pre{font:inherit;margin:0;white-space:pre-wrap}ul{margin:0;padding-left:20px}\
    time,footer{font-size:13px;opacity:.7}footer{border-top:1px solid #8886;margin-top:32px;padding-top:8px}";

/// The page of an issue, or a page that says there is none.
pub(crate) fn page(issue: Option<&SimulatedIssue>) -> Response {
    let (status, title, content) = match issue {
        Some(issue) => (StatusCode::OK, format!("{}: {}", issue.key, issue.summary), about(issue)),
        None => (
            StatusCode::NOT_FOUND,
            "No such issue".to_owned(),
            "<p>It isn't in the simulated Jira.</p>".to_owned(),
        ),
    };
    let title = escape(&title);
    let mut response = html(
        status,
        &format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title>\
             <style>{STYLE}</style><main><h1>{title}</h1>{content}</main><footer>A simulated Jira site.</footer></html>"
        ),
    );
    response.headers_mut().insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'"),
    );
    response
}

/// All that is known of an issue, as HTML.
fn about(issue: &SimulatedIssue) -> String {
    let reporter = if issue.is_own { "MARO" } else { "Barbara Liskov" };
    let mut facts = vec![
        ("Type", escape(issue.issue_type.name())),
        ("Assignee", escape(issue.assignee.unwrap_or("nobody"))),
        ("Reporter", reporter.to_owned()),
        ("Created", time(issue.created)),
        ("Updated", time(issue.updated)),
    ];
    if let Some(parent) = &issue.parent {
        facts.push(("Parent", format!("<a href=\"{0}\">{0}</a>", escape(parent.as_str()))));
    }
    if let Some(level) = issue.security_level {
        facts.push(("Security level", escape(level)));
    }
    let facts: String =
        facts.iter().map(|(name, value)| format!("<dt>{name}</dt><dd>{value}</dd>")).collect();
    let description = issue.description.as_ref().map(text).filter(|text| !text.trim().is_empty());
    let description = description.map_or_else(|| "<p>None</p>".to_owned(), |text| words(&text));
    let links = issue.links.iter().map(|link| {
        let (url, title) = (escape(&link.url), escape(&link.title));
        match link.url.starts_with("https://") || link.url.starts_with("http://") {
            true => format!("<li><a rel=\"noopener noreferrer\" href=\"{url}\">{title}</a></li>"),
            false => format!("<li>{title}: {url}</li>"),
        }
    });
    let comments = issue.comments.iter().zip(&issue.comment_authors);
    let comments = comments.map(|(comment, author)| {
        format!("<li><strong>{}</strong>{}</li>", escape(author), words(&text(comment)))
    });
    let changes =
        issue.changes().into_iter().map(|(at, line)| format!("<li>{} {}</li>", time(at), escape(&line)));
    format!(
        "<p>Status: {}</p><dl>{facts}</dl><h2>Description</h2>{description}{}{}{}",
        escape(&issue.status),
        list("Links", links),
        list("Comments", comments),
        list("History", changes)
    )
}

fn list(title: &str, items: impl Iterator<Item = String>) -> String {
    let items: String = items.collect();
    if items.is_empty() { String::new() } else { format!("<h2>{title}</h2><ul>{items}</ul>") }
}

fn words(text: &str) -> String {
    format!("<pre>{}</pre>", escape(text.trim()))
}

fn time(at: Timestamp) -> String {
    let shown = at.strftime("%Y-%m-%d %H:%M:%S UTC");
    format!("<time>{shown}</time>")
}

/// The text of a document in Atlassian's format, or of a plain one.
fn text(value: &Value) -> String {
    let mut text = String::new();
    collect(value, &mut text);
    text
}

fn collect(value: &Value, out: &mut String) {
    if let Some(plain) = value.as_str() {
        return out.push_str(plain);
    }
    match value["type"].as_str() {
        Some("text") => out.push_str(value["text"].as_str().unwrap_or_default()),
        Some("hardBreak") => out.push('\n'),
        Some("listItem") => out.push_str("• "),
        Some("inlineCard") => out.push_str(value["attrs"]["url"].as_str().unwrap_or_default()),
        _ => {}
    }
    value["content"].as_array().into_iter().flatten().for_each(|part| collect(part, out));
    if matches!(value["type"].as_str(), Some("paragraph" | "heading" | "codeBlock" | "rule")) {
        out.push('\n');
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_document_is_shown_as_text() {
        let document = json!({ "type": "doc", "version": 1, "content": [
            { "type": "paragraph", "content": [{ "type": "text", "text": "Pump <3" }, { "type": "hardBreak" },
                { "type": "text", "text": "trips" }] },
            { "type": "bulletList", "content": [{ "type": "listItem", "content": [
                { "type": "paragraph", "content": [{ "type": "text", "text": "once" }] }] }] },
        ] });
        assert_eq!(text(&document), "Pump <3\ntrips\n• once\n");
        assert_eq!(text(&json!("plain")), "plain");
        assert_eq!(words(&text(&document)), "<pre>Pump &lt;3\ntrips\n• once</pre>");
    }
}
