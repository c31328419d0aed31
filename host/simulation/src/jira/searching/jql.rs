//! The part of Jira's query language that the simulated site understands: comparisons of the most common
//! fields, `AND`, `OR`, `NOT`, brackets, and an order. What Jira would refuse is refused in its words. So is
//! what isn't simulated, with a hint.

mod fields;
mod times;
mod tokens;

use std::{cmp::Ordering, iter::Peekable, vec::IntoIter};

use jiff::Timestamp;

use crate::jira::{
    data::{issue::SimulatedIssue, site::Site},
    searching::{
        jql::{
            fields::{Field, Kind, OWN_ACCOUNT},
            tokens::Token,
        },
        words::{self, Sought},
    },
};

#[derive(Debug)]
pub(crate) struct Query {
    condition: Option<Condition>,
    /// The fields to order by, and whether each is descending.
    order: Vec<(OrderField, bool)>,
}

#[derive(Debug)]
enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    /// The value is (or isn't) among `wanted`. `None` stands for no value.
    Among {
        field: Field,
        wanted: Vec<Option<String>>,
        is_wanted: bool,
    },
    /// Words that must all be in the summary.
    Words(Vec<Sought>),
    Time {
        is_created: bool,
        operator: &'static str,
        moment: Timestamp,
    },
}

#[derive(Debug, Clone, Copy)]
enum OrderField {
    Created,
    Updated,
    Key,
    Values(Field),
    Summary,
}

/// What follows an operator.
enum Operand {
    Word(String),
    Quoted(String),
    Function(String),
    Empty,
}

/// The query, or what Jira says is wrong with it.
pub(crate) fn parse(text: &str, site: &Site) -> Result<Query, String> {
    parse_with(text, site, None)
}

/// The query. What Jira says of values that it doesn't know is added to `warnings`: nothing has them.
pub(crate) fn parse_unchecked(text: &str, site: &Site, warnings: &mut Vec<String>) -> Result<Query, String> {
    parse_with(text, site, Some(warnings))
}

fn parse_with(text: &str, site: &Site, warnings: Option<&mut Vec<String>>) -> Result<Query, String> {
    let mut parser = Parser { tokens: tokens::tokens(text)?.into_iter().peekable(), site, warnings };
    let is_order_only = parser.tokens.peek().is_none_or(|token| token.is("ORDER"));
    let condition = if is_order_only { None } else { Some(parser.any()?) };
    let order = parser.order()?;
    match parser.tokens.next() {
        None => Ok(Query { condition, order }),
        Some(token) => Err(format!("Error in the JQL Query: Expecting 'AND' or 'OR' but got {token:?}.")),
    }
}

impl Query {
    pub(crate) fn holds(&self, issue: &SimulatedIssue) -> bool {
        self.condition.as_ref().is_none_or(|condition| condition.holds(issue))
    }

    /// Whether it restricts the results. Cloud refuses queries that don't.
    pub(crate) fn is_bounded(&self) -> bool {
        self.condition.is_some()
    }

    pub(crate) fn sort(&self, issues: &mut [&SimulatedIssue]) {
        issues.sort_by(|one, other| {
            let orders = self.order.iter().map(|(field, is_descending)| {
                let order = field.compare(one, other);
                if *is_descending { order.reverse() } else { order }
            });
            orders.fold(Ordering::Equal, Ordering::then)
        });
    }
}

impl OrderField {
    fn named(name: &str) -> Option<Self> {
        match fields::named(name) {
            Some(Kind::Created) => Some(Self::Created),
            Some(Kind::Updated) => Some(Self::Updated),
            Some(Kind::Values(Field::Key)) => Some(Self::Key),
            Some(Kind::Values(field)) => Some(Self::Values(field)),
            Some(Kind::Text) => Some(Self::Summary),
            None => name.eq_ignore_ascii_case("rank").then_some(Self::Key),
        }
    }

    fn compare(self, one: &SimulatedIssue, other: &SimulatedIssue) -> Ordering {
        match self {
            Self::Created => (one.created, one.id).cmp(&(other.created, other.id)),
            Self::Updated => one.changed.cmp(&other.changed),
            Self::Key => one.id.cmp(&other.id),
            Self::Values(field) => field.values(one).cmp(&field.values(other)),
            Self::Summary => one.summary.cmp(&other.summary),
        }
    }
}

