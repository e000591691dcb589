import type { BindingData } from '../binding-data.js';
import type { HostConfig } from '../config/config.js';
import type { Log } from '../log.js';
import type { Binding, FunctionDefinition, TypedData } from '../worker/types.js';
import type { BlobReceipts } from './blob-receipts.js';
import { Blobs } from './blobs.js';
import type { QueuesOptions } from './queues.js';
import { Queues } from './queues.js';
import { Tables } from './tables.js';

export interface StorageBindingsOptions {
  config: Pick<HostConfig, 'setting' | 'queues' | 'blobs'>;
  log: Log;
  receipts: BlobReceipts;
  /** Runs a function. It calls `waiting` when the wait for a retry begins and ends. @returns whether it succeeded */
  run: QueuesOptions['run'];
}

/** The queue to which messages about blobs go with which a function has failed again and again. */
const POISON_BLOBS = 'webjobs-blobtrigger-poison';

/** The bindings of one app to queues, blobs and tables. */
export class StorageBindings {
  readonly queues: Queues;
  readonly blobs: Blobs;
  readonly tables: Tables;

  constructor({ config: { setting, queues: options, blobs }, log, receipts, run }: StorageBindingsOptions) {
    this.queues = new Queues({ setting, options, log, run });
    this.tables = new Tables(setting);
    this.blobs = new Blobs({
      setting,
      log,
      receipts,
      options: blobs,
      run: (definition, inputData, triggerMetadata) => run(definition, inputData, triggerMetadata, () => {}),
      poison: (connection, message) => this.queues.send(connection, POISON_BLOBS, message),
    });
  }

  /** Why a storage binding cannot work, as the end of a sentence; undefined when it can, and for other bindings. */
  problem(binding: Binding): string | undefined {
    switch (binding.type) {
      case 'queueTrigger':
      case 'queue':
        return this.queues.problem(binding);
      case 'blobTrigger':
      case 'blob':
        return this.blobs.problem(binding);
      case 'table':
        return this.tables.problem(binding);
      default:
        return undefined;
    }
  }

  /** Starts to listen to the queues and the blobs of the functions that can work. */
  async start(definitions: readonly FunctionDefinition[]): Promise<void> {
    const able = definitions.filter(({ trigger }) => this.problem(trigger) === undefined);
    const of = (type: string): FunctionDefinition[] => able.filter(({ trigger }) => trigger.type === type);
    await this.queues.start(of('queueTrigger'));
    await this.blobs.start(of('blobTrigger'));
  }

  /** Processes every visible message, and every new blob. @returns whether there were any */
  async drain(): Promise<boolean> {
    return (await Promise.all([this.queues.drain(), this.blobs.drain()])).includes(true);
  }

  async stop(): Promise<void> {
    await Promise.all([this.queues.stop(), this.blobs.stop()]);
  }

  /** The value of an input binding. @throws Error when it cannot be read */
  async read(binding: Binding, data: BindingData): Promise<TypedData> {
    return binding.type === 'table' ? this.tables.read(binding, data) : this.blobs.read(binding, data);
  }

  /** Writes the value that a function gave an output binding. @throws Error when it cannot be written */
  async write(binding: Binding, value: TypedData | null | undefined, data: BindingData): Promise<void> {
    if (binding.type === 'queue') await this.queues.write(binding, value, data);
    if (binding.type === 'blob') await this.blobs.write(binding, value, data);
    if (binding.type === 'table') await this.tables.write(binding, value, data);
  }
}
