// The simulated Jira site: shows its issues in a table or on a board, changes them, and simulates failures.

import { attempt, change } from "./api.js";
import { byId, element, newId } from "./dom.js";
import { on, state } from "./state.js";

const FAILURES = [
  ["none", "None"],
  ["unauthorized", "401 Unauthorized"],
  ["forbidden", "403 Forbidden"],
  ["rate_limited", "429 Too many requests"],
  ["unavailable", "503 Unavailable"],
  ["slow", "Slow (4 s)"],
  ["nonsense", "Malformed response"],
  ["unreachable", "Unreachable"],
];

/** The requests that can fail alone. */
const ENDPOINTS = [
  ["read", "Reading issues"],
  ["search", "Searching"],
  ["create", "Creating an issue"],
  ["create_many", "Creating stories"],
  ["comment", "Commenting"],
  ["transitions", "Moving"],
  ["assignee", "Assigning"],
  ["links", "Linking"],
  ["projects", "Listing projects"],
];

const STATUSES = ["To Do", "Open", "In Progress", "In Review", "Done"];

/** The columns of the board, each with its statuses. */
const COLUMNS = [["To do", ["To Do", "Open"]], ["In progress", ["In Progress"]], ["In review", ["In Review"]], ["Done", ["Done"]]];

const failure = element("select", { id: "failure", onchange: () => attempt(() => change({ fail: { how: failure.value } })) },
  FAILURES.map(([value, label]) => element("option", { value }, label)));
const options = (pairs) => pairs.map(([value, label]) => element("option", { value }, label));
const endpoint = element("select", { id: "endpoint", "aria-label": "Kind of request" }, options(ENDPOINTS));
const endpointFailure = element("select", { id: "endpoint-failure", "aria-label": "How it fails" },
  options(FAILURES.filter(([value]) => value !== "none").map(([value, label]) => [value, value === "slow" ? "Delay" : label])));
const delay = element("input", { id: "delay", type: "number", min: 0, max: 120, step: 0.5, value: 4, "aria-label": "Delay in seconds" });
const failing = element("ul", { id: "failing", "aria-label": "Requests that fail alone" });

const labelOf = (pairs, value) => pairs.find(([name]) => name === value)?.[1] ?? value;

function failAt(event) {
  event.preventDefault();
  const how = endpointFailure.value;
  attempt(() => change({ fail_at: { endpoint: endpoint.value, how, delay_ms: how === "slow" ? Math.round(Number(delay.value) * 1000) : null } }));
}

function showFailing() {
  failing.replaceChildren(...(state.jira.failing ?? []).map(({ endpoint: name, how, delay_ms }) => element("li", {},
    `${labelOf(ENDPOINTS, name)}: ${how === "slow" ? `${delay_ms / 1000} s late` : labelOf(FAILURES, how)} `,
    element("button", {
      type: "button",
      class: "quiet",
      "aria-label": `${labelOf(ENDPOINTS, name)} works again`,
      onclick: () => attempt(() => change({ fail_at: { endpoint: name, how: "none", delay_ms: null } })),
    }, "✕"))));
}

function endpoints() {
  const only = () => { delay.hidden = endpointFailure.value !== "slow"; };
  endpointFailure.addEventListener("change", only);
  only();
  return element("details", { class: "endpoints" },
    element("summary", {}, "Fail or delay one kind of request"),
    element("form", { onsubmit: failAt }, endpoint, endpointFailure, delay, element("button", { type: "submit", class: "button" }, "Set")),
    failing);
}

const filter = element("input", { type: "search", id: "issue-filter", "aria-label": "Find issues", placeholder: "Find issues", oninput: showAll });
const rows = element("tbody");
const table = element("table", { "aria-label": "Issues" },
  element("thead", {}, element("tr", {}, ["Key", "Summary", "Status", "Change"].map((name) =>
    element("th", { scope: "col" }, name === "Change" ? element("span", { class: "hidden" }, name) : name)))), rows);
const board = element("div", { class: "board", hidden: true });
const project = element("input", { id: "new-project", required: true, list: "projects", "aria-label": "Project", value: "SCRUM", size: 8 });
const summary = element("input", { id: "new-summary", required: true, maxLength: 255, "aria-label": "Summary", placeholder: "Summary of a new issue" });

/** The issue whose card is being dragged over the board. */
let dragged = null;

