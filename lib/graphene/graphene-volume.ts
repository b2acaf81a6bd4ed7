/**
 * The public class GrapheneVolume: supervoxels at points of a watershed, and their roots in its chunkedgraph.
 */
import { cooperativeRunner } from '../base/cooperative-work.ts';
import { redactSecrets } from '../base/secret-redaction.ts';
import { parseOptions } from '../base/option-table.ts';
import { wordsOf } from '../base/uint64.ts';
import { ChunkedGraph } from '../chunkedgraph/api/chunked-graph.ts';
import type { ChunkedGraphParts } from '../chunkedgraph/api/graph-context.ts';
import { copyIds, type Ids } from '../chunkedgraph/api/check-arguments.ts';
import type { Endpoints } from '../chunkedgraph/api/endpoints.ts';
import type { GraphInfo } from '../chunkedgraph/ids/graph-info.ts';
import type { GraphPath } from '../chunkedgraph/server/graph-path.ts';
import type { WindowClock } from '../chunkedgraph/roots/window-clock.ts';
import { findFailureReason, type RootsAnswer, type RootSource } from '../chunkedgraph/roots/root-source.ts';
import { checkTimestampOption, resolveVersion } from '../chunkedgraph/roots/resolve-timestamp.ts';
import {
  parseTimestampOption,
  type TimestampOption,
  type Timestamp,
  type NamedVersion,
} from '../chunkedgraph/ids/timestamp.ts';
import { scaleBounds, scaleAt } from '../precomputed/volume-info.ts';
import { toPointSource, type Point, type PointInput, type PointSource } from '../points/point-input.ts';
import { createErrorLookup } from '../points/point-reader.ts';
import { checkInterpolation } from '../points/linear-reads.ts';
import type { LookupStats, PointsResult, RootsResult, SupervoxelResult } from '../points/result.ts';
import { PointStatus } from '../points/status.ts';
import { buildResult } from './build-result.ts';
import type { TokenViewOptions } from './connect-graph.ts';
import { toVersionSource, type VolumeDatastack } from './volume-datastack.ts';
import { ROOT_OPTIONS, SCATTERED_OPTIONS } from './reading-options.ts';
import type { RootOptions, ScatteredPointsOptions } from './option-types.ts';
import { resolveResolution } from './resolution.ts';
import { answerOfPoint } from './one-point.ts';
import { createPointError } from './point-error.ts';
import { throwIfPartial } from './partial-result.ts';
import {
  endingMs,
  callWithDeadline,
  captureArguments,
  streamContext,
  Volume,
  type VolumeParts,
} from './precomputed-volume.ts';
import { checkMip } from './resolve/mip.ts';
import type { OpenedRootCache, VolumeRootCache } from './volume-root-cache.ts';
import { applyRootOutcomes, writeRootStatuses } from './root-status.ts';
import { streamLookups } from './stream/lookup-stream.ts';
import { SCATTERED_STREAM_OPTIONS } from './stream/stream-options.ts';
import type { ScatteredStreamOptions, StreamBatch, StreamedResult } from './stream/stream-types.ts';
import { rereadPoints } from './reread-points.ts';
import type { VersionedVoxels, VoxelVersion } from './versioned-voxels.ts';
import { SupervoxelCheck } from './supervoxel-check.ts';

/** The objects that a graphene volume uses. @internal */
export interface GrapheneParts extends VolumeParts {
  graph: GraphInfo;
  path: GraphPath;
  roots: RootSource;
  /** Answers before `roots`, if the volume was opened with a root cache. */
  rootCache: OpenedRootCache | undefined;
  windowClock: WindowClock;
  /** The voxels, where supervoxels can split. Then `reader` reads the version that was opened. */
  splitVoxels: VersionedVoxels | undefined;
  checkSupervoxels: boolean;
  api: Endpoints;
  allowEdits: boolean;
  datastack: VolumeDatastack | undefined;
  /** Timestamp of the volume's root look-ups. */
  timestamp: TimestampOption;
  /** See `viewWithToken`. */
  createView: (token: string, options: TokenViewOptions) => GrapheneVolume;
}

