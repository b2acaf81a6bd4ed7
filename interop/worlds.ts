/**
 * Serves mocked chunkedgraphs with their volumes on loopback, as the worlds that the clients are compared on.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openGraphene, type GrapheneVolume } from 'graphene-points';
import {
  buildPrecomputed,
  createMockBucket,
  createMockChunkedGraph,
  serveMocks,
  type GraphDescription,
  type GraphEdit,
  type GraphInfo,
  type Moment,
  type MockBucketOptions,
} from 'graphene-points/mocks';
import { pcgGraph } from '../testing/pcg-graph.ts';
import { loadFixture } from '../testing/fixtures.ts';
import { seeded } from '../testing/random.ts';

type Voxel = readonly [number, number, number];

/** A served chunkedgraph with its volume, and the timestamps of its edits. */
export interface World extends AsyncDisposable {
  readonly name: string;
  /** `http://127.0.0.1:49152` */
  readonly origin: string;
  readonly table: string;
  /** The cloud path that all clients open: `graphene://http://127.0.0.1:49152/segmentation/table/demo`. */
  readonly cloudPath: string;
  /** Bounding box of the volume, in voxels of mip 0. */
  readonly box: { min: Voxel; max: Voxel };
  readonly layers: number;
  readonly supervoxels: BigUint64Array;
  /** Milliseconds since 1970. */
  readonly baseMs: number;
  readonly editsMs: readonly number[];
  /** Where graphene-points reads the watershed, if not from the address that the server gives. */
  readonly dataDir?: string;
}

/** Opens a world with graphene-points. */
export const openWorld = ({ cloudPath, dataDir }: World): Promise<GrapheneVolume> =>
  openGraphene(cloudPath, { token: TOKEN, dataDir, logger: { warn: () => undefined } });

/** The token of all graphs here. Buckets require none. */
export const TOKEN = '0123456789abcdef';

interface Description extends GraphDescription {
  table?: string;
}

async function serve(name: string, description: Description, bucket: MockBucketOptions): Promise<World> {
  const graph = createMockChunkedGraph({ ...description, dataDir: '{HOST}/bucket', token: TOKEN });
  const served = await serveMocks({ '/segmentation': graph, '/bucket': createMockBucket(bucket) });
  const {
    info,
    base_timestamp = 0,
    edits = [],
    supervoxels = Object.keys(description.supervoxel_to_root ?? {}),
  } = description;
  const [{ voxel_offset: min, size }] = info.scales as { voxel_offset: Voxel; size: Voxel }[];
  return {
    name,
    origin: served.url,
    table: graph.table,
    cloudPath: `graphene://${served.url}/segmentation/table/${graph.table}`,
    box: { min, max: [min[0] + size[0], min[1] + size[1], min[2] + size[2]] },
    layers: info.graph.n_layers,
    supervoxels: BigUint64Array.from([...supervoxels], BigInt),
    baseMs: ms(base_timestamp),
    editsMs: edits.map(({ timestamp }) => ms(timestamp)),
    [Symbol.asyncDispose]: () => served.close(),
  };
}

const ms = (timestamp: Moment): number =>
  typeof timestamp === 'number' ? Math.round(timestamp * 1000) : new Date(timestamp).getTime();

/** Serves the demo of the package: a part of a real segmentation, with one merge. */
export function serveDemoWorld(): Promise<World> {
  const demo = new URL('../demo/', import.meta.url);
  const description = JSON.parse(readFileSync(new URL('graph.json', demo), 'utf8')) as GraphDescription;
  return serve('demo', description, { folder: fileURLToPath(new URL('volume', demo)) });
}

/** Serves a fixture volume that CloudVolume wrote, with a graph without edits. */
export function serveFixtureWorld(name: 'graphene_cseg_u64' | 'graphene_crackle_u64_origin'): Promise<World> {
  const { folder, graph } = loadFixture(name);
  return serve(name, graph as unknown as GraphDescription, { folder });
}

/**
 * Serves the graph and the edits recorded from a real PyChunkedGraph, with a built volume of cubes of 16
 * voxels.
 */
