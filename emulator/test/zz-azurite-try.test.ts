import { expect, test } from 'vitest';
import { TableServiceClient } from '@azure/data-tables';
import { BlobServiceClient } from '@azure/storage-blob';
import { account } from './support/azurite.js';
test('x', async () => {
  const t = performance.now();
  const a = await account();
  console.log(a, performance.now() - t);
  const c = TableServiceClient.fromConnectionString(a, {allowInsecureConnection: true});
  await c.createTable('abc'); 
  await BlobServiceClient.fromConnectionString(a).getContainerClient('x-y').create();
  console.log(await account(), performance.now() - t);
  expect(1).toBe(1);
});
