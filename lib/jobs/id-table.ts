/**
 * Runs jobs on tables of IDs, such as the roots of supervoxels or the update of older roots. These jobs read
 * no voxels, apart from those of supervoxels that were split.
 */
import { TableError } from '../base/errors.ts';
import { PointStatus, statusCode } from '../points/status.ts';
import type { ByteSink } from '../tables/files/byte-streams.ts';
import type { TableInput } from '../tables/files/table-input.ts';
import { isMissing } from '../tables/missing.ts';
import { openTable, type TableOptions } from '../tables/open-table.ts';
import type { Batch, CellsOf, ColumnChoice, TableColumns } from '../tables/table.ts';
import { answerTable, type RowOptions, type TableJob } from './answer-table.ts';
import type { RowCounts } from './job-types.ts';
import { type LookupAnswers, withPresetStatus } from './point-lookup.ts';

/**
 * The columns that a look-up of IDs reads and writes. A row may have several sides: one per `idsPerLookup`
 * columns of IDs.
 */
export interface IdColumns extends Partial<Omit<TableColumns, 'texts'>> {
  /** All columns of the first side of a row, then those of the second side. */
  ids: readonly string[];
  outputs: readonly string[];
  /** The columns of earlier statuses, one per side. The table may lack them. */
  statuses?: readonly string[];
}

/** A look-up of the IDs of each row. */
export interface IdLookup {
  /** Chooses the columns from the names that the table has. @throws TableError MISSING_COLUMN. */
  columns(found: readonly string[], cellsOf: CellsOf): IdColumns;
  /** The number of columns of IDs per side. */
  readonly idsPerLookup: number;
  /** The column name of the IDs of a list without a header. */
  readonly listName: string;
  /** Looks up all rows. A status in `presetStatus` of the first column overrides the answer. */
  lookUp(rows: IdRows, signal: AbortSignal | undefined): Promise<LookupAnswers>;
}

/** The IDs of a batch: those of all rows for the first side, then those for the second side. */
export interface IdRows {
  /** One array per column of a side; 0 if there is no ID. */
  ids: readonly BigUint64Array[];
  /** For each ID: 0, or `invalidId` or `notLookedUp` if there is no ID. */
  presetStatus: readonly Uint8Array[];
  /** The statuses of an earlier run; 0 if there is none. */
  earlierStatus: Uint8Array;
  /** The points, three coordinates each; empty unless columns of points are read, one per side. */
  points: Float64Array;
  /** For each point: 0, or `invalidPoint` or `notLookedUp` if there is no point. */
  pointStatus: Uint8Array;
}

/** Options of `lookUpIdTable`. */
export interface IdTableOptions extends RowOptions, Pick<TableOptions, 'format' | 'output' | 'text'> {
  /** Whether existing output columns are overwritten. @default false */
  replace?: boolean;
}

/** Looks up and writes every row. The caller finishes or abandons the sink. @throws TableError. */
export async function lookUpIdTable(
  lookup: IdLookup,
  source: AsyncIterable<Uint8Array> | TableInput,
  sink: ByteSink,
  options: IdTableOptions,
): Promise<RowCounts> {
  const { replace = false, missing } = options,
    { idsPerLookup, listName } = lookup;
  let columns: IdColumns = { ids: [], outputs: [] };
  const choose: ColumnChoice = (found, cellsOf) => {
    columns = lookup.columns(found, cellsOf);
    return { replace, texts: columns.statuses, ...columns };
  };
  const table = openTable(source, choose, { ...options, listName });
  const job: TableJob = {
    wanted: 'a valid ID',
    get sides() {
      return columns.ids.filter((_, k) => k % idsPerLookup === 0);
    },
    prepare(batch) {
      const ids = groupSides(batch.ids, batch.rows, idsPerLookup),
        presetStatus = groupSides(batch.idStatus, batch.rows, idsPerLookup),
        { statuses, check } = readEarlierStatuses(batch, columns.statuses ?? []);
      return {
        problemOf(row) {
          check(row);
          return hasInvalidId(batch, row)
            ? { reason: () => batch.describeInvalid(row), status: 'invalid_id' }
            : undefined;
        },
        lookUp: async (signal) =>
          withPresetStatus(
            await lookup.lookUp(
              {
                ids,
                presetStatus,
                earlierStatus: statuses,
                points: batch.points,
                pointStatus: batch.pointStatus,
              },
              signal,
            ),
            presetStatus[0],
          ),
      };
    },
  };
  return answerTable(table, table.sinkTo(sink, missing), job, options);
}

/** Returns whether any ID of a row cannot be read. */
export function hasInvalidId({ idStatus, rows }: Batch, row: number): boolean {
  for (let at = row; at < idStatus.length; at += rows)
    if (idStatus[at] === PointStatus.invalidId) return true;
  return false;
}

/**
 * Regroups columns that are stored side by side: one array per column of a side, with the rows of all sides.
 */
function groupSides<A extends BigUint64Array | Uint8Array>(columns: A, rows: number, width: number): A[] {
  if (width === 1) return [columns];
  const sides = columns.length / rows / width || 0;
  const view = (from: number): A => columns.subarray(from * rows, (from + 1) * rows) as A;
  return Array.from({ length: width }, (_, k) => {
    if (sides === 1) return view(k);
    const gathered = columns.slice(0, sides * rows) as A;
    for (let side = 0; side < sides; side++) gathered.set(view(side * width + k) as never, side * rows);
    return gathered;
  });
}

/**
 * Reads the statuses of an earlier run. `check` throws a TableError for a row whose status is not one of this
 * program.
 */
function readEarlierStatuses(
  batch: Batch,
  names: readonly string[],
): { statuses: Uint8Array; check: (row: number) => void } {
  const { rows, texts } = batch;
  const statuses = new Uint8Array(batch.idStatus.length);
  const rowsWithOtherText = new Set<number>();
  const codes = texts.map(({ spellings }) =>
    spellings.map((text) => (isMissing(text) ? 0 : statusCode(text))),
  );
  texts.forEach(({ indices }, side) => {
    for (let row = 0; row < rows; row++) {
      const code = codes[side][indices[row]];
      if (code === undefined) rowsWithOtherText.add(row);
      else statuses[side * rows + row] = code;
    }
  });
  return {
    statuses,
    check(row) {
      if (!rowsWithOtherText.has(row)) return;
      const side = codes.findIndex((known, k) => known[texts[k].indices[row]] === undefined),
        text = texts[side].spellings[texts[side].indices[row]];
      throw new TableError(
        'BAD_ROW',
        `${batch.nameOf(row)}: column ${names[side]} holds ${JSON.stringify(text.slice(0, 60))}, which is not a status: rename the column, and the statuses will get a column of their own`,
      );
    },
  };
}
