//! The Jira client: everything that the rest of MARO asks of Jira.
//!
//! Each operation is a function of the same name in its subject's file; what it promises is said here.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::Instant;
use url::Url;

use crate::{
    accounts::account::Account,
    accounts::account_by_email::{self, PersonAccount},
    accounts::may_view::{self, Viewed},
    accounts::permissions::{self, Permission},
    accounts::person_permissions::{self, Target},
    config::JiraConfig,
    connection::{location::Location, site::JiraSite},
    creating::create::{self, CreateError},
    creating::epic::{self, Epic, EpicLookup},
    creating::stories::{self, EpicLink, NewStory, StoriesAnswer},
    editing::edit::EditError,
    editing::remote_link::{self, LinkError},
    editing::{assign, comments, transitions},
    error::{JiraError, JiraSetupError},
    reading::answers::{Age, EachAnswer, Tell},
    reading::{look_up, newest_keys, per_key_lookup},
    searching::changed::{self, ChangedPage, NextPage},
    searching::intent_marks::{self, Creator, Found},
    searching::plugin_search::{self, FoundPage, Search, SearchError},
    searching::similar,
};
use maro_domain::{
    issue::{Issue, IssueKey},
    issue_details::{Person, Transition},
    rich_text::RichText,
    ticket::{CreatedTicket, NewTicket, SimilarTicket},
};
use maro_process::metrics::calls::JiraMetrics;

/// A connection pool to one Jira site, for one account. Share it: it is meant to live as long as the bot.
///
/// Every operation ends at its `deadline` at the latest, if need be with [`JiraError::TimedOut`]. While Jira doesn't
/// answer requests of some kind, operations that need it fail at once, and have sent nothing then.
#[derive(Debug)]
pub struct JiraClient {
    pub(super) site: Arc<JiraSite>,
}

impl JiraClient {
    /// Doesn't connect yet.
    ///
    /// # Errors
    /// If Jira is on HTTPS and this machine has no root certificates.
    pub fn new(config: &JiraConfig) -> Result<Self, JiraSetupError> {
        Self::measured(config, JiraMetrics::default())
    }

    /// As [`JiraClient::new`], measured.
    ///
    /// # Errors
    /// As [`JiraClient::new`].
    pub fn measured(config: &JiraConfig, metrics: JiraMetrics) -> Result<Self, JiraSetupError> {
        Ok(Self { site: Arc::new(JiraSite::new(config, metrics)?) })
    }

    /// Where requests go: to the site, or to Atlassian's gateway.
    pub fn location(&self) -> &Location {
        self.site.location()
    }

    /// Asks Jira who the account is: the cheapest proof that address and credentials are right.
    ///
    /// # Errors
    /// Any [`JiraError`].
    pub async fn probe(&self, deadline: Instant) -> Result<Account, JiraError> {
        self.site.who_am_i(deadline).await
    }

    /// Which of these permissions the account lacks in a project.
    ///
    /// # Errors
    /// Any [`JiraError`].
    pub async fn get_missing_permissions(
        &self,
        project_key: &str,
        permissions: &[Permission],
        deadline: Instant,
    ) -> Result<Vec<Permission>, JiraError> {
        permissions::get_missing_permissions(&self.site, project_key, permissions, deadline).await
    }

    /// The account of the person with an email address. `None` if Jira shows no account with it, or several.
    ///
    /// # Errors
    /// [`JiraError::Forbidden`] without the permission *Browse users and groups*, or another [`JiraError`].
    pub async fn find_account(
        &self,
        email: &str,
        deadline: Instant,
    ) -> Result<Option<PersonAccount>, JiraError> {
        account_by_email::find_account(&self.site, email, deadline).await
    }

    /// Whether somebody can view an issue, or any issue of a project.
    ///
    /// # Errors
    /// As [`JiraClient::find_account`].
    pub async fn can_view(
        &self,
        account: &PersonAccount,
        viewed: Viewed<'_>,
        deadline: Instant,
    ) -> Result<bool, JiraError> {
        may_view::can_view(&self.site, account, viewed, deadline).await
    }

    /// Whether Jira tells the configured account what others may do.
    ///
    /// # Errors
    /// Any [`JiraError`].
    pub async fn may_ask_for_others(&self, deadline: Instant) -> Result<bool, JiraError> {
        person_permissions::may_ask_for_others(&self.site, deadline).await
    }

    /// Whether somebody has a permission. `None` if Jira doesn't tell that to the configured account.
    ///
    /// # Errors
    /// Any [`JiraError`].
    pub async fn person_may(
        &self,
        account: &PersonAccount,
        permission: Permission,
        target: Target<'_>,
        deadline: Instant,
    ) -> Result<Option<bool>, JiraError> {
        person_permissions::person_may(&self.site, account, permission, target, deadline).await
    }