impl Condition {
    fn holds(&self, issue: &SimulatedIssue) -> bool {
        match self {
            Self::All(conditions) => conditions.iter().all(|condition| condition.holds(issue)),
            Self::Any(conditions) => conditions.iter().any(|condition| condition.holds(issue)),
            Self::Not(condition) => !condition.holds(issue),
            Self::Among { field, wanted, is_wanted } => {
                let values = field.values(issue);
                let is_among = wanted.iter().any(|wanted| match wanted {
                    None => values.is_empty(),
                    Some(wanted) => values.iter().any(|value| value.eq_ignore_ascii_case(wanted)),
                });
                // As in Jira, an issue without a value doesn't match `!=`.
                let has_value = !values.is_empty();
                if *is_wanted { is_among } else { has_value && !is_among }
            }
            Self::Words(words) => !words.is_empty() && words.iter().all(|word| word.is_in(&issue.summary)),
            Self::Time { is_created, operator, moment } => {
                let order = if *is_created { issue.created } else { issue.updated }.cmp(moment);
                match *operator {
                    ">=" => order.is_ge(),
                    ">" => order.is_gt(),
                    "<=" => order.is_le(),
                    _ => order.is_lt(),
                }
            }
        }
    }
}

struct Parser<'a> {
    tokens: Peekable<IntoIter<Token>>,
    site: &'a Site,
    /// `None`: what isn't known is refused.
    warnings: Option<&'a mut Vec<String>>,
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
        if self.takes("NOT") {
            return Ok(Condition::Not(Box::new(self.one()?)));
        }
        if self.takes_sign("(") {
            let condition = self.any()?;
            self.close()?;
            return Ok(condition);
        }
        let Some(Token::Word(name) | Token::Quoted(name)) = self.tokens.next() else {
            return Err("Error in the JQL Query: A field name is missing.".to_owned());
        };
        let (operator, operands) = self.comparison(&name)?;
        match fields::named(&name) {
            Some(Kind::Values(field)) => self.among(&name, field, operator, operands),
            Some(Kind::Text) => text(&name, operator, &operands),
            Some(kind) => self.time(&name, kind == Kind::Created, operator, &operands),
            None => Err(unknown(&format!(
                "Field '{name}' does not exist or you do not have permission to view it."
            ))),
        }
    }

    /// The operator after a field's name, and what the field is compared with.
    fn comparison(&mut self, name: &str) -> Result<(&'static str, Vec<Operand>), String> {
        if self.takes("IS") {
            let operator = if self.takes("NOT") { "!=" } else { "=" };
            return match self.operand(name)? {
                Operand::Empty => Ok((operator, vec![Operand::Empty])),
                _ => Err("Error in the JQL Query: Expecting either 'EMPTY' or 'NULL'.".to_owned()),
            };
        }
        let is_not = self.takes("NOT");
        if self.takes("IN") {
            return Ok((if is_not { "!=" } else { "=" }, self.list(name)?));
        }
        match self.tokens.next() {
            Some(Token::Sign(operator)) if !is_not && !matches!(operator, "(" | ")" | ",") => {
                Ok((operator, vec![self.operand(name)?]))
            }
            _ => Err(format!("Error in the JQL Query: '{name}' isn't followed by an operator.")),
        }
    }

    /// `(A, "B")` after `in`.
    fn list(&mut self, name: &str) -> Result<Vec<Operand>, String> {
        if !self.takes_sign("(") {
            return Err(format!("Error in the JQL Query: Expecting '(' after '{name} in'."));
        }
        let mut operands = vec![self.operand(name)?];
        while self.takes_sign(",") {
            operands.push(self.operand(name)?);
        }
        self.close()?;
        Ok(operands)
    }

    fn operand(&mut self, name: &str) -> Result<Operand, String> {
        match self.tokens.next() {
            Some(Token::Quoted(text)) => Ok(Operand::Quoted(text)),
            Some(token) if token.is("EMPTY") || token.is("NULL") => Ok(Operand::Empty),
            Some(Token::Word(word)) if self.takes_sign("(") => {
                self.close()?;
                Ok(Operand::Function(word))
            }
            Some(Token::Word(word)) => Ok(Operand::Word(word)),
            _ => Err(format!("Error in the JQL Query: '{name}' isn't compared with anything.")),
        }
    }

    fn among(
        &mut self,
        name: &str,
        field: Field,
        operator: &str,
        operands: Vec<Operand>,
    ) -> Result<Condition, String> {
        let is_wanted = match operator {
            "=" => true,
            "!=" => false,
            _ => return Err(unsupported(name, operator)),
        };
        let wanted = operands.into_iter().map(|operand| match operand {
            Operand::Empty => Ok(None),
            Operand::Function(function) if function.eq_ignore_ascii_case("currentUser") => {
                Ok(Some(OWN_ACCOUNT.to_owned()))
            }
            Operand::Function(function) => {
                Err(unknown(&format!("Unable to find JQL function '{function}()'.")))
            }
            Operand::Word(value)
                if field == Field::Resolution && value.eq_ignore_ascii_case("unresolved") =>
            {
                Ok(None)
            }
            Operand::Word(value) | Operand::Quoted(value) => self.checked(name, field, value).map(Some),
        });
        Ok(Condition::Among { field, wanted: wanted.collect::<Result<_, _>>()?, is_wanted })
    }

    fn checked(&mut self, name: &str, field: Field, value: String) -> Result<String, String> {
        let unknown = match field {
            Field::Key | Field::Parent if self.site.find(&value).is_none() => {
                format!("An issue with key '{value}' does not exist for field '{name}'.")
            }
            Field::Project if self.site.project(&value).is_none() => {
                format!("The value '{value}' does not exist for the field '{name}'.")
            }
            _ if !field.has(&value) => format!("The value '{value}' does not exist for the field '{name}'."),
            _ => return Ok(value),
        };
        match &mut self.warnings {
            Some(warnings) => {
                warnings.push(unknown);
                Ok(value)
            }
            None => Err(unknown),
        }
    }

    fn time(
        &self,
        name: &str,
        is_created: bool,
        operator: &'static str,
        operands: &[Operand],
    ) -> Result<Condition, String> {
        if !matches!(operator, ">=" | ">" | "<=" | "<") {
            return Err(unsupported(name, operator));
        }
        let now = self.site.now();
        let moment = match operands {
            [Operand::Word(text) | Operand::Quoted(text)] => times::moment(text, now)
                .ok_or_else(|| format!("Date value '{text}' for field '{name}' is invalid.")),
            [Operand::Function(function)] => times::function(function, now)
                .ok_or_else(|| unknown(&format!("Unable to find JQL function '{function}()'."))),
            _ => Err(unsupported(name, operator)),
        };
        Ok(Condition::Time { is_created, operator, moment: moment? })
    }

    fn order(&mut self) -> Result<Vec<(OrderField, bool)>, String> {
        let mut order = Vec::new();
        if !self.takes("ORDER") {
            return Ok(order);
        }
        if !self.takes("BY") {
            return Err("Error in the JQL Query: Expecting 'by' after 'order'.".to_owned());
        }
        loop {
            let name = match self.tokens.next() {
                Some(Token::Word(name) | Token::Quoted(name)) => name,
                other => return Err(format!("Error in the JQL Query: Can't order by {other:?}.")),
            };
            let field = OrderField::named(&name).ok_or_else(|| {
                unknown(&format!("Field '{name}' does not exist or you do not have permission to view it."))
            })?;
            let is_descending = self.takes("DESC");
            if !is_descending {
                self.takes("ASC");
            }
            order.push((field, is_descending));
            if !self.takes_sign(",") {
                return Ok(order);
            }
        }
    }

    fn close(&mut self) -> Result<(), String> {
        if self.takes_sign(")") {
            return Ok(());
        }
        Err(format!("Error in the JQL Query: Expecting ')' but got {:?}.", self.tokens.peek()))
    }

    fn takes(&mut self, keyword: &str) -> bool {
        self.tokens.next_if(|token| token.is(keyword)).is_some()
    }

    fn takes_sign(&mut self, sign: &'static str) -> bool {
        self.tokens.next_if_eq(&Token::Sign(sign)).is_some()
    }
}

