//! The fields of Jira's screen in the create form: those that Jira demands, and what people often fill in besides.

use std::collections::BTreeMap;

use crate::filled_fields::{AskedField, AskedKind, FilledField, Filling, PickedOption, with_point};
use maro_domain::screen::{FieldKind, FieldOption, ScreenField};
use maro_slack::{
    interaction::view_state::InputValues,
    view::{
        ViewBlock,
        field::{FieldElement, FieldInput},
        input::{Choice, SelectInput, TextInput},
    },
};
use maro_texts as texts;

/// What the form asks for in any case, or what MARO and Jira fill in.
const KNOWN: [&str; 5] = ["project", "issuetype", "summary", "description", "reporter"];

const DESCRIPTION: &str = "description";

/// What people often fill in although Jira doesn't demand it, in the order of the form.
const USUAL: [&str; 3] = ["assignee", "priority", "labels"];

/// The most fields that a form asks for: more than people fill in.
const MAX_ASKED: usize = 15;

/// How long the ids of all of them may be, in bytes, so that a form can carry them along.
const MAX_IDS: usize = 400;

/// The most options that a select has itself. More are searched for.
const MAX_OPTIONS: usize = 100;

/// The most boxes.
const MAX_BOXES: usize = 10;

/// A screen as the form can show it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Screen {
    /// What Jira demands comes first.
    pub(crate) asked: Vec<AskedField>,
    /// The options of the selects among them, by the field's id.
    pub(crate) options: BTreeMap<String, Vec<Choice>>,
    /// The names of the fields that Jira demands and Slack can't ask for.
    pub(crate) beyond: Vec<String>,
    /// Whether Jira demands a description.
    pub(crate) wants_description: bool,
}

impl Screen {
    /// `refused` are fields that Jira demands although its screen doesn't say so.
    pub(crate) fn of(fields: Vec<ScreenField>, refused: &[String]) -> Self {
        let wants_description =
            fields.iter().any(|field| field.id == DESCRIPTION && field.is_required && !field.has_default);
        let mut screen = Self { wants_description, ..Self::default() };
        let mut asked: Vec<(bool, ScreenField)> =
            fields.into_iter().map(|field| (is_demanded(&field, refused), field)).collect();
        asked.retain(|(is_required, field)| {
            !KNOWN.contains(&field.id.as_str()) && (*is_required || place(field).is_some())
        });
        asked.sort_by_key(|(is_required, field)| (!is_required, place(field)));
        for (is_required, field) in asked {
            screen.add(field, is_required);
        }
        screen
    }

    fn add(&mut self, field: ScreenField, is_required: bool) {
        let ids: usize = self.asked.iter().map(|asked| asked.id.len()).sum();
        let has_room = self.asked.len() < MAX_ASKED && ids + field.id.len() <= MAX_IDS;
        match kind(&field.kind).filter(|_| has_room) {
            Some(kind) => {
                if let FieldKind::Select(options)
                | FieldKind::MultiSelect(options)
                | FieldKind::Checkboxes(options) = &field.kind
                {
                    self.options.insert(field.id.clone(), options.iter().map(choice).collect());
                }
                self.asked.push(AskedField { id: field.id, name: field.name, kind, is_required });
            }
            None if is_required => self.beyond.push(field.name),
            None => {}
        }
    }

    /// The fields that Jira demands and that are not among these.
    pub(crate) fn missing_from(&self, asked: &[AskedField]) -> Vec<&AskedField> {
        let is_there = |field: &AskedField| asked.iter().any(|known| known.id == field.id);
        self.asked.iter().filter(|field| field.is_required && !is_there(field)).collect()
    }
}

/// Whether Jira demands a field when an issue is created. `refused` are fields, by id or name, that it demands although
/// its screen doesn't say so.
pub(crate) fn is_demanded(field: &ScreenField, refused: &[String]) -> bool {
    let is_meant = |said: &String| *said == field.id || said.eq_ignore_ascii_case(&field.name);
    field.is_required && !field.has_default || refused.iter().any(is_meant)
}

/// What a form asks for because Jira demands it, where one answer holds for several issues.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Demanded {
    pub(crate) fields: Vec<FilledField>,
    options: BTreeMap<String, Vec<Choice>>,
}

impl Demanded {
    /// Without what issues belong to: that is known.
    pub(crate) fn of(screen: Screen) -> Self {
        let is_link = |kind: AskedKind| matches!(kind, AskedKind::Parent | AskedKind::EpicLink);
        let asked = screen.asked.into_iter().filter(|field| field.is_required && !is_link(field.kind));
        let fields = asked.map(|asked| FilledField { asked, filling: Filling::default() }).collect();
        Self { fields, options: screen.options }
    }

