//! Creates one ticket, from the submitted form to the modal with the result.

use std::{sync::Arc, time::Duration};

use crate::{
    create::{Create, NotCreated},
    duplicates::{DuplicateSearch, Similar},
    form::{
        create::{
            fields::Screen,
            screens::Screens,
            views::{
                CreateInputs, FormAgain, PROJECT, SUMMARY, create_view, duplicates_again, duplicates_view,
                read_form, to_try_again, unanswered_view,
            },
        },
        modal::{
            modal_calls::Modals,
            outcome::{self, FormOutcome, not_begun_form, sentence, with_notes},
            state::ModalState,
        },
    },
    intents::{
        exactly_once::{Driver, Ended, Note, Stage, Start},
        records::CreateRecord,
    },
    provenance::Provenance,
};
use maro_access::policy_in_channel::Sight;
use maro_domain::reply::Block;
use maro_process::telemetry::error_chain;
use maro_slack::{interaction::view_state::ViewState, view::View};
use maro_store::intents::{
    Intent, IntentState,
    work::{Stop, Work},
};
use maro_texts::{self as texts, issues::created::CREATE_TITLE};

/// How long Jira may take to list a project's types. Usually the list is still in the cache.
const TYPES_PATIENCE: Duration = Duration::from_millis(700);

/// Handles the submitted form for a new ticket.
pub(crate) struct CreateForm {
    pub(crate) driver: Arc<Driver>,
    pub(crate) modals: Arc<Modals>,
    pub(crate) duplicates: DuplicateSearch,
    pub(crate) screens: Arc<Screens>,
}

impl CreateForm {
    /// The create form was submitted: looks for similar tickets, then creates.
    pub(crate) async fn submit(
        &self,
        state: ModalState,
        view: ViewState,
        provenance: &Provenance,
    ) -> FormOutcome {
        self.submitted(state, view, provenance, true).await
    }

    /// "Create anyway" under a form whose similar tickets couldn't be looked for.
    pub(crate) async fn submit_unchecked(
        &self,
        state: ModalState,
        view: ViewState,
        provenance: &Provenance,
    ) -> FormOutcome {
        self.submitted(state, view, provenance, false).await.without_inputs()
    }

