import type { Clock } from '../durable/clock.js';
import type { Log } from '../log.js';
import { OtlpSender, type Span } from './otlp.js';
import type { TraceContext } from './trace-context.js';
import { childOf } from './trace-context.js';

export interface TracingOptions {
  now: () => number;
  /** Takes a span that has ended. */
  send: (span: Span) => void;
  /** Sends the spans that wait to be sent. Never rejects. */
  flush?: () => Promise<void>;
}

/** A span that has not ended. Its `context` becomes the parent of the spans that it leads to. */
export interface OpenSpan {
  readonly context: TraceContext;
  end(result?: { failed?: boolean; attributes?: Span['attributes'] }): void;
}

/** The traces that the host itself makes with `"telemetryMode": "OpenTelemetry"` in host.json. */
export class Tracing {
  readonly #options: TracingOptions;

  constructor(options: TracingOptions) {
    this.#options = options;
  }

  /**
   * The tracing of a host.
   * @param settings undefined turns it off; without an endpoint, spans are made and not sent
   */
  static of(
    settings: { endpoint: string | undefined; service: string } | undefined,
    clock: Clock,
    log: Log,
  ): Tracing | undefined {
    if (settings === undefined) return undefined;
    const { endpoint, service } = settings;
    const sender = endpoint === undefined ? undefined : new OtlpSender({ endpoint, service, log });
    return new Tracing({
      now: () => clock.now(),
      send: (span) => sender?.add(span),
      flush: async () => sender?.flush(),
    });
  }

  now(): number {
    return this.#options.now();
  }

  /** Sends the spans that wait to be sent. Never rejects. */
  async flush(): Promise<void> {
    await this.#options.flush?.();
  }

  begin(span: Pick<Span, 'name' | 'kind' | 'scope' | 'parent' | 'attributes'>): OpenSpan {
    const context = childOf(span.parent);
    const start = this.now();
    return {
      context,
      end: ({ failed = false, attributes = {} } = {}) => {
        this.#options.send({
          ...span,
          context,
          start,
          end: this.now(),
          failed,
          attributes: { ...span.attributes, ...attributes },
        });
      },
    };
  }

  /** Sends a span that ends now. */
  record(span: Omit<Span, 'end'>): void {
    this.#options.send({ ...span, end: this.now() });
  }
}
