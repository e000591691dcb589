import { expect, it } from 'vitest';
import { startApp } from '../support/app.js';
import { SecretScan } from '../support/secrets.js';

it('a key or a link that a test’s app logs or answers fails the test', async () => {
  const { app } = await startApp();
  const { keys, url } = app;
  const token = `${'a'.repeat(50)}.${'b'.repeat(43)}`;
  const answering = { keys, url, request: async (_: string, text: string) => new Response(decodeURI(text)) };
  const scan = new SecretScan();
  scan.watch(answering);
  const log = scan.log();

  log('information', 'Function.Some.User', 'nothing');
  await answering.request('GET', `/decide?link=${token}`);
  await answering.request('POST', `/api/orchestrators/Some?${keys.durableTask}`);
  expect(await scan.found()).toEqual([]);

  log('information', 'Function.Some.User', `opened with ${keys.functions['GetMe']}`);
  log('debug', 'Host.General', `GET /decide?link=${token}`);
  await answering.request('GET', `/api/approvals/${token}`);
  await answering.request('GET', `/api/approvals?${keys.durableTask}`);
  await answering.request('POST', `/api/orchestrators/Some?${keys.master}`);
  expect(await scan.found()).toEqual([
    'A key is in the log of Function.Some.User',
    `The token of a link is in the log of Host.General: ${token}`,
    `The token of a link is in the answer of /api/approvals/${token}: ${token}`,
    'A key is in the answer of /api/approvals',
    'A key is in the answer of /api/orchestrators/Some',
  ]);
});
