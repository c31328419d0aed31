// Short ways to build replies. A reply is structure, not markup: the host escapes and renders it.

function span(part) {
  if (typeof part === 'string') return { tag: 'text', val: part };
  if (part?.tag && (part.val === undefined || typeof part.val === 'string' || part.tag === 'link' || part.tag === 'date')) return part;
  throw new TypeError(`${shown(part)} is neither a text nor a span: \`\${…}\` turns it into a text`);
}

function text(value) {
  if (typeof value === 'string') return value;
  throw new TypeError(`${shown(value)} isn't a text: \`\${…}\` turns it into one`);
}

function list(value, of) {
  if (Array.isArray(value)) return value;
  throw new TypeError(`${shown(value)} isn't a list of ${of}`);
}

// A bigint has no form in JSON.
const shown = (value) => JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? Number(part) : part)) ?? String(value);

function block(block) {
  if (Array.isArray(block?.val)) return block;
  throw new TypeError(`a reply consists of blocks, and ${shown(block)} isn't one: paragraph(…) makes one`);
}

export const strong = (text) => ({ tag: 'strong', val: text });
export const code = (text) => ({ tag: 'code', val: text });
export const link = (url, label) => ({ tag: 'link', val: { url: text(url), label: text(label) } });
// An issue key, linked to the issue.
export const issue = (key) => ({ tag: 'issue', val: key });
export const user = (id) => ({ tag: 'user', val: id });
// Where the command was typed, and who typed it.
export const channel = { tag: 'channel' };
export const caller = { tag: 'caller' };

// A moment, shown to each reader in their own time zone: `'day'`, `'time'`, `'day-and-time'` or `'ago'`.
export function date(seconds, format = 'day-and-time') {
  if (!DATE_FORMATS.includes(format)) {
    throw new TypeError(`${shown(format)} is no format of a date: choose from ${DATE_FORMATS.join(', ')}`);
  }
  if (!['bigint', 'number'].includes(typeof seconds) || Number.isNaN(seconds)) throw new TypeError(`${shown(seconds)} is no number of seconds`);
  return { tag: 'date', val: { seconds: BigInt(typeof seconds === 'bigint' ? seconds : Math.floor(seconds)), format } };
}
const DATE_FORMATS = ['day', 'time', 'day-and-time', 'ago'];

// Pressing it runs `/maro command` as the person who presses it. With a question, Slack asks that first.
export const button = (label, command, confirm) => ({
  label: text(label),
  command: text(command),
  confirm: confirm == null ? undefined : text(confirm),
});

export const paragraph = (...parts) => ({ tag: 'paragraph', val: parts.map(span) });
// Each item is a list of parts, or `{ parts, button }`; as the interface has it, `{ spans, button }`.
export const items = (entries) => ({
  tag: 'items',
  val: list(entries, 'items').map((entry) => ({ spans: line(entry?.parts ?? entry?.spans ?? entry), button: entry.button })),
});
export const lines = (entries) => ({ tag: 'lines', val: list(entries, 'lines').map(line) });
const line = (parts) => list(parts, 'texts and spans, as each line is').map(span);
export const buttons = (...entries) => ({ tag: 'buttons', val: entries });

// Only the person who typed the command sees the first kind; everyone in the channel sees the second. The third takes the
// place of the message whose button was pressed, if everyone sees that one and this plugin wrote it.
export const toCaller = (...blocks) => ({ visibility: 'caller', blocks: blocks.map(block) });
export const toChannel = (...blocks) => ({ visibility: 'channel', blocks: blocks.map(block) });
export const toUpdate = (...blocks) => ({ visibility: 'update', blocks: blocks.map(block) });

// To throw: the first says what's wrong with the arguments, the second why it couldn't be done.
export const usage = (sentence) => ({ tag: 'usage', val: sentence });
export const failed = (sentence) => ({ tag: 'failed', val: sentence });

// What to throw when the host returns an error: its message is a sentence for the person.
export const passOn = (error) => (error?.payload?.message ? failed(error.payload.message) : error);

// An issue in a few words, to put after its key: `: User authentication flow (Open)`.
export function details(summary, status) {
  const short = shorten(summary, 80);
  return (short && `: ${short}`) + (status && ` (${status})`);
}

// At most `length` characters, the last of them `…` if anything was cut.
export function shorten(text, length) {
  const letters = [...text];
  return letters.length <= length ? text : letters.slice(0, Math.max(length - 1, 0)).join('') + '…'.slice(0, length);
}

