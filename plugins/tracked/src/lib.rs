//! `/maro tracked [page]`: lists the channel's issues. Works while Jira is down, with what it last said.

use maro_plugin::{
    Description, Plugin, Reply, RunError, register,
    reply::{Line, Span, channel, code, details, issue},
    spans,
    tracker::{self, Page, TrackedIssue},
};

/// Issues on a page: few enough to read, and to fit into one Slack message with summaries at their longest.
const PAGE_SIZE: u32 = 50;

struct Tracked;

impl Plugin for Tracked {
    fn describe() -> Description {
        Description {
            name: "tracked",
            version: env!("CARGO_PKG_VERSION"),
            summary: "List the Jira issues tracked in this channel",
            usage: "[PAGE]",
        }
    }

    fn run(arguments: &str) -> Result<Reply, RunError> {
        let number = page_number(arguments)?;
        let page = tracker::list_tracked((number - 1).saturating_mul(PAGE_SIZE), PAGE_SIZE)?;
        if !page.issues.is_empty() {
            return Ok(list(number, page));
        }
        match tracker::count_tracked()? {
            0 => Ok(nothing_tracked()),
            count => Ok(past_the_end(number, count)),
        }
    }
}

register!(Tracked);

/// Pages count from 1, which is also meant by no number at all.
fn page_number(arguments: &str) -> Result<u32, RunError> {
    let number = arguments.trim();
    if number.is_empty() {
        return Ok(1);
    }
    number
        .parse()
        .ok()
        .filter(|&number| number > 0)
        .ok_or_else(|| RunError::usage("The page is a number from 1 on."))
}

fn list(number: u32, page: Page) -> Reply {
    let reply = Reply::to_caller()
        .paragraph(spans!["Tracked Jira issues in ", channel(), ":"])
        .items(page.issues.into_iter().map(item));
    let number_as_text = number.to_string();
    match (number, page.more) {
        (1, false) => reply,
        (_, false) => reply.paragraph(spans!["Page ", number_as_text, ", the last."]),
        (_, true) => reply.paragraph(spans!["Page ", number_as_text, ". More with ", command(number + 1)]),
    }
}

fn item(tracked: TrackedIssue) -> Line {
    let details = details(&tracked.summary, &tracked.status);
    spans![issue(tracked.key), details]
}

fn nothing_tracked() -> Reply {
    Reply::to_caller()
        .paragraph(spans!["No Jira issues are tracked in ", channel(), " yet."])
        .paragraph(spans!["Track one with ", code("/maro track SCRUM-123")])
}

fn past_the_end(number: u32, count: u32) -> Reply {
    let last = count.div_ceil(PAGE_SIZE);
    let pages = if last == 1 { " page" } else { " pages" };
    Reply::to_caller().paragraph(spans![
        ["There is no page ", &number.to_string(), ": the list has ", &last.to_string(), pages, ". See "]
            .concat(),
        command(last),
    ])
}

fn command(page: u32) -> Span {
    code(["/maro tracked ", &page.to_string()].concat())
}

#[cfg(test)]
mod tests {
    use maro_plugin::reply::Visibility;

    use super::*;

    fn tracked(key: &str, summary: &str, status: &str) -> TrackedIssue {
        TrackedIssue {
            key: key.into(),
            summary: summary.into(),
            status: status.into(),
            tracked_by: "U1".into(),
            tracked_at: 0,
        }
    }

    #[test]
    fn the_list_reads_as_promised() {
        let issues = vec![
            tracked("SCRUM-123", "User authentication flow", "Open"),
            tracked("SCRUM-124", "Database migration", "In Progress"),
            tracked("SCRUM-125", "API documentation", "Done"),
            tracked("SCRUM-126", "", ""),
            tracked("SCRUM-127", &"é".repeat(81), ""),
        ];
        let reply = list(1, Page { issues, more: false });
        let cut = "é".repeat(79);
        assert_eq!(
            reply.preview(),
            format!(
                "Tracked Jira issues in #channel:\n\
                 • SCRUM-123: User authentication flow (Open)\n\
                 • SCRUM-124: Database migration (In Progress)\n\
                 • SCRUM-125: API documentation (Done)\n\
                 • SCRUM-126\n\
                 • SCRUM-127: {cut}…"
            )
        );
        assert_eq!(reply.visibility, Visibility::Caller);
    }

    #[test]
    fn a_page_says_how_to_see_the_next() {
        let last_line = |number, more| {
            let issues = vec![tracked("A-1", "", "")];
            list(number, Page { issues, more }).preview().lines().last().map(str::to_owned).unwrap()
        };
        assert_eq!(last_line(1, false), "• A-1");
        assert_eq!(last_line(1, true), "Page 1. More with `/maro tracked 2`");
        assert_eq!(last_line(2, true), "Page 2. More with `/maro tracked 3`");
        assert_eq!(last_line(3, false), "Page 3, the last.");
    }

    #[test]
    fn an_empty_list_says_how_to_track() {
        assert_eq!(
            nothing_tracked().preview(),
            "No Jira issues are tracked in #channel yet.\nTrack one with `/maro track SCRUM-123`"
        );
    }

    #[test]
    fn a_page_past_the_end_leads_back_to_the_last() {
        assert_eq!(
            past_the_end(9, 101).preview(),
            "There is no page 9: the list has 3 pages. See `/maro tracked 3`"
        );
        assert_eq!(
            past_the_end(u32::MAX, 1).preview(),
            "There is no page 4294967295: the list has 1 page. See `/maro tracked 1`"
        );
    }

    #[test]
    fn a_page_is_a_number_from_one_on() {
        assert_eq!(page_number(""), Ok(1));
        assert_eq!(page_number(" 2 "), Ok(2));
        assert_eq!(page_number("4294967295"), Ok(u32::MAX));
        for bad in ["0", "-1", "two", "1.5", "1 2", "２", "4294967296", "99999999999999999999"] {
            assert!(matches!(page_number(bad), Err(RunError::Usage(_))), "{bad:?}");
        }
    }
}
