/**
 * `npm run fleet -- --devices 200 --failing 5%`: simulates devices on a running app. They register and report by HTTP and by
 * the queue `telemetry`, take commands from their queues, install firmware and report that. Ctrl-C stops them; they stay
 * registered.
 */
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { QueueServiceClient, RestError, type QueueClient } from '@azure/storage-queue';
import { connectionString, DEFAULT_PORTS } from './azurite.ts';

/** The options of a {@link SimulatedFleet}. Shares are from 0 to 1. */
export interface FleetOptions {
  /** The app's address. */
  url: string;
  /** A function key, where the app asks for one. */
  key?: string | undefined;
  /** The connection string of the app's storage. */
  storage: string;
  devices: number;
  /** The share of devices that fail to install firmware. */
  failing: number;
  /** The shares of devices that are silent, or hot, for three of each six minutes. */
  silent: number;
  hot: number;
  /** Seconds between the reports of a device. */
  interval: number;
}

/** A command, as the app queues it. */
interface Command {
  id: string;
  kind: 'update' | 'roll-back';
  firmware?: string;
  reportTo: string;
}

interface SimulatedDevice {
  id: string;
  firmware: string;
  /** What it had before, for a command that names no firmware. */
  previous: string;
  isFailing: boolean;
  isSilent: boolean;
  isHot: boolean;
  /** Outcomes by command: a repeat gets the same. */
  outcomes: Map<string, 'succeeded' | 'failed'>;
}

/** How many requests are under way at once. */
const AT_ONCE = 8;
/** The most readings of a message on the queue `telemetry`. */
const BATCH = 100;
/** Every so-many-th device reports by HTTP, the others by the queue. */
const BY_HTTP = 10;
const SPELL_MINUTES = 3;
const THRESHOLD = { metric: 'temperature', above: 80, for: 'PT40S' };

/** Devices that behave as real ones would. Each method does one round of what they do. */
export class SimulatedFleet {
  readonly devices: readonly SimulatedDevice[];
  readonly #options: FleetOptions;
  readonly #queues: QueueServiceClient;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#queues = QueueServiceClient.fromConnectionString(options.storage);
    this.devices = Array.from({ length: options.devices }, (_, number) => {
      // Spread over the fleet, the same in each run, and the first device is an ordinary one.
      const place = (0.5 + number * 0.618_034) % 1;
      const { failing, silent, hot } = options;
      return {
        id: `sim-${String(number + 1).padStart(4, '0')}`,
        firmware: '1.0.0',
        previous: '1.0.0',
        isFailing: place < failing,
        isSilent: place >= failing && place < failing + silent,
        isHot: place >= failing + silent && place < failing + silent + hot,
        outcomes: new Map(),
      };
    });
  }

  /** Registers all devices, and learns which firmware they have from an earlier run. */
  async register(): Promise<void> {
    const interval = `PT${this.#options.interval}S`;
    await eachOf(this.devices, async (device) => {
      const answer = (await this.#call('PUT', `/api/devices/${device.id}`, {
        interval,
        threshold: THRESHOLD,
      })) as { firmware?: string };
      device.firmware = answer.firmware ?? device.firmware;
    });
  }

  /** Reports a reading of each device that is not silent. */
  async report(at: Date): Promise<number> {
    const isSpell = Math.floor(at.getTime() / 60_000 / SPELL_MINUTES) % 2 === 1;
    const reporting = this.devices.filter(({ isSilent }) => !(isSilent && isSpell));
    const readings = reporting.map((device) => ({
      device: device.id,
      at: at.toISOString(),
      metrics: { temperature: Math.round(10 * temperature(device.isHot && isSpell)) / 10 },
      firmware: device.firmware,
    }));
    const [byHttp, byQueue] = [
      readings.filter((_, n) => n % BY_HTTP === 0),
      readings.filter((_, n) => n % BY_HTTP !== 0),
    ];
    await eachOf(byHttp, async ({ device, ...reading }) => {
      await this.#call('POST', `/api/devices/${device}/telemetry`, reading);
    });
    const telemetry = this.#queues.getQueueClient('telemetry');
    await telemetry.createIfNotExists();
    for (let from = 0; from < byQueue.length; from += BATCH) {
      await telemetry.sendMessage(encode({ readings: byQueue.slice(from, from + BATCH) }));
    }
    return readings.length;
  }

  /** Lets each device take the commands in its queue, carry them out and report. @returns how many there were */
  async work(): Promise<number> {
    let commands = 0;
    await eachOf(this.devices, async (device) => {
      const queue = this.#queues.getQueueClient(`device-${device.id}`);
      for (const { messageText, messageId, popReceipt } of await received(queue)) {
        commands += 1;
        await this.#carryOut(device, decode(messageText));
        // After the report: a command whose report was lost comes again.
        await queue.deleteMessage(messageId, popReceipt);
      }
    });
    return commands;
  }

  async #carryOut(device: SimulatedDevice, command: Command): Promise<void> {
    const { id, kind, firmware, reportTo } = command;
    const known = device.outcomes.get(id);
    const outcome = known ?? (kind === 'update' && device.isFailing ? 'failed' : 'succeeded');
    if (known === undefined && outcome === 'succeeded') {
      [device.firmware, device.previous] = [firmware ?? device.previous, device.firmware];
    }
    device.outcomes.set(id, outcome);
    try {
      await this.#call('POST', reportTo, {
        outcome,
        ...(outcome === 'failed' && { detail: 'The image does not fit' }),
      });
    } catch (error) {
      // A command of a rollout that has gone on without the device, or of storage that was cleared.
      if (!(error instanceof Refused)) throw error;
    }
  }

  async #call(method: string, to: string, body: object): Promise<unknown> {
    const { url, key } = this.#options;
    const response = await fetch(`${url}${to}`, {
      method,
      headers: { 'content-type': 'application/json', ...(key !== undefined && { 'x-functions-key': key }) },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(60_000),
    });
    const text = await response.text();
    if (response.ok) return text === '' ? undefined : JSON.parse(text);
    const message = `${method} ${to} answered ${response.status}: ${text.slice(0, 300)}`;
    throw response.status === 404 || response.status === 409 ? new Refused(message) : new Error(message);
  }
}

