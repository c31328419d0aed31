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
    return wit.Button(_text(label), _text(command), None if confirm is None else _text(confirm))


DATE_FORMATS = {format.name.lower().replace("_", "-"): format for format in wit.DateFormat}


def date(seconds, format="day-and-time"):
    """A moment, shown to each reader in their own time zone: `"day"`, `"time"`, `"day-and-time"` or `"ago"`."""
    known = DATE_FORMATS.get(format, format)
    if not isinstance(known, wit.DateFormat):
        raise TypeError(f"{format!r} is no format of a date: choose from {', '.join(DATE_FORMATS)}")
    return wit.Span_Date(wit.Date(int(seconds), known))


def link(url, label):
    return wit.Span_Link(wit.Link(_text(url), _text(label)))


def _text(value):
    if isinstance(value, str):
        return value
    raise TypeError(f"{value!r} isn't a text: f\"{{…}}\" turns it into one")


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


def plain_words(text):
    """The words of a short command: without quotes, the ends of sentences and what only joins.

    `“All”, please!` is `All`.
    """
    return [_bare(word) for word in _NO_SEPARATORS.findall(_tidy(unescape(text))) if not _says_nothing(word)]


def named(text):
    """A name as it was meant, where people type it behind something else.

    It's without `to` or an arrow before it, without quotes, and without a sentence's end.
    """
    end = re.compile(f"[{_SPACES}.,!?]+\\Z")
    around = re.compile(f"^[{_SPACES}]+|[{_SPACES}]+\\Z")
    name = end.sub("", around.sub("", text))
    for courtesy in (" please", " pls", " thanks"):
        if name[-len(courtesy) :].lower() == courtesy:
            name = end.sub("", name[: -len(courtesy)])
    for before in ("to ", "→", "->", "=>", "="):
        if name[: len(before)].lower() == before:
            name = re.sub(f"^[{_SPACES}]+", "", name[len(before) :])
    return around.sub("", name.strip("\"'`“”„‘’‚«»"))


def quoted(text):
    """A text for use in JQL. Put what a person typed into a query only through this function."""
    escaped = re.sub(r'["\\]', r"\\\g<0>", text)
    return '"' + re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", escaped) + '"'


# What people type and paste, word by word: issue keys, links to issues, and the rest. It's the parser of the host and of the
# SDK for Rust (`keys/parser.rs`), function by function, and tested against it.

