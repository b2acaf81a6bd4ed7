/** Counts the answers of a job by status, and adds up its statistics, for each of its volumes. */
import { emptyStats, type LookupStats } from '../points/result.ts';
import { PointStatus, statusText } from '../points/status.ts';
import type { JobPass, JobSums, RowCounts } from './job-types.ts';
import type { LookupAnswers } from './point-lookup.ts';
import { addStats } from './stats.ts';

/** The counts of one volume. */
interface VolumeCounts {
  /** Put before messages about the volume. */
  prefix: string;
  /** The number of answers per status code. */
  counts: Float64Array;
  stats: LookupStats;
}

/** Adds the number of times that each status code occurs. */
export function countCodes(status: Uint8Array, counts: Float64Array): void {
  for (let at = 0; at < status.length; at++) counts[status[at]]++;
}

/** The counts of one job. */
export class JobCounts {
  readonly #began = performance.now();
  readonly #also: readonly string[];
  readonly #passMs: Partial<Record<JobPass, number>> = {};
  /** The main volume, then the others. */
  readonly volumes: readonly VolumeCounts[];

  /** @param also The names of the other volumes. */
  constructor(also: readonly string[] = []) {
    this.#also = also;
    this.volumes = ['', ...also.map((name) => `${name}: `)].map((prefix) => ({
      prefix,
      counts: new Float64Array(256),
      stats: emptyStats(),
    }));
  }

  /** What is put before messages about each volume. */
  get prefixes(): string[] {
    return this.volumes.map(({ prefix }) => prefix);
  }

  /** Adds the answers of a batch. */
  add(answers: LookupAnswers): void {
    for (const [k, { counts, stats }] of this.volumes.entries()) {
      const own = k === 0 ? answers : answers.also![k - 1];
      countCodes(own.status, counts);
      addStats(stats, own.stats);
    }
  }

  /** Adds what was counted before, for each volume. */
  addCounted(
    volumes: readonly { counts: Iterable<readonly [code: number, count: number]>; stats: LookupStats }[],
  ): void {
    for (const [k, { counts, stats }] of volumes.entries()) {
      for (const [code, count] of counts) this.volumes[k].counts[code] += count;
      addStats(this.volumes[k].stats, stats);
    }
  }

  /** Returns what all volumes have counted so far. */
  sums(): JobSums {
    const sums = { chunksDone: 0, bytes: 0, cacheHits: 0, rootRequests: 0, failures: 0 };
    for (const { counts, stats } of this.volumes) {
      sums.chunksDone += stats.chunks;
      sums.bytes += stats.bytes;
      sums.cacheHits += stats.cacheHits;
      sums.rootRequests += stats.rootRequests;
      sums.failures += counts[PointStatus.failed] + counts[PointStatus.rootFailed];
    }
    return sums;
  }

  /** Does the work of a pass, and notes how long it takes. */
  async time<T>(pass: JobPass, work: () => Promise<T>): Promise<T> {
    const began = performance.now();
    try {
      return await work();
    } finally {
      this.#passMs[pass] = performance.now() - began;
    }
  }

  /** Sums up a job that is done. */
  summarize(rows: number, sides: readonly string[]): RowCounts {
    const [own, ...also] = this.volumes.map(({ counts, stats }) => {
      stats.points = rows * Math.max(1, sides.length);
      const statuses: Record<string, number> = {};
      counts.forEach((count, code) => count > 0 && (statuses[statusText(code)] = count));
      return { statuses, stats };
    });
    own.stats.ms.total = performance.now() - this.#began;
    const byName = this.#also.map((name, k) => [name, also[k]] as const);
    return {
      rows,
      ...(sides.length > 1 && { sides }),
      ...own,
      ...(Object.keys(this.#passMs).length > 0 && { passMs: this.#passMs }),
      ...(also.length > 0 && { also: Object.fromEntries(byName) }),
    };
  }
}
