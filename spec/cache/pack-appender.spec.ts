import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { CacheFolder } from '../../lib/cache/cache-folder.ts';
import { DiskCache } from '../../lib/cache/disk-cache.ts';
import { encodeEntry } from '../../lib/cache/entry.ts';
import { Allowance, PackAppender } from '../../lib/cache/pack-appender.ts';
import { PackIndex } from '../../lib/cache/pack-index.ts';
import { hashOf } from '../../lib/cache/pack-record.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gp-append-'));
  await new CacheFolder(folder, 1e6).prepare();
});
afterEach(() => rm(folder, { recursive: true }));

const BYTES = Uint8Array.from({ length: 3000 }, (_, k) => k * 3);
const partsOf = (key: string): Uint8Array[] =>
  encodeEntry(key, { bytes: BYTES, validator: undefined, storedMs: 1 })!;
const targetOf = (maxBytes: number) => new CacheFolder(folder, maxBytes).target;
const placeOf = (key: string) => new PackIndex(targetOf(1).folder).find(hashOf(key), 0);

describe('PackAppender', () => {
  test('stores entries that count when they are flushed', async () => {
    const appender = new PackAppender(),
      target = targetOf(1e9);
    for (const key of ['a', 'b']) appender.append(target, hashOf(key), partsOf(key));
    expect(await placeOf('a')).toBeUndefined();
    appender.flush();
    appender.append(target, hashOf('c'), partsOf('c'));
    appender.flush();
    const cache = new DiskCache({ folder });
    for (const key of ['a', 'b', 'c']) expect(Buffer.compare((await cache.get(key))!.bytes!, BYTES)).toBe(0);
    const files = await Promise.all(['a', 'b', 'c'].map(async (key) => (await placeOf(key))!.file));
    expect(new Set(files).size).toBe(1);
  });

  test('goes on with another pack when one is full, within one turn and later', async () => {
    const appender = new PackAppender(),
      target = { ...targetOf(1e9), packBytes: 2 * partsOf('a')[0].length + 6000 };
    for (const key of ['a', 'b', 'c']) appender.append(target, hashOf(key), partsOf(key));
    appender.flush();
    for (const key of ['d', 'e']) appender.append(target, hashOf(key), partsOf(key));
    appender.flush();
    const files = await Promise.all(['a', 'b', 'c', 'd', 'e'].map(async (key) => (await placeOf(key))!.file));
    expect(files.map((file) => files.indexOf(file))).toEqual([0, 0, 2, 2, 4]);
    expect(await new DiskCache({ folder }).get('d')).toMatchObject({ storedMs: 1 });
  });

  test('makes a new pack when its own was evicted, and loses only what was in it', async () => {
    const appender = new PackAppender(),
      target = targetOf(1e9);
    appender.append(target, hashOf('a'), partsOf('a'));
    appender.flush();
    await rm((await placeOf('a'))!.file);
    appender.append(target, hashOf('b'), partsOf('b'));
    appender.flush();
    const cache = new DiskCache({ folder });
    expect(await cache.get('a')).toBeUndefined();
    expect(Buffer.compare((await cache.get('b'))!.bytes!, BYTES)).toBe(0);
  });

  test('throws if the cache was cleared, and stores again when the folder exists again', async () => {
    const appender = new PackAppender(),
      target = targetOf(1e9);
    await rm(target.folder, { recursive: true });
    expect(() => appender.append(target, hashOf('a'), partsOf('a'))).toThrow(
      expect.objectContaining({ code: 'ENOENT' }),
    );
    appender.flush();
    await new CacheFolder(folder, 1e6).prepare();
    appender.append(target, hashOf('a'), partsOf('a'));
    appender.flush();
    expect(await new DiskCache({ folder }).get('a')).toBeDefined();
  });

  test('names nothing if the index cannot be written', async () => {
    const appender = new PackAppender(),
      target = targetOf(1e9);
    await mkdir(join(target.folder, 'index'));
    appender.append(target, hashOf('a'), partsOf('a'));
    expect(() => appender.flush()).toThrow(expect.objectContaining({ code: 'EISDIR' }));
    await rm(join(target.folder, 'index'), { recursive: true });
    appender.flush();
    expect(await placeOf('a')).toBeUndefined();
  });
});

describe('Allowance', () => {
  const counted = async (): Promise<number> => (await stat(join(targetOf(1).folder, 'written'))).size * 4096;

  test('counts at least what is stored, in steps', async () => {
    const allowance = new Allowance(),
      target = { ...targetOf(1e9), stepBytes: 100_000 };
    for (let stored = 3000; stored <= 300_000; stored += 3000) {
      expect(allowance.take(target, 3000)).toBe(true);
      expect(await counted()).toBeGreaterThanOrEqual(stored);
    }
    expect(await counted()).toBeLessThan(300_000 * 1.05 + 100_000);
  });

  test.each([1, 8])(
    'never lets %i threads store more than the limit, and counts nothing that it refuses',
    async (threads) => {
      const allowances = Array.from({ length: threads }, () => new Allowance()),
        target = { ...targetOf(1e9), storedBytes: 200_000, stepBytes: 9000 };
      let stored = 0;
      for (let k = 0; k < 500; k++) if (allowances[k % threads].take(target, 3000)) stored += 3000;
      expect(stored).toBeLessThanOrEqual(200_000);
      expect(stored).toBeGreaterThan(130_000);
      expect(await counted()).toBeLessThanOrEqual(200_000);
    },
  );

  test('leaves it to the main thread while somebody collects, or has died doing so', async () => {
    const allowance = new Allowance(),
      target = { ...targetOf(1e9), stepBytes: 1 },
      lock = join(target.folder, 'lock');
    await writeFile(lock, '');
    expect(allowance.take(target, 3000)).toBe(false);
    await rm(lock);
    expect(allowance.take(target, 3000)).toBe(true);
  });
});
