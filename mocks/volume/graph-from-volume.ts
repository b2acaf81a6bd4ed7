/**
 * Describes a graph over a volume whose labels are supervoxel IDs. Its edges connect supervoxels that touch.
 */
import { product, type Vec3 } from '../../lib/base/vec3.ts';
import type { PrecomputedVolume } from '../../lib/graphene/precomputed-volume.ts';
import { cellBounds, gridShape } from '../../lib/precomputed/grid.ts';
import type { GraphDescription } from '../graph-description.ts';
import { graphInfoOf } from '../mock-graph-info.ts';
import { gridJson } from './precomputed.ts';
import { touchingPairs } from './touching.ts';

/** Options of {@link graphFromVolume}. All are optional. */
export interface GraphFromVolumeOptions {
  /**
   * Whether two supervoxels that share a face get an edge. In most volumes almost everything touches.
   * @default always
   */
  join?: (a: bigint, b: bigint) => boolean;
  /**
   * Size of a graph chunk in voxels of mip 0, xyz. The grid starts at the voxel offset.
   * @default the chunk size
   */
  graphChunkSize?: Vec3;
  /**
   * Members of the info's `graph` that differ from the default.
   * @default 8 bits for the layer, 10 bits for each coordinate, and as few layers as the graph chunks need
   */
  graph?: Partial<GraphDescription['info']['graph']>;
}

/** Four bytes per voxel are kept. */
const MAX_VOXELS = 2 ** 28;

/**
 * Reads all of mip 0 of a volume and describes a graph over it. A chunk that is not stored is background.
 *
 * @param path Cloud path of a Precomputed volume, as `openPrecomputed` takes it. Its labels must be
 *   supervoxel IDs, whose layer is 1: `createMockChunkedGraph` refuses others.
 * @returns A description for `createMockChunkedGraph`.
 * @throws RangeError for a volume of more than 2^28 voxels, and any error of the reads.
 */
export async function graphFromVolume(
  path: string,
  { join = () => true, graphChunkSize, graph }: GraphFromVolumeOptions = {},
): Promise<GraphDescription> {
  await using volume = await open(path);
  const [scale] = volume.scales;
  if (product(scale.size) > MAX_VOXELS)
    throw new RangeError(
      `the volume has ${scale.size.join(' x ')} voxels: at most ${MAX_VOXELS} can be read`,
    );
  const { ids, parts } = await readParts(volume);
  const edges = touchingPairs(parts, scale.size).filter(([a, b]) => join(ids[a], ids[b]));
  const info = graphInfoOf(infoOf(volume), graphChunkSize ?? scale.chunkSize);
  return {
    info: { ...info, graph: { ...info.graph, ...graph } },
    supervoxels: ids.map(String),
    edges: edges.map(([a, b]) => [String(ids[a]), String(ids[b])]),
  };
}

/**
 * Loads the reader only when it is needed. The import is in a function of its own, because tsc does not
 * rewrite the `.ts` of an import in a function that has `await using`.
 */
async function open(path: string): Promise<PrecomputedVolume> {
  const { openPrecomputed } = await import('../../lib/graphene/open-and-resolve.ts');
  return openPrecomputed(path);
}

/** Reads mip 0 chunk by chunk. `parts` holds each voxel's index into `ids`, x fastest; -1 is background. */
async function readParts(volume: PrecomputedVolume): Promise<{ ids: bigint[]; parts: Int32Array }> {
  const [scale] = volume.scales,
    [sx, sy] = scale.size,
    [ox, oy, oz] = scale.voxelOffset;
  const parts = new Int32Array(product(scale.size)).fill(-1);
  const indices = new Map<bigint, number>();
  for (let cell = 0; cell < product(gridShape(scale)); cell++) {
    const { min, max } = cellBounds(scale, cell);
    const points: number[] = [];
    for (let z = min[2]; z < max[2]; z++)
      for (let y = min[1]; y < max[1]; y++) for (let x = min[0]; x < max[0]; x++) points.push(x, y, z);
    const { values } = await volume.scatteredPoints(Float64Array.from(points));
    for (let k = 0; k < values.length; k++) {
      const id = BigInt(values[k]);
      if (id === 0n) continue;
      let index = indices.get(id);
      if (index === undefined) indices.set(id, (index = indices.size));
      parts[points[3 * k] - ox + sx * (points[3 * k + 1] - oy + sy * (points[3 * k + 2] - oz))] = index;
    }
  }
  return { ids: [...indices.keys()], parts };
}

const infoOf = ({ type, dataType, numChannels, scales }: PrecomputedVolume) => ({
  '@type': 'neuroglancer_multiscale_volume',
  type,
  data_type: dataType,
  num_channels: numChannels,
  scales: scales.map(({ encoding, blockSize, sharding, ...grid }) => ({
    ...gridJson(grid),
    encoding,
    ...(blockSize && { compressed_segmentation_block_size: blockSize }),
    ...(sharding !== undefined && { sharding }),
  })),
});
