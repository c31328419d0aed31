//! The modals, as they look.

use std::collections::BTreeMap;

use crate::{
    Tickets,
    record::{ModalState, Origin},
    texts,
};
use maro_domain::{
    reply::{Block, Span},
    ticket::SimilarTicket,
};
use maro_slack::view::{
    View, ViewBlock,
    button::Button,
    input::{Choice, SelectInput, TextInput},
};

pub(super) const CREATE_ISSUE: &str = "create_issue";
pub(super) const CREATE_ISSUE_ANYWAY: &str = "create_issue_anyway";
pub(super) const CREATE_FROM_MESSAGE: &str = "create_from_message";
pub(super) const CREATE_STORIES: &str = "create_stories";
pub(super) const LINK_DUPLICATE: &str = "link_duplicate";
pub(super) const RETRY_STORIES: &str = "retry_stories";

/// A modal in which there is nothing to do but wait or read.
const NOTICE: &str = "notice";

pub(super) const CHANNEL: &str = "channel";
pub(super) const PROJECT: &str = "project";
pub(super) const ISSUE_TYPE: &str = "issue_type";
pub(super) const SUMMARY: &str = "summary";
pub(super) const DESCRIPTION: &str = "description";
pub(super) const STORIES: &str = "stories";

/// Jira's own limit, in characters.
pub(super) const MAX_SUMMARY_LENGTH: usize = 255;

/// What stands in the create form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct CreateForm {
    pub(super) project: Option<Choice>,
    pub(super) issue_type: Option<Choice>,
    pub(super) summary: String,
    pub(super) description: String,
}

impl Tickets {
    /// The form for a new ticket. `notices` stand at its top.
    pub(super) fn create_view(&self, state: &ModalState, form: &CreateForm, notices: &[String]) -> View {
        let mut view = View::modal(CREATE_ISSUE, texts::issues::CREATE_TITLE)
            .with_submit(texts::forms::CREATE)
            .with_private_metadata(self.sealed(CREATE_ISSUE, state));
        for notice in notices {
            view.push(self.section(&state.origin, vec![sentence(notice)]));
        }
        let mut project = SelectInput::external(PROJECT, texts::forms::PROJECT).telling_changes();
        let mut issue_type = SelectInput::external(ISSUE_TYPE, texts::forms::ISSUE_TYPE);
        if let Some(choice) = &form.project {
            project = project.with_initial(choice.clone());
        }
        if let Some(choice) = &form.issue_type {
            issue_type = issue_type.with_initial(choice.clone());
        }
        if state.origin.is_nowhere() {
            view.push(SelectInput::channel(CHANNEL, texts::forms::CHANNEL));
        }
        view.with_block(project)
            .with_block(issue_type)
            .with_block(
                TextInput::single_line(SUMMARY, texts::forms::SUMMARY)
                    .with_max_length(MAX_SUMMARY_LENGTH)
                    .with_initial(&form.summary),
            )
            .with_block(
                TextInput::multi_line(DESCRIPTION, texts::forms::DESCRIPTION)
                    .optional()
                    .with_initial(&form.description),
            )
    }

    /// Tickets that may be the same, a button each, and creating all the same.
    pub(super) fn duplicates_view(
        &self,
        state: &ModalState,
        summary: &str,
        similar: &[SimilarTicket],
    ) -> View {
        let origin = &state.origin;
        let mut view =
            View::modal(CREATE_ISSUE_ANYWAY, texts::issues::DUPLICATES_TITLE)
                .with_submit(texts::issues::CREATE_ANYWAY)
                .with_private_metadata(self.sealed(CREATE_ISSUE_ANYWAY, state))
                .with_block(self.section(
                    origin,
                    vec![Block::Paragraph(texts::issues::duplicates(similar.len(), summary))],
                ));
        for ticket in similar {
            let SimilarTicket { key, summary, status, assignee, .. } = ticket;
            let lines = texts::issues::duplicate(key, summary, status, assignee.as_deref());
            let button = Button::new(LINK_DUPLICATE, texts::issues::LINK_THIS, ticket.key.as_str());
            view.push(ViewBlock::section_with_button(self.mrkdwn(origin, &[Block::Lines(lines)]), button));
        }
        view
    }

