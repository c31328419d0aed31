//! What the access policy withholds, and why.

use crate::failures::jira as texts_of_jira;
use maro_access::{hiding_rules::Rule, policy_settings::ProjectList};

/// Said to people of other workspaces, without a full stop as all that begins with a key.
pub const OTHER_WORKSPACE: &str = "MARO belongs to another workspace";

/// How many projects a sentence names.
const MAX_NAMED: usize = 5;

/// An issue may not be shown in this channel, and so not be tracked, linked or changed from it.
pub fn withheld(key: &str, rule: &Rule) -> String {
    if *rule == Rule::NotVisible {
        // Jira says no more to the person either.
        return texts_of_jira::not_found(key);
    }
    if matches!(rule, Rule::Lacks(_)) {
        return not_changed(key, rule);
    }
    format!("{key} can't be shown in this channel{}", why(rule))
}

/// Issues of a project may not be created in this channel.
pub fn not_created(project_key: &str, rule: &Rule) -> String {
    format!("Issues can't be created in {project_key} from this channel{}", why(rule))
}

/// No issue may be created in this channel, whatever its project.
pub fn nothing_created(rule: &Rule) -> String {
    format!("Issues can't be created from this channel{}", why(rule))
}

/// Nothing can be looked for, whatever it is.
pub fn not_searched(rule: &Rule) -> String {
    let what = if rule.is_about_channel() {
        "Jira can't be searched from this channel"
    } else {
        "MARO can't search Jira for you"
    };
    format!("{what}{}", why(rule))
}

/// An issue that may be shown may not be changed.
pub fn not_changed(key: &str, rule: &Rule) -> String {
    format!("{key} can't be changed{}", why(rule))
}

/// An issue that may be shown can't be assigned to the person.
pub fn not_assigned(key: &str, rule: &Rule) -> String {
    match rule {
        Rule::MayNotLookUpPeople => format!(
            "{key} can't be assigned to you, because MARO's Jira account can't look up yours. A Jira admin \
            can grant it the global permission Browse users and groups."
        ),
        Rule::RightsUnknown => {
            format!(
                "{key} can't be assigned to you, because MARO can't find your Jira account right now. Try again in a minute."
            )
        }
        rule => format!("{key} can't be assigned to you{}", why(rule)),
    }
}

/// Nor to somebody who was mentioned.
pub fn not_assigned_to_mentioned(key: &str) -> String {
    format!(
        "{key} can't be assigned to that person, because MARO can't find their Jira account. Enter their name as Jira has it."
    )
}

/// The rule, and who can lift it.
fn why(rule: &Rule) -> String {
    let fixed = match rule {
        Rule::ChannelProjects(projects) => {
            return format!(", because it's limited to {}. {ADMIN}", listed(projects));
        }
        Rule::SharedProjects(projects) => {
            let projects = listed(projects);
            return format!(
                ", because it's shared with another organization, and there MARO is limited to {projects}. {ADMIN}"
            );
        }
        Rule::Lacks(permission) => {
            return format!(
                ", because your own Jira account doesn't have the {} permission there. A Jira admin can grant it.",
                permission.name()
            );
        }
        Rule::Projects => "because MARO is limited to other projects.",
        Rule::Shared => "because it's shared with another organization.",
        Rule::SecurityLevel => "because it has a security level in Jira.",
        Rule::SecurityLevelOutsidePrivate => {
            "because it has a security level in Jira and this isn't a private channel."
        }
        other => return format!(", {}", unknown(other)),
    };
    format!(", {fixed} {ADMIN}")
}

/// Who can lift a rule.
const ADMIN: &str = "Your MARO admin can change that.";

/// What can't be found out, and what helps.
fn unknown(rule: &Rule) -> &'static str {
    match rule {
        Rule::Unknown => {
            "because MARO can't find out whether it's shared with another organization. Invite MARO to the \
             channel, or try again in a minute."
        }
        Rule::NotVisible => "because you can't see that project in Jira.",
        Rule::NoEmailScope => {
            "because MARO isn't allowed to read your email address in Slack, which it needs to find your Jira \
            account. Your MARO admin can add the scopes users:read and users:read.email to the Slack app."
        }
        Rule::NoEmail => {
            "because Slack has no confirmed email address for you, and MARO needs one to find your Jira \
            account. Confirm it \
             in your Slack profile."
        }
        Rule::NoAccount => {
            "because MARO can't find a Jira account with your email address. Make your address visible in \
            your Atlassian profile, or ask your Jira admin."
        }
        Rule::MayNotLookUpPeople => {
            "because MARO's Jira account can't look up what you may see. A Jira admin can grant it the global \
            permission Browse users and groups."
        }
        _ => "because MARO can't find out what you may see in Jira. Try again in a minute.",
    }
}

fn listed(projects: &ProjectList) -> String {
    let named: Vec<&str> = projects.iter().take(MAX_NAMED).collect();
    match (named.is_empty(), projects.iter().nth(MAX_NAMED)) {
        (true, _) => "no project".to_owned(),
        (false, None) => named.join(", "),
        (false, Some(_)) => format!("{} and others", named.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_names_five_projects() {
        let named = |keys: &str| {
            let keys: Vec<String> = keys.split_whitespace().map(str::to_owned).collect();
            listed(&ProjectList::try_from(keys).unwrap())
        };
        assert_eq!(named(""), "no project");
        assert_eq!(named("AA BB CC DD EE"), "AA, BB, CC, DD, EE");
        assert_eq!(named("AA BB CC DD EE FF"), "AA, BB, CC, DD, EE and others");
    }
}
