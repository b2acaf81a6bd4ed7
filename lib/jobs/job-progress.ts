/** Tells how far a job is: in which pass, how many rows, and what it has read so far. It reads no clock. */
import type { JobCounts, JobPass, JobSums } from './job-counts.ts';

const PASSES: readonly JobPass[] = ['sorting', 'looking up', 'writing'];

/** How far a job is. */
export interface TableProgress extends JobSums {
  pass: JobPass;
  /** The number of the pass, and the number of all passes. A job with one pass has 1 of 1. */
  passNumber: number;
  passes: number;
  /** The part of this pass that is done, from 0 to 1; undefined if that is unknown. */
  fraction: number | undefined;
  /** The rows that are done in this pass. In a row with several points, each point counts as a part of it. */
  rows: number;
}

/** Reports the progress of one job. */
export class JobProgress {
  readonly #onProgress: ((progress: TableProgress) => void) | undefined;
  readonly #counts: JobCounts;
  readonly #passes: number;

  /** @param isLarge Whether the table is sorted before and written after its look-up. */
  constructor(
    onProgress: ((progress: TableProgress) => void) | undefined,
    counts: JobCounts,
    isLarge: boolean,
  ) {
    this.#onProgress = onProgress;
    this.#counts = counts;
    this.#passes = isLarge ? PASSES.length : 1;
  }

  /**
   * Reports how far a pass is.
   * @param rows The rows that are done in it.
   * @param chunksInCall The chunks of a call that has not ended.
   */
  report(pass: JobPass, rows: number, fraction: number | undefined, chunksInCall = 0): void {
    if (!this.#onProgress) return;
    const sums = this.#counts.sums();
    this.#onProgress({
      pass,
      passNumber: this.#passes === 1 ? 1 : PASSES.indexOf(pass) + 1,
      passes: this.#passes,
      fraction,
      rows,
      ...sums,
      chunksDone: sums.chunksDone + chunksInCall,
    });
  }
}
