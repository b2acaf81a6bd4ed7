/**
 * Warns about invalid rows: the first rows are described, the others are counted. A strict job stops at the
 * first.
 */
import { TableError } from '../base/errors.ts';
import type { Batch } from '../tables/table.ts';

/** Why a row is invalid, and the status that it gets. */
export interface RowProblem {
  reason: () => string;
  status: string;
}

/** What to do about invalid rows. */
export interface RowWarningOptions {
  /** Whether an invalid row is an error. @default false */
  strict?: boolean;
  warn?: (message: string) => void;
}

/** The number of warnings of one kind that are written in full. */
export const MAX_WARNINGS = 3;

/** Returns whether any point of a row has a status. */
function hasStatus(status: Uint8Array, row: number, rows: number): boolean {
  for (let at = row; at < status.length; at += rows) if (status[at] !== 0) return true;
  return false;
}

/** Reports the invalid rows of one job. */
export class RowWarnings {
  readonly #wanted: string;
  readonly #options: RowWarningOptions;
  readonly #reported = new WeakSet<Batch>();
  #count = 0;

  /** @param wanted What a valid row has, for the summary: `a valid point`. */
  constructor(wanted: string, options: RowWarningOptions) {
    this.#wanted = wanted;
    this.#options = options;
  }

  /**
   * Warns about the invalid rows of a batch, once.
   *
   * @param problemOf In a table of points, called for rows with a point that has a status.
   * @throws TableError BAD_ROW if the job is strict; the error that ended the reading of the batch.
   */
  report(batch: Batch, problemOf: (row: number) => RowProblem | undefined): void {
    if (this.#reported.has(batch)) return;
    this.#reported.add(batch);
    const { pointStatus, ids, rows } = batch,
      end = batch.readError?.row ?? rows,
      holdsPoints = ids.length === 0;
    for (let row = 0; row < end; row++) {
      if (holdsPoints && !hasStatus(pointStatus, row, rows)) continue;
      const problem = problemOf(row);
      if (problem) this.#warn(batch, row, problem);
    }
    if (batch.readError) throw batch.readError.error;
  }

  #warn(batch: Batch, row: number, { reason, status }: RowProblem): void {
    const { strict = false, warn = () => {} } = this.#options;
    if (!strict && ++this.#count > MAX_WARNINGS) return;
    const message = `${batch.nameOf(row)}: ${reason()}`; // slow: finding the line number scans the whole block
    if (strict) throw new TableError('BAD_ROW', message);
    warn(`${message}; ${status}`);
  }

  /** Warns how many rows were not described. */
  summarize(): void {
    const more = this.#count - MAX_WARNINGS;
    if (more > 0) this.#options.warn?.(`${more} more ${more === 1 ? 'row' : 'rows'} without ${this.#wanted}`);
  }
}
