// Starts the parts of the page.

import { startChannel } from "./channel.js";
import { startComposer, suggest } from "./composer.js";
import { byId, element } from "./dom.js";
import { startHome } from "./home.js";
import { startJira } from "./jira.js";
import { startModal } from "./modal.js";
import { startPlugins } from "./plugins.js";
import { startSidebar } from "./sidebar.js";
import { follow, on } from "./state.js";
import { startTime } from "./time.js";

const EXAMPLES = [
  "/maro track SCRUM-123 SCRUM-124 SCRUM-999",
  "/maro tracked",
  "/maro create Login flow for users",
  "/maro stories SCRUM-101",
  "/maro notify digest daily 9:00",
  "/maro help",
];

function startWelcome() {
  byId("welcome").append(
    element("h3", {}, "Try MARO just as you would in Slack"),
    element("p", {}, "Slack and Jira are simulated; the bot is the real one."),
    element("p", {}, "Type below, or start with one of these:"),
    element("ul", {}, EXAMPLES.map((example) =>
      element("li", {}, element("button", { type: "button", class: "button", onclick: () => suggest(example) }, element("code", {}, example))))));
}

/** Makes tabs respond to clicks and arrow keys. */
function startTabs() {
  const tabs = [...document.querySelectorAll("[role=tab]")];
  const choose = (tab) => {
    for (const other of tabs) {
      const isChosen = other === tab;
      other.setAttribute("aria-selected", String(isChosen));
      other.tabIndex = isChosen ? 0 : -1;
      byId(other.getAttribute("aria-controls")).hidden = !isChosen;
    }
  };
  for (const [index, tab] of tabs.entries()) {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      const other = tabs[(index + 1) % tabs.length];
      choose(other);
      other.focus();
    });
  }
  return (name) => choose(byId(`${name}-tab`));
}

/** Shows one pane at a time on narrow screens. */
function startPanes(chooseTab) {
  const buttons = [...document.querySelectorAll("#panes button")];
  const show = (pane) => {
    const isTab = pane === "jira" || pane === "plugins";
    if (isTab) chooseTab(pane);
    byId("app").dataset.pane = isTab ? "behind" : pane;
    for (const button of buttons) {
      if (button.dataset.pane === pane) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
  };
  for (const button of buttons) button.addEventListener("click", () => show(button.dataset.pane));
  on("pane", show);
}

startWelcome();
startPanes(startTabs());
startSidebar();
startChannel();
startComposer();
startHome();
startTime();
startModal();
startJira();
startPlugins();
follow();
