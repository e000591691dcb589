import { format } from 'node:util';
import { InvocationContext } from '@azure/functions';
import { expect, it, onTestFinished, vi } from 'vitest';
import { notify } from '../../src/notifications/notify.js';
import { AppStorage } from '../support/app.js';
import { account } from '../support/azurite.js';

it('a notification is queued as JSON in base64, and logged in one line', async () => {
  const storage = new AppStorage(await account());
  vi.stubEnv('AppStorage', storage.connectionString);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  const logged: unknown[][] = [];
  const notification = {
    to: 'Łukasz',
    subject: 'Hello <you>',
    text: 'One\nTwo & 😀',
    about: '/api/things/1',
    key: '1-hello',
  };

  await notify(
    notification,
    new InvocationContext({
      logHandler: (_level, ...entries) => {
        logged.push(entries);
      },
    }),
  );
  expect(await storage.notifications()).toEqual([notification]);
  expect(logged.map((entries) => format(...entries))).toEqual(['To Łukasz: Hello <you> (/api/things/1)']);
});
