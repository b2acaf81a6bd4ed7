/** Runs the main job: looks up the points of a table and writes the same rows with their answers. */
import { PointStatus } from '../points/status.ts';
import { CoordinateKinds } from './coordinate-kinds.ts';
import { answerTable, type RowCounts, type RowOptions, type TableJob } from './answer-table.ts';
import { findAxisColumns, outputNames, findPointColumns, findPointStem } from './columns.ts';
import type { ByteSink } from '../tables/files/byte-streams.ts';
import type { TableInput } from '../tables/files/table-input.ts';
import type { FormatName } from '../tables/formats.ts';
import { openTable, type TextOptions } from '../tables/open-table.ts';
import type { Batch, ColumnChoice, PointColumns } from '../tables/table.ts';
import { type PointLookup, withPresetStatus } from './point-lookup.ts';
import { lookUpSideBySide, type NamedLookup } from './side-by-side.ts';
import { readRowTimestamps } from './row-timestamps.ts';

/** Options of `lookUpPointTable`. */
export interface PointTableOptions extends RowOptions {
  format: FormatName;
  text?: TextOptions;
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
  /** Other volumes that are looked up at the same points. */
  also?: readonly NamedLookup[];
  /** Whether columns of whole numbers name voxels: values are computed between voxels. @default false */
  interpolates?: boolean;
}

/** What the job did, and the timestamps of its roots. */
export interface TableSummary extends RowCounts {
  /**
   * The timestamp of all roots; undefined if no roots were looked up, or if rows have their own timestamps.
   */
  timestamp?: Date;
  /** The timestamps of the roots, if rows have their own. */
  timestamps?: { first: Date | null; last: Date | null; count: number };
}

/**
 * Looks up and writes every row of a table. The caller finishes or abandons the sink.
 *
 * @throws TableError if the table cannot be read. The message has the number of the row (data rows count
 *   from 1).
 */
export async function lookUpPointTable(
  lookup: PointLookup,
  source: AsyncIterable<Uint8Array> | TableInput,
  sink: ByteSink,
  options: PointTableOptions,
): Promise<TableSummary> {
  const {
    columns,
    positions,
    timestampColumn,
    replace = false,
    strict = false,
    also = [],
    interpolates,
  } = options;
  const sides = positions ?? ['the point'];
  const outputs = (positions ?? [undefined]).flatMap((position) =>
    [{ name: undefined, lookup }, ...also].flatMap(({ name, lookup: { kind, stopLayer, channels, snaps } }) =>
      outputNames({ position, volume: name, kind, stopLayer, channels, snaps }),
    ),
  );
  const stem = columns && !positions ? findPointStem(columns) : undefined;
  let pointColumns: readonly PointColumns[] = [];
  const kinds = interpolates ? new CoordinateKinds(options.warn ?? (() => {})) : undefined;
  const choose: ColumnChoice = (found) => ({
    points: (pointColumns = positions?.map((position) => findPointColumns(found, position)) ?? [
      columns ?? findAxisColumns(found),
    ]),
    notesNumbers: interpolates,
    texts: timestampColumn === undefined ? [] : [timestampColumn],
    outputs,
    replace,
    advice: stem === undefined ? undefined : `--position ${stem} names outputs after it`,
  });
  const table = openTable(source, choose, options);
  const usedTimestamps = new Set<number>(); // few enough to keep: each cost a root request
  const job: TableJob = {
    wanted: 'a valid point',
    sides,
    also: also.map(({ name }) => name),
    prepare(batch) {
      const { points, pointStatus } = batch,
        timestamps = timestampColumn === undefined ? undefined : readRowTimestamps(batch);
      return {
        problemOf(row) {
          const has = (status: number): boolean => findSideWithStatus(batch, row, status) >= 0;
          if (has(PointStatus.invalidPoint))
            return { reason: () => batch.describeInvalid(row), status: 'invalid_point' };
          const missing = strict ? findSideWithStatus(batch, row, PointStatus.notLookedUp) : -1;
          if (missing >= 0) return { reason: () => `${sides[missing]} is missing`, status: 'not_looked_up' };
          return timestamps && has(PointStatus.invalidTimestamp)
            ? {
                reason: () => `column ${timestampColumn}: ${timestamps.describeInvalid(row)}`,
                status: 'invalid_timestamp',
              }
            : undefined;
        },
        async lookUp(signal, onProgress) {
          const integers = kinds?.integersOf(batch, pointColumns);
          const answers = await lookUpSideBySide(lookup, also, {
            points,
            integers,
            timestamps,
            signal,
            onProgress,
          });
          for (const own of [answers, ...(answers.also ?? [])])
            for (const timestamp of own.timestamps ?? []) usedTimestamps.add(timestamp.getTime());
          return withPresetStatus(answers, pointStatus);
        },
      };
    },
  };
  const counts = await answerTable(table, table.sinkTo(sink, options.missing), job, options);
  const timestamps =
    timestampColumn === undefined
      ? { timestamp: lookup.kind === 'graph' ? lookup.timestamp : undefined }
      : { timestamps: findSpan(usedTimestamps) };
  return { ...counts, ...timestamps };
}

function findSpan(usedTimestamps: ReadonlySet<number>): TableSummary['timestamps'] {
  let first = Infinity,
    last = -Infinity;
  for (const ms of usedTimestamps) {
    first = Math.min(first, ms);
    last = Math.max(last, ms);
  }
  const date = (ms: number): Date | null => (Number.isFinite(ms) ? new Date(ms) : null);
  return { first: date(first), last: date(last), count: usedTimestamps.size };
}

/** Returns the first side of a row that has this status instead of a point, or -1. */
function findSideWithStatus({ pointStatus, rows }: Batch, row: number, status: number): number {
  for (let at = row; at < pointStatus.length; at += rows)
    if (pointStatus[at] === status) return Math.floor(at / rows);
  return -1;
}
