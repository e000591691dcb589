import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';

/** The packages of OpenTelemetry that a process loads with the app's telemetry, under some settings. */
function loaded(settings: Record<string, string>): string[] {
  const telemetry = pathToFileURL(path.resolve('dist/telemetry/index.js')).href;
  const program = `
    import { createRequire } from 'node:module';
    const { flush } = await import(${JSON.stringify(telemetry)});
    const files = Object.keys(createRequire(import.meta.url).cache).join('\\n').replaceAll('\\\\', '/');
    console.error(JSON.stringify([...new Set(files.match(/@(opentelemetry|azure)\\/[^/]+/g))]));
    process.exit(0);`;
  const { OTEL_EXPORTER_OTLP_ENDPOINT: _, ...environment } = process.env;
  const { stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
    env: { ...environment, ...settings },
  });
  // Outside a host, @azure/functions writes a warning to standard output.
  return JSON.parse(stderr.split('\n').find((line) => line.startsWith('['))!) as string[];
}

it('without a setting, no code of telemetry is loaded', () => {
  expect(loaded({})).toEqual([]);
});

it('an OTLP address loads the OTLP exporters, and nothing of Azure Monitor', () => {
  const packages = loaded({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });
  expect(packages).toEqual(
    expect.arrayContaining(['@opentelemetry/sdk-trace', '@opentelemetry/exporter-trace-otlp-http']),
  );
  expect(packages).not.toContain('@azure/monitor-opentelemetry-exporter');
});
