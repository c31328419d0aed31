// Replies in few words. A reply is structure, not markup: the host escapes and renders it.

const span = (part) => (typeof part === 'string' ? { tag: 'text', val: part } : part);

export const strong = (text) => ({ tag: 'strong', val: text });
export const code = (text) => ({ tag: 'code', val: text });
export const link = (url, label) => ({ tag: 'link', val: { url, label } });
// A key, linked to the issue.
export const issue = (key) => ({ tag: 'issue', val: key });
export const user = (id) => ({ tag: 'user', val: id });
// Where the command was typed, and by whom.
export const channel = { tag: 'channel' };
export const caller = { tag: 'caller' };

// A press runs `/maro command` as the person who presses.
export const button = (label, command) => ({ label, command });

export const paragraph = (...parts) => ({ tag: 'paragraph', val: parts.map(span) });
// Each item is a list of parts, or `{ parts, button }`.
export const items = (entries) => ({
  tag: 'items',
  val: entries.map((entry) => ({ spans: (entry.parts ?? entry).map(span), button: entry.button })),
});
export const lines = (entries) => ({ tag: 'lines', val: entries.map((parts) => parts.map(span)) });
export const buttons = (...entries) => ({ tag: 'buttons', val: entries });

// Only the person who typed the command sees the first, everyone in the channel the second.
export const toCaller = (...blocks) => ({ visibility: 'caller', blocks });
export const toChannel = (...blocks) => ({ visibility: 'channel', blocks });

// To throw: what was typed cannot be used; it could not be done.
export const usage = (sentence) => ({ tag: 'usage', val: sentence });
export const failed = (sentence) => ({ tag: 'failed', val: sentence });

// What to throw if the host refused: its errors bring a sentence for the person.
export const passOn = (error) => (error.payload?.message ? failed(error.payload.message) : error);

// A reply's text about as Slack shows it, for tests.
export function preview(reply) {
  const one = ({ tag, val }) =>
    ({ channel: '#channel', caller: '@caller', link: val?.label, code: `\`${val}\``, user: `@${val}` })[tag] ?? val;
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
