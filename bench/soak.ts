/**
 * Looks up a million points on loopback servers that fail every twentieth reply, in every way that a client
 * can notice. No value may be wrong, no point may be lost, and memory must not grow. Failed points are looked
 * up again, as a job would do. Then calls are aborted at every point, and nothing may stay open.
 *
 *     npm run soak [-- POINTS [SEED [WORKERS]]]      worker threads per volume, which need `npm run build`
 *
 * Chunks are stored with gzip, whose checksum reveals changed bytes. Root replies have no checksum, so they
 * are cut but never changed.
 */
import { fork } from 'node:child_process';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Worker } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import { openGraphene, PointStatus, type GrapheneVolume, type PointsResult } from '../lib/index.ts';
import { serveMocks, type Fault } from '../mocks/index.ts';
import { randomFrom } from '../mocks/random.ts';
import { BEFORE, OFFSET, rootOf, worldBucket, worldGraph, WORLD } from '../testing/graph-world.ts';
import { tinyFiles } from '../testing/tiny-volume.ts';
import { machine } from './machine.ts';

const FAULT_RATE = 0.05;
/** Each volume has its own connections and shares no reads with the others. */
const CALL_POINTS = 1000,
  VOLUMES = 8,
  MAX_ROUNDS = 20,
  ABORTS = 600;
/** How long a stall lasts. Many threads on few cores can take a part of a second for a turn. */
const IDLE_TIMEOUT_MS = 1000;
const MAX_GROWTH_BYTES = 8 * 2 ** 20;

const NO_WAIT = { 'retry-after': '0' };
const COMMON: Record<string, Fault> = {
  reset: { reset: true },
  'cut connection': { truncate: 40 },
  stall: { stall: true },
  'stall in the body': { stall: 40 },
  late: { delayMs: 50 },
  '408': { status: 408 },
  '429': { status: 429, headers: NO_WAIT },
  '500': { status: 500, body: 'something broke' },
  '502 of a proxy': { html: true },
  '503': { status: 503, headers: NO_WAIT },
  '503, come back in a second': { status: 503, headers: { 'retry-after': '1' } },
  '504': { status: 504 },
  'length too large': { lengthOff: 7 },
  'length too small': { lengthOff: -7 },
  'cut object': { cut: 60 },
};
const KINDS: Record<'bucket' | 'graph', Record<string, Fault>> = {
  bucket: {
    ...COMMON,
    'changed bytes': { corrupt: 3 },
    'no gzip after all': { body: new Uint8Array(700).fill(7) },
    'web page': { status: 200, html: true },
  },
  graph: { ...COMMON, '413': { status: 413 } },
};

/**
 * Returns a list of faults that hits each request with at most one fault, chosen at random, and counts the
 * hits.
 */
function faultsOf(
  kinds: Record<string, Fault>,
  on: RegExp,
  random: () => number,
  hits: Record<string, number>,
): Fault[] {
  const names = Object.keys(kinds);
  let drawn: string | undefined;
  const draw: Fault = {
    match: ({ path }) => {
      drawn = on.test(path) && random() < FAULT_RATE ? names[Math.floor(random() * names.length)] : undefined;
      if (drawn !== undefined) hits[drawn] = (hits[drawn] ?? 0) + 1;
      return false;
    },
  };
  return [draw, ...names.map((name) => ({ ...kinds[name], match: () => drawn === name }))];
}

interface ServerCounts {
  requests: number;
  faults: Record<string, number>;
}

