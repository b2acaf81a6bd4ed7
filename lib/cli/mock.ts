/** `graphene-points mock`: a volume and its chunkedgraph on loopback, for clients in any language. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GraphDescription, MockServer } from '../../mocks/index.ts';
import { UsageError, type Io } from './io.ts';

export interface MockFlags {
  volume: string;
  graph?: string;
  port: number;
  table?: string;
  token?: string;
  bucketToken?: string;
  latencyMs: number;
}

/** Prints one line of JSON, and serves until it is interrupted. */
export async function mock({ volume, graph: graphFile, port, table, token, bucketToken, latencyMs }: MockFlags, { stdout, signal }: Io): Promise<void> {
  if (!existsSync(join(volume, 'info'))) throw new UsageError(`--volume: there is no info in ${volume}`);
  const { controlServer, createMockBucket, createMockChunkedGraph, serveMocks } = await import('../../mocks/index.ts');
  const description = graphFile === undefined ? undefined : await readGraph(graphFile);
  const name = table ?? description?.table ?? 'mock';
  const bucket = createMockBucket({ folder: volume, token: bucketToken });
  const graph = description && createMockChunkedGraph({ ...description, table: name, dataDir: '{HOST}/bucket', token });
  const servers: Record<string, MockServer> = graph ? { graph, bucket } : { bucket };
  const served = await serveMocks({ '/bucket': bucket, '/mock': controlServer(servers), ...(graph && { '/segmentation': graph }) }, { port, latencyMs });
  const { url } = served;
  const line = {
    url,
    cloudpath: graph ? `graphene://${url}/segmentation/table/${name}` : `precomputed://${url}/bucket`,
    ...(graph && { table: name }),
    bucket: `${url}/bucket`,
    requests: `${url}/mock/requests`,
    faults: `${url}/mock/faults`,
  };
  stdout.write(`${JSON.stringify(line)}\n`);
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  await served.close();
}

type GraphFile = GraphDescription & { table?: string };

/** The graph of a file, whose volume is the one that is served. @throws UsageError */
async function readGraph(file: string): Promise<GraphFile> {
  const exact = (key: string, value: unknown): unknown => {
    if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) throw new Error(`${key} is a number that would be rounded: IDs are written as strings`);
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