    async fn submitted(
        &self,
        mut state: ModalState,
        view: ViewState,
        provenance: &Provenance,
        is_looked_for: bool,
    ) -> FormOutcome {
        let mut inputs = CreateInputs::read(&state.asked, &view.values);
        if let (Some(project), Some(chosen)) = (&inputs.project, inputs.issue_type.take()) {
            // If Jira has no such type there, it will say so.
            inputs.issue_type = Some(self.screens.type_in(&project.value, chosen, TYPES_PATIENCE).await);
        }
        let screen = self.screen_for(&state, &inputs).await;
        if let Some(screen) = &screen {
            // Whatever draws the form again draws its selects as they were.
            (inputs.options, inputs.wants_description) = (screen.options.clone(), screen.wants_description);
        }
        let record = match read_form(&state, &view.id, inputs.clone()) {
            Ok(record) => record,
            Err(errors) => {
                let notices: Vec<Block> = errors.values().map(|error| sentence(error)).collect();
                return FormOutcome::errors(errors, create_view(&self.modals, &state, &inputs, &notices));
            }
        };
        let sight = match record.origin.place() {
            Ok(place) => self.driver.access.sight(&place.channel, &place.user).await,
            Err(stop) => return self.modals.stopped(CREATE_TITLE, &state.origin, &stop),
        };
        if let Err(rule) = sight.creates(&record.project_key).await {
            let sentence = texts::rights::access::not_created(&record.project_key, &rule);
            if let Ok(place) = record.origin.place() {
                let author = provenance.author(&place);
                self.driver.audit.refused(&author, "create", &record.project_key).await;
            }
            let notice = outcome::sentence(&sentence);
            let form = create_view(&self.modals, &state, &inputs, &[notice]);
            return FormOutcome::errors([(PROJECT.to_owned(), sentence)].into(), form);
        }
        let record = match self.fitted(&state, record, &inputs, screen).await {
            Ok(record) => record,
            Err(outcome) => return outcome,
        };
        let record = CreateRecord { reporter: sight.account().await, ..record };
        let work = match self.draft(&state, record, &inputs, provenance).await {
            Ok(work) => work,
            Err(outcome) => return outcome,
        };
        let similar = match is_looked_for {
            true => self.duplicates.find(&work.record, &sight).await,
            false => Similar::None,
        };
        let is_answered = matches!(similar, Similar::None | Similar::Unchecked);
        if is_looked_for
            && !is_answered
            && let Some(cancelled) = self.cancelled(&work).await
        {
            return cancelled;
        }
        let is_unchecked = match similar {
            Similar::Found(similar) => {
                state.candidates = similar.iter().map(|ticket| ticket.key.as_str().to_owned()).collect();
                state.summary = Some(work.record.summary.clone());
                // They are in the draft, and this modal doesn't ask for them.
                state.asked.clear();
                let view = duplicates_view(&self.modals, &state, &work.record.summary, &similar, &[]);
                return FormOutcome::news(view, vec![sentence(texts::issues::forms::CLOSED_TOO_EARLY)]);
            }
            Similar::None => false,
            Similar::Unchecked => true,
            Similar::Unanswered => {
                state.project = Some(work.record.project_key.clone());
                let form = unanswered_view(&self.modals, &state, &inputs);
                return FormOutcome::news(form, vec![sentence(texts::issues::forms::CLOSED_TOO_EARLY)]);
            }
        };
        self.create(work, sight, is_unchecked).await
    }

    /// "Create anyway" under the similar tickets.
    pub(crate) async fn submit_anyway(&self, state: &ModalState, provenance: &Provenance) -> FormOutcome {
        let origin = &state.origin;
        let intent = match self.driver.intents.get(&state.intent_id).await {
            Ok(Some(intent)) => intent,
            Ok(None) => return self.modals.news(CREATE_TITLE, origin, texts::issues::forms::EXPIRED),
            Err(_) => {
                let notice = texts::failures::database::NOTHING_BEGUN;
                return duplicates_again(&self.driver, &self.modals, state, notice).await;
            }
        };
        let is_draft = matches!(intent.state, IntentState::Draft | IntentState::Failed);
        match Work::<CreateRecord>::read(intent) {
            // The modal with the similar tickets has no inputs to put errors beside.
            Ok(mut work) if is_draft => {
                let place = match work.record.origin.place() {
                    Ok(place) => place,
                    Err(stop) => return self.modals.stopped(CREATE_TITLE, origin, &stop),
                };
                work.author = provenance.author(&place);
                let sight = self.driver.access.sight(&place.channel, &place.user).await;
                self.create(work, sight, false).await.without_inputs()
            }
            Ok(work) => self.known(&work),
            Err(stop) => self.modals.stopped(CREATE_TITLE, origin, &stop),
        }
    }

    /// Finishes what another process left behind, and shows the result.
    pub(crate) async fn finish(&self, intent: Intent) -> Result<(), Stop> {
        let sight = self.driver.access.sight(&intent.channel, &intent.user).await;
        let (work, ended) = self.driver.resume(&mut Create { sight }, intent).await?;
        if ended.is_told_already() {
            return Ok(());
        }
        let outcome = self.outcome(&work, ended, false).await;
        let CreateRecord { view_id, origin, .. } = &work.record;
        self.modals.show_late(CREATE_TITLE, view_id, origin, outcome).await;
        Ok(())
    }

