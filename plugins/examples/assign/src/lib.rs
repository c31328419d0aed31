//! `/maro assign SCRUM-123 grace`: assigns an issue to the person who matches the words, or shows a button
//! for each person if there are several.

use maro_plugin::{
    Description, Plugin, Reply, RunError,
    jira::JiraUser,
    jira_edit, keys, register,
    reply::{Item, button, caller, issue, strong},
    spans,
    typed::named,
};

/// What people call nobody.
const NOBODY: [&str; 5] = ["nobody", "no one", "none", "unassigned", "no-one"];

/// More people than this are too many to choose from at a glance.
const MAX_CHOICES: usize = 5;

struct Assign;

impl Plugin for Assign {
    fn describe() -> Description {
        Description {
            name: "assign",
            version: env!("CARGO_PKG_VERSION"),
            summary: "Assign or unassign an issue",
            usage: "KEY NAME|nobody",
        }
    }

    fn run(arguments: &str) -> Result<Reply, RunError> {
        let (key, words) = keys::leading(arguments)?;
        match Wanted::read(&words)? {
            Wanted::Nobody => {
                jira_edit::assign(&key, None)?;
                Ok(Reply::to_channel().paragraph(spans![caller(), " unassigned ", issue(&key), "."]))
            }
            Wanted::Somebody(name) => match choose(jira_edit::find_assignable(&key, name)?, name) {
                Match::Nobody => {
                    Err(RunError::failed(format!("No one named {name} can be assigned to {key}.")))
                }
                Match::One(person) => {
                    jira_edit::assign(&key, Some(&person.id))?;
                    Ok(assigned(&key, &person.name))
                }
                Match::Several(people) => Ok(which(&key, &people)),
            },
        }
    }
}

register!(Assign);

/// Who should have the issue.
#[derive(Debug, PartialEq)]
enum Wanted<'a> {
    Nobody,
    Somebody(&'a str),
}

impl<'a> Wanted<'a> {
    /// Slack makes `<@U1|grace>` of a mention, or `<@U1>`, which is no name.
    fn read(words: &'a str) -> Result<Self, RunError> {
        let name = named(words);
        let mention = name.strip_prefix("<@").and_then(|rest| rest.strip_suffix('>'));
        let name = match mention {
            Some(mention) => mention.split_once('|').map(|(_, name)| name),
            None => Some(name.strip_prefix('@').unwrap_or(name)),
        };
        match name {
            Some("") => Err(RunError::usage("Who should it be assigned to?")),
            Some(name) if NOBODY.iter().any(|nobody| name.eq_ignore_ascii_case(nobody)) => Ok(Self::Nobody),
            Some(name) if !name.eq_ignore_ascii_case("me") => Ok(Self::Somebody(name)),
            _ => Err(RunError::usage("Enter the person's name as Jira has it.")),
        }
    }
}

/// Who the words can mean.
#[derive(Debug, PartialEq)]
enum Match {
    Nobody,
    One(JiraUser),
    Several(Vec<JiraUser>),
}

/// A full name means that person, even if other names start with it.
fn choose(mut people: Vec<JiraUser>, words: &str) -> Match {
    if let Some(whole) = people.iter().position(|person| person.name.eq_ignore_ascii_case(words)) {
        return Match::One(people.swap_remove(whole));
    }
    match people.len() {
        0 => Match::Nobody,
        1 => Match::One(people.remove(0)),
        _ => Match::Several(people),
    }
}

fn assigned(key: &str, name: &str) -> Reply {
    Reply::to_channel().paragraph(spans![caller(), " assigned ", issue(key), " to ", strong(name), "."])
}

fn which(key: &str, people: &[JiraUser]) -> Reply {
    let choices = people.iter().take(MAX_CHOICES).map(|person| {
        Item::with_button(spans![&*person.name], button("Assign", format!("assign {key} {}", person.name)))
    });
    Reply::to_caller().paragraph(spans!["Which person do you mean?"]).items(choices)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(name: &str) -> JiraUser {
        JiraUser { id: name.to_lowercase(), name: name.to_owned() }
    }

    #[test]
    fn a_full_name_leaves_no_choice() {
        let people = || vec![person("Ada Lovelace"), person("Ada")];
        assert_eq!(choose(people(), "ada"), Match::One(person("Ada")));
        assert_eq!(choose(people(), "ad"), Match::Several(people()));
        assert_eq!(choose(Vec::new(), "ad"), Match::Nobody);
    }

    #[test]
    fn a_person_is_named_in_many_ways() {
        for words in
            ["Grace Hopper", "to Grace Hopper", "@Grace Hopper", "<@U1|Grace Hopper>", "“Grace Hopper”."]
        {
            assert_eq!(Wanted::read(words), Ok(Wanted::Somebody("Grace Hopper")), "{words}");
        }
        for words in ["nobody", "Nobody.", "no one", "to none"] {
            assert_eq!(Wanted::read(words), Ok(Wanted::Nobody), "{words}");
        }
        for words in ["", "me", "to me", "<@U1>", "@"] {
            assert!(matches!(Wanted::read(words), Err(RunError::Usage(_))), "{words}");
        }
    }

    #[test]
    fn several_people_have_a_button_each() {
        let reply = which("SCRUM-1", &[person("Ada Lovelace"), person("Ada Byron")]);
        assert_eq!(
            reply.preview(),
            "Which person do you mean?\n• Ada Lovelace [Assign]\n• Ada Byron [Assign]"
        );
        assert_eq!(assigned("SCRUM-1", "Ada").preview(), "@caller assigned SCRUM-1 to Ada.");
    }
}
