/** Values of one volume at many points: plans, reads, and says what became of each point. */
import { deadlineReason } from '../base/deadline.ts';
import { ChunkError, DeadlineError } from '../base/errors.ts';
import type { Observer } from '../base/volume-events.ts';
import {
  runWithoutPause,
  inStretches,
  fillInStretches,
  cooperativeRunner as eventLoop,
  type PausableWork,
  type CooperativeRunner,
} from '../base/cooperative-work.ts';
import { formatVec3, type Vec3 } from '../base/vec3.ts';
import type { ChunkDiskCache } from '../chunks/chunk-disk-cache.ts';
import { ChunkReader, type ChunkReaderOptions } from '../chunks/chunk-reader.ts';
import type { ChunkSource } from '../chunks/chunk-source.ts';
import { diskCachedSource } from '../chunks/disk-cached-source.ts';
import type { LruEncoding } from '../chunks/cache-options.ts';
import { observedSource } from '../chunks/observed-source.ts';
import { reencodingSource } from '../chunks/reencoding-source.ts';
import { ShardedSource } from '../chunks/sharded-source.ts';
import { ShardIndexCache } from '../chunks/shard-indices.ts';
import { UnshardedSource } from '../chunks/unsharded-source.ts';
import type { ChunkLayout, Codec } from '../codecs/codec.ts';
import { requireCodec } from '../codecs/registry.ts';
import { DATA_TYPES, wordsView, type ValueArray, type WordArray } from '../precomputed/data-type.ts';
import { cellSize } from '../precomputed/grid.ts';
import { finestResolution, scaleAt, type Scale, type VolumeInfo } from '../precomputed/volume-info.ts';
import { parseSharding } from '../precomputed/sharding.ts';
import type { Store } from '../storage/store.ts';
import { Ball } from './ball.ts';
import { BallSearch } from './ball-search.ts';
import { toPointSource, type PointInput, type PointSource } from './point-input.ts';
import { planPointsInSteps, type PointPlan } from './plan.ts';
import { readPoints, type ChunkFailure, type ReadRequest } from './read-points.ts';
import { PointSnapper } from './snap.ts';
import { PointStatus } from './status.ts';
import type { LookupStats } from './result.ts';

export interface Progress {
  points: number;
  chunks: number;
  chunksDone: number;
}

export interface PointQuery {
  /** Nanometres per unit of the given coordinates. @default voxels of mip 0 */
  resolution?: Vec3;
  mip: number;
  /** Points on background take the nearest label within this many nanometres. @default they stay on background */
  snapNm?: number;
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
  /** Makes what is told of points that were read; see {@link ReadRequest.checkPoints}. */
  createPointCheck?: (read: {
    plan: PointPlan;
    scale: Scale;
    words: WordArray;
    status: Uint8Array;
  }) => ReadRequest['checkPoints'];
  /** Told once when most points hit nothing. */
  warn?: (message: string) => void;
}

export interface PointValues {
  values: ValueArray;
  status: Uint8Array;
  failures: ChunkFailure[];
  stats: LookupStats;
  plan: PointPlan;
  scale: Scale;
  /** How far labels were taken from, and a plan of the voxels they were taken from; only when asked to snap. */
  snapped?: { nm: Float32Array; plan: () => PausableWork<PointPlan> };
}

export interface PointReaderOptions extends ChunkReaderOptions {
  info: VolumeInfo;
  store: Store;
  /** The store's own info was read, so that a 403 of a public bucket may mean an absent chunk. */
  infoWasRead: boolean;
  /** @default 'same' */
  lruEncoding?: LruEncoding;
  /** @default true */
  rangeReads?: boolean;
  /** The volume's part of a cache on disk. @default none */
  chunkCache?: ChunkDiskCache;
  /** Told of each chunk that is read. */
  observe?: Observer;
  /** Told once what is wrong with the server, for as long as the volume is open. */
  warn?: (message: string) => void;
}

/** So many points are planned without a pause: 2 ms. */
const AT_ONCE_POINTS = 2 ** 14;

/** What it takes to read one scale. */
interface OpenScale {
  scale: Scale;
  codec: Codec;
  source: ChunkSource;
  layoutOf: (cell: number) => ChunkLayout;
}

interface Planned {
  plan: PointPlan;
  /** Why nothing is planned. */
  late: ChunkError | undefined;
}

export class PointReader {
  readonly #options: PointReaderOptions;
  readonly #chunks: ChunkReader;
  readonly #pacer: CooperativeRunner;
  readonly #shardIndices: ShardIndexCache;
  readonly #scales = new Map<number, OpenScale>();
  readonly #searches = new Map<number, BallSearch>();

  constructor(options: PointReaderOptions) {
    this.#options = options;
    this.#chunks = new ChunkReader(options);
    this.#shardIndices = new ShardIndexCache(options.warn);
    this.#pacer = options.pacer ?? eventLoop;
  }

