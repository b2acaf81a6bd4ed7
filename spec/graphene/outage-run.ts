/**
 * A process that ends calls in every way and at every stage, and then prints what is still open.
 * `outage.spec.ts` runs it, since a test cannot see its own unhandled rejections, warnings and open handles.
 */
import { getEventListeners } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPace } from '../../lib/failures/pace.ts';
import { openGraphene, type GrapheneVolume, type OpenGrapheneOptions } from '../../lib/index.ts';
import { serveMocks, type Fault } from '../../mocks/index.ts';
import { supervoxel } from '../../testing/tiny-volume.ts';
import { deferred } from '../support/stub-store.ts';
import { BEFORE, spreadPoints, worldBucket, worldGraph } from '../../testing/graph-world.ts';

const reason = new Error('enough');
const troubles: string[] = [];
process.on('warning', ({ message }) => troubles.push(`warning: ${message}`));
process.on('unhandledRejection', (error) => troubles.push(`unhandled: ${String(error)}`));

const bucket = worldBucket(),
  graph = worldGraph();
const served = await serveMocks({ '/segmentation': graph, '/bucket': bucket });
const folder = await mkdtemp(join(tmpdir(), 'gp-outage-'));
const open = (options: OpenGrapheneOptions = {}): Promise<GrapheneVolume> =>
  openGraphene(`graphene://${served.url}/segmentation/table/world`, {
    token: null,
    timestamp: BEFORE,
    logger: { warn: () => undefined },
    pace: createPace(), // no stage uses the pace that an earlier one has learnt
    ...options,
  });

const count = (kind: string): number =>
  process.getActiveResourcesInfo().filter((name) => name === kind).length;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
/** Closing a connection or a file takes a few turns of the event loop. */
async function gone(...kinds: string[]): Promise<Record<string, number>> {
  for (let turns = 0; turns < 20_000 && kinds.some((kind) => count(kind) > 0); turns++) await turn();
  return Object.fromEntries(kinds.map((kind) => [kind, count(kind)]));
}

type Way = 'abort' | 'deadline' | 'close';
interface Stage {
  where: typeof bucket | typeof graph;
  fault: Fault;
  options?: OpenGrapheneOptions;
}

const IDS = BigUint64Array.from({ length: 100 }, (_, k) => supervoxel([k % 10, Math.floor(k / 10), 0], 1));
interface AskOptions {
  signal: AbortSignal;
  timeoutMs?: number;
}
const ask = (volume: GrapheneVolume, where: unknown, options: AskOptions): Promise<{ status: Uint8Array }> =>
  where === graph
    ? volume.roots(IDS, { ...options, onError: 'status' })
    : volume.scatteredPoints(spreadPoints(100), { ...options, onError: 'status', agglomerate: false });

const stages: Record<string, Stage> = {
  'chunks stall': { where: bucket, fault: { match: /s0/, stall: true } },
  'chunks stall inside their bodies': { where: bucket, fault: { match: /s0/, stall: 10 } },
  'chunks are retried': { where: bucket, fault: { match: /s0/, reset: true }, options: { retries: 50 } },
  'the bucket sends Retry-After': {
    where: bucket,
    fault: { match: /s0/, status: 503, headers: { 'retry-after': '100' } },
  },
  'chunks are late, with a disk cache': {
    where: bucket,
    fault: { match: /s0/, delayMs: 20 },
    options: { cacheDir: join(folder, 'cache') },
  },
  'roots stall': { where: graph, fault: { match: /roots_binary/, stall: true } },
  'the graph sends Retry-After': {
    where: graph,
    fault: { match: /roots_binary/, status: 503, headers: { 'retry-after': '100' } },
  },
};

const results: Record<string, unknown> = {};
for (const [stage, { where, fault, options }] of Object.entries(stages))
  for (const way of ['abort', 'deadline', 'close'] as Way[]) {
    const { promise: underWay, resolve } = deferred<void>();
    where.faults.push({
      ...fault,
      match: (request) => (fault.match as RegExp).test(request.path) && (setImmediate(() => resolve()), true),
    });
    // Each way of ending starts with an empty cache.
    const volume = await open({
      ...options,
      ...(options?.cacheDir !== undefined && { cacheDir: join(options.cacheDir, way) }),
    });
    const abort = new AbortController();
    const timeoutMs = way === 'deadline' ? 150 : undefined;
    const calls = [0, 1, 2].map(() => ask(volume, where, { signal: abort.signal, timeoutMs }));
    const settled = Promise.allSettled(calls);
    await Promise.race([underWay, settled]);
    if (way === 'abort') abort.abort(reason);
    if (way === 'close') await volume.close();
    const outcomes = (await settled).map((one) =>
      one.status === 'fulfilled'
        ? `status ${[...new Set(one.value.status)].sort().join()}`
        : one.reason === reason
          ? 'reason'
          : String((one.reason as { code?: string }).code),
    );
    const timers = await gone('Timeout');
    await volume.close();
    results[`${stage}: ${way}`] = {
      outcomes: [...new Set(outcomes)],
      ...timers,
      ...(await gone('TCPSocketWrap', 'FSReqPromise', 'FileHandle')),
      listeners: getEventListeners(abort.signal, 'abort').length,
    };
    where.faults.length = 0;
  }

graph.faults.push({ match: /info/, stall: true });
results['opening: deadline'] = await open({ timeoutMs: 50 }).then(
  () => 'opened',
  (error: { name: string; message: string }) => `${error.name}: ${error.message}`,
);
results['opening: abort'] = await open({ signal: AbortSignal.timeout(50) }).then(
  () => 'opened',
  (error: Error) => error.name,
);
graph.faults.length = 0;
results['after opening'] = await gone('Timeout', 'TCPSocketWrap');

const volume = await open(),
  shared = new AbortController();
const thousand = (): Promise<string[]> =>
  Promise.all(
    Array.from({ length: 1000 }, (_, k) =>
      volume
        .scatteredPoints(spreadPoints(100).subarray(3 * (k % 100), 3 * (k % 100) + 3), {
          signal: shared.signal,
        })
        .then(
          ({ status }) => String(status[0]),
          (error) => (error === reason ? 'reason' : String(error)),
        ),
    ),
  );
const first = new Set(await thousand()),
  listenersBetween = getEventListeners(shared.signal, 'abort').length;
bucket.faults.push({ match: /s0/, stall: true });
const left = thousand();
setImmediate(() => shared.abort(reason));
results['a thousand calls on one signal'] = {
  first: [...first],
  listenersBetween,
  left: [...new Set(await left)],
  listeners: getEventListeners(shared.signal, 'abort').length,
};
await volume.close();

results['files left in the cache that are not entries'] = (
  await readdir(join(folder, 'cache'), { recursive: true })
).filter((name) => /tmp\/./.test(name));
await served.close();
await rm(folder, { recursive: true });
process.stdout.write(JSON.stringify({ results, troubles }));
// The process ends by itself when nothing is open.
