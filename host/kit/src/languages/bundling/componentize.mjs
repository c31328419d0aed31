// node componentize.mjs FOLDER SOURCE WIT WORLD COMPONENT, or `--version` to see whether it is whole
//
// FOLDER has a copy of the project's files. Lines that start with `maro-note: ` are for the author.
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { componentize } from '@bytecodealliance/componentize-js';
import { parseSync } from 'oxc-parser';
import rewritePattern from 'regexpu-core';
import { splicer } from './node_modules/@bytecodealliance/componentize-js/lib/spidermonkey-embedding-splicer.js';
import { takeShortcuts } from './shortcuts.mjs';

if (process.argv[2] === '--version') process.exit(0);
const [folder, sourcePath, witPath, worldName, output] = process.argv.slice(2);
// Other features stay on: without `random` and `clocks`, the component would always see the random numbers and the
// time of its build. The host has no network of this kind.
const disableFeatures = ['http', 'fetch-event'];
// The engine is built without the tables of Unicode and of languages. Where Node's can stand in for them they do, and
// where not, the author reads it now and not when a person types the command.
async function prepare() {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    if (entry.isFile() && /\.m?js$/.test(entry.name) && !path.startsWith(dirname(sourcePath))) await prepareFile(path);
  }
}

async function prepareFile(path) {
  const text = await readFile(path, 'utf8');
  const { program, errors } = parseSync(path, text);
  // The engine says it better, or understands it.
  if (errors.length > 0) return;
  const edits = [];
  const isOwn = !path.includes('node_modules') && basename(path) !== 'maro.js';
  const at = (start) => {
    const before = text.slice(0, start).split('\n');
    return `${relative(folder, path)}:${before.length}:${before.at(-1).length + 1}`;
  };
  const note = ({ start }, sentence) => isOwn && console.log(`maro-note: ${at(start)}: ${sentence}.`);
  // Promises whose outcome nobody takes are lost without a word if they fail: `build/left_alone.js` says so.
  const watch = ({ start, end }, by = '__maroLeft') => {
    if (isOwn) edits.push({ start, end: start, by: `${by}(' at ${at(start)}', ` }, { start: end, end, by: ')' });
  };
  visit(program, undefined, 0, { edits, note, watch });
  if (edits.length === 0) return;
  let changed = text;
  for (const { start, end, by } of edits.sort((a, b) => b.start - a.start || b.end - a.end)) {
    changed = changed.slice(0, start) + by + changed.slice(end);
  }
  // The file may be linked to the author's own, which stays as it is.
  await rm(path);
  await writeFile(path, changed);
}

function visit(node, parent, depth, found) {
  if (Array.isArray(node)) {
    for (const inner of node) visit(inner, parent, depth, found);
    return;
  }
  if (typeof node?.type !== 'string') return;
  judge(node, parent, depth, found);
  const isFunction = /Function/.test(node.type);
  for (const [key, inner] of Object.entries(node)) {
    if (key !== 'parent' && inner && typeof inner === 'object') visit(inner, node, depth + isFunction, found);
  }
}

// What mostly returns no promise, and is often called.
const PLAIN = [
  ...['push', 'pop', 'shift', 'unshift', 'splice', 'sort', 'reverse', 'fill', 'set', 'add', 'delete', 'clear', 'append', 'log', 'error'],
  ...['forEach', 'setTimeout', 'setInterval', 'queueMicrotask'],
];
const FORMATS = ['toLocaleString', 'toLocaleDateString', 'toLocaleTimeString'];
const LANGUAGES = { localeCompare: 2, toLocaleUpperCase: 1, toLocaleLowerCase: 1 };

