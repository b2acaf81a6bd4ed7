/** Jobs on tables of IDs: roots of supervoxels, and tables of roots brought up to date. No voxel is read. */
import { TableError } from '../base/errors.ts';
import { wordsOf } from '../base/uint64.ts';
import { PointStatus, statusCode } from '../points/status.ts';
import { answerRows, type RowCounts, type RowJob, type RowOptions } from './answer-rows.ts';
import type { Sink } from '../tables/files/streams.ts';
import { openFormat, openIdList, type IdFormatName, type TextOptions } from '../tables/formats.ts';
import { type Answers, withGiven } from './lookup.ts';
import { isMissing } from '../tables/missing.ts';
import type { CellsOf, ColumnChoice, IdCells, TableColumns } from '../tables/table.ts';

/** Which columns a question about IDs reads and writes. A row may be asked about several times: once for every `width` columns of IDs. */
export interface IdColumns extends Partial<Omit<TableColumns, 'texts'>> {
  /** All columns of the first question of a row, then of the second, and so on. */
  ids: readonly string[];
  outputs: readonly string[];
  /** Columns of statuses that were written earlier, one a question; they need not be there yet. */
  statuses?: readonly string[];
}

/** What is asked of each row's IDs. */
export interface IdQuestion {
  /** Columns read and written, from the names that the table has. @throws TableError MISSING_COLUMN. */
  columns(found: readonly string[], cellsOf: CellsOf): IdColumns;
  /** How many columns of IDs one question takes. */
  readonly width: number;
  /** What the IDs of a bare list are called. */
  readonly listName: string;
  /** Answers all rows; what is in `given` of the first column stands, whatever the answer. */
  ask(rows: IdRows, signal: AbortSignal | undefined): Promise<Answers>;
}

/** The first questions of all rows, then the second, and so on. */
export interface IdRows {
  /** One array a column of a question; 0 where there is no ID. */
  ids: readonly BigUint64Array[];
  /** For each of them `invalidId` or `notLookedUp` where there is none. */
  given: readonly Uint8Array[];
  /** Statuses that were written earlier; 0 for none. */
  statuses: Uint8Array;
}

export interface IdTableOptions extends RowOptions {
  format: IdFormatName;
  text?: TextOptions;
  /** Write over output columns that exist. @default false */
  replace?: boolean;
  /** Whether words for missing IDs are told of like mangled ones; empty cells never are. @default false */
  tellMissing?: boolean;
}

/** Answers every row. The caller finishes or abandons the sink. @throws TableError. */
export async function answerIds(
  question: IdQuestion,
  source: AsyncIterable<Uint8Array>,
  sink: Sink,
  options: IdTableOptions,
): Promise<RowCounts> {
  const { replace = false, tellMissing = false, signal } = options,
    { width } = question;
  let columns: IdColumns = { ids: [], outputs: [] };
  const choose: ColumnChoice = (found, cellsOf) => {
    columns = question.columns(found, cellsOf);
    return { replace, texts: tellMissing ? columns.ids : (columns.statuses ?? []), ...columns };
  };
  const { format: name, text } = options;
  const format =
    name === 'list' || name === 'tab-list'
      ? openIdList(name, question.listName, choose, text)
      : openFormat(name, choose, text);
  let count = 0;
  let ids: BigUint64Array[] = [];
  let given: Uint8Array[] = [];
  let statuses = new Uint8Array(0);
  let cells: IdCells[] = [];
  const job: RowJob = {
    wanted: 'a valid ID',
    get sides() {
      return columns.ids.filter((_, k) => k % width === 0);
    },
    begin(rows) {
      count = rows;
      const all = (rows * columns.ids.length) / width;
      ids = Array.from({ length: width }, () => new BigUint64Array(all));
      given = ids.map(() => new Uint8Array(all));
      statuses = new Uint8Array(all);
      cells = columns.ids.map((_, k) => {
        const first = Math.floor(k / width) * rows;
        return {
          words: wordsOf(ids[k % width]).subarray(2 * first, 2 * (first + rows)),
          given: given[k % width].subarray(first, first + rows),
        };
      });
    },
    read(bytes, start, end, row) {
      const reason = format.readIds(bytes, start, end, cells, row);
      columns.statuses?.forEach((name, side) => {
        statuses[side * count + row] = earlierStatus(format.text(side), name);
      });
      if (reason !== undefined) return { reason, status: 'invalid_id' };
      const word = tellMissing && given[0][row] !== 0 ? format.text(0) : '';
      if (word === '') return undefined;
      given[0][row] = PointStatus.invalidId;
      return { reason: `column ${columns.ids[0]}: ${JSON.stringify(word)} is not an ID`, status: 'left out' };
    },
    ask: async () => withGiven(await question.ask({ ids, given, statuses }, signal), given[0]),
  };
  return answerRows(format, job, source, sink, options);
}

/** @throws TableError for a column that is somebody else's after all. */
function earlierStatus(text: string, column: string): number {
  const code = isMissing(text) ? 0 : statusCode(text);
  if (code === undefined)
    throw new TableError(
      'BAD_ROW',
      `column ${column} holds ${JSON.stringify(text.slice(0, 60))}, which is not a status: rename the column, and statuses will have their own`,
    );
  return code;
}
