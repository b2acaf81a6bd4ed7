/**
 * Runs `graphene-points mock`: serves a volume and its chunkedgraph on loopback, for clients in any language.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GraphDescription, MockServer } from '../../mocks/index.ts';
import { UsageError, type Io } from './io.ts';

/** The flags of `mock`. */
export interface MockFlags {
  volume: string;
  graph?: string;
  port: number;
  table?: string;
  token?: string;
  bucketToken?: string;
  latencyMs: number;
  cave?: boolean;
  materialization?: Readonly<Record<number, Date>>;
}

/** The name of the datastack of `--cave`. */
const DATASTACK = 'mock';

/** Prints one line of JSON with the URLs, and serves until it is interrupted. */
export async function runMock(flags: MockFlags, { stdout, signal }: Io): Promise<void> {
  const {
    volume,
    graph: graphFile,
    port,
    table,
    token,
    bucketToken,
    latencyMs,
    cave,
    materialization: versions,
  } = flags;
  if (!existsSync(join(volume, 'info'))) throw new UsageError(`--volume: ${volume} has no info file`);
  if (cave && graphFile === undefined) throw new UsageError('--cave: a datastack needs a graph; add --graph');
  if (versions && !cave)
    throw new UsageError('--materialization: only a datastack has materializations; add --cave');
  const { controlServer, createMockBucket, createMockChunkedGraph, mockCave, serveMocks } =
    await import('../../mocks/index.ts');
  const description = graphFile === undefined ? undefined : await readGraph(graphFile);
  const name = table ?? description?.table ?? 'mock';
  const bucket = createMockBucket({ folder: volume, token: bucketToken });
  const graph =
    description && createMockChunkedGraph({ ...description, table: name, dataDir: '{HOST}/bucket', token });
  const servers: Record<string, MockServer> = graph ? { graph, bucket } : { bucket };
  const caveRoutes =
    cave &&
    mockCave({
      datastack: DATASTACK,
      table: name,
      versions,
      tokens: token === undefined ? undefined : { [token]: { admin: true } },
      datastackInfo: viewerResolution(description!.info),
    });
  const routes = {
    '/bucket': bucket,
    '/mock': controlServer(servers),
    ...(graph && { '/segmentation': graph }),
    ...caveRoutes,
  };
  const served = await serveMocks(routes, { port, latencyMs });
  const { url } = served;
  const line = {
    url,
    cloudpath: graph ? `graphene://${url}/segmentation/table/${name}` : `precomputed://${url}/bucket`,
    ...(graph && { table: name }),
    ...(cave && { datastack: `cave://${DATASTACK}`, server: url }),
    bucket: `${url}/bucket`,
    requests: `${url}/mock/requests`,
    faults: `${url}/mock/faults`,
  };
  stdout.write(`${JSON.stringify(line)}\n`);
  if (!signal.aborted)
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  await served.close();
}

/** Uses the resolution of the volume as that of the viewer, so that points in viewer units are voxels. */
function viewerResolution(info: object): Record<string, number> {
  const { scales = [] } = info as { scales?: unknown };
  const [scale] = scales as { resolution?: number[] }[];
  const [x, y, z] = scale?.resolution ?? [];
  return x === undefined ? {} : { viewer_resolution_x: x, viewer_resolution_y: y, viewer_resolution_z: z };
}

type GraphFile = GraphDescription & { table?: string };

/** Reads the graph file. Its watershed becomes the volume that is served. @throws UsageError */
async function readGraph(file: string): Promise<GraphFile> {
  const exact = (key: string, value: unknown): unknown => {
    if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value))
      throw new Error(`${key} is a number that would be rounded: write IDs as strings`);
    return value;
  };
  try {
    const description = JSON.parse(await readFile(file, 'utf8'), exact) as GraphFile;
    if (typeof description?.info?.graph !== 'object') throw new Error('it has no info with a graph');
    return { ...description, info: { ...description.info, data_dir: '{DATA_DIR}' } };
  } catch (error) {
    throw new UsageError(`--graph ${file}: ${(error as Error).message}`);
  }
}
