import type { DurableSettings } from '../settings.js';

/** Whether this app may run an instance of that version, by `versionMatchStrategy`. */
export function complies(version: string | null, { defaultVersion, versionMatch }: DurableSettings): boolean {
  switch (versionMatch) {
    case 'None':
      return true;
    case 'Strict':
      return version === defaultVersion;
    case 'CurrentOrOlder':
      return compareVersions(version, defaultVersion) <= 0;
  }
}

/** Why an app may not run an instance of that version. */
export function describeVersions(
  version: string | null,
  { defaultVersion, versionMatch }: DurableSettings,
): string {
  const text = (of: string | null): string => (of === null ? 'no version' : `the version '${of}'`);
  return (
    `The instance has ${text(version)}, and this app runs those of ${text(defaultVersion)}${versionMatch === 'Strict' ? '' : ' or older'} ` +
    '(host.json: defaultVersion, versionMatchStrategy).'
  );
}

/**
 * Compares as the Durable Task Framework does. No version is older than any version. Texts that
 * `System.Version` accepts are compared by their numbers, other texts without case.
 */
export function compareVersions(a: string | null, b: string | null): number {
  const [left, right] = [a?.trim() ? a : '', b?.trim() ? b : ''];
  if (left === '' || right === '') return Number(left !== '') - Number(right !== '');
  const [first, second] = [numbers(left), numbers(right)];
  if (first === undefined || second === undefined) {
    const [upper, other] = [left.toUpperCase(), right.toUpperCase()];
    return upper < other ? -1 : Number(upper > other);
  }
  for (let index = 0; index < 4; index++) {
    // A missing part is less than zero.
    const difference = (first[index] ?? -1) - (second[index] ?? -1);
    if (difference !== 0) return Math.sign(difference);
  }
  return 0;
}

/** The numbers of a text that `System.Version` accepts: two to four numbers. */
function numbers(version: string): number[] | undefined {
  const parts = version.split('.').map((part) => part.trim());
  return parts.length >= 2 &&
    parts.length <= 4 &&
    parts.every((part) => /^\d{1,10}$/.test(part) && Number(part) < 2 ** 31)
    ? parts.map(Number)
    : undefined;
}
