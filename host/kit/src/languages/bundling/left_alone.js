// Comes before the plugin's own code, in which the build has put this around calls whose outcome nobody takes. A promise
// that fails there would be lost without a word.
globalThis.__maroLeft = (where, outcome) => {
  if (outcome instanceof Promise) {
    outcome.catch((error) => {
      const told = typeof error?.message === 'string' ? `${error.name}: ${error.message}` : String(error);
      console.error(`maro: A promise that nothing waits for${where} failed: ${told}`);
    });
  }
  return outcome;
};

globalThis.__maroLeft.by = (where, work) => (...given) => globalThis.__maroLeft(where, work(...given));

// The engine has no tables of Unicode.
String.prototype.normalize ??= () => {
  throw new Error("`normalize` doesn't exist in plugins: copy a package that does it into the project, such as unorm");
};
