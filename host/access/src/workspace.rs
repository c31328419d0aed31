//! Which workspace the bot belongs to, and who comes from another.
//!
//! Slack says whose the bot is (`auth.test`). That is remembered in the database for starts while Slack doesn't
//! answer. Until it's known for the first time, only requests that name two workspaces count as foreign.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::timeout};
use tokio_util::sync::CancellationToken;

use maro_domain::{caller::Person, ids::TeamId};
use maro_process::{clock::Clock, telemetry::error_chain};
use maro_slack::{
    events::sender::Sender,
    web_api::{SlackWebApi, identity::Identity, user::User},
};
use maro_store::workspace::{OwnWorkspace, WorkspaceMemory};

/// How long a request waits for the first answer of Slack after the start.
const FIRST_ANSWER_PATIENCE: Duration = Duration::from_secs(2);

/// The pauses between questions, as long as Slack doesn't answer.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How often Slack is asked again: the app may have been given other scopes.
const RENEWAL: Duration = Duration::from_secs(600);

/// Whose a request is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Of somebody in the bot's own workspace or organization.
    Own,
    /// Of somebody in another workspace that the operator allows.
    Allowed(TeamId),
    /// Of anybody else.
    Stranger,
}

impl Standing {
    /// The person's workspace, if it isn't the bot's own.
    ///
    /// # Errors
    /// The request is a [`Stranger`]'s.
    pub fn admitted(self) -> Result<Option<TeamId>, Stranger> {
        match self {
            Self::Own => Ok(None),
            Self::Allowed(team) => Ok(Some(team)),
            Self::Stranger => Err(Stranger),
        }
    }
}

/// Somebody in another workspace, whom nobody has allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stranger;

/// What is known of the bot's own workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Knowledge {
    /// Nobody has been asked yet.
    Asking,
    /// Neither Slack nor the database knows.
    Unknown,
    Known(OwnWorkspace),
}

impl Knowledge {
    fn own(&self) -> Option<&OwnWorkspace> {
        match self {
            Self::Known(own) => Some(own),
            Self::Asking | Self::Unknown => None,
        }
    }
}

/// The bot's own workspace, and those that the operator allows beside it.
pub struct Workspace {
    knowledge: watch::Sender<Knowledge>,
    /// `SLACK_ALLOWED_TEAMS`: workspaces and organizations.
    allowed: Vec<TeamId>,
}

impl Workspace {
    /// Knows nothing until [`Workspace::learn`] runs.
    pub fn new(allowed: Vec<TeamId>) -> Self {
        Self { knowledge: watch::Sender::new(Knowledge::Asking), allowed }
    }

    /// As Slack has just said.
    pub fn of(identity: &Identity) -> Self {
        let workspace = Self::new(Vec::new());
        let known = own_workspace(identity).map_or(Knowledge::Unknown, Knowledge::Known);
        workspace.knowledge.send_replace(known);
        workspace
    }

    /// Learns whose the bot is until `shutdown`: from the database what was known last, and from Slack what is so
    /// now.
    pub async fn learn(
        self: Arc<Self>,
        slack: Arc<SlackWebApi>,
        memory: Arc<dyn WorkspaceMemory>,
        clock: Clock,
        shutdown: CancellationToken,
    ) {
        let learning = async {
            // A failing database is logged where all calls of it pass.
            if let Ok(Some(remembered)) = memory.recall().await {
                self.knowledge.send_replace(Knowledge::Known(remembered));
            }
            loop {
                let own = self.ask(&slack).await;
                let is_news = *self.knowledge.borrow() != Knowledge::Known(own.clone());
                self.knowledge.send_replace(Knowledge::Known(own.clone()));
                if is_news && memory.remember(&own, clock.now()).await.is_err() {
                    tracing::info!("couldn't save the workspace for the next start");
                }
                // Another token may belong to another workspace, and says how long it lasts.
                let _ = timeout(RENEWAL, slack.token_replaced()).await;
            }
        };
        shutdown.run_until_cancelled(learning).await;
    }

