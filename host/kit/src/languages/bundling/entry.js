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

// What a reply is made of, as `reply.wit` says: a word for what it is, `[of]` for a list, `{ … }` for an object, `{ tag: { … } }`
// for one of several. A word that ends in `?` may be missing.
const BUTTON = { label: 'text', command: 'text', confirm: 'text?' };
const TEXTS = Object.fromEntries(['text', 'strong', 'code', 'issue', 'user'].map((tag) => [tag, 'text']));
const DATE = { seconds: 'whole', format: new Set(['day', 'time', 'day-and-time', 'ago']) };
const SPAN = { tag: { ...TEXTS, link: { url: 'text', label: 'text' }, channel: 'nothing', caller: 'nothing', date: DATE } };
const ITEM = { spans: [SPAN], 'button?': BUTTON };
const BLOCK = { tag: { paragraph: [SPAN], items: [ITEM], lines: [[SPAN]], buttons: [BUTTON] } };
const REPLY = { visibility: new Set(['caller', 'channel', 'update']), blocks: [BLOCK] };

// What of a value isn't as it should be, in words, if anything.
function unfit(value, shape, at) {
  const wrong = (wanted) => `${at} is ${shown(value)}, and must be ${wanted}`;
  if (shape === 'nothing') return undefined;
  if (shape === 'text?' && (value === undefined || value === null)) return undefined;
  if (shape === 'text' || shape === 'text?') return typeof value === 'string' ? undefined : wrong('a text');
  if (shape === 'whole') return typeof value === 'bigint' || Number.isInteger(value) ? undefined : wrong('a whole number');
  if (shape instanceof Set) return shape.has(value) ? undefined : wrong(`one of ${[...shape].join(', ')}`);
  if (Array.isArray(shape)) {
    if (!Array.isArray(value)) return wrong('a list');
    return first(value, (entry, number) => unfit(entry, shape[0], `${at}[${number}]`));
  }
  if (typeof value !== 'object' || value === null) return wrong('an object');
  if (!shape.tag) {
    return first(Object.entries(shape), ([key, inner]) => {
      const name = key.replace('?', '');
      if (name !== key && (value[name] === undefined || value[name] === null)) return undefined;
      return unfit(value[name], inner, `${at}.${name}`);
    });
  }
  const inner = Object.hasOwn(shape.tag, value.tag) && shape.tag[value.tag];
  return inner ? unfit(value.val, inner, `${at}.val`) : `${at}.tag is ${shown(value.tag)}, and must be one of ${Object.keys(shape.tag).join(', ')}`;
}

function first(values, ask) {
  for (const [number, value] of values.entries()) {
    const told = ask(value, number);
    if (told) return told;
  }
  return undefined;
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

function shown(value) {
  if (value === undefined || value === null) return 'nothing';
  const plain = (_, inner) => (typeof inner === 'bigint' ? Number(inner) : inner);
  const text = typeof value === 'string' ? `the text ${JSON.stringify(value)}` : JSON.stringify(value, plain) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function reply(value) {
  if (Array.isArray(value?.blocks) && typeof value.visibility === 'string') {
    const told = unfit(value, REPLY, 'reply');
    if (!told) return value;
    advise(`\`run\` in plugin.js returned what the host can't read: ${told}.`);
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
