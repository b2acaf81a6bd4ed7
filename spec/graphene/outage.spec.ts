/**
 * Outages: which answers a call keeps at its deadline, which it reports as missing, and that no call leaves
 * anything open.
 */
import { spawn } from 'node:child_process';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import {
  DeadlineError,
  openGraphene,
  openPrecomputed,
  PartialResultError,
  PointStatus,
  type OpenGrapheneOptions,
  type PointsResult,
} from '../../lib/index.ts';
import type { Progress } from '../../lib/points/point-query.ts';
import { serveMocks, type Fault, type ServedMocks } from '../../mocks/index.ts';
import { BEFORE, rootOf, spreadPoints, worldBucket, worldGraph, WORLD } from '../../testing/graph-world.ts';
import { fakeTimeouts } from '../support/fake-timeouts.ts';
import { program } from '../support/program.ts';
import { deferred } from '../support/stub-store.ts';
import { supervoxel } from '../../testing/tiny-volume.ts';

const HOUR = 3_600_000;
const graph = worldGraph(),
  bucket = worldBucket();
let served: ServedMocks;
beforeAll(async () => void (served = await serveMocks({ '/segmentation': graph, '/bucket': bucket })));
afterAll(() => served.close());
beforeEach(fakeTimeouts);
afterEach(() => {
  jest.useRealTimers();
  graph.faults.length = 0;
  bucket.faults.length = 0;
});

// All other time limits are long, so that only the deadline ends a call.
const open = (options: OpenGrapheneOptions = {}) =>
  openGraphene(`graphene://${served.url}/segmentation/table/world`, {
    token: null,
    retries: 0,
    timestamp: BEFORE,
    idleTimeoutMs: 2 * HOUR,
    rootTimeoutMs: 2 * HOUR,
    logger: { warn: () => undefined },
    ...options,
  });

/** Injects a fault, and resolves when it first hits a request. */
function stalling(match: RegExp, after = 0): { fault: Fault; hit: Promise<void> } {
  const { promise, resolve } = deferred<void>();
  let left = after;
  return {
    fault: {
      stall: true,
      match: ({ path }) => match.test(path) && left-- <= 0 && (setImmediate(() => resolve()), true),
    },
    hit: promise,
  };
}

/** Resolves when all but a number of chunks have arrived. */
function allBut(count: number): { onProgress: (progress: Progress) => void; reached: Promise<void> } {
  const { promise, resolve } = deferred<void>();
  return {
    onProgress: ({ chunks, chunksDone }) => chunksDone === chunks - count && resolve(),
    reached: promise,
  };
}

const SLOW = /s0\/(24-32_8-16|32-40_8-16)_4-8/; // the chunks of points 1 and 2 of every hundred

