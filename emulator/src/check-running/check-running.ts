/** Whether the live instances of a running app continue on code that is about to be deployed. */
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { HostConfig } from '../config/config.js';
import { readConfig } from '../config/config.js';
import { complies, describeVersions } from '../durable/engine/versions.js';
import { SdkV3 } from '../durable/protocol/sdk-v3.js';
import type { ShownHistory } from '../durable/replay/recorded-history.js';
import { UnreadableHistoryError } from '../durable/replay/recorded-history.js';
import { HistoryMismatchError, replayHistory } from '../durable/replay/replay.js';
import { WorkerProcess } from '../worker/worker-process.js';
import type { ListedInstance, RunningApp, ShownInstance } from './management-client.js';
import { ManagementClient } from './management-client.js';
import { Selection } from './selection.js';

export interface CheckOptions {
  /** The folder of the code that is about to be deployed: built, with package.json and host.json. */
  app: string;
  running: RunningApp;
  /** How many instances of each orchestrator, version and status are checked: the oldest and the newest. */
  max: number;
  /** How many instances are read at once. */
  concurrency: number;
}

/** The verdict on one instance. */
export interface Checked extends ListedInstance {
  /** `ended`: it has ended since it was listed. `unknown`: it cannot be judged. */
  verdict: 'continues' | 'departs' | 'ended' | 'unknown';
  /** The sequence number of the step at which the code departs from the history. */
  step?: number | undefined;
  reason?: string;
}

export interface CheckResult {
  /** The running app. */
  origin: string;
  /** How many instances are live, checked or not. */
  live: number;
  checked: Checked[];
}

type Verdict = Pick<Checked, 'verdict' | 'step' | 'reason'>;

/** A history can be read while the host writes it. It is read again after a pause, until two readings agree. */
const READINGS = 4;
const BETWEEN_READINGS = 1000;

/**
 * Replays the histories of the live instances of a running app on other code. Only orchestrator functions run, in a process
 * of their own. The running app is only read.
 * @throws RunningAppError, ConfigError, AppLoadError
 */
export async function checkRunning({ app, running, max, concurrency }: CheckOptions): Promise<CheckResult> {
  const client = new ManagementClient(running);
  const directory = path.resolve(app);
  const config = readConfig(directory);
  const selection = new Selection(max);
  for await (const instance of client.live()) selection.add(instance);
  const selected = selection.selected();
  const checked: Checked[] = [];
  if (selected.length > 0) {
    const worker = await WorkerProcess.start({
      directory,
      log: () => {},
      environment: { ...config.settings, ...process.env },
      nodeArguments: [],
    });
    try {
      const judge = new Judge(client, new SdkV3(worker), config);
      const waiting = selected.entries();
      await Promise.all(
        Array.from({ length: concurrency }, async () => {
          for (const [index, instance] of waiting)
            checked[index] = { ...instance, ...(await judge.verdictOn(instance)) };
        }),
      );
    } finally {
      await worker.stop();
    }
  }
  return { origin: client.origin, live: selection.count, checked };
}

class Judge {
  readonly #client: ManagementClient;
  readonly #sdk: SdkV3;
  readonly #config: HostConfig;

  constructor(client: ManagementClient, sdk: SdkV3, config: HostConfig) {
    this.#client = client;
    this.#sdk = sdk;
    this.#config = config;
  }

  async verdictOn({ name, version = '', instanceId }: ListedInstance): Promise<Verdict> {
    const { durable } = this.#config;
    if (!complies(version || null, durable))
      return { verdict: 'departs', reason: describeVersions(version || null, durable) };
    const missing = this.#sdk.missing('orchestration', name);
    if (missing !== undefined) return { verdict: 'departs', reason: missing };
    let before: Verdict | undefined;
    let length = -1;
    for (let reading = 1; ; reading++) {
      const shown = await this.#client.instance(instanceId);
      if (shown === undefined) return { verdict: 'ended' };
      if (typeof shown === 'string') return { verdict: 'unknown', reason: shown };
      if (before !== undefined && length === shown.historyEvents?.length) return before;
      const verdict = await this.#replay(shown);
      if (verdict.verdict === 'continues' || reading === READINGS) return verdict;
      before = verdict;
      length = shown.historyEvents?.length ?? 0;
      await pause(BETWEEN_READINGS);
    }
  }

  async #replay(shown: ShownInstance): Promise<Verdict> {
    if (!hasBegun(shown)) return { verdict: 'continues' };
    if (shown.historyEvents.some(({ Input, Result }) => isAddress(Input) || isAddress(Result)))
      return { verdict: 'unknown', reason: 'The host shows a large payload as the address of a blob.' };
    try {
      await replayHistory(shown, { sdk: this.#sdk });
      return { verdict: 'continues' };
    } catch (error) {
      if (error instanceof HistoryMismatchError)
        return { verdict: 'departs', step: error.step, reason: error.reason };
      const reason = error instanceof Error ? error.message : String(error);
      return {
        verdict: 'unknown',
        reason: error instanceof UnreadableHistoryError ? reason : `The replay failed: ${reason}`,
      };
    }
  }
}

/** Whether a payload is the address of the blob that has it, in the container that the storage provider makes. */
function isAddress(payload: unknown): boolean {
  return typeof payload === 'string' && /^https?:\/\/\S+-largemessages\/\S+$/i.test(payload);
}

/** Whether it has a history. A host shows none, or an empty one, of an instance that is Pending. */
function hasBegun(shown: ShownInstance): shown is ShownInstance & ShownHistory {
  return (shown.historyEvents ?? []).length > 0;
}
