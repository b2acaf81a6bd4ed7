/** What is in the voxels of a volume that a test makes up: a typed array, or a function of the voxel. */
import type { Vec3 } from '../../lib/base/vec3.ts';
import { copyTypedArray } from '../../lib/base/typed-array.ts';
import { product } from '../../lib/base/vec3.ts';
import { DATA_TYPES, type DataType, type ValueArray } from '../../lib/precomputed/data-type.ts';

/** Value of a voxel, in coordinates of mip 0 that count the voxel offset; whole numbers, except for float types. */
export type ValueOf = (x: number, y: number, z: number, channel: number) => bigint | number;

/** One value a voxel and channel, `[x, y, z, channel]`, x fastest; or a function. */
export type Labels = ValueArray | ValueOf;

export interface Extent {
  /** Voxels of mip 0. */
  size: Vec3;
  /** First voxel. */
  voxelOffset: Vec3;
  channels: number;
}

/** The data type that holds `labels`: an array's own, uint64 for a function. */
export function dataTypeOf(labels: Labels): DataType {
  if (typeof labels === 'function') return 'uint64';
  const known = (Object.keys(DATA_TYPES) as DataType[]).find((name) => labels instanceof DATA_TYPES[name]);
  if (!known)
    throw new TypeError(
      'labels are a typed array of a volume’s data type, or a function of x, y, z and the channel',
    );
  return known;
}

/** `labels` as a function. @throws RangeError when an array has not one value a voxel and channel */
export function valueOf(labels: Labels, { size, voxelOffset, channels }: Extent): ValueOf {
  if (typeof labels === 'function') return labels;
  const [sx, sy, sz] = size,
    [ox, oy, oz] = voxelOffset;
  const wanted = product(size) * channels;
  if (labels.length !== wanted)
    throw new RangeError(
      `${labels.length} labels for ${size.join(' x ')} voxels${channels === 1 ? '' : ` of ${channels} channels`}: ${wanted} are wanted`,
    );
  const own = copyTypedArray(labels, 'labels'); // voxels are asked about later, too
  return (x, y, z, channel) => own[x - ox + sx * (y - oy + sy * (z - oz + sz * channel))];
}

/** Values of a box, `[x, y, z, channel]`, x fastest. @param max Outside. */
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

/** The bytes of values, little-endian, as volumes store them. */
export const bytesOfValues = ({ buffer, byteOffset, byteLength }: ValueArray): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