// Slack sends `&`, `<` and `>` as entities.
export const unescape = (text) =>
  text.replace(/&(amp|lt|gt);/g, (_, name) => ({ amp: '&', lt: '<', gt: '>' })[name]);

// The words of a short command, such as `all` in `“All”, please!`: without quotes, the ends of sentences and what only joins.
export const plainWords = (text) =>
  (tidy(unescape(text)).match(NO_SEPARATORS) ?? []).filter((word) => !saysNothing(word)).map(bare);

// A name as it was meant, where people type it behind something else: without `to` or an arrow before it, without quotes,
// and without a sentence's end.
export function named(text) {
  const withoutEnd = (name) => name.replace(new RegExp(`[${SPACES}.,!?]+$`, 'u'), '');
  const trimmed = (name) => name.replace(new RegExp(`^[${SPACES}]+|[${SPACES}]+$`, 'gu'), '');
  let name = withoutEnd(trimmed(text));
  for (const courtesy of [' please', ' pls', ' thanks']) {
    if (name.slice(-courtesy.length).toLowerCase() === courtesy) name = withoutEnd(name.slice(0, -courtesy.length));
  }
  for (const before of ['to ', '→', '->', '=>', '=']) {
    if (name.slice(0, before.length).toLowerCase() === before) {
      name = name.slice(before.length).replace(new RegExp(`^[${SPACES}]+`, 'u'), '');
    }
  }
  return trimmed(name.replace(/^["'`“”„‘’‚«»]+|["'`“”„‘’‚«»]+$/g, ''));
}

// A text for use in JQL. Put what a person typed into a query only through this function.
export const quoted = (text) => `"${text.replace(/["\\]/g, '\\$&').replace(/[\0-\x1f\x7f-\x9f]/g, ' ')}"`;

// What people type and paste, word by word: issue keys, links to issues, and the rest. It's the parser of the host and of the
// SDK for Rust (`keys/parser.rs`), function by function, and tested against it.

const KEY = /^([a-z][a-z0-9_]*)[-\u2010-\u2015\u2043\u2212\u30fc\ufe58\ufe63\uff0d\uff70]([1-9][0-9]{0,17})$/i;
// White space, control characters, and what separates the parts of a list. The interpreter doesn't know \p{…}.
const SPACES = String.raw`\t-\r\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000`;
const SEPARATOR = new RegExp(String.raw`[${SPACES}\0-\x1f\x7f-\x9f,;•◦▪‣。｡・･、，；،؛]`, 'u');
const NO_SEPARATORS = new RegExp(String.raw`[^${SPACES}\0-\x1f\x7f-\x9f,;•◦▪‣。｡・･、，；،؛]+`, 'gu');
const SPACE = new RegExp(`[${SPACES}]`, 'u');
// What joins keys within a word, and what stands between the first key and the last of a range, in any case before a key.
const JOINS = /[/|+&\\]+/;
// What leads from one key to another within a word, beside dots. `SCRUM-1-3` may be anything.
const LEADING_ON = ['->', '–>', '–', '—', '~', '〜', '→'];
// The letters of scripts that are written without spaces, or joined to what stands before them.
const UNSPACED_LETTER = String.raw`[\u1100-\u11ff\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fd-\u318f\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff66-\uff6f\uff71-\uff9f\u{20000}-\u{2fa1f}]`;
const UNSPACED = new RegExp(UNSPACED_LETTER, 'u');
const TO = ['to', 'till', 'until', 'thru', 'through', 'upto', 'bis'];
// White space within a line.
const COMMA = /[,;、，；،؛]/;
const IN_LIST = /^[ \t\xa0\u2007\u202f\u3000]*[,;、，；،؛]/;
const BLANKS = /^[ \t\xa0\u2007\u202f\u3000]+$/;
const HYPHEN = /[-\u2010-\u2015\u2043\u2212\u30fc\ufe58\ufe63\uff0d\uff70]/;
const LONE_HYPHEN = /^[-\u2010-\u2015\u2043\u2212\u30fc\ufe58\ufe63\uff0d\uff70]$/;
// Quotes, brackets, the end of a sentence, Markdown's emphasis, the invisible characters that come along, and emoji.
const EMOJI = String.raw`\u20e3\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\u{1f000}-\u{1faff}\u{e0020}-\u{e007f}`;
const AROUND = `[\'"\`‘’‚“”„‹›«»()\\[\\]{}<>.:!?*_~#…「」『』【】《》〈〉؟।\u200b-\u200f\u2060\ufeff${EMOJI}]+`;
const EDGES = new RegExp(`^${AROUND}|${AROUND}$`, 'gu');
const START = new RegExp(`^${AROUND}`, 'u');
const DECORATION = new RegExp(`^(?:${AROUND}|${UNSPACED_LETTER})+$`, 'u');
const EDGES_END = new RegExp(`${AROUND}$`, 'u');
const INVISIBLE = /[\xad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff]/g;
// What stands between keys, in the languages that people write in, and says nothing; and emoji as Slack sends them.
const FILLERS = [
  '', '&', '+', '/', '|', 'and', 'or', 'plus', 'please', 'pls', 'thanks', 'und', 'oder', 'sowie', 'et',
  'ou', 'y', 'o', 'e', 'en', 'och', 'og', 'i', 'oraz', 'и', 've', 'و', '와', '과', '및', '和', '与', '及', 'と',
];
// What people write around keys in a sentence, and what joins nothing.
const SMALL_WORDS = [
  'the', 'a', 'an', 'this', 'that', 'these', 'those', 'it', 'to', 'for', 'from', 'in', 'on', 'of', 'at', 'with',
  'me', 'us', 'my', 'our', 'your', 'is', 'are', 'here', 'now', 'also', 'too', 'issue', 'issues', 'ticket', 'tickets', 'task',
  'tasks', 'bug', 'bugs', 'story', 'stories', 'key', 'keys', 'jira', 'channel', 'list',
  'epic', 'epics',
];
// What sets the keys behind it apart from those before it, in lower case: another command, or a word that leaves out.
const TURNS = [
  'track', 'untrack', 'remove', 'delete', 'stop', 'not', 'no', "don't", 'don’t', 'dont', 'except', 'excluding', 'exclude',
  'without', 'minus', 'but', 'than', 'instead', 'unless', 'nicht', 'außer', 'ohne', 'sauf', 'sans', 'pas', 'excepto', 'menos', 'sin',
];
// What stands before a number that belongs to no project, in lower case: `SCRUM-10 to 12`.
const BEFORE_NUMBERS = ['to', 'till', 'until', 'thru', 'through', 'upto', 'bis', 'in', 'on', 'at', 'for', 'of', 'from', 'by', 'is'];
const EMOJI_CODE = /^:[a-z0-9:_+'-]+:$/;

// What stands before a key in the path of a link, what leads to one at its end, and the parameters that name one.
const BEFORE_KEY = ['browse', 'issues', 'issue'];
const LEADING_TO_KEY = ['servicedesk', 'portal', 'queues'];
const KEY_PARAMETERS = ['selectedIssue', 'issueKey', 'issue'];
// What says where a page for logging in, or one that checks links, leads on to; so many links within one another are read.
// The last is a service desk's, where it's a path that begins with no slash: `destination=portal/7/KEY`.
const DESTINATIONS = ['os_destination', 'dest-url', 'continue', 'url', 'q', 'destination'];
const MAX_WITHIN = 3;
// Where Atlassian keeps the sites of Jira Cloud.
const CLOUD = ['.atlassian.net', '.jira.com'];

const OTHER_SITE = 'That link is to another Jira site.';

// The issue keys in a text, as people type and paste them: in any case, alone, in links, wrapped by Slack, as `SCRUM
// 123`; the number in `SCRUM-123, 124` is one, too. What only joins them is left out (`and`, an emoji), and so is a title that was copied along. With the address of
// the Jira site, which `site()` of `maro:plugin/jira` returns, links to other sites aren't taken for its issues.
// Returns `[{ key, word, isOtherSite }]` in the order given, each once. `key` is undefined if the word isn't a key.
export function issueKeys(text, siteAddress) {
  const site = siteAddress === undefined ? undefined : siteAt(siteAddress);
  const found = [];
  const words = asked(writtenOut(withoutSigns(tidy(unescape(text)))), site);
  const turn = turnAmong(words);
  if (turn !== undefined) throw usage(`“${shorten(turn, 40)}” can't stand before an issue key. Enter one command at a time, with its keys only.`);
  for (const { key, isOtherSite = false, word } of words) {
    const entry = { key, word: key ?? shorten(word, 40), isOtherSite };
    const isSame = (other) => other.word === entry.word && !other.key === !key && other.isOtherSite === isOtherSite;
    if (!found.some(isSame)) found.push(entry);
    if (found.length > 200) throw usage('You can use up to 50 keys at a time; you entered more than 200.');
  }
  if (found.length === 0) throw usage('Include at least one issue key, such as SCRUM-123.');
  if (found.length > 50) throw usage(`You can use up to 50 keys at a time; you entered ${found.length}.`);
  return found;
}

// The line for an entry of `issueKeys` that isn't a key, to spread: `paragraph(...notAKey(entry))`.
export const notAKey = ({ word, isOtherSite }) => (isOtherSite ? [OTHER_SITE] : [code(word), ' is not an issue key']);

// What a command is about, from a tidy text: where `SCRUM 123` is typed, `SCRUM-123` is meant, and `SCRUM-124` by the number
// in `SCRUM-123, 124`. A word and a number in a sentence are no key: not behind other words, and in lower case not before them.
function asked(text, site) {
  const all = [...tokens(text)];
  const words = askedWith(all, site, true);
  const isSentence = words.some(({ key, isOtherSite }) => !key && !isOtherSite);
  const meant = isSentence ? askedWith(all, site, false) : words;
  const isSmall = ({ key, isOtherSite, word }) =>
    !key && !isOtherSite && SMALL_WORDS.includes(bare(word).toLowerCase());
  return meant.some(({ key }) => key) ? meant.filter((found) => !isSmall(found)) : meant;
}

// The word that sets the keys behind it apart from the others: `SCRUM-1 but not SCRUM-2`, `SCRUM-1 and untrack SCRUM-2`. What is
// meant for some of them can't be done to all.
function turnAmong(words) {
  const isTurn = ({ key, isOtherSite, word }, next) => !key && !isOtherSite && (next?.key || next?.isOtherSite) && turns(word);
  return words.find((word, at) => isTurn(word, words[at + 1]))?.word;
}

const turns = (word) => TURNS.includes(bare(word).toLowerCase()) || /^\/[a-z][^/]*$/i.test(word);

function askedWith(all, site, apartInLowerCase) {
  let [words, isTitle, isSentence, before] = [[], false, false, {}];
  for (let at = 0; at < all.length; at += 1) {
    const token = all[at];
    isTitle &&= !/[\n\r•]/.test(token.gap);
    before = passed(before, token.gap);
    const mayBeApart = !isTitle && !isSentence && (apartInLowerCase || !hasLowerCase(token.word ?? ''));
    const apart = mayBeApart ? keyApart(all, at) : undefined;
    at += apart?.more ?? 0;
    const joined = !isTitle && !isSentence && isAtEndOfPart(all[at + 1], site) ? keyWith(before, token) : undefined;
    const found = apart ?? joined ?? read(token, site);
    const isFiller = !found.key && !found.isOtherSite && saysNothing(found.word);
    // Commas and numbers behind a link may be its own.
    const isTyped = (apart ?? joined ?? asKey(bare(token.word ?? ''))) !== undefined;
    before = seen(before, found, isFiller, isTyped);
    if (found.key) isTitle = isBeforeTitle(all[at], ...all.slice(at + 1, at + 4));
    else if (isTitle && !found.isOtherSite && !found.word.includes('://')) continue;
    isSentence ||= !found.key && !found.isOtherSite && !isFiller;
    words.push(found);
  }
  const isFiller = ({ key, isOtherSite, word }) => !key && !isOtherSite && saysNothing(word);
  return words.some(({ key }) => key) ? words.filter((found) => !isFiller(found)) : words;
}

// What stands before a number that may be meant as a key of the same project: the project of a key that was typed, if
// nothing follows it but what joins, and whether something does.
function passed(before, gap) {
  if (COMMA.test(gap)) return { ...before, isJoined: true };
  return gap === '' || BLANKS.test(gap) ? before : {};
}

function seen(before, { key, word }, isFiller, isTyped) {
  if (key) return isTyped ? { project: key.slice(0, key.lastIndexOf('-')) } : {};
  // From one to another, with those between? Nobody says.
  const leadsOn = HYPHEN.test(word[0] ?? '') || word.startsWith('..') || word === '…';
  return isFiller && !leadsOn ? { ...before, isJoined: true } : {};
}

// The key that a number stands for: `124` behind `SCRUM-123, `.
function keyWith({ project, isJoined }, { word, inside }) {
  if (!isJoined || project === undefined || inside !== undefined) return undefined;
  const key = asKey(`${project}-${bare(word)}`);
  return key && { key };
}

// Whether no words follow that belong to a token: the end, a comma, another line, a key, or what joins keys.
function isAtEndOfPart(next, site) {
  if (next === undefined || (next.gap !== '' && !BLANKS.test(next.gap))) return true;
  const { key, isOtherSite, word } = read(next, site);
  return key !== undefined || (!isOtherSite && saysNothing(word));
}

// The interpreter knows no properties of letters.
const hasLowerCase = (word) => [...word].some((letter) => letter !== letter.toUpperCase());

// The word of a token with nothing but blanks before it.
const wordBeside = (token) => (token && token.inside === undefined && BLANKS.test(token.gap) ? token.word : undefined);

// The key whose project is a token and whose number follows apart, and how many tokens more it takes.
function keyApart(all, at) {
  if (all[at].inside !== undefined) return undefined;
  const start = all[at].word.replace(START, '');
  const isHyphened = HYPHEN.test(start.at(-1) ?? '');
  const project = isHyphened ? start.slice(0, -1) : start;
  if (project.length < 2 || project.length > 10 || saysNothing(project) || BEFORE_NUMBERS.includes(project)) return undefined;
  let [next, more] = [wordBeside(all[at + 1]), 1];
  if (next !== undefined && !isHyphened && HYPHEN.test(next[0])) {
    next = next.slice(1);
    if (next === '') [next, more] = [wordBeside(all[at + 2]), 2];
  }
  const key = next === undefined ? undefined : asKey(`${project}-${next.replace(EDGES_END, '')}`);
  return key && { key, more };
}

// Whether the words behind a key, of which this is the last token, are its title: `SCRUM-1: Log-in fails`, `[SCRUM-1] Log-in
// fails`, `SCRUM-1 - Log-in fails`.
function isBeforeTitle({ word, inside, after, isInList }, next, number, behind) {
  // In the row of a table, it's in the next cell.
  if (/^ *\t/.test(next?.gap ?? '')) return true;
  if (inside !== undefined) return after === ':';
  const beside = wordBeside(next);
  return (/[:\]]$/.test(word) && !isInList) || beside === '|'
    || (beside?.length === 1 && HYPHEN.test(beside) && !isNumberAlone(number, behind));
}

// Whether nothing but a number follows in its part: `SCRUM-1 - 3`.
const isNumberAlone = (token, behind) =>
  /^[0-9]+$/.test(bare(wordBeside(token) ?? '')) && (behind === undefined || (behind.gap !== '' && !BLANKS.test(behind.gap)));

// A text with its full-width letters as ASCII, and without what nobody sees.
const tidy = (text) =>
  text.replace(INVISIBLE, '').replace(/[\uff01-\uff5e]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) - 0xfee0));

// A text without the numbers and ticked boxes of its items, and without what is only said of those below it: `1. SCRUM-1`,
// `[x] SCRUM-1`, `Tracked Jira issues in #general:`.
function withoutSigns(text) {
  const lines = text.split('\n');
  const isPlain = (line, at) => !isHeading(line, lines.slice(at + 1).join('\n'));
  return lines.map((line, at) => (isPlain(line, at) ? line.replace(SIGNS, '$1') : '')).join('\n');
}
const NUMBER = String.raw`[0-9]{1,3}(?:\u20e3|[.)](?=[a-z<]|[ \t\xa0\u2007\u202f\u3000]+[^ \t\xa0\u2007\u202f\u3000\r]))`;
const SIGNS = new RegExp(String.raw`^([ \t\xa0\u2007\u202f\u3000•◦▪‣\-–—*+>]*)(?:(?:\[x\]|${NUMBER})[ \t\xa0\u2007\u202f\u3000]*)+`, 'i');

// Whether a line of several words names no issue, and ends as what introduces those below it.
function isHeading(line, below) {
  const words = line.match(NO_SEPARATORS) ?? [];
  const namesIssue = (word) => word.includes('/') || asKey(bare(word)) !== undefined;
  return words.length > 1 && words.at(-1).endsWith(':') && !words.some(namesIssue) && (below.match(NO_SEPARATORS) ?? []).some(namesIssue);
}

// A text with commas within the words that are nothing but keys, and the keys of a range written out: `SCRUM-1/SCRUM-2`,
// `SCRUM-1..5`, `SCRUM-1 to 5`. Other words stay.
function writtenOut(text) {
  const words = [];
  text.replace(NO_SEPARATORS, (word, start) => words.push({ word, start, end: start + word.length }));
  let [written, end] = ['', 0];
  for (let at = 0; at < words.length; at += 1) {
    const { word, start } = words[at];
    const apart = rangeApart(text, words, at);
    at += apart ? 2 : 0;
    const [keys, last] = [apart ?? keysOf(bare(word)), words[at].word];
    const [before, bareStart] = [START.exec(word)?.[0] ?? '', START.exec(last)?.[0] ?? ''];
    const behind = last.slice(bareStart.length + bare(last).length);
    written += text.slice(end, start) + (keys ? before + keys.join(',') + behind : word);
    end = words[at].end;
  }
  return written + text.slice(end);
}

// The keys of a range whose ends stand apart: `SCRUM-1 to SCRUM-5`, `SCRUM-1 until 5`, `SCRUM-1 .. 5`. Behind a dash it has to
// be the last of its part: others begin a title so.
function rangeApart(text, words, at) {
  const isBeside = (at) => at < words.length && BLANKS.test(text.slice(words[at - 1].end, words[at].start));
  const first = asKey(words[at].word.replace(START, ''));
  if (first === undefined || !isBeside(at + 1) || !isBeside(at + 2)) return undefined;
  const [joint, last] = [words[at + 1].word, bare(words[at + 2].word)];
  let leadsOn = false;
  if (joint.length === 1 && HYPHEN.test(joint)) leadsOn = !isBeside(at + 3);
  else if (/^[.…]+$/.test(joint)) leadsOn = joint !== '.';
  // `A-1 TO 5` may be two keys, the other one `TO-5`.
  else leadsOn = TO.includes(asKey(last) === undefined ? joint : joint.toLowerCase());
  return leadsOn ? between(first, last) : undefined;
}

// The keys of a word that has several, and the numbers that follow one: `SCRUM-1/2`.
function keysOf(word) {
  if (UNSPACED.test(word)) return keysAmongLetters(word);
  const keys = [];
  for (const piece of word.split(JOINS).filter((piece) => piece)) {
    const range = rangeOf(piece);
    if (range) keys.push(...range);
    else if (asKey(piece) || (keys.length > 0 && /^[0-9]+$/.test(piece))) keys.push(piece);
    else return undefined;
  }
  return keys.length > 1 ? keys : undefined;
}

// The keys, or the link, that no space sets apart from words of scripts that have none: `SCRUM-1を確認`.
function keysAmongLetters(word) {
  const pieces = word.split(UNSPACED).map(bare);
  if (pieces.some((piece) => piece.includes('/') && !keysOf(piece))) {
    // What follows within a link is its own.
    const link = pieces[0] || pieces.slice(1).find((piece) => piece.includes('://'));
    return link && keyOf(linkOf(link)) ? [link] : undefined;
  }
  const keys = pieces.flatMap((piece) => keysOf(piece) ?? asKey(piece) ?? []);
  return keys.length > 0 ? keys : undefined;
}

// The keys from one to another: `SCRUM-1..5`, `SCRUM-1…SCRUM-5`, `SCRUM-1–5`.
function rangeOf(piece) {
  for (let at = 0; at < piece.length; at += 1) {
    const last = behindSign(piece.slice(at));
    const first = last === undefined ? undefined : asKey(piece.slice(0, at));
    const keys = first === undefined ? undefined : between(first, last);
    if (keys) return keys;
  }
  return undefined;
}

// What stands behind what leads from one key to another.
function behindSign(text) {
  const [dots] = /^[.…]*/.exec(text);
  if (dots) return dots === '.' ? undefined : text.slice(dots.length);
  const sign = LEADING_ON.find((sign) => text.startsWith(sign));
  return sign && text.slice(sign.length);
}

// The keys from one to a later one of the same project or its number. No command takes nearly as many as 200 beside the first.
function between(first, last) {
  const [project, from] = projectAndNumber(first);
  const [sameProject, to] = projectAndNumber(asKey(last) ?? asKey(`${project}-${last}`) ?? '-0');
  if (sameProject !== project || to <= from) return undefined;
  const count = Math.min(Number(to - from), 200) + 1;
  return Array.from({ length: count }, (_, at) => `${project}-${from + BigInt(at)}`);
}

function projectAndNumber(key) {
  const at = key.lastIndexOf('-');
  return [key.slice(0, at), BigInt(key.slice(at + 1))];
}

// Whether a word that isn't a key says nothing beside keys.
const saysNothing = (word) =>
  EMOJI_CODE.test(word) || LONE_HYPHEN.test(bare(word)) || FILLERS.includes(bare(word).toLowerCase());

// Cuts a text into words, and what Slack makes of links and mentions: `<https://…|label>`, `<@U1>`, `<#C1|name>`.
function* tokens(text) {
  let [rest, besideWrapped, from] = [text, false, text];
  for (;;) {
    let start = rest;
    while (start && SEPARATOR.test(start[0])) start = start.slice(1);
    besideWrapped &&= start.length === rest.length;
    if (!start) return;
    // What stood before it, since the last that was given.
    const gap = from.slice(0, from.length - start.length);
    const inside = wrapped(start);
    if (inside !== undefined) {
      [rest, besideWrapped] = [start.slice(inside.length + 2), true];
      from = rest;
      yield { inside, gap, after: rest[0] };
      continue;
    }
    let end = 0;
    while (end < start.length && !SEPARATOR.test(start[end]) && (start[end] !== '<' || wrapped(start.slice(end)) === undefined)) end += 1;
    const word = start.slice(0, end);
    rest = start.slice(end);
    // The brackets in `(<https://…>)` and the period in `<https://…>.` aren't words of their own, and nor is what some scripts
    // join to a link.
    const isDecoration = (besideWrapped || rest.startsWith('<')) && DECORATION.test(word);
    besideWrapped = false;
    if (isDecoration) continue;
    from = rest;
    yield { word, gap, isInList: IN_LIST.test(rest) };
  }
}

// What's inside Slack's brackets, if a text starts with them. Brackets that a person typed don't count.
function wrapped(text) {
  const inside = /^<([^<>\n]*)>/.exec(text)?.[1];
  const target = inside?.split('|')[0];
  const bySlack = target !== undefined && (isUrl(target) || target.startsWith('mailto:') || /^[@#!]/.test(target));
  return bySlack && !SPACE.test(target) ? inside : undefined;
}

// `{ key }`, or `{ word }` as typed, which may be a link to another Jira site.
function read({ word, inside }, site) {
  if (inside === undefined) {
    const key = asKey(bare(word)) ?? keyBesideColon(word);
    return key ? { key } : readLink(linkOf(word), site, word);
  }
  const [target, label] = cut(inside, '|');
  // The label of a mention is a name that someone chose, and it may look like a key.
  if (!isUrl(target)) return { word: target };
  const link = linkOf(target);
  const found = readLink(link, site, target);
  if (found.key || found.isOtherSite || (site && !isOf(link, site))) return found;
  // A label is a key, or the address that Slack was given.
  const key = asKey(bare(label)) ?? keyOf(linkOf(label));
  return key ? { key } : found;
}

// The key in `SCRUM-1:fix`, `SCRUM-1:tada:`, `:bug:SCRUM-1`.
function keyBesideColon(word) {
  if (!word.includes(':') || /[/\\?]/.test(word)) return undefined;
  const keys = word.split(':').map((part) => asKey(bare(part))).filter((key) => key);
  return keys.length === 1 ? keys[0] : undefined;
}

// What a link is to people of a site.
function readLink(link, site, word) {
  const { key, isOtherSite } = targetOf(link, site, 0);
  return key ? { key } : isOtherSite ? { word, isOtherSite } : { word };
}

function targetOf(link, site, depth) {
  let key = keyOf(link);
  const address = key === undefined && depth < MAX_WITHIN ? destinationOf(link) : undefined;
  if (address !== undefined && isUrl(address)) {
    const target = targetOf(linkOf(address), site, depth + 1);
    if (target.key || target.isOtherSite) return target;
  } else if (address !== undefined) {
    key = keyOf(linkOf(address));
  }
  if (!site || link.authority === '') return { key };
  if (isOf(link, site)) return { key: key ?? keyAnywhere(link) };
  const inCloud = CLOUD.some((suffix) => hostOf(link).endsWith(suffix));
  return { isOtherSite: key !== undefined || (inCloud && !isWiki(link)) };
}

// The address that a link leads on to, or a path on the same site.
function destinationOf({ query }) {
  for (const pair of query.split('&').filter((pair) => pair.includes('='))) {
    const [name, value] = cut(pair, '=');
    if (!DESTINATIONS.includes(name)) continue;
    const isPath = (text) => text.startsWith('/') || (name === 'destination' && text.includes('/'));
    const isAddress = (text) => isUrl(text) || (isPath(text) && !text.startsWith('//'));
    // Some pages encode it twice.
    const once = decoded(value);
    const address = [once, decoded(once)].find(isAddress);
    if (address !== undefined) return address;
  }
  return undefined;
}

// Without percent signs before the numbers of ASCII's letters; others stay.
const decoded = (text) =>
  text.replace(/%([0-7][0-9a-f])/gi, (_, digits) => String.fromCharCode(parseInt(digits, 16)));

function siteAt(address) {
  const link = linkOf(address);
  return { host: hostOf(link), path: link.path.replace(/\/+$/, '') };
}

function isOf(link, { host, path }) {
  const rest = link.path.slice(path.length);
  return hostOf(link) === host && link.path.startsWith(path) && (rest === '' || rest.startsWith('/'));
}

// The parts of an address, as far as they matter.
function linkOf(text) {
  const [before, fragment] = cut(text, '#');
  const [address, query] = cut(before, '?');
  const at = address.indexOf('://');
  const isBare = at < 0 && address.startsWith('//');
  const rest = at >= 0 ? address.slice(at + 3) : address.slice(isBare ? 2 : 0);
  const end = rest.search(/[/\\]/);
  const [start, path] = end < 0 ? [rest, ''] : [rest.slice(0, end), rest.slice(end)];
  // Without a scheme it's a host only if it looks like one: `example.com/browse/SCRUM-1`.
  const host = bare(start);
  const hasHost = at >= 0 || isBare || (path !== '' && host.includes('.'));
  return hasHost ? { authority: host, path, query, fragment } : { authority: '', path: rest, query, fragment };
}

// In lower case, without a user and a usual port.
function hostOf({ authority }) {
  const host = lower(authority.split('@').at(-1));
  return (host.endsWith(':443') ? host.slice(0, -4) : host.endsWith(':80') ? host.slice(0, -3) : host).replace(/\.+$/, '');
}

// The key that a link leads to, wherever Jira writes it. The mobile view has paths of its own, after the `#`.
function keyOf({ path, query, fragment }) {
  const [mobilePath, mobileQuery] = fragment.includes('?') ? cut(fragment, '?') : [fragment, fragment];
  return keyInPath(path) ?? keyInQuery(query, path.endsWith('.jspa')) ?? keyInPath(mobilePath) ?? keyInQuery(mobileQuery);
}

// The last part of the path that is a key, for links of Jira that MARO doesn't know.
function keyAnywhere(link) {
  if (isWiki(link)) return undefined;
  const keys = link.path.split('/').map((part) => asKey(bare(part)));
  return keys.filter((key) => key).at(-1);
}

// Confluence is on the same site as Jira, and its titles name issues.
const isWiki = ({ path }) => path.replace(/^\/+/, '').split('/')[0] === 'wiki';

function keyInPath(path) {
  let [before, isDesk, last] = ['', false, undefined];
  for (const part of path.split('/').filter((part) => part)) {
    last = encodedKey(part);
    if (last && BEFORE_KEY.includes(lower(before))) return last;
    isDesk ||= LEADING_TO_KEY.includes(lower(part));
    before = part;
  }
  return isDesk ? last : undefined;
}

// Older pages name an issue in `key`: `ViewIssue.jspa?key=KEY`.
function keyInQuery(query, isPage = false) {
  const pairs = query.split('&').filter((pair) => pair.includes('=')).map((pair) => cut(pair, '='));
  const named = pairs.find(([name]) => KEY_PARAMETERS.includes(name) || (isPage && name === 'key'));
  return named && encodedKey(named[1]);
}

// The key that a part of a link is, which may bring spaces along: `SCRUM%2D1%20`.
const encodedKey = (part) => asKey(bare(decoded(part).replace(/^ +| +$/g, '')));

function asKey(text) {
  const [, project, number] = KEY.exec(text) ?? [];
  return project && project.length + 1 + number.length <= 100 ? `${project.toUpperCase()}-${number}` : undefined;
}

const bare = (word) => word.replace(EDGES, '');
const isUrl = (text) => /^https?:\/\//i.test(text);
const lower = (text) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

// A text before and after the first of a character.
function cut(text, by) {
  const at = text.indexOf(by);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + by.length)];
}

// `2026-01-31 09:30 UTC`
function inUtc({ seconds, format }) {
  const [day, time] = new Date(Number(seconds) * 1000).toISOString().split('T');
  const minutes = `${time.slice(0, 5)} UTC`;
  return { day, time: minutes }[format] ?? `${day} ${minutes}`;
}

// A reply's text, roughly as Slack shows it, for tests.
export function preview(reply) {
  const one = ({ tag, val }) =>
    tag === 'date' ? inUtc(val) : ({ channel: '#channel', caller: '@caller', link: val?.label, code: `\`${val}\``, user: `@${val}` })[tag] ?? val;
  const line = (spans) => spans.map(one).join('');
  const pressed = (entry) => (entry ? ` [${entry.label}]` : '');
  const block = ({ tag, val }) =>
    ({
      paragraph: () => [line(val)],
      items: () => val.map((item) => `• ${line(item.spans)}${pressed(item.button)}`),
      lines: () => val.map(line),
      buttons: () => [val.map(pressed).join('').trim()],
    })[tag]();
  return reply.blocks.flatMap(block).join('\n');
}
