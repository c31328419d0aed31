// `/maro standup`: shows the channel's issues by status, and what changed since yesterday.

import { now } from 'maro:plugin/clock@0.2.0';
import { get, set } from 'maro:plugin/storage@0.2.0';
import { listTracked } from 'maro:plugin/tracker@0.2.0';
import { passOn, usage } from '../../sdk/javascript/maro.js';
import { remember, report } from './standup.js';

const PAGE = 200;

export const command = {
  describe() {
    const summary = "Show the channel's issues by status, and what changed since yesterday";
    return { name: 'standup', version: '0.1.0', summary, usage: '' };
  },

  run(typed) {
    if (typed.trim()) throw usage("Standup doesn't take any arguments.");
    try {
      const issues = tracked();
      const stored = get('channel', 'statuses');
      const memory = remember(stored ? JSON.parse(stored) : {}, issues, Number(now()));
      set('channel', 'statuses', JSON.stringify(memory));
      return report(issues, memory.yesterday);
    } catch (error) {
      throw passOn(error);
    }
  },
};

function tracked() {
  const issues = [];
  for (let more = true; more; ) {
    const page = listTracked(issues.length, PAGE);
    issues.push(...page.issues);
    more = page.more;
  }
  return issues;
}
