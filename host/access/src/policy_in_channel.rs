//! What may be shown in one channel: the policy, applied to it.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use tokio::time::Instant;

use crate::{
    audience::Audience,
    hiding_rules::Rule,
    named_channel::NamedChannel,
    person_rights::PersonRights,
    policy_settings::{AccessPolicy, ChannelPolicy, ProjectList, SecurityLevels, SharedChannels},
};
use maro_domain::{
    ids::{ChannelId, UserId},
    issue::{Issue, IssueKey},
};
use maro_jira::accounts::permissions::Permission;

/// What may be shown in one channel.
#[derive(Clone, Default)]
pub struct Sight {
    /// Each has to contain an issue's project.
    limits: Vec<(ProjectList, Rule)>,
    /// Why an issue with a security level may not be shown, if so.
    security_level: Option<Rule>,
    /// The person whose own rights decide, if they do.
    person: Option<PersonSight>,
}

/// What one person may see.
#[derive(Clone)]
struct PersonSight {
    rights: Arc<PersonRights>,
    user: UserId,
    /// By the key of an issue: what Jira said. What it wasn't asked about isn't shown.
    issues: HashMap<String, Result<(), Rule>>,
}

impl Sight {
    /// Shows everything.
    pub const ALL: Self = Self { limits: Vec::new(), security_level: None, person: None };

    /// `former`: the ids that the channel had before, under which the policy may name it.
    pub(crate) fn new(
        policy: &AccessPolicy,
        channel: &ChannelId,
        former: &[ChannelId],
        audience: Audience,
    ) -> Self {
        let mut limits = Vec::new();
        match (audience, &policy.shared_channels) {
            (Audience::Own { .. } | Audience::Unknowable, _) => {}
            (Audience::Shared, SharedChannels::Deny) => limits.push((ProjectList::default(), Rule::Shared)),
            (Audience::Shared, SharedChannels::Projects(projects)) => {
                limits.push((projects.clone(), Rule::SharedProjects(projects.clone())));
            }
            (Audience::Unknown, SharedChannels::Deny) => limits.push((ProjectList::default(), Rule::Unknown)),
            (Audience::Unknown, SharedChannels::Projects(projects)) => {
                limits.push((projects.clone(), Rule::Unknown));
            }
        }
        if let Some(projects) = &policy.projects {
            limits.push((projects.clone(), Rule::Projects));
        }
        for name in std::iter::once(channel).chain(former) {
            if let Some(ChannelPolicy { projects: Some(projects) }) =
                policy.channel.get(&NamedChannel(name.clone()))
            {
                limits.push((projects.clone(), Rule::ChannelProjects(projects.clone())));
            }
        }
        let security_level = match (policy.security_levels, audience) {
            (SecurityLevels::Allow, _) | (SecurityLevels::Private, Audience::Own { is_private: true }) => {
                None
            }
            (SecurityLevels::Private, _) => Some(Rule::SecurityLevelOutsidePrivate),
            (SecurityLevels::Deny, _) => Some(Rule::SecurityLevel),
        };
        Self { limits, security_level, person: None }
    }

    /// As if the channel were private, if it isn't known whether it is.
    pub(crate) fn with_private_levels(mut self) -> Self {
        self.security_level = self.security_level.filter(|rule| *rule == Rule::SecurityLevel);
        self
    }

    /// Whether it makes no difference.
    pub fn is_all(&self) -> bool {
        self.limits.is_empty() && self.security_level.is_none() && self.person.is_none()
    }

    /// Whether it may hide an issue of a project that it shows.
    pub fn picks_issues(&self) -> bool {
        self.security_level.is_some() || self.person.is_some()
    }

    /// Whether a person's own rights decide, so that Jira has to be asked about each issue.
    pub fn is_of_person(&self) -> bool {
        self.person.is_some()
    }

    /// Narrows it to what a person may see.
    pub(crate) fn of_person(self, rights: Arc<PersonRights>, user: &UserId) -> Self {
        Self { person: Some(PersonSight { rights, user: user.clone(), issues: HashMap::new() }), ..self }
    }

    /// Asks Jira which of these issues the person may see, if that matters. Issues that it wasn't asked about aren't
    /// shown.
    #[must_use]
    pub async fn for_issues(mut self, keys: impl IntoIterator<Item = &IssueKey>) -> Self {
        if let Some(person) = &mut self.person {
            let keys: Vec<IssueKey> = keys.into_iter().cloned().collect();
            person.issues.extend(person.rights.of_issues(&person.user, keys).await);
        }
        self
    }

