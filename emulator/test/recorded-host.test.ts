/**
 * The unmodified app that was recorded on a real host, on the emulator. The test repeats the recorded
 * sessions, the same calls in the same order, and compares each recording with what happens here, except for
 * what {@link comparable} removes, and except for what the extension 3.19.0 changed. The table at the end of the output shows, case by case, what was compared,
 * and what was not and why.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { TableClient } from '@azure/data-tables';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AzureStorageHub } from '../src/durable/azure-storage/hub.js';
import { MemoryHub } from '../src/durable/memory/memory-hub.js';
import type { Binding } from '../src/worker/types.js';
import { account } from './support/azurite.js';
import { collect } from './support/collect.js';
import { CHANGED, comparableTo314 as comparable } from './support/comparable.js';
import type { Answer, Call, CallWithAnswer, Invocation, Replay } from './support/recorded-session.js';
import { CURL, Session } from './support/recorded-session.js';
import { eventually } from './support/eventually.js';

type Step = Call & { response?: Answer };
type Row = Record<string, unknown> & { rowKey: string };

const folder = path.join(import.meta.dirname, 'fixtures/recorded');
function recordings<T>(file: string): T {
  return JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as T;
}

const steps = {
  first: recordings<Step[]>('calls.json'),
  killed: recordings<Step[]>('kill-calls.json'),
  extra: recordings<Step[]>('extra-calls.json'),
};
const functions = recordings<{ name: string; rawBindings: string[] }[]>('functions.json');

// ---- playing ------------------------------------------------------------------------------------------------------

/** Calls that are made while the work of the call before is still under way. */
const AT_ONCE = '085-raise-early';
const CONTINUATION = 'x-ms-continuation-token';

class Played {
  readonly answers = new Map<string, Answer>();

  constructor(
    readonly session: Session,
    readonly connection: string,
  ) {}

  async play(calls: readonly Step[]): Promise<void> {
    const { session } = this;
    for (const [index, call] of calls.entries()) {
      if (calls[index + 1]?.name === AT_ONCE) session.holdActivities();
      if (call.name !== AT_ONCE) await session.quiet();
      // As long as the recording's script waited. All but the timer of anyRace takes less.
      if (/get-(final|running-waiting)|-x$|^skip/.test(call.name)) await session.skip(5);
      // A page continues where the page of the emulator ended.
      const token =
        call.headers?.[CONTINUATION] === undefined
          ? undefined
          : this.answers.get('094-query-top1')!.headers[CONTINUATION];
      this.answers.set(
        call.name,
        await session.call({ ...call, ...(token !== undefined && { headers: { [CONTINUATION]: token } }) }),
      );
      if (call.name === AT_ONCE) session.letActivitiesGo();
    }
    await session.quiet();
  }

  async rows(table: string, partitionKey: string): Promise<Row[]> {
    const client = TableClient.fromConnectionString(this.connection, table, {
      allowInsecureConnection: true,
    });
    const filter = `PartitionKey eq '${partitionKey}'`;
    return (
      await collect(
        client.listEntities<Record<string, string | { type: string; value: unknown }>>({
          disableTypeConversion: true,
          queryOptions: { filter },
        }),
      )
    ).map(
      (entity) =>
        Object.fromEntries(
          Object.entries(entity).flatMap(([name, cell]) =>
            name === 'etag' || name === 'timestamp'
              ? []
              : [[name, typeof cell === 'object' ? [cell.type, String(cell.value)] : cell]],
          ),
        ) as Row,
    );
  }
}

type SessionName = keyof typeof steps;
let played: Record<SessionName, Played>;

beforeAll(async () => {
  const start = async (onStorage: boolean, names?: ReadonlySet<string>): Promise<Played> => {
    const connection = await account();
    const hub = onStorage
      ? new AzureStorageHub({ connection, name: 'OracleHub' })
      : new MemoryHub({ name: 'OracleHub' });
    return new Played(
      await Session.start({
        hub,
        settings: { AzureWebJobsStorage: connection },
        ...(names && { functions: names }),
      }),
      connection,
    );
  };
  const names = new Set(functions.map(({ name }) => name));
  played = { first: await start(true, names), killed: await start(false, names), extra: await start(false) };
  for (const { session } of [played.first, played.extra]) await session.callWith(CURL, 'GET', '/api/ping');
  await played.first.session.callWith(CURL, 'POST', '/api/orchestrators/chain3');
  await Promise.all(Object.entries(played).map(async ([name, one]) => one.play(steps[name as SessionName])));
  // Queues are read in real time.
  const ran = ({ session }: Played, name: string): number =>
    session.invocations.filter((invocation) => invocation.function === name).length;
  await eventually(() => {
    if (ran(played.first, 'onQueue') < 1 || ran(played.extra, 'onPoison') < 3)
      throw new Error('The queue functions have not run.');
  });
});

