import type { BlockBlobClient, ContainerClient } from '@azure/storage-blob';
import type { BindingData } from '../binding-data.js';
import type { BlobOptions } from '../config/host-json.js';
import type { Setting } from '../config/settings.js';
import type { Log } from '../log.js';
import { statusOf } from '../storage-errors.js';
import type { Binding, FunctionDefinition, TypedData } from '../worker/types.js';
import type { FoundBlob } from './blob-listener.js';
import { BlobListener } from './blob-listener.js';
import { blobPattern, splitPath } from './blob-path.js';
import type { BlobReceipts } from './blob-receipts.js';
import { blobContainer, connectionName, connectionProblem, findConnection } from './connections.js';

export interface BlobsOptions {
  setting: Setting;
  log: Log;
  receipts: BlobReceipts;
  options: BlobOptions;
  /** Runs a blob function. @returns whether it succeeded */
  run: (
    definition: FunctionDefinition,
    inputData: Record<string, TypedData>,
    triggerMetadata: Record<string, TypedData>,
  ) => Promise<boolean>;
  /** Puts a message about a blob into the poison queue of the same account. */
  poison: (connection: unknown, message: string) => Promise<void>;
}

/** How long functions may go on when the host stops, in milliseconds. Their blobs come again at the next start. */
const GRACE = 2000;

/** The blobs of one app: the listeners of its blob functions, and its input and output bindings. */
export class Blobs {
  readonly #options: BlobsOptions;
  readonly #listeners: BlobListener[] = [];
  readonly #containers = new Map<string, Promise<ContainerClient>>();

  constructor(options: BlobsOptions) {
    this.#options = options;
  }

