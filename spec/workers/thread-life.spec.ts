/** Worker threads that are left, late, broken or ended: the callers notice nothing, and nothing stays open. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { OpenOptions, PrecomputedVolume, VolumeEvent } from '../../lib/index.ts';
import { buildPrecomputed, createMockBucket, serveMocks } from '../../mocks/index.ts';
import { findWorkerFile } from '../../testing/built-worker-file.ts';
import { seeded } from '../../testing/random.ts';
import { poolSettings, runningThreads, sdk, sentCommands, startedThreads } from '../support/eager-threads.ts';
import { serve, type LoopbackServer } from '../support/http-server.ts';

/** 16 chunks in a row: chunk k holds the labels from 8 * k + 1. */
const CHUNKS = 16;
const { files } = buildPrecomputed({
  labels: (x) => BigInt(x + 1),
  size: [8 * CHUNKS, 8, 8],
  chunkSize: [8, 8, 8],
  encoding: 'compressed_segmentation',
  bitstream: 'gzip',
});
/** The same chunks in one shard. */
const sharded = buildPrecomputed({
  labels: (x) => BigInt(x + 1),
  size: [8 * CHUNKS, 8, 8],
  chunkSize: [8, 8, 8],
  encoding: 'compressed_segmentation',
  sharding: { shard_bits: 0 },
});
const keyOf = (chunk: number): string => `8_8_40/${8 * chunk}-${8 * chunk + 8}_0-8_0-8`;
/** One point in each of these chunks. */
const pointsIn = (...chunks: number[]): [number, number, number][] => chunks.map((k) => [8 * k + 3, 1, 2]);
const labelsIn = (...chunks: number[]): bigint[] => chunks.map((k) => BigInt(8 * k + 4));
const ALL = Array.from({ length: CHUNKS }, (_, k) => k);

let server: LoopbackServer;
/** Keys whose replies are held back, with a function for each request. */
const held = new Map<string, (answer: () => void) => void>();
/** Replies that are under way. */
const open = new Set<ServerResponse>();
let onClosed: () => void = () => undefined;
const folder = mkdtempSync(join(tmpdir(), 'thread-life-'));

beforeAll(async () => {
  server = await serve(({ url }, response) => {
    open.add(response);
    response.on('close', () => {
      open.delete(response);
      onClosed();
    });
    const key = url!.slice(1),
      file = files[key];
    const answer = (): unknown =>
      file
        ? response
            .writeHead(200, file.contentEncoding ? { 'content-encoding': file.contentEncoding } : {})
            .end(file.bytes)
        : response.writeHead(404).end();
    const hold = held.get(key);
    if (hold) hold(answer);
    else answer();
  });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  server.requests.length = 0;
  startedThreads.length = 0;
});
afterEach(() => {
  held.clear();
  for (const name of Object.keys(poolSettings)) delete poolSettings[name as keyof typeof poolSettings];
  expect(runningThreads()).toEqual([]);
});

const openVolume = (options: OpenOptions = {}): Promise<PrecomputedVolume> =>
  sdk.openPrecomputed(server.origin, { retries: 0, ...options });
const requestsFor = (chunk: number): number =>
  server.requests.filter(({ path }) => path === `/${keyOf(chunk)}`).length;
/** Resolves when all replies have ended. */
const allClosed = (): Promise<void> =>
  new Promise((resolve) => {
    onClosed = () => void (open.size === 0 && resolve());
    onClosed();
  });
/** Holds back the replies for a chunk. Resolves with the function that sends the first one. */
const holdChunk = (chunk: number): Promise<() => void> =>
  new Promise((resolve) => held.set(keyOf(chunk), resolve));

/**
 * Writes a worker program that runs the code when the work on a chunk begins.
 * @param code Sees `url`, the URL of the chunk, `stored bytes` or `shared bytes K`, and `once(name)`, which is true once per test.
 */