describe('timeoutMs', () => {
  test('keeps the points that were read, and fails those of missing chunks with their number', async () => {
    bucket.faults.push(stalling(SLOW).fault);
    await using volume = await open();
    const { onProgress, reached } = allBut(2),
      points = spreadPoints(300);
    const call = volume.scatteredPoints(points, {
      timeoutMs: HOUR,
      agglomerate: false,
      onError: 'status',
      onProgress,
    });
    await reached;
    jest.advanceTimersByTime(HOUR);
    const { supervoxelIds, status, ...result } = await call;
    const late = [...status.keys()].filter((point) => [1, 2].includes(point % 100));
    for (const [point, code] of status.entries())
      expect([code, supervoxelIds[point]]).toEqual(
        late.includes(point)
          ? [PointStatus.failed, 0n]
          : [PointStatus.ok, WORLD.labelAt(points[3 * point], points[3 * point + 1], points[3 * point + 2])],
      );
    const errors = [...result.rows()].filter(({ error }) => error).map(({ index, error }) => [index, error]);
    expect(errors.map(([index]) => index)).toEqual(late);
    const urls = ['24-32', '32-40'].map((x) => `${served.url}/bucket/s0/${x}_8-16_4-8`);
    for (const [index, error] of errors)
      expect(error).toMatchObject({
        name: 'ChunkError',
        code: 'CHUNK_FAILED',
        url: urls[((index as number) % 100) - 1],
        cause: {
          name: 'DeadlineError',
          code: 'TIMEOUT',
          timeoutMs: HOUR,
          missing: { what: 'chunks', count: 2, of: 100 },
        },
      });
    expect((errors[0][1] as Error).message).toBe(
      `chunk ${urls[0]}: 2 of 100 chunks were still missing after ${HOUR} ms`,
    );
    expect(jest.getTimerCount()).toBe(0);
  });

  test('keeps the known supervoxels of a call that also looks up roots', async () => {
    bucket.faults.push(stalling(SLOW).fault);
    await using volume = await open({ timeoutMs: HOUR });
    const { onProgress, reached } = allBut(2);
    const call = volume.scatteredPoints(spreadPoints(100), { onProgress });
    call.catch(() => undefined);
    await reached;
    const requested = graph.log.requests.length;
    jest.advanceTimersByTime(HOUR);
    const error = (await call.catch((reason: unknown) => reason)) as PartialResultError<PointsResult>;
    expect(error).toBeInstanceOf(PartialResultError);
    expect(error.message).toContain(
      '2 chunks (2 of 100 points) could not be read and 98 of 100 roots could not be looked up',
    );
    const { status, supervoxelIds, rootIds } = error.result;
    for (const [point, code] of status.entries())
      expect(code).toBe([1, 2].includes(point) ? PointStatus.failed : PointStatus.rootFailed);
    expect(supervoxelIds.filter((id) => id > 0n)).toHaveLength(98);
    expect([...rootIds]).toEqual(Array(100).fill(0n));
    expect([...error.causes.values()].at(-1)).toMatchObject({
      name: 'DeadlineError',
      missing: { what: 'roots', count: 98, of: 98 },
    });
    expect(graph.log.requests.length).toBe(requested); // no request after the deadline
  });

  test('keeps the roots of batches that were answered', async () => {
    const { fault, hit } = stalling(/roots_binary/, 1);
    graph.faults.push(fault);
    await using volume = await open({ rootBatchSize: 30, rootConcurrency: 1 });
    const ids = Array.from({ length: 100 }, (_, k) => supervoxel([k % 10, Math.floor(k / 10), 0], 1));
    const call = volume.roots(ids, { timeoutMs: HOUR, onError: 'status' });
    await hit;
    jest.advanceTimersByTime(HOUR);
    const { status, rootIds, ...result } = await call;
    const first = new Set([...ids].sort((a, b) => (a < b ? -1 : 1)).slice(0, 30)); // batches are sorted
    for (const [k, id] of ids.entries())
      expect([status[k], rootIds[k]]).toEqual(
        first.has(id) ? [PointStatus.ok, rootOf(Math.floor(k / 10), 1)] : [PointStatus.rootFailed, 0n],
      );
    const errors = [...result.rows()].map(({ error }) => error).filter((error) => error);
    expect([errors.length, new Set(errors).size]).toEqual([70, 1]);
    expect(errors[0]).toMatchObject({
      name: 'DeadlineError',
      message: `70 of 100 roots were still missing after ${HOUR} ms`,
    });
    expect(jest.getTimerCount()).toBe(0);
  });

  test('keeps the roots of the root cache', async () => {
    await using volume = await open({ rootCache: true });
    const ids = [supervoxel([0, 0, 0], 1), supervoxel([0, 1, 0], 1)];
    await volume.roots([ids[0]]);
    const { fault, hit } = stalling(/roots_binary/);
    graph.faults.push(fault);
    const call = volume.roots(ids, { timeoutMs: HOUR, onError: 'status' });
    await hit;
    jest.advanceTimersByTime(HOUR);
    const { status, rootIds } = await call;
    expect([[...status], [...rootIds]]).toEqual([
      [PointStatus.ok, PointStatus.rootFailed],
      [rootOf(0, 1), 0n],
    ]);
  });

  test('of one call does not affect another call that waits for the same request', async () => {
    const { fault, hit } = stalling(SLOW);
    bucket.faults.push({ ...fault, stall: undefined, delayMs: 50 });
    // The other chunks may still be connecting when that hour passes.
    await using volume = await open({ connectTimeoutMs: 2 * HOUR, idleTimeoutMs: 2 * HOUR });
    const points = spreadPoints(100);
    const hasty = volume.scatteredPoints(points, { timeoutMs: HOUR, onError: 'status', agglomerate: false }),
      patient = volume.scatteredPoints(points);
    await hit;
    jest.advanceTimersByTime(HOUR);
    expect((await hasty).status).toContain(PointStatus.failed);
    expect(new Set((await patient).status)).toEqual(new Set([PointStatus.ok]));
  });

  test('fails points for which a nearer label may be missing', async () => {
    bucket.faults.push(stalling(/s0\/16-24_8-16_4-8/).fault);
    await using volume = await open({ timeoutMs: HOUR });
    const { promise: reached, resolve } = deferred<void>();
    const onProgress = ({ chunks, chunksDone }: Progress): void =>
      void (chunks === 4 && chunksDone === 3 && resolve()); // their own two chunks, and one of two neighbours
    // Both are on the first voxel of a chunk. Of two labels at the same distance, the one in the stalled
    // chunk would win.
    const call = volume.scatteredPoints(
      [
        [24, 12, 5],
        [32, 12, 5],
      ],
      { snap: { radiusNm: 8 }, onError: 'status', agglomerate: false, onProgress },
    );
    await reached;
    jest.advanceTimersByTime(HOUR);
    const { status, supervoxelIds } = await call;
    expect([[...status], [...supervoxelIds]]).toEqual([
      [PointStatus.failed, PointStatus.ok],
      [0n, WORLD.labelAt(31, 12, 5)],
    ]);
  });

  test('throws in calls for one value', async () => {
    const chunk = stalling(/s0/),
      roots = stalling(/roots_binary/);
    await using volume = await open({ timeoutMs: HOUR });
    bucket.faults.push(chunk.fault);
    const point = volume.supervoxelAt([17, 8, 4]);
    point.catch(() => undefined);
    await chunk.hit;
    jest.advanceTimersByTime(HOUR);
    await expect(point).rejects.toMatchObject({
      name: 'PointError',
      code: 'FAILED',
      cause: { cause: { name: 'DeadlineError', missing: { what: 'chunks', count: 1, of: 1 } } },
    });
    graph.faults.push(roots.fault);
    const root = volume.rootOf(supervoxel([0, 0, 0], 1), { timeoutMs: HOUR / 2 });
    root.catch(() => undefined);
    await roots.hit;
    jest.advanceTimersByTime(HOUR / 2);
    await expect(root).rejects.toMatchObject({
      name: 'PointError',
      code: 'ROOT_FAILED',
      cause: { name: 'DeadlineError', timeoutMs: HOUR / 2 },
    });
  });

  test('ends the opening with a DeadlineError', async () => {
    const graphInfo = stalling(/info/),
      info = stalling(/info/);
    graph.faults.push(graphInfo.fault);
    bucket.faults.push(info.fault);
    const opening = [
      open({ timeoutMs: HOUR }),
      openPrecomputed(`${served.url}/bucket`, { timeoutMs: HOUR, idleTimeoutMs: 2 * HOUR }),
    ];
    const settled = Promise.allSettled(opening);
    await Promise.all([graphInfo.hit, info.hit]);
    jest.advanceTimersByTime(HOUR);
    for (const outcome of await settled) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { code: 'TIMEOUT', message: `the call did not end within ${HOUR} ms`, missing: undefined },
      });
      expect((outcome as PromiseRejectedResult).reason).toBeInstanceOf(DeadlineError);
    }
    expect(jest.getTimerCount()).toBe(0);
  });

  test('leaves no timer after success, and does not change the error of an abort', async () => {
    await using volume = await open({ timeoutMs: HOUR });
    expect(new Set((await volume.scatteredPoints(spreadPoints(100))).status)).toEqual(
      new Set([PointStatus.ok]),
    );
    expect(jest.getTimerCount()).toBe(0);
    const reason = new Error('enough'),
      { fault, hit } = stalling(/s0/),
      abort = new AbortController();
    bucket.faults.push(fault);
    const call = volume.scatteredPoints(spreadPoints(100), { signal: abort.signal });
    call.catch(() => undefined);
    await hit;
    abort.abort(reason);
    await expect(call).rejects.toBe(reason);
    expect(jest.getTimerCount()).toBe(0);
  });

  test.each([0, -1, 1.5, NaN, Infinity, '5', 2 ** 31])(
    'cannot be %p, in a call and at opening',
    async (timeoutMs) => {
      const options = { timeoutMs: timeoutMs as number };
      await using volume = await open();
      for (const call of [
        volume.scatteredPoints([[17, 8, 4]], options),
        volume.roots([1n], options),
        volume.rootAt([17, 8, 4], options),
        open(options),
        openPrecomputed(`${served.url}/bucket`, options),
      ])
        await expect(call).rejects.toMatchObject({
          name: 'RangeError',
          message: expect.stringContaining('timeoutMs'),
        });
    },
  );
});

