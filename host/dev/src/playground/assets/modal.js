// The modal that MARO has opened for the current person.

import { act, attempt, hasJustActed } from "./api.js";
import { blocks, payload } from "./blocks.js";
import { element } from "./dom.js";
import { field, input } from "./fields.js";
import { HOME } from "./home.js";
import { on, state } from "./state.js";

const title = element("h2", { id: "modal-title" });
const notice = element("p", { class: "error", role: "alert" });
const content = element("div", { class: "blocks" });
const footer = element("footer");
const source = element("button", { type: "button", "aria-label": "Show payload", title: "Show payload", "aria-pressed": "false" }, "{ }");
const form = element("form", { noValidate: true },
  element("header", {}, title, source, element("button", { type: "button", "aria-label": "Close", title: "Close", onclick: close }, "✕")),
  notice, content, footer);
const dialog = element("dialog", { id: "modal", "aria-labelledby": "modal-title" }, form);

/** The modal as it was last shown on the page. */
let shown = null;
/** Texts that the host doesn't have yet, by block. */
let typed = new Map();
/** The fields in which a channel was preselected. */
let preset = new Set();
/** The element that had the focus before the modal opened. */
let opener = null;

const values = () => [...typed];

function close() {
  attempt(() => act("close"));
}

/** Does something and sends along what was typed. Returns whether it succeeded. */
async function send(what) {
  const sent = values();
  dialog.setAttribute("aria-busy", "true");
  const isDone = await attempt(() => act(what(sent)));
  dialog.removeAttribute("aria-busy");
  if (isDone) {
    for (const [name, value] of sent) {
      if (typed.get(name) === value) typed.delete(name);
    }
  }
  return isDone;
}

/** Sends a choice. If the host refuses it, the field shows its old value again. */
async function choose(name, value) {
  const isDone = await send((texts) => ({ fill: { values: [...texts, [name, value]] } }));
  if (!isDone && shown) fill(shown);
}

function tools(modal) {
  const options = (block, part) => {
    const value = modal.values[block.block_id]?.[part.action_id];
    const isTyped = typed.has(block.block_id);
    return {
      value: isTyped ? { ...value, value: typed.get(block.block_id) } : value,
      typed: (text) => typed.set(block.block_id, text),
      choose: (chosen) => choose(block.block_id, chosen),
    };
  };
  return {
    press: (block_id, action_id) => send((texts) => ({ press: { block_id, action_id, message: null, values: texts } })),
    field: (part, block) => field(part, { ...options(block, part), id: null, name: block.block_id }),
    input: (block) => input(block, modal.errors[block.block_id], options(block, block.element)),
  };
}

/** Which field has the focus, so that it gets the focus back once the content has been replaced. */
function heldFocus() {
  const held = document.activeElement;
  const name = content.contains(held) ? held.closest("[data-block-id]")?.dataset.blockId : undefined;
  return { name, start: held?.selectionStart, end: held?.selectionEnd };
}

function giveFocus({ name, start, end }) {
  const first = content.querySelector("[aria-invalid]")
    ?? content.querySelector(name ? `[data-block-id="${CSS.escape(name)}"] :is(input, textarea, select)` : "input, textarea, select, button");
  // A view that only says that something is in progress has nothing to focus.
  if (!first) return;
  first.focus();
  if (name && typeof start === "number" && "setSelectionRange" in first) first.setSelectionRange(start, end);
}

/**
 * Preselects the current channel where Slack does so too: once in each field, which may come with an update.
 * Another window of the same person is perhaps in another channel.
 */
function presetChannel(modal) {
  for (const block of modal.blocks) {
    const part = block.element ?? {};
    if (!part.default_to_current_conversation || preset.has(block.block_id)) continue;
    preset.add(block.block_id);
    const isEmpty = modal.values[block.block_id]?.[part.action_id]?.selected_conversation === null;
    if (isEmpty && state.channel !== HOME && hasJustActed()) choose(block.block_id, state.channel);
  }
}

function fill(modal) {
  const held = heldFocus();
  const isNew = shown?.id !== modal.id;
  if (isNew) {
    typed = new Map();
    preset = new Set();
  }
  title.textContent = modal.title;
  notice.textContent = modal.notice ?? "";
  content.replaceChildren(...blocks(modal.blocks, tools(modal)));
  if (source.getAttribute("aria-pressed") === "true") content.append(payload(modal.payload));
  footer.replaceChildren(...[
    element("button", { type: "button", class: "button", onclick: close }, modal.close),
    modal.submit && element("button", { type: "submit", class: "button primary" }, modal.submit),
  ].filter(Boolean));
  const wasEmpty = shown !== null && !shown.blocks.some((block) => block.type === "input");
  shown = modal;
  presetChannel(modal);
  giveFocus(isNew || wasEmpty ? {} : held);
}

/** What the page shows of a modal, except what people type themselves. */
const look = (modal) => JSON.stringify([modal.id, modal.hash, modal.errors, modal.notice,
  Object.values(modal.values).map((block) => Object.values(block).map((value) => value.selected_conversation ?? null))]);

function take() {
  const modal = state.modals[state.user] ?? null;
  if (modal === null) {
    if (shown === null) return;
    shown = null;
    dialog.close();
    // In Chromium, an element that gets the focus back while the page is still inert doesn't receive keys.
    requestAnimationFrame(() => {
      opener?.blur();
      opener?.focus();
    });
    return;
  }
  if (!dialog.open) {
    opener = document.activeElement;
    dialog.showModal();
  }
  if (shown === null || look(shown) !== look(modal)) fill(modal);
  else shown = modal;
}

export function startModal() {
  document.body.append(dialog);
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    close();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (dialog.getAttribute("aria-busy") !== "true") send((texts) => ({ submit: { values: texts } }));
  });
  source.addEventListener("click", () => {
    const isShown = source.getAttribute("aria-pressed") === "true";
    source.setAttribute("aria-pressed", String(!isShown));
    if (isShown) content.querySelector(".payload")?.remove();
    else content.append(payload(shown.payload));
  });
  on("modals", take);
  on("place", take);
}
