//! Epics, and the stories created under them.

use maro_domain::{
    issue::IssueId,
    rich_text::{Inline, RichBlock, RichText},
};
use maro_jira::searching::intent_marks::Creator;
use maro_jira::{
    creating::create::{CreateError, INTENT_PROPERTY},
    creating::epic::{Epic, EpicLookup},
    creating::stories::{EpicLink, NewStory, StoriesAnswer},
};
use maro_simulation::jira::faults::JiraFault;
use serde_json::json;

use super::{EDITIONS, Edition, PATIENCE, World, key, within};

fn stories(summaries: &[&str]) -> Vec<NewStory> {
    let story = |(line, &summary): (usize, &&str)| NewStory {
        summary: summary.to_owned(),
        fields: Vec::new(),
        description: RichText { blocks: vec![RichBlock::Paragraph(vec![Inline::plain("Who asked")])] },
        reporter: None,
        intent_id: format!("intent/{line}"),
    };
    summaries.iter().enumerate().map(story).collect()
}

impl World {
    async fn look_up(&self, text: &str) -> EpicLookup {
        self.client.get_epic(&key(text), within(PATIENCE)).await.unwrap()
    }

    async fn epic(&self, text: &str) -> Epic {
        match self.look_up(text).await {
            EpicLookup::Epic(epic) => epic,
            other => panic!("not an epic: {other:?}"),
        }
    }

    async fn answer(
        &self,
        epic: &Epic,
        summaries: &[&str],
        link: EpicLink,
    ) -> Result<StoriesAnswer, CreateError> {
        self.client.create_stories(epic, &stories(summaries), link, within(PATIENCE)).await
    }

    /// A key or a reason for each story.
    async fn create_stories(&self, epic: &Epic, summaries: &[&str]) -> Result<Vec<String>, CreateError> {
        let created = self.answer(epic, summaries, EpicLink::Created).await?;
        let StoriesAnswer::Each(created) = created else { panic!("the epic has a field") };
        Ok(created
            .into_iter()
            .map(|answer| answer.map_or_else(|reason| reason, |ticket| ticket.key.to_string()))
            .collect())
    }
}

#[tokio::test]
async fn an_epic_comes_with_the_type_of_its_stories() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        let epic = world.epic("SCRUM-101").await;
        assert_eq!(epic.issue.id, IssueId::new("10000"));
        assert_eq!(epic.issue.summary, "Customer accounts");
        assert_eq!(epic.project_key, "SCRUM");
        assert_eq!((epic.story_type.name.as_str(), epic.story_type.id.as_str()), ("Story", "10001"));
    }
}

#[tokio::test]
async fn a_project_without_stories_gets_its_first_other_type() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        world.site.add_epic(&key("OPS-1"), "Quieter nights", "Open");
        assert_eq!(world.epic("OPS-1").await.story_type.name, "Task");
    }
}

#[tokio::test]
async fn what_is_no_epic_is_named() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        assert_eq!(world.look_up("SCRUM-999").await, EpicLookup::Missing);
        match world.look_up("SCRUM-124").await {
            EpicLookup::NotAnEpic { issue, type_name } => {
                assert_eq!((issue.key.as_str(), type_name.as_str()), ("SCRUM-124", "Task"));
            }
            other => panic!("{other:?}"),
        }
        // Stories can't be its children, because epics come between.
        world.site.add_initiative(&key("OPS-2"), "Calm", "Open");
        assert!(matches!(world.look_up("OPS-2").await, EpicLookup::NotAnEpic { .. }), "{edition:?}");
        world.site.add_epic(&key("AUDIT-1"), "Evidence", "Open");
        assert!(matches!(world.look_up("AUDIT-1").await, EpicLookup::NoStoryType { .. }));
    }
}

#[tokio::test]
async fn stories_are_created_under_their_epic_in_one_request() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        let epic = world.epic("SCRUM-101").await;
        world.site.take_requests();
        let keys = world.create_stories(&epic, &["First", "Second", "Third"]).await.unwrap();
        assert_eq!(keys, ["SCRUM-151", "SCRUM-152", "SCRUM-153"]);
        assert_eq!(world.paths().len(), 1);
        for (line, issue) in world.site.created_issues().iter().enumerate() {
            assert_eq!(issue.issue_type, "Story");
            assert_eq!(issue.parent, Some(key("SCRUM-101")), "{edition:?}");
            assert_eq!(issue.properties[INTENT_PROPERTY], json!({ "id": format!("intent/{line}") }));
        }
        assert_eq!(world.create_stories(&epic, &[]).await.unwrap(), [""; 0]);
    }
}

#[tokio::test]
async fn each_refused_story_has_its_reason() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        let epic = world.epic("SCRUM-101").await;
        world.site.refuse_summaries_with("forbidden", "This word\nis not allowed.");
        let long = "x".repeat(256);
        let answers = world.create_stories(&epic, &["forbidden 1", "fine", &long, "also fine", ""]).await;
        let expected = [
            "This word is not allowed.",
            "SCRUM-151",
            "Summary can't exceed 255 characters.",
            "SCRUM-152",
            "You must specify a summary of the issue.",
        ];
        assert_eq!(answers.unwrap(), expected);
        let none = world.create_stories(&epic, &["forbidden", "forbidden too"]).await.unwrap();
        assert_eq!(none, ["This word is not allowed."; 2]);
        world.site.refuse_no_summaries();
        assert_eq!(world.create_stories(&epic, &["forbidden"]).await.unwrap(), ["SCRUM-153"]);
    }
}