    /// The site's address, as its links begin.
    pub fn base_url(&self) -> &Url {
        self.site.base_url()
    }

    /// Looks up issues. There is one answer per key, in the order of `keys`: `None` if the issue is missing
    /// or not visible. An issue that has moved comes under its new key.
    ///
    /// On Cloud this takes one request per hundred keys, and more only if moved issues make the answer
    /// ambiguous. On Data Center it takes one request per key, a few at a time. An issue is called missing
    /// only if Jira has confirmed the account within the last five minutes; if it hasn't, it is asked to.
    ///
    /// # Errors
    /// Any [`JiraError`], for all keys together.
    pub async fn get_issues(
        &self,
        keys: &[IssueKey],
        deadline: Instant,
    ) -> Result<Vec<Option<Issue>>, JiraError> {
        look_up::get_issues(&self.site, keys, deadline).await
    }

    /// As [`JiraClient::get_issues`], with an answer of its own for each key: an issue that Jira can't serve, or the
    /// end of the deadline, takes nothing from what it said of others. What may be some seconds old takes one request
    /// per hundred keys on Data Center, too, and one more for each that its index doesn't show.
    pub async fn get_each_issue(&self, keys: &[IssueKey], age: Age, deadline: Instant) -> Vec<EachAnswer> {
        per_key_lookup::get_each(&self.site, keys, age, deadline).await
    }

    /// As [`JiraClient::get_each_issue`] with current answers, each of which is told when it comes: an issue that
    /// Jira hangs on holds up no other for more than a second or so.
    pub async fn tell_each_issue(&self, keys: &[IssueKey], deadline: Instant, tell: Tell<'_>) {
        per_key_lookup::tell_each(&self.site, keys, Age::Current, deadline, tell).await;
    }

    /// Finds issues by JQL, in the order of the query. Jira's index lags some seconds behind changes.
    ///
    /// With projects, the query is restricted to them. If Jira finds issues elsewhere anyway, they are
    /// left out.
    ///
    /// # Errors
    /// A [`SearchError`].
    pub async fn find_issues(&self, search: Search<'_>, deadline: Instant) -> Result<FoundPage, SearchError> {
        plugin_search::find_issues(&self.site, search, deadline).await
    }

    /// Finds what has changed within the last `minutes`, page by page. Jira's index lags some seconds behind changes.
    ///
    /// # Errors
    /// Jira can't be asked, or its answer can't be read.
    pub async fn changed_since(
        &self,
        minutes: u64,
        from: Option<&NextPage>,
        deadline: Instant,
    ) -> Result<ChangedPage, JiraError> {
        changed::changed_since(&self.site, minutes, from, deadline).await
    }

    /// Finds at most `limit` open tickets of a project with one of `words` in their summary, the latest
    /// changed first, and never more than 50. Only the first ten words count. Jira matches words by their
    /// stems.
    ///
    /// # Errors
    /// Any [`JiraError`].
    pub async fn search_similar(
        &self,
        project_key: &str,
        words: &[String],
        limit: u32,
        deadline: Instant,
    ) -> Result<Vec<SimilarTicket>, JiraError> {
        similar::search_similar(&self.site, project_key, words, limit, deadline).await
    }

    /// Finds the ticket that this account created in a project with this intent id, not before `since`.
    /// `None` if the index doesn't have it, which may only mean that it doesn't have it yet.
    ///
    /// # Errors
    /// Any [`JiraError`]. Also if the account has created more than a thousand tickets since, and this one
    /// isn't among the latest thousand.
    pub async fn find_by_intent(
        &self,
        project_key: &str,
        intent_id: &str,
        since: Timestamp,
        deadline: Instant,
    ) -> Result<Option<CreatedTicket>, JiraError> {
        intent_marks::find_by_intent(&self.site, project_key, intent_id, since, deadline).await
    }

    /// As [`JiraClient::find_by_intent`] for several intents at once: all tickets found, by intent id, the oldest
    /// first.
    ///
    /// # Errors
    /// As [`JiraClient::find_by_intent`].
    pub async fn find_by_intents(
        &self,
        project_key: &str,
        creator: Creator,
        intent_ids: &[String],
        since: Timestamp,
        deadline: Instant,
    ) -> Result<Found, JiraError> {
        intent_marks::find_by_intents(&self.site, project_key, creator, intent_ids, since, deadline).await
    }

    /// Finds tickets with these intent ids among the newest of a project, also if the index doesn't have them
    /// yet: it reads the issues with the keys that follow the newest one in the index.
    ///
    /// # Errors
    /// Any [`JiraError`].
    pub async fn find_newest(
        &self,
        project_key: &str,
        intent_ids: &[String],
        deadline: Instant,
    ) -> Result<Found, JiraError> {
        newest_keys::find_newest(&self.site, project_key, intent_ids, deadline).await
    }

