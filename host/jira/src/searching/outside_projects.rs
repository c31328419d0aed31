//! Queries that name something outside the projects that they are restricted to.
//!
//! Jira finds nothing for such an issue or project if it exists, and refuses the whole query if it doesn't: a
//! plugin could find out what exists by asking. So whatever Jira doesn't know of that kind is made a condition
//! that never holds. So is, before Jira is asked, what would find issues beside one outside if that exists, such as
//! `parent = SECRET-1`. The same goes for issues that somebody may not see.

use std::borrow::Cow;

use maro_domain::issue::IssueKey;

use crate::searching::project_limits::{Unbalanced, is_part_of_word, length_of_quoted, start_of_order};

/// Conditions that Jira accepts in any language, and that never and always hold.
const NEVER: &str = "created < \"1970-01-02\"";
const ALWAYS: &str = "created >= \"1970-01-02\"";

/// Fields whose values are no issues, whatever they look like: a label may be `UTF-8`. Jira calls them so in any language.
const WITHOUT_ISSUES: [&str; 36] = [
    "affectedversion",
    "approver",
    "assignee",
    "attachments",
    "category",
    "comment",
    "component",
    "created",
    "creator",
    "description",
    "due",
    "duedate",
    "environment",
    "filter",
    "fixversion",
    "hierarchylevel",
    "issuetype",
    "labels",
    "lastviewed",
    "level",
    "priority",
    "project",
    "projecttype",
    "reporter",
    "resolution",
    "resolved",
    "sprint",
    "status",
    "statuscategory",
    "summary",
    "text",
    "type",
    "updated",
    "votes",
    "watcher",
    "worklogauthor",
];

/// An issue itself, by its key or id.
const ISSUE: [&str; 4] = ["issue", "issuekey", "key", "id"];

/// Fields that lead from one issue to others. They take an issue's id, too, which says nothing of its project.
const LEADING_TO_ISSUES: [&str; 4] = ["parent", "parentepic", "epic link", "parent link"];

/// The issues that a query names outside its search for text, each once.
pub(crate) fn named_issues(jql: &str) -> Result<Vec<IssueKey>, Unbalanced> {
    let order = start_of_order(jql)?.unwrap_or(jql.len());
    let tokens = tokens(&jql[..order])?;
    let comparisons = comparisons(&tokens).into_iter().filter(Comparison::may_name_issues);
    let operands = comparisons.flat_map(|comparison| comparison.operand);
    let mut named: Vec<IssueKey> = operands.filter_map(|token| named_issue(&token.text)).collect();
    named.sort();
    named.dedup();
    Ok(named)
}

/// The issue that a literal names, which Jira takes in capitals or not.
fn named_issue(literal: &str) -> Option<IssueKey> {
    IssueKey::from_string(literal.trim().to_uppercase()).ok()
}

/// The query with each condition decided that names one of `hidden`, or leads from an issue outside `projects`, if
/// these are given, to others. An operator's own field stays in it, so that Jira still says if there is none of that
/// name. `None` if that changes nothing.
pub(crate) fn without(
    jql: &str,
    hidden: &[IssueKey],
    projects: Option<&[String]>,
) -> Result<Option<String>, Unbalanced> {
    rewritten(jql, |comparison| comparison.keeping_field(), &|comparison, literal| {
        if is_number(literal) {
            return comparison.leads_from_id();
        }
        let Some(key) = named_issue(literal).filter(|_| comparison.may_name_issues()) else { return false };
        let is_outside = |projects: &[String]| projects.iter().all(|own| own != key.project_key());
        hidden.contains(&key) || comparison.may_lead_from_key() && projects.is_some_and(is_outside)
    })
}

/// The query with each condition decided that Jira refused because of something outside `projects`: something
/// that `refusal`, which is all that Jira said, mentions. `None` if that changes nothing.
pub(crate) fn decided(jql: &str, projects: &[String], refusal: &str) -> Result<Option<String>, Unbalanced> {
    let refusal = refusal.to_lowercase();
    rewritten(jql, |comparison| comparison.outcome(), &|comparison, literal| {
        is_outside(comparison.field_name(), literal, projects) && refusal.contains(&literal.to_lowercase())
    })
}

