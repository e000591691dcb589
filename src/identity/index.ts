import type { TokenCredential } from '@azure/identity';

/** A user-assigned identity when a client id names it; else whatever the machine has, the developer's own login included. */
export async function credential(clientId: string | undefined): Promise<TokenCredential> {
  // Loading it takes longer than starting most apps, and only Azure needs it.
  const { DefaultAzureCredential, ManagedIdentityCredential } = await import('@azure/identity');
  return clientId ? new ManagedIdentityCredential({ clientId }) : new DefaultAzureCredential();
}
