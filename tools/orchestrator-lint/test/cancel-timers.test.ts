import { cancelTimers } from '../rules/cancel-timers.ts';
import { check, inside, mixed } from './support.ts';

const own = { timers: ['sleepUntil'], races: ['any', 'first'] };

check('a timer that is raced is cancelled', cancelTimers, {
  good: [
    'const timer = context.df.createTimer(due); const gone = context.df.waitForExternalEvent("Go");\n' +
      'if ((yield context.df.Task.any([gone, timer])) === gone) timer.cancel();',
    'let timer; timer = context.df.createTimer(due); yield context.df.Task.any([timer, gone]); timer?.cancel();',
    'const timer = context.df.createTimer(due); const tasks = [gone, timer]; yield context.df.Task.any(tasks); timer.cancel();',
    'const timer = context.df.createTimer(due); yield context.df.Task.any([timer, gone]); stop(timer);',
    'const timer = context.df.createTimer(due); yield context.df.Task.any([timer, gone]); return timer;',
    'const timer = context.df.createTimer(due); const race = { timer }; yield context.df.Task.any([timer, gone]);',
    'yield context.df.createTimer(due);',
    'const timer = context.df.createTimer(due); yield context.df.Task.all([timer, gone]);',
    'yield context.df.Task.any([pay(context), ship(context)]);',
    'yield context.df.Task.any(input);',
    // Of timers alone one wins.
    'const soon = context.df.createTimer(a); const late = context.df.createTimer(b); yield context.df.Task.any([soon, late]); late.cancel();',
    'yield context.df.Task.any([context.df.createTimer(due)]);',
    'yield other.Task.any([context.df.createTimer(due), gone]);',
    mixed(
      inside('const timer = sleepUntil(context, due); yield* any(context, [timer, gone]); timer.cancel();'),
      own,
    ),
    mixed(inside('yield* any(context, [sleepUntil(context, due), gone]);')),
    mixed(
      inside(
        'const [soon, late] = [sleepUntil(context, a), sleepUntil(context, b)]; yield* any(context, [soon, late]); late.cancel();',
      ),
      own,
    ),
    mixed(
      'function* steps() { yield context.df.Task.any([context.df.createTimer(due), gone]); }\n' +
        inside('return 5;'),
    ),
  ],
  bad: [
    ['yield context.df.Task.any([context.df.createTimer(due), gone]);', 'unnamed'],
    [
      'const timer = context.df.createTimer(due); yield context.df.Task.any([timer, gone]);',
      'uncancelled timer',
    ],
    [
      'const timer = context.df.createTimer(due); const winner = yield context.df.Task.any([timer, gone]); if (winner === timer) return;',
      'uncancelled timer',
    ],
    [
      'const timer = context.df.createTimer(due); if (!timer.isCompleted) yield context.df.Task.any([timer, gone]);',
      'uncancelled timer',
    ],
    [
      'const timer = context.df.createTimer(due); const tasks = [gone, timer]; yield context.df.Task.any(tasks);',
      'uncancelled timer',
    ],
    [
      'const timer = context.df.createTimer(due); const tasks = [gone]; tasks.push(timer); yield context.df.Task.any(tasks);',
      'uncancelled timer',
    ],
    ['const tasks = [gone, context.df.createTimer(due)]; yield context.df.Task.any(tasks);', 'unnamed'],
    ['const tasks = [context.df.createTimer(due)]; yield context.df.Task.any([gone, ...tasks]);', 'unnamed'],
    [
      'yield context.df.Task.any([gone, context.df.Task.all([context.df.createTimer(due), pay(context)])]);',
      'unnamed',
    ],
    [
      'const { Task } = context.df; const timer = context.df.createTimer(due); yield Task.any([timer, gone]);',
      'uncancelled timer',
    ],
    [
      'const a = context.df.createTimer(x); const b = context.df.createTimer(y); yield context.df.Task.any([a, b, gone]);',
      'uncancelled a',
      'uncancelled b',
    ],
    [
      'const a = context.df.createTimer(x); const b = context.df.createTimer(y); yield context.df.Task.any([a, b]);',
      'uncancelled a',
      'uncancelled b',
    ],
    [
      mixed(inside('const timer = sleepUntil(context, due); yield* any(context, [timer, gone]);'), own),
      'uncancelled timer',
    ],
    [mixed(inside('yield* first(context, sleepUntil(context, due), gone);'), own), 'unnamed'],
    [
      mixed(
        'function* steps(context) { yield context.df.Task.any([context.df.createTimer(due), gone]); }\n' +
          inside('yield* steps(context);'),
      ),
      'unnamed',
    ],
  ],
});
