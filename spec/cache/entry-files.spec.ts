import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { CacheFolder } from '../../lib/cache/cache-folder.ts';
import { DiskCache } from '../../lib/cache/disk-cache.ts';
import { readEntryNow, writeFileNow, type HeldBytes } from '../../lib/cache/entry-files.ts';

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'gp-entry-'))));
afterEach(() => rm(folder, { recursive: true }));

const BYTES = Uint8Array.from({ length: 5000 }, (_, k) => k * 7);
const fileOf = (key: string): string => new CacheFolder(folder, 1).fileOf(key);

/** Bytes that are written as a worker thread writes them. */
const heldBy = (write: HeldBytes['write']): HeldBytes => ({
  byteLength: BYTES.byteLength,
  crc: crc32(BYTES),
  write,
});
const held = heldBy(async (temporary, file, head) => {
  writeFileNow(temporary, file, [head, BYTES]);
  return true;
});

describe('entries that another thread writes and reads', () => {
  test('are the same as those of the cache itself', async () => {
    const cache = new DiskCache({ folder, now: () => 5000 });
    const fields = { validator: '"v"', form: 'f', origin: 'o' };
    await cache.putHeld('a', held, fields);
    await cache.put('b', { bytes: BYTES, ...fields });
    const entry = { bytes: Buffer.from(BYTES), ...fields, storedMs: 5000 };
    expect(await cache.get('a')).toEqual(entry);
    expect(readEntryNow(fileOf('b'), 5000)?.decoded).toEqual({ key: 'b', entry });
    const read = await cache.get('b', 5000, async (file, maxBytes) => ({
      found: readEntryNow(file, maxBytes),
    }));
    expect(read).toEqual(entry);
    expect(cache.counts).toEqual({ hits: 2, misses: 0, damaged: 0, stored: 2 });
    expect(await readdir(join(folder, 'chunks-v2', 'tmp'))).toEqual([]);
  });

  test.each([
    ['cut', (file: string) => truncate(file, 4000)],
    ['larger than any valid entry', (file: string) => truncate(file, 1e12)],
    ['changed', async (file: string) => writeFile(file, (await readFile(file)).fill(1, 3000, 3001))],
  ])('are damaged if their file is %s', async (_, damage) => {
    const cache = new DiskCache({ folder });
    await cache.putHeld('a', held, { validator: undefined });
    await damage(fileOf('a'));
    expect(readEntryNow(fileOf('a'), 5000)).toMatchObject({ decoded: undefined });
    expect(readEntryNow(fileOf('b'), 5000)).toBeUndefined();
    const read = await cache.get('a', 5000, async (file, maxBytes) => ({
      found: readEntryNow(file, maxBytes),
    }));
    expect([read, cache.counts.damaged, readEntryNow(fileOf('a'), 5000)]).toEqual([undefined, 1, undefined]);
  });

  test('are written again after the cache was cleared, and not counted if they are held no longer', async () => {
    const cache = new DiskCache({ folder });
    await cache.putHeld('a', held, { validator: undefined });
    await rm(join(folder, 'chunks-v2'), { recursive: true });
    await cache.putHeld('a', held, { validator: undefined });
    await cache.putHeld(
      'b',
      heldBy(async () => false),
      { validator: undefined },
    );
    expect([cache.counts.stored, (await cache.get('a'))?.bytes?.byteLength, await cache.get('b')]).toEqual([
      2,
      5000,
      undefined,
    ]);
  });

  test('leave no file behind if they cannot be written', async () => {
    const target = join(folder, 'missing', 'file');
    expect(() => writeFileNow(join(folder, 'temporary'), target, [BYTES])).toThrow(/ENOENT/);
    expect(await readdir(folder)).toEqual([]);
  });
});
