const LOCAL_ADDRESS =
  /UseDevelopmentStorage=true|TableEndpoint=https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\])[:/]/i;

/**
 * Whether the app runs on a developer's machine: not on Azure's platform, and with storage at an address of
 * this machine. When in doubt it does not: some things are shown, and some secrets made up, on local runs
 * only.
 */
export function isLocalRun(): boolean {
  const { WEBSITE_SITE_NAME: site, WEBSITE_INSTANCE_ID: instance, AppStorage: connection = '' } = process.env;
  return !site && !instance && LOCAL_ADDRESS.test(connection);
}
