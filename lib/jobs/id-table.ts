/** Jobs on tables of IDs: roots of supervoxels, and tables of roots brought up to date. No voxel is read. */
import { TableError } from '../base/errors.ts';
import { PointStatus, statusCode } from '../points/status.ts';
import type { ByteSink } from '../tables/files/byte-streams.ts';
import { isMissing } from '../tables/missing.ts';
import { openTable, type TableOptions } from '../tables/open-table.ts';
import type { Batch, CellsOf, ColumnChoice, TableColumns } from '../tables/table.ts';
import { answerTable, type RowCounts, type RowOptions, type TableJob } from './answer-table.ts';
import { type LookupAnswers, withPresetStatus } from './point-lookup.ts';

/** Which columns a question about IDs reads and writes. A row may be asked about several times: once for every `width` columns of IDs. */
export interface IdColumns extends Partial<Omit<TableColumns, 'texts'>> {
  /** All columns of the first question of a row, then of the second, and so on. */
  ids: readonly string[];
  outputs: readonly string[];
  /** Columns of statuses that were written earlier, one a question; they need not be there yet. */
  statuses?: readonly string[];
}

/** What is asked of each row's IDs. */
export interface IdLookup {
  /** Columns read and written, from the names that the table has. @throws TableError MISSING_COLUMN. */
  columns(found: readonly string[], cellsOf: CellsOf): IdColumns;
  /** How many columns of IDs one question takes. */
  readonly idsPerLookup: number;
  /** What the IDs of a bare list are called. */
  readonly listName: string;
  /** Answers all rows; what is in `given` of the first column stands, whatever the answer. */
  lookUp(rows: IdRows, signal: AbortSignal | undefined): Promise<LookupAnswers>;
}

/** The first questions of all rows, then the second, and so on. */
export interface IdRows {
  /** One array a column of a question; 0 where there is no ID. */
  ids: readonly BigUint64Array[];
  /** For each of them `invalidId` or `notLookedUp` where there is none. */
  presetStatus: readonly Uint8Array[];
  /** Statuses that were written earlier; 0 for none. */
  earlierStatus: Uint8Array;
}

export interface IdTableOptions extends RowOptions, Pick<TableOptions, 'format' | 'text'> {
  /** Write over output columns that exist. @default false */
  replace?: boolean;
}

/** Answers every row. The caller finishes or abandons the sink. @throws TableError. */
export async function lookUpIdTable(
  question: IdLookup,
  source: AsyncIterable<Uint8Array>,
  sink: ByteSink,
  options: IdTableOptions,
): Promise<RowCounts> {
  const { replace = false, missing } = options,
    { idsPerLookup: width, listName } = question;
  let columns: IdColumns = { ids: [], outputs: [] };
  const choose: ColumnChoice = (found, cellsOf) => {
    columns = question.columns(found, cellsOf);
    return { replace, texts: columns.statuses, ...columns };
  };
  const table = openTable(source, choose, { ...options, listName });
  const job: TableJob = {
    wanted: 'a valid ID',
    get sides() {
      return columns.ids.filter((_, k) => k % width === 0);
    },
    prepare(batch) {
      const ids = ofQuestions(batch.ids, batch.rows, width),
        given = ofQuestions(batch.idStatus, batch.rows, width),
        { statuses, check } = earlierStatuses(batch, columns.statuses ?? []);
      return {
        problemOf(row) {
          check(row);
          return hasInvalidId(batch, row)
            ? { reason: () => batch.describeInvalid(row), status: 'invalid_id' }
            : undefined;
        },
        lookUp: async (signal) =>
          withPresetStatus(
            await question.lookUp({ ids, presetStatus: given, earlierStatus: statuses }, signal),
            given[0],
          ),
      };
    },
  };
  return answerTable(table, table.sinkTo(sink, missing), job, options);
}

/** Whether any ID of a row cannot be read. */
export function hasInvalidId({ idStatus: noId, rows }: Batch, row: number): boolean {
  for (let at = row; at < noId.length; at += rows) if (noId[at] === PointStatus.invalidId) return true;
  return false;
}

/** Columns that stand question by question as one array for each column of a question: those of all first questions, then of the second. */
function ofQuestions<A extends BigUint64Array | Uint8Array>(columns: A, rows: number, width: number): A[] {
  if (width === 1) return [columns];
  const questions = columns.length / rows / width || 0;
  const view = (from: number): A => columns.subarray(from * rows, (from + 1) * rows) as A;
  return Array.from({ length: width }, (_, k) => {
    if (questions === 1) return view(k);
    const gathered = columns.slice(0, questions * rows) as A;
    for (let question = 0; question < questions; question++)
      gathered.set(view(question * width + k) as never, question * rows);
    return gathered;
  });
}

/** @returns 0 where there was none; and what throws a TableError for a row whose column is somebody else's after all. */
function earlierStatuses(
  batch: Batch,
  names: readonly string[],
): { statuses: Uint8Array; check: (row: number) => void } {
  const { rows, texts } = batch;
  const statuses = new Uint8Array(batch.idStatus.length);
  const foreign = new Set<number>(); // rows
  const codes = texts.map(({ spellings }) =>
    spellings.map((text) => (isMissing(text) ? 0 : statusCode(text))),
  );
  texts.forEach(({ indices: places }, side) => {
    for (let row = 0; row < rows; row++) {
      const code = codes[side][places[row]];
      if (code === undefined) foreign.add(row);
      else statuses[side * rows + row] = code;
    }
  });
  return {
    statuses,
    check(row) {
      if (!foreign.has(row)) return;
      const side = codes.findIndex((known, k) => known[texts[k].indices[row]] === undefined),
        text = texts[side].spellings[texts[side].indices[row]];
      throw new TableError(
        'BAD_ROW',
        `${batch.nameOf(row)}: column ${names[side]} holds ${JSON.stringify(text.slice(0, 60))}, which is not a status: rename the column, and statuses will have their own`,
      );
    },
  };
}
