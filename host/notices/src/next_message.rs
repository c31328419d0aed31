//! Which message is next in a channel. Does no I/O.

use crate::{change::Change, digests::content::Digest, edit_window};
use maro_domain::issue::{Issue, StatusCategory};
use maro_store::notices::{ClaimedChannel, Head, LastReply, Mode, Part, Recent};

/// Changes of more issues than this at a time are one message.
const MAX_SEPARATE: usize = 3;

/// The next message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    /// Changes that were taken back before anybody was told.
    Drop(Vec<i64>),
    /// All that changed since the last digest.
    Digest(Digest<'a>),
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

/// The next message. `None` if there is nothing to tell.
pub(crate) fn next<'a>(
    claimed: &'a ClaimedChannel,
    changes: Vec<Change<'a>>,
    finished: &[(i64, &'a Issue)],
) -> Option<Step<'a>> {
    if claimed.mode == Mode::Digest {
        let digest = Digest::new(changes, finished);
        return match digest {
            Digest { ids, .. } if ids.is_empty() => None,
            digest if digest.is_empty() => Some(Step::Drop(digest.ids)),
            digest => Some(Step::Digest(digest)),
        };
    }
    let is_void = |change: &&Change<'_>| {
        let is_undone = claimed.mode == Mode::Done && is_not_done(change.issue);
        let is_void = is_undone || (change.parts.iter().all(Part::is_void) && change.reply().is_none());
        is_void && change.added_to.is_none()
    };
    let void: Vec<i64> = changes.iter().filter(is_void).flat_map(|change| change.ids.clone()).collect();
    if !void.is_empty() {
        return Some(Step::Drop(void));
    }
    let bulk = claimed.bulk.as_ref().filter(|bulk| edit_window::is_open(bulk.age));
    let (edits, new): (Vec<_>, Vec<_>) = changes.into_iter().partition(|change| change.reply().is_some());
    let added: Vec<Change<'a>> = new.iter().filter(|change| is_in(change, claimed)).cloned().collect();
    if !added.is_empty() {
        return Some(Step::Many(added, claimed.bulk.as_ref()));
    }
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

/// Whether it was done and is no longer.
fn is_not_done(issue: &Issue) -> bool {
    !matches!(issue.status_category, StatusCategory::Done | StatusCategory::Unknown)
}

/// Whether it was being added to the last message about many issues.
fn is_in(change: &Change<'_>, claimed: &ClaimedChannel) -> bool {
    let bulk = claimed.bulk.as_ref().map(|bulk| bulk.ts.as_str());
    change.added_to.is_some() && change.added_to == bulk
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::change::merge;
    use maro_domain::{
        ids::ChannelId,
        issue::{IssueId, IssueKey},
    };
    use maro_store::notices::{Kind, Thread, Waiting};

    fn issue(number: usize) -> Issue {
        let key = IssueKey::parse(&format!("A-{}", number + 1)).unwrap();
        Issue::new(IssueId::new(number.to_string()), key, "A summary", "Done")
    }

    fn part(id: i64, kind: Kind, from: &str, to: &str) -> Part {
        let (from, to, set_by) = (from.to_owned(), to.to_owned(), Some(format!("person {id}")));
        Part { kind, from, to, set_by }
    }

    fn waiting(id: i64, from: &str, to: &str, thread: Thread) -> Waiting {
        Waiting {
            id,
            issue_id: IssueId::new("0"),
            key: IssueKey::parse("A-1").unwrap(),
            part: part(id, Kind::Status, from, to),
            at: None,
            is_unconfirmed: false,
            begun_at: None,
            added_to: None,
            is_muted: false,
            is_tracked: true,
            listed_status: None,
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
            zone: None,
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
        let status = change.status().unwrap();
        let told = (status.from.as_str(), status.to.as_str(), status.set_by.as_deref());
        assert_eq!(told, ("Open", "Done", Some("person 2")));
        assert_eq!(change.ids, [1, 2]);
    }

    #[test]
    fn a_thread_gets_a_head_then_an_answer_and_a_fresh_answer_is_edited() {
        let (channel, issue) = (claimed(None), issue(0));
        let next_of = |thread: Thread, to: &str| {
            let notice = waiting(1, "Open", to, thread);
            let step = next(&channel, merge(&[(&notice, &issue)]), &[]);
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
        assert!(matches!(next(&quiet, merge(&told[..3]), &[]), Some(Step::Head(_))));
        let Some(Step::Many(changes, None)) = next(&quiet, merge(&told[..4]), &[]) else { panic!() };
        assert_eq!(changes.len(), 4);
        let recent = claimed(Some(59));
        assert!(matches!(next(&recent, merge(&told[..1]), &[]), Some(Step::Many(_, Some(_)))));
        let old = claimed(Some(60));
        assert!(matches!(next(&old, merge(&told[..1]), &[]), Some(Step::Head(_))));
        assert_eq!(next(&quiet, Vec::new(), &[]), None);
    }

    #[test]
    fn what_was_being_added_to_a_message_is_added_once_more_however_old_that_is() {
        let issues: Vec<Issue> = (0..2).map(issue).collect();
        let being_added = |thread: Thread, to: &str| Waiting {
            is_unconfirmed: true,
            added_to: Some(to.to_owned()),
            ..waiting(0, "Open", "Done", thread)
        };
        let quiet = claimed(None);
        let reply = being_added(replied(300), "2.0");
        assert!(matches!(next(&quiet, merge(&[(&reply, &issues[0])]), &[]), Some(Step::Edit(..))));
        let old = claimed(Some(300));
        let (bulk, other) =
            (being_added(Thread::default(), "9.0"), waiting(1, "Open", "Done", Thread::default()));
        let step = next(&old, merge(&[(&bulk, &issues[0]), (&other, &issues[1])]), &[]);
        let Some(Step::Many(changes, Some(_))) = step else { panic!("{step:?}") };
        assert_eq!(changes[0].ids, [0], "the other one isn't in it");
        assert_eq!(changes.len(), 1);
    }

    #[test]
    fn what_changed_of_an_issue_is_told_by_kind() {
        let of = |id: i64, kind: Kind, from: &str, to: &str| Waiting {
            part: part(id, kind, from, to),
            ..waiting(id, from, to, Thread::default())
        };
        let notices = [
            of(1, Kind::Assignee, "", "Ada"),
            of(2, Kind::Comments, "1", "10400"),
            of(2, Kind::Comments, "2", "10402"),
            of(3, Kind::Assignee, "Ada", "Grace"),
        ];
        let issue = issue(0);
        let told: Vec<_> = notices.iter().map(|notice| (notice, &issue)).collect();
        let changes = merge(&told);
        let parts: Vec<_> =
            changes[0].parts.iter().map(|part| (part.kind, part.from.as_str(), part.to.as_str())).collect();
        assert_eq!(parts, [(Kind::Assignee, "", "Grace"), (Kind::Comments, "3", "10402")]);
        assert_eq!(changes[0].parts[1].set_by.as_deref(), Some("person 2"));
    }

    #[test]
    fn a_channel_that_reads_digests_gets_one_message() {
        let issues: Vec<Issue> = (0..5).map(issue).collect();
        let notices: Vec<Waiting> =
            (0..5).map(|number| waiting(number, "Open", "Done", Thread::default())).collect();
        let told: Vec<_> = notices.iter().zip(&issues).collect();
        let channel = ClaimedChannel { mode: Mode::Digest, ..claimed(None) };
        let Some(Step::Digest(digest)) = next(&channel, merge(&told), &[(9, &issues[0])]) else { panic!() };
        assert_eq!((digest.len(), digest.ids.as_slice()), (5, [0, 1, 2, 3, 4, 9].as_slice()));
        let back = waiting(7, "Open", "Open", Thread::default());
        let reopened = Issue { status: "Open".to_owned(), ..issue(0) };
        let step = next(&channel, merge(&[(&back, &reopened)]), &[]);
        assert_eq!(step, Some(Step::Drop(vec![7])));
        assert_eq!(next(&channel, Vec::new(), &[]), None);
    }
}
