/** The info of a graph, and its supervoxels' IDs, for those who describe one by hand. */
import { IdLayout, type GraphInfo } from './graph/id-layout.ts';

export interface GraphInfoOptions {
  /** Of the hierarchy, supervoxels and roots included: 3 or more. @default 5 */
  layers?: number;
  /** Voxels of a graph chunk, xyz. @default [64, 64, 64] */
  chunkSize?: readonly number[];
  /** Bits of one coordinate of a graph chunk in supervoxel and layer-2 IDs: at least `layers` - 2. @default 10 */
  spatialBits?: number;
  /** Of the watershed's finest mip: voxels, xyz, and nm a voxel. @default [1024, 1024, 1024] and [8, 8, 40] */
  size?: readonly number[];
  resolution?: readonly number[];
}

/**
 * An info as a chunkedgraph server answers it; `data_dir` stands for the mock's option `dataDir`. Bits by layer follow
 * PyChunkedGraph, pychunkedgraph/graph/utils/generic.py, compute_bitmasks.
 *
 * @throws RangeError for fewer than 3 layers, or bits that cannot hold the chunks.
 */
export function graphInfo({ layers = 5, chunkSize = [64, 64, 64], spatialBits = 10, size = [1024, 1024, 1024], resolution = [8, 8, 40] }: GraphInfoOptions = {}): GraphInfo {
  if (!Number.isInteger(layers) || layers < 3 || layers > 127) throw new RangeError(`a graph has 3 to 127 layers, not ${layers}`);
  if (spatialBits < layers - 2 || spatialBits > 18) throw new RangeError(`${spatialBits} spatial bits do not hold the chunks of ${layers} layers`);
  const bits: Record<string, number> = { 1: spatialBits };
  for (let layer = 2; layer <= layers; layer++) bits[layer] = layer === 2 ? spatialBits : Math.max(1, layers - layer);
  return {
    app: { supported_api_versions: [0, 1] },
    chunks_start_at_voxel_offset: true,
    data_dir: '{DATA_DIR}',
    data_type: 'uint64',
    graph: { bounding_box: [2048, 2048, 512], chunk_size: chunkSize, cv_mip: 0, n_bits_for_layer_id: 8, n_layers: layers, spatial_bit_masks: bits } as GraphInfo['graph'],
    num_channels: 1,
    scales: [{ chunk_sizes: [[64, 64, 64]], encoding: 'raw', key: resolution.join('_'), resolution, size, voxel_offset: [0, 0, 0] }],
    sharded_mesh: true,
    type: 'segmentation',
    verify_mesh: false,
  };
}

/**
 * A supervoxel's ID. @param chunk Graph chunk, xyz. @param segment From 1 up.
 * @throws RangeError for what has no room in the ID.
 */
export function supervoxelId(info: GraphInfo, chunk: readonly [number, number, number], segment: number): bigint {
  const limit = 2 ** info.graph.spatial_bit_masks[1];
  if (!chunk.every((value) => Number.isInteger(value) && value >= 0 && value < limit)) throw new RangeError(`there is no graph chunk ${chunk.join(', ')}: coordinates are below ${limit}`);
  if (!Number.isSafeInteger(segment) || segment < 1 || segment >= 2 ** (64 - info.graph.n_bits_for_layer_id) / limit ** 3) throw new RangeError(`there is no segment ${segment}`);
  const [low, high] = new IdLayout(info).idWords(1, ...chunk, segment);
  return (BigInt(high) << 32n) | BigInt(low);
}
