//! Jira's query language, as far as the simulated site understands it: comparisons of a few fields, `AND`,
//! `OR`, brackets, and an order. What Jira would refuse is refused, and what is not simulated too.

use std::{iter::Peekable, vec::IntoIter};

use jiff::{SignedDuration, Timestamp};

use crate::sandbox::jira::{accounts, site::SimulatedIssue, words};

/// The fields that can be compared, in lower case.
const FIELDS: [&str; 11] = [
    "project",
    "statuscategory",
    "status",
    "key",
    "issuekey",
    "assignee",
    "summary",
    "text",
    "creator",
    "created",
    "updated",
];

/// A query that was understood.
#[derive(Debug)]
pub(super) struct Query {
    condition: Option<Condition>,
    /// The field to order by, and whether the order is descending.
    order: Option<(OrderField, bool)>,
}

#[derive(Debug)]
enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Project {
        key: String,
        is_same: bool,
    },
    StatusCategory {
        name: String,
        is_same: bool,
    },
    Status {
        name: String,
        is_same: bool,
    },
    Key(String),
    /// By account or name; nobody for `None`.
    Assignee(Option<String>),
    /// Stems, all of which must be there.
    Summary(Vec<String>),
    OwnIssue,
    CreatedSince(Timestamp),
    UpdatedSince(Timestamp),
}

#[derive(Debug, Clone, Copy)]
enum OrderField {
    Created,
    Updated,
    Key,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Quoted(String),
    Sign(&'static str),
}

/// The query, or what Jira says is wrong with it. `is_project` tells whether a project exists.
pub(super) fn parse(text: &str, now: Timestamp, is_project: &dyn Fn(&str) -> bool) -> Result<Query, String> {
    let mut parser = Parser { tokens: tokens(text)?.into_iter().peekable(), now, is_project };
    let is_order_only = parser.tokens.peek().is_none_or(|token| is_keyword(token, "ORDER"));
    let condition = if is_order_only { None } else { Some(parser.any()?) };
    let order = parser.order()?;
    match parser.tokens.next() {
        None => Ok(Query { condition, order }),
        Some(token) => Err(format!("Error in the JQL Query: Expecting 'AND' or 'OR' but got {token:?}.")),
    }
}

impl Query {
    pub(super) fn holds(&self, issue: &SimulatedIssue) -> bool {
        self.condition.as_ref().is_none_or(|condition| condition.holds(issue))
    }

    /// Whether it restricts what it finds; Cloud refuses other queries.
    pub(super) fn is_bounded(&self) -> bool {
        self.condition.is_some()
    }

    pub(super) fn sort(&self, issues: &mut [&SimulatedIssue]) {
        let Some((field, is_descending)) = self.order else { return };
        issues.sort_by(|one, other| {
            let order = match field {
                OrderField::Created => (one.created, one.id).cmp(&(other.created, other.id)),
                OrderField::Updated => one.changed.cmp(&other.changed),
                OrderField::Key => one.id.cmp(&other.id),
            };
            if is_descending { order.reverse() } else { order }
        });
    }
}

impl Condition {
    fn holds(&self, issue: &SimulatedIssue) -> bool {
        match self {
            Self::All(conditions) => conditions.iter().all(|condition| condition.holds(issue)),
            Self::Any(conditions) => conditions.iter().any(|condition| condition.holds(issue)),
            Self::Project { key, is_same } => {
                let project = issue.key.as_str().split('-').next().unwrap_or_default();
                project.eq_ignore_ascii_case(key) == *is_same
            }
            Self::StatusCategory { name, is_same } => {
                let category = match issue.status.as_str() {
                    "Done" => "done",
                    "In Progress" | "In Review" => "in progress",
                    _ => "to do",
                };
                name.eq_ignore_ascii_case(category) == *is_same
            }
            Self::Status { name, is_same } => issue.status.eq_ignore_ascii_case(name) == *is_same,
            Self::Key(key) => issue.key.as_str().eq_ignore_ascii_case(key),
            Self::Assignee(None) => issue.assignee.is_none(),
            Self::Assignee(Some(who)) => issue.assignee.is_some_and(|name| {
                name.eq_ignore_ascii_case(who) || accounts::id(name).eq_ignore_ascii_case(who)
            }),
            Self::Summary(stems) => {
                let summary = words::stems(&issue.summary);
                !stems.is_empty() && stems.iter().all(|stem| summary.contains(stem))
            }
            Self::OwnIssue => issue.is_own,
            Self::CreatedSince(since) => issue.created >= *since,
            Self::UpdatedSince(since) => issue.updated >= *since,
        }
    }
}

struct Parser<'a> {
    tokens: Peekable<IntoIter<Token>>,
    now: Timestamp,
    is_project: &'a dyn Fn(&str) -> bool,
}

