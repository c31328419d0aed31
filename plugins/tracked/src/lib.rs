//! `/maro tracked [page]`: lists the channel's issues. Works even when Jira is down, with what Jira last said.

use maro_plugin::{
    Description, Plugin, Reply, RunError, register,
    reply::{Button, Item, Span, button, channel, code, details, issue},
    spans,
    tracker::{self, Page, TrackedIssue},
};

/// Issues per page: few enough to read, and to give each a button.
const PAGE_SIZE: u32 = 20;

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
        // A list that fits on one page needs no second question.
        if number == 1 && !page.more && !page.issues.is_empty() {
            return Ok(list(number, 1, page));
        }
        let count = tracker::count_tracked()?;
        Ok(if !page.issues.is_empty() {
            list(number, count.div_ceil(PAGE_SIZE), page)
        } else if count == 0 {
            nothing_tracked()
        } else {
            past_the_end(number, count)
        })
    }
}

register!(Tracked);

/// Pages count from 1, and no number means the first one.
fn page_number(arguments: &str) -> Result<u32, RunError> {
    let number = arguments.trim();
    if number.is_empty() {
        return Ok(1);
    }
    number
        .parse()
        .ok()
        .filter(|&number| number > 0)
        .ok_or_else(|| RunError::usage("Enter a page number, starting from 1."))
}

/// `pages` were counted after the page was read: the list may have changed in between.
fn list(number: u32, pages: u32, page: Page) -> Reply {
    let reply = Reply::to_caller()
        .paragraph(spans!["Tracked Jira issues in ", channel(), ":"])
        .items(page.issues.into_iter().map(item));
    let pages = pages.max(number + u32::from(page.more));
    let place = ["Page ", &number.to_string(), " of ", &pages.to_string()].concat();
    let previous = || page_button("Previous page", number - 1);
    let next = || page_button("Next page", number + 1);
    let more = || spans![place.as_str(), ". Next: ", command(number + 1)];
    match (number, page.more) {
        (1, false) => reply,
        (1, true) => reply.paragraph(more()).buttons([next()]),
        (_, true) => reply.paragraph(more()).buttons([previous(), next()]),
        (_, false) => reply.paragraph(spans![place.as_str()]).buttons([previous()]),
    }
}

fn item(tracked: TrackedIssue) -> Item {
    let stop = button("Stop tracking", ["untrack ", &tracked.key].concat());
    let details = details(&tracked.summary, &tracked.status);
    Item::with_button(spans![issue(tracked.key), details], stop)
}

fn page_button(label: &str, number: u32) -> Button {
    button(label, ["tracked ", &number.to_string()].concat())
}

fn nothing_tracked() -> Reply {
    Reply::to_caller()
        .paragraph(spans!["No Jira issues are tracked in ", channel(), " yet."])
        .paragraph(spans!["To track one, type ", code("/maro track SCRUM-123")])
}

fn past_the_end(number: u32, count: u32) -> Reply {
    let last = count.div_ceil(PAGE_SIZE);
    let pages = if last == 1 { " page" } else { " pages" };
    Reply::to_caller().paragraph(spans![
        ["There's no page ", &number.to_string(), "; the list has ", &last.to_string(), pages, ". Try "]
            .concat(),
        command(last),
    ])
}

fn command(page: u32) -> Span {
    code(["/maro tracked ", &page.to_string()].concat())
}

#[cfg(test)]
mod tests {
    use maro_plugin::reply::{Block, Visibility};

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
        let reply = list(1, 1, Page { issues, more: false });
        let cut = "é".repeat(79);
        assert_eq!(
            reply.preview(),
            format!(
                "Tracked Jira issues in #channel:\n\
                 • SCRUM-123: User authentication flow (Open) [Stop tracking]\n\
                 • SCRUM-124: Database migration (In Progress) [Stop tracking]\n\
                 • SCRUM-125: API documentation (Done) [Stop tracking]\n\
                 • SCRUM-126 [Stop tracking]\n\
                 • SCRUM-127: {cut}… [Stop tracking]"
            )
        );
        let Block::Items(items) = &reply.blocks[1] else { panic!("the list is items") };
        assert_eq!(items[1].button, Some(button("Stop tracking", "untrack SCRUM-124")));
        assert_eq!(reply.visibility, Visibility::Caller);
    }

    #[test]
    fn a_page_says_how_to_see_the_next() {
        let end = |number, pages, more| {
            let page = list(number, pages, Page { issues: Vec::new(), more });
            page.preview().lines().skip(1).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(end(1, 1, false), "");
        assert_eq!(end(1, 3, true), "Page 1 of 3. Next: `/maro tracked 2` [Next page]");
        assert_eq!(end(2, 3, true), "Page 2 of 3. Next: `/maro tracked 3` [Previous page] [Next page]");
        assert_eq!(end(3, 3, false), "Page 3 of 3 [Previous page]");
        assert_eq!(end(3, 2, true), "Page 3 of 4. Next: `/maro tracked 4` [Previous page] [Next page]");
        let page = list(2, 3, Page { issues: Vec::new(), more: true });
        let row = [button("Previous page", "tracked 1"), button("Next page", "tracked 3")];
        assert_eq!(page.blocks.last(), Some(&Block::Buttons(row.into())));
    }

    #[test]
    fn an_empty_list_says_how_to_track() {
        assert_eq!(
            nothing_tracked().preview(),
            "No Jira issues are tracked in #channel yet.\nTo track one, type `/maro track SCRUM-123`"
        );
    }

    #[test]
    fn a_page_past_the_end_leads_back_to_the_last() {
        assert_eq!(
            past_the_end(9, 41).preview(),
            "There's no page 9; the list has 3 pages. Try `/maro tracked 3`"
        );
        assert_eq!(
            past_the_end(u32::MAX, 1).preview(),
            "There's no page 4294967295; the list has 1 page. Try `/maro tracked 1`"
        );
    }

    #[test]
    fn page_numbers_start_from_one() {
        assert_eq!(page_number(""), Ok(1));
        assert_eq!(page_number(" 2 "), Ok(2));
        assert_eq!(page_number("4294967295"), Ok(u32::MAX));
        for bad in ["0", "-1", "two", "1.5", "1 2", "２", "4294967296", "99999999999999999999"] {
            assert!(matches!(page_number(bad), Err(RunError::Usage(_))), "{bad:?}");
        }
    }
}
