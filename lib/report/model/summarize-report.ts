/** Joins the records of all runs into what the page shows. */
import { LatencySketch, type LatencyBar } from './latency-sketch.ts';
import type { ReportInput } from './report-facts.ts';
import type { FaultRecord, HostRecord, RunRecord, SlowChunk } from './run-record.ts';
import { joinTimelines, type JoinedTimeline } from './run-timeline.ts';
import { MOST } from './run-collector.ts';

/** The latencies of one kind of work. */
export interface LatencySummary {
  name: string;
  count: number;
  mean: number;
  p50: number;
  p90: number;
  p99: number;
  max: number;
  bars: readonly LatencyBar[];
}

/** What the page shows. */
export interface ReportSummary extends ReportInput {
  outcome: RunRecord['outcome'];
  error?: string;
  timeline: JoinedTimeline;
  latencies: readonly LatencySummary[];
  chunks: RunRecord['chunks'];
  roots: RunRecord['roots'];
  batches: RunRecord['batches'];
  hosts: readonly HostRecord[];
  faults: readonly FaultRecord[];
  slowest: readonly SlowChunk[];
  warnings: RunRecord['warnings'];
  statuses: readonly Readonly<Record<string, number>>[];
  peakMemoryBytes: number;
}

/** Sums up the runs of a report. */
export function summarizeReport(input: ReportInput): ReportSummary {
  const { runs, counts, answers } = input,
    last = runs[runs.length - 1];
  return {
    ...input,
    outcome: last.outcome,
    error: last.error,
    timeline: joinTimelines(runs),
    latencies: [
      latencyOf('Chunks from the store', runs, 'store'),
      latencyOf('Chunks from the disk cache', runs, 'disk'),
      latencyOf('Root requests', runs, 'roots'),
    ].filter(({ count }) => count > 0),
    chunks: sumOf(runs.map(({ chunks }) => chunks)),
    roots: sumOf(runs.map(({ roots }) => roots)),
    batches: sumOf(runs.map(({ batches }) => batches)),
    hosts: joinBy(
      runs.flatMap(({ hosts }) => hosts),
      ({ host }) => host,
    ).toSorted((a, b) => work(b) - work(a)),
    faults: joinBy(
      runs.flatMap(({ faults }) => faults),
      ({ what, host, code }) => `${what} ${host} ${code}`,
    )
      .toSorted((a, b) => b.count - a.count)
      .slice(0, MOST.faults),
    slowest: runs
      .flatMap(({ slowest }) => slowest)
      .toSorted((a, b) => b.ms - a.ms)
      .slice(0, MOST.slowest),
    warnings: {
      total: runs.reduce((sum, { warnings }) => sum + warnings.total, 0),
      texts: joinBy(
        runs.flatMap(({ warnings }) => warnings.texts),
        ({ text }) => text,
      ).slice(0, MOST.warnings),
    },
    statuses: counts?.statuses ?? answers.statuses,
    peakMemoryBytes: Math.max(...runs.map((run) => run.peakMemoryBytes)),
  };
}

function latencyOf(
  name: string,
  runs: readonly RunRecord[],
  kind: keyof RunRecord['latencies'],
): LatencySummary {
  const sketch = new LatencySketch();
  for (const { latencies } of runs) sketch.merge(latencies[kind]);
  const { count, mean, max } = sketch,
    [p50, p90, p99] = [0.5, 0.9, 0.99].map((part) => sketch.quantile(part));
  return { name, count, mean, p50, p90, p99, max, bars: sketch.bars() };
}

/** Adds up the numbers of all parts. */
const sumOf = <T extends Record<string, number>>(parts: readonly T[]): T =>
  Object.fromEntries(
    Object.keys(parts[0]).map((name) => [name, parts.reduce((sum, part) => sum + part[name], 0)]),
  ) as T;

/** Joins records with the same key: their numbers are added up, and their texts are those of the first. */
function joinBy<T extends object>(records: readonly T[], keyOf: (record: T) => string): T[] {
  const joined = new Map<string, T>();
  for (const record of records) {
    const known = joined.get(keyOf(record)) as Record<string, unknown> | undefined;
    if (!known) joined.set(keyOf(record), { ...record });
    else
      for (const [name, value] of Object.entries(record))
        if (typeof value === 'number') known[name] = (known[name] as number) + value;
  }
  return [...joined.values()];
}

const work = (host: HostRecord): number =>
  host.read + host.missing + host.failed + host.rootRequests + host.rootFailures + host.retries;
