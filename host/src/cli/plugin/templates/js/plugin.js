// `/maro {{name}}`: greets.

import { answer } from './answer.js';

export const command = {
  describe() {
    return { name: '{{name}}', version: '0.1.0', summary: 'Greet somebody', usage: '[NAME]' };
  },

  run(typed) {
    return answer(typed.trim());
  },
};
