import { noSharedState } from '../rules/no-shared-state.ts';
import { check, inside, mixed, whole } from './support.ts';

check('orchestrators share no state', noSharedState, {
  good: [
    'let count = 0; count += 1; const seen = new Set(); seen.add(count);',
    'const left = [...input]; while (left.length > 0) yield* pack(context, left.pop());',
    'const steps = []; input.forEach((step) => { steps.push(step); });',
    mixed('const PER_DAY = 20;\nconst names = ["a", "b"];\n' + inside('return names[PER_DAY];')),
    mixed('let count = 0;\nexport function handler() { count++; }\n' + inside('return 5;')),
    mixed('const table = {};\nfor (const name of ["a"]) table[name] = true;\n' + inside('return table.a;')),
    mixed(
      'const cache = new Map();\nexport function handler() { return cache.get(1); }\n' +
        inside('return cache.size;'),
    ),
    mixed('const count = 0;\n' + inside('let count = 5; count++;')),
    mixed(
      "import { set } from 'lodash';\nimport _ from 'lodash';\n" +
        inside('return _.fill(set({}, "a", 1), 5);'),
    ),
    mixed("it('counts', () => { const seen = []; seen.push(1);\n" + inside('return seen[0];') + '\n});'),
    whole(
      'const DAY = 86_400;\nexport const steps = ["ask", "pay"] as const;\nexport function day() { return DAY + steps.length; }',
    ),
    whole('let limit = 5;\nlimit = 6;\nexport function late() { return limit; }'),
    whole('const epoch = dayjs(0);\nexport const day = (n: number) => epoch.add(n, "day");'),
    whole('export class Basket { items: string[] = []; add(item: string) { this.items.push(item); } }'),
    whole(
      'function total(rows: number[]) { let sum = 0; for (const row of rows) sum += row; rows.sort(); return sum; }',
    ),
    whole(
      'const table: Record<string, number> = {};\ntable.a = 1;\nObject.assign(table, { b: 2 });\nexport const read = () => table.a;',
    ),
  ],
  bad: [
    [mixed('let count = 0;\n' + inside('count++;')), 'state count'],
    [
      mixed(
        'let count = 0;\n' + inside('if (count > 5) return;') + '\nexport function handler() { count += 1; }',
      ),
      'state count',
    ],
    [mixed('var last;\n' + inside('last = input; return last;')), 'state last'],
    [mixed('const cache = new Map();\n' + inside('cache.set(input.id, input);')), 'state cache'],
    [
      mixed('const cache = new Map();\n' + inside('if (cache.has(1)) return; cache.delete(1);')),
      'state cache',
    ],
    [mixed('const seen = [];\n' + inside('input.forEach((step) => { seen.push(step); });')), 'state seen'],
    [mixed('const state = { count: 0 };\n' + inside('state.count++;')), 'state state'],
    [mixed('const state = { a: { b: 0 } };\n' + inside('state.a.b = 5;')), 'state state'],
    [mixed('const state = {};\n' + inside("state['a'] = 5; delete state['a'];")), 'state state'],
    [mixed('const state = {};\n' + inside('Object.assign(state, input);')), 'state state'],
    [mixed("import { state } from './state.js';\n" + inside('state.count = 5;')), 'state state'],
    [mixed('class Order { static count = 0; }\n' + inside('Order.count += 1;')), 'state Order'],
    [mixed('let count = 0;\nconst next = () => ++count;\n' + inside('return next();')), 'state count'],
    [mixed("it('counts', () => { const seen = [];\n" + inside('seen.push(input);') + '\n});'), 'state seen'],
    [whole('let count = 0;\nexport function next() { return count++; }'), 'state count'],
    [
      whole(
        'export const cache = new Map<string, number>();\nexport const keep = (id: string) => { cache.set(id, 1); };',
      ),
      'state cache',
    ],
    [whole('const start = moment.utc(0);\nexport function* run() { start.add(1, "day"); }'), 'state start'],
    [whole('{ let hidden = 0; globalThis.next = () => hidden++; }'), 'state hidden'],
  ],
});
