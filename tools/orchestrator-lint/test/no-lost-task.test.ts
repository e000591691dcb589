import { noLostTask } from '../rules/no-lost-task.ts';
import { check, inside, mixed, whole } from './support.ts';

check('every task of an orchestrator is waited for', noLostTask, {
  good: [
    'yield* pay(context, input);',
    'yield pay(context, input);',
    'const task = pay(context, input); yield task;',
    'let task; task = pay(context, input);',
    'return pay(context, input);',
    'yield* all(context, [pay(context, 1), pay(context, 2)]);',
    'const tasks = input.map((item) => pay(context, item));',
    'tasks.push(pay(context, input));',
    'const both = { paid: pay(context) };',
    '(yield* pay(context)).then;',
    'if (isLate(context)) return;',
    'now(context).add(1, "day");',
    'yield context.df.callActivity("Pay", input);',
    'const timer = context.df.createTimer(input.due); yield context.df.Task.any([timer]); timer.cancel();',
    'context.df.setCustomStatus(input); context.df.continueAsNew(input); context.df.signalEntity(input, "add"); context.log("x");',
    'input.df.callActivity("Pay");',
    'console.log(context); Object.freeze(context);',
    'record(input, context);',
    mixed(
      inside('report(context, input);') +
        '\nfunction report(context, progress) { context.df.setCustomStatus(progress); }',
    ),
    mixed(
      inside('report(context, input);') +
        '\nconst report = (context): void => context.df.setCustomStatus(5);',
    ),
    mixed(
      inside('report(context, input);') +
        '\nfunction report(context) { if (!context) return; [1].map((one) => { return one; }); }',
    ),
    mixed(inside('report(context, input); tell.progress(context);'), {
      effects: ['report', 'tell.progress'],
    }),
    mixed(
      'handler(context);\nconst send = async (request, context) => { ask(context); };\n' +
        inside('return 5;'),
    ),
    whole(
      'function report(context: OrchestrationContext): void { context.df.setCustomStatus(1); }\nexport function* run(context: OrchestrationContext) { report(context); }',
    ),
    whole('export function* run(context: InvocationContext) { note(context); }'),
    mixed('function* steps() { yield 1; }\n' + inside('yield* steps(); const all = [...steps()];')),
    // Of another name, and no type says what it is.
    mixed('function* steps(it) { ask(it); }\n' + inside('yield* steps(context);')),
  ],
  bad: [
    ['pay(context, input);', 'context pay(...)'],
    ['payments.pay(context, input);', 'context payments.pay(...)'],
    ['void pay(context, input);', 'context pay(...)'],
    ['!pay(context);', 'context pay(...)'],
    ['pay?.(context);', 'context pay(...)'],
    ['(pay(context) as unknown);', 'context pay(...)'],
    ['input.late && pay(context);', 'context pay(...)'],
    ['input.late ? pay(context) : ship(context);', 'context pay(...)', 'context ship(...)'],
    ['pay(context), yield* ship(context);', 'context pay(...)'],
    ['for (const item of input) pay(context, item);', 'context pay(...)'],
    ['if (input) pay(context); else ship(context);', 'context pay(...)', 'context ship(...)'],
    ['input.forEach((item) => { pay(context, item); });', 'context pay(...)'],
    ['const self = context; pay(self);', 'context pay(...)'],
    ['context.df.callActivity("Pay", input);', 'task context.df.callActivity(...)'],
    ['context.df.callActivityWithRetry("Pay", retry, input);', 'task context.df.callActivityWithRetry(...)'],
    ['const { df } = context; df.callSubOrchestrator("Pay");', 'task df.callSubOrchestrator(...)'],
    ['const { callHttp } = context.df; callHttp({});', 'task callHttp(...)'],
    ['context.df.createTimer(input.due);', 'task context.df.createTimer(...)'],
    ['context.df.waitForExternalEvent("Go");', 'task context.df.waitForExternalEvent(...)'],
    ['context.df.Task.all([yield* pay(context)]);', 'task context.df.Task.all(...)'],
    [
      mixed(
        "df.app.orchestration('Order', function* (whatever) { whatever.df.callActivity('Pay'); pay(whatever); });",
      ),
      'task whatever.df.callActivity(...)',
      'context pay(...)',
    ],
    [
      mixed('function ask(context) { return context.df.callActivity("Ask"); }\n' + inside('ask(context);')),
      'context ask(...)',
    ],
    [
      mixed('const ask = (context) => context.df.callActivity("Ask");\n' + inside('ask(context);')),
      'context ask(...)',
    ],
    [mixed('function* steps() { yield 1; }\n' + inside('steps();')), 'generator steps(...)'],
    [
      mixed('const steps = function* (context) { yield 1; };\n' + inside('steps(context);')),
      'generator steps(...)',
    ],
    [mixed('function* steps() { yield 1; }\n' + inside('yield steps();')), 'star steps(...)'],
    [mixed('function* steps() { yield 1; }\n' + inside('const result = yield steps();')), 'star steps(...)'],
    [
      mixed('function* steps(context) { pay(context); }\n' + inside('yield* steps(context);')),
      'context pay(...)',
    ],
    [
      whole("export const pay = orchestrator('Pay', function* (context) { ask(context); });"),
      'context ask(...)',
    ],
    [whole('export function* run(c: OrchestrationContext) { ask(c); }'), 'context ask(...)'],
    [whole('export function* run(c: df.OrchestrationContext) { ask(c); }'), 'context ask(...)'],
  ],
});
