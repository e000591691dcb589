/**
 * `azd` runs it before it provisions: a virtual network needs a resource provider that a template cannot register.
 * Flex Consumption delegates its subnet to Microsoft.App, whatever else the subscription uses.
 */
import { execFileSync } from 'node:child_process';

const NAMESPACE = 'Microsoft.App';

/** The subscription, as Azure Resource Manager serves it. */
export interface Subscription {
  /** Such as `https://management.azure.com/subscriptions/<id>`. */
  url: string;
  token: () => string;
}

/** Whether these settings of `azd` lead to a virtual network: infra/main.bicep decides the same. */
export function needsNetwork({ DURABLE_BACKEND, PRIVATE_NETWORK }: NodeJS.ProcessEnv): boolean {
  return DURABLE_BACKEND === 'scheduler' || PRIVATE_NETWORK === 'true';
}

/**
 * Reads whether the provider is registered.
 *
 * @returns what has to be done first, or undefined when nothing has
 * @throws Error when Azure does not answer
 */
export async function missing({ url, token }: Subscription): Promise<string | undefined> {
  // https://learn.microsoft.com/rest/api/resources/providers/get
  const response = await fetch(`${url}/providers/${NAMESPACE}?api-version=2021-04-01`, {
    headers: { authorization: `Bearer ${token()}` },
  });
  if (!response.ok)
    throw new Error(`Azure answers ${response.status} to whether ${NAMESPACE} is registered.`);
  const { registrationState } = (await response.json()) as { registrationState: string };
  return registrationState === 'Registered'
    ? undefined
    : `A virtual network needs the resource provider ${NAMESPACE} in this subscription. It is ${registrationState}.\n` +
        `Register it once, which takes some minutes: az provider register --namespace ${NAMESPACE} --wait`;
}

if (import.meta.main && needsNetwork(process.env)) {
  try {
    const message = await missing({
      url: `https://management.azure.com/subscriptions/${process.env['AZURE_SUBSCRIPTION_ID']}`,
      token: () =>
        (
          JSON.parse(execFileSync('azd', ['auth', 'token', '--output', 'json'], { encoding: 'utf8' })) as {
            token: string;
          }
        ).token,
    });
    if (message !== undefined) {
      process.stderr.write(`${message}\n`);
      process.exitCode = 1;
    }
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
