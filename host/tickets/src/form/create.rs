//! Creates one ticket, from the submitted form to the modal with the result.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use url::Url;

use crate::{
    create::{Create, NotCreated},
    duplicates::{DuplicateSearch, Similar},
    exactly_once::{Driver, Ended, Note, Stage, Start},
    form::{
        create_views::{
            CreateInputs, PROJECT, SUMMARY, create_view, duplicates_again, duplicates_view, errors_by_input,
            read_form, to_try_again, unanswered_view,
        },
        modal_state::ModalState,
        modals::Modals,
        outcome::{self, Outcome, not_begun_form, sentence, with_notes},
    },
    intent_records::CreateRecord,
    patience::deadline,
    provenance::Provenance,
    texts::{self, issues::CREATE_TITLE},
};
use maro_domain::reply::Block;
use maro_process::telemetry::error_chain;
use maro_slack::{
    interaction::view_state::ViewState,
    view::{View, input::Choice},
};
use maro_store::intents::{
    Intent, IntentState,
    work::{Stop, Work},
};

/// How long Jira may take to list a project's types. Usually the list is still in the cache.
const TYPES_PATIENCE: Duration = Duration::from_millis(700);

/// Handles the submitted form for a new ticket.
pub(crate) struct CreateForm {
    pub(crate) driver: Arc<Driver>,
    pub(crate) modals: Arc<Modals>,
    pub(crate) duplicates: DuplicateSearch,
    /// The site, for links.
    pub(crate) jira_base_url: Url,
}

impl CreateForm {
    /// The create form was submitted: looks for similar tickets, then creates.
    pub(super) async fn submit(
        &self,
        state: ModalState,
        view: ViewState,
        provenance: &Provenance,
    ) -> Outcome {
        self.submitted(state, view, provenance, true).await
    }

    /// "Create anyway" under a form whose similar tickets couldn't be looked for.
    pub(super) async fn submit_unchecked(
        &self,
        state: ModalState,
        view: ViewState,
        provenance: &Provenance,
    ) -> Outcome {
        self.submitted(state, view, provenance, false).await.without_inputs()
    }

    async fn submitted(
        &self,
        mut state: ModalState,
        view: ViewState,
        provenance: &Provenance,
        is_looked_for: bool,
    ) -> Outcome {
        let record = match read_form(&state, &view) {
            Ok(record) => self.with_type_of_project(record).await,
            Err(errors) => {
                let form = create_view(&self.modals, &state, &CreateInputs::read(&view.values), &[]);
                return Outcome::errors(errors, form);
            }
        };
        let inputs = CreateInputs::read(&view.values);
        let sight = match record.origin.place() {
            Ok(place) => self.driver.access.sight(&place.channel, &place.user).await,
            Err(stop) => return self.modals.stopped(CREATE_TITLE, &state.origin, &stop),
        };
        if let Err(rule) = sight.creates(&record.project_key).await {
            let sentence = texts::access::not_created(&record.project_key, &rule);
            if let Ok(place) = record.origin.place() {
                let author = provenance.author(&place);
                self.driver.audit.refused(&author, "create", &record.project_key).await;
            }
            let form = create_view(&self.modals, &state, &inputs, &[]);
            return Outcome::errors([(PROJECT.to_owned(), sentence)].into(), form);
        }
        let record = CreateRecord { reporter: sight.account().await, ..record };
        let work = match self.draft(&state, record, &inputs, provenance).await {
            Ok(work) => work,
            Err(outcome) => return outcome,
        };
        let similar = match is_looked_for {
            true => self.duplicates.find(&work.record, &sight).await,
            false => Similar::None,
        };
        let is_unchecked = match similar {
            Similar::Found(similar) => {
                state.candidates = similar.iter().map(|ticket| ticket.key.as_str().to_owned()).collect();
                state.summary = Some(work.record.summary.clone());
                let view = duplicates_view(&self.modals, &state, &work.record.summary, &similar, &[]);
                return Outcome::news(view, vec![sentence(texts::forms::CLOSED_TOO_EARLY)]);
            }
            Similar::None => false,
            Similar::Unchecked => true,
            Similar::Unanswered => {
                state.project = Some(work.record.project_key.clone());
                let form = unanswered_view(&self.modals, &state, &inputs);
                return Outcome::news(form, vec![sentence(texts::forms::CLOSED_TOO_EARLY)]);
            }
        };
        self.create(work, is_unchecked).await
    }

