// What the page knows, kept true by the host's events, and who wants to hear of changes.

import { byId, notify } from "./dom.js";

export const state = {
  /** What does not change while the host runs: people, channels, the bot. */
  workspace: null,
  /** By channel: its messages by `ts`, oldest first. */
  channels: new Map(),
  /** By person: the open modal, or null. */
  modals: {},
  jira: { issues: [], failure: "none" },
  plugins: { serving: [], disabled: [], refused: [], own: [] },
  builds: {},
  events: [],
  problems: [],
  /** Who one is, and where one looks: ids. */
  user: sessionStorage.getItem("user"),
  channel: sessionStorage.getItem("channel"),
};

const listeners = new Map();

/** Calls `listener` with the details of each event of this name. */
export function on(name, listener) {
  listeners.set(name, [...(listeners.get(name) ?? []), listener]);
}

export function emit(name, details) {
  for (const listener of listeners.get(name) ?? []) listener(details);
}

export function person(id) {
  return state.workspace.people.find((person) => person.id === id);
}

/** A channel's or person's name as a mention shows it. */
export function nameOf(id) {
  const { people, channels, bot } = state.workspace;
  const found = [...people, ...channels, bot].find((known) => known.id === id);
  return found?.name ?? id;
}

export function isVisible(message) {
  return message.visible_to === null || message.visible_to === state.user;
}

/** Becomes another person. A direct message becomes that person's own. */
export function become(user) {
  const wasDirect = state.channel === person(state.user)?.direct_message;
  state.user = user;
  sessionStorage.setItem("user", user);
  if (wasDirect) state.channel = person(user).direct_message;
  emit("place");
}

export function lookAt(channel) {
  state.channel = channel;
  sessionStorage.setItem("channel", channel);
  emit("place");
}

function takeWorkspace(workspace) {
  const isAnother = state.workspace !== null && state.workspace.session !== workspace.session;
  state.workspace = workspace;
  if (!person(state.user)) state.user = workspace.people[0].id;
  const direct = person(state.user).direct_message;
  const isKnown = workspace.channels.some((channel) => channel.id === state.channel) || state.channel === direct;
  if (!isKnown) state.channel = workspace.channels[0].id;
  if (isAnother) notify("MARO was restarted. This is a new session.");
  emit("workspace");
}

function takeMessages({ whole, changed, deleted }) {
  if (whole) state.channels.clear();
  for (const message of changed) {
    if (!state.channels.has(message.channel)) state.channels.set(message.channel, new Map());
    state.channels.get(message.channel).set(message.ts, message);
  }
  for (const ts of deleted) {
    for (const messages of state.channels.values()) messages.delete(ts);
  }
  emit("messages", { whole, changed, deleted });
}

/** Follows the host's events. The browser connects again by itself, and the host goes on where it was. */
export function follow() {
  const events = new EventSource("/live");
  const take = (name, taker) => events.addEventListener(name, (event) => taker(JSON.parse(event.data)));
  take("workspace", takeWorkspace);
  take("messages", takeMessages);
  for (const name of ["modals", "jira", "plugins", "builds", "events", "problems"]) {
    take(name, (value) => {
      state[name] = value;
      emit(name);
    });
  }
  const connection = byId("connection");
  events.addEventListener("open", () => { connection.textContent = ""; });
  events.addEventListener("error", () => {
    connection.textContent = "The connection is lost. Connecting again …";
    // A browser gives up after some refusals, such as while another program has the port.
    if (events.readyState === EventSource.CLOSED) setTimeout(follow, 1000);
  });
}
