/** The main job on a table: rows with points in, the same rows out with what is at their points. */
import { PointStatus } from '../points/status.ts';
import { answerTable, type RowCounts, type RowOptions, type TableJob } from './answer-table.ts';
import { findAxisColumns, outputNames, findPointColumns, findPointStem } from './columns.ts';
import type { ByteSink } from '../tables/files/byte-streams.ts';
import type { FormatName } from '../tables/formats.ts';
import { openTable, type TextOptions } from '../tables/open-table.ts';
import type { Batch, ColumnChoice } from '../tables/table.ts';
import { type PointLookup, withPresetStatus } from './point-lookup.ts';
import { readRowTimestamps } from './row-timestamps.ts';

export interface PointTableOptions extends RowOptions {
  format: FormatName;
  text?: TextOptions;
  /** Columns of the coordinates of one point a row, where there are no `positions`. @default x, y and z, in upper or lower case */
  columns?: readonly [string, string, string];
  /** Points of a row, one or several: columns whose cells hold all three coordinates, or what the names of three columns begin with. */
  positions?: readonly string[];
  /** Column with the timestamp of each row; a missing one means the job's own. */
  timestampColumn?: string;
  /** Write over output columns that exist. @default false */
  replace?: boolean;
}

export interface TableSummary extends RowCounts {
  /** The one instant of all roots; undefined when none was asked for, or where rows have their own. */
  timestamp?: Date;
  /** Where rows have their own: the instants at which roots were asked. */
  timestamps?: { first: Date | null; last: Date | null; count: number };
}

/**
 * Looks up every row of a table. The caller finishes or abandons the sink.
 * @throws TableError for a table that cannot be read as asked, with the number of the row (data rows count from 1).
 */
export async function lookUpPointTable(
  lookup: PointLookup,
  source: AsyncIterable<Uint8Array>,
  sink: ByteSink,
  options: PointTableOptions,
): Promise<TableSummary> {
  const { columns, positions, timestampColumn, replace = false, strict = false } = options;
  const { kind, stopLayer, channels, snaps } = lookup;
  const sides = positions ?? ['the point'];
  const outputs = (positions ?? [undefined]).flatMap((position) =>
    outputNames({ position, kind, stopLayer, channels, snaps }),
  );
  const stem = columns && !positions ? findPointStem(columns) : undefined;
  const choose: ColumnChoice = (found) => ({
    points: positions?.map((position) => findPointColumns(found, position)) ?? [
      columns ?? findAxisColumns(found),
    ],
    texts: timestampColumn === undefined ? [] : [timestampColumn],
    outputs,
    replace,
    advice: stem === undefined ? undefined : `--position ${stem} names outputs after it`,
  });
  const table = openTable(source, choose, options);
  const instants = new Set<number>(); // each has cost a root request: there are not too many
  const job: TableJob = {
    wanted: 'a valid point',
    sides,
    prepare(batch) {
      const { points, pointStatus: noPoint } = batch,
        moments = timestampColumn === undefined ? undefined : readRowTimestamps(batch);
      return {
        problemOf(row) {
          const has = (status: number): boolean => sideWith(batch, row, status) >= 0;
          if (has(PointStatus.invalidPoint))
            return { reason: () => batch.describeInvalid(row), status: 'invalid_point' };
          const missing = strict ? sideWith(batch, row, PointStatus.notLookedUp) : -1;
          if (missing >= 0) return { reason: () => `${sides[missing]} is missing`, status: 'not_looked_up' };
          return moments && has(PointStatus.invalidTimestamp)
            ? {
                reason: () => `column ${timestampColumn}: ${moments.describeInvalid(row)}`,
                status: 'invalid_timestamp',
              }
            : undefined;
        },
        async lookUp(signal, onProgress) {
          const answers = await lookup.lookUp({ points, timestamps: moments, signal, onProgress });
          for (const instant of answers.timestamps ?? []) instants.add(instant.getTime());
          return withPresetStatus(answers, noPoint);
        },
      };
    },
  };
  const counts = await answerTable(table, table.sinkTo(sink, options.missing), job, options);
  const moments =
    timestampColumn === undefined
      ? { timestamp: kind === 'graph' ? lookup.timestamp : undefined }
      : { timestamps: spanOf(instants) };
  return { ...counts, ...moments };
}

function spanOf(instants: ReadonlySet<number>): TableSummary['timestamps'] {
  let first = Infinity,
    last = -Infinity;
  for (const ms of instants) {
    first = Math.min(first, ms);
    last = Math.max(last, ms);
  }
  const date = (ms: number): Date | null => (Number.isFinite(ms) ? new Date(ms) : null);
  return { first: date(first), last: date(last), count: instants.size };
}

/** The first side of a row that has a status instead of a point, or -1. */
function sideWith({ pointStatus: noPoint, rows }: Batch, row: number, status: number): number {
  for (let at = row; at < noPoint.length; at += rows)
    if (noPoint[at] === status) return Math.floor(at / rows);
  return -1;
}
