import type { Context } from '@opentelemetry/api';
import { SeverityNumber } from '@opentelemetry/api-logs';
import { readEpisode, type State, type Trigger } from './episode.js';
import type { Instruments } from './sdk.js';

/** Bounds of the histogram of durations, in seconds: from programs to people. */
const BOUNDS = [
  1,
  10,
  60,
  600,
  3600,
  6 * 3600,
  86_400,
  3 * 86_400,
  7 * 86_400,
  14 * 86_400,
  30 * 86_400,
  90 * 86_400,
];

/**
 * Sends metrics and log records about workflows. After each run of an orchestrator it derives them from the
 * run's trigger and answer; a run that only repeats an earlier one sends nothing. A host that stops between a
 * run and its commit repeats the run, and then the same record is sent twice.
 */
export function workflows({
  meter,
  logger,
}: Instruments): (name: string, trigger: Trigger, state: State | undefined, within: Context) => void {
  const counter = (name: string, description: string): ReturnType<typeof meter.createCounter> =>
    meter.createCounter(name, { description, unit: '{workflow}' });
  const counters = {
    started: counter('workflow.started', 'Workflows that started'),
    waiting: counter('workflow.waiting', 'How often a workflow began to wait for an event or a timer'),
    completed: counter('workflow.completed', 'Workflows that completed'),
    failed: counter('workflow.failed', 'Workflows that ended with an error'),
  };
  const duration = meter.createHistogram('workflow.duration', {
    description: 'From the beginning of a workflow to its end',
    unit: 's',
    advice: { explicitBucketBoundaries: BOUNDS },
  });
  meter
    .createObservableGauge('app.uptime', {
      description: 'How long this process has been there: while it is told, the app lives',
      unit: 's',
    })
    .addCallback((result) => {
      result.observe(process.uptime());
    });

  return (name, trigger, state, within) => {
    const { instanceId, began, left, age } = readEpisode(trigger, state);
    const attributes = { 'workflow.name': name };
    const tell = (what: keyof typeof counters): void => {
      counters[what].add(1, attributes);
      logger.emit({
        eventName: `workflow.${what}`,
        body: `workflow.${what}`,
        severityNumber: what === 'failed' ? SeverityNumber.ERROR : SeverityNumber.INFO,
        context: within,
        attributes: { ...attributes, 'durabletask.task.instance_id': instanceId },
      });
    };
    if (began) tell('started');
    if (left === 'waiting' || left === 'completed' || left === 'failed') tell(left);
    if ((left === 'completed' || left === 'failed') && age !== undefined)
      duration.record(age, { ...attributes, 'workflow.outcome': left });
  };
}
