import type { OrchestrationContext } from 'durable-functions';

/**
 * Whether the instance began under this version of the app or a later one. The version is `defaultVersion` of host.json
 * at the time of its start, and it keeps that for life, also when it continues as new. An instance that began before
 * the app had versions is older than every version.
 *
 * The host compares versions in the same way:
 * https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-orchestration-versioning
 *
 * @param version two numbers: `2.0`
 * @example
 * if (sinceVersion(context, '2.0')) {
 *   yield* remindApprover(context, { id }, forSideEffects);
 * }
 */
export function sinceVersion(context: OrchestrationContext, version: `${number}.${number}`): boolean {
  const [began, since] = [numbers(context.df.version ?? ''), numbers(version)];
  return began[0] === since[0] ? began[1]! >= since[1]! : began[0]! > since[0]!;
}

/** The two numbers of a version. Those of no version are less than those of any. */
function numbers(version: string): number[] {
  const [, major, minor] = /^\s*(\d+)\.(\d+)/.exec(version) ?? [];
  return [Number(major ?? -1), Number(minor ?? -1)];
}
