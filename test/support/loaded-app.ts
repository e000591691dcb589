/** Loads the app before the test files that share a process import parts of it: the emulator must be there first. */
import { TestApp } from '../../emulator/src/testing.js';
import { theApp } from './app.js';
import { disabled, QUEUE_FUNCTIONS } from './disabled.js';

const app = await TestApp.start({
  app: theApp,
  settings: { AppStorage: 'nowhere', ...disabled(...QUEUE_FUNCTIONS, 'DeliverNotification') },
});
await app.stop();
