import * as plugin from '../plugin.js';

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
  const frame = frames.find((frame) => frame.includes('.js:') && !/(^|\/)(maro|build\/entry|initializer)\.js:/.test(frame));
  return frame ? ` at ${frame.split('/').pop()}` : '';
}

function isRunError(value) {
  return (value?.tag === 'usage' || value?.tag === 'failed') && typeof value.val === 'string';
}

function fail(error) {
  if (error?.payload !== undefined) {
    const said = error.payload?.message ?? JSON.stringify(error.payload);
    advise(`An error from the host${place(error)} wasn't caught: catch it and \`throw passOn(error)\`. It says: ${said}`);
  } else if (error instanceof Error) {
    console.error(`${error}\n${error.stack}`);
  } else if (!isRunError(error)) {
    advise(`plugin.js threw ${shown(error)}: throw an \`Error\`, or what \`usage('…')\` or \`failed('…')\` returns.`);
  }
  throw error;
}

function shown(value) {
  if (value === undefined || value === null) return 'nothing';
  const text = typeof value === 'string' ? `the text ${JSON.stringify(value)}` : JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function reply(value) {
  if (Array.isArray(value?.blocks) && typeof value.visibility === 'string') return value;
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

globalThis.setTimeout = (work, delay, ...rest) => {
  const id = once(() => {
    timers.delete(id);
    work(...rest);
  }, delay);
  timers.set(id, place(new Error()));
  return id;
};
globalThis.setInterval = (work, delay, ...rest) => {
  const id = again(work, delay, ...rest);
  timers.set(id, place(new Error()));
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

async function run(typed) {
  let answer;
  try {
    answer = await own.run(typed);
  } catch (error) {
    return fail(error);
  }
  const told = reply(answer);
  await settle();
  return told;
}

export const command = { describe, run };
