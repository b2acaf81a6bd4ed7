/** A graph for a volume whose labels are supervoxel IDs already: its supervoxels and what touches what, read from its chunks. */
import { product, type Vec3 } from '../../lib/base/vec3.ts';
import type { PrecomputedVolume } from '../../lib/graphene/precomputed-volume.ts';
import { cellBounds, gridShape } from '../../lib/precomputed/grid.ts';
import type { GraphDescription } from '../graph-description.ts';
import { graphInfoOf } from '../mock-graph-info.ts';
import { gridJson } from './precomputed.ts';
import { touchingPairs } from './touching.ts';

/** Options of `graphFromVolume`. */
export interface GraphFromVolumeOptions {
  /** Whether two supervoxels that share a face have an edge: in most volumes everything touches something. @default always */
  join?: (a: bigint, b: bigint) => boolean;
  /** Voxels of mip 0, from the voxel offset. @default the chunk size */
  graphChunkSize?: Vec3;
  /** What the graph's info says of the graph and differs from 8 bits of layer and 10 of each coordinate, and as few layers as do. */
  graph?: Partial<GraphDescription['info']['graph']>;
}

/** Four bytes a voxel are kept. */
const MOST_VOXELS = 2 ** 28;

/**
 * @param path Of a Precomputed volume, as `openPrecomputed` takes it; mip 0 is read, all of it. A chunk that is not stored is background.
 * @returns For `createMockChunkedGraph`, which refuses labels that are no IDs of layer 1
 * @throws RangeError for a volume of more than 2^28 voxels, and what reading throws
 */
export async function graphFromVolume(
  path: string,
  { join = () => true, graphChunkSize, graph }: GraphFromVolumeOptions = {},
): Promise<GraphDescription> {
  await using volume = await open(path);
  const [scale] = volume.scales;
  if (product(scale.size) > MOST_VOXELS)
    throw new RangeError(`${scale.size.join(' x ')} voxels; up to ${MOST_VOXELS} are read`);
  const { ids, parts } = await readParts(volume);
  const edges = touchingPairs(parts, scale.size).filter(([a, b]) => join(ids[a], ids[b]));
  const info = graphInfoOf(infoOf(volume), graphChunkSize ?? scale.chunkSize);
  return {
    info: { ...info, graph: { ...info.graph, ...graph } },
    supervoxels: ids.map(String),
    edges: edges.map(([a, b]) => [String(ids[a]), String(ids[b])]),
  };
}

/** Who only serves mocks need not load the reader. Apart from `await using`, around which tsc leaves an import's `.ts` as it is. */
async function open(path: string): Promise<PrecomputedVolume> {
  const { openPrecomputed } = await import('../../lib/graphene/open-and-resolve.ts');
  return openPrecomputed(path);
}

/** All labels, and which of them each voxel of mip 0 has, x fastest; -1 is background. A chunk at a time. */
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