// ---- comparing ----------------------------------------------------------------------------------------------------

interface Case {
  name: string;
  compared: string;
  /** The part that is not compared, and why. */
  exempt?: string;
  /** The pairs that have to be equal, the emulator's first. Without pairs nothing is compared. */
  pairs?: () => Pair[] | Promise<Pair[]>;
}

type Pair = readonly [ours: unknown, recorded: unknown];

/** The items in an order of their own. */
function sorted(list: unknown): unknown[] {
  return (comparable(list) as unknown[]).map((item) => JSON.stringify(item)).toSorted();
}

/** A response, as far as the recording has it. */
function answered(ours: Answer | undefined, recorded: Answer): Answer {
  return {
    status: ours!.status,
    headers: Object.fromEntries(Object.keys(recorded.headers).map((name) => [name, ours!.headers[name]!])),
    body: ours!.body,
  };
}

interface Status {
  name: string;
  instanceId: string;
  runtimeStatus: string;
  historyEvents: unknown[];
}

const BY_ID = 'the order: a list goes by id, and ids are made up; checked here to ascend';
const SERVER = 'headers by which the server that was asked can be told: here it is another';
const BATCHES =
  'which operations came in one batch: chance; here all of them, their results and signals, and the state in the end';
const CHANCE = 'the order in which activities that run at once end: chance';

/** A list of instances, also inside a response of the app's `ops`. */
function listPairs(ours: unknown, recorded: unknown): Pair[] {
  const list = (body: unknown): Status[] =>
    (Array.isArray(body) ? body : (body as { r: Status[] }).r) as Status[];
  const ids = list(ours).map(({ instanceId }) => instanceId);
  return [
    [sorted(list(ours)), sorted(list(recorded))],
    [ids, ids.toSorted((a, b) => (a < b ? -1 : 1))],
  ];
}

/** The responses that are not compared unchanged, and why. */
const specialAnswers: Record<string, [exempt: string, pairs: (ours: Answer, recorded: Answer) => Pair[]]> = {
  'httpCall-x': [SERVER, (ours, recorded) => [[ours, recorded]]],
  ...Object.fromEntries(
    ['087-query-all', '092-query-badstatus', '097-noauth-list', '116-sdk-all-none', '117-sdk-by-none'].map(
      (name) => [
        name,
        [
          BY_ID,
          (ours: Answer, recorded: Answer) => [
            [
              { ...ours, body: '' },
              { ...recorded, body: '' },
            ],
            ...listPairs(ours.body, recorded.body),
          ],
        ],
      ],
    ),
  ),
  ...Object.fromEntries(
    (
      [
        ['089-query-completed', 0, 3, /Completed|Terminated/],
        ['094-query-top1', 0, 1, /./],
        ['095-query-top1-continued', 1, 1, /./],
      ] as const
    ).map(([name, from, count, status]) => [
      name,
      [
        'which instances they are: a list goes by id, and ids are made up; here those of the whole list',
        (ours: Answer) => {
          const all = (played.first.answers.get('087-query-all')!.body as Status[]).filter(
            ({ runtimeStatus }) => status.test(runtimeStatus),
          );
          const token = `${Buffer.from(all[from + count]!.instanceId).toString('base64')} `;
          return [
            [
              ours,
              {
                status: 200,
                headers: { ...ours.headers, [CONTINUATION]: token },
                body: all.slice(from, from + count),
              },
            ],
          ];
        },
      ],
    ]),
  ),
  ...Object.fromEntries(
    ['028-get-final-fan', 'allFail-x'].map((name) => [
      name,
      [
        CHANCE,
        (ours: Answer, recorded: Answer) => {
          const [before, after] = [ours.body as Status, recorded.body as Status];
          return [
            [
              { ...ours, body: { ...before, historyEvents: [] } },
              { ...recorded, body: { ...after, historyEvents: [] } },
            ],
            [sorted(before.historyEvents), sorted(after.historyEvents)],
          ];
        },
      ],
    ]),
  ),
};

