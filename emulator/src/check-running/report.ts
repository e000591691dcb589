import type { Checked, CheckResult } from './check-running.js';

/** The longest reason in a table. The whole text would often contain data of the workflow. */
const LONGEST_REASON = 400;
const HEADER = ['INSTANCE', 'ORCHESTRATOR', 'VERSION', 'STEP', 'REASON'];

/**
 * The result of a check as a person reads it in the log of a deployment.
 * @param strict whether instances that cannot be judged make the check fail
 */
export function report(
  { origin, live, checked }: CheckResult,
  strict: boolean,
): { text: string; ok: boolean } {
  const of = (verdict: Checked['verdict']): Checked[] => checked.filter((one) => one.verdict === verdict);
  const [departing, unknown] = [of('departs'), of('unknown')];
  const left = live - checked.length;
  const counts = [
    `${of('continues').length} continue`,
    `${departing.length} would be stranded`,
    `${unknown.length} cannot be judged`,
    `${of('ended').length} ended meanwhile`,
  ].join(', ');
  const text = [
    ...section('These instances would be stranded:', departing),
    ...section('These instances cannot be judged:', unknown),
    `${live} live ${live === 1 ? 'instance' : 'instances'} at ${origin}. Checked ${checked.length}: ${counts}.`,
    ...(left > 0
      ? [
          `Not checked: ${left}, which are neither the oldest nor the newest of their orchestrator, version and status (--max).`,
        ]
      : []),
  ].join('\n');
  return { text: `${text}\n`, ok: departing.length === 0 && !(strict && unknown.length > 0) };
}

function section(title: string, instances: readonly Checked[]): string[] {
  if (instances.length === 0) return [];
  const rows = [
    HEADER,
    ...instances.map(({ instanceId, name, version, step, reason = '' }) =>
      [instanceId, name, version ?? 'none', String(step ?? '?'), firstLine(reason)].map(printable),
    ),
  ];
  const widths = HEADER.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return [
    title,
    '',
    ...rows.map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    ),
    '',
  ];
}

function firstLine(text: string): string {
  const [line = ''] = text.split('\n');
  return line.length > LONGEST_REASON ? `${line.slice(0, LONGEST_REASON)}...` : line;
}

/** Without control characters, which ids from outside could contain. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '?');
}
