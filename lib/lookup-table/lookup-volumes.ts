/** Opens the volumes of a look-up of a table, and makes their look-ups: the main one, and those beside it. */
import { InfoError } from '../base/errors.ts';
import type { NameOption } from '../base/option-names.ts';
import { isLoopbackHost } from '../base/public-address.ts';
import type { Vec3 } from '../base/vec3.ts';
import { isGrapheneVolume } from '../graphene/graph-volumes.ts';
import { type GrapheneVolume, graphenePartsOf } from '../graphene/graphene-volume.ts';
import { resolveResolution } from '../graphene/resolution.ts';
import { normalizeCloudPath } from '../graphene/resolve/cloud-path.ts';
import { withOcdbtVersion } from '../graphene/resolve/kv-path.ts';
import { partsOf, type PrecomputedVolume } from '../graphene/precomputed-volume.ts';
import { viewerSource } from '../neuroglancer/viewer-source.ts';
import { viewForTable } from '../graphene/table-view.ts';
import { describeAllMisses } from '../graphene/describe-all-misses.ts';
import type { OpenGrapheneOptions, ScatteredPointsOptions } from '../graphene/option-types.ts';
import { createGraphLookup, createValueLookup, type PointLookup } from '../jobs/point-lookup.ts';
import type { SurveyedVolume } from '../jobs/estimate-types.ts';
import type { NamedLookup } from '../jobs/side-by-side.ts';
import { checkInterpolation, reasonNotInterpolated } from '../points/linear-reads.ts';
import { ChunkOrder } from '../points/chunk-order.ts';
import { parseSharding } from '../precomputed/sharding.ts';
import { finestResolution, scaleAt } from '../precomputed/volume-info.ts';
import type { VolumeFacts } from '../report/model/run-record.ts';
import { surveyVolume } from './survey-volume.ts';
import type { LookupVolume, NamedLookupVolume } from './table-types.ts';
import { volumeFactsOf } from './volume-facts.ts';
import { isGraphenePath, openVolume, resolveJobTimestamp, type OpenedVolume } from './open-volume.ts';

/** Whether a volume has a graph. */
export const isGraphVolume = (volume: LookupVolume): boolean =>
  typeof volume === 'string' ? isGraphenePath(volume) : isGrapheneVolume(volume);

/** The main volume, as a viewer shows it. */
export interface ViewedVolume {
  /** Its source; undefined if no browser can read it. */
  source: string | undefined;
  isImage: boolean;
  isGraph: boolean;
  /** Nanometres per unit of the points. */
  unit: Vec3;
  /** Nanometres per voxel that the viewer shows. */
  voxelSize: Vec3;
  /** The viewer of its datastack, and the server that describes that. */
  viewerSite: string | undefined;
  server: string | undefined;
}

/** How all volumes are read. */
export interface LookupReading extends Pick<
  ScatteredPointsOptions,
  'resolution' | 'mip' | 'stopLayer' | 'agglomerate' | 'interpolate' | 'snap' | 'timestamp'
> {
  /** The timestamps of all volumes, if they are known already. The one of the main volume comes first. */
  pinned?: readonly (Date | undefined)[];
}

/** The volumes of one run. A volume that is named twice is opened once, and one that is open stays open. */
export class LookupVolumes {
  readonly #main: OpenedVolume;
  readonly #others: readonly { name: string; volume: OpenedVolume }[];
  /** The volumes that are closed at the end. */
  readonly #own: readonly OpenedVolume[];
  /** Nanometres per unit of the points. */
  #unit: Vec3 | undefined;

  private constructor(
    main: OpenedVolume,
    others: readonly { name: string; volume: OpenedVolume }[],
    own: readonly OpenedVolume[],
  ) {
    this.#main = main;
    this.#others = others;
    this.#own = own;
  }

  /** Nanometres per unit of the points. Known after `lookups`. */
  get unit(): Vec3 | undefined {
    return this.#unit;
  }

