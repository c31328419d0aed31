// The message box: sends messages and commands, completes commands, and recalls earlier input with arrow keys.

import { act, attempt } from "./api.js";
import { byId, element, notify } from "./dom.js";
import { typed } from "./mrkdwn.js";
import { nameOf, on, person, state } from "./state.js";

/** How many lines are remembered. */
const MAX_HISTORY = 100;

const box = byId("message");
const completions = byId("completions");
const usage = byId("usage");

const past = JSON.parse(sessionStorage.getItem("typed") ?? "[]");
/** The index in `past` of what is in the box, or its length if the text is new. */
let place = past.length;
/** What was in the box before earlier input was recalled. */
let draft = "";
/** The index of the highlighted completion, or -1. */
let marked = -1;
let offered = [];

const commands = () => [...state.plugins.serving, ...state.plugins.own];

function fit() {
  box.style.height = "auto";
  box.style.height = `${Math.min(box.scrollHeight, 160)}px`;
}

function put(text) {
  box.value = text;
  box.setSelectionRange(text.length, text.length);
  fit();
}

function closeCompletions() {
  offered = [];
  marked = -1;
  completions.hidden = true;
  box.removeAttribute("aria-activedescendant");
}

function mark(index) {
  marked = index;
  [...completions.children].forEach((option, position) => option.setAttribute("aria-selected", String(position === index)));
  if (index < 0) return box.removeAttribute("aria-activedescendant");
  completions.children[index].scrollIntoView({ block: "nearest" });
  return box.setAttribute("aria-activedescendant", completions.children[index].id);
}

function complete(command) {
  put(`/maro ${command.name} `);
  offer();
  box.focus();
}

/** Shows completions for what was typed. */
function offer() {
  const [, start, rest] = /^(\/\S*)(?:\s+(\S*))?$/.exec(box.value) ?? [];
  const isCommand = start !== undefined && (rest === undefined ? "/maro".startsWith(start) : start === "/maro");
  offered = isCommand ? commands().filter((command) => command.name.startsWith(rest ?? "")) : [];
  const [, name] = /^\/maro\s+(\S+)\s/.exec(box.value) ?? [];
  const command = commands().find((known) => known.name === name);
  usage.hidden = !command;
  usage.replaceChildren(...(command ? [element("code", {}, `/maro ${name} ${command.usage}`.trim()), ` ${command.summary}`] : []));
  if (offered.length === 0) return closeCompletions();
  completions.replaceChildren(...offered.map((known, index) => element("li", {
    id: `completion-${index}`,
    role: "option",
    "aria-selected": "false",
    onmousedown: (event) => {
      event.preventDefault();
      complete(known);
    },
  }, element("code", {}, `/maro ${known.name} ${known.usage}`.trim()), " ", known.summary)));
  completions.hidden = false;
  return mark(-1);
}

function look(step) {
  if (place === past.length) draft = box.value;
  place = Math.min(past.length, Math.max(0, place + step));
  put(past[place] ?? draft);
  closeCompletions();
  usage.hidden = true;
}

function remember(text) {
  if (past.at(-1) !== text) past.push(text);
  past.splice(0, past.length - MAX_HISTORY);
  place = past.length;
  sessionStorage.setItem("typed", JSON.stringify(past));
}

async function send() {
  const text = box.value.trim();
  if (text === "") return;
  if (text.startsWith("/") && !/^\/maro(\s|$)/.test(text)) {
    notify(`${text.split(/\s/)[0]} isn't a command in this workspace. Use /maro.`);
    return;
  }
  remember(text);
  put("");
  closeCompletions();
  usage.hidden = true;
  const what = text.startsWith("/") ? { command: { text } } : { write: { text: typed(text), thread_of: null } };
  if (!await attempt(() => act(what)) && box.value === "") put(text);
}

function press(event) {
  const isOpen = offered.length > 0;
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    if (isOpen && marked >= 0) complete(offered[marked]);
    else send();
  } else if (event.key === "Tab" && isOpen && !event.shiftKey) {
    event.preventDefault();
    complete(offered[Math.max(0, marked)]);
  } else if (event.key === "Escape" && isOpen) {
    closeCompletions();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const step = event.key === "ArrowDown" ? 1 : -1;
    const isOneLine = !box.value.includes("\n");
    if (isOpen) {
      event.preventDefault();
      mark((marked + step + (marked < 0 && step < 0 ? 1 : 0) + offered.length) % offered.length);
    } else if (isOneLine && (box.value === "" || place < past.length || step < 0)) {
      event.preventDefault();
      look(step);
    }
  }
}

/** Fills the box with a line that the person can then send. */
export function suggest(text) {
  put(text);
  offer();
  box.focus();
}

export function startComposer() {
  box.addEventListener("input", () => {
    place = past.length;
    fit();
    offer();
  });
  box.addEventListener("keydown", press);
  box.addEventListener("blur", closeCompletions);
  byId("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  const name = () => {
    const isDirect = state.channel === person(state.user).direct_message;
    box.placeholder = `Message ${isDirect ? "MARO" : `#${nameOf(state.channel)}`}, or type /maro`;
  };
  on("place", name);
  on("workspace", name);
}
