/** Many processes share one cache folder, and half of them are killed at arbitrary times. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CacheFolder } from '../../lib/cache/cache-folder.ts';
import type { DiskCacheCounts } from '../../lib/cache/disk-cache.ts';
import { verifyCache } from '../../lib/cache/cache-maintenance.ts';
import { program } from '../support/program.ts';
import { rounds } from '../support/rounds.ts';

const MAX_BYTES = 3 * 1024 * 1024,
  PROCESSES = 20,
  ROUNDS = Math.min(150, rounds(90)),
  /** The largest entry of `hammer.ts` on disk, in whole units of 4 KiB. */
  LARGEST_ENTRY = 40_960;

let made: string, folder: string;
beforeAll(async () => {
  made = await mkdtemp(join(tmpdir(), 'gp-cache-'));
  folder = join(made, 'cache');
});
afterAll(() => rm(made, { recursive: true }));

const children = new Set<ChildProcess>();

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

/**
 * Starts one process.
 * @param kill When to kill it; undefined if it ends by itself.
 * @param onProgress Called whenever it has done some rounds.
 */
function hammer(seed: number, kill: Promise<void> | undefined, onProgress: () => void): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [
      program('spec/cache/hammer.ts'),
      folder,
      String(MAX_BYTES),
      String(seed),
      String(kill ? 1e9 : ROUNDS),
    ]);
    const ended: Ended = { signal: null, code: null, out: '', err: '' };
    children.add(child);
    child.stdout.on('data', (text: Buffer) => {
      ended.out += text.toString();
      onProgress();
    });
    child.stderr.on('data', (text: Buffer) => (ended.err += text.toString()));
    child.on('close', (code, signal) => {
      children.delete(child);
      resolve({ ...ended, code, signal });
    });
    void kill?.then(() => child.kill('SIGKILL'));
  });
}

/** Returns the sizes of all entries and unfinished files on disk, by path. */
async function filesOf(path: string): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for (const name of await readdir(path, { recursive: true }).catch(() => []))
    if (name.includes('/')) {
      const found = await stat(join(path, name)).catch(() => undefined);
      if (found) sizes.set(name, Math.ceil(found.size / 4096) * 4096);
    }
  return sizes;
}

/** Counts all files while every process is stopped. */
async function countStopped(path: string): Promise<number> {
  for (const child of children) child.kill('SIGSTOP');
  try {
    // A process stops a little after its signal, so the files count once nothing has changed between two looks.
    for (let before = '', counted = 0; ;) {
      const sizes = await filesOf(path),
        seen = JSON.stringify([...sizes]);
      if (seen === before) return counted;
      before = seen;
      counted = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    }
  } finally {
    for (const child of children) child.kill('SIGCONT');
  }
}

test('a cache reads nothing false and stays within its limit while twenty processes share it and ten of them are killed', async () => {
  const kills = Array.from({ length: PROCESSES / 2 }, () => deferred());
  const { path } = new CacheFolder(folder, MAX_BYTES);
  const totals: number[] = [];
  let counting: Promise<void> | undefined;
  const count = (): void => {
    counting ??= countStopped(path).then((total) => {
      totals.push(total);
      counting = undefined;
    });
  };
  const running = Array.from({ length: PROCESSES }, (_, k) =>
    hammer(k + 1, k % 2 ? kills[k >> 1].promise : undefined, count),
  );
  const gentle = running.filter((_, k) => k % 2 === 0);
  // One process is killed whenever another one ends: at ten arbitrary times.
  gentle.forEach((process, k) => void process.then(() => kills[k].resolve()));
  const ended = await Promise.all(running);
  await counting;

  expect(ended.filter(({ signal }) => signal === 'SIGKILL')).toHaveLength(PROCESSES / 2);
  for (const { code, err, out } of ended.filter(({ signal }) => signal === null)) {
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const { hits, misses, damaged } = JSON.parse(out.trim().split('\n').at(-1)!) as DiskCacheCounts;
    expect([hits + misses, damaged]).toEqual([ROUNDS, 0]);
  }
  expect(totals.length).toBeGreaterThan(PROCESSES / 2);
  expect(Math.max(...totals)).toBeGreaterThan(MAX_BYTES / 2);
  // Each process writes one entry at a time.
  expect(Math.max(...totals)).toBeLessThanOrEqual(MAX_BYTES + PROCESSES * LARGEST_ENTRY);
  expect((await verifyCache(folder)).damaged).toBe(0);

  const cache = new CacheFolder(folder, MAX_BYTES);
  // A process that was killed while collecting left no lock, or an unsigned one.
  expect(await cache.collect(Date.now() + 11_000)).toBeDefined();
  expect(await readdir(join(cache.path, 'tmp'))).toEqual([]);
}, 300_000);
