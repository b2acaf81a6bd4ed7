/** A chunkedgraph and its volume, made of objects that a test draws: what most tests need, in a few lines. */
import type { Vec3 } from '../lib/base/vec3.ts';
import { createMockBucket, type MockBucket } from './bucket.ts';
import {
  createMockChunkedGraph,
  type MockChunkedGraph,
  type MockChunkedGraphOptions,
} from './chunkedgraph.ts';
import { writeFiles } from './folder.ts';
import type { GraphDescription, GraphEdit, Id } from './graph-description.ts';
import { serveMocks, type ServedMocks, type ServeMocksOptions } from './loopback.ts';
import type { MockRoutes } from './server.ts';
import { graphInfoOf } from './mock-graph-info.ts';
import { buildPrecomputed, type BuiltPrecomputed, type PrecomputedOptions } from './volume/precomputed.ts';
import { cutIntoSupervoxels } from './volume/supervoxels.ts';
import { valueOf } from './volume/values.ts';

/** A supervoxel: its ID, or a voxel of mip 0 that it holds. */
export type Place = Id | Vec3;

export interface WorldEdit extends Omit<GraphEdit, 'merge' | 'split'> {
  /** One new edge between two supervoxels. */
  merge?: readonly [Place, Place];
  /** Supervoxels that end up apart: the edges between those of two groups are removed. */
  split?: readonly (readonly Place[])[];
}

/** What is the graph server's own, as {@link createMockChunkedGraph} takes it. */
type ServerOptions = Omit<MockChunkedGraphOptions, keyof GraphDescription | 'dataDir' | 'labelAt'>;

export interface WorldOptions
  extends Omit<PrecomputedOptions, 'dataType' | 'channels' | 'type' | 'labels'>, ServerOptions {
  /** Object of each voxel, 0 is background: neurons before any edit. Each has one root, whether its parts touch or not. */
  labels: PrecomputedOptions['labels'];
  /** Voxels of mip 0, from the voxel offset; objects are cut at its borders. @default the chunk size */
  graphChunkSize?: Vec3;
  /** Objects are also cut into pieces of at most so many voxels. @default the graph chunk size */
  supervoxelSize?: Vec3;
  /** Wanted by the bucket. @default anybody may read */
  bucketToken?: string;
  /** Before this moment there is no graph. @default 0 (1970) */
  base_timestamp?: GraphDescription['base_timestamp'];
  /** In the order of their times. */
  edits?: readonly WorldEdit[];
}

export interface World {
  readonly graph: MockChunkedGraph;
  readonly bucket: MockBucket;
  /** The watershed: supervoxel IDs. */
  readonly volume: BuiltPrecomputed;
  /** What `graph` was made from; as JSON, what `graphene-points mock --graph` reads. */
  readonly description: GraphDescription & { table: string };
  /** `{ '/segmentation': graph, '/bucket': bucket }`: for `serveMocks` and `nockMocks`. */
  readonly routes: MockRoutes;
  /** What to open, for a world mounted at `origin`: `graphene://http://127.0.0.1:49152/segmentation/table/mock`. */
  readonly cloudPath: (origin: string) => string;
  /** ID of the supervoxel at a voxel of mip 0; 0 on background and outside. */
  readonly supervoxelAt: (voxel: Vec3) => bigint;
  /** The supervoxels that an object was cut into, in the order of their first voxels, x fastest. */
  readonly supervoxelsOf: (label: bigint | number) => bigint[];
}

/** @throws RangeError or TypeError for what does not fit together, such as an edit at a voxel of background */
export function buildWorld(options: WorldOptions): World {
  const {
    labels,
    size,
    voxelOffset = [0, 0, 0],
    chunkSize = [64, 64, 64],
    table = 'mock',
    bucketToken,
    base_timestamp,
    edits = [],
  } = options;
  const { graphChunkSize = chunkSize, supervoxelSize = graphChunkSize } = options;
  const { ids, objects, parts, edges } = cutIntoSupervoxels(
    valueOf(labels, { size, voxelOffset, channels: 1 }),
    { size, voxelOffset, graphChunkSize, supervoxelSize },
  );
  const watershed = BigUint64Array.from(parts, (part) => (part < 0 ? 0n : ids[part]));
  const volume = buildPrecomputed({ ...options, labels: watershed });
  const supervoxelAt = (voxel: Vec3): bigint => BigInt(volume.valueAt(voxel) ?? 0n);

  const idOf = (place: Place): string => {
    if (typeof place !== 'object') return String(place);
    const id = supervoxelAt(place);
    if (id === 0n) throw new RangeError(`an edit at voxel ${place.join()}, where there is no supervoxel`);
    return String(id);
  };
  const description = {
    table,
    info: graphInfoOf(volume.info, graphChunkSize),
    base_timestamp,
    supervoxels: ids.map(String),
    edges: edges.map(([a, b]) => [String(ids[a]), String(ids[b])]),
    edits: edits.map(({ merge, split, ...edit }) => ({
      ...edit,
      ...(merge && { merge: [idOf(merge[0]), idOf(merge[1])] as const }),
      ...(split && { split: split.map((group) => group.map(idOf)) }),
    })),
  };
  const graph = createMockChunkedGraph({
    ...options,
    ...description,
    dataDir: '{HOST}/bucket',
    labelAt: (x, y, z) => supervoxelAt([x, y, z]),
  });
  const bucket = createMockBucket({ files: volume.files, token: bucketToken });
  return {
    graph,
    bucket,
    volume,
    description,
    routes: { '/segmentation': graph, '/bucket': bucket },
    cloudPath: (origin) => `graphene://${origin}/segmentation/table/${table}`,
    supervoxelAt,
    supervoxelsOf: (label) => ids.filter((_, k) => objects[k] === BigInt(label)),
  };
}

export interface ServedWorld extends ServedMocks {
  /** What to open: `graphene://http://127.0.0.1:49152/segmentation/table/mock`. */
  readonly cloudPath: string;
}

/** A world on loopback, until it is closed. */
export async function serveWorld(world: World, options?: ServeMocksOptions): Promise<ServedWorld> {
  const served = await serveMocks(world.routes, options);
  return { ...served, cloudPath: world.cloudPath(served.url) };
}

/** Writes `volume/` and `graph.json` below a folder: what `graphene-points mock --volume FOLDER/volume --graph FOLDER/graph.json` serves. */
export function writeWorld(
  folder: string,
  { volume, description }: Pick<World, 'volume' | 'description'>,
): void {
  const files = Object.entries(volume.files).map(([key, file]) => [`volume/${key}`, file] as const);
  writeFiles(folder, {
    ...Object.fromEntries(files),
    'graph.json': Buffer.from(JSON.stringify(description)),
  });
}
