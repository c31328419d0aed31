// The plugins: which are loaded, what each may do, its health, and what happens to it.

import { byId, element } from "./dom.js";
import { nameOf, on, state } from "./state.js";

/** How many events are shown. */
const MAX_EVENTS = 50;

const cards = element("div", { class: "plugins" });
const refused = element("div");
const builds = element("div");
const problems = element("div");
const happened = element("ol", { class: "events" });

const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

const short = (digest) => digest.slice(0, 12);

function duration(micros) {
  return micros < 1000 ? `${micros} µs` : `${(micros / 1000).toFixed(micros < 10_000 ? 1 : 0)} ms`;
}

function latency({ instantiate, guest, host }) {
  const total = instantiate + guest + host;
  if (total === 0) return null;
  const parts = [["instantiate", instantiate], ["guest", guest], ["host", host]];
  const words = parts.map(([name, micros]) => `${name} ${duration(micros)}`);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 100 4");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("class", "latency");
  svg.setAttribute("aria-hidden", "true");
  let start = 0;
  for (const [name, micros] of parts) {
    const width = (100 * micros) / total;
    const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    for (const [attribute, value] of Object.entries({ x: start, y: 0, width, height: 4, class: name })) rect.setAttribute(attribute, value);
    svg.append(rect);
    start += width;
  }
  return element("div", {}, svg, element("p", { class: "small legend" }, parts.map(([name], index) =>
    element("span", { class: name }, words[index]))));
}

function calls(list) {
  if (list.length === 0) return "none yet";
  return list.map(({ outcome, count }) => `${count} ${outcome.replace("_", " ")}`).join(", ");
}

const trouble = (name, text) => text && [element("p", { class: "error" }, name), element("pre", { tabIndex: 0 }, text)];

function card(plugin) {
  const build = state.builds[plugin.name]?.state;
  const facts = [
    ["Digest", element("code", { title: plugin.digest }, short(plugin.digest))],
    ["Granted", plugin.grants.length === 0 ? "only log" : plugin.grants.map((grant) => element("code", { class: "grant" }, grant))],
    ["Calls", calls(plugin.calls)],
    ["Average", latency(plugin.average_micros) ?? "not measured yet"],
  ];
  return element("article", { class: "plugin", "aria-label": plugin.name },
    element("h3", {}, `/maro ${plugin.name}`, element("span", { class: "small" }, ` ${plugin.version}`),
      build === "running" && element("span", { class: "badge" }, "building"),
      build === "failed" && element("span", { class: "badge bad" }, "build failed"),
      plugin.is_resting && element("span", { class: "badge bad" }, "paused")),
    element("p", {}, plugin.summary),
    element("dl", {}, facts.map(([name, value]) => [element("dt", {}, name), element("dd", {}, value)])),
    trouble("Last fault", plugin.last_fault),
    trouble("Newer version rejected", plugin.newer_refused),
    plugin.warnings.map((warning) => element("p", { class: "error" }, warning)));
}

function showPlugins() {
  const { serving, disabled, refused: refusals } = state.plugins;
  cards.replaceChildren(...serving.map(card));
  refused.replaceChildren(
    ...disabled.map(({ name, by }) => element("p", { class: "plugin" },
      element("code", {}, `/maro ${name}`), ` was turned off by ${nameOf(by)}.`)),
    ...refusals.map(({ file, reason }) => element("div", { class: "plugin" },
      element("code", {}, file), " couldn't be loaded:", element("pre", { tabIndex: 0 }, reason))));
}

function showBuilds() {
  const sentences = { running: "is building…", succeeded: "was built.", failed: "failed to build:" };
  const entries = Object.entries(state.builds);
  builds.replaceChildren(...(entries.length === 0 ? [] : [
    element("h3", {}, "Builds"),
    element("ul", { class: "builds" }, entries.map(([plugin, build]) => element("li", {},
      element("code", {}, plugin), ` ${sentences[build.state]}`, build.output && element("pre", { tabIndex: 0 }, build.output)))),
  ]));
  cards.replaceChildren(...state.plugins.serving.map(card));
}

function said(event) {
  switch (event.what) {
    case "loaded": return `loaded (${short(event.digest)}).`;
    case "replaced": return `was reloaded: ${short(event.from)} → ${short(event.to)}.`;
    case "removed": return "was unloaded.";
    case "refused":
      return event.kept === null ? "couldn't be loaded:" : "has a newer version that was rejected; the previous one is still running:";
    case "disabled": return `was turned off by ${nameOf(event.by)}.`;
    case "enabled": return "was turned on.";
    case "breaker_opened": return `failed repeatedly and is paused until ${CLOCK.format(new Date(event.until))}.`;
    default: return "is working again.";
  }
}

function showEvents() {
  happened.replaceChildren(...state.events.slice(-MAX_EVENTS).toReversed().map((event) => element("li", {},
    element("time", { dateTime: new Date(event.at).toISOString() }, CLOCK.format(new Date(event.at))), " ",
    element("code", {}, event.plugin), ` ${said(event)}`, event.reason && element("pre", { tabIndex: 0 }, event.reason))));
}

function showProblems() {
  problems.replaceChildren(...(state.problems.length === 0 ? [] : [
    element("h3", {}, "Calls Slack would have rejected"),
    element("ul", {}, state.problems.map((problem) => element("li", {}, problem))),
  ]));
}

export function startPlugins() {
  byId("plugins").append(problems, builds, refused, cards, element("h3", {}, "Activity"),
    element("div", { role: "log", "aria-label": "Plugin activity" }, happened));
  on("plugins", showPlugins);
  on("builds", showBuilds);
  on("events", showEvents);
  on("problems", showProblems);
}
