import { cancelTimers } from './rules/cancel-timers.ts';
import { deterministic } from './rules/deterministic.ts';
import { logOnce } from './rules/log-once.ts';
import { noAwait } from './rules/no-await.ts';
import { noLostTask } from './rules/no-lost-task.ts';
import { noSharedState } from './rules/no-shared-state.ts';

/**
 * A plugin of oxlint and ESLint for orchestrators of Durable Functions. README.md lists the rules and says how to
 * use them.
 */
const plugin: { meta: { name: string }; rules: Record<string, object> } = {
  meta: { name: 'orchestrators' },
  rules: {
    'cancel-timers': cancelTimers,
    deterministic,
    'log-once': logOnce,
    'no-await': noAwait,
    'no-lost-task': noLostTask,
    'no-shared-state': noSharedState,
  },
};

export default plugin;
