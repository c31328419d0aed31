//! Reading from Jira. Grant: `jira`.

pub use crate::bindings::maro::plugin::{
    jira::{Field, Finding, FullIssue, IssueDetails, Lookup, Reading, SearchPage},
    types::{Issue, JiraError, JiraErrorKind, JiraUser, StatusCategory},
};
use crate::{IssueKey, bindings::maro::plugin::jira, host::host};

/// Looks up at most 100 keys, in one request if Jira supports it. Returns one answer per key, in the same
/// order. Without keys the host isn't called.
///
/// # Errors
/// None of them means that an issue doesn't exist: that's [`Lookup::Missing`].
pub fn get_issues(keys: &[IssueKey]) -> Result<Vec<Lookup>, JiraError> {
    if keys.is_empty() { Ok(Vec::new()) } else { host!(jira::get_issues(keys)) }
}

/// As [`get_issues`], but a key that may not be shown in this channel hides no other: it's [`Finding::Withheld`],
/// with a sentence to pass on.
///
/// # Errors
/// As [`get_issues`].
pub fn look_up(keys: &[IssueKey]) -> Result<Vec<Finding>, JiraError> {
    if keys.is_empty() { Ok(Vec::new()) } else { host!(jira::look_up(keys)) }
}

/// As [`look_up`], with details, and at most 20 fields by Jira's ids of them: `priority`, `labels`, `duedate`,
/// `customfield_10016`. [`FullIssue::field`] finds one.
///
/// # Errors
/// As [`get_issues`].
pub fn read(keys: &[IssueKey], fields: &[&str]) -> Result<Vec<Reading>, JiraError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let fields: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
    host!(jira::read(keys, &fields))
}

/// The address of the Jira site, with `/` at the end.
///
/// # Errors
/// [`JiraErrorKind::Denied`].
pub fn site() -> Result<String, JiraError> {
    host!(jira::site())
}

impl FullIssue {
    /// The text of a field that was asked for. Empty if the issue has none.
    pub fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|field| field.name == name).map_or("", |field| &field.text)
    }
}

/// One page of the issues that a JQL query finds, in its order: at most `limit` of them (1 to 100), after the
/// page whose `next` is `after`. Jira's search lags a few seconds behind changes.
///
/// Put what a person typed into a query only with [`quoted`], never as it is:
///
/// ```no_run
/// use maro_plugin::{RunError, jira, typed::unescape};
///
/// fn find(arguments: &str) -> Result<Vec<String>, RunError> {
///     let words = unescape(arguments);
///     let jql = format!("summary ~ {} ORDER BY updated DESC", jira::quoted(&words));
///     let page = jira::search(&jql, 10, None)?;
///     Ok(page.issues.into_iter().map(|found| found.issue.key).collect())
/// }
/// ```
///
/// # Errors
/// [`JiraErrorKind::InvalidArgument`] if Jira doesn't understand the query. Its message says why.
pub fn search(jql: &str, limit: u32, after: Option<&str>) -> Result<SearchPage, JiraError> {
    host!(jira::search(jql, limit, after))
}

/// A text for use in JQL: in quotation marks, with everything escaped that would end them.
///
/// After `~` Jira also reads the text as a search with its own operators (`*`, `-`, `OR`). They can widen or
/// break that search, but do nothing else.
///
/// ```
/// # use maro_plugin::jira::quoted;
/// assert_eq!(quoted(r#"say "hi" \o/"#), r#""say \"hi\" \\o/""#);
/// ```
pub fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            // JQL doesn't allow line breaks in a text.
            letter if letter.is_control() => quoted.push(' '),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_text_ends_where_it_ends() {
        for (text, expected) in [
            ("", r#""""#),
            ("plain words", r#""plain words""#),
            (r#"x" OR project = B"#, r#""x\" OR project = B""#),
            (r"ends with \", r#""ends with \\""#),
            ("two\nlines\0", r#""two lines ""#),
        ] {
            assert_eq!(quoted(text), expected);
        }
    }
}
