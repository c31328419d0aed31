//! The settings that name people and workspaces by Slack's ids.

use crate::config::parse::Settings;
use maro_domain::{
    caller::Person,
    ids::{TeamId, UserId},
};

impl Settings {
    pub(super) fn admins(&mut self) -> Vec<Person> {
        let value = self.or("MARO_ADMINS", "");
        let mut admins = Vec::new();
        for name in list(&value) {
            match person(name) {
                Some(person) => admins.push(person),
                None => self.problems.push(format!(
                    "MARO_ADMINS must be a list of Slack user ids, such as U024BE7LH; {name:?} isn't one."
                )),
            }
        }
        admins
    }

    pub(super) fn allowed_teams(&mut self) -> Vec<TeamId> {
        let value = self.or("SLACK_ALLOWED_TEAMS", "");
        let mut teams = Vec::new();
        for name in list(&value) {
            match TeamId::parse(name) {
                Ok(team) if name.starts_with(['T', 'E']) => teams.push(team),
                _ => self.problems.push(format!(
                    "SLACK_ALLOWED_TEAMS must be a list of Slack workspace or organization ids, such as T024BE7LD or \
                     E024BE7LE; {name:?} isn't one."
                )),
            }
        }
        teams
    }
}

/// The words of a list.
fn list(value: &str) -> impl Iterator<Item = &str> {
    value.split([',', ' ', ';']).filter(|name| !name.is_empty())
}

/// Somebody as `U1`, or as `T1/U1` in another workspace than the bot's own.
fn person(text: &str) -> Option<Person> {
    let (team, user) = text.split_once('/').map_or((None, text), |(team, user)| (Some(team), user));
    let foreign_team = team.map(TeamId::parse).transpose().ok()?;
    let is_team = foreign_team.as_ref().is_none_or(|team| team.as_str().starts_with('T'));
    let user = UserId::parse(user).ok().filter(|user| user.as_str().starts_with(['U', 'W']))?;
    is_team.then_some(Person { foreign_team, user })
}
