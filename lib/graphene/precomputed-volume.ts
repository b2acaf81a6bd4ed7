/** A Precomputed volume, read at points. */
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
import type { ValuesResult } from '../points/result.ts';
import { SETTLE_NS_PER_POINT } from '../points/snap.ts';
import { buildResult } from './build-result.ts';
import { READ_OPTIONS } from './reading-options.ts';
import type { ReadPointsOptions } from './option-types.ts';
import { throwIfPartial } from './partial-result.ts';

/** @internal */
export interface VolumeParts {
  /** What the info file holds, to be shown. */
  raw: Readonly<Record<string, unknown>>;
  info: VolumeInfo;
  redirects: readonly string[];
  reader: PointReader;
  resolution: Vec3 | undefined;
  mip: number;
  logger: Logger;
  /** Of calls that do not say otherwise. */
  timeoutMs: number | undefined;
  /** Aborted by `close()`: ends all that is under way. */
  life: AbortController;
  /** Closes connections. */
  release: () => void;
}

/** A call with a signal that its deadline, its caller and `close()` abort. @internal */
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

/** How long a call needs to end after its deadline. @internal */
export const endingMs = (points: PointSource, { snap }: { snap?: unknown }): number =>
  snap === undefined ? 0 : (points.count * SETTLE_NS_PER_POINT) / 1e6;

/** Options and points of a call, as they are now. @internal @throws TypeError. */
export function captureArguments<Options extends { borrow?: boolean }>(
  points: PointInput,
  given: Options,
  table: AnyOptionTable,
): { options: Options; source: PointSource } {
  const options = parseOptions(given, table);
  return { options, source: toPointSource(points, options) };
}

/** What every volume tells about itself. */
export class Volume {
  // Printing a volume shows nothing of what it is made of.
  readonly #parts: VolumeParts;
  readonly #scales: readonly Scale[];

  /** @internal Volumes come from `openPrecomputed`. */
  constructor(parts: VolumeParts) {
    this.#parts = parts;
    this.#scales = parts.info.scales.map((scale) => ({ ...scale, key: redactSecrets(scale.key) }));
  }

  /** @internal */
  protected get parts(): VolumeParts {
    return this.#parts;
  }

  /** The info as it stands on the server; of a token that it repeats, `***`. */
  get info(): Readonly<Record<string, unknown>> {
    return this.parts.raw;
  }

  /** Paths gone through where infos redirect, from the one that was opened to the one that is read; empty when nothing redirected. */
  get redirects(): readonly string[] {
    return this.parts.redirects;
  }

  get type(): VolumeInfo['type'] {
    return this.parts.info.type;
  }

  get dataType(): DataType {
    return this.parts.info.dataType;
  }

  get numChannels(): number {
    return this.parts.info.numChannels;
  }

  /** Finest first. */
  get scales(): readonly Scale[] {
    return this.#scales;
  }

  /** Voxels of `mip` that the volume covers: half-open. @throws RangeError for a mip it has not. */
  bounds(mip: number = this.parts.mip): { min: Vec3; max: Vec3 } {
    return scaleBounds(scaleAt(this.scales, mip));
  }

  /** Ends everything under way and all connections; later calls are refused. */
  async close(): Promise<void> {
    this.parts.life.abort(new VolumeClosedError());
    this.parts.release();
    await this.parts.reader.whenSaved();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

export class PrecomputedVolume extends Volume {
  /**
   * The value at each point: N in, N out, in the order given.
   *
   * @param points `[x, y, z][]`, `{ x, y, z }[]`, a flat typed array or columns; voxels of mip 0 unless `resolution` says otherwise; floored.
   *   They are copied before the call returns, unless `borrow` is true.
   * @throws PartialResultError (see `onError`); TypeError, RangeError, InfoError UNSUPPORTED, `signal.reason`.
   */
  async scatteredPoints(points: PointInput, options: ReadPointsOptions = {}): Promise<ValuesResult> {
    const { source, options: own } = captureArguments(points, options, READ_OPTIONS);
    return callWithDeadline(this.parts, own, (bound) => this.#read(source, bound), endingMs(source, own));
  }

  async #read(points: PointSource, options: ReadPointsOptions): Promise<ValuesResult> {
    const { reader, logger, info } = this.parts;
    const { values, status, failures, stats, snapped } = await reader.read(points, {
      resolution: (options.resolution as Vec3 | undefined) ?? this.parts.resolution,
      mip: options.mip ?? this.parts.mip,
      snapNm: options.snap?.radiusNm,
      signal: options.signal,
      onProgress: options.onProgress,
      warn: (message) => logger.warn(message),
    });
    const channels = info.numChannels,
      errorOf = createErrorLookup(failures, status);
    const result: ValuesResult = buildResult({ status, stats, snapped, errorOf }, { values }, (index) => ({
      values: [...values.subarray(index * channels, (index + 1) * channels)],
    }));
    return await throwIfPartial(result, status, options.onError, failures);
  }
}
