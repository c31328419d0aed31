// Two steps of componentize-js take most of a build, and work on what edits leave as it is: putting the plugin's
// interfaces into the engine, and taking out of it what the plugin may not use. Their results are kept beside this file.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { splicer } from './node_modules/@bytecodealliance/componentize-js/lib/spidermonkey-embedding-splicer.js';

const FOLDER = fileURLToPath(new URL('steps', import.meta.url));
const MOST_KEPT = 12;
const DIGEST_BYTES = 32;

// The sections of a module that running it changes: its memory, its variables, and what the memory holds.
const MEMORY = 5;
const GLOBALS = 6;
const DATA = 11;
const DATA_COUNT = 12;
const CHANGING = [MEMORY, GLOBALS, DATA, DATA_COUNT];

export function takeShortcuts() {
  const { spliceBindings, stubWasi } = splicer;
  splicer.spliceBindings = (engine, features, world, wit, ...rest) => {
    const name = nameOf('spliced', engine, JSON.stringify([features, world, rest]), ...filesOf(wit));
    const known = read(name);
    if (known) return { ...known.description, wasm: known.bytes };
    const { wasm, ...description } = spliceBindings(engine, features, world, wit, ...rest);
    keep(name, description, wasm);
    return { ...description, wasm };
  };
  splicer.stubWasi = (module, features, world, wit, ...rest) => {
    const sections = sectionsOf(module);
    const lasting = sections.filter(({ id }) => !CHANGING.includes(id)).map(({ bytes }) => bytes);
    const name = nameOf('stubbed', JSON.stringify([features, world, rest]), ...filesOf(wit), ...lasting);
    const known = read(name);
    if (known) return withSections(known.bytes, sections);
    const stubbed = stubWasi(module, features, world, wit, ...rest);
    // Only where the step has changed nothing of these can they be put in later.
    if (changing(sectionsOf(stubbed)).equals(changing(sections))) keep(name, {}, stubbed);
    return stubbed;
  };
}

function sectionsOf(module) {
  const sections = [];
  for (let at = 8; at < module.length; ) {
    const start = at;
    const id = module[at++];
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = module[at++];
      length += (byte & 127) * 2 ** shift;
      if (byte < 128) break;
    }
    at += length;
    sections.push({ id, bytes: module.subarray(start, at) });
  }
  return sections;
}

function changing(sections) {
  return Buffer.concat(sections.filter(({ id }) => CHANGING.includes(id)).map(({ bytes }) => bytes));
}

// `module` with the changing sections of another.
function withSections(module, sections) {
  const others = new Map(sections.map(({ id, bytes }) => [id, bytes]));
  const parts = sectionsOf(module).map(({ id, bytes }) => (CHANGING.includes(id) ? others.get(id) : bytes));
  return new Uint8Array(Buffer.concat([module.subarray(0, 8), ...parts]));
}

function sha256(parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length} `).update(part);
  return hash.digest();
}

function nameOf(step, ...parts) {
  return `${step}-${sha256(parts).toString('hex')}`;
}

function filesOf(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath ?? entry.path, entry.name)).sort();
  return paths.flatMap((path) => [relative(folder, path), readFileSync(path)]);
}

// A file has a digest, the length of the description, the description, and the module.
function read(name) {
  const path = join(FOLDER, name);
  try {
    const file = readFileSync(path);
    const content = file.subarray(DIGEST_BYTES);
    if (!sha256([content]).equals(file.subarray(0, DIGEST_BYTES))) return undefined;
    const start = 4 + content.readUInt32LE();
    const description = JSON.parse(content.subarray(4, start).toString());
    // The time of last use says which may go.
    utimesSync(path, new Date(), new Date());
    return { description, bytes: new Uint8Array(content.subarray(start)) };
  } catch {
    return undefined;
  }
}

function keep(name, description, module) {
  const described = Buffer.from(JSON.stringify(description));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(described.length);
  const content = Buffer.concat([length, described, module]);
  const half = join(FOLDER, `.${name}-${process.pid}`);
  try {
    mkdirSync(FOLDER, { recursive: true, mode: 0o700 });
    writeFileSync(half, Buffer.concat([sha256([content]), content]));
    renameSync(half, join(FOLDER, name));
    const kept = readdirSync(FOLDER).map((file) => [statSync(join(FOLDER, file)).mtimeMs, file]);
    for (const [, file] of kept.sort(([a], [b]) => b - a).slice(MOST_KEPT)) rmSync(join(FOLDER, file));
  } catch {
    // The next build takes as long as this one.
  }
}
