/**
 * Reads the values of one volume at many points: plans the read, fetches the chunks, and sets each point's
 * status.
 */
import { deadlineReason } from '../base/deadline.ts';
import { type ChunkError, DeadlineError } from '../base/errors.ts';
import type { Observer } from '../base/volume-events.ts';
import {
  fillInStretches,
  cooperativeRunner as eventLoop,
  type PausableWork,
  type CooperativeRunner,
} from '../base/cooperative-work.ts';
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
import { isOcdbtStore } from '../ocdbt/ocdbt-store.ts';
import type { ChunkLayout, Codec } from '../codecs/codec.ts';
import { requireCodec } from '../codecs/registry.ts';
import { DATA_TYPES, wordsView, type WordArray } from '../precomputed/data-type.ts';
import { cellSize } from '../precomputed/grid.ts';
import { finestResolution, scaleAt, type Scale, type VolumeInfo } from '../precomputed/volume-info.ts';
import { parseSharding } from '../precomputed/sharding.ts';
import type { Store } from '../storage/store.ts';
import type { BallSearch } from './ball-search.ts';
import { BallSearches } from './ball-searches.ts';
import { checkInterpolation, readLinear } from './linear-reads.ts';
import { warnOfMisses, warnOfMissingChunks } from './miss-warnings.ts';
import { noPlan, planAtDeadline, planInTime, type PlanResult } from './plan-in-time.ts';
import { toPointSource, type PointInput, type PointSource } from './point-input.ts';
import { planPointsInSteps, type PointPlan } from './plan.ts';
import type { PointQuery, PointValues } from './point-query.ts';
import { readPoints, type ChunkFailure, type ReadRequest } from './read-points.ts';
import { createDistances, PointSnapper } from './snap.ts';
import { PointStatus } from './status.ts';
import type { LookupStats } from './result.ts';

/** The volume of a PointReader, and how its chunks are read. */
export interface PointReaderOptions extends ChunkReaderOptions {
  info: VolumeInfo;
  store: Store;
  /**
   * Whether the info was read from this store. If so, a 403 of a public bucket may mean that a chunk is
   * absent.
   */
  infoWasRead: boolean;
  /** Encoding of chunks in the memory cache. @default 'same' */
  lruEncoding?: LruEncoding;
  /** Whether part of a raw chunk may be read. @default true */
  rangeReads?: boolean;
  /** The volume's part of the disk cache. @default none */
  chunkCache?: ChunkDiskCache;
  /** Receives an event for each chunk that is read. */
  observe?: Observer;
  /** Receives each warning about the server once, for as long as the volume is open. */
  warn?: (message: string) => void;
}

/** To read this many points takes about as long as to read a small chunk for one point. */
const CHUNK_POINTS = 10_000;
/** Up to this many points are planned without a pause. It takes 2 ms. */
const AT_ONCE_POINTS = 2 ** 14;

/** Everything needed to read one scale. */
interface OpenScale {
  scale: Scale;
  codec: Codec;
  source: ChunkSource;
  layoutOf: (cell: number) => ChunkLayout;
}

/** Reads points of one volume. Calls share the chunk cache, the shard indices and reads in flight. */
export class PointReader {
  readonly #options: PointReaderOptions;
  readonly #chunks: ChunkReader;
  readonly #runner: CooperativeRunner;
  readonly #shardIndices: ShardIndexCache;
  readonly #scales = new Map<number, OpenScale>();
  readonly #searches: BallSearches;

  constructor(options: PointReaderOptions) {
    this.#options = options;
    this.#chunks = new ChunkReader(options);
    this.#shardIndices = new ShardIndexCache(options.warn);
    this.#searches = new BallSearches(options.info);
    this.#runner = options.runner ?? eventLoop;
  }

