/**
 * Makes the info of a mocked graph, and IDs of its supervoxels.
 *
 * From layer to layer, two graph chunks join along each axis. An info cannot state another fan-out. Sources:
 * PyChunkedGraph, pychunkedgraph/graph/meta.py, dataset_info and layer_count, and graph/utils/generic.py,
 * compute_bitmasks.
 */
import type { Vec3 } from '../lib/base/vec3.ts';
import { NodeIdLayout, type MockGraphInfo } from './graph/node-id-layout.ts';

const LAYER_BITS = 8;
/**
 * Bits of each coordinate at layers 1 and 2. They allow 1024 graph chunks per axis and 2^26 supervoxels per
 * graph chunk.
 */
const SPATIAL_BITS = 10;

/** Options of {@link graphInfo}. All are optional. */
export interface GraphInfoOptions {
  /** Layers of the hierarchy, including supervoxels and roots: 3 to 127. @default 5 */
  layers?: number;
  /** Size of a graph chunk in voxels, xyz. @default [64, 64, 64] */
  chunkSize?: readonly number[];
  /** Bits per coordinate of a graph chunk in supervoxel and layer-2 IDs: `layers` - 2 to 18. @default 10 */
  spatialBits?: number;
  /** Size of the watershed's mip 0 in voxels, xyz. @default [1024, 1024, 1024] */
  size?: readonly number[];
  /** Nanometres per voxel of mip 0, xyz. @default [8, 8, 40] */
  resolution?: readonly number[];
}

/**
 * Makes an info as a chunkedgraph server answers it. Its `data_dir` is `{DATA_DIR}`, which the option
 * `dataDir` replaces.
 *
 * @throws RangeError for a number of layers or of bits out of its range.
 */
export function graphInfo({
  layers = 5,
  chunkSize = [64, 64, 64],
  spatialBits = SPATIAL_BITS,
  size = [1024, 1024, 1024],
  resolution = [8, 8, 40],
}: GraphInfoOptions = {}): MockGraphInfo {
  if (!Number.isInteger(layers) || layers < 3 || layers > 127)
    throw new RangeError(`a graph has 3 to 127 layers, not ${layers}`);
  if (spatialBits < layers - 2 || spatialBits > 18)
    throw new RangeError(`${spatialBits} spatial bits do not hold the chunks of ${layers} layers`);
  return {
    data_type: 'uint64',
    num_channels: 1,
    scales: [
      {
        chunk_sizes: [[64, 64, 64]],
        encoding: 'raw',
        key: resolution.join('_'),
        resolution,
        size,
        voxel_offset: [0, 0, 0],
      },
    ],
    type: 'segmentation',
    ...serverMembers(chunkSize, layers, spatialBits),
  };
}

/**
 * Adds a graph to a volume's info, with as many layers as the graph chunks need.
 * @param chunkSize Size of a graph chunk in voxels of mip 0. The grid starts at the voxel offset.
 * @throws RangeError when the coordinates of the graph chunks do not fit into IDs.
 */
export function graphInfoOf(info: { scales: readonly { size: Vec3 }[] }, chunkSize: Vec3): MockGraphInfo {
  const chunks = info.scales[0].size.map((voxels, axis) => Math.ceil(voxels / chunkSize[axis]));
  const layers = Math.max(3, Math.ceil(Math.log2(Math.max(...chunks))) + 2);
  if (chunks.some((count) => count > 2 ** SPATIAL_BITS))
    throw new RangeError(
      `${chunks.join(' x ')} graph chunks are too many: IDs have room for ${2 ** SPATIAL_BITS} along each axis`,
    );
  return { ...info, ...serverMembers(chunkSize, layers, SPATIAL_BITS) };
}

/** The members that a server adds to the info of its watershed. */
function serverMembers(chunkSize: readonly number[], layers: number, spatialBits: number): MockGraphInfo {
  const bits: Record<string, number> = { 1: spatialBits, 2: spatialBits };
  for (let layer = 3; layer <= layers; layer++) bits[layer] = Math.max(1, layers - layer);
  const graph = {
    bounding_box: [2048, 2048, 512],
    chunk_size: chunkSize,
    cv_mip: 0,
    n_bits_for_layer_id: LAYER_BITS,
    n_layers: layers,
    spatial_bit_masks: bits,
  };
  return {
    app: { supported_api_versions: [0, 1] },
    chunks_start_at_voxel_offset: true,
    data_dir: '{DATA_DIR}',
    graph,
    sharded_mesh: true,
    verify_mesh: false,
  };
}

/**
 * The ID of segment 0 of a graph chunk at layer 1, for a graph of {@link graphInfoOf}. Add a segment, from 1,
 * for a supervoxel's ID.
 */
export const chunkBaseId = ([x, y, z]: Vec3): bigint => {
  const bits = BigInt(SPATIAL_BITS);
  const chunk = (((BigInt(x) << bits) | BigInt(y)) << bits) | BigInt(z);
  return (1n << BigInt(64 - LAYER_BITS)) | (chunk << BigInt(64 - LAYER_BITS - 3 * SPATIAL_BITS));
};

/**
 * Makes the ID of a supervoxel.
 *
 * @param info The graph's info, such as {@link graphInfo} makes it.
 * @param chunk Coordinates of the graph chunk, xyz, from 0.
 * @param segment Number of the supervoxel in its graph chunk, from 1.
 * @throws RangeError for a coordinate or a segment that the ID has no room for.
 */
export function supervoxelId(
  info: MockGraphInfo,
  chunk: readonly [number, number, number],
  segment: number,
): bigint {
  const limit = 2 ** info.graph.spatial_bit_masks[1];
  if (!chunk.every((value) => Number.isInteger(value) && value >= 0 && value < limit))
    throw new RangeError(`there is no graph chunk ${chunk.join(', ')}: coordinates are below ${limit}`);
  if (
    !Number.isSafeInteger(segment) ||
    segment < 1 ||
    segment >= 2 ** (64 - info.graph.n_bits_for_layer_id) / limit ** 3
  )
    throw new RangeError(`there is no segment ${segment}`);
  const [low, high] = new NodeIdLayout(info).idWords(1, ...chunk, segment);
  return (BigInt(high) << 32n) | BigInt(low);
}
