//! Issues with the fields that a guest asks for.

use crate::{
    capabilities::{
        jira::{details, invalid},
        permitted_call::Call,
    },
    interface::bindings::maro::plugin::{
        jira::{Field, Finding, FullIssue, Reading},
        types,
    },
    invocation::Invocation,
    policy::functions::Function,
};
use maro_domain::issue::IssueKey;
use maro_jira::reading::chosen_fields;
use maro_texts as texts;

/// The most fields that one call asks for.
const MAX_FIELDS: usize = 20;

impl Invocation {
    pub(super) async fn read_each(
        &mut self,
        keys: Vec<String>,
        fields: Vec<String>,
    ) -> Result<Vec<Reading>, types::JiraError> {
        if fields.len() > MAX_FIELDS || !fields.iter().all(|field| chosen_fields::is_field(field)) {
            return Err(invalid(texts::plugins::requests::fields(MAX_FIELDS)));
        }
        let mut call = Call::begin_with_issues(self, Function::READ).await?;
        // What may be shown is decided as in `look-up`, before anything else is read.
        let findings = self.look_up_with(&mut call, keys).await?;
        let shown = findings.iter().filter_map(|finding| match finding {
            Finding::Found(issue) => Some(issue.key.as_str()),
            Finding::Missing | Finding::Withheld(_) => None,
        });
        let shown: Vec<&str> = shown.collect();
        let deadline = call.jira_read_deadline(self);
        let read = self.timed(call.capabilities.jira.read_issues(&shown, &fields, deadline)).await;
        let read = read.map_err(|error| self.jira_failed(&error))?;
        let readings = findings.into_iter().map(|finding| match finding {
            Finding::Withheld(sentence) => Reading::Withheld(sentence),
            Finding::Missing => Reading::Missing,
            Finding::Found(issue) => {
                let key = IssueKey::parse(&issue.key).ok();
                // It may have moved since, or have been asked for twice.
                key.and_then(|key| read.get(&key).cloned())
                    .filter(|full| call.sight().issue(&full.details.issue).is_ok())
                    .map_or(Reading::Missing, |full| Reading::Found(self.full(&call, full, &fields)))
            }
        });
        Ok(readings.collect())
    }

    fn full(&self, call: &Call, full: chosen_fields::FullIssue, fields: &[String]) -> FullIssue {
        let pairs = fields.iter().zip(full.fields);
        let fields =
            pairs.map(|(name, text)| Field { name: name.clone(), text: self.without_hidden(call, text) });
        FullIssue { fields: fields.collect(), details: details(full.details) }
    }

    /// A field's text without the keys of issues that may not be shown here.
    fn without_hidden(&self, call: &Call, text: String) -> String {
        let is_hidden = |part: &str| {
            IssueKey::parse(part).is_ok_and(|key| {
                let project = key.project_key();
                let is_granted = self.authority.projects(call.function());
                call.sight().project(project).is_err()
                    || is_granted.is_some_and(|projects| projects.iter().all(|own| own.as_str() != project))
            })
        };
        if !text.split(", ").any(is_hidden) {
            return text;
        }
        text.split(", ").filter(|part| !is_hidden(part)).collect::<Vec<_>>().join(", ")
    }
}
