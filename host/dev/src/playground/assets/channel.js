// The current channel: its messages, live, and their threads.
//
// A message's element is created once and stays. Only the latest few hundred are on the page.

import { act, attempt } from "./api.js";
import { byId, element } from "./dom.js";
import { HOME } from "./home.js";
import { authorOf, messageElement } from "./message.js";
import { typed } from "./mrkdwn.js";
import { isVisible, nameOf, on, person, state } from "./state.js";

/** How many messages are on the page at first, and how many more are shown at a time. */
const PAGE = 200;

/** Messages by one author within this many seconds are grouped. */
const TOGETHER = 300;

const log = byId("log");
const scroller = byId("scroller");

/** How many messages are on the page. */
let room = PAGE;

const messages = () => [...(state.channels.get(state.channel)?.values() ?? [])].filter(isVisible);
const topLevel = () => messages().filter((message) => message.thread_ts === null);
const found = (ts) => log.querySelector(`[data-ts="${ts}"]`);
const isAtEnd = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80;

/** Whether to keep the newest message in view when the layout changes. */
let staysAtEnd = true;

function scrollToEnd() {
  scroller.scrollTop = scroller.scrollHeight;
  byId("newest").hidden = true;
}

function isContinued(message, before) {
  return before !== undefined && message.command === null
    && (message.visible_to === null) === (before.visible_to === null)
    && authorOf(message).id === authorOf(before).id
    && Number(message.ts) - Number(before.ts) < TOGETHER;
}

function replyBox(parent) {
  const box = element("input", { type: "text", "aria-label": "Reply", placeholder: "Reply…", autocomplete: "off" });
  return element("form", {
    class: "reply",
    onsubmit: async (event) => {
      event.preventDefault();
      const text = box.value.trim();
      if (text === "") return;
      const isSent = await attempt(() => act({ write: { text: typed(text), thread_of: parent.ts } }, parent.channel));
      if (isSent) box.value = "";
    },
  }, box, element("button", { type: "submit" }, "Reply"));
}

/** The box for a message's thread, below the message. Created when it is first needed. */
function thread(parent) {
  const article = found(parent.ts);
  let box = article.querySelector(".thread");
  if (!box) {
    box = element("div", { class: "thread", role: "group", "aria-label": "Thread" });
    article.querySelector(".content").append(box);
  }
  return box;
}

function openReply(parent) {
  const box = thread(parent);
  if (!box.querySelector(".reply")) box.append(replyBox(parent));
  box.querySelector(".reply input").focus();
}

function make(message, before) {
  const isReply = message.thread_ts !== null;
  const reply = isReply ? null : () => openReply(message);
  return messageElement(message, { isContinued: !isReply && isContinued(message, before), reply });
}

function addReply(message) {
  const parent = state.channels.get(message.channel)?.get(message.thread_ts);
  if (!parent || !found(parent.ts)) return;
  const box = thread(parent);
  const form = box.querySelector(".reply");
  if (form) form.before(make(message));
  else box.append(make(message));
}

/** Shows the whole channel again, after a switch or when all messages arrive together. */
function showAll() {
  const all = topLevel();
  const shown = all.slice(-room);
  const first = all.length - shown.length;
  // Screen readers shouldn't read old messages aloud.
  log.setAttribute("aria-live", "off");
  setTimeout(() => log.setAttribute("aria-live", "polite"), 500);
  log.replaceChildren(...shown.map((message, index) => make(message, all[first + index - 1])));
  messages().filter((message) => message.thread_ts !== null).forEach(addReply);
  byId("earlier").hidden = first === 0;
  byId("welcome").hidden = all.length > 0;
}

function show(message) {
  const present = found(message.ts);
  if (present) {
    const kept = present.querySelector(".thread");
    const held = present.contains(document.activeElement) ? document.activeElement.dataset.actionId : null;
    const before = present.previousElementSibling?.dataset.ts;
    const made = make(message, state.channels.get(message.channel).get(before));
    present.replaceWith(made);
    if (kept) made.querySelector(".content").append(kept);
    if (held !== null) (made.querySelector(`[data-action-id="${CSS.escape(held ?? "")}"]`) ?? byId("message")).focus();
  } else if (message.thread_ts !== null) {
    addReply(message);
  } else {
    const last = log.lastElementChild?.dataset.ts;
    log.append(make(message, state.channels.get(message.channel).get(last)));
  }
}

/** Removes the oldest messages from the page once there are many more than fit. */
function trim() {
  const surplus = log.childElementCount - room;
  if (surplus < PAGE) return;
  for (let count = 0; count < surplus; count += 1) log.firstElementChild.remove();
  byId("earlier").hidden = false;
}

function takeMessages({ whole, changed, deleted }) {
  const wasAtEnd = isAtEnd();
  if (whole) {
    showAll();
    scrollToEnd();
    return;
  }
  const own = changed.filter((message) => message.channel === state.channel && isVisible(message));
  own.forEach(show);
  deleted.forEach((ts) => found(ts)?.remove());
  if (own.length === 0) return;
  byId("welcome").hidden = true;
  if (wasAtEnd) {
    trim();
    scrollToEnd();
  } else {
    byId("newest").hidden = false;
  }
}

function takePlace() {
  room = PAGE;
  if (state.channel === HOME) {
    byId("channel-title").textContent = `${state.workspace.bot.name} Home`;
    byId("channel-note").textContent = `What ${nameOf(state.user)} sees in MARO's Home tab`;
    document.title = "Home – MARO playground";
    return;
  }
  const isDirect = state.channel === person(state.user).direct_message;
  const name = nameOf(state.channel);
  byId("channel-title").textContent = isDirect ? state.workspace.bot.name : `# ${name}`;
  byId("channel-note").textContent = isDirect
    ? `A direct message between ${nameOf(state.user)} and MARO`
    : `You are ${nameOf(state.user)}`;
  document.title = `${isDirect ? "MARO" : `#${name}`} – MARO playground`;
  showAll();
  scrollToEnd();
}

/** Starts showing the current channel. */
export function startChannel() {
  on("place", takePlace);
  on("workspace", takePlace);
  on("messages", takeMessages);
  byId("payloads").addEventListener("change", () => {
    const wasAtEnd = isAtEnd();
    showAll();
    if (wasAtEnd) scrollToEnd();
  });
  byId("newest").addEventListener("click", scrollToEnd);
  scroller.addEventListener("scroll", () => {
    staysAtEnd = isAtEnd();
    if (staysAtEnd) byId("newest").hidden = true;
  }, { passive: true });
  // A message gets its real height only once it is in view, that is, after scrolling to it.
  const shapes = new ResizeObserver(() => { if (staysAtEnd) scrollToEnd(); });
  [scroller, log].forEach((part) => shapes.observe(part));
  byId("earlier").addEventListener("click", () => {
    const height = scroller.scrollHeight;
    room += PAGE;
    showAll();
    scroller.scrollTop += scroller.scrollHeight - height;
  });
}
