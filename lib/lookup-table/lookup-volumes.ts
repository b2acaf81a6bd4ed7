/** Opens the volumes of a look-up of a table, and makes their look-ups: the main one, and those beside it. */
import { InfoError } from '../base/errors.ts';
import type { NameOption } from '../base/option-names.ts';
import type { Vec3 } from '../base/vec3.ts';
import { isGraphPath, normalizeCloudPath } from '../graphene/resolve/cloud-path.ts';
import { partsOf } from '../graphene/precomputed-volume.ts';
import { describeAllMisses } from '../graphene/describe-all-misses.ts';
import type { OpenGrapheneOptions, ScatteredPointsOptions } from '../graphene/option-types.ts';
import { createGraphLookup, createValueLookup, type PointLookup } from '../jobs/point-lookup.ts';
import type { NamedLookup } from '../jobs/side-by-side.ts';
import { checkInterpolation, reasonNotInterpolated } from '../points/linear-reads.ts';
import { ChunkOrder } from '../points/chunk-order.ts';
import { parseSharding } from '../precomputed/sharding.ts';
import { finestResolution, scaleAt } from '../precomputed/volume-info.ts';
import { openVolume, resolveJobTimestamp, type OpenedVolume } from './open-volume.ts';

/** Another volume of a look-up, and the name of its columns. */
export interface NamedPath {
  name: string;
  path: string;
}

/** How all volumes are read. */
export interface LookupReading extends Pick<
  ScatteredPointsOptions,
  'mip' | 'stopLayer' | 'agglomerate' | 'interpolate'
> {
  radiusNm: number | undefined;
  /** The timestamp of the roots, as the user wrote it. */
  timestamp: string | undefined;
  /** The timestamps of all volumes, if they are known already. The one of the main volume comes first. */
  pinned?: readonly (Date | undefined)[];
}

/** The volumes of one run. A volume that is named twice is opened once. */
export class LookupVolumes {
  readonly #main: OpenedVolume;
  readonly #others: readonly { name: string; volume: OpenedVolume }[];
  /** Nanometres per unit of the points. */
  #unit: Vec3 | undefined;

  private constructor(main: OpenedVolume, others: readonly { name: string; volume: OpenedVolume }[]) {
    this.#main = main;
    this.#others = others;
  }

  /**
   * Opens the volumes, one after the other. If one cannot be opened, all are closed.
   * @throws InfoError NOT_OPENED for another volume than the main one; the errors of `openVolume` for that.
   */
  static async open(
    path: string,
    others: readonly NamedPath[],
    options: OpenGrapheneOptions,
    nameOf: NameOption,
  ): Promise<LookupVolumes> {
    const opened = new Map<string, OpenedVolume>();
    const named: { name: string; volume: OpenedVolume }[] = [];
    try {
      const main = await openVolume(path, options, nameOf);
      opened.set(normalizeCloudPath(path), main);
      // These options choose the main volume, or the unit of the points.
      const { server, ocdbt, ...rest } = options,
        shared = { ...rest, resolution: undefined, dataDir: undefined, mip: undefined };
      for (const { name, path: other } of others) {
        const key = normalizeCloudPath(other);
        let volume = opened.get(key);
        try {
          const own = { ...shared, logger: naming(name, options.logger) };
          volume ??= await openVolume(other, isGraphPath(key) ? { ...own, server, ocdbt } : own, nameOf);
        } catch (error) {
          throw new InfoError('NOT_OPENED', `${nameOf('also')} ${name} cannot be opened`, undefined, {
            cause: error,
          });
        }
        opened.set(key, volume);
        named.push({ name, volume });
      }
      return new LookupVolumes(main, named);
    } catch (error) {
      await closeAll(opened.values());
      throw error;
    }
  }

