import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { InvocationContext } from '@azure/functions';
import type { LogRecord } from '@opentelemetry/api-logs';
import { expect, it } from 'vitest';
import { copyLog } from '../../src/telemetry/log.js';

/** A context, what its function has logged for the host, and what of that became telemetry. */
function logging(): { context: InvocationContext; host: unknown[][]; records: LogRecord[] } {
  const host: unknown[][] = [];
  const records: LogRecord[] = [];
  const context = new InvocationContext({
    logHandler: (_level, ...args) => {
      host.push(args);
    },
  });
  copyLog(
    context,
    {
      emit: (record: LogRecord) => {
        records.push(record);
      },
      enabled: () => true,
    },
    { 'faas.name': 'F' },
  );
  return { context, host, records };
}

it('of a line of the log the template is sent, and the values stay with the host', () => {
  const { context, host, records } = logging();
  context.warn('To %s: %s', 'kim', 'A new laptop');
  expect(host).toEqual([['To %s: %s', 'kim', 'A new laptop']]);
  expect(records).toEqual([{ body: 'To %s: %s', severityNumber: 13, attributes: { 'faas.name': 'F' } }]);
});

it('of an error its type, its code and where it came from are sent, and not what it says', () => {
  const { context, records } = logging();
  context.error(Object.assign(new TypeError('kim is not a number'), { code: 'E_KIM' }));
  context.error('It went wrong', new RangeError('kim again'));
  context.error('It went wrong', 'kim');
  expect(records.map(({ body }) => body)).toEqual(['TypeError:E_KIM', 'It went wrong', 'It went wrong']);
  expect(records[0]!.attributes).toMatchObject({
    'exception.type': 'TypeError:E_KIM',
    'exception.stacktrace': expect.stringMatching(/^\s+at .*logs\.test/) as unknown,
  });
  expect(records[1]!.attributes).toMatchObject({
    'exception.type': 'RangeError',
    'exception.message': 'It went wrong',
  });
  expect(JSON.stringify(records)).not.toContain('kim');
});

it('what an orchestrator logs again while it replays is not sent again', () => {
  const { context, host, records } = logging();
  const df = { isReplaying: true };
  Object.assign(context, { df });
  context.log('Once');
  df.isReplaying = false;
  context.log('Twice');
  expect(host).toEqual([['Once'], ['Twice']]);
  expect(records.map(({ body }) => body)).toEqual(['Twice']);
});

it('every line that the app logs begins with a constant text, because that is what is sent', () => {
  const found: string[] = [];
  for (const file of readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) =>
    /^(?!telemetry).*\.ts$/.test(name),
  )) {
    for (const [, argument] of readFileSync(path.join('src', file), 'utf8').matchAll(
      /\bcontext\.(?:log|info|warn|error)\(\s*([^,;]*)/g,
    )) {
      found.push(argument!);
      // An error alone is sent as its type.
      expect(argument, file).toMatch(/^(?:'[^']*'|error\))/);
    }
  }
  expect(found.length).toBeGreaterThan(3);
});
