/** The values of a mocked volume, as a typed array or a function of the voxel. */
import type { Vec3 } from '../../lib/base/vec3.ts';
import { copyTypedArray } from '../../lib/base/typed-array.ts';
import { product } from '../../lib/base/vec3.ts';
import { DATA_TYPES, type DataType, type ValueArray } from '../../lib/precomputed/data-type.ts';

/**
 * The value at a voxel of mip 0. Coordinates start at the voxel offset. Values are whole numbers, except for
 * float types.
 */
export type ValueOf = (x: number, y: number, z: number, channel: number) => bigint | number;

/**
 * The values of a volume: an array with one value per voxel and channel, `[x, y, z, channel]`, x fastest, or
 * a function.
 */
export type Labels = ValueArray | ValueOf;

/** The extent of a volume. */
export interface Extent {
  /** Size of mip 0 in voxels, xyz. */
  size: Vec3;
  /** First voxel of mip 0. */
  voxelOffset: Vec3;
  channels: number;
}

/** The data type of `labels`: that of an array; uint64 for a function. */
export function dataTypeOf(labels: Labels): DataType {
  if (typeof labels === 'function') return 'uint64';
  const known = (Object.keys(DATA_TYPES) as DataType[]).find((name) => labels instanceof DATA_TYPES[name]);
  if (!known)
    throw new TypeError(
      'labels must be a typed array of a volume’s data type, or a function of x, y, z and the channel',
    );
  return known;
}

/**
 * `labels` as a function.
 * @throws RangeError for an array that does not have one value per voxel and channel.
 */
export function valueOf(labels: Labels, { size, voxelOffset, channels }: Extent): ValueOf {
  if (typeof labels === 'function') return labels;
  const [sx, sy, sz] = size,
    [ox, oy, oz] = voxelOffset;
  const expected = product(size) * channels;
  if (labels.length !== expected)
    throw new RangeError(
      `${labels.length} labels for ${size.join(' x ')} voxels${channels === 1 ? '' : ` of ${channels} channels`}: ${expected} are needed`,
    );
  const own = copyTypedArray(labels, 'labels'); // values are read later, too
  return (x, y, z, channel) => own[x - ox + sx * (y - oy + sy * (z - oz + sz * channel))];
}

/** The values of a half-open box, `[x, y, z, channel]`, x fastest. @param max The first voxel outside. */
export function fill(dataType: DataType, min: Vec3, max: Vec3, channels: number, at: ValueOf): ValueArray {
  const values = new DATA_TYPES[dataType](
    (max[0] - min[0]) * (max[1] - min[1]) * (max[2] - min[2]) * channels,
  );
  const convert = values instanceof BigUint64Array || values instanceof BigInt64Array ? BigInt : Number;
  let k = 0;
  for (let channel = 0; channel < channels; channel++)
    for (let z = min[2]; z < max[2]; z++)
      for (let y = min[1]; y < max[1]; y++)
        for (let x = min[0]; x < max[0]; x++)
          (values as { [index: number]: bigint | number })[k++] = convert(at(x, y, z, channel));
  return values;
}

/** The bytes of values, little-endian, as volumes store them: a view. */
export const bytesOfValues = ({ buffer, byteOffset, byteLength }: ValueArray): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
