/**
 * The info of a graph, described by hand or over a volume, and its supervoxels' IDs.
 *
 * Graph chunks join two by two along each axis from layer to layer: an info has no word for another fan-out, and the bits it tells
 * suit only this one. Sources: PyChunkedGraph, pychunkedgraph/graph/meta.py, dataset_info and layer_count, and graph/utils/generic.py,
 * compute_bitmasks.
 */
import type { Vec3 } from '../lib/base/vec3.ts';
import { NodeIdLayout, type MockGraphInfo } from './graph/node-id-layout.ts';

const LAYER_BITS = 8;
/** Of each coordinate at layers 1 and 2: 1024 graph chunks along an axis, 2^26 supervoxels in each. */
const SPATIAL_BITS = 10;

/** Options of `graphInfo`. */
export interface GraphInfoOptions {
  /** Of the hierarchy, supervoxels and roots included: 3 or more. @default 5 */
  layers?: number;
  /** Voxels of a graph chunk, xyz. @default [64, 64, 64] */
  chunkSize?: readonly number[];
  /** Bits of one coordinate of a graph chunk in supervoxel and layer-2 IDs: at least `layers` - 2. @default 10 */
  spatialBits?: number;
  /** Of the watershed's finest mip: voxels, xyz, and nm a voxel. @default [1024, 1024, 1024] and [8, 8, 40] */
  size?: readonly number[];
  /** Nanometres per voxel of mip 0, xyz. @default [8, 8, 40] */
  resolution?: readonly number[];
}

/**
 * An info as a chunkedgraph server answers it; `data_dir` stands for the mock's option `dataDir`.
 *
 * @throws RangeError for fewer than 3 layers, or bits that cannot hold the chunks.
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
    ...ofTheServer(chunkSize, layers, spatialBits),
  };
}

/**
 * A volume's info with its graph: chunks of `chunkSize` voxels of mip 0 from the voxel offset, and as many layers as they need.
 * @throws RangeError when coordinates of chunks do not fit into IDs.
 */
export function graphInfoOf(info: { scales: readonly { size: Vec3 }[] }, chunkSize: Vec3): MockGraphInfo {
  const chunks = info.scales[0].size.map((voxels, axis) => Math.ceil(voxels / chunkSize[axis]));
  const layers = Math.max(3, Math.ceil(Math.log2(Math.max(...chunks))) + 2);
  if (chunks.some((count) => count > 2 ** SPATIAL_BITS))
    throw new RangeError(
      `${chunks.join(' x ')} graph chunks; up to ${2 ** SPATIAL_BITS} along an axis have IDs`,
    );
  return { ...info, ...ofTheServer(chunkSize, layers, SPATIAL_BITS) };
}

/** What a server adds to the info of its watershed. */
function ofTheServer(chunkSize: readonly number[], layers: number, spatialBits: number): MockGraphInfo {
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

/** What all supervoxels of a graph chunk begin with, of a graph as {@link graphInfoOf} tells it; add the segment, from 1. */
export const chunkBaseId = ([x, y, z]: Vec3): bigint => {
  const bits = BigInt(SPATIAL_BITS);
  const chunk = (((BigInt(x) << bits) | BigInt(y)) << bits) | BigInt(z);
  return (1n << BigInt(64 - LAYER_BITS)) | (chunk << BigInt(64 - LAYER_BITS - 3 * SPATIAL_BITS));
};

/**
 * A supervoxel's ID. @param chunk Graph chunk, xyz. @param segment From 1 up.
 * @throws RangeError for what has no room in the ID.
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
