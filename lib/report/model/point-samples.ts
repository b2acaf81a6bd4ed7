/**
 * Keeps some points of each status, chosen at random, in bounded memory: 24 bytes per kept point. The same points in
 * the same order give the same sample.
 * Source: Li, "Reservoir-sampling algorithms of time complexity O(n(1 + log(N/n)))", 1994: algorithm L.
 */

/** The number of points of one status that are kept. */
export const SAMPLED_POINTS = 800;
const CODES = 256;

/** The points of one status: how many there were, and x, y, z of those that were kept. */
export interface SampledPoints {
  code: number;
  seen: number;
  points: Float64Array;
}

/** A sample of one status. */
interface Reservoir {
  seen: number;
  /** The number of the next point that is kept, from 0. */
  next: number;
  /** Falls from 1 towards 0: how seldom a point is kept. */
  weight: number;
  random: () => number;
  points: Float64Array;
}

/** Samples of the points of each status. */
export class PointSamples {
  readonly #size: number;
  readonly #reservoirs: (Reservoir | undefined)[] = new Array<undefined>(CODES).fill(undefined);

  constructor(size = SAMPLED_POINTS) {
    this.#size = size;
  }

  /** Adds points: x, y and z of each, and one status code. Points without finite coordinates are left out. */
  add(points: ArrayLike<number>, status: Uint8Array): void {
    for (let k = 0; k < status.length; k++) {
      const x = points[3 * k],
        y = points[3 * k + 1],
        z = points[3 * k + 2];
      if (!Number.isFinite(x + y + z)) continue;
      const own = (this.#reservoirs[status[k]] ??= this.#begin(status[k]));
      if (own.seen++ < own.next) continue;
      const place = own.seen <= this.#size ? own.seen - 1 : Math.floor(own.random() * this.#size);
      own.points[3 * place] = x;
      own.points[3 * place + 1] = y;
      own.points[3 * place + 2] = z;
      if (own.seen < this.#size) own.next = own.seen;
      else this.#skip(own);
    }
  }

  /** Returns the samples, by status code. */
  samples(): SampledPoints[] {
    return this.#reservoirs.flatMap((own, code) =>
      own ? [{ code, seen: own.seen, points: own.points.slice(0, 3 * Math.min(own.seen, this.#size)) }] : [],
    );
  }

  #begin(code: number): Reservoir {
    const random = randomFrom(0x9e3779b9 ^ code);
    return { seen: 0, next: 0, weight: 1, random, points: new Float64Array(3 * this.#size) };
  }

  /** Chooses the next point that is kept. */
  #skip(own: Reservoir): void {
    own.weight *= Math.exp(Math.log(own.random()) / this.#size);
    own.next = own.seen + Math.floor(Math.log(own.random()) / Math.log1p(-own.weight));
  }
}

/** Returns a function that gives numbers between 0 and 1, without these: mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
}
