/**
 * Counts what happens in each interval of a run. There are at most 240 intervals: when they are full, each becomes
 * twice as long.
 */

/** What is counted. */
export const SERIES = ['points', 'chunks', 'bytes', 'rootRequests', 'retries'] as const;
export type SeriesName = (typeof SERIES)[number];

const MOST_BINS = 240;
const FIRST_WIDTH_MS = 50;

/** A timeline as plain data. */
export interface TimelineData {
  /** The length of each interval. */
  widthMs: number;
  /** For each series, the counts of all intervals. */
  counts: Record<SeriesName, readonly number[]>;
}

/** The timeline of one run. */
export class RunTimeline {
  #widthMs = FIRST_WIDTH_MS;
  #length = 0;
  readonly #counts = Object.fromEntries(SERIES.map((name) => [name, new Float64Array(MOST_BINS)])) as Record<
    SeriesName,
    Float64Array
  >;

  /** Adds to a series. @param ms Milliseconds since the start of the run. */
  add(name: SeriesName, ms: number, amount: number): void {
    const at = Math.max(0, ms);
    while (at >= MOST_BINS * this.#widthMs) this.#widen();
    const bin = Math.floor(at / this.#widthMs);
    this.#counts[name][bin] += amount;
    this.#length = Math.max(this.#length, bin + 1);
  }

  toJSON(): TimelineData {
    const counts = SERIES.map((name) => [name, [...this.#counts[name].subarray(0, this.#length)]] as const);
    return { widthMs: this.#widthMs, counts: Object.fromEntries(counts) as TimelineData['counts'] };
  }

  #widen(): void {
    for (const counts of Object.values(this.#counts)) {
      for (let bin = 0; 2 * bin < MOST_BINS; bin++) counts[bin] = counts[2 * bin] + counts[2 * bin + 1];
      counts.fill(0, MOST_BINS / 2);
    }
    this.#widthMs *= 2;
    this.#length = Math.ceil(this.#length / 2);
  }
}

/** A timeline of a run, and when the run began, in milliseconds since 1970. */
export interface PlacedTimeline {
  startMs: number;
  /** How long the run took. */
  ms: number;
  timeline: TimelineData;
}

/** The timelines of several runs as one. Times in which no run was at work are left out. */
export interface JoinedTimeline extends TimelineData {
  /** The intervals before which such times were. */
  gaps: readonly number[];
  /** How long runs were at work, in milliseconds: two at the same time count once. */
  activeMs: number;
}

/** Joins timelines. @param bins The most intervals. */
export function joinTimelines(runs: readonly PlacedTimeline[], bins = 120): JoinedTimeline {
  const spans: { startMs: number; endMs: number; offset: number }[] = [];
  for (const { startMs, ms } of runs.toSorted((a, b) => a.startMs - b.startMs)) {
    const last = spans.at(-1);
    if (last && startMs <= last.endMs) last.endMs = Math.max(last.endMs, startMs + ms);
    else
      spans.push({
        startMs,
        endMs: startMs + ms,
        offset: last ? last.offset + last.endMs - last.startMs : 0,
      });
  }
  const last = spans.at(-1),
    activeMs = last ? last.offset + last.endMs - last.startMs : 0,
    widthMs = Math.max(FIRST_WIDTH_MS, activeMs / bins),
    length = Math.max(1, Math.ceil(activeMs / widthMs - 1e-9));
  const counts = Object.fromEntries(
    SERIES.map((name) => [name, new Array<number>(length).fill(0)]),
  ) as Record<SeriesName, number[]>;
  const activeAt = (time: number): number => {
    const span = spans.findLast(({ startMs }) => startMs <= time) ?? spans[0];
    return span.offset + Math.min(time, span.endMs) - span.startMs;
  };
  for (const { startMs, timeline } of runs)
    for (const name of SERIES)
      for (const [bin, amount] of timeline.counts[name].entries()) {
        if (amount === 0) continue;
        // An interval is spread over those that it overlaps.
        const from = activeAt(startMs + bin * timeline.widthMs) / widthMs,
          to = Math.max(from + 1e-6, activeAt(startMs + (bin + 1) * timeline.widthMs) / widthMs);
        for (let at = Math.floor(from); at < to; at++) {
          const part = (Math.min(to, at + 1) - Math.max(from, at)) / (to - from);
          counts[name][Math.min(at, length - 1)] += amount * part;
        }
      }
  return {
    widthMs,
    counts,
    activeMs,
    gaps: spans.slice(1).map(({ offset }) => Math.floor(offset / widthMs)),
  };
}
