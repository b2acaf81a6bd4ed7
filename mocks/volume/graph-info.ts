/** The info of a graph over a volume, as a chunkedgraph server answers it. */
import type { Vec3 } from '../../lib/base/vec3.ts';
import type { GraphDescription } from '../graph-input.ts';

const LAYER_BITS = 8;
/** Of each coordinate, at every layer: 1024 graph chunks along an axis, 2^26 segments in each. */
const SPATIAL_BITS = 10;

/** A volume's info with its graph: chunks of `chunkSize` voxels of mip 0 from the voxel offset, and as many layers as they need. */
export function graphInfoOf(info: { scales: readonly { size: Vec3 }[] }, chunkSize: Vec3): GraphDescription['info'] {
  const chunks = info.scales[0].size.map((voxels, axis) => Math.ceil(voxels / chunkSize[axis]));
  const layers = Math.max(3, Math.ceil(Math.log2(Math.max(...chunks))) + 2);
  if (chunks.some((count) => count > 2 ** SPATIAL_BITS)) throw new RangeError(`${chunks.join(' x ')} graph chunks; up to ${2 ** SPATIAL_BITS} along an axis have IDs`);
  const graph = {
    chunk_size: chunkSize,
    cv_mip: 0,
    n_bits_for_layer_id: LAYER_BITS,
    n_layers: layers,
    spatial_bit_masks: Object.fromEntries(Array.from({ length: layers }, (_, layer) => [layer + 1, SPATIAL_BITS])),
  };
  return { ...info, app: { supported_api_versions: [0, 1] }, chunks_start_at_voxel_offset: true, data_dir: '{DATA_DIR}', graph };
}

/** What all supervoxels of a graph chunk begin with: layer 1 and the chunk's place; add the segment, from 1. */
export const chunkBase = ([x, y, z]: Vec3): bigint => {
  const bits = BigInt(SPATIAL_BITS);
  const chunk = (((BigInt(x) << bits) | BigInt(y)) << bits) | BigInt(z);
  return (1n << BigInt(64 - LAYER_BITS)) | (chunk << BigInt(64 - LAYER_BITS - 3 * SPATIAL_BITS));
};
