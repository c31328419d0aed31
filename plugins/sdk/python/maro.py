"""Short ways to build replies. A reply is structure, not markup: the host escapes and renders it."""

import re
import time
from typing import NamedTuple

from componentize_py_types import Err
from wit_world.exports.command import RunError_Failed, RunError_Usage
from wit_world.imports import reply as wit

strong = wit.Span_Strong
code = wit.Span_Code
issue = wit.Span_Issue  # An issue key, linked to the issue.
user = wit.Span_User
channel = wit.Span_Channel()  # Where the command was typed.
caller = wit.Span_Caller()  # Who typed it.


def button(label, command, confirm=None):
    """Pressing it runs `/maro command` as the person who presses it. With a question, Slack asks that first."""
    return wit.Button(label, command, confirm)


def date(seconds, format=wit.DateFormat.DAY_AND_TIME):
    """A moment, shown to each reader in their own time zone."""
    return wit.Span_Date(wit.Date(int(seconds), format))


def link(url, label):
    return wit.Span_Link(wit.Link(url, label))


def spans(parts):
    return [_span(part) for part in parts]


def _span(part):
    if isinstance(part, str):
        return wit.Span_Text(part)
    if isinstance(part, wit.Span) and isinstance(getattr(part, "value", ""), (str, wit.Link, wit.Date)):
        return part
    raise TypeError(f"{part!r} is neither a text nor a span: f\"{{…}}\" turns it into a text")


def paragraph(*parts):
    return wit.Block_Paragraph(spans(parts))


def items(entries):
    """A bulleted list; each entry is a list of parts, or a pair of these and a button."""
    pairs = [entry if isinstance(entry, tuple) else (entry, None) for entry in entries]
    return wit.Block_Items([wit.Item(spans(parts), button) for parts, button in pairs])


def lines(entries):
    return wit.Block_Lines([spans(parts) for parts in entries])


def buttons(*entries):
    return wit.Block_Buttons(list(entries))


def to_caller(*blocks):
    """Only the person who typed the command sees it."""
    return wit.Reply(wit.Visibility.CALLER, _blocks(blocks))


def to_channel(*blocks):
    """Everyone in the channel sees it: for changes to what the channel shares."""
    return wit.Reply(wit.Visibility.CHANNEL, _blocks(blocks))


def to_update(*blocks):
    """As `to_channel`, in place of the message whose button was pressed, if everyone sees that and this plugin wrote it."""
    return wit.Reply(wit.Visibility.UPDATE, _blocks(blocks))


def _blocks(blocks):
    for block in blocks:
        if not isinstance(block, wit.Block):
            raise TypeError(f"a reply consists of blocks, and {block!r} isn't one: paragraph(…) makes one")
    return list(blocks)


def usage(sentence):
    """To raise: what's wrong with the arguments."""
    return Err(RunError_Usage(sentence))


def failed(sentence):
    """To raise: why it couldn't be done."""
    return Err(RunError_Failed(sentence))


def pass_on(error):
    """To raise when the host returns an error: its message is for the person. The plugin's own errors stay."""
    return failed(error.value.message) if hasattr(error.value, "message") else error


def details(summary, status):
    """An issue in a few words, to put after its key: `: User authentication flow (Open)`."""
    summary = shorten(summary, 80)
    return (f": {summary}" if summary else "") + (f" ({status})" if status else "")


def shorten(text, length):
    """At most `length` characters, the last of them `…` if anything was cut."""
    return text if len(text) <= length else text[: max(length - 1, 0)] + "…"[:length]