function programWith(code: string): string {
  const marks = mkdtempSync(join(folder, 'marks-')),
    path = join(marks, 'worker.cjs');
  writeFileSync(
    path,
    `const { parentPort } = require('node:worker_threads'), fs = require('node:fs');
    const urls = new Map(), { store } = Atomics;
    const once = (name) => {
      try { fs.writeFileSync(${JSON.stringify(marks)} + '/' + name, '', { flag: 'wx' }); return true; } catch { return false; }
    };
    parentPort.on('message', (commands) => {
      for (const { id, url, kind, works = [] } of commands) {
        if (url || kind === 'work') urls.set(id, url || 'stored bytes');
        for (const k of works.keys()) urls.set(id + k, 'shared bytes ' + k);
      }
    });
    Atomics.store = (array, index, id) => {
      store(array, index, id);
      const url = urls.get(id);
      if (url) { ${code} }
    };
    require(${JSON.stringify(findWorkerFile())});`,
  );
  return path;
}

describe('worker threads', () => {
  test('end with the volume', async () => {
    const volume = await openVolume();
    await volume.scatteredPoints(pointsIn(...ALL));
    expect(runningThreads()).toHaveLength(2);
    await volume.close();
    expect(runningThreads()).toEqual([]);
    expect(startedThreads).toHaveLength(2);
  });

  test('end with the volume while they wait for replies', async () => {
    const volume = await openVolume(),
      arrived = holdChunk(3),
      call = volume.scatteredPoints(pointsIn(...ALL));
    const outcome = expect(call).rejects.toMatchObject({ name: 'VolumeClosedError' });
    await arrived;
    await volume.close();
    await outcome;
    expect(runningThreads()).toEqual([]);
    await allClosed();
  });

  test('end with the volume before they have started', async () => {
    const volume = await openVolume();
    const outcome = expect(volume.scatteredPoints(pointsIn(...ALL))).rejects.toMatchObject({
      name: 'VolumeClosedError',
    });
    await volume.close();
    await outcome;
    expect(runningThreads()).toEqual([]);
    await allClosed();
  });

  test('keep nothing open after 300 calls that are aborted at any moment', async () => {
    await using volume = await openVolume({ lruBytes: 0 });
    await volume.scatteredPoints(pointsIn(...ALL));
    for (const chunk of [2, 5, 11]) held.set(keyOf(chunk), () => undefined); // never answered
    const random = seeded(7);
    let aborted = 0;
    for (let k = 0; k < 300; k++) {
      const abort = new AbortController(),
        reason = new Error(`abort ${k}`);
      const first = random.below(CHUNKS),
        chunks = ALL.slice(first, first + 1 + random.below(4));
      const call = volume.scatteredPoints(pointsIn(...chunks), { signal: abort.signal }).then(
        ({ values }) => expect([...values]).toEqual(labelsIn(...chunks)),
        (error: unknown) => {
          aborted++;
          expect(error).toBe(reason);
        },
      );
      for (let turns = random.below(6); turns > 0; turns--)
        await (random.below(2) === 0 ? undefined : new Promise((resolve) => setImmediate(resolve)));
      abort.abort(reason);
      await call;
    }
    expect(aborted).toBeGreaterThan(100);
    await allClosed();
    held.clear();
    const { values } = await volume.scatteredPoints(pointsIn(...ALL));
    expect([...values]).toEqual(labelsIn(...ALL));
    expect(startedThreads).toHaveLength(2);
  });

  test('end requests at the deadline of a call', async () => {
    await using volume = await openVolume();
    held.set(keyOf(4), () => undefined);
    const result = await volume.scatteredPoints(pointsIn(4), { timeoutMs: 20, onError: 'status' });
    expect([...result.status]).toEqual([sdk.PointStatus.failed]);
    expect([...result.rows()][0].error?.cause).toMatchObject({ name: 'DeadlineError' });
    await allClosed();
  });

  test('give up a server that sends nothing', async () => {
    await using volume = await openVolume({ idleTimeoutMs: 20 });
    held.set(keyOf(4), () => undefined);
    const result = await volume.scatteredPoints(pointsIn(4), { onError: 'status' });
    expect([...result.rows()][0].error?.cause).toMatchObject({ name: 'RequestError', code: 'TIMEOUT' });
    await allClosed();
  });

  test('report no failed chunk of a shard when its call is aborted', async () => {
    poolSettings.file = programWith(
      `if (url === 'shared bytes 0') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50)`,
    );
    sentCommands.length = 0;
    const events: VolumeEvent[] = [];
    await using served = await serveMocks({ '/b': createMockBucket({ files: sharded.files }) });
    await using volume = await sdk.openPrecomputed(`${served.url}/b`, {
      workers: 1,
      onEvent: (event) => events.push(event),
    });
    const abort = new AbortController(),
      call = volume.scatteredPoints(pointsIn(...ALL), { signal: abort.signal });
    while (!sentCommands.some(({ kind }) => kind === 'works')) await new Promise(setImmediate);
    const reason = new Error('enough');
    abort.abort(reason);
    await expect(call).rejects.toBe(reason);
    await volume.scatteredPoints(pointsIn(2));
    expect(events.filter((event) => 'outcome' in event && event.outcome === 'failed')).toEqual([]);
  });

  test('return arrays that own ordinary memory of their size', async () => {
    await using volume = await openVolume();
    const { values, status } = await volume.scatteredPoints(pointsIn(...ALL));
    for (const array of [values, status]) {
      expect(Object.prototype.toString.call(array.buffer)).toBe('[object ArrayBuffer]');
      expect(array.buffer.byteLength).toBe(array.byteLength);
      expect(structuredClone(array, { transfer: [array.buffer as ArrayBuffer] })).toHaveLength(CHUNKS);
    }
  });
});

