/** Serves the demo on loopback: the volume and the graph in the package's demo/ folder. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createMockBucket } from './bucket.ts';
import { createMockChunkedGraph, type MockChunkedGraph } from './chunkedgraph.ts';
import type { GraphDescription } from './graph-description.ts';
import { serveMocks, type ServedMocks, type ServeMocksOptions } from './loopback.ts';
import type { MockServer } from './server.ts';

/** A timestamp before the demo's only merge. */
export const DEMO_BEFORE = '2024-06-05T00:00:00Z';
/** A timestamp after the demo's only merge. */
export const DEMO_AFTER = '2024-06-06T00:00:00Z';

/** The demo/ folder. This file is in mocks/ or in dist/mocks/. */
const demoFolder = ['../demo/', '../../demo/']
  .map((path) => new URL(path, import.meta.url))
  .find((url) => existsSync(new URL('graph.json', url)))!;

/** The path of the demo's table of points, a CSV file with the columns `id,x,y,z,note`. */
export const demoPointsFile = (): string => fileURLToPath(new URL('points.csv', demoFolder));

/** The demo on loopback, until it is closed. */
export interface ServedDemo extends ServedMocks {
  /** The cloud path to open, such as `graphene://http://127.0.0.1:49152/segmentation/table/demo`. */
  readonly cloudPath: string;
  /** The demo's chunkedgraph. */
  readonly graph: MockChunkedGraph;
  /** The demo's bucket. */
  readonly bucket: MockServer;
}

/** Serves the demo on loopback, without any other network. */
export async function serveDemo(options?: ServeMocksOptions): Promise<ServedDemo> {
  const description = JSON.parse(readFileSync(new URL('graph.json', demoFolder), 'utf8')) as GraphDescription;
  const graph = createMockChunkedGraph({ ...description, table: 'demo', dataDir: '{HOST}/bucket' });
  const bucket = createMockBucket({ folder: fileURLToPath(new URL('volume', demoFolder)) });
  const served = await serveMocks({ '/segmentation': graph, '/bucket': bucket }, options);
  return { ...served, cloudPath: `graphene://${served.url}/segmentation/table/demo`, graph, bucket };
}
