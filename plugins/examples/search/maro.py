"""Replies in few words. A reply is structure, not markup: the host escapes and renders it."""

from componentize_py_types import Err
from wit_world.exports.command import RunError_Failed, RunError_Usage
from wit_world.imports import reply as wit

strong = wit.Span_Strong
code = wit.Span_Code
issue = wit.Span_Issue  # A key, linked to the issue.
user = wit.Span_User
channel = wit.Span_Channel()  # Where the command was typed.
caller = wit.Span_Caller()  # Who typed it.
button = wit.Button  # button(label, command): a press runs `/maro command`.


def link(url, label):
    return wit.Span_Link(wit.Link(url, label))


def spans(parts):
    return [wit.Span_Text(part) if isinstance(part, str) else part for part in parts]


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
    return wit.Reply(wit.Visibility.CALLER, list(blocks))


def to_channel(*blocks):
    """Everyone in the channel sees it: for changes to what the channel shares."""
    return wit.Reply(wit.Visibility.CHANNEL, list(blocks))


def usage(sentence):
    """To raise: what was typed cannot be used."""
    return Err(RunError_Usage(sentence))


def failed(sentence):
    """To raise: it could not be done."""
    return Err(RunError_Failed(sentence))


def pass_on(error):
    """To raise if the host refused: its errors bring a sentence for the person."""
    return failed(error.value.message)


def preview(reply):
    """A reply's text about as Slack shows it, for tests."""

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