    /// The form for stories under an epic.
    pub(super) fn stories_view(&self, state: &ModalState, epic: Vec<Span>, lines: &str) -> View {
        let hint = texts::stories::hint(super::stories::MAX_STORIES, MAX_SUMMARY_LENGTH);
        View::modal(CREATE_STORIES, texts::stories::TITLE)
            .with_submit(texts::forms::CREATE)
            .with_private_metadata(self.sealed(CREATE_STORIES, state))
            .with_block(self.section(&state.origin, vec![Block::Paragraph(epic)]))
            .with_block(
                TextInput::multi_line(STORIES, texts::stories::LABEL).with_hint(hint).with_initial(lines),
            )
    }

    /// A modal to read, with buttons at its end.
    pub(super) fn notice_view(
        &self,
        title: &str,
        origin: &Origin,
        blocks: Vec<Block>,
        buttons: Vec<Button>,
    ) -> View {
        let mut view = View::modal(NOTICE, title).with_close(texts::forms::CLOSE);
        for block in split(blocks) {
            view.push(self.section(origin, vec![block]));
        }
        if !buttons.is_empty() {
            view.push(ViewBlock::Actions(buttons));
        }
        view
    }

    /// A modal with one sentence.
    pub(super) fn sentence_view(&self, title: &str, origin: &Origin, text: &str) -> View {
        self.notice_view(title, origin, vec![sentence(text)], Vec::new())
    }

    pub(super) fn sealed(&self, purpose: &str, state: &ModalState) -> String {
        self.sealer.seal(purpose, state, self.clock.now(), super::MODAL_LIFETIME).unwrap_or_else(|error| {
            // Nothing in a modal's state has a length that people choose; without it the modal does nothing.
            tracing::error!(%error, "a modal's state cannot be sealed");
            String::new()
        })
    }

    fn section(&self, origin: &Origin, blocks: Vec<Block>) -> ViewBlock {
        ViewBlock::section(self.mrkdwn(origin, &blocks))
    }

    fn mrkdwn(&self, origin: &Origin, blocks: &[Block]) -> maro_slack::render::Mrkdwn {
        use maro_domain::ids::{ChannelId, UserId};
        // Ids that travelled sealed are still ids; the fallback only keeps the types honest.
        let channel = origin.channel().or_else(|_| ChannelId::parse("C0"));
        let user = origin.user().or_else(|_| UserId::parse("U0"));
        match (channel, user) {
            (Ok(channel), Ok(user)) => self.renderer.mrkdwn(blocks, &channel, &user),
            _ => unreachable!("C0 and U0 are ids"),
        }
    }
}

/// Sections hold some thirty lines, so longer lists are split.
fn split(blocks: Vec<Block>) -> Vec<Block> {
    const LINES: usize = 10;
    blocks
        .into_iter()
        .flat_map(|block| match block {
            Block::Items(items) => items.chunks(LINES).map(|chunk| Block::Items(chunk.to_vec())).collect(),
            Block::Lines(lines) => lines.chunks(LINES).map(|chunk| Block::Lines(chunk.to_vec())).collect(),
            block @ (Block::Paragraph(_) | Block::Buttons(_)) => vec![block],
        })
        .collect()
}

pub(super) fn sentence(text: &str) -> Block {
    Block::Paragraph(vec![Span::Text(text.to_owned())])
}

/// Errors beside the inputs of the create form, from the names that Jira has for its fields. What belongs
/// to no input is returned apart.
pub(super) fn errors_by_input(fields: BTreeMap<String, String>) -> (BTreeMap<String, String>, Vec<String>) {
    let (mut errors, mut others) = (BTreeMap::new(), Vec::new());
    for (field, reason) in fields {
        let input = match field.as_str() {
            "project" | "pid" => PROJECT,
            "issuetype" => ISSUE_TYPE,
            "summary" => SUMMARY,
            "description" => DESCRIPTION,
            _ => {
                others.push(reason);
                continue;
            }
        };
        errors.insert(input.to_owned(), reason);
    }
    (errors, others)
}