fn text(name: &str, operator: &str, operands: &[Operand]) -> Result<Condition, String> {
    let ("~" | "!~", [Operand::Word(text) | Operand::Quoted(text)]) = (operator, operands) else {
        return Err(unsupported(name, operator));
    };
    let words = words::query(text)
        .map(Condition::Words)
        .ok_or_else(|| format!("Unable to parse the text '{text}' for field '{name}'."))?;
    Ok(if operator == "~" { words } else { Condition::Not(Box::new(words)) })
}

fn unsupported(name: &str, operator: &str) -> String {
    format!("The operator '{operator}' is not supported by the '{name}' field.")
}

/// What Jira says about something unknown, with a hint: real Jira may know it even if the simulated one
/// doesn't.
fn unknown(message: &str) -> String {
    format!("{message} (The simulated Jira knows only {}.)", fields::KNOWN)
}

#[cfg(test)]
mod tests {
    use tokio::sync::watch;

    use super::*;

    fn site() -> Site {
        Site::seeded(watch::Sender::new(0))
    }

    /// How many of the issues with these keys a query finds.
    fn count(condition: &str) -> usize {
        let site = site();
        let query = parse(condition, &site).unwrap_or_else(|error| panic!("{condition}: {error}"));
        site.issues().filter(|issue| query.holds(issue)).count()
    }

