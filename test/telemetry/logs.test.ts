import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { InvocationContext } from '@azure/functions';
import type { LogRecord } from '@opentelemetry/api-logs';
import { expect, it } from 'vitest';
import { copyLog } from '../../src/telemetry/log.js';

/** A context, the lines that its function logged to the host, and the records that telemetry made of them. */
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

it('a log line is sent as its template, without its values', () => {
  const { context, host, records } = logging();
  context.warn('To %s: %s', 'kim', 'A new laptop');
  expect(host).toEqual([['To %s: %s', 'kim', 'A new laptop']]);
  expect(records).toEqual([{ body: 'To %s: %s', severityNumber: 13, attributes: { 'faas.name': 'F' } }]);
});

it('an error is sent as its type, its code and its stack frames, without its message', () => {
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

it('lines that an orchestrator logs while it replays are not sent again', () => {
  const { context, host, records } = logging();
  const df = { isReplaying: true };
  Object.assign(context, { df });
  context.log('Once');
  df.isReplaying = false;
  context.log('Twice');
  expect(host).toEqual([['Once'], ['Twice']]);
  expect(records.map(({ body }) => body)).toEqual(['Twice']);
});

it('every line that the app logs begins with a constant template, because the template is sent', () => {
  const found: string[] = [];
  for (const file of readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) =>
    /^(?!telemetry).*\.ts$/.test(name),
  )) {
    for (const [, argument] of readFileSync(path.join('src', file), 'utf8').matchAll(
      /\bcontext\.(?:log|info|warn|error)\(\s*('[^']*'|[^,;]*)/g,
    )) {
      found.push(argument!);
      // An error alone is sent as its type.
      expect(argument, file).toMatch(/^(?:'[^']*'|error\))/);
    }
  }
  expect(found.length).toBeGreaterThan(3);
});
