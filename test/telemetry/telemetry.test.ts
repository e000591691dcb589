import { afterAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { TestApp } from '../../emulator/src/testing.js';
import { disabled } from '../support/disabled.js';
import { startApp, theApp } from '../support/app.js';
import { actBy, linkTo } from '../support/outbox.js';
import { OtlpReceiver, type Span } from './otlp.js';

// Telemetry reads its settings when the app is loaded, once a process. So does the host of this test.
const receiver = new OtlpReceiver();
vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', await receiver.start());
/** Imported late: the host must load the app, and telemetry with it, first. */
const flush = async (): Promise<void> => (await import('../../src/telemetry/index.js')).flush();

beforeEach(() => {
  receiver.clear();
});
afterAll(() => receiver.stop());

/** By their numbers in OTLP. */
const KINDS = ['', 'internal', 'server', 'client', 'producer'];
const laptop = {
  subject: 'A new laptop',
  requestedBy: 'ana',
  approver: 'kim',
  escalateTo: 'lee',
  details: 'The old one burns.',
};

/** Without verified replays, because telemetry would record each episode twice. */
async function start(): Promise<TestApp> {
  return (await startApp({ verifyReplay: false })).app;
}

async function ask(app: TestApp): Promise<string> {
  const response = await app.post('/api/approvals', laptop);
  await app.quiet();
  return ((await response.json()) as { id: string }).id;
}

/** The values of one metric, by outcome or else by workflow. */
const told = (metric: string): unknown[] =>
  [...receiver.points.values()]
    .filter((point) => point.metric === metric)
    .map(({ attributes, value, count, sum }) => ({
      ...attributes,
      ...(value === undefined ? { count, sum } : { value }),
    }));

/** How much a counter grows while `during` runs. */
async function growth(metric: string, during: () => Promise<void>): Promise<number> {
  const sum = async (): Promise<number> => {
    await flush();
    return [...receiver.points.values()]
      .filter((point) => point.metric === metric)
      .reduce((all, { value }) => all + (value ?? 0), 0);
  };
  const before = await sum();
  await during();
  return (await sum()) - before;
}

describe('an approval that is escalated, and then decided', () => {
  it('appears in metrics: started once, waiting twice, completed with its duration', async () => {
    const app = await start();
    const id = await ask(app);
    await app.skip({ hours: 30 });
    expect(
      (await app.post(`/api/approvals/${id}/decision`, { decision: 'approved', by: 'lee' })).status,
    ).toBe(200);
    await app.quiet();
    await flush();
    const workflow = { 'workflow.name': 'ApprovalOrchestrator' };
    expect(told('workflow.started')).toEqual([{ ...workflow, value: 1 }]);
    expect(told('workflow.waiting')).toEqual([{ ...workflow, value: 2 }]);
    expect(told('workflow.completed')).toEqual([{ ...workflow, value: 1 }]);
    expect(told('workflow.failed')).toEqual([]);
    expect(told('workflow.duration')).toEqual([
      { ...workflow, 'workflow.outcome': 'completed', count: 1, sum: 30 * 3600 },
    ]);
    expect(told('app.uptime')).toHaveLength(1);
  });

  it('is one trace from the caller to the last activity, with spans of the host and, below them, of the app', async () => {
    const app = await start();
    const caller = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
    const response = await app.post('/api/approvals', laptop, {
      traceparent: `00-${caller.traceId}-${caller.spanId}-01`,
    });
    const { id } = (await response.json()) as { id: string };
    await app.skip({ hours: 30 });
    await app.post(`/api/approvals/${id}/decision`, { decision: 'approved', by: 'lee' });
    await app.quiet();
    await app.stop();
    await flush();

    // The decision is another request, and so another trace.
    const trace = receiver.spans.filter(({ traceId }) => traceId === caller.traceId);
    expect(
      receiver.spans
        .filter(({ traceId }) => traceId !== caller.traceId)
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(['DecideApproval', 'POST /api/approvals/{id}/decision']);
    const above = (span: Span): string[] => {
      const parent = trace.find(({ spanId }) => spanId === span.parentSpanId);
      return [
        `${span.name} ${KINDS[span.kind]!}`,
        ...(parent === undefined ? [span.parentSpanId ?? 'nothing'] : above(parent)),
      ];
    };
    const from = [
      'create_orchestration:ApprovalOrchestrator producer',
      'RequestApproval internal',
      'POST /api/approvals server',
      caller.spanId,
    ];
    const within = ['orchestration:ApprovalOrchestrator server', ...from];
    const ran = (name: string): string[] => [
      `${name} internal`,
      `activity:${name} server`,
      `activity:${name} client`,
      ...within,
    ];
    const leaves = trace.filter(({ spanId }) => !trace.some(({ parentSpanId }) => parentSpanId === spanId));
    expect(leaves.map((span) => above(span).join(' < ')).toSorted()).toEqual(
      [
        ran('AskApprover'),
        ran('Escalation'),
        ran('Approval'),
        ['orchestration:ApprovalOrchestrator:timer internal', ...within],
      ]
        .map((path) => path.join(' < '))
        .toSorted(),
    );
    for (const span of trace.filter(({ name }) => /orchestration|activity|AskApprover/.test(name)))
      expect(span.attributes).toMatchObject({ 'durabletask.task.instance_id': id });
    const logged = receiver.logs.filter(
      ({ attributes }) => attributes['durabletask.task.instance_id'] === id,
    );
    expect(logged.map(({ traceId }) => traceId)).toEqual(logged.map(() => caller.traceId));
  });

  it('appears in the log once for each event, with its instance id and no data about people', async () => {
    const app = await start();
    const id = await ask(app);
    await app.skip({ hours: 30 });
    await app.post(`/api/approvals/${id}/decision`, {
      decision: 'approved',
      by: 'lee',
      comment: 'Go ahead.',
    });
    await app.quiet();
    await flush();
    expect(receiver.logs.map(({ body }) => body)).toEqual([
      'workflow.started',
      'To %s: %s (%s)',
      'workflow.waiting',
      'To %s: %s (%s)',
      'workflow.waiting',
      'To %s: %s (%s)',
      'workflow.completed',
    ]);
    for (const { attributes } of receiver.logs) expect(attributes['durabletask.task.instance_id']).toBe(id);
    expect(receiver.logs.map(({ eventName }) => eventName ?? '').filter(Boolean)).toEqual([
      'workflow.started',
      'workflow.waiting',
      'workflow.waiting',
      'workflow.completed',
    ]);
    expect(receiver.text).not.toMatch(/\b(?:ana|kim|lee|laptop|burns|Go ahead)\b/i);
  });
});

describe('a signed link', () => {
  it('is in no trace and no log record, when it is sent, opened and used', async () => {
    const { app } = await startApp({ deliver: true });
    await ask(app);
    const path = await linkTo(app, 'kim');
    expect((await app.get(path)).status).toBe(200);
    expect((await actBy(app, path, 'approved')).status).toBe(200);
    await app.quiet();
    await app.stop();
    await flush();
    expect(receiver.spans.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['DecidePage', 'DecideByLink', 'DeliverNotification']),
    );
    expect(receiver.text).not.toContain(path.split('link=')[1]!.slice(0, 20));
  });
});

describe('a failure', () => {
  it('of an activity is a warning with the error’s type and stack frames, and the workflow continues', async () => {
    const app = await start();
    app.replace('AskApprover', () => {
      throw new RangeError('kim cannot be asked');
    });
    const id = await ask(app);
    await flush();
    expect(receiver.logs.find(({ eventName }) => eventName === 'function.failed')).toMatchObject({
      severity: 13,
      attributes: {
        'faas.name': 'AskApprover',
        'durabletask.task.instance_id': id,
        'exception.type': 'RangeError',
        'exception.stacktrace': expect.stringMatching(/^\s+at /) as unknown,
      },
    });
    expect(receiver.span('AskApprover')).toMatchObject({
      status: 2,
      attributes: { 'error.type': 'RangeError' },
    });
    expect(receiver.text).not.toContain('kim');
  });

  it('of a workflow is logged as an error and counted', async () => {
    const app = await start();
    app.replace('AskApprover', () => {
      throw new RangeError('kim cannot be asked');
    });
    expect(
      await growth('workflow.failed', async () => {
        const id = await ask(app);
        await app.skip({ days: 1 });
        expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Failed' });
      }),
    ).toBe(1);
    expect(receiver.logs.filter(({ eventName }) => eventName === 'workflow.failed')).toMatchObject([
      { severity: 17 },
    ]);
    expect(receiver.text).not.toContain('kim');
  });

  it('of an HTTP function is logged with its error, and without data of the request', async () => {
    const app = await TestApp.start({
      app: theApp,
      settings: {
        AppStorage: 'nowhere',
        ...disabled('Sweep', 'Purge'),
      },
    });
    onTestFinished(() => app.stop());
    expect((await app.post('/api/approvals', laptop)).status).toBe(500);
    await flush();
    const by = { 'faas.name': 'RequestApproval' };
    expect(receiver.logs).toMatchObject([
      {
        body: 'TypeError',
        severity: 17,
        attributes: { ...by, 'exception.stacktrace': expect.stringMatching(/storage/) as unknown },
      },
      { body: 'function.failed', severity: 17, attributes: { ...by, 'error.type': '500' } },
    ]);
    expect(receiver.span('RequestApproval')).toMatchObject({
      status: 2,
      attributes: { 'http.response.status_code': 500 },
    });
    expect(receiver.text).not.toMatch(/nowhere|laptop|kim/);
  });
});

it('what the sweep does to records is counted, by feature and result', async () => {
  const { app } = await startApp({ verifyReplay: false, sweep: true });
  const response = await app.post('/api/approvals', { ...laptop, respondWithin: 'PT2M' });
  const { id } = (await response.json()) as { id: string };
  await app.terminate(id);
  expect(await growth('sweep.records', () => app.skip({ minutes: 10 }))).toBeGreaterThan(0);
  expect(told('sweep.records')).toContainEqual({
    feature: 'approvals',
    result: 'continued',
    value: expect.any(Number) as number,
  });
});

it('what the purge removes is counted, by feature and result', async () => {
  const { app } = await startApp({ verifyReplay: false, purge: true, settings: { PURGE_AFTER: 'P1D' } });
  const reminder = { to: 'kim', message: 'Water the plants', count: 1 };
  expect((await app.post('/api/reminders', reminder)).status).toBe(202);
  await app.quiet();
  expect(await growth('purge.instances', () => app.skip({ hours: 26 }))).toBe(1);
  expect(told('purge.instances')).toContainEqual({ result: 'removed', value: 1 });
  expect(told('purge.records')).toContainEqual({ feature: 'reminders', result: 'removed', value: 1 });
});
