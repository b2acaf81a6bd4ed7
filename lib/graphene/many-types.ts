/** The public types of `readMany`. */
import type { Progress } from '../points/point-query.ts';
import type {
  PointsResult,
  Row,
  RootRow,
  SupervoxelResult,
  ValueRow,
  ValuesResult,
} from '../points/result.ts';
import type { GrapheneVolume } from './graphene-volume.ts';
import type { ReadPointsOptions, Resolution, RootOptions, ScatteredPointsOptions } from './option-types.ts';
import type { PrecomputedVolume } from './precomputed-volume.ts';

/** One volume of `readMany`, and how it is read. */
export type NamedVolume = NamedPrecomputed | NamedGraphene;

interface Named extends Pick<ReadPointsOptions, 'mip' | 'snap' | 'interpolate'> {
  /** Names the volume in the result. Letters, digits, `_`, `-` and `.`; different for each volume. */
  name: string;
}

/** A volume without a graph. */
export interface NamedPrecomputed extends Named {
  /** The open volume. */
  volume: PrecomputedVolume;
}

/** A volume with a graph. */
export interface NamedGraphene
  extends Named, Pick<RootOptions, 'timestamp' | 'stopLayer'>, Pick<ScatteredPointsOptions, 'agglomerate'> {
  /** The open volume. */
  volume: GrapheneVolume;
}

/** Options of `readMany`. They hold for all volumes. */
export interface ReadManyOptions extends Pick<ReadPointsOptions, 'onError' | 'signal' | 'borrow'> {
  /**
   * Nanometres per unit of the coordinates, xyz; or `'viewer'`, the resolution of the viewer of the datastack.
   * @default the unit of the volumes, if all have the same
   */
  resolution?: Resolution;
  /** As {@link ReadPointsOptions.interpolate}, for each volume that does not say otherwise. @default 'none' */
  interpolate?: ReadPointsOptions['interpolate'];
  /** Deadline of the call, in ms, for all volumes. @default each volume's own */
  timeoutMs?: number;
  /**
   * Receives the name of a volume and the number of its chunks done, during the call. An error that it throws is
   * thrown by the call at its end.
   */
  onProgress?: (progress: Progress & { name: string }) => void;
}

/** The type of the result of one entry: values, supervoxels, or supervoxels and roots. */
export type EntryResult<Entry> =
  Entry extends Pick<NamedPrecomputed, 'volume'>
    ? ValuesResult
    : Entry extends Record<'agglomerate', false>
      ? SupervoxelResult
      : PointsResult;

/** What one volume gives: the result of its `scatteredPoints`. */
export type VolumeAnswer<Result = ValuesResult | SupervoxelResult | PointsResult> = Result & {
  /**
   * Why the volume gave no answer at all. Then every point is `failed`, and the timestamp of a graph is an
   * invalid date.
   */
  error?: Error;
};

/** The answers of all volumes at one point. */
export interface ManyRow extends Row {
  /** The row of each volume, by its name. */
  volumes: Record<string, ValueRow | RootRow>;
}

/** The answers of several volumes at the same points. */
export interface ManyResult<Entries extends readonly NamedVolume[] = readonly NamedVolume[]> {
  /** The result of each volume, by its name. */
  volumes: { [Entry in Entries[number] as Entry['name']]: VolumeAnswer<EntryResult<Entry>> };
  /**
   * One status per point for all volumes together: `failed` or `rootFailed` if a volume failed there, else the
   * status of the first volume that is not `ok`, else `ok`.
   */
  status: Uint8Array;
  /** Iterates over the answers point by point, for display and small loops. */
  rows(): IterableIterator<ManyRow>;
}