KEY = re.compile(r"([a-z][a-z0-9_]*)[-\u2010-\u2015\u2043\u2212\u30fc\ufe58\ufe63\uff0d\uff70]([1-9][0-9]{0,17})", re.IGNORECASE | re.ASCII)
WRAPPED = re.compile(r"<([^<>\n]*)>")
# White space as Unicode has it, which `str.isspace` isn't: that has four control characters more.
_SPACES = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_SPACE = re.compile(f"[{_SPACES}]")
_SEPARATORS = re.compile(f"[{_SPACES}\x00-\x1f\x7f-\x9f,;•◦▪‣。｡・･、，；،؛]+")
_NO_SEPARATORS = re.compile(f"[^{_SPACES}\x00-\x1f\x7f-\x9f,;•◦▪‣。｡・･、，；،؛]+")
# A word ends at these, and perhaps at a `<`.
_PLAIN = re.compile(f"[^{_SPACES}\x00-\x1f\x7f-\x9f,;•◦▪‣。｡・･、，；،؛<]+")
# Quotes, brackets, the end of a sentence, Markdown's emphasis, the invisible characters that come along, and emoji.
_AROUND = (
    "['\"`‘’‚“”„‹›«»()\\[\\]{}<>.:!?*_~#…"
    "「」『』【】《》〈〉؟।\u200b-\u200f\u2060\ufeff\u20e3\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf"
    "\u2b00-\u2bff\U0001f000-\U0001faff\U000e0020-\U000e007f]+"
)
_START, _END = re.compile(_AROUND), re.compile(_AROUND + r"\Z")
_INVISIBLE = re.compile("[\xad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff]")
_FULL_WIDTH = {0xFF00 + at: 0x20 + at for at in range(1, 0x5F)}
_COMMA = re.compile("[,;、，；،؛]")
_BLANKS = re.compile("[ \t\xa0\u2007\u202f\u3000]+")  # White space within a line.
_IN_LIST = re.compile("[ \t\xa0\u2007\u202f\u3000]*[,;、，；،؛]")
_JOINS = re.compile(r"[/|+&\\]+")  # What joins keys within a word.
# What stands between the first key and the last of a range, in any case before a key.
TO = ("to", "till", "until", "thru", "through", "upto", "bis")
# What leads from one key to another within a word, beside dots. `SCRUM-1-3` may be anything.
_LEADING_ON = ("->", "–>", "–", "—", "~", "〜", "→")
_DOTS = re.compile("[.…]*")
# The letters of scripts that are written without spaces, or joined to what stands before them.
_UNSPACED_LETTER = (
    "[\u1100-\u11ff\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fd-\u318f\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3"
    "\uf900-\ufaff\uff66-\uff6f\uff71-\uff9f\U00020000-\U0002fa1f]"
)
_UNSPACED = re.compile(_UNSPACED_LETTER)
_DECORATION = re.compile(f"(?:{_AROUND}|{_UNSPACED_LETTER})+")
_BLANK = "[ \t\xa0\u2007\u202f\u3000]"
_NUMBER = f"[0-9]{{1,3}}(?:\u20e3|[.)](?=[A-Za-z<]|{_BLANK}+[^ \t\xa0\u2007\u202f\u3000\r]))"
_SIGNS = re.compile(rf"([ \t\xa0\u2007\u202f\u3000•◦▪‣\-–—*+>]*)(?:(?:\[[xX]\]|{_NUMBER}){_BLANK}*)+")
_HYPHENS = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\u30fc\ufe58\ufe63\uff0d\uff70"
# What stands between keys, in the languages that people write in, and says nothing; and emoji as Slack sends them.
FILLERS = set(
    "& + / | and or plus please pls thanks und oder sowie et ou y o e en och og i oraz и ve و 와 과 및 和 与 及 と".split()
) | {""}
# What people write around keys in a sentence, and what joins nothing.
SMALL_WORDS = set(
    "the a an this that these those it to for from in on of at with me us my our your is are here"
    " now also too issue issues ticket tickets task tasks bug bugs story stories key keys jira channel list epic epics".split()
)
# What sets the keys behind it apart from those before it, in lower case: another command, or a word that leaves out.
TURNS = set(
    "track untrack remove delete stop not no don't don’t dont except excluding exclude without minus but than instead unless"
    " nicht außer ohne sauf sans pas excepto menos sin".split()
)
# What stands before a number that belongs to no project, in lower case: `SCRUM-10 to 12`.
BEFORE_NUMBERS = set("to till until thru through upto bis in on at for of from by is".split())
EMOJI_CODE = re.compile(r":[a-z0-9:_+'-]+:")

# What stands before a key in the path of a link, what leads to one at its end, and the parameters that name one.
BEFORE_KEY = ("browse", "issues", "issue")
LEADING_TO_KEY = ("servicedesk", "portal", "queues")
KEY_PARAMETERS = ("selectedIssue", "issueKey", "issue")
# What says where a page for logging in, or one that checks links, leads on to; so many links within one another are read.
# The last is a service desk's, where it's a path that begins with no slash: `destination=portal/7/KEY`.
DESTINATIONS = ("os_destination", "dest-url", "continue", "url", "q", "destination")
MAX_WITHIN = 3
CLOUD = (".atlassian.net", ".jira.com")  # Where Atlassian keeps the sites of Jira Cloud.


class Word(NamedTuple("Word", [("word", str), ("key", "str | None")])):
    """A word of a command. `key` is None if it isn't an issue key."""

    is_other_site = False  # Whether it's a link to another Jira site.
    has_scheme = says_nothing = is_small = False
    is_turn = False  # Whether it sets the keys behind it apart: `SCRUM-1 but not SCRUM-2`.