    /// Creates a ticket, marked with its intent id ([`create::INTENT_PROPERTY`]).
    ///
    /// # Errors
    /// A [`CreateError`], which says whether the ticket may exist anyway.
    pub async fn create_ticket(
        &self,
        ticket: &NewTicket,
        deadline: Instant,
    ) -> Result<CreatedTicket, CreateError> {
        create::create_ticket(&self.site, ticket, deadline).await
    }

    /// Looks up an issue that somebody calls an epic, and the type for stories in its project: the first type
    /// named "Story" that the account can create there, or else the first one on the same level.
    ///
    /// On Cloud an epic is an issue on level 1 of the hierarchy, whatever its type is called. Data Center
    /// tells no levels; there it is an issue with an epic name, a field that Jira Software gives to epics
    /// alone.
    ///
    /// # Errors
    /// Any [`JiraError`].
    pub async fn get_epic(&self, key: &IssueKey, deadline: Instant) -> Result<EpicLookup, JiraError> {
        epic::get_epic(&self.site, key, deadline).await
    }

    /// Creates at most [`stories::MAX_STORIES_AT_ONCE`] stories under an epic, each marked with its intent id.
    ///
    /// # Errors
    /// A [`CreateError`] for all of them. [`CreateError::Unknown`] means that any of them may exist.
    pub async fn create_stories(
        &self,
        epic: &Epic,
        stories: &[NewStory],
        link: EpicLink,
        deadline: Instant,
    ) -> Result<StoriesAnswer, CreateError> {
        stories::create_stories(&self.site, epic, stories, link, deadline).await
    }

    /// Adds a comment by this account. Jira rejects a comment that shows nothing.
    ///
    /// # Errors
    /// An [`EditError`].
    pub async fn add_comment(
        &self,
        key: &IssueKey,
        text: &RichText,
        deadline: Instant,
    ) -> Result<(), EditError> {
        comments::add_comment(&self.site, key, text, deadline).await
    }

    /// Links an issue to `url`, under the heading "mentioned in". A link with the same `global_id` is
    /// replaced, so this may be repeated, and is repeated after failures that may pass. Of a `global_id`, the
    /// first 255 characters count.
    ///
    /// # Errors
    /// A [`LinkError`].
    pub async fn add_remote_link(
        &self,
        key: &IssueKey,
        global_id: &str,
        url: &str,
        title: &str,
        deadline: Instant,
    ) -> Result<(), LinkError> {
        remote_link::add_remote_link(&self.site, key, global_id, url, title, deadline).await
    }

    /// Finds at most 20 people who can be assigned to an issue, by how their name, a word of it, or their
    /// email address begins; anybody if `words` is empty. Somebody with exactly that name comes first.
    /// `None` if the issue is missing or not visible.
    ///
    /// # Errors
    /// Any [`JiraError`].
    pub async fn find_assignable(
        &self,
        key: &IssueKey,
        words: &str,
        deadline: Instant,
    ) -> Result<Option<Vec<Person>>, JiraError> {
        assign::find_assignable(&self.site, key, words, deadline).await
    }

    /// Assigns an issue to an account, or to nobody. The id must pass [`is_account`]. If Jira doesn't confirm
    /// the change, the issue is looked at.
    ///
    /// [`is_account`]: crate::accounts::people::is_account
    ///
    /// # Errors
    /// An [`EditError`].
    pub async fn assign(
        &self,
        key: &IssueKey,
        account: Option<&str>,
        deadline: Instant,
    ) -> Result<(), EditError> {
        assign::assign(&self.site, key, account, deadline).await
    }

    /// The issue, and the transitions that its workflow lets this account take now: at most 50, in Jira's
    /// order. `None` if the issue is missing or not visible. An issue that has moved comes under its new key.
    ///
    /// # Errors
    /// Any [`JiraError`].
    pub async fn get_transitions(
        &self,
        key: &IssueKey,
        deadline: Instant,
    ) -> Result<Option<(Issue, Vec<Transition>)>, JiraError> {
        transitions::get_transitions(&self.site, key, deadline).await
    }

    /// Takes a transition that [`JiraClient::get_transitions`] returned with this issue. If Jira doesn't
    /// confirm it, the issue is looked at: a transition to another status was taken if the issue now has that
    /// status.
    ///
    /// # Errors
    /// An [`EditError`].
    pub async fn take_transition(
        &self,
        issue: &Issue,
        transition: &Transition,
        deadline: Instant,
    ) -> Result<(), EditError> {
        transitions::take_transition(&self.site, issue, transition, deadline).await
    }
}