function judge(node, parent, depth, { edits, note, watch }) {
  if (node.type === 'ExpressionStatement') {
    const { type, operator, argument } = node.expression;
    const left = type === 'UnaryExpression' && operator === 'void' ? argument : node.expression;
    const call = left.type === 'ChainExpression' ? left.expression : left;
    const isPlain = call.callee?.type === 'Super' || PLAIN.includes(call.callee?.property?.name ?? call.callee?.name);
    if (call.type === 'CallExpression' && !isPlain) watch(left);
  }
  if (node.regex) {
    const { pattern, flags } = node.regex;
    const known = withoutProperties(pattern, flags);
    if (known) edits.push({ start: node.start, end: node.end, by: `/${known.pattern}/${known.flags}` });
  }
  if (/^(New|Call)Expression$/.test(node.type) && node.callee.name === 'RegExp') {
    const [pattern, flags] = node.arguments;
    const known =
      typeof pattern?.value === 'string' && typeof flags?.value === 'string' && withoutProperties(pattern.value, flags.value);
    if (known) {
      edits.push({ start: pattern.start, end: pattern.end, by: JSON.stringify(known.pattern) });
      edits.push({ start: flags.start, end: flags.end, by: JSON.stringify(known.flags) });
    }
  }
  const isName = !(parent?.type === 'MemberExpression' && parent.property === node && !parent.computed) && parent?.key !== node;
  if (node.type === 'Identifier' && node.name === 'Intl' && isName && parent?.operator !== 'typeof') {
    note(node, '`Intl` does not exist in plugins: choose words and formats yourself, by your own rules or those of a package whose files you copy into the project');
  }
  if (node.type === 'ImportExpression' && depth > 0) {
    note(node, '`import(…)` in a function fails: files are only there while a plugin is built. Import it at the top of the file');
  }
  const method = node.type === 'CallExpression' && node.callee.property?.name;
  // Nobody takes what the function returns.
  if (method === 'forEach' && node.arguments[0]?.async) watch(node.arguments[0], '__maroLeft.by');
  if (FORMATS.includes(method) && node.arguments.length > 0) {
    note(node.callee.property, `\`${method}\` knows no languages: numbers come plain, and dates in English. Write the format yourself`);
  }
  if (method === 'normalize' && /^NFK?[CD]$/.test(node.arguments[0]?.value)) {
    note(node.callee.property, '`normalize` does not exist in plugins: copy a package that does it into the project, such as unorm');
  }
  if (node.arguments?.length >= LANGUAGES[method]) {
    note(node.callee.property, `\`${method}\` doesn't know languages, and ignores the one given`);
  }
}

// Has what a plugin passes to the host looked at first, by the function that `build/fits.js` gives to `onCall`.
const WATCHED = `
let watch = () => {};
function defineWatchedModule(module, functions) {
  const name = module.replace(/^.*[/]|@.*$/g, '').replace(/-./g, (letters) => letters[1].toUpperCase());
  const watched = ([key, call]) => [key, (...given) => (watch(name + '.' + key, given), call(...given))];
  defineBuiltinModule(module, Object.fromEntries(Object.entries(functions).map(watched)));
}
defineBuiltinModule('maro:build/calls', { onCall: (by) => { watch = by; } });
`;

function watchCalls() {
  const { spliceBindings } = splicer;
  splicer.spliceBindings = (...given) => {
    const { jsBindings, ...spliced } = spliceBindings(...given);
    return { ...spliced, jsBindings: WATCHED + jsBindings.replaceAll("\ndefineBuiltinModule('maro:plugin/", "\ndefineWatchedModule('maro:plugin/") };
  };
}

// The same regular expression with \p{…} spelt out, if it has any.
function withoutProperties(pattern, flags) {
  if (!/\\[pP]\{/.test(pattern) || !/[uv]/.test(flags)) return undefined;
  try {
    const unicodeSetsFlag = flags.includes('v') ? 'transform' : undefined;
    const spelt = rewritePattern(pattern, flags, { unicodePropertyEscapes: 'transform', unicodeSetsFlag });
    return { pattern: spelt, flags: flags.replace('v', 'u') };
  } catch {
    return undefined;
  }
}

try {
  takeShortcuts();
  watchCalls();
  await prepare();
  const { component } = await componentize({ sourcePath, witPath, worldName, disableFeatures });
  await writeFile(output, component);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
