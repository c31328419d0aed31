//! What `maro doctor` says of `[access]` and `[roles]` by themselves: rules that let nobody do anything.

use std::collections::BTreeSet;

use crate::doctor::finding::Finding;
use maro_access::{
    policy_settings::{AccessPolicy, ProjectList, SharedChannels},
    role_settings::{Member, Roles},
    roles::SCOPE,
};
use maro_bot::config::Config;

/// `scopes` are the app's, empty if Slack hasn't said.
pub(super) fn findings(config: &Config, scopes: &[String]) -> Vec<Finding> {
    let mut findings = roles(&config.roles, config.admins.is_empty(), scopes);
    findings.extend(projects(&config.access, config.jira.default_project.as_deref()));
    findings
}

/// Every user group that `[roles]` names.
pub(super) fn named_groups(roles: &Roles) -> BTreeSet<&str> {
    fn group(member: &Member) -> Option<&str> {
        match member {
            Member::UserGroup(group) => Some(group),
            Member::Everyone | Member::Admins | Member::User(_) => None,
        }
    }
    let Roles { track, create, notify, plugins } = roles;
    [track, create, notify, plugins].into_iter().flatten().filter_map(group).collect()
}

/// Every project that `[access]` names.
pub(super) fn named_projects(access: &AccessPolicy) -> BTreeSet<&str> {
    let shared = match &access.shared_channels {
        SharedChannels::Deny => None,
        SharedChannels::Projects(projects) => Some(projects),
    };
    let of_channels = access.channel.values().filter_map(|channel| channel.projects.as_ref());
    access.projects.iter().chain(shared).chain(of_channels).flat_map(ProjectList::iter).collect()
}

fn roles(roles: &Roles, has_no_admins: bool, scopes: &[String]) -> Vec<Finding> {
    // That nobody manages plugins unless MARO_ADMINS says who is the default.
    let roles = [("track", &roles.track), ("create", &roles.create), ("notify", &roles.notify)];
    let cannot_read_groups = !scopes.is_empty() && !scopes.iter().any(|scope| scope == SCOPE);
    let of_role = |(role, members): (&str, &Vec<Member>)| {
        let is_nobodys = |member: &Member| match member {
            Member::Admins => has_no_admins,
            Member::UserGroup(_) => cannot_read_groups,
            Member::Everyone | Member::User(_) => false,
        };
        if !members.iter().all(is_nobodys) {
            return None;
        }
        let fix = if members.iter().any(|member| matches!(member, Member::UserGroup(_))) {
            format!(
                "Add the scope {SCOPE} to the Slack app, and reinstall it: MARO can't read who is in a group."
            )
        } else if members.is_empty() {
            "List who has it, or remove the line: then everyone does.".to_owned()
        } else {
            "Set MARO_ADMINS, or list others who have it.".to_owned()
        };
        Some(Finding::Risky { what: format!("Nobody has the role {role} of [roles] in maro.toml."), fix })
    };
    roles.into_iter().filter_map(of_role).collect()
}

fn projects(access: &AccessPolicy, default: Option<&str>) -> Vec<Finding> {
    let Some(all) = &access.projects else { return Vec::new() };
    if all.iter().next().is_none() {
        return vec![Finding::Risky {
            what: "Nothing can be shown in any channel: `projects` in [access] of maro.toml is empty."
                .to_owned(),
            fix: "List the projects there, or remove the line: then all may be shown.".to_owned(),
        }];
    }
    let fix = "Add its projects to `projects` in [access], or remove them there.";
    let is_apart = |projects: &ProjectList| projects.iter().all(|project| !all.contains(project));
    let mut findings = Vec::new();
    for (channel, policy) in &access.channel {
        if policy.projects.as_ref().is_some_and(is_apart) {
            findings.push(Finding::Risky {
                what: format!(
                    "Nothing can be shown in {}: [access] allows none of its projects.",
                    channel.as_str()
                ),
                fix: fix.to_owned(),
            });
        }
    }
    if let SharedChannels::Projects(projects) = &access.shared_channels
        && is_apart(projects)
    {
        findings.push(Finding::Risky {
            what: "Nothing can be shown in channels that other organizations share: [access] allows none of the projects in \
                   `shared-channels`."
                .to_owned(),
            fix: fix.to_owned(),
        });
    }
    if let Some(default) = default.filter(|default| !all.contains(default)) {
        findings.push(Finding::Risky {
            what: format!(
                "The project {default} of JIRA_DEFAULT_PROJECT isn't among `projects` in [access]."
            ),
            fix: "Add it there, or choose another default.".to_owned(),
        });
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(findings: Vec<Finding>) -> Vec<String> {
        let what = |finding: Finding| match finding {
            Finding::Fine(what) | Finding::Ill { what, .. } | Finding::Risky { what, .. } => what,
        };
        findings.into_iter().map(what).collect()
    }

    #[test]
    fn a_role_that_nobody_has_is_named() {
        let parse = |text: &str| toml::from_str::<Roles>(text).unwrap();
        let scopes = ["chat:write".to_owned()];
        let nobody = |text: &str, has_no_admins| told(roles(&parse(text), has_no_admins, &scopes)).len();
        assert_eq!(nobody("", true), 0, "the default");
        assert_eq!(nobody("track = []", true), 1);
        assert_eq!(nobody("track = [\"admins\"]\ncreate = [\"admins\"]", true), 2);
        assert_eq!(nobody("track = [\"admins\"]", false), 0);
        assert_eq!(nobody("notify = [\"S012ABCDE\"]", false), 1);
        assert_eq!(nobody("notify = [\"S012ABCDE\", \"U024BE7LH\"]", false), 0);
        assert!(roles(&parse("notify = [\"S012ABCDE\"]"), false, &[]).is_empty(), "Slack hasn't said");
    }

    #[test]
    fn a_place_where_nothing_can_be_shown_is_named() {
        let parse = |text: &str| toml::from_str::<AccessPolicy>(text).unwrap();
        let policy = parse(
            "projects = [\"SCRUM\"]\nshared-channels = [\"OPS\"]\n[channel.C024BE91L]\nprojects = [\"OPS\"]\n\
             [channel.C024BE91M]\nprojects = [\"OPS\", \"SCRUM\"]",
        );
        let told = told(projects(&policy, Some("OPS")));
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[0].contains("C024BE91L") && told[2].contains("JIRA_DEFAULT_PROJECT"), "{told:?}");
        assert_eq!(named_projects(&policy).into_iter().collect::<Vec<_>>(), ["OPS", "SCRUM"]);
        assert_eq!(super::projects(&parse("projects = []"), Some("OPS")).len(), 1);
        assert!(projects(&parse("[channel.C024BE91L]\nprojects = [\"OPS\"]"), Some("OPS")).is_empty());
    }
}
