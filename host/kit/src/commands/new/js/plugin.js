// `/maro {{name}}`: greets someone.

import { answer } from './answer.js';
import { unescape } from './maro.js';

export const command = {
  describe() {
    return { name: '{{name}}', version: '0.1.0', summary: 'Greet someone', usage: '[NAME]' };
  },

  run(typed) {
    return answer(unescape(typed).trim());
  },
};
