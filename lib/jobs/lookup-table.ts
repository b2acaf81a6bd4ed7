/** The main job on a table: rows with points in, the same rows out with what is at their points. */
import { LookupError } from '../base/errors.ts';
import { parseTimestamp } from '../chunkedgraph/ids/timestamp.ts';
import { PointStatus } from '../points/status.ts';
import { answerRows, type Refusal, type RowCounts, type RowJob, type RowOptions } from './answer-rows.ts';
import { axesIn, outputNames, pointColumnsIn, stemOf } from './columns.ts';
import type { Sink } from '../tables/files/streams.ts';
import { type FormatName, openFormat, type TextOptions } from '../tables/formats.ts';
import { type Lookup, withGiven } from './lookup.ts';
import { isMissing } from '../tables/missing.ts';
import type { ColumnChoice, PointCells } from '../tables/table.ts';

export interface TableJobOptions extends RowOptions {
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
export async function lookupTable(
  lookup: Lookup,
  source: AsyncIterable<Uint8Array>,
  sink: Sink,
  options: TableJobOptions,
): Promise<TableSummary> {
  const { columns, positions, timestampColumn, replace = false, strict = false, signal } = options;
  const { kind, stopLayer, channels, snaps } = lookup;
  const sides = positions ?? ['the point'];
  const outputs = (positions ?? [undefined]).flatMap((position) =>
    outputNames({ position, kind, stopLayer, channels, snaps }),
  );
  const stem = columns && !positions ? stemOf(columns) : undefined;
  const choose: ColumnChoice = (found) => ({
    points: positions?.map((position) => pointColumnsIn(found, position)) ?? [columns ?? axesIn(found)],
    texts: timestampColumn === undefined ? [] : [timestampColumn],
    outputs,
    replace,
    advice: stem === undefined ? undefined : `--position ${stem} names outputs after it`,
  });
  const format = openFormat(options.format, choose, options.text);
  const instants = new Set<number>(); // each has cost a root request: there are not too many
  const timed = timestampColumn !== undefined;
  let rows = 0;
  let points = new Float64Array(0);
  let given = new Uint8Array(0);
  let cells: PointCells[] = [];
  let of = new Int32Array(0);
  let calendar = new Calendar();

  /** The moment of a row, for those of its points that there are. @returns why it has none. */
  const takeMoment = (row: number): Refusal | undefined => {
    let moment: number | string | undefined;
    for (let side = 0; side < cells.length; side++) {
      if (cells[side].given[row] !== 0) continue;
      moment ??= calendar.momentOf(format.text(0));
      if (typeof moment === 'number') of[side * rows + row] = moment;
      else {
        cells[side].given[row] = PointStatus.invalidTimestamp;
        cells[side].points.fill(NaN, 3 * row, 3 * row + 3);
      }
    }
    return typeof moment === 'string'
      ? { reason: `column ${timestampColumn}: ${moment}`, status: 'invalid_timestamp' }
      : undefined;
  };

  const job: RowJob = {
    wanted: 'a valid point',
    sides,
    begin(count) {
      rows = count;
      points = new Float64Array(3 * count * sides.length);
      given = new Uint8Array(count * sides.length);
      cells = sides.map((_, side) => ({
        points: points.subarray(3 * count * side, 3 * count * (side + 1)),
        given: given.subarray(count * side, count * (side + 1)),
      }));
      of = new Int32Array(timed ? count * sides.length : 0);
      calendar = new Calendar();
    },
    read(bytes, start, end, row) {
      const reason = format.readPoints(bytes, start, end, cells, row);
      const refusal = reason === undefined ? undefined : { reason, status: 'invalid_point' };
      const missing = strict && !refusal ? cells.findIndex((side) => side.given[row] !== 0) : -1;
      if (missing >= 0) return { reason: `${sides[missing]} is missing`, status: 'not_looked_up' };
      const untimed = timed ? takeMoment(row) : undefined;
      return refusal ?? untimed;
    },
    async ask(onProgress) {
      const answers = await lookup.ask({
        points,
        moments: timed ? { of, instants: calendar.instants } : undefined,
        signal,
        onProgress,
      });
      for (const instant of answers.instants ?? []) instants.add(instant.getTime());
      return withGiven(answers, given);
    },
  };
  const counts = await answerRows(format, job, source, sink, options);
  const moments = timed
    ? { timestamps: spanOf(instants) }
    : { timestamp: kind === 'graph' ? lookup.timestamp : undefined };
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

const OWN_MOMENT = -1;

/** The distinct instants of a batch; each spelling is parsed once. */
class Calendar {
  readonly instants: Date[] = [];
  readonly #byText = new Map<string, number | string>([['now', OWN_MOMENT]]);
  readonly #byMs = new Map<number, number>();

  /** Index of the instant (or the job's own), or why the text is none. */
  momentOf(text: string): number | string {
    let moment = this.#byText.get(text);
    if (moment === undefined)
      this.#byText.set(
        text,
        (moment = isMissing(text) || text.toLowerCase() === 'nat' ? OWN_MOMENT : this.#parse(text)),
      );
    return moment;
  }

  #parse(text: string): number | string {
    let instant: Date;
    try {
      instant = parseTimestamp(text);
    } catch (error) {
      if (error instanceof LookupError) return error.message;
      throw error;
    }
    let moment = this.#byMs.get(instant.getTime());
    if (moment === undefined) {
      this.#byMs.set(instant.getTime(), (moment = this.instants.length));
      this.instants.push(instant);
    }
    return moment;
  }
}
