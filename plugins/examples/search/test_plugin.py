import unittest

from componentize_py_types import Err
from maro import button, buttons, date, details, issue_keys, paragraph, pass_on, preview, shorten, to_caller, to_update, unescape, usage
from plugin import answer, query
from wit_world.imports.jira import IssueDetails, SearchPage
from wit_world.imports.reply import DateFormat, Visibility
from wit_world.imports.types import Issue, JiraUser, StatusCategory


def found(key, assignee=None):
    issue = Issue(key, "Sign-up form", "Open")
    return IssueDetails(issue, "Story", StatusCategory.TO_DO, assignee, 0)


class Search(unittest.TestCase):
    def test_words_cannot_leave_their_quotation_marks(self):
        self.assertEqual(query('a" OR\n\\'), 'summary ~ "a\\" OR \\\\" ORDER BY updated DESC')
        self.assertEqual(unescape("a &lt;b&gt; &amp;lt;"), "a <b> &lt;")

    def test_keys_are_read_as_slack_sends_them(self):
        keys = issue_keys("a-1, <https://x.example/browse/B-2|B-2> foo! A-1")
        self.assertEqual([key or f"{word}?" for word, key in keys], ["A-1", "B-2", "foo!?"])
        with self.assertRaises(Err):
            issue_keys(" ")

    def test_a_moment_is_previewed_in_utc_and_a_message_can_take_the_place_of_another(self):
        reply = to_update(paragraph(date(1769851800), " or ", date(1769851800, DateFormat.DAY)), buttons(button("Go", "x", "Really?")))
        self.assertEqual(preview(reply), "2026-01-31 09:30 UTC or 2026-01-31\n[Go]")
        self.assertEqual((reply.visibility, reply.blocks[1].value[0].confirm), (Visibility.UPDATE, "Really?"))

    def test_each_issue_has_its_button(self):
        page = SearchPage([found("A-1", JiraUser("1", "Ada")), found("A-2")], "next")
        self.assertEqual(
            preview(answer("sign", page)),
            "• A-1: Sign-up form (Open, Ada) [Track]\n"
            "• A-2: Sign-up form (Open, unassigned) [Track]\n"
            "There are more results. Add a word to narrow them down.",
        )
        self.assertEqual(preview(answer("sign", SearchPage([], None))), "No issues have `sign` in their summary.")

    def test_an_issue_is_described_in_a_few_words(self):
        self.assertEqual(details("Sign-up form", "Open"), ": Sign-up form (Open)")
        self.assertEqual(details("x" * 81, ""), f": {'x' * 79}…")
        self.assertEqual([details("", ""), shorten("abc", 2), shorten("abc", 0)], ["", "a…", ""])

    def test_what_cannot_be_part_of_a_reply_is_refused_at_once(self):
        for wrong in (lambda: paragraph("There are ", 3), lambda: to_caller("Hello")):
            with self.assertRaises(TypeError):
                wrong()
        own = usage("No.")
        self.assertIs(pass_on(own), own)
