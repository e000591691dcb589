import {
  context,
  diag,
  DiagConsoleLogger,
  DiagLogLevel,
  metrics,
  propagation,
  trace,
  type Meter,
  type Tracer,
} from '@opentelemetry/api';
import type { Logger } from '@opentelemetry/api-logs';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider, type LogRecordExporter } from '@opentelemetry/sdk-logs';
import {
  MeterProvider,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  TracerProvider,
  type SpanExporter,
} from '@opentelemetry/sdk-trace';
import { credential } from '../identity/index.js';
import type { Destinations, Receiver, Signal } from './settings.js';

/** The instruments that write telemetry. */
export interface Instruments {
  tracer: Tracer;
  meter: Meter;
  logger: Logger;
  /** Sends everything that was written. Never rejects. */
  flush(): Promise<void>;
}

const SCOPE = 'durable-workflows';
/**
 * How many spans or records can wait to be sent; more are dropped. A fan-out of some thousand activities ends
 * before one batch is sent.
 */
const QUEUE = { maxQueueSize: 20_000 };

/**
 * Starts OpenTelemetry with its SDK and exporters only, all of the release that Azure Monitor's exporter
 * requires. Azure Monitor's distribution would make the deployment five times as large. No instrumentation
 * patches modules: the hooks of `@azure/functions` see every invocation, and spans of an HTTP client would
 * contain URLs with names in them.
 */
export async function startSdk(to: Destinations): Promise<Instruments> {
  diag.setLogger(new DiagConsoleLogger(), DiagLogLevel.ERROR);
  const resource = resourceFromAttributes({
    'service.name': to.service,
    ...(to.machine !== undefined && { 'service.instance.id': to.machine }),
  });
  const exporters = new Map(
    await Promise.all(
      [...new Set(Object.values(to.receivers).flat())].map(
        async (receiver) => [receiver, await EXPORTERS[receiver](to)] as const,
      ),
    ),
  );
  const each = <Name extends Signal, Made>(signal: Name, make: (exporter: Exporters[Name]) => Made): Made[] =>
    to.receivers[signal].map((receiver) => make(exporters.get(receiver)![signal]));

  // Ignores the caller's sampling flag: a host that records nothing itself sends "not sampled", and the app
  // would send nothing.
  const tracers = new TracerProvider({
    resource,
    sampler: new AlwaysOnSampler(),
    spanProcessors: each('traces', (exporter) => new BatchSpanProcessor({ exporter, ...QUEUE })),
  });
  const meters = new MeterProvider({
    resource,
    readers: each('metrics', (exporter) => new PeriodicExportingMetricReader({ exporter })),
  });
  const loggers = new LoggerProvider({
    resource,
    processors: each('logs', (exporter) => new BatchLogRecordProcessor({ exporter, ...QUEUE })),
  });
  // The Durable SDK reads the trace from here when it starts an instance.
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(tracers);
  metrics.setGlobalMeterProvider(meters);
  return {
    tracer: tracers.getTracer(SCOPE),
    meter: meters.getMeter(SCOPE),
    logger: loggers.getLogger(SCOPE),
    flush: async () => {
      await Promise.allSettled([tracers.forceFlush(), meters.forceFlush(), loggers.forceFlush()]);
    },
  };
}

interface Exporters {
  traces: SpanExporter;
  metrics: PushMetricExporter;
  logs: LogRecordExporter;
}

/** Each loads its packages only when it is used, so that unused ones do not slow the start. */
const EXPORTERS: Readonly<Record<Receiver, (to: Destinations) => Promise<Exporters>>> = {
  azure: async ({ azure }) => {
    const { connectionString, entra } = azure!;
    const { AzureMonitorLogExporter, AzureMonitorMetricExporter, AzureMonitorTraceExporter } =
      await import('@azure/monitor-opentelemetry-exporter');
    const options = {
      connectionString,
      ...(entra !== undefined && { credential: await credential(entra.clientId) }),
    };
    return {
      traces: new AzureMonitorTraceExporter(options),
      metrics: new AzureMonitorMetricExporter(options),
      logs: new AzureMonitorLogExporter(options),
    };
  },
  otlp: async () => {
    const [{ OTLPTraceExporter }, { OTLPMetricExporter }, { OTLPLogExporter }] = await Promise.all([
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/exporter-metrics-otlp-http'),
      import('@opentelemetry/exporter-logs-otlp-http'),
    ]);
    return {
      traces: new OTLPTraceExporter(),
      metrics: new OTLPMetricExporter(),
      logs: new OTLPLogExporter(),
    };
  },
  console: async () => {
    const [{ ConsoleSpanExporter }, { ConsoleMetricExporter }, { ConsoleLogRecordExporter }] =
      await Promise.all([
        import('@opentelemetry/sdk-trace'),
        import('@opentelemetry/sdk-metrics'),
        import('@opentelemetry/sdk-logs'),
      ]);
    return {
      traces: new ConsoleSpanExporter(),
      metrics: new ConsoleMetricExporter(),
      logs: new ConsoleLogRecordExporter(),
    };
  },
};
