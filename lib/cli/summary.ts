/** What a job says when it is done: a line for people, JSON for programs. */
import type { TableSummary } from '../jobs/point-table.ts';

const number = (n: number): string => n.toLocaleString('en-US');
const count = (n: number, what: string): string => `${number(n)} ${what}${n === 1 ? '' : 's'}`;

function rowsByStatus(
  { rows, sides, statuses }: Pick<TableSummary, 'rows' | 'sides' | 'statuses'>,
  what: string,
): string {
  const byStatus = Object.entries(statuses).sort(([, a], [, b]) => b - a);
  return `${count(rows, 'row')}${sides ? ` of ${sides.length} ${what}` : ''}${byStatus.length > 0 ? `: ${byStatus.map(([status, n]) => `${number(n)} ${status}`).join(', ')}` : ''}`;
}

export function summaryLine(summary: TableSummary): string {
  const { stats } = summary,
    moments = momentsOf(summary);
  return [
    rowsByStatus(summary, 'points'),
    ...(moments === undefined ? [] : [`roots as of ${moments}`]),
    [
      count(stats.requests, 'storage request'),
      count(stats.bytes, 'byte'),
      ...(moments === undefined ? [] : [count(stats.rootRequests, 'root request')]),
    ].join(', '),
  ].join('; ');
}

/** The same for a table of IDs, of which `changed` have another root than before. @param votes Whether roots came from votes, whose requests nobody counts. */
export function idSummaryLine(summary: TableSummary & { changed?: number }, votes = false): string {
  const { timestamp, changed, stats } = summary;
  return [
    rowsByStatus(summary, 'IDs'),
    ...(changed === undefined ? [] : [`${number(changed)} changed`]),
    ...(timestamp === undefined ? [] : [`roots as of ${timestamp.toISOString()}`]),
    ...(votes ? [] : [count(stats.rootRequests, 'root request')]),
  ].join('; ');
}

function momentsOf({
  timestamp,
  timestamps,
}: Pick<TableSummary, 'timestamp' | 'timestamps'>): string | undefined {
  if (!timestamps?.first || !timestamps.last) return timestamp?.toISOString();
  const first = timestamps.first.toISOString();
  return timestamps.count === 1
    ? first
    : `${first} to ${timestamps.last.toISOString()} (${count(timestamps.count, 'moment')})`;
}

/** `timestamp` is null where no roots were asked for, and where rows have their own: `timestamps` says which then. */
export function statsJson({
  rows,
  sides,
  statuses,
  timestamp,
  timestamps,
  changed,
  stats,
}: TableSummary & { changed?: number }): string {
  return `${JSON.stringify({ timestamp: timestamp ?? null, timestamps, rows, sides, changed, statuses, ...stats }, null, 2)}\n`;
}
