/**
 * Builds a whole world for a test from a few labelled voxels: a volume, its bucket, and a chunkedgraph with
 * edits.
 */
import type { Vec3 } from '../lib/base/vec3.ts';
import { createMockBucket, type MockBucket } from './bucket.ts';
import {
  createMockChunkedGraph,
  type MockChunkedGraph,
  type MockChunkedGraphOptions,
} from './chunkedgraph.ts';
import { writeFiles } from './folder.ts';
import type { MockSupervoxelSplit, MockSupervoxelSplitOptions } from './edits-from-code.ts';
import { toMs, type GraphDescription, type GraphEdit, type Id } from './graph-description.ts';
import { serveMocks, type ServedMocks, type ServeMocksOptions } from './loopback.ts';
import type { MockRoutes } from './server.ts';
import { graphInfoOf } from './mock-graph-info.ts';
import { buildPrecomputed, type BuiltPrecomputed, type PrecomputedOptions } from './volume/precomputed.ts';
import { cutIntoSupervoxels } from './volume/supervoxels.ts';
import type { PlannedSplit } from './split-supervoxel.ts';
import type { StoredFile } from './stored-file.ts';
import { SplitVolume, type PartOf } from './ocdbt/split-volume.ts';
import { valueOf } from './volume/values.ts';

/** A supervoxel, named by its ID or by one of its voxels: xyz, mip 0. */
export type Place = Id | Vec3;

/** An edit of a world. It is a {@link GraphEdit} whose supervoxels may be named by voxels. */
export interface WorldEdit extends Omit<GraphEdit, 'merge' | 'split'> {
  /** One new edge between two supervoxels. */
  merge?: readonly [Place, Place];
  /** Groups of supervoxels to separate. Every edge between two groups is removed. */
  split?: readonly (readonly Place[])[];
}

/** The options of {@link createMockChunkedGraph} that are not about the graph itself. */
type ServerOptions = Omit<
  MockChunkedGraphOptions,
  keyof GraphDescription | 'dataDir' | 'labelAt' | 'splitVoxels'
>;

/**
 * Options of {@link buildWorld}: those of the volume, of the graph and of its server. `labels` and `size` are
 * required.
 */
export interface WorldOptions
  extends Omit<PrecomputedOptions, 'dataType' | 'channels' | 'type' | 'labels'>, ServerOptions {
  /**
   * The object of each voxel before any edit; 0 is background. Each object gets one root, also when its parts
   * do not touch.
   */
  labels: PrecomputedOptions['labels'];
  /**
   * Size of a graph chunk in voxels of mip 0, xyz. The grid starts at the voxel offset. Objects are cut into
   * supervoxels at the borders of graph chunks.
   * @default the chunk size
   */
  graphChunkSize?: Vec3;
  /** Largest size of a supervoxel in voxels, xyz. @default the graph chunk size */
  supervoxelSize?: Vec3;
  /** A token that requests to the bucket need. @default anybody may read */
  bucketToken?: string;
  /** When the graph was created. Before it, no supervoxel has a root. @default 0 (1970) */
  base_timestamp?: GraphDescription['base_timestamp'];
  /** The edits so far, in the order of their timestamps. @default [] */
  edits?: readonly WorldEdit[];
  /**
   * Makes the supervoxels splittable, as on a server of version 3: the info has `ocdbt_seg`, the voxels that
   * count are in OCDBT, and the volume at `data_dir` stays unsplit. `true` gives the graph a fork of its own, which
   * its info describes. `'shared'` is as on earlier servers: the voxels of the finest scale are below
   * `ocdbt_path`, and no spec is given.
   * @default false
   */
  supervoxelSplits?: boolean | 'shared';
}

/** What the split of a supervoxel changed. */
export interface WorldSplit extends MockSupervoxelSplit {
  /** The generation of the voxels after the split. */
  generation: number;
}