    /// Finds out what is said of keys by which Jira knows no issue, if that matters: see [`Sight::missing`].
    #[must_use]
    pub async fn for_missing(mut self, keys: impl IntoIterator<Item = &IssueKey>) -> Self {
        if let Some(person) = &mut self.person {
            let keys: Vec<&IssueKey> = keys.into_iter().collect();
            let Some(first) = keys.first() else { return self };
            // What fails for one of them fails for all.
            if let Err(rule) = person.rights.of_missing(&person.user, first).await {
                person.issues.extend(keys.into_iter().map(|key| (key.to_string(), Err(rule.clone()))));
            }
        }
        self
    }

    /// Whether it may be said that Jira knows no issue by a key. Who sees nothing because nobody knows what they may see
    /// would otherwise learn of every issue whether it exists.
    ///
    /// # Errors
    /// The rule that would hold if there were one.
    pub fn missing(&self, key: &IssueKey) -> Result<(), &Rule> {
        match self.person.as_ref().and_then(|person| person.issues.get(key.as_str())) {
            Some(Err(rule)) if *rule != Rule::NotVisible => Err(rule),
            _ => Ok(()),
        }
    }

    /// Whether there may be issues that can be shown and created: some project may be, and it's known who the person is in
    /// Jira, if that matters.
    ///
    /// # Errors
    /// The rule against all of them.
    pub async fn anything(&self) -> Result<(), Rule> {
        let mut left: Option<ProjectList> = None;
        for (projects, rule) in &self.limits {
            let both = left.map_or_else(|| projects.clone(), |left| left.and(projects));
            if both.iter().next().is_none() {
                return Err(rule.clone());
            }
            left = Some(both);
        }
        self.knows_person().await
    }

    /// Whether it's known who the person is in Jira, if that matters.
    ///
    /// # Errors
    /// The rule against it, whatever they ask for.
    pub async fn knows_person(&self) -> Result<(), Rule> {
        match &self.person {
            Some(person) => person.rights.account(&person.user).await.map(drop),
            None => Ok(()),
        }
    }

    /// As [`Sight::project`], and whether the person sees the project in Jira.
    ///
    /// # Errors
    /// The rule against it.
    pub async fn sees_project(&self, project_key: &str) -> Result<(), Rule> {
        self.project(project_key).map_err(Clone::clone)?;
        match &self.person {
            Some(person) => person.rights.sees_project(&person.user, project_key).await,
            None => Ok(()),
        }
    }

    /// Those of some projects that may be shown, as far as Jira says by `deadline` what the person sees.
    pub async fn visible_projects(&self, keys: Vec<String>, deadline: Instant) -> HashSet<String> {
        let shown = keys.into_iter().filter(|key| self.project(key).is_ok());
        match &self.person {
            Some(person) => person.rights.visible_projects(&person.user, shown.collect(), deadline).await,
            None => shown.collect(),
        }
    }

    /// Whether the person may create issues in a project, as far as can be known before Jira is asked to.
    ///
    /// # Errors
    /// The rule against it.
    pub async fn creates(&self, project_key: &str) -> Result<(), Rule> {
        self.project(project_key).map_err(Clone::clone)?;
        match &self.person {
            Some(person) => person.rights.of_project(&person.user, project_key).await,
            None => Ok(()),
        }
    }

    /// Whether the person may change an issue that they see, as far as can be known before Jira is asked to.
    ///
    /// # Errors
    /// The rule against it.
    pub async fn changes(&self, issue: &Issue, permission: Permission) -> Result<(), Rule> {
        match &self.person {
            Some(person) => person.rights.of_change(&person.user, &issue.id, permission).await,
            None => Ok(()),
        }
    }

    /// The person's account in Jira, if their own rights decide.
    pub async fn account(&self) -> Option<String> {
        let person = self.person.as_ref()?;
        person.rights.account(&person.user).await.ok().map(|account| account.id)
    }

    /// Whether issues of a project may be shown, tracked and created.
    ///
    /// # Errors
    /// The rule against it.
    pub fn project(&self, project_key: &str) -> Result<(), &Rule> {
        match self.limits.iter().find(|(projects, _)| !projects.contains(project_key)) {
            Some((_, rule)) => Err(rule),
            None => Ok(()),
        }
    }

    /// Whether an issue, as Jira shows it, may be shown and tracked.
    ///
    /// # Errors
    /// The rule against it.
    pub fn issue(&self, issue: &Issue) -> Result<(), &Rule> {
        self.row(&issue.key, Some(issue.has_security_level))
    }

