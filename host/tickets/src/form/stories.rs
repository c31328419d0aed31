//! The form for stories under an epic: one title per line, and a report of every line.

use std::{convert::Infallible, sync::Arc, time::Duration};

use crate::{
    form::{
        create::{
            fields::Demanded,
            screens::Screens,
            views::{CreateInputs, MAX_SUMMARY_LENGTH},
        },
        modal::{
            modal_calls::Modals,
            outcome::{self, FormOutcome, not_begun_form, sentence},
            state::ModalState,
        },
        story_lines::{Lines, MAX_ENTERED, parse_lines},
    },
    intents::{
        exactly_once::{Driver, Ended, Stage, Start},
        records::{Announcement, StoriesRecord, StoryLine, StoryState},
    },
    provenance::Provenance,
    stories::{Stories, outcomes::created_lines},
};
use maro_domain::reply::Block;
use maro_slack::{
    interaction::view_state::ViewState,
    view::{
        View,
        button::ViewButton,
        input::{Choice, TextInput},
    },
};
use maro_store::intents::{
    Intent, IntentState,
    work::{Stop, Work},
};
use maro_texts::{self as texts, issues::stories::TITLE};

pub(super) const CREATE_STORIES: &str = "create_stories";
pub(super) const RETRY_STORIES: &str = "retry_stories";
pub(super) const STORIES: &str = "stories";

/// How long Jira may take to say which fields stories have.
const SCREEN_PATIENCE: Duration = Duration::from_secs(3);

/// Handles the submitted form for stories.
pub(crate) struct StoriesForm {
    pub(crate) driver: Arc<Driver>,
    pub(crate) modals: Arc<Modals>,
    pub(crate) screens: Arc<Screens>,
}

impl StoriesForm {
    pub(super) async fn submit(
        &self,
        state: ModalState,
        view: ViewState,
        provenance: &Provenance,
    ) -> FormOutcome {
        let text = view.values.text(STORIES).unwrap_or_default();
        let demanded = Demanded::read(&state.asked, &view.values);
        let problem = |input: &str, problem: String| {
            let form = stories_view(&self.modals, &state, &[sentence(&problem)], text, &demanded);
            FormOutcome::errors([(input.to_owned(), problem)].into(), form)
        };
        if let Some(missing) = demanded.missing() {
            return problem(&missing.id, texts::issues::forms::field_missing(&missing.name));
        }
        let lines = match parse_lines(text) {
            Ok(lines) => Lines { fields: demanded.fields.clone(), ..lines },
            Err(text) => return problem(STORIES, text),
        };
        if let Some(form) = self.with_missing(&state, text, &demanded).await {
            return form;
        }
        match self.begin(&state, &state.intent_id, &view.id, lines, provenance).await {
            Ok(begun) => self.create(begun).await,
            Err(stop) => not_begun_form(&stop, STORIES, |notice| {
                stories_view(&self.modals, &state, &[sentence(notice)], text, &demanded)
            }),
        }
    }

    /// The form with what Jira demands beyond what it asked for. `None` if there is nothing, or Jira doesn't say soon.
    async fn with_missing(&self, state: &ModalState, text: &str, demanded: &Demanded) -> Option<FormOutcome> {
        let place = (state.project.as_deref()?, state.issue_type.as_deref()?);
        let asked: Vec<String> = state.asked.iter().map(|field| field.id.clone()).collect();
        let screen = self.screens.read(place, &asked, SCREEN_PATIENCE).await.ok()?;
        let (demanded, missing) = demanded.with_missing(screen.clone())?;
        let names: Vec<&str> = missing.iter().map(String::as_str).collect();
        let mut notices = vec![sentence(&texts::issues::forms::more_fields(&names))];
        notices.extend(self.screens.beyond(&screen, &story_place(state)).await);
        let form = stories_view(&self.modals, state, &notices, text, &demanded);
        Some(FormOutcome::news(form, vec![sentence(texts::issues::forms::CLOSED_TOO_EARLY)]))
    }

