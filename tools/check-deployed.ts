/**
 * A step of the deploy workflow: checks the package that is about to be deployed against the instances that are live in the
 * app of this azd environment. It reads the app's key from Azure, and gives it to the check in a variable.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import path from 'node:path';

/** A resource group, as Azure Resource Manager serves it. */
export interface ResourceGroup {
  /** The origin of Azure Resource Manager. */
  azure: string;
  /** Such as `/subscriptions/<id>/resourceGroups/<name>`. */
  id: string;
  token: string;
}

/** The system key of the management API of Durable Functions. */
const KEY = 'durabletask_extension';
const VERSION = 'api-version=2024-04-01';

/**
 * Finds the app of a resource group, and the key of its management API.
 *
 * @returns undefined when the group has no app in which a workflow can have run
 * @throws Error when Azure does not answer
 */
export async function deployedApp({
  azure,
  id,
  token,
}: ResourceGroup): Promise<{ url: string; key: string } | undefined> {
  const call = async (method: string, resource: string): Promise<Response> => {
    const response = await fetch(`${azure}${resource}?${VERSION}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
    });
    if (!response.ok && response.status !== 404)
      throw new Error(`Azure answers ${response.status} to ${method} ${resource}.`);
    return response;
  };
  // https://learn.microsoft.com/rest/api/appservice/web-apps/list-by-resource-group
  const sites = await call('GET', `${id}/providers/Microsoft.Web/sites`);
  if (sites.status === 404) return undefined;
  const { value } = (await sites.json()) as {
    value: { id: string; tags?: Record<string, string>; properties: { defaultHostName: string } }[];
  };
  const app = value.find(({ tags }) => tags?.['azd-service-name'] === 'app');
  if (app === undefined) return undefined;
  // https://learn.microsoft.com/rest/api/appservice/web-apps/list-host-keys
  const keys = await call('POST', `${app.id}/host/default/listkeys`);
  const { systemKeys } = (keys.ok ? await keys.json() : {}) as { systemKeys?: Record<string, string> };
  const key = systemKeys?.[KEY];
  return key === undefined ? undefined : { url: `https://${app.properties.defaultHostName}`, key };
}

if (import.meta.main) {
  const [folder = 'package', ...options] = process.argv.slice(2);
  const { AZURE_SUBSCRIPTION_ID: subscription, AZURE_ENV_NAME: environment } = process.env;
  try {
    const { token } = JSON.parse(
      execFileSync('azd', ['auth', 'token', '--output', 'json'], { encoding: 'utf8' }),
    ) as { token: string };
    const app = await deployedApp({
      azure: 'https://management.azure.com',
      id: `/subscriptions/${subscription}/resourceGroups/rg-${environment}`,
      token,
    });
    if (app === undefined) process.stdout.write('No app is deployed yet: there are no live instances.\n');
    else {
      const cli = path.resolve(import.meta.dirname, '../emulator/dist/cli.js');
      const { status } = spawnSync(
        process.execPath,
        [cli, 'check-running', app.url, '--app', folder, ...options],
        { stdio: 'inherit', env: { ...process.env, CHECK_RUNNING_KEY: app.key } },
      );
      process.exitCode = status ?? 2;
    }
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 2;
  }
}
