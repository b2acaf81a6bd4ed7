/**
 * Loads the graph of spec/fixtures/pcg as a description for the mock, and the requests recorded on the real
 * server.
 */
import { readFileSync } from 'node:fs';
import type { GraphDescription, GraphEdit, MockGraphInfo } from '../mocks/index.ts';

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../spec/fixtures/pcg/${name}`, import.meta.url), 'utf8'));

interface ShortGraph {
  table: string;
  info: MockGraphInfo;
  base_timestamp: number;
  supervoxels: string[];
  edges: [number, number, number][];
  inactive_edges: [number, number, number][];
  edge_area: number;
  edits: GraphEdit[];
  base: { l2: string[]; l3: string[]; root: string[] };
  epochs: { name: string; timestamp: number; changed: Record<string, [string, string, string]> }[];
}

/** The ancestors of all supervoxels from a timestamp on, as lists parallel to the supervoxels. */
export interface Epoch {
  name: string;
  timestamp: number;
  l2: string[];
  l3: string[];
  root: string[];
}

const short = read('graph.json') as ShortGraph;

/** All supervoxel IDs. */
export const supervoxels = BigUint64Array.from(short.supervoxels, BigInt);

/** The ancestors at base and after each edit. */
export const epochs: Epoch[] = [{ name: 'base', timestamp: short.base_timestamp, ...short.base }];
for (const { name, timestamp, changed } of short.epochs) {
  const before = epochs[epochs.length - 1];
  const after: Epoch = { name, timestamp, l2: [...before.l2], l3: [...before.l3], root: [...before.root] };
  for (const [index, [l2, l3, root]] of Object.entries(changed)) {
    after.l2[Number(index)] = l2;
    after.l3[Number(index)] = l3;
    after.root[Number(index)] = root;
  }
  epochs.push(after);
}

/** The graph, as `createMockChunkedGraph` takes it. */
export const pcgGraph: GraphDescription & { table: string } = {
  table: short.table,
  info: short.info,
  base_timestamp: short.base_timestamp,
  supervoxels: short.supervoxels,
  edges: [...short.edges, ...short.inactive_edges].map(([a, b, affinity], e) => ({
    between: [short.supervoxels[a], short.supervoxels[b]],
    affinity,
    area: short.edge_area,
    active: e < short.edges.length,
  })),
  edits: short.edits,
  epochs,
};

/** A request to the real server, with its answer. */
export interface Recorded {
  name: string;
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: string;
  answer: {
    status: number;
    headers: Record<string, string>;
    body?: string;
    message?: string;
    fields?: string[];
  };
}

/** All recorded requests, in their order. */
export const recorded = read('recorded.json') as Recorded[];

/** The supervoxel ID of a cell of the grid. Each supervoxel fills 16 x 16 x 16 voxels. */
export const supervoxelAt = (x: number, y: number, z: number): bigint =>
  (1n << 56n) |
  (BigInt(x >> 1) << 46n) |
  (BigInt(y >> 1) << 36n) |
  (BigInt(z >> 1) << 26n) |
  BigInt(1 + (x & 1) + 2 * (y & 1) + 4 * (z & 1));

/** The supervoxel ID at a voxel. */
export const labelAt = (x: number, y: number, z: number): bigint => supervoxelAt(x >> 4, y >> 4, z >> 4);