    /// Tries the failed lines again, as a new intent. Several clicks make only one.
    pub(super) async fn retry(
        &self,
        state: &ModalState,
        view_id: &str,
        provenance: &Provenance,
    ) -> FormOutcome {
        let failed = self.failed_lines(&state.intent_id).await;
        let begun = match failed {
            Ok(lines) if lines.titles.is_empty() => None,
            Ok(lines) => {
                let id = next_attempt(&state.intent_id);
                Some(self.begin(state, &id, view_id, lines, provenance).await)
            }
            Err(stop) => Some(Err(stop)),
        };
        if !provenance.is_replay() {
            self.modals.update(view_id, &self.modals.progress(TITLE, &state.origin)).await;
        }
        match begun {
            None => self.modals.news(TITLE, &state.origin, texts::issues::forms::EXPIRED),
            Some(Ok(begun)) => self.create(begun).await,
            Some(Err(stop)) => self.not_retried(state, &stop),
        }
    }

    /// The button stays, to be pressed again.
    fn not_retried(&self, state: &ModalState, stop: &Stop) -> FormOutcome {
        let news = vec![sentence(outcome::not_begun(stop))];
        let value = self.modals.sealed_for_button(RETRY_STORIES, state);
        let button = value.map(|value| ViewButton::new(RETRY_STORIES, texts::issues::stories::RETRY, value));
        let buttons = button.into_iter().collect();
        FormOutcome::news(self.modals.notice(TITLE, &state.origin, news.clone(), buttons), news)
    }

    /// Finishes what another process left behind, and shows the result.
    pub(crate) async fn finish(&self, intent: Intent) -> Result<(), Stop> {
        let sight = self.driver.access.sight(&intent.channel, &intent.user).await;
        let (work, ended) = self.driver.resume(&mut Stories::new(sight), intent).await?;
        if ended.is_told_already() {
            return Ok(());
        }
        let outcome = self.outcome(&work, ended);
        let StoriesRecord { view_id, origin, .. } = &work.record;
        self.modals.show_late(TITLE, view_id, origin, outcome).await;
        Ok(())
    }

    /// Those of an intent, with the fields that it has for all.
    async fn failed_lines(&self, id: &str) -> Result<Lines, Stop> {
        let Some(intent) = self.driver.intents.get(id).await? else { return Ok(Lines::default()) };
        let StoriesRecord { lines, fields, .. } = Work::<StoriesRecord>::read(intent)?.record;
        let failed = lines.into_iter().filter(|line| matches!(line.state, StoryState::Failed(_)));
        Ok(Lines { titles: failed.map(|line| line.title).collect(), repeated: Vec::new(), fields })
    }

    async fn begin(
        &self,
        state: &ModalState,
        id: &str,
        view_id: &str,
        lines: Lines,
        provenance: &Provenance,
    ) -> Result<Start<StoriesRecord>, Stop> {
        let place = state.origin.place()?;
        let sight = self.driver.access.sight(&place.channel, &place.user).await;
        let record = StoriesRecord {
            origin: state.origin.clone(),
            view_id: view_id.to_owned(),
            epic: state.epic.clone().unwrap_or_default(),
            lines: lines.titles.into_iter().map(StoryLine::due).collect(),
            announcement: Announcement::Due,
            attempts: 0,
            asked_at: None,
            links_later: false,
            repeated: lines.repeated,
            fields: lines.fields,
            not_linked: None,
            reporter: sight.account().await,
        };
        let author = provenance.author(&place);
        self.driver.begin::<Stories>(id, IntentState::Begun, author, record).await
    }

    async fn create(&self, begun: Start<StoriesRecord>) -> FormOutcome {
        let mut work = match begun {
            Start::Ours(work) => work,
            Start::Known(IntentState::Finished, work) => return self.report(&work, Vec::new()),
            Start::Known(_, work) => {
                return FormOutcome::show(self.modals.progress(TITLE, &work.record.origin));
            }
        };
        let sight = self.driver.access.sight(&work.channel, &work.user).await;
        let ended = self.driver.drive(&mut Stories::new(sight), &mut work, Stage::Begun).await;
        self.outcome(&work, ended)
    }

    fn outcome(&self, work: &Work<StoriesRecord>, ended: Ended<Infallible>) -> FormOutcome {
        let origin = &work.record.origin;
        match ended {
            Ended::Done(notes) => {
                let StoriesRecord { origin, epic, not_linked, .. } = &work.record;
                let beside =
                    not_linked.iter().map(|reason| texts::issues::stories::not_under_epic(epic, reason));
                self.report(
                    work,
                    beside.chain(notes.iter().map(|note| outcome::note(note, origin))).collect(),
                )
            }
            Ended::Refused { refusal, .. } => match refusal {},
            Ended::NotBegun(stop) | Ended::Stopped(stop) => self.modals.stopped(TITLE, origin, &stop),
            Ended::Unconfirmed(_) => self.modals.news(TITLE, origin, texts::issues::forms::UNCONFIRMED),
        }
    }

