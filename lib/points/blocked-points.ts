/**
 * Points with a chunk that could not be searched: from some rank on, nothing is known about their labels.
 */
import type { ChunkError } from '../base/errors.ts';
import { inStretches, type PausableWork } from '../base/cooperative-work.ts';
import type { ChunkFailure } from './read-points.ts';
import type { ChunkSearches } from './search-tasks.ts';

/** The blocked points of one call. Takes 8 bytes per point from the first blocked one on. */
export class BlockedPoints {
  readonly #count: number;
  /** For each blocked point the lowest rank about which nothing is known. */
  #ranks: Uint32Array | undefined;
  /** For each point the index of its error plus one; 0 when it is not blocked. */
  #reasons: Uint32Array | undefined;
  readonly #errors: ChunkError[] = [];

  /** @param count Number of points of the call. */
  constructor(count: number) {
    this.#count = count;
  }

  /** The lowest rank about which nothing is known; Infinity for a point that is not blocked. */
  rankOf(point: number): number {
    return this.#reasons && this.#reasons[point] > 0 ? this.#ranks![point] : Infinity;
  }

  /** Notes that a chunk cannot be searched for these points. */
  add({ points, firstRanks }: ChunkSearches, error: ChunkError): void {
    const reasons = (this.#reasons ??= new Uint32Array(this.#count)),
      ranks = (this.#ranks ??= new Uint32Array(this.#count));
    if (this.#errors.at(-1) !== error) this.#errors.push(error);
    for (let k = 0; k < points.length; k++) {
      const point = points[k];
      if (reasons[point] > 0 && firstRanks[k] >= ranks[point]) continue;
      reasons[point] = this.#errors.length;
      ranks[point] = firstRanks[k];
    }
  }

  /**
   * Returns the points that failed, by error. To be called once, at the end.
   * @param hasFailed Tells whether a point failed that is blocked from `rank` on.
   */
  *collect(hasFailed: (point: number, rank: number) => boolean): PausableWork<ChunkFailure[]> {
    const reasons = this.#reasons,
      ranks = this.#ranks!,
      errors = this.#errors;
    if (!reasons) return [];
    const counts = new Uint32Array(errors.length);
    yield* inStretches(this.#count, (from, end) => {
      for (let point = from; point < end; point++) {
        if (reasons[point] === 0) continue;
        if (hasFailed(point, ranks[point])) counts[reasons[point] - 1]++;
        else reasons[point] = 0;
      }
    });
    const lists = errors.map((_, k) => new Uint32Array(counts[k]));
    counts.fill(0);
    yield* inStretches(this.#count, (from, end) => {
      for (let point = from; point < end; point++) {
        const reason = reasons[point] - 1;
        if (reason >= 0) lists[reason][counts[reason]++] = point;
      }
    });
    return errors.map((error, k) => ({ error, points: lists[k] })).filter(({ points }) => points.length > 0);
  }
}
