import unittest

from maro import preview
from plugin import answer, query, unescaped
from wit_world.imports.jira import IssueDetails, SearchPage, StatusCategory
from wit_world.imports.types import Issue, JiraUser


def found(key, assignee=None):
    issue = Issue(key, "Sign-up form", "Open")
    return IssueDetails(issue, "Story", StatusCategory.TO_DO, assignee, 0)


class Search(unittest.TestCase):
    def test_words_cannot_leave_their_quotation_marks(self):
        self.assertEqual(query('a" OR \\'), 'summary ~ "a\\" OR \\\\" ORDER BY updated DESC')
        self.assertEqual(unescaped("a &lt;b&gt; &amp;lt;"), "a <b> &lt;")

    def test_each_issue_has_its_button(self):
        page = SearchPage([found("A-1", JiraUser("1", "Ada")), found("A-2")], "next")
        self.assertEqual(
            preview(answer("sign", page)),
            "• A-1: Sign-up form (Open, Ada) [Track]\n"
            "• A-2: Sign-up form (Open, nobody) [Track]\n"
            "There are more: add a word.",
        )
        self.assertEqual(preview(answer("sign", SearchPage([], None))), "No issue has `sign` in its summary.")
