/** The entry for `require`. Jest cannot load modules that way, so it gets one line that says what to do. */
if (process.env['JEST_WORKER_ID'] !== undefined)
  throw new Error(
    "Jest's registry of modules hides an app from the emulator. Use Vitest, node:test or mocha: the emulator's README has an example with each.",
  );
module.exports = require('./testing.js') as object;