  /**
   * Makes the look-ups. Points snap in segmentations, and values are interpolated in images and floats; a
   * volume of the other kind gives the value of the voxel that a point lies in.
   * @throws InfoError UNSUPPORTED if no volume can be interpolated, but should be.
   */
  async lookups(
    reading: LookupReading,
    signal: AbortSignal,
  ): Promise<{ main: PointLookup; also: NamedLookup[] }> {
    const all = [this.#main, ...this.#others.map(({ volume }) => volume)];
    if (!all.some(canInterpolate)) checkInterpolation(volumeOf(this.#main), reading.interpolate);
    const snapsNowhere = !all.some(({ graph, plain }) => graph ?? plain.type === 'segmentation');
    const { resolution, info } = partsOf(volumeOf(this.#main)),
      unit = resolution ?? finestResolution(info.scales);
    this.#unit = unit;
    const create = async (index: number, volume: OpenedVolume, unitOfPoints?: Vec3): Promise<PointLookup> => {
      const { radiusNm, stopLayer, agglomerate, pinned } = reading,
        snaps = volume.graph ?? (volume.plain.type === 'segmentation' || snapsNowhere);
      const read = {
        resolution: unitOfPoints,
        mip: unitOfPoints ? undefined : reading.mip,
        snap: radiusNm === undefined || !snaps ? undefined : { radiusNm },
      };
      if (!volume.graph)
        return createValueLookup(volume.plain, {
          ...read,
          ...(canInterpolate(volume) && { interpolate: reading.interpolate }),
        });
      const timestamp = pinned
        ? pinned[index]
        : await resolveJobTimestamp(reading.timestamp, volume.graph, signal);
      return createGraphLookup(volume.graph, {
        ...read,
        timestamp,
        stopLayer,
        supervoxelsOnly: agglomerate === false,
      });
    };
    const createWithMisses = async (
      index: number,
      volume: OpenedVolume,
      unitOfPoints?: Vec3,
    ): Promise<PointLookup> =>
      Object.assign(await create(index, volume, unitOfPoints), {
        describeMisses: (counts: ArrayLike<number>, points: number, chunks: number) =>
          describeAllMisses(
            { volume: partsOf(volumeOf(volume)), unit, mip: unitOfPoints ? undefined : reading.mip },
            counts,
            points,
            chunks,
          ),
      });
    const also: NamedLookup[] = [];
    const main = await createWithMisses(0, this.#main);
    for (const [k, { name, volume }] of this.#others.entries())
      also.push({ name, lookup: await createWithMisses(k + 1, volume, unit) });
    return { main, also };
  }

  /** Returns the order of the chunks of the main volume. Called after `lookups`. @throws InfoError. */
  orderOf(mip: number | undefined): ChunkOrder {
    const { info, mip: ownMip } = partsOf(volumeOf(this.#main)),
      scale = scaleAt(info.scales, mip ?? ownMip);
    const sharding =
      scale.sharding === undefined
        ? undefined
        : parseSharding(scale.sharding, `scales[${scale.mip}] of the info`);
    return new ChunkOrder(scale, this.#unit!, sharding);
  }

  /** Mutes the warnings about the points of one call: a call has no longer the rows of one batch. */
  muteCalls(): void {
    for (const volume of [this.#main, ...this.#others.map((other) => other.volume)])
      partsOf(volumeOf(volume)).warnOfCall = () => undefined;
  }

  close(): Promise<void> {
    return closeAll([this.#main, ...this.#others.map(({ volume }) => volume)]);
  }
}

const volumeOf = ({ graph, plain }: OpenedVolume): NonNullable<typeof graph> | NonNullable<typeof plain> =>
  graph ?? plain;

const canInterpolate = (volume: OpenedVolume): boolean =>
  reasonNotInterpolated(volumeOf(volume)) === undefined;

async function closeAll(volumes: Iterable<OpenedVolume>): Promise<void> {
  for (const volume of new Set(volumes)) await volumeOf(volume).close();
}

/** Says of which volume a warning is. */
const naming = (name: string, logger: OpenGrapheneOptions['logger']): OpenGrapheneOptions['logger'] =>
  logger && { warn: (message) => void logger.warn(`${name}: ${message}`) };
