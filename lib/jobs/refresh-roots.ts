/**
 * Finds the roots of supervoxels at another timestamp than that of their earlier roots. At a later timestamp, it
 * checks which distinct roots are still roots, and only the supervoxels of the others are looked up. This is
 * safe because the supervoxels of a root never change. No voxel is read.
 */
import { wordsOf } from '../base/uint64.ts';
import { IdIndex } from '../chunkedgraph/ids/id-index.ts';
import { PointStatus } from '../points/status.ts';
import type { IsLatest } from './current-roots.ts';
import { requestInParts } from '../failures/request-in-parts.ts';
import type { RootVolume } from './root-lookup.ts';

/** The part of a graphene volume that a refresh needs. */
export interface RefreshVolume extends Pick<RootVolume, 'roots'> {
  isLatest: IsLatest;
}

/** From when to when roots are refreshed. */
export interface RefreshSpan {
  /** The timestamp of the earlier roots. */
  from: Date;
  to: Date;
  /** The layer that was looked up instead of the root. IDs of such a layer are all looked up again. */
  stopLayer?: number;
}

/** The answers that are changed: one of each per point. */
export interface RootColumns {
  supervoxelIds: BigUint64Array;
  rootIds: BigUint64Array;
  status: Uint8Array;
}

/** What a refresh did so far. */
export interface RefreshCounts {
  /** The distinct roots that were checked, and those of them that are no roots any more. */
  roots: number;
  expired: number;
  /** The points whose root was looked up, and those whose root is another one than before. */
  asked: number;
  changed: number;
  rootRequests: number;
}

/** The maximum number of roots per request. */
const IDS_AT_ONCE = 50_000;
/** The verdicts on this many roots are kept: 40 bytes each. */
const MOST_ROOTS = 2 ** 22;

const UNCHECKED = 0,
  CURRENT = 1,
  EXPIRED = 2;

const { ok, suspect, noRoot, staleSupervoxel, rootFailed } = PointStatus;

/** Refreshes the roots of one volume, task after task. */
export class RootRefresh {
  readonly counts: RefreshCounts = { roots: 0, expired: 0, asked: 0, changed: 0, rootRequests: 0 };
  readonly #volume: RefreshVolume;
  readonly #span: RefreshSpan;
  #known = new IdIndex();
  /** What is known of each root, by its ordinal. */
  #verdicts = new Uint8Array(1024);

  constructor(volume: RefreshVolume, span: RefreshSpan) {
    this.#volume = volume;
    this.#span = span;
  }

  /**
   * Changes the roots and the statuses of points to those at the other timestamp. Points that failed stay failed:
   * whether their supervoxel fits them is not known.
   *
   * @throws The error of a root request: then some of the points may have changed already.
   */
  async refresh(columns: RootColumns, signal: AbortSignal | undefined): Promise<void> {
    const { from, to, stopLayer } = this.#span,
      canCheck = stopLayer === undefined && to.getTime() >= from.getTime();
    if (canCheck) await this.#checkRoots(columns, signal);
    const points = this.#pointsToAsk(columns, canCheck),
      ids = BigUint64Array.from(points, (point) => columns.supervoxelIds[point]);
    if (points.length === 0) return;
    const answer = await this.#volume.roots(ids, {
      timestamp: to,
      stopLayer,
      onError: 'status',
      borrow: true,
      signal,
    });
    this.counts.asked += points.length;
    this.counts.rootRequests += answer.stats.rootRequests;
    // A root that is not known must not stand for one at the other timestamp.
    if (answer.status.includes(rootFailed)) for (const { error } of answer.rows()) if (error) throw error;
    const { rootIds, status } = columns;
    for (let k = 0; k < points.length; k++) {
      const point = points[k],
        found = answer.status[k];
      if (status[point] !== suspect || found === staleSupervoxel) status[point] = found;
      if (rootIds[point] !== answer.rootIds[k]) this.counts.changed++;
      rootIds[point] = answer.rootIds[k];
    }
  }

  /** Checks the roots that are not known yet. If a request fails, their supervoxels are looked up. */
  async #checkRoots({ rootIds, status }: RootColumns, signal: AbortSignal | undefined): Promise<void> {
    if (this.#known.size > MOST_ROOTS) {
      this.#known = new IdIndex();
      this.#verdicts.fill(UNCHECKED);
    }
    const words = wordsOf(rootIds),
      unknown: number[] = [];
    for (let point = 0; point < status.length; point++) {
      if (!hasRoot(status[point], words, point)) continue;
      const before = this.#known.size;
      this.#known.add(words[2 * point], words[2 * point + 1]);
      if (this.#known.size > before) unknown.push(point);
    }
    if (this.#known.size > this.#verdicts.length) {
      const grown = new Uint8Array(2 * this.#known.size);
      grown.set(this.#verdicts);
      this.#verdicts = grown;
    }
    const request = (part: BigUint64Array): Promise<readonly boolean[]> => {
      this.counts.rootRequests++;
      return this.#volume.isLatest(part, this.#span.to, signal);
    };
    const roots = BigUint64Array.from(unknown, (point) => rootIds[point]).sort();
    this.counts.roots += roots.length;
    for await (const { ids, answers } of requestInParts(roots, request, { maxIds: IDS_AT_ONCE, signal })) {
      const idWords = wordsOf(ids);
      for (let k = 0; k < ids.length; k++) {
        const ordinal = this.#known.find(idWords[2 * k], idWords[2 * k + 1]),
          isCurrent = answers?.[k] === true;
        this.#verdicts[ordinal] = isCurrent ? CURRENT : EXPIRED;
        if (!isCurrent) this.counts.expired++;
      }
    }
  }

  #pointsToAsk({ supervoxelIds, rootIds, status }: RootColumns, canCheck: boolean): Uint32Array {
    const words = wordsOf(supervoxelIds),
      rootWords = wordsOf(rootIds),
      points = new Uint32Array(status.length);
    let count = 0;
    for (let point = 0; point < status.length; point++) {
      if (words[2 * point] === 0 && words[2 * point + 1] === 0) continue;
      if (hasRoot(status[point], rootWords, point)) {
        const ordinal = canCheck ? this.#known.find(rootWords[2 * point], rootWords[2 * point + 1]) : -1;
        if (ordinal >= 0 && this.#verdicts[ordinal] === CURRENT) continue;
      } else if (!isAnswerWithoutRoot(status[point])) continue;
      points[count++] = point;
    }
    return points.subarray(0, count);
  }
}

/** Whether a point has a root. */
const hasRoot = (status: number, words: Uint32Array, point: number): boolean =>
  (status === ok || status === suspect) && (words[2 * point] !== 0 || words[2 * point + 1] !== 0);

/** Whether the server has said that the supervoxel of a point has no root: at another timestamp it may have one. */
const isAnswerWithoutRoot = (status: number): boolean =>
  status === noRoot || status === staleSupervoxel || status === suspect;
