// What needs no host stands apart from what does, so that tests can call it.

import { paragraph, strong, toCaller } from './maro.js';

export function answer(name) {
  return toCaller(paragraph('Hello, ', strong(name || 'world'), '!'));
}
