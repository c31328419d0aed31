//! Inputs for what is no text and no single option: numbers, days, several options.

use std::ops::RangeInclusive;

use serde_json::{Value, json};

use crate::view::input::{Choice, Frame, among, options};

/// The most boxes in one group.
const MAX_BOXES: usize = 10;

/// The longest text of a day: `2026-11-30`.
const DAY_LENGTH: usize = 10;

/// What Slack takes: ten digits.
const DATE_TIMES: RangeInclusive<i64> = 1_000_000_000..=9_999_999_999;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldElement {
    /// With decimals.
    Number { initial: Option<String> },
    /// A day, such as `2026-11-30`.
    Date { initial: Option<String> },
    /// A day and a time of it, as seconds since the epoch, in the person's own time zone.
    DateTime { initial: Option<i64> },
    /// Some of these.
    Several { choices: Vec<Choice>, initial: Vec<Choice> },
    /// Some of what MARO answers to [`crate::interaction::OptionsWanted`].
    SeveralExternal { initial: Vec<Choice> },
    /// Some of at most ten, each with a box of its own.
    Boxes { choices: Vec<Choice>, initial: Vec<Choice> },
}

/// An input with such an element. Its id is both its block id and its action id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldInput {
    frame: Frame,
    element: FieldElement,
}

impl FieldInput {
    pub fn new(id: impl Into<String>, label: impl Into<String>, element: FieldElement) -> Self {
        Self { frame: Frame::new(id.into(), label.into()), element }
    }

    /// Lets people submit without it, or not.
    #[must_use]
    pub fn optional_if(self, is_optional: bool) -> Self {
        Self { frame: self.frame.optional_if(is_optional), ..self }
    }

    pub(super) fn to_json(&self) -> Value {
        let mut element = match &self.element {
            FieldElement::Number { .. } => json!({ "type": "number_input", "is_decimal_allowed": true }),
            FieldElement::Date { .. } => json!({ "type": "datepicker" }),
            FieldElement::DateTime { .. } => json!({ "type": "datetimepicker" }),
            FieldElement::Several { choices, .. } => {
                json!({ "type": "multi_static_select", "options": options(choices) })
            }
            FieldElement::SeveralExternal { .. } => {
                json!({ "type": "multi_external_select", "min_query_length": 0 })
            }
            FieldElement::Boxes { choices, .. } => {
                json!({ "type": "checkboxes", "options": options(&choices[..choices.len().min(MAX_BOXES)]) })
            }
        };
        match &self.element {
            FieldElement::Number { initial: Some(number) } if number.parse::<f64>().is_ok() => {
                element["initial_value"] = json!(number);
            }
            FieldElement::Date { initial: Some(day) } if day.len() == DAY_LENGTH => {
                element["initial_date"] = json!(day);
            }
            FieldElement::DateTime { initial: Some(seconds) } if DATE_TIMES.contains(seconds) => {
                element["initial_date_time"] = json!(seconds);
            }
            FieldElement::Number { .. } | FieldElement::Date { .. } | FieldElement::DateTime { .. } => {}
            FieldElement::Several { choices, initial } | FieldElement::Boxes { choices, initial } => {
                let known: Vec<Choice> =
                    initial.iter().filter_map(|choice| among(choices, choice)).cloned().collect();
                set_initial(&mut element, &known);
            }
            FieldElement::SeveralExternal { initial } => set_initial(&mut element, initial),
        }
        self.frame.to_json(element)
    }
}

/// Slack refuses an empty list.
fn set_initial(element: &mut Value, initial: &[Choice]) {
    let initial = options(initial);
    if !initial.is_empty() {
        element["initial_options"] = json!(initial);
    }
}
