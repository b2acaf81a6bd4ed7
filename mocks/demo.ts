/** The demo's volume and graph (demo/ in the package), served on loopback. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createMockBucket } from './bucket.ts';
import { createMockChunkedGraph, type MockChunkedGraph } from './chunkedgraph.ts';
import type { GraphDescription } from './graph-description.ts';
import { serveMocks, type ServedMocks, type ServeMocksOptions } from './loopback.ts';
import type { MockServer } from './server.ts';

/** Moments before and after the demo's one merge. */
export const DEMO_BEFORE = '2024-06-05T00:00:00Z';
/** A timestamp after the edits of the demo. */
export const DEMO_AFTER = '2024-06-06T00:00:00Z';

/** The demo/ folder, from mocks/ as well as from dist/mocks/. */
const demoFolder = ['../demo/', '../../demo/']
  .map((path) => new URL(path, import.meta.url))
  .find((url) => existsSync(new URL('graph.json', url)))!;

/** Path of the table of points: `id,x,y,z,note`. */
export const demoPointsFile = (): string => fileURLToPath(new URL('points.csv', demoFolder));

/** The demo's servers. */
export interface ServedDemo extends ServedMocks {
  /** `graphene://http://127.0.0.1:49152/segmentation/table/demo` */
  readonly cloudPath: string;
  /** The mocked chunkedgraph. */
  readonly graph: MockChunkedGraph;
  /** The mocked bucket. */
  readonly bucket: MockServer;
}

/** Serves the volume and the graph of `graphene-points demo` on loopback. */
export async function serveDemo(options?: ServeMocksOptions): Promise<ServedDemo> {
  const description = JSON.parse(readFileSync(new URL('graph.json', demoFolder), 'utf8')) as GraphDescription;
  const graph = createMockChunkedGraph({ ...description, table: 'demo', dataDir: '{HOST}/bucket' });
  const bucket = createMockBucket({ folder: fileURLToPath(new URL('volume', demoFolder)) });
  const served = await serveMocks({ '/segmentation': graph, '/bucket': bucket }, options);
  return { ...served, cloudPath: `graphene://${served.url}/segmentation/table/demo`, graph, bucket };
}