def issue_keys(text, site=None):
    """The issue keys in a text, as people type and paste them: in any case, alone, in links, wrapped by Slack.

    `SCRUM 123` is one, too, and so is the number in `SCRUM-123, 124`. What only joins keys is left out (`and`, an emoji), and so is a title that was copied along.
    With the address of the Jira site, which `jira.site()` returns, links to other sites aren't taken for its issues.
    In the order given, each once. `key` is None if the word isn't a key.
    """
    site = None if site is None else _site(site)
    found = []
    words = _asked(list(_tokens(_written_out(_without_signs(_tidy(unescape(text)))))), site)
    for entry, following in zip(words, words[1:]):
        if entry.is_turn and (following.key or following.is_other_site):
            raise usage(f"“{entry.word}” can't stand before an issue key. Enter one command at a time, with its keys only.")
    for entry in words:
        if not any(entry == other and entry.is_other_site == other.is_other_site for other in found):
            found.append(entry)
        if len(found) > 200:
            raise usage("You can use up to 50 keys at a time; you entered more than 200.")
    if not found:
        raise usage("Include at least one issue key, such as SCRUM-123.")
    if len(found) > 50:
        raise usage(f"You can use up to 50 keys at a time; you entered {len(found)}.")
    return found


def not_a_key(entry):
    """The line for an entry of `issue_keys` that isn't a key, to spread: `paragraph(*not_a_key(entry))`."""
    return ["That link is to another Jira site."] if entry.is_other_site else [code(entry.word), " is not an issue key"]


def _other(word, is_other_site=False):
    entry = Word(shorten(word, 40), None)
    entry.is_other_site, entry.has_scheme = is_other_site, "://" in word
    entry.says_nothing = not is_other_site and _says_nothing(word)
    entry.is_small = not is_other_site and _bare(word).lower() in SMALL_WORDS
    is_command = re.fullmatch("/[A-Za-z][^/]*", word)
    entry.is_turn = not is_other_site and bool(is_command or _bare(word).lower() in TURNS)
    return entry


class _Token(NamedTuple):
    """A word, or the inside of Slack's brackets, with what stood before it and what follows it."""

    word: "str | None"
    inside: "str | None"
    gap: str
    after: str
    is_in_list: bool = False  # Whether a comma follows.

    def beside(self):
        """The word, if there is nothing but blanks before it."""
        return self.word if self.inside is None and _BLANKS.fullmatch(self.gap) else None


def _asked(tokens, site):
    """What a command is about: where `SCRUM 123` is typed, `SCRUM-123` is meant; what only joins keys is left out.

    By the number in `SCRUM-123, 124`, `SCRUM-124` is meant. A word and a number in a sentence are no key: not behind other words, and in lower case not before them.
    """
    words = _asked_with(tokens, site, True)
    is_sentence = any(not entry.key and not entry.is_other_site for entry in words)
    words = _asked_with(tokens, site, False) if is_sentence else words
    has_key = any(entry.key for entry in words)
    return [entry for entry in words if not (has_key and entry.is_small)]


def _asked_with(tokens, site, apart_in_lower_case):
    words, is_title, is_sentence, at, before = [], False, False, 0, _Before()
    while at < len(tokens):
        token = tokens[at]
        is_title = is_title and not re.search("[\n\r•]", token.gap)
        before = before.passed(token.gap)
        is_lower = any(letter.islower() for letter in token.word or "")
        may_be_apart = not is_title and not is_sentence and (apart_in_lower_case or not is_lower)
        key, more = _key_apart(tokens, at) if may_be_apart else (None, 0)
        at += 1 + more
        following = tokens[at : at + 3]
        if not key and not is_title and not is_sentence and _is_at_end_of_part(following, site):
            key = before.key_with(token)
        # Commas and numbers behind a link may be its own.
        is_typed = bool(key or _key(token.word or ""))
        entry = Word(key, key) if key else _read(token.word, token.inside, site)
        before = before.seen(entry, is_typed)
        if entry.key:
            is_title = _is_before_title(tokens[at - 1], following)
        elif is_title and not entry.is_other_site and not entry.has_scheme:
            continue
        is_sentence = is_sentence or not (entry.key or entry.is_other_site or entry.says_nothing)
        words.append(entry)
    has_key = any(entry.key for entry in words)
    return [entry for entry in words if not (has_key and entry.says_nothing)]