test('however a call ends, it leaves no timer, socket, file or listener, no warning and no unhandled rejection', async () => {
  jest.useRealTimers();
  const child = spawn(process.execPath, [program('spec/graphene/outage-run.ts')]);
  let out = '',
    err = '';
  child.stdout.on('data', (text: Buffer) => (out += text.toString()));
  child.stderr.on('data', (text: Buffer) => (err += text.toString()));
  const code = await new Promise((resolve) => child.on('close', resolve)); // the process ends by itself
  expect([code, err]).toEqual([0, '']);
  const { results, troubles } = JSON.parse(out) as { results: Record<string, unknown>; troubles: string[] };
  expect(troubles).toEqual([]);
  const nothing = { Timeout: 0, TCPSocketWrap: 0, FSReqPromise: 0, FileHandle: 0, listeners: 0 };
  const left: Record<string, unknown> = {};
  for (const stage of [
    'chunks stall',
    'chunks stall inside their bodies',
    'chunks are retried',
    'the bucket sends Retry-After',
    'chunks are late, with a disk cache',
    'roots stall',
    'the graph sends Retry-After',
  ]) {
    const status =
      stage.startsWith('roots') || stage.startsWith('the graph')
        ? `status ${PointStatus.rootFailed}`
        : stage.includes('cache')
          ? expect.stringMatching(/^status (1|8|1,8)$/)
          : `status ${PointStatus.failed}`;
    left[`${stage}: abort`] = { outcomes: ['reason'], ...nothing };
    left[`${stage}: deadline`] = { outcomes: [status], ...nothing };
    left[`${stage}: close`] = { outcomes: ['CLOSED'], ...nothing };
  }
  expect(results).toEqual({
    ...left,
    'opening: deadline': 'DeadlineError: the call did not end within 50 ms',
    'opening: abort': 'TimeoutError',
    'after opening': { Timeout: 0, TCPSocketWrap: 0 },
    'a thousand calls on one signal': {
      first: [`${PointStatus.ok}`],
      listenersBetween: 0,
      left: ['reason'],
      listeners: 0,
    },
    'files left in the cache that are not entries': [],
  });
});
