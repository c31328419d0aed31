"""`/maro search login form`: finds issues by words in their summaries, and shows a button to track each."""

from componentize_py_types import Err
from maro import button, code, issue, items, paragraph, pass_on, quoted, to_caller, unescape, usage
from wit_world import exports
from wit_world.exports.command import Description
from wit_world.imports import jira
from wit_world.imports.reply import Reply

# Few enough to choose from at a glance.
LIMIT = 10


class Command(exports.Command):
    def describe(self) -> Description:
        return Description("search", "0.1.0", "Find issues by words in their summaries", "WORDS")

    def run(self, arguments: str) -> Reply:
        words = unescape(arguments).strip()
        if not words:
            raise usage("Enter some words to search for.")
        try:
            page = jira.search(query(words), LIMIT, None)
        except Err as error:
            raise pass_on(error)
        return answer(words, page)


def query(words: str) -> str:
    return f"summary ~ {quoted(words)} ORDER BY updated DESC"


def answer(words: str, page: jira.SearchPage) -> Reply:
    if not page.issues:
        return to_caller(paragraph("No issues have ", code(words), " in their summary."))
    found = [entry(details.issue, details.assignee) for details in page.issues]
    more = [paragraph("There are more results. Add a word to narrow them down.")] if page.next else []
    return to_caller(items(found), *more)


def entry(found, assignee):
    name = assignee.name if assignee else "unassigned"
    parts = [issue(found.key), f": {found.summary} ({found.status}, {name})"]
    return parts, button("Track", f"track {found.key}")
