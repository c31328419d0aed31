import './left_alone.js';
import * as plugin from '../plugin.js';
import { REPLY, shown, unfit } from './fits.js';

const { command: own } = plugin;
if (typeof own?.describe !== 'function' || typeof own.run !== 'function') {
  throw new TypeError('plugin.js must `export const command = { describe, run }`');
}

globalThis.fetch = () => {
  throw new Error("fetch isn't available: use `send` of maro:plugin/http, with the grant http");
};

// The trap that ends a command doesn't say where in the source it happened or what to do. This line says both.
const advise = (sentence) => console.error(`maro: ${sentence}`);

function place({ stack = '' }) {
  const frames = stack.split('\n').map((frame) => frame.split('@').pop());
  const frame = frames.find((frame) => frame.includes('.js:') && !/(^|\/)(maro|build\/\w+|initializer)\.js:/.test(frame));
  return frame ? ` at ${frame.split('/').pop()}` : '';
}

function isRunError(value) {
  return (value?.tag === 'usage' || value?.tag === 'failed') && typeof value.val === 'string';
}

function fail(error) {
  if (error?.payload !== undefined) {
    const said = error.payload?.message ?? JSON.stringify(error.payload);
    advise(`An error from the host${place(error)} wasn't caught: catch it and \`throw passOn(error)\`. It says: ${said}`);
  } else if (isError(error)) {
    console.error(`${error.name}: ${error.message}\n${error.stack}`);
  } else if (!isRunError(error)) {
    advise(`plugin.js threw ${shown(error)}: throw an \`Error\`, or what \`usage('…')\` or \`failed('…')\` returns.`);
  }
  throw error;
}

// What was passed to the host and isn't what it takes is told by an error of another realm.
const isError = (value) => typeof value?.message === 'string' && typeof value.stack === 'string';

function reply(value) {
  if (Array.isArray(value?.blocks) && typeof value.visibility === 'string') {
    const told = unfit(value, REPLY, 'reply');
    if (!told) return value;
    advise(`\`run\` in plugin.js returned what the host can't read: ${told}.`);
    throw new TypeError('no reply');
  }
  if (isRunError(value)) {
    advise(`\`run\` in plugin.js returned \`${value.tag}('…')\`: throw it.`);
    throw new TypeError('no reply');
  }
  advise(`\`run\` in plugin.js returned ${shown(value)}: return \`toCaller(…)\` or \`toChannel(…)\`.`);
  throw new TypeError('no reply');
}

function describe() {
  let description;
  try {
    description = own.describe();
  } catch (error) {
    return fail(error);
  }
  for (const field of ['name', 'version', 'summary', 'usage']) {
    if (typeof description?.[field] === 'string') continue;
    advise(`\`describe\` in plugin.js returns no text as \`${field}\`: return { name, version, summary, usage }.`);
    throw new TypeError('no description');
  }
  return description;
}

// What `run` started and nobody waits for still happens: it would be lost with the instance.
const PATIENCE_MS = 1000;
const timers = new Map();
const { setTimeout: once, clearTimeout: forgetOnce, setInterval: again, clearInterval: forgetAgain } = globalThis;

// Ends the command as what `run` throws does, so it's told as that is.
function fire(work, rest, where) {
  try {
    __maroLeft(where, work(...rest));
  } catch (error) {
    fail(error);
  }
}

globalThis.setTimeout = (work, delay, ...rest) => {
  const where = place(new Error());
  const id = once(() => {
    timers.delete(id);
    fire(work, rest, where);
  }, delay);
  timers.set(id, where);
  return id;
};
globalThis.setInterval = (work, delay, ...rest) => {
  const where = place(new Error());
  const id = again(() => fire(work, rest, where), delay);
  timers.set(id, where);
  return id;
};
globalThis.clearTimeout = (id) => (timers.delete(id), forgetOnce(id));
globalThis.clearInterval = (id) => (timers.delete(id), forgetAgain(id));

const turn = (delay) => new Promise((done) => once(done, delay));

async function settle() {
  await turn(0);
  const end = performance.now() + PATIENCE_MS;
  while (timers.size > 0 && performance.now() < end) await turn(5);
  for (const where of timers.values()) {
    advise(`A timer${where} was still waiting ${PATIENCE_MS / 1000} s after \`run\` had answered, and never fires: await what it is for.`);
  }
}

// A promise that nothing settles ends the command without a word.
async function sayIfStuck(state) {
  while (state.isRunning && timers.size > 0) await turn(20);
  await turn(0);
  if (state.isRunning && timers.size === 0) advise('`run` in plugin.js waits for a promise that nothing settles any more.');
}

async function run(typed) {
  let answer;
  const state = { isRunning: true };
  try {
    answer = own.run(typed);
    if (typeof answer?.then === 'function') {
      sayIfStuck(state);
      answer = await answer;
    }
  } catch (error) {
    return fail(error);
  } finally {
    state.isRunning = false;
  }
  const told = reply(answer);
  await settle();
  return told;
}

export const command = { describe, run };
