/** A chunkedgraph and its watershed: supervoxels at points, and their root IDs at a moment. */
import { cooperativeRunner } from '../base/cooperative-work.ts';
import { redactSecrets } from '../base/secret-redaction.ts';
import { formatVec3 } from '../base/vec3.ts';
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
import type { LookupStats, PointsResult, RootsResult, SupervoxelResult } from '../points/result.ts';
import { PointStatus } from '../points/status.ts';
import { buildResult } from './build-result.ts';
import { toVersionSource, type VolumeDatastack } from './volume-datastack.ts';
import { ROOT_OPTIONS, SCATTERED_OPTIONS } from './reading-options.ts';
import type { RootOptions, ScatteredPointsOptions } from './option-types.ts';
import { resolveResolution } from './resolution.ts';
import { createPointError } from './point-error.ts';
import { throwIfPartial } from './partial-result.ts';
import {
  endingMs,
  callWithDeadline,
  captureArguments,
  Volume,
  type VolumeParts,
} from './precomputed-volume.ts';
import { checkMip } from './resolve/mip.ts';
import type { OpenedRootCache, VolumeRootCache } from './volume-root-cache.ts';
import { applyRootOutcomes, writeRootStatuses } from './root-status.ts';
import { SupervoxelCheck } from './supervoxel-check.ts';

/** @internal */
export interface GrapheneParts extends VolumeParts {
  graph: GraphInfo;
  path: GraphPath;
  roots: RootSource;
  /** In front of `roots`, when there is one. */
  rootCache: OpenedRootCache | undefined;
  windowClock: WindowClock;
  checkSupervoxels: boolean;
  api: Endpoints;
  allowEdits: boolean;
  datastack: VolumeDatastack | undefined;
}

/** One point, or one ID, at a time. */
export type OnePointOptions = Omit<
  ScatteredPointsOptions,
  'onError' | 'onProgress' | 'agglomerate' | 'borrow'
>;

export class GrapheneVolume extends Volume {
  readonly #parts: GrapheneParts;
  /** Of this volume's root look-ups. */
  readonly #moment: TimestampOption;
  #graph: ChunkedGraph | undefined;

  /** @internal Volumes come from `openGraphene`. */
  constructor(parts: GrapheneParts, moment?: TimestampOption) {
    super(parts);
    this.#parts = parts;
    this.#moment = moment;
  }

