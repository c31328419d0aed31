//! `/maro assign SCRUM-123 grace`: assigns an issue to the person who matches the words, or shows a button
//! for each person if there are several.

use maro_plugin::{
    Description, IssueKey, Plugin, Reply, RunError,
    jira::JiraUser,
    jira_edit::{self, EditError, EditErrorKind, JiraErrorKind},
    keys, register,
    reply::{Item, Line, button, caller, issue, strong, user},
    spans,
    typed::named,
};

/// What people call nobody.
const NOBODY: [&str; 5] = ["nobody", "no one", "none", "unassigned", "no-one"];

/// What people call themselves.
const CALLER: [&str; 3] = ["me", "myself", "self"];

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
        let (key, words) = named_issue(arguments)?;
        match Wanted::read(&words)? {
            Wanted::Nobody => {
                jira_edit::assign(&key, None)?;
                Ok(Reply::to_channel().paragraph(spans![caller(), " unassigned ", issue(&key), "."]))
            }
            Wanted::Caller => {
                jira_edit::assign(&key, Some(jira_edit::CALLER))?;
                Ok(assigned(&key, spans!["themselves"]))
            }
            Wanted::Mentioned { id, name } => {
                let is_unknown =
                    |error: &EditError| matches!(error.kind, EditErrorKind::Jira(JiraErrorKind::Forbidden));
                match (jira_edit::assign(&key, Some(&["<@", id, ">"].concat())), name) {
                    (Ok(()), _) => Ok(assigned(&key, spans![user(id)])),
                    (Err(error), Some(name)) if is_unknown(&error) => to_named(&key, name),
                    (Err(error), _) => Err(error.into()),
                }
            }
            Wanted::Somebody(name) => to_named(&key, name),
        }
    }
}

register!(Assign);

/// The issue and the rest. People also name the person first: `@ada SCRUM-123`, `grace to SCRUM-123`.
fn named_issue(arguments: &str) -> Result<(IssueKey, String), RunError> {
    let typed = arguments.trim();
    let (Some(first), Some(last)) = (typed.split_whitespace().next(), typed.split_whitespace().next_back())
    else {
        return keys::leading(typed);
    };
    match keys::leading(last) {
        Ok((key, _)) if keys::leading(first).is_err() => {
            let before = typed[..typed.len() - last.len()].trim_end();
            let end = before.len().saturating_sub(" to".len());
            let is_to = before.get(end..).is_some_and(|end| end.eq_ignore_ascii_case(" to"));
            Ok((key, before[..if is_to { end } else { before.len() }].to_owned()))
        }
        _ => keys::leading(typed),
    }
}

/// Assigns the issue to the only person who has this name.
fn to_named(key: &str, name: &str) -> Result<Reply, RunError> {
    match choose(jira_edit::find_assignable(key, name)?, name) {
        Match::Nobody => Err(RunError::failed(format!("No one named {name} can be assigned to {key}."))),
        Match::One(person) => {
            jira_edit::assign(key, Some(&person.id))?;
            Ok(assigned(key, spans![strong(person.name)]))
        }
        Match::Several(people) => Ok(which(key, &people)),
    }
}

/// Who should have the issue.
#[derive(Debug, PartialEq)]
enum Wanted<'a> {
    Nobody,
    Caller,
    Somebody(&'a str),
    /// By a mention, in which Slack may write the name.
    Mentioned {
        id: &'a str,
        name: Option<&'a str>,
    },
}

impl<'a> Wanted<'a> {
    /// Slack makes `<@U1|grace>` of a mention, or `<@U1>`.
    fn read(words: &'a str) -> Result<Self, RunError> {
        let name = named(words);
        if let Some(mention) = name.strip_prefix("<@").and_then(|rest| rest.strip_suffix('>')) {
            let (id, name) = mention.split_once('|').map_or((mention, None), |(id, name)| (id, Some(name)));
            return Ok(Self::Mentioned { id, name: name.filter(|name| !name.is_empty()) });
        }
        let name = name.strip_prefix('@').unwrap_or(name);
        let is_one_of = |words: &[&str]| words.iter().any(|word| name.eq_ignore_ascii_case(word));
        match name {
            "" => Err(RunError::usage("Who should it be assigned to?")),
            _ if is_one_of(&NOBODY) => Ok(Self::Nobody),
            _ if is_one_of(&CALLER) => Ok(Self::Caller),
            name => Ok(Self::Somebody(name)),
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

fn assigned(key: &str, person: Line) -> Reply {
    let mut line = spans![caller(), " assigned ", issue(key), " to "];
    line.extend(person);
    line.extend(spans!["."]);
    Reply::to_channel().paragraph(line)
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
        for words in ["Grace Hopper", "to Grace Hopper", "@Grace Hopper", "“Grace Hopper”."] {
            assert_eq!(Wanted::read(words), Ok(Wanted::Somebody("Grace Hopper")), "{words}");
        }
        for words in ["nobody", "Nobody.", "no one", "to none"] {
            assert_eq!(Wanted::read(words), Ok(Wanted::Nobody), "{words}");
        }
        for words in ["me", "to me", "Myself.", "@me"] {
            assert_eq!(Wanted::read(words), Ok(Wanted::Caller), "{words}");
        }
        for (words, name) in [("<@U1>", None), ("to <@U1|grace>.", Some("grace")), ("<@U1|>", None)] {
            assert_eq!(Wanted::read(words), Ok(Wanted::Mentioned { id: "U1", name }), "{words}");
        }
        for words in ["", "@"] {
            assert!(matches!(Wanted::read(words), Err(RunError::Usage(_))), "{words}");
        }
    }

    #[test]
    fn the_person_may_come_first() {
        for (typed, key, words) in [
            ("SCRUM-1 me", "SCRUM-1", "me"),
            ("<@U1|ada> SCRUM-1", "SCRUM-1", "<@U1|ada>"),
            ("Grace Hopper to scrum-1", "SCRUM-1", "Grace Hopper"),
            ("me To SCRUM-1.", "SCRUM-1", "me"),
            ("SCRUM 12 ada", "SCRUM-12", "ada"),
            ("SCRUM-1", "SCRUM-1", ""),
        ] {
            assert_eq!(named_issue(typed), Ok((key.to_owned(), words.to_owned())), "{typed}");
        }
        for typed in ["", "grace", "SCRUM-1, SCRUM-2 grace", "SCRUM-1 and SCRUM-2"] {
            assert!(matches!(named_issue(typed), Err(RunError::Usage(_))), "{typed}");
        }
    }

    #[test]
    fn several_people_have_a_button_each() {
        let reply = which("SCRUM-1", &[person("Ada Lovelace"), person("Ada Byron")]);
        assert_eq!(
            reply.preview(),
            "Which person do you mean?\n• Ada Lovelace [Assign]\n• Ada Byron [Assign]"
        );
        assert_eq!(assigned("SCRUM-1", spans!["Ada"]).preview(), "@caller assigned SCRUM-1 to Ada.");
    }
}