impl Parser<'_> {
    fn any(&mut self) -> Result<Condition, String> {
        let mut conditions = vec![self.all()?];
        while self.takes("OR") {
            conditions.push(self.all()?);
        }
        Ok(Condition::Any(conditions))
    }

    fn all(&mut self) -> Result<Condition, String> {
        let mut conditions = vec![self.one()?];
        while self.takes("AND") {
            conditions.push(self.one()?);
        }
        Ok(Condition::All(conditions))
    }

    fn one(&mut self) -> Result<Condition, String> {
        if self.tokens.next_if_eq(&Token::Sign("(")).is_some() {
            let condition = self.any()?;
            return match self.tokens.next() {
                Some(Token::Sign(")")) => Ok(condition),
                other => Err(format!("Error in the JQL Query: Expecting ')' but got {other:?}.")),
            };
        }
        let Some(Token::Word(field)) = self.tokens.next() else {
            return Err("Error in the JQL Query: a field's name is missing.".to_owned());
        };
        if self.takes("IN") {
            return self.membership(&field);
        }
        if field.eq_ignore_ascii_case("assignee") && self.takes("IS") && self.takes("EMPTY") {
            return Ok(Condition::Assignee(None));
        }
        let Some(Token::Sign(operator)) = self.tokens.next() else {
            return Err(format!("Error in the JQL Query: '{field}' is followed by no operator."));
        };
        match self.tokens.next() {
            Some(Token::Word(value)) => self.comparison(&field, operator, value, false),
            Some(Token::Quoted(value)) => self.comparison(&field, operator, value, true),
            _ => Err(format!("Error in the JQL Query: '{field}' is compared with nothing.")),
        }
    }

    /// `(A, "B")` behind `in`.
    fn membership(&mut self, field: &str) -> Result<Condition, String> {
        let mut conditions = Vec::new();
        let mut separator = Token::Sign("(");
        while self.tokens.next_if_eq(&separator).is_some() {
            match self.tokens.next() {
                Some(Token::Word(value) | Token::Quoted(value)) => {
                    conditions.push(self.comparison(field, "=", value, true)?);
                }
                other => return Err(format!("Error in the JQL Query: Expecting a value but got {other:?}.")),
            }
            separator = Token::Sign(",");
        }
        match self.tokens.next() {
            Some(Token::Sign(")")) if !conditions.is_empty() => Ok(Condition::Any(conditions)),
            other => Err(format!("Error in the JQL Query: Expecting ')' but got {other:?}.")),
        }
    }

    fn comparison(
        &mut self,
        field: &str,
        operator: &str,
        value: String,
        is_quoted: bool,
    ) -> Result<Condition, String> {
        let is_same = operator == "=";
        match (field.to_ascii_lowercase().as_str(), operator) {
            ("project", "=" | "!=") if (self.is_project)(&value) => {
                Ok(Condition::Project { key: value, is_same })
            }
            ("project", "=" | "!=") => {
                Err(format!("The value '{value}' does not exist for the field 'project'."))
            }
            ("statuscategory", "=" | "!=") => Ok(Condition::StatusCategory { name: value, is_same }),
            ("status", "=" | "!=") => Ok(Condition::Status { name: value, is_same }),
            ("key" | "issuekey", "=") => Ok(Condition::Key(value)),
            ("assignee", "=") if is_quoted => Ok(Condition::Assignee(Some(value))),
            ("summary" | "text", "~") => words::query(&value)
                .map(Condition::Summary)
                .ok_or_else(|| format!("Unable to parse the text '{value}' for field 'summary'.")),
            ("creator", "=") if !is_quoted && value == "currentUser" => {
                let brackets = [self.tokens.next(), self.tokens.next()];
                if brackets == [Some(Token::Sign("(")), Some(Token::Sign(")"))] {
                    Ok(Condition::OwnIssue)
                } else {
                    Err("Error in the JQL Query: 'currentUser' is a function.".to_owned())
                }
            }
            ("created", ">=") => match age(&value) {
                Some(age) => Ok(Condition::CreatedSince(self.now - age)),
                None => Err(format!("Date value '{value}' for field 'created' is invalid.")),
            },
            ("updated", ">=") => match age(&value) {
                Some(age) => Ok(Condition::UpdatedSince(self.now - age)),
                None => Err(format!("Date value '{value}' for field 'updated' is invalid.")),
            },
            (known, _) if FIELDS.contains(&known) => {
                Err(format!("The operator '{operator}' is not supported by the '{field}' field."))
            }
            _ => Err(format!("Field '{field}' does not exist or you do not have permission to view it.")),
        }
    }

    fn order(&mut self) -> Result<Option<(OrderField, bool)>, String> {
        if !self.takes("ORDER") {
            return Ok(None);
        }
        let field = if self.takes("BY") { self.tokens.next() } else { None };
        let field = match &field {
            Some(Token::Word(name)) if name.eq_ignore_ascii_case("created") => OrderField::Created,
            Some(Token::Word(name)) if name.eq_ignore_ascii_case("updated") => OrderField::Updated,
            Some(Token::Word(name)) if name.eq_ignore_ascii_case("key") => OrderField::Key,
            other => return Err(format!("Error in the JQL Query: cannot order by {other:?}.")),
        };
        let is_descending = self.takes("DESC");
        if !is_descending {
            self.takes("ASC");
        }
        Ok(Some((field, is_descending)))
    }

    fn takes(&mut self, keyword: &str) -> bool {
        self.tokens.next_if(|token| is_keyword(token, keyword)).is_some()
    }
}

