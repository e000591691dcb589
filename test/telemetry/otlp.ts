import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

type Value = { stringValue?: string; intValue?: number | string; doubleValue?: number; boolValue?: boolean };
interface KeyValue {
  key: string;
  value: Value;
}
type Attributes = Record<string, unknown>;

export interface Span {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  kind: number;
  status: number;
  attributes: Attributes;
  /** The name of the service that sent it. */
  service: unknown;
}

export interface LogRecord {
  body: string;
  eventName: string | undefined;
  severity: number;
  traceId: string | undefined;
  attributes: Attributes;
}

export interface Point {
  metric: string;
  unit: string;
  attributes: Attributes;
  /** Of a counter or a gauge. */
  value: number | undefined;
  /** Of a histogram. */
  count: number | undefined;
  sum: number | undefined;
}

/** A collector that accepts OTLP over HTTP as JSON, and keeps it. */
export class OtlpReceiver {
  readonly spans: Span[] = [];
  readonly logs: LogRecord[] = [];
  /** The last values. A counter's value is its sum since the start. */
  readonly points = new Map<string, Point>();
  /** Everything received, to search for text that must not be sent. */
  text = '';
  readonly #server = createServer((request, response) => {
    void body(request).then((bytes) => {
      this.#take(
        request.url ?? '',
        request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes,
      );
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });

  /** @returns the address for `OTEL_EXPORTER_OTLP_ENDPOINT` */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve);
    });
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  /** Forgets everything received so far. */
  clear(): void {
    this.spans.length = 0;
    this.logs.length = 0;
    this.points.clear();
    this.text = '';
  }

  span(name: string): Span {
    const found = this.spans.filter((span) => span.name === name);
    if (found.length !== 1)
      throw new Error(
        `There are ${found.length} spans '${name}' among ${this.spans.map((span) => span.name).join(', ')}`,
      );
    return found[0]!;
  }

  #take(path: string, bytes: Buffer): void {
    this.text += bytes.toString();
    // oxlint-disable-next-line typescript/no-unsafe-assignment, typescript/no-explicit-any -- the protocol's own shape
    const content: any = JSON.parse(bytes.toString());
    /* oxlint-disable typescript/no-unsafe-member-access, typescript/no-unsafe-assignment, typescript/no-unsafe-argument */
    for (const from of content.resourceSpans ?? []) {
      for (const scope of from.scopeSpans) {
        for (const { name, traceId, spanId, parentSpanId, kind, status, attributes } of scope.spans) {
          this.spans.push({
            name,
            traceId,
            spanId,
            parentSpanId: parentSpanId || undefined,
            kind,
            status: status?.code ?? 0,
            attributes: flat(attributes),
            service: flat(from.resource.attributes)['service.name'],
          });
        }
      }
    }
    for (const from of content.resourceLogs ?? []) {
      for (const scope of from.scopeLogs) {
        for (const { body: text, eventName, severityNumber, traceId, attributes } of scope.logRecords) {
          this.logs.push({
            body: text?.stringValue,
            eventName,
            severity: severityNumber,
            traceId,
            attributes: flat(attributes),
          });
        }
      }
    }
    for (const from of content.resourceMetrics ?? []) {
      for (const scope of from.scopeMetrics) {
        for (const { name, unit, sum, gauge, histogram } of scope.metrics) {
          for (const point of (sum ?? gauge ?? histogram).dataPoints) {
            const attributes = flat(point.attributes);
            const value = point.asDouble ?? (point.asInt === undefined ? undefined : Number(point.asInt));
            this.points.set(JSON.stringify([name, attributes]), {
              metric: name,
              unit,
              attributes,
              value,
              count: point.count,
              sum: point.sum,
            });
          }
        }
      }
    }
    /* oxlint-enable */
    if (!/^\/v1\/(traces|logs|metrics)$/.test(path)) throw new Error(`Nothing is to be sent to ${path}`);
  }
}

function flat(attributes: readonly KeyValue[] = []): Attributes {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      value.stringValue ?? value.intValue ?? value.doubleValue ?? value.boolValue,
    ]),
  );
}

async function body(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
