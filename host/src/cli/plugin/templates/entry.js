import { command as plugin } from '../plugin.js';

// An exception is told with its place in the source, which the trap that follows does not know.
const told = (call) => (...parameters) => {
  try {
    return call(...parameters);
  } catch (error) {
    if (error instanceof Error && error.payload === undefined) console.error(`${error}\n${error.stack}`);
    throw error;
  }
};

export const command = { describe: told(plugin.describe), run: told(plugin.run) };
