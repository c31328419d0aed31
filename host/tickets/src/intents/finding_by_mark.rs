//! Waiting for what Jira was asked for, and looking for it by its marks.

use std::{pin::pin, time::Duration};

use tokio::time::{Instant, timeout};

use crate::{
    intents::exactly_once::Driver,
    intents::patience::{OUTAGE_PATIENCE, REFUSED_PATIENCE, deadline, longer},
    intents::wish::{Asked, Looked, Looking, Wish},
};
use maro_jira::{
    error::JiraError,
    searching::intent_marks::{Creator, Found},
};
use maro_process::telemetry::error_chain;
use maro_store::intents::{
    IntentState,
    work::{Stop, Work},
};

/// How many looks must find nothing before a ticket counts as missing.
const MIN_LOOKS: usize = 3;

impl Driver {
    /// Asks Jira, and looks for the result while its answer is waited for. `None` if that is how it was found.
    pub(crate) async fn ask<W: Wish>(
        &self,
        wish: &mut W,
        work: &mut Work<W::Record>,
    ) -> Result<Asked<Option<W::Answer>, W::Refusal>, Stop> {
        let (id, record) = (work.id.clone(), work.record.clone());
        let (marks, project) = (wish.unconfirmed(work), wish.project(&self.jira, &record).await);
        let (looking, mut pause) = (wish.looking(), self.patience.first_look);
        let found = {
            let mut asking = pin!(wish.ask(&self.jira, &id, &record, deadline(self.patience.answer)));
            loop {
                if looking != Looking::Thoroughly {
                    return Ok(asking.await.map(Some));
                }
                if let Ok(asked) = timeout(pause, asking.as_mut()).await {
                    return Ok(asked.map(Some));
                }
                pause = longer(pause);
                self.note_open(wish, work);
                // This renews the lease. If the database is away, Jira's answer is still wanted.
                if let Err(Stop::Lost) = self.save(work, IntentState::Begun).await {
                    return Err(Stop::Lost);
                }
                if marks.is_empty() {
                    continue;
                }
                let look = self.jira.find_by_intents(
                    &project,
                    Creator::Own,
                    &marks,
                    work.begun_at,
                    looking.deadline(),
                );
                let found = tokio::select! {
                    asked = &mut asking => return Ok(asked.map(Some)),
                    found = look => found.unwrap_or_default(),
                };
                if found.len() == marks.len() {
                    break found;
                }
            }
        };
        note(wish, work, found);
        Ok(Asked::Answered(None))
    }

    /// What was asked for more than once may be there more than once.
    pub(crate) async fn look_for_twins<W: Wish>(
        &self,
        wish: &mut W,
        work: &mut Work<W::Record>,
    ) -> Result<(), Stop> {
        let marks = wish.repeated(work);
        if marks.is_empty() || wish.looking() != Looking::Thoroughly {
            return Ok(());
        }
        let project = wish.project(&self.jira, &work.record).await;
        for pause in self.patience.looks {
            tokio::time::sleep(pause).await;
            // This renews the lease.
            self.save(work, IntentState::Begun).await?;
            let _ = self.look_once(wish, work, &project, &marks).await;
        }
        self.look_at_the_rest(wish, work, &project, &marks).await;
        for keys in wish.twins(&work.record) {
            tracing::warn!(intent = work.id, ?keys, "Jira has created the same thing twice");
        }
        Ok(())
    }

    /// Looks for what Jira didn't confirm, by its marks.
    pub(crate) async fn look<W: Wish>(
        &self,
        wish: &mut W,
        work: &mut Work<W::Record>,
    ) -> Result<Looked, Stop> {
        if wish.unconfirmed(work).is_empty() {
            return Ok(Looked::Found);
        }
        let looking = wish.looking();
        let project = wish.project(&self.jira, &work.record).await;
        if looking == Looking::Thoroughly && self.look_until_over(wish, work, &project).await? {
            return Ok(Looked::Found);
        }
        let mut looks = Looks::default();
        for pause in looking.pauses(&self.patience) {
            if !looking.has_time_for(pause) {
                return Ok(Looked::Unknown);
            }
            tokio::time::sleep(pause).await;
            if looking == Looking::Thoroughly {
                // This renews the lease.
                self.save(work, IntentState::Begun).await?;
            }
            let marks = wish.unconfirmed(work);
            looks.add(self.look_once(wish, work, &project, &marks).await);
            if wish.unconfirmed(work).is_empty() {
                return Ok(Looked::Found);
            }
        }
        looks.log(&work.id);
        let is_sure = looks.answered >= MIN_LOOKS;
        if looking != Looking::Thoroughly || !is_sure && !self.is_given_up(wish, work, &looks) {
            return Ok(Looked::Unknown);
        }
        let marks = wish.unconfirmed(work);
        self.look_at_the_rest(wish, work, &project, &marks).await;
        Ok(if wish.unconfirmed(work).is_empty() { Looked::Found } else { Looked::NotFound { is_sure } })
    }