    async fn ask(&self, slack: &SlackWebApi) -> OwnWorkspace {
        let mut pause = FIRST_PAUSE;
        loop {
            let identity = slack.auth_test().await;
            if let Ok(Some(own)) = identity.as_ref().map(own_workspace) {
                return own;
            }
            if pause == FIRST_PAUSE {
                let error = identity.as_ref().err().map(|error| error_chain(error).to_string());
                let remembered = matches!(*self.knowledge.borrow(), Knowledge::Known(_));
                if remembered {
                    tracing::warn!(
                        error,
                        "Slack doesn't say which workspace MARO belongs to; what it said last counts"
                    );
                } else {
                    tracing::warn!(
                        error,
                        "Slack doesn't say which workspace MARO belongs to; until it has done so once, requests from \
                         other workspaces may be taken for its own"
                    );
                }
            }
            self.stop_waiting();
            let _ = timeout(pause, slack.token_replaced()).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Whose a request is. Waits a moment if Slack hasn't said yet whose the bot is.
    pub async fn standing(&self, sender: &Sender) -> Standing {
        self.wait_until_asked().await;
        standing(self.knowledge.borrow().own(), &self.allowed, sender)
    }

    /// Whose a person is, as Slack describes them.
    pub async fn standing_of(&self, person: &User) -> Standing {
        match person.sender() {
            Some(sender) => self.standing(&sender).await,
            None => Standing::Stranger,
        }
    }

    /// These people, where those of the bot's own workspace are named without it, as far as it's known.
    pub fn in_own_terms(&self, people: &[Person]) -> Vec<Person> {
        let knowledge = self.knowledge.borrow();
        let own = knowledge.own().map(|own| &own.team);
        let people = people.iter().cloned();
        people
            .map(|person| Person {
                foreign_team: person.foreign_team.filter(|team| Some(team) != own),
                ..person
            })
            .collect()
    }

    /// Waits until it's known whose the bot is.
    pub async fn until_known(&self) {
        // It lives as long as this.
        let _ = self.knowledge.subscribe().wait_for(|knowledge| knowledge.own().is_some()).await;
    }

    /// Whether Slack has said once whose the bot is.
    pub(crate) async fn is_known(&self) -> bool {
        self.wait_until_asked().await;
        self.knowledge.borrow().own().is_some()
    }

    /// Whether the app may do something, such as `channels:read`. False if that isn't known.
    pub async fn has_scope(&self, scope: &str) -> bool {
        self.wait_until_asked().await;
        self.knowledge.borrow().own().is_some_and(|own| own.scopes.iter().any(|granted| granted == scope))
    }

    /// Whether it's known that the app may not do something.
    pub async fn lacks_scope(&self, scope: &str) -> bool {
        self.wait_until_asked().await;
        let knowledge = self.knowledge.borrow();
        let scopes = knowledge.own().map(|own| &own.scopes).filter(|scopes| !scopes.is_empty());
        scopes.is_some_and(|scopes| scopes.iter().all(|granted| granted != scope))
    }

    async fn wait_until_asked(&self) {
        if *self.knowledge.borrow() != Knowledge::Asking {
            return;
        }
        let mut knowledge = self.knowledge.subscribe();
        let known = knowledge.wait_for(|knowledge| *knowledge != Knowledge::Asking);
        if timeout(FIRST_ANSWER_PATIENCE, known).await.is_err() {
            self.stop_waiting();
        }
    }

    /// From now on, what is known decides.
    fn stop_waiting(&self) {
        self.knowledge.send_if_modified(|knowledge| {
            let is_waiting = *knowledge == Knowledge::Asking;
            if is_waiting {
                *knowledge = Knowledge::Unknown;
            }
            is_waiting
        });
    }
}

fn own_workspace(identity: &Identity) -> Option<OwnWorkspace> {
    Some(OwnWorkspace {
        team: TeamId::parse(&identity.team_id).ok()?,
        enterprise: identity.enterprise_id.as_deref().and_then(|id| TeamId::parse(id).ok()),
        is_enterprise_install: identity.is_enterprise_install,
        scopes: identity.scopes.clone(),
    })
}

fn standing(own: Option<&OwnWorkspace>, allowed: &[TeamId], sender: &Sender) -> Standing {
    let Some(person_team) = sender.person_team() else {
        // Slack leaves it out only where the bot is installed for an organization.
        let own_enterprise = own.and_then(|own| own.enterprise.as_ref()).map(TeamId::as_str);
        let is_own =
            own.is_none() || sender.enterprise.is_none() || sender.enterprise.as_deref() == own_enterprise;
        return if is_own { Standing::Own } else { Standing::Stranger };
    };
    // The organization is that of the request's workspace, so it's the person's only if that is, too.
    let is_persons_enterprise =
        sender.team.is_none() || sender.user_team.is_none() || sender.team == sender.user_team;
    let person_enterprise = sender.enterprise.as_deref().filter(|_| is_persons_enterprise);
    if is_own(own, sender, person_team, person_enterprise) {
        return Standing::Own;
    }
    let is_allowed = |id: &str| allowed.iter().any(|allowed| allowed.as_str() == id);
    if !is_allowed(person_team) && !person_enterprise.is_some_and(is_allowed) {
        return Standing::Stranger;
    }
    TeamId::parse(person_team).map_or(Standing::Stranger, Standing::Allowed)
}

fn is_own(
    own: Option<&OwnWorkspace>,
    sender: &Sender,
    person_team: &str,
    person_enterprise: Option<&str>,
) -> bool {
    let Some(own) = own else { return sender.team.as_deref().is_none_or(|team| team == person_team) };
    let is_own_enterprise = |id: &str| own.enterprise.as_ref().is_some_and(|own| own.as_str() == id);
    if person_team == own.team.as_str() {
        let is_own_request = sender.team.as_deref().is_none_or(|team| team == own.team.as_str());
        let names_another = |id: &str| own.enterprise.is_some() && !is_own_enterprise(id);
        return is_own_request && !sender.enterprise.as_deref().is_some_and(names_another);
    }
    // Another workspace of the same organization.
    let names_a_team = sender.team.is_some() || own.is_enterprise_install;
    names_a_team && person_enterprise.is_some_and(is_own_enterprise)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn team(id: &str) -> TeamId {
        TeamId::parse(id).unwrap()
    }

    fn own(enterprise: Option<&str>, is_enterprise_install: bool) -> OwnWorkspace {
        OwnWorkspace {
            team: team("T1"),
            enterprise: enterprise.map(team),
            is_enterprise_install,
            scopes: Vec::new(),
        }
    }

    /// What a request names: its workspace, the person's, and an organization. `-` is left out.
    fn sender(text: &str) -> Sender {
        let mut words = text.split(' ').map(|word| (word != "-").then(|| word.to_owned()));
        let mut next = || words.next().flatten();
        Sender { team: next(), user_team: next(), enterprise: next() }
    }

    fn strangers(own: Option<&OwnWorkspace>, allowed: &[TeamId], senders: &[&str]) -> Vec<String> {
        let is_stranger = |text: &&&str| standing(own, allowed, &sender(text)) == Standing::Stranger;
        senders.iter().filter(is_stranger).map(|text| (*text).to_owned()).collect()
    }

    const SENDERS: [&str; 12] = [
        "- - -", "T1 - -", "T1 T1 -", "T1 - E1", "T1 T1 E1", "T2 - E1", "T2 T2 E1", "T9 - -", "T9 - E9",
        "T1 T9 -", "T1 T9 E1", "T1 - E9",
    ];

    #[test]
    fn people_of_another_workspace_or_organization_are_strangers() {
        let alone = own(None, false);
        let expected = ["T2 - E1", "T2 T2 E1", "T9 - -", "T9 - E9", "T1 T9 -", "T1 T9 E1"];
        assert_eq!(strangers(Some(&alone), &[], &SENDERS), expected);
        let in_organization = own(Some("E1"), false);
        let expected = ["T9 - -", "T9 - E9", "T1 T9 -", "T1 T9 E1", "T1 - E9"];
        assert_eq!(strangers(Some(&in_organization), &[], &SENDERS), expected);
        // Installed for the organization, the bot hears about no workspace but the person's.
        let of_organization = own(Some("E1"), true);
        assert_eq!(strangers(Some(&of_organization), &[], &["- T2 E1", "- - E1", "T2 T2 E1"]), [""; 0]);
        assert_eq!(strangers(Some(&of_organization), &[], &["- T9 E9", "- - E9"]), ["- T9 E9", "- - E9"]);
        assert_eq!(strangers(Some(&in_organization), &[], &["- T9 E1"]), ["- T9 E1"]);
    }

    #[test]
    fn the_operator_may_allow_a_workspace_or_an_organization() {
        let own = own(Some("E1"), false);
        assert_eq!(strangers(Some(&own), &[team("T9")], &SENDERS), ["T1 - E9"]);
        assert_eq!(standing(Some(&own), &[team("T9")], &sender("T1 T9 E1")), Standing::Allowed(team("T9")));
        let expected = ["T9 - -", "T1 T9 -", "T1 T9 E1"];
        assert_eq!(strangers(Some(&own), &[team("E9")], &SENDERS), expected);
        assert_eq!(standing(Some(&own), &[team("E9")], &sender("T9 - E9")), Standing::Allowed(team("T9")));
    }

    #[test]
    fn before_slack_has_said_whose_the_bot_is_only_contradictions_are_foreign() {
        assert_eq!(strangers(None, &[], &SENDERS), ["T1 T9 -", "T1 T9 E1"]);
    }
}
