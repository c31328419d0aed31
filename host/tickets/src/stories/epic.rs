//! The epic that stories are put under, if the person may see it and create issues in its project.

use crate::intents::patience::{LOOK_UP_PATIENCE, deadline};
use maro_access::{hiding_rules::Rule, policy_in_channel::Sight};
use maro_domain::issue::IssueKey;
use maro_jira::{
    client::JiraClient,
    creating::epic::{Epic, EpicLookup},
};
use maro_texts as texts;

/// Why there is no epic to put stories under: a sentence.
pub(crate) enum NoEpic {
    /// It can't have any.
    Refused(String),
    /// Jira doesn't say. It may say so later.
    Away(String),
}

impl NoEpic {
    pub(crate) fn into_text(self) -> String {
        let (Self::Refused(text) | Self::Away(text)) = self;
        text
    }
}

/// An epic, or why it can't have stories.
pub(crate) async fn read_epic(jira: &JiraClient, sight: &Sight, key: &IssueKey) -> Result<Epic, NoEpic> {
    let withheld = |rule: &Rule| NoEpic::Refused(texts::rights::access::withheld(key.as_str(), rule));
    sight.project(key.project_key()).map_err(withheld)?;
    let found = jira.get_epic(key, deadline(LOOK_UP_PATIENCE)).await;
    if let Ok(
        EpicLookup::Epic(Epic { issue, .. })
        | EpicLookup::NotAnEpic { issue, .. }
        | EpicLookup::NoStoryType { issue, .. },
    ) = &found
    {
        let sight = sight.clone().for_issues([&issue.key]).await;
        sight.issue(issue).map_err(withheld)?;
    }
    let refusal = match found {
        Ok(EpicLookup::Epic(epic)) => return may_have_stories(sight, epic).await,
        Ok(EpicLookup::NoStoryType { project_key, .. }) => {
            texts::issues::stories::no_story_type(&project_key)
        }
        Ok(EpicLookup::NotAnEpic { issue, type_name }) => {
            texts::issues::stories::not_an_epic(issue.key.as_str(), &type_name)
        }
        Ok(EpicLookup::Missing) => {
            sight.clone().for_missing([key]).await.missing(key).map_err(withheld)?;
            texts::failures::jira::not_found(key.as_str())
        }
        Err(error) => return Err(NoEpic::Away(texts::failures::jira::failed(&error))),
    };
    Err(NoEpic::Refused(refusal))
}

/// An epic, if the person may create issues in its project.
async fn may_have_stories(sight: &Sight, epic: Epic) -> Result<Epic, NoEpic> {
    match sight.creates(&epic.project_key).await {
        Ok(()) => Ok(epic),
        Err(rule) => {
            let reason = texts::rights::access::not_created(&epic.project_key, &rule);
            Err(if rule == Rule::RightsUnknown { NoEpic::Away(reason) } else { NoEpic::Refused(reason) })
        }
    }
}
