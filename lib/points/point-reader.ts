/** Values of one volume at many points: plans, reads, and says what became of each point. */
import type { ChunkError } from '../base/errors.ts';
import { formatVec3, type Vec3 } from '../base/vec3.ts';
import type { ChunkCache } from '../chunks/chunk-cache.ts';
import { ChunkReader, type ChunkReaderOptions } from '../chunks/chunk-reader.ts';
import type { ChunkSource } from '../chunks/chunk-source.ts';
import { keepOnDisk } from '../chunks/disk-cached-source.ts';
import { keepReencoded, type LruEncoding } from '../chunks/reencoding-source.ts';
import { ShardedSource } from '../chunks/sharded-source.ts';
import { ShardIndexCache } from '../chunks/shard-indices.ts';
import { UnshardedSource } from '../chunks/unsharded-source.ts';
import type { ChunkLayout, Codec } from '../codecs/codec.ts';
import { requireCodec } from '../codecs/registry.ts';
import { DATA_TYPES, wordsView, type ValueArray } from '../precomputed/data-type.ts';
import { cellSize } from '../precomputed/grid.ts';
import { finestResolution, scaleAt, type Scale, type VolumeInfo } from '../precomputed/info.ts';
import { parseSharding } from '../precomputed/sharding.ts';
import type { Store } from '../storage/store.ts';
import { Ball } from './ball.ts';
import { BallSearch } from './ball-search.ts';
import { pointSource, type PointInput, type PointSource } from './input.ts';
import { planPoints, type PointPlan } from './plan.ts';
import { readPoints, type ChunkFailure, type ReadRequest } from './read-points.ts';
import { Snap } from './snap.ts';
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
  snapped?: { nm: Float32Array; plan: () => PointPlan };
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
  chunkCache?: ChunkCache;
  /** Told once what is wrong with the server, for as long as the volume is open. */
  warn?: (message: string) => void;
}

/** What it takes to read one scale. */
interface OpenScale {
  scale: Scale;
  codec: Codec;
  source: ChunkSource;
  layoutOf: (cell: number) => ChunkLayout;
}

export class PointReader {
  readonly #options: PointReaderOptions;
  readonly #chunks: ChunkReader;
  readonly #shardIndices: ShardIndexCache;
  readonly #scales = new Map<number, OpenScale>();
  readonly #searches = new Map<number, BallSearch>();

  constructor(options: PointReaderOptions) {
    this.#options = options;
    this.#chunks = new ChunkReader(options);
    this.#shardIndices = new ShardIndexCache(options.warn);
  }

