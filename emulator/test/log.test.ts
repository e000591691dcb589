/** The log on the console. */
import { expect, test } from 'vitest';
import { consoleLog, type ConsoleLogOptions } from '../src/log.js';

function printed(
  options: Partial<ConsoleLogOptions>,
  ...records: Parameters<ReturnType<typeof consoleLog>>[]
): string[] {
  const lines: string[] = [];
  const log = consoleLog({
    levels: {},
    colour: false,
    write: (text) => {
      lines.push(text);
    },
    ...options,
  });
  for (const record of records) log(...record);
  return lines.map((line) => line.replace(/^\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\] /, ''));
}

test('a message of a function begins with its name, and each line with the time', () => {
  expect(
    printed(
      {},
      ['information', 'Function.Approval.User', 'asked'],
      ['information', 'Host.Startup', 'started'],
    ),
  ).toEqual(['Approval: asked', 'started']);
});

test('without levels, information and above is shown', () => {
  expect(
    printed({}, ['debug', 'A', 'd'], ['information', 'A', 'i'], ['critical', 'A', 'c'], ['none', 'A', 'n']),
  ).toEqual(['i', 'c']);
});

test('the longest prefix of a category decides; names ignore case', () => {
  const levels = { default: 'error', Function: 'warning', 'function.Chatty': 'debug' } as const;
  expect(
    printed(
      { levels },
      ['warning', 'Host', 'host'],
      ['warning', 'Function.Other.User', 'other'],
      ['information', 'Function.Other', 'quiet'],
      ['debug', 'Function.Chatty.User', 'chatty'],
      ['information', 'Function.ChattyNot', 'not a prefix at a dot'],
    ),
  ).toEqual(['Other: other', 'Chatty: chatty']);
});

test('verbose shows records that host.json hides', () => {
  expect(
    printed(
      { levels: { default: 'none' }, verbose: true },
      ['debug', 'Host', 'detail'],
      ['trace', 'Host', 'too much'],
    ),
  ).toEqual(['detail']);
});

test('warnings and errors are coloured on a terminal', () => {
  const [line] = printed({ colour: true }, ['error', 'Host', 'bad']);
  expect([line?.startsWith('\u001B[31m['), line?.endsWith('bad\u001B[0m')]).toEqual([true, true]);
});
