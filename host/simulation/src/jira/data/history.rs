//! What became of an issue: how it was before each change.

use jiff::Timestamp;

/// An issue as it was before a change.
#[derive(Debug, Clone)]
pub(crate) struct Before {
    /// When it was changed.
    pub(crate) at: Timestamp,
    pub(crate) key: String,
    pub(crate) summary: String,
    pub(crate) status: String,
    pub(crate) assignee: Option<&'static str>,
    pub(crate) priority: &'static str,
    pub(crate) sprint: Option<&'static str>,
    pub(crate) comments: usize,
    pub(crate) links: usize,
}

/// The fields that changed, each from what to what. Empty is nothing.
pub(crate) fn fields<'a>(
    before: &'a Before,
    after: &'a Before,
) -> impl Iterator<Item = (&'static str, &'a str, &'a str)> {
    let all = [
        ("key", before.key.as_str(), after.key.as_str()),
        ("summary", &before.summary, &after.summary),
        ("status", &before.status, &after.status),
        ("assignee", before.assignee.unwrap_or_default(), after.assignee.unwrap_or_default()),
        ("priority", before.priority, after.priority),
        ("sprint", before.sprint.unwrap_or_default(), after.sprint.unwrap_or_default()),
    ];
    all.into_iter().filter(|(_, from, to)| from != to)
}

/// What changed from one to the next, a line each.
pub(crate) fn differences(before: &Before, after: &Before) -> Vec<String> {
    let named =
        |name: &str, nothing: &str| if name.is_empty() { nothing.to_owned() } else { name.to_owned() };
    let line = |(field, from, to): (&str, &str, &str)| {
        let nothing = if field == "assignee" { "nobody" } else { "none" };
        let name = format!("{}{}", field[..1].to_uppercase(), &field[1..]);
        format!("{name}: {} → {}", named(from, nothing), named(to, nothing))
    };
    let mut lines: Vec<String> = fields(before, after).map(line).collect();
    if after.comments > before.comments {
        lines.push("A comment was added".to_owned());
    }
    if after.links > before.links {
        lines.push("A link was added".to_owned());
    }
    lines
}
