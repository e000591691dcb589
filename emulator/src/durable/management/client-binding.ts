/** The public address of the management API. */
export interface ManagementAddress {
  /** The host's address, without a slash at the end. */
  origin: string;
  hubName: string;
  /** The name of the hub's connection in host.json. */
  connection: string;
  /** The system key that opens the API. */
  key: string;
}

export interface ClientBinding extends ManagementAddress {
  /** The local address that the SDK's client calls; ends with a slash. */
  rpcBaseUrl: string;
}

/** The path of the management API on the host. */
export const WEBHOOK_PATH = '/runtime/webhooks/durabletask';

/** The JSON text that a `durableClient` binding gets, as recorded from a real host. */
export function clientBindingValue({ rpcBaseUrl, ...address }: ClientBinding): string {
  const webhook = `${address.origin}${WEBHOOK_PATH}`;
  const start = `${webhook}/orchestrators/{functionName}[/{instanceId}]`;
  const code = `code=${address.key}`;
  return JSON.stringify({
    taskHubName: address.hubName,
    connectionName: null,
    creationUrls: {
      createNewInstancePostUri: `${start}?${code}`,
      createAndWaitOnNewInstancePostUri: `${start}?timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}&${code}`,
    },
    // The SDK replaces this with the instance's id.
    managementUrls: { id: 'INSTANCEID', ...managementUrls(address, 'INSTANCEID') },
    baseUrl: webhook,
    requiredQueryStringParameters: code,
    rpcBaseUrl,
    httpBaseUrl: null,
    maxGrpcMessageSizeInBytes: null,
    grpcHttpClientTimeout: null,
  });
}

/** The URLs that manage one instance. */
export function managementUrls(
  { origin, hubName, connection, key }: ManagementAddress,
  instanceId: string,
): Record<string, string> {
  const instance = `${origin}${WEBHOOK_PATH}/instances/${urlEncode(instanceId)}`;
  const query = `taskHub=${urlEncode(hubName)}&connection=${urlEncode(connection)}&code=${key}`;
  return {
    statusQueryGetUri: `${instance}?${query}`,
    sendEventPostUri: `${instance}/raiseEvent/{eventName}?${query}`,
    terminatePostUri: `${instance}/terminate?reason={text}&${query}`,
    rewindPostUri: `${instance}/rewind?reason={text}&${query}`,
    purgeHistoryDeleteUri: `${instance}?${query}`,
    restartPostUri: `${instance}/restart?${query}`,
    suspendPostUri: `${instance}/suspend?reason={text}&${query}`,
    resumePostUri: `${instance}/resume?reason={text}&${query}`,
  };
}

/** Encodes like .NET's `WebUtility.UrlEncode`, which writes a space as `+`, also in a path. */
function urlEncode(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replaceAll('%20', '+')
    .replaceAll(/['~]/g, (char) => (char === "'" ? '%27' : '%7E'));
}