async function serve(seed: number): Promise<void> {
  const faults: Record<string, number> = {};
  let requests = 0;
  const files = Object.fromEntries(
    Object.entries(tinyFiles(WORLD)).map(([key, bytes]) => [
      key,
      key === 'info' ? bytes : { bytes: gzipSync(bytes), contentEncoding: 'gzip' },
    ]),
  );
  const bucket = worldBucket({ files, faults: faultsOf(KINDS.bucket, /s0/, randomFrom(seed), faults) });
  const graph = worldGraph({ faults: faultsOf(KINDS.graph, /roots_binary/, randomFrom(seed + 1), faults) });
  const countAndClear = (): void => {
    requests += bucket.log.requests.length + graph.log.requests.length;
    for (const { log } of [bucket, graph]) log.clear();
  };
  setInterval(countAndClear, 500);
  const { url } = await serveMocks({ '/segmentation': graph, '/bucket': bucket });
  process.on('message', () => {
    countAndClear();
    process.send!({ requests, faults } satisfies ServerCounts, () => process.exit());
  });
  process.send!(url);
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
function heldBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function soak(points: number, seed: number, workers: number): Promise<boolean> {
  const threads: Worker[] = [];
  process.on('worker', (worker) => threads.push(worker));
  const server = fork(import.meta.filename, ['serve', String(seed)]);
  const nextMessage = <T>(): Promise<T> =>
    new Promise((resolve) => server.once('message', (message) => resolve(message as T)));
  const warnings: string[] = [];
  process.on('warning', ({ message }) => warnings.push(message));
  const url = await nextMessage<string>();
  const openVolume = (): Promise<GrapheneVolume> =>
    openGraphene(`graphene://${url}/segmentation/table/world`, {
      token: null,
      timestamp: BEFORE,
      workers,
      idleTimeoutMs: IDLE_TIMEOUT_MS,
      rootTimeoutMs: 1000,
      logger: { warn: () => undefined },
    });

  const volumes = await Promise.all(Array.from({ length: VOLUMES }, openVolume));
  const random = randomFrom(seed + 2);
  const count = {
    started: 0,
    right: 0,
    wrong: 0,
    lost: 0,
    retried: 0,
    aborted: 0,
    requests: 0,
    rootRequests: 0,
  };
  const held: number[] = [];
  const began = performance.now();

  function judge(
    point: Float64Array,
    at: number,
    { supervoxelIds, rootIds, status }: PointsResult,
  ): 'right' | 'wrong' | 'retry' {
    const [x, y, z] = point.subarray(3 * at, 3 * at + 3).map(Math.floor);
    const label = WORLD.labelAt(x, y, z),
      root = label === 0n ? 0n : rootOf(Math.floor((y - OFFSET[1]) / 8), Number(label & 0xffffn));
    const is = (code: number, id: bigint, itsRoot: bigint): boolean =>
      status[at] === code && supervoxelIds[at] === id && rootIds[at] === itsRoot;
    if (is(PointStatus.failed, 0n, 0n) || is(PointStatus.rootFailed, label, 0n)) return 'retry';
    return is(label === 0n ? PointStatus.background : PointStatus.ok, label, root) ? 'right' : 'wrong';
  }

  async function lookUp(volume: GrapheneVolume, list: Float64Array): Promise<void> {
    for (let round = 0; list.length > 0; round++) {
      if (round === MAX_ROUNDS) return void (count.lost += list.length / 3);
      const result = await volume.scatteredPoints(list, { onError: 'status' });
      count.requests += result.stats.requests;
      count.rootRequests += result.stats.rootRequests;
      const failed: number[] = [];
      for (let at = 0; at < list.length / 3; at++) {
        const verdict = judge(list, at, result);
        if (verdict === 'retry') failed.push(...list.subarray(3 * at, 3 * at + 3));
        else count[verdict]++;
      }
      count.retried += failed.length / 3;
      list = Float64Array.from(failed);
    }
  }

  const randomPoints = (length: number): Float64Array =>
    Float64Array.from({ length: 3 * length }, (_, k) => OFFSET[k % 3] + random() * WORLD.size[k % 3]);

  /** Aborts calls before they start, in their first turns, at any later moment, and after their end. */
  async function abortCalls(volume: GrapheneVolume, calls: number): Promise<void> {
    for (let call = 0; call < calls; call++) {
      const controller = new AbortController(),
        reason = new Error('enough'),
        list = randomPoints(CALL_POINTS);
      if (call % 6 === 0) controller.abort(reason);
      const running = volume.scatteredPoints(list, { onError: 'status', signal: controller.signal }).then(
        (result) => Array.from(list.subarray(0, list.length / 3), (_, at) => judge(list, at, result)),
        (error: unknown) => {
          if (error !== reason) throw error;
          count.aborted++;
          return [];
        },
      );
      if (call % 6 === 1) await nextTurn();
      else if (call % 6 === 2) for (let turn = 0; turn < call % 20; turn++) await nextTurn();
      else if (call % 60 !== 5) await sleep(random() * (call % 6 === 5 ? 400 : 60));
      else await running;
      controller.abort(reason);
      const verdicts: readonly string[] = await running;
      if (verdicts.includes('wrong')) count.wrong++;
    }
  }

  async function work(volume: GrapheneVolume): Promise<void> {
    while (count.started < points) {
      const list = randomPoints(Math.min(CALL_POINTS, points - count.started));
      count.started += list.length / 3;
      if (count.started % (CALL_POINTS * Math.ceil(points / CALL_POINTS / 40)) === 0) held.push(heldBytes());
      await lookUp(volume, list);
    }
  }
  await Promise.all(volumes.map(work));
  const seconds = (performance.now() - began) / 1000;
  await Promise.all(volumes.map((volume) => abortCalls(volume, ABORTS / VOLUMES)));
  await Promise.all(volumes.map((volume) => volume.close()));
  await nextTurn();
  const open = process.getActiveResourcesInfo().filter((name) => /TCP|Timeout|Worker/.test(name));
  const running = threads.filter(({ threadId }) => threadId !== -1).length;
  server.send('counts');
  const { requests, faults } = await nextMessage<ServerCounts>();

  const quarter = Math.floor(held.length / 4),
    mean = (list: number[]): number => list.reduce((sum, value) => sum + value, 0) / list.length;
  const growth = quarter > 0 ? mean(held.slice(-quarter)) - mean(held.slice(quarter, 2 * quarter)) : 0;
  const hits = Object.values(faults).reduce((sum, times) => sum + times, 0);
  const n = (value: number): string => Math.round(value).toLocaleString('en-US');
  const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
  console.log(`${machine()}\n
${n(points)} points in calls of ${n(CALL_POINTS)}, ${VOLUMES} at once, seed ${seed}, ${workers} worker threads per volume: ${seconds.toFixed(0)} s
right ${n(count.right)}, wrong ${n(count.wrong)}, lost ${n(count.lost)}; ${n(count.retried)} failed and were looked up again
${n(requests)} requests reached the servers, ${n(hits)} of them (${((100 * hits) / requests).toFixed(1)} %) got a failed reply:
${Object.entries(faults)
  .sort()
  .map(([name, times]) => `  ${name} ${n(times)}`)
  .join('\n')}
${n(ABORTS)} calls with an abort at every point, ${n(count.aborted)} of them ended by it; then ${open.length} sockets and timers were open${open.length > 0 ? ` (${open.join(', ')})` : ''}, and ${running} of ${threads.length} threads ran
memory after garbage collection: ${mib(held[0])} MiB at first, ${mib(Math.max(...held))} at most, ${mib(held.at(-1)!)} at last; growth from the second quarter to the last ${mib(growth)} MiB; RSS ${mib(process.memoryUsage().rss)} MiB${warnings.map((warning) => `\nwarning: ${warning}`).join('')}`);
  return (
    count.right === points &&
    count.wrong === 0 &&
    count.lost === 0 &&
    growth < MAX_GROWTH_BYTES &&
    open.length === 0 &&
    running === 0 &&
    threads.length >= workers * VOLUMES &&
    warnings.length === 0
  );
}

const [first, second, third] = process.argv.slice(2);
if (first === 'serve') await serve(Number(second));
else
  process.exitCode = (await soak(Number(first ?? 1_000_000), Number(second ?? 1), Number(third ?? 2)))
    ? 0
    : 1;
