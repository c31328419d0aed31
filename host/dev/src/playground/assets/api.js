// Requests to the host: acts in the workspace, and changes on the Jira site.

import { notify } from "./dom.js";
import { state } from "./state.js";

async function post(path, body) {
  let response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Error("Can't reach the playground. Is it still running?");
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error ?? `The playground responded with status ${response.status}.`);
  return answer;
}

/** When something was last done in this window. */
let lastAct = 0;

/** Whether it was this window, of perhaps several of one person, in which something was just done. */
export const hasJustActed = () => Date.now() - lastAct < 60_000;

/** Does something as the current person, by default in the current channel. Throws an error with a sentence. */
export const act = (what, channel = state.channel) => {
  lastAct = Date.now();
  return post("/slack", { user: state.user, channel, act: what });
};

/** Changes something on the Jira site. Throws an error with a sentence. */
export const change = (what) => post("/jira", what);

/** Turns the workspace's clock forward. Throws an error with a sentence. */
export const turnForward = (minutes) => post("/time", { forward_minutes: minutes });

/** Makes the call and shows errors on the page. Returns whether it succeeded. */
export async function attempt(call) {
  try {
    await call();
    return true;
  } catch (error) {
    notify(error.message);
    return false;
  }
}
