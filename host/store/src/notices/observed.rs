//! The notices, with somebody who watches the calls.

use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::{
    database::error::DatabaseError,
    notices::{
        ClaimedChannel, DigestSetting, DueDigest, Fate, Mode, Notices, Outcome, OwnChange, Paused, Sending,
        Told,
    },
    observer::Observed,
};
use maro_domain::{
    author::Author,
    ids::ChannelId,
    issue::{IssueId, IssueKey},
};

#[async_trait]
impl Notices for Observed<dyn Notices> {
    async fn mode(&self, channel: &ChannelId) -> Result<Mode, DatabaseError> {
        self.watch("notices_mode", self.table.mode(channel)).await
    }

    async fn paused(&self, channel: &ChannelId) -> Result<Option<Paused>, DatabaseError> {
        self.watch("notices_paused", self.table.paused(channel)).await
    }

    async fn set_mode(&self, author: &Author, mode: Mode, now: Timestamp) -> Result<bool, DatabaseError> {
        self.watch("notices_set_mode", self.table.set_mode(author, mode, now)).await
    }

    async fn digest(&self, channel: &ChannelId) -> Result<Option<DigestSetting>, DatabaseError> {
        self.watch("notices_digest", self.table.digest(channel)).await
    }

    async fn set_digest(
        &self,
        author: &Author,
        setting: &DigestSetting,
        now: Timestamp,
    ) -> Result<bool, DatabaseError> {
        self.watch("notices_set_digest", self.table.set_digest(author, setting, now)).await
    }

    async fn due_digests(&self, ahead: SignedDuration) -> Result<Vec<DueDigest>, DatabaseError> {
        self.watch("notices_due_digests", self.table.due_digests(ahead)).await
    }

    async fn begin_digest(
        &self,
        due: &DueDigest,
        next: Timestamp,
        done_before: Timestamp,
        now: Timestamp,
    ) -> Result<bool, DatabaseError> {
        let begun = self.table.begin_digest(due, next, done_before, now);
        self.watch("notices_begin_digest", begun).await
    }

    async fn mute(
        &self,
        author: &Author,
        key: &IssueKey,
        is_muted: bool,
        now: Timestamp,
    ) -> Result<bool, DatabaseError> {
        self.watch("notices_mute", self.table.mute(author, key, is_muted, now)).await
    }

    async fn begin_thread(
        &self,
        channel: &ChannelId,
        issue: &IssueId,
        ts: &str,
    ) -> Result<(), DatabaseError> {
        self.watch("notices_begin_thread", self.table.begin_thread(channel, issue, ts)).await
    }

    async fn note_own_change(&self, change: &OwnChange, is_over: bool) -> Result<(), DatabaseError> {
        self.watch("notices_own_change", self.table.note_own_change(change, is_over)).await
    }

    async fn answers_keys(&self, channel: &ChannelId) -> Result<bool, DatabaseError> {
        self.watch("notices_answers_keys", self.table.answers_keys(channel)).await
    }

    async fn set_answers_keys(
        &self,
        author: &Author,
        answers: bool,
        now: Timestamp,
    ) -> Result<bool, DatabaseError> {
        self.watch("notices_set_answers_keys", self.table.set_answers_keys(author, answers, now)).await
    }

    async fn claim_shown_issue(
        &self,
        channel: &ChannelId,
        key: &IssueKey,
        within: Duration,
    ) -> Result<bool, DatabaseError> {
        self.watch("notices_show_link", self.table.claim_shown_issue(channel, key, within)).await
    }

    async fn release_shown_issue(&self, channel: &ChannelId, key: &IssueKey) -> Result<(), DatabaseError> {
        self.watch("notices_forget_link", self.table.release_shown_issue(channel, key)).await
    }

    async fn next_due(&self) -> Result<Option<Duration>, DatabaseError> {
        self.watch("notices_due", self.table.next_due()).await
    }

    async fn claim(
        &self,
        holder: i64,
        limit: u32,
        overdue: Duration,
    ) -> Result<Vec<ClaimedChannel>, DatabaseError> {
        self.watch("notices_claim", self.table.claim(holder, limit, overdue)).await
    }

    async fn told_in(&self, channel: &ChannelId, ts: &str) -> Result<Vec<Told>, DatabaseError> {
        self.watch("notices_told", self.table.told_in(channel, ts)).await
    }

    async fn begin(
        &self,
        channel: &ChannelId,
        holder: i64,
        sending: Sending<'_>,
    ) -> Result<bool, DatabaseError> {
        self.watch("notices_begin", self.table.begin(channel, holder, sending)).await
    }

    async fn finish(
        &self,
        channel: &ChannelId,
        holder: i64,
        outcome: &Outcome<'_>,
        keeps: bool,
    ) -> Result<bool, DatabaseError> {
        self.watch("notices_finish", self.table.finish(channel, holder, outcome, keeps)).await
    }

    async fn fate(&self, channel: &ChannelId, sent: Sending<'_>, ts: &str) -> Result<Fate, DatabaseError> {
        self.watch("notices_fate", self.table.fate(channel, sent, ts)).await
    }

    async fn forget_before(&self, before: Timestamp) -> Result<(), DatabaseError> {
        self.watch("notices_forget", self.table.forget_before(before)).await
    }
}
