// Doesn't need a host, so tests can call it.

import { paragraph, strong, toCaller } from './maro.js';

export function answer(name) {
  return toCaller(paragraph('Hello, ', strong(name || 'world'), '!'));
}