  /**
   * Registers all chunks before its first await.
   * @throws InfoError UNSUPPORTED or BAD_INFO (the scale's encoding or sharding), RangeError (no such mip; a ball too large to snap in),
   *   TypeError (no points; snapping in an image), `signal.reason`.
   */
  async read(points: PointInput | PointSource, query: PointQuery): Promise<PointValues> {
    const began = performance.now();
    const { info } = this.#options;
    const { mip, snapNm, signal, onProgress, createPointCheck: judgeOf, warn } = query;
    const source = toPointSource(points);
    const { scale, ...reading } = this.#open(mip);
    const resolution = query.resolution ?? finestResolution(info.scales);
    const search = snapNm === undefined ? undefined : this.#searchIn(scale, snapNm);
    const status = new Uint8Array(source.count);
    const values = new DATA_TYPES[info.dataType](source.count * info.numChannels),
      out = wordsView(values);
    const planned = this.#plan(
      planPointsInSteps(source, scale, resolution, status),
      status,
      reading.source.id,
      signal,
    );
    const { plan, late } = planned instanceof Promise ? await planned : planned;
    const plannedAt = performance.now();
    const request: ReadRequest = {
      plan,
      ...reading,
      out,
      status,
      signal,
      onProgress: onProgress && ((progress) => onProgress({ points: source.count, ...progress })),
    };
    const snap =
      search && !late ? new PointSnapper({ ...request, scale, search, pacer: this.#pacer }) : undefined;
    const isLabels = info.type === 'segmentation',
      further = judgeOf?.({ plan, scale, words: out, status });
    const { cost, failures } = await readPoints(this.#chunks, {
      ...request,
      checkPoints: isLabels
        ? (ordinal, from, end) => {
            markBackground(plan.order, from, end, status, out);
            further?.(ordinal, from, end);
          }
        : undefined,
      onChunkRead: snap && ((...chunk) => snap.searchChunk(...chunk)),
    });
    if (late) failures.push({ error: late, points: undefined });
    const spent = { ...cost, chunks: plan.cells.length };
    await snap?.searchNeighbours(this.#chunks, spent);
    const settled = snap && (await this.#pacer.run(snap.finish()));
    if (settled) failures.push(...settled.failures);
    const snappedNm = search && (settled?.snappedNm ?? (await this.#pacer.run(noDistances(source.count))));
    if (warn && !deadlineReason(signal)) {
      await this.#pacer.run(warnOfMisses(status, scale, resolution, warn));
      await this.#pacer.run(warnOfAbsence(status, plan, `${this.#options.store.url}/${scale.key}`, warn));
    }
    const done = performance.now();
    const stats: LookupStats = {
      points: source.count,
      ...spent,
      rootRequests: 0,
      distinctSupervoxels: 0,
      ms: { plan: plannedAt - began, chunks: done - plannedAt, roots: 0, total: done - began },
    };
    const snapped = snappedNm && {
      nm: snappedNm,
      *plan(): PausableWork<PointPlan> {
        return snap ? yield* snap.planSnapped() : noPlan();
      },
    };
    return { values, status, failures, stats, plan, scale, snapped };
  }

  /** @returns An empty plan, and why, when the deadline came first. @throws signal.reason. */
  #plan(
    planning: PausableWork<PointPlan>,
    status: Uint8Array,
    url: string,
    signal: AbortSignal | undefined,
  ): Planned | Promise<Planned> {
    const count = status.length;
    let isFilled = false;
    const work = (function* (): PausableWork<PointPlan> {
      yield* fillInStretches(status, PointStatus.failed); // until it is known better
      isFilled = true;
      return yield* planning;
    })();
    const cut = (error: unknown): Planned => {
      const deadline = deadlineReason(signal);
      if (!deadline) throw error;
      if (!isFilled) status.fill(PointStatus.failed);
      return {
        plan: noPlan(),
        late: ChunkError.of(url, new DeadlineError(deadline.timeoutMs, { what: 'points', count, of: count })),
      };
    };
    // Calls made in one turn share their reads: small ones have registered their chunks before any is read.
    if (count <= AT_ONCE_POINTS) return { plan: runWithoutPause(work), late: undefined };
    try {
      const plan = this.#pacer.run(work, signal);
      return plan instanceof Promise
        ? plan.then((plan) => ({ plan, late: undefined }), cut)
        : { plan, late: undefined };
    } catch (error) {
      return cut(error);
    }
  }

  /** When all that was read has been saved, where it is. */
  whenSaved(): Promise<void> {
    return this.#chunks.whenSaved();
  }

  /** The last radius of each scale is kept: the next batch has the same. */
  #searchIn({ mip, resolution }: Scale, radiusNm: number): BallSearch {
    const { info } = this.#options;
    if (info.type !== 'segmentation')
      throw new TypeError('points snap to labels of a segmentation: in an image, 0 is a value');
    const known = this.#searches.get(mip);
    if (known?.ball.radiusNm === radiusNm) return known;
    const search = new BallSearch(new Ball(resolution, radiusNm), info);
    this.#searches.set(mip, search);
    return search;
  }

  #open(mip: number): OpenScale {
    const { info, store, infoWasRead, lruEncoding, rangeReads, chunkCache, observe } = this.#options;
    const known = this.#scales.get(mip);
    if (known) return known;
    const scale = scaleAt(info.scales, mip);
    const codec = requireCodec(scale.encoding, info.dataType, store.url);
    const sharding =
      scale.sharding === undefined
        ? undefined
        : parseSharding(scale.sharding, `scales[${mip}] of the info at ${store.url}`, store.url);
    const layoutOf = (cell: number): ChunkLayout => ({
      chunkSize: cellSize(scale, cell),
      channels: info.numChannels,
      dataType: info.dataType,
      blockSize: scale.blockSize,
    });
    const options = { store, scale, codec, layoutOf, infoWasRead, rangeReads };
    const stored = sharding
      ? new ShardedSource({
          ...options,
          sharding,
          indices: this.#shardIndices,
          disk: chunkCache,
          pacer: this.#pacer,
        })
      : new UnshardedSource(options);
    const cached = chunkCache
        ? diskCachedSource(stored, { cache: chunkCache, scale, codec, layoutOf })
        : stored,
      source = observe ? observedSource(cached, observe) : cached;
    const opened: OpenScale = {
      scale,
      codec,
      layoutOf,
      source: lruEncoding === 'compressed_segmentation' ? reencodingSource(source, codec, layoutOf) : source,
    };
    this.#scales.set(mip, opened);
    return opened;
  }
}

/** The plan of no points. */
function noPlan(): PointPlan {
  const none = new Uint32Array(0);
  return { cells: new Float64Array(0), starts: Uint32Array.of(0), offsets: none, order: none };
}

/** NaN for each point: none has a label from elsewhere. */
function* noDistances(count: number): PausableWork<Float32Array> {
  const distances = new Float32Array(count);
  yield* fillInStretches(distances, NaN);
  return distances;
}

/** Of points that were read: `from` to `end` in the order of their plan. */
function markBackground(
  order: Uint32Array,
  from: number,
  end: number,
  status: Uint8Array,
  words: WordArray,
): void {
  const width = words.length / status.length;
  for (let k = from; k < end; k++) {
    const point = order[k];
    let any = 0;
    for (let w = point * width; w < (point + 1) * width; w++) any |= words[w];
    if (any === 0) status[point] = PointStatus.background;
  }
}

/** The commonest silent error of this field is a wrong resolution: it shows as points that hit nothing. */
function* warnOfMisses(
  status: Uint8Array,
  scale: Scale,
  resolution: Vec3,
  warn: (message: string) => void,
): PausableWork {
  let outside = 0,
    background = 0;
  yield* inStretches(status.length, (from, end) => {
    for (let i = from; i < end; i++) {
      if (status[i] === PointStatus.outOfBounds) outside++;
      else if (status[i] === PointStatus.background) background++;
    }
  });
  if (2 * (outside + background) <= status.length) return;
  const inGivenUnits = (voxel: readonly number[]): string =>
    formatVec3(voxel.map((v, axis) => Number(((v * scale.resolution[axis]) / resolution[axis]).toFixed(3))));
  const end = scale.voxelOffset.map((v, axis) => v + scale.size[axis]);
  warn(
    `${outside} of ${status.length} points are outside the volume and ${background} on background: is the resolution right? ` +
      `In units of ${formatVec3(resolution)} nm the volume goes from ${inGivenUnits(scale.voxelOffset)} to ${inGivenUnits(end)} (exclusive)`,
  );
}

/** One absent chunk is an answer; when none of many is stored, the path is wrong or the drive is not mounted. */
function* warnOfAbsence(
  status: Uint8Array,
  { cells, order }: PointPlan,
  url: string,
  warn: (message: string) => void,
): PausableWork {
  if (cells.length < 2) return;
  for (let k = 0; k < order.length; k++) {
    if (status[order[k]] !== PointStatus.missingChunk) return;
    if (k % STRETCH === STRETCH - 1) yield;
  }
  warn(`none of the ${cells.length} chunks of these points is stored at ${url}: is the path right?`);
}

/** Points between two pauses. */
const STRETCH = 2 ** 14;

/** Why a point failed. 4 bytes a point once the first is asked for, nothing when all went well. */
export function createErrorLookup(
  failures: readonly ChunkFailure[],
  status: Uint8Array,
): (index: number) => ChunkError | undefined {
  const rest = failures.find(({ points }) => points === undefined)?.error;
  let failureOf: Uint32Array | undefined;
  return (index) => {
    if (status[index] !== PointStatus.failed) return undefined;
    if (!failureOf) {
      failureOf = new Uint32Array(status.length);
      for (const [k, { points = [] }] of failures.entries())
        for (const point of points) failureOf[point] = k + 1;
    }
    return (failures[failureOf[index] - 1] as ChunkFailure | undefined)?.error ?? rest;
  };
}