/** The app does not know a command, or no longer wants its report. */
class Refused extends Error {}

async function received(queue: QueueClient): ReturnType<typeof messages> {
  try {
    return await messages(queue);
  } catch (error) {
    // The app makes the queue with the first command.
    if (error instanceof RestError && error.statusCode === 404) return [];
    throw error;
  }
}

async function messages(
  queue: QueueClient,
): Promise<{ messageText: string; messageId: string; popReceipt: string }[]> {
  return (await queue.receiveMessages({ numberOfMessages: 4, visibilityTimeout: 30 })).receivedMessageItems;
}

/** Does the same for each, several at once. */
async function eachOf<Each>(all: readonly Each[], work: (each: Each) => Promise<void>): Promise<void> {
  const left = all.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const each of left) await work(each);
    }),
  );
}

function temperature(isHot: boolean): number {
  return (isHot ? 86 : 55) + 8 * Math.random();
}

const encode = (message: object): string => Buffer.from(JSON.stringify(message)).toString('base64');
const decode = (text: string): Command => JSON.parse(Buffer.from(text, 'base64').toString()) as Command;

const USAGE = `Usage: npm run fleet -- [options]

  --devices N     how many devices (default: 200, at most 1000)
  --failing P%    the share that fails to install firmware (default: 5%)
  --silent P%     the share that is silent for three of each six minutes (default: 2%)
  --hot P%        the share that is hot for three of each six minutes (default: 2%)
  --interval N    seconds between the reports of a device (default: 20)
  --url URL       the app's address (default: http://localhost:7071)
  --storage CONN  the connection string of the app's storage (default: AppStorage, or the Azurite of npm start)

FUNCTION_KEY is the function key, where the app asks for one.
`;

async function main(): Promise<void> {
  const options = parsed();
  if (options === undefined) {
    process.stderr.write(USAGE);
    process.exitCode = 1;
    return;
  }
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());
  process.on('message', (message) => {
    if (message === 'stop') stopping.abort();
  });
  const fleet = new SimulatedFleet(options);
  const { url, devices, interval } = options;
  try {
    await fleet.register();
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    process.stderr.write(
      `The devices were not registered: ${String(cause)}. Is the app running at ${url}?\n`,
    );
    process.exitCode = 1;
    return;
  }
  process.stdout.write(`${devices} devices report every ${interval} seconds. Ctrl-C stops them.

  see the fleet      ${url}/devices
  open alerts        curl "${url}/api/alerts?state=open"
  roll out firmware  curl ${url}/api/rollouts -H 'content-type: application/json' -d '{
                       "firmware": "2.0.0", "devices": {}, "waves": [1, "10%", "50%", "100%"],
                       "maxFailureShare": "10%", "soak": "PT20S", "updateWithin": "PT1M" }'

`);
  await Promise.all([
    repeated(interval * 1000, stopping.signal, () => fleet.report(new Date()), 'Readings reported'),
    repeated(2000, stopping.signal, () => fleet.work(), 'Commands carried out'),
  ]);
  process.stdout.write('The devices have stopped. They stay registered, and will be silent soon.\n');
}

/** Does rounds of something until it is stopped, and logs those in which there was something to do, and errors. */
async function repeated(
  pause: number,
  stop: AbortSignal,
  round: () => Promise<number>,
  what: string,
): Promise<void> {
  let last = '';
  while (!stop.aborted) {
    const began = performance.now();
    try {
      const count = await round();
      const line = `${what}: ${count}\n`;
      if (count > 0 && line !== last) process.stdout.write((last = line));
    } catch (error) {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    }
    await sleep(Math.max(0, pause - (performance.now() - began)), undefined, { signal: stop }).catch(
      () => {},
    );
  }
}

function parsed(): FleetOptions | undefined {
  const { values } = parseArgs({
    options: {
      devices: { type: 'string', default: '200' },
      failing: { type: 'string', default: '5%' },
      silent: { type: 'string', default: '2%' },
      hot: { type: 'string', default: '2%' },
      interval: { type: 'string', default: '20' },
      url: { type: 'string', default: 'http://localhost:7071' },
      storage: { type: 'string', default: process.env['AppStorage'] ?? connectionString(DEFAULT_PORTS) },
    },
  });
  const number = (text: string): number => (/^\d+$/.test(text) ? Number(text) : NaN);
  const share = (text: string): number => (/^\d+(\.\d+)?%$/.test(text) ? parseFloat(text) / 100 : NaN);
  const [devices, interval] = [number(values.devices), number(values.interval)];
  const [failing, silent, hot] = [share(values.failing), share(values.silent), share(values.hot)];
  const isRight = devices >= 1 && devices <= 1000 && interval >= 5 && failing + silent + hot <= 1;
  const { FUNCTION_KEY: key } = process.env;
  return isRight
    ? {
        url: values.url.replace(/\/+$/, ''),
        key,
        storage: values.storage,
        devices,
        failing,
        silent,
        hot,
        interval,
      }
    : undefined;
}

if (process.argv[1] !== undefined && path.resolve(process.argv[1]) === import.meta.filename) await main();
