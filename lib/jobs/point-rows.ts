/** Reads the points of the rows of a table: chooses the columns, and says which rows are invalid and why. */
import { PointStatus } from '../points/status.ts';
import type { Batch, ColumnChoice, PointColumns } from '../tables/table.ts';
import { findAxisColumns, findPointColumns, findPointStem, outputNames } from './columns.ts';
import { CoordinateKinds } from './coordinate-kinds.ts';
import type { PointLookup } from './point-lookup.ts';
import { readRowTimestamps, type RowTimestamps } from './row-timestamps.ts';
import type { RowProblem } from './row-warnings.ts';
import type { NamedLookup } from './side-by-side.ts';

/** Which columns hold the points, and how their rows are read. */
export interface PointRowOptions {
  /**
   * The columns of the coordinates, if there are no `positions`.
   *
   * @default x, y and z, in lower or upper case
   */
  columns?: readonly [string, string, string];
  /**
   * The points of a row: columns whose cells hold all three coordinates, or the start of the names of three
   * columns.
   */
  positions?: readonly string[];
  /** The column with the timestamp of each row. A row without a timestamp uses that of the job. */
  timestampColumn?: string;
  /** Whether existing output columns are overwritten. @default false */
  replace?: boolean;
  /** Whether a row without a valid point is an error. @default false */
  strict?: boolean;
  /** Other volumes that are looked up at the same points. */
  also?: readonly NamedLookup[];
  /** Whether columns of whole numbers name voxels: values are computed between voxels. @default false */
  interpolates?: boolean;
  warn?: (message: string) => void;
}

/** The name of the only point of a row, if its columns are not named after it. */
export const ONLY_POINT = 'the point';

/** The rows of one batch. */
export interface PreparedRows {
  /** Set if rows have their own timestamps. */
  timestamps: RowTimestamps | undefined;
  /** Returns why a row is invalid, or undefined. */
  problemOf: (row: number) => RowProblem | undefined;
}

/** The points of the rows of one table. */
export class PointRows {
  /** The names of the points of a row. */
  readonly sides: readonly string[];
  readonly #options: PointRowOptions;
  readonly #outputs: readonly string[];
  readonly #kinds: CoordinateKinds | undefined;
  readonly #prepared = new WeakMap<Batch, PreparedRows>();
  #columns: readonly PointColumns[] = [];

  constructor(lookup: PointLookup, options: PointRowOptions) {
    const { positions, also = [], interpolates, warn = () => {} } = options;
    this.#options = options;
    this.sides = positions ?? [ONLY_POINT];
    this.#outputs = (positions ?? [undefined]).flatMap((position) =>
      [{ name: undefined, lookup }, ...also].flatMap(
        ({ name, lookup: { kind, stopLayer, channels, snaps } }) =>
          outputNames({ position, volume: name, kind, stopLayer, channels, snaps }),
      ),
    );
    this.#kinds = interpolates ? new CoordinateKinds(warn) : undefined;
  }

  /** Chooses the columns that are read and written. */
  readonly choose: ColumnChoice = (found) => {
    const { columns, positions, timestampColumn, interpolates } = this.#options;
    this.#columns = positions?.map((position) => findPointColumns(found, position)) ?? [
      columns ?? findAxisColumns(found),
    ];
    return {
      ...this.chooseOutputs(),
      points: this.#columns,
      notesNumbers: interpolates,
      texts: timestampColumn === undefined ? [] : [timestampColumn],
    };
  };

  /** Chooses the columns that are written, for a table whose points were read before. */
  readonly chooseOutputs = (): ReturnType<ColumnChoice> => {
    const { columns, positions, replace = false } = this.#options;
    const stem = columns && !positions ? findPointStem(columns) : undefined;
    return {
      outputs: this.#outputs,
      replace,
      advice: stem === undefined ? undefined : `position (--position ${stem}) names outputs after it`,
    };
  };

  /**
   * Reads the timestamps of a batch, once. Points of rows with an invalid timestamp are removed from the
   * batch.
   */
  prepare(batch: Batch): PreparedRows {
    let prepared = this.#prepared.get(batch);
    if (!prepared) this.#prepared.set(batch, (prepared = this.#prepare(batch)));
    return prepared;
  }

  #prepare(batch: Batch): PreparedRows {
    const { timestampColumn, strict = false } = this.#options,
      timestamps = timestampColumn === undefined ? undefined : readRowTimestamps(batch);
    return {
      timestamps,
      problemOf: (row) => {
        const has = (status: number): boolean => findSideWithStatus(batch, row, status) >= 0;
        if (has(PointStatus.invalidPoint))
          return { reason: () => batch.describeInvalid(row), status: 'invalid_point' };
        const missing = strict ? findSideWithStatus(batch, row, PointStatus.notLookedUp) : -1;
        if (missing >= 0)
          return { reason: () => `${this.sides[missing]} is missing`, status: 'not_looked_up' };
        return timestamps && has(PointStatus.invalidTimestamp)
          ? {
              reason: () => `column ${timestampColumn}: ${timestamps.describeInvalid(row)}`,
              status: 'invalid_timestamp',
            }
          : undefined;
      },
    };
  }

  /**
   * Notes how the coordinates of a batch are written. Called once for each batch, in their order.
   * @throws TableError BAD_FORMAT.
   */
  noteNumbers(batch: Batch): void {
    this.#kinds?.note(batch, this.#columns);
  }

  /** Which coordinates of a row name voxels, three for each side; undefined if none does. */
  get namesVoxels(): readonly boolean[] | undefined {
    return this.#kinds?.namesVoxels;
  }
}

/** Returns the first side of a row that has this status instead of a point, or -1. */
function findSideWithStatus({ pointStatus, rows }: Batch, row: number, status: number): number {
  for (let at = row; at < pointStatus.length; at += rows)
    if (pointStatus[at] === status) return Math.floor(at / rows);
  return -1;
}