describe('a call that joins a read in a worker thread', () => {
  const join = async (volume: PrecomputedVolume): Promise<bigint[]> => {
    const first = holdChunk(3),
      calls = [volume.scatteredPoints(pointsIn(3))];
    const release = await first;
    // Its second chunk shows that the thread has heard of the second call.
    const second = holdChunk(4);
    calls.push(volume.scatteredPoints([[8 * 3 + 7, 0, 0], ...pointsIn(4)]));
    (await second)();
    held.clear();
    release();
    return (await Promise.all(calls)).flatMap(({ values }) => [...(values as BigUint64Array)]);
  };

  test('shares its one request', async () => {
    await using volume = await openVolume({ workers: 1 });
    expect(await join(volume)).toEqual([28n, 32n, 36n]);
    expect([requestsFor(3), requestsFor(4)]).toEqual([1, 1]);
  });

  test('reads the chunk again if the thread did not keep its bytes', async () => {
    const path = programWith('');
    writeFileSync(
      `${path}.cjs`,
      `const { parentPort } = require('node:worker_threads'), { on } = parentPort;
      parentPort.on = (name, listener) => on.call(parentPort, name, (commands) =>
        listener(commands.filter(({ kind }) => kind !== 'keep')));
      require(${JSON.stringify(path)});`,
    );
    poolSettings.file = `${path}.cjs`;
    await using volume = await openVolume({ workers: 1 });
    expect(await join(volume)).toEqual([28n, 32n, 36n]);
    expect([requestsFor(3), requestsFor(4)]).toEqual([2, 1]);
  });
});