/** Returns the objects that a graphene volume uses. Set by {@link GrapheneVolume}, whose field is private. @internal */
export let graphenePartsOf: (volume: GrapheneVolume) => GrapheneParts;

/** Options of a look-up of one point. */
export type OnePointOptions = Omit<
  ScatteredPointsOptions,
  'onError' | 'onProgress' | 'agglomerate' | 'borrow'
>;

/**
 * A chunkedgraph and its watershed, opened by `openGraphene`. It looks up the supervoxel and the root at
 * points, and the roots of supervoxels. `volume.graph` has all other calls of the graph API.
 *
 * Points are in voxels of mip 0, xyz, unless `resolution` sets another unit. IDs are bigints, or
 * BigUint64Arrays.
 * @example
 * await using volume = await openGraphene('cave://minnie65_public', { timestamp: 'mat_943', resolution:
 * 'viewer' }); const { supervoxelIds, rootIds, status } = await volume.scatteredPoints([[240640, 207872,
 * 21360]]); const rootId = await volume.rootAt([240640, 207872, 21360]);
 */
export class GrapheneVolume extends Volume {
  readonly #parts: GrapheneParts;
  #graph: ChunkedGraph | undefined;

  static {
    graphenePartsOf = (volume) => volume.#parts;
  }

  /** @internal Volumes are created by `openGraphene`. */
  constructor(parts: GrapheneParts) {
    super(parts);
    this.#parts = parts;
  }