/// The query with each condition decided in which a field is compared with what is refused.
fn rewritten(
    jql: &str,
    outcome: fn(&Comparison<'_>) -> String,
    is_refused: &impl Fn(&Comparison<'_>, &str) -> bool,
) -> Result<Option<String>, Unbalanced> {
    let order = start_of_order(jql)?.unwrap_or(jql.len());
    let (condition, order) = jql.split_at(order);
    let tokens = tokens(condition)?;
    let mut decided = String::with_capacity(condition.len());
    let mut copied = 0;
    for comparison in comparisons(&tokens) {
        let Some(text) = comparison.decided(outcome, is_refused) else { continue };
        decided.push_str(&condition[copied..comparison.start]);
        decided.push_str(&text);
        copied = comparison.end;
    }
    if copied == 0 {
        return Ok(None);
    }
    decided.push_str(&condition[copied..]);
    decided.push_str(order);
    Ok(Some(decided))
}

/// Whether a literal may name an issue or a project outside the projects.
fn is_outside(field: &str, literal: &str, projects: &[String]) -> bool {
    let is_among = |key: &str| projects.iter().any(|project| project.eq_ignore_ascii_case(key));
    if field.eq_ignore_ascii_case("project") {
        return !is_among(literal);
    }
    if is_number(literal) {
        // The id of an issue says nothing of its project.
        return true;
    }
    literal.rsplit_once('-').is_some_and(|(project, number)| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) && !is_among(project)
    })
}

fn is_number(literal: &str) -> bool {
    !literal.is_empty() && literal.bytes().all(|byte| byte.is_ascii_digit())
}

/// A part of a query, with its place in it.
struct Token<'a> {
    kind: Kind,
    /// Without quotation marks.
    text: Cow<'a, str>,
    start: usize,
    end: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    Quoted,
    Sign,
}

impl Token<'_> {
    fn is_sign(&self, sign: &str) -> bool {
        self.kind == Kind::Sign && self.text == sign
    }

    fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    fn is_literal(&self) -> bool {
        self.kind != Kind::Sign
    }
}

fn tokens(jql: &str) -> Result<Vec<Token<'_>>, Unbalanced> {
    let mut tokens = Vec::new();
    let mut start = 0;
    while let Some(first) = jql[start..].chars().next() {
        let rest = &jql[start..];
        let (length, kind, text) = match first {
            '"' | '\'' => {
                let length = length_of_quoted(rest, first)?;
                (length, Some(Kind::Quoted), unescaped(&rest[1..length - 1]))
            }
            letter if is_part_of_word(letter) => {
                let length = rest.find(|letter| !is_part_of_word(letter)).unwrap_or(rest.len());
                (length, Some(Kind::Word), rest[..length].into())
            }
            '=' | '!' | '<' | '>' | '~' => {
                let length =
                    rest.find(|sign| !matches!(sign, '=' | '!' | '<' | '>' | '~')).unwrap_or(rest.len());
                (length, Some(Kind::Sign), rest[..length].into())
            }
            space if space.is_whitespace() => (space.len_utf8(), None, "".into()),
            sign => (sign.len_utf8(), Some(Kind::Sign), rest[..sign.len_utf8()].into()),
        };
        let end = start + length;
        tokens.extend(kind.map(|kind| Token { kind, text, start, end }));
        start = end;
    }
    Ok(tokens)
}

fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return text.into();
    }
    let mut unescaped = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        unescaped.extend(if letter == '\\' { letters.next() } else { Some(letter) });
    }
    unescaped.into()
}

/// A field that is compared with something.
struct Comparison<'a> {
    field: &'a [Token<'a>],
    is_negative: bool,
    operand: &'a [Token<'a>],
    start: usize,
    end: usize,
}