  /** Why a blob binding cannot work, as the end of a sentence; undefined when it can. */
  problem({ path, connection }: Binding): string | undefined {
    const { container } = splitPath(String(path));
    if (!/[{}]/.test(container) && !/^(?=.{3,63}$)(?:[a-z0-9]+(?:-[a-z0-9]+)*|\$root|\$web)$/.test(container))
      return `'${container}' is not the name of a container`;
    return connectionProblem(this.#options.setting, connection, 'blob', `its container '${container}'`);
  }

  /** Starts a listener for each blob function. */
  async start(definitions: readonly FunctionDefinition[]): Promise<void> {
    const { receipts, log, run, options } = this.#options;
    for (const definition of definitions) {
      const { name: functionName, trigger } = definition;
      const pattern = blobPattern(String(trigger['path']));
      const container = await this.#container(trigger, pattern.container);
      const listener = new BlobListener({
        functionName,
        container,
        pattern,
        receipts,
        options,
        log,
        run: async ({ name, values }) => {
          const given = await this.#given(trigger, name);
          // The blob was deleted before its function ran.
          if (given === undefined) return true;
          const metadata = { ...strings(values), ...given.metadata };
          return run(definition, { [trigger.name]: given.value }, metadata);
        },
        poison: (blob) =>
          this.#options.poison(trigger['connection'], poisonMessage(functionName, container, blob)),
      });
      this.#listeners.push(listener);
      listener.start();
    }
  }

  /**
   * The request of a blob function for one blob, by its path: a container, a slash and a name.
   * @throws Error when there is no such blob
   */
  async byHand(
    { trigger }: FunctionDefinition,
    path: string,
  ): Promise<{ inputData: Record<string, TypedData>; triggerMetadata: Record<string, TypedData> }> {
    const pattern = blobPattern(String(trigger['path']));
    const { container, blob } = splitPath(path);
    const given = container === pattern.container ? await this.#given(trigger, blob) : undefined;
    if (given === undefined) throw new Error(`There is no blob '${path}'.`);
    return {
      inputData: { [trigger.name]: given.value },
      triggerMetadata: { ...strings(pattern.match(blob) ?? {}), ...given.metadata },
    };
  }

  /** The value of an input binding: nothing for a blob that does not exist. @throws Error when it cannot be read */
  async read(binding: Binding, data: BindingData): Promise<TypedData> {
    const client = await this.#client(binding, data);
    if (isOfSdk(binding)) return forSdk(binding, client);
    const bytes = await download(client);
    if (bytes === undefined) return {};
    const { dataType } = binding;
    return dataType === 'binary' || dataType === 'stream' ? { bytes } : { string: withoutMark(bytes) };
  }

  /** Writes the value that a function gave an output binding. @throws Error when it cannot be written */
  async write(binding: Binding, value: TypedData | null | undefined, data: BindingData): Promise<void> {
    const bytes = outputBytes(value);
    if (bytes === undefined) return;
    const client = await this.#client(binding, data);
    try {
      await client.upload(bytes, bytes.length);
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
      const container = await this.#container(binding, client.containerName);
      await container.createIfNotExists();
      await client.upload(bytes, bytes.length);
    }
    for (const listener of this.#listeners)
      if (listener.containerName === client.containerName) listener.notify();
  }

  /** Processes every new blob. @returns whether there were any */
  async drain(): Promise<boolean> {
    return (await Promise.all(this.#listeners.map((listener) => listener.drain()))).includes(true);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#listeners.splice(0).map((listener) => listener.stop(GRACE)));
  }

  /** The value and the metadata of a trigger. As on the real host, the value is bytes, whatever `dataType` says. */
  async #given(
    trigger: Binding,
    name: string,
  ): Promise<{ value: TypedData; metadata: Record<string, TypedData> } | undefined> {
    const { container: containerName } = splitPath(String(trigger['path']));
    const client = (await this.#container(trigger, containerName)).getBlockBlobClient(name);
    const bytes = isOfSdk(trigger) ? undefined : await download(client);
    if (bytes === undefined && !isOfSdk(trigger)) return undefined;
    let properties;
    try {
      properties = await client.getProperties();
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
    const { metadata = {}, contentType, contentLength, lastModified, createdOn, etag } = properties;
    return {
      value: bytes === undefined ? forSdk(trigger, client) : { bytes },
      metadata: {
        BlobTrigger: { string: `${containerName}/${name}` },
        Uri: { json: JSON.stringify(client.url) },
        Properties: {
          json: JSON.stringify({
            LastModified: lastModified,
            CreatedOn: createdOn,
            ContentLength: contentLength,
            ContentType: contentType,
            ETag: etag,
          }),
        },
        Metadata: { json: JSON.stringify(metadata) },
      },
    };
  }

  async #client(template: Binding, data: BindingData): Promise<BlockBlobClient> {
    const binding = { ...template, path: data.resolve(String(template['path'])) };
    const problem = this.problem(binding);
    if (problem !== undefined) throw new Error(`The binding '${binding.name}' cannot be used: ${problem}.`);
    const { container, blob } = splitPath(binding.path);
    if (blob === '')
      throw new Error(
        `The binding '${binding.name}' cannot be used: its path '${binding.path}' names no blob.`,
      );
    return (await this.#container(binding, container)).getBlockBlobClient(blob);
  }

  async #container({ connection }: Binding, container: string): Promise<ContainerClient> {
    const name = connectionName(connection);
    const key = `${name}\n${container}`;
    let found = this.#containers.get(key);
    if (found === undefined) {
      found = blobContainer(findConnection(this.#options.setting, name, 'blob')!, container);
      this.#containers.set(key, found);
    }
    return found;
  }
}

function isOfSdk({ properties }: Binding): boolean {
  const flag = (properties as Record<string, unknown> | undefined)?.['supportsDeferredBinding'];
  return String(flag).toLowerCase() === 'true';
}

/** What `@azure/functions-extensions-blob` makes a client from. */
function forSdk({ connection }: Binding, { containerName, name }: BlockBlobClient): TypedData {
  const content = JSON.stringify({
    Connection: connectionName(connection),
    ContainerName: containerName,
    BlobName: name,
  });
  return {
    modelBindingData: {
      version: '1.0',
      source: 'AzureStorageBlobs',
      contentType: 'application/json',
      content: Buffer.from(content),
    },
  };
}

/** The content of a blob; undefined when it does not exist. */
async function download(client: BlockBlobClient): Promise<Buffer | undefined> {
  try {
    return await client.downloadToBuffer();
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

/** Text without its byte order mark, which .NET's reader leaves out. */
function withoutMark(bytes: Buffer): string {
  return bytes.toString('utf8').replace(/^\uFEFF/, '');
}

/**
 * The content of an output: bytes, text and JSON as they are; undefined for no value. Numbers and booleans are bytes as
 * .NET has them in memory.
 */
export function outputBytes(value: TypedData | null | undefined): Buffer | undefined {
  if (value === null || value === undefined) return undefined;
  const { bytes, string, json, int, double } = value;
  if (bytes !== undefined) return Buffer.from(bytes);
  if (string !== undefined) return Buffer.from(string);
  if (int !== undefined) return Buffer.from(Int32Array.of(int).buffer);
  if (double !== undefined) return Buffer.from(Float64Array.of(double).buffer);
  if (json === undefined || json === 'null') return undefined;
  if (json === 'true' || json === 'false') return Buffer.of(Number(json === 'true'));
  return Buffer.from(json.startsWith('"') ? (JSON.parse(json) as string) : json);
}

function strings(values: Record<string, string>): Record<string, TypedData> {
  return Object.fromEntries(Object.entries(values).map(([name, string]) => [name, { string }]));
}

function poisonMessage(
  functionName: string,
  { containerName }: ContainerClient,
  { name, etag }: FoundBlob,
): string {
  const message = {
    Type: 'BlobTrigger',
    FunctionId: `Host.Functions.${functionName}`,
    BlobType: 'BlockBlob',
    ContainerName: containerName,
    BlobName: name,
    ETag: etag,
  };
  return JSON.stringify(message, null, 2);
}
