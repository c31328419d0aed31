// The plugins: what serves, what it may do, how it does, and what happens to it.

import { byId, element } from "./dom.js";
import { on, state } from "./state.js";

/** How many happenings are kept on the page. */
const MAX_EVENTS = 50;

const cards = element("div", { class: "plugins" });
const refused = element("div");
const problems = element("div");
const events = element("ol", { role: "log", "aria-label": "What happened to plugins", class: "events" });

/** By name: the digest that was seen last; null before the first look. */
let digests = null;
/** By name: the state of the build that was seen last. */
let building = {};

const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

function happened(sentence, output = null) {
  const item = element("li", {}, element("time", {}, CLOCK.format(new Date())), " ", sentence, output && element("pre", { tabIndex: 0 }, output));
  events.prepend(item);
  while (events.childElementCount > MAX_EVENTS) events.lastElementChild.remove();
}

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

function card(plugin) {
  const build = state.builds[plugin.file]?.state;
  const facts = [
    ["Digest", element("code", { title: plugin.digest }, short(plugin.digest))],
    ["Granted", plugin.grants.length === 0 ? "nothing" : plugin.grants.map((grant) => element("code", { class: "grant" }, grant))],
    ["Calls", calls(plugin.calls)],
    ["Average", latency(plugin.average_micros) ?? "not measured yet"],
  ];
  return element("article", { class: "plugin", "aria-label": plugin.name },
    element("h3", {}, `/maro ${plugin.name}`, element("span", { class: "small" }, ` ${plugin.version}`),
      build === "running" && element("span", { class: "badge" }, "building"),
      build === "failed" && element("span", { class: "badge bad" }, "build failed")),
    element("p", {}, plugin.summary),
    element("dl", {}, facts.map(([name, value]) => [element("dt", {}, name), element("dd", {}, value)])),
    plugin.last_fault && element("p", { class: "error" }, "Last fault"),
    plugin.last_fault && element("pre", { tabIndex: 0 }, plugin.last_fault));
}

function noteReloads(serving) {
  const before = digests;
  digests = new Map(serving.map(({ name, digest }) => [name, digest]));
  if (before === null) return;
  for (const [name, digest] of digests) {
    if (!before.has(name)) happened(`${name} serves now (${short(digest)}).`);
    else if (before.get(name) !== digest) happened(`${name} was reloaded: ${short(before.get(name))} → ${short(digest)}.`);
  }
  for (const name of before.keys()) if (!digests.has(name)) happened(`${name} no longer serves.`);
}

function showPlugins() {
  const { serving, refused: refusals } = state.plugins;
  noteReloads(serving);
  cards.replaceChildren(...serving.map(card));
  refused.replaceChildren(...(refusals.length === 0 ? [] : [
    element("h3", {}, "Does not serve"),
    ...refusals.map(({ file, reason }) => element("div", { class: "plugin" }, element("code", {}, `${file}.wasm`), element("pre", { tabIndex: 0 }, reason))),
  ]));
}

function showBuilds() {
  for (const [plugin, build] of Object.entries(state.builds)) {
    if (JSON.stringify(building[plugin]) === JSON.stringify(build)) continue;
    if (build.state === "running") happened(`${plugin} is being built …`);
    else if (build.state === "failed") happened(`${plugin} does not build:`, build.output);
    else happened(`${plugin} is built.`);
  }
  building = state.builds;
  cards.replaceChildren(...state.plugins.serving.map(card));
}

function showProblems() {
  problems.replaceChildren(...(state.problems.length === 0 ? [] : [
    element("h3", {}, "What Slack would not have taken"),
    element("ul", {}, state.problems.map((problem) => element("li", {}, problem))),
  ]));
}

export function startPlugins() {
  byId("plugins").append(problems, refused, cards, element("h3", {}, "What happened"), events);
  on("workspace", () => { digests = null; });
  on("plugins", showPlugins);
  on("builds", showBuilds);
  on("problems", showProblems);
}