impl Comparison<'_> {
    /// The field's name. Of `cf[10020]` it's the bracket.
    fn field_name(&self) -> &str {
        self.field.last().map_or("", |token| &token.text)
    }

    /// Whether its literals can be issues.
    fn may_name_issues(&self) -> bool {
        !self.is_field_among(&WITHOUT_ISSUES)
    }

    /// Whether it may find other issues than those whose keys it has: by a field, which may be an operator's own, or by a
    /// function such as `linkedIssues`.
    fn may_lead_from_key(&self) -> bool {
        !self.is_field_among(&ISSUE) || self.has_call()
    }

    /// As [`Comparison::may_lead_from_key`], of numbers, which are ids of issues only there.
    fn leads_from_id(&self) -> bool {
        self.is_field_among(&LEADING_TO_ISSUES) || self.is_field_among(&ISSUE) && self.has_call()
    }

    fn is_field_among(&self, fields: &[&str]) -> bool {
        fields.iter().any(|field| self.field_name().eq_ignore_ascii_case(field))
    }

    fn has_call(&self) -> bool {
        let is_call = |tokens: &[Token<'_>]| tokens[0].kind == Kind::Word && tokens[1].is_sign("(");
        self.operand.windows(2).any(is_call)
    }

    /// The condition that holds as it does if nothing that it names exists.
    fn outcome(&self) -> String {
        if self.is_negative { ALWAYS } else { NEVER }.to_owned()
    }

    /// As [`Comparison::outcome`], with a field of which only Jira knows whether it has one of that name.
    fn keeping_field(&self) -> String {
        if self.is_field_among(&ISSUE) || self.is_field_among(&LEADING_TO_ISSUES) {
            return self.outcome();
        }
        let operator = if self.is_negative { "OR" } else { "AND" };
        format!("({} {operator} {} is EMPTY)", self.outcome(), self.field_text())
    }

    fn field_text(&self) -> String {
        self.field.iter().map(written).collect()
    }

    /// The text to put in its place, if something in it is refused: without that, or `outcome` if nothing is left.
    fn decided(
        &self,
        outcome: fn(&Comparison<'_>) -> String,
        is_refused: &impl Fn(&Self, &str) -> bool,
    ) -> Option<String> {
        let is_refused = |token: &Token<'_>| token.is_literal() && is_refused(self, &token.text);
        if !self.operand.iter().any(is_refused) {
            return None;
        }
        let items: Vec<_> = match self.operand {
            [open, items @ .., _] if open.is_sign("(") => split_at_commas(items),
            whole => vec![whole],
        };
        let kept: Vec<_> = items.iter().filter(|item| !item.iter().any(is_refused)).collect();
        if kept.is_empty() {
            return Some(outcome(self));
        }
        let item = |tokens: &&[Token<'_>]| tokens.iter().map(written).collect::<String>();
        let (negation, items) = (if self.is_negative { "not " } else { "" }, kept.into_iter().map(item));
        Some(format!("{} {negation}in ({})", self.field_text(), items.collect::<Vec<_>>().join(", ")))
    }
}

fn written(token: &Token<'_>) -> String {
    match token.kind {
        Kind::Quoted => format!("\"{}\"", token.text.replace('\\', "\\\\").replace('"', "\\\"")),
        Kind::Word | Kind::Sign => token.text.clone().into_owned(),
    }
}

/// The items of a list, whose functions may have arguments of their own.
fn split_at_commas<'a, 'b>(tokens: &'b [Token<'a>]) -> Vec<&'b [Token<'a>]> {
    let mut depth = 0_u32;
    tokens
        .split(|token| {
            depth = depth + u32::from(token.is_sign("(")) - u32::from(token.is_sign(")"));
            depth == 0 && token.is_sign(",")
        })
        .collect()
}

