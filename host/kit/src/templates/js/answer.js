// Code that needs no host is kept separate, so that tests can call it.

import { paragraph, strong, toCaller } from './maro.js';

export function answer(name) {
  return toCaller(paragraph('Hello, ', strong(name || 'world'), '!'));
}
