import { mkdtemp, mkdir, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { CacheFolder } from '../../lib/cache/cache-folder.ts';
import { DiskCache, type DiskCacheOptions } from '../../lib/cache/disk-cache.ts';
import { cacheStats, clearCache, verifyCache } from '../../lib/cache/cache-maintenance.ts';

let folder: string;
beforeEach(async () => void (folder = join(await mkdtemp(join(tmpdir(), 'gp-cache-')), 'deep', 'er')));
afterEach(() => rm(join(folder, '..', '..'), { recursive: true }));

const bytesOf = (seed: number, length = 100): Uint8Array => {
  const bytes = new Uint8Array(length);
  for (let k = 0; k < length; k++) bytes[k] = k * 31 + seed;
  return bytes;
};
const open = (options: Partial<DiskCacheOptions> = {}): DiskCache => new DiskCache({ folder, ...options });
const fileOf = (key: string): string => new CacheFolder(folder, 1).fileOf(key);
const MB = 1024 * 1024;

describe('DiskCache', () => {
  test('returns to another process what was put, and nothing at other keys', async () => {
    const cache = open({ now: () => 5000 });
    expect(await cache.get('a')).toBeUndefined();
    await cache.put('a', { bytes: bytesOf(1), validator: '"v"' });
    await cache.put('gone', { bytes: undefined, validator: undefined });
    const other = open();
    expect(await other.get('a')).toEqual({
      bytes: Buffer.from(bytesOf(1)),
      validator: '"v"',
      storedMs: 5000,
    });
    expect(await other.get('gone')).toEqual({ bytes: undefined, validator: undefined, storedMs: 5000 });
    expect(await other.get('b')).toBeUndefined();
    expect([cache.counts, other.counts]).toEqual([
      { hits: 0, misses: 1, damaged: 0, stored: 2 },
      { hits: 2, misses: 1, damaged: 0, stored: 0 },
    ]);
  });

  test('replaces the entry at a key', async () => {
    const cache = open();
    await cache.put('a', { bytes: bytesOf(1), validator: '1' });
    await cache.put('a', { bytes: bytesOf(2), validator: '2' });
    expect(await cache.get('a')).toMatchObject({ bytes: Buffer.from(bytesOf(2)), validator: '2' });
    expect((await cacheStats(folder)).entries).toBe(1);
  });

  test('can be read by its owner only', async () => {
    await open().put('a', { bytes: bytesOf(1), validator: undefined });
    const modes = await Promise.all(
      [folder, join(folder, 'chunks-v2'), fileOf('a')].map(async (path) => (await stat(path)).mode & 0o777),
    );
    expect(modes.map((mode) => mode.toString(8))).toEqual(['700', '700', '600']);
  });

  test.each([
    ['a flipped byte', (file: Buffer) => ((file[file.length - 1] ^= 1), file)],
    ['a cut', (file: Buffer) => file.subarray(0, file.length - 1)],
    ['nothing', () => Buffer.alloc(0)],
  ])('treats an entry with %s as a miss, counts it and deletes it', async (_, damage) => {
    const cache = open();
    await cache.put('a', { bytes: bytesOf(1), validator: undefined });
    await writeFile(fileOf('a'), damage(await readFile(fileOf('a'))));
    expect(await cache.get('a')).toBeUndefined();
    expect(cache.counts).toMatchObject({ misses: 1, damaged: 1 });
    await expect(stat(fileOf('a'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('never returns the entry of another key, even if a file has a wrong name', async () => {
    const cache = open();
    await cache.put('a', { bytes: bytesOf(1), validator: undefined });
    await mkdir(join(fileOf('b'), '..'), { recursive: true });
    await writeFile(fileOf('b'), await readFile(fileOf('a')));
    expect(await cache.get('b')).toBeUndefined();
    expect(cache.counts.damaged).toBe(1);
  });

  test('reads no more than the largest valid entry: a file of a terabyte is damaged', async () => {
    const cache = open();
    await cache.put('a', { bytes: bytesOf(1, 40_000), validator: undefined });
    await truncate(fileOf('a'), 1e12);
    expect(await cache.get('a')).toBeUndefined();
    expect([cache.counts.damaged, await stat(fileOf('a')).catch(() => 'gone')]).toEqual([1, 'gone']);
    await cache.put('a', { bytes: bytesOf(1, 40_000), validator: undefined });
    expect(await cache.get('a', 40_000)).toBeDefined();
    expect(await cache.get('a', 10_000)).toBeUndefined();
    await cache.put('a', { bytes: bytesOf(1), validator: undefined });
    await truncate(fileOf('a'), 1e12);
    expect(await verifyCache(folder)).toMatchObject({ entries: 1, damaged: 1 });
  });

  test('reads an entry that a cache with a larger limit stored', async () => {
    await open().put('a', { bytes: bytesOf(1, 600_000), validator: undefined });
    const small = open({ maxBytes: MB });
    expect(Buffer.compare((await small.get('a'))?.bytes ?? Buffer.of(), bytesOf(1, 600_000))).toBe(0);
    expect(small.counts.damaged).toBe(0);
  });

  test('stays within its limit and keeps the entries that were used last', async () => {
    let now = 1_000_000_000;
    const cache = open({ maxBytes: 10 * MB, now: () => now });
    for (let k = 0; k < 60; k++) {
      now += 120_000;
      await cache.put(`k${k}`, { bytes: bytesOf(k, 500_000), validator: undefined });
      await utimes(fileOf(`k${k}`), now / 1000, now / 1000);
      if (k > 0) expect((await cache.get('k0'))?.bytes).toHaveLength(500_000);
      expect((await cacheStats(folder)).bytes).toBeLessThanOrEqual(10 * MB);
    }
    const kept = (await Promise.all(Array.from({ length: 60 }, (_, k) => open().get(`k${k}`)))).flatMap(
      (entry, k) => (entry ? [k] : []),
    );
    expect(kept[0]).toBe(0); // used all the time
    expect(kept.slice(1)).toEqual(
      Array.from({ length: kept.length - 1 }, (_, k) => 60 - (kept.length - 1) + k),
    );
    expect(kept.length).toBeGreaterThan(12);
  });

  test('does not store an entry larger than a tenth of its limit', async () => {
    const cache = open({ maxBytes: MB });
    await cache.put('a', { bytes: bytesOf(1, 110_000), validator: undefined });
    expect(await cache.get('a')).toBeUndefined();
  });

  test('evicts entries when it is opened with a smaller limit', async () => {
    const large = open({ maxBytes: 100 * MB });
    for (let k = 0; k < 20; k++)
      await large.put(`k${k}`, { bytes: bytesOf(k, 200_000), validator: undefined });
    await open({ maxBytes: 2 * MB }).get('k0');
    expect((await cacheStats(folder)).bytes).toBeLessThanOrEqual(2 * MB);
  });

  test('keeps working if nothing can be stored, and warns once', async () => {
    const warn = jest.fn();
    await open().put('a', { bytes: bytesOf(1), validator: undefined });
    await rm(join(folder, 'chunks-v2', 'tmp'), { recursive: true });
    await writeFile(join(folder, 'chunks-v2', 'tmp'), 'a file where a folder should be');
    const cache = open({ warn });
    await Promise.all(
      ['b', 'c', 'd'].map((key) => cache.put(key, { bytes: bytesOf(1), validator: undefined })),
    );
    expect(await cache.get('b')).toBeUndefined();
    expect(warn.mock.calls).toEqual([
      [expect.stringMatching(/^the cache at .*chunks-v2 no longer stores anything: E/)],
    ]);
  });

  test('shares a folder with caches of the same process that write at the same time', async () => {
    const warn = jest.fn();
    const caches = Array.from({ length: 4 }, () => open({ warn }));
    for (let round = 0; round < 10; round++)
      await Promise.all(
        caches.map((cache, k) => cache.put(`${k} ${round}`, { bytes: bytesOf(k), validator: undefined })),
      );
    expect(warn).not.toHaveBeenCalled();
    expect([(await verifyCache(folder)).entries, await readdir(join(folder, 'chunks-v2', 'tmp'))]).toEqual([
      40,
      [],
    ]);
  });

  test('refuses a folder that others may write to', async () => {
    const warn = jest.fn();
    await mkdir(join(folder, 'chunks-v2'), { recursive: true, mode: 0o777 });
    await import('node:fs/promises').then(({ chmod }) => chmod(join(folder, 'chunks-v2'), 0o777));
    const cache = open({ warn });
    await cache.put('a', { bytes: bytesOf(1), validator: undefined });
    expect(await cache.get('a')).toBeUndefined();
    expect(warn.mock.calls).toEqual([[expect.stringContaining('only you may enter')]]);
  });

  test('deletes unfinished files and the lock of dead processes, and leaves unfinished files of live ones', async () => {
    await open().put('a', { bytes: bytesOf(1), validator: undefined });
    const tmp = join(folder, 'chunks-v2', 'tmp'),
      dead = 2 ** 22 + 1; // above the largest PID
    const [ofDead, ofLiving] = [`${hostname()}.${dead}.0.4`, `${hostname()}.${process.pid}.999.4`];
    await Promise.all(
      [ofDead, ofLiving, 'elsewhere.1.0.4', 'elsewhere.1.1.4'].map((name) =>
        writeFile(join(tmp, name), 'half'),
      ),
    );
    await utimes(join(tmp, 'elsewhere.1.1.4'), 1, 1);
    await writeFile(join(folder, 'chunks-v2', 'lock'), `${hostname()} ${dead}`);
    await open({ maxBytes: MB }).get('a');
    expect((await readdir(tmp)).sort()).toEqual(['elsewhere.1.0.4', ofLiving].sort());
    await expect(stat(join(folder, 'chunks-v2', 'lock'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test.each([
    ['that may still be signed', 9_000, false],
    ['that was never signed', 11_000, true],
  ])('replaces a lock %s: after %i ms %p', async (_, ageMs, isTakenOver) => {
    await open().put('a', { bytes: bytesOf(1), validator: undefined });
    const lock = join(folder, 'chunks-v2', 'lock'),
      now = 1_800_000_000_000;
    await writeFile(lock, '');
    await utimes(lock, (now - ageMs) / 1000, (now - ageMs) / 1000);
    expect((await new CacheFolder(folder, MB).collect(now)) !== undefined).toBe(isTakenOver);
  });

  test('stores nothing more, and keeps most entries, while the files of other writers take all the room', async () => {
    const cache = open({ maxBytes: MB });
    for (const key of ['a', 'b', 'c', 'd'])
      await cache.put(key, { bytes: bytesOf(1, 80_000), validator: undefined });
    const { stored } = cache.counts;
    for (let k = 0; k < 10; k++)
      await writeFile(join(folder, 'chunks-v2', 'tmp', `${hostname()}.${process.pid}.other-${k}.80000`), '');
    for (let k = 0; k < 5; k++) await cache.put(`k${k}`, { bytes: bytesOf(k, 80_000), validator: undefined });
    expect([stored, cache.counts.stored, (await cacheStats(folder)).entries]).toEqual([4, 4, 4]);
    for (let k = 0; k < 10; k++)
      await rm(join(folder, 'chunks-v2', 'tmp', `${hostname()}.${process.pid}.other-${k}.80000`));
    await cache.put('e', { bytes: bytesOf(1, 80_000), validator: undefined });
    expect((await cacheStats(folder)).entries).toBe(5);
  });

  test('stores nothing more while it is full and another process makes room', async () => {
    const cache = open({ maxBytes: MB });
    await cache.put('a', { bytes: bytesOf(1), validator: undefined });
    await writeFile(join(folder, 'chunks-v2', 'lock'), `${hostname()} ${process.pid}`);
    for (let k = 0; k < 100; k++)
      await cache.put(`k${k}`, { bytes: bytesOf(k, 50_000), validator: undefined });
    expect((await cacheStats(folder)).bytes).toBeLessThanOrEqual(MB / 4);
    expect(cache.counts.stored).toBeLessThan(10);
  });
});

describe('maintenance', () => {
  test('counts, verifies and clears', async () => {
    expect(await cacheStats(folder)).toMatchObject({ entries: 0, bytes: 0, oldestUse: undefined });
    const cache = open();
    for (const key of ['a', 'b', 'c'])
      await cache.put(key, { bytes: bytesOf(1, 5000), validator: undefined });
    await utimes(fileOf('b'), 1000, 1000);
    expect(await cacheStats(folder)).toEqual({
      path: join(folder, 'chunks-v2'),
      entries: 3,
      bytes: 3 * 8192,
      oldestUse: new Date(1_000_000),
      snapshots: { entries: 0, bytes: 0 },
    });
    expect(await verifyCache(folder)).toMatchObject({ entries: 3, damaged: 0 });
    await writeFile(fileOf('c'), 'x');
    await writeFile(join(fileOf('a'), '..', '0'.repeat(64)), await readFile(fileOf('a')));
    expect(await verifyCache(folder)).toMatchObject({ entries: 4, damaged: 2 });
    await writeFile(join(folder, 'mine'), 'not the cache');
    expect(await clearCache(folder)).toMatchObject({ entries: 2 });
    expect(await readdir(folder)).toEqual(['mine']);
    expect(await cache.get('a')).toBeUndefined();
    await cache.put('a', { bytes: bytesOf(1), validator: undefined }); // its folder was deleted in the meantime
    expect((await open().get('a'))?.bytes).toBeDefined();
  });
});
