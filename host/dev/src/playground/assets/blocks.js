// Turns Block Kit into elements, from what MARO really sent.
//
// https://docs.slack.dev/reference/block-kit

import { element } from "./dom.js";
import { link, mention, mrkdwn } from "./mrkdwn.js";

/** The elements for a text object. */
export function text(object) {
  if (!object) return [];
  return object.type === "mrkdwn" ? mrkdwn(object.text) : [document.createTextNode(object.text)];
}

function button(part, block, press) {
  const label = part.text?.text ?? "";
  const made = element("button", {
    type: "button",
    class: `button ${part.style ?? ""}`,
    "aria-label": part.accessibility_label,
    dataset: { actionId: part.action_id },
  }, label);
  made.addEventListener("click", async () => {
    const { confirm } = part;
    if (confirm && !window.confirm(`${confirm.title.text}\n\n${confirm.text.text}`)) return;
    if (part.url) window.open(part.url, "_blank", "noopener,noreferrer");
    made.setAttribute("aria-busy", "true");
    await press(block.block_id, part.action_id);
    made.removeAttribute("aria-busy");
  });
  return made;
}

function part(part_, block, tools) {
  if (part_.type === "button") return button(part_, block, tools.press);
  if (part_.type === "image") return element("span", { class: "unknown" }, part_.alt_text ?? "image");
  const field = tools.field?.(part_, block);
  return field ?? element("span", { class: "unknown" }, `${part_.type} can't be shown here`);
}

function richText(item) {
  const style = (node, { bold, italic, strike, code } = {}) => {
    let made = node;
    if (code) made = element("code", {}, made);
    if (strike) made = element("s", {}, made);
    if (italic) made = element("em", {}, made);
    return bold ? element("strong", {}, made) : made;
  };
  const inline = (part_) => {
    switch (part_.type) {
      case "text": return style(document.createTextNode(part_.text), part_.style);
      case "link": return style(link(part_.url, part_.text ?? part_.url), part_.style);
      case "user": return mention("@", part_.user_id);
      case "channel": return mention("#", part_.channel_id);
      case "broadcast": return mention("!", part_.range);
      default: return document.createTextNode(part_.name ? `:${part_.name}:` : "");
    }
  };
  const inner = () => (item.elements ?? []).map(inline);
  switch (item.type) {
    case "rich_text_list":
      return element(item.style === "ordered" ? "ol" : "ul", {},
        item.elements.map((entry) => element("li", {}, (entry.elements ?? []).map(inline))));
    case "rich_text_quote": return element("blockquote", {}, inner());
    case "rich_text_preformatted": return element("pre", {}, inner());
    default: return element("div", {}, inner());
  }
}

function section(block, tools) {
  const fields = (block.fields ?? []).map((field) => element("div", {}, text(field)));
  return element("div", { class: "block section" },
    element("div", { class: "words said" }, text(block.text), fields.length > 0 && element("div", { class: "fields" }, fields)),
    block.accessory && element("div", { class: "accessory" }, part(block.accessory, block, tools)));
}

/**
  The elements for blocks. `tools.press(blockId, actionId)` presses a button, `tools.field(part, block)` creates
 * an element for a field, and `tools.input(block)` shows an input block.
 */
export function blocks(list, tools) {
  return list.map((block) => {
    switch (block.type) {
      case "section": return section(block, tools);
      case "header": return element("h3", { class: "block header" }, text(block.text));
      case "divider": return element("hr", { class: "block" });
      case "context":
        return element("div", { class: "block context" },
          block.elements.map((item) => element("div", {}, item.type === "image" ? item.alt_text : text(item))));
      case "actions":
        return element("div", { class: "block actions" }, block.elements.map((item) => part(item, block, tools)));
      case "rich_text": return element("div", { class: "block said" }, block.elements.map(richText));
      case "input": if (tools.input) return tools.input(block);
      // Falls through: only modals have inputs.
      default: return element("p", { class: "block unknown" }, `A block of type ${block.type} can't be shown here.`);
    }
  });
}

/** Shows what was sent over the wire. */
export function payload(value) {
  return element("pre", { class: "payload", tabIndex: 0, role: "group", "aria-label": "Payload" },
    JSON.stringify(value, null, 2));
}
