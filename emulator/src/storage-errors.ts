/**
 * Failures of Azure Storage by their status, without its libraries: they take half a second to load, and are
 * not always needed.
 */

/** The HTTP status with which a storage call failed; undefined for other failures. */
export function statusOf(error: unknown): number | undefined {
  return (error as { statusCode?: number } | undefined)?.statusCode;
}

/** Ignores failures with one of the statuses, for calls that have nothing left to do then. */
export function ignore(...statuses: number[]): (error: unknown) => void {
  return (error) => {
    if (!statuses.includes(statusOf(error)!)) throw error;
  };
}
