// node componentize.mjs SOURCE WIT WORLD COMPONENT, or `--version` to see whether it is whole
import { writeFile } from 'node:fs/promises';
import { componentize } from '@bytecodealliance/componentize-js';

if (process.argv[2] === '--version') process.exit(0);
const [sourcePath, witPath, worldName, output] = process.argv.slice(2);
// Other features stay on: without `random` and `clocks`, the component would always see the random numbers and the
// time of its build. The host has no network of this kind.
const disableFeatures = ['http', 'fetch-event'];
try {
  const { component } = await componentize({ sourcePath, witPath, worldName, disableFeatures });
  await writeFile(output, component);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
