import type { TokenCredential } from '@azure/identity';

/**
 * A credential for Azure: the user-assigned identity with that client id, or else the machine's default, such
 * as a developer's login.
 */
export async function credential(clientId: string | undefined): Promise<TokenCredential> {
  // Loaded only where it is needed: it takes longer to load than the rest of the app.
  const { DefaultAzureCredential, ManagedIdentityCredential } = await import('@azure/identity');
  return clientId ? new ManagedIdentityCredential({ clientId }) : new DefaultAzureCredential();
}