class _Before(NamedTuple):
    """What stands before a number that may be meant as a key of the same project.

    The project of a key that was typed, if nothing follows it but what joins, and whether something does.
    """

    project: "str | None" = None
    is_joined: bool = False

    def passed(self, gap):
        if _COMMA.search(gap):
            return _Before(self.project, True)
        return self if not gap or _BLANKS.fullmatch(gap) else _Before()

    def seen(self, entry, is_typed):
        if entry.key:
            return _Before(entry.key.rpartition("-")[0]) if is_typed else _Before()
        # From one to another, with those between? Nobody says.
        leads_on = entry.word.startswith((*_HYPHENS, "..")) or entry.word == "…"
        is_joined = entry.says_nothing and not leads_on
        return _Before(self.project, True) if is_joined else _Before()

    def key_with(self, token):
        """The key that a number stands for: `124` behind `SCRUM-123, `."""
        if not self.is_joined or not self.project or token.inside is not None:
            return None
        return _as_key(f"{self.project}-{_bare(token.word)}")


def _is_at_end_of_part(following, site):
    """Whether no words follow that belong to a token: the end, a comma, another line, a key, or what joins keys."""
    if not following or (following[0].gap and not _BLANKS.fullmatch(following[0].gap)):
        return True
    entry = _read(following[0].word, following[0].inside, site)
    return bool(entry.key or entry.says_nothing)


def _key_apart(tokens, at):
    """The key whose project is a token and whose number follows apart, and how many tokens more it takes."""
    if tokens[at].inside is not None:
        return None, 0
    around = _START.match(tokens[at].word)
    start = tokens[at].word[around.end() if around else 0 :]
    is_hyphened = start.endswith(tuple(_HYPHENS))
    project = start[:-1] if is_hyphened else start
    if not 2 <= len(project) <= 10 or _says_nothing(project) or project in BEFORE_NUMBERS:
        return None, 0
    following = [token.beside() for token in tokens[at + 1 : at + 3]] + [None, None]
    number, more = following[0], 1
    if number and not is_hyphened and number.startswith(tuple(_HYPHENS)):
        number = number[1:]
        if not number:
            number, more = following[1], 2
    key = _as_key(f"{project}-{_END.sub('', number)}") if number else None
    return (key, more) if key else (None, 0)


def _is_before_title(token, following):
    """Whether the words behind a key, of which this is the last token, are its title: `SCRUM-1: Log-in fails`."""
    # In the row of a table, it's in the next cell.
    if following and re.match(" *\t", following[0].gap):
        return True
    if token.inside is not None:
        return token.after == ":"
    beside = following[0].beside() if following else None
    is_dash = beside in tuple(_HYPHENS) and not _is_number_alone(following[1:])
    return (token.word.endswith((":", "]")) and not token.is_in_list) or beside == "|" or is_dash


def _is_number_alone(tokens):
    """Whether nothing but a number follows in its part: `SCRUM-1 - 3`."""
    number = _bare((tokens[0].beside() or "") if tokens else "")
    is_last = len(tokens) < 2 or (tokens[1].gap and not _BLANKS.fullmatch(tokens[1].gap))
    return bool(re.fullmatch("[0-9]+", number) and is_last)


def _tidy(text):
    """A text with its full-width letters as ASCII, and without what nobody sees."""
    return _INVISIBLE.sub("", text).translate(_FULL_WIDTH)


def _without_signs(text):
    """A text without the numbers and ticked boxes of its items, and without what is only said of those below it.

    `1. SCRUM-1`, `[x] SCRUM-1`, `Tracked Jira issues in #general:`.
    """

    def plain(line, below):
        if _is_heading(line, "\n".join(below)):
            return ""
        signs = _SIGNS.match(line)
        return signs[1] + line[signs.end() :] if signs else line

    lines = text.split("\n")
    return "\n".join(plain(line, lines[at + 1 :]) for at, line in enumerate(lines))