    /// The fields of the chosen type, if Jira says soon which there are.
    async fn screen_for(&self, state: &ModalState, inputs: &CreateInputs) -> Option<Screen> {
        let place = (inputs.project.as_ref()?.value.as_str(), inputs.issue_type.as_ref()?.value.as_str());
        let asked = state.asked.iter().filter(|field| field.is_required).map(|field| field.id.clone());
        let asked: Vec<String> = asked.collect();
        self.screens.read(place, &asked, TYPES_PATIENCE).await.ok()
    }

    /// What was filled in, without fields that another type has; or the form with what Jira demands beyond what it
    /// asked for. Unchanged if Jira doesn't say soon which fields there are.
    async fn fitted(
        &self,
        state: &ModalState,
        mut record: CreateRecord,
        inputs: &CreateInputs,
        screen: Option<Screen>,
    ) -> Result<CreateRecord, FormOutcome> {
        let Some(screen) = screen else { return Ok(record) };
        let missing = screen.missing_from(&state.asked);
        let names: Vec<&str> = missing.iter().map(|field| field.name.as_str()).collect();
        if names.is_empty() {
            let is_there = |id: &str| screen.asked.iter().any(|field| field.id == id);
            // Nothing at all says rather that Jira didn't say.
            record.fields.retain(|field| screen.asked.is_empty() || is_there(&field.asked.id));
            return Ok(record);
        }
        let mut state = state.clone();
        (state.project, state.issue_type) = (Some(record.project_key), Some(record.issue_type_id));
        let inputs = inputs.clone().on(&screen);
        let mut notices = vec![sentence(&texts::issues::forms::more_fields(&names))];
        notices.extend(self.screens.beyond(&screen, &inputs).await);
        let form = create_view(&self.modals, &state, &inputs, &notices);
        Err(FormOutcome::news(form, notices))
    }

    /// Saves the form as a draft. A draft does nothing by itself, so submitting it twice does no harm.
    async fn draft(
        &self,
        state: &ModalState,
        record: CreateRecord,
        inputs: &CreateInputs,
        provenance: &Provenance,
    ) -> Result<Work<CreateRecord>, FormOutcome> {
        let stopped = |stop: Stop| match stop {
            Stop::Store(_) => not_begun_form(&stop, SUMMARY, |notice| {
                create_view(&self.modals, state, inputs, &[sentence(notice)])
            }),
            _ => self.modals.stopped(CREATE_TITLE, &state.origin, &stop),
        };
        let author = provenance.author(&record.origin.place().map_err(stopped)?);
        let started = self
            .driver
            .begin::<Create>(&state.intent_id, IntentState::Draft, author, record.clone())
            .await
            .map_err(stopped)?;
        match started {
            Start::Ours(work) => Ok(work),
            Start::Known(_, work) if work.record.is_cancelled => Err(self.said_cancelled(&state.origin)),
            Start::Known(IntentState::Draft | IntentState::Failed, mut work) => {
                let CreateRecord { attempts, is_repeated, .. } = work.record;
                work.record = CreateRecord { attempts, is_repeated, ..record };
                match self.driver.save(&mut work, IntentState::Draft).await {
                    Ok(()) => Ok(work),
                    Err(stop @ Stop::Lost) => {
                        Err(self.cancelled(&work).await.unwrap_or_else(|| stopped(stop)))
                    }
                    Err(stop) => Err(stopped(stop)),
                }
            }
            Start::Known(_, work) => Err(self.known(&work)),
        }
    }

    /// `is_unchecked` says that the search for similar tickets failed.
    async fn create(&self, mut work: Work<CreateRecord>, sight: Sight, is_unchecked: bool) -> FormOutcome {
        let ended = self.driver.drive(&mut Create { sight }, &mut work, Stage::Draft).await;
        if matches!(ended, Ended::Stopped(Stop::Lost))
            && let Some(cancelled) = self.cancelled(&work).await
        {
            return cancelled;
        }
        self.outcome(&work, ended, is_unchecked).await
    }

