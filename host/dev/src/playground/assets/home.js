// The Home tab of the current person, as MARO shows it.

import { act, attempt } from "./api.js";
import { blocks } from "./blocks.js";
import { byId, element } from "./dom.js";
import { on, state } from "./state.js";

/** What stands in place of a channel's id while the Home tab is open. */
export const HOME = "home";

/** Asks the bot for the tab each time that it's opened, as Slack does. */
function open() {
  const isOpen = state.channel === HOME;
  for (const part of ["scroller", "composer"]) byId(part).hidden = isOpen;
  byId("home").hidden = !isOpen;
  byId("newest").hidden = true;
  if (!isOpen) return;
  show();
  attempt(() => act("home"));
}

function show() {
  if (state.channel !== HOME) return;
  const shown = state.homes[state.user];
  const waiting = element("p", { class: "small" }, "MARO hasn't shown anything here yet.");
  byId("home").replaceChildren(...(shown ? blocks(shown, { press: () => {} }) : [waiting]));
}

export function startHome() {
  on("place", open);
  on("workspace", open);
  on("homes", show);
}
