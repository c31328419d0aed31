// A select whose options MARO suggests while a person types.

import { act } from "./api.js";
import { element, newId, notify } from "./dom.js";

/** How long to wait after the last keystroke before asking MARO, in milliseconds. */
const PAUSE = 150;

/**
  An input with a list of options below it. `chosen` is the option chosen at the start, or null. When the person
 * chooses an option, `choose(option)` is called.
 */
export function combobox({ id, field, chosen, placeholder, minLength, choose }) {
  const listId = newId("options");
  const list = element("ul", { id: listId, role: "listbox", class: "options", hidden: true, "aria-label": "Options" });
  const input = element("input", {
    id,
    type: "text",
    role: "combobox",
    autocomplete: "off",
    spellcheck: false,
    "aria-autocomplete": "list",
    "aria-expanded": "false",
    "aria-controls": listId,
    placeholder,
    value: chosen?.label ?? "",
  });
  let current = chosen;
  let options = [];
  let marked = -1;
  let asked = 0;
  let timer = null;

  const close = () => {
    asked += 1;
    clearTimeout(timer);
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
    marked = -1;
  };
  const mark = (index) => {
    marked = index;
    [...list.children].forEach((option, position) => option.setAttribute("aria-selected", String(position === index)));
    if (!list.children[index]?.id) return;
    input.setAttribute("aria-activedescendant", list.children[index].id);
    list.children[index].scrollIntoView({ block: "nearest" });
  };
  const take = (option) => {
    current = option;
    input.value = option.label;
    close();
    choose(option);
  };
  const show = (entries) => {
    list.replaceChildren(...entries);
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
  };
  const note = (sentence) => show([element("li", { class: "small", role: "option", "aria-disabled": "true" }, sentence)]);
  const ask = async (typed) => {
    asked += 1;
    const number = asked;
    options = [];
    marked = -1;
    if (typed.length < minLength) return note(`Type at least ${minLength} characters.`);
    if (list.hidden) note("Asking MARO…");
    try {
      const answer = await act({ suggest: { field, typed } });
      if (number !== asked) return undefined;
      options = answer.options;
    } catch (error) {
      if (number === asked) note("Couldn't load suggestions.");
      return notify(error.message);
    }
    if (options.length === 0) return note("No results");
    return show(options.map((option, index) => element("li", {
      id: `${listId}-${index}`,
      role: "option",
      "aria-selected": "false",
      onmousedown: (event) => {
        event.preventDefault();
        take(option);
      },
    }, option.label)));
  };

  input.addEventListener("focus", () => input.select());
  input.addEventListener("click", () => {
    if (!list.hidden) return;
    input.select();
    ask("");
  });
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => ask(input.value.trim()), PAUSE);
  });
  input.addEventListener("blur", () => {
    close();
    input.value = current?.label ?? "";
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) ask("");
      else if (options.length > 0) {
        const step = event.key === "ArrowDown" ? 1 : -1;
        mark((marked + step + (marked < 0 && step < 0 ? 1 : 0) + options.length) % options.length);
      }
    } else if (event.key === "Enter" && !list.hidden) {
      event.preventDefault();
      if (options[Math.max(0, marked)]) take(options[Math.max(0, marked)]);
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      event.stopPropagation();
      close();
      input.value = current?.label ?? "";
    }
  });
  return element("div", { class: "combobox" }, input, list);
}