    async fn outcome(
        &self,
        work: &Work<CreateRecord>,
        ended: Ended<NotCreated>,
        is_unchecked: bool,
    ) -> FormOutcome {
        let origin = &work.record.origin;
        match ended {
            Ended::Done(notes) => {
                let unchecked = is_unchecked.then(|| texts::issues::created::DUPLICATES_UNCHECKED.to_owned());
                let notes: Vec<String> =
                    unchecked.into_iter().chain(notes.iter().map(|note| text_of(note, work))).collect();
                if notes.is_empty() { FormOutcome::Close } else { self.result(&work.record, &notes) }
            }
            Ended::NotBegun(stop) => {
                let FormAgain { state, inputs } = self.again(work).await;
                not_begun_form(&stop, SUMMARY, |notice| {
                    create_view(&self.modals, &state, &inputs, &[sentence(notice)])
                })
            }
            Ended::Refused { unwritten: Some(stop), .. } | Ended::Stopped(stop) => {
                self.modals.stopped(CREATE_TITLE, origin, &stop)
            }
            Ended::Refused { refusal, unwritten: None } => self.refused(work, refusal).await,
            // The intent is saved, and recovery looks again.
            Ended::Unconfirmed(_) => {
                self.modals.news(CREATE_TITLE, origin, texts::issues::forms::UNCONFIRMED)
            }
        }
    }

    async fn refused(&self, work: &Work<CreateRecord>, refusal: NotCreated) -> FormOutcome {
        match refusal {
            NotCreated::Refused { fields, messages } => self.refused_by_jira(work, fields, messages).await,
            NotCreated::Failed(error) => {
                tracing::warn!(intent = work.id, error = error_chain(&error), "a ticket wasn't created");
                let (is_away, notice) = (error.is_outage(), texts::failures::jira::failed(&error));
                let form = self.form_with(work, &notice).await;
                FormOutcome::news(if is_away { to_try_again(form) } else { form }, vec![sentence(&notice)])
            }
            NotCreated::Withheld(rule) => {
                let notice = texts::rights::access::not_created(&work.record.project_key, &rule);
                FormOutcome::news(self.form_with(work, &notice).await, vec![sentence(&notice)])
            }
            NotCreated::NotThere => {
                let form = self.form_with(work, texts::issues::forms::NOT_FOUND_AFTERWARDS).await;
                let news = texts::issues::forms::not_found_afterwards(&work.record.summary);
                FormOutcome::news(form, vec![sentence(&news)])
            }
        }
    }

    /// The form as it was sent, with a notice at its top.
    async fn form_with(&self, work: &Work<CreateRecord>, notice: &str) -> View {
        let FormAgain { state, inputs } = self.again(work).await;
        create_view(&self.modals, &state, &inputs, &[sentence(notice)])
    }

    /// What is shown for an intent that is no longer a draft.
    fn known(&self, work: &Work<CreateRecord>) -> FormOutcome {
        match &work.record.ticket {
            Some(_) => self.result(&work.record, &[]),
            None => FormOutcome::show(self.modals.progress(CREATE_TITLE, &work.record.origin)),
        }
    }

    fn result(&self, record: &CreateRecord, notes: &[String]) -> FormOutcome {
        let key = record.ticket.as_ref().and_then(|ticket| ticket.key().ok());
        let created = key.map(|key| Block::Paragraph(texts::issues::created::created(&key, &record.summary)));
        let (blocks, news) = with_notes(created.into_iter().collect(), notes);
        FormOutcome::news(self.modals.notice(CREATE_TITLE, &record.origin, blocks, Vec::new()), news)
    }
}

/// The sentence for a note. The ticket exists; if the intent can't be saved, tracking and telling follow
/// later.
fn text_of(note: &Note, work: &Work<CreateRecord>) -> String {
    match (note, &work.record.ticket) {
        (Note::Unwritten(_), Some(ticket)) => texts::issues::forms::created_but_pending(&ticket.key),
        _ => outcome::note(note, &work.record.origin),
    }
}