  /**
   * Registers all chunks before its first await.
   * @throws InfoError UNSUPPORTED or BAD_INFO (the scale's encoding or sharding), RangeError (no such mip; a ball too large to snap in),
   *   TypeError (no points; snapping in an image), `signal.reason`.
   */
  async read(points: PointInput | PointSource, query: PointQuery): Promise<PointValues> {
    const began = performance.now();
    const { info } = this.#options;
    const { mip, snapNm, signal, onProgress, warn } = query;
    const source = pointSource(points);
    const { scale, ...reading } = this.#open(mip);
    const resolution = query.resolution ?? finestResolution(info.scales);
    const search = snapNm === undefined ? undefined : this.#searchIn(scale, snapNm);
    const status = new Uint8Array(source.count);
    const values = new DATA_TYPES[info.dataType](source.count * info.numChannels);
    const plan = planPoints(source, scale, resolution, status);
    const planned = performance.now();
    const request: ReadRequest = {
      plan, ...reading, out: wordsView(values), status, signal,
      onProgress: onProgress && ((progress) => onProgress({ points: source.count, ...progress })),
    };
    const snap = search && new Snap({ ...request, scale, search });
    const { cost, failures } = await readPoints(this.#chunks, { ...request, look: snap && ((...chunk) => snap.inside(...chunk)) });
    if (info.type === 'segmentation') markBackground(status, values, info.numChannels);
    const spent = { ...cost, chunks: plan.cells.length };
    await snap?.outside(this.#chunks, spent);
    const settled = snap?.settle();
    if (settled) failures.push(...settled.failures);
    if (warn) {
      warnOfMisses(status, scale, resolution, warn);
      warnOfAbsence(status, plan, `${this.#options.store.url}/${scale.key}`, warn);
    }
    const done = performance.now();
    const stats: LookupStats = {
      points: source.count, ...spent, rootRequests: 0, distinctSupervoxels: 0,
      ms: { plan: planned - began, chunks: done - planned, roots: 0, total: done - began },
    };
    const snapped = snap && settled && { nm: settled.snappedNm, plan: () => snap.snappedPlan() };
    return { values, status, failures, stats, plan, scale, snapped };
  }

  /** When all that was read has been saved, where it is. */
  saved(): Promise<void> {
    return this.#chunks.saved();
  }

  /** The last radius of each scale is kept: the next batch has the same. */
  #searchIn({ mip, resolution }: Scale, radiusNm: number): BallSearch {
    const { info } = this.#options;
    if (info.type !== 'segmentation') throw new TypeError('points snap to labels of a segmentation: in an image, 0 is a value');
    const known = this.#searches.get(mip);
    if (known?.ball.radiusNm === radiusNm) return known;
    const search = new BallSearch(new Ball(resolution, radiusNm), info);
    this.#searches.set(mip, search);
    return search;
  }

  #open(mip: number): OpenScale {
    const { info, store, infoWasRead, lruEncoding, rangeReads, chunkCache } = this.#options;
    const known = this.#scales.get(mip);
    if (known) return known;
    const scale = scaleAt(info.scales, mip);
    const codec = requireCodec(scale.encoding, info.dataType, store.url);
    const sharding = scale.sharding === undefined ? undefined : parseSharding(scale.sharding, `scales[${mip}] of the info at ${store.url}`, store.url);
    const layoutOf = (cell: number): ChunkLayout => ({
      chunkSize: cellSize(scale, cell), channels: info.numChannels, dataType: info.dataType, blockSize: scale.blockSize,
    });
    const options = { store, scale, codec, layoutOf, infoWasRead, rangeReads };
    const stored = sharding ? new ShardedSource({ ...options, sharding, indices: this.#shardIndices, disk: chunkCache }) : new UnshardedSource(options);
    const source = chunkCache ? keepOnDisk(stored, { cache: chunkCache, scale, codec, layoutOf }) : stored;
    const opened: OpenScale = { scale, codec, layoutOf, source: lruEncoding === 'compressed_segmentation' ? keepReencoded(source, codec, layoutOf) : source };
    this.#scales.set(mip, opened);
    return opened;
  }
}

function markBackground(status: Uint8Array, values: ValueArray, channels: number): void {
  const words = wordsView(values), width = words.length / status.length;
  if (width === 0 || channels === 0) return;
  for (let i = 0; i < status.length; i++) {
    if (status[i] !== PointStatus.ok) continue;
    let any = 0;
    for (let w = i * width; w < (i + 1) * width; w++) any |= words[w];
    if (any === 0) status[i] = PointStatus.background;
  }
}

/** The commonest silent error of this field is a wrong resolution: it shows as points that hit nothing. */
function warnOfMisses(status: Uint8Array, scale: Scale, resolution: Vec3, warn: (message: string) => void): void {
  let outside = 0, background = 0;
  for (let i = 0; i < status.length; i++) {
    if (status[i] === PointStatus.outOfBounds) outside++;
    else if (status[i] === PointStatus.background) background++;
  }
  if (2 * (outside + background) <= status.length) return;
  const inGivenUnits = (voxel: readonly number[]): string => formatVec3(voxel.map((v, axis) => Number(((v * scale.resolution[axis]) / resolution[axis]).toFixed(3))));
  const end = scale.voxelOffset.map((v, axis) => v + scale.size[axis]);
  warn(
    `${outside} of ${status.length} points are outside the volume and ${background} on background: is the resolution right? ` +
      `In units of ${formatVec3(resolution)} nm the volume goes from ${inGivenUnits(scale.voxelOffset)} to ${inGivenUnits(end)} (exclusive)`,
  );
}

/** One absent chunk is an answer; when none of many is stored, the path is wrong or the drive is not mounted. */
function warnOfAbsence(status: Uint8Array, { cells, order }: PointPlan, url: string, warn: (message: string) => void): void {
  if (cells.length < 2 || !order.every((point) => status[point] === PointStatus.missingChunk)) return;
  warn(`none of the ${cells.length} chunks of these points is stored at ${url}: is the path right?`);
}

/** Why a point failed. 4 bytes a point once the first is asked for, nothing when all went well. */
export function errorsOfPoints(failures: readonly ChunkFailure[], count: number): (index: number) => ChunkError | undefined {
  let failureOf: Uint32Array | undefined;
  return (index) => {
    if (failures.length === 0) return undefined;
    if (!failureOf) {
      failureOf = new Uint32Array(count);
      for (const [k, { points }] of failures.entries()) for (const point of points) failureOf[point] = k + 1;
    }
    return failures[failureOf[index] - 1]?.error;
  };
}