/// All comparisons, in order. A search for text isn't one: Jira doesn't look its words up.
fn comparisons<'a>(tokens: &'a [Token<'a>]) -> Vec<Comparison<'a>> {
    let mut comparisons = Vec::new();
    let mut earliest = 0;
    for at in 1..tokens.len() {
        let is_list = tokens[at].is_word("in");
        let is_negated = is_list && tokens[at - 1].is_word("not");
        let is_operator = tokens[at].kind == Kind::Sign
            && matches!(&*tokens[at].text, "=" | "!=" | "<" | "<=" | ">" | ">=");
        let field_end = at - usize::from(is_negated);
        if at < earliest || !(is_list || is_operator) || field_end == 0 {
            continue;
        }
        let end = end_of_operand(tokens, at + 1);
        let Some(field_start) = start_of_field(tokens, field_end).filter(|start| *start >= earliest) else {
            continue;
        };
        if end == at + 1 {
            continue;
        }
        comparisons.push(Comparison {
            field: &tokens[field_start..field_end],
            is_negative: is_negated || tokens[at].is_sign("!="),
            operand: &tokens[at + 1..end],
            start: tokens[field_start].start,
            end: tokens[end - 1].end,
        });
        earliest = end;
    }
    comparisons
}

/// Where a field's name begins that ends before a token: a word, or `cf[10020]`.
fn start_of_field(tokens: &[Token<'_>], end: usize) -> Option<usize> {
    match &tokens[..end] {
        [.., name, open, _, close] if name.is_literal() && open.is_sign("[") && close.is_sign("]") => {
            Some(end - 4)
        }
        [.., name] if name.is_literal() => Some(end - 1),
        _ => None,
    }
}

/// Where an operand ends: behind a literal, or behind the bracket of a list or a function's arguments.
fn end_of_operand(tokens: &[Token<'_>], start: usize) -> usize {
    let is_open = |at: usize| tokens.get(at).is_some_and(|token| token.is_sign("("));
    let is_literal = tokens.get(start).is_some_and(Token::is_literal);
    let open = start + usize::from(is_literal);
    if !is_open(open) {
        return open;
    }
    let mut depth = 0_u32;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        depth = depth + u32::from(token.is_sign("(")) - u32::from(token.is_sign(")"));
        if depth == 0 {
            return at + 1;
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of a query in which Jira says of all that is outside that it doesn't exist.
    fn told(jql: &str) -> String {
        let refusal = "'secret-1' 'SECRET-2' '10001' 'secret' 'the \"board\"' 'ops-9' does not exist";
        let decided = decided(jql, &["OPS".to_owned(), "IT".to_owned()], refusal).unwrap();
        decided.map_or("-".to_owned(), |jql| jql.replace(NEVER, "NEVER").replace(ALWAYS, "ALWAYS"))
    }

    #[test]
    fn what_is_outside_is_decided_and_the_rest_stays() {
        for (jql, expected) in [
            ("key = SECRET-1", "NEVER"),
            ("KEY=secret-1 or key = OPS-9", "NEVER or key = OPS-9"),
            ("key != \"SECRET-1\" ORDER BY key", "ALWAYS ORDER BY key"),
            ("issue in (SECRET-1, SECRET-2) AND a = b", "NEVER AND a = b"),
            ("key in (SECRET-1, 'OPS-9')", "key in (\"OPS-9\")"),
            ("key not in (OPS-9, SECRET-1, IT-3)", "key not in (OPS-9, IT-3)"),
            ("NOT (parent = SECRET-1)", "NOT (NEVER)"),
            ("key > SECRET-1", "NEVER"),
            ("id = 10001", "NEVER"),
            ("cf[10014] = SECRET-1 AND cf[10014] = OPS-1", "NEVER AND cf[10014] = OPS-1"),
            ("\"Epic Link\" in (SECRET-1, OPS-1)", "\"Epic Link\" in (OPS-1)"),
            ("issue in linkedIssues(SECRET-1, \"blocks\")", "NEVER"),
            ("issue in (linkedIssues(SECRET-1), linkedIssues(OPS-1, a))", "issue in (linkedIssues(OPS-1,a))"),
            ("project = SECRET or project = ops", "NEVER or project = ops"),
            ("project in (\"The \\\"board\\\"\", OPS)", "project in (OPS)"),
            // Not refused, not outside, or not looked up.
            ("key = SECRET-3", "-"),
            ("key = OPS-9", "-"),
            ("summary ~ \"SECRET-1\"", "-"),
            ("fixVersion = secret", "-"),
            ("", "-"),
            ("key =", "-"),
            ("= SECRET-1", "-"),
            ("key in", "-"),
            ("in (SECRET-1)", "-"),
        ] {
            assert_eq!(told(jql), expected, "{jql}");
        }
    }

    #[test]
    fn what_is_hidden_is_decided_before_jira_is_asked() {
        let key = |text: &str| IssueKey::parse(text).unwrap();
        let jql = "key in (secret-1, 'OPS-9 ') AND parent != SECRET-1 OR summary ~ \"SECRET-2\" AND due < 2026-01-01";
        assert_eq!(named_issues(jql), Ok(vec![key("OPS-9"), key("SECRET-1")]));
        let decided = without(jql, &[key("SECRET-1")], None).unwrap().unwrap();
        let decided = decided.replace(NEVER, "NEVER").replace(ALWAYS, "ALWAYS");
        assert_eq!(decided, "key in (\"OPS-9 \") AND ALWAYS OR summary ~ \"SECRET-2\" AND due < 2026-01-01");
        assert_eq!(without(jql, &[key("SECRET-2")], None), Ok(None));
        assert_eq!(named_issues("key = 'SECRET-1"), Err(Unbalanced));
    }

    #[test]
    fn what_leads_from_an_issue_outside_to_others_is_decided_before_jira_is_asked() {
        let decided = |jql: &str| {
            let decided = without(jql, &[], Some(&["OPS".to_owned()])).unwrap();
            decided.map_or("-".to_owned(), |jql| jql.replace(NEVER, "NEVER").replace(ALWAYS, "ALWAYS"))
        };
        for (jql, expected) in [
            ("parent = SECRET-1", "NEVER"),
            ("PARENT in (secret-1, OPS-1)", "PARENT in (OPS-1)"),
            ("parent != SECRET-1 ORDER BY key", "ALWAYS ORDER BY key"),
            ("parent = 10001", "NEVER"),
            ("\"Epic Link\" = SECRET-1", "NEVER"),
            ("issue in linkedIssues(SECRET-1, \"blocks\")", "NEVER"),
            ("key not in linkedIssues(\"10001\")", "ALWAYS"),
            ("key in (OPS-1, linkedIssues(SECRET-1))", "key in (OPS-1)"),
            ("issue in childIssuesOf(OPS-1)", "-"),
            // Jira finds nothing for these, or says no more than it says of what there isn't.
            ("key = SECRET-1", "-"),
            ("id = 10001", "-"),
            ("cf[10016] = 5", "-"),
            ("cf[10014] = SECRET-1", "(NEVER AND cf[10014] is EMPTY)"),
            ("\"Goal\" != SECRET-1", "(ALWAYS OR \"Goal\" is EMPTY)"),
            ("\"Start date\" >= startOfMonth(1)", "-"),
            ("\"Story Points\" = 5", "-"),
            // No issues.
            ("labels = UTF-8", "-"),
            ("fixVersion in releasedVersions(OPS)", "-"),
            ("sprint in (openSprints(), \"REL-2\")", "-"),
            ("assignee in membersOf(\"TEAM-1\")", "-"),
        ] {
            assert_eq!(decided(jql), expected, "{jql}");
        }
        assert_eq!(named_issues("labels in (UTF-8) AND fixVersion = REL-2 AND sprint = 'A-1'"), Ok(vec![]));
        let hidden = [IssueKey::parse("UTF-8").unwrap()];
        assert_eq!(without("labels = utf-8", &hidden, None), Ok(None));
    }

    /// However the query is made, what comes out is as balanced as what went in.
    #[test]
    fn no_short_query_is_torn() {
        const PARTS: [&str; 8] = ["(", ")", "key", "SECRET-1", " in ", "=", ",", "'x'"];
        let mut queries = vec![String::new()];
        for _ in 0..5 {
            queries = queries.iter().flat_map(|query| PARTS.map(|part| format!("{query} {part}"))).collect();
            for query in &queries {
                if let Ok(Some(decided)) = decided(query, &["OPS".to_owned()], "SECRET-1") {
                    assert!(start_of_order(&decided).is_ok(), "{query} → {decided}");
                }
            }
        }
    }
}