def _is_heading(line, below):
    """Whether a line of several words names no issue, and ends as what introduces those below it."""

    def names_issue(text):
        return any("/" in word or _key(word) for word in _NO_SEPARATORS.findall(text))

    words = _NO_SEPARATORS.findall(line)
    return len(words) > 1 and words[-1].endswith(":") and not names_issue(line) and names_issue(below)


def _written_out(text):
    """A text with commas within the words that are nothing but keys, and the keys of a range written out.

    `SCRUM-1/SCRUM-2`, `SCRUM-1..5`, `SCRUM-1 to 5`. Other words stay.
    """
    words, written, end, at = list(_NO_SEPARATORS.finditer(text)), [], 0, 0
    while at < len(words):
        word, start = words[at][0], words[at].start()
        keys = _range_apart(text, words, at)
        at += 2 if keys else 0
        keys, last = keys or _keys_of(_bare(word)), words[at][0]
        if keys:
            before = _START.match(word)
            behind = last[len(_END.sub("", last)) :]
            word = (before[0] if before else "") + ",".join(keys) + behind
        written += text[end:start], word
        end = words[at].end()
        at += 1
    return "".join(written) + text[end:]


def _range_apart(text, words, at):
    """The keys of a range whose ends stand apart: `SCRUM-1 to SCRUM-5`, `SCRUM-1 until 5`, `SCRUM-1 .. 5`.

    Behind a dash it has to be the last of its part: others begin a title so.
    """

    def is_beside(at):
        return at < len(words) and bool(_BLANKS.fullmatch(text[words[at - 1].end() : words[at].start()]))

    around = _START.match(words[at][0])
    first = _as_key(words[at][0][around.end() if around else 0 :])
    if not first or not is_beside(at + 1) or not is_beside(at + 2):
        return None
    joint, last = words[at + 1][0], _bare(words[at + 2][0])
    if len(joint) == 1 and joint in _HYPHENS:
        leads_on = not is_beside(at + 3)
    elif not joint.strip(".…"):
        leads_on = joint != "."
    else:
        # `A-1 TO 5` may be two keys, the other one `TO-5`.
        leads_on = (joint.lower() if _as_key(last) else joint) in TO
    return _between(first, last) if leads_on else None


def _keys_of(word):
    """The keys of a word that has several, and the numbers that follow one: `SCRUM-1/2`."""
    if _UNSPACED.search(word):
        return _keys_among_letters(word)
    keys = []
    for piece in filter(None, _JOINS.split(word)):
        in_range = _range_of(piece)
        if in_range:
            keys += in_range
        elif _as_key(piece) or (keys and re.fullmatch("[0-9]+", piece)):
            keys.append(piece)
        else:
            return None
    return keys if len(keys) > 1 else None


def _keys_among_letters(word):
    """The keys, or the link, that no space sets apart from words of scripts that have none: `SCRUM-1を確認`."""
    pieces = [_bare(piece) for piece in _UNSPACED.split(word)]
    if any("/" in piece and not _keys_of(piece) for piece in pieces):
        # What follows within a link is its own.
        link = pieces[0] or next((piece for piece in pieces[1:] if "://" in piece), "")
        return [link] if _key_of(_link(link)) else None
    keys = []
    for piece in pieces:
        keys += _keys_of(piece) or ([piece] if _as_key(piece) else [])
    return keys or None


def _range_of(piece):
    """The keys from one to another: `SCRUM-1..5`, `SCRUM-1…SCRUM-5`, `SCRUM-1–5`."""
    for at in range(len(piece)):
        last = _behind_sign(piece[at:])
        first = None if last is None else _as_key(piece[:at])
        keys = _between(first, last) if first else None
        if keys:
            return keys
    return None


def _behind_sign(text):
    """What stands behind what leads from one key to another."""
    dots = _DOTS.match(text)[0]
    if dots:
        return None if dots == "." else text[len(dots) :]
    sign = next((sign for sign in _LEADING_ON if text.startswith(sign)), None)
    return sign and text[len(sign) :]


