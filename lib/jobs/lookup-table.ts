/** The main job on a table: rows with points in, the same rows out with what is at their points. */
import { LookupError } from '../base/errors.ts';
import { parseTimestamp } from '../chunkedgraph/timestamp.ts';
import { answerRows, type RowCounts, type RowJob, type RowOptions } from './answer-rows.ts';
import { outputNames } from './columns.ts';
import type { Sink } from './files.ts';
import { type FormatName, openFormat } from './format.ts';
import type { Lookup } from './lookup.ts';

export interface TableJobOptions extends RowOptions {
  format: FormatName;
  /** Three columns of coordinates, or one whose cells hold all three. */
  point: readonly [string, string, string] | readonly [string];
  /** Column with the timestamp of each row; an empty cell means the job's own. */
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
export async function lookupTable(lookup: Lookup, source: AsyncIterable<Uint8Array>, sink: Sink, options: TableJobOptions): Promise<TableSummary> {
  const { point, timestampColumn, replace = false, signal } = options;
  const { kind, stopLayer, channels, snaps } = lookup;
  const outputs = outputNames({ position: point.length === 1 ? point[0] : undefined, kind, stopLayer, channels, snaps });
  const format = openFormat(options.format, { point, timestamp: timestampColumn, outputs, replace });
  const instants = new Set<number>(); // each has cost a root request: there are not too many
  const timed = timestampColumn !== undefined;
  let points = new Float64Array(0);
  let of = new Int32Array(0);
  let calendar = new Calendar();

  const job: RowJob = {
    wanted: 'a valid point',
    invalid: 'invalid_point',
    begin(count) {
      points = new Float64Array(3 * count);
      of = new Int32Array(timed ? count : 0);
      calendar = new Calendar();
    },
    read(bytes, start, end, row) {
      const reason = format.readPoint(bytes, start, end, points, 3 * row);
      if (!timed || reason !== undefined) return reason;
      const moment = calendar.momentOf(format.timestamp());
      if (typeof moment === 'string') {
        points.fill(NaN, 3 * row, 3 * row + 3);
        return moment;
      }
      of[row] = moment;
      return undefined;
    },
    async ask(onProgress) {
      const answers = await lookup.ask({ points, moments: timed ? { of, instants: calendar.instants } : undefined, signal, onProgress });
      for (const instant of answers.instants ?? []) instants.add(instant.getTime());
      return answers;
    },
  };
  const counts = await answerRows(format, job, source, sink, options);
  const moments = timed ? { timestamps: spanOf(instants) } : { timestamp: kind === 'graph' ? lookup.timestamp : undefined };
  return { ...counts, ...moments };
}

function spanOf(instants: ReadonlySet<number>): TableSummary['timestamps'] {
  let first = Infinity, last = -Infinity;
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
  readonly #byText = new Map<string, number | string>([['', OWN_MOMENT], ['now', OWN_MOMENT]]);
  readonly #byMs = new Map<number, number>();

  /** Index of the instant (or the job's own), or why the text is none. */
  momentOf(text: string): number | string {
    let moment = this.#byText.get(text);
    if (moment === undefined) this.#byText.set(text, (moment = this.#parse(text)));
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
