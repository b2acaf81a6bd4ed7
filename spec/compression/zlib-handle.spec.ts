/** The reused handle of zlib. Expected values are the original content, and the results of node:zlib itself. */
import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { doChunkWork } from '../../lib/chunks/do-chunk-work.ts';
import { nodeInflater } from '../../lib/compression/node/zlib-inflater.ts';
import { inflateInto } from '../../lib/compression/node/zlib-handle.ts';
import { seeded } from '../../testing/random.ts';

const random = seeded(16);
const content = (length: number): Uint8Array => new Uint8Array(length).map(() => random.below(5));

describe.each([
  ['gzip', gzipSync, gunzipSync],
  ['deflate', deflateSync, inflateSync],
] as const)('inflateInto: %s', (format, encode, decode) => {
  test('reads streams of many sizes with one handle', () => {
    for (const length of [1, 5, 0, 70_000, 3, 1_000_000, 2]) {
      const bytes = content(length),
        output = new Uint8Array(length + 1);
      expect(inflateInto(format, encode(bytes), output)).toBe(length);
      expect(Buffer.compare(output.subarray(0, length), bytes)).toBe(0);
    }
  });

  test('leaves alone what does not fit, is broken or is not complete, and reads the next stream', () => {
    const bytes = content(3000),
      good = Uint8Array.from(encode(bytes)),
      output = new Uint8Array(bytes.length + 1);
    for (let round = 0; round < 500; round++) {
      const changed = good.slice(0, round % 3 === 0 ? random.below(good.length) : undefined);
      for (let k = round % 2; k >= 0; k--)
        if (changed.length > 0) changed[random.below(changed.length)] = random.below(256);
      const size = inflateInto(format, changed, output);
      if (size !== undefined) expect(Buffer.compare(output.subarray(0, size), decode(changed))).toBe(0);
      expect(inflateInto(format, good, output.subarray(0, -1))).toBeUndefined();
      expect(inflateInto(format, good, output)).toBe(bytes.length);
    }
    expect(inflateInto(format, new Uint8Array(0), output)).toBeUndefined();
  });
});

test('transient outputs share memory, and all others have their own', () => {
  const [first, second] = [content(1000), content(1000)].map((bytes) => ({ bytes, stored: gzipSync(bytes) }));
  const inflate = (stored: Uint8Array, isTransient: boolean): Uint8Array =>
    nodeInflater.inflate('gzip', stored, { maxBytes: 1000, isBlocking: true, isTransient }) as Uint8Array;
  for (let k = 0; k < 8; k++) inflate(first.stored, true); // the first streams are not worth a handle
  const kept = inflate(first.stored, false),
    early = inflate(first.stored, true);
  expect(Buffer.compare(early, first.bytes)).toBe(0);
  const late = inflate(second.stored, true);
  expect(late.buffer).toBe(early.buffer);
  expect(Buffer.compare(late, second.bytes)).toBe(0);
  expect(Buffer.compare(kept, first.bytes)).toBe(0);
});

test('a chunk that was compressed twice is read from transient memory', async () => {
  const layout = { chunkSize: [20, 10, 5], channels: 1, dataType: 'uint8' } as const;
  const bytes = content(1000),
    work = { encoding: 'raw', layout, maxBytes: 1000, exactBytes: 1000, wantsBytes: false, wantsRaw: false };
  for (const stored of Array<Buffer[]>(5)
    .fill([gzipSync(bytes), gzipSync(gzipSync(bytes))])
    .flat()) {
    const { values } = await doChunkWork(stored, 'gzip', { ...work, voxels: [Uint32Array.of(0, 7, 999)] });
    expect(values).toEqual([Uint8Array.of(bytes[0], bytes[7], bytes[999])]);
  }
});