export const servePcgWorld = (): Promise<World> => serveCubes('pcg', pcgGraph, 16);

/**
 * Serves a grid of cubes with random merges and splits, some in the same second: 16 x 16 x 8 supervoxels, 8
 * per graph chunk, 5 layers. The edges always form a forest, so that every removed edge splits an object.
 */
export function serveStormWorld(seed: number, edits: number): Promise<World> {
  const random = seeded(seed),
    shape: Voxel = [16, 16, 8];
  const info = {
    ...pcgGraph.info,
    graph: { ...pcgGraph.info.graph, n_layers: 5, spatial_bit_masks: { 1: 10, 2: 10, 3: 2, 4: 1, 5: 1 } },
    scales: [{ ...(pcgGraph.info.scales as object[])[0], size: shape.map((n) => 16 * n) }],
  } as GraphInfo;
  const cells = Array.from({ length: shape[0] * shape[1] * shape[2] }, (_, k): Voxel => [
    k % 16,
    Math.floor(k / 16) % 16,
    Math.floor(k / 256),
  ]);
  const supervoxels = cells.map((cell) => supervoxelOf(cell));
  const edges: [number, number][] = [];
  const component = (start: number): Set<number> => {
    const found = new Set([start]);
    for (const cell of found)
      for (const [a, b] of edges) if (a === cell || b === cell) found.add(a === cell ? b : a);
    return found;
  };
  const merged = (): [number, number] => {
    for (;;) {
      const a = random.below(cells.length),
        [x, y, z] = cells[a],
        axis = random.below(3);
      const [nx, ny, nz] = [x + Number(axis === 0), y + Number(axis === 1), z + Number(axis === 2)];
      const b = nx + 16 * (ny + 16 * nz);
      if (nx < shape[0] && ny < shape[1] && nz < shape[2] && !component(a).has(b)) return [a, b];
    }
  };
  for (let k = 0; k < 900; k++) edges.push(merged());
  const ids = ([a, b]: [number, number]): [string, string] => [
    String(supervoxels[a]),
    String(supervoxels[b]),
  ];
  const base = edges.map(ids),
    history: GraphEdit[] = [];
  let timeMs = Date.UTC(2021, 0, 1);
  for (let k = 0; k < edits; k++) {
    timeMs += random.pick([1, 2, 400, 1000, 86_400_000]);
    const timestamp = timeMs / 1000;
    if (random.below(2) === 0) {
      edges.push(merged());
      history.push({ timestamp, edges: { added: [ids(edges[edges.length - 1])] } });
    } else
      history.push({ timestamp, edges: { removed: [ids(edges.splice(random.below(edges.length), 1)[0])] } });
  }
  return serveCubes(
    'storm',
    {
      table: 'storm',
      info,
      base_timestamp: '2020-01-01T00:00:00Z',
      supervoxels,
      edges: base,
      edits: history,
    },
    16,
  );
}

/** Serves a volume in which each supervoxel is a cube and 2 x 2 x 2 cubes fill a graph chunk. */
async function serveCubes(name: string, description: Description, side: number): Promise<World> {
  const [scale] = description.info.scales as { size: [number, number, number] }[];
  const { files } = buildPrecomputed({
    labels: (x, y, z) => supervoxelOf([Math.floor(x / side), Math.floor(y / side), Math.floor(z / side)]),
    size: scale.size,
    encoding: 'compressed_segmentation',
    bitstream: 'gzip',
  });
  return serve(name, { ...description, info: { ...description.info, data_dir: '{DATA_DIR}' } }, { files });
}

/**
 * Returns the ID of a cube: layer 1 | graph chunk | segment, with 8 bits for the layer and 10 per coordinate.
 */
const supervoxelOf = ([x, y, z]: Voxel): bigint =>
  (1n << 56n) |
  (BigInt(x >> 1) << 46n) |
  (BigInt(y >> 1) << 36n) |
  (BigInt(z >> 1) << 26n) |
  BigInt(1 + (x & 1) + 2 * (y & 1) + 4 * (z & 1));
