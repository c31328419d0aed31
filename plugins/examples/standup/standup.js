// What a standup says. It doesn't need a host, so tests can call it.

import { channel, code, issue, items, paragraph, strong, toCaller } from '../../sdk/javascript/maro.js';

// A team meets at about the same time each day, not exactly a day later.
const DAY_SECONDS = 16 * 3600;

// Moves today's statuses to yesterday's once they are old enough: `{ today, yesterday, since }`.
export function remember(memory, issues, seconds) {
  const today = Object.fromEntries(issues.map(({ key, status }) => [key, status]));
  const isNewDay = memory.today && seconds - memory.since >= DAY_SECONDS;
  if (!memory.today || isNewDay) return { today, yesterday: memory.today, since: seconds };
  return memory;
}

export function report(issues, yesterday) {
  if (issues.length === 0) {
    const hint = ['To track an issue, type ', code('/maro track SCRUM-123')];
    return toCaller(paragraph('Nothing is tracked in ', channel, ' yet. ', ...hint));
  }
  const statuses = [...new Set(issues.map(({ status }) => status))].sort();
  const groups = statuses.flatMap((status) => {
    const own = issues.filter((entry) => entry.status === status);
    return [
      paragraph(strong(status || 'Unknown'), ` (${own.length})`),
      items(own.map((entry) => [issue(entry.key), `: ${entry.summary}${change(entry, yesterday)}`])),
    ];
  });
  return toCaller(paragraph('Standup in ', channel), ...groups, ...gone(issues, yesterday));
}

function change({ key, status }, yesterday) {
  if (!yesterday) return '';
  if (!(key in yesterday)) return ' (new)';
  return yesterday[key] === status ? '' : ` (was ${yesterday[key]})`;
}

function gone(issues, yesterday) {
  if (!yesterday) return [paragraph('Changes will show up from tomorrow.')];
  const keys = Object.keys(yesterday).filter((key) => !issues.some((entry) => entry.key === key));
  return keys.length === 0 ? [] : [paragraph('No longer tracked: ', keys.join(', '))];
}