    /// "Create anyway" under the similar tickets.
    pub(super) async fn submit_anyway(&self, state: &ModalState, provenance: &Provenance) -> Outcome {
        let origin = &state.origin;
        let intent = match self.driver.intents.get(&state.intent_id).await {
            Ok(Some(intent)) => intent,
            Ok(None) => return self.modals.news(CREATE_TITLE, origin, texts::forms::EXPIRED),
            Err(_) => {
                let notice = texts::database::NOTHING_BEGUN;
                return duplicates_again(&self.driver, &self.modals, state, notice).await;
            }
        };
        let is_draft = matches!(intent.state, IntentState::Draft | IntentState::Failed);
        match Work::<CreateRecord>::read(intent) {
            // The modal with the similar tickets has no inputs to put errors beside.
            Ok(mut work) if is_draft => {
                match work.record.origin.place() {
                    Ok(place) => work.author = provenance.author(&place),
                    Err(stop) => return self.modals.stopped(CREATE_TITLE, origin, &stop),
                }
                self.create(work, false).await.without_inputs()
            }
            Ok(work) => self.known(&work),
            Err(stop) => self.modals.stopped(CREATE_TITLE, origin, &stop),
        }
    }

    /// Finishes what another process left behind, and shows the result.
    pub(crate) async fn finish(&self, intent: Intent) -> Result<(), Stop> {
        let (work, ended) = self.driver.resume(&mut Create, intent).await?;
        if ended.is_told_already() {
            return Ok(());
        }
        let outcome = self.outcome(&work, ended, false);
        let CreateRecord { view_id, origin, .. } = &work.record;
        self.modals.show_late(CREATE_TITLE, view_id, origin, outcome).await;
        Ok(())
    }

    /// If the type was chosen before the project, its id may be another project's. Then the type of the same
    /// name is taken. If there is none, Jira will say so.
    async fn with_type_of_project(&self, mut record: CreateRecord) -> CreateRecord {
        let types = self.driver.jira.get_issue_types(&record.project_key, deadline(TYPES_PATIENCE)).await;
        if let Ok(Some(types)) = types
            && types.iter().all(|issue_type| issue_type.id != record.issue_type_id)
            && let Some(meant) = types
                .into_iter()
                .find(|issue_type| issue_type.name.eq_ignore_ascii_case(&record.issue_type_name))
        {
            record.issue_type_id = meant.id;
        }
        record
    }