def _between(first, last):
    """The keys from one to a later one of the same project or its number."""
    project, _, start = first.rpartition("-")
    last = _as_key(last) or _as_key(f"{project}-{last}")
    if not last or last.rpartition("-")[0] != project or int(last.rpartition("-")[2]) <= int(start):
        return None
    # No command takes nearly as many as 200 beside the first.
    end = min(int(last.rpartition("-")[2]), int(start) + 200)
    return [f"{project}-{number}" for number in range(int(start), end + 1)]


def _bare(word):
    """A word without what surrounds it."""
    start = _START.match(word)
    return _END.sub("", word[start.end() :] if start else word)


def _says_nothing(word):
    """Whether a word that isn't a key says nothing beside keys."""
    bare = _bare(word)
    return bool(EMOJI_CODE.fullmatch(word)) or (len(bare) == 1 and bare in _HYPHENS) or bare.lower() in FILLERS


def _tokens(text):
    """Words, and what Slack makes of links and mentions: `<https://…|label>`, `<@U1>`, `<#C1|name>`."""
    at, beside_wrapped, last = 0, False, 0
    while True:
        gap = _SEPARATORS.match(text, at)
        beside_wrapped = beside_wrapped and not gap
        at = gap.end() if gap else at
        if at == len(text):
            return
        inside = _wrapped(text, at)
        if inside is not None:
            start, at = at, at + len(inside) + 2
            yield _Token(None, inside, text[last:start], text[at : at + 1])
            last, beside_wrapped = at, True
            continue
        end = at
        while end < len(text):
            if text[end] == "<" and _wrapped(text, end) is None:
                end += 1
            elif plain := _PLAIN.match(text, end):
                end = plain.end()
            else:
                break
        start, word, at = at, text[at:end], end
        # The brackets in `(<https://…>)` and the period in `<https://…>.` aren't words of their own, and nor is what some
        # scripts join to a link.
        is_decoration = (beside_wrapped or text[at : at + 1] == "<") and _DECORATION.fullmatch(word)
        beside_wrapped = False
        if not is_decoration:
            yield _Token(word, None, text[last:start], text[at : at + 1], bool(_IN_LIST.match(text, at)))
            last = at


def _wrapped(text, at):
    """What's inside Slack's brackets, if they start here. Brackets that a person typed don't count."""
    brackets = WRAPPED.match(text, at)
    if not brackets:
        return None
    target = brackets[1].partition("|")[0]
    by_slack = _is_url(target) or target.startswith(("mailto:", "@", "#", "!"))
    return brackets[1] if by_slack and not _SPACE.search(target) else None


def _read(word, inside, site):
    if inside is None:
        key = _key(word) or _key_beside_colon(word)
        return Word(key, key) if key else _read_link(_link(word), site, word)
    target, _, label = inside.partition("|")
    # The label of a mention is a name that someone chose, and it may look like a key.
    if not _is_url(target):
        return _other(target)
    link = _link(target)
    found = _read_link(link, site, target)
    if found.key or found.is_other_site or (site and not _is_of(link, site)):
        return found
    # A label is a key, or the address that Slack was given.
    key = _key(label) or _key_of(_link(label))
    return Word(key, key) if key else found


def _read_link(link, site, word):
    """What a link is to people of a site."""
    key, is_other_site = _target_of(link, site, 0)
    return Word(key, key) if key else _other(word, is_other_site)


def _target_of(link, site, depth):
    """The key that a link leads to, and whether it leads to another site."""
    key = _key_of(link)
    address = _destination_of(link) if not key and depth < MAX_WITHIN else None
    if address and _is_url(address):
        target = _target_of(_link(address), site, depth + 1)
        if any(target):
            return target
    elif address:
        key = _key_of(_link(address))
    if not site or not link.authority:
        return key, False
    if _is_of(link, site):
        return key or _key_anywhere(link), False
    in_cloud = _host(link).endswith(CLOUD)
    return None, bool(key or (in_cloud and not _is_wiki(link)))


def _destination_of(link):
    """The address that a link leads on to, or a path on the same site."""
    for name, equals, value in (pair.partition("=") for pair in link.query.split("&")):
        if equals and name in DESTINATIONS:
            # Some pages encode it twice.
            once = _decoded(value)
            for address in (once, _decoded(once)):
                is_path = address.startswith("/") or (name == "destination" and "/" in address)
                if _is_url(address) or (is_path and not address.startswith("//")):
                    return address
    return None


