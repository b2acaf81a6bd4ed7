/**
 * Collects answers: how many points have each status, where some of them are, and which roots have most of them.
 * Memory is bounded: about 3 MB.
 */
import type { PausableWork } from '../../base/cooperative-work.ts';
import { statusText } from '../../points/status.ts';
import { HeavyHitters, type HeavyHitter } from './heavy-hitters.ts';
import { PointSamples, type SampledPoints } from './point-samples.ts';
import { safeMessage } from './safe-url.ts';

const FAILURES = 20,
  FAILURES_OF_REASON = 5,
  TOP_ROOTS = 20;

/** The answers of some points in one volume. */
export interface CollectedAnswers {
  status: Uint8Array;
  /** Root IDs as pairs of uint32, low word first; undefined if no roots are looked up. */
  roots?: Uint32Array;
}

/** A point without an answer. */
export interface FailedAnswer {
  /** x, y and z, as they were given. */
  point: readonly [number, number, number];
  /** The name of the volume; empty for the main one. */
  volume: string;
  status: string;
  reason: string;
}

/** What all answers gave. Plain data. */
export interface AnswerSummary {
  /** For each volume, the number of points per status text. */
  statuses: readonly Readonly<Record<string, number>>[];
  samples: readonly SampledPoints[];
  /** The lowest and the highest coordinates of the points with coordinates; undefined if there are none. */
  bounds: { min: number[]; max: number[] } | undefined;
  roots: {
    top: readonly HeavyHitter[];
    /** The number of points with a root. */
    points: number;
    /** The number of distinct roots, or if there are too many to count, the number of those that are counted. */
    distinct: number;
    isExact: boolean;
  };
  failures: readonly FailedAnswer[];
}

/** The answers of one look-up. */
export class AnswerCollector {
  readonly #volumes: readonly string[];
  readonly #counts: readonly Float64Array[];
  readonly #samples = new PointSamples();
  readonly #roots = new HeavyHitters();
  readonly #failures: FailedAnswer[] = [];
  readonly #min = [Infinity, Infinity, Infinity];
  readonly #max = [-Infinity, -Infinity, -Infinity];

  /** @param volumes The names of the volumes, the main one first. */
  constructor(volumes: readonly string[]) {
    this.#volumes = volumes;
    this.#counts = volumes.map(() => new Float64Array(256));
  }

  /** Whether more failed points are kept. */
  get wantsFailures(): boolean {
    return this.#failures.length < FAILURES;
  }

  /** Adds the answers of one volume. Points without finite coordinates are left out. @param points x, y and z of each. */
  *addInSteps(
    volume: number,
    points: Int32Array | Float64Array,
    { status, roots }: CollectedAnswers,
  ): PausableWork {
    const counts = this.#counts[volume];
    for (let from = 0; from < status.length; from += STEP_POINTS) {
      const end = Math.min(status.length, from + STEP_POINTS);
      for (let k = from; k < end; k++)
        if (Number.isFinite(points[3 * k] + points[3 * k + 1] + points[3 * k + 2])) counts[status[k]]++;
      if (volume === 0) {
        const part = points.subarray(3 * from, 3 * end);
        this.#samples.add(part, status.subarray(from, end));
        this.#addBounds(part);
      }
      yield;
    }
    if (volume === 0 && roots) yield* this.#roots.addInSteps(roots);
  }

  /** Counts points that were not looked up. */
  addUnread(code: number, count: number): void {
    for (const counts of this.#counts) counts[code] += count;
  }

  /** Keeps a point without an answer, if few enough are kept: the first ones of each reason. */
  addFailure(volume: number, point: FailedAnswer['point'], status: string, message: string): void {
    if (!this.wantsFailures) return;
    const reason = safeMessage(message),
      isSame = (one: FailedAnswer): boolean => one.reason === reason && one.status === status;
    if (this.#failures.filter(isSame).length < FAILURES_OF_REASON)
      this.#failures.push({ point, volume: this.#volumes[volume], status, reason });
  }

  /** Sums up the answers. */
  summarize(): AnswerSummary {
    const { total, missed, size } = this.#roots;
    return {
      statuses: this.#counts.map((counts) => {
        const own: Record<string, number> = {};
        counts.forEach((count, code) => count > 0 && (own[statusText(code)] = count));
        return own;
      }),
      samples: this.#samples.samples(),
      bounds: this.#min[0] <= this.#max[0] ? { min: [...this.#min], max: [...this.#max] } : undefined,
      roots: { top: this.#roots.top(TOP_ROOTS), points: total, distinct: size, isExact: missed === 0 },
      failures: [...this.#failures],
    };
  }

  #addBounds(points: Int32Array | Float64Array): void {
    const min = this.#min,
      max = this.#max;
    for (let k = 0; k < points.length; k++) {
      const at = points[k],
        axis = k % 3;
      // Comparisons with NaN are false.
      if (at < min[axis] && at !== -Infinity) min[axis] = at;
      if (at > max[axis] && at !== Infinity) max[axis] = at;
    }
  }
}

const STEP_POINTS = 2 ** 15;
