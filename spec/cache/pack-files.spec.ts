import { mkdtemp, open, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { CacheFolder } from '../../lib/cache/cache-folder.ts';
import { DiskCache } from '../../lib/cache/disk-cache.ts';
import { PackWriter, readPlaceNow, type EntryPlace, type HeldBytes } from '../../lib/cache/pack-files.ts';
import { hashOf } from '../../lib/cache/pack-record.ts';

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'gp-pack-'))));
afterEach(() => rm(folder, { recursive: true }));

const BYTES = Uint8Array.from({ length: 5000 }, (_, k) => k * 7);
const placeOf = async (key: string): Promise<EntryPlace> =>
  (await new CacheFolder(folder, 1).index.find(hashOf(key), 0))!;

/** Bytes that are written as a worker thread writes them. */
const heldBy = (write: HeldBytes['write']): HeldBytes => ({
  byteLength: BYTES.byteLength,
  crc: crc32(BYTES),
  write,
});
const writer = new PackWriter();
const held = heldBy(async (target, hash, head) => {
  writer.append(target, [{ hash, parts: [head, BYTES] }]);
  return true;
});

describe('entries that another thread writes and reads', () => {
  test('are the same as those of the cache itself', async () => {
    const cache = new DiskCache({ folder, now: () => 5000 });
    const fields = { validator: '"v"', form: 'f', origin: 'o' };
    await cache.putHeld('a', held, fields);
    await cache.put('b', { bytes: BYTES, ...fields });
    await cache.putHeld('c', held, fields);
    const entry = { bytes: Buffer.from(BYTES), ...fields, storedMs: 5000 };
    for (const key of ['a', 'c']) expect(await cache.get(key)).toMatchObject(entry);
    expect(readPlaceNow(await placeOf('b'))?.decoded).toEqual({ key: 'b', entry });
    const read = await cache.get('b', 5000, async (place) => ({ found: readPlaceNow(place) }));
    expect(read).toEqual(entry);
    expect((await placeOf('c')).file).toBe((await placeOf('a')).file);
    expect((await placeOf('b')).file).not.toBe((await placeOf('a')).file);
    expect(cache.counts).toEqual({ hits: 3, misses: 0, damaged: 0, stored: 3 });
  });

  test.each([
    ['cut', ({ file }: EntryPlace) => truncate(file, 4000)],
    [
      'changed',
      async ({ file, offset }: EntryPlace) => {
        await using pack = await open(file, 'r+');
        await pack.write(Uint8Array.of(1, 2, 3), 0, 3, offset + 3000);
      },
    ],
  ])('are damaged if their pack is %s', async (_, damage) => {
    const cache = new DiskCache({ folder });
    await cache.putHeld('a', held, { validator: undefined });
    const place = await placeOf('a');
    await damage(place);
    expect(readPlaceNow(place)).toMatchObject({ decoded: undefined });
    expect(readPlaceNow({ ...place, file: join(folder, 'missing') })).toBeUndefined();
    const read = await cache.get('a', 5000, async (place) => ({ found: readPlaceNow(place) }));
    expect([read, cache.counts.damaged, await placeOf('a')]).toEqual([undefined, 1, undefined]);
  });

  test('are written again after the cache was cleared, and not counted if they are held no longer', async () => {
    const cache = new DiskCache({ folder });
    await cache.putHeld('a', held, { validator: undefined });
    await rm(join(folder, 'chunks-v3'), { recursive: true });
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

  test.each([true, false])('go into the next pack when one is full, together %p', async (isTogether) => {
    const { path } = new CacheFolder(folder, 1);
    await new CacheFolder(folder, 1).prepare();
    const writer = new PackWriter();
    const target = { folder: path, packBytes: 10_000 };
    const entries = ['a', 'b', 'c'].map((key) => ({ hash: hashOf(key), parts: [BYTES] }));
    if (isTogether) writer.append(target, entries);
    else for (const entry of entries) writer.append(target, [entry]);
    const places = await Promise.all(['a', 'b', 'c'].map(placeOf));
    expect(places.map(({ offset, length }) => [offset, length])).toEqual([
      [0, 5000],
      [5000, 5000],
      [0, 5000],
    ]);
    expect(new Set(places.map(({ file }) => file)).size).toBe(2);
    expect((await stat(places[0].file)).size).toBe(10_000);
  });
});
