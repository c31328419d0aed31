// Turns Slack's markup into elements: emphasis, code, quotes, lists, links and mentions.
//
// https://docs.slack.dev/messaging/formatting-message-text

import { element } from "./dom.js";
import { lookAt, nameOf, state } from "./state.js";

const MARKS = { "*": "strong", "_": "em", "~": "s", "`": "code" };

const isWord = (letter) => letter !== undefined && /[\p{L}\p{N}]/u.test(letter);
/** A zero-width space counts too: it keeps a character from being a mark. */
const isSpace = (letter) => letter === undefined || /[\s\u200b]/.test(letter);

function unescaped(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

/** A link that opens in a new tab. Only text if it isn't a web or email address. */
export function link(target, label) {
  if (!/^(https?:|mailto:)/i.test(target)) return document.createTextNode(label);
  return element("a", { href: target, target: "_blank", rel: "noopener noreferrer" }, label);
}

export function mention(kind, id) {
  if (kind === "#") {
    const isKnown = state.workspace.channels.some((channel) => channel.id === id);
    if (!isKnown) return element("span", { class: "mention" }, `#${nameOf(id)}`);
    return element("button", { type: "button", class: "mention", onclick: () => lookAt(id) }, `#${nameOf(id)}`);
  }
  const isMe = kind === "@" && id === state.user;
  const name = kind === "@" ? nameOf(id) : id;
  return element("span", { class: isMe || kind === "!" ? "mention loud" : "mention" }, `@${name}`);
}

/** The element for what is between `<` and `>`. */
function reference(inner) {
  const bar = inner.indexOf("|");
  const target = bar < 0 ? inner : inner.slice(0, bar);
  const label = bar < 0 ? null : unescaped(inner.slice(bar + 1));
  if (target.startsWith("@")) return mention("@", target.slice(1));
  if (target.startsWith("#")) return mention("#", target.slice(1));
  if (target.startsWith("!")) {
    if (["!here", "!channel", "!everyone"].includes(target)) return mention("!", target.slice(1));
    return document.createTextNode(label ?? `<${inner}>`);
  }
  const address = unescaped(target);
  return link(address, label === null || label === "" ? address.replace(/^mailto:/, "") : label);
}

/** The index where the mark at `start` closes in the same line, or -1 if it opens nothing. */
function closing(text, start) {
  const mark = text[start];
  if (isWord(text[start - 1]) || isSpace(text[start + 1]) || text[start + 1] === mark) return -1;
  for (let end = text.indexOf(mark, start + 2); end > 0; end = text.indexOf(mark, end + 1)) {
    if (!isSpace(text[end - 1]) && !isWord(text[end + 1])) return end;
  }
  return -1;
}

function line(text) {
  const parts = [];
  let plain = "";
  const flush = () => {
    if (plain !== "") parts.push(unescaped(plain));
    plain = "";
  };
  for (let index = 0; index < text.length; index += 1) {
    const letter = text[index];
    if (letter === "<") {
      const end = text.indexOf(">", index);
      if (end > index + 1) {
        flush();
        parts.push(reference(text.slice(index + 1, end)));
        index = end;
        continue;
      }
    } else if (letter in MARKS) {
      const end = closing(text, index);
      if (end > 0) {
        flush();
        const inner = text.slice(index + 1, end);
        parts.push(element(MARKS[letter], {}, letter === "`" ? unescaped(inner) : line(inner)));
        index = end;
        continue;
      }
    }
    plain += letter;
  }
  flush();
  return parts;
}

/** Groups lines that belong together: a list, a quote, or a paragraph with line breaks. */
function lines(text) {
  const groups = [];
  for (const written of text.split("\n")) {
    const [, kind, rest] = /^(?:(•)\s+|(?:&gt;|>) ?)?(.*)$/su.exec(written) ?? [null, undefined, written];
    const name = kind ? "list" : rest === written ? "plain" : "quote";
    const last = groups.at(-1);
    if (last?.name === name) last.lines.push(rest);
    else groups.push({ name, lines: [rest] });
  }
  return groups.map(({ name, lines: own }) => {
    if (name === "list") return element("ul", {}, own.map((item) => element("li", {}, line(item))));
    const broken = own.flatMap((item, index) => (index === 0 ? line(item) : [element("br"), ...line(item)]));
    return element(name === "quote" ? "blockquote" : "div", {}, broken);
  });
}

/** The elements for a text in Slack's markup. */
export function mrkdwn(text) {
  return text.split(/\n?```([^]+?)```\n?/).flatMap((part, index) => {
    if (index % 2 === 1) return [element("pre", {}, unescaped(part.replace(/^\n|\n$/g, "")))];
    return part === "" ? [] : lines(part);
  });
}

/** What Slack's composer makes of typed text: only addresses become markup. */
export function typed(text) {
  const escaped = (part) => part.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return text.split(/(https?:\/\/[^\s<>|]*[^\s<>|.,;:!?)])/).map((part, index) =>
    (index % 2 === 1 ? `<${escaped(part)}>` : escaped(part))).join("");
}