  #graphParts(): ChunkedGraphParts {
    const {
      api,
      graph,
      raw,
      info,
      roots,
      rootCache,
      windowClock: instants,
      allowEdits,
      datastack,
      timeoutMs,
    } = this.#parts;
    const scale = scaleAt(info.scales, graph.cvMip);
    return {
      api,
      info: raw,
      grid: { bounds: scaleBounds(scale), resolution: scale.resolution },
      roots: rootCache?.cache ?? roots,
      windowClock: instants,
      allowEdits,
      timeoutMs,
      graph: { ...graph, dataDir: graph.dataDir === undefined ? undefined : redactSecrets(graph.dataDir) },
      versions: toVersionSource(datastack),
      closeSignal: this.#parts.life.signal,
    };
  }

  /** What it was opened by; undefined when that was the graph's own path. */
  get datastack(): VolumeDatastack | undefined {
    return this.#parts.datastack;
  }

  /** What is remembered of roots; undefined unless the volume was opened with `rootCache`. */
  get rootCache(): VolumeRootCache | undefined {
    return this.#parts.rootCache?.cache;
  }

  /** Ends everything under way and all connections; later calls are refused. A `rootCache.file` is written, or a warning that it cannot be. */
  override async close(): Promise<void> {
    await super.close();
    await this.#parts.rootCache?.saveToFile();
  }

  /** The chunkedgraph as its server describes it, and everything else that can be asked about it. */
  get graph(): ChunkedGraph {
    return (this.#graph ??= new ChunkedGraph(this.#graphParts(), this.#moment));
  }

  /**
   * The moment that "now" stands for: the earlier of the local clock and the server's, the later when they are more than 5 minutes apart. It
   * never goes back, and never lies before an edit that this process has made. Give it to several calls to have them agree.
   */
  now(): Date {
    return new Date(this.#parts.windowClock.now());
  }

  /**
   * The newest moment whose roots are final: edits appear up to `settleMs` after their own timestamp. What is asked about later moments
   * may be answered otherwise tomorrow.
   */
  settled(): Date {
    return new Date(this.#parts.windowClock.settled());
  }

  /**
   * The same volume at one moment; connections and caches are shared, and closing either closes both. `'mat'` and `'mat_943'` are looked up
   * by each call that needs them.
   * @throws TimestampError.
   */
  at(timestamp: Timestamp): GrapheneVolume {
    return new GrapheneVolume(
      this.#parts,
      checkTimestampOption(parseTimestampOption(timestamp), toVersionSource(this.#parts.datastack)),
    );
  }

  /**
   * Supervoxel and root ID at each point: N in, N out, in the order given, 0 wherever there is none.
   *
   * @param points `[x, y, z][]`, `{ x, y, z }[]`, a flat typed array or columns; voxels of mip 0 unless `resolution` says otherwise; floored.
   *   They are copied before the call returns, unless `borrow` is true.
   * @throws PartialResultError (see `onError`); TypeError, RangeError, TimestampError, InfoError UNSUPPORTED, `signal.reason`.
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
    return this.#inTime(source, own, (message) => this.#parts.logger.warn(message));
  }

  /**
   * Root IDs of supervoxels that are known already: no voxel is read. Zeros are `background`, IDs at or above the wanted layer are kept
   * and `notLookedUp`; with `validate`, those of the root layer are `ok` or `noRoot`.
   * @throws PartialResultError (see `onError`); TypeError unless the IDs are bigints; RangeError, TimestampError, `signal.reason`.
   */
  async roots(supervoxelIds: Ids, options: RootOptions = {}): Promise<RootsResult> {
    const own = parseOptions(options, ROOT_OPTIONS);
    const ids = copyIds(supervoxelIds, { borrow: own.borrow, what: 'supervoxel ID' });
    return callWithDeadline(this.#parts, own, (bound) => this.#roots(ids, bound));
  }

  async #roots(ids: BigUint64Array, options: RootOptions): Promise<RootsResult> {
    const began = performance.now();
    const answer = await this.#lookUp(ids, await this.#question(options));
    const { rootIds, outcomes: fates, failures } = answer;
    const status = new Uint8Array(fates.length);
    await cooperativeRunner.run(writeRootStatuses(fates, wordsOf(ids), status));
    const total = performance.now() - began;
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
   * The supervoxel at one point, `[x, y, z]` or `{ x, y, z }`; 0n on background.
   * @throws PointError whose `code` is the status in upper case; as `scatteredPoints`.
   */
  async supervoxelAt(
    point: Point,
    options: Omit<OnePointOptions, keyof RootOptions> & { signal?: AbortSignal; timeoutMs?: number } = {},
  ): Promise<bigint> {
    const { supervoxelId } = await this.#one(point, { ...options, agglomerate: false });
    return supervoxelId;
  }

  /**
   * The root ID at one point, `[x, y, z]` or `{ x, y, z }`; 0n on background.
   * @throws PointError whose `code` is the status in upper case; as `scatteredPoints`.
   */
  async rootAt(point: Point, options: OnePointOptions = {}): Promise<bigint> {
    const { rootId } = await this.#one(point, options);
    return rootId;
  }

  /**
   * The root ID of one supervoxel; 0n for 0n.
   * @throws PointError whose `code` is the status in upper case; as `roots`.
   */
  async rootOf(supervoxelId: bigint, options: Omit<RootOptions, 'onError' | 'borrow'> = {}): Promise<bigint> {
    const result = await this.roots([supervoxelId], { ...options, onError: 'status' });
    const [row] = result.rows();
    if (row.status !== 'ok' && row.status !== 'background')
      throw createPointError(`ID ${supervoxelId}`, row.status, row.error, result.timestamp);
    return row.rootId;
  }

  async #one(point: Point, given: ScatteredPointsOptions): Promise<{ supervoxelId: bigint; rootId: bigint }> {
    // A lone point on background is an ordinary answer: no advice about resolutions.
    const options = parseOptions(given, SCATTERED_OPTIONS),
      source = toPointSource([point]),
      xyz = new Float64Array(3);
    source.read(0, xyz);
    const result = await this.#inTime(source, { ...options, onError: 'status' }, () => undefined);
    const [row] = result.rows() as IterableIterator<{
      supervoxelId: bigint;
      rootId?: bigint;
      status: string;
      error?: Error;
    }>;
    const name = `point [${formatVec3(xyz)}]`;
    if (row.status === 'suspect') {
      this.#parts.logger.warn(
        `${name}: supervoxel ${row.supervoxelId} does not belong to the graph chunk of the point`,
      );
      // 0n is for background alone.
      if ('timestamp' in result && row.rootId === 0n)
        throw createPointError(
          `${name} (supervoxel ${row.supervoxelId})`,
          'no_root',
          undefined,
          result.timestamp,
        );
    } else if (row.status !== 'ok' && row.status !== 'background')
      throw createPointError(
        row.status === 'no_root' || row.status === 'root_failed'
          ? `${name} (supervoxel ${row.supervoxelId})`
          : name,
        row.status,
        row.error,
        'timestamp' in result ? result.timestamp : undefined,
      );
    return { supervoxelId: row.supervoxelId, rootId: row.rootId ?? 0n };
  }

  async #inTime(
    points: PointSource,
    options: ScatteredPointsOptions,
    warn: (message: string) => void,
  ): Promise<PointsResult | SupervoxelResult> {
    return callWithDeadline(
      this.#parts,
      options,
      (bound) => this.#scatteredPoints(points, bound, warn),
      endingMs(points, options),
    );
  }

  async #scatteredPoints(
    points: PointSource,
    options: ScatteredPointsOptions,
    warn: (message: string) => void,
  ): Promise<PointsResult | SupervoxelResult> {
    const began = performance.now();
    const resolution = resolveResolution(options.resolution, this.#parts.datastack) ?? this.parts.resolution;
    const question = await this.#question(options);
    const check = new SupervoxelCheck(this.#parts.graph, this.#parts.checkSupervoxels);
    const read = await this.#parts.reader.read(points, {
      resolution,
      mip: checkMip(options.mip ?? this.#parts.mip, this.#parts.graph.cvMip),
      snapNm: options.snap?.radiusNm,
      signal: options.signal,
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
        { supervoxelIds },
        (index) => ({ supervoxelId: supervoxelIds[index] }),
      );
      return await throwIfPartial(result, status, options.onError, failures);
    }
    const chunksDone = performance.now();
    const answer = await this.#lookUp(supervoxelIds, question);
    const { rootIds } = answer;
    await cooperativeRunner.run(applyRootOutcomes(answer.outcomes, status));
    const done = performance.now();
    stats.rootRequests = answer.requests;
    stats.distinctSupervoxels = answer.distinct;
    Object.assign(stats, rootCacheHits(answer));
    stats.ms.roots = done - chunksDone;
    stats.ms.total = done - began;
    const result: PointsResult = buildResult(
      { status, stats, snapped, errorOf: (index) => rootErrorAt(answer, status, index) ?? errorOf(index) },
      { supervoxelIds, rootIds, timestamp: new Date(answer.timestampMs), settled: answer.settled },
      (index) => ({ supervoxelId: supervoxelIds[index], rootId: rootIds[index] }),
    );
    return await throwIfPartial(result, status, options.onError, failures, answer.failures);
  }

  #lookUp(ids: BigUint64Array, { moment, ...question }: Question): Promise<RootsAnswer> {
    const { logger, windowClock: instants, roots, rootCache } = this.#parts;
    const timestampMs = moment === 'settled' ? instants.settled() : moment;
    if (timestampMs !== undefined && timestampMs > instants.now() + FUTURE_MS)
      logger.warn(
        `${new Date(timestampMs).toISOString()} is in the future: the server answers as of now, and later answers for that moment may differ`,
      );
    return (rootCache?.cache ?? roots).lookUp(ids, { ...question, timestampMs });
  }

  /** Checked, and with a version looked up unless no root is wanted. */
  async #question({
    timestamp,
    stopLayer,
    validate,
    signal,
    agglomerate = true,
  }: RootOptions & { agglomerate?: boolean }): Promise<Question> {
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
        timestamp === undefined ? this.#moment : parseTimestampOption(timestamp),
        versions,
      );
    return {
      moment: agglomerate ? await resolveVersion(wanted, versions, signal) : undefined,
      stopLayer,
      validate,
      signal,
    };
  }
}

/** Of a root look-up, apart from the IDs. */
interface Question {
  moment: Exclude<TimestampOption, NamedVersion>;
  stopLayer: number | undefined;
  validate: boolean | undefined;
  signal: AbortSignal | undefined;
}

/** A member of the stats that is there only with a root cache. */
const rootCacheHits = ({ cached }: RootsAnswer): { rootCacheHits?: number } =>
  cached === undefined ? {} : { rootCacheHits: cached };

/** Clocks differ; a timestamp this far ahead is no clock's. */
const FUTURE_MS = 60_000;

/** Why a root could not be looked up; undefined for all other statuses. */
const rootErrorAt = (answer: RootsAnswer, status: Uint8Array, index: number): Error | undefined =>
  status[index] === PointStatus.rootFailed ? findFailureReason(answer, index) : undefined;
