import type { HttpResponseLike } from '../../http-message.js';
import { isFinished } from '../history.js';
import type { InstanceRecord } from '../task-hub.js';
import { answer, answerJson, asUri } from './answers.js';
import { ArgumentError } from './errors.js';
import { historyJson } from './history.js';
import type { ManagementOptions } from './options.js';
import { continuation, CONTINUATION, decodeContinuation, pageSize, type Call } from './request.js';
import { statusJson } from './status.js';

/** Requests that read the statuses of instances. */
export class Statuses {
  readonly #options: ManagementOptions;

  constructor(options: ManagementOptions) {
    this.#options = options;
  }

  async status(call: Call, id: string): Promise<HttpResponseLike> {
    const record = await this.#options.client.getRecord(id);
    return record === undefined
      ? answer(404)
      : this.statusOf(call, record, call.query.flag('returnInternalServerErrorOnFailure') ?? false);
  }

  /** The status of an instance whose record was read. `failedIs500`: answers 500 for a Failed instance. */
  async statusOf(
    { request, query }: Call,
    record: InstanceRecord,
    failedIs500: boolean,
  ): Promise<HttpResponseLike> {
    const { client, storeInputs = false } = this.#options;
    const { instanceId, runtimeStatus } = record;
    const showInput = query.flag('showInput') ?? true;
    const history =
      query.flag('showHistory') === true && runtimeStatus !== 'Pending'
        ? await client.getHistory(instanceId)
        : undefined;
    const historyEvents =
      history &&
      historyJson(history, { showInput, showOutput: query.flag('showHistoryOutput') ?? false, storeInputs });
    const body = statusJson(record, { showInput, historyEvents });
    if (!isFinished(runtimeStatus))
      return answerJson(202, body, [
        ['Location', asUri(request.url)],
        ['Retry-After', '5'],
      ]);
    return answerJson(runtimeStatus === 'Failed' && failedIs500 ? 500 : 200, body);
  }

  async list({ request, query, rpc }: Call): Promise<HttpResponseLike> {
    const from = query.time('createdTimeFrom');
    const to = query.time('createdTimeTo');
    const prefix = query.text('instanceIdPrefix');
    const runtimeStatus = query.statuses('runtimeStatus');
    // The extension has this status, the framework has not.
    if (/(?:^|,)\s*Unknown\s*(?:,|$)/.test(query.text('runtimeStatus') ?? ''))
      throw new ArgumentError("Requested value 'Unknown' was not found.");
    const first = decodeContinuation(request.headers[CONTINUATION] ?? '');
    const page = await this.#options.client.query({
      top: pageSize(query),
      runtimeStatus,
      ...(from !== undefined && { createdTimeFrom: from }),
      ...(to !== undefined && { createdTimeTo: to }),
      ...(prefix !== undefined && { instanceIdPrefix: prefix }),
      ...(first !== undefined && { from: first }),
    });
    // The provider's `OrchestrationInstanceStatusQueryCondition.ToOData` forgets the parameter without a filter.
    const isFiltered =
      from !== undefined || to !== undefined || prefix !== undefined || runtimeStatus.length > 0;
    const showInput = !isFiltered || (query.flag('showInput') ?? true);
    const body = `[${page.records.map((record) => statusJson(record, { showInput })).join(',')}]`;
    return answerJson(200, body, continuation(page.next, rpc));
  }
}