    /// Saves the form as a draft. A draft does nothing by itself, so submitting it twice does no harm.
    async fn draft(
        &self,
        state: &ModalState,
        record: CreateRecord,
        inputs: &CreateInputs,
        provenance: &Provenance,
    ) -> Result<Work<CreateRecord>, Outcome> {
        let stopped = |stop: Stop| match stop {
            Stop::Store(_) => not_begun_form(&stop, SUMMARY, |notice| {
                create_view(&self.modals, state, inputs, &[notice.to_owned()])
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
            Start::Known(IntentState::Draft | IntentState::Failed, mut work) => {
                let CreateRecord { attempts, is_repeated, .. } = work.record;
                work.record = CreateRecord { attempts, is_repeated, ..record };
                self.driver.save(&mut work, IntentState::Draft).await.map_err(stopped)?;
                Ok(work)
            }
            Start::Known(_, work) => Err(self.known(&work)),
        }
    }

    /// `is_unchecked` says that the search for similar tickets failed.
    async fn create(&self, mut work: Work<CreateRecord>, is_unchecked: bool) -> Outcome {
        let ended = self.driver.drive(&mut Create, &mut work, Stage::Draft).await;
        self.outcome(&work, ended, is_unchecked)
    }

    fn outcome(&self, work: &Work<CreateRecord>, ended: Ended<NotCreated>, is_unchecked: bool) -> Outcome {
        let origin = &work.record.origin;
        match ended {
            Ended::Done(notes) => {
                let unchecked = is_unchecked.then(|| texts::issues::DUPLICATES_UNCHECKED.to_owned());
                let notes: Vec<String> =
                    unchecked.into_iter().chain(notes.iter().map(|note| text_of(note, work))).collect();
                if notes.is_empty() { Outcome::Close } else { self.result(&work.record, &notes) }
            }
            Ended::NotBegun(stop) => {
                not_begun_form(&stop, SUMMARY, |notice| self.form_again(work, &[notice.to_owned()]))
            }
            Ended::Refused { unwritten: Some(stop), .. } | Ended::Stopped(stop) => {
                self.modals.stopped(CREATE_TITLE, origin, &stop)
            }
            Ended::Refused { refusal, unwritten: None } => self.refused(work, refusal),
            // The intent is saved, and recovery looks again.
            Ended::Unconfirmed(_) => self.modals.news(CREATE_TITLE, origin, texts::forms::UNCONFIRMED),
        }
    }

    fn refused(&self, work: &Work<CreateRecord>, refusal: NotCreated) -> Outcome {
        match refusal {
            NotCreated::Refused { fields, messages } => self.refused_by_jira(work, fields, messages),
            NotCreated::Failed(error) => {
                tracing::warn!(intent = work.id, error = error_chain(&error), "a ticket was not created");
                let (is_away, notice) = (error.is_outage(), texts::jira::failed(&error));
                let form = self.form_again(work, std::slice::from_ref(&notice));
                Outcome::news(if is_away { to_try_again(form) } else { form }, vec![sentence(&notice)])
            }
            NotCreated::NotThere => {
                self.form_with_notice(work, texts::forms::NOT_FOUND_AFTERWARDS.to_owned())
            }
        }
    }

    fn refused_by_jira(
        &self,
        work: &Work<CreateRecord>,
        fields: BTreeMap<String, String>,
        messages: Vec<String>,
    ) -> Outcome {
        let (errors, others) = errors_by_input(fields);
        let mut notices: Vec<String> = errors.values().cloned().chain(messages).collect();
        if !others.is_empty() {
            notices.extend(others);
            notices.push(texts::forms::create_in_jira(self.jira_base_url.as_str()));
        }
        let form = self.form_again(work, &notices);
        if notices.len() == errors.len() {
            return Outcome::errors(errors, form);
        }
        Outcome::news(form, notices.iter().map(|notice| sentence(notice)).collect())
    }

    fn form_with_notice(&self, work: &Work<CreateRecord>, notice: String) -> Outcome {
        Outcome::news(self.form_again(work, std::slice::from_ref(&notice)), vec![sentence(&notice)])
    }

    /// The form as it was submitted, to submit again under the same intent.
    fn form_again(&self, work: &Work<CreateRecord>, notices: &[String]) -> View {
        let record = &work.record;
        let mut state = ModalState::of(work.id.clone(), record.origin.clone());
        state.project = Some(record.project_key.clone());
        let inputs = CreateInputs {
            project: Some(Choice::new(&record.project_key, &record.project_name)),
            issue_type: Some(Choice::new(&record.issue_type_id, &record.issue_type_name)),
            summary: record.summary.clone(),
            description: record.description.clone(),
        };
        create_view(&self.modals, &state, &inputs, notices)
    }

    /// What is shown for an intent that is no longer a draft.
    fn known(&self, work: &Work<CreateRecord>) -> Outcome {
        match &work.record.ticket {
            Some(_) => self.result(&work.record, &[]),
            None => Outcome::show(self.modals.progress(CREATE_TITLE, &work.record.origin)),
        }
    }

    fn result(&self, record: &CreateRecord, notes: &[String]) -> Outcome {
        let key = record.ticket.as_ref().and_then(|ticket| ticket.key().ok());
        let created = key.map(|key| Block::Paragraph(texts::issues::created(&key, &record.summary)));
        let (blocks, news) = with_notes(created.into_iter().collect(), notes);
        Outcome::news(self.modals.notice(CREATE_TITLE, &record.origin, blocks, Vec::new()), news)
    }
}

/// The sentence for a note. The ticket exists; if the intent can't be saved, tracking and telling follow
/// later.
fn text_of(note: &Note, work: &Work<CreateRecord>) -> String {
    match (note, &work.record.ticket) {
        (Note::Unwritten(_), Some(ticket)) => texts::forms::created_but_pending(&ticket.key),
        _ => outcome::note(note, &work.record.origin),
    }
}
