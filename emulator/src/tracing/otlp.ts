import type { Log } from '../log.js';
import type { TraceContext } from './trace-context.js';
import { spanIdOf, traceIdOf } from './trace-context.js';

/** One span of the host's work. Times are milliseconds since the epoch. */
export interface Span {
  name: string;
  kind: keyof typeof KINDS;
  context: TraceContext;
  parent: TraceContext | undefined;
  start: number;
  end: number;
  attributes: Readonly<Record<string, string | number>>;
  failed?: boolean;
  /** The instrumentation scope in production's names. */
  scope: 'Microsoft.AspNetCore' | 'DurableTask.Core';
}

const KINDS = { internal: 1, server: 2, client: 3, producer: 4 } as const;
const ERROR = 2;
/** How long spans wait to be sent together with others, in milliseconds. */
const DELAY = 200;

export interface OtlpOptions {
  /** For example http://localhost:4318. */
  endpoint: string;
  service: string;
  log: Log;
}

/**
 * Sends spans as OTLP over HTTP, in JSON. Spans that cannot be sent are lost; the first failure is logged.
 */
export class OtlpSender {
  readonly #options: OtlpOptions;
  #waiting: Span[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> = Promise.resolve();
  #complained = false;

  constructor(options: OtlpOptions) {
    this.#options = options;
  }

  add(span: Span): void {
    this.#waiting.push(span);
    this.#timer ??= setTimeout(() => {
      void this.flush();
    }, DELAY).unref();
  }

  /** Sends the spans that wait. Never rejects. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const spans = this.#waiting.splice(0);
    if (spans.length > 0) this.#sending = Promise.all([this.#sending, this.#send(spans)]).then(() => {});
    await this.#sending;
  }

  async #send(spans: readonly Span[]): Promise<void> {
    const { endpoint, service, log } = this.#options;
    const scopeSpans = [...Map.groupBy(spans, ({ scope }) => scope)].map(([name, ofScope]) => ({
      scope: { name },
      spans: ofScope.map(spanJson),
    }));
    const resource = { attributes: attributesJson({ 'service.name': service }) };
    try {
      const response = await fetch(`${endpoint.replace(/\/$/, '')}/v1/traces`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ resourceSpans: [{ resource, scopeSpans }] }),
        signal: AbortSignal.timeout(10_000),
      });
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`it answers ${response.status}`);
    } catch (error) {
      if (this.#complained) return;
      this.#complained = true;
      const { message, cause } = error as Error;
      log(
        'warning',
        'Host.OpenTelemetry',
        `OTEL_EXPORTER_OTLP_ENDPOINT (${endpoint}) does not accept the host's traces: ${cause instanceof Error ? cause.message : message}`,
      );
    }
  }
}

function spanJson({ name, kind, context, parent, start, end, attributes, failed }: Span): object {
  return {
    traceId: traceIdOf(context),
    spanId: spanIdOf(context),
    ...(parent !== undefined && { parentSpanId: spanIdOf(parent) }),
    ...(context.traceState !== null && { traceState: context.traceState }),
    name,
    kind: KINDS[kind],
    startTimeUnixNano: nanoseconds(start),
    endTimeUnixNano: nanoseconds(Math.max(start, end)),
    attributes: attributesJson(attributes),
    status: failed === true ? { code: ERROR } : {},
  };
}

function nanoseconds(milliseconds: number): string {
  return String(BigInt(Math.round(milliseconds * 1000)) * 1000n);
}

function attributesJson(attributes: Readonly<Record<string, string | number>>): object[] {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value: typeof value === 'string' ? { stringValue: value } : { intValue: String(value) },
  }));
}
