// One message: its author, its content, and what people can do with it.

import { act, attempt } from "./api.js";
import { blocks, payload } from "./blocks.js";
import { byId, element, newId } from "./dom.js";
import { mrkdwn } from "./mrkdwn.js";
import { nameOf, state } from "./state.js";

/** The message shortcuts in MARO's manifest. */
const SHORTCUTS = [
  { callback_id: "track_from_message", label: "Track the issues in this message" },
  { callback_id: "create_from_message", label: "Create a Jira issue" },
];

const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
/** In the gutter there's room for no more. */
const SHORT_TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const WHOLE_TIME = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

/** The picture of a person or of MARO. */
export function avatar(id, name) {
  if (id === state.workspace.bot.id) {
    return element("img", { class: "avatar", src: "/assets/icon.svg", alt: "", width: 36, height: 36 });
  }
  const number = state.workspace.people.findIndex((person) => person.id === id) + 1;
  return element("span", { class: "avatar", "aria-hidden": "true", dataset: { person: number } }, name[0].toUpperCase());
}

export function authorOf(message) {
  if (message.author === "bot") return { id: state.workspace.bot.id, name: state.workspace.bot.name };
  if (message.author === "slack") return { id: "", name: "Slackbot" };
  return { id: message.user, name: nameOf(message.user) };
}

const dateOf = (ts) => new Date(Number(ts) * 1000);

export function time(ts) {
  return TIME.format(dateOf(ts));
}

function words(message) {
  const press = (block_id, action_id) =>
    attempt(() => act({ press: { block_id, action_id, message: message.ts, values: [] } }, message.channel));
  if (message.blocks.length > 0) return blocks(message.blocks, { press });
  return mrkdwn(message.text);
}

function togglePayload(article, message, button) {
  const shown = article.querySelector(":scope > .content > .payload-box");
  if (shown) {
    shown.remove();
  } else {
    article.querySelector(":scope > .content > .said").after(payloadBox(message));
  }
  button.setAttribute("aria-pressed", String(!shown));
}

function payloadBox(message) {
  return element("div", { class: "payload-box" },
    element("p", { class: "small" }, `What MARO sent as ${message.way}:`), payload(message.payload));
}

function menu(message) {
  const id = newId("menu");
  const items = SHORTCUTS.map(({ callback_id, label }) => element("button", {
    type: "button",
    role: "menuitem",
    onclick: () => {
      list.hidePopover();
      attempt(() => act({ shortcut: { callback_id, message: message.ts } }, message.channel));
    },
  }, label));
  const list = element("div", { id, role: "menu", class: "menu", popover: "auto", "aria-label": "Message shortcuts" }, items);
  const opener = element("button", {
    type: "button",
    "aria-haspopup": "menu",
    "aria-label": "More actions",
    title: "More actions",
    popoverTargetElement: list,
  }, "⋯");
  list.addEventListener("toggle", (event) => {
    if (event.newState !== "open") return;
    const place = opener.getBoundingClientRect();
    list.style.top = `${Math.min(place.bottom + 4, innerHeight - list.offsetHeight - 8)}px`;
    list.style.left = `${Math.max(8, place.right - list.offsetWidth)}px`;
    items[0].focus();
  });
  return [opener, list];
}

function toolbar(article, message, reply) {
  const tools = [];
  if (message.payload !== null) {
    const button = element("button", { type: "button", "aria-label": "Show payload", title: "Show payload" }, "{ }");
    button.setAttribute("aria-pressed", String(byId("payloads").checked));
    button.addEventListener("click", () => togglePayload(article, message, button));
    tools.push(button);
  }
  if (message.visible_to === null && message.author !== "slack") {
    if (reply) {
      tools.push(element("button", { type: "button", "aria-label": "Reply in thread", title: "Reply in thread", onclick: reply }, "↩"));
    }
    tools.push(...menu(message));
  }
  return tools.length > 0 && element("div", { class: "toolbar", role: "group", "aria-label": "Message actions" }, tools);
}

/**
  The element for a message. `isContinued` means that the previous message is by the same author and close in
 * time. `reply` opens the thread below it, if it can have one.
 */
export function messageElement(message, { isContinued = false, reply = null } = {}) {
  const author = authorOf(message);
  const at = time(message.ts);
  const isPrivate = message.visible_to !== null;
  const article = element("article", {
    class: `message ${isContinued ? "continued" : ""} ${isPrivate ? "private" : ""}`,
    "aria-label": `${author.name}, ${at}`,
    dataset: { ts: message.ts },
  });
  const by = element("div", { class: "by" },
    element("strong", {}, author.name),
    message.author === "bot" && element("span", { class: "badge" }, "App"),
    element("time", { dateTime: dateOf(message.ts).toISOString(), title: WHOLE_TIME.format(dateOf(message.ts)) }, at));
  const command = message.command && element("p", { class: "command" },
    `${nameOf(message.command.user)} used `, element("code", {}, message.command.text));
  article.append(
    element("div", { class: "gutter" }, isContinued ? element("time", { "aria-hidden": "true", title: WHOLE_TIME.format(dateOf(message.ts)) }, SHORT_TIME.format(dateOf(message.ts))) : avatar(author.id, author.name)),
    element("div", { class: "content" },
      isPrivate && element("p", { class: "only-you" }, "Only visible to you"),
      isContinued ? null : by,
      command,
      element("div", { class: "said" }, words(message)),
      message.payload !== null && byId("payloads").checked && payloadBox(message)),
  );
  const tools = toolbar(article, message, reply);
  if (tools) article.append(tools);
  return article;
}
