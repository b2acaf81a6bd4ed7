/** Rows that hold no valid question: the first are told of in full, the others counted; a strict job stops at one. */
import { TableError } from '../base/errors.ts';
import type { Batch } from '../tables/table.ts';

/** Why a row has no valid question, and what its status will be. */
export interface RowProblem {
  reason: () => string;
  status: string;
}

export interface RowWarningOptions {
  /** A row that holds no valid question is an error. @default false */
  strict?: boolean;
  warn?: (message: string) => void;
}

/** Warnings of one kind that are spelled out. */
export const MAX_WARNINGS = 3;

export class RowWarnings {
  readonly #wanted: string;
  readonly #options: RowWarningOptions;
  #count = 0;

  /** @param wanted What the rows lack, as the summary of warnings calls it: `a valid point`. */
  constructor(wanted: string, options: RowWarningOptions) {
    this.#wanted = wanted;
    this.#options = options;
  }

  /**
   * Tells of the rows of a batch, in their order.
   * @throws TableError BAD_ROW when strict; what broke off the reading of the batch.
   */
  report(batch: Batch, refusalOf: (row: number) => RowProblem | undefined): void {
    const end = batch.readError?.row ?? batch.rows;
    for (let row = 0; row < end; row++) {
      const refusal = refusalOf(row);
      if (refusal) this.#refuse(batch, row, refusal);
    }
    if (batch.readError) throw batch.readError.error;
  }

  #refuse(batch: Batch, row: number, { reason, status }: RowProblem): void {
    const { strict = false, warn = () => {} } = this.#options;
    if (!strict && ++this.#count > MAX_WARNINGS) return;
    const message = `${batch.nameOf(row)}: ${reason()}`; // to find the line takes a look at the whole block
    if (strict) throw new TableError('BAD_ROW', message);
    warn(`${message}; ${status}`);
  }

  /** Says how many were not told of. */
  summarize(): void {
    if (this.#count > MAX_WARNINGS)
      this.#options.warn?.(`${this.#count - MAX_WARNINGS} more rows without ${this.#wanted}`);
  }
}
