//! The end of a trial: all is settled, counted and held against what was said.

use std::{
    collections::{BTreeMap, HashSet},
    io::Write as _,
    time::{Duration, Instant},
};

use maro_simulation::slack::shown::terminal;
use tokio::time::sleep;

use super::{
    Trial,
    ledger::{Standing, Word},
};
use crate::raw::query;

/// Longer than three rounds of the sync.
const LATE: Duration = Duration::from_secs(60);

/// Longer than a replica takes to notice what nobody works on any more, and to look for it in Jira.
const RECOVERY: Duration = Duration::from_secs(180);

/// What is wrong, and what was counted.
#[derive(Default)]
struct Verdict {
    wrong: Vec<String>,
    counted: Vec<String>,
}

impl Verdict {
    /// Notes `what` for each of `found`.
    fn none(&mut self, what: &str, found: &[String]) {
        self.counted.push(format!("{}: {}", what, found.len()));
        self.wrong.extend(found.iter().map(|found| format!("{what}: {found}")));
    }
}

impl Trial {
    /// Waits until nothing is open any more, prints what was counted, and fails if any of it is wrong.
    pub(super) async fn judge(&self, header: &str, kills: usize) {
        self.world.jira.clear_fault();
        self.world.slack.clear_faults();
        crate::bot::until("a replica is ready", async || self.balancer.ready() > 0).await;
        self.finish_intents().await;
        // Late is late: what is still missing then is counted below.
        let begun = Instant::now();
        while !self.untold().is_empty() && begun.elapsed() < LATE {
            sleep(Duration::from_millis(200)).await;
        }

        let mut verdict = Verdict::default();
        self.judge_lists(&mut verdict).await;
        self.judge_wishes(&mut verdict).await;
        self.judge_notices(&mut verdict, kills).await;
        self.judge_requests(&mut verdict);
        let report = format!("trial, {header}\n  {}\n", verdict.counted.join("\n  "));
        // Not println!, which the test harness swallows when the test passes.
        let _ = std::io::stderr().write_all(report.as_bytes());
        assert!(verdict.wrong.is_empty(), "{report}\n{}", verdict.wrong.join("\n"));
    }

    /// Waits until nothing is under way in Jira. Nobody asks it for anything new any more.
    async fn finish_intents(&self) {
        let open = "SELECT id || ' ' || kind || ' ' || state || ' ' || updated_at || ' ' || data FROM ticket_intents \
                    WHERE state IN ('begun', 'confirmed')";
        self.world.end_leases().await;
        let begun = Instant::now();
        loop {
            let left = query(&self.world.database, open).await;
            if left.is_empty() {
                return;
            }
            assert!(begun.elapsed() < RECOVERY, "these were never finished: {left:#?}");
            self.world.end_requests().await;
            sleep(Duration::from_secs(1)).await;
        }
    }

    /// How often each `channel key` is on a list.
    async fn rows(&self) -> BTreeMap<String, usize> {
        let rows = "SELECT channel_id || ' ' || issue_key FROM channel_tracked_issues";
        let mut counts = BTreeMap::new();
        for row in query(&self.world.database, rows).await {
            *counts.entry(row).or_default() += 1;
        }
        counts
    }

    fn row(&self, channel: &str, key: &str) -> String {
        let channels = &self.world.slack.workspace().channels;
        let channel = channels.iter().find(|known| known.name == channel).unwrap();
        format!("{} {key}", channel.id)
    }

    async fn judge_lists(&self, verdict: &mut Verdict) {
        let rows = self.rows().await;
        let entries = self.ledger.entries();
        let count = |channel: &str, key: &str| rows.get(&self.row(channel, key)).copied().unwrap_or(0);
        let of = |standing: Standing, is_wrong: fn(usize) -> bool| -> Vec<String> {
            let standing = entries.lists.iter().filter(move |(_, known)| **known == standing);
            let wrong = standing.filter(|((channel, key), _)| is_wrong(count(channel, key)));
            wrong.map(|((channel, key), _)| format!("{key} in #{channel}")).collect()
        };
        let [done, refused, unclear] = entries.said;
        verdict
            .counted
            .push(format!("changes: {done} acknowledged, {refused} refused, {unclear} unanswered"));
        verdict.counted.extend(entries.refusals.iter().map(|(said, times)| format!("  {times} × {said:?}")));
        verdict.counted.push(format!("entries of lists that were changed: {}", entries.lists.len()));
        verdict.none("tracked, and not on the list", &of(Standing::Listed, |rows| rows == 0));
        verdict.none("untracked, and still on the list", &of(Standing::Absent, |rows| rows > 0));
        let doubled: Vec<_> =
            rows.iter().filter(|(_, rows)| **rows > 1).map(|(row, _)| row.clone()).collect();
        verdict.none("on a list twice", &doubled);
        verdict.none("answers that contradict an earlier one", &entries.contradictions);
    }