def unescape(text):
    """Slack sends `&`, `<` and `>` as entities."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def quoted(text):
    """A text for use in JQL. Put what a person typed into a query only through this function."""
    escaped = re.sub(r'["\\]', r"\\\g<0>", text)
    return '"' + re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", escaped) + '"'


KEY = re.compile(r"([a-z][a-z0-9_]*)[-\u2010-\u2015\u2212\uff0d]([1-9][0-9]{0,17})", re.IGNORECASE | re.ASCII)
WRAPPED = r"<(?:https?://|mailto:|[@#!])[^|<>\s]*(?:\|[^<>\n]*)?>"
TOKEN = re.compile(rf"({WRAPPED})|(?:(?!{WRAPPED})[^\s\x00-\x1f\x7f-\x9f,;•◦▪‣、，；])+", re.IGNORECASE)
AROUND = "'\"`‘’‚“”„‹›«»()[]{}<>.:!?*_~#…\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"


class Word(NamedTuple):
    word: str
    key: str | None


def issue_keys(text):
    """The issue keys in a text, as people type and paste them: in any case, alone, in URLs, wrapped by Slack.

    In the order given, each once. `key` is None if the word isn't a key.
    """
    found = []
    typed = unescape(text)
    end = -1
    for token in TOKEN.finditer(typed):
        is_wrapped = token[1] is not None
        is_beside = end == token.start() or typed[token.end() : token.end() + 1] == "<"
        end = token.end() if is_wrapped else -1
        # The brackets in `(<https://…>)` aren't words of their own.
        if not is_wrapped and is_beside and not token[0].strip(AROUND):
            continue
        word, _, label = token[0][1:-1].partition("|") if is_wrapped else (token[0], "", "")
        key = _key_in_url(word) if is_wrapped else _key_in(word)
        # The label of a mention is a name that someone chose, and it may look like a key.
        if is_wrapped and not key and word.lower().startswith(("http://", "https://")):
            key = _key_in(label)
        entry = Word(key or shorten(word, 40), key)
        if entry not in found:
            found.append(entry)
        if len(found) > 200:
            raise usage("You can use up to 50 keys at a time; you entered more than 200.")
    if not found:
        raise usage("Include at least one issue key, such as SCRUM-123.")
    if len(found) > 50:
        raise usage(f"You can use up to 50 keys at a time; you entered {len(found)}.")
    return found


def _key_in(word):
    return _key(word) or _key_in_url(word)


def _key(word):
    parts = KEY.fullmatch(word.strip(AROUND))
    return f"{parts[1].upper()}-{parts[2]}" if parts and len(parts[0]) <= 100 else None


def _key_in_url(url):
    path, _, query = url.partition("#")[0].partition("?")
    parts = path.split("/")
    keys = [_key(part) for before, part in zip(parts, parts[1:]) if before in ("browse", "issues")]
    selected = [pair.partition("=")[2] for pair in query.split("&") if pair.startswith("selectedIssue=")]
    return next(filter(None, keys), None) or (_key(selected[0]) if selected else None)


def _in_utc(date):
    """`2026-01-31 09:30 UTC`"""
    moment = time.gmtime(date.seconds)
    day, minutes = time.strftime("%Y-%m-%d", moment), time.strftime("%H:%M UTC", moment)
    return {wit.DateFormat.DAY: day, wit.DateFormat.TIME: minutes}.get(date.format, f"{day} {minutes}")


def preview(reply):
    """A reply's text, roughly as Slack shows it, for tests."""

    def one(span):
        match span:
            case wit.Span_Channel():
                return "#channel"
            case wit.Span_Caller():
                return "@caller"
            case wit.Span_Link(value):
                return value.label
            case wit.Span_Code(value):
                return f"`{value}`"
            case wit.Span_User(value):
                return f"@{value}"
            case wit.Span_Date(value):
                return _in_utc(value)
        return span.value

    def line(spans):
        return "".join(one(span) for span in spans)

    text = []
    for block in reply.blocks:
        match block:
            case wit.Block_Paragraph(value):
                text.append(line(value))
            case wit.Block_Items(value):
                pressed = lambda item: f" [{item.button.label}]" if item.button else ""
                text.extend(f"• {line(item.spans)}{pressed(item)}" for item in value)
            case wit.Block_Lines(value):
                text.extend(line(entry) for entry in value)
            case wit.Block_Buttons(value):
                text.append(" ".join(f"[{button.label}]" for button in value))
    return "\n".join(text)
