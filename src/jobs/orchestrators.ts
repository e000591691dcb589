import moment from 'moment';
import { allRetried, forSideEffects, orchestrator, retryPolicy } from '../durable/index.js';
import { datasetOrchestrator } from '../ingestion/index.js';
import {
  beginJob,
  collectAmounts,
  completeJob,
  failJob,
  rankSales,
  tidyJob,
  type Reference,
} from './activities.js';
import type { Progress } from './model.js';
import { partsOf } from './rules.js';

/** The number of parts of the file that are read at the same time. */
const AT_ONCE = 4;
/** Retries a step for about ten minutes; then the job fails. */
const perStep = retryPolicy({
  firstInterval: moment.duration(5, 'seconds'),
  maxAttempts: 8,
  backoff: 2,
});

/** Makes a report about an ingestion. The custom status shows the progress. */
export const salesReportOrchestrator = orchestrator(
  'SalesReportOrchestrator',
  function* (context, { id }: Reference) {
    const show = (progress: Progress): void => {
      context.df.setCustomStatus(progress);
    };
    try {
      const asked = yield* beginJob(context, { id }, forSideEffects);
      if (asked === null) {
        return yield* tidyJob(context, { id }, forSideEffects);
      }
      const { dataset, state } = yield* datasetOrchestrator(context, {
        id: asked.ingestion,
        onlyOf: asked.readsOnlyOf,
      });
      if (dataset === null) {
        yield* failJob(context, { id, problem: notCompleted(asked.ingestion, state) }, forSideEffects);
        return yield* tidyJob(context, { id }, forSideEffects);
      }
      const parts = asked.percentiles.length === 0 ? [] : partsOf(dataset.chunks);
      show({ step: 'reading the totals', done: 0, of: parts.length });
      let { goesOn } = yield* rankSales(context, { id, dataset }, perStep);
      for (let done = 0; goesOn && done < parts.length; done += AT_ONCE) {
        show({ step: 'reading the lines', done, of: parts.length });
        const results = yield* allRetried(context, perStep, () =>
          parts
            .slice(done, done + AT_ONCE)
            .map((range, index) => collectAmounts(context, { id, dataset, part: done + index, ...range })),
        );
        goesOn = results.every((result) => result.goesOn);
      }
      if (goesOn) {
        show({ step: 'writing the report', done: parts.length, of: parts.length });
        yield* completeJob(context, { id, dataset }, perStep);
      }
    } catch {
      yield* failJob(context, { id, problem: interrupted }, forSideEffects);
    }
    return yield* tidyJob(context, { id }, forSideEffects);
  },
);

const interrupted = {
  type: 'urn:problem:job-failed',
  title: 'The job could not be done',
  detail: 'A step failed at every attempt; the log of the app has the reason. Start a new job.',
};

function notCompleted(ingestion: string, state: string | null): typeof interrupted {
  return {
    type: 'urn:problem:no-results',
    title: state === null ? 'There is no such ingestion' : `The ingestion is ${state}`,
    detail: `A report is about an ingestion that is completed. Get /api/ingestions/${ingestion} for its state, and start a new job.`,
  };
}