    async fn judge_wishes(&self, verdict: &mut Verdict) {
        let rows = self.rows().await;
        let created = self.world.jira.created_issues();
        let entries = self.ledger.entries();
        let [mut lost, mut forbidden, mut doubled] = [const { Vec::new() }; 3];
        let [mut untracked, mut untold, mut told_twice] = [const { Vec::new() }; 3];
        for wish in &entries.wishes {
            let issues: Vec<_> = created.iter().filter(|issue| issue.summary == wish.summary).collect();
            let posted = self.posts(wish.channel, &wish.summary);
            match (issues.len(), wish.word) {
                (0, Word::Done) => lost.push(format!("{} {:?}", wish.summary, wish.said)),
                (0, _) => {}
                (_, Word::Refused) => forbidden.push(wish.summary.clone()),
                (1, _) => {}
                (count, _) => doubled.push(format!("{} × {}", count, wish.summary)),
            }
            let is_listed = |key: &str| rows.contains_key(&self.row(wish.channel, key));
            untracked.extend(
                issues
                    .iter()
                    .map(|issue| issue.key.as_str())
                    .filter(|key| !is_listed(key))
                    .map(str::to_owned),
            );
            if posted == 0 && !issues.is_empty() {
                untold.push(wish.summary.clone());
            }
            if posted > 1 {
                told_twice.push(format!("{posted} × {}", wish.summary));
            }
        }
        let word = |word| entries.wishes.iter().filter(|wish| wish.word == word).count();
        verdict.counted.push(format!(
            "issues wanted: {} acknowledged, {} refused, {} unanswered; in Jira: {}",
            word(Word::Done),
            word(Word::Refused),
            word(Word::Unclear),
            created.len()
        ));
        verdict.none("acknowledged, and not in Jira", &lost);
        verdict.none("refused, and in Jira", &forbidden);
        verdict.none("in Jira twice", &doubled);
        verdict.none("created, and not tracked", &untracked);
        verdict.none("told twice", &told_twice);
        // A message that was on its way when its replica was killed.
        verdict.counted.push(format!("created, and the channel wasn't told: {}", untold.len()));
    }

    /// In how many messages to a channel a text is.
    fn posts(&self, channel: &str, text: &str) -> usize {
        let names = self.world.slack.workspace().names();
        let posted = self.world.slack.posted(channel);
        posted.iter().filter(|message| terminal::message_text(message, &names).contains(text)).count()
    }

    /// How often a change to Done is told in #general.
    fn times_told(&self, key: &str) -> usize {
        let names = self.world.slack.workspace().names();
        let posted = self.world.slack.posted("general");
        let texts = posted.iter().map(|message| terminal::message_text(message, &names));
        let is_change = |line: &str| line.contains(&format!("{key}: ")) && line.contains("→ Done");
        texts.map(|text| text.lines().filter(|line| is_change(line)).count()).sum()
    }

    /// Without as many as messages about many issues count and don't name.
    fn untold(&self) -> Vec<String> {
        let done = self.ledger.entries().done.clone();
        let unnamed = self.counted_alone();
        done.into_iter().filter(|key| self.times_told(key) == 0).skip(unnamed).collect()
    }

    fn counted_alone(&self) -> usize {
        let names = self.world.slack.workspace().names();
        let posted = self.world.slack.posted("general");
        let texts: Vec<String> =
            posted.iter().map(|message| terminal::message_text(message, &names)).collect();
        let lines = texts.iter().filter(|text| text.contains("changed status")).flat_map(|text| text.lines());
        let count = |line: &str| line.strip_prefix("and ")?.split_once(" more.")?.0.parse::<usize>().ok();
        lines.filter_map(count).sum()
    }

    async fn judge_notices(&self, verdict: &mut Verdict, kills: usize) {
        let done = self.ledger.entries().done.clone();
        verdict.counted.push(format!("changes in Jira to tell: {}", done.len()));
        // Where the app may not read history, what was on its way when a replica was killed is lost: one message each
        // time, at most.
        let (untold, losses) = (self.untold(), if self.reads_history { 0 } else { kills });
        verdict.counted.push(format!("changes never told: {}, {losses} may be lost", untold.len()));
        if untold.len() > losses {
            verdict.wrong.push(format!("changes that nobody was told of: {untold:?}"));
        }
        // What the outbox says was told is there.
        let sent = "SELECT channel_id || ' ' || message_ts FROM notice_outbox WHERE state = 'sent'";
        let sent = query(&self.world.database, sent).await;
        let messages = self.world.slack.messages();
        let posted: HashSet<String> =
            messages.iter().map(|message| format!("{} {}", message.channel, message.ts)).collect();
        verdict.counted.push(format!("changes that the outbox says were told: {}", sent.len()));
        let missing: Vec<String> = sent.into_iter().filter(|sent| !posted.contains(sent)).collect();
        verdict.none("told by the outbox, and not in Slack", &missing);
        let twice: Vec<_> = done.into_iter().filter(|key| self.times_told(key) > 1).collect();
        verdict.none("changes told twice", &twice);
    }

    fn judge_requests(&self, verdict: &mut Verdict) {
        let passed = self.balancer.passed();
        verdict.counted.push(format!(
            "requests: {} answered, {} cut off by a kill, {} while nobody was ready",
            passed.answered, passed.cut_off, passed.refused
        ));
        verdict.none("requests refused by a replica that nobody killed", &passed.failed);
        let mut problems = self.world.slack.problems();
        // A replica was killed while somebody closed a form, or a form was closed while it was drawn again.
        let is_of_closed_forms = |problem: &String| {
            problem.contains("wasn't acknowledged") || problem.contains("views.update: not_found")
        };
        problems.retain(|problem| !is_of_closed_forms(problem));
        verdict.none("answers that Slack would refuse", &problems);
    }
}
