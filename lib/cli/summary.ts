/** Summarizes a job that is done: one line for people, JSON for programs. */
import type { TableSummary } from '../jobs/job-types.ts';
import type { DoneAgain } from '../jobs/done-again.ts';

const number = (n: number): string => n.toLocaleString('en-US');
const count = (n: number, what: string): string => `${number(n)} ${what}${n === 1 ? '' : 's'}`;

const byStatus = (statuses: Record<string, number>): string =>
  Object.entries(statuses)
    .sort(([, a], [, b]) => b - a)
    .map(([status, n]) => `${number(n)} ${status}`)
    .join(', ');

function rowsByStatus(
  { rows, sides, statuses }: Pick<TableSummary, 'rows' | 'sides' | 'statuses'>,
  what: string,
): string {
  const answers = byStatus(statuses);
  return `${count(rows, 'row')}${sides ? ` of ${sides.length} ${what}` : ''}${answers === '' ? '' : `: ${answers}`}`;
}

/** Formats the summary of a look-up of points. */
export function summaryLine(summary: TableSummary): string {
  const { also = {} } = summary,
    stats = { ...summary.stats },
    timestamps = formatTimestamps(summary);
  for (const { stats: own } of Object.values(also)) {
    stats.requests += own.requests;
    stats.bytes += own.bytes;
    stats.rootRequests += own.rootRequests;
  }
  return [
    rowsByStatus(summary, 'points'),
    ...Object.entries(also).map(([name, { statuses }]) => `${name}: ${byStatus(statuses)}`),
    ...(timestamps === undefined ? [] : [`roots as of ${timestamps}`]),
    [
      count(stats.requests, 'storage request'),
      count(stats.bytes, 'byte'),
      ...(timestamps === undefined ? [] : [count(stats.rootRequests, 'root request')]),
    ].join(', '),
  ].join('; ');
}

/**
 * Formats the summary of a look-up of IDs. `changed` is the number of rows with another root than before.
 *
 * @param votes Whether roots came from votes, whose requests are not counted.
 */
export function idSummaryLine(summary: TableSummary & { changed?: number }, votes = false): string {
  const { timestamp, changed, stats } = summary;
  return [
    rowsByStatus(summary, 'IDs'),
    ...(changed === undefined ? [] : [`${number(changed)} changed`]),
    ...(timestamp === undefined ? [] : [`roots as of ${timestamp.toISOString()}`]),
    ...(votes ? [] : [count(stats.rootRequests, 'root request')]),
  ].join('; ');
}

/** Puts the counts of each volume beside its statuses. */
const flattened = (also: NonNullable<TableSummary['also']>): Record<string, object> =>
  Object.fromEntries(
    Object.entries(also).map(([name, { statuses, stats }]) => [name, { statuses, ...stats }]),
  );

function formatTimestamps({
  timestamp,
  timestamps,
}: Pick<TableSummary, 'timestamp' | 'timestamps'>): string | undefined {
  if (!timestamps?.first || !timestamps.last) return timestamp?.toISOString();
  const first = timestamps.first.toISOString();
  return timestamps.count === 1
    ? first
    : `${first} to ${timestamps.last.toISOString()} (${count(timestamps.count, 'timestamp')})`;
}

/**
 * Formats the summary as JSON. `timestamp` is null if no roots were looked up, or if rows have their own:
 * then `timestamps` is set.
 *
 * @param peakMemoryBytes The most memory that the process had.
 */
export function statsJson(
  {
    rows,
    sides,
    statuses,
    timestamp,
    timestamps,
    changed,
    retried,
    refreshed,
    passMs,
    stats,
    also,
  }: StatsSummary,
  peakMemoryBytes = process.resourceUsage().maxRSS * 1024,
): string {
  const volumes = [{ statuses, stats }, ...Object.values(also ?? {})],
    seconds = stats.ms.total / 1000;
  const perSecond = (sum: number): number | null => (seconds > 0 ? Math.round(sum / seconds) : null);
  const figures = {
    timestamp: timestamp ?? null,
    timestamps,
    rows,
    sides,
    changed,
    retried,
    refreshed,
    statuses,
    failures: volumes.reduce((sum, one) => sum + failuresIn(one.statuses), 0),
    rowsPerSecond: perSecond(rows),
    bytesPerSecond: perSecond(volumes.reduce((sum, one) => sum + one.stats.bytes, 0)),
    peakMemoryBytes,
    passMs,
    ...stats,
    also: also && flattened(also),
  };
  return `${JSON.stringify(figures, null, 2)}\n`;
}

type StatsSummary = TableSummary & { changed?: number } & DoneAgain;

const failuresIn = ({ failed = 0, root_failed = 0 }: Record<string, number>): number => failed + root_failed;
