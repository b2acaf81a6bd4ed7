/** Jobs on tables of IDs: roots of supervoxels, and tables of roots brought up to date. No voxel is read. */
import { wordsOf } from '../base/uint64.ts';
import { PointStatus } from '../points/status.ts';
import { answerRows, type RowCounts, type RowJob, type RowOptions } from './answer-rows.ts';
import type { Sink } from './files.ts';
import { openFormat, openIdList, type IdFormatName } from './format.ts';
import type { Answers } from './lookup.ts';
import type { TableColumns } from './table.ts';

/** What is asked of each row's IDs. */
export interface IdQuestion {
  /** Columns read and written, from the names that the table has. @throws TableError MISSING_COLUMN. */
  columns(found: readonly string[]): Pick<TableColumns, 'ids' | 'outputs'> & Partial<TableColumns>;
  /** How many columns of IDs are read. */
  readonly width: number;
  /** What the IDs of a bare list are called. */
  readonly listName: string;
  ask(rows: IdRows, signal: AbortSignal | undefined): Promise<Answers>;
}

export interface IdRows {
  /** One array a column of `columns().ids`; 0 where a row has none. */
  ids: readonly BigUint64Array[];
  /** Statuses that are known before anybody is asked: `invalidId`, and `notLookedUp` where the first column is empty; 0 for all others. */
  given: Uint8Array;
}

export interface IdTableOptions extends RowOptions {
  format: IdFormatName;
  /** Write over output columns that exist. @default false */
  replace?: boolean;
}

/** Answers every row. The caller finishes or abandons the sink. @throws TableError. */
export async function answerIds(question: IdQuestion, source: AsyncIterable<Uint8Array>, sink: Sink, options: IdTableOptions): Promise<RowCounts> {
  const { replace = false, signal } = options;
  const choose = (found: readonly string[]): TableColumns => ({ replace, ...question.columns(found) });
  const format = options.format === 'list' ? openIdList(question.listName, choose) : openFormat(options.format, choose);
  let ids: BigUint64Array[] = [];
  let words: Uint32Array[] = [];
  let given = new Uint8Array(0);
  const job: RowJob = {
    wanted: 'a valid ID',
    invalid: 'invalid_id',
    begin(count) {
      ids = Array.from({ length: question.width }, () => new BigUint64Array(count));
      words = ids.map(wordsOf);
      given = new Uint8Array(count);
    },
    read(bytes, start, end, row) {
      const reason = format.readIds(bytes, start, end, words, row);
      given[row] = reason !== undefined ? PointStatus.invalidId : format.hasId() ? 0 : PointStatus.notLookedUp;
      return reason;
    },
    ask: () => question.ask({ ids, given }, signal),
  };
  return answerRows(format, job, source, sink, options);
}
