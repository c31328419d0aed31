// Says what doesn't fit before it goes to the host: the tool's own code takes an object for an empty list, and a text for no
// bytes.
import { onCall } from 'maro:build/calls';
// What the functions of the interface take, and what a reply is made of. A text is a type of WIT's own; an object has one of
// the keys below.
import { FUNCTIONS, REPLY } from './interface.js';

export { REPLY };

onCall((name, given) => {
  const parameters = FUNCTIONS[name] ?? [];
  const told = first(parameters, ([parameter, type], at) => unfit(given[at], type, parameter));
  if (told) throw new TypeError(`${name}: ${told}`);
});

const WHOLE = { u8: 8, u16: 16, u32: 32, u64: 64, s8: 7, s16: 15, s32: 31, s64: 63 };

// What of a value isn't as it should be, in words, if anything.
export function unfit(value, type, at) {
  const kind = typeof type === 'string' ? type : Object.keys(type)[0];
  if (Object.hasOwn(WHOLE, kind)) return unfitNumber(value, kind, at);
  return KINDS[kind]?.(value, type[kind], at);
}

const KINDS = {
  string: (value, _, at) => (typeof value === 'string' ? undefined : wrong(value, at, 'a text')),
  bool: (value, _, at) => (typeof value === 'boolean' ? undefined : wrong(value, at, 'true or false')),
  bytes: (value, _, at) =>
    Array.isArray(value) || ArrayBuffer.isView(value) || value instanceof ArrayBuffer
      ? undefined
      : wrong(value, at, 'bytes: `new TextEncoder().encode(text)` makes them of a text'),
  enum: (value, cases, at) => (cases.includes(value) ? undefined : wrong(value, at, `one of ${cases.join(', ')}`)),
  option: (value, inner, at) => (isNothing(value) ? undefined : unfit(value, inner, at)),
  list: (value, inner, at) =>
    Array.isArray(value)
      ? first(value, (entry, number) => unfit(entry, inner, `${at}[${number}]`))
      : wrong(value, at, inner.record ? `a list of ${fieldsOf(inner.record)}` : 'a list'),
  record: unfitRecord,
  variant: unfitVariant,
};

function unfitNumber(value, kind, at) {
  const bits = BigInt(WHOLE[kind]);
  const isSigned = kind.startsWith('s');
  const [least, most] = [isSigned ? -(2n ** bits) : 0n, 2n ** bits - 1n];
  // The tool takes a BigInt only where a number may be too small.
  const isWhole = Number.isInteger(value) || (typeof value === 'bigint' && kind.endsWith('64'));
  if (isWhole && BigInt(value) >= least && BigInt(value) <= most) return undefined;
  return wrong(value, at, isWhole ? `a whole number from ${least} to ${most}` : 'a whole number');
}

function unfitRecord(value, fields, at) {
  if (typeof value !== 'object' || value === null) return wrong(value, at, fieldsOf(fields));
  const told = first(fields, ([name, type]) => unfit(value[name], type, `${at}.${name}`));
  if (told) return told;
  // What may be left out and has another name would be lost without a word.
  const names = fields.map(([name]) => name);
  const mayBeMeant = names.some((name) => isNothing(value[name]));
  const unknown = mayBeMeant && Object.keys(value).find((name) => !names.includes(name));
  return unknown ? `${at} has \`${unknown}\`, and may only have ${names.join(', ')}` : undefined;
}

const fieldsOf = (fields) => `{ ${fields.map(([name]) => name).join(', ')} }`;

function unfitVariant(value, cases, at) {
  if (typeof value !== 'object' || value === null) return wrong(value, at, 'an object with a `tag`');
  const found = cases.find(([tag]) => tag === value.tag);
  if (!found) return wrong(value.tag, `${at}.tag`, `one of ${cases.map(([tag]) => tag).join(', ')}`);
  return found[1] === null ? undefined : unfit(value.val, found[1], `${at}.val`);
}

const isNothing = (value) => value === undefined || value === null;

const wrong = (value, at, wanted) => `${at} is ${shown(value)}, and must be ${wanted}`;

function first(values, ask) {
  for (const [number, value] of values.entries()) {
    const told = ask(value, number);
    if (told) return told;
  }
  return undefined;
}

export function shown(value) {
  if (isNothing(value)) return 'nothing';
  const text = typeof value === 'string' ? `the text ${JSON.stringify(value)}` : typeof value === 'object' ? object(value) : String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function object(value) {
  const kind = value.constructor?.name;
  const plain = (_, inner) => (typeof inner === 'bigint' ? Number(inner) : inner);
  try {
    const text = JSON.stringify(value, plain);
    return ['Object', 'Array', undefined].includes(kind) ? text : `a ${kind}, ${text}`;
  } catch {
    return `an object that contains itself`;
  }
}
