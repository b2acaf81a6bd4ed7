/** Jobs on tables of IDs: roots of supervoxels, and tables of roots brought up to date. No voxel is read. */
import { wordsOf } from '../base/uint64.ts';
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
  /**
   * @param ids One array a column of `columns().ids`; 0 where a row has none.
   * @param invalid Rows whose IDs cannot be read.
   */
  ask(ids: readonly BigUint64Array[], invalid: ReadonlySet<number>, signal: AbortSignal | undefined): Promise<Answers>;
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
  let invalid = new Set<number>();
  const job: RowJob = {
    wanted: 'a valid ID',
    invalid: 'invalid_id',
    begin(count) {
      ids = Array.from({ length: question.width }, () => new BigUint64Array(count));
      words = ids.map(wordsOf);
      invalid = new Set();
    },
    read(bytes, start, end, row) {
      const reason = format.readIds(bytes, start, end, words, row);
      if (reason !== undefined) invalid.add(row);
      return reason;
    },
    ask: () => question.ask(ids, invalid, signal),
  };
  return answerRows(format, job, source, sink, options);
}
