/** `npm run storage`: Azurite alone, for `func start`. Ctrl-C stops it. */
import { parseArgs } from 'node:util';
import { DEFAULT_PORTS, isRunning, spaceWarning, startAzurite } from './azurite.ts';

const { values } = parseArgs({ options: { 'storage-folder': { type: 'string', default: '.storage' } } });
try {
  if (await isRunning(DEFAULT_PORTS, values['storage-folder']))
    throw new Error('Azurite is running already.');
  const stop = await startAzurite(DEFAULT_PORTS, values['storage-folder']);
  const warning = spaceWarning(values['storage-folder']);
  if (warning !== undefined) process.stderr.write(`${warning}\n`);
  process.stdout.write(
    `Azurite serves on ports ${Object.values(DEFAULT_PORTS).join(', ')}; its data is in ${values['storage-folder']}. Ctrl-C stops it.\n`,
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      void stop().then(() => process.exit(0));
    });
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
