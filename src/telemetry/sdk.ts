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

/** What telemetry is written with. */
export interface Instruments {
  tracer: Tracer;
  meter: Meter;
  logger: Logger;
  /** Hands over all that was written. Never rejects. */
  flush(): Promise<void>;
}

const SCOPE = 'durable-workflows';
/** How many spans or records wait to be sent; more are lost. A fan-out of some thousand activities ends within the time in which one batch is sent. */
const QUEUE = { maxQueueSize: 20_000 };

/**
 * Starts OpenTelemetry with what this app needs of it: its SDK and the exporters, all of the release that Azure Monitor's asks for. Azure
 * Monitor's distro around them would be five times as much to deploy. Nothing patches modules, either: the hooks of `@azure/functions`
 * see all there is to see, and the spans of an HTTP client would carry addresses with names in them.
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

  // Not as the caller has it: a host that records nothing itself says "not sampled", and would silence the app.
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
  // The Durable SDK looks here for what it sends along when it starts an instance.
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

/** Each loads its packages only when it is asked for: starting costs what is used. */
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