/** A volume, its bucket and its chunkedgraph. Serve it with {@link serveWorld}, or mount its `routes`. */
export interface World {
  /** The chunkedgraph server. */
  readonly graph: MockChunkedGraph;
  /** The bucket that holds the volume. */
  readonly bucket: MockBucket;
  /** The watershed, whose labels are supervoxel IDs. */
  readonly volume: BuiltPrecomputed;
  /** The description that `graph` was made from. `graphene-points mock --graph` reads it as JSON. */
  readonly description: GraphDescription & {
    /** Name of the table. */
    table: string;
  };
  /** `{ '/segmentation': graph, '/bucket': bucket }`, for `serveMocks` and `nockMocks`. */
  readonly routes: MockRoutes;
  /**
   * The cloud path to open when the world is mounted at `origin`:
   * `graphene://ORIGIN/segmentation/table/mock`.
   */
  readonly cloudPath: (origin: string) => string;
  /** The supervoxel ID at a voxel of mip 0 now; 0n on background and outside the volume. */
  readonly supervoxelAt: (voxel: Vec3) => bigint;
  /**
   * Splits a supervoxel and separates its parts, as a multicut within it does: new voxels, new IDs, new roots.
   * Only with `supervoxelSplits`.
   * @param partOf The part of a voxel of mip 0: 0, 1 and so on.
   * @throws RangeError for a place without a supervoxel, less than two parts, or a timestamp before the newest
   *   edit; TypeError without `supervoxelSplits`.
   */
  readonly splitSupervoxel: (
    place: Place,
    partOf: (x: number, y: number, z: number) => number,
    options?: MockSupervoxelSplitOptions,
  ) => WorldSplit;
  /** The newest generation of the voxels, with `supervoxelSplits`; undefined without. */
  readonly generation: () => number | undefined;
  /** The supervoxel IDs of an object, in the order of the supervoxels' first voxels, x fastest. */
  readonly supervoxelsOf: (label: bigint | number) => bigint[];
}

/**
 * Builds a world: cuts the objects into supervoxels, writes the volume, and creates the bucket and the
 * chunkedgraph.
 *
 * @throws RangeError or TypeError for options that do not match, such as an edit at a background voxel.
 * @example
 * const world = buildWorld({ labels: (x) => (x < 64 ? 1n : 2n), size: [128, 64, 64] });
 * await using served = await serveWorld(world);
 * const volume = await openGraphene(served.cloudPath);
 */
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
  const { supervoxelSplits = false } = options,
    splits = supervoxelSplits
      ? new SplitVolume({
          volume: { ...options, labels: watershed },
          table,
          hasFork: supervoxelSplits === true,
          createdMs: toMs(base_timestamp ?? 0),
        })
      : undefined;
  Object.assign(volume.files, storedFiles(splits?.files ?? {}));
  const supervoxelAt = (voxel: Vec3): bigint => splits?.labelAt(voxel) ?? BigInt(volume.valueAt(voxel) ?? 0n);

  const idOf = (place: Place): string => {
    if (typeof place !== 'object') return String(place);
    const id = supervoxelAt(place);
    if (id === 0n) throw new RangeError(`an edit at voxel ${place.join()}, where there is no supervoxel`);
    return String(id);
  };
  const info = graphInfoOf(volume.info, graphChunkSize);
  const description = {
    table,
    info: splits ? { ...info, graph: { ...info.graph, ...splits.infoMembers('{DATA_DIR}') } } : info,
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
    splitVoxels: splits && ((id, partOf) => planSplit(splits, id, partOf)),
  });
  const planSplit = (current: SplitVolume, id: bigint, partOf: PartOf): PlannedSplit => {
    const planned = current.parts(id, partOf);
    return {
      ...planned,
      write: (parts, timeMs) => {
        for (const [key, bytes] of Object.entries(planned.write(parts, timeMs))) bucket.put(key, bytes);
        const at = ids.indexOf(id);
        ids.splice(at, 1, ...parts);
        objects.splice(at, 1, ...parts.map(() => objects[at]));
      },
    };
  };
  const bucket = createMockBucket({ files: volume.files, token: bucketToken });
  return {
    graph,
    bucket,
    volume,
    description,
    routes: { '/segmentation': graph, '/bucket': bucket },
    cloudPath: (origin) => `graphene://${origin}/segmentation/table/${table}`,
    supervoxelAt,
    splitSupervoxel: (place, partOf, splitOptions) => ({
      ...graph.splitSupervoxel(idOf(place), partOf, splitOptions),
      generation: splits!.generation,
    }),
    generation: () => splits?.generation,
    supervoxelsOf: (label) => ids.filter((_, k) => objects[k] === BigInt(label)),
  };
}

const storedFiles = (files: Record<string, Uint8Array>): Record<string, StoredFile> =>
  Object.fromEntries(Object.entries(files).map(([key, bytes]) => [key, { bytes }]));

/** A world on loopback, until it is closed. */
export interface ServedWorld extends ServedMocks {
  /** The cloud path to open, such as `graphene://http://127.0.0.1:49152/segmentation/table/mock`. */
  readonly cloudPath: string;
}

/** Serves a world on loopback. Close it at the end of the test. */
export async function serveWorld(world: World, options?: ServeMocksOptions): Promise<ServedWorld> {
  const served = await serveMocks(world.routes, options);
  return { ...served, cloudPath: world.cloudPath(served.url) };
}

/**
 * Writes a world to disk: `volume/` and `graph.json` below `folder`. Serve it with
 * `graphene-points mock --volume FOLDER/volume --graph FOLDER/graph.json`.
 */
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
