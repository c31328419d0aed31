//! Links from issues to conversations.

use maro_jira::{editing::remote_link::LinkError, error::JiraError};
use maro_simulation::jira::{data::issue::RemoteLink, faults::JiraFault};

use super::{EDITIONS, PATIENCE, World, key, within};

const GLOBAL_ID: &str = "maro:C1:1700000000.000100";
const URL: &str = "https://example.slack.com/archives/C1/p1700000000000100";

impl World {
    async fn link(&self, issue: &str, title: &str) -> Result<(), LinkError> {
        self.client.add_remote_link(&key(issue), GLOBAL_ID, URL, title, within(PATIENCE)).await
    }
}

#[tokio::test]
async fn a_conversation_is_linked_once_however_often_it_is_asked_for() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        world.site.set_next_faults([Some(JiraFault::DoneThenReset)]);
        world.link("SCRUM-123", "First\ntitle").await.unwrap();
        world.link("SCRUM-123", "Slack: #general").await.unwrap();
        let expected = RemoteLink {
            global_id: Some(GLOBAL_ID.to_owned()),
            url: URL.to_owned(),
            title: "Slack: #general".to_owned(),
            relationship: Some("mentioned in".to_owned()),
            application_name: Some("Slack".to_owned()),
        };
        assert_eq!(world.site.remote_links(&key("SCRUM-123")), [expected]);
        assert_eq!(world.paths().len(), 3);
    }
}

#[tokio::test]
async fn an_issue_that_is_gone_is_not_linked() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        assert!(matches!(world.link("SCRUM-999", "x").await, Err(LinkError::MissingIssue)));
        world.site.set_fault(JiraFault::Status(403, None));
        let refused = world.link("SCRUM-123", "x").await;
        assert!(matches!(refused, Err(LinkError::Jira(JiraError::Forbidden { .. }))), "{refused:?}");
        world.site.set_fault(JiraFault::NoSuchAddress);
        let elsewhere = world.link("SCRUM-123", "x").await;
        assert!(matches!(elsewhere, Err(LinkError::Jira(JiraError::InvalidResponse { .. }))));
    }
}