    /// The same as the screen has it now, with what was put into these before. Returns also the names of those that
    /// weren't asked for. `None` if there are none.
    pub(crate) fn with_missing(&self, screen: Screen) -> Option<(Self, Vec<String>)> {
        let mut wanted = Self::of(screen);
        let mut missing = Vec::new();
        for field in &mut wanted.fields {
            match self.fields.iter().find(|known| known.asked.id == field.asked.id) {
                Some(known) => field.filling = known.filling.clone(),
                None => missing.push(field.asked.name.clone()),
            }
        }
        (!missing.is_empty()).then_some((wanted, missing))
    }

    /// What somebody put into them.
    pub(crate) fn read(asked: &[AskedField], values: &InputValues) -> Self {
        Self { fields: read(asked, values), options: BTreeMap::new() }
    }

    /// What the form carries along.
    pub(crate) fn asked(&self) -> Vec<AskedField> {
        nameless(&self.fields)
    }

    /// The first that is empty.
    pub(crate) fn missing(&self) -> Option<&AskedField> {
        self.fields.iter().find(|field| field.filling.is_empty()).map(|field| &field.asked)
    }

    pub(crate) fn inputs(&self) -> Vec<ViewBlock> {
        inputs(&self.fields, &self.options, &mut Room::of_form())
    }
}

/// The fields as a form carries them along. What they are called, the form says when it comes back.
pub(crate) fn nameless(fields: &[FilledField]) -> Vec<AskedField> {
    fields.iter().map(|field| AskedField { name: String::new(), ..field.asked.clone() }).collect()
}

/// Where a field that people often fill in stands among those. `None` for other fields.
fn place(field: &ScreenField) -> Option<usize> {
    match field.kind {
        FieldKind::Parent | FieldKind::EpicLink => Some(USUAL.len()),
        _ => USUAL.iter().position(|usual| *usual == field.id),
    }
}

fn kind(kind: &FieldKind) -> Option<AskedKind> {
    Some(match kind {
        FieldKind::Line => AskedKind::Line,
        FieldKind::Text => AskedKind::Text,
        FieldKind::Number => AskedKind::Number,
        FieldKind::Date => AskedKind::Date,
        FieldKind::DateTime => AskedKind::DateTime,
        FieldKind::Select(_) => AskedKind::Select,
        FieldKind::MultiSelect(_) => AskedKind::MultiSelect,
        FieldKind::Checkboxes(_) => AskedKind::Checkboxes,
        FieldKind::User => AskedKind::User,
        FieldKind::Users => AskedKind::Users,
        FieldKind::Labels => AskedKind::Labels,
        FieldKind::Parent => AskedKind::Parent,
        FieldKind::EpicLink => AskedKind::EpicLink,
        FieldKind::Sprint => AskedKind::Sprint,
        FieldKind::Group => AskedKind::Group,
        FieldKind::Groups => AskedKind::Groups,
        FieldKind::Estimate => AskedKind::Estimate,
        FieldKind::Other => return None,
    })
}

fn choice(option: &FieldOption) -> Choice {
    Choice::new(&option.id, &option.name)
}

/// What somebody put into the fields that the form asked for.
pub(crate) fn read(asked: &[AskedField], values: &InputValues) -> Vec<FilledField> {
    let filling = |field: &AskedField| {
        let one = values.selected(&field.id).into_iter();
        Filling {
            text: values.text(&field.id).unwrap_or_default().to_owned(),
            options: one.chain(values.several(&field.id)).map(PickedOption::from).collect(),
        }
    };
    let named = |field: &AskedField| {
        let name = values.label(&field.id).unwrap_or(&field.id).to_owned();
        AskedField { name, ..field.clone() }
    };
    asked.iter().map(|field| FilledField { asked: named(field), filling: filling(field) }).collect()
}

/// The inputs for some fields, with what was put into them. `options` are those of selects, by the field's id; what
/// there are none for, or no room, is searched for.
pub(crate) fn inputs<'a>(
    fields: impl IntoIterator<Item = &'a FilledField>,
    options: &BTreeMap<String, Vec<Choice>>,
    room: &mut Room,
) -> Vec<ViewBlock> {
    let shown = |field: &FilledField| {
        let options = options.get(&field.asked.id);
        input(field, options.filter(|options| options.len() <= MAX_OPTIONS && room.takes(options)))
    };
    fields.into_iter().map(shown).collect()
}

/// What is left of the room that a form has for the options of all its selects, in bytes.
pub(crate) struct Room(usize);

impl Room {
    /// Of a whole form: Slack takes 250 KB, and a form has more than options.
    pub(crate) fn of_form() -> Self {
        Self(150_000)
    }

    fn takes(&mut self, options: &[Choice]) -> bool {
        // Slack's format, around a label that is cut at 75 characters.
        let needed: usize = options.iter().map(|choice| choice.label.len().min(300) + 120).sum();
        let left = self.0.checked_sub(needed);
        left.map(|left| self.0 = left).is_some()
    }
}

