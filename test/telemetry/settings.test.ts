import { expect, it } from 'vitest';
import { destinations } from '../../src/telemetry/settings.js';

const none = { traces: [], metrics: [], logs: [] };
const all = (...receivers: string[]): object => ({ traces: receivers, metrics: receivers, logs: receivers });

it('telemetry is off unless a setting names a destination', () => {
  expect(destinations({})).toBeUndefined();
  expect(
    destinations({
      APPLICATIONINSIGHTS_CONNECTION_STRING: '',
      OTEL_EXPORTER_OTLP_ENDPOINT: '',
      WEBSITE_SITE_NAME: 'app',
    }),
  ).toBeUndefined();
  expect(destinations({ APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'Authorization=AAD' })).toBeUndefined();
});

it('a connection string sends it to Application Insights, under the name of the site', () => {
  expect(
    destinations({
      APPLICATIONINSIGHTS_CONNECTION_STRING: 'InstrumentationKey=1',
      WEBSITE_SITE_NAME: 'shop',
      WEBSITE_INSTANCE_ID: 'a1',
    }),
  ).toEqual({
    receivers: all('azure'),
    azure: { connectionString: 'InstrumentationKey=1', entra: undefined },
    service: 'shop',
    machine: 'a1',
  });
});

it.each([
  ['Authorization=AAD;ClientId=1-2-3', { clientId: '1-2-3' }],
  ['ClientId=1-2-3;Authorization=AAD', { clientId: '1-2-3' }],
  ['Authorization=AAD', { clientId: undefined }],
  ['', undefined],
])('with the authentication string "%s" it signs in as %o', (authentication, entra) => {
  expect(
    destinations({
      APPLICATIONINSIGHTS_CONNECTION_STRING: 'InstrumentationKey=1',
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: authentication,
    })?.azure,
  ).toEqual({ connectionString: 'InstrumentationKey=1', entra });
});

it('an OTLP address sends it there, and to Application Insights too if that is set', () => {
  expect(
    destinations({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318', OTEL_SERVICE_NAME: 'mine' }),
  ).toEqual({ receivers: all('otlp'), azure: undefined, service: 'mine', machine: undefined });
  expect(
    destinations({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318',
      APPLICATIONINSIGHTS_CONNECTION_STRING: 'InstrumentationKey=1',
    })?.receivers,
  ).toEqual(all('azure', 'otlp'));
});

it('OpenTelemetry’s variables send each signal to a destination of its own', () => {
  expect(destinations({ OTEL_LOGS_EXPORTER: 'console' })?.receivers).toEqual({ ...none, logs: ['console'] });
  expect(
    destinations({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318',
      OTEL_TRACES_EXPORTER: 'otlp, console',
      OTEL_METRICS_EXPORTER: 'none',
    })?.receivers,
  ).toEqual({ traces: ['otlp', 'console'], metrics: [], logs: ['otlp'] });
});
