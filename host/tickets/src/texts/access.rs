//! What the access policy withholds, and why.

use maro_access::{policy::ProjectList, sight::Rule};

/// How many projects a sentence names.
const MAX_NAMED: usize = 5;

/// An issue may not be shown in this channel, and so not be tracked, linked or changed from it.
pub fn withheld(key: &str, rule: &Rule) -> String {
    format!("{key} can't be shown in this channel{}", why(rule))
}

/// Issues of a project may not be created in this channel.
pub fn not_created(project_key: &str, rule: &Rule) -> String {
    format!("Issues of {project_key} can't be created from this channel{}", why(rule))
}

/// The rule, and who can lift it.
fn why(rule: &Rule) -> String {
    match rule {
        Rule::Projects => {
            ", because MARO is limited to other projects. Your MARO admin can change that.".to_owned()
        }
        Rule::ChannelProjects(projects) => {
            format!(", because it's limited to {}. Your MARO admin can change that.", listed(projects))
        }
        Rule::Shared => ", because people from another organization are in it. Your MARO admin can allow \
                         projects for such channels."
            .to_owned(),
        Rule::SharedProjects(projects) => format!(
            ", because people from another organization are in it, and there MARO is limited to {}. Your MARO admin \
             can change that.",
            listed(projects)
        ),
        Rule::Unknown => {
            ", because MARO can't find out whether people from another organization are in it. Invite \
                          MARO to the channel, or try again in a minute."
                .to_owned()
        }
        Rule::SecurityLevel => {
            ", because it has a security level in Jira. Your MARO admin can change that.".to_owned()
        }
        Rule::SecurityLevelOutsidePrivate => {
            ", because it has a security level in Jira and this isn't a private \
                                              channel. Your MARO admin can change that."
                .to_owned()
        }
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