  /** The URL of the graph of the first volume that has one. */
  get graphServer(): string | undefined {
    const graph = [this.#main, ...this.#others.map(({ volume }) => volume)].find((one) => one.graph)?.graph;
    return graph && graphenePartsOf(graph).path.tableUrl;
  }

  /** Describes all volumes, the main one first. @param paths Their paths, in this order. */
  describe(paths: readonly LookupVolume[]): VolumeFacts[] {
    return [{ name: '', volume: this.#main }, ...this.#others].map(({ name, volume }, k) =>
      volumeFactsOf(name, paths[k], volume),
    );
  }

  /** The path of the main volume; in an OCDBT database, at the version that is open. */
  pinnedPath(path: string): string {
    const generation = this.#main.plain?.generation;
    return generation === undefined ? path : withOcdbtVersion(path, generation);
  }

  /**
   * Opens the volumes that are paths, one after the other. If one cannot be opened, all of them are closed.
   * @param options How paths are opened. `logger` also receives what looks wrong about the points of a call.
   * @throws InfoError NOT_OPENED for another volume than the main one; the errors of `openVolume` for that.
   */
  static async open(
    volume: LookupVolume,
    others: readonly NamedLookupVolume[],
    options: OpenGrapheneOptions,
    nameOf: NameOption,
  ): Promise<LookupVolumes> {
    const own: OpenedVolume[] = [],
      known = new Map<unknown, OpenedVolume>();
    const open = async (given: LookupVolume, how: OpenGrapheneOptions): Promise<OpenedVolume> => {
      const key = typeof given === 'string' ? normalizeCloudPath(given) : given;
      let opened = known.get(key);
      if (!opened) {
        if (typeof given === 'string') own.push((opened = await openVolume(given, how, nameOf)));
        else opened = toOpened(viewForTable(given, (message) => void how.logger?.warn(message)));
        known.set(key, opened);
      }
      return opened;
    };
    const named: { name: string; volume: OpenedVolume }[] = [];
    try {
      const main = await open(volume, options);
      // These options choose the main volume, or the unit of the points.
      const { server, ocdbt, ...rest } = options,
        shared = { ...rest, resolution: undefined, dataDir: undefined, voxelsAt: undefined, mip: undefined };
      for (const { name, volume: other } of others) {
        const logger = naming(name, options.logger),
          graph = isGraphVolume(other) ? { server, ocdbt } : {};
        try {
          named.push({ name, volume: await open(other, { ...shared, ...graph, logger }) });
        } catch (error) {
          throw new InfoError('NOT_OPENED', `${nameOf('also')} ${name} cannot be opened`, undefined, {
            cause: error,
          });
        }
      }
      return new LookupVolumes(main, named, own);
    } catch (error) {
      await closeAll(own);
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
    signal: AbortSignal | undefined,
  ): Promise<{ main: PointLookup; also: NamedLookup[] }> {
    const all = [this.#main, ...this.#others.map(({ volume }) => volume)];
    if (!all.some(canInterpolate)) checkInterpolation(volumeOf(this.#main), reading.interpolate);
    const snapsNowhere = !all.some(({ graph, plain }) => graph ?? plain.type === 'segmentation');
    const { resolution: ownResolution, info } = partsOf(volumeOf(this.#main)),
      resolution = resolveResolution(reading.resolution, this.#main.graph?.datastack),
      unit = resolution ?? ownResolution ?? finestResolution(info.scales);
    this.#unit = unit;
    const create = async (index: number, volume: OpenedVolume, unitOfPoints?: Vec3): Promise<PointLookup> => {
      const { snap, stopLayer, agglomerate, pinned } = reading,
        snaps = volume.graph ?? (volume.plain.type === 'segmentation' || snapsNowhere);
      const read = {
        resolution: unitOfPoints ?? resolution,
        mip: unitOfPoints ? undefined : reading.mip,
        snap: snaps ? snap : undefined,
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

  /** Describes the main volume for a viewer. Called after `lookups`. */
  forViewer(path: string): ViewedVolume {
    const { graph } = this.#main,
      { info } = partsOf(volumeOf(this.#main)),
      datastack = graph?.datastack,
      table = graph && graphenePartsOf(graph).path;
    return {
      source: table
        ? viewerSource(`graphene://${table.infoUrl.replace(/\/info$/, '')}`, {
            needsToken: !isLoopbackHost(table.hostname),
          })
        : viewerSource(this.pinnedPath(normalizeCloudPath(path))),
      isImage: !graph && this.#main.plain.type === 'image',
      unit: this.#unit!,
      voxelSize: datastack?.viewerResolution ?? finestResolution(info.scales),
      viewerSite: datastack?.viewerSite,
      server: datastack?.server,
      isGraph: graph !== undefined,
    };
  }

  /** Describes the chunks of the volumes, for an estimate. Called after `lookups`, with what it returned. */
  surveys(
    { mip, interpolate }: Pick<LookupReading, 'mip' | 'interpolate'>,
    lookups: { main: PointLookup; also: readonly NamedLookup[] },
  ): SurveyedVolume[] {
    const survey = (
      name: string | undefined,
      volume: OpenedVolume,
      { kind, snaps = false }: PointLookup,
      mip: number | undefined,
    ): SurveyedVolume => {
      const parts = partsOf(volumeOf(volume)),
        isLinear = interpolate === 'linear' && canInterpolate(volume);
      const surveyed = surveyVolume(parts, { unit: this.#unit!, mip: mip ?? parts.mip, isLinear });
      return { name, kind, snaps, ...surveyed };
    };
    return [
      survey(undefined, this.#main, lookups.main, mip),
      ...this.#others.map(({ name, volume }, k) => survey(name, volume, lookups.also[k].lookup, undefined)),
    ];
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
    return closeAll(this.#own);
  }
}

const volumeOf = ({ graph, plain }: OpenedVolume): NonNullable<typeof graph> | NonNullable<typeof plain> =>
  graph ?? plain;

const toOpened = (volume: GrapheneVolume | PrecomputedVolume): OpenedVolume =>
  isGrapheneVolume(volume) ? { graph: volume } : { plain: volume };

const canInterpolate = (volume: OpenedVolume): boolean =>
  reasonNotInterpolated(volumeOf(volume)) === undefined;

async function closeAll(volumes: Iterable<OpenedVolume>): Promise<void> {
  for (const volume of volumes) await volumeOf(volume).close();
}

/** Says of which volume a warning is. */
const naming = (name: string, logger: OpenGrapheneOptions['logger']): OpenGrapheneOptions['logger'] =>
  logger && { warn: (message) => void logger.warn(`${name}: ${message}`) };