fn is_keyword(token: &Token, keyword: &str) -> bool {
    matches!(token, Token::Word(word) if word.eq_ignore_ascii_case(keyword))
}

/// `-90m`, `-2h`, `-3d`, `-1w`.
fn age(text: &str) -> Option<SignedDuration> {
    let unit = text.chars().next_back()?;
    let number: i64 = text.strip_prefix('-')?.strip_suffix(unit)?.parse().ok()?;
    let minutes = match unit {
        'm' => 1,
        'h' => 60,
        'd' => 24 * 60,
        'w' => 7 * 24 * 60,
        _ => return None,
    };
    Some(SignedDuration::from_mins(number.checked_mul(minutes)?))
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    const SIGNS: [&str; 8] = [">=", "!=", "!~", "=", "~", "(", ")", ","];
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            tokens.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else if first == '"' || first == '\'' {
            let (value, length) = quoted(rest, first)?;
            tokens.push(Token::Quoted(value));
            rest = &rest[length..];
        } else {
            let is_part = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '.' | '-');
            let length = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
            if length == 0 {
                return Err(format!(
                    "Error in the JQL Query: The character '{first}' is a reserved character."
                ));
            }
            tokens.push(Token::Word(rest[..length].to_owned()));
            rest = &rest[length..];
        }
        rest = rest.trim_start();
    }
    Ok(tokens)
}

/// The text between quotation marks, and its length with them and its escapes.
fn quoted(text: &str, mark: char) -> Result<(String, usize), String> {
    let mut value = String::new();
    let mut letters = text.char_indices().skip(1);
    while let Some((position, letter)) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some((_, escaped @ ('\\' | '"' | '\'' | ' '))) => value.push(escaped),
                Some((_, 'n')) => value.push('\n'),
                Some((_, 't')) => value.push('\t'),
                other => {
                    let other = other.map(|(_, letter)| letter).unwrap_or_default();
                    return Err(format!(
                        "Error in the JQL Query: '\\{other}' is an illegal JQL escape sequence."
                    ));
                }
            },
            end if end == mark => return Ok((value, position + mark.len_utf8())),
            other => value.push(other),
        }
    }
    Err("Error in the JQL Query: The quoted string has not been completed.".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Query, String> {
        parse(text, Timestamp::UNIX_EPOCH, &|key| key.eq_ignore_ascii_case("ops"))
    }

    #[test]
    fn what_jira_refuses_is_refused() {
        for bad in [
            "project = \"NOPE\"",
            "project",
            "project =",
            "project = OPS AND",
            "project = OPS summary ~ x",
            "(project = OPS",
            "nonsense = 1",
            "summary = x",
            "project in (OPS",
            "project in (OPS,)",
            "project in ()",
            "project in OPS",
            "project in (OPS, NOPE)",
            "assignee is",
            "summary ~ \"x",
            r#"summary ~ "x\+""#,
            "summary ~ \"x*\"",
            "summary ~ \"NOT\"",
            "created >= yesterday",
            "project = OPS; drop",
            "creator = currentUser",
            "project = OPS ORDER BY luck",
        ] {
            assert!(parsed(bad).is_err(), "{bad}");
        }
        for good in [
            "project = OPS ORDER BY created",
            r#"project = "OPS" and (summary ~ "a" or summary ~ "c\\+\\+") order by updated desc"#,
            "project in (\"OPS\", ops) AND (status in (Open, \"In Progress\") OR assignee is EMPTY)",
            "key = OPS-1 OR assignee = \"Ada Lovelace\" OR text ~ word AND updated >= -1d",
            "creator = currentUser() AND created >= -90m AND statusCategory != Done",
        ] {
            parsed(good).unwrap_or_else(|error| panic!("{good}: {error}"));
        }
    }
}