function answers(kind: string, session: SessionName): Case[] {
  return steps[session]
    .filter(({ response }) => response !== undefined)
    .map(({ name, response }) => {
      // As text, because the order of keys counts.
      const [exempt, pairs] = specialAnswers[name] ?? [
        undefined,
        (ours: Answer, recorded: Answer): Pair[] => [
          [ours, recorded],
          [text(ours.body), text(recorded.body)],
        ],
      ];
      const compared = Object.keys(response!.headers).length > 0 ? 'status, headers, body' : 'status, body';
      return {
        name: `${kind}/${name}`,
        compared,
        ...(exempt !== undefined && { exempt }),
        pairs: () => pairs(answered(played[session].answers.get(name), response!), response!),
      };
    });
}

function text(value: unknown): string {
  return JSON.stringify(comparable(value));
}

const recordedSdkCalls = recordings<CallWithAnswer[]>('sdk-calls.json');

function sdkCalls(): Case[] {
  return recordedSdkCalls.map(({ name, response }, index) => {
    const session = index < 54 ? 'first' : index < 57 ? 'killed' : 'extra';
    const call = name.slice(name.indexOf(' ') + 1);
    const key = `${session} ${comparable(call) as string} ${response.status}`;
    const common = { name: `sdk-calls/${name}`, compared: 'the call, status, headers, body' };
    const body = response.body as Partial<Status> | null;
    // A response on the way to another.
    const isPoll =
      response.status === 202 &&
      call.startsWith('GET') &&
      recordedSdkCalls.slice(index + 1).some((later) => later.name.endsWith(` ${call}`));
    if (isPoll && body?.name !== 'waiter')
      return { ...common, compared: '-', exempt: 'how far it had got: chance; the last answer is compared' };
    const exempt = isPoll
      ? 'the runtimeStatus: how far it had got is chance'
      : body === null
        ? 'the body, of which only a part was recorded: as 087 and 117'
        : undefined;
    const seen = (answer: Answer): Answer => ({
      ...answer,
      body: body === null ? null : isPoll ? { ...(answer.body as Status), runtimeStatus: '' } : answer.body,
    });
    return {
      ...common,
      ...(exempt !== undefined && { exempt }),
      pairs: () => {
        const ours = played[session].session.sdkCalls.filter(
          (mine) => `${session} ${comparable(mine.name) as string} ${mine.response.status}` === key,
        );
        const found = ours.map((mine) => seen(answered(mine.response, response)));
        return [
          [
            found.find((mine) => isDeepStrictEqual(comparable(mine), comparable(seen(response)))) ??
              found.at(-1),
            seen(response),
          ],
        ];
      },
    };
  });
}

/** The events of a history, without their distribution over episodes. */
function byId({ history, ...replay }: Replay): unknown {
  const events = history
    .filter(({ EventType }) => EventType !== 12 && EventType !== 13)
    .toSorted(
      (a, b) =>
        a.EventType - b.EventType ||
        Number(a['TaskScheduledId'] ?? a['EventId']) - Number(b['TaskScheduledId'] ?? b['EventId']),
    );
  return { ...replay, history: events.map((event) => ({ ...event, IsPlayed: false })) };
}