def _decoded(text):
    """Without percent signs before the numbers of ASCII's letters; others stay."""
    return re.sub("%([0-7][0-9a-fA-F])", lambda digits: chr(int(digits[1], 16)), text)


class _Link(NamedTuple):
    """The parts of an address, as far as they matter."""

    authority: str
    path: str
    query: str
    fragment: str


def _link(text):
    before, _, fragment = text.partition("#")
    address, _, query = before.partition("?")
    has_scheme = "://" in address or address.startswith("//")
    rest = address.partition("://")[2] if "://" in address else address.removeprefix("//")
    end = next((at for at, letter in enumerate(rest) if letter in "/\\"), len(rest))
    # Without a scheme it's a host only if it looks like one: `example.com/browse/SCRUM-1`.
    host, path = _bare(rest[:end]), rest[end:]
    if has_scheme or (path and "." in host):
        return _Link(host, path, query, fragment)
    return _Link("", rest, query, fragment)


def _site(address):
    link = _link(address)
    return _host(link), link.path.rstrip("/")


def _is_of(link, site):
    host, path = site
    rest = link.path[len(path) :]
    return _host(link) == host and link.path.startswith(path) and (not rest or rest.startswith("/"))


def _host(link):
    """In lower case, without a user and a usual port."""
    host = _lower(link.authority.rpartition("@")[2])
    without_port = host.removesuffix(":443")
    return (host.removesuffix(":80") if without_port == host else without_port).rstrip(".")


def _key_of(link):
    """The key that a link leads to, wherever Jira writes it. The mobile view has paths of its own, after the `#`."""
    path, question, query = link.fragment.partition("?")
    mobile = _key_in_path(path) or _key_in_query(query if question else path)
    return _key_in_path(link.path) or _key_in_query(link.query, link.path.endswith(".jspa")) or mobile


def _key_anywhere(link):
    """The last part of the path that is a key, for links of Jira that MARO doesn't know."""
    keys = [] if _is_wiki(link) else [_key(part) for part in reversed(link.path.split("/"))]
    return next(filter(None, keys), None)


def _is_wiki(link):
    """Confluence is on the same site as Jira, and its titles name issues."""
    return link.path.lstrip("/").partition("/")[0] == "wiki"


def _key_in_path(path):
    before, is_desk, last = "", False, None
    for part in filter(None, path.split("/")):
        last = _encoded_key(part)
        if last and _lower(before) in BEFORE_KEY:
            return last
        is_desk = is_desk or _lower(part) in LEADING_TO_KEY
        before = part
    return last if is_desk else None


def _key_in_query(query, is_page=False):
    """Older pages name an issue in `key`: `ViewIssue.jspa?key=KEY`."""
    names = (*KEY_PARAMETERS, "key") if is_page else KEY_PARAMETERS
    pairs = (pair.partition("=") for pair in query.split("&"))
    values = (value for name, equals, value in pairs if equals and name in names)
    return _encoded_key(next(values, ""))


def _encoded_key(part):
    """The key that a part of a link is, which may bring spaces along: `SCRUM%2D1%20`."""
    return _key(_decoded(part).strip(" "))


def _key_beside_colon(word):
    """The key in `SCRUM-1:fix`, `SCRUM-1:tada:`, `:bug:SCRUM-1`."""
    if ":" not in word or re.search(r"[/\\?]", word):
        return None
    keys = [key for key in map(_key, word.split(":")) if key]
    return keys[0] if len(keys) == 1 else None


def _key(word):
    return _as_key(_bare(word))


def _as_key(text):
    parts = KEY.fullmatch(text)
    is_short = parts and len(parts[1]) + 1 + len(parts[2]) <= 100
    return f"{parts[1].upper()}-{parts[2]}" if is_short else None


def _is_url(text):
    return _lower(text[:8]).startswith(("http://", "https://"))


def _lower(text):
    """In lower case, ASCII alone."""
    return re.sub("[A-Z]+", lambda letters: letters[0].lower(), text)


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