  /**
   * Reads the values at points. Up to 16384 points register their chunks before the first await, so calls
   * made in the same turn of the event loop share their reads. Chunks that fail do not throw: they are in
   * `failures`.
   * @throws InfoError UNSUPPORTED or BAD_INFO (the scale's encoding or sharding), RangeError (unknown mip;
   *   snap radius too large), TypeError (points in no known form; snapping in an image), `signal.reason`.
   *   InfoError UNSUPPORTED also for interpolation in a segmentation.
   */
  async read(points: PointInput | PointSource, query: PointQuery): Promise<PointValues> {
    const startedAt = performance.now();
    const { info } = this.#options;
    const { mip, snapNm, interpolate, signal, onProgress, createPointCheck, warn } = query;
    checkInterpolation(info, interpolate);
    const source = toPointSource(points);
    const { scale, ...reading } = this.#openScale(mip);
    const url = this.urlOf(scale);
    if (interpolate === 'linear') {
      if (snapNm !== undefined) throw new TypeError('snap and interpolate exclude each other');
      const context = { info, scale, url, reading, chunks: this.#chunks, runner: this.#runner };
      return readLinear(context, source, query);
    }
    const resolution = query.resolution ?? finestResolution(info.scales);
    const status = new Uint8Array(source.count);
    const values = new DATA_TYPES[info.dataType](source.count * info.numChannels),
      out = wordsView(values);
    let search: BallSearch | undefined, planned: PlanResult<PointPlan> | Promise<PlanResult<PointPlan>>;
    try {
      const finding =
        snapNm === undefined ? undefined : this.#runner.run(this.#searches.find(scale, snapNm), signal);
      search = finding instanceof Promise ? await finding : finding;
      planned = planInTime({
        work: planPointsInSteps(source, scale, resolution, status, (cells) =>
          this.#chunks.expect(Math.max(cells, Math.floor(source.count / CHUNK_POINTS)), reading.source),
        ),
        none: noPlan(),
        status,
        url: reading.source.id,
        runner: this.#runner,
        signal,
        atOnce: AT_ONCE_POINTS,
      });
    } catch (error) {
      if (!(error instanceof DeadlineError)) throw error;
      await this.#runner.run(fillInStretches(status, PointStatus.failed));
      planned = planAtDeadline(noPlan(), reading.source.id, source.count, error);
    }
    const { plan, deadlineError } = planned instanceof Promise ? await planned : planned;
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
      search && !deadlineError
        ? new PointSnapper({ ...request, scale, search, runner: this.#runner })
        : undefined;
    const isLabels = info.type === 'segmentation',
      extraCheck = createPointCheck?.({ plan, scale, words: out, status });
    const { cost, failures } = await readPoints(this.#chunks, {
      ...request,
      checkPoints: isLabels
        ? (ordinal, from, end) => {
            markBackground(plan.order, from, end, status, out);
            extraCheck?.(ordinal, from, end);
          }
        : undefined,
      onChunkRead: snap && ((...chunk) => snap.searchChunk(...chunk)),
    });
    if (deadlineError) failures.push({ error: deadlineError, points: undefined });
    const totals = { ...cost, chunks: plan.cells.length };
    await snap?.searchNeighbours(this.#chunks, totals);
    const settled = snap && (await this.#runner.run(snap.finish()));
    if (settled) failures.push(...settled.failures);
    const snappedNm =
      snapNm === undefined
        ? undefined
        : (settled?.snappedNm ?? (await this.#runner.run(createDistances(source.count))));
    if (warn && !deadlineReason(signal)) {
      await this.#runner.run(warnOfMisses(status, scale, resolution, warn));
      await this.#runner.run(warnOfMissingChunks(status, plan, url, warn));
    }
    const done = performance.now();
    const stats: LookupStats = {
      points: source.count,
      ...totals,
      rootRequests: 0,
      distinctSupervoxels: 0,
      ms: { plan: plannedAt - startedAt, chunks: done - plannedAt, roots: 0, total: done - startedAt },
    };
    const snapped = snappedNm && {
      nm: snappedNm,
      *plan(): PausableWork<PointPlan> {
        return snap ? yield* snap.planSnapped() : noPlan();
      },
    };
    return { values, status, failures, stats, plan, scale, snapped };
  }

  /** Returns where the chunks of a scale are stored. */
  urlOf({ key }: Scale): string {
    return `${this.#options.store.url}/${key}`;
  }

  /** Opens the chunks of a scale. None is read. @throws As `read`. */
  openChunks(mip: number): { scale: Scale; source: ChunkSource } {
    return this.#openScale(mip);
  }

  /** Resolves when the chunks read so far have been written to the disk cache. */
  whenSaved(): Promise<void> {
    return this.#chunks.whenSaved();
  }

  #openScale(mip: number): OpenScale {
    const { info, store, infoWasRead, lruEncoding = 'same', rangeReads, chunkCache, observe } = this.#options;
    const known = this.#scales.get(mip);
    if (known) return known;
    const scale = scaleAt(info.scales, mip);
    const codec = requireCodec(scale.encoding, info.dataType, { url: store.url, channels: info.numChannels });
    const sharding =
      scale.sharding === undefined
        ? undefined
        : parseSharding(scale.sharding, `scales[${mip}] of the info at ${store.url}`, store.url);
    const whole: ChunkLayout = {
      chunkSize: scale.chunkSize,
      channels: info.numChannels,
      dataType: info.dataType,
      blockSize: scale.blockSize,
    };
    // Nearly all chunks have the same layout. Messages to threads hold it once.
    const layoutOf = (cell: number): ChunkLayout => {
      const chunkSize = cellSize(scale, cell);
      return chunkSize.every((size, axis) => size === scale.chunkSize[axis])
        ? whole
        : { ...whole, chunkSize };
    };
    const options = { store, scale, codec, layoutOf, infoWasRead, rangeReads };
    const stored = sharding
      ? new ShardedSource({
          ...options,
          sharding,
          indices: this.#shardIndices,
          disk: chunkCache,
          runner: this.#runner,
        })
      : isOcdbtStore(store)
        ? store.createSource(options)
        : new UnshardedSource(options);
    const cached = chunkCache
        ? diskCachedSource(stored, { cache: chunkCache, scale, codec, layoutOf })
        : stored,
      source = observe ? observedSource(cached, observe) : cached;
    const opened: OpenScale = {
      scale,
      codec,
      layoutOf,
      source: reencodingSource(source, lruEncoding, codec, layoutOf),
    };
    this.#scales.set(mip, opened);
    return opened;
  }
}

/**
 * Sets the status of the points with value 0 to background. `from` and `end` are positions in the plan's
 * order.
 */
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

/** Returns a function that gives the error of a failed point. Its first use allocates 4 bytes per point. */
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