    /// As [`Sight::issue`], of one that was stored. It isn't shown if its security level matters and isn't known.
    ///
    /// # Errors
    /// The rule against it.
    pub fn row(&self, key: &IssueKey, has_security_level: Option<bool>) -> Result<(), &Rule> {
        self.project(key.project_key())?;
        let person = self.person.as_ref().map(|person| match person.issues.get(key.as_str()) {
            Some(answer) => answer.as_ref().copied(),
            None => Err(&Rule::RightsUnknown),
        });
        // To somebody who doesn't see an issue in Jira, it's as if there were none.
        if let Some(Err(rule @ Rule::NotVisible)) = person {
            return Err(rule);
        }
        if let Some(rule) = &self.security_level
            && has_security_level != Some(false)
        {
            return Err(rule);
        }
        person.unwrap_or(Ok(()))
    }

    /// The projects whose issues may be shown; `None` for all.
    pub fn projects(&self) -> Option<ProjectList> {
        let mut lists = self.limits.iter().map(|(projects, _)| projects);
        let first = lists.next()?.clone();
        Some(lists.fold(first, |all, projects| all.and(projects)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use maro_domain::issue::IssueId;

    fn policy(text: &str) -> AccessPolicy {
        toml::from_str(text).unwrap()
    }

    fn sight(policy: &AccessPolicy, channel: &str, audience: Audience) -> Sight {
        Sight::new(policy, &ChannelId::parse(channel).unwrap(), &[], audience)
    }

    const PUBLIC: Audience = Audience::Own { is_private: false };
    const PRIVATE: Audience = Audience::Own { is_private: true };

    fn issue(key: &str, has_security_level: bool) -> Issue {
        let issue = Issue::new(IssueId::new("1"), IssueKey::parse(key).unwrap(), "", "");
        Issue { has_security_level, ..issue }
    }

    #[test]
    fn without_a_policy_only_shared_channels_are_closed() {
        let policy = AccessPolicy::default();
        for audience in [PUBLIC, PRIVATE, Audience::Unknowable] {
            assert!(sight(&policy, "C1", audience).is_all(), "{audience:?}");
        }
        assert_eq!(sight(&policy, "C1", Audience::Shared).project("A"), Err(&Rule::Shared));
        assert_eq!(sight(&policy, "C1", Audience::Unknown).project("A"), Err(&Rule::Unknown));
    }

    #[tokio::test]
    async fn each_list_narrows_the_others() {
        let policy = policy(
            "projects = [\"A\", \"B\"]\nshared-channels = [\"B\", \"C\"]\n[channel.C2]\nprojects = [\"A\"]",
        );
        let plain = sight(&policy, "C1", PUBLIC);
        assert_eq!((plain.project("A"), plain.project("C")), (Ok(()), Err(&Rule::Projects)));
        let narrowed = sight(&policy, "C2", PUBLIC);
        assert!(matches!(narrowed.project("B"), Err(Rule::ChannelProjects(_))));
        assert_eq!(narrowed.projects().unwrap().iter().collect::<Vec<_>>(), ["A"]);
        let shared = sight(&policy, "C1", Audience::Shared);
        assert!(matches!(shared.project("A"), Err(Rule::SharedProjects(_))));
        assert_eq!(shared.project("B"), Ok(()));
        assert_eq!(sight(&policy, "C2", Audience::Shared).projects(), Some(ProjectList::default()));
        let closed = sight(&policy, "C2", Audience::Shared).anything().await;
        assert!(matches!(closed, Err(Rule::ChannelProjects(_))), "{closed:?}");
        assert_eq!(shared.anything().await, Ok(()));
    }

    #[test]
    fn a_channel_is_known_under_its_former_id() {
        let policy = policy("[channel.G1]\nprojects = [\"A\"]");
        let (today, before) = (ChannelId::parse("C1").unwrap(), ChannelId::parse("G1").unwrap());
        let sight = Sight::new(&policy, &today, &[before], PRIVATE);
        assert!(matches!(sight.project("B"), Err(Rule::ChannelProjects(_))));
        assert_eq!(
            (sight.project("A"), Sight::new(&policy, &today, &[], PRIVATE).project("B")),
            (Ok(()), Ok(()))
        );
    }

    #[test]
    fn security_levels_matter_where_the_policy_says_so() {
        let private = policy("security-levels = \"private\"");
        for (audience, shown) in [(PUBLIC, false), (PRIVATE, true), (Audience::Unknowable, false)] {
            let sight = sight(&private, "C1", audience);
            assert_eq!(sight.issue(&issue("A-1", true)).is_ok(), shown, "{audience:?}");
            assert!(sight.issue(&issue("A-1", false)).is_ok());
            assert_eq!(sight.row(&IssueKey::parse("A-1").unwrap(), None).is_ok(), shown);
        }
        let deny = policy("security-levels = \"deny\"");
        assert_eq!(sight(&deny, "C1", PRIVATE).issue(&issue("A-1", true)), Err(&Rule::SecurityLevel));
    }
}