  #graphParts(): ChunkedGraphParts {
    const { api, graph, raw, info, roots, rootCache, windowClock, allowEdits, datastack, timeoutMs } =
      this.#parts;
    const scale = scaleAt(info.scales, graph.cvMip);
    return {
      api,
      info: raw,
      grid: { bounds: scaleBounds(scale), resolution: scale.resolution },
      roots: rootCache?.cache ?? roots,
      windowClock,
      allowEdits,
      timeoutMs,
      graph: { ...graph, dataDir: graph.dataDir === undefined ? undefined : redactSecrets(graph.dataDir) },
      versions: toVersionSource(datastack),
      closeSignal: this.#parts.life.signal,
    };
  }

  /** The datastack that the volume was opened by; undefined when it was opened by the path of its graph. */
  get datastack(): VolumeDatastack | undefined {
    return this.#parts.datastack;
  }

  /**
   * The number of the version of the voxels that was read last, where supervoxels can split; undefined elsewhere.
   * Each result has its own `generation`.
   */
  override get generation(): number | undefined {
    return this.#parts.splitVoxels?.version.generation;
  }

  /** The roots that are kept; undefined unless the volume was opened with the option `rootCache`. */
  get rootCache(): VolumeRootCache | undefined {
    return this.#parts.rootCache?.cache;
  }

  /**
   * Closes the volume: aborts all calls in flight and closes all connections. Later calls throw
   * VolumeClosedError. Writes the file of the root cache, if there is one; logs a warning when it cannot be
   * written.
   */
  override async close(): Promise<void> {
    await super.close();
    await this.#parts.rootCache?.saveToFile();
  }

  /** The chunkedgraph: its description, and all calls of the graph API. */
  get graph(): ChunkedGraph {
    return (this.#graph ??= new ChunkedGraph(this.#graphParts(), this.#parts.timestamp));
  }

  /**
   * Returns the timestamp that "now" means: the earlier of the local clock and the server's clock, or the
   * later one when they differ by more than 5 minutes. It never goes back, and is never before an edit that
   * this process has made. Pass it to several calls to get answers of the same timestamp.
   */
  now(): Date {
    return new Date(this.#parts.windowClock.now());
  }

  /**
   * Returns the newest timestamp whose roots are final. An edit appears up to `settleMs` after its own
   * timestamp, so roots at later timestamps may still change.
   */
  settled(): Date {
    return new Date(this.#parts.windowClock.settled());
  }

  /**
   * Returns the same volume at a fixed timestamp. Both share connections and caches, and closing either
   * closes both. `'mat'` and `'mat_943'` are looked up by each call that needs them.
   * @param timestamp Default of all root look-ups of the returned volume.
   * @throws TimestampError for a timestamp that cannot be used.
   */
  at(timestamp: Timestamp): GrapheneVolume {
    const versions = toVersionSource(this.#parts.datastack),
      checked = checkTimestampOption(parseTimestampOption(timestamp), versions);
    return new GrapheneVolume({ ...this.#parts, timestamp: checked });
  }

  /**
   * Looks up the supervoxel and the root at each point. N points give N results, in the same order; 0 where
   * there is none. With `agglomerate: false` it looks up supervoxels only.
   *
   * @param points `[x, y, z][]`, `{ x, y, z }[]`, a flat typed array (xyz interleaved), or columns
   *   `{ x, y, z }`. The unit is one voxel of mip 0, unless `resolution` sets another. Coordinates are
   *   rounded down. Points are copied before the call returns, unless `borrow` is true.
   * @throws PartialResultError when points or roots failed, unless `onError` is `'status'`; TypeError or
   *   RangeError for points or options that cannot be used; TimestampError; InfoError UNSUPPORTED;
   *   VolumeClosedError; `signal.reason`.
   */
  scatteredPoints(
    points: PointInput,
    options: ScatteredPointsOptions & { agglomerate: false },
  ): Promise<SupervoxelResult>;
  scatteredPoints(
    points: PointInput,
    options?: ScatteredPointsOptions & { agglomerate?: true },
  ): Promise<PointsResult>;
  scatteredPoints(
    points: PointInput,
    options?: ScatteredPointsOptions,
  ): Promise<PointsResult | SupervoxelResult>;
  async scatteredPoints(
    points: PointInput,
    options: ScatteredPointsOptions = {},
  ): Promise<PointsResult | SupervoxelResult> {
    const { source, options: own } = captureArguments(points, options, SCATTERED_OPTIONS);
    const { logger, warnOfCall = (message) => logger.warn(message) } = this.#parts;
    return this.#scatteredPointsInTime(source, own, warnOfCall);
  }

  /**
   * Looks up the points of a stream of batches. Each batch gives one result, in the order of the batches, when
   * `next()` asks for it. Batches are read ahead, but never without a bound: at most those of `concurrency`
   * calls, and of one more. All roots have one timestamp: by default that of the beginning of the stream.
   *
   * Small batches are looked up together, so a stream of single points is fast. A loop that is left (`break`)
   * aborts the calls in flight and closes the source. In `stats` of each result, what a call read and requested
   * counts for the first of its batches, so sums over a stream are right.
   *
   * @param source Batches: points in any form of `scatteredPoints`, one point, or an object that has `points`
   *   and whatever else belongs to the batch. `batch` of a result is the batch as the source gave it.
   * @throws TypeError or RangeError for a source or options that cannot be used; TimestampError. The iteration
   *   throws, after the results of all batches before: PartialResultError when points or roots of a batch
   *   failed, unless `onError` is `'status'`; TypeError for a batch that has no points; both name the index of
   *   the batch. What the source throws; VolumeClosedError; `signal.reason`, at once.
   * @example
   * for await (const { rootIds, status, batch } of volume.lookupStream(batches)) save(batch.name, rootIds);
   */
  lookupStream<Batch extends StreamBatch>(
    source: AsyncIterable<Batch> | Iterable<Batch>,
    options: ScatteredStreamOptions & { agglomerate: false },
  ): AsyncGenerator<StreamedResult<SupervoxelResult, Batch>, void, undefined>;
  lookupStream<Batch extends StreamBatch>(
    source: AsyncIterable<Batch> | Iterable<Batch>,
    options?: ScatteredStreamOptions & { agglomerate?: true },
  ): AsyncGenerator<StreamedResult<PointsResult, Batch>, void, undefined>;
  lookupStream<Batch extends StreamBatch>(
    source: AsyncIterable<Batch> | Iterable<Batch>,
    options?: ScatteredStreamOptions,
  ): AsyncGenerator<StreamedResult<PointsResult | SupervoxelResult, Batch>, void, undefined>;
  lookupStream<Batch extends StreamBatch>(
    source: AsyncIterable<Batch> | Iterable<Batch>,
    options: ScatteredStreamOptions = {},
  ): AsyncGenerator<StreamedResult<PointsResult | SupervoxelResult, Batch>, void, undefined> {
    const own = parseOptions(options, SCATTERED_STREAM_OPTIONS),
      resolution = resolveResolution(own.resolution, this.#parts.datastack);
    checkInterpolation(this, own.interpolate);
    checkTimestampOption(parseTimestampOption(own.timestamp), toVersionSource(this.#parts.datastack));
    let pinned: Promise<Date | undefined> | undefined;
    return streamLookups(source, own, {
      ...streamContext(this.#parts, resolution, own.mip),
      lookUp: async (points, signal) => {
        pinned ??= callWithDeadline(this.#parts, { ...own, signal }, (query) => this.#pinTimestamp(query));
        const call = { ...own, resolution, timestamp: await pinned, signal, onError: 'throw' as const };
        return this.#scatteredPointsInTime(points, call, () => undefined);
      },
    });
  }

  /** Returns the timestamp of all roots of several calls; undefined if no roots are looked up. */
  async #pinTimestamp(options: ScatteredPointsOptions): Promise<Date | undefined> {
    if (options.agglomerate === false) return undefined;
    const { timestamp } = await this.#prepareRootQuery(options);
    return timestamp === 'settled'
      ? this.settled()
      : timestamp === undefined
        ? this.now()
        : new Date(timestamp);
  }

  /**
   * Looks up the roots of supervoxels. No voxel is read. N IDs give N results, in the same order.
   *
   * The ID 0 gets the status `background`. An ID at or above the stop layer is kept, with the status
   * `notLookedUp`; with `validate`, an ID of the root layer gets `ok` or `noRoot`. A supervoxel that was split
   * gets `staleSupervoxel`, on graphs whose supervoxels can split.
   * @param supervoxelIds A BigUint64Array, or an array of bigints. It is copied, unless `borrow` is true.
   * @throws PartialResultError when roots failed, unless `onError` is `'status'`; TypeError unless the IDs
   *   are bigints; RangeError; TimestampError; VolumeClosedError; `signal.reason`.
   */
  async roots(supervoxelIds: Ids, options: RootOptions = {}): Promise<RootsResult> {
    const own = parseOptions(options, ROOT_OPTIONS);
    const ids = copyIds(supervoxelIds, { borrow: own.borrow, what: 'supervoxel ID' });
    return callWithDeadline(this.#parts, own, (bounded) => this.#roots(ids, bounded));
  }

  async #roots(ids: BigUint64Array, options: RootOptions): Promise<RootsResult> {
    const startedAt = performance.now();
    const answer = await this.#lookUp(ids, await this.#prepareRootQuery(options));
    const { rootIds, outcomes, failures } = answer;
    const status = new Uint8Array(outcomes.length);
    await cooperativeRunner.run(writeRootStatuses(outcomes, wordsOf(ids), status));
    const total = performance.now() - startedAt;
    const stats: LookupStats = {
      points: ids.length,
      chunks: 0,
      requests: 0,
      bytes: 0,
      cacheHits: 0,
      absentBy403: 0,
      rootRequests: answer.requests,
      distinctSupervoxels: answer.distinct,
      ...rootCacheHits(answer),
      ms: { plan: 0, chunks: 0, roots: total, total },
    };
    const result: RootsResult = buildResult(
      { status, stats, errorOf: (index) => rootErrorAt(answer, status, index) },
      { rootIds, timestamp: new Date(answer.timestampMs), settled: answer.settled },
      (index) => ({ supervoxelId: ids[index], rootId: rootIds[index] }),
    );
    return await throwIfPartial(result, status, options.onError, [], failures);
  }

  /**
   * Looks up the supervoxel at one point. Returns 0n on background.
   * @param point `[x, y, z]` or `{ x, y, z }`, in voxels of mip 0 unless `resolution` sets another unit.
   * @throws PointError when there is no answer: its `code` is the status in upper case, such as
   *   `OUT_OF_BOUNDS`. Other errors as `scatteredPoints`, apart from PartialResultError.
   */
  async supervoxelAt(
    point: Point,
    options: Omit<OnePointOptions, keyof RootOptions> & { signal?: AbortSignal; timeoutMs?: number } = {},
  ): Promise<bigint> {
    const { supervoxelId } = await this.#lookUpOne(point, { ...options, agglomerate: false });
    return supervoxelId;
  }

  /**
   * Looks up the root at one point. Returns 0n on background.
   * @param point `[x, y, z]` or `{ x, y, z }`, in voxels of mip 0 unless `resolution` sets another unit.
   * @throws PointError when there is no answer: its `code` is the status in upper case, such as `NO_ROOT`.
   *   Other errors as `scatteredPoints`, apart from PartialResultError.
   */
  async rootAt(point: Point, options: OnePointOptions = {}): Promise<bigint> {
    const { rootId } = await this.#lookUpOne(point, options);
    return rootId;
  }

  /**
   * Looks up the root of one supervoxel. Returns 0n for 0n.
   * @throws PointError when there is no answer: its `code` is the status in upper case, such as `NO_ROOT`.
   *   Other errors as `roots`, apart from PartialResultError.
   */
  async rootOf(supervoxelId: bigint, options: Omit<RootOptions, 'onError' | 'borrow'> = {}): Promise<bigint> {
    const result = await this.roots([supervoxelId], { ...options, onError: 'status' });
    const [row] = result.rows();
    if (row.status !== 'ok' && row.status !== 'background')
      throw createPointError(`ID ${supervoxelId}`, row.status, row.error, result.timestamp);
    return row.rootId;
  }

  async #lookUpOne(
    point: Point,
    given: ScatteredPointsOptions,
  ): Promise<{ supervoxelId: bigint; rootId: bigint }> {
    // One point on background is an ordinary answer, so no warning about the resolution.
    const options = parseOptions(given, SCATTERED_OPTIONS),
      source = toPointSource([point]);
    const result = await this.#scatteredPointsInTime(
      source,
      { ...options, onError: 'status' },
      () => undefined,
    );
    return answerOfPoint(result, source, this.#parts.logger);
  }

  async #scatteredPointsInTime(
    points: PointSource,
    options: ScatteredPointsOptions,
    warn: (message: string) => void,
  ): Promise<PointsResult | SupervoxelResult> {
    checkInterpolation(this, options.interpolate);
    return callWithDeadline(
      this.#parts,
      options,
      (bounded) => this.#scatteredPoints(points, bounded, warn),
      endingMs(points, options),
    );
  }

  async #scatteredPoints(
    points: PointSource,
    options: ScatteredPointsOptions,
    warn: (message: string) => void,
  ): Promise<PointsResult | SupervoxelResult> {
    const startedAt = performance.now();
    const resolution = resolveResolution(options.resolution, this.#parts.datastack) ?? this.parts.resolution;
    const query = await this.#prepareRootQuery(options);
    const { splitVoxels, graph } = this.#parts,
      mip = checkMip(options.mip ?? this.#parts.mip, graph.cvMip);
    splitVoxels?.requireStored(mip);
    let version = splitVoxels && (await splitVoxels.current(options.signal));
    const check = new SupervoxelCheck(graph, this.#parts.checkSupervoxels);
    const reading = { resolution, mip, snapNm: options.snap?.radiusNm, signal: options.signal };
    const read = await (version ?? this.#parts).reader.read(points, {
      ...reading,
      onProgress: options.onProgress,
      createPointCheck: check.createPointCheck,
      warn,
    });
    const { status, failures, stats, snapped } = read;
    const errorOf = createErrorLookup(failures, status);
    const supervoxelIds = read.values as BigUint64Array;
    await check.finish(read, warn);
    if (options.agglomerate === false) {
      const result: SupervoxelResult = buildResult(
        { status, stats, snapped, errorOf },
        { supervoxelIds, ...generationOf(version) },
        (index) => ({ supervoxelId: supervoxelIds[index] }),
      );
      return await throwIfPartial(result, status, options.onError, failures);
    }
    const chunksDone = performance.now();
    const answer = await this.#lookUp(supervoxelIds, query);
    const { rootIds } = answer;
    await cooperativeRunner.run(applyRootOutcomes(answer.outcomes, status));
    stats.rootRequests = answer.requests;
    stats.distinctSupervoxels = answer.distinct;
    if (version && splitVoxels)
      version = await rereadPoints(
        { points, status, supervoxelIds, rootIds, snappedNm: snapped?.nm, stats },
        version,
        {
          voxels: splitVoxels,
          reading: { ...reading, createPointCheck: check.createPointCheck },
          lookUp: (ids) => this.#lookUp(ids, { ...query, timestamp: answer.timestampMs }),
        },
      );
    const done = performance.now();
    Object.assign(stats, rootCacheHits(answer));
    stats.ms.roots = done - chunksDone;
    stats.ms.total = done - startedAt;
    const result: PointsResult = buildResult(
      { status, stats, snapped, errorOf: (index) => rootErrorAt(answer, status, index) ?? errorOf(index) },
      {
        supervoxelIds,
        rootIds,
        timestamp: new Date(answer.timestampMs),
        settled: answer.settled,
        ...generationOf(version),
      },
      (index) => ({ supervoxelId: supervoxelIds[index], rootId: rootIds[index] }),
    );
    return await throwIfPartial(result, status, options.onError, failures, answer.failures);
  }

  #lookUp(ids: BigUint64Array, { timestamp, ...query }: RootQuery): Promise<RootsAnswer> {
    const { logger, windowClock, roots, rootCache } = this.#parts;
    const timestampMs = timestamp === 'settled' ? windowClock.settled() : timestamp;
    if (timestampMs !== undefined && timestampMs > windowClock.now() + FUTURE_MS)
      logger.warn(
        `timestamp ${new Date(timestampMs).toISOString()} is in the future: the server answers as of now, and later answers for that timestamp may differ`,
      );
    return (rootCache?.cache ?? roots).lookUp(ids, { ...query, timestampMs });
  }

  /** Checks the options of a root look-up, and looks up the timestamp of a version if roots are requested. */
  async #prepareRootQuery({
    timestamp,
    stopLayer,
    validate,
    signal,
    agglomerate = true,
  }: RootOptions & { agglomerate?: boolean }): Promise<RootQuery> {
    const {
      graph: { nLayers },
      datastack,
    } = this.#parts;
    if (stopLayer !== undefined && stopLayer > nLayers)
      throw new RangeError(
        `stopLayer must be a whole number from 2 to ${nLayers}, the root layer, not ${stopLayer}`,
      );
    const versions = toVersionSource(datastack),
      wanted = checkTimestampOption(
        timestamp === undefined ? this.#parts.timestamp : parseTimestampOption(timestamp),
        versions,
      );
    return {
      timestamp: agglomerate ? await resolveVersion(wanted, versions, signal) : undefined,
      stopLayer,
      validate,
      signal,
    };
  }
}

/** Everything that a root look-up needs besides the IDs. */
interface RootQuery {
  timestamp: Exclude<TimestampOption, NamedVersion>;
  stopLayer: number | undefined;
  validate: boolean | undefined;
  signal: AbortSignal | undefined;
}

/** Leaves the generation out where supervoxels cannot split. */
const generationOf = (version: VoxelVersion | undefined): { generation?: number } =>
  version ? { generation: version.generation } : {};

/** Leaves the counter out without a root cache. */
const rootCacheHits = ({ cached }: RootsAnswer): { rootCacheHits?: number } =>
  cached === undefined ? {} : { rootCacheHits: cached };

/** A timestamp further ahead than this is in the future; less is a difference between clocks. */
const FUTURE_MS = 60_000;

/** Error of a root that could not be looked up; undefined for every other status. */
const rootErrorAt = (answer: RootsAnswer, status: Uint8Array, index: number): Error | undefined =>
  status[index] === PointStatus.rootFailed ? findFailureReason(answer, index) : undefined;