describe('a worker thread that dies', () => {
  const isChunk = (chunk: number): string => `url.endsWith(${JSON.stringify(keyOf(chunk))})`;
  const errorsOf = async (volume: PrecomputedVolume): Promise<[number, Error][]> => {
    const result = await volume.scatteredPoints(pointsIn(...ALL), { onError: 'status' });
    const failed = [...result.rows()].filter(({ status }) => status === 'failed');
    expect([...result.values]).toEqual(
      labelsIn(...ALL).map((label, k) => (failed.some(({ index }) => index === k) ? 0n : label)),
    );
    return failed.map(({ index, error }) => [index, error!.cause as Error]);
  };

  test('while it waits loses nothing: the other thread reads its chunks', async () => {
    await using volume = await openVolume({ workers: 1 });
    const arrived = holdChunk(9),
      call = volume.scatteredPoints(pointsIn(...ALL));
    await arrived;
    held.clear();
    await startedThreads[0].terminate();
    expect([...(await call).values]).toEqual(labelsIn(...ALL));
    expect(requestsFor(9)).toBe(2);
    await volume.scatteredPoints(pointsIn(1));
    expect(startedThreads).toHaveLength(2);
  });

  test.each([
    ['exits', 'process.exit(3)'],
    [
      'throws',
      'setImmediate(() => { throw new Error("broken"); }); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)',
    ],
  ])('on a chunk (it %s) is replaced, and the chunk is read again', async (name, code) => {
    poolSettings.file = programWith(`if (${isChunk(6)} && once('died')) { ${code} }`);
    await using volume = await openVolume();
    expect(await errorsOf(volume)).toEqual([]);
    expect(startedThreads.length).toBeGreaterThanOrEqual(name === 'exits' ? 3 : 2);
  });

  test('on the same chunk twice fails this chunk, and no other', async () => {
    poolSettings.file = programWith(`if (${isChunk(6)}) process.exit(3)`);
    await using volume = await openVolume();
    const errors = await errorsOf(volume);
    expect(errors).toMatchObject([
      [6, { name: 'DecodeError', code: 'BAD_BITSTREAM', message: expect.stringMatching(/died 2 times/) }],
    ]);
    // It is still there for the next call.
    expect((await volume.scatteredPoints(pointsIn(7))).values).toEqual(BigUint64Array.from(labelsIn(7)));
    expect(runningThreads()).toHaveLength(2);
  });

  test.each([
    [`url === 'shared bytes 0' && once('died')`, []],
    [`url === 'shared bytes 2' && once('died')`, []],
    [
      `url === 'shared bytes 2' && once('a') || url === 'stored bytes' && once('b')`,
      [expect.stringMatching(/died 2 times/)],
    ],
  ])('on a chunk of a shard (if %s) does not lose the shard', async (condition, messages) => {
    poolSettings.file = programWith(`if (${condition}) process.exit(3)`);
    await using served = await serveMocks({ '/b': createMockBucket({ files: sharded.files }) });
    await using opened = await sdk.openPrecomputed(`${served.url}/b`, { retries: 0, workers: 1 });
    const result = await opened.scatteredPoints(pointsIn(...ALL), { onError: 'status' }),
      errors = [...result.rows()].filter(({ status }) => status === 'failed');
    expect(errors.map(({ error }) => (error!.cause as Error).message)).toEqual(messages);
    expect([...result.values]).toEqual(
      labelsIn(...ALL).map((label, k) => (errors.some(({ index }) => index === k) ? 0n : label)),
    );
    expect(result.stats.requests).toBe(1);
  });

  test('and cannot be replaced fails the chunk that it died of', async () => {
    const warnings: string[] = [];
    poolSettings.warn = (message) => warnings.push(message);
    poolSettings.file = programWith(`if (${isChunk(6)}) process.exit(3)`);
    const path = `${poolSettings.file}.cjs`;
    writeFileSync(
      path,
      `const fs = require('node:fs');
      try { fs.writeFileSync(__filename + '.started', '', { flag: 'wx' }); } catch { throw new Error('no room'); }
      require(${JSON.stringify(poolSettings.file)});`,
    );
    poolSettings.file = path;
    await using volume = await openVolume({ workers: 1 });
    expect(await errorsOf(volume)).toMatchObject([
      [6, { message: expect.stringMatching(/thread died while/) }],
    ]);
    expect(warnings).toEqual([expect.stringMatching(/^worker threads do not start \(no room\)/)]);
    expect(startedThreads).toHaveLength(4);
  });

  test('of a decoder that does not end fails only its chunk', async () => {
    Object.assign(poolSettings, {
      file: programWith(`if (${isChunk(6)}) for (;;);`),
      checkMs: 25,
      longestWorkChecks: 20,
    });
    await using volume = await openVolume();
    expect(await errorsOf(volume)).toMatchObject([
      [6, { name: 'DecodeError', message: expect.stringMatching(/was ended after 0.5 s/) }],
    ]);
    // The thread that was ended exits in a turn of its own. If it does not, this does not end, either.
    while (runningThreads().length > 1) await nextTurn();
    expect(runningThreads()).toHaveLength(1);
  });
});

describe('worker threads that do not start', () => {
  test.each(['a missing file', 'a broken program'])(
    '(%s) leave the work to one thread, with a warning',
    async (what) => {
      const warnings: string[] = [];
      poolSettings.warn = (message) => warnings.push(message);
      poolSettings.file = join(folder, `${what.replaceAll(' ', '-')}.cjs`);
      if (what !== 'a missing file') writeFileSync(poolSettings.file, 'throw new Error("broken")');
      await using volume = await openVolume();
      for (const chunk of [1, 2, 3])
        expect([...(await volume.scatteredPoints(pointsIn(chunk))).values]).toEqual(labelsIn(chunk));
      expect(warnings).toEqual([expect.stringMatching(/^worker threads do not start/)]);
      expect(startedThreads.length).toBeLessThanOrEqual(4);
    },
  );
});
