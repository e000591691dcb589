import { duration } from '../http/index.js';

const allowed = duration('PT1S', 'P100Y');

/**
 * How long the results of jobs are kept: the setting `JOB_RESULTS_EXPIRE_AFTER`, an ISO 8601 duration. Default: 7
 * days. It is read when a job is started and recorded in the job, so a later mistake in the setting does not end jobs.
 *
 * @throws Error when it is not a duration
 */
export function resultsExpireAfter(): string {
  const setting = process.env['JOB_RESULTS_EXPIRE_AFTER'] || 'P7D';
  if (!allowed.safeParse(setting).success) {
    throw new Error(
      `The setting JOB_RESULTS_EXPIRE_AFTER is ${setting}: it must be a duration of a second or more, such as P7D`,
    );
  }
  return setting;
}
