import {
  appendFile,
  mkdtemp,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { CacheFolder } from '../../lib/cache/cache-folder.ts';
import { DiskCache, type DiskCacheOptions } from '../../lib/cache/disk-cache.ts';
import { cacheStats, clearCache, verifyCache } from '../../lib/cache/cache-maintenance.ts';
import { encodeEntry } from '../../lib/cache/entry.ts';
import { appendRecords, indexFile, type EntryPlace } from '../../lib/cache/pack-files.ts';
import { encodeRecord, hashOf } from '../../lib/cache/pack-record.ts';

let folder: string;
beforeEach(async () => void (folder = join(await mkdtemp(join(tmpdir(), 'gp-cache-')), 'deep', 'er')));
afterEach(() => rm(join(folder, '..', '..'), { recursive: true }));

const bytesOf = (seed: number, length = 100): Uint8Array => {
  const bytes = new Uint8Array(length);
  for (let k = 0; k < length; k++) bytes[k] = k * 31 + seed;
  return bytes;
};
const open = (options: Partial<DiskCacheOptions> = {}): DiskCache => new DiskCache({ folder, ...options });
const find = (key: string): Promise<EntryPlace | undefined> =>
  new CacheFolder(folder, 1).index.find(hashOf(key), 0);
const placeOf = async (key: string): Promise<EntryPlace> => (await find(key))!;
const packs = async (): Promise<string[]> => (await readdir(join(folder, 'chunks-v3', 'packs'))).sort();
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
      release: expect.any(Function),
    });
    expect(await other.get('gone')).toMatchObject({ bytes: undefined, validator: undefined, storedMs: 5000 });
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
      [folder, join(folder, 'chunks-v3'), (await placeOf('a')).file].map(
        async (path) => (await stat(path)).mode & 0o777,
      ),
    );
    expect(modes.map((mode) => mode.toString(8))).toEqual(['700', '700', '600']);
  });

  test.each([
    ['a flipped byte', (file: Buffer) => ((file[file.length - 1] ^= 1), file)],
    ['a cut', (file: Buffer) => file.subarray(0, file.length - 1)],
    ['nothing', () => Buffer.alloc(0)],
    ['zeros, as after a power cut', (file: Buffer) => file.fill(0)],
  ])('treats an entry with %s as a miss, counts it and removes it', async (_, damage) => {
    const cache = open();
    await cache.put('b', { bytes: bytesOf(2), validator: undefined });
    await cache.put('a', { bytes: bytesOf(1), validator: undefined });
    const { file } = await placeOf('a');
    await writeFile(file, damage(await readFile(file)));
    expect(await cache.get('a')).toBeUndefined();
    expect(cache.counts).toMatchObject({ misses: 1, damaged: 1 });
    expect(await find('a')).toBeUndefined();
    expect(await cache.get('a')).toBeUndefined();
    expect(cache.counts.damaged).toBe(1);
    await cache.put('a', { bytes: bytesOf(3), validator: undefined });
    expect((await cache.get('a'))?.bytes).toEqual(Buffer.from(bytesOf(3)));
  });

  test('returns nothing for records that name the place of another entry, or none', async () => {
    const cache = open();
    await cache.put('a', { bytes: bytesOf(1), validator: undefined });
    await cache.put('c', { bytes: bytesOf(1, 50), validator: undefined });
    const [{ offset, length }, [pack]] = [await placeOf('a'), await packs()];
    const false_ = [
      { pack, offset, length },
      { pack, offset: offset + 8, length },
      { pack, offset: 2 ** 32 - 1, length },
      { pack, offset, length: length - 1 },
      { pack, offset, length: length + 5 },
      { pack, offset, length: 2 ** 32 - 1 },
    ];
    for (const [k, place] of false_.entries())
      await appendRecords(join(folder, 'chunks-v3'), encodeRecord(hashOf(`false ${k}`), place));
    for (const k of false_.keys()) expect(await cache.get(`false ${k}`)).toBeUndefined();
    expect(cache.counts.damaged).toBe(false_.length);
    expect(await verifyCache(folder)).toMatchObject({ entries: 2, damaged: 0 });
    await appendRecords(
      join(folder, 'chunks-v3'),
      encodeRecord(hashOf('d'), { pack: '0123456789abcdef-00000000', offset, length }),
    );
    expect([await cache.get('d'), cache.counts.damaged]).toEqual([undefined, false_.length]);
  });

  test('does not read an entry that is larger than the caller expects', async () => {
    const cache = open();
    await cache.put('a', { bytes: bytesOf(1, 40_000), validator: undefined });
    expect(await cache.get('a', 40_000)).toBeDefined();
    expect([await cache.get('a', 10_000), cache.counts.damaged]).toEqual([undefined, 1]);
  });

  test('puts many entries into one pack, and starts another one when it is full or was evicted', async () => {
    const cache = open({ maxBytes: 128 * MB }); // packs of 1 MiB
    for (let k = 0; k < 6; k++)
      await cache.put(`k${k}`, { bytes: bytesOf(k, 200_000), validator: undefined });
    expect(await packs()).toHaveLength(2);
    await rm((await placeOf('k5')).file);
    await Promise.all(
      [6, 7, 8].map((k) => cache.put(`k${k}`, { bytes: bytesOf(k, 200_000), validator: undefined })),
    );
    expect(await packs()).toHaveLength(2);
    const other = open();
    for (let k = 0; k < 9; k++) {
      const found = (await other.get(`k${k}`))?.bytes;
      expect([k, found && Buffer.compare(found, bytesOf(k, 200_000))]).toEqual([k, k === 5 ? undefined : 0]);
    }
    expect(other.counts.damaged).toBe(0);
  });

  test('sees what other processes store, replace and evict', async () => {
    let now = 10_000;
    const cache = open({ now: () => now }),
      other = open();
    const put = (seed: number) => other.put('a', { bytes: bytesOf(seed), validator: undefined });
    const seen = async (): Promise<number | undefined> => (await cache.get('a'))?.bytes?.[0];
    expect(await seen()).toBeUndefined();
    await put(1);
    now += 201;
    expect(await seen()).toBe(1);
    await put(2);
    now += 1001;
    expect(await seen()).toBe(2);
    const { file } = await placeOf('a');
    await rm(file);
    expect(await seen()).toBeUndefined();
    await put(3);
    now += 201;
    expect(await seen()).toBe(3);
    await clearCache(folder);
    expect(await seen()).toBeUndefined();
    await put(4);
    now += 201;
    expect([await seen(), cache.counts.damaged]).toEqual([4, 0]);
  });

  test('finds the entries behind the torn end of an index, and behind the torn end of a pack', async () => {
    const cache = open();
    await cache.put('a', { bytes: bytesOf(1), validator: undefined });
    await appendFile(indexFile(join(folder, 'chunks-v3')), 'GPX3 half a record');
    await appendFile((await placeOf('a')).file, 'GPCACHE2 half an entry');
    await cache.put('b', { bytes: bytesOf(2), validator: undefined });
    await cache.put('c', { bytes: bytesOf(3), validator: undefined });
    for (const reader of [cache, open()])
      expect(
        await Promise.all(['a', 'b', 'c'].map(async (key) => (await reader.get(key))?.bytes?.[0])),
      ).toEqual([1, 2, 3]);
    expect(await packs()).toHaveLength(1);
  });

  test('loses no entry that is stored while the index is replaced', async () => {
    const cache = open(),
      other = new CacheFolder(folder, 1024 * MB);
    await cache.put('a', { bytes: bytesOf(1), validator: undefined });
    const storing = (async () => {
      for (let k = 0; k < 100; k++) await cache.put(`k${k}`, { bytes: bytesOf(k), validator: undefined });
    })();
    for (let k = 0; k < 30; k++)
      await other.index.compact(join(folder, 'chunks-v3', 'tmp', `index${k}`), new Set(await packs()));
    await storing;
    const reader = open();
    for (let k = 0; k < 100; k++) expect((await reader.get(`k${k}`))?.bytes?.[0]).toBe(k);
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
      await utimes((await placeOf(`k${k}`)).file, now / 1000, now / 1000);
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
    await rm(join(folder, 'chunks-v3', 'packs'), { recursive: true });
    await writeFile(join(folder, 'chunks-v3', 'packs'), 'a file where a folder should be');
    const cache = open({ warn });
    await Promise.all(
      ['b', 'c', 'd'].map((key) => cache.put(key, { bytes: bytesOf(1), validator: undefined })),
    );
    expect(await cache.get('b')).toBeUndefined();
    expect(warn.mock.calls).toEqual([
      [expect.stringMatching(/^the cache at .*chunks-v3 no longer stores anything: E/)],
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
    expect([(await verifyCache(folder)).entries, await readdir(join(folder, 'chunks-v3', 'tmp'))]).toEqual([
      40,
      [],
    ]);
  });

  test('refuses a folder that others may write to', async () => {
    const warn = jest.fn();
    await mkdir(join(folder, 'chunks-v3'), { recursive: true, mode: 0o777 });
    await import('node:fs/promises').then(({ chmod }) => chmod(join(folder, 'chunks-v3'), 0o777));
    const cache = open({ warn });
    await cache.put('a', { bytes: bytesOf(1), validator: undefined });
    expect(await cache.get('a')).toBeUndefined();
    expect(warn.mock.calls).toEqual([[expect.stringContaining('only you may enter')]]);
  });

  test('deletes unfinished files and the lock of dead processes, and leaves unfinished files of live ones', async () => {
    await open().put('a', { bytes: bytesOf(1), validator: undefined });
    const tmp = join(folder, 'chunks-v3', 'tmp'),
      dead = 2 ** 22 + 1; // above the largest PID
    const [ofDead, ofLiving] = [`${hostname()}.${dead}.0`, `${hostname()}.${process.pid}.999`];
    await Promise.all(
      [ofDead, ofLiving, 'elsewhere.1.0', 'elsewhere.1.1'].map((name) => writeFile(join(tmp, name), 'half')),
    );
    await utimes(join(tmp, 'elsewhere.1.1'), 1, 1);
    await writeFile(join(folder, 'chunks-v3', 'lock'), `${hostname()} ${dead}`);
    await open({ maxBytes: MB }).get('a');
    expect((await readdir(tmp)).sort()).toEqual(['elsewhere.1.0', ofLiving].sort());
    await expect(stat(join(folder, 'chunks-v3', 'lock'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test.each([
    ['that may still be signed', 9_000, false],
    ['that was never signed', 11_000, true],
  ])('replaces a lock %s: after %i ms %p', async (_, ageMs, isTakenOver) => {
    await open().put('a', { bytes: bytesOf(1), validator: undefined });
    const lock = join(folder, 'chunks-v3', 'lock'),
      now = 1_800_000_000_000;
    await writeFile(lock, '');
    await utimes(lock, (now - ageMs) / 1000, (now - ageMs) / 1000);
    expect((await new CacheFolder(folder, MB).collect(now)) !== undefined).toBe(isTakenOver);
  });

  test('stores nothing more while it is full and another process makes room', async () => {
    const cache = open({ maxBytes: MB });
    await cache.put('a', { bytes: bytesOf(1), validator: undefined });
    await writeFile(join(folder, 'chunks-v3', 'lock'), `${hostname()} ${process.pid}`);
    for (let k = 0; k < 100; k++)
      await cache.put(`k${k}`, { bytes: bytesOf(k, 50_000), validator: undefined });
    expect((await cacheStats(folder)).bytes).toBeLessThanOrEqual(MB / 4);
    expect(cache.counts.stored).toBeLessThan(10);
  });
});

describe('maintenance', () => {
  test('makes a lost index again, without what is torn or damaged', async () => {
    const cache = open();
    for (const [k, key] of ['a', 'b', 'c', 'd'].entries())
      await cache.put(key, { bytes: bytesOf(k, 3000), validator: undefined });
    const { file, offset, length } = await placeOf('d');
    await truncate(file, offset + length - 1);
    await open().put('e', { bytes: bytesOf(4), validator: undefined });
    const bytes = await readFile(file);
    bytes[(await placeOf('b')).offset + 2000] ^= 1;
    await writeFile(file, bytes);
    await rm(indexFile(join(folder, 'chunks-v3')));
    expect(await verifyCache(folder)).toMatchObject({ entries: 3, damaged: 0 });
    const found = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((key) => open().get(key)));
    expect(found.map((entry) => entry?.bytes?.[0])).toEqual([0, undefined, 2, undefined, 4]);
  });

  test('does not bring back an entry that was replaced', async () => {
    await open({ now: () => 1 }).put('a', { bytes: bytesOf(1), validator: undefined });
    await open({ now: () => 2 }).put('a', { bytes: bytesOf(2), validator: undefined });
    expect(await verifyCache(folder)).toMatchObject({ entries: 1, damaged: 0 });
    expect((await open().get('a'))?.storedMs).toBe(2);
    await rm(indexFile(join(folder, 'chunks-v3')));
    await verifyCache(folder);
    expect((await open().get('a'))?.storedMs).toBe(2);
    await open().put('b', { bytes: bytesOf(3), validator: undefined });
    await rm((await placeOf('a')).file); // as if it was evicted
    const { index, path } = new CacheFolder(folder, MB);
    await index.compact(join(path, 'tmp', 'index'), new Set(await packs()));
    await verifyCache(folder);
    expect(await open().get('a')).toBeUndefined();
  });

  test('does not take the content of a damaged entry for entries', async () => {
    const within = encodeEntry('b', { bytes: bytesOf(2), validator: undefined, storedMs: 1 })!;
    await open().put('a', { bytes: Buffer.concat([bytesOf(1), ...within]), validator: undefined });
    const { file, offset, length } = await placeOf('a'),
      bytes = await readFile(file);
    bytes[offset + length - Buffer.concat(within).length - 1] ^= 1;
    await writeFile(file, bytes);
    await rm(indexFile(join(folder, 'chunks-v3')));
    expect(await verifyCache(folder)).toMatchObject({ entries: 0 });
    expect(await open().get('b')).toBeUndefined();
  });

  test('counts, verifies and clears', async () => {
    expect(await cacheStats(folder)).toMatchObject({ entries: 0, bytes: 0, oldestUse: undefined });
    const cache = open();
    for (const key of ['a', 'b', 'c'])
      await cache.put(key, { bytes: bytesOf(1, 5000), validator: undefined });
    await utimes((await placeOf('b')).file, 1000, 1000);
    expect(await cacheStats(folder)).toEqual({
      path: join(folder, 'chunks-v3'),
      entries: 3,
      bytes: 4096 * (Math.ceil((3 * 5000) / 4096) + 1),
      oldestUse: new Date(1_000_000),
      snapshots: { entries: 0, bytes: 0 },
    });
    expect(await verifyCache(folder)).toMatchObject({ entries: 3, damaged: 0 });
    const { file, offset, length } = await placeOf('a');
    await truncate(file, (await placeOf('c')).offset);
    await appendRecords(
      join(folder, 'chunks-v3'),
      encodeRecord(hashOf('d'), { pack: basename(file), offset, length }),
    );
    expect(await verifyCache(folder)).toMatchObject({ entries: 4, damaged: 2 });
    expect(await verifyCache(folder)).toMatchObject({ entries: 2, damaged: 0 });
    await writeFile(join(folder, 'mine'), 'not the cache');
    expect(await clearCache(folder)).toMatchObject({ entries: 2 });
    expect(await readdir(folder)).toEqual(['mine']);
    expect(await cache.get('a')).toBeUndefined();
    await cache.put('a', { bytes: bytesOf(1), validator: undefined }); // its folder was deleted in the meantime
    expect((await open().get('a'))?.bytes).toBeDefined();
  });
});
