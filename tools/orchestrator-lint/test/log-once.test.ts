import { logOnce } from '../rules/log-once.ts';
import { check, inside, mixed, whole } from './support.ts';

check('orchestrators log once', logOnce, {
  good: [
    'if (!context.df.isReplaying) context.log("asked");',
    'if (!context.df.isReplaying) { for (const item of input) context.warn(item); }',
    'if (context.df.isReplaying) { return; } else { context.info("asked"); }',
    'context.df.isReplaying || context.log("asked");',
    '!context.df.isReplaying && context.log("asked");',
    'if (input.loud && !context.df.isReplaying) context.debug("asked");',
    'if (!(context.df.isReplaying || input.quiet)) context.log("asked");',
    'if (context.df.isReplaying === false) context.trace("asked");',
    'if (context.df.isReplaying !== true) context.error("asked");',
    'context.df.isReplaying ? undefined : context.log("asked");',
    'const { isReplaying } = context.df; if (!isReplaying) context.log("asked");',
    'if (!context.df?.isReplaying) context.log?.("asked");',
    'const { log } = input; log("asked"); input.context.log("asked");',
    'const console = input; console.log("asked");',
    mixed(
      inside('note(context, "asked");') +
        '\nfunction note(context, text) { if (context.df.isReplaying) return; context.log(text); }',
    ),
    mixed(
      'console.log("loaded");\nexport const handler = (request, context) => { context.log("x"); };\n' +
        inside('return 5;'),
    ),
    whole('export interface Order { console: Console }'),
  ],
  bad: [
    ['context.log("asked");', 'replayed context.log'],
    ['context.warn("asked"); context.error("asked");', 'replayed context.warn', 'replayed context.error'],
    ['if (context.df.isReplaying) context.log("asked");', 'replayed context.log'],
    ['if (!context.df.isReplaying) { yield 1; } else { context.log("asked"); }', 'replayed context.log'],
    ['if (input.loud || !context.df.isReplaying) context.log("asked");', 'replayed context.log'],
    ['context.df.isReplaying && context.log("asked");', 'replayed context.log'],
    ['if (context.df.isReplaying === true) context.log("asked");', 'replayed context.log'],
    ['if (context.df.isReplaying) return; context.log("asked");', 'replayed context.log'],
    ['const { log } = context; log("asked");', 'replayed log'],
    ['input.forEach((item) => { context.log(item); });', 'replayed context.log'],
    ['console.log("asked");', 'console console.log'],
    ['if (!context.df.isReplaying) console.error("asked");', 'console console.error'],
    ['globalThis.console.log("asked");', 'console console.log'],
    ['const { log } = console;', 'console console'],
    ['input.forEach(console.log);', 'console console.log'],
    [mixed("df.app.orchestration('Order', function* (c) { c.log('asked'); });"), 'replayed c.log'],
    [
      mixed('function note(context, text) { context.log(text); }\n' + inside('note(context, "asked");')),
      'replayed context.log',
    ],
    [whole('export function price(): number { console.log("priced"); return 5; }'), 'console console.log'],
  ],
});
