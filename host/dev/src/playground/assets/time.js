// The workspace's clock: what time it is there, and buttons that turn it forward.

import { attempt, turnForward } from "./api.js";
import { byId, element } from "./dom.js";
import { on, state } from "./state.js";

/** How far each button turns the clock, in minutes. */
const TURNS = [
  ["+1 hour", 60],
  ["+1 day", 24 * 60],
  ["+14 days", 14 * 24 * 60],
];

const WHEN = new Intl.DateTimeFormat(undefined, { weekday: "short", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });

const now = element("time");
const note = element("span", { class: "small" });

function ahead(seconds) {
  if (seconds === 0) return "";
  const [hours, days] = [Math.round(seconds / 3600), Math.round(seconds / 86400)];
  const [count, unit] = hours < 48 ? [hours, "hour"] : [days, "day"];
  return `${count} ${unit}${count === 1 ? "" : "s"} ahead`;
}

function show() {
  const date = new Date(Date.now() + state.time.ahead_seconds * 1000);
  now.textContent = WHEN.format(date);
  now.dateTime = date.toISOString();
  note.textContent = ahead(state.time.ahead_seconds);
}

export function startTime() {
  byId("time").append(
    element("p", {}, now, " ", note),
    element("div", { class: "turns", role: "group", "aria-label": "Turn the clock forward" }, TURNS.map(([label, minutes]) =>
      element("button", { type: "button", "aria-label": `Turn the clock forward: ${label}`, onclick: () => attempt(() => turnForward(minutes)) }, label))));
  on("time", show);
  setInterval(show, 10_000);
  show();
}
