//! The options of the create form's other selects, as somebody types: people, epics, and lists of Jira's own.

use crate::{
    duplicates::retain_visible,
    filled_fields::AskedKind,
    form::{
        create::choices::{Choices, MAX_OPTIONS, PATIENCE},
        modal::state::ModalState,
    },
    intents::patience::deadline,
};
use maro_access::policy_in_channel::Sight;
use maro_domain::{
    issue::{Issue, IssueKey},
    issue_details::Person,
    ticket::SimilarTicket,
};
use maro_jira::error::JiraError;
use maro_slack::{interaction::OptionsWanted, view::input::Choice};
use maro_texts as texts;

/// The id of the field that only takes people who can be assigned.
const ASSIGNEE: &str = "assignee";

impl Choices {
    /// The options of a field that the form asks for besides project and type.
    pub(crate) async fn field_choices(&self, wanted: &OptionsWanted) -> Result<Vec<Choice>, JiraError> {
        let Some(ModalState { project: Some(project), issue_type: Some(issue_type), asked, .. }) =
            self.state(wanted)
        else {
            return Ok(Vec::new());
        };
        let Some(asked) = asked.into_iter().find(|asked| asked.id == wanted.action_id) else {
            return Ok(Vec::new());
        };
        let sight = self.sight(wanted).await;
        if sight.creates(&project).await.is_err() {
            return Ok(Vec::new());
        }
        let place = (project.as_str(), issue_type.as_str());
        let typed = wanted.typed.trim();
        match asked.kind {
            AskedKind::User | AskedKind::Users => {
                let people = self.people(&asked.id, &project, typed).await?;
                Ok(people.iter().map(|person| Choice::new(&person.id, &person.name)).collect())
            }
            AskedKind::Sprint => {
                let sprints = self.jira.find_sprints(&project, deadline(PATIENCE)).await?;
                let choices = sprints.iter().map(|sprint| {
                    let label = texts::issues::forms::sprint(&sprint.name, sprint.is_active);
                    Choice::new(sprint.id.to_string(), label)
                });
                Ok(choices
                    .filter(|choice| contains(&choice.label, typed))
                    .take(MAX_OPTIONS as usize)
                    .collect())
            }
            AskedKind::Group | AskedKind::Groups => {
                let names = self.jira.find_groups(typed, deadline(PATIENCE)).await?;
                Ok(names.iter().map(|name| Choice::new(name, name)).collect())
            }
            AskedKind::Parent | AskedKind::EpicLink => self.parent_choices(place, typed, sight).await,
            _ => {
                let mut options = self.screens.options(place, &asked.id, PATIENCE).await?;
                options.retain(|option| contains(&option.label, typed));
                Ok(options)
            }
        }
    }

    /// Who can be assigned, and for other fields than the assignee anyone. Those who can be assigned, too, before anything
    /// is typed, and where Jira doesn't let MARO look for others.
    async fn people(&self, field: &str, project: &str, typed: &str) -> Result<Vec<Person>, JiraError> {
        if field != ASSIGNEE && !typed.is_empty() {
            match self.jira.find_people(typed, deadline(PATIENCE)).await {
                Err(JiraError::Forbidden { .. }) => {}
                found => return found,
            }
        }
        let people = self.jira.find_assignable_in(project, typed, deadline(PATIENCE)).await?;
        Ok(people.unwrap_or_default())
    }

    /// Epics of the project that may be shown there, and whichever issue's key was typed.
    async fn parent_choices(
        &self,
        (project, issue_type): (&str, &str),
        typed: &str,
        sight: Sight,
    ) -> Result<Vec<Choice>, JiraError> {
        let mut parents = self.jira.find_parents(project, issue_type, typed, deadline(PATIENCE)).await?;
        parents.retain(|parent| contains(parent.key.as_str(), typed) || has_words(&parent.summary, typed));
        if let Ok(key) = IssueKey::parse(&typed.to_uppercase())
            && parents.iter().all(|parent| parent.key != key)
        {
            // Without it there is still what was found.
            let issues = self.jira.get_issues(&[key], deadline(PATIENCE)).await.unwrap_or_default();
            parents.splice(..0, issues.into_iter().flatten().map(as_parent));
        }
        retain_visible(&mut parents, sight).await;
        parents.truncate(MAX_OPTIONS as usize);
        let label = |parent: &SimilarTicket| format!("{}: {}", parent.key, parent.summary);
        Ok(parents.iter().map(|parent| Choice::new(parent.key.as_str(), label(parent))).collect())
    }
}

fn as_parent(Issue { id, key, summary, status, has_security_level, .. }: Issue) -> SimilarTicket {
    SimilarTicket { id, key, summary, status, assignee: None, has_security_level: Some(has_security_level) }
}

/// Whether a text contains all words of another.
fn has_words(text: &str, words: &str) -> bool {
    words.split_whitespace().all(|word| contains(text, word))
}

fn contains(text: &str, typed: &str) -> bool {
    text.to_lowercase().contains(&typed.to_lowercase())
}
