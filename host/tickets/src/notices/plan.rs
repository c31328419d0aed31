//! Which message is next in a channel. Does no I/O.

use std::time::Duration;

use maro_domain::issue::{Issue, IssueId};
use maro_store::notices::{ClaimedChannel, Head, LastReply, Recent, Thread, Waiting};

/// How long a message takes up later changes.
pub(super) const EDITABLE: Duration = Duration::from_secs(60);

/// Changes of more issues than this at a time are one message.
const MAX_SEPARATE: usize = 3;

/// All that waits of one issue, as one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change<'a> {
    /// As Jira shows it now.
    pub(super) issue: &'a Issue,
    pub(super) ids: Vec<i64>,
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) set_by: Option<&'a str>,
    pub(super) thread: &'a Thread,
}

impl<'a> Change<'a> {
    pub(super) fn issue_id(&self) -> &'a IssueId {
        &self.issue.id
    }

    /// The last answer, if this change still goes into it.
    fn reply(&self) -> Option<&'a LastReply> {
        self.thread.reply.as_ref().filter(|reply| reply.message.age < EDITABLE)
    }
}

/// The next message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// Changes that were taken back before anybody was told.
    Drop(Vec<i64>),
    /// A message about many issues. Those in the one with this timestamp are in it, too.
    Many(Vec<Change<'a>>, Option<&'a Recent>),
    /// A thread's head line.
    Head(Change<'a>),
    /// The last answer in a thread, which takes up this change.
    Edit(Change<'a>, &'a LastReply),
    /// A new answer in the thread of this message, whose text is kept up to date if it is a head line.
    Reply(Change<'a>, &'a str, bool),
    /// A message by itself, which begins the thread: a head line may or may not be there.
    Alone(Change<'a>),
}

/// What waits, one change for each issue, in the order of the first.
pub(super) fn merge<'a>(told: &[(&'a Waiting, &'a Issue)]) -> Vec<Change<'a>> {
    let mut changes: Vec<Change<'a>> = Vec::new();
    for &(notice, issue) in told {
        match changes.iter_mut().find(|change| change.issue.id == issue.id) {
            Some(change) => {
                change.ids.push(notice.id);
                (change.to, change.set_by) = (&notice.to, notice.set_by.as_deref());
            }
            None => changes.push(Change {
                issue,
                ids: vec![notice.id],
                from: &notice.from,
                to: &notice.to,
                set_by: notice.set_by.as_deref(),
                thread: &notice.thread,
            }),
        }
    }
    changes
}

/// The next message. `None` if there is nothing to tell.
pub(super) fn next<'a>(claimed: &'a ClaimedChannel, changes: Vec<Change<'a>>) -> Option<Step<'a>> {
    let is_void = |change: &&Change<'_>| change.from == change.to && change.reply().is_none();
    let void: Vec<i64> = changes.iter().filter(is_void).flat_map(|change| change.ids.clone()).collect();
    if !void.is_empty() {
        return Some(Step::Drop(void));
    }
    let bulk = claimed.bulk.as_ref().filter(|bulk| bulk.age < EDITABLE);
    let (edits, new): (Vec<_>, Vec<_>) = changes.into_iter().partition(|change| change.reply().is_some());
    if new.len() > MAX_SEPARATE || (bulk.is_some() && !new.is_empty()) {
        return Some(Step::Many(new, bulk));
    }
    // What corrects a message comes first.
    let change = edits.into_iter().chain(new).next()?;
    Some(match (&change.thread.head, change.reply()) {
        (_, Some(reply)) => Step::Edit(change, reply),
        (Head::None, None) => Step::Head(change),
        (Head::Uncertain, None) => Step::Alone(change),
        (Head::Known { ts, is_line }, None) => Step::Reply(change, ts, *is_line),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use maro_domain::{ids::ChannelId, issue::IssueKey};
    use maro_store::notices::{Kind, Mode};

    fn issue(number: usize) -> Issue {
        let key = IssueKey::parse(&format!("A-{}", number + 1)).unwrap();
        Issue::new(IssueId::new(number.to_string()), key, "A summary", "Done")
    }

    fn waiting(id: i64, from: &str, to: &str, thread: Thread) -> Waiting {
        Waiting {
            id,
            issue_id: IssueId::new("0"),
            key: IssueKey::parse("A-1").unwrap(),
            kind: Kind::Status,
            from: from.to_owned(),
            to: to.to_owned(),
            set_by: Some(format!("person {id}")),
            is_tracked: true,
            tracked_by: None,
            thread,
        }
    }

    fn claimed(bulk: Option<u64>) -> ClaimedChannel {
        let bulk = bulk.map(|age| Recent { ts: "9.0".to_owned(), age: Duration::from_secs(age) });
        ClaimedChannel {
            channel: ChannelId::parse("C1").unwrap(),
            mode: Mode::Status,
            is_introduced: true,
            pauses: 0,
            bulk,
            notices: Vec::new(),
        }
    }

    fn replied(age: u64) -> Thread {
        let message = Recent { ts: "2.0".to_owned(), age: Duration::from_secs(age) };
        let reply = LastReply { message, from: "Open".to_owned(), has_choice: false };
        Thread { head: Head::Known { ts: "1.0".to_owned(), is_line: true }, reply: Some(reply) }
    }

    #[test]
    fn several_changes_of_an_issue_are_one() {
        let notices = [
            waiting(1, "Open", "In Progress", Thread::default()),
            waiting(2, "In Progress", "Done", Thread::default()),
        ];
        let (first, second) = (issue(0), issue(0));
        let changes = merge(&[(&notices[0], &first), (&notices[1], &second)]);
        let [change] = &*changes else { panic!("{changes:?}") };
        assert_eq!((change.from, change.to, change.set_by), ("Open", "Done", Some("person 2")));
        assert_eq!(change.ids, [1, 2]);
    }

    #[test]
    fn a_thread_gets_a_head_then_an_answer_and_a_fresh_answer_is_edited() {
        let (channel, issue) = (claimed(None), issue(0));
        let next_of = |thread: Thread, to: &str| {
            let notice = waiting(1, "Open", to, thread);
            let step = next(&channel, merge(&[(&notice, &issue)]));
            match step {
                Some(Step::Head(_)) => "head",
                Some(Step::Reply(_, "1.0", true)) => "reply",
                Some(Step::Edit(..)) => "edit",
                Some(Step::Alone(_)) => "alone",
                Some(Step::Drop(_)) => "drop",
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(next_of(Thread::default(), "Done"), "head");
        assert_eq!(next_of(Thread { head: Head::Uncertain, reply: None }, "Done"), "alone");
        assert_eq!(next_of(replied(60), "Done"), "reply");
        assert_eq!(next_of(replied(59), "Done"), "edit");
        assert_eq!(next_of(replied(60), "Open"), "drop", "nobody was told of what was taken back");
        assert_eq!(next_of(replied(59), "Open"), "edit", "what was told is corrected");
    }

    #[test]
    fn many_issues_are_one_message() {
        let issues: Vec<Issue> = (0..5).map(issue).collect();
        let notices: Vec<Waiting> =
            (0..5).map(|number| waiting(number, "Open", "Done", Thread::default())).collect();
        let told: Vec<_> = notices.iter().zip(&issues).collect();
        let quiet = claimed(None);
        assert!(matches!(next(&quiet, merge(&told[..3])), Some(Step::Head(_))));
        let Some(Step::Many(changes, None)) = next(&quiet, merge(&told[..4])) else { panic!() };
        assert_eq!(changes.len(), 4);
        let recent = claimed(Some(59));
        assert!(matches!(next(&recent, merge(&told[..1])), Some(Step::Many(_, Some(_)))));
        let old = claimed(Some(60));
        assert!(matches!(next(&old, merge(&told[..1])), Some(Step::Head(_))));
        assert_eq!(next(&quiet, Vec::new()), None);
    }
}
