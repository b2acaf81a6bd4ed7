/** What a job on a table tells: how far it is, and what it did. Public types. */
import type { LookupStats } from '../points/result.ts';

/**
 * What a job does: a small table is only looked up. The points of a large one are sorted first, and its rows
 * are written last.
 */
export type JobPass = 'sorting' | 'looking up' | 'writing';

/** What all volumes of a job have counted so far. A call counts when it has ended. */
export interface JobSums {
  /** The chunks that are read. */
  chunksDone: number;
  /** The stored bytes that were read. */
  bytes: number;
  /** The chunks that came from the memory cache, or from a read that was in flight. */
  cacheHits: number;
  /** The requests for roots. */
  rootRequests: number;
  /** The points that failed: `failed` and `root_failed`. */
  failures: number;
}

/** What a job did. */
export interface RowCounts {
  /** The number of rows. */
  rows: number;
  /** The names of the sides of a row, if it has more than one. */
  sides?: readonly string[];
  /** The number of answers per status, by the text of the status. A status that did not occur is left out. */
  statuses: Record<string, number>;
  /**
   * Sums over all batches; a chunk or supervoxel in several batches counts in each. `ms.total` is the wall
   * time of the whole job.
   */
  stats: LookupStats;
  /** The wall time of each pass of a large table, in milliseconds. */
  passMs?: Partial<Record<JobPass, number>>;
  /** The same counts for each of the other volumes, by its name. */
  also?: Record<string, Pick<RowCounts, 'statuses' | 'stats'>>;
}

/** How far a job is. */
export interface TableProgress extends JobSums {
  /** What is done now. */
  pass: JobPass;
  /** The number of the pass, from 1. */
  passNumber: number;
  /** The number of all passes: 3 for a large table, else 1. */
  passes: number;
  /** The part of this pass that is done, from 0 to 1; undefined if that is unknown. */
  fraction: number | undefined;
  /** The rows that are done in this pass. In a row with several points, each point counts as a part of it. */
  rows: number;
}

/** What the job did, and the timestamps of its roots. */
export interface TableSummary extends RowCounts {
  /**
   * The timestamp of all roots; undefined if no roots were looked up, or if rows have their own timestamps.
   */
  timestamp?: Date;
  /** The timestamps of the roots, if rows have their own. */
  timestamps?: {
    /** The earliest; null if there is none. */
    first: Date | null;
    /** The latest; null if there is none. */
    last: Date | null;
    /** The number of different ones. */
    count: number;
  };
}
