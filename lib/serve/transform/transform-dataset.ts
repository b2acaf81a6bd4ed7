/**
 * How a volume looks to clients of the transform service: the unit of their positions, the numbers of its
 * scales, and the type of its values. Pure.
 */
import type { Vec3 } from '../../base/vec3.ts';
import type { DataType } from '../../precomputed/data-type.ts';
import { finestResolution, type Scale, type VolumeInfo } from '../../precomputed/volume-info.ts';

/** A volume as clients of the transform service see it. */
export interface TransformDataset {
  /** Nanometres per unit of a position, xyz. */
  voxelSize: Vec3;
  /** The type of the values in binary answers. */
  dtype: LabelType;
  /** The mip of the volume by the number of the scale in requests. */
  mips: ReadonlyMap<number, number>;
  /** Whether the volume has voxels whose positions float32 cannot hold: past 2^24 along an axis. */
  isLarge: boolean;
}

/** The data types of labels. */
export type LabelType = 'uint8' | 'uint16' | 'uint32' | 'uint64';

/** Float32 holds all whole numbers up to this one, and not the next. */
export const FLOAT32_WHOLE = 2 ** 24;

const LABEL_TYPES: readonly DataType[] = ['uint8', 'uint16', 'uint32', 'uint64'];

const FAFB: Vec3 = [4, 4, 40],
  FANC: Vec3 = [4.3, 4.3, 45],
  BANC: Vec3 = [4, 4, 45];
/**
 * The datasets whose unit clients know by name; they read 8 bytes for a value of each. The finest scale of these
 * segmentations is coarser than the image, and the unit is the voxel of the image.
 * Sources: bocklab/transform_service, app/config.py; fafbseg-py 3.2, fafbseg/spine/base.py, `DTYPES`, and
 * fafbseg/flywire/segmentation.py; natverse/fafbseg, R/flywire-api.R; flyconnectome/fancr and
 * flyconnectome/bancr, `*_supervoxels`.
 */
const KNOWN: ReadonlyMap<string, Vec3 | undefined> = new Map([
  ['flywire_190410', FAFB],
  ['fafb-ffn1-20200412', FAFB],
  ['fafb-ffn1-20200412-gcs', FAFB],
  ['fafb-ffn1-20200412-zarr', FAFB],
  ['fanc_v4', FANC],
  ['banc_v1', BANC],
  ['banc_lookup_local', BANC],
  ['wclee_aedes_brain', undefined], // only its data type is known
]);

/**
 * Describes a volume to clients of the transform service.
 *
 * @param voxelSize Nanometres per unit of a position. @default what clients know the name for, else the voxel of
 *   mip 0
 * @returns The description; or the reason, in words, why the volume has none.
 */
export function describeDataset(
  name: string,
  { type, dataType, numChannels, scales }: Pick<VolumeInfo, 'type' | 'dataType' | 'numChannels' | 'scales'>,
  voxelSize = KNOWN.get(name),
): TransformDataset | string {
  if (type !== 'segmentation' || numChannels !== 1 || !LABEL_TYPES.includes(dataType))
    return `it holds no labels: a segmentation of one channel and an unsigned type does, and this is ${type === 'image' ? 'an image' : 'a segmentation'} of ${numChannels} channel${numChannels === 1 ? '' : 's'} of ${dataType}`;
  const readable = scales.map((scale, mip) => ({ scale, mip })).filter(({ scale }) => !scale.error);
  const mips = new Map(
    voxelSize
      ? readable.flatMap(({ scale, mip }) => {
          const number = doublings(voxelSize, scale.resolution);
          return number === undefined ? [] : [[number, mip] as const];
        })
      : readable.map(({ mip }) => [mip, mip] as const),
  );
  const unit = voxelSize ?? finestResolution(scales);
  if (mips.size === 0)
    return `its clients send positions in voxels of ${unit.join(' × ')} nm, and none of its scales is that unit doubled along x and y: ${scales.map(({ resolution }) => resolution.join(' × ')).join(', ')} nm`;
  return {
    voxelSize: unit,
    dtype: KNOWN.has(name) ? 'uint64' : (dataType as LabelType),
    mips,
    isLarge: readable.some(({ scale }) => passesFloat32(scale, unit)),
  };
}

/**
 * Returns how often x and y of the unit are doubled to give the voxel of a scale, which is the number of the
 * scale; undefined if the voxel is no such multiple. z may be any whole multiple.
 */
function doublings(unit: Vec3, [x, y, z]: Vec3): number | undefined {
  const number = Math.round(Math.log2(x / unit[0])),
    factor = 2 ** number;
  const fits = (size: number, times: number): boolean => Math.abs(size / times - 1) < TOLERANCE;
  return number >= 0 &&
    fits(x / unit[0], factor) &&
    fits(y / unit[1], factor) &&
    fits(z / unit[2], Math.round(z / unit[2]))
    ? number
    : undefined;
}

/** Resolutions are decimal numbers, so their quotients have errors of rounding. */
const TOLERANCE = 1e-9;

const passesFloat32 = ({ voxelOffset, size, resolution }: Scale, unit: Vec3): boolean =>
  [0, 1, 2].some(
    (axis) =>
      Math.max(-voxelOffset[axis], voxelOffset[axis] + size[axis] - 1) * (resolution[axis] / unit[axis]) >
      FLOAT32_WHOLE,
  );
