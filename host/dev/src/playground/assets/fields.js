// The inputs of a modal: texts, choices, and their errors.

import { combobox } from "./combobox.js";
import { element, newId } from "./dom.js";
import { person, state } from "./state.js";

const TEXTS = { email_text_input: "email", url_text_input: "url", number_input: "text", plain_text_input: "text" };

const asChoice = (option) => option && { label: option.text.text, value: option.value };

function textField(part, { id, value, typed }) {
  const properties = {
    id,
    maxLength: part.max_length,
    placeholder: part.placeholder?.text,
    value: value?.value ?? "",
    oninput: (event) => typed(event.target.value),
  };
  if (part.multiline) return element("textarea", { ...properties, rows: 5 });
  return element("input", { ...properties, type: TEXTS[part.type], autocomplete: "off" });
}

/** A day as it is, or a time as seconds since the epoch in the reader's own time zone. */
function dayField(part, { id, value, choose }) {
  if (part.type === "datepicker") {
    return element("input", { id, type: "date", value: value?.selected_date ?? "", onchange: (event) => choose(event.target.value) });
  }
  const seconds = value?.selected_date_time;
  const local = (time) => new Date(time - new Date(time).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  return element("input", {
    id,
    type: "datetime-local",
    value: seconds ? local(seconds * 1000) : "",
    onchange: (event) => choose(event.target.value ? String(new Date(event.target.value).getTime() / 1000) : ""),
  });
}

/** Several options that the bot suggests: their labels, separated by commas. */
function severalField(part, { id, value, choose }) {
  const chosen = (value?.selected_options ?? []).map((option) => option.text.text).join(", ");
  return element("input", { id, type: "text", autocomplete: "off", placeholder: "Names, separated by commas", value: chosen,
    onchange: (event) => choose(event.target.value) });
}

function select(options, chosen, { id, placeholder, choose }) {
  const made = options.map(({ label, value }) => element("option", { value, selected: value === chosen }, label));
  const none = element("option", { value: "", selected: !chosen }, placeholder ?? "Choose…");
  return element("select", { id, onchange: (event) => choose(event.target.value) }, none, made);
}

function places() {
  const channels = state.workspace.channels.map(({ id, name }) => ({ label: `# ${name}`, value: id }));
  return [...channels, { label: "Direct message with MARO", value: person(state.user).direct_message }];
}

function boxes(part, { id, value, choose }) {
  const isOne = part.type === "radio_buttons";
  const chosen = isOne ? [value?.selected_option] : value?.selected_options ?? [];
  const group = element("div", { id, role: isOne ? "radiogroup" : "group" });
  const tell = () => choose([...group.querySelectorAll(":checked")].map((box) => box.value).join(","));
  group.append(...part.options.map((option) => element("label", { class: "choice" },
    element("input", {
      type: isOne ? "radio" : "checkbox",
      name: id,
      value: option.value,
      checked: chosen.some((other) => other?.value === option.value),
      onchange: tell,
    }), option.text.text)));
  return group;
}

/**
  The element for one field. `value` is the host's state of the field. `typed(text)` is called on every
 * keystroke, `choose(value)` when something is chosen. Null for fields that can't be shown.
 */
export function field(part, options) {
  const { id, value, choose } = options;
  const placeholder = part.placeholder?.text;
  switch (part.type) {
    case "plain_text_input":
    case "email_text_input":
    case "url_text_input":
    case "number_input": return textField(part, options);
    case "static_select": {
      const groups = part.option_groups?.flatMap((group) => group.options) ?? part.options;
      return select(groups.map(asChoice), value?.selected_option?.value, { id, placeholder, choose });
    }
    case "conversations_select":
      return select(places(), value?.selected_conversation, { id, placeholder, choose });
    case "external_select":
      return combobox({
        id,
        field: options.name,
        chosen: asChoice(value?.selected_option),
        placeholder,
        minLength: part.min_query_length ?? 3,
        choose: (option) => choose(option.value),
      });
    case "datepicker":
    case "datetimepicker": return dayField(part, options);
    case "multi_external_select": return severalField(part, options);
    case "radio_buttons":
    case "checkboxes":
    case "multi_static_select": return boxes(part, options);
    default: return null;
  }
}

/** The element for an input block: its label, field, hint and error. */
export function input(block, error, options) {
  const id = newId("field");
  const made = field(block.element, { ...options, id, name: block.block_id })
    ?? element("p", { class: "unknown" }, `${block.element.type} can't be shown here`);
  const control = made.matches("input, select, textarea") ? made : made.querySelector("input[role=combobox]") ?? made;
  const hint = block.hint && element("p", { id: `${id}-hint`, class: "small" }, block.hint.text);
  const objection = error && element("p", { id: `${id}-error`, class: "error" }, error);
  const described = [objection && `${id}-error`, hint && `${id}-hint`].filter(Boolean).join(" ");
  if (described) control.setAttribute("aria-describedby", described);
  if (error) control.setAttribute("aria-invalid", "true");
  if (!block.optional) control.setAttribute("aria-required", "true");
  const isGroup = control.matches("[role=group], [role=radiogroup]");
  const label = element(isGroup ? "div" : "label", { id: `${id}-label`, class: "label" }, block.label.text,
    block.optional && element("span", { class: "small" }, " (optional)"));
  if (isGroup) control.setAttribute("aria-labelledby", `${id}-label`);
  else label.htmlFor = id;
  return element("div", { class: "block input", dataset: { blockId: block.block_id } }, label, made, objection, hint);
}
