//! What a form becomes when Jira refuses its issue: the reasons beside the inputs, and inputs for what was missing.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    filled_fields::AskedField,
    form::{
        create::{
            fields::Screen,
            submission::CreateForm,
            views::{
                CreateInputs, DESCRIPTION, FormAgain, ISSUE_TYPE, PROJECT, SUMMARY, create_view,
                errors_by_input,
            },
        },
        modal::{
            outcome::{FormOutcome, sentence},
            state::ModalState,
        },
    },
    intents::records::CreateRecord,
};
use maro_domain::reply::Block;
use maro_slack::view::input::Choice;
use maro_store::intents::work::Work;
use maro_texts as texts;

/// How long Jira may take to say again which fields there are.
const PATIENCE: Duration = Duration::from_secs(3);

impl CreateForm {
    pub(crate) async fn refused_by_jira(
        &self,
        work: &Work<CreateRecord>,
        fields: BTreeMap<String, String>,
        messages: Vec<String>,
    ) -> FormOutcome {
        let asked: Vec<&AskedField> = work.record.fields.iter().map(|field| &field.asked).collect();
        let (mut errors, others) = errors_by_input(fields, &work.record.fields);
        errors.iter_mut().for_each(|(field, reason)| *reason = told(field, reason, &asked));
        let named = errors.iter().map(|(field, reason)| beside_no_input(field, reason, &asked));
        let mut notices: Vec<Block> =
            named.chain(messages.iter().cloned()).map(|text| sentence(&text)).collect();
        let FormAgain { state, mut inputs } = self.again(work).await;
        if !others.is_empty() {
            let refused: Vec<String> = others.keys().cloned().collect();
            let screen = self.screen_of(&work.record, &refused).await.unwrap_or_default();
            let asked: Vec<&AskedField> = screen.asked.iter().collect();
            let is_askable = |said: &String| screen.asked.iter().any(|field| field.is_called(said));
            notices.extend(others.iter().map(|(field, reason)| {
                sentence(&beside_no_input(field, &told(field, reason, &asked), &asked))
            }));
            if refused.iter().all(is_askable) {
                notices.push(sentence(texts::issues::forms::FILL_IN_BELOW));
            } else {
                let address = self.screens.jira_form(&inputs).await;
                notices.push(Block::Paragraph(texts::issues::forms::create_in_jira(address.as_str())));
            }
            if refused.iter().any(is_askable) {
                inputs = inputs.on(&screen);
            }
        }
        let form = create_view(&self.modals, &state, &inputs, &notices);
        if notices.len() == errors.len() {
            return FormOutcome::errors(errors, form);
        }
        FormOutcome::news(form, notices)
    }

    /// The form as it was sent.
    pub(crate) async fn again(&self, work: &Work<CreateRecord>) -> FormAgain {
        let record = &work.record;
        let mut state = ModalState::of(work.id.clone(), record.origin.clone());
        state.project = Some(record.project_key.clone());
        state.issue_type = Some(record.issue_type_id.clone());
        // Without the screen the options of its selects are searched for.
        let screen = if record.fields.is_empty() { None } else { self.screen_of(record, &[]).await };
        let screen = screen.unwrap_or_default();
        let inputs = CreateInputs {
            // It's known by now.
            channel: None,
            project: Some(Choice::new(&record.project_key, &record.project_name)),
            issue_type: Some(Choice::new(&record.issue_type_id, &record.issue_type_name)),
            summary: record.summary.clone(),
            description: record.description.clone(),
            fields: record.fields.clone(),
            options: screen.options,
            wants_description: screen.wants_description,
        };
        FormAgain { state, inputs }
    }

    /// With what Jira refused now or before. `None` if Jira doesn't say in time.
    async fn screen_of(&self, record: &CreateRecord, refused: &[String]) -> Option<Screen> {
        let place = (record.project_key.as_str(), record.issue_type_id.as_str());
        let asked = record.fields.iter().filter(|field| field.asked.is_required).map(|field| &field.asked.id);
        let demanded: Vec<String> = asked.chain(refused).cloned().collect();
        self.screens.read(place, &demanded, PATIENCE).await.ok()
    }
}

/// Jira's reason. Where it has none but the field's id, people read the field's name.
fn told(field: &str, reason: &str, asked: &[&AskedField]) -> String {
    match asked.iter().find(|asked| asked.is_called(field)) {
        Some(asked) if asked.is_called(reason) => texts::issues::forms::field_refused(&asked.name),
        _ => reason.to_owned(),
    }
}

/// A reason that doesn't stand beside its field, and so has to say which it is about.
fn beside_no_input(field: &str, reason: &str, asked: &[&AskedField]) -> String {
    let name = match field {
        PROJECT => texts::issues::forms::PROJECT,
        ISSUE_TYPE => texts::issues::forms::ISSUE_TYPE,
        SUMMARY => texts::issues::forms::SUMMARY,
        DESCRIPTION => texts::issues::forms::DESCRIPTION,
        _ => match asked.iter().find(|asked| asked.is_called(field)) {
            Some(asked) => &asked.name,
            None => return reason.to_owned(),
        },
    };
    texts::issues::forms::about_field(name, reason)
}
