/** Settings with secrets. In Azure each is a reference to a secret in Key Vault. */
export type Secret = 'LINK_KEY' | 'LINK_KEY_PREVIOUS' | 'NOTIFICATION_WEBHOOK_URL';

/**
 * A secret from the settings; `undefined` when it is not set.
 *
 * @throws Error when Azure could not resolve the reference: then the setting holds the reference itself, which
 *   is no secret
 */
export function secretSetting(name: Secret): string | undefined {
  const value = process.env[name];
  if (value?.startsWith('@Microsoft.KeyVault(')) {
    throw new Error(`Azure has not resolved the reference to Key Vault in the setting ${name}`);
  }
  return value || undefined;
}
