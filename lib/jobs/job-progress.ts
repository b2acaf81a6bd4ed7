/** Tells how far a job is: in which pass, how many rows, and what it has read so far. It reads no clock. */
import type { JobCounts } from './job-counts.ts';
import type { JobPass, TableProgress } from './job-types.ts';

const PASSES: readonly JobPass[] = ['sorting', 'looking up', 'writing'];

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
