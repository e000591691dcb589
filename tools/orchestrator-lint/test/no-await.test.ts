import { noAwait } from '../rules/no-await.ts';
import { check, inside, mixed, whole } from './support.ts';

check('orchestrators wait for tasks, not for promises', noAwait, {
  good: [
    'const receipt = yield* pay(context, input);',
    'yield context.df.Task.all([pay(context), ship(context)]);',
    'for (const item of input) yield* pack(context, item);',
    'const Promise = input; Promise.all();',
    mixed(
      'export async function handler() { await import("x"); return Promise.all([]); }\n' +
        inside('return 5;'),
    ),
    whole('export type Answer = Promise<string>;\nexport function pay(answer: Promise<string>): void {}'),
    { ...whole('export async function pay() { await fetch("x"); }'), filename: 'src/orders/activities.ts' },
  ],
  bad: [
    ['const pay = async () => {};', 'async'],
    ['input.forEach(async function () { await input; });', 'async', 'await'],
    ['return Promise.all(input);', 'promise'],
    ['return new Promise((resolve) => resolve(5));', 'promise'],
    ['const { all } = Promise;', 'promise'],
    ['return globalThis.Promise.all(input);', 'promise'],
    ["import('./x.js');", 'import'],
    [
      mixed("orchestrator('Order', async function* (context) { yield await pay(context); });"),
      'async',
      'await',
    ],
    [
      mixed(
        "df.app.orchestration('Order', async (context) => { for await (const x of context) continue; });",
      ),
      'async',
      'await',
    ],
    [mixed("async function body(context) {}\ndf.app.orchestration('Order', body);"), 'async'],
    [mixed('async function pay() {}\n' + inside('pay();')), 'async'],
    [mixed('class Till { async pay() {} }\n' + inside('new Till().pay();')), 'async'],
    [
      whole('export async function pay(): Promise<void> { await Promise.resolve(); }'),
      'async',
      'await',
      'promise',
    ],
    [whole('export const settings = await load();'), 'await'],
  ],
});
