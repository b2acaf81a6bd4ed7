/** The public class PrecomputedVolume, and the base class that it shares with GrapheneVolume. */
import { withDeadline } from '../base/deadline.ts';
import { VolumeClosedError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { redactSecrets } from '../base/secret-redaction.ts';
import { parseOptions, type AnyOptionTable } from '../base/option-table.ts';
import type { Vec3 } from '../base/vec3.ts';
import type { DataType } from '../precomputed/data-type.ts';
import { scaleBounds, scaleAt, type Scale, type VolumeInfo } from '../precomputed/volume-info.ts';
import { toPointSource, type PointInput, type PointSource } from '../points/point-input.ts';
import { createErrorLookup, type PointReader } from '../points/point-reader.ts';
import { checkInterpolation } from '../points/linear-reads.ts';
import { COMBINE_NS_PER_POINT } from '../points/linear-values.ts';
import type { ValuesResult } from '../points/result.ts';
import { SETTLE_NS_PER_POINT } from '../points/snap.ts';
import { buildResult } from './build-result.ts';
import { READ_OPTIONS } from './reading-options.ts';
import type { ReadPointsOptions } from './option-types.ts';
import { throwIfPartial } from './partial-result.ts';
import type { BucketDescription } from './resolve/description.ts';
import { StreamMisses } from './describe-all-misses.ts';
import { streamLookups, type StreamVolume } from './stream/lookup-stream.ts';
import type { AnyPointsResult } from './stream/split-result.ts';
import { STREAM_OPTIONS } from './stream/stream-options.ts';
import type { StreamBatch, StreamedResult, StreamOptions } from './stream/stream-types.ts';

/** The objects that every volume uses. @internal */
export interface VolumeParts {
  /** The info as JSON, for `volume.info`. */
  raw: Readonly<Record<string, unknown>>;
  info: VolumeInfo;
  redirects: readonly string[];
  /** The bucket of the chunks, and which credentials it is read with. */
  bucket: BucketDescription;
  /** For `volume.generation`. */
  generation: number | undefined;
  reader: PointReader;
  resolution: Vec3 | undefined;
  mip: number;
  logger: Logger;
  /** Receives what looks wrong about the points of a call. @default The logger. */
  warnOfCall?: (message: string) => void;
  /** Deadline of calls without one of their own. */
  timeoutMs: number | undefined;
  /** Aborted by `close()`, which aborts all calls in flight. */
  life: AbortController;
  /** Closes connections, waits until all that was read has been saved, and ends worker threads. */
  release: () => Promise<void>;
}

/** Runs a call with a signal that its deadline, its caller and `close()` abort. @internal */
export const callWithDeadline = <Options extends { signal?: AbortSignal; timeoutMs?: number }, T>(
  { life, timeoutMs }: VolumeParts,
  options: Options,
  call: (options: Options & { signal: AbortSignal }) => Promise<T>,
  endingMs?: number,
): Promise<T> =>
  withDeadline(
    options.timeoutMs ?? timeoutMs,
    [options.signal, life.signal],
    (signal) => call({ ...options, signal }),
    endingMs,
  );

/** Returns how long before its deadline a call must stop its search, in ms. @internal */
export const endingMs = (
  points: PointSource,
  { snap, interpolate }: Pick<ReadPointsOptions, 'snap' | 'interpolate'>,
): number =>
  (points.count *
    ((snap === undefined ? 0 : SETTLE_NS_PER_POINT) +
      (interpolate === 'linear' ? COMBINE_NS_PER_POINT : 0))) /
  1e6;

/**
 * Checks and copies the options and points of a call, so that later changes by the caller have no effect.
 * @internal
 * @throws TypeError.
 */
export function captureArguments<Options extends { borrow?: boolean }>(
  points: PointInput,
  given: Options,
  table: AnyOptionTable,
): { options: Options; source: PointSource } {
  const options = parseOptions(given, table);
  return { options, source: toPointSource(points, options) };
}

/** Returns what all streams of a volume have in common. @internal */
export function streamContext(
  volume: VolumeParts,
  resolution: Vec3 | undefined,
  mip: number | undefined,
): Pick<StreamVolume<AnyPointsResult>, 'closed' | 'note' | 'onEnd'> {
  const unit = resolution ?? volume.resolution;
  const misses = new StreamMisses({ volume, unit, mip }, (message) =>
    volume.warnOfCall ? volume.warnOfCall(message) : volume.logger.warn(message),
  );
  return { closed: volume.life.signal, note: (result) => misses.note(result), onEnd: () => misses.report() };
}

/** Returns the objects that a volume uses. Set by {@link Volume}, whose field is private. @internal */
export let partsOf: (volume: Volume) => VolumeParts;

/** Base class of volumes: their description, and `close()`. */
export class Volume {
  // Private, so that printing a volume shows neither its parts nor a secret.
  readonly #parts: VolumeParts;
  readonly #scales: readonly Scale[];

  static {
    partsOf = (volume) => volume.#parts;
  }

  /** @internal Volumes are created by `openPrecomputed`. */
  constructor(parts: VolumeParts) {
    this.#parts = parts;
    this.#scales = parts.info.scales.map((scale) => ({ ...scale, key: redactSecrets(scale.key) }));
  }

  /** @internal */
  protected get parts(): VolumeParts {
    return this.#parts;
  }

  /** The volume's info, as the server stores it. A token in it is replaced by `***`. */
  get info(): Readonly<Record<string, unknown>> {
    return this.parts.raw;
  }

  /**
   * Paths of the redirects, from the path that was opened to the path that is read; empty without a redirect.
   */
  get redirects(): readonly string[] {
    return this.parts.redirects;
  }

  /**
   * The number of the commit that is read, if the chunks are in an OCDBT database: the latest at the time of
   * opening, unless the path names another.
   */
  get generation(): number | undefined {
    return this.parts.generation;
  }

  /** Whether the volume is an image or a segmentation. */
  get type(): VolumeInfo['type'] {
    return this.parts.info.type;
  }

  /** Data type of the values, such as `uint64`. */
  get dataType(): DataType {
    return this.parts.info.dataType;
  }

  /** Number of channels: values per voxel. */
  get numChannels(): number {
    return this.parts.info.numChannels;
  }

  /** The scales, finest first: `scales[mip]`. */
  get scales(): readonly Scale[] {
    return this.#scales;
  }

  /**
   * Returns the bounding box of the volume in voxels of `mip`, xyz. It is half-open: `min` is inside, `max`
   * is outside.
   * @param mip Scale. The default is the scale that the volume reads.
   * @throws RangeError for an unknown mip.
   */
  bounds(mip: number = this.parts.mip): {
    /** The first voxel, xyz. */
    min: Vec3;
    /** The first voxel behind the end, xyz. */
    max: Vec3;
  } {
    return scaleBounds(scaleAt(this.scales, mip));
  }

  /**
   * Closes the volume: aborts all calls in flight and closes all connections. Later calls throw
   * VolumeClosedError.
   */
  async close(): Promise<void> {
    this.parts.life.abort(new VolumeClosedError());
    await this.parts.release();
  }

  /** Closes the volume at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/**
 * A Precomputed volume, image or segmentation, opened by `openPrecomputed`. It reads the values at points.
 * @example
 * await using volume = await openPrecomputed('gs://BUCKET/PATH');
 * const { values, status } = await volume.scatteredPoints([[100, 200, 30]]);
 */
export class PrecomputedVolume extends Volume {
  /**
   * Reads the value at each point. N points give N results, in the same order; 0 where there is none.
   *
   * @param points `[x, y, z][]`, `{ x, y, z }[]`, a flat typed array (xyz interleaved), or columns
   *   `{ x, y, z }`. The unit is one voxel of mip 0, unless `resolution` sets another. Coordinates are
   *   rounded down, unless `interpolate` is `'linear'`. Points are copied before the call returns, unless
   *   `borrow` is true.
   * @throws PartialResultError when points failed, unless `onError` is `'status'`; TypeError or RangeError
   *   for points or options that cannot be used; InfoError UNSUPPORTED (the encoding; interpolation in a
   *   segmentation); VolumeClosedError; `signal.reason`.
   */
  async scatteredPoints(points: PointInput, options: ReadPointsOptions = {}): Promise<ValuesResult> {
    const { source, options: own } = captureArguments(points, options, READ_OPTIONS);
    checkInterpolation(this, own.interpolate);
    return callWithDeadline(this.parts, own, (bounded) => this.#read(source, bounded), endingMs(source, own));
  }

  /**
   * Reads the values at the points of a stream of batches. Each batch gives one result, in the order of the
   * batches, when `next()` asks for it. Batches are read ahead, but never without a bound: at most those of
   * `concurrency` calls, and of one more.
   *
   * Small batches are read together, so a stream of single points is fast. A loop that is left (`break`) aborts
   * the calls in flight and closes the source. In `stats` of each result, what a call read counts for the first
   * of its batches, so sums over a stream are right.
   *
   * @param source Batches: points in any form of `scatteredPoints`, one point, or an object that has `points`
   *   and whatever else belongs to the batch. `batch` of a result is the batch as the source gave it.
   * @throws TypeError or RangeError for a source or options that cannot be used. The iteration throws, after the
   *   results of all batches before: PartialResultError when points of a batch failed, unless `onError` is
   *   `'status'`; TypeError for a batch that has no points; both name the index of the batch. What the source
   *   throws; VolumeClosedError; `signal.reason`, at once.
   * @example
   * for await (const { values, batch } of volume.lookupStream(batches)) save(batch.name, values);
   */
  lookupStream<Batch extends StreamBatch>(
    source: AsyncIterable<Batch> | Iterable<Batch>,
    options: StreamOptions = {},
  ): AsyncGenerator<StreamedResult<ValuesResult, Batch>, void, undefined> {
    const own = parseOptions(options, STREAM_OPTIONS);
    checkInterpolation(this, own.interpolate);
    return streamLookups(source, own, {
      ...streamContext(this.parts, own.resolution as Vec3 | undefined, own.mip),
      lookUp: (points, signal) =>
        callWithDeadline(
          this.parts,
          { ...own, signal, onError: 'throw' as const },
          (bounded) => this.#read(points, bounded, () => undefined),
          endingMs(points, own),
        ),
    });
  }

  async #read(
    points: PointSource,
    options: ReadPointsOptions,
    warn?: (message: string) => void,
  ): Promise<ValuesResult> {
    const { reader, logger, info, warnOfCall } = this.parts;
    const { values, status, failures, stats, snapped } = await reader.read(points, {
      resolution: (options.resolution as Vec3 | undefined) ?? this.parts.resolution,
      mip: options.mip ?? this.parts.mip,
      snapNm: options.snap?.radiusNm,
      interpolate: options.interpolate,
      signal: options.signal,
      onProgress: options.onProgress,
      warn: warn ?? warnOfCall ?? ((message) => logger.warn(message)),
    });
    const channels = info.numChannels,
      errorOf = createErrorLookup(failures, status);
    const result: ValuesResult = buildResult({ status, stats, snapped, errorOf }, { values }, (index) => ({
      values: [...values.subarray(index * channels, (index + 1) * channels)],
    }));
    return await throwIfPartial(result, status, options.onError, failures);
  }
}