function replays(): Case[] {
  return readdirSync(path.join(folder, 'orchestrations')).map((file) => {
    const recorded = recordings<Replay[]>(`orchestrations/${file}`);
    const name = file.split('__')[0]!;
    const [{ instanceId, parentInstanceId, history }] = recorded as [Replay];
    const at = history[0]!['Timestamp'] as string;
    const session = at < '2026-11-21T00:26' ? 'first' : at < '2026-11-21T00:43' ? 'killed' : 'extra';
    const atOnce = name === 'fan' || name === 'allFail';
    return {
      name: `orchestrations/${file}`,
      compared: atOnce ? 'the last input of each execution' : `${recorded.length} inputs`,
      ...(atOnce && { exempt: CHANCE }),
      ...(name === 'httpCall' && { exempt: SERVER }),
      pairs: () => {
        const candidates = played[session].session.replays.filter(
          ({ name: ours, replay }) =>
            ours === name &&
            comparable(replay.instanceId) === comparable(instanceId) &&
            comparable(replay.parentInstanceId) === comparable(parentInstanceId),
        );
        const ours = candidates
          .map(({ replay }) => replay)
          .filter((replay) => replay.instanceId === candidates[0]!.replay.instanceId);
        const last = (all: Replay[]): unknown[] =>
          all.filter((replay, index) => replay.isReplaying && all[index + 1]?.isReplaying !== true).map(byId);
        return [atOnce ? [last(ours), last(recorded)] : [ours, recorded]];
      },
    };
  });
}

function invocations(): Case[] {
  const seen = new Map<string, number>();
  const hasMetadata = ({ inputData }: Invocation): boolean =>
    !/^(http|timer)Trigger/.test(Object.keys(inputData)[0]!);
  const given = (invocation: Invocation): unknown =>
    comparable({
      function: invocation.function,
      inputData: invocation.inputData,
      ...(hasMetadata(invocation) && { triggerMetadata: invocation.triggerMetadata }),
    });
  const all = recordings<(Invocation & { name: string })[]>('invocations.json');
  return all.map((recorded) => {
    const session = recorded.name.startsWith('extra-')
      ? 'extra'
      : recorded.function === 'slow'
        ? 'killed'
        : 'first';
    const key = `${session} ${JSON.stringify(given(recorded))}`;
    const nth = seen.get(key) ?? 0;
    seen.set(key, nth + 1);
    const exempt =
      recorded.name === 'ops-3'
        ? `${BY_ID}; how often chain3 had run before`
        : recorded.function === 'asyncCounter'
          ? BATCHES
          : undefined;
    return {
      name: `invocations/${recorded.name}`,
      ...(exempt !== undefined && { exempt }),
      compared: `${hasMetadata(recorded) ? 'request' : 'inputData'}${recorded.answer === undefined ? '' : ', response'}`,
      pairs: () => {
        const like = played[session].session.invocations.filter(
          (invocation) => invocation.function === recorded.function,
        );
        if (recorded.function === 'asyncCounter')
          return [
            [operations(like), operations(all.filter((other) => other.function === recorded.function))],
          ];
        const found = like.filter((invocation) => isDeepStrictEqual(given(invocation), given(recorded)));
        // When none is equal, the first shows the difference.
        const ours = found[nth] ?? found.at(-1) ?? like[0];
        if (ours === undefined) return [[undefined, given(recorded)]];
        if (recorded.name === 'ops-3')
          return listPairs(bodyOf(ours), bodyOf(recorded)).map(
            (pair) => pair.map((list) => [...new Set(list as unknown[])]) as unknown as Pair,
          );
        return [
          [given(ours), given(recorded)],
          ...(recorded.answer === undefined ? [] : [[ours.answer, recorded.answer] as const]),
        ];
      },
    };
  });
}

/** The operations of an entity's batches, and their results. */
function operations(ran: readonly Invocation[]): unknown {
  const asked = ran.map(
    ({ inputData }) =>
      JSON.parse(Object.values(inputData as Record<string, { string: string }>)[0]!.string) as {
        batch: unknown[];
      },
  );
  const came = ran.map(
    ({ answer }) =>
      JSON.parse((answer!.returnValue as { json: string }).json) as {
        results: unknown[];
        signals: unknown[];
        entityState: string;
      },
  );
  return {
    batch: asked.flatMap(({ batch }) => batch),
    results: came.flatMap(({ results }) => results.map((result) => JSON.stringify(result))),
    signals: came.flatMap(({ signals }) => signals.map((signal) => JSON.stringify(signal))),
    state: came.at(-1)!.entityState,
  };
}

/** The JSON of an HTTP function's response. */
function bodyOf({ answer }: Invocation): unknown {
  const { body } = (answer!.returnValue as { http: { body: { bytes: Uint8Array | { utf8: string } } } }).http;
  return JSON.parse(
    body.bytes instanceof Uint8Array ? Buffer.from(body.bytes).toString() : body.bytes.utf8,
  ) as unknown;
}

