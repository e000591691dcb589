/** Where a host is found, and what it calls itself. */
export interface ClientBinding {
  hubName: string;
  /** The host's own address, without a slash at the end. */
  origin: string;
  /** The local address that the SDK's client talks to; ends with a slash. */
  rpcBaseUrl: string;
  /** The system key that opens the management API. */
  key: string;
}

/** The path of the management API on the host. */
export const WEBHOOK_PATH = '/runtime/webhooks/durabletask';

/** The JSON text that a `durableClient` binding is given, as recorded from a real host. */
export function clientBindingValue({ hubName, origin, rpcBaseUrl, key }: ClientBinding): string {
  const webhook = `${origin}${WEBHOOK_PATH}`;
  const start = `${webhook}/orchestrators/{functionName}[/{instanceId}]`;
  return JSON.stringify({
    taskHubName: hubName,
    connectionName: null,
    creationUrls: {
      createNewInstancePostUri: `${start}?code=${key}`,
      createAndWaitOnNewInstancePostUri: `${start}?timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}&code=${key}`,
    },
    managementUrls: { id: 'INSTANCEID', ...managementUrls(origin, hubName, 'INSTANCEID', key, true) },
    baseUrl: webhook,
    requiredQueryStringParameters: `code=${key}`,
    rpcBaseUrl,
    httpBaseUrl: null,
    maxGrpcMessageSizeInBytes: null,
    grpcHttpClientTimeout: null,
  });
}

/** The addresses that manage one instance. The webhook's own answers leave out rewinding [recorded]. */
export function managementUrls(origin: string, hubName: string, instanceId: string, key: string, withRewind: boolean): Record<string, string> {
  const instance = `${origin}${WEBHOOK_PATH}/instances/${instanceId}`;
  const query = `taskHub=${hubName}&connection=Storage&code=${key}`;
  return {
    statusQueryGetUri: `${instance}?${query}`,
    sendEventPostUri: `${instance}/raiseEvent/{eventName}?${query}`,
    terminatePostUri: `${instance}/terminate?reason={text}&${query}`,
    ...(withRewind && { rewindPostUri: `${instance}/rewind?reason={text}&${query}` }),
    purgeHistoryDeleteUri: `${instance}?${query}`,
    restartPostUri: `${instance}/restart?${query}`,
    suspendPostUri: `${instance}/suspend?reason={text}&${query}`,
    resumePostUri: `${instance}/resume?reason={text}&${query}`,
  };
}
