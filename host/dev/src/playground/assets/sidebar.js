// The sidebar: channels, the direct message, shortcuts and people.

import { act, attempt } from "./api.js";
import { byId, element } from "./dom.js";
import { HOME } from "./home.js";
import { avatar } from "./message.js";
import { become, emit, isVisible, lookAt, on, person, state } from "./state.js";

/** The global shortcuts in MARO's manifest. */
const SHORTCUTS = [{ callback_id: "create_issue", label: "Create a Jira issue" }];

/** The number of unread messages by channel. */
const unread = new Map();

function entry(id, label, note) {
  const count = unread.get(id) ?? 0;
  return element("li", {}, element("button", {
    type: "button",
    class: count > 0 ? "unread" : "",
    "aria-current": id === state.channel ? "page" : null,
    onclick: () => {
      lookAt(id);
      emit("pane", "channel");
    },
  }, label, note, count > 0 && element("span", { class: "count" }, String(count), element("span", { class: "hidden" }, " new"))));
}

function showPlaces() {
  const { channels, bot } = state.workspace;
  const held = document.activeElement?.closest("#channels, #direct") ? document.activeElement.textContent : null;
  byId("channels").replaceChildren(...channels.map(({ id, name, private: isPrivate }) =>
    entry(id, `# ${name}`, isPrivate && element("span", { class: "small" }, " private"))));
  byId("direct").replaceChildren(
    entry(person(state.user).direct_message, bot.name),
    entry(HOME, `${bot.name} Home`));
  if (held === null) return;
  [...document.querySelectorAll("#channels button, #direct button")].find((button) => button.textContent === held)?.focus();
}

function showPeople() {
  const { people } = state.workspace;
  const choices = people.map(({ id, name }) => element("label", {},
    element("input", { type: "radio", name: "person", value: id, checked: id === state.user, onchange: () => become(id) }),
    avatar(id, name), element("span", {}, name),
    element("a", {
      class: "window",
      href: `/?user=${encodeURIComponent(id)}`,
      target: "_blank",
      rel: "noopener",
      "aria-label": `Open another window as ${name}`,
      title: `Open another window as ${name}`,
    }, "↗")));
  byId("people").replaceChildren(element("legend", {}, "You are"), ...choices);
}

function showShortcuts() {
  byId("shortcuts").replaceChildren(...SHORTCUTS.map(({ callback_id, label }) => element("li", {},
    element("button", {
      type: "button",
      onclick: () => {
        emit("pane", "channel");
        attempt(() => act({ shortcut: { callback_id, message: null } }));
      },
    }, label))));
}

function countUnread({ whole, changed }) {
  if (whole) unread.clear();
  else {
    const direct = person(state.user).direct_message;
    const own = changed.filter((message) => isVisible(message) && message.channel !== state.channel
      && (message.channel === direct || !message.channel.startsWith("D")));
    for (const { channel } of own) unread.set(channel, (unread.get(channel) ?? 0) + 1);
  }
  showPlaces();
}

export function startSidebar() {
  on("workspace", () => {
    showPeople();
    showShortcuts();
    showPlaces();
  });
  on("place", () => {
    unread.delete(state.channel);
    showPlaces();
  });
  on("messages", countUnread);
}
