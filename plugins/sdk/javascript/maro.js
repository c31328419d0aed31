// Short ways to build replies. A reply is structure, not markup: the host escapes and renders it.

function span(part) {
  if (typeof part === 'string') return { tag: 'text', val: part };
  if (part?.tag && (part.val === undefined || typeof part.val === 'string' || part.tag === 'link' || part.tag === 'date')) return part;
  throw new TypeError(`${JSON.stringify(part)} is neither a text nor a span: \`\${…}\` turns it into a text`);
}

function block(block) {
  if (Array.isArray(block?.val)) return block;
  throw new TypeError(`a reply consists of blocks, and ${JSON.stringify(block)} isn't one: paragraph(…) makes one`);
}

export const strong = (text) => ({ tag: 'strong', val: text });
export const code = (text) => ({ tag: 'code', val: text });
export const link = (url, label) => ({ tag: 'link', val: { url, label } });
// An issue key, linked to the issue.
export const issue = (key) => ({ tag: 'issue', val: key });
export const user = (id) => ({ tag: 'user', val: id });
// Where the command was typed, and who typed it.
export const channel = { tag: 'channel' };
export const caller = { tag: 'caller' };

// A moment, shown to each reader in their own time zone: `'day'`, `'time'`, `'day-and-time'` or `'ago'`.
export const date = (seconds, format = 'day-and-time') => ({
  tag: 'date',
  val: { seconds: BigInt(typeof seconds === 'bigint' ? seconds : Math.floor(seconds)), format },
});

// Pressing it runs `/maro command` as the person who presses it. With a question, Slack asks that first.
export const button = (label, command, confirm) => ({ label, command, confirm });

export const paragraph = (...parts) => ({ tag: 'paragraph', val: parts.map(span) });
// Each item is a list of parts, or `{ parts, button }`.
export const items = (entries) => ({
  tag: 'items',
  val: entries.map((entry) => ({ spans: (entry.parts ?? entry).map(span), button: entry.button })),
});
export const lines = (entries) => ({ tag: 'lines', val: entries.map((parts) => parts.map(span)) });
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

// A text for use in JQL. Put what a person typed into a query only through this function.
export const quoted = (text) => `"${text.replace(/["\\]/g, '\\$&').replace(/[\0-\x1f\x7f-\x9f]/g, ' ')}"`;

const KEY = /^([a-z][a-z0-9_]*)[-\u2010-\u2015\u2212\uff0d]([1-9][0-9]{0,17})$/i;
const WRAPPED = String.raw`<(?:https?:\/\/|mailto:|[@#!])[^|<>\s]*(?:\|[^<>\n]*)?>`;
// White space, control characters, and what separates the parts of a list. The interpreter doesn't know \p{…}.
const SEPARATORS = String.raw`\0-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000,;•◦▪‣、，；`;
const TOKEN = new RegExp(`${WRAPPED}|(?:(?!${WRAPPED})[^${SEPARATORS}])+`, 'giu');
const AROUND = '[\'"`‘’‚“”„‹›«»()\\[\\]{}<>.:!?*_~#…\u200b-\u200f\u2060\ufeff]+';
const EDGES = new RegExp(`^${AROUND}|${AROUND}$`, 'gu');

// The issue keys in a text, as people type and paste them: in any case, alone, in URLs, wrapped by Slack.
// Returns `[{ key, word }]` in the order given, each once. `key` is undefined if the word isn't a key.
export function issueKeys(text) {
  const found = [];
  const typed = unescape(text);
  let end = -1;
  for (const { 0: token, index } of typed.matchAll(TOKEN)) {
    const isWrapped = token.startsWith('<') && new RegExp(`^${WRAPPED}$`, 'iu').test(token);
    const isBeside = end === index || typed[index + token.length] === '<';
    end = isWrapped ? index + token.length : -1;
    // The brackets in `(<https://…>)` aren't words of their own.
    if (!isWrapped && isBeside && bare(token) === '') continue;
    const entry = isWrapped ? wrappedKey(token.slice(1, -1)) : { key: keyIn(token), word: token };
    const shown = entry.key ?? shorten(entry.word, 40);
    if (!found.some(({ key, word }) => word === shown && !key === !entry.key)) found.push({ key: entry.key, word: shown });
    if (found.length > 200) throw usage('You can use up to 50 keys at a time; you entered more than 200.');
  }
  if (found.length === 0) throw usage('Include at least one issue key, such as SCRUM-123.');
  if (found.length > 50) throw usage(`You can use up to 50 keys at a time; you entered ${found.length}.`);
  return found;
}

const bare = (word) => word.replace(EDGES, '');
const keyIn = (word) => asKey(bare(word)) ?? keyInUrl(word);

function asKey(text) {
  const parts = text.length <= 100 && KEY.exec(text);
  return parts ? `${parts[1].toUpperCase()}-${parts[2]}` : undefined;
}

function keyInUrl(url) {
  const [path, query = ''] = url.split('#')[0].split(/\?(.*)/s);
  const parts = path.split('/');
  const keys = parts.map((part, at) => (/^(browse|issues)$/.test(parts[at - 1]) ? asKey(bare(part)) : undefined));
  const selected = query.split('&').find((pair) => pair.startsWith('selectedIssue='));
  return keys.find((key) => key) ?? (selected && asKey(bare(selected.slice('selectedIssue='.length))));
}

// The label of a mention is a name that someone chose, and it may look like a key.
function wrappedKey(inside) {
  const [target, label = ''] = inside.split(/\|(.*)/s);
  const key = keyInUrl(target) ?? (/^https?:\/\//i.test(target) ? keyIn(label) : undefined);
  return { key, word: target };
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
      paragraph: () => line(val),
      items: () => val.map((item) => `• ${line(item.spans)}${pressed(item.button)}`).join('\n'),
      lines: () => val.map(line).join('\n'),
      buttons: () => val.map(pressed).join('').trim(),
    })[tag]();
  return reply.blocks.map(block).join('\n');
}
