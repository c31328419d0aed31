//! Issues with the fields that a guest asks for.

use std::collections::HashSet;

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
use maro_domain::issue::{Issue, IssueKey};
use maro_jira::reading::chosen_fields;
use maro_texts as texts;

/// The most fields that one call asks for.
const MAX_FIELDS: usize = 20;

/// The most issues that stand in those fields and are looked at, where some may be hidden. Further ones aren't shown.
const MAX_NAMED: usize = 100;

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
        let named = read.values().flat_map(|full| &full.named).cloned().collect();
        let hidden = self.hidden_of(&mut call, named).await?;
        let readings = findings.into_iter().map(|finding| match finding {
            Finding::Withheld(sentence) => Reading::Withheld(sentence),
            Finding::Missing => Reading::Missing,
            Finding::Found(issue) => {
                let key = IssueKey::parse(&issue.key).ok();
                // It may have moved since, or have been asked for twice.
                key.and_then(|key| read.get(&key).cloned())
                    .filter(|full| call.sight().issue(&full.details.issue).is_ok())
                    .map_or(Reading::Missing, |full| Reading::Found(without_hidden(full, &fields, &hidden)))
            }
        });
        Ok(readings.collect())
    }

    /// Those of these issues that may not be shown here, as far as that can be found out.
    async fn hidden_of(
        &mut self,
        call: &mut Call,
        mut named: Vec<IssueKey>,
    ) -> Result<HashSet<IssueKey>, types::JiraError> {
        named.sort();
        named.dedup();
        let granted = self.authority.projects(call.function());
        let is_in_reach = |key: &IssueKey| {
            let project = key.project_key();
            let is_granted =
                granted.as_ref().is_none_or(|projects| projects.iter().any(|own| own.as_str() == project));
            is_granted && call.sight().project(project).is_ok()
        };
        let (rest, outside): (Vec<_>, Vec<_>) = named.into_iter().partition(is_in_reach);
        let mut hidden = HashSet::from_iter(outside);
        if !call.sight().picks_issues() || rest.is_empty() {
            return Ok(hidden);
        }
        let (asked, more) = rest.split_at(rest.len().min(MAX_NAMED));
        let issues = self.look(call, asked).await?;
        let is_hidden =
            |issue: &Option<Issue>| issue.as_ref().is_none_or(|issue| call.sight().issue(issue).is_err());
        hidden.extend(more.iter().cloned());
        hidden.extend(
            asked.iter().zip(issues).filter(|(_, issue)| is_hidden(issue)).map(|(key, _)| key.clone()),
        );
        Ok(hidden)
    }
}

/// An issue as guests see it, without the keys of hidden ones.
fn without_hidden(full: chosen_fields::FullIssue, names: &[String], hidden: &HashSet<IssueKey>) -> FullIssue {
    let hidden: Vec<&str> =
        full.named.iter().filter(|key| hidden.contains(key)).map(IssueKey::as_str).collect();
    let shown = |text: String| match text.split(", ").any(|part| hidden.contains(&part)) {
        true => text.split(", ").filter(|part| !hidden.contains(part)).collect::<Vec<_>>().join(", "),
        false => text,
    };
    let pairs = names.iter().zip(full.fields);
    let fields = pairs.map(|(name, text)| Field { name: name.clone(), text: shown(text) }).collect();
    FullIssue { fields, details: details(full.details) }
}
