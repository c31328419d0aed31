//! What a person may not do, and who can change that.

use maro_access::roles::{Because, GroupProblem, NotAllowed, Role, SCOPE};

/// Of what only admins may do by default.
pub const ADMINS_ONLY: &str = "Only MARO admins can do this.";

/// A person doesn't have a role.
pub fn not_allowed(refused: &NotAllowed) -> String {
    let what = match refused.role {
        Role::Track => "track or untrack issues",
        Role::Create => "create or link issues",
        Role::Notify => "change this channel's notifications",
        Role::Plugins => "reload plugins or turn them on and off",
    };
    not_allowed_to(what, refused)
}

/// As [`not_allowed`], for the button that assigns an issue.
pub fn may_not_assign(refused: &NotAllowed) -> String {
    not_allowed_to("assign issues", refused)
}

fn not_allowed_to(what: &str, refused: &NotAllowed) -> String {
    let key = refused.role.as_str();
    match &refused.because {
        Because::AdminsOnly if refused.role == Role::Plugins => ADMINS_ONLY.to_owned(),
        Because::AdminsOnly => {
            format!("Only MARO admins can {what} (role: {key}). Your MARO admin can change that.")
        }
        Because::NotListed => {
            format!("You can't {what}: the role {key} doesn't include you. Your MARO admin can change that.")
        }
        Because::UnknownGroup { group, problem } => {
            let cure = match problem {
                GroupProblem::MissingScope => format!(
                    "MARO's Slack app is missing the scope {SCOPE}. Your MARO admin can add it, or change the role."
                ),
                GroupProblem::NoSuchGroup => {
                    "Slack has no such group. Your MARO admin can change the role.".to_owned()
                }
                GroupProblem::NoAnswer => "Slack isn't responding. Try again in a minute.".to_owned(),
            };
            format!(
                "You can't {what}: MARO can't tell whether you're in the group {group} of the role {key}. {cure}"
            )
        }
    }
}