function rows(): Case[] {
  const recorded = JSON.parse(readFileSync(path.join(folder, '../storage/rows.json'), 'utf8')) as Record<
    string,
    { Instances: Row[]; History: Row[] }
  >;
  const events = (all: Row[]): Row[] => all.filter(({ rowKey }) => /^[\dA-F]{16}$/.test(rowKey));
  const sentinel = (all: Row[]): Row => all.find(({ rowKey }) => rowKey === 'sentinel')!;
  return Object.entries(recorded).map(([instanceId, { History, Instances }]) => ({
    name: `storage/instance-${instanceId}`,
    compared: 'rows of History and Instances',
    exempt:
      'what ours hold besides: the Input of what was scheduled, ActionCount, and the state of the sentinel; there the queues hold it',
    pairs: async () => {
      const ours = await played.first.rows('OracleHubHistory', instanceId);
      const known = events(ours).map((row) =>
        Object.fromEntries(
          Object.entries(row).filter(
            ([name]) =>
              name !== 'ActionCount' &&
              !(
                name === 'Input' &&
                /^(TaskScheduled|SubOrch.*Created)$/.test((row['EventType'] as string[])[1]!)
              ),
          ),
        ),
      );
      const ourSentinel = Object.fromEntries(
        Object.keys(sentinel(History)).map((name) => [name, sentinel(ours)?.[name]]),
      );
      return [
        [known, events(History)],
        [ourSentinel, sentinel(History)],
        [await played.first.rows('OracleHubInstances', instanceId), Instances],
      ];
    },
  }));
}

const cases: Case[] = [
  ...answers('http', 'first'),
  ...answers('http-extra', 'extra'),
  ...sdkCalls(),
  ...replays(),
  ...invocations(),
  {
    name: 'worker/functionMetadataResponse',
    compared: 'names, order and bindings of all functions',
    exempt: 'script file and directory: where the app was',
    pairs: () => {
      const raw = (bindings: Record<string, Binding>): unknown[] =>
        Object.entries(bindings).map(([key, binding]) => ({
          ...binding,
          ...(key === '$return' && { name: key }),
        }));
      return [
        [
          [...played.first.session.host.worker.functions.values()].map(({ name, bindings }) => ({
            name,
            bindings: raw(bindings),
          })),
          functions.map(({ name, rawBindings }) => ({
            name,
            bindings: rawBindings.map((binding) => JSON.parse(binding) as unknown),
          })),
        ],
      ];
    },
  },
  {
    name: 'invocations/* of http and timer functions',
    compared: '-',
    exempt: 'their triggerMetadata, which @azure/functions hands to neither',
  },
  {
    name: 'worker/workerInit*',
    compared: '-',
    exempt: 'the start of a worker process over gRPC: here the app runs in the host',
  },
  ...rows(),
  {
    name: 'storage/layout',
    compared: '-',
    exempt:
      'the hub of the emulator has no queues and no Partitions table; by that it differs from a real one',
  },
  {
    name: 'queues/*',
    compared: '-',
    exempt: 'there are no queues: what their messages carry is in the histories, which are compared',
  },
];

/** The cases in which a newer version of the extension differs. */
const changed = new Set<string>();

test.for(cases.filter(({ pairs }) => pairs !== undefined))('$name', async ({ name, pairs }) => {
  const differs = (): void => {
    changed.add(name);
  };
  for (const [ours, recorded] of await pairs!())
    expect(comparable(ours, differs)).toEqual(comparable(recorded, differs));
});

afterAll(async () => {
  await Promise.all(Object.values(played ?? {}).map(({ session }) => session.stop()));
  const width = Math.min(70, Math.max(...cases.map(({ name }) => name.length)));
  const lines = cases.map((one) =>
    `${one.name.slice(0, width).padEnd(width)}  ${one.compared.padEnd(31)}  ${[
      one.exempt,
      changed.has(one.name) ? CHANGED : undefined,
    ]
      .filter((reason) => reason !== undefined)
      .join('; ')}`.trimEnd(),
  );
  console.log(
    `The emulator against a real host, up to made-up ids, times, addresses, keys and stack traces:\n\n${lines.join('\n')}\n`,
  );
});
