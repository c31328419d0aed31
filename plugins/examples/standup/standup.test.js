import assert from 'node:assert/strict';
import test from 'node:test';

import { details, issueKeys, paragraph, passOn, preview, quoted } from '../../sdk/javascript/maro.js';
import { button, buttons, date, shorten, toCaller, toUpdate, unescape, usage } from '../../sdk/javascript/maro.js';
import { remember, report } from './standup.js';

const issues = [
  { key: 'A-1', summary: 'Sign-up form', status: 'Done' },
  { key: 'A-2', summary: 'Rotate keys', status: 'Open' },
];

test('what changed since yesterday is shown', () => {
  assert.equal(
    preview(report(issues, { 'A-1': 'Open', 'A-3': 'Open' })),
    'Standup in #channel\nDone (1)\n• A-1: Sign-up form (was Open)\nOpen (1)\n• A-2: Rotate keys (new)\nNo longer tracked: A-3',
  );
  assert.match(preview(report(issues)), /will show up from tomorrow/);
  assert.match(preview(report([])), /^Nothing is tracked in #channel/);
});

test('yesterday stays the same until the next day', () => {
  const first = remember({}, issues, 0);
  assert.equal(first.yesterday, undefined);
  const later = [{ ...issues[0], status: 'Open' }];
  assert.deepEqual(remember(first, later, 3600), first);
  const next = remember(first, later, 24 * 3600);
  assert.deepEqual(next, { today: { 'A-1': 'Open' }, yesterday: first.today, since: 24 * 3600 });
});

test('what people type is read as Slack sends it', () => {
  assert.equal(unescape('a &lt;b&gt; &amp;lt;'), 'a <b> &lt;');
  assert.equal(quoted('say "hi"\n\\'), '"say \\"hi\\" \\\\"');
  const keys = issueKeys('a-1, <https://x.example/browse/B-2|B-2> foo! A-1').map(({ key, word }) => key ?? `${word}?`);
  assert.deepEqual(keys, ['A-1', 'B-2', 'foo!?']);
  assert.throws(() => issueKeys(' '), usage('Include at least one issue key, such as SCRUM-123.'));
});

test('an issue is described in a few words', () => {
  assert.equal(details('Sign-up form', 'Open'), ': Sign-up form (Open)');
  assert.equal(details('x'.repeat(81), ''), `: ${'x'.repeat(79)}…`);
  assert.equal(details('', ''), '');
  assert.equal(shorten('é👩x', 2), 'é…');
  assert.equal(shorten('abc', 0), '');
});

test('a moment is previewed in UTC, and a message can take the place of another', () => {
  const dates = [date(1769851800), ' or ', date(1769851800n, 'day'), ' or ', date(1769851800.7, 'time')];
  const reply = toUpdate(paragraph(...dates), buttons(button('Delete', 'rota delete', 'Delete the rota?')));
  assert.equal(preview(reply), '2026-01-31 09:30 UTC or 2026-01-31 or 09:30 UTC\n[Delete]');
  assert.equal(reply.visibility, 'update');
  assert.equal(reply.blocks[1].val[0].confirm, 'Delete the rota?');
});

test('what cannot be part of a reply is refused at once', () => {
  assert.throws(() => paragraph('There are ', 3), /^TypeError: 3 is neither a text nor a span/);
  assert.throws(() => toCaller('Hello'), /^TypeError: a reply consists of blocks, and "Hello" isn't one/);
  assert.deepEqual(passOn(usage('No.')), usage('No.'));
});
