/**
 * Writes a raw uint64 volume from a function as the files of a bucket. Its expected labels need no decoder.
 */
import type { Vec3 } from '../lib/base/vec3.ts';

/** A volume of one scale. */
export interface TinyVolume {
  size: Vec3;
  chunkSize: Vec3;
  voxelOffset: Vec3;
  /** Label at a voxel. Coordinates start at the voxel offset. */
  labelAt: (x: number, y: number, z: number) => bigint;
}

export const RESOLUTION = [8, 8, 40] as const;

export const tinyInfo = ({ size, chunkSize, voxelOffset }: TinyVolume) => ({
  '@type': 'neuroglancer_multiscale_volume',
  type: 'segmentation',
  data_type: 'uint64',
  num_channels: 1,
  scales: [
    {
      key: 's0',
      encoding: 'raw',
      resolution: RESOLUTION,
      size,
      chunk_sizes: [chunkSize],
      voxel_offset: voxelOffset,
    },
  ],
});

/** The info file and all chunks, by key. */
export function tinyFiles(volume: TinyVolume): Record<string, Uint8Array> {
  const { size, chunkSize, voxelOffset, labelAt } = volume;
  const files: Record<string, Uint8Array> = {
    info: new TextEncoder().encode(JSON.stringify(tinyInfo(volume))),
  };
  for (let z0 = 0; z0 < size[2]; z0 += chunkSize[2])
    for (let y0 = 0; y0 < size[1]; y0 += chunkSize[1])
      for (let x0 = 0; x0 < size[0]; x0 += chunkSize[0]) {
        const from = [x0 + voxelOffset[0], y0 + voxelOffset[1], z0 + voxelOffset[2]];
        const to = [x0, y0, z0].map(
          (start, axis) => Math.min(start + chunkSize[axis], size[axis]) + voxelOffset[axis],
        );
        const labels: bigint[] = [];
        for (let z = from[2]; z < to[2]; z++)
          for (let y = from[1]; y < to[1]; y++)
            for (let x = from[0]; x < to[0]; x++) labels.push(labelAt(x, y, z));
        files[`s0/${[0, 1, 2].map((axis) => `${from[axis]}-${to[axis]}`).join('_')}`] = new Uint8Array(
          BigUint64Array.from(labels).buffer,
        );
      }
  return files;
}

/** A supervoxel ID of a graph with 8 layer bits and 10 spatial bits. */
export const supervoxel = (chunk: Vec3, segment: number): bigint =>
  (1n << 56n) |
  (BigInt(chunk[0]) << 46n) |
  (BigInt(chunk[1]) << 36n) |
  (BigInt(chunk[2]) << 26n) |
  BigInt(segment);