    /// Whether Jira hasn't let MARO look for so long that it probably never will.
    fn is_given_up<W: Wish>(&self, wish: &W, work: &mut Work<W::Record>, looks: &Looks) -> bool {
        let patience = if looks.refusal.is_some() { REFUSED_PATIENCE } else { OUTAGE_PATIENCE };
        let asked_at = wish.asked_at(&mut work.record).and_then(|asked_at| *asked_at);
        let asked_at = asked_at.unwrap_or_else(|| work.begun_at.as_second());
        self.clock.now().as_second().saturating_sub(asked_at) >= patience.as_secs()
    }

    /// Looks until Jira can't be at work on the latest request any more. Returns whether everything was found.
    async fn look_until_over<W: Wish>(
        &self,
        wish: &mut W,
        work: &mut Work<W::Record>,
        project: &str,
    ) -> Result<bool, Stop> {
        // An older MARO didn't write that down.
        let asked_at = wish.asked_at(&mut work.record).and_then(|asked_at| *asked_at);
        let age = asked_at.map_or(0, |asked_at| self.clock.now().as_second().saturating_sub(asked_at));
        let age = Duration::from_secs(u64::try_from(age).unwrap_or(0));
        let end = deadline(self.patience.afterlife.saturating_sub(age));
        let mut pause = self.patience.looks[0];
        while Instant::now() < end {
            tokio::time::sleep_until(end.min(deadline(pause))).await;
            pause = longer(pause);
            // This renews the lease.
            self.save(work, IntentState::Begun).await?;
            let marks = wish.unconfirmed(work);
            let _ = self.look_once(wish, work, project, &marks).await;
            if wish.unconfirmed(work).is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Looks in Jira's index, and notes what is there.
    async fn look_once<W: Wish>(
        &self,
        wish: &mut W,
        work: &mut Work<W::Record>,
        project: &str,
        marks: &[String],
    ) -> Result<(), JiraError> {
        let deadline = wish.looking().deadline();
        let found = self.jira.find_by_intents(project, Creator::Own, marks, work.begun_at, deadline).await?;
        note(wish, work, found);
        Ok(())
    }

    /// Notes that Jira may be at work on the request at this moment.
    pub(crate) fn note_open<W: Wish>(&self, wish: &W, work: &mut Work<W::Record>) {
        if let Some(asked_at) = wish.asked_at(&mut work.record) {
            *asked_at = Some(self.clock.now().as_second());
        }
    }

    /// Looks at what the looks before can't show, and notes what is there: issues that Jira's index may not have yet,
    /// and those that another account created, as before its credentials were replaced.
    async fn look_at_the_rest<W: Wish>(
        &self,
        wish: &mut W,
        work: &mut Work<W::Record>,
        project: &str,
        marks: &[String],
    ) {
        let mut looks = Looks::default();
        let found = self.jira.find_newest(project, marks, wish.looking().deadline()).await;
        looks.add(found.map(|found| note(wish, work, found)));
        let deadline = wish.looking().deadline();
        let found = self.jira.find_by_intents(project, Creator::Anyone, marks, work.begun_at, deadline).await;
        looks.add(found.map(|found| note(wish, work, found)));
        looks.log(&work.id);
    }
}

/// How several looks ended.
#[derive(Default)]
struct Looks {
    answered: usize,
    /// The latest answer that wasn't one, although Jira isn't away.
    refusal: Option<JiraError>,
}

impl Looks {
    fn add(&mut self, looked: Result<(), JiraError>) {
        match looked {
            Ok(()) => self.answered += 1,
            Err(error) if !error.is_outage() => self.refusal = Some(error),
            Err(_) => {}
        }
    }

    /// Once for all of them: as a rule, they fail for the same reason.
    fn log(&self, intent: &str) {
        if let Some(error) = &self.refusal {
            tracing::warn!(intent, error = error_chain(error), "couldn't search for an unconfirmed issue");
        }
    }
}

fn note<W: Wish>(wish: &mut W, work: &mut Work<W::Record>, found: Found) {
    for (mark, tickets) in found {
        for ticket in tickets {
            wish.found(work, &mark, ticket);
        }
    }
}
