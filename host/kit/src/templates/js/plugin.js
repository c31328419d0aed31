// `/maro {{name}}`: greets somebody.

import { answer } from './answer.js';
import { unescape } from './maro.js';

export const command = {
  describe() {
    return { name: '{{name}}', version: '0.1.0', summary: 'Greet somebody', usage: '[NAME]' };
  },

  run(typed) {
    return answer(unescape(typed).trim());
  },
};