    /// Shows the created key or Jira's reason for every line, and a button to retry those that failed.
    fn report(&self, work: &Work<StoriesRecord>, notes: Vec<String>) -> FormOutcome {
        let record = &work.record;
        let mut blocks: Vec<Block> = notes.iter().map(|note| sentence(note)).collect();
        let created = created_lines(record, &[]);
        let failed: Vec<_> = record
            .lines
            .iter()
            .filter_map(|line| match &line.state {
                StoryState::Failed(reason) => Some(texts::issues::stories::failed(&line.title, reason)),
                _ => None,
            })
            .collect();
        if !created.is_empty() {
            blocks.push(sentence(texts::issues::stories::CREATED));
            blocks.push(Block::items(created));
        }
        if !record.repeated.is_empty() {
            blocks.push(sentence(&texts::issues::stories::repeated(&record.repeated)));
        }
        let is_news = !failed.is_empty() || !notes.is_empty();
        let mut buttons = Vec::new();
        if !failed.is_empty() {
            blocks.push(sentence(texts::issues::stories::FAILED));
            blocks.push(Block::items(failed));
            buttons.extend(self.retry_button(work));
        }
        let news = if is_news { blocks.clone() } else { Vec::new() };
        FormOutcome::news(self.modals.notice(TITLE, &record.origin, blocks, buttons), news)
    }

    fn retry_button(&self, work: &Work<StoriesRecord>) -> Option<ViewButton> {
        let mut state = ModalState::of(work.id.clone(), work.record.origin.clone());
        state.epic = Some(work.record.epic.clone());
        let value = self.modals.sealed_for_button(RETRY_STORIES, &state)?;
        Some(ViewButton::new(RETRY_STORIES, texts::issues::stories::RETRY, value))
    }
}

/// The id of the intent that tries the failed lines of another again: the same for each press of one button.
fn next_attempt(id: &str) -> String {
    const AGAIN: &str = "-again";
    let (first, number) = id.rsplit_once(AGAIN).unwrap_or((id, ""));
    match number.strip_prefix('-').and_then(|number| number.parse::<u32>().ok()) {
        Some(number) => format!("{first}{AGAIN}-{}", number.saturating_add(1)),
        None if id.ends_with(AGAIN) => format!("{id}-2"),
        None => format!("{id}{AGAIN}"),
    }
}

/// Where the stories of a form go, for the way to Jira's own form.
pub(super) fn story_place(state: &ModalState) -> CreateInputs {
    let choice = |value: &Option<String>| value.as_ref().map(|value| Choice::new(value, value));
    CreateInputs {
        project: choice(&state.project),
        issue_type: choice(&state.issue_type),
        ..CreateInputs::default()
    }
}

/// The form for stories under an epic, with `heading` at its top, and inputs for what Jira demands of every story.
pub(super) fn stories_view(
    modals: &Modals,
    state: &ModalState,
    heading: &[Block],
    lines: &str,
    demanded: &Demanded,
) -> View {
    let hint = texts::issues::stories::hint(MAX_SUMMARY_LENGTH, MAX_ENTERED);
    let state = &ModalState { asked: demanded.asked(), ..state.clone() };
    let mut view = View::modal(CREATE_STORIES, TITLE)
        .with_submit(texts::issues::forms::CREATE)
        .with_private_metadata(modals.sealed(CREATE_STORIES, state));
    heading.iter().for_each(|block| view.push(modals.section(&state.origin, vec![block.clone()])));
    view.push(
        TextInput::multi_line(STORIES, texts::issues::stories::LABEL).with_hint(hint).with_initial(lines),
    );
    demanded.inputs().into_iter().for_each(|input| view.push(input));
    view
}

#[cfg(test)]
mod tests {
    use super::next_attempt;

    #[test]
    fn however_often_stories_are_tried_again_their_ids_stay_short_and_differ() {
        let mut ids = vec!["i-1".to_owned()];
        for _ in 0..4 {
            ids.push(next_attempt(ids.last().unwrap()));
        }
        assert_eq!(ids, ["i-1", "i-1-again", "i-1-again-2", "i-1-again-3", "i-1-again-4"]);
        // As releases before had it.
        assert_eq!(next_attempt("i-1-again-again"), "i-1-again-again-2");
    }
}