    #[test]
    fn what_jira_refuses_is_refused() {
        for bad in [
            "project = \"NOPE\"",
            "project",
            "project =",
            "project = SCRUM AND",
            "project = SCRUM summary ~ x",
            "(project = SCRUM",
            "nonsense = 1",
            "summary = x",
            "project in (SCRUM",
            "project in (SCRUM,)",
            "project in ()",
            "project in SCRUM",
            "project in (SCRUM, NOPE)",
            "project not = SCRUM",
            "assignee is",
            "assignee is Ada",
            "summary ~ \"x",
            r#"summary ~ "x\+""#,
            "summary ~ \"*x\"",
            "summary ~ \"NOT\"",
            "created >= yesterday",
            "created = -1d",
            "created >= endOfDay()",
            "priority = Urgent",
            "project = SCRUM; drop",
            "creator = currentUser",
            "project = SCRUM ORDER BY luck",
            "project = SCRUM ORDER created",
        ] {
            assert!(parse(bad, &site()).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_people_ask_is_understood() {
        let open = count("statusCategory != Done");
        for (condition, expected) in [
            ("resolution = Unresolved", open),
            ("resolution is EMPTY AND project = SCRUM", open),
            ("resolution is not EMPTY", 50 - open),
            ("resolution = Done OR resolution = EMPTY", 50),
            ("NOT statusCategory = Done", open),
            ("assignee = EMPTY OR assignee is not null", 50),
            ("assignee != \"Ada Lovelace\" OR assignee = EMPTY", 50 - count("assignee = ada-lovelace")),
            ("assignee = currentUser() OR reporter = currentUser()", 0),
            ("created >= -7d", 0),
            ("created > -31d AND updated <= now() AND created < startOfDay()", 50),
            ("created >= 2001-01-01 AND created < \"2001/01/02 10:30\"", 0),
            ("priority in (High, Medium) AND labels is EMPTY", 50),
            ("priority = High OR labels = urgent OR labels not in (a, b)", 0),
            ("key in (SCRUM-123, \"scrum-124\") AND key != SCRUM-124", 1),
            ("type = Epic ORDER BY priority DESC, updated DESC, key", 1),
            ("status in (Open, \"In Review\") AND status not in (Open)", count("status = \"In Review\"")),
            (r#"project = "SCRUM" and (summary ~ "export" or summary ~ "c\\+\\+") order by updated desc"#, 1),
            ("text ~ images AND summary !~ storage", 1),
        ] {
            assert_eq!(count(condition), expected, "{condition}");
        }
        assert!(0 < open && open < 50);
    }

    #[test]
    fn an_unknown_key_is_refused_as_jira_does() {
        let refused = |query| parse(query, &site()).unwrap_err();
        assert_eq!(
            refused("key in (SCRUM-101, SCRUM-999)"),
            "An issue with key 'SCRUM-999' does not exist for field 'key'."
        );
        assert!(refused("sprint = 1").starts_with("Field 'sprint' does not exist"));
        assert!(refused("sprint = 1").contains("(The simulated Jira knows only assignee, created,"));
    }
}
