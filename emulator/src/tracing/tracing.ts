import type { Span } from './otlp.js';
import type { TraceContext } from './trace-context.js';
import { childOf } from './trace-context.js';

export interface TracingOptions {
  now: () => number;
  /** Takes what is over. */
  send: (span: Span) => void;
}

/** Something that goes on. Its `context` is handed to whatever it leads to. */
export interface OpenSpan {
  readonly context: TraceContext;
  end(result?: { failed?: boolean; attributes?: Span['attributes'] }): void;
}

/** The host's own traces, as it has them with `"telemetryMode": "OpenTelemetry"` in host.json. */
export class Tracing {
  readonly #options: TracingOptions;

  constructor(options: TracingOptions) {
    this.#options = options;
  }

  now(): number {
    return this.#options.now();
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

  /** Something that was noted when it began, and is over now. */
  tell(span: Omit<Span, 'end'>): void {
    this.#options.send({ ...span, end: this.now() });
  }
}
