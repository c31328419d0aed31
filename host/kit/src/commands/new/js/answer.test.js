import assert from 'node:assert/strict';
import test from 'node:test';

import { answer } from './answer.js';
import { preview } from './maro.js';

test('a name is greeted', () => {
  assert.equal(preview(answer('Ada')), 'Hello, Ada!');
  assert.equal(preview(answer('')), 'Hello, world!');
});
