// node componentize.mjs SOURCE WIT WORLD COMPONENT
import { writeFile } from 'node:fs/promises';
import { componentize } from '@bytecodealliance/componentize-js';

const [sourcePath, witPath, worldName, output] = process.argv.slice(2);
// Without these the component has no clock, chance or network of its own; what it prints reaches the log.
const disableFeatures = ['random', 'clocks', 'http', 'fetch-event'];
try {
  const { component } = await componentize({ sourcePath, witPath, worldName, disableFeatures });
  await writeFile(output, component);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