/** The rows on the page by issue key, each with the issue that it shows. */
const shown = new Map();

const url = (key) => `${state.workspace.jira}browse/${key}`;

function statusSelect(issue) {
  const known = STATUSES.includes(issue.status) ? STATUSES : [...STATUSES, issue.status];
  const select = element("select", {
    class: "status",
    "aria-label": `Status of ${issue.key}`,
    dataset: { status: issue.status },
    onchange: () => attempt(() => change({ transition: { key: issue.key, status: select.value } })),
  }, known.map((name) => element("option", { selected: name === issue.status }, name)));
  return select;
}

function changeButton(issue) {
  return element("button", { type: "button", class: "quiet", "aria-label": `Change ${issue.key}`, title: "Assign, comment, rename, move, delete", onclick: () => openChange(issue) }, "⋯");
}

const keyLink = (issue) => element("a", { href: url(issue.key), target: "_blank", rel: "noopener noreferrer" }, issue.key);

function row(issue) {
  return element("tr", { dataset: { key: issue.key } },
    element("th", { scope: "row" }, keyLink(issue)),
    element("td", {}, issue.summary, element("span", { class: "small" },
      [issue.kind, issue.assignee, issue.priority === "Medium" ? null : issue.priority, issue.sprint].filter(Boolean).join(" · "))),
    element("td", {}, statusSelect(issue)),
    element("td", {}, changeButton(issue)));
}

function card(issue) {
  return element("li", {
    class: "card",
    draggable: true,
    dataset: { key: issue.key },
    ondragstart: (event) => {
      dragged = issue;
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", issue.key);
    },
    ondragend: () => {
      dragged = null;
      showAll();
    },
  },
    element("p", {}, issue.summary),
    element("p", { class: "small" }, keyLink(issue), ` ${issue.kind}`),
    element("div", {}, statusSelect(issue), changeButton(issue)));
}

/** Lets cards be dropped on a column of the board. An issue already in one of its statuses stays as it is. */
function takesCards(statuses) {
  const over = (section, isOver) => section.classList.toggle("over", isOver);
  return {
    ondragover: (event) => {
      if (!dragged) return;
      event.preventDefault();
      over(event.currentTarget, true);
    },
    ondragleave: (event) => {
      if (!event.currentTarget.contains(event.relatedTarget)) over(event.currentTarget, false);
    },
    ondrop: (event) => {
      if (!dragged) return;
      event.preventDefault();
      over(event.currentTarget, false);
      const { key, status } = dragged;
      if (!statuses.includes(status)) attempt(() => change({ transition: { key, status: statuses.at(-1) } }));
    },
  };
}

function matches(issue) {
  const wanted = filter.value.trim().toLowerCase();
  return `${issue.key} ${issue.summary} ${issue.status}`.toLowerCase().includes(wanted);
}

/** Newest first, because people look for what they have just created. */
const found = () => state.jira.issues.filter(matches).toReversed();

/** Updates only the rows that have changed. The others stay, and so does the focus in them. */
function showTable() {
  const wanted = found();
  const keys = new Set(wanted.map((issue) => issue.key));
  for (const [key, { made }] of shown) {
    if (keys.has(key)) continue;
    made.remove();
    shown.delete(key);
  }
  let before = null;
  for (const issue of wanted) {
    const look = JSON.stringify(issue);
    const present = shown.get(issue.key);
    let made = present?.made;
    if (present?.look !== look) {
      const held = made?.contains(document.activeElement) ? document.activeElement.className : null;
      const next = row(issue);
      if (made) {
        next.classList.add("changed");
        made.replaceWith(next);
      }
      made = next;
      shown.set(issue.key, { made, look });
      if (held !== null) made.querySelector(`.${held}`)?.focus();
    }
    const expected = before === null ? rows.firstElementChild : before.nextElementSibling;
    if (expected !== made) rows.insertBefore(made, expected);
    before = made;
  }
}

function showBoard() {
  // Removing a card from the page would end the drag.
  if (dragged) return;
  const issues = found();
  const held = board.contains(document.activeElement) ? document.activeElement.closest("[data-key]")?.dataset.key : null;
  const isElsewhere = (status) => !COLUMNS.some(([, statuses]) => statuses.includes(status));
  board.replaceChildren(...COLUMNS.map(([name, statuses], index) => {
    const own = issues.filter(({ status }) => statuses.includes(status) || (index === 0 && isElsewhere(status)));
    const id = newId("column");
    return element("section", { "aria-labelledby": id, ...takesCards(statuses) }, element("h3", { id }, name, element("span", { class: "count" }, String(own.length))),
      element("ul", {}, own.map(card)));
  }));
  if (held) board.querySelector(`[data-key="${CSS.escape(held)}"] select`)?.focus();
}

