import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AzureStorageHub } from '../src/durable/azure-storage/hub.js';
import { SkippingClock } from '../src/durable/clock.js';
import { Engine } from '../src/durable/engine/engine.js';
import { MemoryHub } from '../src/durable/memory/memory-hub.js';
import { SdkV3 } from '../src/durable/protocol/sdk-v3.js';
import { OrchestrationSpans } from '../src/durable/engine/spans.js';
import type { TaskHub } from '../src/durable/task-hub.js';
import { OtlpSender, type Span } from '../src/tracing/otlp.js';
import { childOf, readTraceContext, spanIdOf, traceIdOf } from '../src/tracing/trace-context.js';
import { Tracing } from '../src/tracing/tracing.js';
import { loadApp } from '../src/worker/app-loader.js';
import { FunctionsWorker } from '../src/worker/worker.js';
import { account } from './support/azurite.js';

describe('a place in a trace', () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

  it('is read from the headers of W3C Trace Context, with its state', () => {
    expect(readTraceContext({ traceparent, tracestate: 'vendor=1' })).toEqual({
      traceParent: traceparent,
      traceState: 'vendor=1',
    });
    expect(readTraceContext({ traceparent })).toEqual({ traceParent: traceparent, traceState: null });
  });

  it.each([
    '',
    'nonsense',
    traceparent.replace('00-', 'ff-'),
    traceparent.toUpperCase(),
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`,
  ])('is not read from "%s"', (text) => {
    expect(readTraceContext({ traceparent: text })).toBeUndefined();
  });

  it('has children in the same trace, with the same sampling', () => {
    const parent = readTraceContext({
      traceparent: traceparent.replace(/01$/, '00'),
      tracestate: 'vendor=1',
    })!;
    const child = childOf(parent);
    expect(traceIdOf(child)).toBe(traceIdOf(parent));
    expect(spanIdOf(child)).toMatch(/^[\da-f]{16}$/);
    expect(spanIdOf(child)).not.toBe(spanIdOf(parent));
    expect(child.traceParent).toMatch(/-00$/);
    expect(child.traceState).toBe('vendor=1');
  });

  it('is the root of a new trace when there is none', () => {
    const [one, other] = [childOf(undefined), childOf(undefined)];
    expect(readTraceContext({ traceparent: one.traceParent })).toEqual(one);
    expect(traceIdOf(one)).not.toBe(traceIdOf(other));
  });
});

describe("the host's spans", () => {
  const span = {
    name: 'activity:A',
    kind: 'server',
    scope: 'DurableTask.Core',
    context: childOf(undefined),
    parent: undefined,
    start: 1_000,
    end: 1_000.5,
    attributes: { 'durabletask.task.task_id': 3, 'durabletask.task.name': 'A' },
    failed: true,
  } as const;

  it('are sent as OTLP in JSON', async () => {
    const bodies: unknown[] = [];
    const server = createServer((request, response) => {
      let text = '';
      request
        .setEncoding('utf8')
        .on('data', (part: string) => {
          text += part;
        })
        .once('end', () => {
          bodies.push([request.url, JSON.parse(text)]);
          response.end();
        });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    onTestFinished(() => {
      server.close();
    });
    const said: string[] = [];
    const sender = new OtlpSender({
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
      service: 'shop',
      log: (_level, _category, message) => {
        said.push(message);
      },
    });
    sender.add(span);
    await sender.flush();
    expect(said).toEqual([]);
    expect(bodies).toEqual([
      [
        '/v1/traces',
        {
          resourceSpans: [
            {
              resource: { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] },
              scopeSpans: [
                {
                  scope: { name: 'DurableTask.Core' },
                  spans: [
                    {
                      traceId: traceIdOf(span.context),
                      spanId: spanIdOf(span.context),
                      name: 'activity:A',
                      kind: 2,
                      startTimeUnixNano: '1000000000',
                      endTimeUnixNano: '1000500000',
                      status: { code: 2 },
                      attributes: [
                        { key: 'durabletask.task.task_id', value: { intValue: '3' } },
                        { key: 'durabletask.task.name', value: { stringValue: 'A' } },
                      ],
                    },
                  ],
                },
              ],
            },
          ],
        },
      ],
    ]);
  });

  it('are lost when no program accepts them, and the first failure is logged', async () => {
    const said: string[] = [];
    const sender = new OtlpSender({
      endpoint: 'http://127.0.0.1:9',
      service: 'shop',
      log: (level, _category, message) => {
        said.push(`${level} ${message}`);
      },
    });
    for (let time = 0; time < 2; time++) {
      sender.add(span);
      await sender.flush();
    }
    expect(said).toEqual([
      expect.stringMatching(
        /^warning OTEL_EXPORTER_OTLP_ENDPOINT \(http:\/\/127\.0\.0\.1:9\) does not accept the host's traces: /,
      ),
    ]);
  });
});

describe('an orchestration', () => {
  const caller = childOf(undefined);

  async function start(spans: Span[], hub: TaskHub = new MemoryHub({ name: 'Hub' })): Promise<Engine> {
    const registrations = await loadApp({
      directory: path.join(import.meta.dirname, 'fixtures/recorded-app'),
    });
    const clock = new SkippingClock(Date.UTC(2026, 2, 1));
    const engine = new Engine({
      hub,
      clock,
      sdk: new SdkV3(new FunctionsWorker({ registrations, log: () => {} })),
      log: () => {},
      spans: new OrchestrationSpans(
        new Tracing({
          now: () => clock.now(),
          send: (span) => {
            spans.push(span);
          },
        }),
      ),
    });
    await engine.start();
    return engine;
  }

  async function run(name: string, input: unknown = null): Promise<Span[]> {
    const spans: Span[] = [];
    const engine = await start(spans);
    onTestFinished(() => engine.stop());
    await engine.startInstance({ name, instanceId: 'i', input: JSON.stringify(input), trace: caller });
    await engine.whenQuiet();
    return spans;
  }

  /** Every span with its ancestors, as far as they are known; failed ones have an exclamation mark. */
  function lines(spans: readonly Span[]): string[] {
    const above = (span: Span): string => {
      const parent =
        span.parent === undefined
          ? undefined
          : spans.find(({ context }) => spanIdOf(context) === spanIdOf(span.parent!));
      const isCaller = span.parent !== undefined && spanIdOf(span.parent) === spanIdOf(caller);
      return `${span.name} (${span.kind})${span.failed === true ? '!' : ''} < ${parent === undefined ? (isCaller ? 'caller' : 'nobody') : above(parent)}`;
    };
    for (const { context } of spans) expect(traceIdOf(context)).toBe(traceIdOf(caller));
    expect(new Set(spans.map(({ context }) => spanIdOf(context))).size).toBe(spans.length);
    return spans.map(above).toSorted();
  }

  it('has a span below the one that started it, and its activities below it', async () => {
    const within = 'orchestration:chain3 (server) < create_orchestration:chain3 (producer) < caller';
    const activity = `activity:sayHello (client) < ${within}`;
    expect(lines(await run('chain3'))).toEqual(
      [
        activity,
        activity,
        activity,
        ...Array.from({ length: 3 }, () => `activity:sayHello (server) < ${activity}`),
        'create_orchestration:chain3 (producer) < caller',
        within,
      ].toSorted(),
    );
  });

  it('that fails has a failed span, with the failed activity below it', async () => {
    const within = 'orchestration:failing (server)! < create_orchestration:failing (producer) < caller';
    expect(lines(await run('failing'))).toEqual(
      [
        `activity:boom (client)! < ${within}`,
        `activity:boom (server)! < activity:boom (client)! < ${within}`,
        'create_orchestration:failing (producer) < caller',
        within,
      ].toSorted(),
    );
  });

  it('has its sub-orchestrations below it, each below the call of it', async () => {
    const within = 'orchestration:parent (server) < create_orchestration:parent (producer) < caller';
    const child = `orchestration:child (server) < orchestration:child (client) < ${within}`;
    const found = lines(await run('parent'));
    expect(found.filter((line) => line === child)).toHaveLength(2);
    expect(
      found.filter((line) => line === `activity:sayHello (server) < activity:sayHello (client) < ${child}`),
    ).toHaveLength(2);
  });

  it('that continues as new has a span for each execution, all below the same start', async () => {
    const within = 'orchestration:eternal (server) < create_orchestration:eternal (producer) < caller';
    const spans = await run('eternal', 0);
    expect(lines(spans).filter((line) => line === within)).toHaveLength(3);
    expect(
      spans
        .filter(({ name, kind }) => name === 'orchestration:eternal' && kind === 'server')
        .map(({ attributes }) => attributes['durabletask.task.status']),
    ).toEqual(['ContinuedAsNew', 'ContinuedAsNew', 'Completed']);
  });

  it('keeps its place in the trace when the host starts again', async () => {
    const connection = await account();
    const spans: Span[] = [];
    const first = await start(spans, new AzureStorageHub({ connection, name: 'Hub' }));
    await first.startInstance({ name: 'suspendable', instanceId: 'i', input: 'null', trace: caller });
    await first.whenQuiet();
    await first.stop();
    const second = await start(spans, new AzureStorageHub({ connection, name: 'Hub' }));
    onTestFinished(() => second.stop());
    await second.raiseEvent('i', 'A', '1');
    await second.whenQuiet();
    const within =
      'orchestration:suspendable (server) < create_orchestration:suspendable (producer) < caller';
    expect(lines(spans)).toEqual(
      [
        `activity:echo (client) < ${within}`,
        `activity:echo (server) < activity:echo (client) < ${within}`,
        'create_orchestration:suspendable (producer) < caller',
        within,
      ].toSorted(),
    );
  });
});