fn input(field: &FilledField, options: Option<&Vec<Choice>>) -> ViewBlock {
    let FilledField { asked: AskedField { id, name, kind, is_required }, filling } = field;
    let picked: Vec<Choice> = filling.options.iter().map(Choice::from).collect();
    let text = Some(filling.text.clone()).filter(|text| !text.is_empty());
    let one_line = || TextInput::single_line(id, name).with_initial(&filling.text).optional_if(!is_required);
    let element = |element: FieldElement| FieldInput::new(id, name, element).optional_if(!is_required).into();
    let select = |input: SelectInput| {
        let input = input.optional_if(!is_required);
        match picked.first() {
            Some(choice) => input.with_initial(choice.clone()).into(),
            None => input.into(),
        }
    };
    match (kind, options) {
        (AskedKind::Line, _) => one_line().into(),
        (AskedKind::Text, _) => {
            TextInput::multi_line(id, name).with_initial(&filling.text).optional_if(!is_required).into()
        }
        (AskedKind::Labels, _) => one_line().with_hint(texts::issues::forms::LABELS_HINT).into(),
        (AskedKind::Number, _) => {
            element(FieldElement::Number { initial: text.map(|text| with_point(text.trim())) })
        }
        (AskedKind::Date, _) => element(FieldElement::Date { initial: text }),
        (AskedKind::DateTime, _) => {
            element(FieldElement::DateTime { initial: text.and_then(|text| text.parse().ok()) })
        }
        (AskedKind::Select, Some(options)) => select(SelectInput::fixed(id, name, options.clone())),
        (AskedKind::Estimate, _) => one_line().with_hint(texts::issues::forms::ESTIMATE_HINT).into(),
        (
            AskedKind::Select
            | AskedKind::User
            | AskedKind::Parent
            | AskedKind::EpicLink
            | AskedKind::Sprint
            | AskedKind::Group,
            _,
        ) => select(SelectInput::external(id, name)),
        (AskedKind::Checkboxes, Some(options)) if options.len() <= MAX_BOXES => {
            element(FieldElement::Boxes { choices: options.clone(), initial: picked })
        }
        (AskedKind::MultiSelect | AskedKind::Checkboxes, Some(options)) => {
            element(FieldElement::Several { choices: options.clone(), initial: picked })
        }
        (AskedKind::MultiSelect | AskedKind::Checkboxes | AskedKind::Users | AskedKind::Groups, _) => {
            element(FieldElement::SeveralExternal { initial: picked })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(id: &str, is_required: bool, kind: FieldKind) -> ScreenField {
        ScreenField { id: id.to_owned(), name: id.to_uppercase(), is_required, has_default: false, kind }
    }

    fn screen() -> Vec<ScreenField> {
        let low = || vec![FieldOption { id: "1".to_owned(), name: "Low".to_owned() }];
        vec![
            field("summary", true, FieldKind::Line),
            field("description", true, FieldKind::Text),
            field("parent", false, FieldKind::Parent),
            field("labels", false, FieldKind::Labels),
            field("customfield_1", true, FieldKind::Select(low())),
            field("customfield_2", true, FieldKind::Other),
            field("customfield_3", false, FieldKind::Line),
            ScreenField { has_default: true, ..field("priority", true, FieldKind::Select(low())) },
            ScreenField { has_default: true, ..field("customfield_4", true, FieldKind::Date) },
        ]
    }

    #[test]
    fn the_form_asks_for_what_jira_demands_and_for_what_is_usual() {
        let screen = Screen::of(screen(), &[]);
        let asked: Vec<_> = screen.asked.iter().map(|field| (field.id.as_str(), field.is_required)).collect();
        assert_eq!(
            asked,
            [("customfield_1", true), ("priority", false), ("labels", false), ("parent", false)]
        );
        assert_eq!(screen.options["customfield_1"], [Choice::new("1", "Low")]);
        assert_eq!(
            (screen.beyond.as_slice(), screen.wants_description),
            (&["CUSTOMFIELD_2".to_owned()][..], true)
        );
        assert_eq!(screen.missing_from(&[]).len(), 1);
        assert_eq!(screen.missing_from(&screen.asked), [] as [&AskedField; 0]);
    }

    #[test]
    fn what_jira_refused_is_asked_for_although_its_screen_says_optional() {
        let screen = Screen::of(screen(), &["customfield_3".to_owned()]);
        assert!(screen.asked.iter().any(|field| field.id == "customfield_3" && field.is_required));
    }

    #[test]
    fn a_form_asks_for_no_more_than_it_can_carry_along() {
        let many = (0..40).map(|number| field(&format!("customfield_1{number:04}"), true, FieldKind::Line));
        let screen = Screen::of(many.collect(), &[]);
        assert_eq!((screen.asked.len(), screen.beyond.len()), (MAX_ASKED, 25));
        let nameless = screen.asked.iter().map(|field| AskedField { name: String::new(), ..field.clone() });
        let carried = serde_json::to_string(&nameless.collect::<Vec<_>>()).unwrap();
        assert!(carried.len() < 1_100, "{}", carried.len());
        let long = (0..9).map(|number| field(&format!("{number}").repeat(100), true, FieldKind::Line));
        assert_eq!(Screen::of(long.collect(), &[]).asked.len(), 4);
    }
}
