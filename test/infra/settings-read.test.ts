import { describe, expect, test } from 'vitest';
import { settingsRead } from './settings-read.js';

const names = (source: string): string[] =>
  [...settingsRead(source).names].toSorted((a, b) => a.localeCompare(b));

describe('The settings that a source reads', () => {
  test.each([
    ['by name', 'process.env.ONE; process.env["TWO"];', ['ONE', 'TWO']],
    ['taken apart', 'const { ONE, TWO: two, ["THREE"]: three } = process.env;', ['ONE', 'THREE', 'TWO']],
    ['by a constant', 'const NAME = "ONE"; process.env[NAME];', ['ONE']],
    ['by a text of constants', 'const NAME = "ONE"; process.env[`${NAME}__uri`];', ['ONE__uri']],
    [
      'by a parameter whose type lists its texts',
      'function read(service: "table" | "queue") { return process.env[`S__${service}`]; }',
      ['S__queue', 'S__table'],
    ],
    [
      'by a parameter of a named type',
      'type Name = "ONE" | "TWO"; const read = (name: Name) => process.env[name];',
      ['ONE', 'TWO'],
    ],
    [
      'by the parameter that is nearest',
      'const name = "FAR"; function read(name: "NEAR") { return process.env[name]; }',
      ['NEAR'],
    ],
    [
      'of an environment that a function is given',
      'function read(env: NodeJS.ProcessEnv) { const { ONE } = env; return [ONE, env["TWO"]]; } read(process.env);',
      ['ONE', 'TWO'],
    ],
    ['by nothing else', 'const env = { ONE: 1 }; env.ONE; process.argv;', []],
  ])('are found %s', (_, source, found) => {
    expect(settingsRead(source).unclear).toEqual([]);
    expect(names(source)).toEqual(found);
  });

  test.each([
    ['any text', 'function read(name: string) { return process.env[name]; }'],
    ['what is computed', 'process.env["A".toLowerCase()];'],
    ['a variable', 'let name = "A"; process.env[name];'],
    ['all of them', 'const all = { ...process.env };'],
    ['the rest of them', 'const { ...rest } = process.env;'],
  ])('are not guessed when asked for by %s', (_, source) => {
    expect(settingsRead(`\n${source}`).unclear).toEqual([2]);
  });

  test('are followed into functions that are given all of them', () => {
    const { givenAll, takeAll } = settingsRead(
      'function read(env: Environment) { return more(env); } read(process.env);',
    );
    expect([...givenAll]).toEqual(['more', 'read']);
    expect([...takeAll]).toEqual(['read']);
  });

  test('include the connections that the host reads for a binding', () => {
    const source =
      "app.storageQueue('A', { queueName: 'a', connection: 'AppStorage', handler }); output.storageBlob({ path: 'b', connection: 'Other' });";
    expect(settingsRead(source).connections).toEqual(
      new Map([
        ['AppStorage', 'queue'],
        ['Other', 'blob'],
      ]),
    );
  });
});
