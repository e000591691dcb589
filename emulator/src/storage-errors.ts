/** Failures of Azure Storage, told apart without its libraries: those take half a second to load, and are not always needed. */

/** The HTTP status that a storage call failed with; undefined for other failures. */
export function statusOf(error: unknown): number | undefined {
  return (error as { statusCode?: number } | undefined)?.statusCode;
}

/** Swallows failures with one of the statuses, for calls whose aim is reached then. */
export function ignore(...statuses: number[]): (error: unknown) => void {
  return (error) => {
    if (!statuses.includes(statusOf(error)!)) throw error;
  };
}
