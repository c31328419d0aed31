//! Fields of Jira's screen that a form asks for, and what somebody put into them. They are stored and travel through
//! Slack, so new members have a default and none ever changes its meaning.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use maro_domain::{
    issue::IssueKey,
    screen::{BELOW, FieldValue},
};
use maro_slack::{view::input::Choice, words::parse_markup};

/// A field that a form asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AskedField {
    /// Jira's id of it, and the id of its input.
    pub(crate) id: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) name: String,
    pub(crate) kind: AskedKind,
    #[serde(default, rename = "required", skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_required: bool,
}

/// How a field is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AskedKind {
    Line,
    Text,
    Number,
    Date,
    DateTime,
    Select,
    MultiSelect,
    Checkboxes,
    User,
    Users,
    Labels,
    Parent,
    EpicLink,
    Sprint,
    Group,
    Groups,
    Estimate,
}

/// A field, and what somebody put into it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FilledField {
    pub(crate) asked: AskedField,
    #[serde(default, skip_serializing_if = "Filling::is_empty")]
    pub(crate) filling: Filling,
}

/// What somebody put into a field: a text, or options.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Filling {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) text: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) options: Vec<PickedOption>,
}

/// An option that was chosen, with its name at that time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PickedOption {
    pub(crate) id: String,
    pub(crate) name: String,
}

impl AskedField {
    /// Whether this is its id, or its name: Jira says either.
    pub(crate) fn is_called(&self, id_or_name: &str) -> bool {
        self.id == id_or_name || self.name.eq_ignore_ascii_case(id_or_name)
    }
}

impl Filling {
    pub(crate) fn is_empty(&self) -> bool {
        self.text.trim().is_empty() && self.options.is_empty()
    }
}

impl From<&Choice> for PickedOption {
    fn from(choice: &Choice) -> Self {
        Self { id: choice.value.clone(), name: choice.label.clone() }
    }
}

impl From<&PickedOption> for Choice {
    fn from(picked: &PickedOption) -> Self {
        Self::new(&picked.id, &picked.name)
    }
}

impl FilledField {
    /// What Jira is told; `None` if nobody put anything into it.
    pub(crate) fn for_jira(&self) -> Option<(String, FieldValue)> {
        let Filling { text, options } = &self.filling;
        if self.filling.is_empty() {
            return None;
        }
        let text = || text.trim().to_owned();
        let ids = || options.iter().map(|option| option.id.clone());
        let value = match self.asked.kind {
            AskedKind::Line => FieldValue::Line(text()),
            AskedKind::Text => FieldValue::Text(parse_markup::parse_typed(&text())),
            AskedKind::Number => FieldValue::Number(with_point(&text())),
            AskedKind::Date => FieldValue::Date(text()),
            AskedKind::Select => option(ids().next()?),
            AskedKind::MultiSelect | AskedKind::Checkboxes => FieldValue::Options(ids().collect()),
            AskedKind::DateTime => FieldValue::DateTime(Timestamp::from_second(text().parse().ok()?).ok()?),
            AskedKind::User => FieldValue::User(ids().next()?),
            AskedKind::Users => FieldValue::Users(ids().collect()),
            AskedKind::Parent => FieldValue::Parent(IssueKey::parse(&ids().next()?).ok()?),
            AskedKind::EpicLink => FieldValue::EpicLink(IssueKey::parse(&ids().next()?).ok()?),
            AskedKind::Sprint => FieldValue::Sprint(ids().next()?.parse().ok()?),
            AskedKind::Group => FieldValue::Group(ids().next()?),
            AskedKind::Groups => FieldValue::Groups(ids().collect()),
            AskedKind::Estimate => FieldValue::Estimate(text()),
            // A label has no spaces.
            AskedKind::Labels => {
                let labels = text();
                let labels = labels.split(|letter: char| letter.is_whitespace() || letter == ',');
                FieldValue::Labels(labels.filter(|label| !label.is_empty()).map(str::to_owned).collect())
            }
        };
        Some((self.asked.id.clone(), value))
    }
}

/// A number, whose decimals people write with a comma, too.
pub(crate) fn with_point(number: &str) -> String {
    number.replace(',', ".")
}

/// An option, or one below another.
fn option(id: String) -> FieldValue {
    match id.split_once(BELOW) {
        Some((parent, child)) => FieldValue::Cascade { parent: parent.to_owned(), child: child.to_owned() },
        None => FieldValue::Option(id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(kind: AskedKind, text: &str, ids: &[&str]) -> Option<FieldValue> {
        let asked = AskedField { id: "f".to_owned(), name: "F".to_owned(), kind, is_required: true };
        let options =
            ids.iter().map(|id| PickedOption { id: (*id).to_owned(), name: String::new() }).collect();
        let field = FilledField { asked, filling: Filling { text: text.to_owned(), options } };
        field.for_jira().map(|(_, value)| value)
    }

    #[test]
    fn what_was_filled_in_becomes_what_jira_takes() {
        let text = |text: &str| text.to_owned();
        assert_eq!(filled(AskedKind::Line, " a ", &[]), Some(FieldValue::Line(text("a"))));
        assert_eq!(filled(AskedKind::Number, "4,5", &[]), Some(FieldValue::Number(text("4.5"))));
        assert_eq!(filled(AskedKind::Date, "2026-11-30", &[]), Some(FieldValue::Date(text("2026-11-30"))));
        assert_eq!(filled(AskedKind::Select, "", &["1"]), Some(FieldValue::Option(text("1"))));
        let cascade = FieldValue::Cascade { parent: text("1"), child: text("12") };
        assert_eq!(filled(AskedKind::Select, "", &["1/12"]), Some(cascade));
        assert_eq!(
            filled(AskedKind::Checkboxes, "", &["1", "2"]),
            Some(FieldValue::Options(vec![text("1"), text("2")]))
        );
        let at = Timestamp::from_second(1_795_478_399).unwrap();
        assert_eq!(filled(AskedKind::DateTime, "1795478399", &[]), Some(FieldValue::DateTime(at)));
        let epic = IssueKey::parse("SCRUM-100").unwrap();
        assert_eq!(filled(AskedKind::Parent, "", &["SCRUM-100"]), Some(FieldValue::Parent(epic)));
        assert_eq!(filled(AskedKind::User, "", &["712020:5f"]), Some(FieldValue::User(text("712020:5f"))));
        assert_eq!(filled(AskedKind::Sprint, "", &["37"]), Some(FieldValue::Sprint(37)));
        assert_eq!(filled(AskedKind::Estimate, " 3d 4h", &[]), Some(FieldValue::Estimate(text("3d 4h"))));
        assert_eq!(
            filled(AskedKind::Labels, "north quay, gate-7", &[]),
            Some(FieldValue::Labels(vec![text("north"), text("quay"), text("gate-7")]))
        );
        assert_eq!((filled(AskedKind::Line, "  ", &[]), filled(AskedKind::Select, "", &[])), (None, None));
    }
}