#[tokio::test]
async fn a_field_that_stories_lack_is_a_reason() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        world.site.add_epic(&key("OPS-1"), "Quieter nights", "Open");
        let epic = world.epic("OPS-1").await;
        assert_eq!(world.create_stories(&epic, &["x"]).await.unwrap(), ["Severity is required."]);
    }
}

#[tokio::test]
async fn more_stories_than_jira_takes_are_refused_as_a_whole() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        let epic = world.epic("SCRUM-101").await;
        let answer = world.create_stories(&epic, &["x"; 51]).await;
        assert!(matches!(answer, Err(CreateError::Refused { .. })), "{answer:?}");
        assert_eq!(world.create_stories(&epic, &["x"; 50]).await.unwrap().len(), 50);
    }
}

#[tokio::test]
async fn stories_that_nobody_confirmed_are_found_by_their_marks() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        let epic = world.epic("SCRUM-101").await;
        world.site.set_next_faults([Some(JiraFault::DoneThenReset)]);
        let answer = world.create_stories(&epic, &["a", "b"]).await;
        assert!(matches!(answer, Err(CreateError::Unknown(_))), "{answer:?}");
        let intents: Vec<String> = (0..3).map(|line| format!("intent/{line}")).collect();
        let since = maro_process::clock::Clock::system().now();
        let found = world
            .client
            .find_by_intents("SCRUM", Creator::Own, &intents, since, within(PATIENCE))
            .await
            .unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found["intent/1"].len(), 1);
        assert_eq!(found["intent/1"][0].key, key("SCRUM-152"));
    }
}

#[tokio::test]
async fn errors_of_another_shape_leave_each_story_its_outcome() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        let epic = world.epic("SCRUM-101").await;
        world.site.refuse_summaries_with("forbidden", "This word is not allowed.");
        world.site.set_next_faults_of("/issue/bulk", [Some(JiraFault::OddErrors)]);
        let outcomes = world.create_stories(&epic, &["a", "forbidden", "c"]).await.unwrap();
        assert_eq!(outcomes, ["SCRUM-151", "This word is not allowed.", "SCRUM-152"], "{edition:?}");
    }
}

#[tokio::test]
async fn nothing_is_created_if_jira_refuses_the_account() {
    for edition in [Edition::Cloud, Edition::DataCenter] {
        let world = World::start(edition).await;
        let epic = world.epic("SCRUM-101").await;
        world.site.set_fault(JiraFault::Status(403, None));
        let answer = world.create_stories(&epic, &["a"]).await;
        assert!(matches!(answer, Err(CreateError::Jira(_))), "{answer:?}");
    }
}

#[tokio::test]
async fn stories_are_created_without_a_description_where_the_screen_has_none() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        world.site.hide_descriptions();
        let epic = world.epic("SCRUM-101").await;
        world.create_stories(&epic, &["One", "Two"]).await.unwrap();
        assert_eq!(world.site.created_issues().len(), 2);
    }
}

#[tokio::test]
async fn where_no_screen_has_the_epic_stories_are_put_there_afterwards() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        world.site.hide_epic_links();
        world.site.hide_descriptions();
        let epic = world.epic("SCRUM-101").await;
        let refused = world.answer(&epic, &["One", "Two"], EpicLink::Created).await.unwrap();
        assert!(matches!(refused, StoriesAnswer::NoFieldForEpic), "{edition:?} {refused:?}");
        let created = world.answer(&epic, &["One", "Two"], EpicLink::Later).await.unwrap();
        let StoriesAnswer::Each(created) = created else { panic!("{created:?}") };
        let keys: Vec<_> = created.into_iter().map(|ticket| ticket.unwrap().key).collect();
        for _ in 0..2 {
            world.client.add_to_epic(&epic.issue.key, &keys, within(PATIENCE)).await.unwrap();
        }
        let parents = world.site.created_issues().into_iter().map(|issue| issue.parent);
        assert!(parents.eq([Some(key("SCRUM-101")), Some(key("SCRUM-101"))]));
    }
}

#[tokio::test]
async fn an_epic_that_jira_does_not_want_is_not_put_in_another_way() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        let mut epic = world.epic("SCRUM-101").await;
        epic.issue.key = key("SCRUM-123");
        let refused = world.create_stories(&epic, &["One"]).await.unwrap();
        assert!(refused[0].contains("SCRUM-123"), "{edition:?} {refused:?}");
    }
}

#[tokio::test]
async fn stories_have_the_type_that_is_a_story_in_english() {
    let world = World::start(Edition::Cloud).await;
    let types = json!({ "startAt": 0, "total": 4, "issueTypes": [
        { "id": "10631", "name": "Błąd", "untranslatedName": "Bug", "subtask": false, "hierarchyLevel": 0 },
        { "id": "10632", "name": "Zadanie", "untranslatedName": "Task", "subtask": false, "hierarchyLevel": 0 },
        { "id": "10633", "name": "Historia", "untranslatedName": "Story", "subtask": false, "hierarchyLevel": 0 },
        { "id": "10000", "name": "Epik", "untranslatedName": "Epic", "subtask": false, "hierarchyLevel": 1 },
    ]});
    world.site.set_next_faults_of("/issuetypes", [Some(JiraFault::Answer(200, types.to_string()))]);
    assert_eq!(world.epic("SCRUM-101").await.story_type.id, "10633");
}
