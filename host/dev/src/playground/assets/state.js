// What the page knows, kept up to date by the host's events, and the listeners for changes.

import { byId, notify } from "./dom.js";

export const state = {
  /** What stays the same while the host runs: people, channels, the bot. */
  workspace: null,
  /** The messages of each channel by `ts`, oldest first. */
  channels: new Map(),
  /** The open modal of each person, or null. */
  modals: {},
  /** What is in each person's Home tab, as blocks, or null. */
  homes: {},
  /** How far the workspace's clock is ahead. */
  time: { ahead_seconds: 0 },
  jira: { issues: [], failure: "none" },
  plugins: { serving: [], disabled: [], refused: [], own: [] },
  builds: {},
  events: [],
  problems: [],
  /** The ids of the current person and channel. */
  user: new URLSearchParams(location.search).get("user") ?? sessionStorage.getItem("user"),
  channel: sessionStorage.getItem("channel"),
};

const listeners = new Map();

/** Calls `listener` with the details of each event with this name. */
export function on(name, listener) {
  listeners.set(name, [...(listeners.get(name) ?? []), listener]);
}

export function emit(name, details) {
  for (const listener of listeners.get(name) ?? []) listener(details);
}

export function person(id) {
  return state.workspace.people.find((person) => person.id === id);
}

/** The name of a channel or person, as mentions show it. */
export function nameOf(id) {
  const { people, channels, bot } = state.workspace;
  const found = [...people, ...channels, bot].find((known) => known.id === id);
  return found?.name ?? id;
}

export function isVisible(message) {
  return message.visible_to === null || message.visible_to === state.user;
}

/** Switches to another person. If a direct message is open, that person's direct message opens. */
export function become(user) {
  const wasDirect = state.channel === person(state.user)?.direct_message;
  state.user = user;
  sessionStorage.setItem("user", user);
  history.replaceState(null, "", location.pathname);
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
  // A window that was opened as somebody stays that person's, also when it's loaded again.
  if (!person(state.user)) state.user = workspace.people[0].id;
  sessionStorage.setItem("user", state.user);
  const direct = person(state.user).direct_message;
  const isKnown = workspace.channels.some((channel) => channel.id === state.channel) || state.channel === direct || state.channel === "home";
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

/** Follows the host's events. The browser reconnects on its own, and the host continues where it stopped. */
export function follow() {
  const events = new EventSource("/live");
  const take = (name, taker) => events.addEventListener(name, (event) => taker(JSON.parse(event.data)));
  take("workspace", takeWorkspace);
  take("messages", takeMessages);
  for (const name of ["modals", "homes", "time", "jira", "plugins", "builds", "events", "problems"]) {
    take(name, (value) => {
      state[name] = value;
      emit(name);
    });
  }
  const connection = byId("connection");
  events.addEventListener("open", () => { connection.textContent = ""; });
  events.addEventListener("error", () => {
    connection.textContent = "Connection lost. Reconnecting…";
    // A browser gives up if it is refused, such as while another program is using the port.
    if (events.readyState === EventSource.CLOSED) setTimeout(follow, 1000);
  });
}
