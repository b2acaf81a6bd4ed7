/** The counts of a table that is complete, as a report shows them. */
import type { TableSummary } from '../jobs/job-types.ts';
import { addStats } from '../jobs/stats.ts';
import { emptyStats } from '../points/result.ts';
import type { ReportCounts } from './model/report-facts.ts';

/** Sums up the counts of all volumes. Times are those of the main one. */
export function countsOfSummary({
  rows,
  statuses,
  stats,
  passMs,
  also = {},
  timestamp,
  timestamps,
}: TableSummary): ReportCounts {
  const sum = emptyStats();
  for (const own of [stats, ...Object.values(also).map((other) => other.stats)]) addStats(sum, own);
  const span =
    timestamps?.first && timestamps.last
      ? {
          first: timestamps.first.toISOString(),
          last: timestamps.last.toISOString(),
          count: timestamps.count,
        }
      : timestamp && { first: timestamp.toISOString(), last: timestamp.toISOString(), count: 1 };
  return {
    rows,
    statuses: [statuses, ...Object.values(also).map((other) => other.statuses)],
    chunks: sum.chunks,
    requests: sum.requests,
    bytes: sum.bytes,
    cacheHits: sum.cacheHits,
    rootRequests: sum.rootRequests,
    rootCacheHits: sum.rootCacheHits ?? 0,
    distinctSupervoxels: sum.distinctSupervoxels,
    absentBy403: sum.absentBy403,
    totalMs: stats.ms.total,
    passMs,
    timestamps: span,
  };
}
