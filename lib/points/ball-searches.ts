/**
 * The searches of one volume. Building a large ball takes long, so calls that need the same ball at the same
 * time build it together, and it is kept for the next call.
 */
import type { PausableWork } from '../base/cooperative-work.ts';
import type { Scale, VolumeInfo } from '../precomputed/volume-info.ts';
import { Ball } from './ball.ts';
import { BallSearch } from './ball-search.ts';

/** A ball that is being built, by whoever needs it. */
interface BallInProgress {
  work: PausableWork<Ball>;
  search?: BallSearch;
  error?: Error;
}

/** Finds or makes the search for a scale and radius. */
export class BallSearches {
  readonly #info: VolumeInfo;
  /** The last search of each scale, by its mip: the next batch has the same radius. */
  readonly #kept = new Map<number, BallSearch>();
  readonly #inProgress = new Map<string, BallInProgress>();

  constructor(info: VolumeInfo) {
    this.#info = info;
  }

  /**
   * Returns the search for a scale and radius, with pauses if a large ball has to be built.
   * @throws TypeError for an image; RangeError when the radius is too large.
   */
  *find({ mip, resolution }: Scale, radiusNm: number): PausableWork<BallSearch> {
    if (this.#info.type !== 'segmentation')
      throw new TypeError('snap needs a segmentation: in an image, 0 is a value and not background');
    const known = this.#kept.get(mip);
    if (known?.ball.radiusNm === radiusNm) return known;
    const key = `${mip}:${radiusNm}`;
    const ball: BallInProgress = this.#inProgress.get(key) ?? { work: Ball.create(resolution, radiusNm) };
    this.#inProgress.set(key, ball);
    for (;;) {
      // Another call may have taken the last step.
      if (!ball.search && !ball.error) this.#step(mip, key, ball);
      if (ball.search) return ball.search;
      if (ball.error) throw ball.error;
      yield;
    }
  }

  #step(mip: number, key: string, ball: BallInProgress): void {
    try {
      const step = ball.work.next();
      if (!step.done) return;
      ball.search = new BallSearch(step.value, this.#info);
      this.#kept.set(mip, ball.search);
    } catch (error) {
      ball.error = error as Error;
    }
    this.#inProgress.delete(key);
  }
}
