import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { encodeEntry } from '../../lib/cache/entry.ts';
import type { EntryPlace } from '../../lib/cache/pack-files.ts';
import { PackReads, planSpans } from '../../lib/cache/pack-reads.ts';

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'gp-reads-'))));
afterEach(() => rm(folder, { recursive: true }));

const payload = (seed: number, length = 3000): Uint8Array =>
  Uint8Array.from({ length }, (_, k) => (k * 7 + seed) & 0xff);

/** Writes a pack of entries, and returns where they are. */
async function writePack(name: string, payloads: readonly Uint8Array[]): Promise<EntryPlace[]> {
  const file = join(folder, name),
    entries = payloads.map((bytes, k) =>
      Buffer.concat(encodeEntry(`${name} ${k}`, { bytes, validator: undefined, storedMs: 1 })!),
    );
  await writeFile(file, Buffer.concat(entries));
  let offset = 0;
  return entries.map(({ length }) => ({ file, offset: (offset += length) - length, length }));
}

describe('planSpans', () => {
  const place = (offset: number, length: number) => ({ place: { offset, length } });
  test.each([
    ['neighbours in any order', [place(200, 100), place(0, 200)], [[0, 300, 2]]],
    ['places with a small gap', [place(0, 10), place(10 + 32_768, 10)], [[0, 32_788, 2]]],
    [
      'places with a large gap apart',
      [place(0, 10), place(11 + 32_768, 10)],
      [
        [0, 10, 1],
        [32_779, 32_789, 1],
      ],
    ],
    ['places that overlap', [place(0, 100), place(10, 20), place(90, 20)], [[0, 110, 3]]],
    [
      'more than a span apart',
      [place(0, 1e6), place(1e6, 1e6)],
      [
        [0, 1e6, 1],
        [1e6, 2e6, 1],
      ],
    ],
    ['one place that is longer than a span', [place(5, 3e6)], [[5, 3_000_005, 1]]],
    ['nothing', [], []],
  ])('joins %s', (_, wanted, spans) =>
    expect(planSpans(wanted).map(({ start, end, members }) => [start, end, members.length])).toEqual(spans),
  );
});

describe('PackReads', () => {
  test('reads entries of several packs at once, each its own', async () => {
    const reads = new PackReads({ poisons: true });
    const a = await writePack('a', [payload(1), payload(2, 70_000), payload(3)]),
      b = await writePack('b', [payload(4), payload(5, 2_000_000)]);
    const found = await Promise.all([b[1], a[2], a[0], b[0], a[1], a[0]].map((place) => reads.read(place)));
    expect(found.map((read) => read?.decoded?.key)).toEqual(['b 1', 'a 2', 'a 0', 'b 0', 'a 1', 'a 0']);
    for (const [k, seed] of [5, 3, 1, 4, 2, 1].entries()) {
      const { bytes } = found[k]!.decoded!.entry;
      expect(Buffer.compare(bytes!, payload(seed, bytes!.length))).toBe(0);
    }
  });

  test('overwrites memory only when all entries in it are released', async () => {
    const reads = new PackReads({ poisons: true });
    const places = await writePack('a', [payload(1), payload(2)]);
    const [first, second] = await Promise.all(places.map((place) => reads.read(place)));
    first!.release!();
    first!.release!(); // a second time does not count for the other entry
    expect(Buffer.compare(second!.decoded!.entry.bytes!, payload(2))).toBe(0);
    second!.release!();
    expect(second!.decoded!.entry.bytes![0]).toBe(0xdb);
    const [again, kept] = await Promise.all(places.map((place) => reads.read(place)));
    expect([again, kept].map((read) => read?.decoded?.entry.bytes?.[1])).toEqual([8, 9]);
  });

  test('tells a damaged entry from a pack that is no more', async () => {
    const reads = new PackReads();
    const [first, second] = await writePack('a', [payload(1), payload(2)]);
    const shifted = { ...second, offset: second.offset - 1 };
    const beyond = { ...second, offset: second.offset + 1 };
    const gone = { ...first, file: join(folder, 'gone') };
    const found = await Promise.all([first, shifted, beyond, gone, second].map((place) => reads.read(place)));
    expect(found.map((read) => read && (read.decoded?.key ?? 'damaged'))).toEqual([
      'a 0',
      'damaged',
      'damaged',
      undefined,
      'a 1',
    ]);
    await truncate(first.file, second.offset + 10);
    const cut = await Promise.all([first, second].map((place) => reads.read(place)));
    expect(cut.map((read) => read?.decoded?.key)).toEqual(['a 0', undefined]);
  });

  test('rejects what cannot be read, and nothing else', async () => {
    const reads = new PackReads();
    const [first] = await writePack('a', [payload(1)]);
    const [good, bad] = await Promise.allSettled([
      reads.read(first),
      reads.read({ file: folder, offset: 0, length: 10 }),
    ]);
    expect([good.status, bad]).toEqual([
      'fulfilled',
      { status: 'rejected', reason: expect.objectContaining({ code: 'EISDIR' }) },
    ]);
  });
});
