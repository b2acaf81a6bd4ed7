/** Many processes share one cache folder, and half of them are killed at arbitrary times. */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CacheFolder } from '../../lib/cache/cache-folder.ts';
import type { DiskCacheCounts } from '../../lib/cache/disk-cache.ts';
import { cacheStats, verifyCache } from '../../lib/cache/cache-maintenance.ts';
import { program } from '../support/program.ts';

const MAX_BYTES = 3 * 1024 * 1024,
  PROCESSES = 20,
  ROUNDS = 250;

let made: string, folder: string;
beforeAll(async () => {
  made = await mkdtemp(join(tmpdir(), 'gp-cache-'));
  folder = join(made, 'cache');
});
afterAll(() => rm(made, { recursive: true }));

interface Ended {
  signal: string | null;
  code: number | null;
  out: string;
  err: string;
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void;
  return { promise: new Promise((done) => (resolve = done)), resolve };
}

/** Starts one process. @param kill When to kill it; undefined if it ends by itself. */
function hammer(seed: number, kill: Promise<void> | undefined): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [
      program('spec/cache/hammer.ts'),
      folder,
      String(MAX_BYTES),
      String(seed),
      String(kill ? 1e9 : ROUNDS),
    ]);
    const ended: Ended = { signal: null, code: null, out: '', err: '' };
    child.stdout.on('data', (text: Buffer) => (ended.out += text.toString()));
    child.stderr.on('data', (text: Buffer) => (ended.err += text.toString()));
    child.on('close', (code, signal) => resolve({ ...ended, code, signal }));
    void kill?.then(() => child.kill('SIGKILL'));
  });
}

test('a cache reads nothing false and stays within its limit while twenty processes share it and ten of them are killed', async () => {
  const kills = Array.from({ length: PROCESSES / 2 }, () => deferred());
  const running = Array.from({ length: PROCESSES }, (_, k) =>
    hammer(k + 1, k % 2 ? kills[k >> 1].promise : undefined),
  );
  const gentle = running.filter((_, k) => k % 2 === 0);
  // One process is killed whenever another one ends: at ten arbitrary times.
  gentle.forEach((process, k) => void process.then(() => kills[k].resolve()));
  let most = 0;
  const watch = (async () => {
    let over = false;
    void Promise.all(running).then(() => (over = true));
    while (!over) most = Math.max(most, (await cacheStats(folder)).bytes);
  })();
  const ended = await Promise.all(running);
  await watch;

  expect(ended.filter(({ signal }) => signal === 'SIGKILL')).toHaveLength(PROCESSES / 2);
  for (const { code, err, out } of ended.filter(({ signal }) => signal === null)) {
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const { hits, misses, damaged } = JSON.parse(out) as DiskCacheCounts;
    expect([hits + misses, damaged]).toEqual([ROUNDS, 0]);
  }
  expect(most).toBeGreaterThan(MAX_BYTES / 4);
  // The statistics are read folder by folder, so a file that moves in between may count twice.
  expect(most).toBeLessThanOrEqual(1.3 * MAX_BYTES);
  expect((await cacheStats(folder)).bytes).toBeLessThanOrEqual(MAX_BYTES);
  expect((await verifyCache(folder)).damaged).toBe(0);

  const cache = new CacheFolder(folder, MAX_BYTES);
  // A process that was killed while collecting left no lock, or an unsigned one.
  expect(await cache.collect(Date.now() + 11_000)).toBeDefined();
  expect(await readdir(join(cache.path, 'tmp'))).toEqual([]);
}, 300_000);