function showAll() {
  if (board.hidden) showTable();
  else showBoard();
  if (failure.value !== state.jira.failure) failure.value = state.jira.failure;
  byId("jira").classList.toggle("failing", state.jira.failure !== "none");
}

/** A select in the dialog of an issue, which changes the issue at once. */
function fieldSelect(label, value, names, none, what) {
  const select = element("select", {
    "aria-label": label,
    onchange: () => attempt(() => change(what(select.value === "" ? null : select.value))),
  }, none && element("option", { value: "", selected: value === null }, none), names.map((name) => element("option", { selected: name === value }, name)));
  return element("label", {}, element("span", {}, label), select);
}

/** Opens the dialog that changes an issue in all other ways. */
function openChange(issue) {
  const title = newId("change");
  const newSummary = element("input", { "aria-label": "Summary", value: issue.summary, required: true, maxLength: 255 });
  const comment = element("input", { "aria-label": "Comment", placeholder: "A comment", required: true, maxLength: 1000 });
  const newProject = element("input", { "aria-label": "New project", placeholder: "Project key, such as OPS", list: "projects" });
  const dialog = element("dialog", { class: "change", "aria-labelledby": title });
  const perform = async (what) => { if (await attempt(() => change(what))) dialog.close(); };
  const part = (what, ...children) => element("form", {
    onsubmit: (event) => {
      event.preventDefault();
      perform(what());
    },
  }, ...children);
  const { key } = issue;
  dialog.append(
    element("header", {}, element("h2", { id: title }, key),
      element("button", { type: "button", "aria-label": "Close", onclick: () => dialog.close() }, "✕")),
    element("div", { class: "issue-fields" },
      fieldSelect("Assignee", issue.assignee, state.workspace.jira_people, "Nobody", (person) => ({ assign: { key, person } })),
      fieldSelect("Priority", issue.priority, state.workspace.priorities, null, (priority) => ({ prioritise: { key, priority } })),
      fieldSelect("Sprint", issue.sprint, state.workspace.sprints, "None", (sprint) => ({ plan: { key, sprint } }))),
    part(() => ({ comment: { key, text: comment.value } }), comment, element("button", { type: "submit", class: "button" }, "Comment")),
    part(() => ({ rename: { key, summary: newSummary.value } }), newSummary, element("button", { type: "submit", class: "button" }, "Rename")),
    part(() => ({ move: { key, project: newProject.value } }), newProject, element("button", { type: "submit", class: "button" }, "Move")),
    element("button", { type: "button", class: "button danger", onclick: () => perform({ delete: { key } }) }, "Delete"),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

function viewSwitch() {
  const button = (label, isBoard) => element("button", {
    type: "button",
    "aria-pressed": String(board.hidden !== isBoard),
    onclick: () => {
      board.hidden = !isBoard;
      table.hidden = isBoard;
      for (const other of views.children) other.setAttribute("aria-pressed", String((other.textContent === "Board") === isBoard));
      showAll();
    },
  }, label);
  const views = element("div", { class: "views", role: "group", "aria-label": "View" }, button("Table", false), button("Board", true));
  return views;
}

async function create(event) {
  event.preventDefault();
  const isDone = await attempt(() => change({ create: { project: project.value.trim().toUpperCase(), summary: summary.value } }));
  if (isDone) summary.value = "";
}

export function startJira() {
  const projects = element("datalist", { id: "projects" });
  byId("jira").append(
    element("p", { class: "failure" }, element("label", { htmlFor: "failure" }, "Simulate a Jira failure"), " ", failure),
    endpoints(),
    element("form", { class: "create", onsubmit: create }, project, summary, element("button", { type: "submit", class: "button" }, "Create")),
    element("div", { class: "tools" }, filter, viewSwitch()),
    table, board, projects);
  on("workspace", () => projects.replaceChildren(...state.workspace.projects.map((key) => element("option", { value: key }))));
  on("jira", showAll);
  on("jira", showFailing);
}
